//! Numbers of an inode: flags, version and project (linux/fs.h, ioctl_iflags(2)), attributes on FAT (ioctl_fat(2)).

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

const LONG: u64 = (size_of::<libc::c_long>() as u64) << 16;
const FS_IOC_GETFLAGS: u64 = 0x8000_6601 | LONG;
const FS_IOC_SETFLAGS: u64 = 0x4000_6602 | LONG;
const FS_IOC_GETVERSION: u64 = 0x8000_7601 | LONG;
const FS_IOC_SETVERSION: u64 = 0x4000_7602 | LONG;
const FAT_IOCTL_GET_ATTRIBUTES: u64 = 0x8004_7210;
const FAT_IOCTL_SET_ATTRIBUTES: u64 = 0x4004_7211;
const FS_IOC_FSGETXATTR: u64 = 0x801c_581f;
const FS_IOC_FSSETXATTR: u64 = 0x401c_5820;

/// A number of an inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// FS_*_FL of linux/fs.h.
    Flags,
    /// The generation number.
    Version,
    /// The project of a quota.
    Project,
    /// ATTR_* of linux/msdos_fs.h.
    FatAttributes,
}

/// struct fsxattr of linux/fs.h.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    copy_size: u32,
    unused: [u8; 8],
}

/// Reads a field.
pub fn get(file: BorrowedFd<'_>, field: Field) -> Result<u32, Errno> {
    let request = match field {
        Field::Flags => FS_IOC_GETFLAGS,
        Field::Version => FS_IOC_GETVERSION,
        Field::FatAttributes => FAT_IOCTL_GET_ATTRIBUTES,
        Field::Project => return Ok(attributes(file)?.project),
    };
    // The kernel writes an int, whatever the size in the request's number says.
    let mut value = 0u32;
    // SAFETY: the kernel writes one int, which lives for the call.
    if unsafe { libc::ioctl(file.as_raw_fd(), request as _, &raw mut value) } < 0 {
        return Err(last_errno());
    }
    Ok(value)
}

/// Sets a field.
pub fn set(file: BorrowedFd<'_>, field: Field, value: u32) -> Result<(), Errno> {
    let fd = file.as_raw_fd();
    let request = match field {
        Field::Flags => FS_IOC_SETFLAGS,
        Field::Version => FS_IOC_SETVERSION,
        Field::FatAttributes => FAT_IOCTL_SET_ATTRIBUTES,
        Field::Project => {
            let attributes = Attributes { project: value, ..attributes(file)? };
            // SAFETY: the kernel reads one struct fsxattr, which lives for the call.
            let answer = unsafe { libc::ioctl(fd, FS_IOC_FSSETXATTR as _, &raw const attributes) };
            return if answer < 0 { Err(last_errno()) } else { Ok(()) };
        }
    };
    // SAFETY: the kernel reads one int, which lives for the call.
    let answer = unsafe { libc::ioctl(fd, request as _, &raw const value) };
    if answer < 0 { Err(last_errno()) } else { Ok(()) }
}

fn attributes(file: BorrowedFd<'_>) -> Result<Attributes, Errno> {
    let mut attributes = Attributes::default();
    // SAFETY: the kernel writes one struct fsxattr, which lives for the call.
    if unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_FSGETXATTR as _, &raw mut attributes) } < 0 {
        return Err(last_errno());
    }
    Ok(attributes)
}
