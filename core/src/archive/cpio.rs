//! The formats of cpio: `newc` with and without checksums (the kernel's buffer-format.rst, cpio(5)), POSIX.1-1997's `odc`,
//! and the binary one of both byte orders.
//!
//! A symbolic link's data are its target. The entry `TRAILER!!!` ends an archive, and another one may follow.

use super::Entry;
use crate::bytes;
use crate::error::{Error, Result};
use crate::io::Input;
use crate::number::parse_radix;
use crate::sys::fs::{self, FileType};
use crate::time::Moment;

/// Bytes of the longest name and of the longest target.
const MOST_NAME: u64 = 1 << 16;

/// The name of the last entry.
pub const TRAILER: &[u8] = b"TRAILER!!!";

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Hexadecimal fields, `070701`.
    Newc,
    /// The same with the sum of the data, `070702`.
    Crc,
    /// Octal fields, `070707`.
    Odc,
    /// Binary fields of little-endian machines.
    Bin,
    /// Binary fields of big-endian machines.
    SwappedBin,
}

impl Format {
    /// What names and data are filled up to a multiple of.
    pub fn align(self) -> u64 {
        match self {
            Self::Newc | Self::Crc => 4,
            Self::Odc => 1,
            Self::Bin | Self::SwappedBin => 2,
        }
    }

    /// Bytes of a header.
    fn length(self) -> usize {
        match self {
            Self::Newc | Self::Crc => 110,
            Self::Odc => 76,
            Self::Bin | Self::SwappedBin => 26,
        }
    }

    /// The format of a header that begins so.
    fn of(start: &[u8]) -> Option<Self> {
        Some(match start {
            [b'0', b'7', b'0', b'7', b'0', b'1', ..] => Self::Newc,
            [b'0', b'7', b'0', b'7', b'0', b'2', ..] => Self::Crc,
            [b'0', b'7', b'0', b'7', b'0', b'7', ..] => Self::Odc,
            [0xc7, 0x71, ..] => Self::Bin,
            [0x71, 0xc7, ..] => Self::SwappedBin,
            _ => return None,
        })
    }
}

/// What an entry says beside its name and its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The number of the device that the file was on.
    pub device: (u32, u32),
    /// The inode number there: entries with several links and the same numbers are one file.
    pub inode: u32,
    /// The number of links.
    pub count: u32,
    /// The sum of the data's bytes, for `Format::Crc`.
    pub sum: u32,
}

/// What comes next in a stream.
#[derive(Debug)]
pub enum Next {
    /// A file.
    Entry(Box<Entry>, Links),
    /// The end of an archive: another one may follow.
    Trailer,
    /// The end of the stream, or something that is no header.
    End,
}

/// A reader.
pub struct Reader {
    input: Input,
    left: u64,
    fill: u64,
    position: u64,
    format: Format,
    is_cut: bool,
    /// Where the last header begins.
    start: u64,
}

impl Reader {
    /// A reader of that stream.
    pub fn new(input: Input) -> Self {
        Self { input, left: 0, fill: 0, position: 0, format: Format::Newc, is_cut: false, start: 0 }
    }

    /// The stream.
    pub fn into_input(self) -> Input {
        self.input
    }

    /// The format of the last entry.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The offset of the last header.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The bytes that have been read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The stream has ended too early, or has something in it that is no header.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Skips what is left of the data, and reads the next header.
    pub fn advance(&mut self) -> Result<Next> {
        let next = if self.is_cut { Ok(Next::End) } else { self.read_next() };
        self.is_cut |= next.is_err();
        next
    }

    fn read_next(&mut self) -> Result<Next> {
        self.skip_data()?;
        self.start = self.position;
        while self.input.buffered().len() < 110 && self.input.fill_more()? {}
        let start = self.input.buffered();
        if start.is_empty() {
            // An empty stream is taken for an empty archive, as in BusyBox.
            if self.position == 0 {
                return Ok(Next::End);
            }
            return Err(Error::new("premature end of archive"));
        }
        self.format = Format::of(start).ok_or_else(|| Error::new("unsupported cpio format, use newc or crc"))?;
        let header = self.take(self.format.length() as u64)?;
        let (fields, links, name_length) = parse(self.format, &header).ok_or_else(|| Error::new("damaged header"))?;
        if name_length == 0 || name_length > MOST_NAME {
            return Err(Error::new("damaged header"));
        }
        let mut name = self.take(name_length)?;
        self.take_filling(self.format.length() as u64 + name_length)?;
        name.truncate(bytes::find_byte(0, &name).unwrap_or(name.len()));
        let mut entry = Entry { name, ..fields };
        if entry.name == TRAILER {
            self.skip_filling()?;
            return Ok(Next::Trailer);
        }
        if entry.kind() == FileType::Symlink {
            if entry.size > MOST_NAME {
                return Err(Error::new("damaged header"));
            }
            entry.target = self.take(entry.size)?;
            self.take_filling(entry.size)?;
            entry.size = 0;
        } else if entry.kind() != FileType::RegularFile && entry.size > 0 && entry.kind() != FileType::Directory {
            return Err(Error::new("damaged header"));
        }
        self.left = entry.size;
        self.fill = filling(entry.size, self.format.align());
        Ok(Next::Entry(Box::new(entry), links))
    }

    /// The next so many bytes, which are not more than a name has.
    fn take(&mut self, count: u64) -> Result<Vec<u8>> {
        let count = count as usize;
        while self.input.buffered().len() < count && self.input.fill_more()? {}
        let taken = self.input.buffered().get(..count).ok_or_else(too_short)?.to_vec();
        self.input.consume(count);
        self.position += count as u64;
        Ok(taken)
    }

    fn take_filling(&mut self, length: u64) -> Result<()> {
        self.take(filling(length, self.format.align())).map(drop)
    }

    /// Skips the NULs after an archive.
    fn skip_filling(&mut self) -> Result<()> {
        loop {
            let content = self.input.fill()?;
            let zeros = content.iter().take_while(|&&byte| byte == 0).count();
            let is_all = zeros == content.len();
            self.input.consume(zeros);
            self.position += zeros as u64;
            if !is_all || zeros == 0 {
                return Ok(());
            }
        }
    }

    /// Whether a header follows, after a trailer.
    pub fn has_more(&mut self) -> Result<bool> {
        while self.input.buffered().len() < 6 && self.input.fill_more()? {}
        Ok(Format::of(self.input.buffered()).is_some())
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
            return Err(too_short());
        }
        Ok(Some(&content[..content.len().min(left)]))
    }

    /// Marks so many bytes of what `data` returned as used.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.left -= count as u64;
        self.position += count as u64;
    }

    /// Skips what is left of the data.
    pub fn skip_data(&mut self) -> Result<()> {
        while let Some(length) = self.data()?.map(<[u8]>::len) {
            self.consume(length);
        }
        let fill = core::mem::take(&mut self.fill);
        self.take(fill).map(drop)
    }
}

fn too_short() -> Error {
    Error::new("premature end of file")
}

/// How many bytes fill `length` up to a multiple of `align`, which is a power of two.
pub fn filling(length: u64, align: u64) -> u64 {
    length.wrapping_neg() & (align - 1)
}

/// The entry of a header without its name, and the name's length with its NUL.
fn parse(format: Format, header: &[u8]) -> Option<(Entry, Links, u64)> {
    let mut fields = [0; 13];
    let widths: &[u8] = match format {
        Format::Newc | Format::Crc => &[8; 13],
        // dev ino mode uid gid nlink rdev mtime namesize filesize
        Format::Odc => &[6, 6, 6, 6, 6, 6, 6, 11, 6, 11],
        Format::Bin | Format::SwappedBin => &[2, 2, 2, 2, 2, 2, 2, 4, 2, 4],
    };
    let is_binary = matches!(format, Format::Bin | Format::SwappedBin);
    let mut rest = &header[if is_binary { 2 } else { 6 }..];
    for (field, &width) in fields.iter_mut().zip(widths) {
        let (bytes, after) = rest.split_at(usize::from(width));
        *field = match format {
            Format::Newc | Format::Crc => parse_radix(bytes, 16)?,
            Format::Odc => parse_radix(bytes, 8)?,
            // The higher half comes first, whatever the order of the bytes is.
            _ => bytes.chunks(2).fold(0, |value, half| {
                let (a, b) = (u64::from(half[0]), u64::from(half[1]));
                value << 16 | if format == Format::Bin { b << 8 | a } else { a << 8 | b }
            }),
        };
        rest = after;
    }
    let of_old = |number: u64| (fs::major(number), fs::minor(number));
    let (inode, mode, uid, gid, count, time, size, device, special, name, sum) = match format {
        Format::Newc | Format::Crc => {
            let [ino, mode, uid, gid, links, time, size, major, minor, rmajor, rminor, name, sum] = fields;
            let pair = |major: u64, minor: u64| (major as u32, minor as u32);
            (ino, mode, uid, gid, links, time, size, pair(major, minor), pair(rmajor, rminor), name, sum)
        }
        _ => {
            let [dev, ino, mode, uid, gid, links, special, time, name, size, ..] = fields;
            (ino, mode, uid, gid, links, time, size, of_old(dev), of_old(special), name, 0)
        }
    };
    let entry = Entry {
        mode: mode as u32 & 0o177_777,
        uid: uid as u32,
        gid: gid as u32,
        size,
        modified: Moment { seconds: time as i64, nanos: 0 },
        device: special,
        ..Entry::default()
    };
    Some((entry, Links { device, inode: inode as u32, count: count as u32, sum: sum as u32 }, name))
}

/// Appends the header of an entry, its name, and a symbolic link's target. The data follow, then `filling` bytes.
pub fn push_header(out: &mut Vec<u8>, entry: &Entry, links: &Links, format: Format) -> Result<()> {
    let start = out.len();
    let size = if entry.kind() == FileType::Symlink { entry.target.len() as u64 } else { entry.size };
    let name = entry.name.len() as u64 + 1;
    let time = entry.modified.seconds.max(0) as u64;
    let (mode, uid, gid) = (entry.mode.into(), entry.uid.into(), entry.gid.into());
    let (inode, count) = (u64::from(links.inode), u64::from(links.count));
    if let Format::Newc | Format::Crc = format {
        out.extend_from_slice(if format == Format::Newc { b"070701" } else { b"070702" });
        let sum = if format == Format::Crc { links.sum } else { 0 };
        let ids = [inode, mode, uid, gid, count, time, size];
        let devices = [links.device.0, links.device.1, entry.device.0, entry.device.1];
        let all = ids.into_iter().chain(devices.map(u64::from)).chain([name, sum.into()]);
        for field in all {
            let field = u32::try_from(field).map_err(|_| too_large(entry))?;
            (0..8).rev().for_each(|digit| out.push(b"0123456789ABCDEF"[(field >> (4 * digit)) as usize & 15]));
        }
    } else {
        let old = |(major, minor): (u32, u32)| fs::makedev(major, minor);
        // What is only used to tell files apart may be cut.
        let fields = [old(links.device), inode, mode, uid, gid, count, old(entry.device), time, name, size];
        push_old(out, fields, format == Format::Odc).ok_or_else(|| too_large(entry))?;
    }
    out.extend_from_slice(&entry.name);
    out.push(0);
    let align = format.align();
    out.resize(out.len() + filling((out.len() - start) as u64, align) as usize, 0);
    if entry.kind() == FileType::Symlink {
        out.extend_from_slice(&entry.target);
        out.resize(out.len() + filling(size, align) as usize, 0);
    }
    Ok(())
}

fn too_large(entry: &Entry) -> Error {
    Error::parts(&[&entry.name, b": a number is too large for the format"])
}

/// The ten fields of the old formats. `None` for a size or a time that does not fit.
fn push_old(out: &mut Vec<u8>, fields: [u64; 10], is_odc: bool) -> Option<()> {
    out.extend_from_slice(if is_odc { b"070707" } else { &[0xc7, 0x71] });
    for (index, field) in fields.into_iter().enumerate() {
        let is_long = matches!(index, 7 | 9);
        if is_odc {
            let width = if is_long { 11 } else { 6 };
            if index >= 7 && field >> (3 * width) != 0 {
                return None;
            }
            (0..width).rev().for_each(|digit| out.push(b'0' + (field >> (3 * digit) & 7) as u8));
        } else {
            if index >= 7 && field >> if is_long { 31 } else { 16 } != 0 {
                return None;
            }
            if is_long {
                out.extend_from_slice(&(field >> 16).to_le_bytes()[..2]);
            }
            out.extend_from_slice(&field.to_le_bytes()[..2]);
        }
    }
    Some(())
}

/// Appends the entry that ends an archive.
pub fn push_trailer(out: &mut Vec<u8>, format: Format) -> Result<()> {
    let trailer = Entry { name: TRAILER.to_vec(), ..Entry::default() };
    push_header(out, &trailer, &Links { count: 1, ..Links::default() }, format)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut reader = Reader::new(Input::from_bytes(data.to_vec()));
    // Only a panic counts.
    while let Ok(Next::Entry(..) | Next::Trailer) = reader.advance() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_read_as_it_was_written() {
        let entry = Entry {
            name: b"dir/file".to_vec(),
            mode: 0o100_644,
            uid: 7,
            gid: 8,
            size: 5,
            modified: Moment { seconds: 1_700_000_000, nanos: 0 },
            ..Entry::default()
        };
        let links = Links { device: (1, 2), inode: 77, count: 2, sum: 532 };
        for (format, length) in [(Format::Newc, 120), (Format::Crc, 120), (Format::Odc, 85), (Format::Bin, 36)] {
            let mut out = Vec::new();
            push_header(&mut out, &entry, &links, format).expect("all fits");
            assert_eq!(out.len(), length);
            out.extend_from_slice(b"hello");
            out.resize(out.len() + filling(5, format.align()) as usize, 0);
            push_trailer(&mut out, format).expect("all fits");
            let mut reader = Reader::new(Input::from_bytes(out));
            let Ok(Next::Entry(read, of)) = reader.advance() else { panic!("an entry is first") };
            assert_eq!((&read.name, read.mode, read.uid, read.gid, read.size), (&entry.name, 0o100_644, 7, 8, 5));
            assert_eq!((of.inode, of.count, of.device, read.modified), (77, 2, (1, 2), entry.modified));
            assert_eq!(reader.data().expect("the data are there"), Some(&b"hello"[..]));
            assert!(matches!(reader.advance(), Ok(Next::Trailer)));
            assert!(!reader.has_more().expect("memory can be read"));
        }
    }

    #[test]
    fn a_damaged_header_is_an_error() {
        assert!(matches!(Reader::new(Input::from_bytes(Vec::new())).advance(), Ok(Next::End)));
        for text in [&b"junk"[..], b"070701", b"0707010000000x", &[b'0'; 110]] {
            assert!(Reader::new(Input::from_bytes(text.to_vec())).advance().is_err());
        }
    }
}
