//! `script`: record what is printed on a terminal.

use rbox_core::call;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::io::{self, Output};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::process::{self, WaitOptions};
use rbox_core::sys::signal::{Disposition, set, take_pending};
use rbox_core::sys::termios::{tcgetwinsize, tcsetwinsize};
use rbox_core::sys::{AsFd, Errno, fd};
use rbox_core::term::pty::Pty;
use rbox_core::term::raw::Raw;
use rbox_core::text;
use rbox_core::text::Right;

options! {
    "[-afq] [-t[FILE]] [-c COMMAND] [FILE]

Run a shell, and record what it prints on the terminal in FILE (typescript).

  -a          Append to FILE
  -c COMMAND  Run COMMAND instead of $SHELL
  -f          Write to FILE at once
  -q          Print no messages
  -t[FILE]    Write to FILE (standard error) how long each part took: see scriptreplay";
    APPEND = "-a",
    COMMAND = "-c",
    FLUSH = "-f",
    QUIET = "-q",
    TIMING = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const SIGWINCH: i32 = 28;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(b"typescript");
    let open = |path: &[u8], appends| Output::open(path, appends).map_err(|errno| Error::cannot("open", path, errno));
    let record = open(path, args.has(APPEND))?;
    let timing = match args.value(TIMING) {
        Some(b"") | None if args.has(TIMING) => Some(Output::standard(2)),
        Some(file) => Some(open(file, false)?),
        None => None,
    };
    if !args.has(QUIET) {
        env.stdout.write(&text!("Script started, file is ", path, "\n"))?;
        env.stdout.flush()?;
    }
    let pty = Pty::open()?;
    if let Ok(size) = tcgetwinsize(fd::borrow(0)) {
        // A terminal without a size has none to pass on.
        let _ = tcsetwinsize(&pty.master, size);
    }
    set(SIGWINCH, Disposition::Note).map_err(Error::from)?;
    let shell = env.shell();
    let pid = process::fork_run(|| {
        if let Err(error) = pty.enter() {
            return env.warn(error).0;
        }
        match args.value(COMMAND) {
            Some(command) => call::replace(env, &[&shell, b"-c", command]).0,
            None => call::replace(env, &[&shell, b"-i"]).0,
        }
    })
    .map_err(|errno| Error::on("can't fork", errno))?;
    let Pty { master, slave } = pty;
    drop(slave);
    let terminal = Raw::enter(0);
    let recorded = Recorder { record, timing, at_once: args.has(FLUSH), last: uptime_milliseconds() }.run(env, &master);
    drop(terminal);
    // The shell ends when its terminal is gone, if it has not ended before.
    drop(master);
    let change = process::wait(pid, WaitOptions::empty()).map_err(|errno| Error::on("wait", errno))?;
    recorded?;
    if !args.has(QUIET) {
        env.stdout.write(&text!("Script done, file is ", path, "\n"))?;
    }
    change.map_or(Ok(ExitStatus::SUCCESS), |(_, change)| call::pass_on(change))
}

struct Recorder {
    record: Output,
    timing: Option<Output>,
    at_once: bool,
    /// Milliseconds of the last part.
    last: u64,
}

impl Recorder {
    /// Copies keys to the pseudoterminal and what it prints to standard output and the record, until nobody has it open.
    fn run(&mut self, env: &mut Env, master: &rbox_core::sys::OwnedFd) -> Result<()> {
        let (mut has_keys, mut buffer) = (true, [0; 4096]);
        loop {
            let of = |file| PollFd::from_borrowed_fd(file, PollFlags::IN);
            let mut files = [of(master.as_fd()), of(fd::borrow(0))];
            let count = if has_keys { 2 } else { 1 };
            let ready = poll(&mut files[..count], None);
            if take_pending() & 1 << (SIGWINCH - 1) != 0
                && let Ok(size) = tcgetwinsize(fd::borrow(0))
            {
                // The next change comes with a signal of its own.
                let _ = tcsetwinsize(master, size);
            }
            if ready.is_err() {
                continue;
            }
            if has_keys && !files[1].revents().is_empty() {
                match io::read(fd::borrow(0), &mut buffer) {
                    Ok(count) if count > 0 => send(master, &buffer[..count])?,
                    // The end of the input is Ctrl-D for the shell.
                    _ => {
                        has_keys = false;
                        send(master, &[4])?;
                    }
                }
            }
            if !files[0].revents().is_empty() {
                match io::read(master.as_fd(), &mut buffer) {
                    Ok(0) | Err(Errno::IO) => return self.record.flush(),
                    Ok(count) => self.print(env, &buffer[..count])?,
                    Err(errno) => return Err(Error::on("read", errno)),
                }
            }
        }
    }

    fn print(&mut self, env: &mut Env, part: &[u8]) -> Result<()> {
        env.stdout.write(part)?;
        env.stdout.flush()?;
        self.record.write(part)?;
        if self.at_once {
            self.record.flush()?;
        }
        if let Some(timing) = &mut self.timing {
            let now = uptime_milliseconds();
            let took = now - core::mem::replace(&mut self.last, now);
            timing.write(&text!(took / 1000, ".", Right(took % 1000, 3, b'0'), "000 ", part.len() as u64, "\n"))?;
            timing.flush()?;
        }
        Ok(())
    }
}

/// Writes all of it; a shell that does not read holds up the keys as on any terminal.
fn send(master: &rbox_core::sys::OwnedFd, keys: &[u8]) -> Result<()> {
    match io::write_all(master.as_fd(), keys) {
        // The shell has ended; the next read says so.
        Ok(()) | Err(Errno::IO) => Ok(()),
        Err(errno) => Err(Error::on("write", errno)),
    }
}
