//! `uptime`: how long the machine runs, and its load (proc(5), /proc/loadavg).

use rbox_core::bytes;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::io::Input;
use rbox_core::number::{Decimal, push_padded};
use rbox_core::prelude::*;
use rbox_core::time::{self, Moment, Zone};
use rbox_core::utmp;

options! {
    "[-s]

Print the time, the time since boot, and the load averages of 1, 5 and 15 minutes.

  -s, --since  Print the time of boot, as YYYY-MM-DD HH:MM:SS";
    SINCE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let zone = Zone::load(env.vars.get("TZ"));
    if args.has(SINCE) {
        let now = Moment::now();
        let boot = Moment { seconds: now.seconds - (uptime_milliseconds() / 1000) as i64, ..now };
        env.stdout.write(&time::format(b"%Y-%m-%d %H:%M:%S\n", boot, &zone))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let mut line = time::format(b" %H:%M:%S up ", Moment::now(), &zone);
    push_uptime(&mut line, uptime_milliseconds() / 60_000);
    line.extend_from_slice(&[b",  ", Decimal::new(utmp::users()).as_bytes(), b" users"].concat());
    let load = Input::open(b"/proc/loadavg")?.read_to_end()?;
    let load: Vec<&[u8]> = bytes::words(&load).take(3).collect();
    line.extend_from_slice(&[b",  load average: ", &load.join(&b", "[..])[..], b"\n"].concat());
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}

fn push_uptime(line: &mut Vec<u8>, minutes: u64) {
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    if days > 0 {
        let unit: &[u8] = if days == 1 { b" day, " } else { b" days, " };
        line.extend_from_slice(&[Decimal::new(days).as_bytes(), unit].concat());
    }
    if hours == 0 {
        return line.extend_from_slice(&[Decimal::new(minutes).as_bytes(), b" min"].concat());
    }
    push_padded(line, hours, 2);
    line.push(b':');
    line.extend_from_slice(if minutes < 10 { b"0" } else { b"" });
    line.extend_from_slice(Decimal::new(minutes).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::push_uptime;

    #[test]
    fn times_are_days_hours_and_minutes() {
        let text = |minutes| {
            let mut line = Vec::new();
            push_uptime(&mut line, minutes);
            line
        };
        assert_eq!(
            (text(5), text(134), text(1440 + 605)),
            (b"5 min".to_vec(), b" 2:14".to_vec(), b"1 day, 10:05".to_vec())
        );
    }
}
