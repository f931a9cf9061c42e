#!/bin/sh
# Installs the Debian packages that are missing; elsewhere it names them. Usage: packages.sh PACKAGE...
set -eu
missing=
for package; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "These packages (by their Debian names) are missing; install them:$missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
        echo "Packages are missing. Run as root: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
fi
echo "Installing:$missing"
# A person at a terminal is asked; elsewhere nothing is removed for it, but on a machine that is there for CI alone.
options="-y --no-remove"
if [ "${CI:-}" ]; then
    options=-y
elif [ -t 0 ] && [ -t 1 ]; then
    options=
fi
$as_root apt-get update -q
# shellcheck disable=SC2086 # words are meant to be split
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q $options --no-install-recommends $missing; then
    echo "Not installed:$missing" >&2
    echo "To see and decide what apt would change: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
