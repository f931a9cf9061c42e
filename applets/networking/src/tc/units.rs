//! Rates, sizes, times and shares, as words of iproute2 and back. All numbers are whole: a fraction is of its unit.

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Right;

/// The kernel counts time in ticks of 64 nanoseconds (net/pkt_sched.h, PSCHED_SHIFT).
const NANOSECONDS_A_TICK: u128 = 64;

/// Bits in a second, or eight of them for bytes.
const RATES: Names = names! {
    "" = 1, "bit" = 1, "kbit" = 1000, "mbit" = 1_000_000, "gbit" = 1_000_000_000, "tbit" = 1_000_000_000_000u64,
    "kibit" = 1 << 10, "mibit" = 1 << 20, "gibit" = 1 << 30, "bps" = 8, "kbps" = 8000, "mbps" = 8_000_000,
    "gbps" = 8_000_000_000u64, "kibps" = 8 << 10, "mibps" = 8 << 20,
};
/// Bits.
const SIZES: Names = names! {
    "" = 8, "b" = 8, "k" = 8 << 10, "kb" = 8 << 10, "m" = 8 << 20, "mb" = 8 << 20, "g" = 8u64 << 30, "gb" = 8u64 << 30,
    "kbit" = 1 << 10, "mbit" = 1 << 20, "gbit" = 1 << 30,
};
/// Microseconds.
const TIMES: Names = names! {
    "" = 1, "us" = 1, "usec" = 1, "usecs" = 1, "ms" = 1000, "msec" = 1000, "msecs" = 1000, "s" = 1_000_000,
    "sec" = 1_000_000, "secs" = 1_000_000,
};

/// The value of `DIGITS[.DIGITS]UNIT` in `divisor` parts of the smallest unit.
fn parse(word: &[u8], units: Names, divisor: u128) -> Option<u64> {
    let end = word.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(word.len());
    let (digits, unit) = word.split_at(end);
    let unit = u128::from(units.number_of(&unit.to_ascii_lowercase())?);
    let (whole, fraction) = rbox_core::bytes::split_once(digits, b'.').unwrap_or((digits, b""));
    let fraction = &fraction[..fraction.len().min(9)];
    let whole = u128::from(if whole.is_empty() && !fraction.is_empty() { 0 } else { parse_decimal(whole)? });
    let part = if fraction.is_empty() { 0 } else { u128::from(parse_decimal(fraction)?) };
    let scale = 10u128.pow(fraction.len() as u32);
    u64::try_from((whole * scale + part) * unit / scale / divisor).ok()
}

/// Bytes in a second.
pub fn rate(word: &[u8]) -> Option<u64> {
    parse(word, RATES, 8)
}

/// Bytes.
pub fn size(word: &[u8]) -> Option<u32> {
    parse(word, SIZES, 8).and_then(|size| u32::try_from(size).ok())
}

/// Microseconds.
pub fn time(word: &[u8]) -> Option<u32> {
    parse(word, TIMES, 1).and_then(|time| u32::try_from(time).ok())
}

/// A share as `P%` or a fraction of 1, in parts of 2^32-1.
pub fn share(word: &[u8]) -> Option<u32> {
    let (number, divisor) = word.strip_suffix(b"%").map_or((word, 1), |number| (number, 100));
    let (whole, fraction) = rbox_core::bytes::split_once(number, b'.').unwrap_or((number, b""));
    let fraction = &fraction[..fraction.len().min(9)];
    let scale = 10u128.pow(fraction.len() as u32);
    let whole = u128::from(if whole.is_empty() { 0 } else { parse_decimal(whole)? });
    let part = u128::from(if fraction.is_empty() { 0 } else { parse_decimal(fraction)? });
    if number.is_empty() || whole * scale + part > divisor * scale {
        return None;
    }
    // To the nearest part.
    Some(((whole * scale + part) * u128::from(u32::MAX) * 2 / scale / divisor).div_ceil(2) as u32)
}

/// How many ticks so many bytes take at that rate.
pub fn ticks(rate: u64, size: u32) -> u32 {
    let nanoseconds = u128::from(size) * 1_000_000_000 / u128::from(rate.max(1));
    u32::try_from(nanoseconds / NANOSECONDS_A_TICK).unwrap_or(u32::MAX)
}

/// How many bytes go at that rate in so many ticks.
pub fn bytes_in(rate: u64, ticks: u32) -> u64 {
    (u128::from(rate) * u128::from(ticks) * NANOSECONDS_A_TICK / 1_000_000_000) as u64
}

/// Ticks of so many microseconds, and back.
pub fn ticks_of(microseconds: u32) -> u32 {
    u32::try_from(u128::from(microseconds) * 1000 / NANOSECONDS_A_TICK).unwrap_or(u32::MAX)
}

pub fn microseconds(ticks: u32) -> u64 {
    u64::from(ticks) * NANOSECONDS_A_TICK as u64 / 1000
}

/// A rate in bytes a second, in the largest unit of bits that it is a whole number of, or that leaves four digits.
pub fn show_rate(rate: u64) -> Vec<u8> {
    let (mut bits, mut unit) = (u128::from(rate) * 8, 0);
    while unit < 4 && bits >= 1000 && (bits.is_multiple_of(1000) || bits >= 1_000_000) {
        bits /= 1000;
        unit += 1;
    }
    text!(bits as u64, ["", "K", "M", "G", "T"][unit], "bit")
}

/// A size in bytes; one that nearly is a whole number of a larger unit is shown as that.
pub fn show_size(size: u64) -> Vec<u8> {
    let nearly = |unit: u64, most: u64| {
        let count = (size + unit / 2) / unit;
        (size >= unit && (count * unit).abs_diff(size) < most).then_some(count)
    };
    match (nearly(1 << 20, 1024), nearly(1 << 10, 16)) {
        (Some(count), _) => text!(count, "Mb"),
        (None, Some(count)) => text!(count, "Kb"),
        (None, None) => text!(size, "b"),
    }
}

/// A time in microseconds with three digits that count.
pub fn show_time(time: u64) -> Vec<u8> {
    let (unit, name) = match time {
        0..1000 => return text!(time, "us"),
        1000..1_000_000 => (1000, "ms"),
        _ => (1_000_000, "s"),
    };
    // As many places as three digits leave, without zeros at their end.
    let mut places = match time / unit {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let scale = 10u64.pow(places);
    let mut scaled = (time * scale + unit / 2) / unit;
    while places > 0 && scaled.is_multiple_of(10) {
        (scaled, places) = (scaled / 10, places - 1);
    }
    let scale = 10u64.pow(places);
    match places {
        0 => text!(scaled, name),
        places => text!(scaled / scale, ".", Right(scaled % scale, places as usize, b'0'), name),
    }
}

/// A share of 2^32-1 in per cent, with at most three places.
pub fn show_share(share: u32) -> Vec<u8> {
    let thousandths = (u64::from(share) * 100_000 + u64::from(u32::MAX) / 2) / u64::from(u32::MAX);
    let mut out = text!(thousandths / 1000);
    if !thousandths.is_multiple_of(1000) {
        let digits = text!(".", Right(thousandths % 1000, 3, b'0'));
        let end = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |at| at + 1);
        out.extend_from_slice(&digits[..end]);
    }
    out.push(b'%');
    out
}

/// The error for a value that a keyword does not take.
pub fn illegal(keyword: &[u8], word: &[u8]) -> Error {
    Error::parts(&[b"illegal value for \"", keyword, b"\": \"", word, b"\""])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        assert_eq!(
            (rate(b"1mbit"), rate(b"2500kbit"), rate(b"9mbps")),
            (Some(125_000), Some(312_500), Some(9_000_000))
        );
        assert_eq!((rate(b"1.5Mbit"), rate(b"8"), rate(b"x"), rate(b"1xbit")), (Some(187_500), Some(1), None, None));
        assert_eq!(
            (size(b"15k"), size(b"1500"), size(b"1mb"), size(b"99g")),
            (Some(15_360), Some(1500), Some(1 << 20), None)
        );
        assert_eq!((time(b"50ms"), time(b"5"), time(b"1.5s")), (Some(50_000), Some(5), Some(1_500_000)));
        assert_eq!(
            (share(b"1%"), share(b"0.5"), share(b"100%")),
            (Some(42_949_673), Some(2_147_483_648), Some(u32::MAX))
        );
        assert_eq!((share(b"101%"), share(b""), share(b"%")), (None, None, None));
    }

    #[test]
    fn numbers_are_shown() {
        let rate = |rate| String::from_utf8(show_rate(rate)).expect("ASCII");
        assert_eq!((&rate(125_000)[..], &rate(312_500)[..], &rate(9_000_000)[..]), ("1Mbit", "2500Kbit", "72Mbit"));
        let size = |size| String::from_utf8(show_size(size)).expect("ASCII");
        assert_eq!((&size(15_360)[..], &size(1599)[..], &size(32 << 20)[..]), ("15Kb", "1599b", "32Mb"));
        let time = |time| String::from_utf8(show_time(time)).expect("ASCII");
        assert_eq!(
            (&time(50_000)[..], &time(81_920)[..], &time(5)[..], &time(1_500_000)[..]),
            ("50ms", "81.9ms", "5us", "1.5s")
        );
        let share = |share| String::from_utf8(show_share(share)).expect("ASCII");
        assert_eq!(
            (&share(42_949_672)[..], &share(u32::MAX / 2)[..], &share(u32::MAX / 400)[..]),
            ("1%", "50%", "0.25%")
        );
    }
}
