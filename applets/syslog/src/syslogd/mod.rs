//! `syslogd`: take messages at /dev/log and write them to files (RFC 3164).

mod files;
mod log;
mod remote;
mod rules;

#[cfg(fuzzing)]
pub use log::fuzz;

use rbox_core::daemon::{detach, keep_only, uptime_milliseconds};
use rbox_core::io::{Input, Output};
use rbox_core::number::{Decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::Mode;
use rbox_core::sys::net::{AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, bind, recv, socket_with};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM, SignalQueue};
use rbox_core::sys::time;
use rbox_core::sys::{Errno, OwnedFd, fs, sandbox};
use rbox_core::time::Zone;

use self::files::{Limits, Target};
use self::log::{Clock, Log};
use self::remote::Remote;
use self::rules::Rule;
use crate::ring::Ring;

options! {
    "[OPTION]...

Write system messages to log files, to shared memory or to other hosts.

  -n       Run in the foreground
  -R HOST[:PORT]  Send messages by UDP to HOST, port 514, not to files
  -L       With -R, log locally too
  -C[KB]   Log to a shared memory buffer of KB kilobytes (16); see logread
  -K       Log to the kernel log; see dmesg
  -O FILE  Log to FILE (/var/log/messages); - is standard output
  -f FILE  Read rules from FILE (/etc/syslog.conf)
  -l N     Log only messages more urgent than level N, 1-8
  -S       Omit host name, facility and severity
  -s SIZE  Rotate at SIZE kilobytes (200; 0 = never)
  -b N     Keep N rotated files, 0-99 (1; 0 = truncate)
  -D       Drop repeated messages
  -t       Use the time of arrival, not the sender's
  -m MIN   Log a mark every MIN minutes (0 = never)";
    FOREGROUND = "-n",
    REMOTE = "-R",
    LOCALLY = "-L",
    RING = "-C",
    KERNEL = "-K",
    FILE = "-O",
    RULES = "-f",
    LEVEL = "-l",
    SMALL = "-S",
    SIZE = "-s",
    KEEP = "-b",
    DROP = "-D",
    ARRIVAL = "-t",
    MARK = "-m",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// The longest message that is taken, in bytes.
const LONGEST: usize = 8192;
/// Messages that are taken before signals are looked for again.
const BATCH: usize = 64;
/// Facility `syslog`, severity `info`.
const OWN: u16 = 5 << 3 | 6;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let number = |option, low, high, default| match args.value(option) {
        Some(word) => parse_in_range(word, low, high),
        None => Ok(default),
    };
    let ring = match (args.has(RING), args.value(RING)) {
        (false, _) => None,
        (true, None) => Some(16),
        (true, Some(word)) => Some(parse_in_range(word, 4, i32::MAX as u64 / 1024)?),
    };
    let mut remotes = Vec::new();
    for word in args.values(REMOTE) {
        remotes.push(Remote::parse(word)?);
    }
    let mut log = Log {
        targets: vec![Target::new(args.value(FILE).unwrap_or(b"/var/log/messages"))],
        rules: read_rules(args.value(RULES))?,
        limits: Limits {
            rotate_at: number(SIZE, 0, i32::MAX as u64 / 1024, 200)? * 1024,
            keep: number(KEEP, 0, 99, 1)?,
        },
        level: number(LEVEL, 1, 8, 8)? as u16,
        small: args.has(SMALL),
        drop_same: args.has(DROP),
        arrival: args.has(ARRIVAL),
        local: remotes.is_empty() || args.has(LOCALLY),
        ring: ring.map(|size| Ring::create(size as usize * 1024)).transpose()?,
        kernel: args.has(KERNEL).then(|| Target::new(b"/dev/kmsg")),
        remotes,
        zone: Zone::load(env.vars.get("TZ")),
        last: Vec::new(),
        clock: Clock::default(),
    };
    let mark = number(MARK, 0, 1 << 20, 0)? * 60_000;
    // The parent ends when the socket exists: a process that waits for it can log at once.
    let socket = listen()?;
    if !args.has(FOREGROUND) {
        detach()?;
    }
    let signals = SignalQueue::open(&[SIGHUP, SIGINT, SIGTERM]).map_err(Error::from)?;
    // Messages need no answer: a PID file is only for others, and /var/run may be read-only.
    let _ = Output::create(b"/var/run/syslogd.pid").and_then(|mut file| {
        file.write(&[Decimal::new(rbox_core::sys::process::getpid().as_raw_pid() as u64).as_bytes(), b"\n"].concat())?;
        file.flush()
    });
    restrict(&log)?;
    log.put(env, OWN, b"syslogd started: rbox");
    let status = serve(env, &mut log, &socket, &signals, mark);
    log.put(env, OWN, b"syslogd exiting");
    // It may never have been written.
    let _ = fs::unlink("/var/run/syslogd.pid");
    if let Some(ring) = log.ring {
        ring.remove();
    }
    status
}

/// Gives up all but the files of the log.
fn restrict(log: &Log) -> Result<()> {
    let keep = if log.remotes.iter().any(Remote::has_name) { sandbox::SYSLOGD_R } else { sandbox::SYSLOGD };
    let targets = log.targets.iter().chain(&log.kernel).filter(|target| target.path != b"-");
    let paths: Vec<&[u8]> = targets.map(|target| &target.path[..]).collect();
    keep_only(keep, &paths)
}

/// The rules of the named file; of the usual one where none is named, if it is there.
fn read_rules(named: Option<&[u8]>) -> Result<Vec<Rule>> {
    let path = named.unwrap_or(b"/etc/syslog.conf");
    match Input::open(path) {
        Ok(mut file) => rules::parse(&file.read_to_end()?, path),
        Err(error) if named.is_none() && error.errno() == Some(Errno::NOENT) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn listen() -> Result<OwnedFd> {
    let failed = |errno| Error::on("/dev/log", errno);
    // The file may be a link to where /dev is not writable.
    let path = rbox_core::mounts::real_path(b"/dev/log");
    match fs::unlink(&path[..]) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(failed(errno)),
    }
    let address = SocketAddrUnix::new(&path[..]).map_err(failed)?;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
            .map_err(failed)?;
    bind(&socket, &address).map_err(failed)?;
    fs::chmod(&path[..], Mode::from_raw_mode(0o666)).map_err(failed)?;
    Ok(socket)
}

/// Takes messages until a signal asks to end.
fn serve(env: &mut Env, log: &mut Log, socket: &OwnedFd, signals: &SignalQueue, mark: u64) -> Outcome {
    let mut buffer = vec![0; LONGEST];
    let mut next_mark = uptime_milliseconds() + mark;
    loop {
        let rest = next_mark.saturating_sub(uptime_milliseconds());
        let limit = time::milliseconds(rest);
        let mut watched = [PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN)];
        // An interruption only means one more round.
        let _ = poll(&mut watched, if mark > 0 { Some(&limit) } else { None });
        if mark > 0 && uptime_milliseconds() >= next_mark {
            log.put(env, OWN, b"-- MARK --");
            next_mark = uptime_milliseconds() + mark;
        }
        let [messages, signal] = watched.map(|watched| watched.revents().contains(PollFlags::IN));
        if messages {
            // Whoever floods the log must not keep signals from it.
            for _ in 0..BATCH {
                let Ok((count, _)) = recv(socket, &mut buffer[..], RecvFlags::empty()) else { break };
                log.take(env, &buffer[..count]);
            }
        }
        if !signal {
            continue;
        }
        match signals.take() {
            Some(SIGHUP) => {
                log.targets.iter_mut().for_each(Target::close);
                log.zone = Zone::load(env.vars.get("TZ"));
                log.clock.reset();
            }
            Some(signal) => return Ok(ExitStatus(128 + signal as u8)),
            None => {}
        }
    }
}
