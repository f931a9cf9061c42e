//! Devices that have calls of their own: a watchdog (linux/watchdog.h), the kernel's randomness (linux/random.h), the
//! console's tone (linux/kd.h), a tape (linux/mtio.h), and memory by physical address (mem(4)).

use super::{AsRawFd, BorrowedFd, Errno, last_errno, result};

const WDIOC_SETOPTIONS: u64 = 0x8004_5704;
const WDIOC_SETTIMEOUT: u64 = 0xc004_5706;
const WDIOS_ENABLECARD: libc::c_int = 2;
const RNDADDENTROPY: u64 = 0x4008_5203;
const MTIOCTOP: u64 = 0x4008_6d01;
const MTIOCPOS: u64 = 0x8000_6d03 | (size_of::<libc::c_long>() as u64) << 16;
const KDMKTONE: u64 = 0x4b30;

/// Starts a watchdog.
pub fn enable_watchdog(file: BorrowedFd<'_>) -> Result<(), Errno> {
    let options = WDIOS_ENABLECARD;
    // SAFETY: the kernel reads one int, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), WDIOC_SETOPTIONS as _, &raw const options) })
}

/// Sets after how many seconds without a write a watchdog restarts the machine.
pub fn set_watchdog_timeout(file: BorrowedFd<'_>, seconds: i32) -> Result<(), Errno> {
    let mut seconds: libc::c_int = seconds;
    // SAFETY: the kernel reads and writes one int, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), WDIOC_SETTIMEOUT as _, &raw mut seconds) })
}

/// Adds bytes to the kernel's random pool; `bits` of them count as random.
pub fn add_entropy(file: BorrowedFd<'_>, bytes: &[u8], bits: i32) -> Result<(), Errno> {
    // struct rand_pool_info: two ints, then the bytes.
    let mut info = [bits.to_ne_bytes(), (bytes.len() as i32).to_ne_bytes()].concat();
    info.extend_from_slice(bytes);
    // SAFETY: the kernel reads the two ints and as many bytes as the second one says, which are there.
    result(unsafe { libc::ioctl(file.as_raw_fd(), RNDADDENTROPY as _, info.as_ptr()) })
}

/// Lets the console's speaker sound for so many milliseconds; 0 of either ends it.
pub fn sound(file: BorrowedFd<'_>, hertz: u32, milliseconds: u16) -> Result<(), Errno> {
    // The timer of the PC counts 1,193,180 times a second.
    let ticks = 1_193_180u32.checked_div(hertz).unwrap_or(0).min(0xffff);
    let tone = libc::c_ulong::from(u32::from(milliseconds) << 16 | ticks);
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(file.as_raw_fd(), KDMKTONE as _, tone) })
}

/// Performs an operation on a tape, so many times.
pub fn tape_operation(file: BorrowedFd<'_>, operation: i16, count: i32) -> Result<(), Errno> {
    /// struct mtop.
    #[repr(C)]
    struct Operation {
        operation: libc::c_short,
        count: libc::c_int,
    }
    let request = Operation { operation, count };
    // SAFETY: the kernel reads one mtop, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), MTIOCTOP as _, &raw const request) })
}

/// The block at which a tape is.
pub fn tape_position(file: BorrowedFd<'_>) -> Result<i64, Errno> {
    let mut position: libc::c_long = 0;
    // SAFETY: the kernel writes one mtpos, a long, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), MTIOCPOS as _, &raw mut position) })?;
    Ok(position as _)
}

/// Reads a value of 1, 2, 4 or 8 bytes at a physical address through /dev/mem, after writing `value` there if one is
/// given.
///
/// EINVAL for another size, or an address that the size does not divide.
pub fn physical_memory(file: BorrowedFd<'_>, address: u64, size: usize, value: Option<u64>) -> Result<u64, Errno> {
    if !matches!(size, 1 | 2 | 4 | 8) || !address.is_multiple_of(size as u64) {
        return Err(Errno::INVAL);
    }
    let page = rustix::param::page_size();
    let within = (address % page as u64) as usize;
    let protection = if value.is_some() { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
    let offset = libc::off_t::try_from(address - within as u64).map_err(|_| Errno::INVAL)?;
    // SAFETY: a new mapping of one page, at an address that the kernel chooses.
    let start =
        unsafe { libc::mmap(core::ptr::null_mut(), page, protection, libc::MAP_SHARED, file.as_raw_fd(), offset) };
    if start == libc::MAP_FAILED {
        return Err(last_errno());
    }
    // SAFETY: an aligned value does not cross the end of the page, which is mapped as the accesses need it.
    let read = unsafe {
        let at = start.cast::<u8>().add(within);
        macro_rules! access {
            ($type:ty) => {{
                let at = at.cast::<$type>();
                if let Some(value) = value {
                    at.write_volatile(value as $type);
                }
                u64::from(at.read_volatile())
            }};
        }
        match size {
            1 => access!(u8),
            2 => access!(u16),
            4 => access!(u32),
            _ => access!(u64),
        }
    };
    // SAFETY: the mapping was made above and nothing refers to it any more.
    unsafe { libc::munmap(start, page) };
    Ok(read)
}
