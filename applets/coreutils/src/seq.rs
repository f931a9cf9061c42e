//! `seq`: print numbers (GNU and BusyBox; in no standard).
//!
//! Numbers are decimal fractions, exact ones: no step is lost to rounding. Floating point is for `-f` alone.

use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::printf::Spec;

options! {
    "[-w | -f FORMAT] [-s SEP] [FIRST [STEP]] LAST

Print numbers from FIRST (1) to LAST by STEP (1).

  -w, --equal-width    Pad with leading zeros to equal width
  -s, --separator=SEP  Separate numbers by SEP (newline)
  -f, --format=FORMAT  Print by printf FORMAT with one of %e, %f, %g";
    EQUAL_WIDTH = "-w",
    SEPARATOR = "-s",
    FORMAT = "-f",
}

/// The digits of `inf`, which may be the last number.
const INFINITE: i128 = i128::MAX;

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).numbers();

/// A decimal fraction: digits, the last `places` of which are after the point.
#[derive(Clone, Copy)]
struct Number {
    digits: i128,
    places: u32,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 3)?;
    let format = args.value(FORMAT);
    if format.is_some() && args.has(EQUAL_WIDTH) {
        return Err(Error::usage());
    }
    let one = Number { digits: 1, places: 0 };
    let numbers = words.iter().map(|word| parse(word)).collect::<Result<Vec<_>>>()?;
    let (first, step, last) = match *numbers {
        [last] => (one, one, last),
        [first, last] => (first, one, last),
        [first, step, last] => (first, step, last),
        _ => return Err(Error::usage()),
    };
    // As many digits after the point are printed as the first and the step have; the last only bounds them.
    let places = first.places.max(step.places);
    let all = places.max(last.places);
    let scale = |number: Number| match number.digits {
        INFINITE => Ok(INFINITE),
        _ => 10i128.pow(all - number.places).checked_mul(number.digits).ok_or_else(|| Error::new("number too long")),
    };
    let (first, step, last) = (scale(first)?, scale(step)?, scale(last)?);
    let cut = 10i128.pow(all - places);
    let separator = args.value(SEPARATOR).unwrap_or(b"\n");
    let is_over = |value: i128| if step < 0 { value < last } else { value > last };
    if is_over(first) {
        return Ok(ExitStatus::SUCCESS);
    }
    if first == INFINITE {
        return Err(rbox_core::number::invalid(words[0]));
    }
    let mut text = Vec::new();
    let mut width = 0;
    if args.has(EQUAL_WIDTH) {
        let point = if places > 0 { places as usize + 1 } else { 0 };
        for (bound, word) in [(first, words[0]), (last, words[words.len() - 1])] {
            text.clear();
            write(&mut text, bound / cut, places, 0);
            width = width.max(text.len()).max(whole_length(word) + point);
        }
    }
    let put = |text: &mut Vec<u8>, value: i128| match format {
        Some(format) => write_as(text, format, value as f64 / 10i128.pow(all) as f64),
        None => {
            write(text, value / cut, places, width);
            Ok(true)
        }
    };
    text.clear();
    if !put(&mut text, first)? {
        return Err(Error::parts(&[b"invalid format '", format.unwrap_or_default(), b"'"]));
    }
    env.stdout.write(&text)?;
    // From here on a separator is before each number.
    text.splice(..0, separator.iter().copied());
    let mut value = first.saturating_add(step);
    while !is_over(value) {
        // Counting on the digits themselves is much faster than making them anew.
        if !(step == cut && format.is_none() && value > 0 && count_on(&mut text[separator.len()..])) {
            text.truncate(separator.len());
            put(&mut text, value)?;
        }
        env.stdout.write(&text)?;
        value = value.saturating_add(step);
    }
    env.stdout.write(b"\n")?;
    Ok(ExitStatus::SUCCESS)
}

/// Adds one in the last digit; false if the digits have no space for a carry.
fn count_on(text: &mut [u8]) -> bool {
    for at in (0..text.len()).rev() {
        match text[at] {
            b'0'..=b'8' => {
                text[at] += 1;
                return true;
            }
            b'9' => text[at] = b'0',
            b'.' => {}
            _ => return false,
        }
    }
    false
}

/// The columns before the point of a number as it was typed: zeros in front of it count.
fn whole_length(word: &[u8]) -> usize {
    let word = word.strip_prefix(b"+").unwrap_or(word);
    let is_plain = word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    if is_plain { rbox_core::bytes::find_byte(b'.', word).unwrap_or(word.len()) } else { 0 }
}

/// Writes the number by the one conversion of `format`; false if it has another number of them.
fn write_as(text: &mut Vec<u8>, format: &[u8], value: f64) -> Result<bool> {
    let (mut at, mut conversions) = (0, 0);
    while let Some(&byte) = format.get(at) {
        at += 1;
        if byte != b'%' {
            text.push(byte);
        } else if format.get(at) == Some(&b'%') {
            text.push(b'%');
            at += 1;
        } else {
            let spec = Spec::read(format, &mut at, &mut || 0);
            let Some(&letter) = format.get(at).filter(|letter| b"aAeEfFgG".contains(letter)) else { return Ok(false) };
            spec.reserve(text)?;
            spec.push_float(text, value, letter);
            at += 1;
            conversions += 1;
        }
    }
    Ok(conversions == 1)
}

/// Reads `-1.5e3` and the like, and what C reads as hexadecimal or infinite.
fn parse(word: &[u8]) -> Result<Number> {
    parse_parts(word).ok_or_else(|| rbox_core::number::invalid(word))
}

fn parse_parts(word: &[u8]) -> Option<Number> {
    let (negative, rest) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let sign = if negative { -1 } else { 1 };
    if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
        return (!negative).then_some(Number { digits: INFINITE, places: 0 });
    }
    if let [b'0', b'x' | b'X', _, ..] = rest {
        return Some(Number {
            digits: sign * i128::from(rbox_core::number::parse_c(rest)?.cast_unsigned()),
            places: 0,
        });
    }
    let (mantissa, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => (rest, 0),
        Some(at) => {
            let (negative, digits) = match &rest[at + 1..] {
                [b'-', digits @ ..] => (true, digits),
                [b'+', digits @ ..] => (false, digits),
                digits => (false, digits),
            };
            let exponent = i32::try_from(parse_decimal(digits)?).ok()?;
            (&rest[..at], if negative { -exponent } else { exponent })
        }
    };
    let (whole, fraction) = rbox_core::bytes::split_once(mantissa, b'.').unwrap_or((mantissa, b""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut digits = 0i128;
    for byte in whole.iter().chain(fraction) {
        if !byte.is_ascii_digit() {
            return None;
        }
        digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    let places = fraction.len() as i32 - exponent;
    if places < 0 {
        digits = digits.checked_mul(10i128.checked_pow(places.unsigned_abs())?)?;
    }
    // Space to add and to scale is left.
    if digits >= 10i128.pow(30) || places > 30 {
        return None;
    }
    Some(Number { digits: sign * digits, places: places.max(0) as u32 })
}

/// Appends the number with `places` digits after the point and zeros up to `width`.
fn write(text: &mut Vec<u8>, value: i128, places: u32, width: usize) {
    let mut digits = Vec::new();
    let mut left = value.unsigned_abs();
    while left > 0 || digits.len() <= places as usize {
        digits.push(b'0' + (left % 10) as u8);
        left /= 10;
    }
    let is_negative = value < 0;
    let length = digits.len() + usize::from(places > 0) + usize::from(is_negative);
    if is_negative {
        text.push(b'-');
    }
    text.resize(text.len() + width.saturating_sub(length), b'0');
    for (at, digit) in digits.iter().enumerate().rev() {
        text.push(*digit);
        if at == places as usize && places > 0 {
            text.push(b'.');
        }
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn seq(words: &[&str]) -> String {
        let words: Vec<&str> = std::iter::once("seq").chain(words.iter().copied()).collect();
        try_call(APPLET, &words, b"").stdout
    }

    #[test]
    fn counts() {
        assert_eq!(seq(&["3"]), "1\n2\n3\n");
        assert_eq!(seq(&["9", "11"]), "9\n10\n11\n");
        assert_eq!(seq(&["98", "101"]), "98\n99\n100\n101\n");
        assert_eq!(seq(&["3", "-1", "1"]), "3\n2\n1\n");
        assert_eq!(seq(&["--", "-2", "1"]), "-2\n-1\n0\n1\n");
        assert_eq!(seq(&["2", "1"]), "");
        assert_eq!(seq(&["-s,", "3"]), "1,2,3\n");
        assert_eq!(seq(&["1e3", "1000"]), "1000\n");
    }

    #[test]
    fn counts_fractions_exactly() {
        assert_eq!(seq(&["1", ".5", "2"]), "1.0\n1.5\n2.0\n");
        assert_eq!(seq(&["0.1", "0.1", "0.3"]), "0.1\n0.2\n0.3\n");
        assert_eq!(seq(&["1.0", "2"]), "1.0\n2.0\n");
        assert_eq!(seq(&["1", "2.5"]), "1\n2\n");
        assert_eq!(seq(&["--", "-.5", ".5", "0"]), "-0.5\n0.0\n");
    }

    #[test]
    fn makes_numbers_equally_wide() {
        assert_eq!(seq(&["-w", "8", "10"]), "08\n09\n10\n");
        assert_eq!(seq(&["-w", "--", "-1", "1"]), "-1\n00\n01\n");
        assert_eq!(seq(&["-w", "9.5", "10.5"]), "09.5\n10.5\n");
    }

    #[test]
    fn takes_what_c_takes() {
        assert_eq!(seq(&["0xe", "0x10"]), "14\n15\n16\n");
        assert_eq!(seq(&["-w", "007", "8"]), "007\n008\n");
        assert_eq!(seq(&["-f", "%03g%%", "9", "10"]), "009%\n010%\n");
        assert_eq!(seq(&["-f", "<%.2f>", "1", ".5", "2"]), "<1.00>\n<1.50>\n<2.00>\n");
        for format in ["%d", "", "%g%g", "%", "%g%"] {
            assert_eq!(
                try_call(APPLET, &["seq", "-f", format, "2"], b"").stderr,
                format!("seq: invalid format '{format}'\n")
            );
        }
    }

    #[test]
    fn names_a_wrong_number() {
        assert_eq!(try_call(APPLET, &["seq", "a"], b"").stderr, "seq: invalid number 'a'\n");
    }
}
