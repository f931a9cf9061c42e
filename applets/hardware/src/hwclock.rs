//! `hwclock`: show or set the hardware clock (hwclock(8), rtc(4)).

use rbox_core::daemon::pause;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::rtc::{self, Parameter};
use rbox_core::sys::time::{ClockId, Timespec, clock_settime};
use rbox_core::sys::{AsFd, BorrowedFd, Errno};
use rbox_core::text::Hex;
use rbox_core::time::{Moment, Zone, format};
use rbox_core::{bytes, text};

use crate::clock::{is_local, open, reading_of, seconds_of};

options! {
    "[-rswul] [-f DEVICE]

Print or set the hardware clock.

  -r, --show       Print its time (default)
  -s, --hctosys    Set the system time from it
  -w, --systohc    Set it from the system time
      --systz      Tell the kernel the zone; correct the system time if the clock is local
      --param-get=PARAM  Print a parameter: features, correction, bsm or a number
      --param-set=PARAM=VALUE  Set a parameter
  -f, --rtc=FILE   Use this clock (/dev/rtc)
  -u, --utc        The clock shows UTC
  -l, --localtime  The clock shows local time (without -u and -l: see /etc/adjtime)";
    SHOW = "-r",
    TO_SYSTEM = "-s",
    FROM_SYSTEM = "-w",
    ZONE = "--systz",
    GET = "--param-get",
    SET = "--param-set",
    FILE = "-f",
    UTC = "-u",
    LOCAL = "-l",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// RTC_PARAM_* of linux/rtc.h.
const PARAMETERS: Names = names! { "features" = 0, "correction" = 1, "bsm" = 2 };

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let zone = Zone::load(env.vars.get("TZ"));
    let local = is_local(args.has(UTC), args.has(LOCAL));
    let of_clock = if local { zone.clone() } else { Zone::utc() };
    let moment_of = |shown: i64| of_clock.moment(&rbox_core::time::Civil::from_clock(shown));
    let path = args.value(FILE);
    match args.last_of(&[SHOW, TO_SYSTEM, FROM_SYSTEM, ZONE, GET, SET]) {
        Some(ZONE) => set_zone(&zone, local)?,
        Some(TO_SYSTEM) => {
            let clock = open(path, OFlags::RDONLY)?;
            let seconds = moment_of(read(clock.as_fd())?);
            rtc::set_zone(minutes_west(&zone, seconds)).map_err(|errno| Error::on("settimeofday", errno))?;
            let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
            clock_settime(ClockId::Realtime, time).map_err(|errno| Error::on("can't set date", errno))?;
        }
        Some(FROM_SYSTEM) => {
            let clock = open(path, OFlags::WRONLY)?;
            // The clock starts the second that it is set to half a second later (rtc-cmos and the chips like it).
            let nanos = Moment::now().nanos;
            pause(u64::from((1_500_000_000 - nanos) % 1_000_000_000 / 1_000_000));
            let seconds = Moment::now().seconds;
            let shown = seconds + of_clock.at(seconds).0;
            rtc::set(clock.as_fd(), reading_of(shown)).map_err(|errno| Error::on("RTC_SET_TIME", errno))?;
        }
        Some(option @ (GET | SET)) => parameter(env, args.value(option).unwrap_or_default(), option == SET, path)?,
        _ => {
            let clock = open(path, OFlags::RDONLY)?;
            let moment = Moment { seconds: moment_of(read(clock.as_fd())?), nanos: 0 };
            env.stdout.write(&format(b"%a %b %e %H:%M:%S %Y  0.000000 seconds\n", moment, &zone))?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// What the clock shows, at the beginning of a second, which is waited for at most for one and a half.
fn read(clock: BorrowedFd<'_>) -> Result<i64> {
    let read = || rtc::read(clock).map_err(|errno| Error::on("RTC_RD_TIME", errno));
    let first = read()?;
    for _ in 0..300 {
        let now = read()?;
        if now != first {
            return Ok(seconds_of(&now));
        }
        pause(5);
    }
    Ok(seconds_of(&first))
}

fn minutes_west(zone: &Zone, seconds: i64) -> i32 {
    (-zone.at(seconds).0 / 60) as i32
}

/// The kernel moves its clock by the zone at the first such call after boot (settimeofday(2)): with UTC that call is one
/// for no zone, so that nothing moves.
fn set_zone(zone: &Zone, local: bool) -> Result<()> {
    let failed = |errno: Errno| Error::on("settimeofday", errno);
    if !local {
        rtc::set_zone(0).map_err(failed)?;
    }
    rtc::set_zone(minutes_west(zone, Moment::now().seconds)).map_err(failed)
}

fn parameter(env: &mut Env, word: &[u8], sets: bool, path: Option<&[u8]>) -> Result<()> {
    let (name, value) = match bytes::split_once(word, b'=') {
        Some((name, value)) if sets => (name, parse_c(value).ok_or_else(|| invalid(value))? as u64),
        None if !sets => (word, 0),
        _ => return Err(Error::parts(&[b"expected PARAM=VALUE, not '", word, b"'"])),
    };
    let number = PARAMETERS.number_of(name).or_else(|| u64::try_from(parse_c(name)?).ok());
    let number = number.ok_or_else(|| Error::parts(&[b"unknown parameter '", name, b"'"]))?;
    let mut parameter = Parameter { number, value, ..Parameter::default() };
    let clock = open(path, if sets { OFlags::RDWR } else { OFlags::RDONLY })?;
    if sets {
        return rtc::set_parameter(clock.as_fd(), &mut parameter).map_err(|errno| Error::on(name, errno));
    }
    rtc::parameter(clock.as_fd(), &mut parameter).map_err(|errno| Error::on(name, errno))?;
    env.stdout.write(&text!("The RTC parameter 0x", Hex(number), " is set to 0x", Hex(parameter.value), ".\n"))
}
