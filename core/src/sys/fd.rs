//! Descriptors: `read(2)`, `write(2)`, `dup(2)`, `fcntl(2)`, and those that are known by their number.
//!
//! A descriptor that rbox opened is an `OwnedFd`. A number alone is safe in three ways: it is one of the standard
//! streams, which nothing owns; it is only borrowed or copied, after a look whether it is open; or it goes through
//! [`Descriptors`], which knows the numbers that are owned.

pub use rustix::io::{
    DupFlags, FdFlags, dup, dup3, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd, ioctl_fionbio, ioctl_fionread, pread,
    pwrite, read, readv, write, writev,
};

use super::fs::{self, Mode, OFlags};
use super::{AsFd, AsRawFd, BorrowedFd, Errno, IntoRawFd, OwnedFd, RawFd, last_errno};

/// A standard stream: 0, 1 or 2.
///
/// One that is not open is no danger: every call on it fails with `EBADF`, and [`hold`] keeps its number free of others.
pub const fn borrow(number: RawFd) -> BorrowedFd<'static> {
    assert!(number >= 0 && number <= 2);
    // SAFETY: nothing owns a standard stream, so that nothing closes it (`Descriptors` is asked to by name).
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Takes the numbers of the standard streams that are not open, until the result is dropped.
///
/// The next file or socket would get the number otherwise, and what is printed would go into it. Reads and writes fail
/// with `EBADF` as before (open(2), `O_PATH`), and programs find the stream closed.
pub fn hold() -> Vec<OwnedFd> {
    let mut held = Vec::new();
    for number in 0..3 {
        if fcntl_getfd(borrow(number)).is_err() {
            let open = |path: &[u8]| fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
            held.extend(open(b"/dev/null").or_else(|_| open(b"/")));
        }
    }
    held
}

/// A descriptor that the user named by its number; `EBADF` when it is not open.
pub fn named(number: RawFd) -> Result<BorrowedFd<'static>, Errno> {
    if number < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: the number is not -1. Whoever closes it while this is in use gets `EBADF` from the kernel: what can be done
    // with a borrowed descriptor never closes it, so that no owner loses what is its own.
    let file = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_getfd(file).map(|_| file)
}

/// A copy of a descriptor that a parent passed on by its number, closed in programs; `EBADF` when it is not open.
pub fn inherited(number: RawFd) -> Result<OwnedFd, Errno> {
    fcntl_dupfd_cloexec(named(number)?, 3)
}

/// Makes the standard stream `to` a copy of `from` (`dup2(2)`), open in programs.
pub fn redirect(from: BorrowedFd<'_>, to: RawFd) -> Result<(), Errno> {
    assert!((0..=2).contains(&to));
    copy_to(from, to)
}

/// Makes `file` the standard stream `to`, open in programs. It may have that number already.
pub fn install(file: OwnedFd, to: RawFd) -> Result<(), Errno> {
    redirect(file.as_fd(), to)?;
    if file.as_raw_fd() == to {
        // It is the stream itself now, which nothing owns.
        let _ = file.into_raw_fd();
    }
    Ok(())
}

/// Closes the standard stream `number`.
pub fn close_standard(number: RawFd) -> Result<(), Errno> {
    assert!((0..=2).contains(&number));
    close(number)
}

/// `dup2(2)`; equal numbers only lose close-on-exec.
fn copy_to(from: BorrowedFd<'_>, to: RawFd) -> Result<(), Errno> {
    if from.as_raw_fd() == to {
        return fcntl_setfd(from, FdFlags::empty());
    }
    // SAFETY: dup2 takes two numbers. The callers see to it that nothing owns `to`.
    match unsafe { libc::dup2(from.as_raw_fd(), to) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

fn close(number: RawFd) -> Result<(), Errno> {
    // SAFETY: close takes a number. The callers see to it that nothing owns it.
    match unsafe { libc::close(number) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Descriptors that a script names by their numbers, beside private ones, which get out of its way: XCU 2.7 lets a script
/// use any number.
///
/// While a script's redirections are made, what else is open in the process has to be private here.
#[derive(Debug, Default)]
pub struct Descriptors {
    private: Vec<Option<OwnedFd>>,
}

/// A private descriptor of [`Descriptors`], whatever number it has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Private(usize);

/// Private descriptors are here and above, out of the way of scripts that say `exec 10>file`; still within the 64 that
/// the kernel's smallest table has.
const HIGH: RawFd = 50;
/// Where `ulimit -n` allows fewer: above the digits that a script is most likely to use.
const LOW: RawFd = 10;

/// A copy at a high number, closed in programs.
fn high_copy(file: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    match fcntl_dupfd_cloexec(file, HIGH) {
        Err(Errno::INVAL | Errno::MFILE) => fcntl_dupfd_cloexec(file, LOW),
        copy => copy,
    }
}

impl Descriptors {
    /// Keeps a private copy of `file`.
    pub fn keep(&mut self, file: BorrowedFd<'_>) -> Result<Private, Errno> {
        let copy = high_copy(file)?;
        let free = self.private.iter().position(Option::is_none);
        let at = free.unwrap_or_else(|| {
            self.private.push(None);
            self.private.len() - 1
        });
        self.private[at] = Some(copy);
        Ok(Private(at))
    }

    /// Keeps a private copy of what the script has under `number`; `EBADF` when that is not open to it.
    pub fn keep_number(&mut self, number: RawFd) -> Result<Private, Errno> {
        let file = self.named(number)?;
        self.keep(file)
    }

    /// A private descriptor.
    pub fn get(&self, private: Private) -> Result<BorrowedFd<'_>, Errno> {
        self.private.get(private.0).and_then(Option::as_ref).map(AsFd::as_fd).ok_or(Errno::BADF)
    }

    /// Closes a private descriptor.
    pub fn release(&mut self, private: Private) {
        if let Some(slot) = self.private.get_mut(private.0) {
            *slot = None;
        }
    }

    /// What the script has under `number`; `EBADF` when it is not open, or private.
    pub fn named(&self, number: RawFd) -> Result<BorrowedFd<'static>, Errno> {
        match self.owner(number) {
            Some(_) => Err(Errno::BADF),
            None => named(number),
        }
    }

    /// Gives the script a copy of `file` under `number`, open in programs.
    pub fn set(&mut self, file: BorrowedFd<'_>, number: RawFd) -> Result<(), Errno> {
        self.vacate(number)?;
        copy_to(file, number)
    }

    /// Gives the script `file` itself under `number`, open in programs. It may have that number already.
    pub fn install(&mut self, file: OwnedFd, number: RawFd) -> Result<(), Errno> {
        self.set(file.as_fd(), number)?;
        if file.as_raw_fd() == number {
            // It is the script's from now on.
            let _ = file.into_raw_fd();
        }
        Ok(())
    }

    /// Gives the script `file` under the first free number from `lowest` on, open in programs, and returns that.
    pub fn add(&mut self, file: BorrowedFd<'_>, lowest: RawFd) -> Result<RawFd, Errno> {
        let copy = fcntl_dupfd_cloexec(file, lowest)?;
        fcntl_setfd(&copy, FdFlags::empty())?;
        Ok(copy.into_raw_fd())
    }

    /// Closes what the script has under `number`.
    pub fn close(&mut self, number: RawFd) -> Result<(), Errno> {
        match self.owner(number) {
            Some(_) => Err(Errno::BADF),
            None => close(number),
        }
    }

    /// Puts a private descriptor back under `number`, where the script had it, and forgets it.
    pub fn restore(&mut self, private: Private, number: RawFd) -> Result<(), Errno> {
        let Some(file) = self.private.get_mut(private.0).and_then(Option::take) else { return Err(Errno::BADF) };
        self.set(file.as_fd(), number)
    }

    fn owner(&self, number: RawFd) -> Option<usize> {
        let has = |file: &Option<OwnedFd>| file.as_ref().is_some_and(|file| file.as_raw_fd() == number);
        if number < LOW { None } else { self.private.iter().position(has) }
    }

    /// Moves a private descriptor that has this number to another.
    fn vacate(&mut self, number: RawFd) -> Result<(), Errno> {
        if let Some(at) = self.owner(number) {
            let moved = self.private[at].as_ref().map(|file| high_copy(file.as_fd())).transpose()?;
            self.private[at] = moved;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::pipe;

    #[test]
    fn a_private_descriptor_gets_out_of_the_way() {
        let (reader, writer) = pipe::pipe().expect("a pipe");
        let mut all = Descriptors::default();
        let private = all.keep(reader.as_fd()).expect("a copy");
        let number = all.get(private).expect("it is kept").as_raw_fd();
        assert!(number >= HIGH);
        // To the script it is not there.
        assert_eq!((all.named(number).err(), all.close(number)), (Some(Errno::BADF), Err(Errno::BADF)));
        all.set(writer.as_fd(), number).expect("any number is the script's");
        write(all.named(number).expect("it is open"), b"x").expect("the pipe takes it");
        let moved = all.get(private).expect("it is kept");
        assert_ne!(moved.as_raw_fd(), number);
        assert_eq!(read(moved, &mut [0; 2]), Ok(1));
        assert_eq!(all.close(number), Ok(()));
        all.release(private);
        assert_eq!(all.get(private).err(), Some(Errno::BADF));
    }

    #[test]
    fn numbers_that_are_not_open_are_told_apart() {
        assert_eq!((named(-1).err(), named(1 << 20).err()), (Some(Errno::BADF), Some(Errno::BADF)));
        assert_eq!(inherited(1 << 20).err(), Some(Errno::BADF));
    }
}
