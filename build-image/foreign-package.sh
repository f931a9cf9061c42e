#!/bin/sh
# Unpacks a Debian package of another architecture below a directory, without adding that architecture to this machine.
# Usage: foreign-package.sh ARCHITECTURE PACKAGE DIRECTORY
set -eu
architecture=$1 package=$2 directory=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/lists/partial" "$scratch/archives/partial" "$directory"
# apt's own sources and keys, with lists and archives in the scratch directory.
apt() {
    apt-get -q -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o Dir::State::lists="$scratch/lists" \
        -o Dir::State::status=/dev/null -o Dir::Cache="$scratch" -o APT::Sandbox::User="$(id -un)" "$@"
}
apt update
(cd "$scratch" && apt download "$package")
dpkg-deb -x "$scratch/$package"_*.deb "$directory"
