//! The binary keyboard map that loadkmap and dumpkmap share: a magic, 256 flags, and 128 keys for each flagged table.

use rbox_core::error::{Error, Result};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::keyboard::is_console;
use rbox_core::sys::{AsFd, OwnedFd, fs};

/// What the file starts with.
pub(crate) const MAGIC: &[u8] = b"bkeymap";
/// Tables of the kernel, one for each set of modifiers.
pub(crate) const TABLES: usize = 256;
/// Keys of a table, two bytes each in the machine's order.
pub(crate) const KEYS: usize = 128;

/// Opens the console, by the first of its names that leads to a keyboard.
pub(crate) fn open_console() -> Result<OwnedFd> {
    for path in ["/dev/tty0", "/dev/console", "/dev/tty"] {
        for flags in [OFlags::RDWR, OFlags::WRONLY, OFlags::RDONLY] {
            if let Ok(file) = fs::open(path, flags | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
                && is_console(file.as_fd())
            {
                return Ok(file);
            }
        }
    }
    Err(Error::new("can't open console"))
}
