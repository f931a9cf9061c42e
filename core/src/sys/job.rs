//! What shells need beside the calls of `process`: times of a process and of its children.

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
