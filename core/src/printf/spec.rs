//! One conversion specification: its flags, width and precision, and putting a value into them.

use crate::bytes;
use crate::error::{Error, Result};
use crate::number::Decimal;
use crate::sys::float;

/// The largest width and precision of C, which are of type `int`.
const MOST: usize = i32::MAX as usize;

/// What is between `%` and the character of a conversion.
#[derive(Clone, Copy, Default)]
pub struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    /// Columns.
    width: usize,
    /// Digits of an integer, digits of a fraction, bytes of a text.
    precision: Option<usize>,
}

impl Spec {
    /// Reads a specification from `at`, after the `%`, on; `at` is then the offset of the conversion character. `star`
    /// gives what a `*` asks for.
    pub fn read(format: &[u8], at: &mut usize, star: &mut dyn FnMut() -> i64) -> Spec {
        let mut spec = Spec::default();
        while let Some(flag) = format.get(*at) {
            match flag {
                b'-' => spec.left = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alternate = true,
                _ => break,
            }
            *at += 1;
        }
        if let Some(width) = size(format, at, star) {
            // A negative width is the flag `-` and a width.
            spec.left |= width < 0;
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        }
        if format.get(*at) == Some(&b'.') {
            *at += 1;
            // A negative precision counts as none.
            let precision = size(format, at, star).unwrap_or(0);
            spec.precision = usize::try_from(precision).ok();
        }
        spec
    }

    /// Digits of an integer, digits of a fraction, bytes of a text.
    pub fn precision(&self) -> Option<usize> {
        self.precision
    }

    /// Reserves space in `out` for what the width and the precision ask for, and as much for digits that are put
    /// together first. The error is `out of memory`, also where one of them passes C's `int`.
    pub fn reserve(&self, out: &mut Vec<u8>) -> Result<()> {
        /// Bytes that a number of no width and no precision takes at most.
        const NUMBER: usize = 400;
        let size = self.width.max(self.precision.unwrap_or(0));
        if size > MOST {
            return Err(Error::out_of_memory());
        }
        bytes::reserve(out, size + NUMBER)?;
        if size > NUMBER { bytes::reserve(&mut Vec::new(), size + NUMBER) } else { Ok(()) }
    }

    /// `%s`: the text, or its beginning.
    pub fn push_text(&self, out: &mut Vec<u8>, text: &[u8]) {
        let length = self.precision.unwrap_or(text.len()).min(text.len());
        self.push_padded(out, &text[..length]);
    }

    /// `%s` where width and precision count characters of UTF-8.
    pub fn push_characters(&self, out: &mut Vec<u8>, text: &[u8]) {
        let (mut end, mut count) = (0, 0);
        while end < text.len() && self.precision.is_none_or(|most| count < most) {
            end += crate::pattern::width(&text[end..]);
            count += 1;
        }
        // The width in bytes.
        let width = if self.width > count { self.width - count + end } else { 0 };
        Spec { width, ..*self }.push_padded(out, &text[..end]);
    }

    /// The text in its width.
    pub fn push_padded(&self, out: &mut Vec<u8>, text: &[u8]) {
        let blanks = self.width.saturating_sub(text.len());
        if !self.left {
            out.resize(out.len() + blanks, b' ');
        }
        out.extend_from_slice(text);
        if self.left {
            out.resize(out.len() + blanks, b' ');
        }
    }

    /// `%d`.
    pub fn push_signed(&self, out: &mut Vec<u8>, value: i64) {
        self.push_integer(out, self.sign(value < 0), Decimal::new(value.unsigned_abs()).as_bytes());
    }

    /// `%u`, `%x`, `%X` or `%o`, as `letter` says.
    pub fn push_unsigned(&self, out: &mut Vec<u8>, value: u64, letter: u8) {
        let shift = match letter {
            b'u' => return self.push_integer(out, b"", Decimal::new(value).as_bytes()),
            b'o' => 3,
            _ => 4,
        };
        let mut digits = [b'0'; 23];
        let (mut start, mut left) = (digits.len(), value);
        while left > 0 || start == digits.len() {
            start -= 1;
            let digit = b"0123456789abcdef"[(left & ((1 << shift) - 1)) as usize];
            digits[start] = if letter == b'X' { digit.to_ascii_uppercase() } else { digit };
            left >>= shift;
        }
        let prefix: &[u8] = match letter {
            _ if !self.alternate || value == 0 => b"",
            b'x' => b"0x",
            b'X' => b"0X",
            _ => {
                // The alternate form of octal is one more digit, which a precision may have given already.
                start -= 1;
                b""
            }
        };
        self.push_integer(out, prefix, &digits[start..]);
    }

    /// `%e`, `%f`, `%g` or `%a`, as `letter` says, in capitals or not.
    pub fn push_float(&self, out: &mut Vec<u8>, value: f64, letter: u8) {
        let mut digits = Vec::new();
        float::push(&mut digits, value.abs(), letter, self.precision, self.alternate);
        // Zeros before `inf` would make no sense.
        let zero = self.zero && value.is_finite();
        let spec = Spec { precision: None, zero, ..*self };
        spec.push_integer(out, self.sign(value.is_sign_negative()), &digits);
    }

    /// Adds an integer that is past those of 64 bits, infinity or NaN, all its digits before the point.
    pub fn push_large(&self, out: &mut Vec<u8>, value: f64) {
        Spec { precision: Some(0), alternate: false, ..*self }.push_float(out, value, b'f');
    }

    fn sign(&self, negative: bool) -> &'static [u8] {
        match (negative, self.plus, self.space) {
            (true, ..) => b"-",
            (_, true, _) => b"+",
            (_, _, true) => b" ",
            _ => b"",
        }
    }

    /// A sign or prefix, zeros as the precision or the width asks for, and the digits.
    fn push_integer(&self, out: &mut Vec<u8>, sign: &[u8], digits: &[u8]) {
        let wanted = match self.precision {
            Some(precision) => precision,
            None if self.zero && !self.left => self.width.saturating_sub(sign.len()),
            None => 0,
        };
        // C: a value of 0 with a precision of 0 has no digits.
        let digits = if self.precision == Some(0) && digits == b"0" { b"" } else { digits };
        let zeros = wanted.saturating_sub(digits.len());
        let blanks = self.width.saturating_sub(sign.len() + zeros + digits.len());
        if !self.left {
            out.resize(out.len() + blanks, b' ');
        }
        out.extend_from_slice(sign);
        out.resize(out.len() + zeros, b'0');
        out.extend_from_slice(digits);
        if self.left {
            out.resize(out.len() + blanks, b' ');
        }
    }
}

fn size(format: &[u8], at: &mut usize, star: &mut dyn FnMut() -> i64) -> Option<i64> {
    if format.get(*at) == Some(&b'*') {
        *at += 1;
        return Some(star());
    }
    let start = *at;
    let mut value = 0i64;
    while let Some(digit @ b'0'..=b'9') = format.get(*at) {
        value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
        *at += 1;
    }
    (*at > start).then_some(value)
}
