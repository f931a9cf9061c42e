//! Lines of passwd(5), group(5) and shadow(5).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::users::fuzz(data));
