//! Packages of Debian: an ar archive with a version, a tar archive of control files and one of the package's files (deb(5)).

use rbox_core::archive::ar;
use rbox_core::archive::tar::{Next, Reader};
use rbox_core::bytes::{append, split_once};
use rbox_core::codec::{self, Format};
use rbox_core::io::{Filter, Input};
use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;

use crate::control::{self, Paragraph};

/// Bytes of all control files together that are read.
const MOST_CONTROL: usize = 64 << 20;

/// The data of a member of an ar archive as a stream.
struct Member(ar::Reader);

impl Filter for Member {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let Some(data) = self.0.data()? else { return Ok(0) };
        let count = data.len().min(into.len());
        into[..count].copy_from_slice(&data[..count]);
        self.0.consume(count);
        Ok(count)
    }
}

/// Which archive of a package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Control,
    Data,
}

/// A control file.
pub struct ControlFile {
    pub name: Vec<u8>,
    pub mode: u32,
    pub content: Vec<u8>,
}

/// Opens one of the archives of a package, decompressed, and returns its compressed size too.
pub fn open(env: &mut Env, path: &[u8], part: Part) -> Result<(Input, u64)> {
    let input = env.open(path)?;
    open_part(input, part).map_err(|error| error.context(path))
}

fn open_part(input: Input, part: Part) -> Result<(Input, u64)> {
    let no_package = || Error::new("not a Debian format archive");
    let mut reader = ar::Reader::new(input).map_err(|_| no_package())?;
    let first = reader.advance()?.filter(|entry| entry.name == b"debian-binary").ok_or_else(no_package)?;
    let version = reader.data()?.unwrap_or_default();
    if first.size > 64 || !version.starts_with(b"2.") {
        return Err(Error::new("archive version is not 2"));
    }
    let stem: &[u8] = if part == Part::Control { b"control.tar" } else { b"data.tar" };
    while let Some(entry) = reader.advance()? {
        let Some(ending) = entry.name.strip_prefix(stem) else { continue };
        let format = match ending {
            b"" => None,
            b".gz" => Some(Format::Gzip),
            b".xz" => Some(Format::Xz),
            b".zst" => Some(Format::Zstd),
            b".bz2" => Some(Format::Bzip2),
            b".lzma" => Some(Format::Lzma),
            _ => return Err(Error::parts(&[b"unknown compression '", &entry.name, b"'"])),
        };
        let input = Input::from_filter(Box::new(Member(reader)), &entry.name);
        let input = match format {
            Some(format) => codec::decoded_as(format, input)?,
            None => input,
        };
        return Ok((input, entry.size));
    }
    Err(Error::parts(&[b"no member ", stem]))
}

/// All control files of a package, in their order.
pub fn control_files(env: &mut Env, path: &[u8]) -> Result<Vec<ControlFile>> {
    let (input, _) = open(env, path, Part::Control)?;
    read_files(input).map_err(|error| error.context(path))
}

fn read_files(input: Input) -> Result<Vec<ControlFile>> {
    let mut reader = Reader::new(input, false);
    let (mut files, mut left) = (Vec::new(), MOST_CONTROL);
    loop {
        let entry = match reader.advance()? {
            Next::Entry(entry) => entry,
            Next::Damaged(why) => return Err(Error::new(why)),
            Next::End => return Ok(files),
        };
        let name = entry.name.strip_prefix(b"./").unwrap_or(&entry.name).to_vec();
        if entry.kind() != FileType::RegularFile || entry.is_hard_link || name.is_empty() {
            continue;
        }
        if name.contains(&b'/') || name.starts_with(b".") || name.contains(&0) {
            return Err(Error::parts(&[b"bad name of a control file: ", &name]));
        }
        let mut content = Vec::new();
        while let Some(data) = reader.data()? {
            let length = data.len();
            left = left.checked_sub(length).ok_or_else(|| Error::new("control files are too large"))?;
            append(&mut content, data)?;
            reader.consume(length);
        }
        files.push(ControlFile { name, mode: entry.mode & 0o777, content });
    }
}

/// The paragraph of the file `control`.
pub fn control(files: &[ControlFile], path: &[u8]) -> Result<Paragraph> {
    let file = files.iter().find(|file| file.name == b"control");
    let file = file.ok_or_else(|| Error::parts(&[path, b": no control file"]))?;
    let mut paragraphs = control::parse(&file.content).map_err(|error| error.context(path))?;
    if paragraphs.len() != 1 {
        return Err(Error::parts(&[path, b": the control file is not one paragraph"]));
    }
    let paragraph = paragraphs.remove(0);
    for field in ["Package", "Version", "Architecture"] {
        if paragraph.get(field).is_empty() {
            return Err(Error::parts(&[path, b": no field ", field.as_bytes()]));
        }
    }
    check_name(paragraph.get("Package"))?;
    Ok(paragraph)
}

/// deb-control(5): names are of lower-case letters, digits, `+`, `-` and `.`, and begin with a letter or digit.
pub fn check_name(name: &[u8]) -> Result<()> {
    let bare = split_once(name, b':').map_or(name, |(name, _)| name);
    let is_good = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(byte);
    match bare.iter().all(is_good) && bare.first().is_some_and(u8::is_ascii_alphanumeric) {
        true => Ok(()),
        false => Err(Error::parts(&[b"bad package name '", name, b"'"])),
    }
}
