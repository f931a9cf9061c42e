//! The text of a program, where it came from, and the escapes in strings.

use rbox_core::error::Error;
use rbox_core::escape::control;

/// Where the text of a program came from.
pub struct Source {
    /// What messages call it: `cmd. line`, or the name of the file.
    pub name: Vec<u8>,
    /// The offset at which it begins in the whole text.
    pub start: usize,
}

/// The text of a program, joined from its sources.
#[derive(Default)]
pub struct Script {
    /// The text.
    pub text: Vec<u8>,
    /// The sources, in their order.
    pub sources: Vec<Source>,
}

impl Script {
    /// Adds the text of one source. Each ends its last line.
    pub fn add(&mut self, name: &[u8], text: &[u8]) {
        self.sources.push(Source { name: name.to_vec(), start: self.text.len() });
        self.text.extend_from_slice(text);
        self.text.push(b'\n');
    }

    /// An error at an offset, in BusyBox's form: `cmd. line:1: MESSAGE`.
    pub fn error(&self, at: usize, message: &[u8]) -> Error {
        let source = self.sources.iter().rev().find(|source| source.start <= at);
        let (name, start) = source.map_or((&b"cmd. line"[..], 0), |source| (&source.name[..], source.start));
        // The end of the text is on its last line.
        let before = &self.text[start..at.min(self.text.len().saturating_sub(1)).max(start)];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::new(rbox_core::text!(name, ":", line, ": ", message))
    }
}

/// Adds what the escape after a backslash means in a string, and returns its length. An unknown one is the character
/// itself, as in BusyBox and gawk.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(&first) = text.first() else {
        out.push(b'\\');
        return 0;
    };
    out.push(match first {
        // A string goes on after an escaped newline.
        b'\n' => return 1,
        b'0'..=b'7' => {
            let digits = text.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let code = text[..digits].iter().fold(0u32, |code, digit| code * 8 + u32::from(digit - b'0'));
            out.push(code as u8);
            return digits;
        }
        b'x' => {
            let digits = text[1..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
            if digits > 0 {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0);
                out.push(text[1..=digits].iter().fold(0, |code, byte| code * 16 + digit(byte)) as u8);
                return 1 + digits;
            }
            b'x'
        }
        other => control(other).unwrap_or(other),
    });
    1
}

/// The text with its escapes replaced: the value of `-v` and of an operand that is an assignment.
pub fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\\' => at += unescape(&text[at..], &mut out),
            _ => out.push(byte),
        }
    }
    out
}
