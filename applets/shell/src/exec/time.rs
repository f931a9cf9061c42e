//! The reserved word `time`, with bash's TIMEFORMAT.

use crate::state::stream::write_error;
use crate::state::{Run, Shell};
use crate::syntax::ast::Node;
use crate::syntax::copied::Copied;
use rbox_core::push;
use rbox_core::sys::job;
use rbox_core::text;
use rbox_core::text::Right;

/// The formats without TIMEFORMAT, and with `time -p` (XCU time).
const FORMAT: &[u8] = b"\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS";
const PORTABLE: &[u8] = b"real %2R\nuser %2U\nsys %2S";

impl Shell {
    /// Runs a command and prints the times of the clock, the user and the system on standard error.
    pub(super) fn run_time(&mut self, inner: Option<&Node>, portable: bool) -> Run {
        let start = std::time::Instant::now();
        let before = job::times();
        let result = match inner {
            Some(inner) => self.run(inner),
            None => Ok(()),
        };
        let real = start.elapsed().as_millis() as u64;
        let after = job::times();
        // Ticks are hundredths of a second; the shell's own and its children's.
        let spent = |at: usize| (after[at] + after[at + 2] - before[at] - before[at + 2]) * 10;
        let format = match self.get(b"TIMEFORMAT") {
            _ if portable => PORTABLE.copied(),
            Some(format) => format.copied(),
            None => FORMAT.copied(),
        };
        if format.is_empty() {
            return result;
        }
        match show(&format, [real, spent(0), spent(1)]) {
            Ok(text) => {
                write_error(&text);
            }
            Err(character) => self.report(&[b"TIMEFORMAT: '", &[character], b"': invalid format character"]),
        }
        result
    }
}

/// The format with `%R`, `%U` and `%S` replaced by the times in milliseconds, and `%P` by the share of the processor in
/// percent.
fn show(format: &[u8], [real, user, system]: [u64; 3]) -> Result<Vec<u8>, u8> {
    let mut text = Vec::new();
    let mut bytes = format.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let digits = bytes.next_if(u8::is_ascii_digit).map_or(3, |digit| usize::from(digit - b'0').min(3));
        let long = bytes.next_if_eq(&b'l').is_some();
        match bytes.next() {
            Some(b'R') => show_time(real, digits, long, &mut text),
            Some(b'U') => show_time(user, digits, long, &mut text),
            Some(b'S') => show_time(system, digits, long, &mut text),
            Some(b'P') => show_time((user + system) * 100_000 / real.max(1), digits, false, &mut text),
            Some(b'%') => text.push(b'%'),
            character => return Err(character.unwrap_or_default()),
        }
    }
    text.push(b'\n');
    Ok(text)
}

fn show_time(milliseconds: u64, digits: usize, long: bool, text: &mut Vec<u8>) {
    let mut seconds = milliseconds / 1000;
    if long {
        push!(*text, seconds / 60, "m");
        seconds %= 60;
    }
    push!(*text, seconds);
    if digits > 0 {
        let fraction = text!(".", Right(milliseconds % 1000, 3, b'0'));
        text.extend_from_slice(&fraction[..=digits]);
    }
    text.extend_from_slice(if long { b"s" } else { b"" });
}
