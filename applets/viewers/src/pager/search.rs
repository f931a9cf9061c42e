//! Searching: lines that match a pattern, forwards and backwards, a block at a time.

use rbox_core::error::Result;
use rbox_core::pattern::regex::{Exec, Flags, Regex};

use super::row::{Raw, plain};
use super::source::Source;

/// Bytes that are searched at once.
const STEP: u64 = 1 << 18;

/// A pattern.
pub(crate) struct Pattern {
    regex: Regex,
    /// Lines that do not match are looked for (`!` before the expression).
    is_inverted: bool,
    raw: Raw,
}

impl Pattern {
    /// The expression that was typed, on characters of UTF-8.
    pub fn new(typed: &[u8], flags: Flags, raw: Raw) -> Result<Pattern> {
        let (is_inverted, expression) = match typed.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, typed),
        };
        let regex = Regex::new(expression, flags | Flags::UTF8 | Flags::LINES);
        Ok(Pattern { regex: regex.map_err(|error| error.about(expression))?, is_inverted, raw })
    }

    fn is_plain(&self, text: &[u8]) -> bool {
        let is_over = rbox_core::bytes::find_byte(8, text).is_some();
        !is_over && (self.raw != Raw::Colours || rbox_core::bytes::find_byte(27, text).is_none())
    }

    /// Whether a line, without its newline, is one that is looked for.
    pub fn is_match(&self, line: &[u8]) -> bool {
        let found = match self.is_plain(line) {
            true => self.regex.is_match(line),
            false => self.regex.is_match(&plain(line, self.raw).0),
        };
        found != self.is_inverted
    }

    /// The parts of a line that match.
    pub fn spans(&self, line: &[u8]) -> Vec<(usize, usize)> {
        let mut spans = Vec::new();
        if self.is_inverted {
            return spans;
        }
        let converted = if self.is_plain(line) { None } else { Some(plain(line, self.raw)) };
        let text = converted.as_ref().map_or(line, |(text, _)| text);
        let mut at = 0;
        while let Some((start, end)) = self.regex.find_at(text, at, Exec::default()) {
            if start < end {
                spans.push(match &converted {
                    Some((_, offsets)) => (offsets[start] as usize, offsets[end] as usize),
                    None => (start, end),
                });
            }
            at = if start < end { end } else { end + 1 };
        }
        spans
    }

    /// Where the first line begins, in `text` from a line's beginning on, that is looked for.
    fn find(&self, text: &[u8], mut at: usize) -> Option<usize> {
        if !self.is_inverted && self.is_plain(text) {
            return self.regex.find_line(text, at).map(|line| line.start);
        }
        while at < text.len() {
            let end = rbox_core::bytes::find_byte(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
            if self.is_match(&text[at..end]) {
                return Some(at);
            }
            at = end + 1;
        }
        None
    }

    /// The first line from `at` on, where one begins, that is looked for.
    pub fn forward(&self, source: &mut Source, mut at: u64) -> Option<u64> {
        loop {
            let text = source.bytes(at, STEP);
            let length = rbox_core::bytes::find_byte_back(b'\n', text).map_or(0, |newline| newline as u64 + 1);
            // A line that is longer, or the last one, is looked at whole.
            let length = if length > 0 { length } else { source.line_end(at) - at };
            if length == 0 {
                return None;
            }
            if let Some(found) = self.find(source.bytes(at, length), 0) {
                return Some(at + found as u64);
            }
            at += length;
        }
    }

    /// The last line before `end`, where a line begins, that is looked for.
    pub fn backward(&self, source: &mut Source, mut end: u64) -> Option<u64> {
        while end > 0 {
            let start = source.line_start(end.saturating_sub(STEP).min(end - 1));
            let text = source.bytes(start, end - start);
            let (mut at, mut last) = (0, None);
            while let Some(found) = self.find(text, at) {
                last = Some(found);
                let Some(length) = rbox_core::bytes::find_byte(b'\n', &text[found..]) else { break };
                at = found + length + 1;
            }
            if let Some(last) = last {
                return Some(start + last as u64);
            }
            end = start;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::io::Input;

    use super::*;

    #[test]
    fn lines_are_found_in_both_directions() {
        let mut source = Source::new(Input::from_bytes(b"one\ntwo\nN\x08NO\nten\n".to_vec()), -1);
        let pattern = |text: &str| Pattern::new(text.as_bytes(), Flags::EXTENDED, Raw::Shown).expect("an expression");
        assert_eq!(pattern("^t").forward(&mut source, 0), Some(4));
        assert_eq!(pattern("^t").forward(&mut source, 8), Some(13));
        assert_eq!(pattern("^t").backward(&mut source, 13), Some(4));
        assert_eq!(pattern("NO").forward(&mut source, 0), Some(8));
        assert_eq!(pattern("!t|o").forward(&mut source, 0), Some(8));
        assert_eq!(pattern("x").forward(&mut source, 0), None);
        assert_eq!(pattern("O").spans(b"N\x08NO"), [(3, 4)]);
    }
}
