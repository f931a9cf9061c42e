//! Positive numbers of 64 bits of precision, which is what GNU's `long double` has on x86: the last digits agree with its.

/// `mantissa` times 2 to the power of `exponent`. The highest bit of a mantissa is set, unless it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    mantissa: u64,
    exponent: i32,
}

/// How to make an integer of a number that is none.
#[derive(Clone, Copy)]
pub enum Round {
    Down,
    Up,
    Nearest,
}

impl Extended {
    /// `number`, exactly.
    pub fn new(number: u64) -> Self {
        Self::rounded(number.into(), 0, false)
    }

    /// `mantissa`, and a bit more where `more`, rounded half to even.
    fn rounded(mantissa: u128, exponent: i32, more: bool) -> Self {
        if mantissa == 0 {
            return Self { mantissa: 0, exponent: 0 };
        }
        let shift = 64 - mantissa.leading_zeros() as i32;
        if shift <= 0 {
            return Self { mantissa: (mantissa as u64) << -shift, exponent: exponent + shift };
        }
        let (half, rest) = (1u128 << (shift - 1), mantissa & ((1 << shift) - 1));
        let kept = (mantissa >> shift) as u64;
        let is_up = rest > half || rest == half && (more || kept & 1 == 1);
        match kept.checked_add(is_up.into()) {
            Some(kept) => Self { mantissa: kept, exponent: exponent + shift },
            None => Self { mantissa: 1 << 63, exponent: exponent + shift + 1 },
        }
    }

    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub fn times(self, other: Self) -> Self {
        Self::rounded(u128::from(self.mantissa) * u128::from(other.mantissa), self.exponent + other.exponent, false)
    }

    /// The quotient; `other` is not 0.
    pub fn over(self, other: Self) -> Self {
        let (dividend, divisor) = (u128::from(self.mantissa) << 64, u128::from(other.mantissa));
        let (quotient, rest) = (dividend / divisor, dividend % divisor);
        // One bit more than the mantissa has, for rounding.
        let quotient = quotient << 1 | u128::from(2 * rest >= divisor);
        let rest = if 2 * rest >= divisor { 2 * rest - divisor } else { 2 * rest };
        Self::rounded(quotient, self.exponent - other.exponent - 65, rest != 0)
    }

    pub fn plus(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return if self.is_zero() { other } else { self };
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = (large.exponent - small.exponent).min(127);
        let (a, b) = (u128::from(large.mantissa) << 63, u128::from(small.mantissa) << 63);
        Self::rounded(a + (b >> shift), large.exponent - 63, (b >> shift) << shift != b)
    }

    /// Whether it is less than `other`.
    pub fn is_below(self, other: Self) -> bool {
        !other.is_zero() && (self.is_zero() || (self.exponent, self.mantissa) < (other.exponent, other.mantissa))
    }

    /// The integer that is meant; one of more than 128 bits is the largest.
    pub fn round(self, how: Round) -> u128 {
        let mantissa = u128::from(self.mantissa);
        if self.exponent >= 0 {
            return if self.exponent > 64 { u128::MAX } else { mantissa << self.exponent };
        }
        let shift = self.exponent.unsigned_abs().min(127);
        let (whole, rest) = (mantissa >> shift, mantissa & ((1 << shift) - 1));
        let is_up = match how {
            Round::Down => false,
            Round::Up => rest > 0,
            Round::Nearest => rest >= 1 << (shift - 1),
        };
        whole + u128::from(is_up)
    }

    /// An approximation, for messages.
    pub fn approximate(self) -> f64 {
        let (mut value, step) = (self.mantissa as f64, if self.exponent < 0 { 0.5 } else { 2.0 });
        for _ in 0..self.exponent.unsigned_abs() {
            value *= step;
        }
        value
    }
}

/// 10 to the power of `exponent`, as repeated multiplication gives it.
pub fn power(base: u64, exponent: usize) -> Extended {
    (0..exponent).fold(Extended::new(1), |value, _| value.times(Extended::new(base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_rounded_to_64_bits() {
        let third = Extended::new(1).over(Extended::new(3));
        assert_eq!(third, Extended { mantissa: 0xaaaa_aaaa_aaaa_aaab, exponent: -65 });
        assert_eq!(third.times(Extended::new(3)), Extended::new(1));
        assert_eq!(Extended::new(u64::MAX).plus(Extended::new(1)), Extended { mantissa: 1 << 63, exponent: 1 });
        let tenth = Extended::new(1).over(Extended::new(10));
        assert_eq!(tenth, Extended { mantissa: 0xcccc_cccc_cccc_cccd, exponent: -67 });
        assert_eq!(tenth.plus(tenth).times(power(10, 1)).round(Round::Down), 2);
    }

    #[test]
    fn integers_are_made() {
        let half = Extended::new(5).over(Extended::new(2));
        let rounded = [Round::Down, Round::Up, Round::Nearest].map(|how| half.round(how));
        assert_eq!(rounded, [2, 3, 3]);
        assert_eq!(power(10, 20).round(Round::Down), 100_000_000_000_000_000_000);
        assert_eq!(Extended::new(1).over(power(10, 40)).round(Round::Up), 1);
        assert!(half.is_below(Extended::new(3)) && Extended::new(0).is_below(half) && !half.is_below(half));
    }
}
