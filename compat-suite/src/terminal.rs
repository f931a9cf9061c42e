//! Runs a command on a terminal of its own and types there.

use std::fs::{self, File};
use std::io::{Error, Read, Result, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::limit;

/// How long the terminal is idle before the next line is typed, in nanoseconds.
const IDLE: i64 = 400_000_000;

/// After this many idle periods a line is typed although there was no output since the last one.
const PATIENCE: u32 = 12;

/// Runs `command` with a new terminal as its controlling one and types `lines`. Standard output holds everything that was written to
/// the terminal, without carriage returns. Fails if there is no terminal or the command cannot start or end.
pub fn run(command: Command, lines: &[String], directory: &Path, end: Instant) -> Result<Output> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = File::options().read(true).write(true).open(name.to_str().map_err(Error::other)?)?;
    let device = slave.metadata()?.rdev();
    // setsid(1) makes its standard input the controlling terminal.
    let mut outer = limit::in_session(&command, &["-w", "-c"]);
    outer.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
    let mut child = outer.spawn()?;
    // The parent must close its copies of the terminal, or reading would never end.
    drop(outer);
    let mut master = File::from(master);
    let (mut shown, mut lines) = (Vec::new(), lines.iter());
    let (mut waited, mut answered) = (0, false);
    loop {
        if Instant::now() >= end {
            break;
        }
        let limit = Timespec { tv_sec: 0, tv_nsec: IDLE };
        if poll(&mut [PollFd::new(&master, PollFlags::IN)], Some(&limit))? == 0 {
            waited += 1;
            if !answered && waited < PATIENCE || somebody_works(device) {
                continue;
            }
            // Once all lines are typed, the time limit ends a program that hangs.
            if let Some(line) = lines.next() {
                master.write_all(format!("{line}\n").as_bytes())?;
            }
            (waited, answered) = (0, false);
            continue;
        }
        let mut buffer = [0; 4096];
        match master.read(&mut buffer) {
            // EIO: no process has the terminal open any more.
            Ok(0) | Err(_) => break,
            Ok(count) => {
                shown.extend_from_slice(&buffer[..count]);
                answered = true;
            }
        }
    }
    // The end of the terminal hangs up the processes that still use it.
    drop(master);
    let status = limit::finish(&mut child, end, directory)?;
    shown.retain(|byte| *byte != b'\r');
    Ok(Output { status, stdout: shown, stderr: Vec::new() })
}

/// Whether a process of that terminal runs, or waits for a processor or a disk: on a slow machine it is idle before it
/// has asked its question.
fn somebody_works(device: u64) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    processes.flatten().any(|entry| {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { return false };
        // proc_pid_stat(5): after the name, in parentheses, come the state and, four words later, the terminal.
        let mut words = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        words.next().is_some_and(|state| "RD".contains(state)) && words.nth(3) == Some(&device.to_string())
    })
}
