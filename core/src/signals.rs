//! Names of signals (POSIX XBD signal.h, signal(7)), without their SIG.

use crate::names;
use crate::names::Names;
use crate::number::parse_decimal;
use crate::text;

/// The names of the signals on Linux, and after them other names of the same signals. 0 is none: what `kill -0` sends.
pub const NAMES: Names = names! {
    "HUP" = 1, "INT" = 2, "QUIT" = 3, "ILL" = 4, "TRAP" = 5, "ABRT" = 6, "BUS" = 7, "FPE" = 8, "KILL" = 9, "USR1" = 10,
    "SEGV" = 11, "USR2" = 12, "PIPE" = 13, "ALRM" = 14, "TERM" = 15, "STKFLT" = 16, "CHLD" = 17, "CONT" = 18,
    "STOP" = 19, "TSTP" = 20, "TTIN" = 21, "TTOU" = 22, "URG" = 23, "XCPU" = 24, "XFSZ" = 25, "VTALRM" = 26,
    "PROF" = 27, "WINCH" = 28, "POLL" = 29, "PWR" = 30, "SYS" = 31,
    "EXIT" = 0, "IOT" = 6, "CLD" = 17, "IO" = 29, "RTMIN" = 34,
};

/// Interrupt from the keyboard.
pub const SIGINT: i32 = 2;
/// Write to a pipe without a reader.
pub const SIGPIPE: i32 = 13;
/// A child ended, stopped or continued.
pub const SIGCHLD: i32 = 17;
/// Stop from the keyboard.
pub const SIGTSTP: i32 = 20;
/// Terminal input of a background process.
pub const SIGTTIN: i32 = 21;
/// Terminal output of a background process.
pub const SIGTTOU: i32 = 22;
/// The window's size changed.
pub const SIGWINCH: i32 = 28;

/// One more than the last signal that has a name.
pub const END: usize = 32;

/// The first real-time signal in the numbering of libc, which keeps two for itself (signal(7)).
const FIRST_REAL_TIME: i32 = 34;

/// What a shell prints when a signal ended a process (XCU 2.11). Signals that end no process by default have no text.
const TEXTS: Names = names! {
    "Hangup" = 1, "Interrupt" = 2, "Quit" = 3, "Illegal instruction" = 4, "Trace/breakpoint trap" = 5, "Aborted" = 6,
    "Bus error" = 7, "Floating point exception" = 8, "Killed" = 9, "User defined signal 1" = 10,
    "Segmentation fault" = 11, "User defined signal 2" = 12, "Broken pipe" = 13, "Alarm clock" = 14, "Terminated" = 15,
    "Stack fault" = 16, "CPU time limit exceeded" = 24, "File size limit exceeded" = 25, "Virtual timer expired" = 26,
    "Profiling timer expired" = 27, "I/O possible" = 29, "Power failure" = 30, "Bad system call" = 31,
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

/// The description of signal `number`, as strsignal(3) has it.
pub fn description(number: i32) -> Vec<u8> {
    if let Some(text) = TEXTS.name_of(number.unsigned_abs().into()) {
        return text.into();
    }
    match number - FIRST_REAL_TIME {
        offset @ 0.. => text!("Real-time signal ", i64::from(offset)),
        _ => text!("Signal ", i64::from(number)),
    }
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

    #[test]
    fn a_signal_without_a_text_is_described_by_its_number() {
        assert_eq!((description(15), description(19)), (b"Terminated".to_vec(), b"Signal 19".to_vec()));
        assert_eq!(description(36), b"Real-time signal 2");
    }
}
