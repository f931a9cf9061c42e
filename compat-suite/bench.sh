#!/bin/bash
# Size, start and speed of rbox beside BusyBox, toybox and the GNU tools, all on this machine in one run, so that the
# ratios hold: CPU seconds (user and system), the best of three.
set -eu
rbox=$PWD/target/rbox
busybox=$(command -v busybox)
toybox=$(command -v toybox)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

awk 'BEGIN {
    srand(1)
    for (line = 0; line < 600000; line++) {
        printf "line %d:", line
        for (word = 0; word < 8; word++) printf " %c%c%d", 97 + rand() * 26, 97 + rand() * 26, rand() * 100000
        print ""
    }
}' >text
mkdir tree
for directory in $(seq 100); do
    mkdir "tree/$directory"
    for file in $(seq 30); do head -c $((file * 300)) text >"tree/$directory/$file"; done
done

# The words that run a command as one of the four; nothing when it has no such command.
words_of() {
    local of=$1
    shift
    case $of in
    rbox) echo "$rbox $*" ;;
    busybox) if "$busybox" --list | grep -qx -- "$1"; then echo "$busybox $*"; fi ;;
    toybox) if "$toybox" | tr ' ' '\n' | grep -qx -- "$1"; then echo "$toybox $*"; fi ;;
    gnu) if [ "$1" = sh ]; then shift; set -- dash "$@"; fi; if type -P "$1" >/dev/null; then echo "$(type -P "$1") ${*:2}"; fi ;;
    esac
}

seconds() {
    local best= spent
    for _ in 1 2 3; do
        spent=$({ TIMEFORMAT='%U %S'; time sh -c "$1" >out 2>/dev/null; } 2>&1 | awk '{ print $1 + $2 }')
        if [ -z "$best" ] || awk "BEGIN { exit !($spent < $best) }"; then best=$spent; fi
    done
    echo "$best"
}

# Output goes to a file: GNU grep stops early when it is /dev/null.

# One row: LABEL, then how to measure (`seconds` or `instructions`), then the command; %s stands for what runs it.
row() {
    local label=$1 measure=$2 command=$3 of words
    printf '%-34s' "$label"
    for of in rbox busybox toybox gnu; do
        # shellcheck disable=SC2086 # the name of the applet and its words
        words=$(words_of $of $command)
        if [ -z "$words" ]; then printf ' %10s' -; else printf ' %10s' "$($measure "$words ${4:-}")"; fi
    done
    echo
}

instructions() {
    # shellcheck disable=SC2086 # words are meant to be split
    valgrind --tool=callgrind --callgrind-out-file=/dev/null $1 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}

printf '%-34s %10s %10s %10s %10s\n' 'Size' rbox BusyBox toybox ''
printf '%-34s %10s %10s %10s\n' 'bytes' "$(stat -c %s "$rbox")" "$(stat -L -c %s "$busybox")" "$(stat -L -c %s "$toybox")"
printf '%-34s %10s %10s %10s\n' 'commands' "$("$rbox" --list | wc -l)" "$("$busybox" --list | wc -l)" "$("$toybox" | wc -w)"
per_command() { echo $(($(stat -L -c %s "$1") / $2)); }
printf '%-34s %10s %10s %10s\n' 'bytes a command' "$(per_command "$rbox" "$("$rbox" --list | wc -l)")" \
    "$(per_command "$busybox" "$("$busybox" --list | wc -l)")" "$(per_command "$toybox" "$("$toybox" | wc -w)")"
printf '%-34s %10s\n' 'relocations' "$(readelf -rW "$rbox" | grep -c R_X86_64)"
echo
printf '%-34s %10s %10s %10s %10s\n' 'Start, instructions' rbox BusyBox toybox GNU/dash
row true instructions true
row 'echo hi' instructions 'echo hi'
row 'ls /' instructions 'ls /'
row 'sh -c :' instructions 'sh -c :'
echo
printf '%-34s %10s %10s %10s %10s\n' 'CPU seconds' rbox BusyBox toybox GNU/dash
row 'cat text (50 MB)' seconds 'cat text'
row 'wc -l' seconds 'wc -l text'
row 'wc' seconds 'wc text'
row 'head -n 500000' seconds 'head -n 500000 text'
row 'tail -n 400000' seconds 'tail -n 400000 text'
row 'cut -d: -f2' seconds 'cut -d: -f2 text'
row 'cut -c 3-9' seconds 'cut -c 3-9 text'
row 'tr a-z A-Z' seconds 'tr a-z A-Z' '<text'
row 'uniq' seconds 'uniq text'
row 'sort' seconds 'sort text'
row 'sort -k 3' seconds 'sort -k 3 text'
row 'sort -n' seconds 'sort -n text'
row 'grep, a literal that is not there' seconds 'grep -F qqqqq text'
row 'grep -c .' seconds 'grep -c . text'
row 'grep -i' seconds 'grep -i AB12 text'
row 'grep -E, a class and more' seconds 'grep -E [a-z]+77[0-9] text'
row 'grep -E, alternatives' seconds 'grep -E ab12\|cd34\|ef56 text'
row 'grep -vn' seconds 'grep -vn ab text'
row 'grep -o' seconds 'grep -o ab1 text'
row 'seq 3000000' seconds 'seq 3000000'
row 'paste, the text twice' seconds 'paste text text'
row 'tac' seconds 'tac text'
row 'nl' seconds 'nl text'
row 'fold -w 20' seconds 'fold -w 20 text'
row 'base64' seconds 'base64 text'
row 'md5sum' seconds 'md5sum text'
row 'sha256sum' seconds 'sha256sum text'
row 'sha512sum' seconds 'sha512sum text'
row 'xargs echo' seconds 'xargs echo' '<text'
row 'find, 3,000 files' seconds 'find tree'
row 'find -size, 3,000 files' seconds 'find tree -size +9k'
row 'ls -lR, 3,000 files' seconds 'ls -lR tree'
row 'du -s, 3,000 files' seconds 'du -s tree'
row 'cp -r, 3,000 files' seconds 'cp -r tree copy.$$'
