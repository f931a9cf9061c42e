//! Numbers as words: counts with suffixes, and their digits.

use crate::error::{Error, Result};
use crate::names;
use crate::names::Names;

/// What all applets take after a size: `b` 512 and `k`, `m`, `g`, `t`, `p`, `e` powers of 1024, capitals too; with `iB`
/// the same, with `B` powers of 1000.
pub const SIZE_SUFFIXES: Names = names! {
    "b" = 512, "c" = 1, "w" = 2,
    "k" = 1 << 10, "K" = 1 << 10, "KiB" = 1 << 10, "kiB" = 1 << 10, "kB" = 1000, "KB" = 1000,
    "m" = 1 << 20, "M" = 1 << 20, "MiB" = 1 << 20, "MB" = 1_000_000,
    "g" = 1 << 30, "G" = 1 << 30, "GiB" = 1 << 30, "GB" = 1_000_000_000,
    "t" = 1u64 << 40, "T" = 1u64 << 40, "TiB" = 1u64 << 40, "TB" = 1_000_000_000_000u64,
    "p" = 1u64 << 50, "P" = 1u64 << 50, "PiB" = 1u64 << 50, "PB" = 1_000_000_000_000_000u64,
    "e" = 1u64 << 60, "E" = 1u64 << 60, "EiB" = 1u64 << 60, "EB" = 1_000_000_000_000_000_000u64,
};

/// For a count without suffixes.
pub const PLAIN: Names = names! {};

/// The value of a word of decimal digits. `None` when it has another character, is empty or passes 64 bits.
pub fn parse_decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// The value of a word of digits in `radix` (2-36). `None` as for `parse_decimal`.
pub fn parse_radix(word: &[u8], radix: u32) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |value, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

/// An integer as C writes it, with a sign: decimal, `0x` hexadecimal or `0` octal. `None` when it is none or does not fit
/// 64 bits, of which an unsigned one may use all: `strtoll(3)` and `strtoull(3)` with base 0.
pub fn parse_c(word: &[u8]) -> Option<i64> {
    let text = word.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let value = match digits {
        [b'0', b'x' | b'X', rest @ ..] => parse_radix(rest, 16)?,
        [b'0', rest @ ..] if !rest.is_empty() => parse_radix(rest, 8)?,
        _ => parse_decimal(digits)?,
    };
    match negative {
        true => 0i64.checked_sub_unsigned(value),
        false => Some(value as i64),
    }
}

/// The integer that a word begins with, as `strtoll(3)` reads it: 0 when it begins with none, the largest or the smallest
/// of 64 bits when it does not fit.
pub fn parse_c_start(word: &[u8]) -> i64 {
    let text = word.trim_ascii_start();
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let (prefix, radix) = match &text[sign..] {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (2, 16),
        [b'0', ..] => (0, 8),
        _ => (0, 10),
    };
    let digits = &text[sign + prefix..];
    let length = digits.iter().take_while(|&&byte| char::from(byte).is_digit(radix)).count();
    match parse_c(&text[..sign + prefix + length]) {
        Some(value) => value,
        None if length == 0 => 0,
        None if text[0] == b'-' => i64::MIN,
        None => i64::MAX,
    }
}

/// A count with an optional suffix of `suffixes`. The error is BusyBox's `invalid number 'WORD'`.
pub fn parse_count(word: &[u8], suffixes: Names) -> Result<u64> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let factor = match &word[digits..] {
        b"" => Some(1),
        rest => suffixes.number_of(rest),
    };
    parse_decimal(&word[..digits])
        .zip(factor)
        .and_then(|(value, factor)| value.checked_mul(factor))
        .ok_or_else(|| invalid(word))
}

/// A count as C writes it, octal and hexadecimal too, with an optional suffix of `SIZE_SUFFIXES` unless hexadecimal.
pub fn parse_size(word: &[u8]) -> Result<u64> {
    let invalid = || invalid(word);
    if let Some(digits) = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X")) {
        return parse_radix(digits, 16).ok_or_else(invalid);
    }
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if word.starts_with(b"0") && digits > 1 {
        let factor = if digits == word.len() { Some(1) } else { SIZE_SUFFIXES.number_of(&word[digits..]) };
        return parse_radix(&word[..digits], 8).zip(factor).and_then(|(a, b)| a.checked_mul(b)).ok_or_else(invalid);
    }
    parse_count(word, SIZE_SUFFIXES)
}

/// The size of a block, at least 1: a count with a suffix, or a suffix alone, which is one of its units.
pub fn parse_block(word: &[u8]) -> Result<u64> {
    let size = SIZE_SUFFIXES.number_of(word).map_or_else(|| parse_count(word, SIZE_SUFFIXES), Ok)?;
    if size > 0 { Ok(size) } else { Err(invalid(word)) }
}

/// A decimal number between `low` and `high`, both included.
pub fn parse_in_range(word: &[u8], low: u64, high: u64) -> Result<u64> {
    match parse_decimal(word) {
        Some(value) if (low..=high).contains(&value) => Ok(value),
        Some(_) => Err(Error::parts(&[
            b"number ",
            word,
            b" is not in ",
            Decimal::new(low).as_bytes(),
            b"..",
            Decimal::new(high).as_bytes(),
            b" range",
        ])),
        None => Err(invalid(word)),
    }
}

/// The error for a word that should have been a number.
pub fn invalid(word: &[u8]) -> Error {
    Error::parts(&[b"invalid number '", word, b"'"])
}

/// The decimal digits of a number, without allocation or `fmt`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: [u8; 20],
    start: u8,
}

impl Decimal {
    /// Writes out `number`.
    pub fn new(mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { digits, start: start as u8 };
            }
        }
    }

    /// The digits, 1-20 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[usize::from(self.start)..]
    }
}

/// The octal digits of `number`.
pub fn octal(mut number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    loop {
        digits.insert(0, b'0' + (number & 7) as u8);
        number >>= 3;
        if number == 0 {
            return digits;
        }
    }
}

/// `number` in at most four characters, with one decimal below 10 and a power of 1024 (`K`, `M`...): `ls -h`, `df -h`.
pub fn human(number: u64) -> Vec<u8> {
    if number < 1024 {
        return Decimal::new(number).as_bytes().to_vec();
    }
    let (mut unit, mut letter) = (1024u64, 0);
    while letter < 5 && number / unit >= 1024 {
        unit *= 1024;
        letter += 1;
    }
    let tenths = (u128::from(number) * 10 + u128::from(unit) / 2) / u128::from(unit);
    let tenths = tenths as u64;
    let mut text = Decimal::new(tenths / 10).as_bytes().to_vec();
    text.extend_from_slice(&[b'.', b'0' + (tenths % 10) as u8]);
    text.push(b"KMGTPE"[letter]);
    text
}

/// `part * factor / whole`, rounded; 0 of nothing.
pub fn ratio(part: u64, factor: u64, whole: u64) -> u64 {
    let whole = u128::from(whole);
    (u128::from(part) * u128::from(factor) + whole / 2).checked_div(whole).map_or(0, |value| value as u64)
}

/// A number of hundredths with two decimals.
pub fn hundredths(number: u64) -> Vec<u8> {
    crate::text!(number / 100, ".", crate::text::Right(number % 100, 2, b'0'))
}

/// Appends the decimal digits of `number` to `text`, right-aligned in `width` columns.
pub fn push_padded(text: &mut Vec<u8>, number: u64, width: usize) {
    let digits = Decimal::new(number);
    let digits = digits.as_bytes();
    text.resize(text.len() + width.saturating_sub(digits.len()), b' ');
    text.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_suffixes() {
        assert_eq!(parse_count(b"3k", SIZE_SUFFIXES).ok(), Some(3072));
        assert_eq!(parse_count(b"18446744073709551615", PLAIN).ok(), Some(u64::MAX));
    }

    #[test]
    fn counts_reject_what_is_no_number() {
        for word in [&b""[..], b"k", b"1x", b"-1", b"18446744073709551616", b"99999999999999999k"] {
            assert!(parse_count(word, SIZE_SUFFIXES).is_err(), "{word:?}");
        }
    }

    #[test]
    fn c_integers_have_three_bases() {
        assert_eq!(parse_c(b" -0x1F"), Some(-31));
        assert_eq!(parse_c(b"010"), Some(8));
        assert_eq!(parse_c(b"0"), Some(0));
        assert_eq!(parse_c(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_c(b"18446744073709551615"), Some(-1));
        for word in [&b""[..], b"08", b"0x", b"1 ", b"--1", b"18446744073709551616", b"-9223372036854775809"] {
            assert_eq!(parse_c(word), None);
        }
    }

    #[test]
    fn ratios_are_rounded() {
        assert_eq!((ratio(1, 100, 3), ratio(2, 100, 3), ratio(1, 100, 0)), (33, 67, 0));
        assert_eq!((ratio(u64::MAX, 2, u64::MAX), hundredths(105)), (2, b"1.05".to_vec()));
    }

    #[test]
    fn decimals_have_all_their_digits() {
        assert_eq!(Decimal::new(0).as_bytes(), b"0");
        assert_eq!(Decimal::new(u64::MAX).as_bytes(), b"18446744073709551615");
    }
}
