//! `printf` and `sprintf` (POSIX XCU awk, Output Statements), and the conversions of numbers by CONVFMT and OFMT.

use rbox_core::error::{Error, Result};
use rbox_core::printf::Spec;
use rbox_core::sys::float;

use crate::value::{Digits, Value, as_integer};

/// The values of a call, one after the other. What is missing is empty and 0.
struct Arguments<'a> {
    values: &'a [Value],
    at: usize,
}

impl<'a> Arguments<'a> {
    fn next(&mut self) -> &'a Value {
        const NOTHING: &Value = &Value::Uninit;
        self.at += 1;
        self.values.get(self.at - 1).unwrap_or(NOTHING)
    }
}

/// Adds the values as `format` says. `convfmt` makes numbers strings, and characters may be those of UTF-8.
pub fn push(out: &mut Vec<u8>, format: &[u8], values: &[Value], convfmt: &[u8], utf8: bool) -> Result<()> {
    let mut arguments = Arguments { values, at: 0 };
    let mut at = 0;
    while let Some(length) = rbox_core::bytes::find_byte(b'%', &format[at..]) {
        out.extend_from_slice(&format[at..at + length]);
        at += length + 1;
        // The conversions that are most frequent, without flags.
        match format.get(at) {
            Some(b's') => {
                let mut digits = Digits::default();
                rbox_core::bytes::append(out, arguments.next().bytes(convfmt, &mut digits))?;
                at += 1;
                continue;
            }
            Some(b'd') => {
                let number = arguments.next().number().trunc();
                if let Some(integer) = as_integer(number) {
                    rbox_core::bytes::append(out, Digits::default().integer(integer))?;
                } else {
                    push_integer(out, &Spec::default(), number);
                }
                at += 1;
                continue;
            }
            _ => {}
        }
        let spec = Spec::read(format, &mut at, &mut || arguments.next().number() as i64);
        while matches!(format.get(at), Some(b'h' | b'l' | b'L' | b'q' | b'j' | b'z' | b't')) {
            at += 1;
        }
        let Some(&letter) = format.get(at) else {
            // A percent at the end is literal.
            out.push(b'%');
            break;
        };
        at += 1;
        if letter == b'%' {
            out.push(b'%');
            continue;
        }
        spec.reserve(out)?;
        push_value(out, &spec, letter, arguments.next(), convfmt, utf8)?;
    }
    out.extend_from_slice(&format[at.min(format.len())..]);
    Ok(())
}

fn push_value(out: &mut Vec<u8>, spec: &Spec, letter: u8, value: &Value, convfmt: &[u8], utf8: bool) -> Result<()> {
    match letter {
        b'd' | b'i' => push_integer(out, spec, value.number()),
        b'o' | b'x' | b'X' | b'u' => push_unsigned(out, spec, value.number(), letter),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => spec.push_float(out, value.number(), letter),
        b'c' => push_character(out, spec, value, convfmt, utf8),
        b's' => {
            let mut digits = Digits::default();
            let text = value.bytes(convfmt, &mut digits);
            rbox_core::bytes::reserve(out, text.len())?;
            if utf8 { spec.push_characters(out, text) } else { spec.push_text(out, text) }
        }
        _ => return Err(Error::new("Invalid format specifier")),
    }
    Ok(())
}

/// A number past 64 bits has all its digits, as in gawk; infinity and NaN are words.
fn push_integer(out: &mut Vec<u8>, spec: &Spec, number: f64) {
    let whole = number.trunc();
    if whole >= -(2f64.powi(63)) && whole < 2f64.powi(63) {
        spec.push_signed(out, whole as i64);
    } else {
        spec.push_large(out, whole);
    }
}

fn push_unsigned(out: &mut Vec<u8>, spec: &Spec, number: f64, letter: u8) {
    let whole = number.trunc();
    if whole >= -(2f64.powi(63)) && whole < 0.0 {
        spec.push_unsigned(out, whole as i64 as u64, letter);
    } else if (0.0..2f64.powi(64)).contains(&whole) {
        spec.push_unsigned(out, whole as u64, letter);
    } else {
        spec.push_large(out, whole);
    }
}

/// `%c`: the character of that number, or the first one of a string.
fn push_character(out: &mut Vec<u8>, spec: &Spec, value: &Value, convfmt: &[u8], utf8: bool) {
    let code = match value {
        Value::Uninit | Value::Link(_) => None,
        value => value.as_number(),
    };
    let mut digits = Digits::default();
    let mut encoded = [0; 4];
    let text = match code {
        Some(code) => {
            let code = code as i64;
            match u32::try_from(code).ok().and_then(char::from_u32).filter(|_| utf8 && code > 127) {
                Some(character) => character.encode_utf8(&mut encoded).as_bytes(),
                None => {
                    encoded[0] = code as u8;
                    &encoded[..1]
                }
            }
        }
        None => {
            let text = value.bytes(convfmt, &mut digits);
            let length = if utf8 { rbox_core::pattern::width(text) } else { text.len().min(1) };
            // C's `%c` of an empty string is its NUL.
            if length == 0 { &encoded[..1] } else { &text[..length] }
        }
    };
    if utf8 { spec.push_characters(out, text) } else { spec.push_padded(out, text) }
}

/// Adds a number by CONVFMT or OFMT, whose first conversion counts; a wrong one is `%.6g`.
pub fn push_number(out: &mut Vec<u8>, number: f64, format: &[u8]) {
    let start = out.len();
    if push(out, format, &[Value::Num(number)], b"%.6g", false).is_err() {
        out.truncate(start);
        float::push(out, number, b'g', None, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: &str, values: &[Value]) -> String {
        let mut out = Vec::new();
        push(&mut out, format.as_bytes(), values, b"%.6g", true).expect("a format");
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn conversions_take_numbers_and_strings() {
        let values = [Value::Num(5.0), Value::Num(-42.9), Value::text(b"abc")];
        assert_eq!(printed("%*d|%s", &values), "  -42|abc");
        assert_eq!(printed("%d %i", &[Value::Num(1e20), Value::Num(f64::INFINITY)]), "100000000000000000000 inf");
        assert_eq!(printed("%+d|%5d", &[Value::Num(1e20), Value::Num(f64::INFINITY)]), "+100000000000000000000|  inf");
        assert_eq!(printed("%c%c%c", &[Value::Num(233.0), Value::text("éa".as_bytes()), Value::Num(65.0)]), "ééA");
        assert_eq!(printed("%3s|%.1s|%s %%", &[Value::text("é".as_bytes()), Value::text("éa".as_bytes())]), "  é|é| %");
        assert_eq!(printed("%x %u", &[Value::Num(-1.0), Value::Num(3.7)]), "ffffffffffffffff 3");
        assert_eq!(printed("100%", &[]), "100%");
    }
}
