//! What only a whole machine can show: bursts of devices, and power that goes away (`build-image test --stress`).

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Run;
use crate::console::Machine;
use crate::{qemu, tools};

/// The names of the checks.
pub const ALL: &[&str] = &["bursts", "power-cuts"];

/// Devices that come in one burst, before the next one is waited for.
const BURST: usize = 10;

/// Commands that write what a power cut must leave whole, without an end. Each prints how far it has come.
const WORK: &[&str] = &[
    "i=$FIRST; while :; do adduser -D -H u$i && echo \"u$i:word$i\" | chpasswd && echo \"=user $i.\"; i=$((i+1)); done",
    "j=$FIRST; while :; do seq 200 | sed \"s/.*/0 0 1 1 * : $j/\" | crontab - && echo \"=table $j.\"; j=$((j+1)); done",
    "while :; do i=0; while [ $i -lt 100 ]; do logger \"a line that fills the log $i\"; i=$((i+1)); done; echo \"=log $i.\"; done",
    "while :; do echo a line that fills the directory; done | svlogd /var/log/cut",
];

/// What must be true after each start: every line is whole, and the files say the same. Logs are not among them: nobody waits
/// for the disk at each line, and ext4 leaves zeros where a block's end was not written yet.
const WHOLE: &[(&str, &str)] = &[
    ("passwd has seven fields", "! awk -F: 'NF != 7' /etc/passwd | grep ."),
    ("shadow has nine fields", "! awk -F: 'NF != 9' /etc/shadow | grep ."),
    ("group has four fields", "! awk -F: 'NF != 4' /etc/group | grep ."),
    ("no name twice", "! cut -d: -f1 /etc/passwd | sort | uniq -d | grep ."),
    (
        "the table is one of those that were set",
        "t=/var/spool/cron/crontabs/root; [ ! -e $t ] || { [ $(grep -c '^0 0 1 1 \\* : [0-9]*$' $t) = 200 ] && [ $(sort -u $t | grep -c .) = 1 ]; }",
    ),
];

/// Ports of a virtio console come and go, and the kernel reports them all once more at once; `mdev -d` makes each node with its rule,
/// in the kernel's order.
pub fn bursts(machine: &mut Machine, count: usize) -> Result<()> {
    // -v prints a line for each node that is made or removed.
    machine.output_of(
        "echo >/proc/sys/kernel/hotplug; sed -i '1ivport.* 0:6 640' /etc/mdev.conf; mdev -dfv 2>>/tmp/events & sleep 5; : >/tmp/events",
    )?;
    plug(machine, "add", "make", count)?;
    let nodes = "n=0; for f in /dev/vport*; do [ \"$(stat -c '%a %g' $f 2>/dev/null)\" = '640 6' ] && n=$((n+1)); done; echo $n";
    for (action, verb, wanted) in [("remove", "remove", 0), ("add", "make", count)] {
        let seconds = machine.output_of(&format!(
            "now() {{ cut -d' ' -f1 /proc/uptime; }}; : >/tmp/events; \
             for n in $(seq {count}); do echo {action} >$(echo /sys/class/virtio-ports/vport*p$n)/uevent; done; S=$(now); \
             while [ $(grep -c '{verb} vport' /tmp/events) -lt {count} ]; do usleep 50000; done; echo $(now) $S | awk '{{ print $1 - $2 }}'"
        ))?;
        in_order(machine, verb, count)?;
        let found = machine.output_of(nodes)?;
        ensure!(found.trim() == wanted.to_string(), "{action}: {} nodes, not {wanted}", found.trim());
        println!(
            "| devices at once, {action}, by `mdev -d` | {count} | none lost, in order, the last one after {} s |",
            seconds.trim()
        );
    }
    machine.output_of(": >/tmp/events")?;
    plug(machine, "remove", "remove", count)
}

/// Ports come or go in bursts; QEMU itself loses what a queue of 32 messages does not hold.
fn plug(machine: &mut Machine, action: &str, verb: &str, count: usize) -> Result<()> {
    for first in (1..=count).step_by(BURST) {
        let last = (first + BURST - 1).min(count);
        let commands: Vec<String> = (first..=last).map(|number| port(action, number)).collect();
        machine.monitor(&commands)?;
        machine.wait_for(&format!("[ $(grep -c '{verb} vport' /tmp/events) = {last} ]"))?;
    }
    in_order(machine, verb, count)?;
    println!("| devices, {action}, in bursts of {BURST}, by `mdev -d` | {count} | none lost, in order |");
    Ok(())
}

fn in_order(machine: &mut Machine, verb: &str, count: usize) -> Result<()> {
    let command =
        format!("sed -n 's/^mdev: {verb} vport[0-9]*p//p' /tmp/events >/tmp/order; seq {count} | cmp - /tmp/order");
    machine.output_of(&command).map(drop)
}

fn port(action: &str, number: usize) -> String {
    match action {
        "add" => format!(
            r#"{{"execute":"device_add","arguments":{{"driver":"virtserialport","bus":"ports.0","nr":{number},"id":"p{number}"}}}}"#
        ),
        _ => format!(r#"{{"execute":"device_del","arguments":{{"id":"p{number}"}}}}"#),
    }
}

impl Run<'_> {
    /// Bursts of devices on one machine, then a disk whose machine loses its power again and again.
    pub fn stress_boots(&mut self) -> Result<()> {
        let mut options = self.machine_options(&self.options.image);
        (options.kernel, options.snapshot) = (Some(self.kernel()?), true);
        // An emulation on a busy host may be too slow for the kernel's test of its timer.
        options.append = Some("no_timer_check".to_owned());
        if self.wanted("bursts") {
            let mut command = qemu::machine(&options)?;
            let count = self.options.devices;
            command.args(["-device", &format!("virtio-serial-pci,id=ports,max_ports={}", count + 1)]);
            let mut machine = Machine::start(command, self.options.patience, &self.directory)?;
            self.check("bursts", || {
                machine.login()?;
                bursts(&mut machine, count)
            });
            self.keep_log("bursts", &machine)?;
        }
        if self.wanted("power-cuts") {
            let image = self.directory.join("cut.img");
            fs::copy(&self.options.image, &image).with_context(|| self.options.image.display().to_string())?;
            (options.image, options.snapshot) = (image, false);
            let mut done = Vec::new();
            let directory = self.directory.clone();
            for cut in 1..=self.options.cuts {
                let machine = self.start(&options)?;
                if !self.check(&format!("power-cut {cut}"), || {
                    cut_power(machine, cut, &mut done).and_then(|()| is_whole(&options.image, &directory))
                }) {
                    return Ok(());
                }
            }
            println!(
                "| power cuts during `adduser`, `chpasswd`, `crontab`, `syslogd -s`, `svlogd` | {} | filesystem, account files and tables whole each time; {} accounts were made, none lost |",
                self.options.cuts,
                done.len()
            );
        }
        Ok(())
    }
}

/// Checks what the cut before left, lets the machine write, and takes its power away. `done` are the accounts that were
/// reported as made, before and afterwards.
fn cut_power(mut machine: Machine, cut: usize, done: &mut Vec<usize>) -> Result<()> {
    machine.login()?;
    for (what, command) in WHOLE {
        machine.output_of(command).with_context(|| what.to_string())?;
    }
    let numbers: Vec<String> = done.iter().map(usize::to_string).collect();
    let missing = format!(
        "for i in {}; do grep -q \"^u$i:[$]\" /etc/shadow && grep -q \"^u$i:\" /etc/passwd || echo $i; done",
        numbers.join(" ")
    );
    let missing = machine.output_of(&missing)?;
    ensure!(missing.trim().is_empty(), "accounts that were made are lost: {}", missing.trim());
    machine.output_of("mkdir -p /var/log/cut; printf 's20000\\nn3\\n' >/var/log/cut/config; sv down /etc/rc.d/syslogd; kill $(cat /run/syslogd.pid); syslogd -s 20 -b 3")?;
    // One that was cut off in the middle may be there, or only its group.
    machine.output_of(&format!(
        "FIRST={}; for c in deluser delgroup; do $c u$FIRST 2>/dev/null; done; :",
        done.last().map_or(1, |last| last + 1)
    ))?;
    for work in WORK {
        machine.send(&format!("({work}) 2>&1 &\n"))?;
    }
    // Cuts come at other moments each time, after work of every kind has begun.
    machine.expect("=log 1")?;
    let end = Instant::now() + Duration::from_millis(((cut * 7919) % 2000) as u64);
    while let Ok(number) = machine.expect_until("=user ", end).and_then(|_| machine.expect(".")) {
        done.push(number.parse().with_context(|| number)?);
    }
    Ok(())
}

/// Replays the journal on a copy, as the next start does, and checks the filesystem.
fn is_whole(image: &Path, directory: &Path) -> Result<()> {
    let partition = directory.join("partition");
    super::copy_partition(image, &partition)?;
    let tool = tools::find("e2fsck").context("e2fsck went away")?;
    // 1: the journal was replayed.
    let replayed = Command::new(tool).arg("-p").arg(&partition).output()?;
    ensure!(
        replayed.status.code().is_some_and(|code| code <= 1),
        "e2fsck -p: {}",
        String::from_utf8_lossy(&replayed.stdout)
    );
    super::is_consistent(&partition)
}
