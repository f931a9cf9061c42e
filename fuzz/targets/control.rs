//! Control files and versions of Debian packages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_archival::fuzz_control(data));
