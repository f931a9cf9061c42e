//! Processes and the machine's load.
#![forbid(unsafe_code)]

rbox_core::applets! {
    free: "/usr/bin/free";
    kill: "/bin/kill";
    killall: "/usr/bin/killall";
    pidof: "/bin/pidof";
    ps: "/bin/ps";
    uptime: "/usr/bin/uptime";
}
