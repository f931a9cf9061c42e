//! The printf engine (POSIX XBD 5): conversions for printf, awk, stat and date, and the loop of printf over its words.

mod spec;

use crate::bytes;
use crate::callback;
use crate::escape::{self, Style};
use crate::sys::float;
use crate::time::{self, Moment, Zone};
pub use spec::Spec;

/// What `echo [-neE] [WORD]...` prints.
///
/// POSIX leaves options and escapes to the system; BusyBox has these. `style`: whose escapes count with `-e`.
pub fn echo(words: &[&[u8]], style: Style) -> Vec<u8> {
    let (mut newline, mut escapes) = (true, false);
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        if word.len() < 2 || word[0] != b'-' || !word[1..].iter().all(|option| b"neE".contains(option)) {
            break;
        }
        for option in &word[1..] {
            match option {
                b'n' => newline = false,
                b'e' => escapes = true,
                // In BusyBox `-E` is the default that it names, in bash it takes back an `-e` before it.
                _ => escapes &= !matches!(style, Style::WideEcho),
            }
        }
        words = rest;
    }
    let mut text = Vec::with_capacity(words.iter().map(|word| word.len() + 1).sum());
    for (number, word) in words.iter().enumerate() {
        if number > 0 {
            text.push(b' ');
        }
        if !escapes {
            text.extend_from_slice(word);
        } else if escape::unescape(word, style, &mut text) {
            return text;
        }
    }
    if newline {
        text.push(b'\n');
    }
    text
}

/// Adds what `printf FORMAT [WORD]...` prints to `out`; returns its status.
///
/// The format is used again while words are left and it takes some. `tell` is given the reason why a word is no number,
/// or the format is wrong, which ends the output; and `out`, which it may write and clear before its message.
pub fn print(
    format: &[u8],
    words: &[&[u8]],
    out: &mut Vec<u8>,
    bash: Option<&Bash>,
    tell: &mut impl FnMut(&mut Vec<u8>, &[&[u8]]),
) -> u8 {
    let mut tell = |(out, message): (&mut Vec<u8>, &[&[u8]])| tell(out, message);
    Printer { words, at: 0, out, bash, tell: Tell::new(&mut tell), status: 0, ended: false }.print(format)
}

callback! {
    /// Says why a word is no number, or what is wrong with the format.
    Tell = Message<'b>((&'b mut Vec<u8>, &'b [&'b [u8]])) -> ()
}

/// What bash's printf has besides: its own quoting by `%q`, and `%(FORMAT)T`.
pub struct Bash {
    /// What `%q` does.
    pub quote: fn(&[u8]) -> Vec<u8>,
    /// The value of TZ.
    pub zone: Option<Vec<u8>>,
}

struct Printer<'a> {
    words: &'a [&'a [u8]],
    at: usize,
    out: &'a mut Vec<u8>,
    bash: Option<&'a Bash>,
    tell: Tell<'a>,
    status: u8,
    ended: bool,
}

impl<'a> Printer<'a> {
    fn print(mut self, format: &[u8]) -> u8 {
        loop {
            let before = self.at;
            self.pass(format);
            if self.ended || self.at >= self.words.len() || self.at == before {
                return self.status;
            }
        }
    }

    /// The next word; `None` when all are used.
    fn word(&mut self) -> Option<&'a [u8]> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word
    }

    fn pass(&mut self, format: &[u8]) {
        let mut at = 0;
        while at < format.len() && !self.ended {
            let run = bytes::find_byte(b'%', &format[at..]).unwrap_or(format.len() - at);
            let style = if self.bash.is_some() { Style::WideFormat } else { Style::Format };
            self.ended = escape::unescape(&format[at..at + run], style, self.out);
            at += run;
            if at < format.len() && !self.ended {
                at += 1;
                if format.get(at) == Some(&b'%') {
                    self.out.push(b'%');
                    at += 1;
                } else {
                    self.conversion(format, &mut at);
                }
            }
        }
    }

    fn conversion(&mut self, format: &[u8], at: &mut usize) {
        let spec = Spec::read(format, at, &mut || self.integer(false));
        if let Err(error) = spec.reserve(self.out) {
            self.tell.call((self.out, &[error.message()]));
            self.status = 1;
            self.ended = true;
            return;
        }
        if let (Some(bash), Some(b'(')) = (self.bash, format.get(*at)) {
            return self.date(bash, &spec, format, at);
        }
        let start = *at;
        // Lengths of C's types mean nothing here.
        while matches!(format.get(*at), Some(b'l' | b'h' | b'j' | b'z' | b't' | b'L')) {
            *at += 1;
        }
        let letter = format.get(*at).copied().unwrap_or(0);
        *at += 1;
        match letter {
            b'd' | b'i' => {
                let value = self.integer(false);
                spec.push_signed(self.out, value);
            }
            b'o' | b'u' | b'x' | b'X' => {
                let value = self.integer(true) as u64;
                spec.push_unsigned(self.out, value, letter);
            }
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let value = self.float();
                spec.push_float(self.out, value, letter);
            }
            b'Q' if self.bash.is_some() => self.text(&spec, b'q'),
            b's' | b'c' | b'b' | b'q' if *at == start + 1 => self.text(&spec, letter),
            _ => {
                self.tell.call((self.out, &[b"%", format.get(*at - 1..).unwrap_or_default(), b": invalid format"]));
                self.status = 1;
                self.ended = true;
            }
        }
    }

    /// `%(FORMAT)T`: the word is seconds since the epoch; -1, -2 and no word are now.
    fn date(&mut self, bash: &Bash, spec: &Spec, format: &[u8], at: &mut usize) {
        let inner = &format[*at + 1..];
        let end = inner.windows(2).position(|pair| pair == b")T");
        let Some(end) = end else {
            self.tell.call((self.out, &[b"%", format.get(*at - 1..).unwrap_or_default(), b": invalid format"]));
            self.status = 1;
            self.ended = true;
            return;
        };
        *at += end + 3;
        let seconds = if self.at < self.words.len() { self.integer(false) } else { -1 };
        let moment = if seconds < 0 { Moment::now() } else { Moment { seconds, nanos: 0 } };
        let zone = Zone::load(bash.zone.as_deref());
        let pattern: &[u8] = if end == 0 { b"%X" } else { &inner[..end] };
        spec.push_text(self.out, &time::format(pattern, moment, &zone));
    }

    fn text(&mut self, spec: &Spec, letter: u8) {
        let word = self.word().unwrap_or_default();
        match letter {
            // A word that is empty gives a NUL byte, as C's conversion does with its end.
            b'c' => spec.push_padded(self.out, word.get(..1).unwrap_or(b"\0")),
            b'b' => {
                let mut text = Vec::with_capacity(word.len());
                let style = if self.bash.is_some() { Style::WideEcho } else { Style::Echo };
                self.ended = escape::unescape(word, style, &mut text);
                spec.push_text(self.out, &text);
            }
            b'q' => {
                let quote = self.bash.map_or(escape::quoted_if_needed as fn(&[u8]) -> Vec<u8>, |bash| bash.quote);
                spec.push_text(self.out, &quote(word));
            }
            _ => spec.push_text(self.out, word),
        }
    }

    fn invalid(&mut self, word: &[u8]) {
        self.tell.call((self.out, &[b"invalid number '", word, b"'"]));
        self.status = 1;
    }

    /// The next word as an integer, or what it begins with (XCU printf, EXIT STATUS); 0 when there is none.
    ///
    /// With `unsigned` the bits of numbers up to 2^64-1.
    fn integer(&mut self, unsigned: bool) -> i64 {
        let Some(word) = self.word() else { return 0 };
        if word.is_empty() && self.bash.is_some() {
            return 0;
        }
        if let Some(code) = character_code(word) {
            return code;
        }
        match crate::number::parse_c(word) {
            Some(value) if unsigned || value >= 0 || word.contains(&b'-') => value,
            value => {
                self.invalid(word);
                match value.map_or_else(|| crate::number::parse_c_start(word), |_| i64::MAX) {
                    // strtoull(3): what does not fit is the largest number, in which all bits are set.
                    i64::MAX if unsigned => -1,
                    value => value,
                }
            }
        }
    }

    /// The next word as a floating point number, or what it begins with; 0 when there is none.
    fn float(&mut self) -> f64 {
        let Some(word) = self.word() else { return 0.0 };
        if let Some(code) = character_code(word) {
            return code as f64;
        }
        let (value, length) = float::parse(word).unwrap_or((0.0, 0));
        if length < word.len() {
            self.invalid(word);
        }
        value
    }
}

/// XCU printf, extended description: a quote before a character asks for the character's code.
fn character_code(word: &[u8]) -> Option<i64> {
    let [b'\'' | b'"', rest @ ..] = word else { return None };
    Some(match rest.first() {
        Some(byte) if !byte.is_ascii() => {
            let length = rest.len().min(4);
            let valid = rest[..length].utf8_chunks().next().map_or("", |chunk| chunk.valid());
            valid.chars().next().map_or(i64::from(*byte), |character| i64::from(u32::from(character)))
        }
        Some(byte) => i64::from(*byte),
        None => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printf(words: &[&str]) -> (String, String, u8) {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let (mut out, mut told) = (Vec::new(), Vec::new());
        let status = print(words[0], &words[1..], &mut out, None, &mut |_, parts| told.push(parts.concat()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&out), text(&told.join(&b'|')), status)
    }

    fn printed(words: &[&str]) -> String {
        let (out, told, status) = printf(words);
        assert_eq!((told.as_str(), status), ("", 0));
        out
    }

    #[test]
    fn the_format_is_used_again_while_words_are_left() {
        assert_eq!(printed(&["%s,", "a", "b"]), "a,b,");
        assert_eq!(printed(&["%s=%d\\n", "a", "1", "b"]), "a=1\nb=0\n");
        assert_eq!(printed(&["x", "a"]), "x");
        assert_eq!(printed(&["%s|%%"]), "|%");
    }

    #[test]
    fn conversions_follow_c() {
        assert_eq!(printed(&["%d %i %u", "-7", "0x1f", "010"]), "-7 31 8");
        assert_eq!(
            printed(&["%#x %#o %X %+d % d %05d %-5d|", "255", "8", "255", "1", "1", "-7", "5"]),
            "0xff 010 FF +1  1 -0007 5    |"
        );
        assert_eq!(
            printed(&["%.3d %8.3f %+.1e %g", "5", "-3.14159", "12345", "0.0001"]),
            "005   -3.142 +1.2e+04 0.0001"
        );
        assert_eq!(printed(&["%.2s|%5s|%-5s|%*d", "abc", "é", "b", "4", "7"]), "ab|   é|b    |   7");
        assert_eq!(printed(&["%c%c|%d %d", "abc", "", "'A", "\"é"]), "a\0|65 233");
        assert_eq!(printed(&["%b%s", "a\\tb\\c", "x"]), "a\tb");
        assert_eq!(printed(&["%q", "a b"]), "'a b'");
    }

    #[test]
    fn wrong_words_are_told_and_count_as_what_they_begin_with() {
        assert_eq!(printf(&["%d.", "12abc"]), ("12.".into(), "invalid number '12abc'".into(), 1));
        assert_eq!(printf(&["%d.", " -0x1fg"]), ("-31.".into(), "invalid number ' -0x1fg'".into(), 1));
        assert_eq!(printf(&["%d %i.", "08", "x"]), ("0 0.".into(), "invalid number '08'|invalid number 'x'".into(), 1));
        assert_eq!(printf(&["%x.", "0xg"]), ("0.".into(), "invalid number '0xg'".into(), 1));
        assert_eq!(printf(&["%.1f.", "1.5e"]), ("1.5.".into(), "invalid number '1.5e'".into(), 1));
        assert_eq!(
            printf(&["%d.", "99999999999999999999"]),
            ("9223372036854775807.".into(), "invalid number '99999999999999999999'".into(), 1)
        );
        assert_eq!(printf(&["%s %y\\n", "1"]), ("1 ".into(), "%y\\n: invalid format".into(), 1));
        assert_eq!(printf(&["%"]), ("".into(), "%: invalid format".into(), 1));
        assert_eq!(printf(&["a%zb"]).1, "%b: invalid format");
    }

    #[test]
    fn echo_takes_its_options_before_the_first_word_alone() {
        assert_eq!(echo(&[b"-n", b"a", b"-n"], Style::Echo), b"a -n");
        assert_eq!(echo(&[b"-e", b"a\\tb\\c", b"x"], Style::Echo), b"a\tb");
        assert_eq!(echo(&[b"-nx", b"a\\t"], Style::Echo), b"-nx a\\t\n");
        assert_eq!(echo(&[], Style::Echo), b"\n");
    }
}
