//! `mkswap`: make swap space of a device or file (mkswap(8)).

use rbox_core::block;
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::block_device::{Number, get};
use rbox_core::sys::fs::{FileType, Mode, OFlags, SeekFrom};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs, param};
use rbox_core::text;

options! {
    "[-L LABEL] [-U UUID] DEVICE [KBYTES]

Set up DEVICE, or a file, as swap space.

  -L, --label=LABEL  Set the label, at most 16 bytes
  -U, --uuid=UUID    Set the UUID (random)";
    LABEL = "-L",
    UUID = "-U",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Where the header lies: the first kilobyte is left to boot loaders.
const HEADER: usize = 1024;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let path = operands[0];
    let failed = |errno| Error::cannot("open", path, errno);
    // A device that is mounted or swapped on is not opened; a file is never made.
    let stat = fs::stat(path).map_err(failed)?;
    let exclusive = if rbox_core::files::kind(&stat) == FileType::BlockDevice { OFlags::EXCL } else { OFlags::empty() };
    let file = fs::open(path, OFlags::RDWR | OFlags::CLOEXEC | exclusive, Mode::empty()).map_err(failed)?;
    let page = param::page_size();
    let mut size = size(&file).map_err(|errno| Error::on(path, errno))?;
    if let Some(word) = operands.get(1) {
        let wanted = parse_decimal(word).and_then(|count| count.checked_mul(1024));
        size = wanted.ok_or_else(|| rbox_core::number::invalid(word))?.min(size);
    }
    let pages = size / page as u64;
    if pages < 10 {
        let least = 10 * page / 1024;
        return Err(Error::new(text!(path, ": swap area needs to be at least ", least, " KiB")));
    }
    let uuid = match args.value(UUID) {
        Some(word) => parse_uuid(word).ok_or_else(|| Error::new(text!("invalid uuid: '", word, "'")))?,
        None => random_uuid()?,
    };
    let label = args.value(LABEL).unwrap_or_default();
    if label.len() > 16 {
        return Err(Error::new("label is too long, at most 16 bytes"));
    }
    let content = header(page, pages, &uuid, label);
    let mut done = 0;
    while done < content.len() {
        match fd::pwrite(&file, &content[done..], done as u64) {
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on(path, errno)),
        }
    }
    fs::fsync(&file).map_err(|errno| Error::on(path, errno))?;
    let mut line = text!("Setting up swapspace version 1, size = ", (pages - 1) * page as u64, " bytes\n");
    if !label.is_empty() {
        push!(line, "LABEL=", label, ", ");
    }
    push!(line, "UUID=", block::uuid_text(&uuid), "\n");
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}

fn size(file: &OwnedFd) -> core::result::Result<u64, Errno> {
    match get(file.as_fd(), Number::Size) {
        Ok(size) => Ok(size),
        Err(_) => fs::seek(file, SeekFrom::End(0)),
    }
}

/// The first page: what a boot loader has there is cleared, then version, last page, UUID and label, and at its end the
/// signature (linux/swap.h, union swap_header).
fn header(page: usize, pages: u64, uuid: &[u8; 16], label: &[u8]) -> Vec<u8> {
    let mut content = vec![0; page];
    let last = u32::try_from(pages - 1).unwrap_or(u32::MAX);
    content[HEADER..HEADER + 4].copy_from_slice(&1u32.to_ne_bytes());
    content[HEADER + 4..HEADER + 8].copy_from_slice(&last.to_ne_bytes());
    content[HEADER + 12..HEADER + 28].copy_from_slice(uuid);
    content[HEADER + 28..HEADER + 28 + label.len()].copy_from_slice(label);
    content[page - 10..].copy_from_slice(b"SWAPSPACE2");
    content
}

/// RFC 9562 5.4: random but for the version, 4, and the variant.
fn random_uuid() -> Result<[u8; 16]> {
    let mut uuid = [0; 16];
    getrandom(&mut uuid, GetRandomFlags::empty()).map_err(|errno| Error::on("getrandom", errno))?;
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Ok(uuid)
}

fn parse_uuid(word: &[u8]) -> Option<[u8; 16]> {
    let digits: Vec<u8> = word.iter().copied().filter(|byte| *byte != b'-').collect();
    if word.len() != 36 || digits.len() != 32 || [8, 13, 18, 23].iter().any(|at| word[*at] != b'-') {
        return None;
    }
    let mut uuid = [0; 16];
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = parse_radix(pair, 16)? as u8;
    }
    Some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_places() {
        let page = header(4096, 256, &[7; 16], b"lab");
        assert_eq!((page.len(), &page[4086..]), (4096, &b"SWAPSPACE2"[..]));
        assert_eq!(
            (&page[1024..1032], &page[1036..1056]),
            (
                &b"\x01\0\0\0\xff\0\0\0"[..],
                &b"\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07lab\0"[..]
            )
        );
    }

    #[test]
    fn uuids_have_five_groups() {
        let uuid = parse_uuid(b"01234567-89ab-cdef-0011-223344556677");
        assert_eq!(uuid, Some(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\0\x11\x22\x33\x44\x55\x66\x77"));
        assert!(parse_uuid(b"0123456789abcdef0011223344556677").is_none());
        assert!(parse_uuid(b"01234567-89ab-cdef-0011-22334455667x").is_none());
    }
}
