//! The console: its keyboard and its screen.
#![forbid(unsafe_code)]

rbox_core::applets! {
    clear: "/usr/bin/clear";
    dumpkmap: "/bin/dumpkmap";
    loadkmap: "/sbin/loadkmap";
}

#[cfg(fuzzing)]
pub use loadkmap::fuzz;
