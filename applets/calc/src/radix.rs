//! Numbers as words, in any base.

use num_bigint::BigUint;
use rbox_core::number::push_padded;
use rbox_core::prelude::*;

use super::number::{Number, is_zero, power_of_ten, small};

/// A base of output, at least 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base(pub u64);

impl Base {
    /// Base 10.
    pub const DECIMAL: Self = Self(10);

    /// The columns of one digit where it is a number (POSIX XCU bc: bases above 16).
    fn columns(self) -> usize {
        length_of(self.0 - 1)
    }
}

/// How many decimal digits a small number has.
fn length_of(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// How many decimal digits it has.
pub fn decimal_length(digits: &BigUint) -> usize {
    if let Some(value) = small(digits) {
        return length_of(value);
    }
    // log10(2) is between 30102/100000 and 30103/100000.
    let bits = digits.bits() - 1;
    let mut length = (bits * 30102 / 100_000) as usize;
    let mut power = power_of_ten(length);
    while power <= *digits {
        (length, power) = (length + 1, power * 10u32);
    }
    length
}

/// The number that digits and at most one point are, in base `base` (2-36). Digits beyond the base are its greatest one, a
/// single digit is what it is (POSIX XCU bc); `clamps` is false for dc, where each is what it is.
pub fn parse(word: &[u8], base: u64, clamps: bool) -> Result<Number> {
    if let [digit @ b'0'..=b'9'] = word {
        return Ok(Number::from(u64::from(digit - b'0')));
    }
    let mut values = Vec::with_capacity(word.len());
    let mut scale = None;
    for &byte in word {
        match byte {
            b'0'..=b'9' => values.push(byte - b'0'),
            b'A'..=b'Z' => values.push(byte - b'A' + 10),
            _ => scale = Some(values.len()),
        }
    }
    let scale = scale.map_or(0, |point| values.len() - point);
    let is_single = values.len() == 1 && scale == 0;
    if clamps && !is_single {
        values.iter_mut().for_each(|value| *value = (*value).min(base as u8 - 1));
    }
    let fits = values.iter().all(|&value| u64::from(value) < base);
    let digits = match BigUint::from_radix_be(&values, base as u32) {
        Some(digits) if fits => digits,
        _ => values.iter().fold(BigUint::default(), |sum, &value| sum * base + value),
    };
    if base == 10 || scale == 0 {
        return Number::new(false, digits, scale);
    }
    // As many decimal digits after the point as were written.
    Number::new(false, digits * power_of_ten(scale) / BigUint::from(base).pow(scale as u32), scale)
}

/// The digits of an integer in base `base`, the most significant one first; none for 0.
fn digits_of(value: &BigUint, base: u64) -> Vec<u64> {
    if is_zero(value) {
        return Vec::new();
    }
    if base <= 256 {
        return value.to_radix_be(base as u32).into_iter().map(u64::from).collect();
    }
    let (mut digits, mut rest) = (Vec::new(), value.clone());
    while !is_zero(&rest) {
        let quotient = &rest / base;
        digits.push(small(&(&rest - &quotient * base)).unwrap_or(0));
        rest = quotient;
    }
    digits.reverse();
    digits
}

/// The number as bc and dc print it from a column on, in lines of `width` characters with `\` at their ends; 0 is one line.
pub fn print(number: &Number, base: Base, width: usize, column: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if number.negative {
        out.push(b'-');
    }
    if base == Base::DECIMAL {
        let text = number.digits.to_str_radix(10).into_bytes();
        let text: &[u8] = if number.is_zero() { b"" } else { &text };
        let whole = text.len().saturating_sub(number.scale);
        out.extend_from_slice(&text[..whole]);
        if number.scale > 0 && !number.is_zero() {
            out.push(b'.');
            out.resize(out.len() + number.scale.saturating_sub(text.len()), b'0');
            out.extend_from_slice(&text[whole..]);
        }
    } else if !number.is_zero() {
        push_in_base(number, base, &mut out);
    }
    if number.is_zero() {
        out.push(b'0');
    }
    wrap(&out, width, column)
}

fn push_in_base(number: &Number, base: Base, out: &mut Vec<u8>) {
    let one = power_of_ten(number.scale);
    let whole = &number.digits / &one;
    let push = |digit: u64, after_point: bool, out: &mut Vec<u8>| {
        if base.0 <= 16 {
            out.push(b"0123456789ABCDEF"[digit as usize]);
            return;
        }
        // Digits are numbers with blanks between them; the point takes the blank's column.
        if !after_point {
            out.push(b' ');
        }
        let start = out.len();
        push_padded(out, digit, base.columns());
        out[start..].iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'0');
    };
    for digit in digits_of(&whole, base.0) {
        push(digit, false, out);
    }
    if number.scale == 0 {
        return;
    }
    // Another digit as long as the power of the base has no more digits than there are after the point.
    let (mut rest, mut power, mut is_first) = (&number.digits - &whole * &one, BigUint::from(1u32), true);
    out.push(b'.');
    while power <= one && decimal_length(&power) <= number.scale {
        rest *= base.0;
        let digit = &rest / &one;
        rest -= &digit * &one;
        push(small(&digit).unwrap_or(0), is_first, out);
        power *= base.0;
        is_first = false;
    }
}

/// Lines of at most `width` characters, the `\` at the end of each but the last one included.
fn wrap(line: &[u8], width: usize, column: usize) -> Vec<u8> {
    if width < 3 || column + line.len() + 1 < width {
        return line.to_vec();
    }
    let (first, rest) = line.split_at((width - 2).saturating_sub(column));
    let mut out = first.to_vec();
    for part in rest.chunks(width - 2) {
        out.extend_from_slice(b"\\\n");
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(word: &str, from: u64, to: u64) -> String {
        let number = parse(word.as_bytes(), from, true).expect("a short number");
        String::from_utf8_lossy(&print(&number, Base(to), 70, 0)).into_owned()
    }

    #[test]
    fn words_of_any_base() {
        assert_eq!(shown("FF", 16, 10), "255");
        assert_eq!(shown("A.8", 16, 10), "10.5");
        assert_eq!(shown("ZZ", 10, 10), "99");
        assert_eq!(shown("00012.500", 10, 10), "12.500");
        assert_eq!(shown("0.00", 10, 10), "0");
    }

    #[test]
    fn digits_of_any_base() {
        assert_eq!(shown("10.5", 10, 16), "A.8");
        assert_eq!(shown(".33333", 10, 16), ".55551");
        assert_eq!(shown("5.5", 10, 2), "101.1000");
        assert_eq!(shown("12345.67", 10, 100), " 01 23 45.67");
        assert_eq!(shown("1234567", 10, 1000), " 001 234 567");
        assert_eq!(shown("399", 10, 20), " 19 19");
    }

    #[test]
    fn long_numbers_have_lines() {
        let long = "1".repeat(100);
        assert_eq!(shown(&long, 10, 10), format!("{}\\\n{}", "1".repeat(68), "1".repeat(32)));
        assert_eq!(decimal_length(&power_of_ten(100)), 101);
        assert_eq!(decimal_length(&(power_of_ten(100) - 1u32)), 100);
    }
}
