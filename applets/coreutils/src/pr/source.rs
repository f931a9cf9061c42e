//! The lines and pages of one input.

use rbox_core::io::Input;
use rbox_core::prelude::*;
use rbox_core::sys::fs::fstat;
use rbox_core::time::Moment;

/// What comes next of an input.
pub enum Item {
    Line(Vec<u8>),
    /// A form feed: the page ends.
    Feed,
    End,
}

pub struct Source {
    input: Input,
    is_standard: bool,
    /// What is left of a record: a form feed ends a line too.
    rest: Vec<u8>,
    /// Nothing more of it is on this page, or at all.
    pub waits: bool,
    pub ended: bool,
    /// The last line ended with a newline.
    pub is_whole: bool,
}

impl Source {
    pub fn new(name: &[u8], input: Input) -> Self {
        Self { input, is_standard: name == b"-", rest: Vec::new(), waits: false, ended: false, is_whole: false }
    }

    /// When the file was changed last; for standard input, now.
    pub fn modified(&self) -> Moment {
        let stat = self.input.fd().filter(|_| !self.is_standard).and_then(|file| fstat(file).ok());
        #[allow(clippy::unnecessary_cast)]
        stat.map_or_else(Moment::now, |stat| Moment { seconds: stat.st_mtime as i64, nanos: 0 })
    }

    /// Reads on if nothing is left of the last record. False at the end.
    fn fill(&mut self) -> Result<bool> {
        if self.rest.is_empty()
            && let Some(record) = self.input.record(b'\n')?
        {
            self.rest = record.to_vec();
        }
        Ok(!self.rest.is_empty())
    }

    /// Passes over a form feed, if one comes next. A newline after it ends no line.
    pub fn skip_feed(&mut self) -> Result<bool> {
        if !self.fill()? || self.rest[0] != b'\x0c' {
            return Ok(false);
        }
        let length = if self.rest.get(1) == Some(&b'\n') { 2 } else { 1 };
        self.rest.drain(..length);
        Ok(true)
    }

    pub fn next(&mut self) -> Result<Item> {
        if !self.fill()? {
            self.ended = true;
            return Ok(Item::End);
        }
        if self.skip_feed()? {
            return Ok(Item::Feed);
        }
        let end = rbox_core::bytes::find_byte(b'\x0c', &self.rest).unwrap_or(self.rest.len());
        let rest = self.rest.split_off(end);
        let mut line = core::mem::replace(&mut self.rest, rest);
        self.is_whole = line.last() == Some(&b'\n');
        if self.is_whole {
            line.pop();
        }
        Ok(Item::Line(line))
    }
}
