//! `svlogd`: write standard input to log directories, select by patterns, rotate (svlogd(8)).

mod config;
mod log;
mod pattern;
mod stamp;

use rbox_core::bytes;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fd;
use rbox_core::sys::signal_queue::{SIGALRM, SIGCHLD, SIGHUP, SIGTERM, SignalQueue};
use rbox_core::sys::time;

use crate::status::now;
use log::Log;
use stamp::Stamp;

options! {
    "[-tv] [-r C] [-R CHARS] [-l LENGTH] [-b SIZE] DIRECTORY...

Write standard input to DIRECTORY/current and rotate it. Lines of DIRECTORY/config:

sBYTES     Rotate at BYTES (1000000; 0 = never)
nN         Keep N old files (10; 0 = all)
NN         When the disk is full, keep N old files
tSECONDS   Rotate after SECONDS
!COMMAND   Filter old files through COMMAND
uIP[:PORT]  Send messages by UDP too; U: do not write them
pPREFIX    Prefix each message
-PATTERN   Exclude messages; + include; e copy to standard error; E do not

Signals: HUP reopens the files, ALRM rotates, TERM exits.

  -t         Prefix TAI64N; -tt UTC; -ttt UTC with a T
  -r C       Replace nonprintable characters with C
  -R CHARS   Replace CHARS with C, or _, too
  -l LENGTH  Match patterns against the first LENGTH bytes (1000)
  -b SIZE    Set the read buffer to SIZE bytes (65536)
  -v         Print each action";
    STAMP = "-t",
    PRINTABLE = "-r",
    REPLACE = "-R",
    LENGTH = "-l",
    SIZE = "-b",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().failure(111);

struct Logger<'a> {
    logs: Vec<Log>,
    paths: &'a [&'a [u8]],
    stamp: Stamp,
    length: usize,
    /// What stands for other characters, and which those are beside the ones that cannot be printed.
    replace: Option<(u8, &'a [u8])>,
    verbose: bool,
    signals: SignalQueue,
    /// The first bytes of a message whose end is not there yet.
    head: Vec<u8>,
    /// More of a message is awaited whose head is through.
    in_message: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let paths = args.operands_between(1, usize::MAX)?;
    let number = |option, default| match args.value(option) {
        Some(word) => parse_in_range(word, 1, 1 << 24).map(|number| number as usize),
        None => Ok(default),
    };
    let (length, size) = (number(LENGTH, 1000)?, number(SIZE, 65_536)?);
    if size <= length {
        return Err(Error::usage());
    }
    let with = match args.value(PRINTABLE) {
        Some([byte]) => Some(*byte),
        Some(_) => return Err(Error::usage()),
        None => args.value(REPLACE).map(|_| b'_'),
    };
    let signals = SignalQueue::open(&[SIGTERM, SIGHUP, SIGALRM, SIGCHLD]).map_err(Error::from)?;
    let mut logger = Logger {
        logs: Vec::new(),
        paths,
        stamp: Stamp::new(args.times(STAMP)),
        length,
        replace: with.map(|byte| (byte, args.value(REPLACE).unwrap_or_default())),
        verbose: args.has(VERBOSE),
        signals,
        head: Vec::new(),
        in_message: false,
    };
    logger.open(env)?;
    logger.serve(env, size)
}

impl Logger<'_> {
    fn open(&mut self, env: &mut Env) -> Result<()> {
        for path in self.paths {
            match Log::open(env, path, self.verbose) {
                Ok(log) => self.logs.push(log),
                Err(error) => drop(env.warn(error)),
            }
        }
        if self.logs.is_empty() { Err(Error::new("fatal: no functional log directories")) } else { Ok(()) }
    }

    fn close(&mut self, env: &mut Env) {
        for log in self.logs.drain(..) {
            log.close(env, &self.signals);
        }
    }

    fn serve(&mut self, env: &mut Env, size: usize) -> Outcome {
        let mut buffer = vec![0; size];
        let mut ended = false;
        while !ended {
            let limit = self.logs.iter().filter_map(Log::time_left).min();
            let limit = limit.map(time::milliseconds);
            let (input, signals) = (fd::borrow(0), self.signals.fd());
            let mut files =
                [PollFd::from_borrowed_fd(input, PollFlags::IN), PollFd::from_borrowed_fd(signals, PollFlags::IN)];
            // A poll that fails is tried again; reading meets what is wrong.
            let _ = poll(&mut files, limit.as_ref());
            let readable = !files[0].revents().is_empty();
            while let Some(signal) = self.signals.take() {
                ended |= self.obey(env, signal)?;
            }
            for log in self.logs.iter_mut().filter(|log| log.time_left() == Some(0)) {
                log.rotate(env, &self.signals);
            }
            if readable && !ended {
                match rbox_core::io::read(input, &mut buffer) {
                    Ok(0) => ended = true,
                    Ok(count) => self.take(env, &mut buffer[..count]),
                    Err(errno) => return Err(Error::on("standard input", errno)),
                }
            }
        }
        if !self.head.is_empty() || self.in_message {
            self.take(env, &mut [b'\n']);
        }
        self.close(env);
        Ok(ExitStatus::SUCCESS)
    }

    /// True when the signal ends svlogd.
    fn obey(&mut self, env: &mut Env, signal: i32) -> Result<bool> {
        match signal {
            SIGTERM => return Ok(true),
            SIGHUP => {
                self.close(env);
                self.open(env)?;
            }
            SIGALRM => self.logs.iter_mut().for_each(|log| log.rotate(env, &self.signals)),
            _ => self.logs.iter_mut().for_each(|log| log.check_processor(env, &self.signals)),
        }
        Ok(false)
    }

    /// Takes what was read, message by message, and writes it.
    fn take(&mut self, env: &mut Env, mut data: &mut [u8]) {
        if let Some((with, others)) = self.replace {
            let strange = |byte: u8| byte != b'\n' && (!(32..127).contains(&byte) || others.contains(&byte));
            data.iter_mut().filter(|byte| strange(**byte)).for_each(|byte| *byte = with);
        }
        while !data.is_empty() {
            let end = bytes::find_byte(b'\n', data).map_or(data.len(), |at| at + 1);
            let (part, rest) = data.split_at_mut(end);
            data = rest;
            if self.in_message {
                self.go_on(env, part);
            } else if self.head.is_empty() && part.ends_with(b"\n") && part.len() <= self.length + 1 {
                self.begin(env, part);
            } else {
                self.head.extend_from_slice(part);
                if self.head.ends_with(b"\n") || self.head.len() > self.length {
                    let head = core::mem::take(&mut self.head);
                    self.begin(env, &head);
                }
            }
        }
        for log in &mut self.logs {
            log.flush(env);
        }
    }

    /// Begins a message: all of it with its newline, or more than patterns look at.
    fn begin(&mut self, env: &mut Env, message: &[u8]) {
        let lead = if self.stamp.times == 0 { &[] } else { self.stamp.at(now()) };
        let text = message.strip_suffix(b"\n").unwrap_or(message);
        let (head, _) = text.split_at(text.len().min(self.length));
        let whole = head.len() < message.len() && message[head.len()] == b'\n';
        for log in &mut self.logs {
            let alert = log.begin(env, &self.signals, lead, head, whole);
            if !alert.is_empty() {
                // A dead standard error can be reported nowhere.
                let _ = env.stderr.write(&alert);
            }
            log.check_size(env, &self.signals, self.length, whole);
        }
        if !whole {
            self.go_on(env, &message[head.len()..]);
        }
    }

    fn go_on(&mut self, env: &mut Env, part: &[u8]) {
        self.in_message = !part.ends_with(b"\n");
        for log in &mut self.logs {
            log.go_on(env, &self.signals, part);
            log.check_size(env, &self.signals, self.length, !self.in_message);
        }
    }
}
