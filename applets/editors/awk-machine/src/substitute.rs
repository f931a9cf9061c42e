//! Functions that match: `match`, `split`, `sub`, `gsub`, `gensub` and `patsplit`.

use rbox_core::bytes::{append, find_bytes};
use rbox_core::error::{Error, Result};

use crate::fields::Splitter;
use crate::machine::Machine;
use crate::regexes::Pattern;
use crate::special;
use crate::value::{Text, Value};

impl Machine<'_> {
    /// `split(text, array [, separator [, separators]])`: the number of fields.
    pub fn split(&mut self, first: usize, count: usize) -> Result<f64> {
        let text = self.argument(first);
        let splitter = match count {
            2 => {
                let separator = self.special(special::FS);
                self.splitter(&separator, false)?
            }
            _ => match &self.slots[first + 2] {
                Value::Regex(index) => Splitter::Regex(std::rc::Rc::clone(self.regexes.fixed(*index))),
                _ => {
                    let separator = self.argument(first + 2);
                    self.splitter(&separator, false)?
                }
            },
        };
        self.split_by(&text, &splitter, first, count)
    }

    /// Gives an array the fields of a text, and another one what is between them.
    pub fn split_by(&mut self, text: &Text, splitter: &Splitter, first: usize, count: usize) -> Result<f64> {
        let mut bounds = Vec::new();
        splitter.split(text, &mut 0, &mut bounds, usize::MAX);
        let array = self.array_at(first + 1)?;
        let fields = bounds.iter().map(|&(start, end)| Value::input(&text[start..end])).collect();
        self.fill(array, fields);
        if count > 3 {
            let array = self.array_at(first + 3)?;
            let between = bounds.windows(2).map(|pair| Value::text(&text[pair[0].1..pair[1].0])).collect();
            self.fill(array, between);
        }
        Ok(bounds.len() as f64)
    }

    /// `sub` and `gsub`: the replacement and the expression are in slots from `first` on, and the target's string after
    /// them, unless that is the record. The result goes where the string was, or is the record.
    pub fn substitute(&mut self, first: usize, count: usize, is_global: bool) -> Result<f64> {
        let replacement = self.argument(first);
        let pattern = self.regex(first + 1)?;
        let mut out = core::mem::take(&mut self.scratch);
        out.clear();
        if count > 2 {
            let text = self.argument(first + 2);
            let count = replace(&pattern, &text, &replacement, is_global, self.utf8, &mut out)?;
            if count > 0 {
                self.slots[first + 2] = Value::text(&out);
            }
            self.scratch = out;
            return Ok(f64::from(count));
        }
        self.join();
        let count = replace(&pattern, &self.fields.record, &replacement, is_global, self.utf8, &mut out)?;
        if count > 0 {
            core::mem::swap(&mut self.fields.record, &mut out);
            self.fields.changed();
        }
        self.scratch = out;
        Ok(f64::from(count))
    }
}

/// A search that took too long is an error, not a text without a match.
pub fn check(pattern: &Pattern) -> Result<()> {
    if pattern.regex().gave_up() { Err(Error::new("Regular expression too complex")) } else { Ok(()) }
}

/// Adds the text to `out` with one match or all of them replaced, if there is any: how many there are.
fn replace(
    pattern: &Pattern,
    text: &[u8],
    replacement: &[u8],
    is_global: bool,
    utf8: bool,
    out: &mut Vec<u8>,
) -> Result<u32> {
    let is_plain = !replacement.iter().any(|byte| matches!(byte, b'&' | b'\\'));
    let (mut count, mut copied) = (0, 0);
    if let (true, true, Some(byte)) = (is_plain, is_global, pattern.byte()) {
        for at in find_bytes(byte, text) {
            put(out, &text[copied..at])?;
            put(out, replacement)?;
            (count, copied) = (count + 1, at + 1);
        }
        put(out, &text[copied..])?;
        return Ok(count);
    }
    let mut next = pattern.find_at(text, 0);
    while let Some((start, end)) = next {
        put(out, &text[copied..start])?;
        if is_plain {
            put(out, replacement)?;
        } else {
            push_replacement(out, replacement, &text[start..end])?;
        }
        (count, copied) = (count + 1, end);
        if !is_global {
            break;
        }
        next = next_match(pattern, text, end, start == end, utf8);
    }
    check(pattern)?;
    if count > 0 {
        put(out, &text[copied..])?;
    }
    Ok(count)
}

/// The match after one that ended at `end`. An empty one right after another match is none.
pub fn next_match(pattern: &Pattern, text: &[u8], end: usize, was_empty: bool, utf8: bool) -> Option<(usize, usize)> {
    let step = || end + if utf8 && end < text.len() { rbox_core::pattern::width(&text[end..]) } else { 1 };
    if was_empty {
        return pattern.find_at(text, step());
    }
    match pattern.find_at(text, end) {
        Some((start, stop)) if start == stop && start == end => pattern.find_at(text, step()),
        found => found,
    }
}

/// As `append`, without a call where the bytes fit.
#[inline]
fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    if out.capacity() - out.len() < bytes.len() {
        return append(out, bytes);
    }
    match bytes {
        [byte] => out.push(*byte),
        bytes => out.extend_from_slice(bytes),
    }
    Ok(())
}

/// POSIX XCU awk, sub: `&` is the match, `\&` an ampersand, `\\&` a backslash and the match.
fn push_replacement(out: &mut Vec<u8>, replacement: &[u8], found: &[u8]) -> Result<()> {
    let mut rest = replacement;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'\\', [escaped @ (b'&' | b'\\'), after @ ..]) => {
                out.push(*escaped);
                rest = after;
            }
            (b'&', _) => put(out, found)?,
            _ => out.push(*byte),
        }
    }
    Ok(())
}
