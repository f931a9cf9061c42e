//! Rules of mdev.conf, and the variables of an event of the kernel.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_hardware::fuzz(data));
