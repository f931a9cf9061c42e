//! Processes: `fork(2)`, `execve(2)`, `waitpid(2)`, the environment, identities.

pub use rustix::process::*;

use std::ffi::{CStr, CString};

use super::signal::{self, SignalSet};
use super::{Errno, RawFd, last_errno};

/// How a child ended or changed, as `waitpid(2)` returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It returned this status.
    Exited(u8),
    /// This signal killed it.
    Signaled(i32),
    /// This signal stopped it.
    Stopped(i32),
    /// SIGCONT woke it.
    Continued,
}

impl Change {
    /// The status as a shell shows it (POSIX XCU 2.8.2): 128 plus the signal when one ended it.
    pub fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal) | Self::Stopped(signal) => 128u8.wrapping_add(signal as u8),
            Self::Continued => 0,
        }
    }
}

/// The process group of this process: `getpgrp(2)`. 0 when that is outside of the PID namespace, for which rustix has
/// no value.
pub fn getpgrp() -> i32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::getpgrp() }
}

/// The session of this process: `getsid(2)`. 0 as for `getpgrp`.
pub fn getsid() -> i32 {
    // SAFETY: the call takes a number; it cannot fail for the own process.
    unsafe { libc::getsid(0) }
}

/// `chdir(2)`; compiled once, as the calls of `fs` that have a pathname.
pub fn chdir(path: impl AsRef<[u8]>) -> Result<(), Errno> {
    #[inline(never)]
    fn call(path: &[u8]) -> Result<(), Errno> {
        rustix::process::chdir(path)
    }
    call(path.as_ref())
}

/// The umask, 0-0777; reading it means setting it for a moment (umask(2)).
pub fn current_umask() -> u32 {
    let old = umask(super::fs::Mode::empty());
    umask(old);
    old.as_raw_mode()
}

/// Forks; the child runs `child` and ends with the status it returns, without running destructors of the parent's.
///
/// Returns the child's pid. rbox is one thread, so the child may do whatever the parent could.
pub fn fork_run(child: impl FnOnce() -> u8) -> Result<i32, Errno> {
    match fork()? {
        None => exit_now(child()),
        Some(pid) => Ok(pid),
    }
}

/// Forks; the child, for which `None` is, must be ended by the caller with `exit_now`. Else its pid.
///
/// For daemons and shells, whose child goes on where it is. Signals that this process has noted are not the child's.
pub fn fork() -> Result<Option<i32>, Errno> {
    let before = signal::set_blocked(SignalSet(u64::MAX));
    // SAFETY: rbox never starts a thread, so the child's copy of every lock and allocator state is consistent.
    let forked = match unsafe { system_fork() } {
        -1 => Err(last_errno()),
        0 => {
            signal::forget_pending();
            Ok(None)
        }
        pid => Ok(Some(pid)),
    };
    signal::set_blocked(before);
    forked
}

/// `_Fork` of POSIX.1-2024: without the handlers and locks of fork(), which are for programs with threads, but with a
/// libc that knows the child's thread number.
///
/// # Safety
/// The process has one thread.
#[cfg(target_env = "musl")]
unsafe fn system_fork() -> libc::pid_t {
    unsafe extern "C" {
        fn _Fork() -> libc::pid_t;
    }
    // SAFETY: the child has a copy of everything, the stack as well, and goes on from here.
    unsafe { _Fork() }
}

/// fork(2). On other systems the tests run, several at once in threads of one process.
///
/// # Safety
/// The child uses nothing that another thread may have locked.
#[cfg(not(target_env = "musl"))]
unsafe fn system_fork() -> libc::pid_t {
    // SAFETY: the caller's promise.
    unsafe { libc::fork() }
}

/// Ends the process at once: no destructor, no buffer is written. `_exit(2)`.
pub fn exit_now(status: u8) -> ! {
    // SAFETY: _exit takes a number and does not return.
    unsafe { libc::_exit(status.into()) }
}

/// Gives the process the name that `ps`, `pidof` and `killall` know it by, its first 15 bytes: `prctl(2)`, PR_SET_NAME.
pub fn set_name(name: &[u8]) {
    let mut text = [0u8; 16];
    let length = name.len().min(15);
    text[..length].copy_from_slice(&name[..length]);
    if let Ok(name) = CStr::from_bytes_until_nul(&text) {
        // It fails only on memory that cannot be read.
        let _ = rustix::thread::set_name(name);
    }
}

/// Waits for the child `pid`, or for any when that is -1: `waitpid(2)`. `None` when `options` hold NOHANG and nothing
/// changed.
///
/// An interruption by a signal is returned as `EINTR`, so that a shell can run its traps.
pub fn wait(pid: i32, options: WaitOptions) -> Result<Option<(i32, Change)>, Errno> {
    let changed =
        if pid < 0 { rustix::process::wait(options) } else { rustix::process::waitpid(Pid::from_raw(pid), options) };
    Ok(changed?.map(|(pid, status)| {
        let change = if let Some(code) = status.exit_status() {
            Change::Exited(code as u8)
        } else if let Some(signal) = status.stopping_signal() {
            Change::Stopped(signal)
        } else if let Some(signal) = status.terminating_signal() {
            Change::Signaled(signal)
        } else {
            Change::Continued
        };
        (pid.as_raw_pid(), change)
    }))
}

/// What the children that have ended used, as the kernel counts it: `getrusage(2)`, RUSAGE_CHILDREN.
pub fn usage_of_children() -> libc::rusage {
    // SAFETY: the structure is of integers, for which zeros are valid.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: the pointer is valid for the call. It cannot fail: the first argument is one of its constants.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    usage
}

/// Waits until the child `pid` has ended, whatever signals come.
pub fn wait_for(pid: i32) -> Result<Change, Errno> {
    loop {
        match wait(pid, WaitOptions::empty()) {
            Ok(Some((_, change))) => return Ok(change),
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Replaces the process by the program at `path`: `execve(2)`. Returns only the reason of a failure.
///
/// `words` hold argv[0] and the arguments, `environment` words of the form `NAME=value`. A word with a NUL byte is
/// `EINVAL`.
pub fn exec(path: &[u8], words: &[&[u8]], environment: &[&[u8]]) -> Errno {
    let (Ok(path), Some(words), Some(environment)) = (CString::new(path), c_strings(words), c_strings(environment))
    else {
        return Errno::INVAL;
    };
    let (words, environment) = (pointers(&words), pointers(&environment));
    let noted = signal::noted();
    if noted != SignalSet::default() {
        signal::hand_over(noted);
    }
    // SAFETY: path and the strings live until the call returns; both arrays end with a null pointer.
    unsafe { libc::execve(path.as_ptr(), words.as_ptr(), environment.as_ptr()) };
    let errno = last_errno();
    for number in noted.numbers() {
        // It was noted before.
        let _ = signal::set(number, signal::Disposition::Note);
    }
    errno
}

pub(super) fn c_strings(words: &[&[u8]]) -> Option<Vec<CString>> {
    words.iter().map(|word| CString::new(*word).ok()).collect()
}

pub(super) fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([core::ptr::null()]).collect()
}

/// The environment that the process was started with, as words `NAME=value`: `environ(7)`.
///
/// rbox never changes it; a shell keeps its own variables.
pub fn environment() -> impl Iterator<Item = &'static [u8]> {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    // SAFETY: environ is null or an array of NUL-terminated strings that ends with a null pointer; the C start-up set
    // it and nothing in rbox calls setenv or putenv, so it stays valid and unchanged for the life of the process.
    let mut at = unsafe { environ };
    core::iter::from_fn(move || {
        // SAFETY: as above; at never moves past the null pointer.
        unsafe {
            if at.is_null() || (*at).is_null() {
                return None;
            }
            let word = CStr::from_ptr(*at).to_bytes();
            at = at.add(1);
            Some(word)
        }
    })
}

/// The highest number of descriptors plus one that a loop over all of them has to visit: `getrlimit(2)`, RLIMIT_NOFILE.
pub fn descriptor_limit() -> RawFd {
    match getrlimit(Resource::Nofile).current {
        Some(limit) => RawFd::try_from(limit).unwrap_or(RawFd::MAX),
        None => 65_536,
    }
}

/// True when standard input is a serial line: `ioctl_tty(2)`, TIOCGSERIAL.
pub fn console_is_serial() -> bool {
    // serial_struct is 72 bytes on 64-bit machines, fewer elsewhere.
    let mut answer = [0u64; 16];
    // SAFETY: the kernel writes one serial_struct, which is smaller than the 128 bytes given and valid for the call.
    unsafe { libc::ioctl(0, libc::TIOCGSERIAL as _, answer.as_mut_ptr()) == 0 }
}
