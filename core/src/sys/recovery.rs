//! Starting the program anew when it crashes: for PID 1, whose end is the end of the system.
//!
//! A fatal signal leaves memory in an unknown state, so all that the new start needs is made ready beforehand, and the
//! handler only makes system calls (signal-safety(7)).

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::ffi::CString;

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

/// What the handler needs: two paths to try, and words and environment that end with a null pointer.
struct Plan {
    paths: [CString; 2],
    words: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// A descriptor that the new start shall have.
    state: libc::c_int,
    message: Vec<u8>,
}

static PLAN: AtomicPtr<Plan> = AtomicPtr::new(ptr::null_mut());

/// The signals that a crash ends in: an abort raises SIGABRT, a panic without a message is an illegal instruction.
const FATAL: [libc::c_int; 6] = [libc::SIGSEGV, libc::SIGILL, libc::SIGBUS, libc::SIGFPE, libc::SIGABRT, libc::SIGSYS];

/// The stack of the handler, in bytes: a crash may be the end of the stack.
const STACK: usize = 32 << 10;

/// From now on a crash of this process prints `message` and executes `paths` (the first that works) with these words and
/// environment, and with `state` open. For the life of the process.
pub fn execute_on_crash(
    paths: [&[u8]; 2],
    words: &[&[u8]],
    environment: &[&[u8]],
    state: BorrowedFd<'_>,
    message: &[u8],
) -> Result<(), Errno> {
    let string = |word: &[u8]| CString::new(word).map_err(|_| Errno::INVAL);
    // The strings are never freed: the handler may need them at any time.
    let list = |words: &[&[u8]]| -> Result<Vec<*const libc::c_char>, Errno> {
        let mut list = Vec::with_capacity(words.len() + 1);
        for word in words {
            list.push(string(word)?.into_raw().cast_const());
        }
        list.push(ptr::null());
        Ok(list)
    };
    let plan = Plan {
        paths: [string(paths[0])?, string(paths[1])?],
        words: list(words)?,
        environment: list(environment)?,
        state: state.as_raw_fd(),
        message: message.to_vec(),
    };
    PLAN.store(Box::into_raw(Box::new(plan)), Ordering::Release);
    let stack = Vec::leak(vec![0u8; STACK]);
    // SAFETY: the stack lives for ever, and both structures are valid for the calls. The handler only makes system
    // calls and reads the plan, which is never changed or freed.
    unsafe {
        let area = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK };
        if libc::sigaltstack(&area, ptr::null_mut()) < 0 {
            return Err(last_errno());
        }
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = start_anew as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_ONSTACK;
        for signal in FATAL {
            if libc::sigaction(signal, &action, ptr::null_mut()) < 0 {
                return Err(last_errno());
            }
        }
    }
    Ok(())
}

/// Executes what `execute_on_crash` made ready, again and again until that works; returns when there is nothing. A handler of fatal signals may call it.
pub extern "C" fn start_anew(_signal: libc::c_int) {
    // SAFETY: the pointer is null or the plan, which is never changed or freed; every call here is one that
    // signal-safety(7) lists, with strings and arrays that live for ever. A zeroed sigset_t is an empty set.
    unsafe {
        let Some(plan) = PLAN.load(Ordering::Acquire).as_ref() else { return };
        // A child of fork has the handler too, but is not the one to be saved.
        if libc::getpid() != 1 {
            libc::_exit(139);
        }
        libc::write(2, plan.message.as_ptr().cast(), plan.message.len());
        let second = libc::timespec { tv_sec: 1, tv_nsec: 0 };
        libc::fcntl(plan.state, libc::F_SETFD, 0);
        let none: libc::sigset_t = core::mem::zeroed();
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        loop {
            // One that crashes at every start must leave some time to the rest of the system; memory for an execve comes
            // back.
            libc::nanosleep(&second, ptr::null_mut());
            for path in &plan.paths {
                libc::execve(path.as_ptr(), plan.words.as_ptr(), plan.environment.as_ptr());
            }
        }
    }
}
