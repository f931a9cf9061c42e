//! Processes and the machine's load.
#![forbid(unsafe_code)]

rbox_core::applets! {
    free: "/usr/bin/free";
    fuser: "/usr/bin/fuser";
    iostat: "/bin/iostat";
    kill: "/bin/kill";
    killall: "/usr/bin/killall";
    killall5: "/usr/sbin/killall5";
    lsof: "/usr/bin/lsof";
    mpstat: "/bin/mpstat";
    nmeter: "/usr/bin/nmeter";
    pgrep: "/usr/bin/pgrep" "/usr/bin/pkill";
    pidof: "/bin/pidof";
    pmap: "/usr/bin/pmap";
    powertop: "/usr/sbin/powertop";
    ps: "/bin/ps";
    pstree: "/usr/bin/pstree";
    pwdx: "/usr/bin/pwdx";
    readprofile: "/usr/sbin/readprofile";
    smemcap: "/usr/bin/smemcap";
    sysctl: "/sbin/sysctl";
    time: "/usr/bin/time";
    top: "/usr/bin/top";
    uptime: "/usr/bin/uptime";
    watch: "/bin/watch";
}
