//! Progress lines: what a stage does, how it ended and how long it took.

use std::io::{IsTerminal, Write};
use std::time::Instant;

/// One stage of the build; says its name when it starts and its time when it ends.
pub struct Stage {
    name: String,
    begun: Instant,
    terminal: bool,
}

impl Stage {
    /// Starts a stage called `name`.
    pub fn begin(name: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let stage = Self { name: name.to_owned(), begun: Instant::now(), terminal };
        stage.note("...");
        stage
    }

    /// Rewrites the stage's line with what it is doing now; silent when nobody watches.
    pub fn note(&self, doing: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{:<10} {doing}", self.name);
            // A progress line that cannot be shown is no reason to stop the build.
            let _ = std::io::stderr().flush();
        }
    }

    /// Ends the stage: one line with its result and its time.
    pub fn end(self, result: &str) {
        let erase = if self.terminal { "\r\x1b[K" } else { "" };
        let seconds = self.begun.elapsed().as_secs_f64();
        eprintln!("{erase}{:<10} {result} ({seconds:.1} s)", self.name);
    }
}

/// A size in bytes as people read it, in binary units.
pub fn human_size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
