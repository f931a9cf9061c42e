//! What `dd` reports: records, bytes, time and rate, in GNU's words.

use rbox_core::prelude::*;
use rbox_core::signals::SIGINT;
use rbox_core::sys::signal::{self, SignalSet};
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::sys::{Errno, float};
use rbox_core::{push, text};

use super::plan::Status;

/// The counts of a copy, and what of them is shown.
pub struct Statistics {
    status: Status,
    /// What the display of the progress has shown: the time, and the columns that it took.
    shown: (u64, usize),
    /// Whole blocks, and those that were shorter.
    pub full_in: u64,
    pub partial_in: u64,
    pub full_out: u64,
    pub partial_out: u64,
    pub bytes: u64,
    /// Records that were longer than `cbs`.
    pub truncated: u64,
    /// A block could not be read.
    pub failed: bool,
    /// Nanoseconds of the monotonic clock.
    begun: u64,
}

/// Nanoseconds of the monotonic clock.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

impl Statistics {
    /// Nothing has been copied.
    pub fn new(status: Status) -> Self {
        let (begun, none) = (now(), 0);
        Self {
            status,
            shown: (begun, 0),
            full_in: none,
            partial_in: none,
            full_out: none,
            partial_out: none,
            bytes: none,
            truncated: none,
            failed: false,
            begun,
        }
    }

    /// Looks at the signals that were noted, and shows the progress. `EINTR` when SIGINT ends the copy.
    pub fn attend(&mut self, env: &mut Env) -> Result<()> {
        if signal::pending() != 0 {
            if signal::take_pending() & SignalSet::of(&[SIGINT]).0 != 0 {
                return Err(Error::from(Errno::INTR));
            }
            self.report(env)?;
        }
        if self.status == Status::Progress && now() - self.shown.0 >= 1_000_000_000 {
            let mut line = text!("\r", self.transfer(true));
            let columns = line.len();
            line.resize(columns.max(self.shown.1), b' ');
            self.shown = (now(), columns);
            env.stderr.write(&line)?;
            env.stderr.flush()?;
        }
        Ok(())
    }

    /// Prints what is asked for.
    pub fn report(&mut self, env: &mut Env) -> Result<()> {
        let mut text = Vec::new();
        if core::mem::take(&mut self.shown.1) > 0 {
            text.push(b'\n');
        }
        if self.status != Status::None {
            text.extend_from_slice(&self.records());
        }
        if matches!(self.status, Status::All | Status::Progress) {
            push!(text, self.transfer(false), "\n");
        }
        env.stderr.write(&text)
    }

    /// `1+0 records in`, and the same of the output and of truncated records.
    fn records(&self) -> Vec<u8> {
        let mut text = Vec::new();
        push!(text, self.full_in, "+", self.partial_in, " records in\n");
        push!(text, self.full_out, "+", self.partial_out, " records out\n");
        if self.truncated > 0 {
            push!(text, self.truncated, " truncated record", if self.truncated == 1 { "\n" } else { "s\n" });
        }
        text
    }

    /// `1024 bytes (1.0 kB, 1.0 KiB) copied, 0.5 s, 2.0 kB/s`; seconds are whole ones in a display of the progress.
    fn transfer(&self, whole_seconds: bool) -> Vec<u8> {
        let elapsed = now().saturating_sub(self.begun);
        let mut text = Vec::new();
        push!(text, self.bytes, if self.bytes == 1 { " byte" } else { " bytes" });
        if self.bytes >= 1000 {
            text.extend_from_slice(b" (");
            push_scaled(&mut text, self.bytes, 1000, 10);
            if self.bytes >= 1024 {
                text.extend_from_slice(b", ");
                push_scaled(&mut text, self.bytes, 1024, 10);
            }
            text.push(b')');
        }
        text.extend_from_slice(b" copied, ");
        if whole_seconds {
            push!(text, (elapsed + 500_000_000) / 1_000_000_000);
        } else {
            float::push(&mut text, elapsed as f64 / 1e9, b'g', None, false);
        }
        text.extend_from_slice(b" s, ");
        let rate = u128::from(self.bytes) * 1_000_000_000 / u128::from(elapsed.max(1));
        push_scaled(&mut text, u64::try_from(rate).unwrap_or(u64::MAX), 1000, 100);
        text.extend_from_slice(b"/s");
        text
    }
}

/// `number` bytes in a unit that is a power of `base`, not the bytes themselves: below `limit` with one decimal.
fn push_scaled(text: &mut Vec<u8>, number: u64, base: u64, limit: u64) {
    let (mut unit, mut power) = (base, 1);
    let rounded = |unit: u64| ((u128::from(number) + u128::from(unit / 2)) / u128::from(unit)) as u64;
    while power < 6 && rounded(unit) >= base {
        unit *= base;
        power += 1;
    }
    let tenths = ((u128::from(number) * 10 + u128::from(unit / 2)) / u128::from(unit)) as u64;
    if tenths < limit * 10 {
        push!(*text, tenths / 10, ".", tenths % 10);
    } else {
        push!(*text, rounded(unit));
    }
    let (units, end) = if base == 1000 { (b" kMGTPE", "B") } else { (b" KMGTPE", "iB") };
    push!(*text, " ", &[units[power]], end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_both_bases() {
        let scaled = |number, base| {
            let mut text = Vec::new();
            push_scaled(&mut text, number, base, 10);
            String::from_utf8_lossy(&text).into_owned()
        };
        assert_eq!((scaled(1024, 1000), scaled(1024, 1024)), ("1.0 kB".into(), "1.0 KiB".into()));
        assert_eq!((scaled(9_949, 1000), scaled(9_951, 1000)), ("9.9 kB".into(), "10 kB".into()));
        assert_eq!((scaled(999_499, 1000), scaled(999_500, 1000)), ("999 kB".into(), "1.0 MB".into()));
        assert_eq!((scaled(6, 1000), scaled(u64::MAX, 1000)), ("0.0 kB".into(), "18 EB".into()));
    }

    #[test]
    fn truncated_records_are_counted() {
        let mut statistics = Statistics { full_in: 1, partial_out: 2, ..Statistics::new(Status::None) };
        assert_eq!(statistics.records(), b"1+0 records in\n0+2 records out\n");
        statistics.truncated = 1;
        assert_eq!(statistics.records(), b"1+0 records in\n0+2 records out\n1 truncated record\n");
    }
}
