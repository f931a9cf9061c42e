//! Commands of `ed`, on five lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_editors::fuzz_ed(data));
