//! The first process, and the commands that stop the machine through it.
#![forbid(unsafe_code)]

rbox_core::applets! {
    bootchartd: "/sbin/bootchartd";
    halt: "/sbin/halt" "/sbin/poweroff" "/sbin/reboot";
    init: "/sbin/init" "/linuxrc";
    resume: "/bin/resume";
    run_parts: "/bin/run-parts";
    runlevel: "/sbin/runlevel";
    start_stop_daemon: "/sbin/start-stop-daemon";
}

#[cfg(fuzzing)]
pub use init::fuzz;
