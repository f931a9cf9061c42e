//! A script of `sed` and the lines that it runs on.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_editors::fuzz_sed(data));
