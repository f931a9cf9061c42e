//! Signals: `sigaction(2)`, `sigprocmask(2)`.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Errno, last_errno};

/// The signals that arrived since they were last taken: bit N-1 stands for signal N.
static PENDING: AtomicU64 = AtomicU64::new(0);

/// The signals that are noted.
static NOTED: AtomicU64 = AtomicU64::new(0);

/// A child has changed since this was last asked.
static CHILDREN: AtomicBool = AtomicBool::new(false);

/// What a process does on a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The system's default.
    Default,
    /// Nothing.
    Ignore,
    /// The signal is noted for `take_pending`, and interrupts a blocking call with `EINTR`.
    Note,
    /// For SIGCHLD: it is only remembered for `children_changed`, and blocking calls go on.
    Watch,
}

extern "C" fn note(signal: libc::c_int) {
    if (1..=64).contains(&signal) {
        PENDING.fetch_or(1 << (signal - 1), Ordering::Relaxed);
    }
    if signal == libc::SIGCHLD {
        CHILDREN.store(true, Ordering::Relaxed);
    }
}

extern "C" fn watch(_signal: libc::c_int) {
    CHILDREN.store(true, Ordering::Relaxed);
}

/// Sets what happens on `signal` (1-64) and says what was set before.
///
/// `EINVAL` for SIGKILL, SIGSTOP and numbers that are no signal.
pub fn set(signal: i32, disposition: Disposition) -> Result<Disposition, Errno> {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
        Disposition::Note => note as extern "C" fn(libc::c_int) as usize,
        Disposition::Watch => watch as extern "C" fn(libc::c_int) as usize,
    };
    // SAFETY: both structures are valid for the call; a handler only touches atomics, which is async-signal-safe.
    let old = unsafe {
        let mut new: libc::sigaction = core::mem::zeroed();
        let mut old: libc::sigaction = core::mem::zeroed();
        new.sa_sigaction = handler;
        if disposition == Disposition::Watch {
            new.sa_flags = libc::SA_RESTART;
        }
        if libc::sigaction(signal, &new, &mut old) < 0 {
            return Err(last_errno());
        }
        old.sa_sigaction
    };
    let bit = SignalSet::of(&[signal]).0;
    if disposition == Disposition::Note {
        NOTED.fetch_or(bit, Ordering::Relaxed);
    } else {
        NOTED.fetch_and(!bit, Ordering::Relaxed);
    }
    Ok(match old {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignore,
        old if old == watch as extern "C" fn(libc::c_int) as usize => Disposition::Watch,
        _ => Disposition::Note,
    })
}

/// Whether a child has changed since the last call, as far as SIGCHLD is noted or watched. It costs no system call.
pub fn children_changed() -> bool {
    CHILDREN.load(Ordering::Relaxed) && CHILDREN.swap(false, Ordering::Relaxed)
}

/// The signals that are noted now.
pub(super) fn noted() -> SignalSet {
    SignalSet(NOTED.load(Ordering::Relaxed))
}

/// In the child of a fork, before any signal is unblocked: what came to the parent is not the child's (fork(2)).
pub(super) fn forget_pending() {
    PENDING.store(0, Ordering::Relaxed);
    CHILDREN.store(false, Ordering::Relaxed);
}

/// Ends the noting before an execve, so that no signal is lost between the two: each has its default action, as execve(2)
/// sets it, and what was noted and not taken is sent again.
pub(super) fn hand_over(noted: SignalSet) {
    let before = set_blocked(SignalSet(u64::MAX));
    noted.numbers().for_each(default);
    for signal in take(noted).numbers() {
        // kill(2) cannot fail: the process is this one, and the number is one of a signal.
        let _ = kill(rustix::process::getpid().as_raw_pid(), signal);
    }
    set_blocked(before);
}

/// Gives a signal its default action, without a change of what is known to be noted: a child that shares this memory
/// (CLONE_VM) may call it too.
pub(super) fn default(signal: i32) {
    // SAFETY: a zeroed structure is SIG_DFL without flags, and is valid for the call.
    unsafe {
        let new: libc::sigaction = core::mem::zeroed();
        libc::sigaction(signal, &new, core::ptr::null_mut());
    }
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

    /// The numbers of its signals, ascending.
    pub fn numbers(self) -> impl Iterator<Item = i32> {
        (1..=64).filter(move |number| self.0 >> (number - 1) & 1 != 0)
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
    let begun = uptime();
    let before = set_blocked(SignalSet(u64::MAX));
    let result = loop {
        if pending() != 0 {
            break Err(Errno::INTR);
        }
        let left = milliseconds.map(|count| count.saturating_sub(uptime() - begun));
        let limit =
            left.map(|count| libc::timespec { tv_sec: (count / 1000) as _, tv_nsec: (count % 1000 * 1_000_000) as _ });
        let limit = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        let mut file = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd, a timespec or null, and a mask that was made as in `set_blocked` live for the call.
        let ready = unsafe {
            let mut mask: libc::sigset_t = core::mem::zeroed();
            (&raw mut mask).cast::<u64>().write(before.0);
            libc::ppoll(&mut file, 1, limit, &mask)
        };
        match ready {
            // One that is not noted interrupts too, as a child that is watched.
            -1 if last_errno() == Errno::INTR => {}
            -1 => break Err(last_errno()),
            count => break Ok(count > 0),
        }
    };
    set_blocked(before);
    result
}

/// Milliseconds that never go back.
fn uptime() -> u64 {
    let now = super::time::clock_gettime(super::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Sends `signal` to `pid`, to the group `-pid`, or as `kill(2)` says for 0 and -1. Signal 0 only asks.
pub fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: kill takes numbers only.
    match unsafe { libc::kill(pid, signal) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
