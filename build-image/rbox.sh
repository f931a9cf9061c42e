#!/bin/sh
# Builds the static rbox for musl: target/rbox (stripped) and target/rbox.debug (its symbols).
# A toolchain of rustup that has the musl target is taken where there is one, else Debian's rustc-web, whose std is
# built from source, optimised for size.
set -eu
cd "$(dirname "$0")/.."
target=x86_64-unknown-linux-musl
dir=${CARGO_TARGET_DIR:-target}
# The linker is told whole paths.
case $dir in
/*) ;;
*) dir=$PWD/$dir ;;
esac

if [ -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$target" ]; then
    echo "rbox: with $(rustc --version), target $target"
    cargo build --release --locked -p rbox --target "$target" --target-dir "$dir/musl"
else
    sh build-image/packages.sh gcc binutils musl-dev rustc-web cargo-web rust-web-src
    echo "rbox: with $(/usr/bin/rustc --version), std built from source"
    # The names that the self-contained musl target links by; Debian has them in two places.
    lib=$dir/musl/lib
    mkdir -p "$lib"
    for file in rcrt1.o crt1.o crti.o crtn.o libc.a; do
        ln -sf "/usr/lib/x86_64-linux-musl/$file" "$lib/$file"
    done
    for file in crtbegin.o crtbeginS.o crtend.o crtendS.o; do
        ln -sf "$(gcc -print-file-name=$file)" "$lib/$file"
    done
    echo 'INPUT(-lgcc_eh)' >"$lib/libunwind.a"
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-Clinker=gcc -Clink-self-contained=yes -Lnative=$lib -Zunstable-options -Cpanic=immediate-abort --remap-path-prefix=$PWD=/rbox" \
        /usr/bin/cargo build --release --locked -p rbox --target "$target" --target-dir "$dir/musl" \
        -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
fi
built=$dir/musl/$target/release/rbox
mkdir -p target
objcopy --only-keep-debug "$built" target/rbox.debug
strip -o target/rbox.new "$built"
mv target/rbox.new target/rbox
echo "rbox: target/rbox, $(stat -c %s target/rbox) bytes, $(target/rbox --list | wc -l) applets"
