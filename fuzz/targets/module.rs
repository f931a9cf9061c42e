//! Kernel modules: ELF objects.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_modutils::fuzz(data));
