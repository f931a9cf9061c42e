//! The program's entry: C's `main`, without std's start-up.
//!
//! std's start-up polls the three standard descriptors and ignores SIGPIPE, which every child would inherit.

use std::ffi::CStr;

use crate::applet::Registry;

/// Defines C's `main` for the binary whose applets are in `$table` and are called by `$run` (see `Registry::new`).
#[macro_export]
macro_rules! entry {
    ($table:path, $run:path) => {
        #[global_allocator]
        // SAFETY: no applet starts a thread (docs/architecture.md), and signal handlers only set numbers.
        static ALLOCATOR: $crate::sys::alloc::Allocator = unsafe { $crate::sys::alloc::Allocator::new() };

        /// C's `main`.
        ///
        /// # Safety
        /// `argv` holds `argc` strings, as the C start-up promises.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn main(argc: i32, argv: *const *const core::ffi::c_char) -> i32 {
            // SAFETY: the caller's promise.
            unsafe { $crate::sys::entry::start(argc, argv, $crate::applet::Registry::new($table, $run)) }
        }
    };
}

/// Runs the applet that `argv` names and returns its status.
///
/// # Safety
/// `argv` points to `argc` NUL-terminated strings that live as long as the process: what C's `main` is given.
pub unsafe fn start(argc: i32, argv: *const *const libc::c_char, registry: Registry) -> i32 {
    super::crash::tell_where();
    let count = usize::try_from(argc).unwrap_or(0);
    let mut words: Vec<&'static [u8]> = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: the caller's promise.
        words.push(unsafe { CStr::from_ptr(*argv.add(index)) }.to_bytes());
    }
    i32::from(crate::call::main(registry, &words).0)
}
