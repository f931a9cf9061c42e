//! File modes: octal and symbolic words (POSIX XCU chmod), and the ten characters of `ls -l`.

use crate::error::{Error, Result};
use crate::sys::fs::FileType;

/// The mode that `word` makes of `old`, as chmod(1) says. `umask` limits clauses that name no class.
///
/// `directory`: whether `X` sets the search bit in any case. The error is BusyBox's `invalid mode 'WORD'`.
pub fn apply(word: &[u8], old: u32, directory: bool, umask: u32) -> Result<u32> {
    let invalid = || Error::parts(&[b"invalid mode '", word, b"'"]);
    if word.first().is_some_and(u8::is_ascii_digit) {
        let mode = crate::number::parse_radix(word, 8).filter(|mode| *mode <= 0o7777);
        return mode.map(|mode| mode as u32).ok_or_else(invalid);
    }
    let mut mode = old & 0o7777;
    for clause in word.split(|&byte| byte == b',') {
        mode = apply_clause(clause, mode, directory, umask).ok_or_else(invalid)?;
    }
    Ok(mode)
}

/// One clause: `[ugoa]*([+-=]([rwxXst]*|[ugo]))+`.
fn apply_clause(clause: &[u8], mut mode: u32, directory: bool, umask: u32) -> Option<u32> {
    let classes = clause.iter().take_while(|byte| b"ugoa".contains(byte)).count();
    let who = clause[..classes].iter().fold(0, |who, class| {
        who | match class {
            b'u' => 0o4700,
            b'g' => 0o2070,
            b'o' => 0o1007,
            _ => 0o7777,
        }
    });
    // Without a class the umask's bits stay as they are (POSIX XCU chmod, "who" omitted).
    let (who, reach) = if who == 0 { (0o7777, 0o7777 & !umask) } else { (who, who) };
    let mut rest = &clause[classes..];
    if rest.is_empty() {
        return None;
    }
    while let Some((operator, after)) = rest.split_first() {
        let length = after.iter().take_while(|byte| !b"+-=".contains(byte)).count();
        let permissions = &after[..length];
        let bits = permission_bits(permissions, mode, directory)? & reach;
        mode = match operator {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            b'=' => mode & !(who & 0o777) & !(who & 0o7000 & !keep(directory)) | bits,
            _ => return None,
        };
        rest = &after[length..];
    }
    Some(mode)
}

/// `=` leaves a directory's set-id bits alone, as GNU does; they steer the group of new files.
fn keep(directory: bool) -> u32 {
    if directory { 0o6000 } else { 0 }
}

fn permission_bits(permissions: &[u8], mode: u32, directory: bool) -> Option<u32> {
    if let [class @ (b'u' | b'g' | b'o')] = permissions {
        let shift = match class {
            b'u' => 6,
            b'g' => 3,
            _ => 0,
        };
        return Some((mode >> shift & 7) * 0o111);
    }
    permissions.iter().try_fold(0, |bits, permission| {
        Some(
            bits | match permission {
                b'r' => 0o444,
                b'w' => 0o222,
                b'x' => 0o111,
                b'X' if directory || mode & 0o111 != 0 => 0o111,
                b'X' => 0,
                b's' => 0o6000,
                b't' => 0o1000,
                _ => return None,
            },
        )
    })
}

/// The ten characters of `ls -l` for an `st_mode`: type and permissions.
pub fn symbolic(mode: u32) -> [u8; 10] {
    let mut text = *b"?rwxrwxrwx";
    text[0] = match FileType::from_raw_mode(mode) {
        FileType::RegularFile => b'-',
        FileType::Directory => b'd',
        FileType::Symlink => b'l',
        FileType::CharacterDevice => b'c',
        FileType::BlockDevice => b'b',
        FileType::Fifo => b'p',
        FileType::Socket => b's',
        FileType::Unknown => b'?',
    };
    for (index, letter) in text.iter_mut().skip(1).enumerate() {
        if mode >> (8 - index) & 1 == 0 {
            *letter = b'-';
        }
    }
    for (bit, at, small) in [(0o4000, 3, b's'), (0o2000, 6, b's'), (0o1000, 9, b't')] {
        if mode & bit != 0 {
            text[at] = if text[at] == b'x' { small } else { small.to_ascii_uppercase() };
        }
    }
    text
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for directory in [false, true] {
        if let Ok(mode) = apply(data, 0o640, directory, 0o22) {
            assert!(mode <= 0o7777);
            symbolic(mode);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_modes() {
        for (word, old, umask, new) in [
            ("755", 0o600, 0, 0o755),
            ("u+x,g-w", 0o664, 0, 0o744),
            ("+x", 0o644, 0o077, 0o744),
            ("a=rX", 0o700, 0, 0o555),
            ("g=u", 0o640, 0, 0o660),
            ("u+s,+t", 0o755, 0, 0o5755),
            ("u=rw+x-w", 0o000, 0, 0o500),
        ] {
            assert_eq!(apply(word.as_bytes(), old, false, umask).ok(), Some(new), "{word}");
        }
    }

    #[test]
    fn words_of_another_form_are_errors() {
        for word in ["", "8", "10000", "u", "u~x", "z+r", "u+q"] {
            assert!(apply(word.as_bytes(), 0, false, 0).is_err(), "{word}");
        }
    }

    #[test]
    fn characters_show_set_id_and_sticky_bits() {
        assert_eq!(&symbolic(0o100644), b"-rw-r--r--");
        assert_eq!(&symbolic(0o104755), b"-rwsr-xr-x");
        assert_eq!(&symbolic(0o041776), b"drwxrwxrwT");
    }
}
