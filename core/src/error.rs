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
///
/// It is one pointer, so that every `Result` that carries it on is small.
#[derive(Debug)]
pub struct Error(Box<Failure>);

#[derive(Debug)]
struct Failure {
    kind: Kind,
    status: Option<u8>,
    /// What to say, without the applet's name.
    message: Vec<u8>,
    errno: Option<Errno>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The command line was wrong: the message, when there is one, is followed by the usage text.
    Usage,
    /// The message says all.
    Message,
    /// Standard output is dead: nothing that follows can succeed.
    Output,
    /// No failure: `--help` or `--version` was among the options.
    Asked(Question),
}

/// What a command line asks for instead of the applet's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// `--help`
    Help,
    /// `--version`
    Version,
}

impl Question {
    /// The question that `word` is.
    pub fn of(word: &[u8]) -> Option<Self> {
        match word {
            b"--help" => Some(Self::Help),
            b"--version" => Some(Self::Version),
            _ => None,
        }
    }
}

impl Error {
    fn of_kind(kind: Kind, parts: &[&[u8]], errno: Option<Errno>) -> Self {
        Self(Box::new(Failure { kind, status: None, message: parts.concat(), errno }))
    }

    /// An error whose whole text is `message`.
    pub fn new(message: impl AsRef<[u8]>) -> Self {
        Self::parts(&[message.as_ref()])
    }

    /// An error in parts: they are joined without separators.
    pub fn parts(parts: &[&[u8]]) -> Self {
        Self::of_kind(Kind::Message, parts, None)
    }

    /// `operand: reason`, where the reason is the text of `errno`.
    pub fn on(operand: impl AsRef<[u8]>, errno: Errno) -> Self {
        Self::from(errno).context(operand)
    }

    /// `can't VERB 'operand': reason`, BusyBox's form for opening, creating, removing and the like.
    pub fn cannot(verb: &str, operand: &[u8], errno: Errno) -> Self {
        Self::on([b"can't ", verb.as_bytes(), b" '", operand, b"'"].concat(), errno)
    }

    /// The command line is wrong and the usage text says how it should be.
    pub fn usage() -> Self {
        Self::usage_because(&[])
    }

    /// The command line is wrong: `message`, then the usage text.
    pub fn usage_because(parts: &[&[u8]]) -> Self {
        Self::of_kind(Kind::Usage, parts, None)
    }

    /// The command line is wrong: a message of one part, then the usage text.
    pub fn misused(message: &str) -> Self {
        Self::usage_because(&[message.as_bytes()])
    }

    /// The command line asks a question, which [`Form`](crate::applet::Form) answers.
    pub fn asked(question: Question) -> Self {
        Self::of_kind(Kind::Asked(question), &[], None)
    }

    /// The question that the command line asks.
    pub fn question(&self) -> Option<Question> {
        if let Kind::Asked(question) = self.0.kind { Some(question) } else { None }
    }

    /// Writing standard output failed with `errno`.
    pub fn output(errno: Errno) -> Self {
        Self::of_kind(Kind::Output, &[b"write error: ", sys::error_text(errno).as_bytes()], Some(errno))
    }

    /// A size that comes from the input passes the memory that there is.
    pub fn out_of_memory() -> Self {
        Self::new("out of memory")
    }

    /// The error has been reported; only the status is left to return.
    pub fn silent(status: ExitStatus) -> Self {
        Self::parts(&[]).with_status(status.0)
    }

    /// The same error with a status of its own, instead of the applet's status for errors.
    pub fn with_status(mut self, status: u8) -> Self {
        self.0.status = Some(status);
        self
    }

    /// The same error with `prefix: ` before its message.
    pub fn context(mut self, prefix: impl AsRef<[u8]>) -> Self {
        if self.0.kind == Kind::Message && !self.0.message.is_empty() {
            self.0.message = [prefix.as_ref(), b": ", &self.0.message].concat();
        }
        self
    }

    /// The system's error number, when a system call was the cause.
    pub fn errno(&self) -> Option<Errno> {
        self.0.errno
    }

    /// True when standard output is dead, so that going on makes no sense.
    pub fn is_output(&self) -> bool {
        self.0.kind == Kind::Output
    }

    /// True when the usage text should follow the message.
    pub fn is_usage(&self) -> bool {
        self.0.kind == Kind::Usage
    }

    /// The status that the error carries, or else `default`.
    pub fn status(&self, default: u8) -> ExitStatus {
        ExitStatus(self.0.status.unwrap_or(default))
    }

    /// The text without the applet's name; empty when there is nothing to say.
    pub fn message(&self) -> &[u8] {
        &self.0.message
    }
}

impl From<Errno> for Error {
    /// A bare reason; `context` adds what it is about.
    fn from(errno: Errno) -> Self {
        Self::of_kind(Kind::Message, &[sys::error_text(errno).as_bytes()], Some(errno))
    }
}
