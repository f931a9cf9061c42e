//! Logging in: terminals, passwords, sessions.
#![forbid(unsafe_code)]

rbox_core::applets! {
    add_shell: "/usr/sbin/add-shell" "/usr/sbin/remove-shell";
    addgroup: "/usr/sbin/addgroup";
    adduser: "/usr/sbin/adduser";
    chpasswd: "/usr/sbin/chpasswd";
    deluser: "/usr/sbin/deluser" "/usr/sbin/delgroup";
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
