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

/// The product of two binary fractions. It is one function, not a part of each caller, as are the next ones.
#[inline(never)]
fn product(one: &BigUint, two: &BigUint, bits: u64) -> BigUint {
    (one * two) >> bits
}

/// The quotient of two binary fractions.
#[inline(never)]
fn quotient(one: &BigUint, two: &BigUint, bits: u64) -> BigUint {
    (one << bits) / two
}

/// The square root of a binary fraction.
#[inline(never)]
fn root(value: &BigUint, bits: u64) -> BigUint {
    (value << bits).sqrt()
}

/// The part of a value that a small number divides it into.
#[inline(never)]
fn part(value: &BigUint, divisor: u64) -> BigUint {
    value / divisor
}

/// 1 as a binary fraction.
#[inline(never)]
fn one(bits: u64) -> BigUint {
    BigUint::from(1u32) << bits
}

/// A series, whose terms are added and taken away.
struct Sum {
    added: BigUint,
    taken: BigUint,
}

impl Sum {
    fn of(first: &BigUint) -> Self {
        Self { added: first.clone(), taken: BigUint::default() }
    }

    #[inline(never)]
    fn add(&mut self, term: &BigUint, takes: bool) {
        if takes { self.taken += term } else { self.added += term }
    }

    /// Whether it is below 0, and its size.
    #[inline(never)]
    fn total(self) -> (bool, BigUint) {
        if self.added < self.taken { (true, self.taken - self.added) } else { (false, self.added - self.taken) }
    }
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
    let mut term = one(bits);
    let mut sum = Sum::of(&term);
    for count in 1.. {
        term = part(&product(&term, &reduced, bits), count);
        if is_zero(&term) {
            break;
        }
        sum.add(&term, false);
    }
    let mut power = sum.added;
    for _ in 0..halvings {
        power = product(&power, &power, bits);
    }
    if x.negative {
        power = quotient(&one(bits), &power, bits);
    }
    to_decimal(false, &power, bits, scale)
}

/// The sum of `x^k / k` over the odd k, with alternating signs for the arc tangent (`alternates`), and without for its
/// hyperbolic brother.
fn odd_series(x: BigUint, bits: u64, alternates: bool) -> BigUint {
    let square = product(&x, &x, bits);
    let mut sum = Sum::of(&x);
    let mut term = x;
    for count in 1u64.. {
        term = product(&term, &square, bits);
        if is_zero(&term) {
            break;
        }
        sum.add(&part(&term, 2 * count + 1), alternates && count & 1 != 0);
    }
    sum.total().1
}

/// The same series for the reciprocal of a small number.
fn series_of_reciprocal(divisor: u64, bits: u64, alternates: bool) -> BigUint {
    let mut term = part(&one(bits), divisor);
    let mut sum = Sum::of(&term);
    for count in 1u64.. {
        term = part(&term, divisor * divisor);
        if is_zero(&term) {
            break;
        }
        sum.add(&part(&term, 2 * count + 1), alternates && count & 1 != 0);
    }
    sum.total().1
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
        mantissa = root(&mantissa, bits);
    }
    let ratio = quotient(&(&mantissa - one(bits)), &(&mantissa + one(bits)), bits);
    let of_mantissa = odd_series(ratio, bits, false) << (roots + 1);
    let of_exponent = log_of_two(bits) * exponent.unsigned_abs();
    let mut sum = Sum::of(&of_mantissa);
    sum.add(&of_exponent, exponent < 0);
    let (negative, value) = sum.total();
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
    let value = to_binary(x, bits);
    let inverts = value > one(bits);
    let mut reduced = if inverts { quotient(&power_of_ten(x.scale), &x.digits, bits) } else { value };
    for _ in 0..halvings {
        // a(x) = 2 a(x / (1 + sqrt(1 + x^2)))
        let hypotenuse = root(&(one(bits) + product(&reduced, &reduced, bits)), bits);
        reduced = quotient(&reduced, &(hypotenuse + one(bits)), bits);
    }
    let mut result = odd_series(reduced, bits, true) << halvings;
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
    let square = product(x, x, bits);
    let mut term = if cosine { one(bits) } else { x.clone() };
    let mut sum = Sum::of(&term);
    for count in 1u64.. {
        let last = 2 * count + u64::from(!cosine);
        term = part(&product(&term, &square, bits), last * (last - 1));
        if is_zero(&term) {
            break;
        }
        sum.add(&term, count & 1 != 0);
    }
    // A cosine that is 0 may come out below it by a unit of the last digit.
    let (negative, total) = sum.total();
    if negative { BigUint::default() } else { total }
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
    let square = product(&half, &half, bits);
    let mut term = one(bits);
    for factor in 1..=count {
        term = part(&product(&term, &half, bits), factor.into());
    }
    let mut sum = Sum::of(&term);
    for step in 1u64.. {
        term = part(&product(&term, &square, bits), step * (step + u64::from(count)));
        if is_zero(&term) {
            break;
        }
        sum.add(&term, step & 1 != 0);
    }
    let (is_below, value) = sum.total();
    let negative = is_below ^ (count & 1 != 0 && (x.negative != (order < 0)));
    to_decimal(negative, &value, bits, scale)
}
