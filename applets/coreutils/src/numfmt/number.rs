//! Numbers as people write them, and their conversion.

use rbox_core::prelude::*;
use rbox_core::sys::float;
use rbox_core::text;

use super::extended::{Extended, Round, power};

/// The characters of units: powers of 1000 or 1024.
const LETTERS: &[u8; 8] = b"KMGTPEZY";
/// As GNU: so many digits are exact, and more than the second are refused.
const EXACT_DIGITS: usize = 18;
const MOST_DIGITS: usize = 33;

/// How a number is scaled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    None,
    /// 1K is 1000, 1Ki is 1024.
    Auto,
    Si,
    Iec,
    /// As `Iec`, with an `i` after the letter.
    IecI,
}

impl Scale {
    /// The unit that an option names.
    pub fn parse(word: &[u8], option: &str) -> Result<Self> {
        Ok(match word {
            b"none" => Self::None,
            b"auto" if option == "--from" => Self::Auto,
            b"si" => Self::Si,
            b"iec" => Self::Iec,
            b"iec-i" => Self::IecI,
            _ => return Err(invalid_argument(word, option)),
        })
    }

    fn base(self) -> u64 {
        if matches!(self, Self::Iec | Self::IecI) { 1024 } else { 1000 }
    }
}

/// How digits that are not printed are dropped.
#[derive(Clone, Copy)]
pub enum Method {
    Up,
    Down,
    FromZero,
    TowardsZero,
    Nearest,
}

/// The method that `--round` names.
pub fn method(word: &[u8]) -> Result<Method> {
    Ok(match word {
        b"up" => Method::Up,
        b"down" => Method::Down,
        b"from-zero" => Method::FromZero,
        b"towards-zero" => Method::TowardsZero,
        b"nearest" => Method::Nearest,
        _ => return Err(invalid_argument(word, "--round")),
    })
}

/// The error for a word that an option does not take.
pub fn invalid_argument(word: &[u8], option: &str) -> Error {
    Error::parts(&[b"invalid argument '", word, b"' for '", option.as_bytes(), b"'"])
}

/// The error `invalid WHAT 'WORD'`.
pub fn about(what: &str, word: &[u8]) -> Error {
    Error::parts(&[b"invalid ", what.as_bytes(), b" '", word, b"'"])
}

/// The factor of `--from-unit` and `--to-unit`: digits, a letter, and an `i` for a power of 1024.
pub fn unit(word: &[u8]) -> Result<u64> {
    let invalid = || about("unit size:", word);
    let count = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = rbox_core::number::parse_decimal(&word[..count]).filter(|number| *number > 0).ok_or_else(invalid)?;
    let (base, unit): (u64, &[u8]) = match &word[count..] {
        [letter, b'i'] => (1024, &[*letter]),
        unit => (1000, unit),
    };
    let exponent = match unit {
        [] => Some(0),
        [letter] => LETTERS.iter().position(|known| known == letter).map(|at| at as u32 + 1),
        _ => None,
    };
    exponent.and_then(|exponent| base.checked_pow(exponent)?.checked_mul(number)).ok_or_else(invalid)
}

/// What the options say.
pub struct Conversion<'a> {
    pub from: Scale,
    pub to: Scale,
    pub from_unit: u64,
    pub to_unit: u64,
    pub method: Method,
    pub suffix: &'a [u8],
    /// Digits after the point that the format asks for.
    pub precision: Option<usize>,
}

/// A number that was read.
struct Number {
    is_negative: bool,
    value: Extended,
    /// Digits after the point.
    precision: usize,
}

impl Number {
    fn too_large(&self, what: &str, after: &[u8]) -> Error {
        let mut message = text!(what, " too large to be printed: '");
        let value = self.value.approximate();
        float::push(&mut message, if self.is_negative { -value } else { value }, b'g', None, false);
        message.extend_from_slice(after);
        Error::new(message)
    }
}

impl Conversion<'_> {
    pub fn changes_nothing(&self) -> bool {
        self.from == Scale::None && self.to == Scale::None && (self.from_unit, self.to_unit) == (1, 1)
    }

    /// The digits and the unit of the number that `word` is, converted.
    pub fn convert(&self, word: &[u8]) -> Result<Vec<u8>> {
        let word = word.strip_suffix(self.suffix).filter(|rest| !rest.is_empty()).unwrap_or(word);
        let mut number = self.read(word)?;
        if (self.from_unit, self.to_unit) != (1, 1) {
            number.value = number.value.times(Extended::new(self.from_unit)).over(Extended::new(self.to_unit));
        }
        match self.to {
            Scale::None => self.plain(&number),
            _ => self.scaled(&number),
        }
    }

    fn read(&self, word: &[u8]) -> Result<Number> {
        let digits = word.strip_prefix(b"-").unwrap_or(word);
        let count = |text: &'_ [u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let whole = count(digits);
        let (fraction, length) = match digits[whole..].split_first() {
            Some((b'.', rest)) => (&rest[..count(rest)], whole + 1 + count(rest)),
            _ => (&b""[..], whole),
        };
        if length == 0 || length > whole && fraction.is_empty() {
            return Err(about("number:", word));
        }
        let too_large = || Error::parts(&[b"value too large to be converted: '", word, b"'"]);
        let mut value = integer(&digits[..whole]).ok_or_else(too_large)?;
        if !fraction.is_empty() {
            value = value.plus(integer(fraction).ok_or_else(too_large)?.over(power(10, fraction.len())));
        }
        let (factor, is_scaled) = self.unit_of(word, &digits[length..])?;
        let precision = if is_scaled { 0 } else { fraction.len() };
        Ok(Number { is_negative: digits.len() < word.len(), value: value.times(factor), precision })
    }

    /// The factor of what follows the digits of `word`, and whether there is a letter.
    fn unit_of(&self, word: &[u8], unit: &[u8]) -> Result<(Extended, bool)> {
        let missing = || Error::parts(&[b"missing 'i' suffix in input: '", word, b"' (e.g Ki/Mi/Gi)"]);
        // Blanks may be before a letter, but not alone.
        let unblanked = unit.trim_ascii_start();
        let unit = if unblanked.is_empty() { unit } else { unblanked };
        let Some((letter, rest)) = unit.split_first() else {
            return if self.from == Scale::IecI { Err(missing()) } else { Ok((Extended::new(1), false)) };
        };
        let Some(at) = LETTERS.iter().position(|known| known == letter) else {
            return Err(about("suffix in input:", word));
        };
        let (base, rest) = match (self.from, rest) {
            (Scale::None, _) => {
                return Err(Error::parts(&[b"rejecting suffix in input: '", word, b"' (consider using --from)"]));
            }
            (Scale::Auto | Scale::IecI, [b'i', rest @ ..]) => (1024, rest),
            (Scale::IecI, _) => return Err(missing()),
            _ => (self.from.base(), rest),
        };
        if !rest.is_empty() {
            return Err(Error::parts(&[b"invalid suffix in input '", word, b"': '", rest, b"'"]));
        }
        Ok((power(base, at + 1), true))
    }

    fn round(&self, is_negative: bool) -> Round {
        match (self.method, is_negative) {
            (Method::Nearest, _) => Round::Nearest,
            (Method::TowardsZero, _) | (Method::Up, true) | (Method::Down, false) => Round::Down,
            _ => Round::Up,
        }
    }

    fn plain(&self, number: &Number) -> Result<Vec<u8>> {
        let precision = self.precision.unwrap_or(number.precision);
        let (mut exponent, mut bound) = (0, Extended::new(10));
        while !number.value.is_below(bound) {
            (exponent, bound) = (exponent + 1, bound.times(Extended::new(10)));
        }
        if exponent + precision > EXACT_DIGITS {
            let (what, after) = match precision {
                0 => ("value", Vec::new()),
                _ => ("value/precision", text!("/", precision)),
            };
            return Err(number.too_large(what, &text!(after, "' (consider using --to)")));
        }
        let rounded = number.value.times(power(10, precision)).round(self.round(number.is_negative));
        Ok(with_point(number.is_negative && rounded > 0, rounded, precision))
    }

    fn scaled(&self, number: &Number) -> Result<Vec<u8>> {
        let base = Extended::new(self.to.base());
        let (mut value, mut unit) = (number.value, 0);
        while !value.is_below(base) {
            (value, unit) = (value.over(base), unit + 1);
        }
        let digits = match self.precision {
            Some(precision) => precision.min(3 * unit),
            None => usize::from(value.is_below(Extended::new(10))),
        };
        let mut rounded = value.times(power(10, digits)).round(self.round(number.is_negative));
        let one = 10u128.pow(digits as u32);
        if rounded >= one * u128::from(self.to.base()) {
            (rounded, unit) = (one, unit + 1);
        }
        let is_negative = number.is_negative && rounded > 0;
        let is_small = rounded > 0 && rounded < 10 * one && unit > 0;
        let shown = self.precision.unwrap_or(is_small.into());
        if shown < digits {
            // C's printf rounds half to even.
            let (whole, rest) = (rounded / 10, rounded % 10);
            rounded = whole + u128::from(rest > 5 || rest == 5 && whole % 2 == 1);
        }
        let mut text = with_point(is_negative, rounded, shown.min(digits));
        if shown > digits {
            text.extend_from_slice(if digits == 0 { b"." } else { b"" });
            text.resize(text.len() + shown - digits, b'0');
        }
        if unit > 0 {
            let letter = LETTERS.get(unit - 1);
            text.push(*letter.ok_or_else(|| number.too_large("value", b"' (cannot handle values > 999Y)"))?);
            text.extend_from_slice(if self.to == Scale::IecI { b"i" } else { b"" });
        }
        Ok(text)
    }
}

/// The value of digits; `None` for more than GNU takes.
fn integer(digits: &[u8]) -> Option<Extended> {
    let digits = &digits[digits.iter().take_while(|&&digit| digit == b'0').count()..];
    if digits.len() > MOST_DIGITS {
        return None;
    }
    Some(digits.iter().fold(Extended::new(0), |value, digit| {
        value.times(Extended::new(10)).plus(Extended::new((digit - b'0').into()))
    }))
}

/// A number of so many digits after its point.
fn with_point(is_negative: bool, mut number: u128, precision: usize) -> Vec<u8> {
    let mut digits = Vec::new();
    while number > 0 || digits.len() <= precision {
        if digits.len() == precision && precision > 0 {
            digits.push(b'.');
        }
        digits.push(b'0' + (number % 10) as u8);
        number /= 10;
    }
    if is_negative {
        digits.push(b'-');
    }
    digits.reverse();
    digits
}
