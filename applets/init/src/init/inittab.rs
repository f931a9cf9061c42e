//! The format of /etc/inittab: `tty::action:command`, one entry a line.

use rbox_core::names;
use rbox_core::names::Names;

/// When an entry's command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// At the start, each waited for.
    SysInit,
    /// After these, each waited for.
    Wait,
    /// After these, not waited for.
    Once,
    /// For ever: restarted when it ends.
    Respawn,
    /// The same, after Enter is pressed.
    AskFirst,
    /// On Ctrl-Alt-Del.
    CtrlAltDel,
    /// Before the system stops.
    Shutdown,
    /// In place of init, on SIGQUIT.
    Restart,
}

/// One entry, and the process that runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it runs.
    pub action: Action,
    /// The terminal's path; empty for init's own console.
    pub tty: Vec<u8>,
    /// The command line.
    pub command: Vec<u8>,
    /// Its process, 0 when it does not run.
    pub pid: i32,
    /// When it was last started, in milliseconds of uptime.
    pub started: u64,
    /// How many of its processes in a row ended at once.
    pub short_lives: u32,
}

impl Entry {
    /// An entry that does not run.
    pub fn new(action: Action, tty: &[u8], command: &[u8]) -> Self {
        Self { action, tty: tty.to_vec(), command: command.to_vec(), pid: 0, started: 0, short_lives: 0 }
    }
}

/// Names of the actions, and their positions in `ACTIONS`.
const NAMES: Names = names! {
    "sysinit" = 0, "wait" = 1, "once" = 2, "respawn" = 3, "askfirst" = 4, "ctrlaltdel" = 5, "shutdown" = 6, "restart" = 7,
};

static ACTIONS: [Action; 8] = [
    Action::SysInit,
    Action::Wait,
    Action::Once,
    Action::Respawn,
    Action::AskFirst,
    Action::CtrlAltDel,
    Action::Shutdown,
    Action::Restart,
];

/// Reads the text of an inittab. `complain` gets the number of each line that is wrong.
pub fn parse(text: &[u8], complain: &mut impl FnMut(u64)) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match parse_line(line) {
            Some(entry) => entries.push(entry),
            None => complain(index as u64 + 1),
        }
    }
    entries
}

fn parse_line(line: &[u8]) -> Option<Entry> {
    let mut fields = line.splitn(4, |&byte| byte == b':');
    let (tty, _runlevels, action, command) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let action = action_of(NAMES.number_of(action)?)?;
    let command = command.trim_ascii();
    if command.is_empty() {
        return None;
    }
    let name = tty.strip_prefix(b"/dev/").unwrap_or(tty);
    let tty = if name.is_empty() { Vec::new() } else { [b"/dev/", name].concat() };
    Some(Entry::new(action, &tty, command))
}

/// An action's number, and the action of a number.
pub fn number_of(action: Action) -> usize {
    ACTIONS.iter().position(|other| *other == action).unwrap_or(0)
}

/// The action of a number from `number_of`.
pub fn action_of(number: u64) -> Option<Action> {
    ACTIONS.get(usize::try_from(number).ok()?).copied()
}

/// What runs without an /etc/inittab.
pub fn default_entries() -> Vec<Entry> {
    let mut entries = vec![Entry::new(Action::SysInit, b"", b"/etc/init.d/rcS")];
    for tty in [&b""[..], b"/dev/tty2", b"/dev/tty3", b"/dev/tty4"] {
        entries.push(Entry::new(Action::AskFirst, tty, b"-/bin/sh"));
    }
    entries.push(Entry::new(Action::CtrlAltDel, b"", b"reboot"));
    entries.push(Entry::new(Action::Shutdown, b"", b"umount -a -r"));
    entries.push(Entry::new(Action::Shutdown, b"", b"swapoff -a"));
    entries.push(Entry::new(Action::Restart, b"", b"init"));
    entries
}

/// Takes over the running processes of `old` for the same commands on the same terminals (SIGHUP). What is in `old` alone
/// stays as `Once`, so that its end is noticed and it is not restarted; these processes are returned.
pub fn adopt(new: &mut Vec<Entry>, old: Vec<Entry>) -> Vec<i32> {
    let mut left = Vec::new();
    for mut entry in old {
        let same = |other: &&mut Entry| {
            other.action == entry.action && other.tty == entry.tty && other.command == entry.command && other.pid == 0
        };
        match new.iter_mut().find(same) {
            Some(other) => {
                (other.pid, other.started, other.short_lives) = (entry.pid, entry.started, entry.short_lives);
            }
            None if entry.pid > 0 => {
                entry.action = Action::Once;
                left.push(entry.pid);
                new.push(entry);
            }
            None => {}
        }
    }
    left
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut entries = parse(data, &mut |_| ());
    adopt(&mut entries, parse(data, &mut |_| ()));
    super::recovery::fuzz(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let entries =
            parse(b"# c\n\n::sysinit:/etc/rc a:b\nttyS0::respawn:getty\n/dev/tty2::askfirst: -/bin/sh \n", &mut |_| ());
        assert_eq!(entries[0], Entry::new(Action::SysInit, b"", b"/etc/rc a:b"));
        assert_eq!(entries[1], Entry::new(Action::Respawn, b"/dev/ttyS0", b"getty"));
        assert_eq!(entries[2], Entry::new(Action::AskFirst, b"/dev/tty2", b"-/bin/sh"));
    }

    #[test]
    fn wrong_lines_are_named_and_left_out() {
        let mut wrong = Vec::new();
        let entries = parse(b"nonsense\n::never:x\n::once:\n::once:ok", &mut |line| wrong.push(line));
        assert_eq!((wrong.as_slice(), entries.len()), (&[1, 2, 3][..], 1));
    }

    #[test]
    fn any_table_is_read_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(5);
        for _ in 0..20_000 {
            parse(&random.spoil(b"tty1::respawn:/sbin/getty 38400 tty1\n::once:x"), &mut |_| ());
        }
    }

    #[test]
    fn a_new_table_takes_over_what_runs() {
        let mut old = vec![Entry::new(Action::Respawn, b"", b"a"), Entry::new(Action::Respawn, b"", b"b")];
        (old[0].pid, old[1].pid) = (7, 8);
        let mut new = vec![Entry::new(Action::Respawn, b"", b"a")];
        assert_eq!(adopt(&mut new, old), [8]);
        assert_eq!((new[0].pid, new[1].pid, new[1].action), (7, 8, Action::Once));
    }
}
