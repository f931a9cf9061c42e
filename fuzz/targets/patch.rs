//! A patch, and a file that it is applied to.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_editors::fuzz_patch(data));
