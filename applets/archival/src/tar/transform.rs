//! `--transform`: names changed by expressions of sed's `s` command.

use rbox_core::bytes::find_byte;
use rbox_core::number::parse_decimal;
use rbox_core::pattern::regex::{Exec, Flags, Regex};
use rbox_core::pattern::template::{Template, Which};
use rbox_core::prelude::*;

use super::TRANSFORM;

/// What a name is of, each with a flag of its own.
#[derive(Clone, Copy)]
pub enum Of {
    File,
    Symlink,
    HardLink,
}

/// One `s/REGEX/TEXT/FLAGS`.
struct Expression {
    regex: Regex,
    template: Template,
    which: Which,
    /// Whether it applies to names, targets of symbolic links, and of hard links.
    applies: [bool; 3],
}

/// All of them, in their order.
#[derive(Default)]
pub struct Transform {
    all: Vec<Expression>,
}

impl Transform {
    /// Those of the command line.
    pub fn of(env: &Env, args: &Args<'_>) -> Result<Self> {
        let mut all = Vec::new();
        let mut applies = [true; 3];
        for text in args.values(TRANSFORM) {
            let mut rest = text;
            while !rest.is_empty() {
                rest = match rest {
                    // Flags for the expressions that follow.
                    [b'f', b'l', b'a', b'g', b's', b'=', flags @ ..] => {
                        let end = find_byte(b';', flags).unwrap_or(flags.len());
                        flags[..end]
                            .iter()
                            .try_for_each(|&flag| set_scope(flag, &mut applies).ok_or_else(|| invalid(text)))?;
                        flags.get(end + 1..).unwrap_or_default()
                    }
                    _ => parse(env, rest, applies, &mut all)?.ok_or_else(|| invalid(text))?,
                };
            }
        }
        Ok(Self { all })
    }

    /// The name as it is changed.
    pub fn apply(&self, name: &[u8], of: Of) -> Result<Vec<u8>> {
        let mut name = name.to_vec();
        for expression in self.all.iter().filter(|expression| expression.applies[of as usize]) {
            let mut changed = Vec::new();
            let Expression { regex, template, which, .. } = expression;
            let count = template.substitute(regex, &name, Exec::default(), *which, &mut Vec::new(), &mut changed)?;
            if count > 0 {
                name = changed;
            }
        }
        Ok(name)
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn invalid(text: &[u8]) -> Error {
    Error::parts(&[b"invalid transform expression '", text, b"'"])
}

fn set_scope(flag: u8, applies: &mut [bool; 3]) -> Option<()> {
    let (at, value) = match flag {
        b'r' => (0, true),
        b'R' => (0, false),
        b's' => (1, true),
        b'S' => (1, false),
        b'h' => (2, true),
        b'H' => (2, false),
        _ => return None,
    };
    applies[at] = value;
    Some(())
}

/// Reads one expression; the rest follows a semicolon. `None` where it is none.
fn parse<'a>(env: &Env, text: &'a [u8], mut applies: [bool; 3], all: &mut Vec<Expression>) -> Result<Option<&'a [u8]>> {
    let [b's', delimiter, rest @ ..] = text else { return Ok(None) };
    let Some((pattern, rest)) = part(rest, *delimiter) else { return Ok(None) };
    let Some((replacement, rest)) = part(rest, *delimiter) else { return Ok(None) };
    let end = find_byte(b';', rest).unwrap_or(rest.len());
    let mut flags = if env.is_utf8() { Flags::UTF8 } else { Flags::NONE };
    let mut which = Which { first: 1, all: false };
    let mut at = 0;
    while at < end {
        match rest[at] {
            b'g' => which.all = true,
            b'i' => flags = flags | Flags::FOLD_CASE,
            b'x' => flags = flags | Flags::EXTENDED,
            b'1'..=b'9' => {
                let length = rest[at..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let Some(number) = parse_decimal(&rest[at..at + length]) else { return Ok(None) };
                which.first = number;
                at += length - 1;
            }
            flag => {
                if set_scope(flag, &mut applies).is_none() {
                    return Ok(None);
                }
            }
        }
        at += 1;
    }
    let regex = Regex::new(&pattern, flags).map_err(|error| error.about(&pattern))?;
    let template = Template::parse(&replacement);
    if template.highest_group() > regex.groups() {
        return Ok(None);
    }
    all.push(Expression { regex, template, which, applies });
    Ok(Some(rest.get(end + 1..).unwrap_or_default()))
}

/// The text up to the delimiter, which a backslash makes ordinary, and what follows.
fn part(text: &[u8], delimiter: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut taken = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            byte if byte == delimiter => return Some((taken, &text[at + 1..])),
            b'\\' if at + 1 < text.len() => {
                if text[at + 1] != delimiter {
                    taken.push(b'\\');
                }
                taken.push(text[at + 1]);
                at += 1;
            }
            byte => taken.push(byte),
        }
        at += 1;
    }
    None
}
