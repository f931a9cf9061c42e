//! The table of init, and what it keeps for its own crash.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_init::fuzz(data));
