//! `syslogd`: take messages at /dev/log and write them to files (RFC 3164).

mod rules;

use rbox_core::bytes;
use rbox_core::daemon::{detach, uptime_milliseconds};
use rbox_core::io::{Input, Output};
use rbox_core::number::{Decimal, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::net::{AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, bind, recv, socket_with};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM, SignalQueue};
use rbox_core::sys::system::uname;
use rbox_core::sys::time::Timespec;
use rbox_core::sys::{Errno, OwnedFd, fs};
use rbox_core::syslog::{FACILITIES, SEVERITIES, name_of};
use rbox_core::time::{self, Moment, Zone};

use self::rules::Rule;

options! {
    "[-nSDt] [-O FILE] [-f FILE] [-l N] [-s SIZE] [-b N] [-m MIN]

Keep the system log.

  -n       Stay in the foreground
  -O FILE  Write to FILE, not to /var/log/messages (- is standard output)
  -f FILE  Read rules from FILE, not from /etc/syslog.conf
  -l N     Keep only messages more urgent than level N, 1-8
  -S       Write no host name, facility and severity
  -s SIZE  Rotate at SIZE kilobytes, 0 = never (200)
  -b N     Keep N rotated files, at most 99 (1; 0 = start the file anew)
  -D       Drop a message that is like the last one
  -t       Use the time of arrival, not the sender's
  -m MIN   Write a mark each MIN minutes (0 = never)";
    FOREGROUND = "-n",
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
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The longest message that is taken, in bytes.
const LONGEST: usize = 8192;
/// Facility `syslog`, severity `info`.
const OWN: u16 = 5 << 3 | 6;

/// One file of the log.
struct Target {
    path: Vec<u8>,
    /// Opened when the first message comes, and anew after a rotation.
    file: Option<OwnedFd>,
}

struct Log {
    /// The first one takes what no rule wants.
    targets: Vec<Target>,
    rules: Vec<Rule>,
    /// How large a file gets and how many old ones are kept.
    limits: Limits,
    level: u16,
    small: bool,
    drop_same: bool,
    arrival: bool,
    zone: Zone,
    last: Vec<u8>,
}

/// When a file is rotated.
#[derive(Clone, Copy)]
struct Limits {
    /// In bytes; 0 = never.
    rotate_at: u64,
    /// How many old files are kept; 0 = the file is emptied.
    keep: u64,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let number = |option, low, high, default| match args.value(option) {
        Some(word) => parse_in_range(word, low, high),
        None => Ok(default),
    };
    let mut log = Log {
        targets: vec![Target { path: args.value(FILE).unwrap_or(b"/var/log/messages").to_vec(), file: None }],
        rules: read_rules(args.value(RULES))?,
        limits: Limits {
            rotate_at: number(SIZE, 0, i32::MAX as u64 / 1024, 200)? * 1024,
            keep: number(KEEP, 0, 99, 1)?,
        },
        level: number(LEVEL, 1, 8, 8)? as u16,
        small: args.has(SMALL),
        drop_same: args.has(DROP),
        arrival: args.has(ARRIVAL),
        zone: Zone::load(env.vars.get("TZ")),
        last: Vec::new(),
    };
    let mark = number(MARK, 0, 1 << 20, 0)? * 60_000;
    if !args.has(FOREGROUND) {
        detach()?;
    }
    let socket = listen()?;
    let signals = SignalQueue::open(&[SIGHUP, SIGINT, SIGTERM]).map_err(Error::from)?;
    // Messages need no answer: a pid file is only for others.
    let _ = Output::create(b"/var/run/syslogd.pid").and_then(|mut file| {
        file.write(&[Decimal::new(rbox_core::sys::process::getpid().as_raw_pid() as u64).as_bytes(), b"\n"].concat())?;
        file.flush()
    });
    log.put(env, OWN, b"syslogd started: rbox");
    let status = serve(env, &mut log, &socket, &signals, mark);
    log.put(env, OWN, b"syslogd exiting");
    let _ = fs::unlink("/var/run/syslogd.pid");
    status
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
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None).map_err(failed)?;
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
        let limit = Timespec { tv_sec: (rest / 1000) as i64, tv_nsec: ((rest % 1000) * 1_000_000) as _ };
        let mut watched = [PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN)];
        // An interruption only means one more round.
        let _ = poll(&mut watched, if mark > 0 { Some(&limit) } else { None });
        if mark > 0 && uptime_milliseconds() >= next_mark {
            log.put(env, OWN, b"-- MARK --");
            next_mark = uptime_milliseconds() + mark;
        }
        while let Ok((count, _)) = recv(socket, &mut buffer[..], RecvFlags::empty()) {
            log.take(env, &buffer[..count]);
        }
        match signals.take() {
            Some(SIGHUP) => {
                log.targets.iter_mut().for_each(|target| target.file = None);
                log.zone = Zone::load(env.vars.get("TZ"));
            }
            Some(signal) => return Ok(ExitStatus(128 + signal as u8)),
            None => {}
        }
    }
}

impl Log {
    /// Takes what one datagram holds: messages between NUL bytes or newlines.
    fn take(&mut self, env: &mut Env, datagram: &[u8]) {
        for message in datagram.split(|byte| matches!(byte, 0 | b'\n')).filter(|message| !message.is_empty()) {
            if self.drop_same && message == self.last {
                continue;
            }
            self.last = message.to_vec();
            let (priority, text) = take_priority(message);
            self.put(env, priority, text);
        }
    }

    /// Writes one message, unless its level is too low.
    fn put(&mut self, env: &mut Env, priority: u16, text: &[u8]) {
        if priority & 7 >= self.level {
            return;
        }
        let (sent, text) = take_time(text);
        let mut line = match sent {
            Some(sent) if !self.arrival => sent.to_vec(),
            _ => time::format(b"%b %e %H:%M:%S", Moment::now(), &self.zone),
        };
        line.push(b' ');
        if !self.small {
            line.extend_from_slice(uname().nodename().to_bytes());
            line.push(b' ');
            push_priority(&mut line, priority);
            line.push(b' ');
        }
        push_text(&mut line, text);
        line.push(b'\n');
        let mut wanted: Vec<usize> = Vec::new();
        for at in 0..self.rules.len() {
            if self.rules[at].wants(priority) {
                let target = self.target(at);
                // Two rules with one file write a message once.
                if !wanted.contains(&target) {
                    wanted.push(target);
                }
            }
        }
        if wanted.is_empty() {
            wanted.push(0);
        }
        for target in wanted {
            if let Err(error) = self.targets[target].write(&line, self.limits) {
                // The console is the last place to say that the log is lost.
                env.report(&error);
                self.targets[target].file = None;
            }
        }
    }

    /// The file of a rule; rules with the same path share one, or rotation would tear it apart.
    fn target(&mut self, rule: usize) -> usize {
        let path = &self.rules[rule].path;
        match self.targets.iter().position(|target| target.path == *path) {
            Some(at) => at,
            None => {
                self.targets.push(Target { path: path.clone(), file: None });
                self.targets.len() - 1
            }
        }
    }
}

impl Target {
    fn write(&mut self, line: &[u8], limits: Limits) -> Result<()> {
        if self.path == b"-" {
            let mut output = Output::standard(1);
            output.write(line)?;
            return output.flush();
        }
        let failed = |errno| Error::cannot("open", &self.path, errno);
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        let stat = fs::fstat(&file).map_err(failed)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let full = regular && limits.rotate_at > 0 && stat.st_size as u64 > limits.rotate_at;
        let file = if full { self.rotate(file, limits.keep)? } else { file };
        let mut output = Output::from_fd(file.try_clone().map_err(Error::from)?);
        output.write(line)?;
        output.flush()?;
        self.file = Some(file);
        Ok(())
    }

    fn open(&self) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        fs::open(&self.path[..], flags, Mode::from_raw_mode(0o666)).map_err(|errno| Error::cannot("open", &self.path, errno))
    }

    /// `FILE.0` is the newest of the old files.
    fn rotate(&self, file: OwnedFd, keep: u64) -> Result<OwnedFd> {
        if keep == 0 {
            fs::ftruncate(&file, 0).map_err(|errno| Error::on(&self.path, errno))?;
            return Ok(file);
        }
        let name = |number: u64| [&self.path[..], b".", Decimal::new(number).as_bytes()].concat();
        for number in (1..keep).rev() {
            // Not all of them are there yet.
            let _ = fs::rename(&name(number - 1)[..], &name(number)[..]);
        }
        fs::rename(&self.path[..], &name(0)[..]).map_err(|errno| Error::on(&self.path, errno))?;
        self.open()
    }
}

/// The number in `<N>` at the start, `user.notice` without one, and the text after it.
fn take_priority(message: &[u8]) -> (u16, &[u8]) {
    let level = message.strip_prefix(b"<").and_then(|rest| bytes::split_once(rest, b'>'));
    match level.and_then(|(digits, text)| Some((parse_decimal(digits).filter(|&number| number < 1024)?, text))) {
        Some((number, text)) => (number as u16, text),
        None => (1 << 3 | 5, message),
    }
}

/// RFC 3164 4.1.2: `Mmm dd hh:mm:ss `, if the sender wrote it.
fn take_time(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let blanks = [3, 6, 15].iter().all(|&at| text.get(at) == Some(&b' '));
    let colons = [9, 12].iter().all(|&at| text.get(at) == Some(&b':'));
    if blanks && colons { (Some(&text[..15]), &text[16..]) } else { (None, text) }
}

fn push_priority(line: &mut Vec<u8>, priority: u16) {
    let facility = name_of(FACILITIES, (priority >> 3) as u8);
    let severity = name_of(SEVERITIES, (priority & 7) as u8);
    match facility.zip(severity) {
        Some((facility, severity)) => line.extend_from_slice(&[facility, ".", severity].concat().into_bytes()),
        None => line.extend_from_slice(&[b"<", Decimal::new(priority.into()).as_bytes(), b">"].concat()),
    }
}

/// Control bytes are shown as `^X`, so that no sender can write to the terminal of who reads the log.
fn push_text(line: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'\t' => line.push(byte),
            0..32 | 127 => line.extend_from_slice(&[b'^', byte ^ 64]),
            _ => line.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_apart() {
        assert_eq!(take_priority(b"<13>a: b"), (13, &b"a: b"[..]));
        assert_eq!(take_priority(b"<x>a"), (13, &b"<x>a"[..]));
        assert_eq!(take_time(b"Jan  2 03:04:05 a: b"), (Some(&b"Jan  2 03:04:05"[..]), &b"a: b"[..]));
        assert_eq!(take_time(b"short"), (None, &b"short"[..]));
    }

    #[test]
    fn control_bytes_are_shown() {
        let mut line = Vec::new();
        push_text(&mut line, b"a\x1b[m\x7f\t\xc3\xa9");
        assert_eq!(line, b"a^[[m^?\t\xc3\xa9");
    }

    #[test]
    fn priorities_have_names() {
        let mut line = Vec::new();
        push_priority(&mut line, 131);
        push_priority(&mut line, 999);
        assert_eq!(line, b"local0.err<999>");
    }
}
