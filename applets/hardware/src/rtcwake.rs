//! `rtcwake`: suspend the machine until a time (rtcwake(8)).

use rbox_core::daemon::pause;
use rbox_core::io::{Output, read_file};
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::rtc::{self, Alarm};
use rbox_core::sys::{AsFd, Errno, OwnedFd};
use rbox_core::text;
use rbox_core::time::{Civil, Moment, Zone, format, parse};

use crate::clock::{is_local, open, reading_of, seconds_of};

options! {
    "[-aluv] [-d CLOCK] [-m MODE] {-s SECONDS | -t TIME}

Set the hardware clock's alarm, and suspend the machine until then.

  -a, --auto          See /etc/adjtime for whether the clock is local (default)
  -l, --local         The clock shows local time
  -u, --utc           The clock shows UTC
  -d, --device=CLOCK  Use this clock of /dev (rtc0)
  -m, --mode=MODE     standby, mem, disk, freeze (suspend), off, no (set the alarm alone),
                      on (wait for it), show (print it), disable
  -s, --seconds=N     Wake N seconds from now
  -t, --time=TIME     Wake at TIME: seconds since 1970, or a date as in date -d
  -v, --verbose       Print what is done";
    AUTO = "-a",
    LOCAL = "-l",
    UTC = "-u",
    DEVICE = "-d",
    MODE = "-m",
    SECONDS = "-s",
    TIME = "-t",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let zone = Zone::load(env.vars.get("TZ"));
    let is_utc = args.last_of(&[AUTO, LOCAL, UTC]);
    let local = is_local(is_utc == Some(UTC), is_utc == Some(LOCAL));
    let of_clock = if local { zone.clone() } else { Zone::utc() };
    let mode = args.value(MODE).unwrap_or(b"standby");
    let device = args.value(DEVICE).unwrap_or(b"rtc0");
    let device = if device.starts_with(b"/") { device.to_vec() } else { [b"/dev/", device].concat() };
    let clock = open(Some(&device), OFlags::RDONLY)?;
    let failed = |errno: Errno| Error::on(&device, errno);
    match mode {
        b"show" => return show(env, &clock, &of_clock, &zone),
        b"disable" => {
            rtc::allow_alarm(clock.as_fd(), false).map_err(failed)?;
            return Ok(ExitStatus::SUCCESS);
        }
        b"no" | b"on" | b"off" => {}
        _ => check_mode(mode)?,
    }
    let (now, shown) = (Moment::now(), seconds_of(&rtc::read(clock.as_fd()).map_err(failed)?));
    // The alarm is a time of the hardware clock, which may differ from the system's.
    let hardware = of_clock.moment(&Civil::from_clock(shown));
    let wake = match (args.value(SECONDS), args.value(TIME)) {
        (Some(seconds), None) => hardware + parse_in_range(seconds, 1, u32::MAX.into())? as i64,
        (None, Some(time)) => {
            let seconds = match parse_decimal(time) {
                Some(seconds) => seconds as i64,
                None => parse(time, now, &zone).ok_or_else(|| invalid(time))?.seconds,
            };
            if seconds <= now.seconds {
                return Err(Error::parts(&[b"time '", time, b"' is past"]));
            }
            seconds + (hardware - now.seconds) + 1
        }
        _ => return Err(Error::misused("-s or -t is needed")),
    };
    let time = reading_of(wake + of_clock.at(wake).0);
    rtc::set_alarm(clock.as_fd(), Alarm { enabled: 1, pending: 0, time }).map_err(failed)?;
    let when = format(b"%a %b %e %H:%M:%S %Y\n", Moment { seconds: wake, nanos: 0 }, &zone);
    env.stdout.write(&text!("wakeup from \"", mode, "\" at ", when))?;
    env.stdout.flush()?;
    // The line reaches a serial console before it sleeps.
    pause(10);
    match mode {
        b"no" => return Ok(ExitStatus::SUCCESS),
        b"on" => wait(&clock).map_err(failed)?,
        b"off" => {
            let words = [&b"poweroff"[..]];
            return rbox_core::call::pass_on(rbox_core::call::run(env, &words)?);
        }
        _ => {
            rbox_core::sys::fs::sync();
            let written = Output::open(STATE, false).map_err(|errno| Error::on(STATE, errno)).and_then(|mut state| {
                state.write(mode)?;
                state.flush()
            });
            rtc::allow_alarm(clock.as_fd(), false).map_err(failed)?;
            written?;
        }
    }
    if args.has(VERBOSE) {
        env.stdout.write(b"awake\n")?;
    }
    rtc::allow_alarm(clock.as_fd(), false).map_err(failed)?;
    Ok(ExitStatus::SUCCESS)
}

/// Where the kernel takes a suspend mode, and lists those that it has (sysfs-power).
const STATE: &[u8] = b"/sys/power/state";

fn check_mode(mode: &[u8]) -> Result<()> {
    let modes = read_file(STATE)?;
    let is_known = rbox_core::bytes::words(&modes).any(|known| known == mode);
    if is_known { Ok(()) } else { Err(Error::parts(&[b"mode '", mode, b"' is not supported"])) }
}

fn show(env: &mut Env, clock: &OwnedFd, of_clock: &Zone, zone: &Zone) -> Outcome {
    let alarm = rtc::alarm(clock.as_fd()).map_err(|errno| Error::on("RTC_WKALM_RD", errno))?;
    if alarm.enabled == 0 {
        env.stdout.write(b"alarm: off\n")?;
    } else {
        let seconds = of_clock.moment(&Civil::from_clock(seconds_of(&alarm.time)));
        let when = format(b"%a %b %e %H:%M:%S %Y\n", Moment { seconds, nanos: 0 }, zone);
        env.stdout.write(&text!("alarm: on  ", when))?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Waits for the alarm: a read gives the kinds of interrupts since the last one, RTC_AF is 0x20.
fn wait(clock: &OwnedFd) -> core::result::Result<(), Errno> {
    let mut word = [0; size_of::<usize>()];
    loop {
        match rbox_core::io::read(clock.as_fd(), &mut word) {
            Ok(_) if usize::from_ne_bytes(word) & 0x20 == 0 => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}
