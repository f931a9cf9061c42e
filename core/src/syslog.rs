//! Messages to the system log: RFC 3164's form, sent to /dev/log.

use crate::names;
use crate::names::Names;
use crate::number::Decimal;
use crate::sys::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with};
use crate::sys::{OwnedFd, process};

/// Facility `auth` with severity `info`.
pub const AUTH_INFO: u16 = 4 << 3 | 6;
/// Facility `auth` with severity `warning`.
pub const AUTH_WARNING: u16 = 4 << 3 | 4;
/// Facility `daemon` with severity `info`.
pub const DAEMON_INFO: u16 = 3 << 3 | 6;

/// Names and numbers of the facilities (RFC 3164 4.1.1; 9-11 are not in use here).
pub const FACILITIES: Names = names! {
    "kern" = 0, "user" = 1, "mail" = 2, "daemon" = 3, "auth" = 4, "syslog" = 5, "lpr" = 6, "news" = 7, "uucp" = 8, "cron" = 9, "authpriv" = 10, "ftp" = 11, "local0" = 16, "local1" = 17, "local2" = 18, "local3" = 19, "local4" = 20, "local5" = 21, "local6" = 22, "local7" = 23, "security" = 4,
};

/// Names and numbers of the severities; the last three are old names.
pub const SEVERITIES: Names = names! {
    "emerg" = 0, "alert" = 1, "crit" = 2, "err" = 3, "warn" = 4, "notice" = 5, "info" = 6, "debug" = 7, "panic" = 0, "error" = 3, "warning" = 4,
};

/// A connection to the log, which goes on where /dev/log is out of sight (chroot(2)).
#[derive(Debug)]
pub struct Log(OwnedFd);

impl Log {
    /// `None` when nobody listens.
    pub fn open() -> Option<Self> {
        let address = SocketAddrUnix::new("/dev/log").ok()?;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
        connect(&socket, &address).ok()?;
        Some(Self(socket))
    }

    /// Sends one message; `tag` is the program's name, to which the PID is added.
    pub fn send(&self, priority: u16, tag: &[u8], message: &[u8]) -> bool {
        let pid = process::getpid().as_raw_pid() as u64;
        self.send_line(priority, &[tag, b"[", Decimal::new(pid).as_bytes(), b"]"].concat(), message)
    }

    fn send_line(&self, priority: u16, tag: &[u8], message: &[u8]) -> bool {
        let text = [b"<", Decimal::new(priority.into()).as_bytes(), b">", tag, b": ", message].concat();
        send(&self.0, &text, SendFlags::NOSIGNAL).is_ok()
    }
}

/// Sends one message; `tag` is the program's name. A log that nobody listens to loses it, as syslog(3) does.
pub fn log(priority: u16, tag: &[u8], message: &[u8]) {
    if let Some(log) = Log::open() {
        log.send(priority, tag, message);
    }
}

/// The same with the tag as it is. False when nobody listens.
pub fn send_line(priority: u16, tag: &[u8], message: &[u8]) -> bool {
    Log::open().is_some_and(|log| log.send_line(priority, tag, message))
}
