//! `pgrep`, `pkill`: find processes by name and other attributes, and print or signal them (as in procps).

use rbox_core::bytes;
use rbox_core::io::Input;
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::options::Grammar;
use rbox_core::pattern::regex::{Exec, Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process};
use rbox_core::signals::number_of;
use rbox_core::sys::fs::stat;
use rbox_core::sys::{process as own, signal};
use rbox_core::term::{Shown, clean};
use rbox_core::text;
use rbox_core::users;

use crate::kill::list_all;
use crate::ps::real_id;

options! {
    "[-SIG] [OPTION]... [PATTERN]

Print the PIDs of processes, or with pkill send them a signal (TERM). PATTERN is an
extended regular expression that matches the name; all criteria must match.

  -f, --full              Match the full command line
  -x, --exact             Match the whole name or command line
  -i, --ignore-case       Ignore case
  -v, --inverse           Select processes that do not match
  -n, --newest            Select only the newest
  -o, --oldest            Select only the oldest
  -l, --list-name         Print the name too; pkill: list the signals
  -a, --list-full         Print the command line too
  -c, --count             Print only the number of processes
  -d, --delimiter=STRING  Separate PIDs with STRING (newline)
  -e, --echo              pkill: print each process
      --signal=SIG        pkill: same as -SIG
  -s, --session=SID,...   Select by session; 0 is the own one
  -g, --pgroup=PGID,...   Select by process group; 0 is the own one
  -P, --parent=PPID,...   Select by parent
  -u, --euid=USER,...     Select by effective user
  -U, --uid=USER,...      Select by real user
  -G, --group=GROUP,...   Select by real group
  -t, --terminal=TTY,...  Select by terminal, as tty1 or pts/0
  -F, --pidfile=FILE      Select the PID in FILE";
    FULL = "-f",
    EXACT = "-x",
    FOLD = "-i",
    INVERSE = "-v",
    NEWEST = "-n",
    OLDEST = "-o",
    LIST = "-l",
    LIST_FULL = "-a",
    COUNT = "-c",
    DELIMITER = "-d",
    ECHO = "-e",
    SIGNAL = "--signal",
    SESSION = "-s",
    GROUP = "-g",
    PARENT = "-P",
    USER = "-u",
    REAL_USER = "-U",
    REAL_GROUP = "-G",
    TERMINAL = "-t",
    FILE = "-F",
}

/// The applet. `-SIG` is no option, so it is taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().failure(2);

/// What is asked for. A list that is empty asks for nothing.
struct Wanted {
    pattern: Option<Regex>,
    full: bool,
    exact: bool,
    sessions: Vec<u32>,
    groups: Vec<u32>,
    parents: Vec<u32>,
    users: Vec<u32>,
    real_users: Vec<u32>,
    real_groups: Vec<u32>,
    terminals: Vec<u32>,
    pids: Vec<u32>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let kills = env.name.ends_with(b"pkill");
    let mut words = args.words().to_vec();
    let mut number = 15;
    if kills {
        let end = words.iter().position(|word| *word == b"--").unwrap_or(words.len());
        let signal = |word: &&[u8]| word.strip_prefix(b"-").and_then(number_of);
        if let Some(at) = words[..end].iter().position(|word| signal(word).is_some()) {
            number = signal(&words.remove(at)).unwrap_or(number);
        }
    }
    let args = Args::parse(USAGE, Grammar::Permuted, &words)?;
    if kills && args.has(LIST) {
        return list_all(env);
    }
    if let Some(word) = args.value(SIGNAL) {
        number = number_of(word).ok_or_else(|| Error::parts(&[b"bad signal name '", word, b"'"]))?;
    }
    let found = choose(&args, &Wanted::new(&args)?)?;
    let done = if kills { send(env, &args, &found, number)? } else { print(env, &args, &found)? };
    Ok(ExitStatus::from_ok(done && !found.is_empty()))
}

impl Wanted {
    fn new(args: &Args<'_>) -> Result<Self> {
        let exact = args.has(EXACT);
        let mut flags = Flags::EXTENDED;
        if args.has(FOLD) {
            flags = flags | Flags::FOLD_CASE;
        }
        let pattern = match args.operands() {
            [] => None,
            [pattern] => Some(Regex::new(pattern, flags).map_err(|error| error.about(pattern))?),
            _ => return Err(Error::misused("only one pattern can be provided")),
        };
        let itself = Process::read(own::getpid().as_raw_pid()).unwrap_or_default();
        let wanted = Self {
            pattern,
            full: args.has(FULL),
            exact,
            sessions: list_of_own(args, SESSION, itself.session)?,
            groups: list_of_own(args, GROUP, itself.group)?,
            parents: list(args, PARENT, number)?,
            users: list(args, USER, users::user_id)?,
            real_users: list(args, REAL_USER, users::user_id)?,
            real_groups: list(args, REAL_GROUP, users::group_id)?,
            terminals: list(args, TERMINAL, terminal)?,
            pids: args.value(FILE).map(pid_in).transpose()?.into_iter().collect(),
        };
        let lists = [
            &wanted.sessions,
            &wanted.groups,
            &wanted.parents,
            &wanted.users,
            &wanted.real_users,
            &wanted.real_groups,
            &wanted.terminals,
            &wanted.pids,
        ];
        if wanted.pattern.is_none() && lists.iter().all(|list| list.is_empty()) {
            return Err(Error::misused("no matching criteria specified"));
        }
        Ok(wanted)
    }

    fn fits(&self, process: &Process) -> bool {
        let fits = |list: &[u32], number: u32| list.is_empty() || list.contains(&number);
        fits(&self.pids, process.pid as u32)
            && fits(&self.sessions, process.session as u32)
            && fits(&self.groups, process.group as u32)
            && fits(&self.parents, process.parent as u32)
            && fits(&self.terminals, process.tty)
            && (self.users.is_empty() || process.owner().is_some_and(|(user, _)| self.users.contains(&user)))
            && (self.real_users.is_empty() || self.real_users.contains(&real_id(process, b"Uid:")))
            && (self.real_groups.is_empty() || self.real_groups.contains(&real_id(process, b"Gid:")))
            && self.pattern.as_ref().is_none_or(|pattern| self.matches(pattern, process))
    }

    fn matches(&self, pattern: &Regex, process: &Process) -> bool {
        let text = if self.full { command_line(process) } else { name(process) };
        let found = pattern.find_at(&text, 0, Exec::default());
        if self.exact { found == Some((0, text.len())) } else { found.is_some() }
    }
}

/// The numbers in the lists of an option. One function for all of them: `read` is no type parameter.
fn list(args: &Args<'_>, option: Opt, read: fn(&[u8]) -> Result<u32>) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for list in args.values(option) {
        for word in list.split(|byte| *byte == b',') {
            numbers.push(read(word)?);
        }
    }
    Ok(numbers)
}

/// The same, with 0 for `own`.
fn list_of_own(args: &Args<'_>, option: Opt, own: i32) -> Result<Vec<u32>> {
    let mut numbers = list(args, option, number)?;
    numbers.iter_mut().filter(|number| **number == 0).for_each(|number| *number = own as u32);
    Ok(numbers)
}

fn number(word: &[u8]) -> Result<u32> {
    Ok(parse_in_range(word, 0, i32::MAX as u64)? as u32)
}

/// The device number of a terminal in the form that /proc has it.
fn terminal(name: &[u8]) -> Result<u32> {
    let path = text!("/dev/", name.strip_prefix(b"/dev/").unwrap_or(name));
    Ok(stat(&path).map_err(|errno| Error::on(name, errno))?.st_rdev as u32)
}

fn pid_in(path: &[u8]) -> Result<u32> {
    let mut input = Input::operand(path)?;
    let line = input.line()?.unwrap_or_default().trim_ascii();
    parse_decimal(line).and_then(|pid| u32::try_from(pid).ok()).ok_or_else(|| invalid(line))
}

/// The whole name of its file: the kernel cuts it to 15 bytes, the first word may have the rest.
fn name(process: &Process) -> Vec<u8> {
    if process.name.len() == 15
        && let Some(first) = process.words().first()
        && bytes::base_name(first).starts_with(&process.name)
    {
        return bytes::base_name(first).to_vec();
    }
    process.name.clone()
}

fn shown(text: &[u8]) -> Vec<u8> {
    clean(text, b"", Shown::As(b'?'))
}

/// Its words with blanks between them; its name where it has none.
fn command_line(process: &Process) -> Vec<u8> {
    let words = process.words();
    if words.is_empty() { process.name.clone() } else { words.join(&b' ') }
}

/// The processes that are meant, by their numbers.
fn choose(args: &Args<'_>, wanted: &Wanted) -> Result<Vec<Process>> {
    let itself = own::getpid().as_raw_pid();
    let all = processes::all()?.into_iter().filter(|pid| *pid != itself).filter_map(Process::read);
    let mut found: Vec<Process> = all.filter(|process| wanted.fits(process) != args.has(INVERSE)).collect();
    if let Some(pattern) = &wanted.pattern {
        pattern.check()?;
    }
    let only = match args.last_of(&[NEWEST, OLDEST]) {
        Some(NEWEST) => found.iter().max_by_key(|process| (process.started, process.pid)),
        Some(_) => found.iter().min_by_key(|process| (process.started, process.pid)),
        None => return Ok(found),
    };
    found = only.cloned().into_iter().collect();
    Ok(found)
}

fn print(env: &mut Env, args: &Args<'_>, found: &[Process]) -> Result<bool> {
    if args.has(COUNT) {
        env.stdout.write(&text!(found.len(), "\n"))?;
        return Ok(true);
    }
    let delimiter = args.value(DELIMITER).unwrap_or(b"\n");
    for (index, process) in found.iter().enumerate() {
        let mut line = text!(if index > 0 { delimiter } else { b"" }, process.pid as u32);
        if args.has(LIST_FULL) {
            rbox_core::push!(line, " ", shown(&command_line(process)));
        } else if args.has(LIST) {
            rbox_core::push!(line, " ", shown(&name(process)));
        }
        env.stdout.write(&line)?;
    }
    if !found.is_empty() {
        env.stdout.push(b'\n')?;
    }
    Ok(true)
}

/// Signals them all; true when one of them was reached.
fn send(env: &mut Env, args: &Args<'_>, found: &[Process], number: i32) -> Result<bool> {
    let mut reached = 0usize;
    for process in found {
        let pid = process.pid as u32;
        match signal::kill(process.pid, number) {
            Ok(()) => {
                reached += 1;
                if args.has(ECHO) {
                    env.stdout.write(&text!(shown(&name(process)), " killed (pid ", pid, ")\n"))?;
                }
            }
            Err(errno) => env.report(&Error::on(text!("can't kill pid ", pid), errno)),
        }
    }
    if args.has(COUNT) {
        env.stdout.write(&text!(reached, "\n"))?;
    }
    Ok(reached > 0)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn first_error(words: &[&str]) -> (u8, String) {
        let ran = try_call(APPLET, words, b"");
        (ran.status, ran.stderr.lines().next().unwrap_or_default().to_owned())
    }

    #[test]
    fn wrong_words_have_status_2() {
        assert_eq!(first_error(&["pgrep"]), (2, "pgrep: no matching criteria specified".to_owned()));
        assert_eq!(first_error(&["pgrep", "a", "b"]), (2, "pgrep: only one pattern can be provided".to_owned()));
        assert_eq!(first_error(&["pgrep", "-P", "x"]), (2, "pgrep: invalid number 'x'".to_owned()));
        assert_eq!(first_error(&["pkill", "--signal", "NOPE", "x"]), (2, "pkill: bad signal name 'NOPE'".to_owned()));
        assert_eq!(first_error(&["pgrep", "-9", "x"]), (2, "pgrep: invalid option -- '9'".to_owned()));
    }

    #[test]
    fn none_found_is_status_1() {
        assert_eq!(first_error(&["pgrep", "-x", "no such name"]), (1, String::new()));
        assert_eq!(try_call(APPLET, &["pgrep", "-c", "no such name"], b"").stdout, "0\n");
    }

    #[test]
    fn pkill_lists_signals() {
        assert!(try_call(APPLET, &["pkill", "-l"], b"").stdout.starts_with(" 1) HUP\n"));
    }
}
