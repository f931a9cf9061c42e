//! Signals: `sigaction(2)`, `sigprocmask(2)`.

use core::sync::atomic::{AtomicU64, Ordering};

use super::{Errno, last_errno};

/// The signals that arrived since they were last taken: bit N-1 stands for signal N.
static PENDING: AtomicU64 = AtomicU64::new(0);

/// What a process does on a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The system's default.
    Default,
    /// Nothing.
    Ignore,
    /// The signal is noted for `take_pending`, and interrupts a blocking call with `EINTR`.
    Note,
}

extern "C" fn note(signal: libc::c_int) {
    if (1..=64).contains(&signal) {
        PENDING.fetch_or(1 << (signal - 1), Ordering::Relaxed);
    }
}

/// Sets what happens on `signal` (1-64) and says what was set before.
///
/// `EINVAL` for SIGKILL, SIGSTOP and numbers that are no signal.
pub fn set(signal: i32, disposition: Disposition) -> Result<Disposition, Errno> {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
        Disposition::Note => note as extern "C" fn(libc::c_int) as usize,
    };
    // SAFETY: both structures are valid for the call; the handler only touches an atomic, which is async-signal-safe.
    let old = unsafe {
        let mut new: libc::sigaction = core::mem::zeroed();
        let mut old: libc::sigaction = core::mem::zeroed();
        new.sa_sigaction = handler;
        if libc::sigaction(signal, &new, &mut old) < 0 {
            return Err(last_errno());
        }
        old.sa_sigaction
    };
    Ok(match old {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignore,
        _ => Disposition::Note,
    })
}

/// Takes the noted signals as a set: bit N-1 stands for signal N.
pub fn take_pending() -> u64 {
    PENDING.swap(0, Ordering::Relaxed)
}

/// Takes the noted signals of a set, and leaves the others noted. Returns those that were.
pub fn take(set: SignalSet) -> SignalSet {
    SignalSet(PENDING.fetch_and(!set.0, Ordering::Relaxed) & set.0)
}

/// Looks at the noted signals without taking them: bit N-1 stands for signal N.
pub fn pending() -> u64 {
    PENDING.load(Ordering::Relaxed)
}

/// A set of signals that are held back: bit N-1 stands for signal N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSet(pub u64);

impl SignalSet {
    /// The set of these signals.
    pub fn of(signals: &[i32]) -> Self {
        Self(signals.iter().fold(0, |set, signal| set | 1 << (signal - 1)))
    }
}

/// Replaces the set of blocked signals and returns the one before: `sigprocmask(2)`, SIG_SETMASK.
pub fn set_blocked(set: SignalSet) -> SignalSet {
    // SAFETY: a zeroed sigset_t is an empty set; its first word holds signals 1-64 on every Linux libc.
    unsafe {
        let mut new: libc::sigset_t = core::mem::zeroed();
        let mut old: libc::sigset_t = core::mem::zeroed();
        (&raw mut new).cast::<u64>().write(set.0);
        libc::sigprocmask(libc::SIG_SETMASK, &new, &mut old);
        SignalSet((&raw const old).cast::<u64>().read())
    }
}

/// Sleeps until a signal that is not in `blocked` arrives: `sigsuspend(2)`.
pub fn suspend(blocked: SignalSet) {
    // SAFETY: as in `set_blocked`; sigsuspend always returns -1 with EINTR.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        (&raw mut set).cast::<u64>().write(blocked.0);
        libc::sigsuspend(&set);
    }
}

/// Waits until a descriptor can be read, at most `milliseconds` (`None` = for ever): `ppoll(2)`. False when the time is up.
///
/// `EINTR` when a signal is noted, also one that came before the call: none is slept over.
pub fn wait_readable(file: super::BorrowedFd<'_>, milliseconds: Option<u64>) -> Result<bool, Errno> {
    use super::AsRawFd;
    let before = set_blocked(SignalSet(u64::MAX));
    if pending() != 0 {
        set_blocked(before);
        return Err(Errno::INTR);
    }
    let limit = milliseconds
        .map(|count| libc::timespec { tv_sec: (count / 1000) as _, tv_nsec: (count % 1000 * 1_000_000) as _ });
    let limit = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    let mut file = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, a timespec or null, and a mask that was made as in `set_blocked` live for the call.
    let ready = unsafe {
        let mut mask: libc::sigset_t = core::mem::zeroed();
        (&raw mut mask).cast::<u64>().write(before.0);
        libc::ppoll(&mut file, 1, limit, &mask)
    };
    let result = if ready < 0 { Err(last_errno()) } else { Ok(ready > 0) };
    set_blocked(before);
    result
}

/// Sends `signal` to `pid`, to the group `-pid`, or as `kill(2)` says for 0 and -1. Signal 0 only asks.
pub fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: kill takes numbers only.
    match unsafe { libc::kill(pid, signal) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
