//! What clients share: log lines, PID files, and the script that is run with each event.

use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::sys::signal_queue::SignalQueue;
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
