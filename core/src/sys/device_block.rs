//! Calls of device drivers that exchange a structure: serial ports (linux/serial.h), frame buffers (linux/fb.h), floppy
//! drives (linux/fd.h). The structures are bytes here; their fields are at offsets that all processors share.

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

/// What is asked for or set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Read a serial port's struct serial_struct.
    GetSerial,
    /// Set it.
    SetSerial,
    /// Let the driver look for a serial port's chip and interrupt.
    ConfigureSerial,
    /// Read a frame buffer's struct fb_var_screeninfo.
    GetScreen,
    /// Set it.
    SetScreen,
    /// Read its struct fb_fix_screeninfo.
    GetFixed,
    /// Read the geometry of a floppy disk, struct floppy_struct.
    GetFloppy,
    /// Begin to format a floppy disk.
    BeginFormat,
    /// Format a track: struct format_descr.
    FormatTrack,
    /// End the formatting.
    EndFormat,
    /// Put a byte into a terminal's input, as if it had been typed.
    TypeByte,
}

/// Bytes that any of the structures has at most.
pub const SIZE: usize = 160;

/// Sends a structure to the driver, which may change it.
pub fn exchange(file: BorrowedFd<'_>, what: Exchange, block: &mut [u8; SIZE]) -> Result<(), Errno> {
    let pointer = size_of::<*const u8>() as u32;
    let request: u32 = match what {
        Exchange::GetSerial => 0x541e,
        Exchange::SetSerial => 0x541f,
        Exchange::ConfigureSerial => 0x5453,
        Exchange::GetScreen => 0x4600,
        Exchange::SetScreen => 0x4601,
        Exchange::GetFixed => 0x4602,
        // The structure ends in a pointer, which is aligned.
        Exchange::GetFloppy => 0x8000_0204 | (24 + pointer) << 16,
        Exchange::BeginFormat => 0x0247,
        Exchange::FormatTrack => 0x400c_0248,
        Exchange::EndFormat => 0x0249,
        Exchange::TypeByte => 0x5412,
    };
    // SAFETY: the kernel reads and writes at most the structure that the request means; each of them has at most 160
    // bytes (fb_var_screeninfo), and the buffer lives for the call. Pointers inside of them are not followed.
    match unsafe { libc::ioctl(file.as_raw_fd(), request as _, block.as_mut_ptr()) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
