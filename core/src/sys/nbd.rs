//! Network block devices: linux/nbd.h.

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

/// What a device can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The socket to the server, by its number.
    Socket = 0xab00,
    /// Bytes of a block.
    BlockSize = 0xab01,
    /// Serve requests until the connection ends.
    Serve = 0xab03,
    /// Forget the socket.
    ClearSocket = 0xab04,
    /// Fail the requests that wait.
    ClearQueue = 0xab05,
    /// The size in blocks.
    Blocks = 0xab07,
    /// Tell the server the end.
    Disconnect = 0xab08,
    /// Seconds to wait for a reply.
    Timeout = 0xab09,
    /// What the server can (NBD_FLAG_*).
    Flags = 0xab0a,
}

/// Tells the device something; the error is the kernel's, or EFBIG for a value that is too large for this machine.
pub fn tell(device: BorrowedFd<'_>, order: Order, value: u64) -> Result<(), Errno> {
    let value = libc::c_ulong::try_from(value).map_err(|_| Errno::FBIG)?;
    // SAFETY: all these requests take an integer. A socket's number is looked up by the kernel, which holds the socket itself.
    match unsafe { libc::ioctl(device.as_raw_fd(), order as u32 as _, value) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
