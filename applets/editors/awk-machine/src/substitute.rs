//! Functions that match: `match`, `split`, `sub`, `gsub`, `gensub` and `patsplit`.

use rbox_core::bytes::{append, find_bytes};
use rbox_core::error::{Error, Result};
use rbox_core::pattern::regex::{Exec, Span};

use crate::array::Key;
use crate::builtins::count_characters;
use crate::fields::Splitter;
use crate::machine::Machine;
use crate::regexes::Pattern;
use crate::special;
use crate::value::{Text, Value};

impl Machine<'_> {
    /// `match(text, regex [, array])`: the position, counted from 1; also RSTART and RLENGTH. The array gets the groups.
    pub(crate) fn match_text(&mut self, first: usize, count: usize) -> Result<f64> {
        let text = self.argument(first);
        let regex = self.regex(first + 1)?;
        let mut spans = vec![None; if count > 2 { regex.regex().groups() + 1 } else { 1 }];
        let found = regex.regex().captures_at(&text, 0, Exec::default(), &mut spans);
        check(&regex)?;
        let (start, length) = match spans[0] {
            Some((start, end)) if found => (
                (count_characters(&text[..start], self.utf8) + 1) as f64,
                count_characters(&text[start..end], self.utf8) as f64,
            ),
            _ => (0.0, -1.0),
        };
        self.set_number(special::RSTART << 1, start);
        self.set_number(special::RLENGTH << 1, length);
        if count > 2 {
            let array = self.array_at(first + 2)?;
            self.arrays[array].clear();
            for (group, span) in spans.into_iter().enumerate() {
                let Some((start, end)) = span else { continue };
                let key = rbox_core::text!(group);
                let index = Key::Integer(group as i64);
                let separator = self.special(special::SUBSEP);
                let position = (count_characters(&text[..start], self.utf8) + 1) as f64;
                let length = count_characters(&text[start..end], self.utf8) as f64;
                let array = &mut self.arrays[array];
                *array.entry(index) = Value::input(&text[start..end]);
                *array.entry(Key::Text(&[&key, &separator[..], b"start"].concat(), None)) = Value::Num(position);
                *array.entry(Key::Text(&[&key, &separator[..], b"length"].concat(), None)) = Value::Num(length);
            }
        }
        Ok(start)
    }

    /// `split(text, array [, separator [, separators]])`: the number of fields.
    pub(crate) fn split(&mut self, first: usize, count: usize) -> Result<f64> {
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

    /// gawk's `patsplit(text, array [, content [, separators]])`: the fields are what matches.
    pub(crate) fn patsplit(&mut self, first: usize, count: usize) -> Result<f64> {
        let text = self.argument(first);
        let regex = match count {
            2 => {
                let content = self.special(special::FPAT);
                self.regexes.of_text(&content)?
            }
            _ => self.regex(first + 2)?,
        };
        self.split_by(&text, &Splitter::Content(regex), first, count)
    }

    fn split_by(&mut self, text: &Text, splitter: &Splitter, first: usize, count: usize) -> Result<f64> {
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
    pub(crate) fn substitute(&mut self, first: usize, count: usize, is_global: bool) -> Result<f64> {
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

    /// gawk's `gensub(regex, replacement, how [, text])`: the text with one match replaced, or all; `\1` is a group.
    pub(crate) fn gensub(&mut self, first: usize, count: usize) -> Result<Value> {
        let regex = self.regex(first)?;
        let replacement = self.argument(first + 1);
        let how = self.argument(first + 2);
        let wanted = if matches!(how.first(), Some(b'g' | b'G')) {
            0.0
        } else {
            self.slots[first + 2].number().trunc().max(1.0)
        };
        let text = if count > 3 {
            self.argument(first + 3)
        } else {
            self.join();
            Text::new(&self.fields.record)
        };
        let mut spans: Vec<Span> = vec![None; regex.regex().groups() + 1];
        let mut out = Vec::new();
        let (mut copied, mut found) = (0, 0.0);
        let mut next = regex.find_at(&text, 0);
        while let Some((start, end)) = next {
            found += 1.0;
            if wanted == 0.0 || found == wanted {
                append(&mut out, &text[copied..start])?;
                regex.regex().captures_at(&text, start, Exec::default(), &mut spans);
                push_groups(&mut out, &replacement, &text, &spans)?;
                copied = end;
                if wanted != 0.0 {
                    break;
                }
            }
            next = next_match(&regex, &text, end, start == end, self.utf8);
        }
        check(&regex)?;
        append(&mut out, &text[copied..])?;
        Ok(Value::Str(Text::from_vec(out)))
    }
}

/// A search that took too long is an error, not a text without a match.
fn check(pattern: &Pattern) -> Result<()> {
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
fn next_match(pattern: &Pattern, text: &[u8], end: usize, was_empty: bool, utf8: bool) -> Option<(usize, usize)> {
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

/// gensub's replacement: `&` and `\0` are the match, `\1` to `\9` its groups.
fn push_groups(out: &mut Vec<u8>, replacement: &[u8], text: &[u8], spans: &[Span]) -> Result<()> {
    let mut at = 0;
    while let Some(&byte) = replacement.get(at) {
        at += 1;
        let group = match (byte, replacement.get(at)) {
            (b'&', _) => 0,
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                at += 1;
                usize::from(digit - b'0')
            }
            (b'\\', Some(other)) => {
                at += 1;
                out.push(*other);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        if let Some(Some((start, end))) = spans.get(group) {
            append(out, &text[*start..*end])?;
        }
    }
    Ok(())
}
