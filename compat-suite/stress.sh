#!/bin/sh
# Strains init, runit, syslogd and the account files in namespaces of their own, and prints docs/reliability.md but for the rows
# of whole machines, which `build-image test --stress` adds. A row is printed when its condition holds; else the script fails.
# Usage: stress.sh RBOX. KILLS, ORPHANS, SIGNALS, MESSAGES and USERS change the counts.
set -eu
: "${KILLS:=1000}" "${ORPHANS:=1000000}" "${SIGNALS:=1000000}" "${MESSAGES:=1000000}" "${USERS:=100}"

# The outer half: a directory with the applets and the feeder, and new namespaces.
if [ $$ != 1 ]; then
    rbox=$(realpath "$1")
    here=$(cd "$(dirname "$0")" && pwd)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/bin"
    cp "$rbox" "$work/bin/rbox"
    for name in $("$work/bin/rbox" --list); do ln -s rbox "$work/bin/$name"; done
    # Its pages would count as dirty until they are on the disk.
    sync "$work/bin/rbox"
    cc -O2 -o "$work/feed" "$here/feed.c"
    cd "$work"
    export KILLS ORPHANS SIGNALS MESSAGES USERS
    # The system inside has rbox's applets first on PATH, and no other program under their names.
    PATH="$work/bin:/usr/sbin:/usr/bin:/sbin:/bin" /usr/bin/unshare -m -p -f -n -u -i --kill-child --mount-proc /bin/sh \
        "$here/src/namespace.sh" "$here/stress.sh"
    exit
fi

fail() { echo "stress: $1" >&2; exit 1; }
await() {
    tries=0
    until eval "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 3000 ] || fail "$1 did not come true"
        sleep 0.1
    done
}
row() { printf '| %s | %s | %s |\n' "$1" "$2" "$3"; }
uptime_now() { cut -d ' ' -f 1 /proc/uptime; }
seconds_since() { awk "BEGIN { printf \"%.2f\", $(uptime_now) - $1 + 0.01 }"; }
memory() { awk '$1 == "Private_Dirty:" { print $2 }' "/proc/$1/smaps_rollup"; }

cat <<-'TEXT'
	# Reliability

	`make stress` writes this file. Each row was measured in one run on one machine that had other work; a row is only printed
	when nothing was lost. The first rows are of processes in namespaces, the last ones of machines in QEMU without hardware
	virtualisation.

	| what | how much | result |
	|---|---|---|
TEXT

# 100 accounts at once: each takes the lock, and no file loses a line.
begun=$(uptime_now)
pids=
i=0
while [ $i -lt "$USERS" ]; do
    adduser -D -H "stress$i" >/dev/null 2>&1 &
    pids="$pids $!"
    i=$((i + 1))
done
for pid in $pids; do wait "$pid" || fail "an adduser ended with $?"; done
for file in passwd shadow group; do
    [ "$(grep -c '^stress[0-9]*:' /etc/$file)" = "$USERS" ] || fail "/etc/$file lost accounts"
done
[ -z "$(cut -d : -f 3 /etc/passwd | sort | uniq -d)" ] || fail "a UID was given twice"
row '`adduser` at once' "$USERS" "all in passwd, shadow and group, each with a UID of its own, after $(seconds_since "$begun") s"

# Four clients that send as fast as syslogd takes.
syslogd -n -s 0 -O /var/log/messages &
syslogd=$!
await '[ -s /var/log/messages ]'
begun=$(uptime_now)
./feed messages "$((MESSAGES / 4))" &
feed=$!
wait $feed || fail "a client could not send"
took=$(seconds_since "$begun")
await "[ \$(grep -c client /var/log/messages) = $((MESSAGES / 4 * 4)) ]"
kill $syslogd
row 'messages to `syslogd` from four clients' "$MESSAGES" "none lost, $(awk "BEGIN { printf \"%d\", $MESSAGES / $took }") in a second"
rm /var/log/messages

# A system: init, gettys on pseudoterminals, runsvdir with ten services, one of them with a log.
mkdir /run/services
i=0
while [ $i -lt 10 ]; do
    mkdir "/run/services/s$i"
    printf '#!/bin/sh\nexec sleep 100000\n' >"/run/services/s$i/run"
    i=$((i + 1))
done
mkdir -p /run/services/s0/log /run/counted
# A line is printed before its number is noted: a number may come twice, but none may be missing.
cat >/run/services/s0/run <<'-'
#!/bin/sh
n=$(cat /run/number 2>/dev/null || echo 0)
while :; do n=$((n + 1)); echo "line $n"; echo $n >/run/number.new; mv /run/number.new /run/number; done
-
printf '#!/bin/sh\nexec svlogd /run/counted\n' >/run/services/s0/log/run
printf 's99999999\nn0\n' >/run/counted/config
chmod 755 /run/services/*/run /run/services/s0/log/run
./feed terminals 4 >/run/terminals &
terminals=$!
await '[ $(grep -c . /run/terminals) = 4 ]'
{
    echo '::respawn:runsvdir -P /run/services'
    while read -r tty; do echo "$tty::respawn:getty 0 $tty"; done </run/terminals
} >/etc/inittab
/usr/bin/unshare -p -f --mount-proc /bin/sh -c 'exec init' >/run/console 2>&1 </dev/null &
holder=$!
await "pgrep -P $holder >/dev/null"
first=$(pgrep -P $holder)
# All that should run: ten sleeps or counters, their runsv, svlogd, runsvdir, four gettys.
all_run() {
    [ "$(pgrep -x getty | grep -c .)" = 4 ] && [ "$(pgrep -x runsvdir | grep -c .)" = 1 ] &&
        [ "$(sv status /run/services/s? 2>/dev/null | grep -c '^run:.*pid')" = 10 ] && [ "$(pgrep -x svlogd | grep -c .)" = 1 ]
}
await all_run
before=$(memory "$first")
kept=$(pgrep -f 'runsv s0')
kills=0
while [ $kills -lt "$KILLS" ]; do
    # Of twenty victims: twelve services, six runsv but that of the log, a getty, and runsvdir.
    case $((kills % 20)) in
        7) set -- $(pgrep -x getty) ;;
        17) set -- $(pgrep -x runsvdir) ;;
        2 | 5 | 8 | 11 | 14 | 18) set -- $(pgrep -x runsv | grep -vx "$kept") ;;
        *) set -- $(pgrep -f 'sleep 100000'; pgrep -f '/bin/sh ./run') ;;
    esac
    [ $# -gt 0 ] || { sleep 0.1; continue; }
    shift $(($(od -An -N2 -tu2 /dev/urandom) % $#))
    # It may have ended by itself meanwhile.
    kill -9 "$1" 2>/dev/null || continue
    kills=$((kills + 1))
done
begun=$(uptime_now)
await all_run
[ -e "/proc/$kept" ] || fail "the runsv of the log ended"
row '`kill -9` of services, runsv, runsvdir, getty' "$KILLS" "all run again $(seconds_since "$begun") s after the last one"
kill -STOP $(pgrep -f '/bin/sh ./run')
last=$(cat /run/number)
await "grep -q 'line $last\$' /run/counted/current"
sed 's/line //' /run/counted/current | sort -n -u | awk -v last="$last" '$1 <= last && $1 != ++n { exit 1 } END { exit n < last }' ||
    fail "lines of the log are missing"
row 'lines of a service that was killed meanwhile, by `svlogd`' "$last" 'none missing'

# PID 1 of that system, which goes on.
begun=$(uptime_now)
nsenter -t "$first" -p -- "$PWD/feed" orphans "$ORPHANS" || fail "no orphans"
await "[ \"\$(grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | grep -c .)\" = 0 ]"
row 'orphans of PID 1' "$ORPHANS" "all reaped, $(awk "BEGIN { printf \"%d\", $ORPHANS / $(seconds_since "$begun") }") in a second"
begun=$(uptime_now)
./feed signals "$SIGNALS" "$first"
row 'SIGHUP, SIGCHLD and SIGCONT to PID 1' "$SIGNALS" "$(awk "BEGIN { printf \"%d\", $SIGNALS / $(seconds_since "$begun") }") in a second"
kill -CONT $(pgrep -f '/bin/sh ./run')
await all_run
# It answers: the end of the system is orderly.
row 'private memory of PID 1 before and after all this, kB' '' "$before, $(memory "$first")"
kill -USR2 "$first"
wait $holder || :
grep -q 'Requesting system poweroff' /run/console || fail "init did not end in order"
kill $terminals
