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

/// Starts the program at `path` in a child without copying this process: `posix_spawn(3)`.
///
/// The child has this process's descriptors, group, mask and ignored signals. `words` and `environment` as for
/// `process::exec`; a word with a NUL byte is `EINVAL`.
pub fn spawn(path: &[u8], words: &[&[u8]], environment: &[&[u8]]) -> Result<i32, super::Errno> {
    use std::ffi::CString;
    let strings = |words: &[&[u8]]| words.iter().map(|word| CString::new(*word).ok()).collect::<Option<Vec<_>>>();
    let (Ok(path), Some(words), Some(environment)) = (CString::new(path), strings(words), strings(environment)) else {
        return Err(super::Errno::INVAL);
    };
    let pointers = |strings: &[CString]| -> Vec<*mut libc::c_char> {
        strings.iter().map(|string| string.as_ptr().cast_mut()).chain([core::ptr::null_mut()]).collect()
    };
    let (words, environment) = (pointers(&words), pointers(&environment));
    let mut pid = 0;
    // SAFETY: path and the strings live until the call returns, both arrays end with a null pointer, and the call does
    // not write through them; null actions and attributes are allowed.
    let error = unsafe {
        libc::posix_spawn(
            &mut pid,
            path.as_ptr(),
            core::ptr::null(),
            core::ptr::null(),
            words.as_ptr(),
            environment.as_ptr(),
        )
    };
    if error == 0 { Ok(pid) } else { Err(super::Errno::from_raw_os_error(error)) }
}
