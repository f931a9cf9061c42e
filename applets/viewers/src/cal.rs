//! `cal`: print a calendar (POSIX XCU cal), Gregorian from 14 September 1752 on and Julian before, as in Britain.

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::Right;
use rbox_core::time::{MONTHS, Moment, Zone};

options! {
    "[-3jmy] [[MONTH] YEAR]

Print the calendar of this month, of MONTH (1-12) of YEAR (1-9999), or of a whole YEAR.

  -3, --three   Print the months before and after too
  -j, --julian  Print days as days of the year
  -m, --monday  Let weeks begin on Monday
  -y, --year    Print the whole year";
    THREE = "-3",
    JULIAN = "-j",
    MONDAY = "-m",
    YEAR = "-y",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// Bytes of a line of several months, as BusyBox prints one without days.
const LINE: usize = 79;
/// Columns between two months.
const GAP: usize = 2;

/// How days are printed.
#[derive(Clone, Copy)]
struct Form {
    of_year: bool,
    monday: bool,
}

impl Form {
    /// Columns of a day, with the blank before it.
    fn day(self) -> usize {
        if self.of_year { 4 } else { 3 }
    }

    fn week(self) -> usize {
        7 * self.day() - 1
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let form = Form { of_year: args.has(JULIAN), monday: args.has(MONDAY) };
    let today = Zone::load(env.vars.get("TZ")).civil(Moment::now().seconds);
    let (mut month, mut year) = (u64::from(today.month), today.year as u64);
    let mut whole = args.has(YEAR);
    match args.operands_between(0, 2)? {
        [] => {}
        [word] => {
            year = parse_in_range(word, 1, 9999)?;
            whole = !args.has(THREE);
        }
        [first, second, ..] => {
            year = parse_in_range(second, 1, 9999)?;
            month = parse_in_range(first, 1, 12)?;
        }
    }
    let mut out = Vec::new();
    if whole {
        let months = if form.of_year { 2 } else { 3 };
        let width = months * form.week() + (months - 1) * GAP;
        push_centred(&mut out, &rbox_core::text!(year), width, 0);
        out.extend_from_slice(b"\n\n");
        for first in (1..=12).step_by(months) {
            push_months(
                &mut out,
                form,
                &core::array::from_fn::<_, 3, _>(|at| (first + at as u64, year))[..months],
                false,
            );
        }
    } else if args.has(THREE) {
        let before = if month == 1 { (12, year - 1) } else { (month - 1, year) };
        let after = if month == 12 { (1, year + 1) } else { (month + 1, year) };
        push_months(&mut out, form, &[before, (month, year), after], true);
    } else {
        push_month(&mut out, form, month, year);
    }
    env.stdout.write(&out)?;
    Ok(ExitStatus::SUCCESS)
}

fn title(month: u64, year: u64) -> Vec<u8> {
    rbox_core::text!(MONTHS.name_of(month).unwrap_or_default(), " ", year)
}

fn push_month(out: &mut Vec<u8>, form: Form, month: u64, year: u64) {
    let title = title(month, year);
    out.resize((form.week() - title.len()) / 2, b' ');
    push!(*out, &title, "\n");
    push_weekdays(out, form);
    out.push(b'\n');
    let days = days(month, year, form);
    for week in days.chunks(7) {
        let mut line = Vec::new();
        push_days(&mut line, form, week);
        // As BusyBox: a week without days keeps its blanks, and one more.
        line.push(b' ');
        push_trimmed(out, &line);
    }
}

/// Prints months side by side.
fn push_months(out: &mut Vec<u8>, form: Form, months: &[(u64, u64)], with_year: bool) {
    for (at, &(month, year)) in months.iter().enumerate() {
        let name = MONTHS.name_of(month).unwrap_or_default().as_bytes().to_vec();
        let gap = if at + 1 < months.len() { GAP } else { 0 };
        push_centred(out, &if with_year { title(month, year) } else { name }, form.week(), gap);
    }
    out.push(b'\n');
    for at in 0..months.len() {
        out.extend_from_slice(if at > 0 { b"  " } else { b"" });
        push_weekdays(out, form);
    }
    out.push(b'\n');
    let days: Vec<[u64; 42]> = months.iter().map(|&(month, year)| days(month, year, form)).collect();
    for week in 0..6 {
        let mut line = Vec::new();
        for (at, month) in days.iter().enumerate() {
            line.resize(at * (form.week() + GAP), b' ');
            push_days(&mut line, form, &month[7 * week..7 * week + 7]);
        }
        line.resize(LINE.max(line.len()), b' ');
        push_trimmed(out, &line);
    }
}

fn push_centred(out: &mut Vec<u8>, text: &[u8], width: usize, gap: usize) {
    let end = out.len() + width + gap;
    out.resize(out.len() + width.saturating_sub(text.len()) / 2, b' ');
    out.extend_from_slice(text);
    out.resize(end.max(out.len()), b' ');
}

fn push_weekdays(out: &mut Vec<u8>, form: Form) {
    for at in 0..7 {
        let day = (at + usize::from(form.monday)) % 7;
        let width = form.day() - usize::from(at == 0);
        push!(*out, Right(&b"SuMoTuWeThFrSa"[2 * day..2 * day + 2], width, b' '));
    }
}

fn push_days(line: &mut Vec<u8>, form: Form, week: &[u64]) {
    for (at, &day) in week.iter().enumerate() {
        let width = form.day() - usize::from(at == 0);
        match day {
            0 => line.resize(line.len() + width, b' '),
            _ => push!(*line, Right(day, width, b' ')),
        }
    }
}

/// Adds a line without the blanks at its end, unless there is nothing else.
fn push_trimmed(out: &mut Vec<u8>, line: &[u8]) {
    let trimmed = line.trim_ascii_end();
    push!(*out, if trimmed.is_empty() { line } else { trimmed }, "\n");
}

/// Whether the year has 29 February.
fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (year <= 1752 || !year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days of the months before that one in the year, of which September 1752 has 30 for this.
fn days_before(month: u64, year: u64) -> u64 {
    (1..month).map(|month| length(month, year)).sum()
}

fn length(month: u64, year: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of the week of 1 January, 0 for Sunday. 1 January of year 1 was a Saturday.
fn first_weekday(year: u64) -> u64 {
    let before = year - 1;
    let leaps = before / 4 - if before > 1752 { before / 100 - 17 - (before / 400 - 4) } else { 0 };
    let dropped = if before >= 1752 { 11 } else { 0 };
    (6 + 365 * before + leaps - dropped) % 7
}

/// The days of a month in six weeks, 0 where there is none.
fn days(month: u64, year: u64, form: Form) -> [u64; 42] {
    let mut days = [0; 42];
    let is_cut = (month, year) == (9, 1752);
    let before = days_before(month, year);
    let dropped = if year == 1752 && month > 9 { 11 } else { 0 };
    let first = (first_weekday(year) + before + 7 * 11 - dropped + 7 - u64::from(form.monday)) % 7;
    let there = (1..=length(month, year)).filter(|day| !is_cut || !(3..14).contains(day));
    for (at, day) in (first as usize..).zip(there) {
        days[at] = if form.of_year { before + day } else { day };
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_day() {
        let form = Form { of_year: false, monday: false };
        let first = |month, year| days(month, year, form).iter().position(|&day| day == 1);
        assert_eq!(first(11, 2026), Some(0));
        assert_eq!(first(1, 1), Some(6));
        assert_eq!(first(9, 1752), Some(2));
        assert_eq!(first(10, 1752), Some(0));
        assert_eq!(first(1, 1753), Some(1));
        assert_eq!(first(3, 1900), Some(4));
        assert_eq!(first(2, 9999), Some(1));
    }
}
