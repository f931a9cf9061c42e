//! What shells need beside the calls of `process`: times of a process and of its children, and starting a program
//! without a copy.

use core::sync::atomic::{AtomicBool, Ordering};
use std::ffi::CString;

use super::process::{self, c_strings, pointers};
use super::signal::{self, SignalSet};
use super::{Errno, last_errno};

/// User and system time of the process, then of its children that ended: `times(2)`, in hundredths of a second.
pub fn times() -> [u64; 4] {
    // SAFETY: a zeroed tms is valid, and the kernel only writes to it.
    let found = unsafe {
        let mut found: libc::tms = core::mem::zeroed();
        libc::times(&mut found);
        found
    };
    // Linux counts in hundredths for user space on every machine.
    [found.tms_utime, found.tms_stime, found.tms_cutime, found.tms_cstime]
        .map(|ticks| u64::try_from(ticks).unwrap_or(0))
}

/// Whether the process ignores `signal` (1-64): `sigaction(2)`.
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: a null new action asks only; the old one is valid for the call.
    unsafe {
        let mut old: libc::sigaction = core::mem::zeroed();
        libc::sigaction(signal, core::ptr::null(), &mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

/// What the child of `spawn` gets, and what it returns.
struct Start {
    path: *const libc::c_char,
    words: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    /// The signals that this process notes, and the mask that it had.
    noted: SignalSet,
    mask: SignalSet,
    error: i32,
}

/// Ctrl-Z came to a child of `spawn` before its execve.
static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn stop_later(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

/// Starts the program at `path` in a child without copying this process: `clone(2)` with CLONE_VM and CLONE_VFORK.
///
/// The child has this process's descriptors, group, mask and ignored signals; ones that are noted here are at their
/// default there, as execve(2) says. `words` and `environment` as for `process::exec`; a word with a NUL byte is
/// `EINVAL`.
pub fn spawn(path: &[u8], words: &[&[u8]], environment: &[&[u8]]) -> Result<i32, Errno> {
    let (Ok(path), Some(words), Some(environment)) = (CString::new(path), c_strings(words), c_strings(environment))
    else {
        return Err(Errno::INVAL);
    };
    let (words, environment) = (pointers(&words), pointers(&environment));
    // A signal that comes to the child is not noted in the memory that both share, where the child would lose it: it
    // waits until the child has the default actions.
    let mask = signal::set_blocked(SignalSet(u64::MAX));
    let mut start = Start {
        path: path.as_ptr(),
        words: words.as_ptr(),
        environment: environment.as_ptr(),
        noted: signal::noted(),
        mask,
        error: 0,
    };
    // For a few system calls, and for a signal that comes in the middle of them.
    let mut stack = core::mem::MaybeUninit::<[u128; 1024]>::uninit();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: this process is still until the child has replaced itself or ended (CLONE_VFORK), so what both share
    // has one user at a time and lives long enough. The child has a stack of its own, which grows down from its end,
    // 16-byte aligned, and calls nothing but sigaction, sigprocmask, execve and _exit. The handler that may run there
    // only sets an atomic.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(1);
        libc::clone(execute, top.cast(), flags, (&raw mut start).cast())
    };
    let started = if pid < 0 { Err(last_errno()) } else { Ok(pid) };
    if STOP.swap(false, Ordering::Relaxed) && pid > 0 {
        // It has ended when the program could not be executed.
        let _ = signal::kill(pid, libc::SIGTSTP);
    }
    signal::set_blocked(mask);
    let pid = started?;
    if start.error != 0 {
        // The child has ended; nothing but its status is left to take.
        let _ = process::wait_for(pid);
        return Err(Errno::from_raw_os_error(start.error));
    }
    Ok(pid)
}

/// The child of `spawn`.
extern "C" fn execute(start: *mut libc::c_void) -> libc::c_int {
    // SAFETY: spawn passes a Start that outlives the child, with NUL-terminated strings and arrays that end with a null
    // pointer; nothing else uses it until the child is gone. A zeroed sigaction is valid.
    unsafe {
        let start = &mut *start.cast::<Start>();
        start.noted.numbers().for_each(signal::default);
        // A child that Ctrl-Z stopped before its execve would leave the parent waiting for that, where no signal
        // reaches it: neither would count as stopped, and the terminal would hang. So it is obeyed after.
        let mut old: libc::sigaction = core::mem::zeroed();
        let mut new: libc::sigaction = core::mem::zeroed();
        new.sa_sigaction = stop_later as extern "C" fn(libc::c_int) as usize;
        libc::sigaction(libc::SIGTSTP, &new, &mut old);
        if old.sa_sigaction == libc::SIG_IGN {
            libc::sigaction(libc::SIGTSTP, &old, core::ptr::null_mut());
        }
        signal::set_blocked(start.mask);
        libc::execve(start.path, start.words, start.environment);
        start.error = *libc::__errno_location();
        libc::_exit(127)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_starts_or_the_reason_is_told() {
        let pid = spawn(b"/bin/sh", &[b"sh", b"-c", b"exit $code"], &[b"code=7"]).expect("every system has a sh");
        assert_eq!(process::wait_for(pid), Ok(process::Change::Exited(7)));
        assert_eq!(spawn(b"/proc/nonexistent", &[b"x"], &[]), Err(Errno::NOENT));
    }
}
