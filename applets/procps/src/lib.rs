//! Processes and the machine's load.
#![forbid(unsafe_code)]

rbox_core::applets! {
    free: "/usr/bin/free";
    fuser: "/usr/bin/fuser";
    kill: "/bin/kill";
    killall: "/usr/bin/killall";
    killall5: "/usr/sbin/killall5";
    pgrep: "/usr/bin/pgrep" "/usr/bin/pkill";
    pidof: "/bin/pidof";
    pmap: "/usr/bin/pmap";
    ps: "/bin/ps";
    pstree: "/usr/bin/pstree";
    pwdx: "/usr/bin/pwdx";
    sysctl: "/sbin/sysctl";
    time: "/usr/bin/time";
    uptime: "/usr/bin/uptime";
    watch: "/bin/watch";
}
