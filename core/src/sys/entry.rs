//! The program's entry: what C's `main` is given, without std's start-up.
//!
//! std's start-up polls the three standard descriptors and ignores SIGPIPE, which every child would inherit.

use std::ffi::CStr;

/// Calls `run` with the words of `argv`, and returns its status.
///
/// # Safety
/// `argv` points to `argc` NUL-terminated strings that live as long as the process: what C's `main` is given.
pub unsafe fn start(argc: i32, argv: *const *const libc::c_char, run: fn(&[&[u8]]) -> u8) -> i32 {
    super::crash::tell_where();
    let count = usize::try_from(argc).unwrap_or(0);
    let mut words: Vec<&'static [u8]> = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: the caller's promise.
        words.push(unsafe { CStr::from_ptr(*argv.add(index)) }.to_bytes());
    }
    run(&words).into()
}
