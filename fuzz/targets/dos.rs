//! Partition tables of the master boot record.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::block::dos::fuzz(data));
