//! Programs, read and written out again.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_shell::fuzz_parser(data));
