//! Regular expressions of a program and of its strings.

use std::rc::Rc;

use rbox_core::error::Result;
use rbox_core::pattern::regex::{Exec, Flags, Regex};

use crate::value::Text;

/// How many expressions from strings are kept.
const KEPT: usize = 64;

/// A compiled expression, with the short cuts that it allows.
pub struct Pattern {
    pub regex: Regex,
    /// The byte that is all that the expression matches.
    pub byte: Option<u8>,
    /// The string that what matches begins with, if the expression is no more than that.
    pub prefix: Option<Vec<u8>>,
}

impl Pattern {
    /// Whether the expression matches somewhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.prefix {
            Some(prefix) => text.starts_with(prefix),
            None => self.regex.is_match(text),
        }
    }

    /// The bounds of the first match that begins at `start` or later.
    pub fn find_at(&self, text: &[u8], start: usize) -> Option<(usize, usize)> {
        match self.byte {
            Some(byte) => {
                let at = start + rbox_core::bytes::find_byte(byte, text.get(start..)?)?;
                Some((at, at + 1))
            }
            None => self.regex.find_at(text, start, Exec::default()),
        }
    }

    /// The byte that is all that the expression matches.
    pub fn byte(&self) -> Option<u8> {
        self.byte
    }

    /// The engine's expression.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// What compiles an expression.
pub type Compiler = fn(&[u8], Flags) -> Result<Pattern>;

/// The expressions of a program.
pub struct Regexes {
    sources: Vec<Vec<u8>>,
    /// Those of the program, in the order of `sources`.
    compiled: Vec<Rc<Pattern>>,
    /// Those from strings; the one used last is the first.
    dynamic: Vec<(Rc<Text>, Rc<Pattern>)>,
    flags: Flags,
    compiler: Compiler,
}

impl Regexes {
    /// Compiles the expressions of the program.
    pub fn new(sources: &[Vec<u8>], compiler: Compiler, utf8: bool) -> Result<Self> {
        let flags = Flags::EXTENDED | Flags::BRACKET_ESCAPES | if utf8 { Flags::UTF8 } else { Flags::NONE };
        let mut regexes =
            Self { sources: sources.to_vec(), compiled: Vec::new(), dynamic: Vec::new(), flags, compiler };
        regexes.compile()?;
        Ok(regexes)
    }

    fn compile(&mut self) -> Result<()> {
        self.compiled.clear();
        for source in &self.sources {
            self.compiled.push(Rc::new((self.compiler)(source, self.flags)?));
        }
        Ok(())
    }

    /// IGNORECASE has changed.
    pub fn set_ignore_case(&mut self, ignores: bool) -> Result<()> {
        let plain = if self.flags | Flags::UTF8 == self.flags { Flags::UTF8 } else { Flags::NONE };
        let case = if ignores { Flags::FOLD_CASE } else { Flags::NONE };
        let flags = Flags::EXTENDED | Flags::BRACKET_ESCAPES | plain | case;
        if flags != self.flags {
            self.flags = flags;
            self.dynamic.clear();
            self.compile()?;
        }
        Ok(())
    }

    /// An expression of the program.
    #[inline]
    pub fn fixed(&self, index: u32) -> &Rc<Pattern> {
        &self.compiled[index as usize]
    }

    /// The expression in a string.
    pub fn of_text(&mut self, text: &Rc<Text>) -> Result<Rc<Pattern>> {
        let is_it = |(known, _): &(Rc<Text>, Rc<Pattern>)| Rc::ptr_eq(known, text) || ***known == ***text;
        match self.dynamic.iter().position(is_it) {
            Some(0) => {}
            Some(at) => self.dynamic[..=at].rotate_right(1),
            None => {
                let pattern = Rc::new((self.compiler)(text, self.flags)?);
                self.dynamic.truncate(KEPT - 1);
                self.dynamic.insert(0, (Rc::clone(text), pattern));
            }
        }
        Ok(Rc::clone(&self.dynamic[0].1))
    }
}
