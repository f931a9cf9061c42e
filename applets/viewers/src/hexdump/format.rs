//! The format strings of hexdump: `[COUNT][/BYTES] "TEXT"...`, as hexdump(1) of BSD describes them.

use rbox_core::escape::{self, Style};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::printf::Spec;

/// What a part of a format prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its text alone.
    Text,
    /// The offset, in that radix: one of `dox`.
    Offset(u8),
    /// `%_c`: a character, an escape or three octal digits.
    Escaped,
    /// `%_p`: a printable character or a dot.
    Printable,
    /// `%_u`: a character or the name of a control character.
    Named,
    /// `%c`: the byte itself.
    Byte,
    /// `%s`
    String,
    /// `%d` and `%i`
    Signed,
    /// `%o`, `%u`, `%x`, `%X`
    Unsigned(u8),
    /// `%e`, `%f`, `%g` and in capitals
    Float(u8),
}

/// A conversion and the text before it, or the text after the last one.
pub struct Part {
    pub text: Vec<u8>,
    pub kind: Kind,
    pub spec: Spec,
    /// The number of bytes that it reads.
    pub size: usize,
    /// For a part that reads one byte, once much is to be printed: what it prints of each, and in the last byte how long
    /// that is.
    pub table: Option<Box<[[u8; 8]; 256]>>,
}

/// A quoted string that is applied to the input several times.
pub struct Unit {
    pub count: usize,
    /// The count was given, so that the unit is not repeated to fill the block.
    has_count: bool,
    pub parts: Vec<Part>,
    /// Bytes of one time.
    pub size: usize,
    /// The bytes of white space at its end, which the last of several times leaves out.
    pub blanks: usize,
    /// It has `%_A`: it is printed once, after all input.
    pub at_end: bool,
}

/// The units of one format string, which read a block one after the other.
pub struct Format {
    pub units: Vec<Unit>,
    /// Bytes that they read of a block.
    pub size: usize,
}

impl Format {
    pub fn parse(format: &[u8]) -> Result<Format> {
        let bad = || Error::parts(&[b"bad format {", format, b"}"]);
        let (mut units, mut at) = (Vec::new(), 0);
        loop {
            at += format[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if at == format.len() {
                break;
            }
            let count = take_number(format, &mut at);
            at += format[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let mut size = None;
            if format.get(at) == Some(&b'/') {
                at += 1;
                at += format[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                size = Some(take_number(format, &mut at).ok_or_else(bad)?);
                at += format[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            }
            if format.get(at) != Some(&b'"') {
                return Err(bad());
            }
            let start = at + 1;
            at = start;
            while *format.get(at).ok_or_else(bad)? != b'"' {
                at += if format[at] == b'\\' { 2 } else { 1 };
            }
            units.push(unit(&format[start..at], count, size)?);
            at += 1;
        }
        let size = units.iter().try_fold(0usize, |sum, unit| sum.checked_add(unit.size.checked_mul(unit.count)?));
        // A block is held in memory, and a width is allocated.
        match size.filter(|&size| size <= 1 << 20) {
            Some(size) => Ok(Format { units, size }),
            None => Err(bad()),
        }
    }

    /// Repeats the last unit until the block is read, unless its count was given.
    pub fn fill(&mut self, block: usize) {
        if let Some(last) = self.units.last_mut().filter(|last| !last.has_count && last.size > 0) {
            last.count += (block - self.size) / last.size;
        }
    }
}

fn take_number(format: &[u8], at: &mut usize) -> Option<usize> {
    let digits = format[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = parse_decimal(&format[*at..*at + digits]).and_then(|number| usize::try_from(number).ok());
    *at += digits;
    number
}

fn unit(quoted: &[u8], count: Option<usize>, given: Option<usize>) -> Result<Unit> {
    let mut text = Vec::new();
    escape::unescape(quoted, Style::Format, &mut text);
    let (mut parts, mut before, mut at, mut at_end) = (Vec::new(), Vec::new(), 0, false);
    while at < text.len() {
        let byte = text[at];
        at += 1;
        if byte != b'%' || text.get(at) == Some(&b'%') {
            at += usize::from(byte == b'%');
            before.push(byte);
            continue;
        }
        let spec = Spec::read(&text, &mut at, &mut || 0);
        spec.reserve(&mut Vec::new())?;
        let (kind, size, ends) = conversion(&text, &mut at, &spec, given)?;
        at_end |= ends;
        parts.push(Part { text: core::mem::take(&mut before), kind, spec, size, table: None });
    }
    if !before.is_empty() {
        parts.push(Part { text: before, kind: Kind::Text, spec: Spec::default(), size: 0, table: None });
    }
    let reading = parts.iter().filter(|part| part.size > 0).count();
    if given.is_some() && reading > 1 {
        return Err(Error::new("byte count with multiple conversion characters"));
    }
    let size = parts.iter().map(|part| part.size).sum();
    let blanks = parts.last().map_or(0, |part| {
        let end = if part.kind == Kind::Text { part.text.trim_ascii_end().len() } else { part.text.len() };
        part.text.len() - end
    });
    Ok(Unit { count: count.unwrap_or(1), has_count: count.is_some(), parts, size, blanks, at_end })
}

/// Reads a conversion from its character on: what it prints, the bytes it reads, whether only after all input.
fn conversion(text: &[u8], at: &mut usize, spec: &Spec, given: Option<usize>) -> Result<(Kind, usize, bool)> {
    let start = *at;
    let bad = |end: usize| Error::parts(&[b"bad conversion character %", &text[start..end.min(text.len())]]);
    let byte = *text.get(start).ok_or_else(|| bad(start))?;
    *at += 1;
    let (kind, default, allowed): (_, _, &[usize]) = match byte {
        b'c' => (Kind::Byte, 1, &[1]),
        b'd' | b'i' => (Kind::Signed, 4, &[1, 2, 4, 8]),
        b'o' | b'u' | b'x' | b'X' => (Kind::Unsigned(byte), 4, &[1, 2, 4, 8]),
        b'e' | b'E' | b'f' | b'g' | b'G' => (Kind::Float(byte), 8, &[4, 8]),
        b's' => {
            let size = given.or(spec.precision()).filter(|&size| size > 0 && size <= 1 << 20);
            let size = size.ok_or_else(|| Error::new("%s requires a precision or a byte count"))?;
            return Ok((Kind::String, size, false));
        }
        b'_' => {
            let form = text.get(*at).copied().unwrap_or(b'_');
            *at += 1;
            match form {
                b'a' | b'A' => {
                    let radix = text.get(*at).copied().filter(|radix| b"dox".contains(radix));
                    let radix = radix.ok_or_else(|| bad(*at + 1))?;
                    *at += 1;
                    return Ok((Kind::Offset(radix), 0, form == b'A'));
                }
                b'c' => (Kind::Escaped, 1, &[1]),
                b'p' => (Kind::Printable, 1, &[1]),
                b'u' => (Kind::Named, 1, &[1]),
                _ => return Err(bad(*at)),
            }
        }
        _ => return Err(bad(*at)),
    };
    match given.unwrap_or(default) {
        size if allowed.contains(&size) => Ok((kind, size, false)),
        _ => Err(Error::parts(&[b"bad byte count for conversion character ", &[byte]])),
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let _ = Format::parse(data);
}
