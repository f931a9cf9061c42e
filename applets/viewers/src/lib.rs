//! The applets of the group viewers.
#![forbid(unsafe_code)]

mod pager;

rbox_core::applets! {
    ascii: "/usr/bin/ascii";
    cal: "/usr/bin/cal";
    hexdump: "/usr/bin/hexdump" "/usr/bin/hd";
    hexedit: "/usr/bin/hexedit";
    less: "/usr/bin/less";
    man: "/usr/bin/man";
    more: "/bin/more";
    strings: "/usr/bin/strings";
    tree: "/usr/bin/tree";
    ts: "/usr/bin/ts";
    xxd: "/usr/bin/xxd";
}

#[cfg(fuzzing)]
pub use hexdump::fuzz as fuzz_hexdump;
#[cfg(fuzzing)]
pub use less::fuzz as fuzz_less;
#[cfg(fuzzing)]
pub use man::fuzz as fuzz_man;
#[cfg(fuzzing)]
pub use xxd::fuzz as fuzz_xxd;
