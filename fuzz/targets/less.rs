//! Keys of less and the file that it shows.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_viewers::fuzz_less(data));
