//! The functions of `bc -l` (POSIX XCU bc): e, l, s, c, a, j.
//!
//! They work on binary fractions with some 64 digits more than the result needs, which is then cut off to its scale. So
//! every digit is that of the true value; results that are exact are taken apart first.

use num_bigint::BigUint;
use rbox_core::prelude::*;

use super::number::{MOST_BITS, MOST_SCALE, Number, is_zero, power_of_ten, small};

/// Binary digits for so many decimal ones, and some for rounding.
fn bits_for(scale: usize) -> u64 {
    scale as u64 * 3322 / 1000 + 80
}

/// A number that is not negative, as a binary fraction with `bits` digits after the point.
fn to_binary(number: &Number, bits: u64) -> BigUint {
    (&number.digits << bits) / power_of_ten(number.scale)
}

/// The decimal number, cut off to `scale` digits after the point.
fn to_decimal(negative: bool, value: &BigUint, bits: u64, scale: usize) -> Result<Number> {
    Number::new(negative, (value * power_of_ten(scale)) >> bits, scale)
}

/// The length of the integer part in binary digits.
fn whole_bits(number: &Number) -> u64 {
    number.digits.bits().saturating_sub(number.scale as u64 * 3321 / 1000)
}

fn check(scale: usize, number: &Number) -> Result<()> {
    if scale > MOST_SCALE || whole_bits(number) > MOST_BITS { Err(Error::new("number too large")) } else { Ok(()) }
}

/// `e^x`.
pub fn exp(x: &Number, scale: usize) -> Result<Number> {
    if x.is_zero() {
        return Ok(Number::from(1).with_scale(scale));
    }
    check(scale, x)?;
    let whole = Number { negative: false, ..x.clone() }.integer().unwrap_or(i64::MAX) as u64;
    // The result has log2(e) binary digits for each unit of x.
    let grown = whole.saturating_add(1).saturating_mul(1443) / 1000;
    if x.negative && whole as usize / 2 > scale + 2 {
        return Ok(Number::default().with_scale(scale));
    }
    if grown > MOST_BITS {
        return Err(Error::new("number too large"));
    }
    let mut bits = bits_for(scale) + grown + 64;
    // x is halved so often that the series is short, and the result squared as often.
    let halvings = whole_bits(x) + bits.isqrt() / 2;
    bits += halvings + 32;
    let reduced = to_binary(x, bits) >> halvings;
    let one = BigUint::from(1u32) << bits;
    let (mut sum, mut term) = (&one + &reduced, reduced.clone());
    for count in 2u32.. {
        term = ((term * &reduced) >> bits) / count;
        if is_zero(&term) {
            break;
        }
        sum += &term;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> bits;
    }
    if x.negative {
        sum = (one << bits) / sum;
    }
    to_decimal(false, &sum, bits, scale)
}

/// The sum of `x^k / k` over the odd k, with alternating signs for the arc tangent (`alternates`), and without for its
/// hyperbolic brother. `term` is x, `square` its square.
fn odd_series(mut term: BigUint, square: &BigUint, bits: u64, alternates: bool) -> BigUint {
    let (mut added, mut taken) = (term.clone(), BigUint::default());
    for count in 1u64.. {
        term = (term * square) >> bits;
        if is_zero(&term) {
            break;
        }
        let part = &term / (2 * count + 1);
        if alternates && count % 2 != 0 {
            taken += part;
        } else {
            added += part;
        }
    }
    added - taken
}

/// The same series for the reciprocal of a small number.
fn series_of_reciprocal(divisor: u64, bits: u64, alternates: bool) -> BigUint {
    let mut term = (BigUint::from(1u32) << bits) / divisor;
    let (mut added, mut taken) = (term.clone(), BigUint::default());
    for count in 1u64.. {
        term /= divisor * divisor;
        if is_zero(&term) {
            break;
        }
        let part = &term / (2 * count + 1);
        if alternates && count % 2 != 0 {
            taken += part;
        } else {
            added += part;
        }
    }
    added - taken
}

/// J. Machin's formula: a quarter of pi is `4 a(1/5) - a(1/239)`.
fn half_pi(bits: u64) -> BigUint {
    (series_of_reciprocal(5, bits, true) << 3) - (series_of_reciprocal(239, bits, true) << 1)
}

/// The natural logarithm of 2: `18 artanh(1/26) - 2 artanh(1/4801) + 8 artanh(1/8749)`.
fn log_of_two(bits: u64) -> BigUint {
    let part = |divisor| series_of_reciprocal(divisor, bits, false);
    part(26) * 18u32 + (part(8749) << 3) - (part(4801) << 1)
}

/// The natural logarithm. Where there is none, `(1 - 10^scale) / 1` as in every bc.
pub fn log(x: &Number, scale: usize) -> Result<Number> {
    check(scale, x)?;
    if x.negative || x.is_zero() {
        return Number::new(true, (power_of_ten(scale) - 1u32) * power_of_ten(scale), scale);
    }
    if x.digits == power_of_ten(x.scale) {
        return Ok(Number::default().with_scale(scale));
    }
    // A number near 1 has a small logarithm, of which fewer digits are known.
    let mut bits = bits_for(scale) + 64 + x.scale as u64;
    let roots = bits.isqrt() / 8;
    bits += 2 * roots;
    // x is mantissa * 2^exponent, with a mantissa between 1 and 2.
    let wide = (&x.digits << (bits + x.scale as u64 * 4)) / power_of_ten(x.scale);
    let exponent = wide.bits() as i64 - 1 - (bits + x.scale as u64 * 4) as i64;
    let mut mantissa = match wide.bits().checked_sub(bits + 1) {
        Some(excess) => wide >> excess,
        None => &wide << (bits + 1 - wide.bits()),
    };
    for _ in 0..roots {
        mantissa = (mantissa << bits).sqrt();
    }
    let one = BigUint::from(1u32) << bits;
    let ratio = ((&mantissa - &one) << bits) / (mantissa + &one);
    let square = (&ratio * &ratio) >> bits;
    let of_mantissa = odd_series(ratio, &square, bits, false) << (roots + 1);
    let of_exponent = log_of_two(bits) * exponent.unsigned_abs();
    let (negative, value) = match (exponent < 0, of_mantissa < of_exponent) {
        (false, _) => (false, of_mantissa + of_exponent),
        (true, true) => (true, of_exponent - of_mantissa),
        (true, false) => (false, of_mantissa - of_exponent),
    };
    to_decimal(negative, &value, bits, scale)
}

/// The arc tangent.
pub fn arctan(x: &Number, scale: usize) -> Result<Number> {
    if x.is_zero() {
        return Ok(Number::default().with_scale(scale));
    }
    check(scale, x)?;
    let mut bits = bits_for(scale) + 64;
    let halvings = bits.isqrt() / 8;
    bits += 2 * halvings;
    let one = BigUint::from(1u32) << bits;
    let value = to_binary(x, bits);
    let inverts = value > one;
    let mut reduced = if inverts { ((&one << bits) * power_of_ten(x.scale)) / (&x.digits << bits) } else { value };
    for _ in 0..halvings {
        // a(x) = 2 a(x / (1 + sqrt(1 + x^2)))
        let hypotenuse = ((&one << bits) + &reduced * &reduced).sqrt();
        reduced = (reduced << bits) / (hypotenuse + &one);
    }
    let square = (&reduced * &reduced) >> bits;
    let mut result = odd_series(reduced, &square, bits, true) << halvings;
    if inverts {
        result = half_pi(bits) - result;
    }
    to_decimal(x.negative, &result, bits, scale)
}

/// The sine, or the cosine.
pub fn sine(x: &Number, scale: usize, cosine: bool) -> Result<Number> {
    if x.is_zero() {
        return Ok(Number::from(u64::from(cosine)).with_scale(scale));
    }
    check(scale, x)?;
    let bits = bits_for(scale) + 64 + whole_bits(x);
    let quarter = half_pi(bits);
    let value = to_binary(x, bits);
    let quarters = &value / &quarter;
    let rest = value - &quarters * &quarter;
    let mut turn = small(&(&quarters % 4u32)).unwrap_or(0);
    let mut negative = x.negative && !cosine;
    if cosine {
        turn += 1;
    }
    negative ^= turn % 4 >= 2;
    let result = series(&rest, bits, turn & 1 != 0);
    to_decimal(negative, &result, bits, scale)
}

/// The series of the sine, or of the cosine, of a fraction of at most a quarter turn.
fn series(x: &BigUint, bits: u64, cosine: bool) -> BigUint {
    let square = (x * x) >> bits;
    let mut term = if cosine { BigUint::from(1u32) << bits } else { x.clone() };
    let (mut added, mut taken) = (term.clone(), BigUint::default());
    for count in 1u64.. {
        let last = 2 * count + u64::from(!cosine);
        term = ((term * &square) >> bits) / (last * (last - 1));
        if is_zero(&term) {
            break;
        }
        if count % 2 != 0 { taken += &term } else { added += &term }
    }
    if added > taken { added - taken } else { BigUint::default() }
}

/// The Bessel function of the first kind, of integer order.
pub fn bessel(order: &Number, x: &Number, scale: usize) -> Result<Number> {
    check(scale, x)?;
    let too_large = || Error::new("number too large");
    let order = order.integer().ok_or_else(too_large)?;
    let count = u32::try_from(order.unsigned_abs()).map_err(|_| too_large())?;
    let whole = Number { negative: false, ..x.clone() }.integer().ok_or_else(too_large)? as u64;
    if count > 1_000_000 || whole > 1_000_000 {
        return Err(too_large());
    }
    if x.is_zero() && count > 0 {
        return Ok(Number::default());
    }
    // Terms grow up to e^x before they shrink.
    let bits = bits_for(scale) + 64 + 3 * whole + u64::from(count);
    let half = to_binary(x, bits) >> 1u32;
    let square = (&half * &half) >> bits;
    let mut term = BigUint::from(1u32) << bits;
    for factor in 1..=count {
        term = ((term * &half) >> bits) / factor;
    }
    let (mut added, mut taken) = (term.clone(), BigUint::default());
    for step in 1u64.. {
        term = ((term * &square) >> bits) / (step * (step + u64::from(count)));
        if is_zero(&term) {
            break;
        }
        if step % 2 != 0 { taken += &term } else { added += &term }
    }
    let odd = count % 2 != 0;
    let negative = (added < taken) ^ (odd && (x.negative != (order < 0)));
    let value = if added < taken { taken - added } else { added - taken };
    to_decimal(negative, &value, bits, scale)
}
