#!/bin/sh
# Private dirty memory of idle daemons, in kB: a row of a table in Markdown for each, with a column for each program. It runs in
# namespaces of its own, by src/namespace.sh. Usage: memory.sh PROGRAM...
set -eu
if [ $$ != 1 ]; then
    here=$(cd "$(dirname "$0")" && pwd)
    exec /usr/bin/unshare -m -p -f -n -u -i --kill-child --mount-proc /bin/sh "$here/src/namespace.sh" "$here/memory.sh" "$@"
fi

# Pages of a program that was just written count as dirty until they are on the disk.
sync
cd /run
[ -e /var/run ] || ln -s /run /var/run
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip addr add 10.9.0.1/24 dev v0
mkdir -p empty one/service home log tables
printf '#!/bin/sh\nexec sleep 1000\n' >one/service/run
chmod 755 one/service/run
echo '::respawn:/bin/sleep 1000' >/etc/inittab
echo host 10.9.0.2 >/etc/dnsd.conf
printf 'start 10.9.0.10\nend 10.9.0.20\ninterface v0\nlease_file /run/leases\n' >udhcpd.conf
echo '7 stream tcp nowait root internal echo' >inetd.conf
mkdir /etc/acpi
mkfifo acpi watched
: >leases
: >/etc/mdev.conf
# Both ends of pipes are open, so that nobody waits for the other one.
exec 5<>acpi 6<>watched 7<>/dev/null
# A terminal that nobody types on.
/usr/bin/python3 -c 'import os, time
master, slave = os.openpty()
open("/run/tty.new", "w").write(os.ttyname(slave)); os.rename("/run/tty.new", "/run/tty"); time.sleep(1000)' &
while [ ! -e tty ]; do sleep 0.05; done

# What runs as each daemon, after the program's name.
commands() {
    cat <<-TEXT
	init
	getty 0 $(cat tty)
	runsvdir /run/one
	runsv /run/one/service
	svlogd /run/log
	syslogd -n -O /run/messages
	klogd -n
	crond -f -c /run/tables
	mdev -df
	udhcpc -f -i v1 -s /bin/true
	udhcpd -f /run/udhcpd.conf
	ntpd -n -p 10.9.0.3
	httpd -f -p 8000 -h /run/home
	dnsd
	telnetd -F -p 2323
	inetd -f /run/inetd.conf
	tcpsvd 127.0.0.1 9000 cat
	udpsvd 127.0.0.1 9000 cat
	acpid -f -e /run/acpi
	watchdog -F -t 5 /run/watched
	TEXT
}

# What the daemon of this name has, once it sleeps; - if it ended, as one that the program lacks.
idle() {
    program=$1
    shift
    case $1 in
        init) set -- /usr/bin/unshare -p -f --mount-proc "$program" init ;;
        *) set -- "$program" "$@" ;;
    esac
    "$@" <acpi >/dev/null 2>&1 &
    pid=$!
    # For its start; an idle daemon has done all it does by then.
    sleep 1.5
    measured=$pid
    case $* in *unshare*) measured=$(pgrep -P $pid) || measured= ;; esac
    memory=$(sed -n 's/^Private_Dirty: *\([0-9]*\) kB$/\1/p' "/proc/$measured/smaps_rollup" 2>/dev/null) || memory=
    echo "${memory:--}"
    kill -9 $measured 2>/dev/null || :
    wait $pid 2>/dev/null || :
    # The services of runsv outlive it.
    for left in $(pgrep -x sleep; pgrep -x runsv); do kill -9 "$left" 2>/dev/null || :; done
}

commands | while read -r command; do
    printf '| %s |' "${command%% *}"
    # shellcheck disable=SC2086
    for program; do printf ' %s |' "$(idle "$program" $command 2>/dev/null)"; done
    echo
done
