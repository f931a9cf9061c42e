//! Virtual terminals, their keyboard and their font: `ioctl_console(2)`; linux/vt.h, linux/kd.h.

use super::{AsRawFd, BorrowedFd, Errno, result};

const VT_OPENQRY: u32 = 0x5600;
const VT_GETSTATE: u32 = 0x5603;
const VT_ACTIVATE: u32 = 0x5606;
const VT_WAITACTIVE: u32 = 0x5607;
const VT_DISALLOCATE: u32 = 0x5608;
const VT_LOCKSWITCH: u32 = 0x560b;
const VT_UNLOCKSWITCH: u32 = 0x560c;
const KDGKBMODE: u32 = 0x4b44;
const KDSKBMODE: u32 = 0x4b45;
const KDSETKEYCODE: u32 = 0x4b4d;
const PIO_UNISCRNMAP: u32 = 0x4b6a;
const PIO_UNIMAP: u32 = 0x4b67;
const PIO_UNIMAPCLR: u32 = 0x4b68;
const KDFONTOP: u32 = 0x4b72;
const TIOCCONS: u32 = 0x541d;
const TIOCLINUX: u32 = 0x541c;

/// struct vt_stat.
#[repr(C)]
struct State {
    active: u16,
    signal: u16,
    state: u16,
}

/// The number of the virtual terminal that is shown.
pub fn active(file: BorrowedFd<'_>) -> Result<u16, Errno> {
    let mut state = State { active: 0, signal: 0, state: 0 };
    // SAFETY: the kernel writes one vt_stat, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), VT_GETSTATE as _, &raw mut state) })?;
    Ok(state.active)
}

/// The number of a virtual terminal that nobody uses.
pub fn free(file: BorrowedFd<'_>) -> Result<i32, Errno> {
    let mut number: libc::c_int = 0;
    // SAFETY: the kernel writes one int, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), VT_OPENQRY as _, &raw mut number) })?;
    if number > 0 { Ok(number) } else { Err(Errno::BUSY) }
}

/// Shows a virtual terminal, and waits until it is shown.
pub fn show(file: BorrowedFd<'_>, number: i32) -> Result<(), Errno> {
    // SAFETY: both calls take a number.
    unsafe {
        result(libc::ioctl(file.as_raw_fd(), VT_ACTIVATE as _, number))?;
        result(libc::ioctl(file.as_raw_fd(), VT_WAITACTIVE as _, number))
    }
}

/// Frees the memory of a virtual terminal; 0 stands for all that nobody uses.
pub fn free_memory(file: BorrowedFd<'_>, number: i32) -> Result<(), Errno> {
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(file.as_raw_fd(), VT_DISALLOCATE as _, number) })
}

/// Forbids, or allows, to show another virtual terminal.
pub fn lock_switching(file: BorrowedFd<'_>, locked: bool) -> Result<(), Errno> {
    let request = if locked { VT_LOCKSWITCH } else { VT_UNLOCKSWITCH };
    // SAFETY: the calls look at no argument.
    result(unsafe { libc::ioctl(file.as_raw_fd(), request as _, 1) })
}

/// What the keyboard sends: 0 raw scan codes, 1 bytes, 2 key codes, 3 UTF-8.
pub fn keyboard_mode(file: BorrowedFd<'_>) -> Result<i32, Errno> {
    let mut mode: libc::c_int = 0;
    // SAFETY: the kernel writes one int, which lives for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), KDGKBMODE as _, &raw mut mode) })?;
    Ok(mode)
}

/// Sets what the keyboard sends.
pub fn set_keyboard_mode(file: BorrowedFd<'_>, mode: i32) -> Result<(), Errno> {
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(file.as_raw_fd(), KDSKBMODE as _, mode) })
}

/// Lets a scan code mean a key code.
pub fn set_key_code(file: BorrowedFd<'_>, scan: u32, key: u32) -> Result<(), Errno> {
    let codes = [scan, key];
    // SAFETY: the kernel reads one kbkeycode, two ints, which live for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), KDSETKEYCODE as _, codes.as_ptr()) })
}

/// Sends what the kernel prints on its console to the terminal `file`.
pub fn take_console(file: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the call looks at no argument.
    result(unsafe { libc::ioctl(file.as_raw_fd(), TIOCCONS as _, 0) })
}

/// Sends the kernel's messages to a virtual terminal; 0 stands for the one that is shown.
pub fn send_messages(file: BorrowedFd<'_>, number: u8) -> Result<(), Errno> {
    // ioctl_console(2), TIOCLINUX, subcode 11.
    let words = [11u8, number];
    // SAFETY: the kernel reads two bytes, which live for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), TIOCLINUX as _, words.as_ptr()) })
}

/// struct console_font_op.
#[repr(C)]
struct FontOperation {
    operation: u32,
    flags: u32,
    width: u32,
    height: u32,
    count: u32,
    data: *const u8,
}

/// Sets the font: `count` glyphs, each with space for 32 rows, of which `height` are used.
pub fn set_font(file: BorrowedFd<'_>, width: u32, height: u32, count: u32, glyphs: &[u8]) -> Result<(), Errno> {
    let row = width.div_ceil(8);
    let needed = u64::from(row) * 32 * u64::from(count);
    if width == 0 || height == 0 || height > 32 || (glyphs.len() as u64) < needed {
        return Err(Errno::INVAL);
    }
    let operation = FontOperation { operation: 0, flags: 0, width, height, count, data: glyphs.as_ptr() };
    // SAFETY: the kernel reads one console_font_op and 32 rows for each glyph, which the slice has and which live for
    // the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), KDFONTOP as _, &raw const operation) })
}

/// struct unimapdesc.
#[repr(C)]
struct MapDescription {
    count: u16,
    pairs: *const [u16; 2],
}

/// Sets the screen map: the character of Unicode that each byte is shown as.
pub fn set_screen_map(file: BorrowedFd<'_>, map: &[u16; 256]) -> Result<(), Errno> {
    // SAFETY: the kernel reads 256 numbers of 16 bits, which live for the call.
    result(unsafe { libc::ioctl(file.as_raw_fd(), PIO_UNISCRNMAP as _, map.as_ptr()) })
}

/// Sets which character is which glyph of the font: pairs of both.
pub fn set_unicode_map(file: BorrowedFd<'_>, pairs: &[[u16; 2]]) -> Result<(), Errno> {
    let count = u16::try_from(pairs.len()).map_err(|_| Errno::INVAL)?;
    // struct unimapinit: the kernel chooses its sizes where they are 0.
    let sizes = [0u16; 3];
    let description = MapDescription { count, pairs: pairs.as_ptr() };
    // SAFETY: the kernel reads one unimapinit, then one unimapdesc and its pairs, all of which live for the calls.
    unsafe {
        result(libc::ioctl(file.as_raw_fd(), PIO_UNIMAPCLR as _, sizes.as_ptr()))?;
        result(libc::ioctl(file.as_raw_fd(), PIO_UNIMAP as _, &raw const description))
    }
}
