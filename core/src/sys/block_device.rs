//! Queries and commands of block devices and mounted file systems: linux/fs.h, linux/fd.h, linux/cdrom.h; `swapon(2)`.

use std::ffi::CString;

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

// linux/fs.h; the size in the numbers is that of a long.
const BLKROSET: u64 = 0x125d;
const BLKROGET: u64 = 0x125e;
const BLKRRPART: u64 = 0x125f;
const BLKFLSBUF: u64 = 0x1261;
const BLKRASET: u64 = 0x1262;
const BLKRAGET: u64 = 0x1263;
const BLKSSZGET: u64 = 0x1268;
const BLKDISCARD: u64 = 0x1277;
const BLKIOMIN: u64 = 0x1278;
const BLKIOOPT: u64 = 0x1279;
const BLKPBSZGET: u64 = 0x127b;
const BLKSECDISCARD: u64 = 0x127d;
const BLKZEROOUT: u64 = 0x127f;
const LONG: u64 = (size_of::<libc::c_long>() as u64) << 16;
const BLKBSZGET: u64 = 0x8000_1270 | LONG;
const BLKBSZSET: u64 = 0x4000_1271 | LONG;
const BLKGETSIZE64: u64 = 0x8000_1272 | LONG;
const FIFREEZE: u64 = 0xc004_5877;
const FITHAW: u64 = 0xc004_5878;
const FITRIM: u64 = 0xc018_5879;
const FDFLUSH: u64 = 0x024b;
const RAID_AUTORUN: u64 = 0x0914;
const CDROMEJECT: u64 = 0x5309;
const CDROMCLOSETRAY: u64 = 0x5319;
const CDROM_DRIVE_STATUS: u64 = 0x5326;
const SG_IO: u64 = 0x2285;

/// A number that a device is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// 1 when it cannot be written.
    ReadOnly,
    /// Bytes of a logical sector.
    SectorSize,
    /// Bytes of a physical sector.
    PhysicalSize,
    /// Bytes of the kernel's blocks.
    BlockSize,
    /// Bytes that are best read or written at least.
    LeastTransfer,
    /// Bytes that are best read or written at once.
    BestTransfer,
    /// Sectors of 512 bytes that are read ahead.
    ReadAhead,
    /// Its size in bytes.
    Size,
}

/// Asks for a number.
pub fn get(file: BorrowedFd<'_>, what: Number) -> Result<u64, Errno> {
    let request = match what {
        Number::ReadOnly => BLKROGET,
        Number::SectorSize => BLKSSZGET,
        Number::PhysicalSize => BLKPBSZGET,
        Number::BlockSize => BLKBSZGET,
        Number::LeastTransfer => BLKIOMIN,
        Number::BestTransfer => BLKIOOPT,
        Number::ReadAhead => BLKRAGET,
        Number::Size => BLKGETSIZE64,
    };
    let mut answer = 0u64;
    // SAFETY: the kernel writes an int, a long or 64 bits to a buffer that has 64 and lives for the call.
    if unsafe { libc::ioctl(file.as_raw_fd(), request as _, &raw mut answer) } < 0 {
        return Err(last_errno());
    }
    // Whatever is after an int stays 0; on a big-endian machine the int is first.
    let is_int = !matches!(what, Number::Size | Number::ReadAhead);
    Ok(if is_int && cfg!(target_endian = "big") { answer >> 32 } else { answer })
}

/// A command to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Let it be written, or not.
    SetReadOnly(bool),
    /// Bytes of the kernel's blocks while the device is open.
    SetBlockSize(u32),
    /// Sectors of 512 bytes to read ahead.
    SetReadAhead(u32),
    /// Write all that waits, and forget what was read.
    Flush,
    /// Read the partition table again.
    ReadPartitions,
    /// Forget what a floppy disk's driver knows.
    FlushFloppy,
    /// Search for RAID arrays and start them.
    StartRaid,
    /// Put the medium out.
    Eject,
    /// Take the tray in.
    CloseTray,
}

/// Sends the command to the device.
pub fn tell(file: BorrowedFd<'_>, order: Order) -> Result<(), Errno> {
    let fd = file.as_raw_fd();
    let read_only = libc::c_int::from(order == Order::SetReadOnly(true));
    // SAFETY: the kernel reads one int after the pointers, which live for the call, or takes a number.
    let answer = unsafe {
        match order {
            Order::SetReadOnly(_) => libc::ioctl(fd, BLKROSET as _, &raw const read_only),
            Order::SetBlockSize(value) => libc::ioctl(fd, BLKBSZSET as _, &raw const value),
            Order::SetReadAhead(value) => libc::ioctl(fd, BLKRASET as _, libc::c_ulong::from(value)),
            Order::Flush => libc::ioctl(fd, BLKFLSBUF as _, 0),
            Order::ReadPartitions => libc::ioctl(fd, BLKRRPART as _, 0),
            Order::FlushFloppy => libc::ioctl(fd, FDFLUSH as _, 0),
            Order::StartRaid => libc::ioctl(fd, RAID_AUTORUN as _, 0),
            Order::Eject => libc::ioctl(fd, CDROMEJECT as _, 0),
            Order::CloseTray => libc::ioctl(fd, CDROMCLOSETRAY as _, 0),
        }
    };
    if answer < 0 { Err(last_errno()) } else { Ok(()) }
}

/// Whether the tray of a drive is open.
pub fn is_tray_open(file: BorrowedFd<'_>) -> Result<bool, Errno> {
    // SAFETY: the call takes a number: the slot of a changer, INT_MAX for the current one.
    let answer = unsafe { libc::ioctl(file.as_raw_fd(), CDROM_DRIVE_STATUS as _, libc::c_long::from(i32::MAX)) };
    // CDS_TRAY_OPEN is 2.
    if answer < 0 { Err(last_errno()) } else { Ok(answer == 2) }
}

/// struct sg_io_hdr of scsi/sg.h, version 3.
#[repr(C)]
struct ScsiRequest {
    interface: libc::c_int,
    direction: libc::c_int,
    command_length: u8,
    sense_length: u8,
    vector_count: u16,
    data_length: u32,
    data: *const u8,
    command: *const u8,
    sense: *const u8,
    /// Milliseconds.
    timeout: u32,
    flags: u32,
    id: libc::c_int,
    user: *const u8,
    status: u8,
    masked_status: u8,
    message_status: u8,
    sense_written: u8,
    host_status: u16,
    driver_status: u16,
    residual: libc::c_int,
    duration: u32,
    info: u32,
}

/// Sends a SCSI command of six bytes that transfers no data, and waits at most two seconds for it.
///
/// The error is EIO when the device refuses the command.
pub fn scsi_command(file: BorrowedFd<'_>, command: [u8; 6]) -> Result<(), Errno> {
    let none = core::ptr::null();
    let mut request = ScsiRequest {
        interface: b'S'.into(),
        // SG_DXFER_NONE.
        direction: -1,
        command_length: 6,
        sense_length: 0,
        vector_count: 0,
        data_length: 0,
        data: none,
        command: command.as_ptr(),
        sense: none,
        timeout: 2000,
        flags: 0,
        id: 0,
        user: none,
        status: 0,
        masked_status: 0,
        message_status: 0,
        sense_written: 0,
        host_status: 0,
        driver_status: 0,
        residual: 0,
        duration: 0,
        info: 0,
    };
    // SAFETY: the kernel reads and writes one sg_io_hdr and reads the six bytes of the command; both live for the call.
    if unsafe { libc::ioctl(file.as_raw_fd(), SG_IO as _, &raw mut request) } < 0 {
        return Err(last_errno());
    }
    // 2 is CHECK CONDITION, 8 is BUSY (SAM-5, 5.3.1).
    let refused = request.status != 0 || request.host_status != 0;
    if refused { Err(Errno::IO) } else { Ok(()) }
}

/// How bytes of a device are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// What is read there afterwards is anything.
    Plain,
    /// Copies that the device made are deleted too.
    Secure,
    /// Zeros are read there afterwards.
    Zero,
}

/// Gives up `length` bytes from `offset` on.
pub fn discard(file: BorrowedFd<'_>, how: Discard, offset: u64, length: u64) -> Result<(), Errno> {
    let request = match how {
        Discard::Plain => BLKDISCARD,
        Discard::Secure => BLKSECDISCARD,
        Discard::Zero => BLKZEROOUT,
    };
    let range = [offset, length];
    // SAFETY: the kernel reads two numbers of 64 bits, which live for the call.
    match unsafe { libc::ioctl(file.as_raw_fd(), request as _, range.as_ptr()) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Holds back all writing to the filesystem of `file`, or lets it go on.
pub fn freeze(file: BorrowedFd<'_>, frozen: bool) -> Result<(), Errno> {
    // SAFETY: the call looks at no argument.
    match unsafe { libc::ioctl(file.as_raw_fd(), if frozen { FIFREEZE } else { FITHAW } as _, 0) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Discards what the filesystem of `file` does not use, in extents of at least `least` bytes. Returns how many bytes.
pub fn trim(file: BorrowedFd<'_>, offset: u64, length: u64, least: u64) -> Result<u64, Errno> {
    let mut range = [offset, length, least];
    // SAFETY: the kernel reads and writes one fstrim_range, three numbers of 64 bits, which live for the call.
    match unsafe { libc::ioctl(file.as_raw_fd(), FITRIM as _, range.as_mut_ptr()) } {
        -1 => Err(last_errno()),
        _ => Ok(range[1]),
    }
}

/// Starts swapping: `swapon(2)`.
pub fn swap_on(path: &[u8], flags: i32) -> Result<(), Errno> {
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    // SAFETY: the path is a string that lives for the call.
    match unsafe { libc::swapon(path.as_ptr(), flags) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Stops swapping: `swapoff(2)`.
pub fn swap_off(path: &[u8]) -> Result<(), Errno> {
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    // SAFETY: the path is a string that lives for the call.
    match unsafe { libc::swapoff(path.as_ptr()) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
