//! Logging in: terminals, passwords, sessions.
#![forbid(unsafe_code)]

rbox_core::applets! {
    chpasswd: "/usr/sbin/chpasswd";
    getty: "/sbin/getty";
    last: "/usr/bin/last";
    login: "/bin/login";
    mkpasswd: "/usr/bin/mkpasswd" "/usr/bin/cryptpw";
    nologin: "/usr/sbin/nologin";
    passwd: "/usr/bin/passwd";
    su: "/bin/su";
    sulogin: "/sbin/sulogin";
    vlock: "/usr/bin/vlock";
}
