//! `expr`: evaluate an expression (POSIX XCU expr), with GNU's `match`, `substr`, `index`, `length` and `+ TOKEN`, and
//! BusyBox's `quote TOKEN`.
//!
//! Integers have 64 bits, and a result beyond them is an error; comparisons take integers of any length. As in GNU, what
//! `|` and `&` do not need is not computed.

use core::cmp::Ordering;
use std::borrow::Cow;

use rbox_core::number::parse_decimal;
use rbox_core::options::after_dashes;
use rbox_core::pattern;
use rbox_core::pattern::regex::{Exec, Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::text;

options! {
    "EXPRESSION

Print the value of EXPRESSION; the status is 1 if it is empty or 0. Operators, the weakest first:

A | B                A if it is neither empty nor 0, else B
A & B                A if neither is empty or 0, else 0
A < B                1 if A is less than B, else 0; also <= = == != >= >
A + B, A - B         Sum, difference
A * B, A / B, A % B  Product, quotient, remainder
STRING : REGEX       The part of STRING that \\( \\) match at its start, or the number of characters matched
match STRING REGEX   Same as STRING : REGEX
substr STRING N LEN  LEN characters of STRING from the Nth on
index STRING CHARS   Position of the first of CHARS in STRING, or 0
length STRING        Number of characters
quote WORD, + WORD   WORD, even if it is an operator
( EXPRESSION )       Its value"
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline().failure(2);

/// Parentheses and functions within each other; each level takes stack.
const DEPTH: usize = 500;

/// The binding strength of `:`, the operator that binds most.
const MATCH: u8 = 6;

type Value<'a> = Cow<'a, [u8]>;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = after_dashes(args.operands());
    if words.is_empty() {
        return Err(Error::misused("too few arguments"));
    }
    let mut parser = Parser { words, depth: 0, is_utf8: env.is_utf8() };
    let value = parser.operation(1, true)?;
    if !parser.words.is_empty() {
        return Err(syntax_error());
    }
    env.stdout.write(&value)?;
    env.stdout.push(b'\n')?;
    Ok(ExitStatus::from_ok(!is_null(&value)))
}

fn syntax_error() -> Error {
    Error::new("syntax error")
}

/// Whether a value is empty or 0, however many digits that has.
fn is_null(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    value.is_empty() || !digits.is_empty() && digits.iter().all(|&byte| byte == b'0')
}

struct Parser<'a> {
    /// What has not been read.
    words: &'a [&'a [u8]],
    /// How many operands this one is within.
    depth: usize,
    is_utf8: bool,
}

impl<'a> Parser<'a> {
    /// An operand, and after it operators that bind at least as much as `least`. Without `wanted` it is only parsed.
    fn operation(&mut self, least: u8, wanted: bool) -> Result<Value<'a>> {
        let mut left = self.operand(wanted)?;
        while let Some((&operator, rest)) = self.words.split_first() {
            let binding = binding(operator);
            if binding < least {
                break;
            }
            self.words = rest;
            let needed = wanted
                && match operator {
                    b"|" => is_null(&left),
                    b"&" => !is_null(&left),
                    _ => true,
                };
            let right = self.operation(binding + 1, needed)?;
            left = match operator {
                b"|" if !is_null(&left) => left,
                b"|" => {
                    if is_null(&right) {
                        number(0)
                    } else {
                        right
                    }
                }
                b"&" => {
                    if is_null(&left) || is_null(&right) {
                        number(0)
                    } else {
                        left
                    }
                }
                _ if !wanted => left,
                _ if binding == MATCH => self.matched(&left, &right)?,
                _ => binary(operator, &left, &right)?,
            };
        }
        Ok(left)
    }

    fn word(&mut self) -> Result<&'a [u8]> {
        let (word, rest) = self.words.split_first().ok_or_else(syntax_error)?;
        self.words = rest;
        Ok(word)
    }

    fn operand(&mut self, wanted: bool) -> Result<Value<'a>> {
        if self.depth == DEPTH {
            return Err(Error::new("expression is nested too deeply"));
        }
        self.depth += 1;
        let value = match self.word()? {
            b"(" => {
                let value = self.operation(1, wanted)?;
                if self.word()? != b")" {
                    return Err(syntax_error());
                }
                value
            }
            b")" => return Err(syntax_error()),
            b"quote" | b"+" => Cow::Borrowed(self.word()?),
            b"length" => {
                let value = self.operand(wanted)?;
                number(self.length(&value) as i64)
            }
            b"match" => {
                let (value, pattern) = (self.operand(wanted)?, self.operand(wanted)?);
                if wanted { self.matched(&value, &pattern)? } else { value }
            }
            b"index" => {
                let (value, characters) = (self.operand(wanted)?, self.operand(wanted)?);
                number(self.index(&value, &characters))
            }
            b"substr" => {
                let (value, from, count) = (self.operand(wanted)?, self.operand(wanted)?, self.operand(wanted)?);
                self.part(&value, position(&from), position(&count))
            }
            word => Cow::Borrowed(word),
        };
        self.depth -= 1;
        Ok(value)
    }

    /// The bytes of the first character; what is not UTF-8 is one each.
    fn first<'b>(&self, value: &'b [u8]) -> &'b [u8] {
        &value[..if self.is_utf8 { pattern::width(value) } else { value.len().min(1) }]
    }

    /// The number of characters.
    fn length(&self, mut value: &[u8]) -> usize {
        let mut count = 0;
        while self.is_utf8 && !value.is_empty() {
            value = &value[self.first(value).len()..];
            count += 1;
        }
        count + value.len()
    }

    fn index(&self, value: &[u8], characters: &[u8]) -> i64 {
        let (mut at, mut position) = (0, 1);
        while at < value.len() {
            let one = self.first(&value[at..]);
            let mut rest = characters;
            while !rest.is_empty() {
                let other = self.first(rest);
                if one == other {
                    return position;
                }
                rest = &rest[other.len()..];
            }
            at += one.len();
            position += 1;
        }
        0
    }

    /// `count` characters from the one at `from` on, which counts from 1.
    fn part(&self, value: &[u8], from: Option<u64>, count: Option<u64>) -> Value<'a> {
        let (Some(from @ 1..), Some(count @ 1..)) = (from, count) else { return Cow::Borrowed(b"") };
        let skip = |mut rest: &'_ [u8], mut left: u64| {
            let whole = rest.len();
            while left > 0 && !rest.is_empty() {
                rest = &rest[self.first(rest).len()..];
                left -= 1;
            }
            whole - rest.len()
        };
        let value = &value[skip(value, from - 1)..];
        Cow::Owned(value[..skip(value, count)].to_vec())
    }

    /// The part of the value that the group of the expression matches, or the number of characters that all of it does.
    fn matched(&self, value: &[u8], pattern: &[u8]) -> Result<Value<'a>> {
        let utf8 = if self.is_utf8 { Flags::UTF8 } else { Flags::NONE };
        let regex = Regex::new(pattern, Flags::AT_START | utf8).map_err(|error| error.about(pattern))?;
        let mut spans = [None; 2];
        regex.captures_at(value, 0, Exec::default(), &mut spans);
        regex.check()?;
        if regex.groups() > 0 {
            return Ok(Cow::Owned(spans[1].map_or(Vec::new(), |(from, to)| value[from..to].to_vec())));
        }
        Ok(number(spans[0].map_or(0, |(_, end)| self.length(&value[..end])) as i64))
    }
}

/// How much an operator binds; 0 for any other word.
fn binding(word: &[u8]) -> u8 {
    match word {
        b"|" => 1,
        b"&" => 2,
        b"<" | b"<=" | b"=" | b"==" | b"!=" | b">=" | b">" => 3,
        b"+" | b"-" => 4,
        b"*" | b"/" | b"%" => 5,
        b":" => MATCH,
        _ => 0,
    }
}

fn binary<'a>(operator: &[u8], left: &[u8], right: &[u8]) -> Result<Value<'a>> {
    if binding(operator) == 3 {
        let order = compare(left, right);
        return Ok(number(i64::from(match operator {
            b"<" => order.is_lt(),
            b"<=" => order.is_le(),
            b"!=" => order.is_ne(),
            b">=" => order.is_ge(),
            b">" => order.is_gt(),
            _ => order.is_eq(),
        })));
    }
    let (left, right) = (integer(left)?, integer(right)?);
    let result = match operator {
        b"+" => left.checked_add(right),
        b"-" => left.checked_sub(right),
        b"*" => left.checked_mul(right),
        _ if right == 0 => return Err(Error::new("division by zero")),
        b"/" => left.checked_div(right),
        // The one remainder that the division cannot tell is 0, too.
        _ => Some(left.wrapping_rem(right)),
    };
    result.map(number).ok_or_else(overflow)
}

fn overflow() -> Error {
    Error::new("integer overflow").with_status(3)
}

fn number<'a>(value: i64) -> Value<'a> {
    Cow::Owned(text!(value))
}

/// The sign and the digits of an integer, without leading zeros.
fn digits(value: &[u8]) -> Option<(bool, &[u8])> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    Some((digits.len() < value.len() && zeros < digits.len(), &digits[zeros..]))
}

/// A number that is not negative, of any length; `None` for any other value.
fn position(value: &[u8]) -> Option<u64> {
    let (negative, digits) = digits(value)?;
    if negative || digits.is_empty() { None } else { Some(parse_decimal(digits).unwrap_or(u64::MAX)) }
}

fn integer(value: &[u8]) -> Result<i64> {
    let (negative, digits) = digits(value).ok_or_else(|| Error::new("non-numeric argument"))?;
    let amount = if digits.is_empty() { Some(0) } else { parse_decimal(digits) }.ok_or_else(overflow)?;
    let value = if negative { 0i64.checked_sub_unsigned(amount) } else { i64::try_from(amount).ok() };
    value.ok_or_else(overflow)
}

/// Integers by their value, any other pair byte by byte.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let (Some((left_negative, a)), Some((right_negative, b))) = (digits(left), digits(right)) else {
        return left.cmp(right);
    };
    let amounts = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    match (left_negative, right_negative) {
        (false, false) => amounts,
        (true, true) => amounts.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    fn expr(line: &str) -> (u8, String) {
        let words: Vec<&str> = ["expr"].into_iter().chain(line.split(' ')).collect();
        let ran = try_call(APPLET, &words, b"");
        (ran.status, ran.stdout + &ran.stderr)
    }

    #[test]
    fn operators_bind_as_posix_says() {
        assert_eq!(expr("1 + 2 * 3 = 7 & 5 | 9"), (0, "1\n".into()));
        assert_eq!(expr("( 1 + 2 ) * 3 - 2 - 1"), (0, "6\n".into()));
        assert_eq!(expr("12 : .* * 3"), (0, "6\n".into()));
        assert_eq!(expr("-5 % 3"), (0, "-2\n".into()));
    }

    #[test]
    fn what_is_not_needed_is_not_computed() {
        assert_eq!(expr("1 | 1 / 0"), (0, "1\n".into()));
        assert_eq!(expr("0 & ( a + 1 | match x [ )"), (1, "0\n".into()));
        assert_eq!(expr("0 | 1 / 0"), (2, "expr: division by zero\n".into()));
    }

    #[test]
    fn overflow_is_an_error_and_comparisons_have_no_limit() {
        assert_eq!(expr("9223372036854775807 + 1"), (3, "expr: integer overflow\n".into()));
        assert_eq!(expr("-9223372036854775808 / -1"), (3, "expr: integer overflow\n".into()));
        assert_eq!(expr("-9223372036854775808 % -1"), (1, "0\n".into()));
        assert_eq!(expr("99999999999999999999 > 099999999999999999998"), (0, "1\n".into()));
        assert_eq!(expr("-99999999999999999999 < -9"), (0, "1\n".into()));
    }

    #[test]
    fn characters_are_those_of_the_locale() {
        let call = |words: &[&str]| try_call_with(APPLET, words, b"", &["LC_ALL=C.UTF-8"]).stdout;
        assert_eq!(call(&["expr", "length", "äöü"]), "3\n");
        assert_eq!(call(&["expr", "substr", "äöü", "2", "1"]), "ö\n");
        assert_eq!(call(&["expr", "index", "äöü", "ü"]), "3\n");
        assert_eq!(call(&["expr", "äöü", ":", ".."]), "2\n");
        assert_eq!(expr("length ä"), (0, "2\n".into()));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let line = "( ".repeat(100_000) + "1";
        assert_eq!(expr(&line), (2, "expr: expression is nested too deeply\n".into()));
        assert_eq!(expr("1 +"), (2, "expr: syntax error\n".into()));
        assert_eq!(expr(") 1"), (2, "expr: syntax error\n".into()));
    }
}
