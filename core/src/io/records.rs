//! Records of a stream in bounded memory, read by filters that withhold nothing while their input pauses.

use super::{CHUNK, Input, Output};
use crate::bytes::{find_byte, whole_characters};
use crate::error::Result;

/// A chunk of a record.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Its bytes, without the delimiter.
    pub bytes: &'a [u8],
    /// Whether the record ends here, by its delimiter, which the last one of a stream may lack.
    pub ends: bool,
}

impl Input {
    /// Returns the next chunk of a record: the whole of one that fits the buffer, else as much as does. `None` at the
    /// end.
    ///
    /// A chunk is not empty unless the record ends there, and splits no character of UTF-8. What has been read of a
    /// record is returned, and what `output` holds is flushed, before a read that would wait.
    #[inline]
    pub fn chunk(&mut self, delimiter: u8, output: &mut Output) -> Result<Option<Chunk<'_>>> {
        if let Some(at) = find_byte(delimiter, self.buffered()) {
            return Ok(Some(Chunk { bytes: self.take(at, 1), ends: true }));
        }
        self.read_chunk(delimiter, output)
    }

    /// The chunk of a record whose end has not been read yet.
    fn read_chunk(&mut self, delimiter: u8, output: &mut Output) -> Result<Option<Chunk<'_>>> {
        let mut searched = self.buffered().len();
        let (length, ends) = loop {
            if searched >= CHUNK {
                break (whole_characters(self.buffered()), false);
            }
            if output.is_waited_for() && self.would_wait() {
                match whole_characters(self.buffered()) {
                    0 => output.flush()?,
                    length => break (length, false),
                }
            }
            if !self.fill_more()? {
                if searched == 0 {
                    return Ok(None);
                }
                break (searched, false);
            }
            if let Some(at) = find_byte(delimiter, &self.buffered()[searched..]) {
                break (searched + at, true);
            }
            searched = self.buffered().len();
        };
        Ok(Some(Chunk { bytes: self.take(length, usize::from(ends)), ends }))
    }

    /// As `record`, for a filter: what `output` holds is flushed before a read that would wait.
    pub fn record_for(&mut self, delimiter: u8, output: &mut Output) -> Result<Option<&[u8]>> {
        self.record_after(delimiter, Some(output))
    }

    pub(super) fn record_after(&mut self, delimiter: u8, mut output: Option<&mut Output>) -> Result<Option<&[u8]>> {
        let mut searched = 0;
        let length = loop {
            match find_byte(delimiter, &self.buffered()[searched..]) {
                Some(at) => break searched + at + 1,
                None => searched = self.buffered().len(),
            }
            let is_more = match &mut output {
                Some(output) => self.fill_more_for(output)?,
                None => self.fill_more()?,
            };
            if !is_more {
                break searched;
            }
        };
        Ok(if length == 0 { None } else { Some(self.take(length, 0)) })
    }

    /// As `fill`, for a filter: what `output` holds is flushed before a read that would wait.
    pub fn fill_for(&mut self, output: &mut Output) -> Result<&[u8]> {
        if self.buffered().is_empty() {
            self.fill_more_for(output)?;
        }
        Ok(self.buffered())
    }

    /// As `fill_more`, for a filter: what `output` holds is flushed before a read that would wait.
    pub fn fill_more_for(&mut self, output: &mut Output) -> Result<bool> {
        if output.is_waited_for() && self.would_wait() {
            output.flush()?;
        }
        self.fill_more()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_buffer_are_whole() {
        let mut input = Input::from_bytes(b"a\n\nbc".to_vec());
        let mut output = Output::memory();
        let mut next =
            || input.chunk(b'\n', &mut output).expect("memory").map(|chunk| (chunk.bytes.to_vec(), chunk.ends));
        assert_eq!(next(), Some((b"a".to_vec(), true)));
        assert_eq!(next(), Some((Vec::new(), true)));
        assert_eq!(next(), Some((b"bc".to_vec(), false)));
        assert_eq!(next(), None);
    }
}
