//! strftime(3) in the POSIX locale, with GNU's padding flags and `%N`, `%:z`.

use super::{Civil, DAYS, MONTHS, Moment, Zone, days_of};
use crate::names::Names;
use crate::number::Decimal;

/// Writes `moment` in `zone` as `pattern` says. An unknown conversion stays as it is written.
pub fn format(pattern: &[u8], moment: Moment, zone: &Zone) -> Vec<u8> {
    let (offset, name) = zone.at(moment.seconds);
    let time = Time { civil: zone.civil(moment.seconds), moment, offset, name };
    let mut text = Vec::new();
    time.push_all(pattern, &mut text);
    text
}

struct Time {
    civil: Civil,
    moment: Moment,
    offset: i64,
    name: Vec<u8>,
}

/// Padding that a flag asks for instead of the conversion's own.
#[derive(Clone, Copy, Default)]
struct Flags {
    pad: Option<u8>,
    no_pad: bool,
    upper: bool,
    swap: bool,
    width: usize,
    colons: usize,
}

impl Time {
    fn push_all(&self, pattern: &[u8], text: &mut Vec<u8>) {
        let mut rest = pattern;
        while let Some(at) = crate::bytes::find_byte(b'%', rest) {
            text.extend_from_slice(&rest[..at]);
            let conversion = &rest[at..];
            let length = self.push_conversion(conversion, text);
            rest = &conversion[length..];
        }
        text.extend_from_slice(rest);
    }

    /// Writes the conversion at the start of `conversion` and returns how many bytes it takes.
    fn push_conversion(&self, conversion: &[u8], text: &mut Vec<u8>) -> usize {
        let mut flags = Flags::default();
        let mut at = 1;
        loop {
            match conversion.get(at) {
                Some(b'_') => flags.pad = Some(b' '),
                Some(b'0') => flags.pad = Some(b'0'),
                Some(b'-') => flags.no_pad = true,
                Some(b'^') => flags.upper = true,
                Some(b'#') => flags.swap = true,
                Some(b':') => flags.colons += 1,
                Some(b'E' | b'O') => {}
                Some(digit @ b'1'..=b'9') => {
                    flags.width = usize::from(digit - b'0');
                    while let Some(digit @ b'0'..=b'9') = conversion.get(at + 1) {
                        flags.width = (flags.width * 10 + usize::from(digit - b'0')).min(1000);
                        at += 1;
                    }
                }
                _ => break,
            }
            at += 1;
        }
        let start = text.len();
        let letter = conversion.get(at).copied().unwrap_or(0);
        let end = (at + 1).min(conversion.len());
        if !self.push_letter(letter, flags, text) {
            text.extend_from_slice(&conversion[..end]);
        } else if flags.upper || (flags.swap && b"aAbBh".contains(&letter)) {
            text[start..].make_ascii_uppercase();
        } else if flags.swap && b"pZ".contains(&letter) {
            text[start..].make_ascii_lowercase();
        }
        // Numbers have their width already.
        let blanks = flags.width.saturating_sub(text.len() - start);
        if letter != b'N' && !flags.no_pad {
            text.splice(start..start, core::iter::repeat_n(flags.pad.unwrap_or(b' '), blanks));
        }
        end
    }

    fn push_letter(&self, letter: u8, flags: Flags, text: &mut Vec<u8>) -> bool {
        let civil = &self.civil;
        let long = |names: Names, number: u8| names.name_of(number.into()).unwrap_or_default().as_bytes();
        let short = |names: &'static [u8], index: u8| &names[3 * usize::from(index)..][..3];
        let hour12 = (i64::from(civil.hour) + 11) % 12 + 1;
        let half = if civil.hour < 12 { "AM" } else { "PM" };
        let mut number = |value: i64, width: usize, pad: u8| push_number(text, value, width, pad, flags);
        match letter {
            b'Y' => number(civil.year, 1, b'0'),
            b'C' => number(civil.year.div_euclid(100), 2, b'0'),
            b'y' => number(civil.year.rem_euclid(100), 2, b'0'),
            b'm' => number(civil.month.into(), 2, b'0'),
            b'd' => number(civil.day.into(), 2, b'0'),
            b'e' => number(civil.day.into(), 2, b' '),
            b'H' => number(civil.hour.into(), 2, b'0'),
            b'k' => number(civil.hour.into(), 2, b' '),
            b'I' => number(hour12, 2, b'0'),
            b'l' => number(hour12, 2, b' '),
            b'M' => number(civil.minute.into(), 2, b'0'),
            b'S' => number(civil.second.into(), 2, b'0'),
            b'j' => number(i64::from(civil.yearday) + 1, 3, b'0'),
            b's' => number(self.moment.seconds, 1, b'0'),
            b'u' => number((i64::from(civil.weekday) + 6) % 7 + 1, 1, b'0'),
            b'w' => number(civil.weekday.into(), 1, b'0'),
            b'U' => number((i64::from(civil.yearday) + 7 - i64::from(civil.weekday)) / 7, 2, b'0'),
            b'W' => number((i64::from(civil.yearday) + 7 - (i64::from(civil.weekday) + 6) % 7) / 7, 2, b'0'),
            b'V' => number(self.iso_week().1, 2, b'0'),
            b'G' => number(self.iso_week().0, 1, b'0'),
            b'g' => number(self.iso_week().0.rem_euclid(100), 2, b'0'),
            b'q' => number(i64::from(civil.month - 1) / 3 + 1, 1, b'0'),
            b'N' => self.push_nanos(flags, text),
            b'A' => text.extend_from_slice(long(DAYS, civil.weekday)),
            b'a' => text.extend_from_slice(short(b"SunMonTueWedThuFriSat", civil.weekday)),
            b'B' => text.extend_from_slice(long(MONTHS, civil.month)),
            b'b' | b'h' => text.extend_from_slice(short(b"JanFebMarAprMayJunJulAugSepOctNovDec", civil.month - 1)),
            b'p' => text.extend_from_slice(half.as_bytes()),
            b'P' => text.extend_from_slice(&half.to_ascii_lowercase().into_bytes()),
            b'Z' => text.extend_from_slice(&self.name),
            b'z' => self.push_offset(flags.colons, text),
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            b'%' => text.push(b'%'),
            b'c' => self.push_all(b"%a %b %e %H:%M:%S %Y", text),
            b'D' | b'x' => self.push_all(b"%m/%d/%y", text),
            b'F' => self.push_all(b"%Y-%m-%d", text),
            b'R' => self.push_all(b"%H:%M", text),
            b'T' | b'X' => self.push_all(b"%H:%M:%S", text),
            b'r' => self.push_all(b"%I:%M:%S %p", text),
            _ => return false,
        }
        true
    }

    /// Year and week of ISO 8601: weeks start on Monday, week 1 holds 4 January.
    fn iso_week(&self) -> (i64, i64) {
        let weekday = (i64::from(self.civil.weekday) + 6) % 7;
        let day = days_of(self.civil.year, self.civil.month.into(), self.civil.day.into());
        let thursday = Civil::from_clock((day - weekday + 3) * 86_400);
        (thursday.year, i64::from(thursday.yearday) / 7 + 1)
    }

    fn push_nanos(&self, flags: Flags, text: &mut Vec<u8>) {
        let digits = Decimal::new(u64::from(self.moment.nanos) + 1_000_000_000);
        let width = if flags.width == 0 { 9 } else { flags.width.min(9) };
        text.extend_from_slice(&digits.as_bytes()[1..=width]);
    }

    fn push_offset(&self, colons: usize, text: &mut Vec<u8>) {
        text.push(if self.offset < 0 { b'-' } else { b'+' });
        let offset = self.offset.abs();
        let plain = Flags::default();
        push_number(text, offset / 3600, 2, b'0', plain);
        if colons > 0 {
            text.push(b':');
        }
        push_number(text, offset / 60 % 60, 2, b'0', plain);
        if colons > 1 {
            text.push(b':');
            push_number(text, offset % 60, 2, b'0', plain);
        }
    }
}

fn push_number(text: &mut Vec<u8>, value: i64, width: usize, pad: u8, flags: Flags) {
    let digits = Decimal::new(value.unsigned_abs());
    let digits = digits.as_bytes();
    let width = if flags.no_pad { 0 } else { width.max(flags.width) };
    let pad = flags.pad.unwrap_or(pad);
    let sign = usize::from(value < 0);
    if value < 0 && pad == b'0' {
        text.push(b'-');
    }
    text.resize(text.len() + width.saturating_sub(digits.len() + sign), pad);
    if value < 0 && pad != b'0' {
        text.push(b'-');
    }
    text.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pattern: &str, seconds: i64) -> String {
        let moment = Moment { seconds, nanos: 12_345_678 };
        String::from_utf8(format(pattern.as_bytes(), moment, &Zone::load(Some(b"EST5")))).expect("ASCII")
    }

    #[test]
    fn conversions_write_their_fields() {
        assert_eq!(at("%Y-%m-%d %H:%M:%S %z %Z", 0), "1969-12-31 19:00:00 -0500 EST");
        assert_eq!(at("%a %A %b %B %e %j %u %w", 1_700_000_000), "Tue Tuesday Nov November 14 318 2 2");
        assert_eq!(at("%I %p %l|%k|%y %C %s %N %3N", 1_700_000_000), "05 PM  5|17|23 20 1700000000 012345678 012");
        assert_eq!(at("%G-W%V %U %W", 1_609_600_000), "2020-W53 00 00");
        assert_eq!(at("%-d %_m %^b %:z %% %Q %", 1_700_000_000), "14 11 NOV -05:00 % %Q %");
    }
}
