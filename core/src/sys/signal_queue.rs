//! Signals as events to be read: `signalfd(2)`. For programs that wait for signals, children and descriptors at once.

pub use libc::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
};

use super::event::{PollFd, PollFlags, poll};
use super::signal::{SignalSet, set_blocked};
use super::time;
use super::{AsFd, BorrowedFd, Errno, FromRawFd, OwnedFd, fd, last_errno};

/// Blocked signals that wait to be taken one by one.
#[derive(Debug)]
pub struct SignalQueue {
    file: OwnedFd,
    before: SignalSet,
}

impl SignalQueue {
    /// Blocks `signals` (each 1-64) and queues them from now on.
    pub fn open(signals: &[i32]) -> Result<Self, Errno> {
        let wanted = SignalSet::of(signals);
        let before = set_blocked(wanted);
        // SAFETY: a zeroed sigset_t is an empty set whose first word holds signals 1-64; signalfd only reads it.
        let number = unsafe {
            let mut set: libc::sigset_t = core::mem::zeroed();
            (&raw mut set).cast::<u64>().write(wanted.0);
            libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if number < 0 {
            return Err(last_errno());
        }
        // SAFETY: signalfd returned a new descriptor, which nothing else owns.
        Ok(Self { file: unsafe { OwnedFd::from_raw_fd(number) }, before })
    }

    /// The descriptor to poll for reading.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The next signal, if one waits.
    pub fn take(&self) -> Option<i32> {
        // signalfd(2): a record has 128 bytes and starts with the signal's number.
        let mut record = [0u8; 128];
        match fd::read(&self.file, &mut record) {
            Ok(128) => Some(i32::from_ne_bytes([record[0], record[1], record[2], record[3]])),
            _ => None,
        }
    }

    /// Waits for a signal, at most `milliseconds` (`None` = for ever).
    pub fn wait(&self, milliseconds: Option<u64>) -> Option<i32> {
        let limit = milliseconds.map(time::milliseconds);
        // A failing poll reads as time out, but not one after the other without end.
        if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], limit.as_ref()) == Err(Errno::NOMEM) {
            // An interruption ends the pause early.
            let _ = super::thread::nanosleep(&time::milliseconds(100));
        }
        self.take()
    }

    /// Unblocks the signals again: the first thing in a child that will exec.
    pub fn release(&self) {
        set_blocked(self.before);
    }
}
