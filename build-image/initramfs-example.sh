#!/bin/sh
# Builds target/initramfs-example.cpio.gz: a static rbox with the few applets that build-image/initramfs-example/init uses, and that
# script as /init. The archive is written by rbox itself. docs/image.md says how to boot it.
set -eu
cd "$(dirname "$0")/.."
applets="[ echo findfs mkdir mount setsid sh sleep switch_root"
directory=${CARGO_TARGET_DIR:-target}/initramfs-example
APPLETS=$applets OUT=$PWD/target/rbox-initramfs CARGO_TARGET_DIR=$directory/build sh build-image/rbox.sh

tree=$directory/tree
rm -rf "$tree"
mkdir -p "$tree/bin"
cp build-image/initramfs-example/init "$tree/init"
cp target/rbox-initramfs "$tree/bin/rbox"
for name in $applets; do ln -s rbox "$tree/bin/$name"; done
# Root's, whoever builds it, and with one time: the same bytes each time. The kernel makes /dev/console itself.
find "$tree" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-1767225600}" {} +
(cd "$tree" && find . | LC_ALL=C sort | "$OLDPWD/target/rbox" cpio -o -H newc -R 0:0 2>/dev/null) |
    target/rbox gzip -9 >target/initramfs-example.cpio.gz
echo "initramfs  target/initramfs-example.cpio.gz: $(stat -c %s target/initramfs-example.cpio.gz) bytes"
