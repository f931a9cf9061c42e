//! Loop devices, which make a block device of a file: `loop(4)`.

use super::fs::{Mode, OFlags};
use super::{AsRawFd, BorrowedFd, Errno, OwnedFd, fs, last_errno};

// linux/loop.h
const LOOP_SET_FD: u32 = 0x4c00;
const LOOP_CLR_FD: u32 = 0x4c01;
const LOOP_SET_STATUS64: u32 = 0x4c04;
const LOOP_GET_STATUS64: u32 = 0x4c05;
const LOOP_SET_CAPACITY: u32 = 0x4c07;
const LOOP_CONFIGURE: u32 = 0x4c0a;
const LOOP_CTL_GET_FREE: u32 = 0x4c82;
const READ_ONLY: u32 = 1;
const AUTOCLEAR: u32 = 4;
const PARTITIONS: u32 = 8;

/// struct loop_info64.
#[repr(C)]
struct Info {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// struct loop_config.
#[repr(C)]
struct Config {
    fd: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

/// What part of the file the device shows, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// Bytes of the file that are left out at its start.
    pub offset: u64,
    /// Bytes that are shown; 0 = to the end.
    pub size_limit: u64,
    /// The device cannot be written.
    pub read_only: bool,
    /// It shows its file until it is detached, not until its last user has closed it.
    pub kept: bool,
    /// The kernel looks for partitions.
    pub partitions: bool,
}

impl Info {
    fn new(name: &[u8], view: View) -> Self {
        // SAFETY: all fields are numbers, for which zero is valid.
        let mut info: Self = unsafe { core::mem::zeroed() };
        let length = name.len().min(63);
        info.file_name[..length].copy_from_slice(&name[..length]);
        info.offset = view.offset;
        info.size_limit = view.size_limit;
        let flags = [(!view.kept, AUTOCLEAR), (view.read_only, READ_ONLY), (view.partitions, PARTITIONS)];
        info.flags = flags.into_iter().filter(|(wanted, _)| *wanted).fold(0, |flags, (_, flag)| flags | flag);
        info
    }
}

/// The number of a loop device that shows nothing.
pub fn free_number() -> Result<u32, Errno> {
    let control = fs::open("/dev/loop-control", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    // SAFETY: the call takes no argument.
    let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) };
    u32::try_from(number).map_err(|_| last_errno())
}

/// Makes the loop device at `path` show `file`, called `name` in its status. It goes free again with its last
/// user, unless `view` says that it is kept; the device returned must stay open until somebody else uses it. `EBUSY`
/// when it shows another file.
pub fn attach_to(path: &[u8], file: BorrowedFd<'_>, name: &[u8], view: View) -> Result<OwnedFd, Errno> {
    let access = if view.read_only { OFlags::RDONLY } else { OFlags::RDWR };
    let device = fs::open(path, access | OFlags::CLOEXEC, Mode::empty())?;
    configure(&device, file, name, view)?;
    Ok(device)
}

/// What part of which file the device shows: the view, and the first 63 bytes of the file's name. `ENXIO` when it shows
/// nothing.
pub fn status(device: &OwnedFd) -> Result<(View, Vec<u8>), Errno> {
    let info = get_status(device)?;
    let flag = |flag| info.flags & flag != 0;
    let view = View {
        offset: info.offset,
        size_limit: info.size_limit,
        read_only: flag(READ_ONLY),
        kept: !flag(AUTOCLEAR),
        partitions: flag(PARTITIONS),
    };
    let name = info.file_name.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok((view, name.to_vec()))
}

/// Lets the device have the size that its file has now.
pub fn set_capacity(device: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: the call takes no argument.
    match unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_CAPACITY as _, 0) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

fn configure(device: &OwnedFd, file: BorrowedFd<'_>, name: &[u8], view: View) -> Result<(), Errno> {
    let fd = file.as_raw_fd() as u32;
    let config = Config { fd, block_size: 0, info: Info::new(name, view), reserved: [0; 8] };
    // SAFETY: the kernel reads one loop_config, which lives for the call.
    if unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE as _, &raw const config) } == 0 {
        return Ok(());
    }
    // Linux before 5.8 has no LOOP_CONFIGURE.
    if !matches!(last_errno(), Errno::INVAL | Errno::NOTTY) {
        return Err(last_errno());
    }
    // SAFETY: the call takes a number.
    if unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_FD as _, fd) } != 0 {
        return Err(last_errno());
    }
    set_status(device, &config.info).inspect_err(|_| {
        // The first failure is the one to report.
        let _ = clear(device);
    })
}

fn set_status(device: &OwnedFd, info: &Info) -> Result<(), Errno> {
    // SAFETY: the kernel reads one loop_info64, which lives for the call.
    match unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_STATUS64 as _, &raw const *info) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Frees the device, or lets its last user do so. `ENXIO` when it shows nothing.
pub fn clear(device: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: the call takes no argument.
    match unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CLR_FD as _, 0) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Lets the device show its file beyond its last user.
pub fn keep(device: &OwnedFd) -> Result<(), Errno> {
    let mut info = get_status(device)?;
    info.flags &= !AUTOCLEAR;
    set_status(device, &info)
}

fn get_status(device: &OwnedFd) -> Result<Info, Errno> {
    let mut info = Info::new(b"", View::default());
    // SAFETY: the kernel writes one loop_info64, which lives for the call.
    match unsafe { libc::ioctl(device.as_raw_fd(), LOOP_GET_STATUS64 as _, &raw mut info) } {
        -1 => Err(last_errno()),
        _ => Ok(info),
    }
}
