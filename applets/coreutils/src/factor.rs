//! `factor`: the prime factors of numbers up to 64 bits (GNU coreutils).

use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::push;

options! {
    "[NUMBER]...

Print the prime factors of each NUMBER, or of numbers from standard input."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if !args.operands().is_empty() {
        return env.for_each_operand(args.operands(), &mut |env, word| print(env, word));
    }
    let mut input = env.take_stdin();
    let mut status = ExitStatus::SUCCESS;
    while let Some(line) = input.line()? {
        for word in rbox_core::bytes::words(line) {
            match print(env, word) {
                Err(error) if !error.is_output() => status.worsen(env.warn(error)),
                printed => printed?,
            }
        }
    }
    Ok(status)
}

fn print(env: &mut Env, word: &[u8]) -> Result<()> {
    let digits = word.strip_prefix(b"+").unwrap_or(word);
    let number = parse_decimal(digits).ok_or_else(|| invalid(word))?;
    let mut line = Vec::new();
    push!(line, number, ":");
    for factor in factors(number) {
        push!(line, " ", factor);
    }
    line.push(b'\n');
    env.stdout.write(&line)
}

/// The prime factors in ascending order; 0 and 1 have none.
fn factors(mut number: u64) -> Vec<u64> {
    let mut found = Vec::new();
    // Small ones by division; what is left below their square is prime.
    let mut divisor = 2;
    while divisor < 256 && divisor * divisor <= number {
        while number.is_multiple_of(divisor) {
            found.push(divisor);
            number /= divisor;
        }
        divisor += 1 + (divisor & 1);
    }
    let mut waiting = if number > 1 { vec![number] } else { Vec::new() };
    while let Some(part) = waiting.pop() {
        if part < 65_536 || is_prime(part) {
            found.push(part);
        } else {
            let divisor = split(part);
            waiting.extend([divisor, part / divisor]);
        }
    }
    found.sort_unstable();
    found
}

fn multiply(a: u64, b: u64, modulus: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64
}

/// Miller and Rabin's test; these bases leave no composite below 2^64 (Sorenson and Webster).
fn is_prime(number: u64) -> bool {
    let twos = (number - 1).trailing_zeros();
    let odd = (number - 1) >> twos;
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].into_iter().all(|base: u64| {
        let (mut power, mut square, mut exponent) = (1, base, odd);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = multiply(power, square, number);
            }
            square = multiply(square, square, number);
            exponent >>= 1;
        }
        if power == 1 || power == number - 1 {
            return true;
        }
        (1..twos).any(|_| {
            power = multiply(power, power, number);
            power == number - 1
        })
    })
}

/// A divisor of an odd composite, by Pollard's rho with Floyd's two walkers.
fn split(number: u64) -> u64 {
    for step in 1.. {
        let walk = |x| ((u128::from(multiply(x, x, number)) + step as u128) % u128::from(number)) as u64;
        let (mut slow, mut fast) = (2, 2);
        loop {
            // The differences of many steps share one greatest common divisor; too many at once hide it.
            let (mut product, before) = (1, (slow, fast));
            for _ in 0..128 {
                (slow, fast) = (walk(slow), walk(walk(fast)));
                product = multiply(product, slow.abs_diff(fast), number);
            }
            let mut divisor = common_divisor(product, number);
            if divisor == number {
                (slow, fast) = before;
                divisor = 1;
                while divisor == 1 {
                    (slow, fast) = (walk(slow), walk(walk(fast)));
                    divisor = common_divisor(slow.abs_diff(fast), number);
                }
            }
            if divisor == number {
                break;
            }
            if divisor > 1 {
                return divisor;
            }
        }
    }
    number
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while a > 0 {
        (a, b) = (b % a, a);
    }
    b
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::{APPLET, factors};

    #[test]
    fn prints_factors_in_their_order() {
        let ran = try_call(APPLET, &["factor", "0", "1", "2", "360", "x", "97"], b"");
        assert_eq!(ran.stdout, "0:\n1:\n2: 2\n360: 2 2 2 3 3 5\n97: 97\n");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "factor: invalid number 'x'\n"));
        assert_eq!(try_call(APPLET, &["factor"], b" 6 15\n\n21").stdout, "6: 2 3\n15: 3 5\n21: 3 7\n");
    }

    #[test]
    fn splits_the_largest_numbers() {
        assert_eq!(factors(18_446_744_073_709_551_615), [3, 5, 17, 257, 641, 65_537, 6_700_417]);
        assert_eq!(factors(18_446_744_073_709_551_557), [18_446_744_073_709_551_557]);
        assert_eq!(factors(18_446_744_030_759_878_681), [4_294_967_291, 4_294_967_291]);
        assert_eq!(factors(66_049), [257, 257]);
        assert_eq!(factors(4_295_098_369), [65_537, 65_537]);
    }
}
