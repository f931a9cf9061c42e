//! The system log: who keeps it, and who writes to it.
#![forbid(unsafe_code)]

rbox_core::applets! {
    klogd: "/sbin/klogd";
    logger: "/usr/bin/logger";
    syslogd: "/sbin/syslogd";
}
