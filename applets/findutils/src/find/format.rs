//! What -printf and -ls print.

use rbox_core::bytes;
use rbox_core::escape::{self, Escape};
use rbox_core::files::kind;
use rbox_core::mode;
use rbox_core::number::{octal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Stat, major, minor};
use rbox_core::text::{Left, Right};
use rbox_core::time::{self, Moment};
use rbox_core::{push, text};

use super::test::{Time, type_letter};
use super::{File, Finder};

impl Finder {
    /// The text of -printf.
    pub fn formatted(&mut self, format: &[u8], file: &mut File<'_>) -> Result<Vec<u8>> {
        let (mut text, mut at) = (Vec::new(), 0);
        while let Some(&byte) = format.get(at) {
            at += 1;
            match byte {
                b'\\' => match escape::read(format, &mut at, escape::Style::Format) {
                    Escape::Byte(byte) => text.push(byte),
                    Escape::End => break,
                    _ => text.push(b'\\'),
                },
                b'%' => at += self.push_conversion(&mut text, &format[at..], file)?,
                _ => text.push(byte),
            }
        }
        Ok(text)
    }

    /// `[flags][width][.precision]` and what they are for; returns how many bytes it takes.
    fn push_conversion(&mut self, text: &mut Vec<u8>, rest: &[u8], file: &mut File<'_>) -> Result<usize> {
        let count = |from: usize, set: &[u8]| rest[from..].iter().take_while(|byte| set.contains(byte)).count();
        let flags = count(0, b"-0+ #");
        let width_end = flags + count(flags, b"0123456789");
        let dot = usize::from(rest.get(width_end) == Some(&b'.'));
        let at = width_end + dot + dot * count(width_end + dot, b"0123456789");
        let number = |word: &[u8]| parse_decimal(word).unwrap_or(0).min(1 << 16) as usize;
        let (width, most) = (number(&rest[flags..width_end]), number(&rest[width_end + dot..at]));
        let has = |flag: u8| rest[..flags].contains(&flag);
        let Some(&letter) = rest.get(at) else {
            text.push(b'%');
            return Ok(0);
        };
        let (value, length) = match (letter, rest.get(at + 1)) {
            (b'A' | b'B' | b'C' | b'T', Some(&conversion)) => (Some(self.time_text(letter, conversion, file)?), at + 2),
            _ => (self.value(letter, has(b'#'), file)?, at + 1),
        };
        let Some(mut value) = value else {
            push!(*text, "%", &rest[..length]);
            return Ok(length);
        };
        let is_number = b"bdGiknsUm".contains(&letter);
        if dot == 1 && !is_number {
            value.truncate(most);
        }
        match (has(b'-'), is_number && has(b'0')) {
            (true, _) => push!(*text, Left(&value, width)),
            (false, zeros) => push!(*text, Right(&value, width, if zeros { b'0' } else { b' ' })),
        }
        Ok(length)
    }

    fn value(&mut self, letter: u8, alternate: bool, file: &mut File<'_>) -> Result<Option<Vec<u8>>> {
        let visit = file.visit;
        let path = visit.path;
        // The name starts after the last slash that is not at the end.
        let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
        let name_start = bytes::find_byte_back(b'/', &path[..end]).map_or(0, |at| at + 1);
        Ok(Some(match letter {
            b'%' => b"%".to_vec(),
            b'p' => path.to_vec(),
            b'f' => path[name_start..].to_vec(),
            b'h' => bytes::find_byte_back(b'/', path).map_or(&b"."[..], |at| &path[..at]).to_vec(),
            b'H' => file.operand.to_vec(),
            b'P' => {
                let below = &path[file.operand.len().min(path.len())..];
                below.strip_prefix(b"/").unwrap_or(below).to_vec()
            }
            b'd' => text!(visit.depth),
            b'i' => text!(visit.stat.st_ino),
            b'y' => vec![type_letter(kind(visit.stat))],
            b'Y' => vec![file.target_letter()],
            b'l' => file.target().unwrap_or_default(),
            b'b' => text!(file.stat()?.st_blocks as u64),
            b'k' => text!((file.stat()?.st_blocks as u64).div_ceil(2)),
            b's' => text!(file.stat()?.st_size as u64),
            b'n' => text!(file.stat()?.st_nlink),
            b'D' => text!(file.stat()?.st_dev),
            b'M' => mode::symbolic(file.stat()?.st_mode).to_vec(),
            b'm' => {
                let digits = octal(u64::from(file.stat()?.st_mode & 0o7777));
                if alternate { text!("0", digits) } else { digits }
            }
            b'U' => text!(file.stat()?.st_uid),
            b'G' => text!(file.stat()?.st_gid),
            b'u' => self.user_names.user(file.stat()?.st_uid).to_vec(),
            b'g' => self.group_names.group(file.stat()?.st_gid).to_vec(),
            b'F' => {
                let device = file.stat()?.st_dev;
                self.file_system(device).to_vec()
            }
            b'a' | b'c' | b't' => {
                let moment = file.time(time_named(letter))?.unwrap_or_default();
                let part = |format: &[u8]| time::format(format, moment, &self.zone);
                text!(part(b"%a %b %e "), self.moment_text(moment, b'T'), part(b" %Y"))
            }
            _ => return Ok(None),
        }))
    }

    fn time_text(&mut self, letter: u8, conversion: u8, file: &mut File<'_>) -> Result<Vec<u8>> {
        let moment = file.time(time_named(letter))?;
        Ok(moment.map_or(Vec::new(), |moment| self.moment_text(moment, conversion)))
    }

    /// A moment as `%Tk` and the like have it. Where there are seconds in digits, their fraction has ten.
    fn moment_text(&self, moment: Moment, conversion: u8) -> Vec<u8> {
        let fraction = text!(".", Right(moment.nanos, 9, b'0'), "0");
        let part = |format: &[u8]| time::format(format, moment, &self.zone);
        match conversion {
            b'@' => text!(moment.seconds, fraction),
            b'S' => text!(part(b"%S"), fraction),
            b'T' | b'X' => text!(part(b"%H:%M:%S"), fraction),
            b'+' => text!(part(b"%Y-%m-%d+%H:%M:%S"), fraction),
            _ => part(&[b'%', conversion]),
        }
    }

    /// The line of -ls, with its newline.
    pub fn listed(&mut self, file: &mut File<'_>) -> Result<Vec<u8>> {
        let stat = *file.stat()?;
        let mut line = text!(Right(stat.st_ino, 9, b' '), " ");
        push!(line, Right((stat.st_blocks as u64).div_ceil(2), 6, b' '), " ", &mode::symbolic(stat.st_mode));
        push!(line, " ", Right(stat.st_nlink, 3, b' '), " ", Left(self.user_names.user(stat.st_uid), 8));
        push!(line, " ", Left(self.group_names.group(stat.st_gid), 8), " ", Right(size_text(&stat), 8, b' '), " ");
        // POSIX XCU ls: the time of day stands for a year within the last six months.
        let recent = (0..=182 * 86_400).contains(&(self.now - stat.st_mtime));
        let form: &[u8] = if recent { b"%b %e %H:%M " } else { b"%b %e  %Y " };
        push!(line, time::format(form, Moment { seconds: stat.st_mtime, nanos: 0 }, &self.zone));
        push_escaped(&mut line, file.visit.path);
        if let Some(target) = file.target() {
            push!(line, " -> ");
            push_escaped(&mut line, &target);
        }
        line.push(b'\n');
        Ok(line)
    }
}

/// A device has its numbers where others have a size.
fn size_text(stat: &Stat) -> Vec<u8> {
    match kind(stat) {
        FileType::CharacterDevice | FileType::BlockDevice => {
            text!(Right(major(stat.st_rdev), 3, b' '), ", ", Right(minor(stat.st_rdev), 3, b' '))
        }
        _ => text!(stat.st_size as u64),
    }
}

/// A name that stays on its line and is one word.
fn push_escaped(line: &mut Vec<u8>, name: &[u8]) {
    for &byte in name {
        match byte {
            b' ' | b'\\' | b'"' => line.extend_from_slice(&[b'\\', byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0..32 | 127 => line.extend_from_slice(&escape::octal(byte)),
            _ => line.push(byte),
        }
    }
}

/// The time of that character in -newerXY and -printf.
pub fn time_named(letter: u8) -> Time {
    match letter.to_ascii_lowercase() {
        b'a' => Time::Access,
        b'b' => Time::Birth,
        b'c' => Time::Change,
        _ => Time::Modification,
    }
}
