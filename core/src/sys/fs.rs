//! Files, directories and their attributes: `open(2)`, `stat(2)`, `rename(2)` and the like, mostly as rustix has them.

use std::ffi::CString;
use std::os::fd::AsRawFd;

pub use rustix::fs::*;

use super::{BorrowedFd, Errno, OwnedFd, last_errno};

/// The number of `fchmodat2(2)`, the same for all processors; not every version of libc has it.
const FCHMODAT2: libc::c_long = 452;

/// Takes calls of rustix that have a pathname: the conversion to a C string is compiled once for each of them, where
/// rustix's own generic functions bring it, and space for the string on the stack, to every caller. A row
/// names the parameters before the pathname, and those after it.
macro_rules! by_path {
    ($($(#[$doc:meta])* $name:ident($($before:ident: $before_type:ty),*; $($after:ident: $after_type:ty),*) -> $result:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $name($($before: $before_type,)* path: impl AsRef<[u8]> $(, $after: $after_type)*) -> Result<$result, Errno> {
                #[inline(never)]
                fn call($($before: $before_type,)* path: &[u8] $(, $after: $after_type)*) -> Result<$result, Errno> {
                    rustix::fs::$name($($before,)* path $(, $after)*)
                }
                call($($before,)* path.as_ref() $(, $after)*)
            }
        )*
    };
}

by_path! {
    /// `openat(2)`.
    openat(directory: BorrowedFd<'_>; flags: OFlags, mode: Mode) -> OwnedFd;
    /// `stat(2)`.
    stat(;) -> Stat;
    /// `lstat(2)`.
    lstat(;) -> Stat;
    /// `fstatat(2)`.
    statat(directory: BorrowedFd<'_>; flags: AtFlags) -> Stat;
    /// `access(2)`.
    access(; access: Access) -> ();
    /// `mkdir(2)`.
    mkdir(; mode: Mode) -> ();
    /// `chmod(2)`.
    chmod(; mode: Mode) -> ();
    /// `unlink(2)`.
    unlink(;) -> ();
    /// `unlinkat(2)`.
    unlinkat(directory: BorrowedFd<'_>; flags: AtFlags) -> ();
    /// `statfs(2)`.
    statfs(;) -> StatFs;
    /// `rmdir(2)`.
    rmdir(;) -> ();
    /// `getxattr(2)`.
    getxattr(; name: &[u8], value: &mut [u8]) -> usize;
    /// `lgetxattr(2)`.
    lgetxattr(; name: &[u8], value: &mut [u8]) -> usize;
    /// `listxattr(2)`.
    listxattr(; names: &mut [u8]) -> usize;
    /// `llistxattr(2)`.
    llistxattr(; names: &mut [u8]) -> usize;
    /// `setxattr(2)`.
    setxattr(; name: &[u8], value: &[u8], flags: XattrFlags) -> ();
    /// `lsetxattr(2)`.
    lsetxattr(; name: &[u8], value: &[u8], flags: XattrFlags) -> ();
    /// `removexattr(2)`.
    removexattr(; name: &[u8]) -> ();
    /// `lremovexattr(2)`.
    lremovexattr(; name: &[u8]) -> ();
}

/// `open(2)`. It goes on after a signal: the wait for the other end of a FIFO is not for every caller to mend.
pub fn open(path: impl AsRef<[u8]>, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    #[inline(never)]
    fn call(path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        loop {
            match open_once(path, flags, mode) {
                Err(Errno::INTR) => {}
                result => return result,
            }
        }
    }
    call(path.as_ref(), flags, mode)
}

/// `open(2)`, which a signal that is noted ends with `EINTR`.
#[inline(never)]
pub fn open_once(path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, flags, mode)
}

/// `rename(2)`.
pub fn rename(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<(), Errno> {
    #[inline(never)]
    fn call(from: &[u8], to: &[u8]) -> Result<(), Errno> {
        rustix::fs::rename(from, to)
    }
    call(from.as_ref(), to.as_ref())
}

/// `link(2)`
pub fn link(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<(), Errno> {
    #[inline(never)]
    fn call(from: &[u8], to: &[u8]) -> Result<(), Errno> {
        rustix::fs::link(from, to)
    }
    call(from.as_ref(), to.as_ref())
}

/// `symlink(2)`: makes `path`, a link to `target`.
pub fn symlink(target: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> Result<(), Errno> {
    #[inline(never)]
    fn call(target: &[u8], path: &[u8]) -> Result<(), Errno> {
        rustix::fs::symlink(target, path)
    }
    call(target.as_ref(), path.as_ref())
}

/// What a symbolic link says: `readlink(2)`.
pub fn readlink(path: impl AsRef<[u8]>) -> Result<Vec<u8>, Errno> {
    #[inline(never)]
    fn call(path: &[u8]) -> Result<Vec<u8>, Errno> {
        Ok(rustix::fs::readlink(path, Vec::new())?.into_bytes())
    }
    call(path.as_ref())
}

/// Changes the mode of a file that is no symbolic link, which is `EOPNOTSUPP`: `fchmodat2(2)` with AT_SYMLINK_NOFOLLOW. Before
/// Linux 6.6 it is `ENOSYS`.
pub fn chmod_no_follow(directory: BorrowedFd<'_>, name: &[u8], mode: Mode) -> Result<(), Errno> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    let (directory, mode) = (directory.as_raw_fd(), mode.as_raw_mode());
    // SAFETY: the name is a string that lives for the call; the other arguments are numbers.
    match unsafe { libc::syscall(FCHMODAT2, directory, name.as_ptr(), mode, libc::AT_SYMLINK_NOFOLLOW) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// The number of hard links, whose type depends on the processor.
#[allow(clippy::unnecessary_cast, reason = "u32 on 32-bit and on some 64-bit processors")]
pub const fn link_count(stat: &Stat) -> u64 {
    stat.st_nlink as u64
}
