//! What clients share: log lines, PID files, and the script that is run with each event.

use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::sys::signal_queue::{SIGUSR1, SIGUSR2, SignalQueue};
use rbox_core::sys::time::milliseconds;
use rbox_core::sys::{BorrowedFd, event, process};
use rbox_core::syslog;
use rbox_core::term::{Shown, clean};

/// Where log lines go.
#[derive(Clone, Copy)]
pub struct Log {
    /// To syslog too.
    pub syslog: bool,
    pub verbose: bool,
}

impl Log {
    /// Writes a line to standard error, and to syslog where that is wanted.
    pub fn say(self, env: &mut Env, text: &[u8]) {
        // Part of it may be what another host sent.
        let text = &clean(text, b"", Shown::Caret)[..];
        // A dead standard error can be reported nowhere.
        let _ = env.stderr.write(&[&env.name, &b": "[..], text, b"\n"].concat());
        if self.syslog {
            syslog::log(syslog::DAEMON_INFO, &env.name, text);
        }
    }

    /// The same, where the user wants to know more.
    pub fn explain(self, env: &mut Env, text: &[u8]) {
        if self.verbose {
            self.say(env, text);
        }
    }
}

/// Writes the PID of this process to a file.
pub fn write_pid(path: &[u8]) -> Result<()> {
    let mut file = Output::create(path)?;
    file.write_number(process::getpid().as_raw_nonzero().get() as u64)?;
    file.write(b"\n")?;
    file.flush()
}

/// Runs `path` with one operand and these variables beside those of the environment, and waits for it.
pub fn call(
    env: &mut Env,
    log: Log,
    signals: &SignalQueue,
    path: &[u8],
    operand: &[u8],
    vars: &[Vec<u8>],
) -> Result<()> {
    let mut all = env.vars.words();
    all.extend(vars.iter().map(Vec::as_slice));
    let all: Vec<Vec<u8>> = all.iter().map(|word| word.to_vec()).collect();
    let words = [path, operand];
    let child = process::fork_run(|| {
        signals.release();
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let errno = process::exec(path, &words, &all);
        log.say(env, Error::cannot("execute", path, errno).message());
        127
    });
    let pid = child.map_err(|errno| Error::on("can't fork", errno))?;
    process::wait_for(pid).map(drop).map_err(|errno| Error::on("wait", errno))
}

/// Goes on in a child in a session of its own, which writes its PID; the parent ends with status 0.
pub fn go_to_background(pid_file: Option<&[u8]>) -> Result<()> {
    if process::fork().map_err(|errno| Error::on("can't fork", errno))?.is_some() {
        process::exit_now(0);
    }
    process::setsid().map_err(|errno| Error::on("setsid", errno))?;
    pid_file.map_or(Ok(()), write_pid)
}

/// What ended a wait: a packet, the time, or a signal.
pub enum Wake {
    Ready,
    Timeout,
    Renew,
    Release,
    Stop,
    /// An interruption.
    Nothing,
}

/// Waits for a packet, a signal or the end of the time, in milliseconds.
pub fn wait(signals: &SignalQueue, socket: Option<BorrowedFd<'_>>, timeout: u64) -> Wake {
    // A poll is of 24 days at most.
    let limit = milliseconds(timeout.min(1 << 31));
    let mut polled = vec![event::PollFd::from_borrowed_fd(signals.fd(), event::PollFlags::IN)];
    polled.extend(socket.map(|socket| event::PollFd::from_borrowed_fd(socket, event::PollFlags::IN)));
    // All signals that this program knows are queued; another one only makes a round more.
    let ready = event::poll(&mut polled, Some(&limit));
    match signals.take() {
        Some(SIGUSR1) => return Wake::Renew,
        Some(SIGUSR2) => return Wake::Release,
        Some(_) => return Wake::Stop,
        None => {}
    }
    match ready {
        Ok(1..) => Wake::Ready,
        Ok(0) if timeout <= 1 << 31 => Wake::Timeout,
        _ => Wake::Nothing,
    }
}
