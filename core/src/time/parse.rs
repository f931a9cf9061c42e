//! What people write for a date: `2026-11-23 10:00`, `@123`, `now + 30 minutes`, RFC 2822, ISO 8601, `[[CC]YY]MMDDhhmm[.ss]`.

mod pattern;

pub use pattern::parse_as;

use super::{Civil, DAYS, MONTHS, Moment, Zone};
use crate::names;
use crate::names::Names;
use crate::number::parse_decimal;

/// Zones by name: minutes east of UTC, plus a day.
const ZONES: Names = names! {
    "z" = 1440, "utc" = 1440, "ut" = 1440, "gmt" = 1440, "wet" = 1440, "west" = 1500, "bst" = 1500,
    "cet" = 1500, "cest" = 1560, "met" = 1500, "mest" = 1560, "eet" = 1560, "eest" = 1620, "msk" = 1620, "ist" = 1770,
    "sgt" = 1920, "jst" = 1980, "kst" = 1980, "nzst" = 2160, "nzdt" = 2220, "nst" = 1230, "ndt" = 1290, "ast" = 1200,
    "adt" = 1260, "est" = 1140, "edt" = 1200, "cst" = 1080, "cdt" = 1140, "mst" = 1020, "mdt" = 1080, "pst" = 960,
    "pdt" = 1020, "akst" = 900, "akdt" = 960, "hst" = 840,
};

/// The moment that `text` means, as seen from `now` in `zone`. `None` when it is no date.
///
/// The words may come in any order: a date, a time, a zone, `now`, `today`, `yesterday`, `tomorrow`, a month's and a
/// day's name, and spans such as `+30 minutes`, `2 days ago`, `next week`, `last monday`. `TZ="ZONE"` before all is the
/// zone that they are read in.
pub fn parse(text: &[u8], now: Moment, zone: &Zone) -> Option<Moment> {
    let text = text.trim_ascii();
    if let Some((name, rest)) = text.strip_prefix(b"TZ=\"").and_then(|rest| crate::bytes::split_once(rest, b'"')) {
        return parse(rest, now, &Zone::load(Some(name)));
    }
    if let Some(seconds) = text.strip_prefix(b"@") {
        return parse_epoch(seconds);
    }
    let mut parser = Parser { civil: zone.civil(now.seconds), nanos: now.nanos, ..Parser::default() };
    let words = split(text);
    if words.is_empty() {
        parser.set_time(0, 0, 0);
    }
    let mut at = 0;
    while at < words.len() {
        at += parser.take(&words[at..])?;
    }
    parser.finish(zone)
}

fn parse_epoch(text: &[u8]) -> Option<Moment> {
    let (digits, negative) = match text.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let (whole, fraction) = crate::bytes::split_once(digits, b'.').unwrap_or((digits, b""));
    let seconds = i64::try_from(parse_decimal(whole)?).ok()?;
    let nanos = nanos_of(fraction)?;
    Some(match (negative, nanos) {
        (false, _) => Moment { seconds, nanos },
        (true, 0) => Moment { seconds: -seconds, nanos },
        (true, _) => Moment { seconds: -seconds - 1, nanos: 1_000_000_000 - nanos },
    })
}

fn nanos_of(fraction: &[u8]) -> Option<u32> {
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((0..9).fold(0, |nanos, at| nanos * 10 + fraction.get(at).map_or(0, |digit| u32::from(digit - b'0'))))
}

/// Words between blanks and commas; the `T` and `Z` of ISO 8601 part words too.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for word in text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b',')).filter(|word| !word.is_empty()) {
        let iso = word.len() > 10 && matches!(word[10], b'T' | b't') && word[4] == b'-';
        let (date, rest) = if iso { word.split_at(10) } else { (&b""[..], word) };
        if iso {
            words.push(date.to_vec());
        }
        let time = if iso { &rest[1..] } else { rest };
        // A zone may stick to a time: 10:00Z, 10:00+02:00.
        let zone = time.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
        match zone.filter(|&at| at > 0 && time[..at].contains(&b':')) {
            Some(at) => words.extend([time[..at].to_vec(), time[at..].to_vec()]),
            None => words.push(time.to_vec()),
        }
    }
    words
}

#[derive(Default)]
struct Parser {
    civil: Civil,
    nanos: u32,
    /// A date or a time was named, so that the rest of the clock is zero.
    has_time: bool,
    has_date: bool,
    /// Year, month and day were named in numbers.
    is_whole: bool,
    /// The day of the week that was named, 0 for Sunday; and which of those that come: 1 for `next`, -1 for `last`.
    weekday: Option<i64>,
    ordinal: i64,
    /// A span, added at the end.
    months: i64,
    days: i64,
    seconds: i64,
    /// Seconds east of UTC, when a zone was named.
    offset: Option<i64>,
}

impl Default for Civil {
    fn default() -> Self {
        Self::from_clock(0)
    }
}

impl Parser {
    /// Takes one item from the front of `words` and returns how many words it was.
    fn take(&mut self, words: &[Vec<u8>]) -> Option<usize> {
        let word = words[0].to_ascii_lowercase();
        let next = words.get(1).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        if let Some(ordinal) = ordinal(&word)
            && let Some(day) = day_of_week(&next)
        {
            (self.weekday, self.ordinal) = (Some(day), ordinal);
            return Some(2);
        }
        if matches!(&next[..], b"am" | b"pm") && self.take_half(&[&word[..], &next].concat()) {
            return Some(2);
        }
        if self.take_half(&word) {
            return Some(1);
        }
        if let Some(used) = self.take_span(&word, words) {
            return Some(used);
        }
        let taken = self.take_name(&word)
            || self.take_time(&word)
            || self.take_date(&word)
            || self.take_dotted(&word)
            || self.take_zone(&word);
        if taken {
            return Some(1);
        }
        // `Nov 23` and `23 Nov 2026`: a plain number beside a month's name is a day, then a year.
        let number = i64::try_from(parse_decimal(&word)?).ok()?;
        match word.len() {
            // `2026-11-23 10` and `20261123 1020`: after a whole date it is a time.
            1 | 2 if self.is_whole && !self.has_time && number < 24 => self.set_time(number as u8, 0, 0),
            4 if self.is_whole && !self.has_time && number < 2400 && number % 100 < 60 => {
                self.set_time((number / 100) as u8, (number % 100) as u8, 0);
            }
            1 | 2 if (1..=31).contains(&number) => self.civil.day = number as u8,
            4 => self.civil.year = number,
            _ => return None,
        }
        self.has_date = true;
        Some(1)
    }

    fn take_name(&mut self, word: &[u8]) -> bool {
        match word {
            b"now" => self.has_time = true,
            b"today" | b"ago" => {}
            b"yesterday" => self.days -= 1,
            b"tomorrow" => self.days += 1,
            // Where a pattern has them after the hour.
            b"am" if self.has_time && self.civil.hour <= 12 => self.civil.hour %= 12,
            b"pm" if self.has_time && self.civil.hour <= 12 => self.civil.hour = self.civil.hour % 12 + 12,
            _ => {
                let day = day_of_week(word);
                self.weekday = day.or(self.weekday);
                return day.is_some() || self.take_month(word);
            }
        }
        true
    }

    /// The name of a month, of three characters and more.
    fn take_month(&mut self, word: &[u8]) -> bool {
        let named = |(name, _): &(&str, u64)| {
            word.len() >= 3 && name.to_ascii_lowercase().as_bytes().starts_with(word.trim_ascii_end())
        };
        let Some((_, month)) = MONTHS.iter().find(named) else { return false };
        (self.civil.month, self.has_date) = (month as u8, true);
        true
    }

    /// A time of half a day: `3pm`, `10:30am`.
    fn take_half(&mut self, word: &[u8]) -> bool {
        let (time, add) = match word {
            [time @ .., b'a', b'm'] => (time, 0),
            [time @ .., b'p', b'm'] => (time, 12),
            _ => return false,
        };
        let whole = if time.contains(&b':') { time.to_vec() } else { [time, b":00"].concat() };
        let hour = parse_decimal(whole.split(|&byte| byte == b':').next().unwrap_or_default());
        if !hour.is_some_and(|hour| (1..=12).contains(&hour)) || !self.take_time(&whole) {
            return false;
        }
        self.civil.hour = self.civil.hour % 12 + add;
        true
    }

    fn set_time(&mut self, hour: u8, minute: u8, second: u8) {
        (self.civil.hour, self.civil.minute, self.civil.second) = (hour, minute, second);
        (self.nanos, self.has_time) = (0, true);
    }

    /// `hh:mm[:ss[.nnn]]`.
    fn take_time(&mut self, word: &[u8]) -> bool {
        let mut fields = word.split(|&byte| byte == b':');
        let (Some(hour), Some(minute)) = (fields.next(), fields.next()) else { return false };
        let (second, fraction) = match fields.next() {
            Some(field) => crate::bytes::split_once(field, b'.').unwrap_or((field, b"")),
            None => (&b"0"[..], &b""[..]),
        };
        let field =
            |digits: &[u8], high: u64| parse_decimal(digits).filter(|value| *value <= high).map(|value| value as u8);
        let (Some(hour), Some(minute), Some(second), Some(nanos), None) =
            (field(hour, 23), field(minute, 59), field(second, 59), nanos_of(fraction), fields.next())
        else {
            return false;
        };
        self.set_time(hour, minute, second);
        self.nanos = nanos;
        true
    }

    /// `YYYY-MM-DD`, `MM/DD[/YYYY]`, `YYYYMMDD`, `DD-Mon-YYYY`.
    fn take_date(&mut self, word: &[u8]) -> bool {
        let separator = if word.contains(&b'/') { b'/' } else { b'-' };
        let fields: Vec<Option<i64>> = word
            .split(|&byte| byte == separator)
            .map(|field| parse_decimal(field).and_then(|value| i64::try_from(value).ok()))
            .collect();
        // `5-Mar-2011`
        if let (&[Some(day), None, Some(year)], b'-') = (fields.as_slice(), separator) {
            let name = word.split(|&byte| byte == b'-').nth(1).unwrap_or_default();
            let digits = if year < 100 { 2 } else { 4 };
            return (1..=31).contains(&day) && self.take_month(name) && {
                (self.civil.year, self.civil.day, self.is_whole) = (full_year(year, digits), day as u8, true);
                true
            };
        }
        let now = self.civil.year;
        let (year, month, day) = match (fields.as_slice(), separator) {
            (&[Some(year), Some(month), Some(day)], b'-') => (year, month, day),
            (&[Some(month), Some(day)], b'/') => (now, month, day),
            (&[Some(year), Some(month), Some(day)], _) if year > 31 => (year, month, day),
            (&[Some(month), Some(day), Some(year)], _) => (full_year(year, if year < 100 { 2 } else { 4 }), month, day),
            (&[Some(number)], _) if word.len() == 8 => (number / 10_000, number / 100 % 100, number % 100),
            _ => return false,
        };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 1 << 40 {
            return false;
        }
        (self.civil.year, self.civil.month, self.civil.day) = (year, month as u8, day as u8);
        (self.has_date, self.is_whole) = (true, true);
        true
    }

    /// BusyBox's `[YYYY.]MM.DD-hh:mm[:ss]`.
    fn take_dotted(&mut self, word: &[u8]) -> bool {
        let Some((date, time)) = crate::bytes::split_once(word, b'-') else { return false };
        let date: Vec<u8> = date.iter().map(|&byte| if byte == b'.' { b'/' } else { byte }).collect();
        date.contains(&b'/') && self.take_date(&date) && self.take_time(time)
    }

    /// `Z`, `UTC`, `CEST`, `+hh[:]mm`, `UTC+2`.
    fn take_zone(&mut self, word: &[u8]) -> bool {
        let signed = word.iter().position(|byte| matches!(byte, b'+' | b'-')).unwrap_or(word.len());
        let (name, offset) = word.split_at(signed);
        let mut east = 0;
        if !name.is_empty() {
            let Some(minutes) = ZONES.number_of(name) else { return false };
            east = (minutes as i64 - 1440) * 60;
        }
        if let [sign, digits @ ..] = offset {
            let digits: Vec<u8> = digits.iter().copied().filter(|&byte| byte != b':').collect();
            let Some(number) = parse_decimal(&digits).filter(|_| self.has_time && matches!(digits.len(), 1 | 2 | 4))
            else {
                return false;
            };
            let (hours, minutes) = if digits.len() < 3 { (number, 0) } else { (number / 100, number % 100) };
            let seconds = (hours * 3600 + minutes * 60) as i64;
            east += if *sign == b'-' { -seconds } else { seconds };
        }
        self.offset = Some(east);
        true
    }

    /// `[+-][N] UNIT [ago]`, `next UNIT`, `last UNIT`, `third UNIT`.
    fn take_span(&mut self, word: &[u8], words: &[Vec<u8>]) -> Option<usize> {
        let (sign, digits) = match word {
            [b'+', rest @ ..] => (1, rest),
            [b'-', rest @ ..] => (-1, rest),
            _ => (1, word),
        };
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ordinal = ordinal(word);
        let (count, mut used) = match (ordinal, length) {
            (Some(ordinal), _) => (ordinal, 1),
            (None, 0) if digits.is_empty() && words.len() > 1 => (i64::try_from(parse_decimal(&words[1])?).ok()?, 2),
            (None, 0) => (1, 1),
            (None, _) => (i64::try_from(parse_decimal(&digits[..length])?).ok()?, 1),
        };
        let mut unit = digits[length..].to_vec();
        if ordinal.is_some() || unit.is_empty() {
            unit = words.get(used)?.to_ascii_lowercase();
            used += 1;
        }
        let ago = words.get(used).is_some_and(|word| word.eq_ignore_ascii_case(b"ago"));
        let count = if ago { -sign * count } else { sign * count };
        let stem = unit.strip_suffix(b"s").unwrap_or(&unit);
        let (field, factor) = match stem {
            b"sec" | b"second" => (&mut self.seconds, 1),
            b"min" | b"minute" => (&mut self.seconds, 60),
            b"hour" => (&mut self.seconds, 3600),
            b"day" => (&mut self.days, 1),
            b"week" => (&mut self.days, 7),
            b"fortnight" => (&mut self.days, 14),
            b"month" => (&mut self.months, 1),
            b"year" => (&mut self.months, 12),
            _ => return None,
        };
        *field = field.checked_add(count.checked_mul(factor)?)?;
        // A span leaves the time of day as it is.
        self.has_time |= !self.has_date;
        Some(used + usize::from(ago))
    }

    fn finish(mut self, zone: &Zone) -> Option<Moment> {
        // A day that the month does not have, as in 2023-02-29.
        let first_of = |month: i64| super::days_of(self.civil.year, month, 1);
        let month = i64::from(self.civil.month);
        if self.has_date && i64::from(self.civil.day) > first_of(month + 1) - first_of(month) {
            return None;
        }
        if (self.has_date || self.weekday.is_some()) && !self.has_time {
            self.set_time(0, 0, 0);
        }
        // With a date the day's name is an ornament, wherever it is; alone it is the next such day.
        if let Some(day) = self.weekday.filter(|_| !self.has_date) {
            let ahead = (day - i64::from(self.civil.weekday)).rem_euclid(7);
            // The next one is the first that comes, and not today; the last one the first that was, and not today.
            self.days += ahead + 7 * (self.ordinal - i64::from(self.ordinal > 0 && ahead > 0));
        }
        let month = i64::from(self.civil.month).checked_add(self.months)?;
        let day = i64::from(self.civil.day).checked_add(self.days)?;
        let days = super::days_of(self.civil.year, month, 1).checked_add(day)?.checked_sub(1)?;
        let within =
            i64::from(self.civil.hour) * 3600 + i64::from(self.civil.minute) * 60 + i64::from(self.civil.second);
        let clock = days.checked_mul(86_400)?.checked_add(within)?;
        let seconds = match self.offset {
            Some(offset) => clock.checked_sub(offset)?,
            None => zone.moment(&Civil::from_clock(clock)),
        };
        Some(Moment { seconds: seconds.checked_add(self.seconds)?, nanos: self.nanos })
    }
}

/// Which of the days of a week's name is meant, 0 for the first that comes, today included. `second` is a unit.
fn ordinal(word: &[u8]) -> Option<i64> {
    const ORDINALS: &[u8] = b"last this next  third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth";
    match word {
        b"" => None,
        b"first" => Some(1),
        _ => ORDINALS.split(|&byte| byte == b' ').position(|known| known == word).map(|at| at as i64 - 1),
    }
}

/// The day of the week that goes by that name, of three characters and more.
fn day_of_week(word: &[u8]) -> Option<i64> {
    let named = |(name, _): &(&str, u64)| {
        word.len() >= 3 && name.to_ascii_lowercase().as_bytes().starts_with(word.strip_suffix(b".").unwrap_or(word))
    };
    DAYS.iter().find(named).map(|(_, day)| day as i64)
}

/// The moment of `[[CC]YY]MMDDhhmm[.ss]` (touch -t), or with `year_last` `MMDDhhmm[[CC]YY][.ss]` (date's operand).
pub fn parse_digits(text: &[u8], year_last: bool, now: Moment, zone: &Zone) -> Option<Moment> {
    let (digits, second) = crate::bytes::split_once(text, b'.').unwrap_or((text, b"00"));
    if !digits.iter().chain(second).all(u8::is_ascii_digit) || second.len() != 2 {
        return None;
    }
    let year_length = digits.len().checked_sub(8).filter(|length| matches!(length, 0 | 2 | 4))?;
    let (year, fields) = if year_last {
        let (fields, year) = digits.split_at(8);
        (year, fields)
    } else {
        digits.split_at(year_length)
    };
    let pair = |at: usize| (fields[at] - b'0') * 10 + fields[at + 1] - b'0';
    let year = match parse_decimal(year) {
        Some(year) => full_year(year as i64, year_length),
        None => zone.civil(now.seconds).year,
    };
    let (month, day, hour, minute) = (pair(0), pair(2), pair(4), pair(6));
    let second = parse_decimal(second)? as u8;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let civil = Civil { year, month, day, hour, minute, second, ..Civil::default() };
    Some(Moment { seconds: zone.moment(&civil), nanos: 0 })
}

/// POSIX XCU touch: of two digits 69-99 are 1969-1999, 00-68 are 2000-2068.
fn full_year(year: i64, digits: usize) -> i64 {
    match digits {
        2 if year >= 69 => 1900 + year,
        2 => 2000 + year,
        _ => year,
    }
}

/// The moment of BusyBox's `[[[[[CC]YY]MM]DD]hh]mm[.ss]`: what is left out in front is that of `now`, the hour 0.
pub fn parse_last_digits(text: &[u8], now: Moment, zone: &Zone) -> Option<Moment> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut whole = super::format(b"%m%d0000", now, zone);
    whole.truncate(if length == 0 { 0 } else { whole.len().saturating_sub(length) });
    whole.extend_from_slice(text);
    parse_digits(&whole, false, now, zone)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for zone in [Zone::utc(), Zone::load(Some(b"CET-1CEST,M3.5.0,M10.5.0/3"))] {
        let now = Moment { seconds: 1_700_000_000, nanos: 5 };
        for found in [parse(data, now, &zone), parse_digits(data, true, now, &zone)].into_iter().flatten() {
            zone.civil(found.seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 10:20:30 UTC, a Monday.
    const NOW: Moment = Moment { seconds: 1_795_429_230, nanos: 5 };

    fn seconds(text: &str) -> Option<i64> {
        parse(text.as_bytes(), NOW, &Zone::utc()).map(|moment| moment.seconds - NOW.seconds)
    }

    #[test]
    fn spans_count_from_now() {
        assert_eq!(seconds("now"), Some(0));
        assert_eq!(seconds("+30 minutes"), Some(1800));
        assert_eq!(seconds("2 days ago"), Some(-172_800));
        assert_eq!(seconds("next week"), Some(604_800));
        assert_eq!(seconds("1 month"), Some(30 * 86_400));
        assert_eq!(
            (seconds("second"), seconds("third day"), seconds("day ago")),
            (Some(1), Some(259_200), Some(-86_400))
        );
        assert_eq!(seconds("yesterday 10:20:30"), Some(-86_400));
    }

    #[test]
    fn dates_have_many_forms() {
        let midnight = Some(-(10 * 3600 + 20 * 60 + 30));
        for text in [
            "2026-11-23",
            "11/23/2026",
            "20261123",
            "23 Nov 2026",
            "Nov 23 00:00",
            "2026.11.23-00:00",
            "11.23-0:00",
            "@1795392000",
            "23-Nov-2026",
            "2026-11-23 2:00 UTC+2",
        ] {
            assert_eq!(seconds(text), midnight, "{text}");
        }
        assert_eq!(seconds("2026-11-23T10:20:30Z"), Some(0));
        assert_eq!(seconds("Mon, 23 Nov 2026 12:20:30 +0200"), Some(0));
        assert_eq!(seconds("2026-11-23 12:20:30+02:00"), Some(0));
        assert_eq!(seconds("Thu, 26 Nov 2026 10:20:30"), Some(3 * 86_400));
        assert_eq!(seconds("thursday 10:20:30"), Some(3 * 86_400));
        assert_eq!(seconds("monday"), midnight);
        assert_eq!(seconds("thursday 10:20:30 EST"), Some(3 * 86_400 + 5 * 3600));
        assert_eq!(seconds("TZ=\"CET-1\" 2026-11-23 11:20:30"), Some(0));
    }

    #[test]
    fn days_and_halves_of_days_have_names() {
        let at = |text: &str| parse(text.as_bytes(), NOW, &Zone::utc()).map(|moment| moment.seconds - 1_795_392_000);
        let day = 86_400;
        assert_eq!((at("last monday"), at("next monday"), at("this monday")), (Some(-7 * day), Some(7 * day), Some(0)));
        assert_eq!((at("last friday"), at("next friday")), (Some(-3 * day), Some(4 * day)));
        assert_eq!((at("third friday"), at("first monday")), (Some(18 * day), Some(7 * day)));
        assert_eq!(
            (at("10am"), at("3 pm"), at("12am"), at("12:30pm")),
            (Some(36_000), Some(54_000), Some(0), Some(45_000))
        );
        assert_eq!(at("23 November 2026 3pm"), Some(54_000));
        assert_eq!((at("13pm"), at("0am"), at("last x")), (None, None, None));
    }

    #[test]
    fn other_words_are_no_dates() {
        for text in
            ["x", "2026-13-01", "2026-02-29", "31 Apr", "25:00", "00:00:60", "@", "last", "99999999999999999999 days"]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn digits_of_touch_and_date() {
        let parse =
            |text: &str, last| parse_digits(text.as_bytes(), last, NOW, &Zone::utc()).map(|moment| moment.seconds);
        assert_eq!(parse("202611231020.30", false), Some(NOW.seconds));
        assert_eq!(parse("112310202026.30", true), Some(NOW.seconds));
        assert_eq!(parse("11231020", false), Some(NOW.seconds - 30));
        assert_eq!(parse("1123102", false), None);
    }
}
