//! zip archives, as PKWARE's APPNOTE 6.3 describes them: the central directory says what there is. All numbers have the
//! lowest byte first.

use std::rc::Rc;

use crate::bytes::reserve;
use crate::codec::{Format, decoded_as};
use crate::error::{Error, Result};
use crate::hash::crc::Crc;
use crate::io::{Filter, Input};
use crate::sys::{Errno, OwnedFd, fd, fs};
use crate::text;
use crate::time::{Civil, Moment, Zone};

/// The most bytes after the end record: a comment.
const COMMENT_MAX: u64 = 65_535;

/// The sizes of the records without their variable parts.
const END: u64 = 22;
const END64: usize = 56;
const LOCATOR: u64 = 20;
const CENTRAL: usize = 46;
const LOCAL: usize = 30;

// Methods.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const BZIP2: u16 = 12;
const LZMA: u16 = 14;
const ZSTD: u16 = 93;
const XZ: u16 = 95;

/// The system that made an entry: FAT has no modes, and some of its programs write `\` between names.
const FAT: u8 = 0;
const UNIX: u8 = 3;

// Extra fields: sizes of 64 bits, and times in seconds since 1970.
const EXTRA_SIZES: u16 = 1;
const EXTRA_TIMES: u16 = 0x5455;

/// A file in an archive.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// The name as the archive has it, with a slash at the end for a directory.
    pub name: Vec<u8>,
    /// How it is compressed.
    pub method: u16,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
    /// The CRC of the data.
    pub crc: u32,
    /// Bytes in the archive.
    pub compressed: u64,
    /// Bytes of the data.
    pub size: u64,
    /// The mode as in `st_mode`, or 0 where the archive has none.
    pub mode: u32,
    /// The local time that the archive has, to two seconds.
    pub time: Civil,
    /// The time of the last change, where the archive has it.
    pub modified: Option<i64>,
    /// Where its local header is.
    offset: u64,
}

impl Member {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.name.ends_with(b"/")
    }

    /// The time of the last change; `zone` is that of the time which has none.
    pub fn moment(&self, zone: &Zone) -> Moment {
        Moment { seconds: self.modified.unwrap_or_else(|| zone.moment(&self.time)), nanos: 0 }
    }

    /// Whether it is not compressed.
    pub fn is_stored(&self) -> bool {
        self.method == STORED
    }

    /// The name of the method, at most six characters.
    pub fn method_name(&self) -> &'static str {
        match self.method {
            STORED => "Stored",
            DEFLATED => "Defl:N",
            BZIP2 => "BZip2",
            LZMA => "LZMA",
            ZSTD => "Zstd",
            XZ => "Xz",
            _ => "Unk",
        }
    }
}

/// An open archive.
pub struct Archive {
    file: Rc<OwnedFd>,
    /// The central directory.
    directory: Input,
    /// Entries that are left in it.
    left: u64,
    /// What precedes the archive in the file: a program that extracts it.
    start: u64,
    /// The comment about the whole.
    pub comment: Vec<u8>,
}

/// A part of a file as a stream, after some bytes of its own.
struct Part {
    lead: Vec<u8>,
    file: Rc<OwnedFd>,
    at: u64,
    left: u64,
}

impl Filter for Part {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if !self.lead.is_empty() {
            let count = self.lead.len().min(into.len());
            into[..count].copy_from_slice(&self.lead[..count]);
            self.lead.drain(..count);
            return Ok(count);
        }
        let count = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        loop {
            match fd::pread(&*self.file, &mut into[..count], self.at) {
                Ok(count) => {
                    self.at += count as u64;
                    self.left -= count as u64;
                    return Ok(count);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Archive {
    /// Reads the end of the archive in `file`.
    pub fn open(file: OwnedFd) -> Result<Self> {
        let length = fs::seek(&file, fs::SeekFrom::End(0))?;
        let file = Rc::new(file);
        let tail_start = length.saturating_sub(COMMENT_MAX + END);
        let tail = part(&file, tail_start, length - tail_start).read_to_end()?;
        let at = find_end(&tail).ok_or_else(|| Error::new("not a zip archive"))?;
        let end = &tail[at..];
        let end_at = tail_start + at as u64;
        let mut left = u64::from(u16_at(end, 10));
        let mut size = u64::from(u32_at(end, 12));
        let mut offset = u64::from(u32_at(end, 16));
        let mut directory_end = end_at;
        if let Some((at64, end64)) = read_end64(&file, end_at)? {
            (left, size, offset) = (u64_at(&end64, 32), u64_at(&end64, 40), u64_at(&end64, 48));
            directory_end = at64;
        } else if u16_at(end, 4) != 0 || u16_at(end, 8) != u16_at(end, 10) {
            return Err(Error::new("archives of several parts are not supported"));
        }
        let directory_at = directory_end.checked_sub(size).ok_or_else(corrupted)?;
        let start = directory_at.checked_sub(offset).ok_or_else(corrupted)?;
        let directory = part(&file, directory_at, size);
        let comment = &end[END as usize..];
        let comment = comment[..comment.len().min(u16_at(end, 20).into())].to_vec();
        Ok(Self { file, directory, left, start, comment })
    }

    /// The next member, in the order of the central directory.
    pub fn next_member(&mut self) -> Result<Option<Member>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut fixed = [0; CENTRAL];
        read_exact(&mut self.directory, &mut fixed)?;
        if !fixed.starts_with(b"PK\x01\x02") {
            return Err(corrupted());
        }
        let mut name = read_vec(&mut self.directory, u16_at(&fixed, 28))?;
        let extra = read_vec(&mut self.directory, u16_at(&fixed, 30))?;
        read_vec(&mut self.directory, u16_at(&fixed, 32))?;
        let (system, attributes) = (fixed[5], u32_at(&fixed, 38));
        if system == FAT && !name.contains(&b'/') {
            name.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
        }
        let mut member = Member {
            name,
            method: u16_at(&fixed, 10),
            is_encrypted: u16_at(&fixed, 8) & 1 != 0,
            crc: u32_at(&fixed, 16),
            compressed: u32_at(&fixed, 20).into(),
            size: u32_at(&fixed, 24).into(),
            mode: if system == UNIX { attributes >> 16 } else { 0 },
            time: dos_time(u16_at(&fixed, 14), u16_at(&fixed, 12)),
            modified: None,
            offset: u32_at(&fixed, 42).into(),
        };
        read_extra(&mut member, &extra)?;
        Ok(Some(member))
    }

    /// The data of a member, decompressed, as an input of its name. `Checked` compares them with what the directory says.
    pub fn data(&self, member: &Member) -> Result<Input> {
        if member.is_encrypted {
            return Err(Error::new("encrypted members are not supported"));
        }
        let at = self.start.checked_add(member.offset).ok_or_else(corrupted)?;
        let mut local = [0; LOCAL];
        read_exact(&mut part(&self.file, at, LOCAL as u64), &mut local)?;
        if !local.starts_with(b"PK\x03\x04") {
            return Err(corrupted());
        }
        let skipped = LOCAL as u64 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        let at = at.checked_add(skipped).ok_or_else(corrupted)?;
        let format = match member.method {
            STORED => return Ok(named_part(&self.file, at, member.compressed, &member.name)),
            DEFLATED => Format::Deflate,
            BZIP2 => Format::Bzip2,
            ZSTD => Format::Zstd,
            XZ => Format::Xz,
            LZMA => return self.lzma_data(member, at),
            method => return Err(Error::new(text!("unsupported method ", method))),
        };
        decoded_as(format, named_part(&self.file, at, member.compressed, &member.name))
    }

    /// APPNOTE 5.8.8: a version, the size of the properties and the properties come before the data; a .lzma file has the
    /// properties and the length.
    fn lzma_data(&self, member: &Member, at: u64) -> Result<Input> {
        let mut head = [0; 9];
        read_exact(&mut part(&self.file, at, member.compressed), &mut head)?;
        if u16_at(&head, 2) != 5 {
            return Err(corrupted());
        }
        let lead = [&head[4..], &member.size.to_le_bytes()].concat();
        let left = member.compressed - head.len() as u64;
        let stream = Part { lead, file: Rc::clone(&self.file), at: at + head.len() as u64, left };
        decoded_as(Format::Lzma, Input::from_filter(Box::new(stream), &member.name))
    }
}

/// What compares data with the size and the CRC that the directory says.
pub struct Checked {
    crc: Crc,
    left: u64,
}

impl Checked {
    /// Nothing has been read of `member`.
    pub fn new(member: &Member) -> Self {
        Self { crc: Crc::gzip(), left: member.size }
    }

    /// Adds data; an error if they are more than there should be.
    pub fn add(&mut self, data: &[u8]) -> Result<()> {
        self.left = self.left.checked_sub(data.len() as u64).ok_or_else(corrupted)?;
        self.crc.update(data);
        Ok(())
    }

    /// Compares what was added.
    pub fn finish(self, member: &Member) -> Result<()> {
        match self.left == 0 && self.crc.finish(0) == member.crc {
            true => Ok(()),
            false => Err(Error::new("crc error")),
        }
    }
}

fn part(file: &Rc<OwnedFd>, at: u64, left: u64) -> Input {
    named_part(file, at, left, b"archive")
}

fn named_part(file: &Rc<OwnedFd>, at: u64, left: u64, name: &[u8]) -> Input {
    Input::from_filter(Box::new(Part { lead: Vec::new(), file: Rc::clone(file), at, left }), name)
}

/// The last end record whose comment ends with the file, or else the last one.
fn find_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END as usize)?;
    let is_end = |at: &usize| tail[*at..].starts_with(b"PK\x05\x06");
    let ends = |at: &usize| at + END as usize + usize::from(u16_at(&tail[*at..], 20)) == tail.len();
    (0..=last).rev().filter(is_end).find(ends).or_else(|| (0..=last).rev().find(is_end))
}

/// The end record of 64 bits that a locator before the ordinary one leads to.
fn read_end64(file: &Rc<OwnedFd>, end_at: u64) -> Result<Option<(u64, [u8; END64])>> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR) else { return Ok(None) };
    let mut locator = [0; LOCATOR as usize];
    read_exact(&mut part(file, locator_at, LOCATOR), &mut locator)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // Where something precedes the archive, the record is right before its locator.
    for at in [u64_at(&locator, 8), locator_at.saturating_sub(END64 as u64)] {
        let mut end = [0; END64];
        if read_exact(&mut part(file, at, END64 as u64), &mut end).is_ok() && end.starts_with(b"PK\x06\x06") {
            return Ok(Some((at, end)));
        }
    }
    Err(corrupted())
}

fn read_extra(member: &mut Member, mut extra: &[u8]) -> Result<()> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16_at(head, 2));
        // Some programs write fields that end too early.
        let Some((mut field, after)) = rest.split_at_checked(length) else { return Ok(()) };
        extra = after;
        match u16_at(head, 0) {
            EXTRA_SIZES => {
                for value in [&mut member.size, &mut member.compressed, &mut member.offset] {
                    if *value == u32::MAX.into() {
                        let (number, rest) = field.split_first_chunk::<8>().ok_or_else(corrupted)?;
                        (*value, field) = (u64::from_le_bytes(*number), rest);
                    }
                }
            }
            EXTRA_TIMES if field.len() >= 5 && field[0] & 1 != 0 => {
                member.modified = Some(i64::from(u32_at(field, 1) as i32));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A date and a time of MS-DOS.
fn dos_time(date: u16, time: u16) -> Civil {
    Civil {
        year: i64::from(date >> 9) + 1980,
        month: (date >> 5 & 15) as u8,
        day: (date & 31) as u8,
        hour: (time >> 11) as u8,
        minute: (time >> 5 & 63) as u8,
        second: (2 * (time & 31)) as u8,
        ..Civil::default()
    }
}

fn read_exact(input: &mut Input, into: &mut [u8]) -> Result<()> {
    let mut at = 0;
    while at < into.len() {
        match input.read(&mut into[at..])? {
            0 => return Err(Error::new("unexpected end of file")),
            count => at += count,
        }
    }
    Ok(())
}

fn read_vec(input: &mut Input, length: u16) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reserve(&mut bytes, length.into())?;
    bytes.resize(length.into(), 0);
    read_exact(input, &mut bytes)?;
    Ok(bytes)
}

fn corrupted() -> Error {
    Error::new("corrupted archive")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Reads an archive and all its data, of which at most 1 MB each.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let file = fs::memfd_create("zip", fs::MemfdFlags::CLOEXEC).expect("a file in memory");
    fd::write(&file, data).expect("memory");
    let Ok(mut archive) = Archive::open(file) else { return };
    while let Ok(Some(member)) = archive.next_member() {
        let Ok(mut content) = archive.data(&member) else { continue };
        let mut checked = Checked::new(&member);
        for _ in 0..16 {
            let Ok(data) = content.fill() else { break };
            let length = data.len();
            if length == 0 || checked.add(data).is_err() {
                break;
            }
            content.consume(length);
        }
    }
}
