//! Lines of a dump that xxd(1) reverts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_viewers::fuzz_xxd(data));
