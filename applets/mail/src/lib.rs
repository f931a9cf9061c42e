//! Mail and printing: messages and jobs that are sent to other machines.
#![forbid(unsafe_code)]

mod helper;
mod mime;
mod printer;
mod talk;

rbox_core::applets! {
    lpd: "/usr/sbin/lpd";
    lpq: "/usr/bin/lpq";
    lpr: "/usr/bin/lpr";
    makemime: "/bin/makemime";
    popmaildir: "/usr/sbin/popmaildir";
    reformime: "/bin/reformime";
    sendmail: "/usr/sbin/sendmail";
}

#[cfg(fuzzing)]
pub use {mime::fuzz as fuzz_mime, sendmail::fuzz as fuzz_mail};
