#!/bin/sh
# Installs, upgrades and removes the package beside Debian's busybox in a new Debian, and runs the container image.
set -eu
cd "$(dirname "$0")/.."
deb=$(echo "$PWD"/target/rbox_*_amd64.deb)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/debian
debootstrap --variant=minbase --include=busybox stable "$root" >"$work/log" || { tail "$work/log"; exit 1; }
mkdir "$root/packages"
cp "$deb" "$root/packages"
# The same with a later version, for an upgrade.
dpkg-deb -R "$deb" "$work/later"
sed -i 's/^Version: .*/&.1/' "$work/later/DEBIAN/control"
dpkg-deb --root-owner-group -b "$work/later" "$root/packages/later.deb" >"$work/log"

inside() {
    unshare -m -p -f -n -u -i --mount-proc="$root/proc" chroot "$root" /bin/sh -ec "$1"
}
list='find / -xdev \( -path /proc -o -path /packages -o -path /var/cache -o -path /var/log -o -path /var/lib/dpkg \) -prune -o -print | sort'
inside "$list" >"$work/before"
inside 'dpkg -i /packages/rbox_*_amd64.deb
    [ "$(rbox echo hello)" = hello ]
    [ "$(/usr/lib/rbox/bin/expr 6 \* 7)" = 42 ]
    [ "$(readlink -f /usr/bin/vi)" = /usr/bin/rbox ]
    busybox true
    dpkg --verify rbox
    dpkg -i /packages/later.deb
    dpkg -s rbox | grep -q "^Status: install ok installed"
    [ "$(readlink -f /usr/bin/vi)" = /usr/bin/rbox ]
    dpkg --audit
    dpkg -P rbox'
inside "$list" >"$work/after"
diff "$work/before" "$work/after"
echo "package-test: $(basename "$deb") is installed, upgraded and removed, and leaves nothing"

mkdir -p "$work/oci" "$work/container"
tar -xf target/rbox-oci.tar -C "$work/oci"
layer=$(python3 - "$work/oci" <<'PYTHON'
import hashlib, json, os, sys
root = sys.argv[1]
def blob(described):
    path = os.path.join(root, "blobs/sha256", described["digest"].removeprefix("sha256:"))
    data = open(path, "rb").read()
    assert hashlib.sha256(data).hexdigest() == os.path.basename(path) and len(data) == described["size"]
    return path
manifest = json.load(open(blob(json.load(open(root + "/index.json"))["manifests"][0])))
blob(manifest["config"])
print(blob(manifest["layers"][0]))
PYTHON
)
tar -xzf "$layer" -C "$work/container"
said=$(unshare -m -p -f -n -u -i chroot "$work/container" /bin/sh -c 'echo $$; uname -s; ls /bin | grep -c .')
[ "$(echo "$said" | head -n 2)" = "$(printf '1\nLinux')" ]
echo "package-test: the container image runs a shell"
