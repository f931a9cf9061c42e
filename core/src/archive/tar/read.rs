//! Reading an archive: headers and data as they come, from a stream of any kind.

use super::super::{Entry, Sparse};
use super::pax::{self, Holes};
use super::sparse::{self, Map};
use super::{
    BLOCK, Block, GID, GNU, GNU_LENGTH, GNU_MORE, GNU_PARTS, GROUP, LINK, MAGIC, MAJOR, MINOR, MODE, MORE_MORE,
    MORE_PARTS, MTIME, NAME, PREFIX, SIZE, SUM, TYPE, UID, USER, USTAR, number, signed_sum, sum,
};
use crate::bytes;
use crate::error::{Error, Result};
use crate::io::Input;
use crate::sys::fs::FileType;
use crate::time::Moment;

/// Bytes of the longest name and of the longest extended header that is read.
const MOST_META: u64 = 1 << 20;

/// The message about what is no archive.
pub const NO_ARCHIVE: &str = "this does not look like a tar archive";

/// What comes next in an archive.
#[derive(Debug)]
pub enum Next {
    /// A file.
    Entry(Box<Entry>),
    /// Something that is no header; the reader is after the next blocks that are none either.
    Damaged(&'static str),
    /// Two blocks of zeros, or the end of the stream where a header could be.
    End,
}

/// A reader.
pub struct Reader {
    input: Input,
    /// Bytes of the entry's data that are left, and those that fill the last block.
    left: u64,
    fill: u64,
    /// Records that hold for all that follows.
    global: Vec<u8>,
    /// Blocks of zeros do not end the archive.
    ignores_zeros: bool,
    /// Bytes read or skipped so far.
    position: u64,
    /// A header has been read: what follows and is none is damage, not another kind of file.
    is_known: bool,
    /// Where the last header, with those before it that belong to it, begins, and where the first block of zeros is that
    /// ended the archive.
    start: u64,
    /// The stream has ended too early, which has been said.
    is_cut: bool,
}

/// What comes before the header of a file and belongs to it.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    records: Vec<u8>,
}

impl Reader {
    /// A reader of that stream.
    pub fn new(input: Input, ignores_zeros: bool) -> Self {
        Self {
            input,
            left: 0,
            fill: 0,
            global: Vec::new(),
            ignores_zeros,
            position: 0,
            is_known: false,
            start: 0,
            is_cut: false,
        }
    }

    /// The stream.
    pub fn into_input(self) -> Input {
        self.input
    }

    /// The offset at which the last header begins, or the zeros that end the archive.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The bytes that have been read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the data that are left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The stream has ended too early, or could not be read.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether any header has been read.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Skips what is left of an entry's data, and reads the next header.
    pub fn advance(&mut self) -> Result<Next> {
        if self.is_cut {
            return Ok(Next::End);
        }
        let next = self.read_next();
        self.is_cut |= next.is_err();
        next
    }

    fn read_next(&mut self) -> Result<Next> {
        self.skip_data()?;
        let mut before = Before::default();
        self.start = self.position;
        loop {
            let at = self.position;
            let Some(block) = self.block_or_end()? else {
                if before.is_empty() {
                    return Ok(Next::End);
                }
                return Err(unexpected_end());
            };
            if block[0] == 0 && block.iter().all(|&byte| byte == 0) {
                self.start = at;
                if self.ignores_zeros || !self.is_end()? {
                    continue;
                }
                return Ok(Next::End);
            }
            if !is_header(&block) {
                return self.skip_damaged();
            }
            self.is_known = true;
            let size = u64::try_from(number(SIZE.of(&block)).unwrap_or(-1));
            match (block[TYPE], size) {
                (kind @ (b'L' | b'K' | b'x' | b'X' | b'g'), Ok(size)) => {
                    if size > MOST_META {
                        return Err(Error::new("extended header is too large"));
                    }
                    let content = self.meta(size)?;
                    before.take(kind, content, &mut self.global)?;
                }
                // GNU tar's name of the volume, which is no file.
                (b'V', Ok(size)) => {
                    self.begin_data(size);
                    self.skip_data()?;
                    before = Before::default();
                    self.start = self.position;
                }
                (b'M', Ok(size)) => {
                    self.begin_data(size);
                    return Ok(Next::Damaged("the rest of a file of another volume is skipped"));
                }
                _ => {
                    return Ok(match self.entry(&block, &before)? {
                        Some(entry) => Next::Entry(Box::new(entry)),
                        None => Next::Damaged("damaged header"),
                    });
                }
            }
        }
    }

    /// After one block of zeros: whether another one, or the end of the stream, follows.
    fn is_end(&mut self) -> Result<bool> {
        while self.input.buffered().len() < BLOCK && self.input.fill_more()? {}
        let buffered = self.input.buffered();
        let length = buffered.len().min(BLOCK);
        let is_end = buffered[..length].iter().all(|&byte| byte == 0);
        if is_end {
            self.input.consume(length);
            self.position += length as u64;
        }
        Ok(is_end)
    }

    /// Skips blocks up to the next header.
    fn skip_damaged(&mut self) -> Result<Next> {
        if !self.is_known {
            return Ok(Next::Damaged(NO_ARCHIVE));
        }
        loop {
            while self.input.buffered().len() < BLOCK && self.input.fill_more()? {}
            let next: Option<&Block> = self.input.buffered().first_chunk();
            if next.is_none_or(|block| is_header(block) || block.iter().all(|&byte| byte == 0)) {
                return Ok(Next::Damaged("skipping to next header"));
            }
            self.input.consume(BLOCK);
            self.position += BLOCK as u64;
        }
    }

    /// A block, or `None` at the end of the stream. Part of a block is an error.
    fn block_or_end(&mut self) -> Result<Option<Block>> {
        while self.input.buffered().len() < BLOCK && self.input.fill_more()? {}
        let block: Option<Block> = self.input.buffered().first_chunk().copied();
        match block {
            Some(_) => {
                self.input.consume(BLOCK);
                self.position += BLOCK as u64;
            }
            None if self.input.buffered().is_empty() => {}
            None if self.position == 0 => return Err(Error::new(NO_ARCHIVE)),
            None => return Err(unexpected_end()),
        }
        Ok(block)
    }

    fn block(&mut self) -> Result<Block> {
        self.block_or_end()?.ok_or_else(unexpected_end)
    }

    /// The data of a header that describes another one.
    fn meta(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        self.begin_data(size);
        while let Some(part) = self.data()? {
            let length = part.len();
            bytes::append(&mut content, part)?;
            self.consume(length);
        }
        self.skip_data()?;
        Ok(content)
    }

    fn begin_data(&mut self, size: u64) {
        self.left = size;
        self.fill = super::padding(size) as u64;
    }

    /// The entry of a header, with what comes before it. `None` where the header or what it says is damaged.
    fn entry(&mut self, block: &Block, before: &Before) -> Result<Option<Entry>> {
        let Some(mut entry) = parse(block) else { return Ok(None) };
        let is_gnu_sparse = block[TYPE] == b'S';
        if let Some(name) = &before.name {
            entry.name.clone_from(name);
        }
        if let Some(target) = &before.target {
            entry.target.clone_from(target);
        }
        let mut holes = Holes::default();
        let is_whole =
            pax::apply(&self.global, &mut entry, &mut holes) && pax::apply(&before.records, &mut entry, &mut holes);
        // POSIX.1-2024 XCU pax, ustar: links have no data, and for directories and special files the size says nothing.
        if entry.is_hard_link || entry.kind() != FileType::RegularFile {
            entry.size = 0;
        }
        if !is_whole || i64::try_from(entry.size).is_err() {
            return Ok(None);
        }
        let size = entry.size;
        let mut taken = 0;
        if is_gnu_sparse {
            entry.sparse = self.gnu_map(block)?;
        } else if holes.is_in_data {
            let length = holes.size.unwrap_or(size);
            let Some((map, bytes)) = self.data_map(size)? else { return Ok(None) };
            (entry.sparse, taken) = (Some(Sparse { parts: map.into_parts(), size: length }), bytes);
        } else {
            entry.sparse = holes.into_sparse(size);
        }
        let is_sparse = is_gnu_sparse || entry.sparse.is_some();
        entry.size = size - taken;
        self.left = entry.size;
        self.fill = super::padding(size) as u64;
        if is_sparse && !entry.sparse.as_ref().is_some_and(|sparse| sparse.is_valid(entry.size)) {
            return Ok(None);
        }
        // tar of version 7 has no type for a directory.
        if matches!(block[TYPE], b'0' | 0) && entry.name.ends_with(b"/") {
            entry.mode = entry.mode & 0o7777 | FileType::Directory.as_raw_mode();
        }
        Ok(Some(entry))
    }

    /// The map of GNU's old form, which goes on in blocks of its own. `None` where it is damaged.
    fn gnu_map(&mut self, block: &Block) -> Result<Option<Sparse>> {
        let mut parts = Vec::new();
        let mut is_valid = sparse::push_parts(&mut parts, block, GNU_PARTS);
        let mut has_more = block[GNU_MORE] != 0;
        while has_more && is_valid {
            let block = self.block()?;
            is_valid = sparse::push_parts(&mut parts, &block, MORE_PARTS);
            has_more = block[MORE_MORE] != 0;
        }
        let size = number(GNU_LENGTH.of(block)).and_then(|size| u64::try_from(size).ok());
        Ok(size.filter(|_| is_valid).map(|size| Sparse { parts, size }))
    }

    /// The map at the start of the data, and how many bytes it takes of them. `None` where it is damaged.
    fn data_map(&mut self, size: u64) -> Result<Option<(Map, u64)>> {
        let (mut map, mut taken) = (Map::default(), 0);
        loop {
            if taken + BLOCK as u64 > size {
                return Ok(None);
            }
            let block = self.block()?;
            taken += BLOCK as u64;
            match map.read(&block) {
                Ok(false) => {}
                Ok(true) => return Ok(Some((map, taken))),
                Err(()) => return Ok(None),
            }
        }
    }

    /// The next of the entry's data; `None` after the last.
    pub fn data(&mut self) -> Result<Option<&[u8]>> {
        if self.left == 0 {
            return Ok(None);
        }
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let content = self.input.fill()?;
        if content.is_empty() {
            self.is_cut = true;
            return Err(unexpected_end());
        }
        Ok(Some(&content[..content.len().min(left)]))
    }

    /// Marks so many bytes of what `data` returned as used.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.left -= count as u64;
        self.position += count as u64;
    }

    /// Whether something of the stream is buffered.
    pub fn has_buffered(&self) -> bool {
        !self.input.buffered().is_empty()
    }

    /// Lets `copy` take data from the stream's descriptor itself, where nothing of it is buffered: it gets how many bytes
    /// there are and returns how many it took.
    pub fn take_directly(&mut self, most: u64, copy: impl FnOnce(crate::sys::BorrowedFd<'_>, u64) -> u64) -> u64 {
        let Some(file) = self.input.fd().filter(|_| self.input.buffered().is_empty()) else { return 0 };
        let taken = copy(file, most.min(self.left));
        self.left -= taken;
        self.position += taken;
        taken
    }

    /// Skips what is left of the data and of the last block.
    pub fn skip_data(&mut self) -> Result<()> {
        let mut left = self.left + self.fill;
        self.position += left;
        (self.left, self.fill) = (0, 0);
        let buffered = self.input.buffered().len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.input.consume(buffered);
        left -= buffered as u64;
        if left > 0 {
            // A seek passes the end of a file that was cut off; reading the last byte does not.
            self.input.skip(left - 1)?;
            if self.input.fill()?.is_empty() {
                return Err(unexpected_end());
            }
            self.input.consume(1);
        }
        Ok(())
    }
}

impl Before {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.target.is_none() && self.records.is_empty()
    }

    fn take(&mut self, kind: u8, mut content: Vec<u8>, global: &mut Vec<u8>) -> Result<()> {
        match kind {
            b'L' | b'K' => {
                content.truncate(bytes::find_byte(0, &content).unwrap_or(content.len()));
                let into = if kind == b'L' { &mut self.name } else { &mut self.target };
                *into = Some(content);
            }
            b'g' if global.len() + content.len() > MOST_META as usize => {
                return Err(Error::new("extended header is too large"));
            }
            b'g' => global.extend(content),
            _ => self.records = content,
        }
        Ok(())
    }
}

/// The archive ends within a header or within data.
fn unexpected_end() -> Error {
    Error::new("unexpected end of archive")
}

/// Whether a block is a header: by its sum.
pub fn is_header(block: &Block) -> bool {
    number(SUM.of(block)).is_some_and(|stored| stored == sum(block) as i64 || stored == signed_sum(block))
}

/// What a header itself says.
fn parse(block: &Block) -> Option<Entry> {
    let magic = MAGIC.of(block);
    let is_ustar = magic.starts_with(&USTAR[..6]);
    let is_gnu = magic == GNU;
    let prefix = if is_ustar { PREFIX.text(block) } else { b"" };
    let name = if prefix.is_empty() { NAME.text(block).to_vec() } else { bytes::join_path(prefix, NAME.text(block)) };
    let kind = match block[TYPE] {
        b'2' => FileType::Symlink,
        b'3' => FileType::CharacterDevice,
        b'4' => FileType::BlockDevice,
        // GNU's dump of a directory is followed by the names in it.
        b'5' | b'D' => FileType::Directory,
        b'6' => FileType::Fifo,
        _ => FileType::RegularFile,
    };
    let id = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let text = |field: super::Field| if is_ustar || is_gnu { field.text(block).to_vec() } else { Vec::new() };
    let is_device = matches!(block[TYPE], b'3' | b'4');
    let device = |field: super::Field| if is_device { number(field.of(block)).map(id) } else { Some(0) };
    Some(Entry {
        name,
        mode: number(MODE.of(block))? as u32 & 0o7777 | kind.as_raw_mode(),
        uid: id(number(UID.of(block))?),
        gid: id(number(GID.of(block))?),
        user: text(USER),
        group: text(GROUP),
        size: number(SIZE.of(block))?.try_into().ok()?,
        modified: Moment { seconds: number(MTIME.of(block))?, nanos: 0 },
        target: LINK.text(block).to_vec(),
        is_hard_link: block[TYPE] == b'1',
        device: (device(MAJOR)?, device(MINOR)?),
        ..Entry::default()
    })
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut reader = Reader::new(Input::from_bytes(data.to_vec()), true);
    // Only a panic counts.
    while let Ok(next) = reader.advance() {
        if matches!(next, Next::End) || matches!(next, Next::Damaged(_)) && !reader.is_known() {
            break;
        }
    }
}
