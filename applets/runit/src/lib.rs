//! Service supervision as runit does it: service directories, `supervise/` files, and the commands over them.
#![forbid(unsafe_code)]

mod state;
mod status;

rbox_core::applets! {
    chpst: "/usr/bin/chpst";
    envdir: "/usr/bin/envdir";
    runsv: "/usr/bin/runsv";
    runsvdir: "/usr/bin/runsvdir";
    setuidgid: "/usr/bin/setuidgid" "/usr/bin/envuidgid";
    softlimit: "/usr/bin/softlimit";
    sv: "/usr/bin/sv";
    svc: "/usr/bin/svc";
    svlogd: "/usr/sbin/svlogd";
    svok: "/usr/bin/svok";
}
