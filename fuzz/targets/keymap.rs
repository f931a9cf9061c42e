//! Binary keymaps and their source.
#![no_main]

#[path = "../../build-image/src/keymap.rs"]
mod source;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    rbox_console::fuzz(data);
    if let Some(map) = std::str::from_utf8(data).ok().and_then(|text| source::compile(text).ok()) {
        rbox_console::fuzz(&map);
    }
});
