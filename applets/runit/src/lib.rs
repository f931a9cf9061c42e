//! Service supervision as runit does it: service folders, `supervise/` files, and the commands over them.
#![forbid(unsafe_code)]

mod status;

rbox_core::applets! {
    runsv: "/usr/bin/runsv";
    runsvdir: "/usr/bin/runsvdir";
    sv: "/usr/bin/sv";
    svc: "/usr/bin/svc";
    svok: "/usr/bin/svok";
}
