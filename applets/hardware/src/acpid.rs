//! `acpid`: run programs when buttons are pressed and lids closed: events of /dev/input (linux/input.h) and of
//! /proc/acpi/event.
//!
//! Events are handled one after the other; those that come meanwhile wait in the kernel.

use rbox_core::bytes::{find, words};
use rbox_core::call;
use rbox_core::daemon::open_standard_streams;
use rbox_core::files::{self, list_at};
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_c;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{FileType, Mode, OFlags, open, stat, unlink};
use rbox_core::sys::process::{self, chdir, fork, fork_run, setsid};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM, SignalQueue};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd};
use rbox_core::term::{Shown, clean};
use rbox_core::{push, text};

options! {
    "[-df] [-c DIRECTORY] [-e FILE] [-l FILE] [-p FILE] [-a FILE] [-M FILE]

Run programs at ACPI events: lines of the event file, and key and switch events of /dev/input/event* that the map file
has. The first action whose key is in an event's text names the program, or a directory of programs, below DIRECTORY.

  -a FILE       Actions: lines KEY PROGRAM (/etc/acpid.conf)
  -c DIRECTORY  Directory of the programs (/etc/acpi)
  -d            Log to standard error; implies -f
  -e FILE       Event file (/proc/acpi/event)
  -f            Run in the foreground
  -l FILE       Log file (/var/log/acpid.log)
  -M FILE       Map: lines TYPE-NAME TYPE CODE-NAME CODE VALUE TEXT (/etc/acpi.map)
  -p FILE       PID file (/var/run/acpid.pid)
  -g GROUP      Ignored; accepted for compatibility
  -m MODE       Ignored; accepted for compatibility
  -s SOCKET     Ignored; accepted for compatibility
  -S            Ignored; accepted for compatibility
  -v            Ignored; accepted for compatibility";
    ACTIONS = "-a",
    DIRECTORY = "-c",
    DEBUG = "-d",
    EVENTS = "-e",
    FOREGROUND = "-f",
    LOG = "-l",
    MAP = "-M",
    PID = "-p",
    "-g" => ignored,
    "-m" => ignored,
    "-s" => ignored,
    "-S" => ignored,
    "-v" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// What is done without an action file, and known without a map: the power button, the sleep button, the lid.
const DEFAULT_ACTIONS: &[u8] = b"PWRF PWRF/00000080\nLID0 LID/00000080\n";
const DEFAULT_MAP: &[u8] = b"EV_KEY 0x01 KEY_POWER 116 1 button/power PWRF 00000080
EV_KEY 0x01 KEY_SLEEP 142 1 button/sleep SLPF 00000080
EV_SW 0x05 SW_LID 0x00 1 button/lid LID0 00000080\n";

/// Bytes of a struct input_event: two longs of time, type, code, value.
const EVENT: usize = 2 * size_of::<usize>() + 8;
/// Longest line of the event file.
const LINE: usize = 1024;

/// An event of a device, and its text.
struct Mapped {
    kind: i64,
    code: i64,
    value: i64,
    text: Vec<u8>,
}

/// What events come from.
struct Source {
    file: OwnedFd,
    /// Input devices give structures, the event file lines.
    is_device: bool,
    pending: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let actions = actions(&content(args.value(ACTIONS), b"/etc/acpid.conf", DEFAULT_ACTIONS)?);
    let map = map(&content(args.value(MAP), b"/etc/acpi.map", DEFAULT_MAP)?)?;
    let mut sources = sources(args.value(EVENTS))?;
    if sources.is_empty() {
        return Err(Error::new("no event sources: neither /dev/input/event* nor /proc/acpi/event"));
    }
    let directory = args.value(DIRECTORY).unwrap_or(b"/etc/acpi");
    let pid_file = files::canonical(args.value(PID).unwrap_or(b"/var/run/acpid.pid"), true);
    let is_foreground = args.has(DEBUG) || args.has(FOREGROUND);
    let log = args.value(LOG).unwrap_or(b"/var/log/acpid.log");
    if !args.has(DEBUG) {
        Output::open(log, true).map_err(|errno| Error::cannot("open", log, errno))?;
    }
    chdir(directory).map_err(|errno| Error::on(directory, errno))?;
    if !is_foreground {
        detach()?;
    }
    if !args.has(DEBUG) {
        open_standard_streams(b"/dev/null", OFlags::RDWR)?;
        let log = open(log, OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC, Mode::empty());
        let log = log.map_err(Error::from)?;
        fd::redirect(log.as_fd(), 1).and_then(|()| fd::redirect(log.as_fd(), 2)).map_err(Error::from)?;
    }
    let queue = SignalQueue::open(&[SIGHUP, SIGINT, SIGTERM]).map_err(Error::from)?;
    if let Ok(path) = &pid_file {
        let written = Output::create(path).and_then(|mut file| {
            file.write(&text!(process::getpid().as_raw_pid() as u64, "\n"))?;
            file.flush()
        });
        written.unwrap_or_else(|error| env.report(&error));
    }
    let result = serve(env, &queue, &mut sources, &map, &actions);
    if let Ok(path) = &pid_file {
        // One that is not there need not be removed.
        let _ = unlink(path);
    }
    result.map(|()| ExitStatus::SUCCESS)
}

/// Goes on in a child in a session of its own; the directory and the descriptors stay.
fn detach() -> Result<()> {
    match fork().map_err(|errno| Error::on("can't fork", errno))? {
        Some(_) => process::exit_now(0),
        None => {
            // The child of a fork is no group leader, so this cannot fail.
            let _ = setsid();
            Ok(())
        }
    }
}

/// The contents of a named file, of the usual one if it is there, or the default.
fn content(named: Option<&[u8]>, usual: &[u8], default: &[u8]) -> Result<Vec<u8>> {
    match (named, Input::open(named.unwrap_or(usual))) {
        (None, Err(error)) if error.errno() == Some(Errno::NOENT) => Ok(default.to_vec()),
        (_, input) => input?.read_to_end(),
    }
}

/// Lines without comments.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = content.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty() && line[0] != b'#')
}

fn actions(content: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    lines(content)
        .filter_map(|line| {
            let mut fields = words(line);
            Some((fields.next()?.to_vec(), fields.next()?.to_vec()))
        })
        .collect()
}

/// The rows of the map. The error is `invalid line 'LINE'`.
fn map(content: &[u8]) -> Result<Vec<Mapped>> {
    lines(content)
        .map(|line| {
            let fields: Vec<&[u8]> = words(line).collect();
            let number = |at: usize| fields.get(at).and_then(|word| parse_c(word));
            match (number(1), number(3), number(4)) {
                (Some(kind), Some(code), Some(value)) if fields.len() > 5 => {
                    Ok(Mapped { kind, code, value, text: fields[5..].join(&b' ') })
                }
                _ => Err(Error::parts(&[b"invalid line '", line, b"'"])),
            }
        })
        .collect()
}

fn sources(events: Option<&[u8]>) -> Result<Vec<Source>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let source = |file, is_device| Source { file, is_device, pending: Vec::new() };
    let mut sources = Vec::new();
    match (events, open(events.unwrap_or(b"/proc/acpi/event"), flags, Mode::empty())) {
        (_, Ok(file)) => sources.push(source(file, false)),
        // A kernel without it has the devices.
        (None, Err(_)) => {}
        (Some(path), Err(errno)) => return Err(Error::cannot("open", path, errno)),
    }
    // A machine may have no input devices, and one that cannot be opened gives no events.
    for entry in list_at(b"/dev/input").unwrap_or_default() {
        let path = text!("/dev/input/", &entry.name);
        if entry.name.starts_with(b"event")
            && let Ok(file) = open(&path, flags, Mode::empty())
        {
            sources.push(source(file, true));
        }
    }
    Ok(sources)
}

/// Waits for events and handles them, until a signal comes or all sources have ended.
fn serve(
    env: &mut Env,
    queue: &SignalQueue,
    sources: &mut Vec<Source>,
    map: &[Mapped],
    actions: &[(Vec<u8>, Vec<u8>)],
) -> Result<()> {
    while !sources.is_empty() {
        let mut polled: Vec<PollFd<'_>> =
            sources.iter().map(|source| PollFd::new(&source.file, PollFlags::IN)).collect();
        polled.push(PollFd::from_borrowed_fd(queue.fd(), PollFlags::IN));
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on("poll", errno)),
        }
        let ready: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
        if queue.take().is_some() {
            return Ok(());
        }
        let mut ended = Vec::new();
        for (at, _) in ready.iter().enumerate().take(sources.len()).filter(|(_, ready)| **ready) {
            let (events, is_open) = sources[at].read(map);
            for event in events {
                handle(env, queue, &event, actions)?;
            }
            if !is_open {
                ended.push(at);
            }
        }
        ended.into_iter().rev().for_each(|at| drop(sources.remove(at)));
    }
    Ok(())
}

impl Source {
    /// The texts of the events that have come, and false at the end.
    fn read(&mut self, map: &[Mapped]) -> (Vec<Vec<u8>>, bool) {
        let mut buffer = [0; 64 * EVENT];
        let count = match fd::read(&self.file, &mut buffer) {
            Ok(0) => return (Vec::new(), false),
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return (Vec::new(), true),
            Err(_) => return (Vec::new(), false),
        };
        self.pending.extend_from_slice(&buffer[..count]);
        let mut events = Vec::new();
        if self.is_device {
            let whole = self.pending.len() / EVENT * EVENT;
            for event in self.pending[..whole].chunks_exact(EVENT) {
                events.extend(find_event(event, map));
            }
            self.pending.drain(..whole);
            return (events, true);
        }
        while let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            events.push(line.trim_ascii().to_vec());
        }
        if self.pending.len() > LINE {
            self.pending.clear();
        }
        (events, true)
    }
}

/// The text of an event that the map has.
fn find_event(event: &[u8], map: &[Mapped]) -> Option<Vec<u8>> {
    let fields = &event[EVENT - 8..];
    let short = |at: usize| i64::from(u16::from_ne_bytes([fields[at], fields[at + 1]]));
    let value = i64::from(i32::from_ne_bytes([fields[4], fields[5], fields[6], fields[7]]));
    let found = map.iter().find(|row| (row.kind, row.code, row.value) == (short(0), short(2), value));
    found.map(|row| row.text.clone())
}

/// Runs the program of an event, and waits for it.
fn handle(env: &mut Env, queue: &SignalQueue, event: &[u8], actions: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    let mut line = clean(event, b"", Shown::Caret);
    let Some((_, path)) = actions.iter().find(|(key, _)| find(event, key).is_some()) else {
        push!(line, ": no action\n");
        return env.stderr.write(&line);
    };
    push!(line, ": ", path, "\n");
    env.stderr.write(&line)?;
    let is_directory = stat(path).is_ok_and(|stat| files::kind(&stat) == FileType::Directory);
    let own = text!("./", path);
    let words: Vec<&[u8]> = if is_directory { vec![b"run-parts", path] } else { vec![&own] };
    let child = fork_run(|| {
        queue.release();
        call::replace(env, &words).0
    });
    // The program's status is its own.
    child.and_then(process::wait_for).map_err(|errno| Error::on(path, errno))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_in_the_map() {
        let map = map(DEFAULT_MAP).expect("it is right");
        let event = |kind: u16, code: u16, value: i32| {
            let mut event = vec![0; EVENT - 8];
            event.extend_from_slice(&kind.to_ne_bytes());
            event.extend_from_slice(&code.to_ne_bytes());
            event.extend_from_slice(&value.to_ne_bytes());
            find_event(&event, &map)
        };
        assert_eq!(event(1, 116, 1).as_deref(), Some(&b"button/power PWRF 00000080"[..]));
        assert_eq!(event(5, 0, 1).as_deref(), Some(&b"button/lid LID0 00000080"[..]));
        assert_eq!((event(1, 116, 0), event(1, 30, 1)), (None, None));
        assert!(super::map(b"EV_KEY 1 KEY x 1 text").is_err());
    }
}
