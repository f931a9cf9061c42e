//! The text that a parser reads: a buffer that a reader refills, with alias values spliced in.

use crate::syntax::copied::Copied;
use rbox_core::sys::fd::Private;
use std::rc::Rc;

/// Where more text comes from when the buffer is used up. The shell does the reading.
#[derive(Debug)]
pub enum Reader {
    /// Nothing follows: `-c`, `eval`, a trap's action.
    None,
    /// A script in blocks.
    Script(Private),
    /// Standard input that cannot seek: byte by byte, so that commands find the rest.
    Bytes(i32),
    /// Standard input that can seek: in blocks, put back before a command runs.
    Seekable(i32),
    /// The terminal, line by line after a prompt.
    Terminal,
}

/// An alias whose value is being read.
#[derive(Debug)]
struct AliasSpan {
    name: Rc<[u8]>,
    /// Bytes that follow the value in the buffer.
    remaining: usize,
    /// The value ends in a blank: the next word is looked up too.
    blank: bool,
}

/// The text being parsed.
#[derive(Debug)]
pub struct Input {
    /// The text that was read.
    pub buffer: Vec<u8>,
    /// The offset of the next byte.
    pub at: usize,
    /// Number of the line at `at`, from 1.
    pub line: u32,
    /// Where more text comes from.
    pub reader: Reader,
    /// The reader has no more.
    pub ended: bool,
    /// Whether the word that follows is an alias candidate because an alias ended in a blank.
    pub alias_next: bool,
    /// How far the text was shown by `set -v`.
    pub shown: usize,
    /// Braces were expanded already up to this many bytes before the end of the buffer.
    pub braces_done: usize,
    aliases: Vec<AliasSpan>,
}

impl Input {
    /// Text that is complete.
    pub fn text(text: &[u8], line: u32) -> Input {
        Input {
            buffer: text.copied(),
            at: 0,
            line,
            reader: Reader::None,
            ended: true,
            alias_next: false,
            shown: 0,
            braces_done: usize::MAX,
            aliases: Vec::new(),
        }
    }

    /// Text that a reader gives.
    pub fn reader(reader: Reader) -> Input {
        Input { reader, ended: false, ..Input::text(b"", 1) }
    }

    /// Drops what was read already; earlier offsets are no longer valid.
    pub fn compact(&mut self) {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            self.shown = 0;
        } else if self.at > 1 << 16 && !matches!(self.reader, Reader::None) {
            self.buffer.drain(..self.at);
            self.shown = self.shown.saturating_sub(self.at);
            self.at = 0;
        }
    }

    /// More text was appended: offsets that count from the end move.
    pub fn grown(&mut self, by: usize) {
        self.aliases.iter_mut().for_each(|alias| alias.remaining += by);
        self.braces_done = self.braces_done.saturating_add(by);
    }

    /// Drops the unread bytes and returns how many came from the reader; the rest of an alias's value stays.
    pub fn take_unread(&mut self) -> usize {
        let left = self.buffer.len() - self.at;
        let unread = self.aliases.first().map_or(left, |outermost| left.min(outermost.remaining));
        self.buffer.truncate(self.buffer.len() - unread);
        self.aliases.iter_mut().for_each(|alias| alias.remaining = alias.remaining.saturating_sub(unread));
        self.braces_done = self.braces_done.saturating_sub(unread);
        unread
    }

    /// Drops the rest of the line that was begun, with the values of aliases in it.
    pub fn skip_line(&mut self) {
        self.aliases.clear();
        self.alias_next = false;
        if self.at > 0 && self.buffer.get(self.at - 1) == Some(&b'\n') {
            return;
        }
        match self.buffer[self.at..].iter().position(|&byte| byte == b'\n') {
            Some(end) => self.at += end + 1,
            None => self.at = self.buffer.len(),
        }
        self.line += 1;
        self.compact();
    }

    /// What was read since the last call of `set -v`.
    pub fn unshown(&self) -> &[u8] {
        self.buffer.get(self.shown..self.at).unwrap_or_default()
    }

    /// Replaces the word at `start..at` by an alias's value and goes back to its beginning.
    pub fn splice_alias(&mut self, name: &Rc<[u8]>, start: usize, value: &[u8]) {
        let remaining = self.buffer.len() - self.at;
        self.buffer.splice(start..self.at, value.iter().copied());
        self.at = start;
        self.aliases.push(AliasSpan {
            name: Rc::clone(name),
            remaining,
            blank: value.last().is_some_and(|&byte| byte == b' ' || byte == b'\t'),
        });
    }

    /// Whether the alias's own value is what is being read at `start`.
    pub fn inside_alias(&self, name: &[u8], start: usize) -> bool {
        let left = self.buffer.len() - start;
        self.aliases.iter().any(|alias| left > alias.remaining && *alias.name == *name)
    }

    /// Forgets the aliases whose value was read to its end.
    pub fn expire_aliases(&mut self) {
        let left = self.buffer.len() - self.at;
        while let Some(alias) = self.aliases.last() {
            if left > alias.remaining {
                return;
            }
            self.alias_next |= alias.blank;
            self.aliases.pop();
        }
    }
}
