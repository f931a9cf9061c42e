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

/// The file: `up`, or `down` and the signal that ends the system; then a line for each process, `PID ACTION TTY COMMAND`
/// between NULs.
pub struct State(OwnedFd);

/// What an init that crashed was about.
pub struct Before {
    /// What it had running.
    pub running: Vec<Entry>,
    /// The signal on which it was ending the system.
    pub ending: Option<i32>,
}

/// Lets a crash of this process start it anew. Returns the file for what runs, `None` where the system has no such files,
/// and what is found in it: `None` in an ordinary start.
pub fn begin(env: &mut Env) -> (Option<State>, Option<Before>) {
    let passed_on = passed_on(env);
    let words = env.vars.words().into_iter().filter(|word| !word.starts_with(VARIABLE.as_bytes()));
    env.vars = Vars::List(words.map(<[u8]>::to_vec).collect());
    // The first line is written when the system is up: before that the start is repeated as a whole.
    let before = passed_on.as_ref().and_then(content).and_then(|text| read(&text));
    let file = passed_on.or_else(|| fs::memfd_create("init", MemfdFlags::CLOEXEC).ok());
    (file.and_then(|file| prepare(env, file)), before)
}

/// The file of an init that crashed.
fn passed_on(env: &Env) -> Option<OwnedFd> {
    let number = parse_decimal(env.vars.get(VARIABLE)?).and_then(|number| i32::try_from(number).ok())?;
    // A value that init never writes was set by hand.
    let named = fd::named(number).ok().filter(|_| number > 2)?;
    // What init starts is not to have it.
    fd::fcntl_setfd(named, fd::FdFlags::CLOEXEC).ok()?;
    fd::inherited(number).ok()
}

fn content(file: &OwnedFd) -> Option<Vec<u8>> {
    let copy = fd::fcntl_dupfd_cloexec(file, 3).ok()?;
    fs::seek(&copy, SeekFrom::Start(0)).ok()?;
    Input::from_fd(copy, b"state").read_to_end().ok()
}

fn prepare(env: &Env, file: OwnedFd) -> Option<State> {
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

fn read(text: &[u8]) -> Option<Before> {
    let mut lines = text.split(|&byte| byte == b'\n');
    let ending = match lines.next()? {
        b"up" => None,
        first => Some(i32::try_from(parse_decimal(first.strip_prefix(b"down ")?)?).ok()?),
    };
    Some(Before { running: lines.filter_map(read_line).collect(), ending })
}

fn read_line(line: &[u8]) -> Option<Entry> {
    let mut fields = line.split(|&byte| byte == 0);
    let pid = i32::try_from(parse_decimal(fields.next()?)?).ok()?;
    let action = action_of(parse_decimal(fields.next()?)?)?;
    let mut entry = Entry::new(action, fields.next()?, fields.next()?);
    entry.pid = pid;
    Some(entry)
}

impl State {
    /// Writes down what runs.
    pub fn save(&self, entries: &[Entry], ending: Option<i32>) {
        let mut text = match ending {
            None => b"up\n".to_vec(),
            Some(signal) => [b"down ", Decimal::new(signal as u64).as_bytes(), b"\n"].concat(),
        };
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
        let text = b"up\n12\x003\0/dev/tty1\0/sbin/getty 38400 tty1\n7\x009\0\0x\nx\n";
        let Some(Before { running: entries, ending: None }) = read(text) else { panic!("a state") };
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].pid, entries[0].action), (12, Action::Respawn));
        assert_eq!(
            (entries[0].tty.as_slice(), entries[0].command.as_slice()),
            (&b"/dev/tty1"[..], &b"/sbin/getty 38400 tty1"[..])
        );
    }

    #[test]
    fn an_end_goes_on_and_a_start_begins_anew() {
        assert_eq!(read(b"down 12\n").and_then(|before| before.ending), Some(12));
        assert!(read(b"").is_none() && read(b"down x\n").is_none());
    }
}
