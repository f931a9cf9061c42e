//! Data in the format of compress(1), and what it encodes to where there is an encoder.
#![no_main]

use rbox_core::codec::{Format, fuzz};

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz(Format::Lzw, data));
