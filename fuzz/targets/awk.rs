//! Programs of awk, read and compiled.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_editors::fuzz_awk(data));
