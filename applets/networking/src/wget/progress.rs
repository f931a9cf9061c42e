//! What is shown while a file is fetched: a bar on a terminal, a line now and then elsewhere.

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean, window};
use rbox_core::text;
use rbox_core::text::{Left, Right};

pub struct Progress {
    name: Vec<u8>,
    /// Bytes that were there before, all bytes if that is known, and those that have come.
    before: u64,
    whole: Option<u64>,
    got: u64,
    start: u64,
    /// When something was shown last.
    shown: u64,
    is_terminal: bool,
}

impl Progress {
    pub fn new(name: &[u8], before: u64, whole: Option<u64>) -> Self {
        let (now, name) = (uptime_milliseconds(), clean(name, b"", Shown::As(b'?')));
        let is_terminal = window(2).is_some();
        Self { name, before, whole, got: 0, start: now, shown: now, is_terminal }
    }

    /// Counts bytes, and shows the state once a second, or each ten seconds in a log.
    pub fn add(&mut self, count: u64, out: &mut Output) -> Result<()> {
        self.got += count;
        let now = uptime_milliseconds();
        if now - self.shown >= if self.is_terminal { 1000 } else { 10_000 } {
            self.shown = now;
            self.show(out)?;
        }
        Ok(())
    }

    /// Shows the last state.
    pub fn end(&mut self, out: &mut Output) -> Result<()> {
        self.show(out)?;
        if self.is_terminal { out.write(b"\n").and_then(|()| out.flush()) } else { Ok(()) }
    }

    fn show(&self, out: &mut Output) -> Result<()> {
        let (done, seconds) = (self.before + self.got, (uptime_milliseconds() - self.start) / 1000);
        let size = rbox_core::number::human(done);
        let mut line = text!(Left(&self.name[..self.name.len().min(20)], 20), " ");
        let left = match self.whole {
            Some(whole) if whole > 0 => {
                let percent = done.min(whole) * 100 / whole;
                line.extend_from_slice(&text!(Right(percent, 3, b' '), "% "));
                let columns = window(2).unwrap_or(80).saturating_sub(49);
                if self.is_terminal && columns >= 8 {
                    let stars = (columns as u64 * percent / 100) as usize;
                    line.extend_from_slice(&text!("|", Left(&vec![b'*'; stars][..], columns), "| "));
                }
                // The rest at the speed so far.
                whole.saturating_sub(done).saturating_mul(seconds) / self.got.max(1)
            }
            _ => seconds,
        };
        let time = text!(left / 3600, ":", Right(left / 60 % 60, 2, b'0'), ":", Right(left % 60, 2, b'0'));
        let word = if self.whole.is_some() { " ETA" } else { "" };
        line.extend_from_slice(&text!(Right(&size[..], 6, b' '), "  ", time, word));
        let line = if self.is_terminal { text!("\r", line) } else { text!(line, "\n") };
        out.write(&line)?;
        out.flush()
    }
}
