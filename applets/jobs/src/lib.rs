//! Commands at their time.
#![forbid(unsafe_code)]

mod table;

rbox_core::applets! {
    crond: "/usr/sbin/crond";
    crontab: "/usr/bin/crontab";
    inotifyd: "/sbin/inotifyd";
}

#[cfg(fuzzing)]
pub use table::fuzz;
