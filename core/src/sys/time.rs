//! Clocks: `clock_gettime(2)`, `clock_settime(2)`.

pub use rustix::time::{ClockId, Timespec, clock_settime};

/// Now, by `clock`: `int clock_gettime(clockid_t, struct timespec *)`.
///
/// The C library finds the kernel's own code for it in the auxiliary vector; rustix reads that vector from the kernel a
/// second time, at every first call.
pub fn clock_gettime(clock: ClockId) -> Timespec {
    // SAFETY: the structure is valid for the call, which writes it whole or, for a clock that does not exist, not at all.
    let now = unsafe {
        let mut now: libc::timespec = core::mem::zeroed();
        libc::clock_gettime(clock as libc::clockid_t, &mut now);
        now
    };
    Timespec { tv_sec: now.tv_sec as _, tv_nsec: now.tv_nsec as _ }
}

/// So many milliseconds, as calls that wait take them.
pub fn milliseconds(count: u64) -> Timespec {
    Timespec { tv_sec: (count / 1000) as i64, tv_nsec: (count % 1000 * 1_000_000) as _ }
}
