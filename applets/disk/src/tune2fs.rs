//! `tune2fs`: change parameters of ext2, ext3 and ext4 filesystems (tune2fs(8); the kernel's Documentation/filesystems/ext4).

use rbox_core::number::{invalid, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags, fsync};
use rbox_core::sys::{OwnedFd, fd, fs};

options! {
    "[-c MOUNTS] [-C COUNT] [-i DAYS] [-L LABEL] DEVICE

Change parameters of an ext2, ext3 or ext4 filesystem.

  -c MOUNTS  Check it after MOUNTS mounts; 0 or -1: never
  -C COUNT   Set the number of mounts since the last check
  -i DAYS    Check it after DAYS; with the suffix w or m, weeks or months; 0: never
  -L LABEL   Set the label, of at most 16 bytes";
    MOUNTS = "-c",
    COUNT = "-C",
    INTERVAL = "-i",
    LABEL = "-L",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The superblock, and what is changed in it: offsets in bytes, numbers little-endian.
const SUPERBLOCK: u64 = 1024;
const SIZE: usize = 1024;
const MOUNT_COUNT: usize = 52;
const MOST_MOUNTS: usize = 54;
const MAGIC: usize = 56;
const CHECK_INTERVAL: usize = 68;
const READ_ONLY_FEATURES: usize = 100;
const NAME: core::ops::Range<usize> = 120..136;
const CHECKSUM: usize = 1020;
/// RO_COMPAT_METADATA_CSUM
const HAS_CHECKSUM: u32 = 0x400;

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    if args.found().is_empty() {
        return Err(Error::usage());
    }
    let device = fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let device = device.map_err(|errno| Error::cannot("open", path, errno))?;
    let mut block = read(&device).ok_or_else(|| Error::parts(&[path, b": no ext2, ext3 or ext4 filesystem"]))?;
    for (option, value) in args.found() {
        let word = value.unwrap_or_default();
        match *option {
            MOUNTS => {
                let number = if word == b"-1" { 0xffff } else { parse_in_range(word, 0, 32767)? };
                block[MOST_MOUNTS..MOST_MOUNTS + 2].copy_from_slice(&(number as u16).to_le_bytes());
            }
            COUNT => {
                let number = parse_in_range(word, 0, 65535)? as u16;
                block[MOUNT_COUNT..MOUNT_COUNT + 2].copy_from_slice(&number.to_le_bytes());
            }
            INTERVAL => block[CHECK_INTERVAL..CHECK_INTERVAL + 4].copy_from_slice(&seconds(word)?.to_le_bytes()),
            _ => {
                if word.len() > NAME.len() {
                    return Err(Error::parts(&[b"label '", word, b"' is longer than 16 bytes"]));
                }
                block[NAME].fill(0);
                block[NAME.start..NAME.start + word.len()].copy_from_slice(word);
            }
        }
    }
    let features = u32::from_le_bytes([0, 1, 2, 3].map(|at| block[READ_ONLY_FEATURES + at]));
    if features & HAS_CHECKSUM != 0 {
        let sum = checksum(&block[..CHECKSUM]);
        block[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
    }
    let failed = |errno| Error::on(path, errno);
    if fd::pwrite(&device, &block, SUPERBLOCK).map_err(failed)? != SIZE {
        return Err(Error::parts(&[path, b": short write"]));
    }
    fsync(&device).map_err(failed)?;
    Ok(ExitStatus::SUCCESS)
}

fn read(device: &OwnedFd) -> Option<[u8; SIZE]> {
    let mut block = [0; SIZE];
    let is_whole = fd::pread(device, &mut block, SUPERBLOCK) == Ok(SIZE);
    (is_whole && block[MAGIC..MAGIC + 2] == [0x53, 0xef]).then_some(block)
}

/// The seconds of a number of days, weeks or months of 30 days.
fn seconds(word: &[u8]) -> Result<u32> {
    let (digits, days) = match word {
        [digits @ .., b'd'] => (digits, 1),
        [digits @ .., b'w'] => (digits, 7),
        [digits @ .., b'm'] => (digits, 30),
        digits => (digits, 1),
    };
    let number = parse_in_range(digits, 0, u32::MAX.into())?;
    number.checked_mul(days * 86_400).and_then(|seconds| u32::try_from(seconds).ok()).ok_or_else(|| invalid(word))
}

/// The CRC-32C of ext4's metadata: it begins with all bits set, and they are not inverted at the end.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| sum >> 1 ^ if sum & 1 != 0 { 0x82f6_3b78 } else { 0 })
    })
}
