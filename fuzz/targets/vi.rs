//! Keys of vi and the text that is edited.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_editors::fuzz_vi(data));
