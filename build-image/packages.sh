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
# A person at a terminal is asked; without one nothing may be removed in any case.
yes=-y
if [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
    yes=
fi
$as_root apt-get update -q
# shellcheck disable=SC2086 # words are meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q $yes --no-remove --no-install-recommends $missing
