//! Flash memory: MTD devices (mtd/mtd-abi.h) and UBI over them (mtd/ubi-user.h).

use super::{AsRawFd, BorrowedFd, Errno, last_errno, result};

const MEMGETINFO: u64 = 0x8020_4d01;
const MEMGETBADBLOCK: u64 = 0x4008_4d0b;
const MTDFILEMODE: u64 = 0x4d13;
const MEMREADOOB64: u64 = 0xc018_4d16;
const MTD_FILE_MODE_RAW: libc::c_ulong = 3;
const UBI_IOCMKVOL: u64 = 0x4098_6f00;
const UBI_IOCRMVOL: u64 = 0x4004_6f01;
const UBI_IOCRSVOL: u64 = 0x400c_6f02;
const UBI_IOCRNVOL: u64 = 0x5110_6f03;
const UBI_IOCATT: u64 = 0x4018_6f40;
const UBI_IOCDET: u64 = 0x4004_6f41;
const UBI_IOCVOLUP: u64 = 0x4008_4f00;

/// The longest name of a volume.
pub const NAME_MAX: usize = 127;
/// How many volumes one request renames.
pub const RENAMES_MAX: usize = 32;

/// What an MTD device is, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// MTD_NANDFLASH and the others.
    pub kind: u8,
    /// The whole device.
    pub size: u32,
    /// What is erased at once.
    pub erase_block: u32,
    /// What is written at once: 1 where it need not be a page.
    pub page: u32,
    /// Of each page, beside its data.
    pub oob: u32,
}

/// Describes an MTD device.
pub fn info(mtd: BorrowedFd<'_>) -> Result<Info, Errno> {
    // struct mtd_info_user: type, flags, size, erasesize, writesize, oobsize, and eight bytes unused.
    let mut words = [0u32; 8];
    // SAFETY: the kernel writes one mtd_info_user, 32 bytes, which live for the call.
    result(unsafe { libc::ioctl(mtd.as_raw_fd(), MEMGETINFO as _, words.as_mut_ptr()) })?;
    let [kind, _, size, erase_block, page, oob, ..] = words;
    Ok(Info { kind: kind.to_ne_bytes()[0], size, erase_block, page, oob })
}

/// Whether the erase block at an offset is bad.
pub fn is_bad(mtd: BorrowedFd<'_>, offset: u64) -> Result<bool, Errno> {
    // SAFETY: the kernel reads one loff_t, which lives for the call.
    match unsafe { libc::ioctl(mtd.as_raw_fd(), MEMGETBADBLOCK as _, &raw const offset) } {
        -1 => Err(last_errno()),
        bad => Ok(bad > 0),
    }
}

/// Lets reads and writes go without error correction.
pub fn set_raw(mtd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(mtd.as_raw_fd(), MTDFILEMODE as _, MTD_FILE_MODE_RAW) })
}

/// Reads the bytes beside the data of the page at an offset.
pub fn read_oob(mtd: BorrowedFd<'_>, offset: u64, into: &mut [u8]) -> Result<(), Errno> {
    /// struct mtd_oob_buf64.
    #[repr(C)]
    struct Request {
        start: u64,
        pad: u32,
        length: u32,
        pointer: u64,
    }
    let mut request =
        Request { start: offset, pad: 0, length: into.len() as u32, pointer: into.as_mut_ptr() as usize as u64 };
    // SAFETY: the kernel writes at most `length` bytes where the request points, which is `into`.
    result(unsafe { libc::ioctl(mtd.as_raw_fd(), MEMREADOOB64 as _, &raw mut request) })
}

/// Makes a UBI device of an MTD device; its number is chosen by the kernel where there is none.
pub fn attach(control: BorrowedFd<'_>, mtd: i32, device: Option<i32>, header_offset: i32) -> Result<(), Errno> {
    // struct ubi_attach_req: three ints and 12 bytes of zero.
    let request = [device.unwrap_or(-1), mtd, header_offset, 0, 0, 0];
    // SAFETY: the kernel reads 24 bytes, which live for the call.
    result(unsafe { libc::ioctl(control.as_raw_fd(), UBI_IOCATT as _, request.as_ptr()) })
}

/// Takes a UBI device away.
pub fn detach(control: BorrowedFd<'_>, device: i32) -> Result<(), Errno> {
    // SAFETY: the kernel reads one int, which lives for the call.
    result(unsafe { libc::ioctl(control.as_raw_fd(), UBI_IOCDET as _, &raw const device) })
}

/// A volume to make.
pub struct Volume<'a> {
    /// Its number; the kernel chooses one where there is none.
    pub id: Option<i32>,
    /// Of its logical blocks, in bytes.
    pub alignment: i32,
    /// How much it can hold.
    pub bytes: i64,
    /// One that is written whole, with a checksum.
    pub fixed: bool,
    /// At most `NAME_MAX` bytes; more are EINVAL.
    pub name: &'a [u8],
}

/// Makes a volume.
pub fn make_volume(device: BorrowedFd<'_>, volume: &Volume<'_>) -> Result<(), Errno> {
    /// UBI_DYNAMIC_VOLUME.
    const DYNAMIC: u8 = 3;
    // struct ubi_mkvol_req, packed.
    let mut request = [0u8; 152];
    request[..4].copy_from_slice(&volume.id.unwrap_or(-1).to_ne_bytes());
    request[4..8].copy_from_slice(&volume.alignment.to_ne_bytes());
    request[8..16].copy_from_slice(&volume.bytes.to_ne_bytes());
    request[16] = DYNAMIC + u8::from(volume.fixed);
    let (head, name) = request.split_at_mut(24);
    put_name(&mut head[18..20], name, volume.name)?;
    // SAFETY: the kernel reads 152 bytes, which live for the call.
    result(unsafe { libc::ioctl(device.as_raw_fd(), UBI_IOCMKVOL as _, request.as_ptr()) })
}

/// Fills the fields of a name: its length, and 128 bytes that end in a zero.
fn put_name(length: &mut [u8], field: &mut [u8], name: &[u8]) -> Result<(), Errno> {
    if name.len() > NAME_MAX {
        return Err(Errno::INVAL);
    }
    length.copy_from_slice(&(name.len() as i16).to_ne_bytes());
    field[..name.len()].copy_from_slice(name);
    Ok(())
}

/// Removes a volume.
pub fn remove_volume(device: BorrowedFd<'_>, id: i32) -> Result<(), Errno> {
    // SAFETY: the kernel reads one int, which lives for the call.
    result(unsafe { libc::ioctl(device.as_raw_fd(), UBI_IOCRMVOL as _, &raw const id) })
}

/// Changes the size of a volume.
pub fn resize_volume(device: BorrowedFd<'_>, id: i32, bytes: i64) -> Result<(), Errno> {
    // struct ubi_rsvol_req, packed.
    let mut request = [0u8; 12];
    request[..8].copy_from_slice(&bytes.to_ne_bytes());
    request[8..].copy_from_slice(&id.to_ne_bytes());
    // SAFETY: the kernel reads 12 bytes, which live for the call.
    result(unsafe { libc::ioctl(device.as_raw_fd(), UBI_IOCRSVOL as _, request.as_ptr()) })
}

/// Renames volumes, at most `RENAMES_MAX`, all or none.
pub fn rename_volumes(device: BorrowedFd<'_>, names: &[(i32, &[u8])]) -> Result<(), Errno> {
    // struct ubi_rnvol_req, packed: a count, 12 bytes of zero, and 32 entries of 136 bytes.
    let mut request = vec![0u8; 16 + RENAMES_MAX * 136];
    request[..4].copy_from_slice(&(names.len() as i32).to_ne_bytes());
    for (index, (id, name)) in names.iter().enumerate() {
        let entry = request.get_mut(16 + index * 136..16 + (index + 1) * 136).ok_or(Errno::INVAL)?;
        entry[..4].copy_from_slice(&id.to_ne_bytes());
        let (head, field) = entry.split_at_mut(8);
        put_name(&mut head[4..6], field, name)?;
    }
    // SAFETY: the kernel reads 4,368 bytes, which live for the call.
    result(unsafe { libc::ioctl(device.as_raw_fd(), UBI_IOCRNVOL as _, request.as_ptr()) })
}

/// Begins to replace what a volume holds by so many bytes, which are written next.
pub fn start_update(volume: BorrowedFd<'_>, bytes: i64) -> Result<(), Errno> {
    // SAFETY: the kernel reads one 64-bit number, which lives for the call.
    result(unsafe { libc::ioctl(volume.as_raw_fd(), UBI_IOCVOLUP as _, &raw const bytes) })
}
