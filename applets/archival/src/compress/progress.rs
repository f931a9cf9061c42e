//! What `-v` shows on a terminal while a person waits: once a second, how many bytes of a file have been processed.

use rbox_core::number::human;
use rbox_core::prelude::*;
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::text;

/// The progress of one file.
pub struct Progress {
    /// When it is shown next, in seconds of the monotonic clock; `None`: never.
    next: Option<i64>,
    is_shown: bool,
}

impl Progress {
    /// Nothing has been processed.
    pub fn new(env: &Env, is_verbose: bool) -> Self {
        let is_wanted = is_verbose && env.stderr.is_terminal();
        Self { next: is_wanted.then(|| now() + 1), is_shown: false }
    }

    /// So many bytes have been processed.
    pub fn show(&mut self, env: &mut Env, name: &[u8], bytes: u64) -> Result<()> {
        let Some(next) = self.next else { return Ok(()) };
        let now = now();
        if now < next {
            return Ok(());
        }
        (self.next, self.is_shown) = (Some(now + 1), true);
        env.stderr.write(&text!("\r", name, ": ", &human(bytes), "\x1b[K"))?;
        env.stderr.flush()
    }

    /// Clears the line.
    pub fn end(&self, env: &mut Env) -> Result<()> {
        if self.is_shown { env.stderr.write(b"\r\x1b[K") } else { Ok(()) }
    }
}

fn now() -> i64 {
    clock_gettime(ClockId::Monotonic).tv_sec
}
