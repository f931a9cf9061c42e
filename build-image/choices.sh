#!/bin/sh
# Builds rbox with one name, with twelve, and for aarch64, and runs the results. The sizes are in docs/speed.md.
set -eu
cd "$(dirname "$0")/.."
directory=${CARGO_TARGET_DIR:-target}/choices
mkdir -p "$directory"
fail() {
    echo "choices: $*" >&2
    exit 1
}

# check NAMES: builds a program with these names, and checks that it lists them and runs no other name.
check() {
    program=$directory/rbox-$(echo "$1" | wc -w)
    APPLETS=$1 OUT=$program CARGO_TARGET_DIR=$directory sh build-image/rbox.sh
    listed=$("$program" --list | tr '\n' ' ')
    [ "$listed" = "$1 " ] || fail "it lists: $listed"
    status=0
    "$program" nosuchname 2>/dev/null || status=$?
    [ "$status" = 127 ] || fail "a name that is not in: status $status"
}
check true
check "cat cp echo grep ln ls mkdir mount mv ps rm sh"
[ "$("$directory/rbox-12" sh -c 'cd /; for i in 1 2; do echo $((i + 1)); done; test -d / && printf %s ok')" = "2
3
ok" ] || fail "the shell"
status=0
"$directory/rbox-12" head /dev/null 2>/dev/null || status=$?
[ "$status" = 127 ] || fail "head is not in, but: status $status"
if APPLETS="ls nosuchname" OUT=$directory/none CARGO_TARGET_DIR=$directory sh build-image/rbox.sh >/dev/null 2>&1; then
    fail "a name that is no applet's is built"
fi

TARGET=aarch64 OUT=$directory/rbox-aarch64 CARGO_TARGET_DIR=$directory sh build-image/rbox.sh
arm() { qemu-aarch64 "$directory/rbox-aarch64" "$@"; }
[ "$(arm sh -c 'x=$(echo hi | tr a-z A-Z); echo $x; (exit 3); echo $?')" = "HI
3" ] || fail "aarch64: the shell"
[ "$(printf 'b\na\n' | arm sort | arm head -n 1)" = a ] || fail "aarch64: sort and head"
[ "$(arm stat -c %h /)" = "$(stat -c %h /)" ] || fail "aarch64: stat"
[ "$(printf abc | arm sha256sum)" = "$(printf abc | sha256sum)" ] || fail "aarch64: sha256sum"
[ "$(arm --list)" = "$(target/rbox --list)" ] || fail "aarch64: other names"
echo "choices: all right"
