//! `date`: print or set the clock (POSIX XCU date), with GNU's `-d`, `-I`, `-R` and BusyBox's `-D`.

use rbox_core::prelude::*;
use rbox_core::sys::fs::stat;
use rbox_core::sys::time::{ClockId, Timespec, clock_settime};
use rbox_core::time::{self, Moment, Zone};

options! {
    "[-Ru] [-I[SPEC]] [-D FORMAT] [-d TIME | -f FILE | -r FILE] [+FORMAT] | [-s] TIME

Print the time in FORMAT, or set the clock.

  -u, --utc, --universal       Use UTC
  -d, --date=TIME              Print TIME, not now
  -D FORMAT                    Parse TIME by FORMAT, as strptime(3)
  -f, --file=FILE              Print each TIME in FILE, one per line
  -r, --reference=FILE         Print the modification time of FILE
  -s, --set=TIME               Set the clock to TIME
  -R, --rfc-2822, --rfc-email  Print as Mon, 23 Nov 2026 10:20:30 +0000
  -I[SPEC], --iso-8601[=SPEC]  Print as 2026-11-23; SPEC: date, hours, minutes, seconds, ns
      --rfc-3339=SPEC          Print as 2026-11-23 10:20:30+00:00; SPEC: date, seconds, ns

TIME is 2026-11-23 10:20[:30], 10:20[:30], @SECONDS, [[[[[CC]YY]MM]DD]hh]mm[.ss],
as operand MMDDhhmm[[CC]YY][.ss], or words such as 'next week', '+30 minutes', 'last monday', '3pm CET'.";
    UTC = "-u",
    DATE = "-d",
    FORM = "-D",
    LIST = "-f",
    REFERENCE = "-r",
    SET = "-s",
    MAIL = "-R",
    ISO = "-I",
    RFC3339 = "--rfc-3339",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let zone = if args.has(UTC) { Zone::utc() } else { Zone::load(env.vars.get("TZ")) };
    let mut pattern = None;
    let mut new_time = args.value(SET);
    for operand in args.operands_between(0, 2)? {
        match operand.strip_prefix(b"+") {
            Some(format) if pattern.is_none() => pattern = Some(format),
            None if new_time.is_none() => new_time = Some(operand),
            _ => return Err(Error::usage()),
        }
    }
    let pattern = pattern.unwrap_or(fixed_format(args)?);
    let form = args.value(FORM);
    let print = |env: &mut Env, moment| {
        let mut line = time::format(pattern, moment, &zone);
        line.push(b'\n');
        env.stdout.write(&line)
    };
    let moment = match (new_time, args.last_of(&[DATE, REFERENCE, LIST])) {
        (Some(word), _) => {
            let moment = read(word, form, !args.has(SET), &zone)?;
            set(moment)?;
            moment
        }
        (None, Some(LIST)) => {
            let mut status = ExitStatus::SUCCESS;
            let mut input = env.open(args.value(LIST).unwrap_or_default())?;
            while let Some(line) = input.record_for(b'\n', &mut env.stdout)? {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                match read(line, form, false, &zone) {
                    Ok(moment) => print(env, moment)?,
                    Err(error) => status.worsen(env.warn(error)),
                }
            }
            return Ok(status);
        }
        (None, Some(DATE)) => read(args.value(DATE).unwrap_or_default(), form, false, &zone)?,
        (None, Some(_)) => last_change(args.value(REFERENCE).unwrap_or_default())?,
        (None, None) => Moment::now(),
    };
    print(env, moment)?;
    Ok(ExitStatus::SUCCESS)
}

fn fixed_format(args: &Args<'_>) -> Result<&'static [u8]> {
    let invalid = |spec: &[u8]| Err(Error::parts(&[b"invalid argument '", spec, b"'"]));
    Ok(match args.last_of(&[MAIL, ISO, RFC3339]) {
        None => b"%a %b %e %H:%M:%S %Z %Y",
        Some(MAIL) => b"%a, %d %b %Y %H:%M:%S %z",
        Some(ISO) => match args.value(ISO).unwrap_or(b"date") {
            b"" => return invalid(b""),
            spec if b"date".starts_with(spec) => b"%Y-%m-%d",
            spec if b"hours".starts_with(spec) => b"%Y-%m-%dT%H%:z",
            spec if b"minutes".starts_with(spec) => b"%Y-%m-%dT%H:%M%:z",
            spec if b"seconds".starts_with(spec) => b"%Y-%m-%dT%H:%M:%S%:z",
            spec if b"ns".starts_with(spec) => b"%Y-%m-%dT%H:%M:%S,%N%:z",
            spec => return invalid(spec),
        },
        Some(_) => match args.value(RFC3339).unwrap_or_default() {
            b"date" => b"%Y-%m-%d",
            b"seconds" => b"%Y-%m-%d %H:%M:%S%:z",
            b"ns" => b"%Y-%m-%d %H:%M:%S.%N%:z",
            spec => return invalid(spec),
        },
    })
}

/// `year_last`: digits are POSIX's, which have the year at their end.
fn read(word: &[u8], form: Option<&[u8]>, year_last: bool, zone: &Zone) -> Result<Moment> {
    let now = Moment::now();
    let digits = || match year_last {
        true => time::parse_digits(word, true, now, zone),
        false => time::parse_last_digits(word, now, zone),
    };
    let moment = match form {
        Some(form) => time::parse_as(word, form, now, zone),
        None => digits().or_else(|| time::parse(word, now, zone)),
    };
    moment.ok_or_else(|| Error::parts(&[b"invalid date '", word, b"'"]))
}

fn last_change(file: &[u8]) -> Result<Moment> {
    let stat = stat(file).map_err(|errno| Error::on(file, errno))?;
    Ok(Moment { seconds: stat.st_mtime, nanos: stat.st_mtime_nsec as u32 })
}

fn set(moment: Moment) -> Result<()> {
    let time = Timespec { tv_sec: moment.seconds, tv_nsec: moment.nanos.into() };
    clock_settime(ClockId::Realtime, time).map_err(|errno| Error::on("can't set date", errno))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn prints_a_given_time_in_many_forms() {
        let date = |words: &[&str]| try_call(APPLET, words, b"").stdout;
        assert_eq!(date(&["date", "-u", "-d", "@0"]), "Thu Jan  1 00:00:00 UTC 1970\n");
        assert_eq!(date(&["date", "-uR", "-d", "@0"]), "Thu, 01 Jan 1970 00:00:00 +0000\n");
        assert_eq!(date(&["date", "-u", "-Iseconds", "-d", "2026-11-23 10:20"]), "2026-11-23T10:20:00+00:00\n");
        assert_eq!(date(&["date", "-u", "-d", "1970-01-02", "+%s"]), "86400\n");
    }

    #[test]
    fn names_what_is_no_date() {
        let ran = try_call(APPLET, &["date", "-d", "never"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "date: invalid date 'never'\n"));
    }
}
