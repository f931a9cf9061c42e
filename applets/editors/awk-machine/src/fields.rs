//! The record and its fields. A record is split no further than the fields that are asked for.

use std::rc::Rc;

use rbox_core::bytes::find_bytes;
use rbox_core::error::{Error, Result};

use crate::regexes::Pattern;
use crate::value::{Digits, Value, prefix_number};

/// The highest number of a field, so that `$1e9 = 1` does not use up the memory.
const MOST: usize = 1 << 24;

/// What separates fields.
#[derive(Clone)]
pub enum Splitter {
    /// Blanks, tabs and newlines, any number of them; those at the ends of the record do not count.
    Blanks,
    /// A byte. With a second one that separates too: the newline, where records are paragraphs.
    Byte(u8, u8),
    Regex(Rc<Pattern>),
    /// Nothing: each character is a field. Whether characters are those of UTF-8.
    Characters(bool),
    /// Fields of so many bytes (gawk's FIELDWIDTHS).
    Widths(Vec<usize>),
    /// Fields are what the expression matches (gawk's FPAT).
    Content(Rc<Pattern>),
}

impl Splitter {
    /// Splits a text, from `from` on, until `fields` has `wanted` bounds. Whether all of the text was split.
    pub fn split(&self, text: &[u8], from: &mut usize, fields: &mut Vec<(usize, usize)>, wanted: usize) -> bool {
        if text.is_empty() {
            return true;
        }
        match self {
            Splitter::Blanks => split_blanks(text, from, fields, wanted),
            Splitter::Byte(byte, other) => split_byte(text, from, fields, wanted, *byte, *other),
            Splitter::Regex(regex) => {
                split_regex(text, fields, regex);
                true
            }
            Splitter::Characters(utf8) => {
                let mut at = 0;
                while at < text.len() {
                    let length = if *utf8 { rbox_core::pattern::width(&text[at..]) } else { 1 };
                    fields.push((at, at + length));
                    at += length;
                }
                true
            }
            Splitter::Widths(widths) => {
                let mut at = 0;
                for width in widths {
                    if at == text.len() {
                        break;
                    }
                    let end = text.len().min(at.saturating_add(*width));
                    fields.push((at, end));
                    at = end;
                }
                true
            }
            Splitter::Content(regex) => {
                split_content(text, fields, regex);
                true
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

fn split_blanks(text: &[u8], from: &mut usize, fields: &mut Vec<(usize, usize)>, wanted: usize) -> bool {
    let mut at = *from;
    while fields.len() < wanted {
        while at < text.len() && is_blank(text[at]) {
            at += 1;
        }
        if at == text.len() {
            return true;
        }
        let start = at;
        while at < text.len() && !is_blank(text[at]) {
            at += 1;
        }
        fields.push((start, at));
    }
    *from = at;
    false
}

fn split_byte(
    text: &[u8],
    from: &mut usize,
    fields: &mut Vec<(usize, usize)>,
    wanted: usize,
    byte: u8,
    other: u8,
) -> bool {
    let (start, mut at) = (*from, *from);
    let mut field = |end: usize| {
        fields.push((at, end));
        at = end + 1;
        fields.len() >= wanted
    };
    let is_enough = if byte == other {
        find_bytes(byte, &text[start..]).any(|end| field(start + end))
    } else {
        let mut ends = text[start..].iter().enumerate().filter(|(_, found)| **found == byte || **found == other);
        ends.any(|(end, _)| field(start + end))
    };
    if !is_enough {
        fields.push((at, text.len()));
    }
    *from = at;
    !is_enough
}

fn split_regex(text: &[u8], fields: &mut Vec<(usize, usize)>, regex: &Pattern) {
    let (mut start, mut at) = (0, 0);
    while let Some((begin, end)) = regex.find_at(text, at) {
        if begin == end {
            // What matches nothing separates nothing.
            if begin == text.len() {
                break;
            }
            at = begin + 1;
            continue;
        }
        fields.push((start, begin));
        (start, at) = (end, end);
    }
    fields.push((start, text.len()));
}

fn split_content(text: &[u8], fields: &mut Vec<(usize, usize)>, regex: &Pattern) {
    let mut at = 0;
    let mut after_field = false;
    while let Some((begin, end)) = regex.find_at(text, at) {
        // An empty match right after a field is none: a separator is between two fields.
        if begin == end && after_field && begin == at {
            at += 1;
            after_field = false;
        } else {
            fields.push((begin, end));
            at = end;
            after_field = true;
        }
        if at > text.len() {
            return;
        }
    }
}

#[cold]
fn wrong_field(number: f64) -> Error {
    Error::new(if number > 0.0 { "Too many fields" } else { "Access to negative field" })
}

/// The current record.
pub struct Fields {
    /// What `$0` is, unless a field has changed.
    pub record: Vec<u8>,
    /// `$0` as a value, once somebody asked.
    whole: Value,
    /// The bounds of the fields in `record`, as far as it is split.
    bounds: Vec<(usize, usize)>,
    /// Fields that were assigned to or asked for.
    values: Vec<Value>,
    /// Where splitting goes on.
    from: usize,
    is_split: bool,
    /// A field has changed, and `record` has not.
    is_stale: bool,
    /// `record` was put together from fields.
    is_joined: bool,
    splitter: Splitter,
    /// Whether the splitter is another from the next record on.
    next: Option<Splitter>,
}

impl Fields {
    /// An empty record, and fields between blanks.
    pub(crate) fn new() -> Self {
        Self {
            record: Vec::new(),
            whole: Value::Uninit,
            bounds: Vec::new(),
            values: Vec::new(),
            from: 0,
            is_split: true,
            is_stale: false,
            is_joined: false,
            splitter: Splitter::Blanks,
            next: None,
        }
    }

    /// FS has changed: the next record is split by it.
    pub fn set_splitter(&mut self, splitter: Splitter) {
        self.next = Some(splitter);
    }

    /// `record` is another.
    #[inline]
    pub fn changed(&mut self) {
        self.bounds.clear();
        self.values.clear();
        self.whole = Value::Uninit;
        (self.from, self.is_split, self.is_stale, self.is_joined) = (0, false, false, false);
        if let Some(next) = self.next.take() {
            self.splitter = next;
        }
    }

    /// Assigns to `$0`.
    pub fn set_record(&mut self, text: &[u8]) {
        self.record.clear();
        self.record.extend_from_slice(text);
        self.changed();
    }

    /// Splits the record until there are `wanted` fields, if it has as many.
    #[inline]
    fn split(&mut self, wanted: usize) {
        if !self.is_split && self.bounds.len() < wanted {
            self.is_split = self.splitter.split(&self.record, &mut self.from, &mut self.bounds, wanted);
        }
    }

    /// The number of fields.
    pub fn count(&mut self) -> usize {
        self.split(usize::MAX);
        self.bounds.len()
    }

    /// The bytes of a field.
    #[inline]
    pub fn bytes<'a>(&'a mut self, number: usize, format: &[u8], digits: &'a mut Digits) -> &'a [u8] {
        self.split(number);
        match self.values.get(number - 1) {
            None | Some(Value::Uninit) => match self.bounds.get(number - 1) {
                Some(&(start, end)) => &self.record[start..end],
                None => b"",
            },
            Some(value) => value.bytes(format, digits),
        }
    }

    /// The number of a field.
    #[inline]
    pub fn number(&mut self, number: usize) -> f64 {
        self.split(number);
        match self.values.get(number - 1) {
            None | Some(Value::Uninit) => {
                self.bounds.get(number - 1).map_or(0.0, |&(start, end)| prefix_number(&self.record[start..end]))
            }
            Some(value) => value.number(),
        }
    }

    /// The value of a field.
    pub fn value(&mut self, number: usize) -> Value {
        self.split(number);
        let Some(&(start, end)) = self.bounds.get(number - 1) else { return Value::Uninit };
        if self.values.len() < number {
            self.values.resize(number, Value::Uninit);
        }
        let value = &mut self.values[number - 1];
        if let Value::Uninit = value {
            *value = Value::input(&self.record[start..end]);
        }
        value.clone()
    }

    /// The value of the record, after `join`.
    pub fn whole(&mut self) -> Value {
        if let Value::Uninit = self.whole {
            // What was put together from fields is a string, as for the others: it does not look like a number.
            self.whole = if self.is_joined { Value::text(&self.record) } else { Value::input(&self.record) };
        }
        self.whole.clone()
    }

    /// The highest field that may be assigned to is the 16,777,216th.
    #[inline(always)]
    pub fn check(number: f64) -> Result<usize> {
        // NaN is none of these.
        if number >= 0.0 && number <= MOST as f64 { Ok(number as usize) } else { Err(wrong_field(number)) }
    }

    /// Assigns to a field.
    pub fn set(&mut self, number: usize, value: Value) {
        let count = self.count().max(number);
        self.bounds.resize(count, (0, 0));
        self.values.resize(count.max(self.values.len()), Value::Uninit);
        self.values[number - 1] = match value {
            // An assigned field has a value.
            Value::Uninit => Value::text(b""),
            value => value,
        };
        (self.is_stale, self.whole) = (true, Value::Uninit);
    }

    /// Assigns to NF: fields are added or taken away.
    pub fn set_count(&mut self, count: usize) {
        self.count();
        self.bounds.resize(count, (0, 0));
        self.values.truncate(count);
        (self.is_stale, self.whole) = (true, Value::Uninit);
    }

    /// Whether a field has changed since the record was put together.
    #[inline]
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Puts the record together again.
    pub fn join(&mut self, format: &[u8], separator: &[u8]) {
        let mut record = Vec::with_capacity(self.record.len() + 16);
        let mut digits = Digits::default();
        for (index, bounds) in self.bounds.iter_mut().enumerate() {
            if index > 0 {
                record.extend_from_slice(separator);
            }
            let start = record.len();
            match self.values.get(index) {
                None | Some(Value::Uninit) => record.extend_from_slice(&self.record[bounds.0..bounds.1]),
                Some(value) => record.extend_from_slice(value.bytes(format, &mut digits)),
            }
            *bounds = (start, record.len());
        }
        (self.record, self.is_stale, self.is_joined) = (record, false, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, splitter: Splitter) -> Vec<String> {
        let mut bounds = Vec::new();
        splitter.split(text.as_bytes(), &mut 0, &mut bounds, usize::MAX);
        bounds.into_iter().map(|(start, end)| text[start..end].to_string()).collect()
    }

    #[test]
    fn blanks_separate_and_single_bytes_do_each() {
        assert_eq!(fields("  a\tb \n", Splitter::Blanks), ["a", "b"]);
        assert_eq!(fields(":a::b:", Splitter::Byte(b':', b':')), ["", "a", "", "b", ""]);
        assert_eq!(fields("a:b\nc", Splitter::Byte(b':', b'\n')), ["a", "b", "c"]);
        assert_eq!(fields("0123456789abcdefgh,x", Splitter::Byte(b',', b',')), ["0123456789abcdefgh", "x"]);
        assert_eq!(fields("é1", Splitter::Characters(true)), ["é", "1"]);
        assert_eq!(fields("abcde", Splitter::Widths(vec![2, 1, 9])), ["ab", "c", "de"]);
    }

    #[test]
    fn no_more_is_split_than_was_asked_for() {
        let mut fields = Fields::new();
        fields.set_record(b"a b c d");
        assert_eq!(fields.bytes(2, b"", &mut Digits::default()), b"b");
        assert_eq!(fields.bounds.len(), 2);
        assert_eq!(fields.count(), 4);
    }

    #[test]
    fn assigning_to_a_field_changes_the_record() {
        let mut fields = Fields::new();
        fields.set_record(b"a b");
        fields.set(4, Value::Num(7.0));
        fields.join(b"%.6g", b"-");
        assert!(matches!(fields.whole(), Value::Str(text) if **text == *b"a-b--7"));
        fields.set_count(1);
        fields.join(b"%.6g", b"-");
        assert_eq!(fields.record, b"a");
    }
}
