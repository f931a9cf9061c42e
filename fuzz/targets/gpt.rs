//! GUID partition tables.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::block::gpt::fuzz(data));
