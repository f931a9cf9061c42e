//! What an applet returns: a status, or an error that says which operand and why.
//!
//! Messages have one form, `applet: operand: reason`; the applet's name is added where the error is printed.

use crate::sys::{self, Errno};

/// The exit status of an applet: 0 is success, 1-255 are its own (POSIX XCU 2.8.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExitStatus(pub u8);

impl ExitStatus {
    /// Everything went well.
    pub const SUCCESS: Self = Self(0);
    /// Something went wrong and has been reported.
    pub const FAILURE: Self = Self(1);

    /// `SUCCESS` when `ok`, else `FAILURE`.
    pub const fn from_ok(ok: bool) -> Self {
        if ok { Self::SUCCESS } else { Self::FAILURE }
    }

    /// Keeps the worse, that is the greater, of two statuses.
    pub fn worsen(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }
}

/// The result of anything that may fail with a message for the user.
pub type Result<T> = core::result::Result<T, Error>;

/// What an applet's `run` returns.
pub type Outcome = Result<ExitStatus>;

/// A failure on its way to the user.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    status: Option<u8>,
}

#[derive(Debug)]
enum Kind {
    /// The command line was wrong: the message, when there is one, is followed by the usage text.
    Usage(Vec<u8>),
    /// A message for standard error.
    Message(Vec<u8>, Option<Errno>),
    /// Standard output is dead: nothing that follows can succeed.
    Output(Errno),
    /// The user has been told already.
    Silent,
}

impl Error {
    /// An error whose whole text is `message`.
    pub fn new(message: impl AsRef<[u8]>) -> Self {
        Self { kind: Kind::Message(message.as_ref().to_vec(), None), status: None }
    }

    /// An error in parts: they are joined without separators.
    pub fn parts(parts: &[&[u8]]) -> Self {
        Self { kind: Kind::Message(parts.concat(), None), status: None }
    }

    /// `operand: reason`, where the reason is the text of `errno`.
    pub fn on(operand: impl AsRef<[u8]>, errno: Errno) -> Self {
        let reason = sys::error_text(errno);
        let text = [operand.as_ref(), b": ", reason.as_bytes()].concat();
        Self { kind: Kind::Message(text, Some(errno)), status: None }
    }

    /// `can't VERB 'operand': reason`, BusyBox's form for opening, creating, removing and the like.
    pub fn cannot(verb: &str, operand: &[u8], errno: Errno) -> Self {
        Self::on([b"can't ", verb.as_bytes(), b" '", operand, b"'"].concat(), errno)
    }

    /// The command line is wrong and the usage text says how it should be.
    pub fn usage() -> Self {
        Self { kind: Kind::Usage(Vec::new()), status: None }
    }

    /// The command line is wrong: `message`, then the usage text.
    pub fn usage_because(parts: &[&[u8]]) -> Self {
        Self { kind: Kind::Usage(parts.concat()), status: None }
    }

    /// Writing standard output failed with `errno`.
    pub fn output(errno: Errno) -> Self {
        Self { kind: Kind::Output(errno), status: None }
    }

    /// The user has been told; only the status is left to return.
    pub fn silent(status: ExitStatus) -> Self {
        Self { kind: Kind::Silent, status: Some(status.0) }
    }

    /// The same error with a status of its own, in place of the applet's status for errors.
    pub fn with_status(mut self, status: u8) -> Self {
        self.status = Some(status);
        self
    }

    /// The same error with `prefix: ` before its message.
    pub fn context(mut self, prefix: impl AsRef<[u8]>) -> Self {
        if let Kind::Message(text, _) = &mut self.kind {
            *text = [prefix.as_ref(), b": ", text].concat();
        }
        self
    }

    /// The system's error number, when a system call was the cause.
    pub fn errno(&self) -> Option<Errno> {
        match self.kind {
            Kind::Usage(_) | Kind::Silent => None,
            Kind::Message(_, errno) => errno,
            Kind::Output(errno) => Some(errno),
        }
    }

    /// True when standard output is dead, so that going on makes no sense.
    pub fn is_output(&self) -> bool {
        matches!(self.kind, Kind::Output(_))
    }

    /// True when the usage text should follow the message.
    pub fn is_usage(&self) -> bool {
        matches!(self.kind, Kind::Usage(_))
    }

    /// The status that the error carries, or else `default`.
    pub fn status(&self, default: u8) -> ExitStatus {
        ExitStatus(self.status.unwrap_or(default))
    }

    /// The text without the applet's name; empty when there is nothing to say.
    pub fn message(&self) -> Vec<u8> {
        match &self.kind {
            Kind::Usage(text) | Kind::Message(text, _) => text.clone(),
            Kind::Output(errno) => [b"write error: ", sys::error_text(*errno).as_bytes()].concat(),
            Kind::Silent => Vec::new(),
        }
    }
}

impl From<Errno> for Error {
    /// A bare reason; `context` adds what it is about.
    fn from(errno: Errno) -> Self {
        Self { kind: Kind::Message(sys::error_text(errno).as_bytes().to_vec(), Some(errno)), status: None }
    }
}

impl From<std::io::Error> for Error {
    /// Only `write!` to an `Output` makes these.
    fn from(error: std::io::Error) -> Self {
        Self::output(Errno::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO)))
    }
}
