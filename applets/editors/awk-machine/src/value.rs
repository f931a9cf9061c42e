//! Values: numbers, strings and what came from input, which may be both (POSIX XCU awk, Expressions in awk).

use std::ops::Deref;
use std::rc::Rc;

use rbox_core::sys::float;

/// Bytes of a string that need no allocation of their own beside the one that counts its users.
const SHORT: usize = 30;

/// The bytes of a string.
#[derive(Clone)]
pub enum Text {
    /// The first so many bytes of the array.
    Short(u8, [u8; SHORT]),
    /// A longer string, which grows in place while it has one user.
    Long(Vec<u8>),
}

impl Text {
    /// The string of two parts.
    pub fn joined(first: &[u8], second: &[u8]) -> Rc<Text> {
        let length = first.len() + second.len();
        if length > SHORT {
            let mut bytes = Vec::with_capacity(length);
            bytes.extend_from_slice(first);
            bytes.extend_from_slice(second);
            return Rc::new(Text::Long(bytes));
        }
        let mut bytes = [0; SHORT];
        bytes[..first.len()].copy_from_slice(first);
        bytes[first.len()..length].copy_from_slice(second);
        Rc::new(Text::Short(length as u8, bytes))
    }

    /// A copy of `bytes`.
    #[inline(never)]
    pub fn new(bytes: &[u8]) -> Rc<Text> {
        if bytes.len() > SHORT {
            return Rc::new(Text::Long(bytes.to_vec()));
        }
        let mut short = [0; SHORT];
        short[..bytes.len()].copy_from_slice(bytes);
        Rc::new(Text::Short(bytes.len() as u8, short))
    }

    /// The string of a buffer, which it takes when it is long.
    pub fn from_vec(bytes: Vec<u8>) -> Rc<Text> {
        if bytes.len() > SHORT { Rc::new(Text::Long(bytes)) } else { Text::new(&bytes) }
    }

    /// Adds bytes at the end.
    pub fn append(&mut self, more: &[u8]) {
        match self {
            Text::Long(bytes) => bytes.extend_from_slice(more),
            Text::Short(length, bytes) => {
                let (start, end) = (usize::from(*length), usize::from(*length) + more.len());
                if end <= SHORT {
                    bytes[start..end].copy_from_slice(more);
                    *length = end as u8;
                } else {
                    let mut long = Vec::with_capacity(end.max(2 * SHORT));
                    long.extend_from_slice(&bytes[..start]);
                    long.extend_from_slice(more);
                    *self = Text::Long(long);
                }
            }
        }
    }
}

impl Deref for Text {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Text::Short(length, bytes) => &bytes[..usize::from(*length)],
            Text::Long(bytes) => bytes,
        }
    }
}

/// What a variable, a field, an element or an operand has.
#[derive(Clone, Default)]
pub enum Value {
    /// Neither assigned nor anything else: 0 and the empty string.
    #[default]
    Uninit,
    /// A number.
    Num(f64),
    /// A string.
    Str(Rc<Text>),
    /// A string from input, which is compared as a number if it looks like one.
    Input(Rc<Text>),
    /// A regular expression of the program, by its index.
    Regex(u32),
    /// An array, by its index among all.
    Array(u32),
    /// An array that the local variable of a function has begun; it ends with the call.
    OwnArray(u32),
    /// A parameter for which the caller passed a variable without a value: by its slot. It may become an array.
    Link(u32),
}

impl Value {
    /// A string.
    pub fn text(bytes: &[u8]) -> Value {
        Value::Str(Text::new(bytes))
    }

    /// A string from input.
    pub fn input(bytes: &[u8]) -> Value {
        Value::Input(Text::new(bytes))
    }

    /// The number of the value.
    #[inline]
    pub fn number(&self) -> f64 {
        match self {
            Value::Num(number) => *number,
            Value::Str(text) | Value::Input(text) => prefix_number(text),
            _ => 0.0,
        }
    }

    /// The value as a number if it is one, or looks like one and came from input.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Num(number) => Some(*number),
            Value::Uninit | Value::Link(_) => Some(0.0),
            Value::Input(text) => whole_number(text),
            _ => None,
        }
    }

    /// Whether the value is true: a number other than 0, or a string that is not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Num(number) => *number != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::Input(text) => whole_number(text).map_or(!text.is_empty(), |number| number != 0.0),
            _ => false,
        }
    }

    /// The string of the value. Numbers that are no integers are converted by `format` (CONVFMT, or OFMT for output).
    #[inline]
    pub fn bytes<'a>(&'a self, format: &[u8], digits: &'a mut Digits) -> &'a [u8] {
        match self {
            Value::Str(text) | Value::Input(text) => text,
            Value::Num(number) => digits.number(*number, format),
            _ => b"",
        }
    }
}

/// The digits of a number, without an allocation for integers.
#[derive(Default)]
pub struct Digits {
    short: [u8; 24],
    long: Vec<u8>,
}

impl Digits {
    /// The number as a string.
    #[inline(never)]
    pub fn number(&mut self, number: f64, format: &[u8]) -> &[u8] {
        match as_integer(number) {
            Some(integer) => self.integer(integer),
            None => self.fraction(number, format),
        }
    }

    /// POSIX XCU awk: a number that is no integer is converted by a format.
    fn fraction(&mut self, number: f64, format: &[u8]) -> &[u8] {
        self.long.clear();
        if format == b"%.6g" {
            float::push(&mut self.long, number, b'g', None, false);
        } else {
            crate::format::push_number(&mut self.long, number, format);
        }
        &self.long
    }

    /// The digits of an integer.
    pub fn integer(&mut self, integer: i64) -> &[u8] {
        let (mut start, mut left) = (self.short.len(), integer.unsigned_abs());
        loop {
            start -= 1;
            self.short[start] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        if integer < 0 {
            start -= 1;
            self.short[start] = b'-';
        }
        &self.short[start..]
    }
}

/// The number as an integer, if it is one and fits 64 bits.
#[inline]
pub fn as_integer(number: f64) -> Option<i64> {
    let integer = number as i64;
    // The conversion saturates, and 2^63 is no i64.
    (integer as f64 == number && integer != i64::MAX).then_some(integer)
}

/// The number that a string begins with, 0 if it begins with none (POSIX XCU awk: as by atof()).
///
/// Only decimal numbers are: no `0x11`. Infinity and NaN are `+inf`, `-inf`, `+nan` and `-nan`, as gawk has them, for
/// `info` and `nano` are words.
#[inline]
pub fn prefix_number(text: &[u8]) -> f64 {
    // Most numbers in input are a few digits.
    let mut value = 0u32;
    if text.len() < 10 && !text.is_empty() {
        for (at, byte) in text.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                if at > 0 && matches!(byte, b' ' | b'\t' | b'\n') {
                    break;
                }
                return scan(text).map_or(0.0, |(number, _)| number);
            }
            value = value * 10 + u32::from(digit);
        }
        return f64::from(value);
    }
    scan(text).map_or(0.0, |(number, _)| number)
}

/// The number that the whole string is, blanks around it aside.
pub fn whole_number(text: &[u8]) -> Option<f64> {
    let last = *text.last()?;
    if last > b'9' && !matches!(last | 0x20, b'f' | b'n') {
        return None;
    }
    let (number, length) = scan(text)?;
    text[length..].iter().all(|&byte| is_space(byte)).then_some(number)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 11 | 12)
}

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The number at the beginning, and how many bytes it takes with the blanks before it.
pub fn scan(text: &[u8]) -> Option<(f64, usize)> {
    let start = text.iter().position(|&byte| !is_space(byte))?;
    let signed = matches!(text[start], b'+' | b'-');
    let negative = text[start] == b'-';
    let mut at = start + usize::from(signed);
    let (mut mantissa, mut digits, mut scale) = (0u64, 0usize, 0i32);
    let mut is_exact = true;
    let mut after_point = false;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if mantissa < 900_719_925_474_099 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    scale -= i32::from(after_point);
                } else {
                    is_exact = false;
                }
            }
            b'.' if !after_point => after_point = true,
            _ => break,
        }
        at += 1;
    }
    if digits == 0 {
        return special(text, start, signed, negative);
    }
    let mantissa_end = at;
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        if text.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at += 1 + sign;
            while text.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
        }
    }
    let has_exponent = at > mantissa_end;
    let number = match usize::try_from(-scale) {
        Ok(power) if is_exact && !has_exponent && power < TENS.len() => {
            let number = mantissa as f64 / TENS[power];
            if negative { -number } else { number }
        }
        _ => float::parse(&text[start..at])?.0,
    };
    Some((number, at))
}

fn special(text: &[u8], start: usize, signed: bool, negative: bool) -> Option<(f64, usize)> {
    let word = text.get(start + 1..start + 4).filter(|_| signed)?;
    let number = if word.eq_ignore_ascii_case(b"inf") {
        f64::INFINITY
    } else if word.eq_ignore_ascii_case(b"nan") {
        f64::NAN
    } else {
        return None;
    };
    // `+info` is a word.
    if text.get(start + 4).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    Some((if negative { -number } else { number }, start + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_begin_with_decimal_numbers() {
        for (text, number) in [
            ("12", 12.0),
            (" -3.5x", -3.5),
            ("1e3", 1000.0),
            ("1e", 1.0),
            (".5.", 0.5),
            ("0x11", 0.0),
            ("x", 0.0),
            ("info", 0.0),
            ("+inf", f64::INFINITY),
            ("123456789012345678901234567890", 123456789012345678901234567890.0),
            ("0.1", 0.1),
            ("7\n", 7.0),
        ] {
            assert_eq!(prefix_number(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn only_whole_numbers_look_like_numbers() {
        assert_eq!(whole_number(b" 10 \n"), Some(10.0));
        assert_eq!(whole_number(b"10x"), None);
        assert_eq!(whole_number(b""), None);
        assert_eq!(whole_number(b"."), None);
        assert_eq!(whole_number(b"1e5"), Some(100000.0));
        assert_eq!(whole_number(b"0x1f"), None);
    }

    #[test]
    fn integers_have_no_fraction_and_others_are_formatted() {
        let mut digits = Digits::default();
        assert_eq!(digits.number(-120.0, b"%.6g"), b"-120");
        assert_eq!(digits.number(0.1, b"%.6g"), b"0.1");
        assert_eq!(digits.number(1e30, b"%.6g"), b"1e+30");
        assert_eq!(digits.number(2.5, b"%.2f"), b"2.50");
        assert_eq!(digits.number(-0.0, b"%.6g"), b"0");
    }

    #[test]
    fn strings_grow_past_the_short_form() {
        let mut text = Text::Short(0, [0; SHORT]);
        for _ in 0..20 {
            text.append(b"abc");
        }
        assert_eq!(text.len(), 60);
        assert_eq!(&text[57..], b"abc");
    }
}
