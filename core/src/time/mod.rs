//! Civil time: calendar, time zones, formats and what people write for a date. The clock is POSIX seconds (XBD 4.16).

mod format;
mod parse;
mod zone;

pub use format::format;
pub use parse::{parse, parse_as, parse_digits, parse_last_digits};
pub use zone::Zone;
#[cfg(fuzzing)]
pub use {parse::fuzz as fuzz_date, zone::fuzz as fuzz_zone};

use crate::names;
use crate::names::Names;
use crate::sys::time::{ClockId, clock_gettime};

/// A moment: seconds since 1970-01-01 00:00 UTC, and nanoseconds 0-999,999,999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

impl Moment {
    /// Now, by the system's clock.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Realtime);
        Self { seconds: now.tv_sec, nanos: now.tv_nsec as u32 }
    }
}

/// A moment taken apart, in some zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year of the Gregorian calendar.
    pub year: i64,
    /// 1-12.
    pub month: u8,
    /// 1-31.
    pub day: u8,
    /// 0-23.
    pub hour: u8,
    /// 0-59.
    pub minute: u8,
    /// 0-60.
    pub second: u8,
    /// Days since Sunday, 0-6.
    pub weekday: u8,
    /// Days since 1 January, 0-365.
    pub yearday: u16,
}

impl Civil {
    /// The civil time of a clock that shows `seconds` since 1970 (zone's offset already added).
    pub fn from_clock(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Self {
            year,
            month,
            day,
            hour: (rest / 3600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
            weekday: (days + 4).rem_euclid(7) as u8,
            yearday: (days - days_of(year, 1, 1)) as u16,
        }
    }

    /// The seconds since 1970 that a clock shows at this time; the fields may lie outside their ranges.
    pub fn clock(&self) -> i64 {
        let days = days_of(self.year, self.month.into(), self.day.into());
        days.saturating_mul(86_400)
            .saturating_add(i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second))
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Months past 12 run on into the next years.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year.saturating_add((month - 1).div_euclid(12)).clamp(-(1 << 40), 1 << 40);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years that start in March put the leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month as u8, day as u8)
}

/// English names of the months, from 1 (POSIX locale).
pub const MONTHS: Names = names! {
    "January" = 1, "February" = 2, "March" = 3, "April" = 4, "May" = 5, "June" = 6, "July" = 7, "August" = 8,
    "September" = 9, "October" = 10, "November" = 11, "December" = 12,
};

/// English names of the days, from Sunday, 0.
pub const DAYS: Names = names! {
    "Sunday" = 0, "Monday" = 1, "Tuesday" = 2, "Wednesday" = 3, "Thursday" = 4, "Friday" = 5, "Saturday" = 6,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_dates_agree() {
        let civil = Civil::from_clock(951_868_800);
        assert_eq!((civil.year, civil.month, civil.day, civil.hour), (2000, 3, 1, 0));
        assert_eq!((civil.weekday, civil.yearday), (3, 60));
        assert_eq!(Civil::from_clock(-1).clock(), -1);
        assert_eq!(Civil::from_clock(-1).year, 1969);
        assert_eq!(days_of(1970, 1, 1), 0);
        assert_eq!(days_of(2026, 11, 23), 20_780);
    }
}
