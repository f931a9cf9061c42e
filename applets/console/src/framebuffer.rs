//! Fields of the frame buffer's structures (linux/fb.h), which `fbset` and `fbsplash` share.

use rbox_core::prelude::*;
use rbox_core::sys::device_block::{Exchange, SIZE, exchange};
use rbox_core::sys::fs::{Mode, OFlags, open};
use rbox_core::sys::{AsFd, OwnedFd};

/// The device that is taken when none is named.
pub const DEVICE: &[u8] = b"/dev/fb0";

/// struct fb_var_screeninfo: the screen's mode.
#[derive(Clone)]
pub struct Screen(pub [u8; SIZE]);

/// Offsets in it.
pub const WIDTH: usize = 0;
pub const HEIGHT: usize = 4;
pub const VIRTUAL_WIDTH: usize = 8;
pub const VIRTUAL_HEIGHT: usize = 12;
pub const OFFSET_X: usize = 16;
pub const OFFSET_Y: usize = 20;
pub const DEPTH: usize = 24;
/// Red, green, blue and transparency: offset, length, and whether the highest bit is on the right.
pub const COLORS: [usize; 4] = [32, 44, 56, 68];
pub const ACTIVATE: usize = 84;
pub const ACCELERATION: usize = 96;
/// Picoseconds of a pixel, then margins left, right, upper, lower, and lengths of the syncs.
pub const TIMINGS: usize = 100;
pub const SYNC: usize = 128;
pub const VMODE: usize = 132;

impl Screen {
    pub fn get(&self, at: usize) -> u32 {
        u32::from_ne_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    pub fn set(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }
}

/// Opens a frame buffer and reads its mode.
pub fn open_screen(path: &[u8]) -> Result<(OwnedFd, Screen)> {
    let file = open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let mut screen = Screen([0; SIZE]);
    exchange(file.as_fd(), Exchange::GetScreen, &mut screen.0).map_err(|errno| Error::on(path, errno))?;
    Ok((file, screen))
}

/// Reads struct fb_fix_screeninfo.
pub fn fixed(file: &OwnedFd, path: &[u8]) -> Result<[u8; SIZE]> {
    let mut block = [0; SIZE];
    exchange(file.as_fd(), Exchange::GetFixed, &mut block).map_err(|errno| Error::on(path, errno))?;
    Ok(block)
}

/// The bytes of a line of pixels, a field of `fixed`.
pub fn line_length(block: &[u8; SIZE]) -> u32 {
    // 16 bytes of name, a pointer, four numbers of 32 bits, three of 16, and two bytes to align the next one.
    let at = 16 + size_of::<usize>() + 24;
    u32::from_ne_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}
