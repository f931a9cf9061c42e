//! The time limit of a case, and the end of every process that exceeds it.

use std::fs::{self, File};
use std::io::{Error, Read, Result};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// How long a case may take: all take less than two seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The end of the time of a case that starts now.
pub fn deadline() -> Instant {
    Instant::now() + LIMIT
}

/// Runs a command in `directory` and reads its output until all writers have closed it or `end` is reached.
///
/// It has a session of its own, without the caller's terminal. Fails if the command cannot start or does not end.
pub fn output(command: Command, directory: &Path, end: Instant) -> Result<Output> {
    let mut child =
        in_session(&command, &["-w"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = OwnedFd::from(child.stdout.take().expect("it is piped"));
    let stderr = OwnedFd::from(child.stderr.take().expect("it is piped"));
    let mut pipes = [Some(File::from(stdout)), Some(File::from(stderr))];
    let mut texts = [Vec::new(), Vec::new()];
    while pipes.iter().any(Option::is_some) {
        let mut waiting: Vec<PollFd> = pipes.iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
        let left = end.saturating_duration_since(Instant::now());
        let limit = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        if left.is_zero() || poll(&mut waiting, Some(&limit))? == 0 {
            break;
        }
        let mut ready = waiting.iter().map(|pipe| !pipe.revents().is_empty()).collect::<Vec<_>>().into_iter();
        for (pipe, text) in pipes.iter_mut().zip(&mut texts) {
            let mut buffer = [0; 4096];
            if let Some(file) = pipe
                && ready.next() == Some(true)
            {
                match file.read(&mut buffer)? {
                    0 => *pipe = None,
                    count => text.extend_from_slice(&buffer[..count]),
                }
            }
        }
    }
    let [stdout, stderr] = texts;
    Ok(Output { status: finish(&mut child, end, directory)?, stdout, stderr })
}

/// The same command in a new session, by setsid(1) with these options.
pub fn in_session(command: &Command, options: &[&str]) -> Command {
    let mut outer = Command::new("/usr/bin/setsid");
    outer.args(options).arg(command.get_program()).args(command.get_args()).env_clear();
    outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        outer.current_dir(directory);
    }
    outer
}

/// Waits for the command until `end`, then kills it. Processes that it left in the directory are killed too, so that they do not
/// disturb other cases: ordinary processes, in any group and session, and the first process of a PID namespace with all others in
/// it. Fails if some are left after the time limit.
pub fn finish(child: &mut Child, end: Instant, directory: &Path) -> Result<std::process::ExitStatus> {
    while child.try_wait()?.is_none() {
        if Instant::now() >= end {
            child.kill()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let status = child.wait()?;
    // A killed process exists for a moment longer, and may have started others while this one looked for it.
    let end = Instant::now() + LIMIT;
    while end_all(directory)? {
        if Instant::now() >= end {
            return Err(Error::other("what a case left running does not end"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(status)
}

/// Kills the processes whose working directory is below `directory`; false if there was none.
fn end_all(directory: &Path) -> Result<bool> {
    let mut found = false;
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        // The link of a process that has just ended, or is another user's, cannot be read.
        if fs::read_link(entry.path().join("cwd")).is_ok_and(|target| target.starts_with(directory)) {
            found |= kill_process(pid, Signal::KILL).is_ok();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_running_ends_with_the_case() {
        let directory = std::env::temp_dir().join(format!("compat-limit.{}", std::process::id()));
        fs::create_dir(&directory).expect("a fresh directory");
        let directory = fs::canonicalize(directory).expect("it is there");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "setsid sh -c 'while :; do :; done' >/dev/null 2>&1 & echo $!"]).current_dir(&directory);
        let output = output(command, &directory, deadline());
        let left = end_all(&directory);
        fs::remove_dir(directory).expect("it is empty");
        let output = output.expect("the shell starts");
        assert!(output.status.success() && !output.stdout.is_empty());
        assert!(!left.expect("/proc can be read"));
    }
}
