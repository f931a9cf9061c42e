//! `bootchartd`: record /proc while the machine boots, for bootchart's drawings: /var/log/bootlog.tgz.
//!
//! The records stay in memory until the end, since nothing may be writable at boot: at most 32 MB of them.

use rbox_core::archive::Entry;
use rbox_core::archive::tar::{Format, Writer, padding};
use rbox_core::call;
use rbox_core::codec::{self, Encoder};
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::processes::{Process, all, named, read_file};
use rbox_core::sys::process::{self, fork, set_name, setsid};
use rbox_core::sys::signal::kill;
use rbox_core::sys::signal_queue::{SIGTERM, SIGUSR1, SignalQueue};
use rbox_core::sys::system;
use rbox_core::time::{Moment, Zone, format};
use rbox_core::{bytes, push, text};

options!(
    "start [PROGRAM [ARG]...] | stop | init

Record /proc into /var/log/bootlog.tgz, in the background.

start: until PROGRAM has ended, or until stop; stop: let all records end; init: until a getty or a display manager runs.
As process 1: as init, and become $bootchart_init, /init or /sbin/init.
/etc/bootchartd.conf may have lines SAMPLE_PERIOD=SECONDS (0.2) and PROCESS_ACCOUNTING=yes (adds the file
/var/log/kernel_pacct, which the kernel has written)."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().raw();

const LOG: &[u8] = b"/var/log/bootlog.tgz";
const ACCOUNTING: &[u8] = b"/var/log/kernel_pacct";
/// Bytes of all records, and milliseconds of recording, at most.
const MOST: usize = 32 << 20;
const LONGEST: u64 = 600_000;
/// Who lets users in.
const LOGINS: &str = "getty agetty mingetty fgetty ngetty gdm gdm3 kdm xdm sddm lightdm lxdm slim login";

/// Settings of /etc/bootchartd.conf.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    /// Milliseconds.
    period: u64,
    accounting: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands();
    let is_first = process::getpid().as_raw_pid() == 1;
    let settings =
        settings(&Input::open(b"/etc/bootchartd.conf").and_then(|mut file| file.read_to_end()).unwrap_or_default());
    match words {
        [b"stop"] => stop(),
        [b"init"] if !is_first => start(env, &settings, true).map(|_| ExitStatus::SUCCESS),
        [b"start"] if !is_first => start(env, &settings, false).map(|_| ExitStatus::SUCCESS),
        [b"start", program @ ..] if !is_first => {
            let child = start(env, &settings, false)?;
            let change = call::run(env, program)?;
            // The recorder may have ended by itself.
            let _ = kill(child, SIGUSR1);
            call::pass_on(change)
        }
        _ if is_first => {
            start(env, &settings, true)?;
            let named = env.vars.get("bootchart_init").map(<[u8]>::to_vec);
            for path in named.iter().map(Vec::as_slice).chain([&b"/init"[..], b"/sbin/init"]) {
                let own: Vec<&[u8]> = [path].into_iter().chain(words.iter().copied()).collect();
                process::exec(path, &own, &env.vars.words());
            }
            Err(Error::new("can't execute '/sbin/init'"))
        }
        _ => Err(Error::usage()),
    }
}

fn settings(content: &[u8]) -> Settings {
    let mut settings = Settings { period: 200, accounting: false };
    for line in content.split(|&byte| byte == b'\n') {
        match bytes::split_once(line.trim_ascii(), b'=') {
            Some((b"SAMPLE_PERIOD", value)) => {
                let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
                if let Ok(period) = rbox_core::duration::parse(value) {
                    settings.period = (period.as_millis() as u64).clamp(10, 60_000);
                }
            }
            Some((b"PROCESS_ACCOUNTING", value)) => {
                settings.accounting = matches!(value, b"yes" | b"on" | b"\"yes\"" | b"\"on\"")
            }
            _ => {}
        }
    }
    settings
}

/// Lets all other processes of this name end their records.
fn stop() -> Outcome {
    let own = process::getpid().as_raw_pid();
    for pid in named(b"bootchartd")?.into_iter().filter(|pid| *pid != own) {
        // One that has ended meanwhile needs no signal.
        let _ = kill(pid, SIGUSR1);
    }
    Ok(ExitStatus::SUCCESS)
}

/// Starts the recorder in a process of its own, and returns its PID.
fn start(env: &mut Env, settings: &Settings, until_login: bool) -> Result<i32> {
    env.stdout.flush()?;
    // A signal that comes before the child waits for one is kept.
    let queue = SignalQueue::open(&[SIGUSR1, SIGTERM]).map_err(Error::from)?;
    match fork().map_err(|errno| Error::on("can't fork", errno))? {
        Some(child) => {
            queue.release();
            Ok(child)
        }
        None => {
            // The child of a fork is no group leader, so this cannot fail.
            let _ = setsid();
            set_name(b"bootchartd");
            let records = record(&queue, settings, until_login);
            let status = match write(&records, settings) {
                Ok(()) => ExitStatus::SUCCESS,
                Err(error) => env.warn(error),
            };
            process::exit_now(status.0)
        }
    }
}

/// The records: of the processor, the disks and the processes.
fn record(queue: &SignalQueue, settings: &Settings, until_login: bool) -> [Vec<u8>; 3] {
    let (mut records, start) = ([Vec::new(), Vec::new(), Vec::new()], uptime_milliseconds());
    loop {
        let now = uptime_milliseconds();
        // The kernel's file counts seconds with two decimals; bootchart wants hundredths.
        let stamp = text!(now / 10, "\n");
        let is_login = add_processes(&mut records[2], &stamp);
        for (at, path) in [&b"/proc/stat"[..], b"/proc/diskstats"].into_iter().enumerate() {
            // Before /proc is mounted there is nothing to record.
            if let Ok(content) = Input::open(path).and_then(|mut file| file.read_to_end()) {
                push!(records[at], &stamp, &content, "\n");
            }
        }
        let size: usize = records.iter().map(Vec::len).sum();
        let is_over = size > MOST || now - start > LONGEST || (until_login && is_login);
        if is_over || queue.wait(Some(settings.period)).is_some() {
            return records;
        }
    }
}

/// Adds /proc/PID/stat of all processes. True if one of them lets users in.
fn add_processes(record: &mut Vec<u8>, stamp: &[u8]) -> bool {
    let mut is_login = false;
    let all = all().unwrap_or_default();
    if all.is_empty() {
        return false;
    }
    record.extend_from_slice(stamp);
    for pid in all {
        if let Some(content) = read_file(pid, "stat") {
            let name = Process::parse(&content).map(|process| process.name).unwrap_or_default();
            is_login |= LOGINS.split(' ').any(|login| login.as_bytes() == name);
            record.extend_from_slice(&content);
        }
    }
    record.push(b'\n');
    is_login
}

/// Writes the archive that bootchart reads.
fn write(records: &[Vec<u8>; 3], settings: &Settings) -> Result<()> {
    let now = Moment::now();
    let mut encoder = Encoder::new(codec::Format::Gzip, 6, Output::create(LOG)?)?;
    let mut add = |name: &str, content: &[u8]| {
        let entry = Entry {
            name: name.as_bytes().to_vec(),
            mode: 0o100_644,
            size: content.len() as u64,
            modified: Moment { nanos: 0, ..now },
            ..Entry::default()
        };
        let mut header = Vec::new();
        Writer::new(Format::Ustar).push_header(&mut header, &entry)?;
        encoder.write(&header)?;
        encoder.write(content)?;
        encoder.write(&[0; 512][..padding(entry.size)])
    };
    add("header", &header(now))?;
    for (name, content) in ["proc_stat.log", "proc_diskstats.log", "proc_ps.log"].into_iter().zip(records) {
        add(name, content)?;
    }
    if settings.accounting
        && let Ok(content) = Input::open(ACCOUNTING).and_then(|mut file| file.read_to_end())
    {
        add("kernel_pacct", &content)?;
    }
    encoder.write(&[0; 1024])?;
    encoder.finish().map(drop)
}

/// What the drawing says above.
fn header(now: Moment) -> Vec<u8> {
    let facts = system::uname();
    let first = |path: &[u8], lead: &[u8]| {
        let content = Input::open(path).and_then(|mut file| file.read_to_end()).unwrap_or_default();
        let line = content.split(|&byte| byte == b'\n').find(|line| line.starts_with(lead)).unwrap_or_default();
        bytes::split_once(line, b':')
            .filter(|_| !lead.is_empty())
            .map_or(line, |(_, value)| value)
            .trim_ascii()
            .to_vec()
    };
    let (name, release) = (facts.nodename().to_bytes(), facts.release().to_bytes());
    let mut lines = text!("version = 0.8\ntitle = Boot chart for ", name, " (");
    push!(lines, format(b"%a %b %e %H:%M:%S %Z %Y", now, &Zone::load(None)), ")\nsystem.uname = ");
    push!(lines, facts.sysname().to_bytes(), " ", release, " ", facts.version().to_bytes(), " ");
    push!(lines, facts.machine().to_bytes(), "\nsystem.release = ", first(b"/etc/os-release", b"PRETTY_NAME"));
    push!(lines, "\nsystem.cpu = ", first(b"/proc/cpuinfo", b"model name"), "\nsystem.kernel.options = ");
    push!(lines, first(b"/proc/cmdline", b""), "\n");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_a_period_and_accounting() {
        let expected = Settings { period: 500, accounting: true };
        assert_eq!(settings(b"# x\nSAMPLE_PERIOD=0.5\nPROCESS_ACCOUNTING=\"yes\"\n"), expected);
        assert_eq!(settings(b"SAMPLE_PERIOD=x\n"), Settings { period: 200, accounting: false });
    }
}
