//! Writing an archive: the bytes of each header, as GNU tar has them.

use super::super::Entry;
use super::{
    BLOCK, Block, Field, GID, GNU, GNU_LENGTH, GNU_MORE, GNU_PARTS, GROUP, LINK, MAGIC, MAJOR, MINOR, MODE, MORE_MORE,
    MTIME, NAME, PREFIX, SIZE, SUM, TYPE, UID, USER, USTAR, pax, sum,
};
use crate::bytes::{base_name, find_byte_back};
use crate::error::{Error, Result};
use crate::number::Decimal;
use crate::sys::fs::FileType;
use crate::time::Moment;

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Version 7 of Unix.
    V7,
    /// GNU tar up to 1.12.
    OldGnu,
    /// GNU's, for names and numbers of any length.
    Gnu,
    /// POSIX.1-1988.
    Ustar,
    /// POSIX.1-2001: ustar with records for what does not fit.
    Pax,
}

/// What the extended headers of pax are like.
#[derive(Clone, Debug, Default)]
pub struct PaxOptions {
    /// Records that are not written: patterns of their keys.
    pub deleted: Vec<Vec<u8>>,
    /// The name of an extended header: `%d` is the directory of the file, `%f` its name, `%p` the PID.
    pub header_name: Option<Vec<u8>>,
    /// The PID for it, and for files with holes.
    pub pid: u32,
}

/// How many bytes fill the last block of data.
pub const fn padding(size: u64) -> usize {
    (size.wrapping_neg() % BLOCK as u64) as usize
}

/// A writer of headers.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The format.
    pub format: Format,
    /// For pax.
    pub pax: PaxOptions,
    /// Owners have no names.
    pub numeric_owner: bool,
}

impl Writer {
    /// A writer of that format.
    pub fn new(format: Format) -> Self {
        Self { format, pax: PaxOptions::default(), numeric_owner: false }
    }

    /// Appends all that comes before the data of an entry. The name of a directory ends with a slash.
    pub fn push_header(&self, out: &mut Vec<u8>, entry: &Entry) -> Result<()> {
        match self.format {
            Format::Pax => self.push_pax(out, entry),
            Format::Gnu | Format::OldGnu => self.push_gnu(out, entry),
            Format::V7 | Format::Ustar => {
                let mut block = self.header(entry, entry.size)?;
                self.put_names(&mut block, entry)?;
                finish(&mut block, out);
                Ok(())
            }
        }
    }

    /// The common part of all headers: no names yet.
    fn header(&self, entry: &Entry, size: u64) -> Result<Block> {
        let mut block = [0; BLOCK];
        let is_v7 = self.format == Format::V7;
        self.put_number(&mut block, MODE, i64::from(entry.mode & 0o7777), "mode")?;
        self.put_number(&mut block, UID, i64::from(entry.uid), "uid")?;
        self.put_number(&mut block, GID, i64::from(entry.gid), "gid")?;
        self.put_number(&mut block, SIZE, size as i64, "size")?;
        self.put_number(&mut block, MTIME, entry.modified.seconds, "mtime")?;
        block[TYPE] = match entry.kind() {
            _ if entry.is_hard_link => b'1',
            FileType::Symlink => b'2',
            FileType::CharacterDevice => b'3',
            FileType::BlockDevice => b'4',
            FileType::Directory => b'5',
            FileType::Fifo => b'6',
            _ if is_v7 => 0,
            _ if entry.sparse.is_some() && self.is_gnu() => b'S',
            _ => b'0',
        };
        if is_v7 && matches!(block[TYPE], b'3' | b'4' | b'6') {
            return Err(Error::new("the format has no special files"));
        }
        if !is_v7 {
            put(&mut block, MAGIC, if self.is_gnu() { GNU } else { USTAR });
        }
        if !is_v7 && !self.numeric_owner {
            put(&mut block, USER, &entry.user[..entry.user.len().min(31)]);
            put(&mut block, GROUP, &entry.group[..entry.group.len().min(31)]);
        }
        if !self.is_gnu() || matches!(block[TYPE], b'3' | b'4') {
            self.put_number(&mut block, MAJOR, entry.device.0.into(), "device number")?;
            self.put_number(&mut block, MINOR, entry.device.1.into(), "device number")?;
        }
        Ok(block)
    }

    fn is_gnu(&self) -> bool {
        matches!(self.format, Format::Gnu | Format::OldGnu)
    }

    /// Octal digits and a NUL; where they do not fit, GNU's binary numbers, or in pax what a record will replace.
    fn put_number(&self, block: &mut Block, field: Field, value: i64, what: &str) -> Result<()> {
        let digits = field.1 - 1;
        let into = &mut block[field.0..field.0 + field.1];
        if value >= 0 && value >> (3 * digits) == 0 {
            put_octal(&mut into[..digits], value as u64);
        } else if self.is_gnu() {
            let bytes = i128::from(value).to_be_bytes();
            into.copy_from_slice(&bytes[16 - field.1..]);
            into[0] = if value < 0 { 0xff } else { 0x80 };
        } else if self.format == Format::Pax {
            put_octal(&mut into[..digits], 0);
        } else {
            return Err(Error::parts(&[what.as_bytes(), b" is out of range for the format"]));
        }
        Ok(())
    }

    /// Names of version 7 and of ustar, which have a limit.
    fn put_names(&self, block: &mut Block, entry: &Entry) -> Result<()> {
        let too_long = |what: &str| Error::parts(&[what.as_bytes(), b" is too long for the format"]);
        let most = if self.format == Format::V7 { 99 } else { 100 };
        if entry.target.len() > LINK.1 {
            return Err(too_long("link name"));
        }
        put(block, LINK, &entry.target);
        let (prefix, name) = match entry.name.len() <= most {
            true => (&b""[..], &entry.name[..]),
            false if self.format == Format::V7 => return Err(too_long("file name")),
            false => split_name(&entry.name).ok_or_else(|| too_long("file name"))?,
        };
        put(block, NAME, name);
        put(block, PREFIX, prefix);
        Ok(())
    }

    fn push_gnu(&self, out: &mut Vec<u8>, entry: &Entry) -> Result<()> {
        let mut block = self.header(entry, entry.size)?;
        // Old programs want a NUL after a name.
        let most = if self.format == Format::OldGnu { 99 } else { 100 };
        for (kind, field, name, stored) in [(b'K', LINK, &entry.target, 100), (b'L', NAME, &entry.name, most)] {
            if name.len() > most {
                self.push_long(out, kind, name);
            }
            put(&mut block, field, &name[..name.len().min(stored)]);
        }
        let Some(sparse) = &entry.sparse else {
            finish(&mut block, out);
            return Ok(());
        };
        self.put_number(&mut block, GNU_LENGTH, sparse.size as i64, "size")?;
        let (first, rest) = sparse.parts.split_at(sparse.parts.len().min(4));
        self.put_parts(&mut block, GNU_PARTS.0, first)?;
        block[GNU_MORE] = u8::from(!rest.is_empty());
        finish(&mut block, out);
        let mut rest = rest.chunks(21).peekable();
        while let Some(parts) = rest.next() {
            let mut block = [0; BLOCK];
            self.put_parts(&mut block, 0, parts)?;
            block[MORE_MORE] = u8::from(rest.peek().is_some());
            out.extend_from_slice(&block);
        }
        Ok(())
    }

    fn put_parts(&self, block: &mut Block, start: usize, parts: &[(u64, u64)]) -> Result<()> {
        for (index, &(offset, length)) in parts.iter().enumerate() {
            self.put_number(block, Field(start + 24 * index, 12), offset as i64, "offset")?;
            self.put_number(block, Field(start + 24 * index + 12, 12), length as i64, "length")?;
        }
        Ok(())
    }

    /// A name that does not fit a header, in an entry of its own.
    fn push_long(&self, out: &mut Vec<u8>, kind: u8, name: &[u8]) {
        let mut block = meta_header(b"././@LongLink", name.len() as u64 + 1, 0);
        block[TYPE] = kind;
        put(&mut block, MAGIC, GNU);
        if !self.numeric_owner {
            put(&mut block, USER, b"root");
            put(&mut block, GROUP, b"root");
        }
        finish(&mut block, out);
        out.extend_from_slice(name);
        // The NUL at the end counts.
        out.resize(out.len() + 1 + padding(name.len() as u64 + 1), 0);
    }

    fn push_pax(&self, out: &mut Vec<u8>, entry: &Entry) -> Result<()> {
        let mut map = Vec::new();
        if let Some(sparse) = &entry.sparse {
            crate::push!(map, sparse.parts.len(), "\n");
            for &(offset, length) in &sparse.parts {
                crate::push!(map, offset, "\n", length, "\n");
            }
            map.resize(map.len().next_multiple_of(BLOCK), 0);
        }
        let size = entry.size + map.len() as u64;
        let mut block = self.header(entry, size)?;
        let records = self.records(entry, size);
        if !records.is_empty() {
            let name = self.header_name(&entry.name);
            let modified = entry.modified.seconds.clamp(0, (1 << 33) - 1) as u64;
            let mut header = meta_header(&name, records.len() as u64, modified);
            header[TYPE] = b'x';
            put(&mut header, MAGIC, USTAR);
            finish(&mut header, out);
            out.extend_from_slice(&records);
            out.resize(out.len() + padding(records.len() as u64), 0);
        }
        put(&mut block, LINK, &entry.target[..entry.target.len().min(100)]);
        let name = match entry.sparse {
            Some(_) => self.named_after(&entry.name, b"%d/GNUSparseFile.%p/%f"),
            None => entry.name.clone(),
        };
        put(&mut block, NAME, &name[..name.len().min(100)]);
        finish(&mut block, out);
        out.extend_from_slice(&map);
        Ok(())
    }

    /// The records of an entry, in GNU tar's order.
    fn records(&self, entry: &Entry, size: u64) -> Vec<u8> {
        let mut records = Vec::new();
        let mut push = |key: &[u8], value: &[u8]| {
            if !self.pax.deleted.iter().any(|pattern| pattern_matches(pattern, key)) {
                pax::push(&mut records, key, value);
            }
        };
        let fits = |value: u64, field: Field| value >> (3 * (field.1 - 1)) == 0;
        let is_long = |name: &[u8], most: usize| name.len() > most || !name.is_ascii();
        if is_long(&entry.target, 100) {
            push(b"linkpath", &entry.target);
        }
        if entry.sparse.is_none() && is_long(&entry.name, 100) {
            push(b"path", &entry.name);
        }
        if let Some(sparse) = &entry.sparse {
            push(b"GNU.sparse.major", b"1");
            push(b"GNU.sparse.minor", b"0");
            push(b"GNU.sparse.name", &entry.name);
            push(b"GNU.sparse.realsize", Decimal::new(sparse.size).as_bytes());
        }
        if !self.numeric_owner {
            if is_long(&entry.user, 31) {
                push(b"uname", &entry.user);
            }
            if is_long(&entry.group, 31) {
                push(b"gname", &entry.group);
            }
        }
        if !fits(size, SIZE) {
            push(b"size", Decimal::new(size).as_bytes());
        }
        for (key, id, field) in [(&b"uid"[..], entry.uid, UID), (b"gid", entry.gid, GID)] {
            if !fits(id.into(), field) {
                push(key, Decimal::new(id.into()).as_bytes());
            }
        }
        let is_inexact = |time: Moment| time.nanos != 0 || time.seconds < 0 || !fits(time.seconds as u64, MTIME);
        if is_inexact(entry.modified) {
            push(b"mtime", &pax::time_text(entry.modified));
        }
        for (key, time) in [(&b"atime"[..], entry.accessed), (b"ctime", entry.changed)] {
            if let Some(time) = time {
                push(key, &pax::time_text(time));
            }
        }
        for (name, value) in &entry.xattrs {
            match &name[..] {
                b"security.selinux" => push(b"RHT.security.selinux", value.strip_suffix(b"\0").unwrap_or(value)),
                _ => push(&[b"SCHILY.xattr.", &name[..]].concat(), value),
            }
        }
        records
    }

    fn header_name(&self, name: &[u8]) -> Vec<u8> {
        self.named_after(name, self.pax.header_name.as_deref().unwrap_or(b"%d/PaxHeaders/%f"))
    }

    /// A name made of that of a file.
    fn named_after(&self, name: &[u8], pattern: &[u8]) -> Vec<u8> {
        let base = base_name(name);
        let trimmed = &name[..name.iter().rposition(|&byte| byte != b'/').map_or(0, |at| at + 1)];
        let directory = match find_byte_back(b'/', trimmed) {
            Some(0) => b"/",
            Some(at) => &trimmed[..at],
            None => &b"."[..],
        };
        let mut made = Vec::new();
        let mut rest = pattern.iter();
        while let Some(&byte) = rest.next() {
            match byte {
                b'%' => match rest.next() {
                    Some(b'd') => made.extend_from_slice(directory),
                    Some(b'f') => made.extend_from_slice(base),
                    Some(b'p') => crate::push!(made, self.pax.pid),
                    Some(&other) => made.push(other),
                    None => made.push(b'%'),
                },
                _ => made.push(byte),
            }
        }
        made
    }
}

fn pattern_matches(pattern: &[u8], key: &[u8]) -> bool {
    crate::pattern::glob::matches(pattern, key, crate::pattern::glob::Flags::NONE)
}

fn put(block: &mut Block, field: Field, bytes: &[u8]) {
    block[field.0..field.0 + bytes.len()].copy_from_slice(bytes);
}

fn put_octal(into: &mut [u8], mut value: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (value & 7) as u8;
        value >>= 3;
    }
}

/// A header that describes another one.
fn meta_header(name: &[u8], size: u64, modified: u64) -> Block {
    let mut block = [0; BLOCK];
    put(&mut block, NAME, &name[..name.len().min(100)]);
    for (field, value) in [(MODE, 0o644), (UID, 0), (GID, 0), (SIZE, size), (MTIME, modified)] {
        put_octal(&mut block[field.0..field.0 + field.1 - 1], value);
    }
    block
}

/// Puts the sum into a header, and appends it.
fn finish(block: &mut Block, out: &mut Vec<u8>) {
    let sum = sum(block);
    put_octal(&mut block[SUM.0..SUM.0 + 6], sum);
    (block[SUM.0 + 6], block[SUM.0 + 7]) = (0, b' ');
    out.extend_from_slice(block);
}

/// Cuts a long name at a slash into ustar's prefix (155 bytes) and name (100 bytes).
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let fits = |at: usize| name[at] == b'/' && (1..=100).contains(&(name.len() - at - 1));
    let at = (1..name.len().min(156)).rev().find(|&at| fits(at))?;
    Some((&name[..at], &name[at + 1..]))
}
