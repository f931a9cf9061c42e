//! Movements of vi's command mode (XCU sh, vi-mode), alone and after `c`, `d` and `y`.

use super::Editor;
use super::text::{Class, Text};
use crate::term::keys::Key;

/// Where a movement leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub at: usize,
    /// The character there belongs to what an operator takes.
    pub inclusive: bool,
}

/// A search for a character in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Find {
    pub wanted: Key,
    pub forward: bool,
    /// Stop beside it: `t` and `T`.
    pub beside: bool,
}

impl Find {
    fn reversed(self) -> Find {
        Find { forward: !self.forward, ..self }
    }

    /// The position of the character, so many times on.
    fn run(self, text: &Text, count: usize, again: bool) -> Option<Target> {
        let mut bytes = [0; 4];
        let wanted: &[u8] = match self.wanted {
            Key::Char(one) => one.encode_utf8(&mut bytes).as_bytes(),
            Key::Byte(byte) => {
                bytes[0] = byte;
                &bytes[..1]
            }
            _ => return None,
        };
        let mut at = text.at;
        if again && self.beside {
            // Beside the character already: the next one is meant.
            at = if self.forward { text.next(at) } else { text.previous(at) };
        }
        for _ in 0..count {
            loop {
                let next = if self.forward { text.next(at) } else { text.previous(at) };
                if next == at || next == text.end() {
                    return None;
                }
                at = next;
                if text.bytes[at..].starts_with(wanted) {
                    break;
                }
            }
        }
        if self.beside {
            at = if self.forward { text.previous(at) } else { text.next(at) };
        }
        Some(Target { at, inclusive: self.forward })
    }
}

impl Editor {
    /// Where a key leads, done `count` times. `None` when it is no movement or leads nowhere.
    pub(super) fn motion(&mut self, key: Key, count: Option<usize>, operator: bool) -> Option<Target> {
        let times = count.unwrap_or(1);
        let exclusive = |at| Some(Target { at, inclusive: false });
        let text = &self.text;
        let (here, end) = (text.at, text.end());
        let repeat = |mut at: usize, step: &dyn Fn(usize) -> usize| {
            for _ in 0..times {
                at = step(at);
            }
            (at != here || operator).then_some(Target { at, inclusive: false })
        };
        match key {
            Key::Char('h' | '\x08' | '\x7f') | Key::Left => repeat(here, &|at| text.previous(at)),
            Key::Char('l' | ' ') | Key::Right => {
                let last = if operator { end } else { text.previous(end) };
                repeat(here, &|at| text.next(at).min(last))
            }
            Key::Char('w' | 'W') => repeat(here, &|at| word(text, at, key == Key::Char('W'))),
            Key::WordRight => repeat(here, &|at| word(text, at, false)),
            Key::Char('b' | 'B') => repeat(here, &|at| word_back(text, at, key == Key::Char('B'))),
            Key::WordLeft => repeat(here, &|at| word_back(text, at, false)),
            Key::Char('e' | 'E') => {
                let target = repeat(here, &|at| word_end(text, at, key == Key::Char('E')))?;
                Some(Target { inclusive: true, ..target })
            }
            Key::Char('^') => exclusive(text.skip(0, &|at| text.class(at, true) == Class::Blank)),
            Key::Char('0') | Key::Home => exclusive(0),
            Key::Char('$') | Key::End => exclusive(end),
            Key::Char('|') => {
                let mut at = 0;
                for _ in 1..times {
                    at = text.next(at);
                }
                exclusive(at)
            }
            Key::Char(letter @ ('f' | 'F' | 't' | 'T')) => {
                let wanted = self.operand();
                let find = Find { wanted, forward: letter.is_lowercase(), beside: matches!(letter, 't' | 'T') };
                self.mode.find = Some(find);
                find.run(&self.text, times, false)
            }
            Key::Char(';') => self.mode.find?.run(text, times, true),
            Key::Char(',') => self.mode.find?.reversed().run(text, times, true),
            _ => None,
        }
    }
}

/// The beginning of the next word.
fn word(text: &Text, at: usize, big: bool) -> usize {
    let class = text.class(at, big);
    let after = text.skip(at, &|at| class != Class::Blank && text.class(at, big) == class);
    text.skip(after, &|at| text.class(at, big) == Class::Blank)
}

/// The beginning of this word, or of the one before.
fn word_back(text: &Text, at: usize, big: bool) -> usize {
    let end = text.skip_back(at, &|at| text.class(at, big) == Class::Blank);
    let class = text.class(text.previous(end), big);
    text.skip_back(end, &|at| text.class(at, big) == class)
}

/// The last character of this word, or of the next one.
fn word_end(text: &Text, at: usize, big: bool) -> usize {
    let start = text.skip(text.next(at), &|at| text.class(at, big) == Class::Blank);
    let class = text.class(start, big);
    text.previous(text.skip(start, &|at| text.class(at, big) == class)).max(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(line: &str, step: fn(&Text, usize, bool) -> usize, big: bool, from: usize) -> Vec<usize> {
        let text = Text::new(line.as_bytes());
        let mut all = vec![from];
        for _ in 0..4 {
            all.push(step(&text, all[all.len() - 1], big));
        }
        all
    }

    #[test]
    fn words_are_letters_signs_or_all_that_is_not_blank() {
        assert_eq!(places("ab.c  déf", word, false, 0), [0, 2, 3, 6, 10]);
        assert_eq!(places("ab.c  déf", word, true, 0), [0, 6, 10, 10, 10]);
        assert_eq!(places("ab.c  déf", word_end, false, 0), [0, 1, 2, 3, 9]);
        assert_eq!(places("ab.c  déf", word_back, false, 10), [10, 6, 3, 2, 0]);
        assert_eq!(places("ab.c  déf", word_back, true, 10), [10, 6, 0, 0, 0]);
    }

    #[test]
    fn characters_are_found_again() {
        let mut text = Text::new(b"a,b,c,d");
        text.at = 0;
        let find = Find { wanted: Key::Char(','), forward: true, beside: true };
        assert_eq!(find.run(&text, 1, false).map(|found| found.at), Some(0));
        assert_eq!(find.run(&text, 1, true).map(|found| found.at), Some(2));
        assert_eq!(find.run(&text, 4, false), None);
        text.at = 6;
        assert_eq!(find.reversed().run(&text, 2, false).map(|found| found.at), Some(4));
    }
}
