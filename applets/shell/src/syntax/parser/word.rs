//! Words as they are put together: the classes of bytes, the contexts of text, the parts of a word.

use crate::syntax::ast::{Arith, Part, Pattern, Word};
use std::cell::OnceCell;

/// What a byte means in unquoted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A byte of a word.
    Plain,
    /// Ends a word.
    Break,
    /// Quotes or expands, or is active in a pattern.
    Special,
}

/// The class of each byte.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classify(byte as u8);
        byte += 1;
    }
    classes
};

/// The class of a byte.
#[inline(always)]
pub fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

const fn classify(byte: u8) -> Class {
    match byte {
        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => Class::Break,
        b'\\' | b'\'' | b'"' | b'$' | b'`' | b'*' | b'?' | b'[' | b']' | b'~' => Class::Special,
        _ => Class::Plain,
    }
}

/// Where text is: what quotes, what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// A word of a command.
    Word,
    /// The right side of an assignment: a tilde may follow each colon.
    Assign,
    /// `"..."`
    Double,
    /// A here-document.
    Here,
    /// The word in `${x-word}` outside double quotes.
    Brace,
    /// The word in `"${x-word}"`.
    BraceDouble,
    /// A pattern in `${x#pattern}`.
    BracePattern,
    /// The pattern in `${x/pattern/text}`.
    BraceReplace,
    /// `$((...))`
    Arith,
    /// The numbers in `${x:1:2}`.
    Slice,
    /// One part of `for ((a; b; c))`.
    ForArith,
    /// The regular expression after `=~`.
    Regex,
    /// `[...]` after a name.
    Subscript,
    /// The alternatives of `@(a|b)`.
    Group,
    /// `$[...]`
    OldArith,
}

impl Context {
    /// Whether text of this context is quoted.
    pub fn is_quoting(self) -> bool {
        matches!(
            self,
            Context::Double
                | Context::Here
                | Context::BraceDouble
                | Context::Arith
                | Context::Slice
                | Context::ForArith
                | Context::OldArith
        )
    }
}

/// Collects the parts of a word.
#[derive(Default)]
pub struct Builder {
    parts: Vec<Part>,
    text: Vec<u8>,
    quoted: bool,
    /// Anything was quoted.
    pub any_quoted: bool,
}

impl Builder {
    fn turn(&mut self, quoted: bool) {
        if self.quoted != quoted {
            self.close();
            self.quoted = quoted;
        }
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text).into_boxed_slice();
            self.parts.push(if self.quoted { Part::Quoted(text) } else { Part::Literal(text) });
        }
    }

    /// Adds text.
    pub fn text(&mut self, text: &[u8], quoted: bool) {
        self.turn(quoted);
        self.text.extend_from_slice(text);
    }

    /// How much there is, to be given to `close_quotes`.
    pub fn open_quotes(&mut self) -> usize {
        self.any_quoted = true;
        self.close();
        self.parts.len()
    }

    /// Adds the empty quoted string of `""`, when nothing came since `open_quotes`.
    pub fn close_quotes(&mut self, before: usize) {
        if self.parts.len() == before && self.text.is_empty() {
            self.parts.push(Part::Quoted(Box::default()));
        }
    }

    /// Adds an expansion.
    pub fn part(&mut self, part: Part) {
        self.close();
        self.parts.push(part);
    }

    /// The word. `keep`: its unquoted text may still be split, so it stays in parts.
    pub fn finish(mut self, keep: bool) -> Word {
        self.close();
        // The names of two commands, `[` and `[[`, are no patterns.
        let command = matches!(&self.parts[..], [Part::Literal(text)] if **text == *b"[" || **text == *b"[[");
        let literal = |part: &Part| match part {
            Part::Quoted(_) => true,
            Part::Literal(text) => !keep && (command || !is_active(text)),
            _ => false,
        };
        if !self.parts.iter().all(literal) || (keep && !self.parts.is_empty()) {
            return Word::Parts(self.parts.into());
        }
        if self.parts.len() == 1
            && let Some(Part::Quoted(text) | Part::Literal(text)) = self.parts.pop()
        {
            return Word::Literal(text);
        }
        let mut all = Vec::new();
        for part in &self.parts {
            if let Part::Quoted(text) | Part::Literal(text) = part {
                all.extend_from_slice(text);
            }
        }
        Word::Literal(all.into())
    }
}

/// Whether unquoted text may be a pattern.
fn is_active(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'('))
}

impl Word {
    /// The word as a pattern: ready when nothing in it is expanded.
    pub fn into_pattern(self) -> Pattern {
        let parts = match self {
            Word::Literal(text) => return Pattern::Exact(text),
            Word::Parts(parts) | Word::Declaration(parts) => parts,
        };
        let mut pattern = Vec::new();
        for part in &parts {
            match part {
                Part::Literal(text) => pattern.extend_from_slice(text),
                Part::Quoted(text) => escape(text, &mut pattern),
                _ => return Pattern::Dynamic(Word::Parts(parts)),
            }
        }
        if pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\' | b'(')) {
            return Pattern::Static(pattern.into());
        }
        Pattern::Exact(pattern.into())
    }
}

/// Appends text to a pattern, escaped so that it matches only itself.
pub fn escape(text: &[u8], pattern: &mut Vec<u8>) {
    for &byte in text {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'-' | b'!' | b'^' | b'(' | b'|' | b')') {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
}

impl Arith {
    /// An expression in its text, not parsed yet.
    pub fn new(text: Word) -> Arith {
        Arith { text, compiled: OnceCell::new() }
    }
}
