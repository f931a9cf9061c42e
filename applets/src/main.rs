//! The rbox binary: C's `main` and the table of all applets.
#![no_main]
#![deny(unsafe_code)]

mod registry;

/// The allocator of the program.
#[allow(unsafe_code)]
#[global_allocator]
// SAFETY: no applet starts a thread (docs/architecture.md), and signal handlers only set numbers.
static ALLOCATOR: rbox_core::sys::alloc::Allocator = unsafe { rbox_core::sys::alloc::Allocator::new() };

/// C's `main`.
///
/// # Safety
/// `argv` holds `argc` strings, as the C start-up promises.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(argc: i32, argv: *const *const core::ffi::c_char) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { rbox_core::sys::entry::start(argc, argv, run) }
}

fn run(words: &[&[u8]]) -> u8 {
    let registry = rbox_core::applet::Registry::new(registry::table, registry::run);
    rbox_core::call::main(registry, words).0
}
