//! The parts of zip archives.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::archive::zip::fuzz(data));
