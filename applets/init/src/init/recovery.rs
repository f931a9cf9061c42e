//! What survives a crash of init: which entries run and as which processes, in a file of memory that the new start is given.

use rbox_core::env::Vars;
use rbox_core::io::Input;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{MemfdFlags, SeekFrom};
use rbox_core::sys::{AsFd, AsRawFd, OwnedFd, fd, fs, recovery};

use super::inittab::{Entry, action_of, number_of};

/// The variable that holds the descriptor of the file for the new start.
const VARIABLE: &str = "RBOX_INIT_STATE";

/// The file: a line for each process, `PID ACTION TTY COMMAND` between NULs.
pub struct State(OwnedFd);

/// What an init that crashed had running; `None` when this is an ordinary start.
pub fn take_over(env: &mut Env) -> Option<Vec<Entry>> {
    let number = parse_decimal(env.vars.get(VARIABLE)?).and_then(|number| i32::try_from(number).ok())?;
    let words = env.vars.words().into_iter().filter(|word| !word.starts_with(VARIABLE.as_bytes()));
    env.vars = Vars::List(words.map(<[u8]>::to_vec).collect());
    // A value that init never writes was set by hand.
    if number < 3 {
        return None;
    }
    let passed_on = fd::named(number).ok()?;
    let file = fd::inherited(number).ok()?;
    // What init starts is not to have it.
    fd::fcntl_setfd(passed_on, fd::FdFlags::CLOEXEC).ok()?;
    fs::seek(&file, SeekFrom::Start(0)).ok()?;
    let text = Input::from_fd(file, b"state").read_to_end().ok()?;
    // The first line is written when the system is up: before that the start is repeated as a whole.
    text.strip_prefix(b"up\n").map(read)
}

fn read(text: &[u8]) -> Vec<Entry> {
    text.split(|&byte| byte == b'\n').filter_map(read_line).collect()
}

fn read_line(line: &[u8]) -> Option<Entry> {
    let mut fields = line.split(|&byte| byte == 0);
    let pid = i32::try_from(parse_decimal(fields.next()?)?).ok()?;
    let action = action_of(parse_decimal(fields.next()?)?)?;
    let mut entry = Entry::new(action, fields.next()?, fields.next()?);
    entry.pid = pid;
    Some(entry)
}

/// Makes the file, and lets a crash of this process restart it. `None` where the system has no such files.
pub fn prepare(env: &Env) -> Option<State> {
    let file = fs::memfd_create("init", MemfdFlags::CLOEXEC).ok()?;
    let number = Decimal::new(file.as_raw_fd() as u64);
    let variable = [VARIABLE.as_bytes(), b"=", number.as_bytes()].concat();
    let mut environment = env.vars.words();
    environment.push(&variable);
    let message = b"\rinit: crashed, restarting\n";
    let paths = [&b"/proc/self/exe"[..], b"/sbin/init"];
    let name: &[u8] = b"init";
    recovery::execute_on_crash(paths, core::slice::from_ref(&name), &environment, file.as_fd(), message).ok()?;
    Some(State(file))
}

impl State {
    /// Writes down what runs.
    pub fn save(&self, entries: &[Entry]) {
        let mut text = b"up\n".to_vec();
        for entry in entries.iter().filter(|entry| entry.pid > 0) {
            let (pid, action) = (Decimal::new(entry.pid as u64), Decimal::new(number_of(entry.action) as u64));
            let fields = [pid.as_bytes(), action.as_bytes(), &entry.tty, &entry.command];
            text.extend_from_slice(&fields.join(&0));
            text.push(b'\n');
        }
        // Without memory left there is nothing better to do than to go on.
        let _ = fd::pwrite(&self.0, &text, 0).and_then(|count| fs::ftruncate(&self.0, count as u64));
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    read(data);
}

#[cfg(test)]
mod tests {
    use super::super::inittab::Action;
    use super::*;

    #[test]
    fn what_runs_is_read_back() {
        let entries = read(b"12\x003\0/dev/tty1\0/sbin/getty 38400 tty1\n7\x009\0\0x\nx\n");
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].pid, entries[0].action), (12, Action::Respawn));
        assert_eq!(
            (entries[0].tty.as_slice(), entries[0].command.as_slice()),
            (&b"/dev/tty1"[..], &b"/sbin/getty 38400 tty1"[..])
        );
    }
}
