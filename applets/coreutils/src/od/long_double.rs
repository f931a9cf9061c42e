//! `long double` numbers of 16 bytes as `%.15e` prints them: 80 bits of the x87 on x86-64, IEEE 754 binary128 elsewhere.

use rbox_core::push;

/// Digits in all, one of them before the point.
const DIGITS: usize = 16;
/// Each element of a long number is below this, and so are the factors.
const BASE: u64 = 1_000_000_000;

/// Appends the number in the little-endian `bytes`.
pub fn push_number(out: &mut Vec<u8>, bytes: u128) {
    let is_x87 = cfg!(target_arch = "x86_64");
    let exponent_at = if is_x87 { 64 } else { 112 };
    let exponent = (bytes >> exponent_at) as i32 & 0x7fff;
    let fraction = bytes & ((1 << exponent_at) - 1);
    // The x87 stores the leading 1; a normal number without it is invalid, and an infinity has no other bit.
    let implied = if is_x87 { 0 } else { u128::from(exponent != 0) << exponent_at };
    let leading = if is_x87 { 1 << 63 } else { 1 << exponent_at };
    let mantissa = fraction | implied;
    if bytes >> (exponent_at + 15) & 1 == 1 {
        out.push(b'-');
    }
    if exponent == 0x7fff && mantissa == leading {
        return push!(*out, "inf");
    }
    if exponent == 0x7fff || exponent != 0 && mantissa & leading == 0 {
        return push!(*out, "nan");
    }
    let point = if is_x87 { 63 } else { 112 };
    let (digits, power) = decimal(mantissa, exponent.max(1) - 16383 - point);
    push!(*out, &digits[..1], ".", &digits[1..], if power < 0 { "e-" } else { "e+" });
    push!(*out, if power.unsigned_abs() < 10 { "0" } else { "" }, power.unsigned_abs());
}

/// The digits of `mantissa` times 2 to the power of `exponent`, rounded half to even, and the power of 10 of the first one.
fn decimal(mut mantissa: u128, exponent: i32) -> (Vec<u8>, i32) {
    if mantissa == 0 {
        return (vec![b'0'; DIGITS], 0);
    }
    // A long number in base 10^9, the last digits first. Half is 5 divided by 10.
    let mut number = Vec::new();
    while mantissa > 0 {
        number.push((mantissa % u128::from(BASE)) as u64);
        mantissa /= u128::from(BASE);
    }
    let (factor, most) = if exponent < 0 { (5u64, 12) } else { (2, 29) };
    let mut left = exponent.unsigned_abs();
    while left > 0 {
        let count = left.min(most);
        multiply(&mut number, factor.pow(count));
        left -= count;
    }
    let mut digits = Vec::new();
    for (index, group) in number.iter().rev().enumerate() {
        let start = digits.len();
        push!(digits, *group);
        let length = digits.len() - start;
        if index > 0 {
            digits.resize(start + 9, b'0');
            digits[start..].rotate_right(9 - length);
        }
    }
    let mut power = digits.len() as i32 - 1 + exponent.min(0);
    digits.resize(digits.len().max(DIGITS + 1), b'0');
    let rest = digits.split_off(DIGITS);
    let is_half = rest[0] == b'5' && rest[1..].iter().all(|&digit| digit == b'0');
    if rest[0] > b'5' || rest[0] == b'5' && (!is_half || digits[DIGITS - 1] % 2 == 1) {
        let nines = digits.iter().rev().take_while(|&&digit| digit == b'9').count();
        digits[DIGITS - nines..].fill(b'0');
        match DIGITS - nines {
            0 => {
                digits[0] = b'1';
                power += 1;
            }
            at => digits[at - 1] += 1,
        }
    }
    (digits, power)
}

fn multiply(number: &mut Vec<u64>, factor: u64) {
    let mut carry = 0;
    for group in number.iter_mut() {
        // Both are below BASE, and so is the carry.
        let product = *group * factor + carry;
        (*group, carry) = (product % BASE, product / BASE);
    }
    if carry > 0 {
        number.push(carry);
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn shown(sign_and_exponent: u16, mantissa: u64) -> String {
        let mut out = Vec::new();
        push_number(&mut out, u128::from(sign_and_exponent) << 64 | u128::from(mantissa));
        String::from_utf8(out).expect("digits are ASCII")
    }

    #[test]
    fn numbers_are_as_c_prints_them() {
        assert_eq!(shown(0x3fff, 1 << 63), "1.000000000000000e+00");
        assert_eq!(shown(0xbfff, 0x8007_0605_0403_0201), "-1.000214340638216e+00");
        assert_eq!(shown(0, 0), "0.000000000000000e+00");
        assert_eq!(shown(0x8000, 0), "-0.000000000000000e+00");
        assert_eq!(shown(0, 1), "3.645199531882475e-4951");
        assert_eq!(shown(0x7ffe, u64::MAX), "1.189731495357232e+4932");
        assert_eq!(shown(0x3ffe, u64::MAX), "1.000000000000000e+00");
        assert_eq!(shown(0x7fff, 1 << 63), "inf");
        assert_eq!(shown(0xffff, 3 << 62), "-nan");
        assert_eq!(shown(0x1234, 1), "nan");
    }
}
