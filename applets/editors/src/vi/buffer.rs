//! The text: bytes with a gap where it was changed last, so that a change costs no more than its distance from the one
//! before. A file of any size is one block of memory, and lines are counted from the line that was looked at last.
//!
//! The text always ends with a newline.

use std::cell::Cell;

use rbox_core::bytes::{find_byte, find_byte_back, find_bytes};
use rbox_core::error::{Error, Result};
use rbox_core::sys::alloc;
use rbox_core::term::character;
use rbox_core::unicode::character_width;

pub(super) struct Buffer {
    /// The text is all of it but `start..end`, the gap.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    newlines: usize,
    /// An offset at which a line begins, and the number of that line, from 0.
    known: Cell<(usize, usize)>,
}

/// Bytes that the gap has at least when it is made.
const GAP: usize = 4096;

/// How many newlines bytes have.
#[inline(never)]
pub(super) fn newlines(bytes: &[u8]) -> usize {
    find_bytes(b'\n', bytes).count()
}

/// How many characters bytes have.
#[inline(never)]
pub(super) fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl Buffer {
    /// A text, whose first `length` bytes of `bytes` are; the others are the gap.
    pub fn new(bytes: Vec<u8>, length: usize) -> Buffer {
        let newlines = newlines(&bytes[..length]);
        let end = bytes.len();
        let mut buffer = Buffer { bytes, start: length, end, newlines, known: Cell::new((0, 0)) };
        if length == 0 || buffer.byte(length - 1) != b'\n' {
            // One byte: `replace` fails for what memory cannot hold.
            let _ = buffer.replace(length, 0, b"\n");
        }
        buffer
    }

    pub fn len(&self) -> usize {
        self.bytes.len() - (self.end - self.start)
    }

    /// The number of lines, at least 1.
    pub fn lines(&self) -> usize {
        self.newlines
    }

    #[inline(never)]
    pub fn byte(&self, at: usize) -> u8 {
        self.bytes[if at < self.start { at } else { at + (self.end - self.start) }]
    }

    /// The text from one offset to another, in two parts, of which either may be empty.
    pub fn parts(&self, from: usize, to: usize) -> (&[u8], &[u8]) {
        let gap = self.end - self.start;
        let (first, second) = (from.min(self.start)..to.min(self.start), from.max(self.start)..to.max(self.start));
        (&self.bytes[first], &self.bytes[second.start + gap..second.end + gap])
    }

    pub fn copy(&self, from: usize, to: usize) -> Vec<u8> {
        let (first, second) = self.parts(from, to);
        [first, second].concat()
    }

    /// Replaces `length` bytes. The error is `out of memory`.
    pub fn replace(&mut self, at: usize, length: usize, new: &[u8]) -> Result<()> {
        let gone = self.count(at, at + length);
        self.make_gap(at, length, new.len())?;
        self.bytes[self.start..self.start + new.len()].copy_from_slice(new);
        self.start += new.len();
        self.newlines = self.newlines - gone + newlines(new);
        if self.known.get().0 > at {
            self.known.set((0, 0));
        }
        Ok(())
    }

    /// Moves the gap to an offset, with the `length` bytes after it in it, and makes it large enough.
    fn make_gap(&mut self, at: usize, length: usize, needed: usize) -> Result<()> {
        let gap = self.end - self.start;
        if gap + length < needed {
            let size = (self.bytes.len() + needed + GAP).max(self.bytes.len() + self.bytes.len() / 8);
            let mut larger = alloc::zeroed(size).ok_or_else(Error::out_of_memory)?;
            let tail = self.bytes.len() - self.end;
            larger[..self.start].copy_from_slice(&self.bytes[..self.start]);
            larger[size - tail..].copy_from_slice(&self.bytes[self.end..]);
            (self.bytes, self.end) = (larger, size - tail);
        }
        let gap = self.end - self.start;
        if at < self.start {
            self.bytes.copy_within(at..self.start, at + gap);
        } else {
            self.bytes.copy_within(self.end..at + gap, self.start);
        }
        (self.start, self.end) = (at, at + gap + length);
        Ok(())
    }

    /// Where the line begins that has an offset.
    pub fn line_start(&self, at: usize) -> usize {
        let (first, second) = self.parts(0, at);
        match find_byte_back(b'\n', second) {
            Some(found) => first.len() + found + 1,
            None => find_byte_back(b'\n', first).map_or(0, |found| found + 1),
        }
    }

    /// The newline of the line that has an offset.
    pub fn line_end(&self, at: usize) -> usize {
        let (first, second) = self.parts(at, self.len());
        match find_byte(b'\n', first) {
            Some(found) => at + found,
            None => find_byte(b'\n', second).map_or(self.len().max(1) - 1, |found| at + first.len() + found),
        }
    }

    /// Where the next line begins; `None` in the last one.
    pub fn next_line(&self, at: usize) -> Option<usize> {
        let next = self.line_end(at) + 1;
        (next < self.len()).then_some(next)
    }

    /// Where the line before begins; `None` in the first one.
    pub fn previous_line(&self, at: usize) -> Option<usize> {
        let start = self.line_start(at);
        (start > 0).then(|| self.line_start(start - 1))
    }

    fn count(&self, from: usize, to: usize) -> usize {
        let (first, second) = self.parts(from, to);
        newlines(first) + newlines(second)
    }

    /// The number of the line, from 0, that has an offset.
    pub fn line_number(&self, at: usize) -> usize {
        let start = self.line_start(at);
        let (offset, line) = self.known.get();
        let number = match start >= offset {
            true => line + self.count(offset, start),
            false if start < offset - start => self.count(0, start),
            false => line - self.count(start, offset),
        };
        self.known.set((start, number));
        number
    }

    /// Where the line of this number, from 0, begins; the last line where there are fewer.
    pub fn line_offset(&self, number: usize) -> usize {
        let number = number.min(self.newlines - 1);
        let (mut offset, mut line) = self.known.get();
        if number < line / 2 {
            (offset, line) = (0, 0);
        }
        while line > number {
            offset = self.line_start(offset - 1);
            line -= 1;
        }
        if line < number {
            let (first, second) = self.parts(offset, self.len());
            let mut found = find_bytes(b'\n', first).chain(find_bytes(b'\n', second).map(|at| first.len() + at));
            offset += found.nth(number - line - 1).map_or(0, |at| at + 1);
        }
        self.known.set((offset, number));
        offset
    }

    /// The character at an offset, and its length; a byte that is none is alone.
    pub fn character(&self, at: usize) -> (Option<char>, usize) {
        let byte = self.byte(at);
        if byte < 128 {
            return (Some(byte.into()), 1);
        }
        character(&self.copy(at, (at + 4).min(self.len())))
    }

    /// The offset after the character at this one, and after those that combine with it.
    pub fn next(&self, at: usize) -> usize {
        let mut at = at + self.character(at).1;
        while at < self.len() && self.combines(at) {
            at += self.character(at).1;
        }
        at.min(self.len())
    }

    /// The character before.
    pub fn previous(&self, mut at: usize) -> usize {
        while at > 0 {
            let mut start = at - 1;
            while start > 0 && at - start < 4 && self.byte(start) & 0xc0 == 0x80 {
                start -= 1;
            }
            at = if self.character(start).1 == at - start { start } else { at - 1 };
            if !self.combines(at) {
                break;
            }
        }
        at
    }

    fn combines(&self, at: usize) -> bool {
        let byte = self.byte(at);
        byte >= 128 && self.character(at).0.is_some_and(|one| character_width(one) == 0)
    }

    /// Where the first character of a line is that is no blank; its last one where there is none.
    pub fn first_nonblank(&self, at: usize) -> usize {
        self.on_line(self.skip_blanks(self.line_start(at)))
    }

    /// The offset after the blanks at this one.
    #[inline(never)]
    pub fn skip_blanks(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\t') {
            at += 1;
        }
        at
    }

    /// The offset, or the last character of its line where it is at the newline.
    pub fn on_line(&self, at: usize) -> usize {
        let at = at.min(self.len() - 1);
        match self.byte(at) == b'\n' && at > 0 && self.byte(at - 1) != b'\n' {
            true => self.previous(at),
            false => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(text: &str) -> Buffer {
        Buffer::new(text.as_bytes().to_vec(), text.len())
    }

    fn text(buffer: &Buffer) -> String {
        String::from_utf8(buffer.copy(0, buffer.len())).expect("UTF-8")
    }

    #[test]
    fn changes_anywhere_are_kept() {
        let mut buffer = buffer("one\ntwo\nthree");
        buffer.replace(4, 3, b"2\n2").expect("memory");
        buffer.replace(0, 0, b"zero\n").expect("memory");
        buffer.replace(12, 6, b"").expect("memory");
        assert_eq!((text(&buffer), buffer.lines()), ("zero\none\n2\n2\n".to_string(), 4));
    }

    #[test]
    fn lines_are_found_and_counted() {
        let mut buffer = buffer("one\n\nthree\nfour\n");
        for _ in 0..2 {
            assert_eq!([0, 4, 6, 15].map(|at| buffer.line_number(at)), [0, 1, 2, 3]);
            assert_eq!([3, 0, 2, 1, 9].map(|number| buffer.line_offset(number)), [11, 0, 5, 4, 11]);
            assert_eq!((buffer.next_line(5), buffer.next_line(12), buffer.previous_line(5)), (Some(11), None, Some(4)));
            // The gap goes somewhere else.
            buffer.replace(6, 1, b"h").expect("memory");
        }
    }

    #[test]
    fn characters_are_whole() {
        let buffer = buffer("aé漢e\u{301}x\n");
        let mut offsets = vec![0];
        while *offsets.last().expect("one") < 10 {
            offsets.push(buffer.next(*offsets.last().expect("one")));
        }
        assert_eq!(offsets, [0, 1, 3, 6, 9, 10]);
        assert_eq!([10, 9, 6, 3, 1].map(|at| buffer.previous(at)), [9, 6, 3, 1, 0]);
        assert_eq!((buffer.on_line(10), buffer.first_nonblank(4)), (9, 0));
    }

    #[test]
    fn random_changes_agree_with_a_plain_vector() {
        let mut random = rbox_core::testing::Random::new(3);
        let (mut buffer, mut plain) = (buffer("\n"), b"\n".to_vec());
        for _ in 0..3000 {
            let at = random.below(plain.len());
            let length = random.below((plain.len() - at).min(9));
            let new = random.bytes(12);
            buffer.replace(at, length, &new).expect("memory");
            plain.splice(at..at + length, new);
            assert_eq!(buffer.lines(), plain.iter().filter(|byte| **byte == b'\n').count());
            let probe = random.below(plain.len());
            assert_eq!(buffer.line_number(probe), find_bytes(b'\n', &plain[..probe]).count());
        }
        assert_eq!(buffer.copy(0, buffer.len()), plain);
    }
}
