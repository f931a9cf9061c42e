//! Commands at their time.
#![forbid(unsafe_code)]

mod table;

rbox_core::applets! {
    bbconfig: "/bin/bbconfig";
    chat: "/usr/sbin/chat";
    crond: "/usr/sbin/crond";
    crontab: "/usr/bin/crontab";
    inotifyd: "/sbin/inotifyd";
    mim: "/usr/sbin/mim";
}

#[cfg(fuzzing)]
pub use table::fuzz;
