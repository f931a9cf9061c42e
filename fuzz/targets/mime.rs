//! Heads of MIME messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_mail::fuzz_mime(data));
