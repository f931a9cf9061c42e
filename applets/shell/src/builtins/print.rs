//! `echo` and `printf`.

use super::Done;
use crate::escape::digits;
use crate::shell::Shell;

/// `echo [-neE] [WORD...]`
pub fn echo(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (mut newline, mut escapes) = (true, false);
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        if word.len() < 2 || word[0] != b'-' || !word[1..].iter().all(|letter| b"neE".contains(letter)) {
            break;
        }
        for letter in &word[1..] {
            match letter {
                b'n' => newline = false,
                letter => escapes = *letter == b'e',
            }
        }
        words = rest;
    }
    let mut text = words.join(&b' ');
    let mut ended = false;
    if escapes {
        (text, ended) = unescape(&text, true);
    }
    if newline && !ended {
        text.push(b'\n');
    }
    shell.status = 0;
    shell.print(&text);
    Ok(shell.status)
}

/// Replaces escapes; true when `\c` ended the output. `zero`: octal digits follow a zero.
fn unescape(text: &[u8], zero: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&letter) = text.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        match letter {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'c' => return (out, true),
            b'e' => out.push(27),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' => out.push(b'\\'),
            b'"' if !zero => out.push(b'"'),
            b'x' if text.get(at).is_some_and(u8::is_ascii_hexdigit) => out.push(digits(text, &mut at, 16, 2) as u8),
            b'0' if zero => out.push(digits(text, &mut at, 8, 3) as u8),
            b'0'..=b'7' => {
                at -= 1;
                out.push(digits(text, &mut at, 8, 3) as u8);
            }
            _ => out.extend_from_slice(&[b'\\', letter]),
        }
    }
    (out, false)
}

/// A conversion specification.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

struct Printer<'a, 'b> {
    shell: &'a mut Shell,
    arguments: &'a [&'b [u8]],
    at: usize,
    out: Vec<u8>,
    status: u8,
    ended: bool,
}

/// `printf FORMAT [WORD...]` (XCU printf)
pub fn printf(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = words.strip_prefix(&[&b"--"[..]]).unwrap_or(words);
    let Some((format, arguments)) = words.split_first() else {
        return Err(shell.error(&[b"printf: usage: printf FORMAT [ARG]..."]));
    };
    let mut printer = Printer { shell, arguments, at: 0, out: Vec::new(), status: 0, ended: false };
    loop {
        let before = printer.at;
        printer.pass(format);
        // The format is used again as long as it takes arguments and there are some.
        if printer.ended || printer.at >= arguments.len() || printer.at == before {
            break;
        }
    }
    let Printer { out, status, .. } = printer;
    shell.status = status;
    shell.print(&out);
    Ok(shell.status)
}

impl Printer<'_, '_> {
    fn argument(&mut self) -> Vec<u8> {
        let word = self.arguments.get(self.at).map(|word| word.to_vec()).unwrap_or_default();
        self.at += 1;
        word
    }

    fn pass(&mut self, format: &[u8]) {
        let mut at = 0;
        while at < format.len() && !self.ended {
            let run = format[at..].iter().position(|&byte| byte == b'%').unwrap_or(format.len() - at);
            let (text, ended) = unescape(&format[at..at + run], false);
            self.out.extend_from_slice(&text);
            self.ended = ended;
            at += run;
            if at < format.len() && !ended {
                at = self.conversion(format, at + 1);
            }
        }
    }

    fn conversion(&mut self, format: &[u8], mut at: usize) -> usize {
        let mut spec = Spec::default();
        while let Some(flag) = format.get(at) {
            match flag {
                b'-' => spec.left = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.sharp = true,
                _ => break,
            }
            at += 1;
        }
        let (width, next) = self.size(format, at);
        at = next;
        if let Some(width) = width {
            spec.left |= width < 0;
            spec.width = width.unsigned_abs().min(1 << 20) as usize;
        }
        if format.get(at) == Some(&b'.') {
            let (precision, next) = self.size(format, at + 1);
            at = next;
            spec.precision = Some(precision.unwrap_or(0).clamp(0, 1 << 20) as usize);
        }
        while matches!(format.get(at), Some(b'l' | b'h' | b'j' | b'z' | b't' | b'L' | b'q')) {
            at += 1;
        }
        let Some(&letter) = format.get(at) else {
            self.fail(&[b"%: invalid format"]);
            return at;
        };
        self.convert(letter, &spec);
        at + 1
    }

    fn size(&mut self, format: &[u8], mut at: usize) -> (Option<i64>, usize) {
        if format.get(at) == Some(&b'*') {
            let word = self.argument();
            return (Some(self.number(&word)), at + 1);
        }
        let start = at;
        let mut value = 0i64;
        while let Some(digit @ b'0'..=b'9') = format.get(at) {
            value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
            at += 1;
        }
        ((at > start).then_some(value), at)
    }

    fn fail(&mut self, parts: &[&[u8]]) {
        let text = [&self.shell.called[..], b": ", &parts.concat(), b"\n"].concat();
        let _ = crate::shell::write_all(2, &text);
        self.status = 1;
    }

    fn number(&mut self, word: &[u8]) -> i64 {
        if let [b'\'' | b'"', rest @ ..] = word {
            return rest.first().map_or(0, |&byte| i64::from(byte));
        }
        let text = word.trim_ascii();
        if text.is_empty() {
            return 0;
        }
        let (negative, body) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        match crate::arith::parse_number(body).filter(|_| !body.contains(&b'#')) {
            Some(value) if negative => value.wrapping_neg(),
            Some(value) => value,
            None => {
                self.fail(&[b"invalid number '", word, b"'"]);
                0
            }
        }
    }

    fn convert(&mut self, letter: u8, spec: &Spec) {
        match letter {
            b'%' => self.out.push(b'%'),
            b'c' => {
                let word = self.argument();
                self.pad(&word[..word.len().min(1)], spec);
            }
            b's' | b'b' => {
                let mut word = self.argument();
                if letter == b'b' {
                    (word, self.ended) = unescape(&word, true);
                }
                let length = spec.precision.unwrap_or(word.len()).min(word.len());
                self.pad(&word[..length], spec);
            }
            b'd' | b'i' => {
                let word = self.argument();
                let value = self.number(&word);
                let sign: &[u8] = match value {
                    i64::MIN..=-1 => b"-",
                    _ if spec.plus => b"+",
                    _ if spec.space => b" ",
                    _ => b"",
                };
                self.integer(sign, value.unsigned_abs().to_string(), spec);
            }
            b'u' | b'x' | b'X' | b'o' => {
                let word = self.argument();
                let value = self.number(&word) as u64;
                let (prefix, text): (&[u8], String) = match letter {
                    b'x' => (b"0x", format!("{value:x}")),
                    b'X' => (b"0X", format!("{value:X}")),
                    b'o' => (b"0", format!("{value:o}")),
                    _ => (b"", value.to_string()),
                };
                self.integer(if spec.sharp && value != 0 { prefix } else { b"" }, text, spec);
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let word = self.argument();
                let text = std::str::from_utf8(word.trim_ascii()).unwrap_or_default();
                let value: f64 = if text.is_empty() { 0.0 } else { text.parse().unwrap_or(f64::NAN) };
                if value.is_nan() {
                    self.fail(&[b"invalid number '", &word, b"'"]);
                }
                let precision = spec.precision.unwrap_or(6);
                let text = if letter.eq_ignore_ascii_case(&b'f') {
                    format!("{:.precision$}", value.abs())
                } else {
                    scientific(value.abs(), precision, letter)
                };
                let sign: &[u8] = if value < 0.0 {
                    b"-"
                } else if spec.plus {
                    b"+"
                } else {
                    b""
                };
                let spec = Spec { precision: None, ..*spec };
                self.integer(sign, text, &spec);
            }
            _ => {
                self.fail(&[b"%", &[letter], b": invalid format"]);
                self.ended = true;
            }
        }
    }

    fn integer(&mut self, sign: &[u8], mut text: String, spec: &Spec) {
        if let Some(precision) = spec.precision {
            while text.len() < precision {
                text.insert(0, '0');
            }
        } else if spec.zero && !spec.left {
            while text.len() + sign.len() < spec.width {
                text.insert(0, '0');
            }
        }
        self.pad(&[sign, text.as_bytes()].concat(), spec);
    }

    fn pad(&mut self, text: &[u8], spec: &Spec) {
        let blanks = spec.width.saturating_sub(text.len());
        if !spec.left {
            self.out.resize(self.out.len() + blanks, b' ');
        }
        self.out.extend_from_slice(text);
        if spec.left {
            self.out.resize(self.out.len() + blanks, b' ');
        }
    }
}

/// `%e` and `%g` as C prints them.
fn scientific(value: f64, precision: usize, letter: u8) -> String {
    let general = letter.eq_ignore_ascii_case(&b'g');
    let digits = if general { precision.max(1) - 1 } else { precision };
    let text = format!("{value:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: String| match general && text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    };
    if general && exponent >= -4 && exponent <= digits as i32 {
        let places = (digits as i32 - exponent).max(0) as usize;
        return trim(format!("{value:.places$}"));
    }
    let mark = if letter.is_ascii_uppercase() { 'E' } else { 'e' };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}{mark}{sign}{:02}", trim(mantissa.to_string()), exponent.abs())
}
