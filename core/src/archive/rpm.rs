//! rpm packages: a lead, a header with signatures, a header that describes the package, and a compressed cpio archive (the
//! format of version 3 and 4, rpm.org's manual). All numbers have the highest byte first.

use crate::bytes::append;
use crate::codec::decoded;
use crate::error::{Error, Result};
use crate::io::Input;

/// Tags of the header that describes a package.
pub mod tag {
    /// Its name.
    pub const NAME: u32 = 1000;
    /// Its version.
    pub const VERSION: u32 = 1001;
    /// Its release.
    pub const RELEASE: u32 = 1002;
    /// One line about it.
    pub const SUMMARY: u32 = 1004;
    /// A text about it.
    pub const DESCRIPTION: u32 = 1005;
    /// When it was built, in seconds since 1970.
    pub const BUILD_TIME: u32 = 1006;
    /// Where it was built.
    pub const BUILD_HOST: u32 = 1007;
    /// The bytes of its files.
    pub const SIZE: u32 = 1009;
    /// Who gives it out.
    pub const VENDOR: u32 = 1011;
    /// Its licence.
    pub const LICENSE: u32 = 1014;
    /// What it belongs to.
    pub const GROUP: u32 = 1016;
    /// Its page.
    pub const URL: u32 = 1020;
    /// Whole names of files, in old packages.
    pub const OLD_NAMES: u32 = 1027;
    /// Flags of files.
    pub const FILE_FLAGS: u32 = 1037;
    /// Owners of files.
    pub const FILE_USERS: u32 = 1039;
    /// Groups of files.
    pub const FILE_GROUPS: u32 = 1040;
    /// The source package.
    pub const SOURCE: u32 = 1044;
    /// Where it may be installed instead.
    pub const PREFIXES: u32 = 1098;
    /// For each file the index of its directory.
    pub const DIRECTORY_INDEXES: u32 = 1116;
    /// Names of files in their directories.
    pub const BASE_NAMES: u32 = 1117;
    /// Directories, with a slash at the end.
    pub const DIRECTORIES: u32 = 1118;
}

/// Flags of a file.
pub const IS_CONFIG: u32 = 1;
/// It is documentation.
pub const IS_DOCUMENTATION: u32 = 2;

const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const LEAD: usize = 96;
const HEADER_MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];

/// The most entries of a header, and the most bytes of their values; rpm itself allows 256 MB.
const ENTRIES_MAX: usize = 65_535;
const STORE_MAX: usize = 32 << 20;

/// Bytes of an entry in the index.
const ENTRY: usize = 16;

// Types of values.
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRINGS: u32 = 8;
const TRANSLATIONS: u32 = 9;

/// A header: values by their tags.
pub struct Header {
    index: Vec<u8>,
    store: Vec<u8>,
}

/// A package, whose payload has not been read.
pub struct Package {
    /// What describes it.
    pub header: Header,
    input: Input,
}

impl Package {
    /// Reads all that is before the payload.
    pub fn open(mut input: Input) -> Result<Self> {
        let lead = read(&mut input, LEAD)?;
        if !lead.starts_with(&LEAD_MAGIC) {
            return Err(Error::new("not an rpm package"));
        }
        let signature = Header::read(&mut input)?;
        // The next header begins at a multiple of 8.
        read(&mut input, signature.store.len().wrapping_neg() % 8)?;
        let header = Header::read(&mut input)?;
        Ok(Self { header, input })
    }

    /// The payload, decompressed: a cpio archive.
    pub fn payload(self) -> Result<Input> {
        decoded(self.input)
    }
}

impl Header {
    fn read(input: &mut Input) -> Result<Self> {
        let fixed = read(input, 16)?;
        let (entries, size) = (u32_at(&fixed, 8) as usize, u32_at(&fixed, 12) as usize);
        if !fixed.starts_with(&HEADER_MAGIC) || entries > ENTRIES_MAX || size > STORE_MAX {
            return Err(Error::new("damaged header"));
        }
        Ok(Self { index: read(input, entries * ENTRY)?, store: read(input, size)? })
    }

    /// The values of a tag in the store, their type and how many there are.
    fn find(&self, tag: u32) -> Option<(&[u8], u32, usize)> {
        let entry = self.index.chunks_exact(ENTRY).find(|entry| u32_at(entry, 0) == tag)?;
        let values = self.store.get(u32_at(entry, 8) as usize..)?;
        Some((values, u32_at(entry, 4), u32_at(entry, 12) as usize))
    }

    /// The strings of a tag; none where there is no such tag.
    pub fn strings(&self, tag: u32) -> impl Iterator<Item = &[u8]> {
        let (values, count) = match self.find(tag) {
            Some((values, STRING, _)) => (values, 1),
            Some((values, STRINGS | TRANSLATIONS, count)) => (values, count),
            _ => (&[][..], 0),
        };
        // What the last NUL does not end is no string.
        let end = values.iter().rposition(|&byte| byte == 0).unwrap_or(0);
        let count = if values.is_empty() { 0 } else { count };
        values[..end].split(|&byte| byte == 0).take(count)
    }

    /// The first string of a tag.
    pub fn string(&self, tag: u32) -> Option<&[u8]> {
        self.strings(tag).next()
    }

    /// The number at an index among those of a tag.
    pub fn number(&self, tag: u32, index: usize) -> Option<u32> {
        match self.find(tag) {
            Some((values, INT32, count)) if index < count => {
                let bytes = values.get(index.checked_mul(4)?..)?.first_chunk()?;
                Some(u32::from_be_bytes(*bytes))
            }
            _ => None,
        }
    }

    /// Calls `each` with the index and the whole name of every file.
    pub fn for_each_file(&self, each: &mut impl FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
        for (index, name) in self.strings(tag::OLD_NAMES).enumerate() {
            each(index, name)?;
        }
        let directories: Vec<&[u8]> = self.strings(tag::DIRECTORIES).collect();
        for (index, name) in self.strings(tag::BASE_NAMES).enumerate() {
            let directory = self.number(tag::DIRECTORY_INDEXES, index).and_then(|at| directories.get(at as usize));
            each(index, &[directory.ok_or_else(|| Error::new("damaged header"))?, name].concat())?;
        }
        Ok(())
    }
}

/// Reads `count` bytes to a buffer that grows with what is there.
fn read(input: &mut Input, count: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let content = input.fill()?;
        let length = content.len().min(count - bytes.len());
        if length == 0 {
            return Err(Error::new("unexpected end of file"));
        }
        append(&mut bytes, &content[..length])?;
        input.consume(length);
    }
    Ok(bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads a package: nothing in it may bring the program down.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let Ok(package) = Package::open(Input::from_bytes(data.to_vec())) else { return };
    let _ = package.header.for_each_file(&mut |_, _| Ok(()));
    let _ = package.header.string(tag::NAME);
}
