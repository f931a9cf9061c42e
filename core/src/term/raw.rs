//! Raw mode: each key as it is pressed, without echo and without signals (termios(3)).

use crate::sys::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use crate::sys::{RawFd, fd};

/// A terminal in raw mode; dropping it brings back the mode before. Output is still processed: a newline returns too.
pub struct Raw {
    number: RawFd,
    before: Termios,
}

impl Raw {
    /// Puts the terminal in raw mode; `None` when the descriptor is no terminal.
    pub fn enter(number: RawFd) -> Option<Raw> {
        let file = fd::named(number).ok()?;
        let before = tcgetattr(file).ok()?;
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        raw.input_modes -= InputModes::ICRNL | InputModes::INLCR;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(file, OptionalActions::Drain, &raw).ok()?;
        Some(Raw { number, before })
    }

    /// The user's own characters for interrupt, end of file and erase.
    pub fn special(&self) -> [u8; 3] {
        [SpecialCodeIndex::VINTR, SpecialCodeIndex::VEOF, SpecialCodeIndex::VERASE]
            .map(|index| self.before.special_codes[index])
    }
}

/// Whether a terminal gives whole lines without showing them: a program that types at it wants no drawing.
pub fn is_silent(number: RawFd) -> bool {
    let both = LocalModes::ICANON | LocalModes::ECHO;
    fd::named(number).and_then(tcgetattr).is_ok_and(|state| state.local_modes & both == LocalModes::ICANON)
}

impl Drop for Raw {
    fn drop(&mut self) {
        // The terminal took these settings before; when it is gone there is nothing to restore.
        let _ = fd::named(self.number).and_then(|file| tcsetattr(file, OptionalActions::Drain, &self.before));
    }
}
