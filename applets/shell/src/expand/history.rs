//! History expansion, as in bash: `!!`, `!n`, `!-n`, `!string`, `!?string?`, `!#`, `^old^new^`, with words of the event
//! (`!$`, `!*`, `!!:2-3`) and modifiers (`:h :t :r :e :p :q :s/old/new/ :gs :&`).

use crate::state::Shell;
use crate::state::stream::write_error;

use crate::syntax::copied::Copied;
use rbox_core::bytes::{base_name, find};
use rbox_core::number::parse_decimal;

/// The result: the line, and whether it is to be run (`:p` only shows it).
struct Expanded {
    line: Vec<u8>,
    runs: bool,
}

/// Expands references to earlier lines in a line that was entered; the line to run. `None` after an error, which is reported.
pub fn expand(shell: &mut Shell, line: Vec<u8>) -> Option<Vec<u8>> {
    if !shell.options.histexpand || !line.iter().any(|byte| matches!(byte, b'!' | b'^')) {
        return Some(line);
    }
    let found = expanded_with_use(shell, &line)?;
    if found.line == line {
        return Some(line);
    }
    write_error(&[&found.line[..], b"\n"].concat());
    if found.runs {
        return Some(found.line);
    }
    shell.terminal.editor.history.add(&found.line);
    None
}

/// A text with what refers to earlier lines expanded: `history -p`.
pub fn expanded(shell: &mut Shell, text: &[u8]) -> Option<Vec<u8>> {
    expanded_with_use(shell, text).map(|found| found.line)
}

fn expanded_with_use(shell: &mut Shell, line: &[u8]) -> Option<Expanded> {
    let lines = shell.terminal.editor.history.lines();
    let mut reader =
        Reader { lines, first: shell.terminal.editor.history.first(), text: line, at: 0, runs: true, last: None };
    reader.whole().map_err(|message| shell.plain_report(&message)).ok()
}

type Found<T> = Result<T, Vec<u8>>;

struct Reader<'a> {
    lines: &'a [Vec<u8>],
    /// Number of the oldest line.
    first: usize,
    text: &'a [u8],
    at: usize,
    runs: bool,
    /// The last substitution, for `:&`.
    last: Option<(Vec<u8>, Vec<u8>)>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn whole(&mut self) -> Found<Expanded> {
        if self.accept(b'^') {
            let event = self.back(1).ok_or_else(|| [self.text, b": event not found"].concat())?;
            let (old, new) = self.pair(b'^');
            let mut line = replace(&event, &old, &new, false).ok_or_else(|| self.failed(b"substitution failed", 0))?;
            line.extend_from_slice(&self.text[self.at.min(self.text.len())..]);
            return Ok(Expanded { line, runs: true });
        }
        let (mut out, mut double) = (Vec::new(), false);
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => {
                    let end = (self.at + 2).min(self.text.len());
                    out.extend_from_slice(&self.text[self.at..end]);
                    self.at = end;
                    continue;
                }
                b'\'' if !double => {
                    let rest = &self.text[self.at + 1..];
                    let end = rest.iter().position(|&one| one == b'\'').map_or(rest.len(), |end| end + 1);
                    out.extend_from_slice(&self.text[self.at..=self.at + end]);
                    self.at += end + 1;
                    continue;
                }
                b'"' => double = !double,
                b'!' if self.is_event(double) => {
                    let text = self.event(&out)?;
                    out.extend_from_slice(&text);
                    continue;
                }
                _ => {}
            }
            out.push(byte);
            self.at += 1;
        }
        Ok(Expanded { line: out, runs: self.runs })
    }

    /// Whether the `!` here begins an event: not before a blank, `=` or `(`, and not in `$!`, `${!x}` and `[!...]`.
    fn is_event(&self, double: bool) -> bool {
        let before = &self.text[..self.at];
        let follows = match self.text.get(self.at + 1) {
            None | Some(b' ' | b'\t' | b'\n' | b'=' | b'(') => false,
            Some(b'"') => !double,
            Some(_) => true,
        };
        follows && !before.ends_with(b"$") && !before.ends_with(b"${") && !before.ends_with(b"[")
    }

    fn failed(&self, why: &[u8], start: usize) -> Vec<u8> {
        [&self.text[start..self.at.min(self.text.len())], b": ", why].concat()
    }

    /// The line `count` lines back.
    fn back(&self, count: usize) -> Option<Vec<u8>> {
        self.lines.len().checked_sub(count).and_then(|at| self.lines.get(at)).cloned()
    }

    /// The line that `!...` names; `before`: the line so far, for `!#`.
    fn event(&mut self, before: &[u8]) -> Found<Vec<u8>> {
        let start = self.at;
        self.at += 1;
        let event = match self.peek() {
            Some(b'!') => {
                self.at += 1;
                self.back(1)
            }
            Some(b'#') => {
                self.at += 1;
                Some(before.copied())
            }
            Some(b'?') => {
                self.at += 1;
                let wanted = self.until(b"?\n");
                self.accept(b'?');
                self.lines.iter().rev().find(|line| find(line, &wanted).is_some()).cloned()
            }
            Some(b'$' | b'^' | b'*' | b':' | b'%') => self.back(1),
            Some(byte) => {
                let negative = byte == b'-' && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit);
                self.at += usize::from(negative);
                let digits = self.digits();
                match parse_decimal(&digits) {
                    Some(count) if negative => self.back(count as usize),
                    Some(number) => {
                        (number as usize).checked_sub(self.first).and_then(|at| self.lines.get(at)).cloned()
                    }
                    None => {
                        let wanted = self.until(b" \t\n:^$*%;&|<>()\"'");
                        self.lines.iter().rev().find(|line| line.starts_with(&wanted)).cloned()
                    }
                }
            }
            None => None,
        };
        let Some(event) = event else { return Err(self.failed(b"event not found", start)) };
        let mut text = self.words_of(event, start)?;
        while self.peek() == Some(b':') && self.text.get(self.at + 1).is_some() {
            self.at += 1;
            text = self.modify(text, start)?;
        }
        Ok(text)
    }

    fn until(&mut self, ends: &[u8]) -> Vec<u8> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| ends.contains(byte)).unwrap_or(rest.len());
        self.at += length;
        rest[..length].copied()
    }

    fn digits(&mut self) -> Vec<u8> {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        rest[..length].copied()
    }

    /// The words of the event that a designator picks; all of them without one.
    fn words_of(&mut self, event: Vec<u8>, start: usize) -> Found<Vec<u8>> {
        let colon = self.peek() == Some(b':');
        let Some(first) = self.text.get(self.at + usize::from(colon)).copied() else { return Ok(event) };
        let designates = matches!(first, b'^' | b'$' | b'*' | b'-') || (colon && first.is_ascii_digit());
        if !designates {
            return Ok(event);
        }
        self.at += usize::from(colon);
        let words = split(&event);
        let last = words.len().saturating_sub(1);
        let (from, to) = if self.accept(b'*') {
            if last == 0 {
                return Ok(Vec::new());
            }
            (1, last)
        } else {
            let from = self.word_number(last, 0);
            if self.accept(b'*') {
                (from, last)
            } else if self.accept(b'-') {
                (from, self.word_number(last, last.saturating_sub(1)))
            } else {
                (from, from)
            }
        };
        match words.get(from..=to) {
            Some(picked) => Ok(picked.join(&b' ')),
            None => Err(self.failed(b"bad word specifier", start)),
        }
    }

    /// `^`, `$` or a number.
    fn word_number(&mut self, last: usize, otherwise: usize) -> usize {
        if self.accept(b'^') {
            return 1;
        }
        if self.accept(b'$') {
            return last;
        }
        let digits = self.digits();
        parse_decimal(&digits).map_or(otherwise, |number| usize::try_from(number).unwrap_or(usize::MAX - 1))
    }

    fn modify(&mut self, text: Vec<u8>, start: usize) -> Found<Vec<u8>> {
        let all = matches!(self.peek(), Some(b'g' | b'a'));
        self.at += usize::from(all);
        let letter = self.peek();
        self.at += 1;
        let slash = text.iter().rposition(|&byte| byte == b'/');
        let dot = text.iter().rposition(|&byte| byte == b'.').filter(|&dot| slash.is_none_or(|slash| slash < dot));
        Ok(match letter {
            Some(b'h') => text[..slash.unwrap_or(text.len())].copied(),
            Some(b't') => base_name(&text).copied(),
            Some(b'r') => text[..dot.unwrap_or(text.len())].copied(),
            Some(b'e') => text[dot.unwrap_or(text.len())..].copied(),
            Some(b'q') => crate::syntax::quote::single(&text),
            Some(b'p') => {
                self.runs = false;
                text
            }
            Some(b's' | b'&') => {
                if letter == Some(b's')
                    && let Some(delimiter) = self.peek()
                {
                    self.at += 1;
                    self.last = Some(self.pair(delimiter));
                }
                let changed = self.last.as_ref().and_then(|(old, new)| replace(&text, old, new, all));
                changed.ok_or_else(|| self.failed(b"substitution failed", start))?
            }
            _ => return Err(self.failed(b"unrecognized history modifier", start)),
        })
    }

    /// `old^new^`; the last delimiter is optional at the end of the line.
    fn pair(&mut self, delimiter: u8) -> (Vec<u8>, Vec<u8>) {
        let old = self.until(&[delimiter, b'\n']);
        self.accept(delimiter);
        let new = self.until(&[delimiter, b'\n']);
        self.accept(delimiter);
        (old, new)
    }
}

/// The text with the first or each `old` replaced, in which `&` is the old text; `None` where it is not found.
fn replace(text: &[u8], old: &[u8], new: &[u8], all: bool) -> Option<Vec<u8>> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = find(rest, old).filter(|_| !old.is_empty()) {
        out.extend_from_slice(&rest[..at]);
        for &byte in new {
            match byte {
                b'&' => out.extend_from_slice(old),
                byte => out.push(byte),
            }
        }
        rest = &rest[at + old.len()..];
        if !all {
            break;
        }
    }
    (rest.len() < text.len()).then(|| [&out[..], rest].concat())
}

/// The words of a line, with their quotes; operators are words too.
fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut at) = (Vec::new(), 0);
    while at < line.len() {
        if line[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        if b";&|<>()".contains(&line[at]) {
            let double = line.get(at + 1) == Some(&line[at]) && !b"()".contains(&line[at]);
            at += 1 + usize::from(double);
        }
        while at == start || (at < line.len() && !is_operator(line[start])) {
            match line[at] {
                b'\\' => at += 1,
                quote @ (b'\'' | b'"' | b'`') => {
                    at += 1;
                    while at < line.len() && line[at] != quote {
                        at += 1 + usize::from(line[at] == b'\\' && quote != b'\'');
                    }
                }
                byte if byte.is_ascii_whitespace() || is_operator(byte) => break,
                _ => {}
            }
            at += 1;
        }
        at = at.min(line.len());
        words.push(line[start..at].copied());
    }
    words
}

fn is_operator(byte: u8) -> bool {
    b";&|<>()".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &[u8]) -> Vec<u8> {
        let lines = [&b"echo one two"[..], b"ls -l /usr/bin/a.tar.gz", b"cat 'a b' | wc -l"].map(<[u8]>::to_vec);
        let mut reader = Reader { lines: &lines, first: 1, text, at: 0, runs: true, last: None };
        match reader.whole() {
            Ok(found) => found.line,
            Err(message) => message,
        }
    }

    #[test]
    fn events_and_words_are_bashs() {
        assert_eq!(expanded(b"!! x"), b"cat 'a b' | wc -l x");
        assert_eq!(expanded(b"!1"), b"echo one two");
        assert_eq!(expanded(b"!-2"), b"ls -l /usr/bin/a.tar.gz");
        assert_eq!(expanded(b"!ec:2 !?usr?:$"), b"two /usr/bin/a.tar.gz");
        assert_eq!(expanded(b"a !$ !^ !*"), b"a -l 'a b' 'a b' | wc -l");
        assert_eq!(expanded(b"!ls:$:h !ls:$:t !ls:$:r !ls:$:e"), b"/usr/bin a.tar.gz /usr/bin/a.tar .gz");
        assert_eq!(expanded(b"!e:1-2 !e:s/one/1&/ !e:gs/o/0/"), b"one two echo 1one two ech0 0ne tw0");
        assert_eq!(expanded(b"^wc -l^sort^ -r"), b"cat 'a b' | sort -r");
        assert_eq!(expanded(b"x !#"), b"x x ");
    }

    #[test]
    fn what_is_no_event_stays() {
        for text in [&b"! a"[..], b"a != b", b"'!!'", b"\\!!", b"echo $! ${!x} [!a]", b"\"hi!\"", b"!(a)"] {
            assert_eq!(expanded(text), text);
        }
        assert_eq!(expanded(b"!nope x"), b"!nope: event not found");
        assert_eq!(expanded(b"!!:9"), b"!!:9: bad word specifier");
    }
}
