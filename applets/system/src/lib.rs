//! The kernel's side of the system.
#![forbid(unsafe_code)]

rbox_core::applets! {
    adjtimex: "/sbin/adjtimex";
    chrt: "/usr/bin/chrt";
    dmesg: "/bin/dmesg";
    flock: "/usr/bin/flock";
    getopt: "/bin/getopt";
    ionice: "/bin/ionice";
    ipcrm: "/usr/bin/ipcrm";
    ipcs: "/usr/bin/ipcs";
    mesg: "/usr/bin/mesg";
    mountpoint: "/bin/mountpoint";
    nsenter: "/usr/bin/nsenter";
    pivot_root: "/sbin/pivot_root";
    renice: "/usr/bin/renice";
    setarch: "/bin/setarch" "/bin/linux32" "/bin/linux64";
    setpriv: "/bin/setpriv";
    setsid: "/usr/bin/setsid";
    switch_root: "/sbin/switch_root" "/sbin/run-init";
    taskset: "/usr/bin/taskset";
    unshare: "/usr/bin/unshare";
    wall: "/usr/bin/wall";
}
