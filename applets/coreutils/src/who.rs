//! `who` and `w`: print who is logged in (POSIX XCU who).
//!
//! The lines are BusyBox's. Options that BusyBox lacks print GNU's, which scripts that use them expect.

use rbox_core::bytes::join_path;
use rbox_core::files::stat;
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::fs::{CWD, Stat};
use rbox_core::sys::{Errno, fd, termios};
use rbox_core::text;
use rbox_core::text::{Left, Right};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::utmp::{Entry, Records};

options! {
    "[-abdHhlmpqrsTtu] [FILE | am i]

Print who is logged in, by /var/run/utmp or FILE: name, terminal, idle time, time and host.
All options but -a, -H and -h choose GNU's form of the lines.

  -a, --all                              Print entries of all kinds
  -H, --heading                          Print a header; w always does
  -h, --no-header                        Print no header
  -b, --boot                             Print the time of boot
  -d, --dead                             Print processes that have ended
  -l, --login                            Print processes that wait for a login
  -m                                     Print only the terminal of standard input; the same as am i
  -p, --process                          Print processes that init started
  -q, --count                            Print names and their number
  -r, --runlevel                         Print the run level
  -s, --short                            Print name, terminal, time and host only; with w, no time
  -T, -w, --mesg, --message, --writable  Print whether the terminal takes messages: +, - or ?
  -t, --time                             Print changes of the clock
  -u, --users                            Print idle time and PID of each user";
    ALL = "-a",
    HEADING = "-H",
    NO_HEADING = "-h",
    BOOT = "-b",
    DEAD = "-d",
    LOGIN = "-l",
    OWN = "-m",
    PROCESS = "-p",
    COUNT = "-q",
    RUN_LEVEL = "-r",
    SHORT = "-s",
    MESSAGES = "-T",
    TIME = "-t",
    USERS = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

// utmp(5), ut_type.
const KIND_RUN_LEVEL: i16 = 1;
const KIND_BOOT: i16 = 2;
const KIND_NEW_TIME: i16 = 3;
const KIND_INIT: i16 = 5;
const KIND_LOGIN: i16 = 6;
const KIND_DEAD: i16 = 8;

/// Seconds of a day: who has been idle for longer is `old`.
const DAY: i64 = 86_400;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_w = env.name == b"w";
    let operands = args.operands_between(0, if is_w { 0 } else { 2 })?;
    let file = if let [file] = operands { Some(*file) } else { None };
    let entries = entries(file)?;
    let gnu = [BOOT, DEAD, LOGIN, OWN, PROCESS, COUNT, RUN_LEVEL, SHORT, MESSAGES, TIME, USERS];
    let zone = Zone::load(env.vars.get("TZ"));
    if args.has(COUNT) {
        return count(env, &entries);
    }
    if !is_w && (operands.len() == 2 || gnu.iter().any(|&option| args.has(option))) {
        return print_gnu(env, args, &entries, &zone);
    }
    let is_short = is_w && args.has(SHORT);
    if (is_w || args.has(HEADING)) && !args.has(NO_HEADING) {
        env.stdout.write(if is_short {
            b"USER\t\tTTY\t\tIDLE\tHOST\n"
        } else {
            b"USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n"
        })?;
    }
    let now = Moment::now().seconds;
    for entry in entries.iter().filter(|entry| entry.is_user() || args.has(ALL) && !entry.user().is_empty()) {
        let mut line = text!(Left(entry.user(), 15), " ", Left(entry.line(), 15), " ");
        push!(line, Left(&idle(terminal(entry), now, i64::MIN, [".", "old", "?"])[..], 7), " ");
        if !is_short {
            let when = Moment { seconds: entry.seconds(), nanos: 0 };
            push!(line, time::format(b"%b %e %H:%M:%S  ", when, &zone));
        }
        push!(line, entry.host(), "\n");
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// All records of the file; none where a system has no utmp.
fn entries(file: Option<&[u8]>) -> Result<Vec<Entry>> {
    let mut records = match Records::open(file) {
        Err(error) if file.is_none() && error.errno() == Some(Errno::NOENT) => return Ok(Vec::new()),
        records => records?,
    };
    let mut entries = Vec::new();
    while let Some(entry) = records.get(entries.len() as u64)? {
        entries.push(entry);
    }
    Ok(entries)
}

/// The attributes of the entry's terminal.
fn terminal(entry: &Entry) -> Option<Stat> {
    stat(CWD, &join_path(b"/dev", entry.line()), true).ok().filter(|_| !entry.line().is_empty())
}

/// For how long nothing has been typed: the first word for less than a minute, the second for more than a day or a time
/// before the boot, the third where there is no such terminal.
fn idle(terminal: Option<Stat>, now: i64, boot: i64, words: [&str; 3]) -> Vec<u8> {
    let Some(stat) = terminal else { return words[2].as_bytes().to_vec() };
    #[allow(clippy::unnecessary_cast)]
    let typed = stat.st_atime as i64;
    match now.saturating_sub(typed) {
        ..60 if typed > boot => words[0].as_bytes().to_vec(),
        idle @ 60..DAY if typed > boot => {
            text!(Right((idle / 3600) as u64, 2, b'0'), ":", Right((idle / 60 % 60) as u64, 2, b'0'))
        }
        _ => words[1].as_bytes().to_vec(),
    }
}

fn count(env: &mut Env, entries: &[Entry]) -> Outcome {
    let names: Vec<&[u8]> = entries.iter().filter(|entry| entry.is_user()).map(Entry::user).collect();
    env.stdout.write(&text!(&names.join(&b' '), "\n# users=", names.len(), "\n"))?;
    Ok(ExitStatus::SUCCESS)
}

/// A line in GNU's form, as words.
#[derive(Default)]
struct Row<'a> {
    user: &'a [u8],
    message: &'a [u8],
    line: Vec<u8>,
    time: Vec<u8>,
    idle: Vec<u8>,
    pid: Vec<u8>,
    comment: Vec<u8>,
    exit: Vec<u8>,
}

/// Which columns GNU's lines have.
struct Columns {
    message: bool,
    time_width: usize,
    idle: bool,
    short: bool,
    exit: bool,
}

impl Columns {
    fn print(&self, env: &mut Env, row: &Row<'_>) -> Result<()> {
        let mut line = text!(Left(row.user, 8));
        if self.message {
            push!(line, " ", Left(row.message, 1));
        }
        push!(line, " ", Left(&row.line, 12), " ", Left(&row.time, self.time_width));
        if self.idle && !self.short {
            push!(line, " ", Left(&row.idle, 6));
        }
        if !self.short {
            push!(line, " ", Right(&row.pid, 10, b' '));
        }
        push!(line, " ", Left(&row.comment, 8));
        if self.exit {
            push!(line, " ", &row.exit);
        }
        let length = line.trim_ascii_end().len();
        line.truncate(length);
        line.push(b'\n');
        env.stdout.write(&line)
    }
}

fn print_gnu(env: &mut Env, args: &Args<'_>, entries: &[Entry], zone: &Zone) -> Outcome {
    let all = args.has(ALL);
    let has = |option| all || args.has(option);
    let is_default = !all && ![BOOT, DEAD, LOGIN, PROCESS, RUN_LEVEL, TIME, USERS].iter().any(|&one| args.has(one));
    // POSIX XCU who: the time is as `date +"%b %e %H:%M"` prints it in the POSIX locale.
    let locale = "LC_ALL LC_TIME LANG".split(' ').find_map(|name| env.vars.get(name).filter(|it| !it.is_empty()));
    let is_posix = matches!(locale, None | Some(b"C" | b"POSIX"));
    let (form, time_width): (&[u8], _) = if is_posix { (b"%b %e %H:%M", 12) } else { (b"%Y-%m-%d %H:%M", 16) };
    let exit = has(DEAD);
    let columns = Columns {
        message: has(MESSAGES),
        time_width,
        idle: [DEAD, LOGIN, RUN_LEVEL, USERS].into_iter().any(has),
        short: (is_default || args.has(SHORT)) && !exit,
        exit,
    };
    if args.has(HEADING) {
        let [time, idle, pid, comment, exit] = ["TIME", "IDLE", "PID", "COMMENT", "EXIT"].map(|word| text!(word));
        columns
            .print(env, &Row { user: b"NAME", message: b"", line: text!("LINE"), time, idle, pid, comment, exit })?;
    }
    let is_own = args.has(OWN) || args.operands().len() == 2;
    let own = if is_own { termios::ttyname(fd::borrow(0), Vec::new()).ok() } else { None };
    let own = own.as_ref().map(|name| name.to_bytes()).unwrap_or_default();
    let own = own.strip_prefix(b"/dev/").unwrap_or(own);
    let (now, mut boot) = (Moment::now().seconds, i64::MIN);
    for entry in entries {
        let time = time::format(form, Moment { seconds: entry.seconds(), nanos: 0 }, zone);
        if entry.kind() == KIND_BOOT {
            boot = entry.seconds();
        }
        if is_own && entry.line() != own {
            continue;
        }
        let row = match entry.kind() {
            _ if entry.is_user() && (is_default || has(USERS)) => user_row(entry, now, boot),
            KIND_BOOT if has(BOOT) => Row { line: text!("system boot"), ..Row::default() },
            KIND_RUN_LEVEL if has(RUN_LEVEL) => run_level_row(entry),
            KIND_NEW_TIME if has(TIME) => Row { line: text!("clock change"), ..Row::default() },
            KIND_LOGIN if has(LOGIN) => Row { user: b"LOGIN", ..process_row(entry) },
            KIND_INIT if has(PROCESS) => process_row(entry),
            KIND_DEAD if exit => {
                let (signal, status) = entry.exit();
                let exit = text!("term=", i64::from(signal), " exit=", i64::from(status));
                Row { exit, ..process_row(entry) }
            }
            _ => continue,
        };
        columns.print(env, &Row { time, ..row })?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn user_row(entry: &Entry, now: i64, boot: i64) -> Row<'_> {
    let terminal = terminal(entry);
    let message = match terminal {
        None => b"?",
        Some(stat) if stat.st_mode & 0o020 != 0 => b"+",
        Some(_) => b"-",
    };
    let host = entry.host();
    let comment = if host.is_empty() { Vec::new() } else { text!("(", host, ")") };
    let idle = idle(terminal, now, boot, ["  .", " old", "  ?"]);
    Row { user: entry.user(), message, line: entry.line().to_vec(), idle, pid: pid(entry), comment, ..Row::default() }
}

/// The PID of that record has the level, and 256 times the one before it.
fn run_level_row(entry: &Entry) -> Row<'_> {
    let [level, last, ..] = entry.pid().to_le_bytes();
    let last = if last == b'N' { b'S' } else { last };
    let comment = if last == 0 { Vec::new() } else { text!("last=", &[last]) };
    Row { line: text!("run-level ", &[level]), comment, ..Row::default() }
}

fn process_row(entry: &Entry) -> Row<'_> {
    Row { line: entry.line().to_vec(), pid: pid(entry), comment: text!("id=", entry.id()), ..Row::default() }
}

fn pid(entry: &Entry) -> Vec<u8> {
    text!(i64::from(entry.pid()))
}
