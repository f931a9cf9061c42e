//! Tables of crontab(5).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_jobs::fuzz(data));
