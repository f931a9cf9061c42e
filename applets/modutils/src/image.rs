//! The file of a module: an ELF object (elf(5)), which may be compressed.

use rbox_core::codec;
use rbox_core::io::Input;
use rbox_core::prelude::*;

/// The largest file that is read, in bytes.
const LIMIT: usize = 1 << 30;

/// Reads a module's file, and decodes it.
pub fn read(path: &[u8]) -> Result<Vec<u8>> {
    let mut input = codec::decoded(Input::open(path)?)?;
    let mut image = Vec::new();
    loop {
        let content = input.fill()?;
        if content.is_empty() {
            return Ok(image);
        }
        if image.len() + content.len() > LIMIT {
            return Err(Error::parts(&[path, b": too large for a module"]));
        }
        rbox_core::bytes::append(&mut image, content)?;
        let count = content.len();
        input.consume(count);
    }
}

/// The sections of an ELF object of any machine.
pub struct Elf<'a> {
    image: &'a [u8],
    wide: bool,
    big_endian: bool,
    /// Where the section headers begin, and their number and size.
    headers: (usize, usize, usize),
    /// The names of the sections.
    names: &'a [u8],
}

impl<'a> Elf<'a> {
    /// `None` for what is no such object.
    pub fn of(image: &'a [u8]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class @ (1 | 2), order @ (1 | 2), ..] = image else { return None };
        let (wide, big_endian) = (*class == 2, *order == 2);
        let mut elf = Self { image, wide, big_endian, headers: (0, 0, 0), names: &[] };
        let start = elf.number(if wide { 40 } else { 32 }, elf.word())?;
        let at = if wide { 58 } else { 46 };
        let [size, count, names] = [at, at + 2, at + 4].map(|at| elf.number(at, 2));
        elf.headers = (usize::try_from(start).ok()?, count? as usize, size? as usize);
        elf.names = elf.content(names? as usize)?;
        Some(elf)
    }

    /// Bytes of an address.
    fn word(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// The number of `size` bytes at an offset.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.image.get(at..at.checked_add(size)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// The content of a section.
    fn content(&self, index: usize) -> Option<&'a [u8]> {
        let (start, count, size) = self.headers;
        let header = start.checked_add(index.checked_mul(size)?)?;
        if index >= count {
            return None;
        }
        let at = header.checked_add(if self.wide { 24 } else { 16 })?;
        let offset = usize::try_from(self.number(at, self.word())?).ok()?;
        let length = usize::try_from(self.number(at + self.word(), self.word())?).ok()?;
        self.image.get(offset..offset.checked_add(length)?)
    }

    /// The content of the section of that name.
    pub fn section(&self, name: &[u8]) -> Option<&'a [u8]> {
        let (start, count, size) = self.headers;
        let is_it = |&index: &usize| {
            let header = index.checked_mul(size).and_then(|offset| start.checked_add(offset));
            let at = header.and_then(|header| self.number(header, 4));
            at.is_some_and(|at| text_at(self.names, at as usize) == name)
        };
        self.content((0..count).find(is_it)?)
    }

    /// `KEY=VALUE` of the section .modinfo, in order.
    pub fn information(&self) -> Vec<(&'a [u8], &'a [u8])> {
        let section = self.section(b".modinfo").unwrap_or_default();
        section.split(|&byte| byte == 0).filter_map(|row| rbox_core::bytes::split_once(row, b'=')).collect()
    }

    /// The names of the symbols that the module exports.
    pub fn exported(&self) -> Vec<&'a [u8]> {
        let names: Vec<_> = self.symbols().filter_map(|(name, ..)| name.strip_prefix(b"__ksymtab_")).collect();
        if !names.is_empty() {
            return names;
        }
        // A module without a table of symbols. The section has names of namespaces, too.
        let section = self.section(b"__ksymtab_strings").unwrap_or_default();
        section.split(|&byte| byte == 0).filter(|name| !name.is_empty()).collect()
    }

    /// The names of the symbols that it needs, in the order of the table; weak ones may be missing and are left out.
    pub fn needed(&self) -> Vec<&'a [u8]> {
        // SHN_UNDEF is 0; STB_WEAK is 2.
        let is_needed =
            |(name, info, section): &(&[u8], u8, [u8; 2])| *section == [0, 0] && info >> 4 != 2 && !name.is_empty();
        self.symbols().filter(is_needed).map(|(name, ..)| name).collect()
    }

    /// The table of symbols: name, st_info, st_shndx.
    fn symbols(&self) -> impl Iterator<Item = (&'a [u8], u8, [u8; 2])> {
        let [table, names] = [&b".symtab"[..], b".strtab"].map(|name| self.section(name).unwrap_or_default());
        let (size, info, section) = if self.wide { (24, 4, 6) } else { (16, 12, 14) };
        let big_endian = self.big_endian;
        table.chunks_exact(size).skip(1).map(move |symbol| {
            let at = [symbol[0], symbol[1], symbol[2], symbol[3]];
            let at = if big_endian { u32::from_be_bytes(at) } else { u32::from_le_bytes(at) };
            (text_at(names, at as usize), symbol[info], [symbol[section], symbol[section + 1]])
        })
    }
}

/// The text at an offset of a section of texts, each of which ends with NUL.
fn text_at(texts: &[u8], at: usize) -> &[u8] {
    texts.get(at..).unwrap_or_default().split(|&byte| byte == 0).next().unwrap_or_default()
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if let Some(elf) = Elf::of(data) {
        elf.information();
        elf.exported();
        elf.needed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object of 64 bits with one section, .modinfo, beside that of the names.
    fn object(information: &[u8]) -> Vec<u8> {
        let names = b"\0.modinfo\0";
        let mut image = [&b"\x7fELF\x02\x01"[..], &[0; 58]].concat();
        let (at, names_at) = (64u64, 64 + information.len() as u64);
        image.extend_from_slice(information);
        image.extend_from_slice(names);
        let headers = image.len() as u64;
        for (name, offset, size) in [(1u32, at, information.len()), (0, names_at, names.len())] {
            let mut header = [0; 64];
            header[..4].copy_from_slice(&name.to_le_bytes());
            header[24..32].copy_from_slice(&offset.to_le_bytes());
            header[32..40].copy_from_slice(&(size as u64).to_le_bytes());
            image.extend_from_slice(&header);
        }
        image[40..48].copy_from_slice(&headers.to_le_bytes());
        image[58..64].copy_from_slice(&[64, 0, 2, 0, 1, 0]);
        image
    }

    #[test]
    fn information_is_read_in_order() {
        let image = object(b"license=GPL\0alias=a=b\0nothing\0");
        let elf = Elf::of(&image).expect("the object is whole");
        assert_eq!(elf.information(), [(&b"license"[..], &b"GPL"[..]), (b"alias", b"a=b")]);
        assert!(elf.needed().is_empty() && elf.exported().is_empty());
    }

    #[test]
    fn no_part_of_an_object_is_beyond_it() {
        let image = object(b"license=GPL\0");
        for length in 0..image.len() {
            if let Some(elf) = Elf::of(&image[..length]) {
                elf.information();
            }
        }
        let mut random = rbox_core::testing::Random::new(5);
        for _ in 0..2000 {
            if let Some(elf) = Elf::of(&random.spoil(&image)) {
                elf.information();
                elf.needed();
                elf.exported();
            }
        }
    }
}
