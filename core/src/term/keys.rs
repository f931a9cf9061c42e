//! Keys: characters of UTF-8, and the sequences of xterm, the Linux console and what imitates them (ECMA-48).

use crate::sys::{Errno, RawFd, fd, signal};
use crate::tty::wait_readable;

/// How long the bytes of one key may be apart, in milliseconds: a lone escape differs from a sequence by it.
const GAP: u64 = 50;

/// A key. Control characters and DEL are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// A byte that is no part of a character.
    Byte(u8),
    /// A character with the Alt key, or after an escape.
    Meta(char),
    /// The arrow.
    Up,
    /// The arrow.
    Down,
    /// The arrow.
    Left,
    /// The arrow.
    Right,
    /// The arrow with Control or Alt.
    WordLeft,
    /// The arrow with Control or Alt.
    WordRight,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// The key that deletes under the cursor.
    Delete,
    /// The key that turns overwriting on and off.
    Insert,
    /// A screen back.
    PageUp,
    /// A screen on.
    PageDown,
    /// A sequence without a meaning here.
    Unknown,
    /// A signal came.
    Signal,
    /// Nothing came in time.
    TimedOut,
    /// The terminal is gone.
    Hangup,
}

/// The keys of a terminal.
#[derive(Debug, Default)]
pub struct Keys {
    number: RawFd,
    /// How long to wait for a key, in milliseconds; `None` = for ever.
    pub timeout: Option<u64>,
    /// The user's characters for interrupt, end of file and erase.
    pub special: [u8; 3],
    /// An escape alone is a key: what follows it at once must be a sequence to belong to it.
    pub lone_escape: bool,
    /// A byte that was read too far.
    back: Option<u8>,
    /// Keys to be given before the terminal's, last first.
    replay: Vec<Key>,
}

impl Keys {
    /// The keys of the terminal that this descriptor is.
    pub fn of(number: RawFd) -> Self {
        Self { number, ..Self::default() }
    }

    /// The next key.
    pub fn read(&mut self) -> Key {
        if let Some(key) = self.replay.pop() {
            return key;
        }
        if self.back.is_none() {
            match fd::named(self.number).and_then(|file| signal::wait_readable(file, self.timeout)) {
                Ok(true) => {}
                Ok(false) => return Key::TimedOut,
                Err(Errno::INTR) => return Key::Signal,
                Err(_) => return Key::Hangup,
            }
        }
        match self.byte() {
            Ok(byte) => self.decode(byte),
            Err(key) => key,
        }
    }

    /// Gives these keys before what the terminal has.
    pub fn replay(&mut self, keys: &[Key]) {
        self.replay.extend(keys.iter().rev());
    }

    /// Whether a key is there already.
    pub fn is_ready(&self) -> bool {
        !self.replay.is_empty() || self.back.is_some() || self.has_byte(0)
    }

    /// Whether a byte comes within so many milliseconds.
    fn has_byte(&self, milliseconds: u64) -> bool {
        fd::named(self.number).is_ok_and(|file| wait_readable(file, Some(milliseconds)))
    }

    /// One byte and no more: what follows the line belongs to the commands that read it.
    fn byte(&mut self) -> Result<u8, Key> {
        if let Some(byte) = self.back.take() {
            return Ok(byte);
        }
        let mut byte = [0];
        match fd::named(self.number).and_then(|file| fd::read(file, &mut byte)) {
            Ok(1) => Ok(byte[0]),
            Err(Errno::INTR) => Err(Key::Signal),
            _ => Err(Key::Hangup),
        }
    }

    /// The next byte when it comes at once.
    fn next_byte(&mut self) -> Option<u8> {
        if self.back.is_none() && !self.has_byte(GAP) {
            return None;
        }
        self.byte().ok()
    }

    fn decode(&mut self, byte: u8) -> Key {
        // The kernel's 0 says that a special character is switched off.
        let [interrupt, end, erase] = self.special;
        match byte {
            27 => self.escape(),
            0 => Key::Char('\0'),
            _ if byte == interrupt => Key::Char('\x03'),
            _ if byte == end => Key::Char('\x04'),
            _ if byte == erase => Key::Char('\x7f'),
            1..128 => Key::Char(byte.into()),
            _ => self.character(byte),
        }
    }

    fn character(&mut self, first: u8) -> Key {
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Key::Byte(first),
        };
        let mut bytes = [first, 0, 0, 0];
        for at in 1..length {
            match self.next_byte() {
                Some(byte) if byte & 0xc0 == 0x80 => bytes[at] = byte,
                other => {
                    self.back = other;
                    let rest: Vec<Key> = bytes[1..at].iter().map(|&byte| Key::Byte(byte)).collect();
                    self.replay(&rest);
                    return Key::Byte(first);
                }
            }
        }
        super::character(&bytes[..length]).0.map_or(Key::Byte(first), Key::Char)
    }

    fn escape(&mut self) -> Key {
        let next = if self.lone_escape { self.next_byte() } else { self.byte().ok() };
        match next {
            // vi's `O` after an escape: what comes next must belong to a sequence.
            Some(b'O') if self.lone_escape => match self.next_byte() {
                Some(letter @ (b'A'..=b'D' | b'F' | b'H' | b'P'..=b'S')) => Self::named(letter, 0, false),
                other => {
                    self.back = other;
                    self.replay(&[Key::Char('O')]);
                    Key::Char('\x1b')
                }
            },
            Some(b'[' | b'O') => self.sequence(),
            Some(byte) if !self.lone_escape => match self.decode_plain(byte) {
                Key::Char(character) => Key::Meta(character),
                _ => Key::Unknown,
            },
            other => {
                self.back = other;
                Key::Char('\x1b')
            }
        }
    }

    fn decode_plain(&mut self, byte: u8) -> Key {
        if byte < 128 { Key::Char(byte.into()) } else { self.character(byte) }
    }

    /// `ESC [ parameters letter`, `ESC O letter`, and the Linux console's `ESC [ [ letter` of function keys.
    fn sequence(&mut self) -> Key {
        let (mut number, mut modified) = (0usize, false);
        while let Some(byte) = self.next_byte() {
            match byte {
                b'0'..=b'9' if !modified => number = number.saturating_mul(10) + usize::from(byte - b'0'),
                b';' => modified = true,
                0x20..=0x3f | b'[' => {}
                _ => return Self::named(byte, number, modified),
            }
        }
        Key::Unknown
    }

    fn named(letter: u8, number: usize, modified: bool) -> Key {
        match (letter, number) {
            (b'A', _) => Key::Up,
            (b'B', _) => Key::Down,
            (b'C', _) if modified => Key::WordRight,
            (b'D', _) if modified => Key::WordLeft,
            (b'C', _) => Key::Right,
            (b'D', _) => Key::Left,
            // rxvt's keys with Control.
            (b'c', _) => Key::WordRight,
            (b'd', _) => Key::WordLeft,
            (b'H', _) | (b'~', 1 | 7) => Key::Home,
            (b'F', _) | (b'~', 4 | 8) => Key::End,
            (b'~', 2) => Key::Insert,
            (b'~', 3) => Key::Delete,
            (b'~', 5) => Key::PageUp,
            (b'~', 6) => Key::PageDown,
            _ => Key::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{AsRawFd, pipe};

    fn keys(typed: &[u8], lone_escape: bool) -> Vec<Key> {
        let (reader, writer) = pipe::pipe().expect("a pipe");
        fd::write(&writer, typed).expect("it fits");
        drop(writer);
        let mut keys = Keys { number: reader.as_raw_fd(), lone_escape, special: [3, 4, 127], ..Keys::default() };
        let next = || Some(keys.read()).filter(|key| *key != Key::Hangup);
        core::iter::from_fn(next).collect()
    }

    #[test]
    fn sequences_are_one_key() {
        let expected = [Key::Up, Key::Home, Key::Delete, Key::WordLeft, Key::Unknown, Key::Char('x')];
        assert_eq!(keys(b"\x1b[A\x1bOH\x1b[3~\x1b[1;5D\x1b[[Ax", false)[..4], expected[..4]);
        assert_eq!(keys(b"\x1b[15~x", false), [Key::Unknown, Key::Char('x')]);
    }

    #[test]
    fn an_escape_makes_meta_or_stands_alone() {
        assert_eq!(keys(b"\x1bb", false), [Key::Meta('b')]);
        assert_eq!(keys(b"\x1bb", true), [Key::Char('\x1b'), Key::Char('b')]);
        assert_eq!(keys(b"\x1b[D\x1bOA", true), [Key::Left, Key::Up]);
        assert_eq!(keys(b"\x1bOx", true), [Key::Char('\x1b'), Key::Char('O'), Key::Char('x')]);
        assert_eq!(keys(b"\x1b", true), [Key::Char('\x1b')]);
    }

    #[test]
    fn characters_are_whole_and_stray_bytes_are_kept() {
        assert_eq!(keys("é漢".as_bytes(), false), [Key::Char('é'), Key::Char('漢')]);
        assert_eq!(keys(b"\xe6\xbcx\xff", false), [Key::Byte(0xe6), Key::Byte(0xbc), Key::Char('x'), Key::Byte(0xff)]);
        assert_eq!(keys(b"\x01\x7f", false), [Key::Char('\x01'), Key::Char('\x7f')]);
    }
}
