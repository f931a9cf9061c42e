//! Hardware clocks: rtc(4), linux/rtc.h; the kernel's zone, settimeofday(2); its clock's discipline, adjtimex(2).

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

const RTC_AIE_ON: u64 = 0x7001;
const RTC_AIE_OFF: u64 = 0x7002;
const RTC_RD_TIME: u64 = 0x8024_7009;
const RTC_SET_TIME: u64 = 0x4024_700a;
const RTC_WKALM_SET: u64 = 0x4028_700f;
const RTC_WKALM_RD: u64 = 0x8028_7010;
const RTC_PARAM_GET: u64 = 0x4018_7013;
const RTC_PARAM_SET: u64 = 0x4018_7014;

/// struct rtc_time: second, minute, hour, day of the month, month from 0, year from 1900, and three that are not read.
pub type Reading = [i32; 9];

/// struct rtc_wkalrm.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Alarm {
    /// 1 when it is armed.
    pub enabled: u8,
    /// 1 when it has gone off and nobody has seen it.
    pub pending: u8,
    /// When.
    pub time: Reading,
}

/// struct rtc_param.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameter {
    /// RTC_PARAM_*.
    pub number: u64,
    /// Its value.
    pub value: u64,
    /// Which of several, and padding.
    pub index: [u32; 2],
}

fn ioctl<T>(file: BorrowedFd<'_>, request: u64, data: &mut T) -> Result<(), Errno> {
    // SAFETY: every request of this module comes with the structure that the kernel reads or writes for it.
    if unsafe { libc::ioctl(file.as_raw_fd(), request as _, core::ptr::from_mut(data)) } < 0 {
        return Err(last_errno());
    }
    Ok(())
}

/// What the clock shows.
pub fn read(file: BorrowedFd<'_>) -> Result<Reading, Errno> {
    let mut reading = Reading::default();
    ioctl(file, RTC_RD_TIME, &mut reading)?;
    Ok(reading)
}

/// Sets the clock.
pub fn set(file: BorrowedFd<'_>, mut reading: Reading) -> Result<(), Errno> {
    ioctl(file, RTC_SET_TIME, &mut reading)
}

/// The alarm that wakes the machine.
pub fn alarm(file: BorrowedFd<'_>) -> Result<Alarm, Errno> {
    let mut alarm = Alarm::default();
    ioctl(file, RTC_WKALM_RD, &mut alarm)?;
    Ok(alarm)
}

/// Sets the alarm that wakes the machine.
pub fn set_alarm(file: BorrowedFd<'_>, mut alarm: Alarm) -> Result<(), Errno> {
    ioctl(file, RTC_WKALM_SET, &mut alarm)
}

/// Lets the alarm interrupt, or not.
pub fn allow_alarm(file: BorrowedFd<'_>, allowed: bool) -> Result<(), Errno> {
    ioctl(file, if allowed { RTC_AIE_ON } else { RTC_AIE_OFF }, &mut ())
}

/// Reads a parameter of the clock into its value.
pub fn parameter(file: BorrowedFd<'_>, parameter: &mut Parameter) -> Result<(), Errno> {
    ioctl(file, RTC_PARAM_GET, parameter)
}

/// Sets a parameter of the clock.
pub fn set_parameter(file: BorrowedFd<'_>, parameter: &mut Parameter) -> Result<(), Errno> {
    ioctl(file, RTC_PARAM_SET, parameter)
}

/// Tells the kernel its zone, in minutes west of UTC. The first call after boot with a zone other than 0 also moves the
/// system's clock, which was set from a hardware clock in local time.
pub fn set_zone(minutes_west: i32) -> Result<(), Errno> {
    let zone = [minutes_west, 0];
    // SAFETY: struct timezone is two ints, which live for the call; no time is set.
    match unsafe { libc::settimeofday(core::ptr::null(), zone.as_ptr().cast()) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// Variables of the kernel's clock.
#[derive(Clone, Copy, Debug)]
pub struct Discipline(libc::timex);

impl Discipline {
    /// Nothing is to be set.
    pub fn new() -> Self {
        // SAFETY: struct timex is integers alone, for which zeros are values.
        Self(unsafe { core::mem::zeroed() })
    }

    /// Says that a variable is to be set.
    pub fn set(&mut self, variable: Variable, value: i64) {
        let (mode, field) = match variable {
            // ADJ_OFFSET_SINGLESHOT: the offset is slewed once.
            Variable::Offset => (0x8001, &mut self.0.offset),
            Variable::Frequency => (2, &mut self.0.freq),
            Variable::TimeConstant => (0x20, &mut self.0.constant),
            Variable::Tick => (0x4000, &mut self.0.tick),
            // ADJ_OFFSET and ADJ_NANO.
            Variable::LoopOffset => (0x2001, &mut self.0.offset),
            Variable::MaxError => (4, &mut self.0.maxerror),
            Variable::EstimatedError => (8, &mut self.0.esterror),
        };
        *field = value as _;
        self.0.modes |= mode;
    }

    /// Says that the status is to be set, `STA_...`.
    pub fn set_status(&mut self, status: i32) {
        self.0.status = status;
        self.0.modes |= 0x10;
    }

    /// Sets what is to be set and reads all; the kernel's answer, 0-5 (TIME_OK to TIME_ERROR).
    pub fn apply(&mut self) -> Result<i32, Errno> {
        // SAFETY: the kernel reads and writes one struct timex, which lives for the call.
        match unsafe { libc::adjtimex(&raw mut self.0) } {
            -1 => Err(last_errno()),
            state => Ok(state),
        }
    }

    /// Modes, offset, frequency, maximal and estimated error, status, time constant, precision, tolerance, tick, and the
    /// clock's seconds and microseconds.
    pub fn values(&self) -> [i64; 12] {
        let t = &self.0;
        let time: [i64; 2] = [t.time.tv_sec as _, t.time.tv_usec as _];
        [
            i64::from(t.modes),
            t.offset as _,
            t.freq as _,
            t.maxerror as _,
            t.esterror as _,
            i64::from(t.status),
            t.constant as _,
            t.precision as _,
            t.tolerance as _,
            t.tick as _,
            time[0],
            time[1],
        ]
    }
}

impl Default for Discipline {
    fn default() -> Self {
        Self::new()
    }
}

/// A variable that adjtimex(2) sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Microseconds.
    Offset,
    /// 65,536 is one part in a million.
    Frequency,
    /// Of the phase-locked loop.
    TimeConstant,
    /// Microseconds between clock ticks.
    Tick,
    /// The offset that the phase-locked loop is told, in nanoseconds, at most half a second.
    LoopOffset,
    /// Microseconds.
    MaxError,
    /// Microseconds.
    EstimatedError,
}
