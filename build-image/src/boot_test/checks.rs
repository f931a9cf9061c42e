//! What a booted system must do. Each check has the console of a root shell to itself.

use anyhow::{Result, ensure};

use super::Check;
use crate::console::Machine;

/// The checks of the boot through GRUB, in their order; the first one logs in and always runs.
pub const ALL: &[Check] = &[
    ("login", login),
    ("identity", identity),
    ("help", every_applet_helps),
    ("mounts", mounts),
    ("services", services),
    ("network", network),
    ("syslog", syslog),
    ("logread", logread),
    ("label", label),
    ("password", password),
    ("askfirst", askfirst),
    ("mdev", mdev),
    ("hotplug", hotplug),
    ("keymap", keymap),
    ("jobs", jobs),
    ("hwclock", hwclock),
    ("crond", crond),
    ("orphans", orphans),
];

/// The checks after these, in this order; each ends the system or examines its disk.
pub const ENDINGS: &[&str] = &["reboot", "ctrl-alt-del", "poweroff", "clean"];

/// Waits for the prompt, says when it came, and logs in.
pub fn login(machine: &mut Machine) -> Result<()> {
    machine.expect("login: ")?;
    eprintln!("test       login prompt after {:.1} s", machine.seconds());
    machine.send("root\n")?;
    machine.expect("# ")?;
    machine.prepare_shell()
}

/// Fails unless the command prints exactly this, apart from white space at the ends.
pub fn prints(machine: &mut Machine, command: &str, wanted: &str) -> Result<()> {
    let output = machine.output_of(command)?;
    ensure!(output.trim() == wanted, "`{command}` prints `{}`, not `{wanted}`", output.trim());
    Ok(())
}

fn identity(machine: &mut Machine) -> Result<()> {
    prints(machine, "hostname", "rbox")?;
    prints(machine, "uname -n", "rbox")?;
    prints(machine, "whoami", "root")?;
    prints(machine, "id -u; id -g", "0\n0")?;
    prints(machine, "id -G", "0 1 2 3 4 6 10 19")?;
    prints(machine, "pwd", "/root")?;
    prints(machine, "echo $HOME $USER $LOGNAME $SHELL $TERM", "/root root root /bin/sh vt100")?;
    prints(machine, "umask", "0022")?;
    prints(machine, "stat -c '%a %u %g' /etc/shadow /tmp /root", "600 0 0\n1777 0 0\n700 0 0")?;
    prints(machine, "readlink /bin/ls", "/bin/rbox")?;
    let memory = machine.output_of("free -k")?;
    if let Some(line) = memory.lines().find(|line| line.starts_with("Mem:")) {
        eprintln!("test       free -k: {line}");
    }
    Ok(())
}

/// Every link to the binary prints its usage and succeeds. test, [, [[ and echo take no options: their words are data.
fn every_applet_helps(machine: &mut Machine) -> Result<()> {
    let output = machine.output_of(
        "n=0; for f in /bin/* /sbin/* /usr/bin/* /usr/sbin/*; do \
         [ \"$(readlink $f)\" = /bin/rbox ] || continue; case ${f##*/} in test|'['|'[['|echo|true|false) continue;; esac; \
         n=$((n+1)); $f --help >/tmp/out 2>/tmp/err </dev/null || echo \"$f: status $?\"; \
         [ -s /tmp/out ] || echo \"$f: prints nothing\"; done; echo asked $n; rm /tmp/out /tmp/err",
    )?;
    let (faults, count) = output.trim().rsplit_once('\n').unwrap_or(("", output.trim()));
    ensure!(faults.is_empty(), "{faults}");
    eprintln!("test       {count} applets for --help");
    Ok(())
}

fn mounts(machine: &mut Machine) -> Result<()> {
    let table = machine.output_of("cat /proc/mounts")?;
    for (directory, kind, options) in [
        ("/", "ext4", "rw"),
        ("/proc", "proc", "rw,nosuid,nodev,noexec"),
        ("/sys", "sysfs", "rw,nosuid,nodev,noexec"),
        ("/dev", "devtmpfs", "rw,nosuid,noexec"),
        ("/dev/pts", "devpts", "rw,nosuid,noexec"),
        ("/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec"),
        ("/run", "tmpfs", "rw,nosuid,nodev"),
        ("/tmp", "tmpfs", "rw,nosuid,nodev"),
    ] {
        let rows = table.lines().filter(|line| line.split(' ').nth(1) == Some(directory)).count();
        ensure!(rows == 1, "{directory} is mounted {rows} times:\n{table}");
        let fits = table.lines().any(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            fields.len() > 3 && fields[1] == directory && fields[2] == kind && fields[3].starts_with(options)
        });
        ensure!(fits, "{directory} is not {kind} with {options}:\n{table}");
    }
    machine.output_of("mount | grep -q ' on / type ext4 '")?;
    machine.output_of("df -k / | grep -q '% /$'")?;
    Ok(())
}

const SERVICES: &str = "/etc/rc.d/syslogd /etc/rc.d/klogd /etc/rc.d/udhcpc";

fn services(machine: &mut Machine) -> Result<()> {
    machine.wait_for(&format!("[ $(sv status {SERVICES} | grep -c ^run:) = 3 ]"))?;
    // One that dies comes back, with another pid.
    machine.output_of(
        "sv status /etc/rc.d/klogd | tr -dc '0-9\\n ()a-z' | cut -d' ' -f3,4 >/tmp/was; sv kill /etc/rc.d/klogd",
    )?;
    machine.wait_for("sv status /etc/rc.d/klogd | grep ^run: | tr -dc '0-9\\n ()a-z' | cut -d' ' -f3,4 >/tmp/is; [ -s /tmp/is ] && [ \"$(cat /tmp/was)\" != \"$(cat /tmp/is)\" ]")?;
    machine.output_of("sv down /etc/rc.d/klogd")?;
    machine.wait_for("sv status /etc/rc.d/klogd | grep -q ^down:")?;
    machine.output_of("sv up /etc/rc.d/klogd")?;
    machine.wait_for("sv status /etc/rc.d/klogd | grep -q ^run:")
}

fn network(machine: &mut Machine) -> Result<()> {
    machine.wait_for("grep -q '^nameserver 10.0.2.3$' /etc/resolv.conf")?;
    machine.output_of("ip addr show eth0 | grep -q 'inet 10.0.2.15/24'")?;
    machine.output_of("ip route | grep -q '^default via 10.0.2.2 dev eth0'")?;
    machine.output_of("ifconfig eth0 | grep -q 10.0.2.15")?;
    machine.output_of("ip link show lo | grep -q 'LOOPBACK,UP'")?;
    machine.output_of("ping -c 1 -W 10 10.0.2.2")?;
    machine.output_of("ping -c 1 -W 10 127.0.0.1").map(drop)
}

fn syslog(machine: &mut Machine) -> Result<()> {
    machine.wait_for("[ -S /dev/log ]")?;
    machine.output_of("logger -t boot-test -p user.notice over the wire")?;
    machine.wait_for("grep -q ' rbox user.notice boot-test: over the wire$' /var/log/messages")?;
    machine.wait_for("grep -q ' kern\\.[a-z]* kernel: .*Linux version' /var/log/kernel.log")?;
    machine.output_of("grep -q 'Linux version' /var/log/messages")?;
    machine
        .output_of("grep -c boot-test /var/log/kernel.log || true; grep -q 'auth.*login' /var/log/messages || true")?;
    machine.output_of("dmesg | grep -q 'Linux version'").map(drop)
}

/// The log in shared memory.
fn logread(machine: &mut Machine) -> Result<()> {
    machine.output_of("sv down /etc/rc.d/syslogd")?;
    machine.wait_for("sv status /etc/rc.d/syslogd | grep -q ^down:")?;
    machine.output_of("syslogd -C16; logger -t boot-test in memory")?;
    machine.wait_for("logread | grep -q ' rbox user.notice boot-test: in memory$'")?;
    machine.output_of("kill $(cat /run/syslogd.pid)")?;
    machine.wait_for("! logread 2>/dev/null")?;
    machine.output_of("sv up /etc/rc.d/syslogd")?;
    machine.wait_for("sv status /etc/rc.d/syslogd | grep -q ^run:")
}

/// The disk is found by the label of its filesystem.
fn label(machine: &mut Machine) -> Result<()> {
    machine.output_of("mkdir /tmp/disk && mount LABEL=rbox /tmp/disk && [ -x /tmp/disk/bin/rbox ]")?;
    machine.output_of("umount /tmp/disk && rmdir /tmp/disk")?;
    machine.output_of("! mount LABEL=nothing /mnt 2>/dev/null").map(drop)
}

/// Sets a password, logs in with it after a wrong one, and takes it away again.
fn password(machine: &mut Machine) -> Result<()> {
    machine.send("passwd\n")?;
    for question in ["New password: ", "Retype password: "] {
        machine.expect(question)?;
        machine.send("Boot-te5t!\n")?;
    }
    machine.expect("password for root changed by root")?;
    machine.output_of("grep -q '^root:[$]6[$]' /etc/shadow && [ $(stat -c %a /etc/shadow) = 600 ]")?;
    machine.send("exit\n")?;
    for (word, answer) in [("wrong", "Login incorrect"), ("Boot-te5t!", "# ")] {
        machine.expect("login: ")?;
        machine.send("root\n")?;
        machine.expect("Password: ")?;
        machine.send(&format!("{word}\n"))?;
        machine.expect(answer)?;
    }
    machine.prepare_shell()?;
    machine.output_of("passwd -d root 2>/dev/null && grep -q '^root::' /etc/shadow").map(drop)
}

/// An entry that waits for Enter on a terminal of the screen.
fn askfirst(machine: &mut Machine) -> Result<()> {
    machine.output_of("cp /etc/inittab /tmp/inittab && echo 'tty5::askfirst:/bin/sh -c \"tty >/run/asked; sleep 600\"' >>/etc/inittab && kill -HUP 1")?;
    machine.wait_for("grep -q 'Please press Enter to activate this console' /dev/vcs5")?;
    machine.output_of("[ ! -e /run/asked ]")?;
    machine.press(&["alt-f5", "ret"])?;
    machine.wait_for("grep -q /dev/tty5 /run/asked")?;
    machine.press(&["alt-f1"])?;
    // What init says on the console must not get among the answers of the next check.
    machine.send("cat /tmp/inittab >/etc/inittab && rm /tmp/inittab /run/asked && kill -HUP 1\n")?;
    machine.expect("reloading /etc/inittab").map(drop)
}

fn mdev(machine: &mut Machine) -> Result<()> {
    prints(
        machine,
        "stat -c '%a %g' /dev/null /dev/zero /dev/tty /dev/ptmx /dev/random /dev/tty9 /dev/vda1 /dev/mem",
        "666 0\n666 0\n666 5\n666 5\n666 0\n620 5\n660 6\n640 9",
    )?;
    prints(machine, "readlink /dev/root", "vda1")?;
    prints(machine, "cat /proc/sys/kernel/hotplug", "/sbin/mdev")?;
    // On a directory that the kernel does not fill, mdev makes every node itself.
    machine.output_of("unlink=/dev/full; rm $unlink && mdev -s && [ -c $unlink ]").map(drop)
}

/// A disk that comes and goes while the system runs.
fn hotplug(machine: &mut Machine) -> Result<()> {
    machine.monitor(&[
        r#"{"execute":"blockdev-add","arguments":{"driver":"null-co","node-name":"spare","size":1048576}}"#.to_owned(),
        r#"{"execute":"device_add","arguments":{"driver":"virtio-blk-pci","drive":"spare","id":"spare0"}}"#.to_owned(),
    ])?;
    // The kernel itself makes it 600 and root's.
    machine.wait_for("[ \"$(stat -c '%a %g' /dev/vdb)\" = '660 6' ]")?;
    machine.monitor(&[r#"{"execute":"device_del","arguments":{"id":"spare0"}}"#.to_owned()])?;
    machine.wait_for("[ ! -e /dev/vdb ]")
}

/// Keys of the screen's keyboard have the kernel's own characters, and those of a map that is loaded.
fn keymap(machine: &mut Machine) -> Result<()> {
    machine.press(&["q", "w", "semicolon"])?;
    machine.wait_for("cat /dev/vcs1 | grep -q 'qw;'")?;
    machine.output_of("loadkmap </usr/share/keymaps/be-latin1.bmap")?;
    machine.press(&["q", "w", "a", "z", "m", "semicolon", "1", "shift-1", "minus"])?;
    machine.wait_for("cat /dev/vcs1 | grep -q 'azqw,m&1)'")?;
    // The first load creates missing tables; from then on a dump equals what was loaded.
    machine.output_of("dumpkmap </dev/tty1 >/tmp/a && loadkmap </tmp/a && dumpkmap </dev/tty1 >/tmp/b")?;
    machine.output_of("loadkmap </tmp/b && dumpkmap </dev/tty1 >/tmp/c")?;
    prints(machine, "head -c 7 /tmp/c", "bkeymap")?;
    machine.output_of("[ $(wc -c </tmp/c) -gt 2000 ] && [ \"$(cat /tmp/b)\" = \"$(cat /tmp/c)\" ]")?;
    machine.output_of("rm /tmp/a /tmp/b /tmp/c").map(drop)
}

/// Job control on the serial line: Ctrl-C ends what runs in front, and only that.
fn jobs(machine: &mut Machine) -> Result<()> {
    machine.send("echo @s''tart; sleep 600\n")?;
    machine.expect("@start\r\n")?;
    // The word is printed before sleep starts; a key that is pressed in between goes to the shell.
    std::thread::sleep(std::time::Duration::from_secs(1));
    machine.send("\x03")?;
    let (output, _) = machine.command("sleep 600 & sleep 1; kill $!; wait $! 2>/dev/null; echo ended $?")?;
    ensure!(output.contains("ended 143"), "a killed job ended with `{}`", output.trim());
    Ok(())
}

/// The clock of the board is read and set, and sets the system's.
fn hwclock(machine: &mut Machine) -> Result<()> {
    machine.output_of("S=$(date +%s); date -u -s '2031-02-03 04:05:06' && hwclock -u -w && date -s @$S")?;
    machine.output_of("TZ=UTC hwclock -u -r | grep -q '^Mon Feb  3 04:05:.. 2031  '")?;
    prints(machine, "hwclock -u -s; date -u +%Y-%m-%d", "2031-02-03")?;
    machine.output_of("date -s @$((S + 1)) && hwclock -u -w").map(drop)
}

/// A job runs when its minute comes, three seconds after crond's start, as its user.
fn crond(machine: &mut Machine) -> Result<()> {
    machine.output_of("S=$(date +%s); adduser -D jobber; echo '6 4 3 2 * id -un >/tmp/cron' | crontab -u jobber -")?;
    machine.output_of("date -u -s '2031-02-03 04:05:57'; TZ=UTC crond -L /tmp/cron.log")?;
    machine.wait_for("grep -q '^jobber$' /tmp/cron")?;
    machine.output_of("grep -q 'USER jobber pid [0-9]* cmd id' /tmp/cron.log")?;
    machine.output_of("kill $(pidof crond); deluser jobber; rm /tmp/cron /tmp/cron.log; date -s @$S").map(drop)
}

/// init reaps children whose parents have ended.
fn orphans(machine: &mut Machine) -> Result<()> {
    machine.output_of("i=0; while [ $i -lt 50 ]; do (sleep 0.1 &); i=$((i+1)); done")?;
    machine.wait_for("! ps | grep -v grep | grep -q ' Z '")
}

/// Makes the system restart, logs in again and finds nothing to repair.
pub fn restarts_clean(machine: &mut Machine, restart: impl FnOnce(&mut Machine) -> Result<()>) -> Result<()> {
    restart(machine)?;
    machine.expect("Restarting system")?;
    machine.login()?;
    machine.output_of("! dmesg | grep -i 'EXT4-fs.*recover'")?;
    Ok(())
}

/// Switches off; QEMU must end with success by itself.
pub fn powers_off(machine: &mut Machine) -> Result<()> {
    machine.send("poweroff\n")?;
    let status = machine.wait_exit()?;
    ensure!(status.success(), "QEMU ended with {status}");
    Ok(())
}

/// The shell is process 1 and can work before anything is mounted.
pub fn shell_is_init(machine: &mut Machine) -> Result<()> {
    machine.expect("Run /bin/sh as init process")?;
    machine.expect("# ")?;
    machine.send("PS1='> '; export PATH=/bin:/sbin:/usr/bin:/usr/sbin; echo rea''dy\n")?;
    machine.expect("ready\r\n")?;
    prints(machine, "echo $$", "1")?;
    machine.output_of("mount -t proc proc /proc && mount | grep -q ' on /proc '")?;
    machine.output_of("ls / | grep -q '^etc$'")?;
    machine.output_of("cat /etc/hostname").map(drop)
}
