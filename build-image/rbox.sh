#!/bin/sh
# Builds the static rbox for musl: target/rbox (stripped) and target/rbox.debug (its symbols); and target/ssl_client.
# APPLETS="sh ls" or APPLETS=FILE selects the applets by name; TARGET=aarch64 builds for another processor, as
# target/rbox-aarch64. OUT=FILE names another result. With either of the first and the last there is no ssl_client.
# It uses a toolchain of rustup that has the musl target, or else Debian's rustc-web, and then builds std from source, optimised for
# size. Compiled crates of others are stored in the user's cache, by compiler and flags, so that another checkout on this
# machine compiles only the project's own crates.
set -eu
cd "$(dirname "$0")/.."
machine=${TARGET:-x86_64}
case $machine in
    x86_64) tools= out=target/rbox ;;
    aarch64) tools=aarch64-linux-gnu- out=target/rbox-aarch64 ;;
    *) echo "rbox: TARGET is x86_64 or aarch64, not $machine" >&2; exit 1 ;;
esac
target=$machine-unknown-linux-musl
tls=target/ssl_client${out#target/rbox}
[ -z "${APPLETS:-}${OUT:-}" ] || tls=
out=${OUT:-$out}
if [ "${APPLETS:-}" ]; then
    if [ -f "$APPLETS" ]; then
        APPLETS=$(cat "$APPLETS")
    fi
    export RBOX_APPLETS="$APPLETS"
fi

# In addition to the flags of .cargo/config.toml for every toolchain.
flags=
if [ "$machine" = x86_64 ] && [ -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$target" ]; then
    rustc=rustc
    cargo=cargo
    std=
else
    sh build-image/packages.sh ca-certificates gcc binutils musl-dev rustc-web cargo-web rust-web-src
    rustc=/usr/bin/rustc
    oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! dpkg --compare-versions "$($rustc --version | cut -d ' ' -f 2)" ge "$oldest"; then
        echo "rbox: $($rustc --version) is too old, $oldest is needed: enable Debian's security updates and upgrade" >&2
        echo "rbox: rustc-web, or install a toolchain by rustup with the target $target" >&2
        exit 1
    fi
    cargo=/usr/bin/cargo
    std="-Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size"
    # Building std needs unstable features of the compiler.
    export RUSTC_BOOTSTRAP=1
    flags="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none"
    # Data of the program itself are accessed without a table of pointers, which every start would fill in.
    flags="$flags -Zdirect-access-external-data=yes -Zplt=yes"
fi
version=$($rustc --version)
cached=${XDG_CACHE_HOME:-$HOME/.cache}/rbox
libc=/usr/lib/$machine-linux-musl
if [ "$tools" ]; then
    sh build-image/packages.sh "gcc-${tools%-}" "binutils-${tools%-}"
    libc=$cached/musl-$machine/usr/lib/$machine-linux-musl
    [ -f "$libc/libc.a" ] || sh build-image/foreign-package.sh arm64 musl-dev "$cached/musl-$machine"
fi
key=$(printf '%s\n' "$version" "$flags" "$std" "$(cat .cargo/config.toml)" "$("${tools}gcc" --version 2>/dev/null | head -n 1)" | sha256sum | cut -c -16)
cache=$cached/musl-$key
dir=${CARGO_TARGET_DIR:-target}/musl
mkdir -p "$cache" target "$(dirname "$dir")"
if ! [ -d "$dir" ] && [ -d "$cache/seed" ]; then
    cp -a "$cache/seed" "$dir"
fi

if [ "$std" ]; then
    echo "rbox: with $version, std built from source"
    # The file names that the self-contained musl target links; Debian installs them in two directories.
    lib=$cache/lib
    mkdir -p "$lib"
    for file in rcrt1.o crt1.o crti.o crtn.o libc.a; do
        ln -sf "$libc/$file" "$lib/$file"
    done
    # The compiler's start and end files register C++ destructors and unwind tables; rbox has neither.
    "${tools}gcc" -c -x c /dev/null -o "$lib/empty.o"
    for file in crtbegin.o crtbeginS.o crtend.o crtendS.o; do
        ln -sf empty.o "$lib/$file"
    done
    echo 'INPUT(-lgcc_eh)' >"$lib/libunwind.a"
    flags="$flags -Clinker=${tools}gcc -Clink-self-contained=yes -Lnative=$lib"
else
    echo "rbox: with $version, target $target"
fi
# cargo joins these flags with those of .cargo/config.toml; the variable would replace them.
unset RUSTFLAGS
list=
for flag in $flags; do
    list="$list'$flag',"
done
# ring, which ssl_client uses, has parts in C that need no library.
export "CC_$(echo "$target" | tr - _)=${tools}gcc"
build() {
    package=$1
    shift
    # shellcheck disable=SC2086 # std is words or nothing
    RUSTC=$rustc $cargo rustc --release --locked -p "$package" --target "$target" --target-dir "$dir" \
        --config "target.$target.rustflags=[$list]" $std -- "$@"
}
build rbox
if [ "$tls" ]; then
    # std only uses getrandom(2) where libc happens to be linked with it; data of the program itself must be there.
    build ssl-client -Clink-arg=-Wl,-u,getrandom
    "${tools}strip" -o "$tls.new" "$dir/$target/release/ssl_client"
    mv "$tls.new" "$tls"
    echo "rbox: $tls, $(stat -c %s "$tls") bytes"
fi
built=$dir/$target/release/rbox

# The next checkout starts with all crates but the project's own, which cargo would mistake for up to date.
if ! [ -d "$cache/seed" ]; then
    seed=$(mktemp -d "$cache/seed.XXXXXX")
    cp -a "$dir/." "$seed"
    find "$seed" -depth \( -name '*rbox*' -o -name 'ssl[-_]client*' \) -exec rm -rf {} +
    mv -T "$seed" "$cache/seed" 2>/dev/null || rm -rf "$seed"
fi

"${tools}objcopy" --only-keep-debug "$built" "$out.debug"
"${tools}strip" -o "$out.new" "$built"
mv "$out.new" "$out"
count=
[ "$tools" ] || count=", $("$out" --list | wc -l) applets"
echo "rbox: $out, $(stat -c %s "$out") bytes$count"
