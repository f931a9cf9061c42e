//! Sources of manual pages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_viewers::fuzz_man(data));
