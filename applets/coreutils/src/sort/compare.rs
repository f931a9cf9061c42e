//! The orders of keys: text, numbers, numbers with suffixes, months, versions.

use std::cmp::Ordering;

use super::key::{Kind, Rules};

/// Which of two keys is first, not reversed.
pub fn parts(a: &[u8], b: &[u8], rules: &Rules) -> Ordering {
    match rules.kind {
        Kind::Text if rules.is_plain() => a.cmp(b),
        Kind::Text => visible(a, rules).cmp(visible(b, rules)),
        Kind::Number => numbers(a, b),
        Kind::Float => floats(a, b),
        Kind::Human => suffix(a).cmp(&suffix(b)).then_with(|| numbers(a, b)),
        Kind::Month => month(a).cmp(&month(b)),
        Kind::Version => versions(a, b),
    }
}

/// The bytes of a text key that count, in one case.
fn visible<'a>(text: &'a [u8], rules: &'a Rules) -> impl Iterator<Item = u8> + 'a {
    text.iter()
        .copied()
        .filter(|byte| !rules.dictionary || byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'\t'))
        .filter(|byte| !rules.printable || matches!(byte, b' '..=b'~'))
        .map(|byte| if rules.fold { byte.to_ascii_uppercase() } else { byte })
}

/// The first eight bytes of a text key as a number.
pub fn text_lead(text: &[u8], rules: &Rules) -> u64 {
    if rules.is_plain()
        && let Some(first) = text.first_chunk::<8>()
    {
        return u64::from_be_bytes(*first);
    }
    let mut lead = [0; 8];
    for (place, byte) in lead.iter_mut().zip(visible(text, rules)) {
        *place = byte;
    }
    u64::from_be_bytes(lead)
}

/// A decimal number in its parts: sign, whole digits without leading zeros, fraction without zeros at the end.
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

fn number(text: &[u8]) -> Number<'_> {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let text = &text[blanks..];
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = digits(text);
    let zeros = text[..length].iter().take_while(|&&byte| byte == b'0').count();
    let whole = &text[zeros..length];
    let mut fraction = match &text[length..] {
        [b'.', rest @ ..] => &rest[..digits(rest)],
        _ => b"",
    };
    while let [rest @ .., b'0'] = fraction {
        fraction = rest;
    }
    // There is no -0.
    let is_zero = whole.is_empty() && fraction.is_empty();
    Number { negative: negative && !is_zero, whole, fraction }
}

fn numbers(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (number(a), number(b));
    if a.negative != b.negative {
        return b.negative.cmp(&a.negative);
    }
    let order = a.whole.len().cmp(&b.whole.len());
    let order = order.then_with(|| a.whole.cmp(b.whole)).then_with(|| a.fraction.cmp(b.fraction));
    if a.negative { order.reverse() } else { order }
}

/// The whole part of a number, which orders numbers as they are ordered; the last bit says that there is more to it.
pub fn number_lead(text: &[u8]) -> u64 {
    const LIMIT: i64 = 1 << 61;
    let number = number(text);
    let whole = whole_part(&number).abs();
    let has_more = whole > LIMIT || !number.fraction.is_empty();
    let value = whole.min(LIMIT) << 1 | i64::from(has_more);
    (if number.negative { -value } else { value }) as u64 ^ (1 << 63)
}

/// The same for a number with a suffix, which comes first.
pub fn human_lead(text: &[u8]) -> u64 {
    const LIMIT: i64 = 1 << 54;
    let value = whole_part(&number(text)).clamp(-LIMIT, LIMIT) + LIMIT;
    (((suffix(text) + 16) as u64) << 56) | value as u64
}

fn whole_part(number: &Number<'_>) -> i64 {
    let value = match number.whole.len() {
        0..=18 => number.whole.iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0')),
        _ => i64::MAX,
    };
    if number.negative { -value } else { value }
}

/// Floating point: what is no number is before all numbers, and NaN after that.
fn floats(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (float(a), float(b));
    let rank = |value: Option<f64>| value.map_or(0, |value| if value.is_nan() { 1 } else { 2 });
    rank(a).cmp(&rank(b)).then_with(|| a.partial_cmp(&b).unwrap_or(Ordering::Equal))
}

/// A floating point number in an integer of the same order.
pub fn float_lead(text: &[u8]) -> u64 {
    match float(text) {
        None => 0,
        Some(value) if value.is_nan() => 1,
        // Adding 0 makes -0 the same as 0.
        Some(value) => match (value + 0.0).to_bits() {
            bits if bits >> 63 == 0 => bits | 1 << 63,
            bits => !bits,
        },
    }
}

fn float(text: &[u8]) -> Option<f64> {
    rbox_core::sys::float::parse(text).map(|(value, _)| value)
}

/// The rank of the suffix after a number; a negative one ranks the other way round.
fn suffix(text: &[u8]) -> i32 {
    let number = number(text);
    if number.whole.is_empty() && number.fraction.is_empty() {
        return 0;
    }
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'-')).unwrap_or(0);
    let rest = &text[start..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let rank = match rest.get(digits) {
        Some(b'k' | b'K') => 1,
        Some(letter) => b"MGTPEZYRQ".iter().position(|known| known == letter).map_or(0, |at| at as i32 + 2),
        None => 0,
    };
    if number.negative { -rank } else { rank }
}

/// The number of the month that the text begins with, 0 if it is none.
fn month(text: &[u8]) -> usize {
    const NAMES: &[u8] = b"JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    let text = text.trim_ascii_start();
    let Some(name) = text.get(..3) else { return 0 };
    NAMES.chunks(3).position(|known| known.eq_ignore_ascii_case(name)).map_or(0, |at| at + 1)
}

/// Numbers inside a text are compared as numbers; a tilde is before everything, even the end, and letters before other
/// characters.
fn versions(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (a.first(), b.first());
            let is_text = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_digit());
            if !is_text(x) && !is_text(y) {
                break;
            }
            let order = weight(x).cmp(&weight(y));
            if order != Ordering::Equal {
                return order;
            }
            a = &a[1..];
            b = &b[1..];
        }
        let order = digits(&mut a).cmp(&digits(&mut b));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Takes the digits at the beginning: their number without leading zeros, and themselves.
fn digits<'a>(text: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(length);
    *text = rest;
    let zeros = number.iter().take_while(|&&byte| byte == b'0').count();
    (length - zeros, &number[zeros..])
}
