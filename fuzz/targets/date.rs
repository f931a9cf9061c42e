//! What `date -d` takes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::time::fuzz_date(data));
