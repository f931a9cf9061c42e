//! The applets of the group viewers.
#![forbid(unsafe_code)]

rbox_core::applets! {
    ascii: "/usr/bin/ascii";
    cal: "/usr/bin/cal";
    hexdump: "/usr/bin/hexdump" "/usr/bin/hd";
    strings: "/usr/bin/strings";
    tree: "/usr/bin/tree";
    ts: "/usr/bin/ts";
    xxd: "/usr/bin/xxd";
}

/// The parsers of outside data, for their fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzed {
    pub use crate::hexdump::fuzz as hexdump;
    pub use crate::xxd::fuzz as xxd;
}
