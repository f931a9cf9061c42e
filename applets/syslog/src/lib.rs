//! The system log: who keeps it, and who writes to it.
#![forbid(unsafe_code)]

mod ring;

rbox_core::applets! {
    klogd: "/sbin/klogd";
    logger: "/usr/bin/logger";
    logread: "/sbin/logread";
    syslogd: "/sbin/syslogd";
}

#[cfg(fuzzing)]
pub use syslogd::fuzz;
