//! Applets of hardware against devices that QEMU and the kernel's own modules emulate: `build-image test --hardware`.

use anyhow::{Result, ensure};

use super::Check;
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
];

/// Fails unless the command succeeds and prints exactly this, apart from white space at the ends of lines.
fn prints(machine: &mut Machine, command: &str, wanted: &str) -> Result<()> {
    let output = machine.output_of(command)?;
    let lines: Vec<&str> = output.trim().lines().map(str::trim_end).collect();
    ensure!(lines.join("\n") == wanted, "`{command}` prints `{}`, not `{wanted}`", output.trim());
    Ok(())
}

/// Fails unless a line of what the command prints has this text.
fn shows(machine: &mut Machine, command: &str, wanted: &str) -> Result<()> {
    let output = machine.output_of(command)?;
    ensure!(output.contains(wanted), "`{command}` prints `{}`, without `{wanted}`", output.trim());
    Ok(())
}

fn modules(machine: &mut Machine) -> Result<()> {
    super::checks::login(machine)?;
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
        "modprobe nope 2>&1 | cut -d/ -f1; modprobe -q nope; echo $?",
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
