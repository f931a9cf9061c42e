//! The applets of the group syslog.
#![forbid(unsafe_code)]
