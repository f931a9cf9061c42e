//! MINIX filesystems, repaired.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_disk::fuzz(data));
