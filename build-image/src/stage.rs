//! Progress lines: the work of a stage, its result and its time.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// One stage of the build; says its name when it starts and its time when it ends.
pub struct Stage {
    name: String,
    begun: Instant,
    terminal: bool,
    /// The time of the last line in a log.
    logged: Cell<Instant>,
}

/// The least time between two lines of a stage in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

impl Stage {
    /// Starts a stage called `name`.
    pub fn begin(name: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let begun = Instant::now();
        let stage = Self { name: name.to_owned(), begun, terminal, logged: Cell::new(begun) };
        stage.show("...");
        stage
    }

    /// Reports the present work: on a terminal in its line, in a log once a minute.
    pub fn note(&self, doing: &str) {
        if self.terminal || self.logged.get().elapsed() >= LOG_INTERVAL {
            self.show(doing);
        }
    }

    /// Reports the present work at once; for work that takes long.
    pub fn show(&self, doing: &str) {
        self.logged.set(Instant::now());
        if self.terminal {
            eprint!("\r\x1b[K{:<10} {doing}", self.name);
            // A progress line that cannot be written is no reason to stop the build.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{:<10} {doing}", self.name);
        }
    }

    /// Ends the stage: one line with its result and its time.
    pub fn end(self, result: &str) {
        let erase = if self.terminal { "\r\x1b[K" } else { "" };
        let seconds = self.begun.elapsed().as_secs_f64();
        eprintln!("{erase}{:<10} {result} ({seconds:.1} s)", self.name);
    }
}

/// A size in bytes, formatted in binary units.
pub fn human_size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
