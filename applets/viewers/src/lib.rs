//! The applets of the group viewers.
#![forbid(unsafe_code)]

rbox_core::applets! {
    ascii: "/usr/bin/ascii";
    cal: "/usr/bin/cal";
    hexdump: "/usr/bin/hexdump" "/usr/bin/hd";
    strings: "/usr/bin/strings";
    tree: "/usr/bin/tree";
    ts: "/usr/bin/ts";
    ttysize: "/usr/bin/ttysize";
    xxd: "/usr/bin/xxd";
}
