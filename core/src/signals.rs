//! Names of signals (POSIX XBD signal.h, signal(7)), without their SIG.

use crate::names;
use crate::names::Names;
use crate::number::parse_decimal;

/// The names of the signals on Linux, and after them other names of the same signals. 0 is none: what `kill -0` sends.
pub const NAMES: Names = names! {
    "HUP" = 1, "INT" = 2, "QUIT" = 3, "ILL" = 4, "TRAP" = 5, "ABRT" = 6, "BUS" = 7, "FPE" = 8, "KILL" = 9, "USR1" = 10,
    "SEGV" = 11, "USR2" = 12, "PIPE" = 13, "ALRM" = 14, "TERM" = 15, "STKFLT" = 16, "CHLD" = 17, "CONT" = 18,
    "STOP" = 19, "TSTP" = 20, "TTIN" = 21, "TTOU" = 22, "URG" = 23, "XCPU" = 24, "XFSZ" = 25, "VTALRM" = 26,
    "PROF" = 27, "WINCH" = 28, "POLL" = 29, "PWR" = 30, "SYS" = 31,
    "EXIT" = 0, "IOT" = 6, "CLD" = 17, "IO" = 29, "RTMIN" = 34,
};

/// The number that `word` means: a number, or a name in any case, with or without SIG. `None` when it is no signal.
pub fn number_of(word: &[u8]) -> Option<i32> {
    if let Some(number) = parse_decimal(word) {
        return i32::try_from(number).ok().filter(|number| *number <= 64);
    }
    let upper = word.to_ascii_uppercase();
    let name = upper.strip_prefix(b"SIG").unwrap_or(&upper);
    NAMES.number_of(name).map(|number| number as i32)
}

/// The name of signal `number` without SIG.
pub fn name_of(number: i32) -> Option<&'static str> {
    NAMES.name_of(u64::try_from(number).ok().filter(|number| (1..=31).contains(number))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_mean_signals() {
        assert_eq!((number_of(b"sigterm"), number_of(b"HUP"), number_of(b"9")), (Some(15), Some(1), Some(9)));
        assert_eq!((number_of(b"0"), number_of(b"65"), number_of(b"NO"), number_of(b"")), (Some(0), None, None, None));
        assert_eq!((name_of(15), name_of(0), name_of(40)), (Some("TERM"), None, None));
    }
}
