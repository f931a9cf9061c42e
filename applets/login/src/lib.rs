//! Logging in: terminals, passwords, sessions.
#![forbid(unsafe_code)]

rbox_core::applets! {
    getty: "/sbin/getty";
    login: "/bin/login";
    mkpasswd: "/usr/bin/mkpasswd" "/usr/bin/cryptpw";
    passwd: "/usr/bin/passwd";
}
