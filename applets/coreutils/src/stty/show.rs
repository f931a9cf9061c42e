//! The settings of a terminal as text.

use rbox_core::prelude::*;
use rbox_core::sys::BorrowedFd;
use rbox_core::sys::termios::{SpecialCodeIndex, Termios, tcgetwinsize};
use rbox_core::term::columns;
use rbox_core::text::Hex;
use rbox_core::{push, text};

use super::CODES;
use super::table::{CHARACTERS, MIN, TIME, expansion, flag, flags, index};

/// Items of a line, which ends before the width of the terminal is reached.
struct Lines {
    text: Vec<u8>,
    column: usize,
    width: usize,
}

impl Lines {
    fn item(&mut self, item: &[u8]) {
        if self.column > 0 {
            if self.column + 1 + item.len() >= self.width {
                self.end();
            } else {
                self.text.push(b' ');
                self.column += 1;
            }
        }
        self.text.extend_from_slice(item);
        self.column += item.len();
    }

    /// Ends a line that has begun.
    fn end(&mut self) {
        if self.column > 0 {
            self.text.push(b'\n');
            self.column = 0;
        }
    }
}

/// `speed`: the speed of both directions.
pub fn speed(state: &Termios) -> Vec<u8> {
    match (state.input_speed(), state.output_speed()) {
        (input, output) if input == output || input == 0 => text!(output, "\n"),
        (input, output) => text!(input, " ", output, "\n"),
    }
}

/// `-g`: the words of flags and the characters in hexadecimal.
pub fn save(state: &Termios) -> Vec<u8> {
    let words =
        [state.input_modes.bits(), state.output_modes.bits(), state.control_modes.bits(), state.local_modes.bits()];
    let mut text = Vec::new();
    for word in words {
        push!(text, Hex(word.into()), ":");
    }
    for number in 0..CODES {
        push!(text, Hex(code(state, number).into()), if number + 1 < CODES { ":" } else { "\n" });
    }
    text
}

fn code(state: &Termios, number: u64) -> u8 {
    index(number).map_or(0, |index: SpecialCodeIndex| state.special_codes[index])
}

/// All settings, or those flags that differ from what `sane` would make of them.
pub fn settings(env: &Env, file: BorrowedFd<'_>, state: &Termios, all: bool) -> Result<Vec<u8>> {
    let mut lines = Lines { text: Vec::new(), column: 0, width: columns(env) };
    match (state.input_speed(), state.output_speed()) {
        (input, output) if input == output || input == 0 => lines.item(&text!("speed ", output, " baud;")),
        (input, output) => lines.item(&text!("ispeed ", input, " baud; ospeed ", output, " baud;")),
    }
    if let (true, Ok(size)) = (all, tcgetwinsize(file)) {
        lines.item(&text!("rows ", size.ws_row, "; columns ", size.ws_col, ";"));
    }
    lines.item(&text!("line = ", state.line_discipline, ";"));
    lines.end();
    for (name, number) in CHARACTERS.iter() {
        lines.item(&text!(name, " = ", visible(code(state, number)), ";"));
    }
    lines.item(&text!("min = ", code(state, MIN), "; time = ", code(state, TIME), ";"));
    lines.end();
    let sane = sane(state);
    let mut kind = None;
    for (name, flag) in flags().filter(|(_, flag)| !flag.is_alias) {
        if kind.is_some_and(|kind| kind != flag.kind) {
            lines.end();
        }
        kind = Some(flag.kind);
        let is_set = flag.is_set(state);
        if !all && is_set == flag.is_set(&sane) || flag.field != 0 && !is_set {
            continue;
        }
        lines.item(&text!(if is_set { "" } else { "-" }, name));
    }
    lines.end();
    Ok(lines.text)
}

/// The flags as `stty sane` would set them.
fn sane(state: &Termios) -> Termios {
    let mut sane = state.clone();
    for word in expansion(b"sane").unwrap_or_default().split(' ') {
        let name = word.strip_prefix('-').unwrap_or(word);
        if let Some(flag) = flag(name.as_bytes()) {
            flag.set(&mut sane, name.len() == word.len());
        }
    }
    sane
}

/// A special character as it is typed.
fn visible(code: u8) -> Vec<u8> {
    match code {
        0 => b"<undef>".to_vec(),
        128.. => [b"M-", visible_low(code & 0x7f).as_slice()].concat(),
        _ => visible_low(code),
    }
}

fn visible_low(code: u8) -> Vec<u8> {
    match code {
        0..32 | 127 => vec![b'^', code ^ 0x40],
        _ => vec![code],
    }
}
