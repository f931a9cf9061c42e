//! Messages that reach syslogd, and its rules.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_syslog::fuzz(data));
