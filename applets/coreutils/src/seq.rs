//! `seq`: print numbers (GNU and BusyBox; in no standard).
//!
//! Numbers are decimal fractions, exact ones: no step is lost to rounding, and no floating point is needed.

use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;

options! {
    "[-w] [-s SEP] [FIRST [STEP]] LAST

Print the numbers from FIRST to LAST, STEP apart. FIRST and STEP are 1 if not given.

  -w, --equal-width    Put zeros before the shorter numbers
  -s, --separator=SEP  Print SEP between numbers, not a newline";
    EQUAL_WIDTH = "-w",
    SEPARATOR = "-s",
}

/// The applet. Numbers may be negative, so options come first.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// A decimal fraction: digits, the last `places` of which stand behind the point.
#[derive(Clone, Copy)]
struct Number {
    digits: i128,
    places: u32,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 3)?;
    let one = Number { digits: 1, places: 0 };
    let numbers = words.iter().map(|word| parse(word)).collect::<Result<Vec<_>>>()?;
    let (first, step, last) = match *numbers {
        [last] => (one, one, last),
        [first, last] => (first, one, last),
        [first, step, last] => (first, step, last),
        _ => return Err(Error::usage()),
    };
    // As many places are printed as the first and the step have; the last only bounds them.
    let places = first.places.max(step.places);
    let all = places.max(last.places);
    let scale = |number: Number| {
        10i128.pow(all - number.places).checked_mul(number.digits).ok_or_else(|| Error::new("number too long"))
    };
    let (first, step, last) = (scale(first)?, scale(step)?, scale(last)?);
    let cut = 10i128.pow(all - places);
    let separator = args.value(SEPARATOR).unwrap_or(b"\n");
    let is_over = |value: i128| if step < 0 { value < last } else { value > last };
    if is_over(first) {
        return Ok(ExitStatus::SUCCESS);
    }
    let mut text = Vec::new();
    let mut width = 0;
    if args.has(EQUAL_WIDTH) {
        for bound in [first, last] {
            text.clear();
            write(&mut text, bound / cut, places, 0);
            width = width.max(text.len());
        }
    }
    text.clear();
    write(&mut text, first / cut, places, width);
    env.stdout.write(&text)?;
    // From here on a separator stands before each number.
    text.splice(..0, separator.iter().copied());
    let mut value = first.saturating_add(step);
    while !is_over(value) {
        // Counting on the digits themselves is much faster than making them anew.
        if !(step == cut && value > 0 && count_on(&mut text[separator.len()..])) {
            text.truncate(separator.len());
            write(&mut text, value / cut, places, width);
        }
        env.stdout.write(&text)?;
        value = value.saturating_add(step);
    }
    env.stdout.write(b"\n")?;
    Ok(ExitStatus::SUCCESS)
}

/// Adds one in the last digit; false if the text has no room for a carry.
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

/// Reads `-1.5e3` and the like.
fn parse(word: &[u8]) -> Result<Number> {
    parse_parts(word).ok_or_else(|| rbox_core::number::invalid(word))
}

fn parse_parts(word: &[u8]) -> Option<Number> {
    let (negative, rest) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
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
    // Room to add and to scale is left.
    if digits >= 10i128.pow(30) || places > 30 {
        return None;
    }
    Some(Number { digits: if negative { -digits } else { digits }, places: places.max(0) as u32 })
}

/// Appends the number with `places` digits behind the point and zeros up to `width`.
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
    fn names_a_wrong_number() {
        assert_eq!(try_call(APPLET, &["seq", "a"], b"").stderr, "seq: invalid number 'a'\n");
    }
}
