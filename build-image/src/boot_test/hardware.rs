//! Applets of hardware and of interfaces against devices that QEMU and the kernel's own modules emulate: `build-image test --hardware`.

use anyhow::{Result, ensure};

use super::Check;
use super::checks::{login, prints};
use crate::console::Machine;

/// The checks, in their order; the first one logs in and always runs.
pub const ALL: &[Check] = &[
    ("modules", modules),
    ("alias", alias),
    ("i2c", i2c),
    ("flash", flash),
    ("nand", nand),
    ("ubi", ubi),
    ("ata", ata),
    ("tape", tape),
    ("radio", radio),
    ("serial", serial),
    ("floppy", floppy),
    ("profile", profile),
    ("links", links),
    ("bond", bond),
    ("queues", queues),
    ("screen", screen),
];

/// Fails unless a line of what the command prints has this text.
fn shows(machine: &mut Machine, command: &str, wanted: &str) -> Result<()> {
    let output = machine.output_of(command)?;
    ensure!(output.contains(wanted), "`{command}` prints `{}`, without `{wanted}`", output.trim());
    Ok(())
}

fn modules(machine: &mut Machine) -> Result<()> {
    login(machine)?;
    machine.output_of("depmod")?;
    machine.output_of("modprobe i2c-stub chip_addr=0x50,0x20")?;
    machine.output_of("lsmod | grep -q '^i2c_stub '")?;
    // What a module depends on comes and goes with it.
    machine.output_of("modprobe mac80211_hwsim radios=1")?;
    machine.output_of("lsmod | grep -q '^cfg80211 .*mac80211'")?;
    machine.output_of("modprobe -r mac80211_hwsim && ! lsmod | grep -q cfg80211")?;
    prints(machine, "modinfo -F depends mac80211_hwsim | tr , '\\n' | sort", "cfg80211\nmac80211")?;
    prints(
        machine,
        "modprobe nope 2>&1 | sed 's, /.*,,'; modprobe -q nope; echo $?",
        "modprobe: module nope not found in\n1",
    )
}

/// A device that appears loads its module by mdev's $MODALIAS.
fn alias(machine: &mut Machine) -> Result<()> {
    machine.output_of("sed -i '1i$MODALIAS=.* 0:0 660 @modprobe -q \"$MODALIAS\"' /etc/mdev.conf")?;
    machine.output_of("! lsmod | grep -q '^floppy '")?;
    machine.output_of("for f in /sys/bus/acpi/devices/PNP0700*/uevent; do echo add >$f; done")?;
    machine.wait_for("lsmod | grep -q '^floppy '")
}

fn i2c(machine: &mut Machine) -> Result<()> {
    machine.output_of("B=$(i2cdetect -l | sed -n 's/^i2c-\\([0-9]*\\).*stub.*/\\1/p'); [ $B ]")?;
    prints(machine, "i2cdetect -y $B | grep -o '20\\|50' | sort -u", "20\n50")?;
    prints(machine, "i2cset -y $B 0x50 0 0x12; i2cset -y -r $B 0x50 2 0x1234 w", "0x1234 was written and read back")?;
    prints(machine, "i2cget -y $B 0x50 0; i2cget -y $B 0x50 2 w; i2cget -y $B 0x50 2 i 2", "0x12\n0x1234\n0x34 0x00")?;
    prints(machine, "i2cset -y -m 0x0f $B 0x50 0 0xff; i2cget -y $B 0x50 0 c", "0x1f")?;
    for (mode, row) in
        [("b", "00: 1f 00 34 00"), ("w", "00: 001f 0000 1234"), ("W", "00: 1f 00 34 12"), ("i", "00: 1f 00 34 00")]
    {
        shows(machine, &format!("i2cdump -y $B 0x50 {mode}"), row)?;
    }
    prints(
        machine,
        "i2cget -y $B 0x51 2>&1; i2ctransfer -y $B r1@0x50 2>&1; echo $?",
        "i2cget: /dev/i2c-1: 0x51: No such device\ni2ctransfer: /dev/i2c-1: Not supported\n1",
    )
}

fn flash(machine: &mut Machine) -> Result<()> {
    machine.output_of("modprobe mtdram && M=$(sed -n 's/^mtd\\([0-9]*\\).*mtdram.*/\\1/p' /proc/mtd) && [ $M ]")?;
    machine.output_of("head -c 300000 /bin/rbox >/tmp/image; nandwrite /dev/mtd$M /tmp/image")?;
    machine.output_of("nanddump -l 300000 /dev/mtd$M | cmp - /tmp/image")?;
    machine.output_of(
        "nanddump -s 0x20000 -l 1000 -f /tmp/part /dev/mtd$M; cmp -i 131072:0 -n 1000 /tmp/image /tmp/part",
    )?;
    machine.output_of("modprobe -r mtdram")?;
    Ok(())
}

fn nand(machine: &mut Machine) -> Result<()> {
    machine.output_of(
        "modprobe nandsim badblocks=1,2 && N=$(sed -n 's/^mtd\\([0-9]*\\).*NAND.*/\\1/p' /proc/mtd) && [ $N ]",
    )?;
    prints(
        machine,
        "nandwrite /dev/mtd$N /tmp/image 2>&1 | tail -n 1",
        "nandwrite: the input does not fill the last page; -p fills it",
    )?;
    machine.output_of("modprobe -r nandsim; modprobe nandsim badblocks=1,2")?;
    shows(machine, "nandwrite -p /dev/mtd$N /tmp/image 2>&1", "nandwrite: bad block at 0x")?;
    machine.output_of("nanddump --bb=skipbad /dev/mtd$N | cmp -n 300000 - /tmp/image")?;
    machine.output_of("! nanddump /dev/mtd$N | cmp -s -n 300000 - /tmp/image")?;
    // A page of 512 bytes has 16 more.
    prints(machine, "nanddump -o -l 1024 /dev/mtd$N | wc -c", "1056")?;
    machine.output_of("modprobe -r nandsim")?;
    Ok(())
}

fn ubi(machine: &mut Machine) -> Result<()> {
    machine.output_of("modprobe mtdram; modprobe ubi; ubiattach -m $M -d 3 /dev/ubi_ctrl")?;
    machine.output_of("ubimkvol -N root -s 400KiB /dev/ubi3; ubimkvol -N fixed -s 100KiB -t static -n 7 /dev/ubi3")?;
    machine.output_of("ubimkvol -N rest -m /dev/ubi3")?;
    prints(
        machine,
        "cat /sys/class/ubi/ubi3_0/name /sys/class/ubi/ubi3_7/type /sys/class/ubi/ubi3/avail_eraseblocks",
        "root\nstatic\n0",
    )?;
    machine.output_of("ubiupdatevol /dev/ubi3_0 /tmp/image; cmp -n 300000 /dev/ubi3_0 /tmp/image")?;
    machine.output_of("ubiupdatevol -s 100 /dev/ubi3_7 - </tmp/image; cmp -n 100 /dev/ubi3_7 /tmp/image")?;
    machine.output_of("ubirename /dev/ubi3 root fixed fixed root")?;
    prints(machine, "cat /sys/class/ubi/ubi3_0/name /sys/class/ubi/ubi3_7/name", "fixed\nroot")?;
    machine.output_of("ubirmvol -N rest /dev/ubi3; ubirsvol -N fixed -s 600KiB /dev/ubi3; ubirmvol -n 7 /dev/ubi3")?;
    machine.output_of("ubiupdatevol -t /dev/ubi3_0; ubidetach -d 3 /dev/ubi_ctrl; ! [ -e /sys/class/ubi/ubi3 ]")?;
    machine.output_of("modprobe -r ubi mtdram")?;
    Ok(())
}

fn ata(machine: &mut Machine) -> Result<()> {
    shows(machine, "hdparm /dev/sda", " geometry      = 8/255/63, sectors = 131072, start = 0")?;
    shows(machine, "hdparm -i /dev/sda", " Model=QEMU HARDDISK, ")?;
    shows(machine, "hdparm -I /dev/sda", "\tLBA    user addressable sectors:       131072")?;
    shows(machine, "hdparm -C /dev/sda", " drive state is:  active/idle")?;
    shows(machine, "hdparm -W0 /dev/sda; hdparm -W /dev/sda", " write-caching =  0 (off)")?;
    shows(machine, "hdparm -a 64 /dev/sda", " readahead     = 64 (on)")?;
    machine.output_of(
        "hdparm -r1 /dev/sda && ! dd if=/dev/zero of=/dev/sda bs=512 count=1 2>/dev/null; hdparm -r0 /dev/sda",
    )?;
    shows(machine, "hdparm -t /dev/sda", " MB/sec")
}

fn tape(machine: &mut Machine) -> Result<()> {
    machine.output_of("modprobe st; modprobe scsi_debug ptype=1; mdev -s")?;
    machine.wait_for("[ -c /dev/st0 ]")?;
    machine.output_of("mt -f /dev/st0 rewind")?;
    shows(machine, "lsscsi", "]\ttape    Linux    scsi_debug")
}

fn radio(machine: &mut Machine) -> Result<()> {
    machine.output_of("modprobe mac80211_hwsim radios=1")?;
    let state = |machine: &mut Machine| machine.output_of("rfkill list wlan | sed -n 's/.*Soft blocked: //p'");
    ensure!(state(machine)?.trim() == "no", "blocked at once");
    machine.output_of("rfkill block wlan")?;
    ensure!(state(machine)?.trim() == "yes", "not blocked after `rfkill block wlan`");
    machine.output_of("rfkill unblock all")?;
    ensure!(state(machine)?.trim() == "no", "still blocked after `rfkill unblock all`");
    Ok(())
}

fn serial(machine: &mut Machine) -> Result<()> {
    shows(machine, "setserial -g /dev/ttyS1", "/dev/ttyS1, UART: 16550A, Port: 0x02f8, IRQ: 3, Flags: ")?;
    machine.output_of("setserial /dev/ttyS1 spd_hi divisor 12")?;
    shows(machine, "setserial -a /dev/ttyS1", "Flags: spd_hi")?;
    machine.output_of("setserial -z /dev/ttyS1 spd_normal divisor 0 && setserial -g /dev/ttyS1 | grep -qv spd_hi")?;
    Ok(())
}

fn floppy(machine: &mut Machine) -> Result<()> {
    machine.output_of("modprobe floppy; mdev -s; dd if=/bin/rbox of=/dev/fd0 bs=1k count=100 2>/dev/null")?;
    // QEMU's drive formats, but does not write the byte that the check looks for.
    shows(machine, "fdformat -n /dev/fd0", "Total capacity 1440 kB")?;
    shows(machine, "fdformat /dev/fd0 2>&1 || :", "bad data in cylinder 0")?;
    machine.output_of("mkfs.vfat /dev/fd0 && mount -t vfat /dev/fd0 /mnt && cp /etc/passwd /mnt && umount /mnt")?;
    machine.output_of("mount -t vfat /dev/fd0 /mnt && cmp /etc/passwd /mnt/passwd && umount /mnt")?;
    Ok(())
}

/// The kernel was started with `profile=2`.
fn profile(machine: &mut Machine) -> Result<()> {
    shows(machine, "readprofile -m /proc/kallsyms | tail -n 1", " total ")?;
    machine.output_of("readprofile -r")?;
    Ok(())
}

/// Each kind of interface is made, shown as such, and taken away.
fn links(machine: &mut Machine) -> Result<()> {
    machine.output_of("for m in dummy macvlan vxlan wireguard ipip ip_gre sit; do modprobe $m || exit; done")?;
    machine.output_of("ip link add d0 type dummy && ip link set d0 up && ip addr add 10.9.0.1/24 dev d0")?;
    for (kind, shown) in [
        ("type vlan id 5 link d0", "vlan"),
        ("link d0 type macvlan mode bridge", "macvlan"),
        ("type vxlan id 7 dstport 4789 dev d0", "vxlan"),
        ("type wireguard", "wireguard"),
        ("type ipip local 10.9.0.1 remote 10.9.0.2", "ipip"),
        ("type gre local 10.9.0.1 remote 10.9.0.2 ttl 64", "gre"),
        ("type sit local 10.9.0.1 remote 10.9.0.2", "sit"),
        ("type bridge", "bridge"),
        ("type veth peer name x1", "veth"),
    ] {
        machine.output_of(&format!("ip link add name x0 {kind}"))?;
        shows(machine, "ip -d link show dev x0", &format!(" {shown} "))?;
        machine.output_of("ip link del x0")?;
    }
    machine.output_of("vconfig add d0 9 && ip -d link show dev d0.9 | grep -q 'id 9' && vconfig rem d0.9")?;
    machine.output_of("iptunnel add t0 mode gre local 10.9.0.1 remote 10.9.0.2 && iptunnel show | grep -q '^t0: gre/ip' && iptunnel del t0")?;
    machine.output_of(
        "brctl addbr b0 && brctl addif b0 d0 && brctl show b0 | grep -q d0 && brctl delif b0 d0 && brctl delbr b0",
    )?;
    Ok(())
}

fn bond(machine: &mut Machine) -> Result<()> {
    machine.output_of("modprobe bonding max_bonds=0; ip link add name s0 type dummy")?;
    machine.output_of("ip link add name bond0 type bond mode active-backup miimon 100 && ip link set bond0 up")?;
    machine.output_of("ifenslave bond0 s0 && grep -q 'Slave Interface: s0' /proc/net/bonding/bond0")?;
    machine.output_of("ifenslave -d bond0 s0 && ! grep -q 'Slave Interface: s0' /proc/net/bonding/bond0")?;
    machine.output_of("ip link del bond0; ip link del s0")?;
    Ok(())
}

fn queues(machine: &mut Machine) -> Result<()> {
    machine.output_of("tc qdisc add dev d0 root handle 1: htb default 10")?;
    machine.output_of("tc class add dev d0 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit")?;
    machine.output_of("tc qdisc add dev d0 parent 1:10 handle 10: netem delay 100ms 10ms loss 1%")?;
    machine.output_of("tc filter add dev d0 parent 1: protocol ip prio 1 u32 match ip dst 10.1.0.0/16 flowid 1:10")?;
    shows(machine, "tc qdisc show dev d0", "qdisc netem 10: parent 1:10 limit 1000 delay 100ms  10ms loss 1%")?;
    shows(machine, "tc class show dev d0", "class htb 1:10 root leaf 10: prio 0 rate 1Mbit ceil 2Mbit")?;
    shows(machine, "tc filter show dev d0", "match 0a010000/ffff0000 at 16")?;
    machine.output_of("tc qdisc del dev d0 root && tc qdisc show dev d0 | grep -qv htb")?;
    Ok(())
}

fn screen(machine: &mut Machine) -> Result<()> {
    shows(machine, "fbset", "geometry 800 600 800 600 ")?;
    // Two pixels by two, red.
    machine.output_of("printf 'P6\\n2 2\\n255\\n\\377\\0\\0\\377\\0\\0\\377\\0\\0\\377\\0\\0' >/tmp/red.ppm; fbsplash -s /tmp/red.ppm")?;
    prints(machine, "head -c 8 /dev/fb0 | od -An -tx1 | cut -c1-12", "00 00 ff 00")
}
