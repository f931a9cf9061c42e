//! Names of signals (POSIX XBD signal.h, signal(7)), without their SIG.

use crate::number::parse_decimal;

/// The names of signals 1-31 on Linux.
pub const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL",
    "PWR", "SYS",
];

/// Other names of the same signals.
const ALIASES: [(&str, i32); 5] = [("EXIT", 0), ("IOT", 6), ("CLD", 17), ("IO", 29), ("RTMIN", 34)];

/// The number that `word` means: a number, or a name in any case, with or without SIG. `None` when it is no signal.
pub fn number_of(word: &[u8]) -> Option<i32> {
    if let Some(number) = parse_decimal(word) {
        return i32::try_from(number).ok().filter(|number| *number <= 64);
    }
    let upper = word.to_ascii_uppercase();
    let name = upper.strip_prefix(b"SIG").unwrap_or(&upper);
    let index = NAMES.iter().position(|known| known.as_bytes() == name);
    let alias = || ALIASES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, number)| *number);
    index.map(|index| index as i32 + 1).or_else(alias)
}

/// The name of signal `number` without SIG.
pub fn name_of(number: i32) -> Option<&'static str> {
    NAMES.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
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
