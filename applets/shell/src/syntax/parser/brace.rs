//! Brace expansion, as in bash: `a{b,c}d`, `{1..10..2}`, `{a..e}`.
//!
//! It works on the text of a word, before anything else is done with it: the words that come of it replace it in the
//! input, as an alias's value does.

use super::reader::{Host, Parser};
use crate::syntax::copied::Copied;
use rbox_core::text;
use rbox_core::text::Right;

/// How many words one word may give.
const MAX_WORDS: usize = 1 << 20;

impl<H: Host> Parser<'_, H> {
    /// Replaces the word that began at `start` by those that its braces make; false when it has none.
    pub fn expand_braces(&mut self, start: usize) -> bool {
        if self.input.buffer.len() - start > self.input.braces_done {
            return false;
        }
        let text = &self.input.buffer[start..self.input.at];
        if !text.contains(&b'{') {
            return false;
        }
        let mut words = Vec::new();
        expand(text, &mut Vec::new(), &mut words);
        if words.len() == 1 && words[0] == text {
            return false;
        }
        let text = words.join(&b' ');
        // The replacement was looked at, what follows was not.
        self.input.braces_done = self.input.buffer.len() - self.input.at;
        self.input.buffer.splice(start..self.input.at, text.iter().copied());
        self.input.at = start;
        true
    }
}

/// Length of what quotes itself at the start of the text: an escape, a string, an expansion; at least 1.
fn quoted_length(text: &[u8]) -> usize {
    let end = |close: u8| {
        let mut at = 1;
        while at < text.len() && text[at] != close {
            at += 1 + usize::from(text[at] == b'\\' && close != b'\'');
        }
        (at + 1).min(text.len())
    };
    match text {
        [b'\\', _, ..] => 2,
        [b'\'', ..] => end(b'\''),
        [b'"', ..] => end(b'"'),
        [b'`', ..] => end(b'`'),
        [b'$', open @ (b'{' | b'('), ..] => {
            let close = if *open == b'{' { b'}' } else { b')' };
            let (mut at, mut depth) = (2, 1);
            while at < text.len() && depth > 0 {
                match text[at] {
                    byte if byte == *open => depth += 1,
                    byte if byte == close => depth -= 1,
                    _ => {}
                }
                at += if depth > 0 { quoted_length(&text[at..]) } else { 1 };
            }
            at
        }
        _ => 1,
    }
}

/// Appends to `words` what `prefix` and the text give.
fn expand(text: &[u8], prefix: &mut Vec<u8>, words: &mut Vec<Vec<u8>>) {
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'{'
            && let Some((choices, length)) = choices(&text[at..])
        {
            let rest = &text[at + length..];
            for choice in choices {
                if words.len() >= MAX_WORDS {
                    return;
                }
                // The choice may hold braces, and so may what follows.
                let mut whole = choice;
                whole.extend_from_slice(rest);
                let length = prefix.len();
                prefix.extend_from_slice(&text[..at]);
                expand(&whole, prefix, words);
                prefix.truncate(length);
            }
            return;
        }
        at += quoted_length(&text[at..]);
    }
    words.push([&prefix[..], text].concat());
}

/// What is between the braces at the start of the text, and the length of it all; `None` when they are plain text.
fn choices(text: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (mut at, mut depth, mut start) = (1, 0u32, 1);
    let mut found = Vec::new();
    while at < text.len() {
        match text[at] {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'}' => {
                if found.is_empty() {
                    return sequence(&text[1..at]).map(|words| (words, at + 1));
                }
                found.push(text[start..at].copied());
                return Some((found, at + 1));
            }
            b',' if depth == 0 => {
                found.push(text[start..at].copied());
                start = at + 1;
            }
            _ => {}
        }
        at += quoted_length(&text[at..]);
    }
    None
}

/// `1..10`, `a..e`, with `..step`.
fn sequence(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut ends = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|two| two == b"..") {
        ends.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    ends.push(rest);
    let (first, last, step) = match ends[..] {
        [first, last] => (first, last, 1),
        [first, last, step] => (first, last, crate::syntax::expression::small_number(step)?.checked_abs()?.max(1)),
        _ => return None,
    };
    let letter = |text: &[u8]| match text {
        [letter] if letter.is_ascii_alphabetic() => Some(i64::from(*letter)),
        _ => None,
    };
    let (low, high, letters) = match (letter(first), letter(last)) {
        (Some(low), Some(high)) => (low, high, true),
        _ => (number(first)?, number(last)?, false),
    };
    let padded = |text: &[u8]| text.strip_prefix(b"-").unwrap_or(text).starts_with(b"0") && text.len() > 1;
    let width = if padded(first) || padded(last) { first.len().max(last.len()) } else { 0 };
    let count = low.abs_diff(high) / step.unsigned_abs() + 1;
    if count > MAX_WORDS as u64 {
        return None;
    }
    let one = |turn: i64| {
        let value = if low <= high { low + turn * step } else { low - turn * step };
        if letters { character(value as u8) } else { decimal(value, width) }
    };
    Some((0..count as i64).map(one).collect())
}

/// A character of a sequence as a word; those between `Z` and `a` are quoted, as some are special.
fn character(byte: u8) -> Vec<u8> {
    match byte {
        // As in bash, which takes it for a quote.
        b'\\' => b"''".copied(),
        byte if byte.is_ascii_alphanumeric() => vec![byte],
        byte => vec![b'\\', byte],
    }
}

fn number(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let value = i64::try_from(rbox_core::number::parse_decimal(digits)?).ok().filter(|value| *value < 1 << 60)?;
    Some(if negative { -value } else { value })
}

fn decimal(value: i64, width: usize) -> Vec<u8> {
    let sign = if value < 0 { "-" } else { "" };
    text!(sign, Right(value.unsigned_abs(), width.saturating_sub(sign.len()), b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        expand(text, &mut Vec::new(), &mut all);
        all.join(&b' ')
    }

    #[test]
    fn braces_give_words() {
        assert_eq!(words(b"a{b,c}d"), b"abd acd");
        assert_eq!(words(b"{a,b{1,2}}{x,y}"), b"ax ay b1x b1y b2x b2y");
        assert_eq!(words(b"{1..5..2}{a..c}"), b"1a 1b 1c 3a 3b 3c 5a 5b 5c");
        assert_eq!(words(b"{08..11}"), b"08 09 10 11");
        assert_eq!(words(b"{3..1}"), b"3 2 1");
    }

    #[test]
    fn other_braces_stay() {
        assert_eq!(words(b"{a}${b,c}\\{d,e}'{f,g}'{h"), b"{a}${b,c}\\{d,e}'{f,g}'{h");
        assert_eq!(words(b"$(echo {a,b}){}"), b"$(echo {a,b}){}");
    }
}
