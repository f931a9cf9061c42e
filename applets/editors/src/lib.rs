//! The applets of the group editors.
#![forbid(unsafe_code)]

rbox_core::applets! {
    awk: "/usr/bin/awk";
}
