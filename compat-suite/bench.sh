#!/bin/sh
# Size, start-up instructions and a few speeds of rbox beside BusyBox: `user+system` seconds of one run each, same machine.
set -eu
rbox=$PWD/target/rbox
busybox=/bin/busybox
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
i=0
while [ $i -lt 2000 ]; do
    echo "line $i of some text, with words and numbers: $((i * 7919 % 1000)) and more to fill it"
    i=$((i + 1))
done >small
for _ in $(seq 300); do cat small; done >text

echo "size: rbox $(stat -c %s "$rbox") bytes, $("$rbox" --list | wc -l) applets; BusyBox $(stat -c %s -L $busybox) bytes, $($busybox --list | wc -l) applets"
for words in true 'echo hi' 'ls /'; do
    for program in "$rbox" $busybox; do
        # shellcheck disable=SC2086 # words are meant to be split
        count=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" $words 2>&1 >/dev/null | sed -n 's/.*Collected : //p')
        echo "instructions: $(basename "$program") $words: $count"
    done
done
# shellcheck disable=SC2016 # the scripts are for the shells under test
for words in 'wc -l text' 'wc text' 'grep absent text' 'grep -E [a-z]+[0-9] text' 'sort text' 'cat text' 'head -n 500000 text' \
    'cut -d: -f2 text' 'tr a-z A-Z' 'sh -c i=0;while [ $i -lt 300000 ];do i=$((i+1));done'; do
    for program in "$rbox" $busybox; do
        case $words in
        sh\ -c*) set -- sh -c "${words#sh -c }" ;;
        *) # shellcheck disable=SC2086
            set -- $words ;;
        esac
        spent=$( { bash -c 'TIMEFORMAT=%U+%S; time "$@" <text >/dev/null' - "$program" "$@"; } 2>&1 | tail -n 1)
        echo "seconds (user+system): $(basename "$program") $words: $spent"
    done
done
