//! Decimal numbers of any length: an integer, and how many of its digits are after the point (POSIX XCU bc, "scale").

use core::cmp::Ordering;

use num_bigint::BigUint;
use rbox_core::prelude::*;

/// The most binary digits that a number may have: ten million decimal ones.
pub const MOST_BITS: u64 = 1 << 25;

/// The most digits after the point.
pub const MOST_SCALE: usize = 10_000_000;

/// A decimal number.
#[derive(Clone, Debug, Default)]
pub struct Number {
    /// Below 0. A zero never is.
    pub negative: bool,
    /// The digits, without the point.
    pub digits: BigUint,
    /// How many of them are after the point.
    pub scale: usize,
}

/// `10^count`, as `5^count * 2^count`.
#[inline(never)]
pub fn power_of_ten(count: usize) -> BigUint {
    BigUint::from(5u32).pow(count as u32) << count
}

/// Whether it is 0.
pub fn is_zero(digits: &BigUint) -> bool {
    digits.bits() == 0
}

/// The error for a number that would have more digits than [`MOST_BITS`].
fn too_large() -> Error {
    Error::new("number too large")
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self { negative: false, digits: value.into(), scale: 0 }
    }
}

impl Number {
    /// That number, if it is not too long.
    #[inline(never)]
    pub fn new(negative: bool, digits: BigUint, scale: usize) -> Result<Self> {
        if digits.bits() > MOST_BITS || scale > MOST_SCALE {
            return Err(too_large());
        }
        Ok(Self { negative: negative && !is_zero(&digits), digits, scale })
    }

    /// 1 or 0.
    pub fn of_bool(value: bool) -> Self {
        Self::from(u64::from(value))
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        is_zero(&self.digits)
    }

    /// Its integer, with the sign of the number, if it fits 64 bits.
    #[inline(never)]
    pub fn integer(&self) -> Option<i64> {
        let digits = if self.scale == 0 { self.digits.clone() } else { &self.digits / power_of_ten(self.scale) };
        let value = small(&digits)?;
        let value = i64::try_from(value).ok()?;
        Some(if self.negative { -value } else { value })
    }

    /// Whether it has a fraction that is not 0.
    pub fn has_fraction(&self) -> bool {
        self.scale > 0 && !is_zero(&(&self.digits % power_of_ten(self.scale)))
    }

    /// The same value with so many digits after the point; more are dropped.
    #[inline(never)]
    pub fn with_scale(mut self, scale: usize) -> Self {
        match scale.cmp(&self.scale) {
            Ordering::Less => self.digits /= power_of_ten(self.scale - scale),
            Ordering::Greater => self.digits *= power_of_ten(scale - self.scale),
            Ordering::Equal => {}
        }
        self.scale = scale;
        self.negative &= !is_zero(&self.digits);
        self
    }

    /// The opposite number.
    #[inline(never)]
    pub fn negated(mut self) -> Self {
        self.negative = !self.negative && !self.is_zero();
        self
    }

    /// Both with the digits of the one that has more after the point.
    #[inline(never)]
    fn aligned(self, other: Self) -> (Self, Self) {
        let scale = self.scale.max(other.scale);
        (self.with_scale(scale), other.with_scale(scale))
    }

    /// The order of both values.
    #[inline(never)]
    pub fn compare(&self, other: &Self) -> Ordering {
        if self.negative != other.negative {
            return other.negative.cmp(&self.negative);
        }
        let order = if self.scale == other.scale {
            self.digits.cmp(&other.digits)
        } else {
            let (one, two) = self.clone().aligned(other.clone());
            one.digits.cmp(&two.digits)
        };
        if self.negative { order.reverse() } else { order }
    }

    /// The sum.
    pub fn add(self, other: Self) -> Result<Self> {
        let (one, two) = self.aligned(other);
        let scale = one.scale;
        if one.negative == two.negative {
            return Self::new(one.negative, one.digits + two.digits, scale);
        }
        match one.digits.cmp(&two.digits) {
            Ordering::Less => Self::new(two.negative, two.digits - one.digits, scale),
            _ => Self::new(one.negative, one.digits - two.digits, scale),
        }
    }

    /// The product: with as many digits after the point as both factors have together, but no more than the greatest of
    /// `scale` and the factors' own.
    pub fn multiply(self, other: Self, scale: usize) -> Result<Self> {
        let whole = self.scale + other.scale;
        let kept = whole.min(scale.max(self.scale).max(other.scale));
        if self.digits.bits() + other.digits.bits() > 2 * MOST_BITS {
            return Err(too_large());
        }
        let product =
            Self { negative: self.negative != other.negative, digits: self.digits * other.digits, scale: whole };
        let product = product.with_scale(kept);
        Self::new(product.negative, product.digits, kept)
    }

    /// The quotient, with `scale` digits after the point.
    pub fn divide(self, other: Self, scale: usize) -> Result<Self> {
        if other.is_zero() {
            return Err(Error::new("divide by zero"));
        }
        check_scale(scale)?;
        let shift = scale + other.scale;
        let (mut dividend, mut divisor) = (self.digits, other.digits);
        match shift.cmp(&self.scale) {
            Ordering::Greater => dividend *= power_of_ten(shift - self.scale),
            Ordering::Less => divisor *= power_of_ten(self.scale - shift),
            Ordering::Equal => {}
        }
        Self::new(self.negative != other.negative, dividend / divisor, scale)
    }

    /// Quotient and remainder: what is left of it after the quotient with `scale` digits after the point.
    pub fn divide_with_remainder(self, other: Self, scale: usize) -> Result<(Self, Self)> {
        let kept = (scale + other.scale).max(self.scale);
        let quotient = self.clone().divide(other.clone(), scale)?;
        // All digits of the product count.
        let product = quotient.clone().multiply(other, usize::MAX)?;
        let remainder = self.add(product.negated())?.with_scale(kept);
        Ok((quotient, remainder))
    }

    /// The power with an integer exponent.
    pub fn raise(self, exponent: &Self, scale: usize) -> Result<Self> {
        if exponent.has_fraction() {
            return Err(Error::new("not an integer"));
        }
        let exponent = exponent.integer().ok_or_else(too_large)?;
        let times = u32::try_from(exponent.unsigned_abs()).map_err(|_| too_large());
        if self.is_zero() || (self.scale == 0 && self.digits.bits() == 1) {
            let odd = self.negative && exponent % 2 != 0;
            return match (exponent, self.is_zero()) {
                (0, _) => Ok(Self::from(1)),
                (..0, true) => Err(Error::new("divide by zero")),
                (1.., true) => {
                    let whole = self.scale.saturating_mul(usize::try_from(exponent).unwrap_or(usize::MAX));
                    let kept = whole.min(scale.max(self.scale));
                    Ok(self.with_scale(kept))
                }
                (..0, false) => Ok(Self { negative: odd, ..Self::from(1) }.with_scale(scale)),
                (1.., false) => Ok(Self { negative: odd, ..Self::from(1) }),
            };
        }
        let times = times?;
        let whole = self.scale.saturating_mul(times as usize);
        let bits = (self.digits.bits() - 1).saturating_mul(u64::from(times));
        if bits > 2 * MOST_BITS || whole > MOST_SCALE {
            return Err(too_large());
        }
        let kept = if exponent < 0 { whole } else { whole.min(scale.max(self.scale)) };
        let negative = self.negative && times % 2 != 0;
        let power = Self { negative, digits: self.digits.pow(times), scale: whole }.with_scale(kept);
        if exponent < 0 { Self::from(1).divide(power, scale) } else { Self::new(power.negative, power.digits, kept) }
    }

    /// The square root, with the greater number of digits after the point of `scale` and its own.
    pub fn square_root(self, scale: usize) -> Result<Self> {
        if self.negative {
            return Err(Error::new("negative number"));
        }
        if self.is_zero() {
            return Ok(Self::default());
        }
        let scale = scale.max(self.scale);
        check_scale(scale)?;
        let radicand = self.digits * power_of_ten(2 * scale - self.scale);
        Self::new(false, radicand.sqrt(), scale)
    }

    /// `self^exponent % modulus`, all integers (dc's `|`).
    pub fn raise_modulo(self, exponent: Self, modulus: Self) -> Result<Self> {
        if modulus.is_zero() {
            return Err(Error::new("divide by zero"));
        }
        if exponent.negative {
            return Err(Error::new("negative number"));
        }
        if self.has_fraction() || exponent.has_fraction() || modulus.has_fraction() {
            return Err(Error::new("not an integer"));
        }
        let [base, exponent, modulus] = [self, exponent, modulus].map(|number| number.with_scale(0));
        let odd = exponent.digits.bit(0);
        Self::new(base.negative && odd, base.digits.modpow(&exponent.digits, &modulus.digits), 0)
    }

    /// How many significant decimal digits it has (bc's `length`): a zero has one.
    pub fn length(&self) -> usize {
        super::radix::decimal_length(&self.digits)
    }
}

/// The value of digits that fit 64 bits.
pub fn small(digits: &BigUint) -> Option<u64> {
    (digits.bits() <= 64).then(|| digits.iter_u64_digits().next().unwrap_or(0))
}

fn check_scale(scale: usize) -> Result<()> {
    if scale > MOST_SCALE { Err(too_large()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radix::{Base, parse, print};

    fn number(word: &str) -> Number {
        let (negative, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
        let number = parse(digits.as_bytes(), 10, true).expect("a short number");
        if negative { number.negated() } else { number }
    }

    fn text(number: Result<Number>) -> String {
        let number = number.unwrap_or_else(|error| panic!("{}", String::from_utf8_lossy(error.message())));
        String::from_utf8_lossy(&print(&number, Base::DECIMAL, 0, 0)).into_owned()
    }

    #[test]
    fn scales_are_those_of_posix() {
        assert_eq!(text(number("1.25").add(number("-.5"))), ".75");
        assert_eq!(text(number("1.55").multiply(number("1.5"), 0)), "2.32");
        assert_eq!(text(number("-10").divide(number("3"), 3)), "-3.333");
        assert_eq!(text(number("10").divide_with_remainder(number("3"), 3).map(|pair| pair.1)), ".001");
        assert_eq!(text(number("2").raise(&number("-2"), 4)), ".2500");
        assert_eq!(text(number("1.5").raise(&number("3"), 0)), "3.3");
        assert_eq!(text(number("2.00001").square_root(3)), "1.41421");
    }

    #[test]
    fn a_number_has_a_bounded_length() {
        assert!(number("8").raise(&number("16777216"), 0).is_err());
        assert!(number("1").raise(&number("99999999999"), 0).is_ok());
        assert!(number("2").divide(number("0"), 0).is_err());
    }
}
