#!/bin/bash
# Size, start and speed of rbox beside BusyBox, toybox and the GNU tools, all on this machine in one run. It prints the first
# part of docs/speed.md.
set -eu
directory=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=compat-suite/measure.sh
. "$directory/measure.sh"
rbox=$PWD/target/rbox
choices=$(cd "${CARGO_TARGET_DIR:-target}/choices" && pwd)
for names in 1 12 aarch64; do
    [ -f "$choices/rbox-$names" ] || { echo "bench: $choices/rbox-$names is missing; make choices builds it" >&2; exit 1; }
done
busybox=$(command -v busybox)
toybox=$(command -v toybox)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

load() { cut -d ' ' -f 1 /proc/loadavg; }
grouped() { sed ":a; s/\([0-9]\)\([0-9]\{3\}\)\(\$\|,\)/\1,\2\3/; ta"; }
bytes() { stat -L -c %s "$1" | grouped; }
per_name() { echo $(($(stat -L -c %s "$1") / $2)) | grouped; }
start() { instructions "$@" | grouped; }
rbox_names=$("$rbox" --list | wc -l)
busybox_names=$("$busybox" --list | wc -l)
toybox_names=$("$toybox" | wc -w)

cat <<TEXT
# Size and speed

\`make bench\` writes this file; other documents refer to it and repeat no figures. All programs ran in one run on one
machine with $(nproc) processors; the load was $(load) at its start, so only ratios within a row mean something. BusyBox is Debian's
$("$busybox" | sed -n '1s/BusyBox v\([0-9.]*\).*/\1/p') (glibc, static), toybox $("$toybox" --version | tr -d 'a-z '), GNU the tools of Debian 12, dash for \`sh\`.

## Size and memory

| | rbox | BusyBox | toybox | dash |
|---|---:|---:|---:|---:|
| bytes, stripped, with all names | $(bytes "$rbox") | $(bytes "$busybox") | $(bytes "$toybox") | |
| names | $rbox_names | $busybox_names | $toybox_names | |
| bytes for each name | $(per_name "$rbox" "$rbox_names") | $(per_name "$busybox" "$busybox_names") | $(per_name "$toybox" "$toybox_names") | |
| relocations at each start | $(readelf -rW "$rbox" | grep -c R_X86_64) | $(readelf -rW "$busybox" | grep -c R_X86_64) | $(readelf -rW "$toybox" | grep -c R_X86_64) | |
| private memory of an idle \`sh\`, kB | $(idle "$rbox" sh) | $(idle "$busybox" sh) | - | $(idle dash) |
| bytes with 1 name (\`true\`) | $(bytes "$choices/rbox-1") | | | |
| bytes with 12 names (a shell and file tools) | $(bytes "$choices/rbox-12") | | | |
| bytes for aarch64, with all names | $(bytes "$choices/rbox-aarch64") | | | |

Private memory of idle daemons, in kB. Debian's BusyBox lacks those with a dash.

| | rbox | BusyBox |
|---|---:|---:|
$(sh "$directory/memory.sh" "$rbox" "$busybox")

## Start

Instructions in user space. rbox and BusyBox were called as \`rbox true\`; through a link of the applet's name it is less.

| | rbox | BusyBox | toybox | GNU, dash |
|---|---:|---:|---:|---:|
| \`true\` | $(start "$rbox" true) | $(start "$busybox" true) | $(start "$toybox" true) | $(start /bin/true) |
| \`echo hi\` | $(start "$rbox" echo hi) | $(start "$busybox" echo hi) | $(start "$toybox" echo hi) | $(start /bin/echo hi) |
| \`ls /\` | $(start "$rbox" ls /) | $(start "$busybox" ls /) | $(start "$toybox" ls /) | $(start /bin/ls /) |
| \`sh -c :\` | $(start "$rbox" sh -c :) | $(start "$busybox" sh -c :) | - | $(start dash -c :) |

## Tools

CPU seconds (user and system) of rbox, the least of ${ROUNDS:-3} runs, then the CPU time of the others divided by it: more than 1 means that
rbox is faster. The text has 600,000 lines and 45 MB, the tree 20,000 files in 200 directories; output goes to a file.

| | rbox, s | BusyBox | toybox | GNU |
|---|---:|---:|---:|---:|
TEXT

awk 'BEGIN {
    srand(1)
    for (line = 0; line < 600000; line++) {
        printf "line %d:", line
        for (word = 0; word < 8; word++) printf " %c%c%d", 97 + rand() * 26, 97 + rand() * 26, rand() * 100000
        print ""
    }
}' >text
sort text >sorted
head -n 300000 text | sort >half
base64 text >encoded
# Each line occurs five times.
head -n 60000 text >part
for _ in 1 2 3 4 5; do cat part; done >repeated
head -n 2000 text | cut -d: -f1 | tr ' ' _ >words
mkdir tree few
for number in $(seq 200); do mkdir "tree/$number"; done
seq 20000 | awk '{ file = "tree/" $1 % 200 + 1 "/" $1; print $1 >file; close(file) }'
(cd few && seq 2000 | xargs touch)
awk 'NR % 3 { print; next } { print $0, "changed" }' text >changed
cp text same
tar cf tree.tar tree
gzip -c text >text.gz
bzip2 -c text >text.bz2
xz -1 -c text >text.xz
zstd -q -c text >text.zst
echo 'scale = 1000; 4 * a(1)' >pi
# A list of hosts to block, as such lists are.
awk '{ printf "0.0.0.0 %s.%s.example.com # %d\n", $3, $4, NR }' half | head -n 285000 >hosts

# run SYSTEM: CPU seconds of $command there, after $prepare. $command begins with the name of the command.
run() {
    local name=${command%% *} words=
    case $1 in
    rbox) words="$rbox $command" ;;
    busybox) if "$busybox" --list | grep -qx -- "$name"; then words="$busybox $command"; fi ;;
    toybox) if "$toybox" | tr ' ' '\n' | grep -qx -- "$name"; then words="$toybox $command"; fi ;;
    gnu) words="$(type -P "$name")${command#"$name"}" ;;
    esac
    [ "$words" ] || return 1
    eval "$prepare"
    # Long runs are for what is slow everywhere; a hang is no result.
    spent timeout 60 sh -c "$words"
}

# row COMMAND [LABEL [PREPARATION]]
row() {
    command=$1 prepare=${3:-:}
    compare "${2:-\`$1\`}" run rbox busybox toybox gnu
}

row 'cat text'
row 'wc -l text'
row 'wc -w text'
row 'wc text'
row 'head -n 500000 text'
row 'head -c 40000000 text'
row 'tail -n 400000 text'
row 'tail -c 40000000 text'
row 'cut -d: -f2 text'
row 'cut -c 3-9 text'
row 'tr a-z A-Z <text'
row 'uniq text'
row 'uniq -c sorted'
row 'comm sorted half'
row 'sort text'
row 'sort -u text'
row 'sort -k 3 text'
row 'sort -n text'
row 'sort repeated' '`sort`, each line five times'
row 'grep -F qqqqq text' '`grep -F`, no match'
row 'grep ab12 text'
row 'grep -c . text'
row 'grep -i AB12 text'
row "grep -E '[a-z]+77[0-9]' text"
row "grep -E 'ab12|cd34|ef56' text" "\`grep -E 'ab12\\|cd34\\|ef56' text\`"
row 'grep -vn ab text'
row 'grep -o ab1 text'
row 'sed s/ab12/X/ text'
row "sed -n '/ab1[0-9]/p' text"
row "sed 's/\\(a\\)\\([a-z]\\)/\\2\\1/g' text" '`sed` with groups'
row 'cmp text same'
row 'diff text changed' '`diff`, 600,000 lines, a third of them changed'
row 'hexdump -C part' '`hexdump -C`, 4.5 MB'
row 'xxd part' '`xxd`, 4.5 MB'
row "strings $busybox" '`strings`'
row "bc -l <pi" '`bc -l`, 1,000 digits of pi'
row "grep ' \\(ab1\\).* \\1' text" '`grep` with a back-reference'
row 'seq 3000000'
row 'paste text text'
row 'tac text'
row 'nl text'
row 'fold -w 20 text'
row 'expand text'
row 'split -l 1000 text' '`split -l 1000 text`' 'rm -f x??'
row 'od -c part' '`od -c`, 4.5 MB'
row 'base64 text'
row 'base64 -d encoded'
row 'cksum text'
row 'md5sum text'
row 'sha1sum text'
row 'sha256sum text'
row 'sha512sum text'
row 'xargs echo <text'
row 'xargs -n 1 /bin/true <words' '`xargs -n 1`, 2,000 external programs'
row 'find tree'
row "find tree -name '*99'"
row 'find tree -size +9k'
row 'find few -type f -exec /bin/true {} \;' '`find -exec`, 2,000 external programs'
row 'ls -R tree'
row 'ls -lR tree'
row 'du -s tree'
row 'chmod -R u+w tree'
row 'cp -r tree copy' '`cp -r tree copy`' 'rm -rf copy'
row 'cp -a tree copy' '`cp -a tree copy`' 'rm -rf copy'
row 'rm -r copy' '`rm -r copy`' 'rm -rf copy; cp -r tree copy'
row 'dd if=text of=copied bs=512' '`dd bs=512`, 45 MB' 'rm -f copied'
row 'dd if=text of=copied bs=4k' '`dd bs=4k`, 45 MB' 'rm -f copied'
row 'shuf text'
row 'tar cf tree.tar tree' '`tar c`, 20,000 files'
row 'tar tf tree.tar' '`tar t`'
row 'tar xf tree.tar -C unpacked' '`tar x`' 'rm -rf unpacked; mkdir unpacked'
row 'gzip -1 -c text' '`gzip -1`'
row 'gzip -c text' '`gzip -6`'
row 'gzip -dc text.gz' '`gunzip`'
row 'bzip2 -dc text.bz2' '`bunzip2`'
row 'xz -dc text.xz' '`unxz`'
row 'zstd -dc text.zst' '`unzstd`'
means busybox toybox gnu

cat <<TEXT

## awk

As above; the list of hosts to block has 285,000 lines.

| | rbox, s | BusyBox | mawk | gawk |
|---|---:|---:|---:|---:|
TEXT

# run_awk SYSTEM: CPU seconds of that awk with $command, a program and files.
run_awk() {
    case $1 in
    rbox | busybox) eval "spent timeout 60 \"\$$1\" awk $command" ;;
    *) eval "spent timeout 60 $1 $command" ;;
    esac
}

# program LABEL PROGRAM [FILE]
program() {
    command="'$2' ${3:-</dev/null}"
    compare "$1" run_awk rbox busybox mawk gawk
}

program 'sum of a column' '{ s += $2 } END { print s }' half
program 'count words' '{ for (i = 1; i <= NF; i++) n[$i]++ } END { print length(n) }' half
program '`gsub` and print' '{ gsub(/ab/, "X"); print }' text
program 'loop of 3 million' 'BEGIN { for (i = 0; i < 3000000; i++) s += i * 2; print s }'
program 'print a field' '{ print $3 }' text
program 'print the last field, `-F.`' 'BEGIN { FS = "." } { print $NF }' hosts
program 'hosts of a pattern' '/^0\.0\.0\.0 a/ { print $2 }' hosts
program 'hosts, each once' '!seen[$2]++' hosts
program 'concatenation and functions' 'function f(a, b) { return a b } { n += length(f($2, $3)) } END { print n }' half
means busybox mawk gawk
