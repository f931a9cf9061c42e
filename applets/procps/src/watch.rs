//! `watch`: run a command again and again, on a clear screen (as in procps).

use core::time::Duration;

use rbox_core::call;
use rbox_core::duration;
use rbox_core::number::invalid;
use rbox_core::prelude::*;
use rbox_core::term::window;
use rbox_core::text;
use rbox_core::time::{self, Moment, Zone};

options! {
    "[-tx] [-n SECONDS] COMMAND [WORD]...

Run COMMAND as a shell command line periodically and show its output on the screen.

  -n, --interval=SECONDS  Set the interval (2)
  -t, --no-title          Print no header
  -x, --exec              Execute COMMAND without a shell
  -d, --differences       Ignored; accepted for compatibility";
    INTERVAL = "-n",
    NO_TITLE = "-t",
    EXEC = "-x",
    "-d" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, usize::MAX)?;
    let period = match args.value(INTERVAL) {
        Some(word) if word.starts_with(b"-") => return Err(invalid(word)),
        Some(word) => duration::parse(word)?,
        None => Duration::from_secs(2),
    };
    let line = words.join(&b' ');
    let zone = Zone::load(env.vars.get("TZ"));
    loop {
        env.stdout.write(b"\x1b[H\x1b[J")?;
        if !args.has(NO_TITLE) {
            let columns = window(1).unwrap_or(80);
            let title = title(&line, period, &time::format(b"%Y-%m-%d %H:%M:%S", Moment::now(), &zone), columns);
            env.stdout.write(&title)?;
        }
        // What it returns makes no difference: it will be run again.
        if args.has(EXEC) {
            call::run(env, words)?;
        } else {
            call::run(env, &[b"sh", b"-c", &line])?;
        }
        duration::sleep(period);
    }
}

/// What is run how often, and when: one line less than the screen's width, and an empty one.
fn title(line: &[u8], period: Duration, now: &[u8], columns: usize) -> Vec<u8> {
    let tenths = period.as_millis().saturating_add(50) / 100;
    let tenths = u64::try_from(tenths).unwrap_or(u64::MAX);
    let mut title = text!("Every ", tenths / 10, ".", tenths % 10, "s: ", line);
    title.iter_mut().filter(|byte| **byte < b' ').for_each(|byte| *byte = b' ');
    title.resize(columns.saturating_sub(now.len() + 1), b' ');
    text!(title, now, "\n\n")
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::*;

    #[test]
    fn the_title_fills_the_line() {
        let line = |text: &[u8], columns| String::from_utf8(title(text, Duration::from_millis(1960), b"NOW", columns));
        assert_eq!(line(b"ls", 22).as_deref(), Ok("Every 2.0s: ls    NOW\n\n"));
        assert_eq!(line(b"ls -l /etc", 22).as_deref(), Ok("Every 2.0s: ls -l NOW\n\n"));
        assert_eq!(line(b"ls", 1).as_deref(), Ok("NOW\n\n"));
    }

    #[test]
    fn wrong_periods_are_named() {
        for word in ["x", "-1"] {
            let ran = try_call(APPLET, &["watch", "-n", word, "true"], b"");
            assert_eq!((ran.status, ran.stderr), (1, format!("watch: invalid number '{word}'\n")));
        }
    }
}
