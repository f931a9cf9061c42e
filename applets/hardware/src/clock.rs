//! The hardware clock, as `hwclock` and `rtcwake` use it.

use rbox_core::io::read_file;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::rtc::Reading;
use rbox_core::sys::{Errno, OwnedFd, fs};
use rbox_core::time::{Civil, days_of};

/// Opens the clock that is named, or the first that there is.
pub fn open(path: Option<&[u8]>, flags: OFlags) -> Result<OwnedFd> {
    let open = |path: &[u8]| fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
    if let Some(path) = path {
        return open(path).map_err(|errno| Error::cannot("open", path, errno));
    }
    let mut last = Errno::NOENT;
    for path in [&b"/dev/rtc"[..], b"/dev/rtc0", b"/dev/misc/rtc"] {
        match open(path) {
            Ok(file) => return Ok(file),
            Err(Errno::NOENT) => {}
            Err(errno) => last = errno,
        }
    }
    Err(Error::cannot("open", b"/dev/rtc", last))
}

/// The seconds since 1970 that a clock shows, whatever its zone.
pub fn seconds_of(reading: &Reading) -> i64 {
    let [second, minute, hour, day, month, year, ..] = reading.map(i64::from);
    days_of(year + 1900, month + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
}

/// What a clock shows so many seconds after 1970 began.
pub fn reading_of(seconds: i64) -> Reading {
    let civil = Civil::from_clock(seconds);
    let date = [civil.day.into(), i32::from(civil.month) - 1, (civil.year - 1900) as i32];
    let time = [civil.second, civil.minute, civil.hour].map(i32::from);
    [time[0], time[1], time[2], date[0], date[1], date[2], civil.weekday.into(), civil.yearday.into(), 0]
}

/// Whether the hardware clock shows local time: by the options, or else by the third line of /etc/adjtime (hwclock(8)).
pub fn is_local(utc: bool, local: bool) -> bool {
    let adjtime = || read_file(b"/etc/adjtime");
    // Without the file the clock shows UTC.
    !utc && (local || adjtime().is_ok_and(|content| content.split(|&byte| byte == b'\n').nth(2) == Some(b"LOCAL")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_struct_tm() {
        assert_eq!(reading_of(951_782_399), [59, 59, 23, 28, 1, 100, 1, 58, 0]);
        for seconds in [0, 951_782_400, 1_796_046_452, 4_102_444_799] {
            assert_eq!(seconds_of(&reading_of(seconds)), seconds);
        }
    }
}
