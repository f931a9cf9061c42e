//! Expressions of the shell, read and computed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_shell::fuzz_arithmetic(data));
