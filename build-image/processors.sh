#!/bin/sh
# Compiles the program for processors of every width and byte order that musl and Debian's toolchain have, without
# linking it.
set -eu
cd "$(dirname "$0")/.."
sh build-image/packages.sh rustc-web cargo-web rust-web-src
export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_PROFILE_DEV_DEBUG=0
for target in aarch64-unknown-linux-musl riscv64gc-unknown-linux-musl armv7-unknown-linux-musleabihf \
    i686-unknown-linux-musl powerpc64le-unknown-linux-musl; do
    echo "check: $target"
    /usr/bin/cargo check -q --locked -p rbox --target "$target" --target-dir "${CARGO_TARGET_DIR:-target}/processors" \
        -Zbuild-std=std,panic_abort
done
