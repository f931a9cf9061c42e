//! The format of `supervise/status`: 20 bytes: the state of a service and the time of its last change.

use rbox_core::sys::time::{ClockId, clock_gettime};

/// TAI64's second of the Unix epoch, with the ten seconds that TAI was ahead in 1970.
const EPOCH: u64 = (1 << 62) + 10;

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing runs.
    Down = 0,
    /// `run` runs.
    Run = 1,
    /// `finish` runs.
    Finish = 2,
}

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Unix seconds and nanoseconds of the last change.
    pub since: (u64, u32),
    /// The process, 0 when none runs.
    pub pid: u32,
    /// It was sent SIGSTOP.
    pub paused: bool,
    /// `u`, `d` or 0 (once): what was last asked for.
    pub want: u8,
    /// It was sent SIGTERM.
    pub got_term: bool,
    /// What it does.
    pub state: State,
}

impl Status {
    /// The file's 20 bytes: TAI64N label, pid (little-endian), then one byte each.
    pub fn to_bytes(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&(self.since.0 + EPOCH).to_be_bytes());
        bytes[8..12].copy_from_slice(&self.since.1.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.pid.to_le_bytes());
        bytes[16] = self.paused.into();
        bytes[17] = self.want;
        bytes[18] = self.got_term.into();
        bytes[19] = self.state as u8;
        bytes
    }

    /// Reads the file's bytes; `None` when there are not 20 of them.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 20] = bytes.try_into().ok()?;
        Some(Self {
            since: (
                u64::from_be_bytes(bytes[..8].try_into().ok()?).saturating_sub(EPOCH),
                u32::from_be_bytes(bytes[8..12].try_into().ok()?),
            ),
            pid: u32::from_le_bytes(bytes[12..16].try_into().ok()?),
            paused: bytes[16] != 0,
            want: bytes[17],
            got_term: bytes[18] != 0,
            state: match bytes[19] {
                0 => State::Down,
                1 => State::Run,
                _ => State::Finish,
            },
        })
    }
}

/// The present, in Unix seconds and nanoseconds.
pub fn now() -> (u64, u32) {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec.max(0) as u64, now.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_runits_bytes() {
        let status = Status { since: (1, 2), pid: 258, paused: false, want: b'u', got_term: true, state: State::Run };
        let bytes = status.to_bytes();
        assert_eq!(bytes, *b"\x40\0\0\0\0\0\0\x0b\0\0\0\x02\x02\x01\0\0\0u\x01\x01");
        assert_eq!(Status::parse(&bytes), Some(status));
        assert_eq!(Status::parse(&bytes[1..]), None);
    }
}
