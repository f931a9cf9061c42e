//! A user's table of jobs: crontab(5), POSIX XCU crontab.

use rbox_core::bytes::split_once;
use rbox_core::names::Names;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::time::{Civil, DAYS, MONTHS};

/// When a job runs: a bit for each value that fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Neither the days of the month nor those of the week are `*`: one of them suffices (POSIX).
    any_day: bool,
    /// `@reboot`: once, when the daemon starts.
    pub at_start: bool,
}

/// A line of a table that runs a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub schedule: Schedule,
    /// For the shell.
    pub command: Vec<u8>,
    /// What follows the first `%` that no backslash quotes, with newlines for others: standard input.
    pub input: Vec<u8>,
    /// The environment that the lines before set, in their order.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Reads a table. Lines that are wrong go to `failed`, by number from 1.
pub fn parse(content: &[u8], failed: &mut dyn FnMut(u64, Error)) -> Vec<Job> {
    let (mut jobs, mut variables) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(content.split(|&byte| byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some((name, value)) = assignment(line) {
            variables.push((name.to_vec(), value.to_vec()));
            continue;
        }
        match schedule(line) {
            Ok((schedule, command)) => {
                let (command, input) = split_input(command);
                jobs.push(Job { schedule, command, input, variables: variables.clone() });
            }
            Err(error) => failed(number, error),
        }
    }
    jobs
}

/// `NAME = VALUE`, blanks around the sign and quotes around both allowed.
fn assignment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = split_once(line, b'=')?;
    let unquoted = |text: &'_ [u8]| -> core::ops::Range<usize> {
        match text {
            [first @ (b'"' | b'\''), .., last] if first == last => 1..text.len() - 1,
            _ => 0..text.len(),
        }
    };
    let (name, value) = (name.trim_ascii(), value.trim_ascii());
    let (name, value) = (&name[unquoted(name)], &value[unquoted(value)]);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    (!name.is_empty() && name.iter().all(is_name) && !name[0].is_ascii_digit()).then_some((name, value))
}

/// The time at the start of a line, and the command after it.
fn schedule(line: &[u8]) -> Result<(Schedule, &[u8])> {
    let mut rest = line;
    let mut field = || {
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let field = &rest[..end];
        rest = rest[end..].trim_ascii_start();
        field
    };
    let first = field();
    let mut schedule = Schedule::default();
    if let Some(name) = first.strip_prefix(b"@") {
        let times: [&[u8]; 5] = match name {
            b"reboot" => {
                schedule.at_start = true;
                [b"0"; 5]
            }
            b"yearly" | b"annually" => [b"0", b"0", b"1", b"1", b"*"],
            b"monthly" => [b"0", b"0", b"1", b"*", b"*"],
            b"weekly" => [b"0", b"0", b"*", b"*", b"0"],
            b"daily" | b"midnight" => [b"0", b"0", b"*", b"*", b"*"],
            b"hourly" => [b"0", b"*", b"*", b"*", b"*"],
            _ => return Err(Error::parts(&[b"unknown time '", first, b"'"])),
        };
        if !schedule.at_start {
            schedule = Schedule::of(times)?;
        }
    } else {
        let fields = [first, field(), field(), field(), field()];
        if fields[4].is_empty() {
            return Err(Error::new("fewer than five fields"));
        }
        schedule = Schedule::of(fields)?;
    }
    if rest.is_empty() {
        return Err(Error::new("no command"));
    }
    Ok((schedule, rest))
}

impl Schedule {
    fn of([minutes, hours, days, months, weekdays]: [&[u8]; 5]) -> Result<Self> {
        let weekday_set = values(weekdays, 0, 7, "day of the week", Some(DAYS))?;
        Ok(Self {
            minutes: values(minutes, 0, 59, "minute", None)?,
            hours: values(hours, 0, 23, "hour", None)?,
            days: values(days, 1, 31, "day of the month", None)?,
            months: values(months, 1, 12, "month", Some(MONTHS))?,
            // Sunday is 0 and 7.
            weekdays: weekday_set | weekday_set >> 7 & 1,
            any_day: !days.starts_with(b"*") && !weekdays.starts_with(b"*"),
            at_start: false,
        })
    }

    /// Whether the job runs in that minute.
    pub fn fits(&self, time: &Civil) -> bool {
        let has = |set: u64, value: u8| set >> value & 1 != 0;
        let (day, weekday) = (has(self.days, time.day), has(self.weekdays, time.weekday));
        !self.at_start
            && has(self.minutes, time.minute)
            && has(self.hours, time.hour)
            && has(self.months, time.month)
            && if self.any_day { day || weekday } else { day && weekday }
    }
}

/// The number of a month or a day by the first three characters of its name.
fn number_of(names: Names, word: &[u8]) -> Option<u64> {
    let is_it = |name: &str| word.len() == 3 && name.as_bytes()[..3].eq_ignore_ascii_case(word);
    names.iter().find(|(name, _)| is_it(name)).map(|(_, number)| number)
}

/// The set that a field means: `*`, numbers, ranges, each with `/STEP`, between commas.
fn values(field: &[u8], low: u64, high: u64, what: &str, names: Option<Names>) -> Result<u64> {
    let wrong = || Error::new(text!("bad ", what, " '", field, "'"));
    let number = |word: &[u8]| {
        let number = parse_decimal(word).or_else(|| number_of(names?, word));
        number.filter(|number| (low..=high).contains(number)).ok_or_else(wrong)
    };
    let mut set = 0;
    for part in field.split(|&byte| byte == b',') {
        let (range, step) = split_once(part, b'/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step = step.map(|step| parse_decimal(step).filter(|&step| step > 0).ok_or_else(wrong)).transpose()?;
        let (first, last) = match split_once(range, b'-') {
            _ if range == b"*" => (low, if high == 7 { 6 } else { high }),
            Some((first, last)) => (number(first)?, number(last)?),
            // `5/10` is 5, 15, 25 ...
            None if step.is_some() => (number(range)?, high),
            None => (number(range)?, number(range)?),
        };
        let step = step.unwrap_or(1);
        // A range may go over the end: 22-2.
        let span = if first <= last { last - first } else { last + (high + 1 - low) - first };
        let mut at = 0;
        while at <= span {
            set |= 1 << (low + (first - low + at) % (high + 1 - low));
            at = at.saturating_add(step);
        }
    }
    Ok(set)
}

/// POSIX: a `%` ends the command, what follows is its input, `\%` is a percent sign.
fn split_input(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut parts, mut at) = ([Vec::new(), Vec::new()], 0);
    let mut is_input = false;
    while at < line.len() {
        let part = &mut parts[usize::from(is_input)];
        match &line[at..] {
            [b'\\', b'%', ..] => {
                part.push(b'%');
                at += 1;
            }
            [b'%', ..] if is_input => part.push(b'\n'),
            [b'%', ..] => is_input = true,
            [byte, ..] => part.push(*byte),
            [] => {}
        }
        at += 1;
    }
    let [command, mut input] = parts;
    if is_input && !input.ends_with(b"\n") {
        input.push(b'\n');
    }
    (command, input)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let time = Civil::from_clock(951_782_400);
    for job in parse(data, &mut |_, _| {}) {
        job.schedule.fits(&time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(field: &str, seconds: i64) -> bool {
        let line = format!("{field} command");
        schedule(line.as_bytes()).expect("the time is right").0.fits(&Civil::from_clock(seconds))
    }

    /// Saturday, 2000-02-05 12:30.
    const SATURDAY: i64 = 949_753_800;

    #[test]
    fn fields_are_numbers_ranges_steps_and_names() {
        for field in ["30 12 5 2 6", "* * * * *", "*/15 * * * *", "0,30 * * * *", "25-35 11-13 * * *", "* * * feb sat"]
        {
            assert!(runs(field, SATURDAY), "{field}");
        }
        for field in ["31 * * * *", "*/7 * * * *", "* 13 * * *", "* * 6 * *", "* * * 3 *", "* * * * 0", "* * * * 1-5"] {
            assert!(!runs(field, SATURDAY), "{field}");
        }
        assert!(runs("* 22-12 * * *", SATURDAY) && !runs("* 22-11 * * *", SATURDAY));
        assert!(runs("10/10 * * * *", SATURDAY) && !runs("10/15 * * * *", SATURDAY));
        assert!(runs("* * * * 7", SATURDAY + 86_400) && runs("* * * * 5-7", SATURDAY + 86_400));
    }

    #[test]
    fn one_of_two_kinds_of_days_suffices() {
        assert!(runs("* * 1 * 6", SATURDAY) && runs("* * 5 * 1", SATURDAY) && !runs("* * 1 * 1", SATURDAY));
        assert!(!runs("* * */2 * 1", SATURDAY) && runs("* * */2 * 6", SATURDAY));
    }

    #[test]
    fn tables_have_variables_comments_and_errors() {
        let table = b"# comment\nMAILTO=me\n  SHELL = '/bin/x y'\n@daily a=b c\n0 0 * * * echo 1%in\\%put%two\n";
        let table = [&table[..], b"60 * * * * x\n* * * *\n@never x\n1 2 3 4 5\n*/0 * * * * x\n1- * * * * x"].concat();
        let mut wrong = Vec::new();
        let jobs = parse(&table, &mut |number, error| {
            wrong.push((number, String::from_utf8(error.message().to_vec()).expect("ASCII")));
        });
        assert_eq!(jobs.len(), 2);
        assert_eq!((jobs[0].command.as_slice(), jobs[0].variables.len()), (&b"a=b c"[..], 2));
        assert_eq!(jobs[0].variables[1], (b"SHELL".to_vec(), b"/bin/x y".to_vec()));
        assert_eq!((jobs[1].command.as_slice(), jobs[1].input.as_slice()), (&b"echo 1"[..], &b"in%put\ntwo\n"[..]));
        let wrong: Vec<_> = wrong.iter().map(|(number, message)| (*number, message.as_str())).collect();
        assert_eq!(wrong[0], (6, "bad minute '60'"));
        assert_eq!(wrong.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [6, 7, 8, 9, 10, 11]);
    }
}
