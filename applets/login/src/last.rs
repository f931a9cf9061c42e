//! `last`: print who was logged in, the newest first, by the records of wtmp(5).
//!
//! The lines are those of util-linux and System V's last, which are BusyBox's with all its features.

use rbox_core::bytes::base_name;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text::{Left, Right};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::utmp::{Entry, Kind, Records, WTMP};
use rbox_core::{push, text};

options! {
    "[-aFHiRWx] [-n N] [-f FILE] [-s TIME] [-t TIME] [-p TIME] [USER | TERMINAL]...

Print when users logged in and out, the newest first; with operands, those USERs and TERMINALs only.

  -f, --file=FILE         Read FILE, not /var/log/wtmp
  -n, --limit=N           Print at most N lines
  -NUM                    Same as -n NUM
  -s, --since=TIME        Print who logged in from TIME on
  -t, --until=TIME        Print what was known at TIME
  -p, --present=TIME      Print who was there at TIME
  -F, --fulltimes         Print times with seconds and years
      --time-format=FORMAT  Print times as notime, short (default), full, iso
  -H                      Print a header
  -a, --hostlast          Print hosts at the end of the lines
  -i, --ip                Print addresses, not hosts
  -R, --nohostname        Print no hosts
  -W, -w, --fullnames     Print names and hosts in full
  -x, --system            Print shutdowns and changes of the run level too";
    FILE = "-f",
    LIMIT = "-n",
    NUMBER = "-NUM",
    SINCE = "-s",
    UNTIL = "-t",
    PRESENT = "-p",
    FULL_TIMES = "-F",
    TIME_FORMAT = "--time-format",
    HOST_LAST = "-a",
    ADDRESS = "-i",
    HEADER = "-H",
    NO_HOST = "-R",
    FULL_NAMES = "-W",
    SYSTEM = "-x",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// utmp(5), ut_type: the machine has started.
const BOOT: i16 = 2;

/// How a session ended.
#[derive(Clone, Copy)]
enum End {
    /// By a logout, or what else is recorded.
    At(i64),
    /// The machine went down, or came up again without having gone down.
    Down(i64),
    Crash(i64),
    /// The session is there.
    LoggedIn,
    /// Nothing says that it ended, and its process is not there.
    Gone,
    /// The machine runs.
    Running,
}

/// How times are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    None,
    Short,
    Full,
    Iso,
}

impl Form {
    fn of(args: &Args<'_>) -> Result<Self> {
        Ok(match (args.last_of(&[FULL_TIMES, TIME_FORMAT]), args.value(TIME_FORMAT)) {
            (None, _) | (Some(TIME_FORMAT), Some(b"short")) => Self::Short,
            (Some(FULL_TIMES), _) | (_, Some(b"full")) => Self::Full,
            (_, Some(b"notime")) => Self::None,
            (_, Some(b"iso")) => Self::Iso,
            (_, word) => return Err(Error::parts(&[b"unknown time format '", word.unwrap_or_default(), b"'"])),
        })
    }

    /// The format of a whole time; strftime(3).
    fn whole(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Short => b"%a %b %e %H:%M",
            Self::Full => b"%c",
            Self::Iso => b"%Y-%m-%dT%H:%M:%S%:z",
        }
    }
}

/// The time of an option.
fn moment(args: &Args<'_>, option: Opt, zone: &Zone) -> Result<Option<i64>> {
    let Some(word) = args.value(option) else { return Ok(None) };
    // YYYYMMDDhhmmss, as util-linux reads it.
    let time = match word.split_at_checked(12) {
        Some((minutes, seconds)) if word.len() == 14 && word.iter().all(u8::is_ascii_digit) => {
            time::parse_digits(&[minutes, b".", seconds].concat(), false, Moment::now(), zone)
        }
        _ => time::parse(word, Moment::now(), zone),
    };
    time.map(|time| Some(time.seconds)).ok_or_else(|| Error::parts(&[b"invalid date '", word, b"'"]))
}

struct Last<'a> {
    args: &'a Args<'a>,
    zone: Zone,
    form: Form,
    /// The times of `-s`, `-t` and `-p`.
    since: Option<i64>,
    until: Option<i64>,
    present: Option<i64>,
    left: u64,
    /// Terminals whose session ended, and when: a logout or the next login.
    ends: Vec<(Vec<u8>, i64)>,
    /// When the machine went down for good after what is read, and the last change of the run level.
    shutdown: Option<i64>,
    changed: i64,
    /// How and when the machine went down or started after what is read.
    down: Option<End>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.value(FILE).unwrap_or(WTMP.as_bytes());
    let left = match args.last_of(&[LIMIT, NUMBER]).and_then(|option| args.value(option)) {
        // The manual: 0 is no limit.
        Some(word) => parse_decimal(word).ok_or_else(|| rbox_core::number::invalid(word))?,
        None => 0,
    };
    let mut records = Records::open(Some(path))?;
    let zone = Zone::load(env.vars.get("TZ"));
    let mut last = Last {
        args,
        form: Form::of(args)?,
        since: moment(args, SINCE, &zone)?,
        until: moment(args, UNTIL, &zone)?,
        present: moment(args, PRESENT, &zone)?,
        zone,
        left: if left == 0 { u64::MAX } else { left },
        ends: Vec::new(),
        shutdown: None,
        changed: Moment::now().seconds,
        down: None,
    };
    if args.has(HEADER) {
        last.print(env, [b"USER", b"TTY", b"HOST"], b"LOGIN", b"", b" TIME")?;
        // No line of the history.
        last.left = last.left.saturating_add(1);
    }
    let mut index = records.count();
    while index > 0 && last.left > 0 {
        index -= 1;
        if let Some(entry) = records.get(index)? {
            last.take(env, &entry)?;
        }
    }
    if let Some(first) = records.get(0)?.filter(|_| last.form != Form::None) {
        let form: &[u8] = if last.form == Form::Iso { last.form.whole() } else { b"%c" };
        let begin = time::format(form, Moment { seconds: first.seconds(), nanos: 0 }, &last.zone);
        env.stdout.write(&text!("\n", base_name(path), " begins ", begin, "\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}

impl Last<'_> {
    /// The next record, older than all before.
    fn take(&mut self, env: &mut Env, entry: &Entry) -> Result<()> {
        let when = entry.seconds();
        if self.until.is_some_and(|until| when > until) {
            return Ok(());
        }
        let is_system = entry.line() == b"~";
        if entry.kind() == BOOT || is_system && entry.user() == b"reboot" {
            let end = self.shutdown.map_or(End::Running, End::At);
            self.list(env, entry, b"system boot", end)?;
            self.went_down(End::Crash(when));
        } else if is_system && entry.user() == b"shutdown" {
            if self.args.has(SYSTEM) {
                let end = match self.down {
                    Some(End::Crash(at) | End::Down(at)) => at,
                    _ => Moment::now().seconds,
                };
                self.list(env, entry, b"system down", End::At(end))?;
            }
            (self.shutdown, self.changed) = (Some(when), when);
            self.went_down(End::Down(when));
        } else if entry.kind() == Kind::RunLevel as i16 {
            let level = entry.pid().to_le_bytes()[0];
            if self.args.has(SYSTEM) {
                self.list(env, entry, &text!("(to lvl ", &[level], ")"), End::At(self.changed))?;
            }
            if matches!(level, b'0' | b'6') {
                self.shutdown = Some(when);
                self.went_down(End::Down(when));
            }
            self.changed = when;
        } else if entry.is_user() && !entry.line().is_empty() {
            let known = self.ends.iter_mut().find(|(line, _)| line == entry.line());
            let end = match (&known, self.down) {
                (Some((_, end)), _) => End::At(*end),
                (None, Some(down)) => down,
                (None, None) if rbox_core::processes::read_file(entry.pid(), "stat").is_some() => End::LoggedIn,
                (None, None) => End::Gone,
            };
            self.ended(entry);
            self.list(env, entry, entry.line(), end)?;
        } else if entry.kind() == Kind::Dead as i16 && !entry.line().is_empty() {
            self.ended(entry);
        }
        Ok(())
    }

    /// A session of that terminal that began before ended now.
    fn ended(&mut self, entry: &Entry) {
        self.ends.retain(|(line, _)| line != entry.line());
        self.ends.push((entry.line().to_vec(), entry.seconds()));
    }

    fn went_down(&mut self, how: End) {
        self.down = Some(how);
        self.ends.clear();
    }

    /// Prints the line of an entry, if it is asked for.
    fn list(&mut self, env: &mut Env, entry: &Entry, line: &[u8], end: End) -> Result<()> {
        let wanted = self.args.operands();
        let is_it = |word: &[u8]| {
            word == entry.user() || word == line || line.strip_prefix(b"tty").is_some_and(|number| number == word)
        };
        if !wanted.is_empty() && !wanted.iter().any(|&word| is_it(word)) {
            return Ok(());
        }
        let is_later = match end {
            End::At(at) | End::Down(at) | End::Crash(at) => self.present.is_some_and(|present| present > at),
            _ => false,
        };
        let began = entry.seconds();
        if is_later || self.since.is_some_and(|since| began < since) || self.present.is_some_and(|at| began > at) {
            return Ok(());
        }
        let form = self.form.whole();
        let end_form = if self.form == Form::Short { b"%H:%M" } else { form };
        let time = |form: &[u8], seconds| time::format(form, Moment { seconds, nanos: 0 }, &self.zone);
        let begin = time(form, entry.seconds());
        let (word, until) = match end {
            End::At(at) => (text!("- ", time(end_form, at)), at),
            End::Down(at) => (text!("- down"), at),
            End::Crash(at) => (text!("- crash"), at),
            End::LoggedIn => return self.print_open(env, entry, line, &begin, "  still", "logged in"),
            End::Running => return self.print_open(env, entry, line, &begin, "  still", "running"),
            End::Gone => return self.print_open(env, entry, line, &begin, "   gone", "- no logout"),
        };
        let span = span(until.saturating_sub(entry.seconds()));
        self.print(env, [entry.user(), line, &self.host(entry)], &begin, &word, &span)
    }

    /// A line without an end.
    fn print_open(
        &mut self,
        env: &mut Env,
        entry: &Entry,
        line: &[u8],
        begin: &[u8],
        one: &str,
        other: &str,
    ) -> Result<()> {
        let host = self.host(entry);
        let names = [entry.user(), line, &host];
        if self.form == Form::None {
            return self.print(env, names, begin, b"", other.trim_start_matches("- ").as_bytes());
        }
        if self.form != Form::Short {
            return self.print(
                env,
                names,
                begin,
                &text!(one.strip_prefix("   ").map_or(one, |_| "  gone"), " ", other),
                b"",
            );
        }
        self.print(env, names, begin, one.as_bytes(), other.as_bytes())
    }

    /// Where the user comes from, as it is printed.
    fn host(&self, entry: &Entry) -> Vec<u8> {
        if self.args.has(ADDRESS) { text!(entry.address()) } else { entry.host().to_vec() }
    }

    fn print(&mut self, env: &mut Env, names: [&[u8]; 3], begin: &[u8], end: &[u8], span: &[u8]) -> Result<()> {
        self.left -= 1;
        let is_full = self.args.has(FULL_NAMES);
        let cut = |text: &'_ [u8], most: usize| if is_full { text.len() } else { text.len().min(most) };
        let [user, line, host] = names;
        let mut text = text!(Left(&user[..cut(user, 8)], 8), " ", Left(&line[..line.len().min(12)], 12), " ");
        let (has_host, is_last) = (!self.args.has(NO_HOST), self.args.has(HOST_LAST));
        if has_host && !is_last {
            push!(text, Left(&host[..cut(host, 16)], 16), " ");
        }
        let (time, until) = match self.form {
            Form::None => (0, 0),
            Form::Short => (16, 7),
            Form::Full => (24, 26),
            Form::Iso => (25, 27),
        };
        let end = if self.form == Form::None { b"" } else { end };
        push!(text, Left(begin, time), " ", Left(end, until), " ", Left(span, if is_last { 12 } else { 0 }));
        if has_host && is_last {
            push!(text, " ", host);
        }
        text.truncate(text.trim_ascii_end().len());
        text.push(b'\n');
        env.stdout.write(&text)
    }
}

/// A span as `(DAYS+HH:MM)`.
fn span(seconds: i64) -> Vec<u8> {
    let (minutes, sign) = (seconds.unsigned_abs() / 60, if seconds < 0 { "-" } else { "" });
    let mut text = text!(sign);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    push!(text, Right(hours, 2, b'0'), ":", Right(minutes, 2, b'0'));
    if days > 0 { text!("(", sign, days, "+", text, ")") } else { text!(" (", text, ")") }
}
