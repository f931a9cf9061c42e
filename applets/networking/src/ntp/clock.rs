//! The system's clock: it is set when it is far off, else the kernel's loop steers it (RFC 5905 12, adjtimex(2)).

use rbox_core::prelude::*;
use rbox_core::sys::rtc::{Discipline, Variable};
use rbox_core::sys::time::{ClockId, Timespec, clock_gettime, clock_settime};

/// RFC 5905 12: STEPT, the offset from which on the clock is set, in seconds.
const STEP: f64 = 0.128;
/// WATCH: for so many seconds an offset must be as large before a clock that was right is set.
const WATCH: f64 = 300.0;
/// STA_PLL, STA_INS, STA_DEL of adjtimex(2).
const LOOP: i32 = 1;
const INSERT: i32 = 0x10;
const DELETE: i32 = 0x20;

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    Stepped,
    Slewed,
    /// The offset may be a spike.
    Ignored,
}

/// What is known of the clock.
#[derive(Debug, Default)]
pub struct Clock {
    /// It was right once.
    is_set: bool,
    /// Uptime since when the offset has been large, in seconds.
    large_since: Option<f64>,
    /// The kernel's frequency, in parts in a million.
    pub drift: f64,
}

/// What an update knows: seconds, but for the leap indicator and the interval, a power of two.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub offset: f64,
    pub jitter: f64,
    pub distance: f64,
    pub leap: u8,
    pub poll: u8,
}

impl Clock {
    /// Brings the clock nearer to the right time. `once` slews all of the offset, as nobody comes back for more.
    pub fn update(&mut self, known: &Known, now: f64, once: bool) -> Result<Update> {
        let update = self.decide(known.offset, now);
        match update {
            Update::Stepped => {
                step(known.offset)?;
                (self.large_since, self.is_set) = (None, true);
            }
            Update::Slewed => self.slew(known, once)?,
            Update::Ignored => {}
        }
        Ok(update)
    }

    fn decide(&mut self, offset: f64, now: f64) -> Update {
        if offset.abs() < STEP {
            (self.large_since, self.is_set) = (None, true);
            return Update::Slewed;
        }
        let since = *self.large_since.get_or_insert(now);
        if self.is_set && now - since < WATCH { Update::Ignored } else { Update::Stepped }
    }

    fn slew(&mut self, known: &Known, once: bool) -> Result<()> {
        let failed = |errno| Error::on("adjtimex", errno);
        let mut discipline = Discipline::new();
        if once {
            discipline.set(Variable::Offset, (known.offset * 1e6) as i64);
        } else {
            let leap = match known.leap {
                1 => INSERT,
                2 => DELETE,
                _ => 0,
            };
            discipline.set_status(LOOP | leap);
            discipline.set(Variable::LoopOffset, (known.offset * 1e9) as i64);
            // With nanoseconds the kernel counts the interval as it is.
            discipline.set(Variable::TimeConstant, known.poll.into());
            discipline.set(Variable::MaxError, (known.distance * 1e6) as i64);
            discipline.set(Variable::EstimatedError, (known.jitter * 1e6) as i64);
        }
        discipline.apply().map_err(failed)?;
        let mut reading = Discipline::new();
        reading.apply().map_err(failed)?;
        self.drift = reading.values()[2] as f64 / 65_536.0;
        Ok(())
    }
}

/// Sets the clock by so many seconds.
fn step(offset: f64) -> Result<()> {
    let now = clock_gettime(ClockId::Realtime);
    // RFC 5905 6: an offset is less than 68 years, and nanoseconds of 64 bits last for 292.
    let nanos = now.tv_sec * 1_000_000_000 + now.tv_nsec as u64 as i64 + (offset * 1e9) as i64;
    let time = Timespec { tv_sec: nanos.div_euclid(1_000_000_000), tv_nsec: nanos.rem_euclid(1_000_000_000) as _ };
    clock_settime(ClockId::Realtime, time).map_err(|errno| Error::on("can't set time", errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_right_is_not_set_for_a_spike() {
        let mut clock = Clock::default();
        assert_eq!(clock.decide(1000.0, 0.0), Update::Stepped);
        clock.large_since = None;
        assert_eq!(clock.decide(0.1, 10.0), Update::Slewed);
        assert_eq!(clock.decide(-0.2, 20.0), Update::Ignored);
        assert_eq!(clock.decide(0.01, 100.0), Update::Slewed);
        assert_eq!(clock.decide(0.2, 200.0), Update::Ignored);
        assert_eq!(clock.decide(0.2, 499.0), Update::Ignored);
        assert_eq!(clock.decide(0.2, 500.0), Update::Stepped);
    }
}
