//! Heads and bodies that sendmail sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_mail::fuzz_mail(data));
