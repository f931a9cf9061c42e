//! `microcom`: a terminal at a serial line.

use rbox_core::bytes::base_name;
use rbox_core::daemon::pause;
use rbox_core::io::{self, Output};
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::signal::{Disposition, pending, set};
use rbox_core::sys::termios::{OptionalActions, tcgetattr, tcsendbreak, tcsetattr};
use rbox_core::sys::time;
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, fs, process};
use rbox_core::term::raw::Raw;
use rbox_core::text;

options! {
    "[-d DELAY] [-t TIMEOUT] [-s SPEED] [-X] TTY

Copy standard input to the serial line TTY, and TTY to standard output. Ctrl-X ends it,
Ctrl-@ sends a break.

  -d DELAY    Before sending a byte, wait up to DELAY ms for an answer to the last one
  -t TIMEOUT  End when nothing comes from either side for TIMEOUT ms
  -s SPEED    Set the line to SPEED bit/s
  -X          Send Ctrl-X and Ctrl-@ to TTY";
    DELAY = "-d",
    TIMEOUT = "-t",
    SPEED = "-s",
    PLAIN = "-X",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let number = |option| args.value(option).map(|word| parse_in_range(word, 0, i32::MAX as u64)).transpose();
    let (delay, timeout) = (number(DELAY)?, number(TIMEOUT)?);
    let speed = match args.value(SPEED) {
        Some(word) => Some(parse_decimal(word).and_then(|n| u32::try_from(n).ok()).ok_or_else(|| invalid(word))?),
        None => None,
    };
    let _lock = Lock::take(path)?;
    for signal in [1, 2, 13, 15] {
        set(signal, Disposition::Note).map_err(Error::from)?;
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let line = fs::open(path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))?;
    let before = tcgetattr(&line).map_err(|errno| Error::on(path, errno))?;
    let mut raw = before.clone();
    raw.make_raw();
    if let Some(speed) = speed {
        raw.set_speed(speed)
            .map_err(|_| Error::parts(&[b"invalid speed '", args.value(SPEED).unwrap_or_default(), b"'"]))?;
    }
    tcsetattr(&line, OptionalActions::Now, &raw).map_err(|errno| Error::on(path, errno))?;
    // Without it keys come line by line.
    let keyboard = Raw::enter(0);
    let ended = Session { line: &line, delay, timeout, plain: args.has(PLAIN) }.run(env);
    drop(keyboard);
    // The line may be gone; whatever it does now, the session is over.
    let _ = tcsetattr(&line, OptionalActions::Now, &before);
    ended.map(|()| ExitStatus::SUCCESS)
}

/// The lock file of a serial line (FHS 5.9), removed at the end.
struct Lock(Vec<u8>);

impl Lock {
    fn take(path: &[u8]) -> Result<Self> {
        let lock = [b"/var/lock/LCK..", base_name(path)].concat();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = match fs::open(&lock[..], flags, Mode::from_raw_mode(0o644)) {
            Ok(file) => file,
            // Where there is no directory for locks, there are none.
            Err(Errno::NOENT | Errno::ROFS) => return Ok(Self(Vec::new())),
            Err(errno) => return Err(Error::cannot("create", &lock, errno)),
        };
        let (lock, mut output) = (Self(lock), Output::from_fd(file));
        output.write(&text!(process::getpid().as_raw_pid() as i64, "\n"))?;
        output.flush()?;
        Ok(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            // A lock that somebody else has removed is free as well.
            let _ = fs::unlink(&self.0);
        }
    }
}

struct Session<'a> {
    line: &'a OwnedFd,
    delay: Option<u64>,
    timeout: Option<u64>,
    plain: bool,
}

impl Session<'_> {
    fn run(&self, env: &mut Env) -> Result<()> {
        let mut has_input = true;
        let mut buffer = [0; 1024];
        while pending() == 0 {
            let [from_line, from_keys] = self.wait(has_input, self.timeout);
            if !from_line && !from_keys {
                // Nothing for too long.
                return Ok(());
            }
            if from_keys {
                let mut byte = [0];
                match io::read(fd::borrow(0), &mut byte) {
                    Ok(0) => has_input = false,
                    Ok(_) if !self.plain && byte[0] == 24 => return Ok(()),
                    Ok(_) if !self.plain && byte[0] == 0 => {
                        // Some adapters cannot send one.
                        let _ = tcsendbreak(self.line);
                    }
                    Ok(_) => self.send(byte[0])?,
                    Err(errno) => return Err(Error::on("standard input", errno)),
                }
                if self.delay.is_some() && !self.wait(false, self.delay)[0] {
                    continue;
                }
            }
            match io::read(self.line.as_fd(), &mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    env.stdout.write(&buffer[..count])?;
                    env.stdout.flush()?;
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(Error::on("read", errno)),
            }
        }
        Ok(())
    }

    /// Waits for the line and, with `keys`, for standard input; which of them can be read.
    fn wait(&self, keys: bool, milliseconds: Option<u64>) -> [bool; 2] {
        let limit = milliseconds.map(time::milliseconds);
        let of = |file: BorrowedFd<'static>| PollFd::from_borrowed_fd(file, PollFlags::IN);
        let mut files = [PollFd::from_borrowed_fd(self.line.as_fd(), PollFlags::IN), of(fd::borrow(0))];
        let count = if keys { 2 } else { 1 };
        // An interruption reads as silence; the caller looks for signals.
        if poll(&mut files[..count], limit.as_ref()).is_err() {
            return [pending() == 0, false];
        }
        [!files[0].revents().is_empty(), keys && !files[1].revents().is_empty()]
    }

    fn send(&self, byte: u8) -> Result<()> {
        loop {
            match fd::write(self.line.as_fd(), &[byte]) {
                Err(Errno::AGAIN) => pause(1),
                Err(Errno::INTR) if pending() == 0 => {}
                Err(errno) => return Err(Error::on("write", errno)),
                Ok(_) => return Ok(()),
            }
        }
    }
}
