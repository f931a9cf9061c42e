//! The format of ar (ar(5)): a header of 60 bytes for each member, its data, and a newline where their length is odd.
//!
//! Long names are in a member `//` (GNU, `/OFFSET` for a name) or before the data (BSD, `#1/LENGTH`).

use super::Entry;
use crate::bytes::{append, find_byte};
use crate::error::{Error, Result};
use crate::io::Input;
use crate::number::{parse_decimal, parse_radix};
use crate::sys::fs::FileType;
use crate::text::Left;
use crate::time::Moment;

/// What an archive begins with.
pub const MAGIC: &[u8; 8] = b"!<arch>\n";

/// Bytes of the longest BSD name and of the longest list of names that is read.
const MOST_NAMES: u64 = 1 << 20;

/// A reader.
pub struct Reader {
    input: Input,
    left: u64,
    fill: u64,
    /// The contents of the member `//`.
    names: Vec<u8>,
    position: u64,
}

impl Reader {
    /// A reader of that stream, which must begin as an archive does.
    pub fn new(input: Input) -> Result<Self> {
        let mut reader = Self { input, left: 0, fill: 0, names: Vec::new(), position: 0 };
        match &reader.take(8)?[..] {
            magic if magic == MAGIC => Ok(reader),
            b"!<thin>\n" => Err(Error::new("thin archives are not supported")),
            _ => Err(Error::new("invalid ar magic")),
        }
    }

    /// The offset of what is read next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Skips what is left of the data, and reads the next header; a symbol table is a member named `/` or `__.SYMDEF`.
    /// `None` at the end.
    pub fn advance(&mut self) -> Result<Option<Entry>> {
        loop {
            self.skip_data()?;
            while self.input.buffered().len() < 60 && self.input.fill_more()? {}
            if self.input.buffered().is_empty() {
                return Ok(None);
            }
            let header = self.take(60)?;
            let mut entry = parse(&header).ok_or_else(damaged)?;
            if entry.name == b"//" {
                if entry.size > MOST_NAMES {
                    return Err(damaged());
                }
                self.fill = entry.size & 1;
                self.names = self.take(entry.size)?;
                continue;
            }
            let odd = entry.size & 1;
            self.name(&mut entry)?;
            (self.left, self.fill) = (entry.size, odd);
            return Ok(Some(entry));
        }
    }

    /// Gives a member its name, which its header has or refers to.
    fn name(&mut self, entry: &mut Entry) -> Result<()> {
        if let Some(length) = entry.name.strip_prefix(b"#1/") {
            let length = parse_decimal(length).filter(|&length| length <= entry.size.min(MOST_NAMES));
            let length = length.ok_or_else(damaged)?;
            entry.name = self.take(length)?;
            entry.name.truncate(find_byte(0, &entry.name).unwrap_or(entry.name.len()));
            entry.size -= length;
        } else if let Some(offset) = entry.name.strip_prefix(b"/").and_then(parse_decimal) {
            let rest = usize::try_from(offset).ok().and_then(|offset| self.names.get(offset..)).ok_or_else(damaged)?;
            // A slash ends a name before its newline; old GNU archives lack the slash.
            let end = find_byte(b'\n', rest).ok_or_else(damaged)?;
            entry.name = rest[..end].strip_suffix(b"/").unwrap_or(&rest[..end]).to_vec();
        } else if entry.name.len() > 1
            && let Some(name) = entry.name.strip_suffix(b"/")
        {
            entry.name = name.to_vec();
        }
        if entry.name.is_empty() { Err(damaged()) } else { Ok(()) }
    }

    /// So many bytes, of which no more memory is taken than are there.
    fn take(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut taken = Vec::new();
        (self.left, self.fill) = (count, self.fill);
        while let Some(data) = self.data()? {
            let length = data.len();
            append(&mut taken, data)?;
            self.consume(length);
        }
        Ok(taken)
    }

    /// The next of the member's data; `None` after the last.
    pub fn data(&mut self) -> Result<Option<&[u8]>> {
        if self.left == 0 {
            return Ok(None);
        }
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let content = self.input.fill()?;
        if content.is_empty() {
            // Nothing follows, and that has been said.
            (self.left, self.fill) = (0, 0);
            return Err(Error::new("short read"));
        }
        Ok(Some(&content[..content.len().min(left)]))
    }

    /// Marks so many bytes of what `data` returned as used.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.left -= count as u64;
        self.position += count as u64;
    }

    fn skip_data(&mut self) -> Result<()> {
        while let Some(length) = self.data()?.map(<[u8]>::len) {
            self.consume(length);
        }
        // The last newline may be missing.
        if core::mem::take(&mut self.fill) > 0 && !self.input.fill()?.is_empty() {
            self.input.consume(1);
            self.position += 1;
        }
        Ok(())
    }
}

fn damaged() -> Error {
    Error::new("invalid ar header")
}

/// The fields of a header; the name as it is there, without blanks at its end.
fn parse(header: &[u8]) -> Option<Entry> {
    if !header.ends_with(b"`\n") {
        return None;
    }
    let field = |start: usize, end: usize| header[start..end].trim_ascii_end();
    // The special members have no more than a size.
    let number = |text: &[u8], radix| if text.is_empty() { Some(0) } else { parse_radix(text.trim_ascii(), radix) };
    let name = header[..16].trim_ascii_end();
    // Names of BSD may have blanks, never at their end.
    Some(Entry {
        name: name.to_vec(),
        modified: Moment { seconds: number(field(16, 28), 10)? as i64, nanos: 0 },
        uid: number(field(28, 34), 10)? as u32,
        gid: number(field(34, 40), 10)? as u32,
        mode: number(field(40, 48), 8)? as u32 & 0o7777 | FileType::RegularFile.as_raw_mode(),
        size: parse_decimal(field(48, 58))?,
        ..Entry::default()
    })
}

/// Whether a member is a symbol table and not a file.
pub fn is_symbol_table(name: &[u8]) -> bool {
    matches!(name, b"/" | b"/SYM64" | b"/SYM64/" | b"__.SYMDEF" | b"__.SYMDEF SORTED" | b"__.SYMDEF_64")
}

/// The longest name that a header holds, with a slash after it.
const MOST_SHORT: usize = 15;

/// The contents of the member `//` for those of the names that are too long for a header.
pub fn long_names<'a>(names: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut all = Vec::new();
    for name in names.filter(|name| name.len() > MOST_SHORT) {
        crate::push!(all, name, "/\n");
    }
    all
}

/// Appends the member `//`, if there is anything in it.
pub fn push_names(out: &mut Vec<u8>, names: &[u8]) {
    if !names.is_empty() {
        let size = names.len().next_multiple_of(2);
        crate::push!(*out, Left("//", 48), Left(size, 10), "`\n", names);
        out.resize(out.len() + names.len() % 2, b'\n');
    }
}

/// Appends the header of a member; `at` is the offset among the long names of the next of them.
pub fn push_header(out: &mut Vec<u8>, entry: &Entry, at: &mut usize) -> Result<()> {
    let start = out.len();
    if entry.name.len() > MOST_SHORT {
        crate::push!(*out, "/", *at);
        *at += entry.name.len() + 2;
    } else {
        crate::push!(*out, &entry.name, "/");
    }
    let ends = [
        (16, crate::text!(entry.modified.seconds.max(0))),
        (28, crate::text!(entry.uid)),
        (34, crate::text!(entry.gid)),
        (40, crate::number::octal(entry.mode.into())),
        (48, crate::text!(entry.size)),
        (58, b"`\n".to_vec()),
    ];
    for (column, text) in ends {
        if out.len() > start + column {
            return Err(Error::parts(&[&entry.name, b": a number is too large for the format"]));
        }
        out.resize(start + column, b' ');
        out.extend(text);
    }
    if out.len() != start + 60 {
        return Err(Error::parts(&[&entry.name, b": a number is too large for the format"]));
    }
    Ok(())
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    // Only a panic counts.
    if let Ok(mut reader) = Reader::new(Input::from_bytes(data.to_vec())) {
        while let Ok(Some(_)) = reader.advance() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(content: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut reader = Reader::new(Input::from_bytes(content.to_vec()))?;
        let mut names = Vec::new();
        while let Some(entry) = reader.advance()? {
            names.push(entry.name);
        }
        Ok(names)
    }

    #[test]
    fn long_and_short_names_are_read_as_they_were_written() {
        let names: [&[u8]; 3] = [b"a", b"a name of more than fifteen", b"fifteen letters"];
        let long = long_names(names.into_iter());
        let mut out = MAGIC.to_vec();
        push_names(&mut out, &long);
        let mut at = 0;
        for name in names {
            let entry = Entry { name: name.to_vec(), size: 1, mode: 0o644, ..Entry::default() };
            push_header(&mut out, &entry, &mut at).expect("all fits");
            out.extend_from_slice(b"x\n");
        }
        assert_eq!(names_of(&out).ok(), Some(names.map(<[u8]>::to_vec).to_vec()));
    }

    #[test]
    fn a_bsd_name_is_before_the_data() {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(b"#1/8            0           0     0     644     10        `\nlongname12");
        assert_eq!(names_of(&out).ok(), Some(vec![b"longname".to_vec()]));
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        for content in [&b""[..], b"!<arch>", b"!<thin>\n", b"!<arch>\nshort", &[&MAGIC[..], &[b' '; 60]].concat()] {
            assert!(names_of(content).is_err(), "{content:?}");
        }
    }
}
