//! The applets of the group findutils.
#![forbid(unsafe_code)]

rbox_core::applets! {
    find: "/usr/bin/find";
    grep: "/bin/grep" "/bin/egrep" "/bin/fgrep";
    xargs: "/usr/bin/xargs";
}
