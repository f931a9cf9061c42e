//! What the applets of rbox share. Modules depend on each other in one direction (see docs/architecture.md).
#![warn(missing_docs)]
// What is unsafe is in `sys`, and nowhere else.
#![deny(unsafe_code)]

pub mod accounts;
pub mod applet;
pub mod archive;
pub mod block;
pub mod bytes;
pub mod call;
pub mod codec;
pub mod condition;
pub mod copying;
pub mod crypt;
pub mod daemon;
pub mod doc;
pub mod duration;
pub mod env;
pub mod error;
pub mod escape;
pub mod ext4;
pub mod files;
mod front;
pub mod hash;
pub mod io;
pub mod mode;
pub mod mounts;
pub mod names;
pub mod net;
pub mod number;
pub mod options;
pub mod pattern;
pub mod printf;
pub mod processes;
pub mod random;
pub mod session;
pub mod signals;
#[allow(unsafe_code)]
pub mod sys;
pub mod syslog;
pub mod term;
pub mod testing;
pub mod text;
pub mod time;
pub mod tty;
pub mod unicode;
pub mod usage;
pub mod users;
pub mod utmp;

/// What nearly every applet's file imports.
pub mod prelude {
    pub use crate::applet::Applet;
    pub use crate::env::Env;
    pub use crate::error::{Error, ExitStatus, Outcome, Result};
    pub use crate::options;
    pub use crate::options::{Args, Opt};
}
