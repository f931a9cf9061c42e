//! What shells need beside the calls of `process`: times of a process and of its children, and starting a program without a copy.

use std::ffi::CString;

use super::process::{self, c_strings, pointers};
use super::signal::{self, Disposition, SignalSet};
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

/// What the child of `spawn` is told, and what it tells.
struct Start {
    path: *const libc::c_char,
    words: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    error: i32,
}

/// Starts the program at `path` in a child without copying this process: `clone(2)` with CLONE_VM and CLONE_VFORK.
///
/// The child has this process's descriptors, group, mask and ignored signals; ones that are noted here are at their
/// default there, as execve(2) says. `words` and `environment` as for `process::exec`; a word with a NUL byte is `EINVAL`.
pub fn spawn(path: &[u8], words: &[&[u8]], environment: &[&[u8]]) -> Result<i32, Errno> {
    let (Ok(path), Some(words), Some(environment)) = (CString::new(path), c_strings(words), c_strings(environment))
    else {
        return Err(Errno::INVAL);
    };
    let (words, environment) = (pointers(&words), pointers(&environment));
    let stops = HeldStop::begin();
    let mut start = Start { path: path.as_ptr(), words: words.as_ptr(), environment: environment.as_ptr(), error: 0 };
    // Room for one system call, and for a signal that comes in the middle of it.
    let mut stack = core::mem::MaybeUninit::<[u128; 1024]>::uninit();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: this process is still until the child has replaced itself or ended (CLONE_VFORK), so what both share
    // has one user at a time and lives long enough. The child has a stack of its own, which grows down from its end,
    // 16-byte aligned, and calls nothing but execve and _exit. A handler that runs there only sets an atomic.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(1);
        libc::clone(execute, top.cast(), flags, (&raw mut start).cast())
    };
    let started = if pid < 0 { Err(last_errno()) } else { Ok(pid) };
    stops.end(pid);
    let pid = started?;
    if start.error != 0 {
        // The child has ended; nothing but its status is left to take.
        let _ = process::wait_for(pid);
        return Err(Errno::from_raw_os_error(start.error));
    }
    Ok(pid)
}

/// Ctrl-Z during `spawn`. A child that it stopped before its execve would leave this process waiting for that, where no
/// signal reaches it: neither would count as stopped, and the terminal would hang. So it is noted, and obeyed after.
struct HeldStop(Option<Disposition>);

impl HeldStop {
    fn begin() -> Self {
        let before = signal::set(libc::SIGTSTP, Disposition::Note).ok();
        if before == Some(Disposition::Ignore) {
            // Who ignores it is not stopped, and the program inherits that.
            let _ = signal::set(libc::SIGTSTP, Disposition::Ignore);
        }
        Self(before)
    }

    fn end(self, pid: libc::pid_t) {
        if self.0 != Some(Disposition::Default) {
            return;
        }
        let _ = signal::set(libc::SIGTSTP, Disposition::Default);
        if signal::take(SignalSet::of(&[libc::SIGTSTP])) != SignalSet::default() {
            if pid > 0 {
                let _ = signal::kill(pid, libc::SIGTSTP);
            }
            let _ = signal::kill(process::getpid().as_raw_nonzero().get(), libc::SIGTSTP);
        }
    }
}

/// The child of `spawn`.
extern "C" fn execute(start: *mut libc::c_void) -> libc::c_int {
    // SAFETY: spawn passes a Start that outlives the child, with NUL-terminated strings and arrays that end with a null
    // pointer; nobody else uses it until the child is gone.
    unsafe {
        let start = &mut *start.cast::<Start>();
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
        assert_eq!(spawn(b"/nonexistent", &[b"x"], &[]), Err(Errno::NOENT));
    }
}
