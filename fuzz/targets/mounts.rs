//! Lines of fstab(5).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::mounts::fuzz(data));
