//! Traps (XCU trap): their slots and names.

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::signals;
use rbox_core::sys::signal::{self, Disposition};

/// The slot of the ERR trap, after those of the signals.
pub const ERR: usize = 65;
/// The slot of the DEBUG trap, which runs before each command.
pub const DEBUG: usize = 66;
/// The slot of the RETURN trap, which runs after each function.
pub const RETURN: usize = 67;
/// How many traps there can be.
pub const TRAPS: usize = 68;

/// Traps that no signal runs.
pub const PSEUDO: Names = names! { "ERR" = ERR, "DEBUG" = DEBUG, "RETURN" = RETURN };

/// The name of a signal; that of trap's 0 is EXIT.
pub fn signal_name(number: usize) -> Option<&'static str> {
    if number == 0 { Some("EXIT") } else { signals::name_of(i32::try_from(number).ok()?) }
}

/// The number of a signal by its name, with or without SIG, or by its number.
pub fn signal_number(word: &[u8]) -> Option<usize> {
    let pseudo = PSEUDO.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
    pseudo.map(|(_, number)| number as usize).or_else(|| Some(signals::number_of(word)? as usize))
}

/// Sets what a signal does to the shell.
pub fn set_disposition(number: i32, disposition: Disposition) {
    // SIGKILL and SIGSTOP alone cannot be set (sigaction(2)); POSIX leaves a trap on them undefined.
    let _ = signal::set(number, disposition);
}
