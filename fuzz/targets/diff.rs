//! Two files whose changes are found.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_editors::fuzz_diff(data));
