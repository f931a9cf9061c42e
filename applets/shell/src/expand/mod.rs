//! Expansion, the third layer: words (XCU 2.6), arithmetic, assignment, prompts. It imports the syntax and the state.

pub mod arith;
pub mod assign;
pub mod element;
pub mod fields;
mod glob;
pub mod history;
mod param;
pub mod pattern;
mod prompt;
mod tilde;
pub mod value;

use crate::state::upward::Upward;
use crate::state::{Fail, Shell};
use crate::syntax::ast::{Arith, Part, Pattern, Word};
use fields::{Fields, Mode};
use pattern::Flags;
use rbox_core::number::Decimal;

pub use glob::names as names_in;

impl Shell {
    /// The fields of the words of a command.
    pub fn expand_words(&mut self, words: &[Word]) -> Result<Vec<Vec<u8>>, Fail> {
        let mut all = Vec::with_capacity(words.len());
        for word in words {
            match word {
                Word::Literal(text) => all.push(text.to_vec()),
                Word::Parts(parts) => self.expand_fields(parts, &mut all)?,
                Word::Declaration(_) => all.push(self.expand_one(word)?),
            }
        }
        Ok(all)
    }

    fn expand_fields(&mut self, parts: &[Part], all: &mut Vec<Vec<u8>>) -> Result<(), Fail> {
        let mut fields = Fields::new(Mode::Split);
        self.expand_parts(parts, &mut fields)?;
        fields.finish();
        if fields.globs.is_empty() || self.options.noglob {
            all.append(&mut fields.done);
            return Ok(());
        }
        let ignored = if self.options.bash { self.get(b"GLOBIGNORE").unwrap_or_default().to_vec() } else { Vec::new() };
        let mut globs = fields.globs.into_iter().peekable();
        for (number, field) in fields.done.into_iter().enumerate() {
            match globs.next_if(|(at, _)| *at == number) {
                Some((_, pattern)) => {
                    if !glob::expand(&pattern, field, (&self.options, self.computed.utf8, &ignored), all) {
                        let word = all.pop().unwrap_or_default();
                        return Err(self.error(&[b"no match: ", &word]));
                    }
                }
                None => all.push(field),
            }
        }
        Ok(())
    }

    /// A word as one text, neither split nor globbed.
    pub fn expand_one(&mut self, word: &Word) -> Result<Vec<u8>, Fail> {
        match word {
            Word::Literal(text) => Ok(text.to_vec()),
            Word::Parts(parts) | Word::Declaration(parts) => {
                let mut fields = Fields::new(Mode::One);
                self.expand_parts(parts, &mut fields)?;
                Ok(fields.into_one())
            }
        }
    }

    /// A word as a pattern.
    pub fn expand_pattern(&mut self, word: &Word) -> Result<Vec<u8>, Fail> {
        let mut fields = Fields::new(Mode::Pattern);
        match word {
            Word::Literal(text) => fields.quoted(text),
            Word::Parts(parts) | Word::Declaration(parts) => self.expand_parts(parts, &mut fields)?,
        }
        Ok(fields.into_one())
    }

    /// A word as an extended regular expression: its quoted parts match literally.
    pub fn expand_regex(&mut self, word: &Word) -> Result<Vec<u8>, Fail> {
        let mut pattern = Vec::new();
        let parts = match word {
            Word::Literal(text) => return Ok(text.to_vec()),
            Word::Parts(parts) | Word::Declaration(parts) => parts,
        };
        for part in parts {
            let quoted = match part {
                Part::Quoted(_) => true,
                Part::Param(param) => param.quoted,
                Part::Command(command) => command.quoted,
                _ => false,
            };
            let mut fields = Fields::new(Mode::One);
            self.expand_parts(std::slice::from_ref(part), &mut fields)?;
            for byte in fields.into_one() {
                if quoted && b".[]\\*^$+?(){}|".contains(&byte) {
                    pattern.push(b'\\');
                }
                pattern.push(byte);
            }
        }
        Ok(pattern)
    }

    /// Whether a pattern matches all of a text.
    pub fn pattern_matches(&mut self, wanted: &Pattern, text: &[u8], flags: Flags) -> Result<bool, Fail> {
        Ok(match wanted {
            Pattern::Exact(exact) if !self.options.nocasematch => **exact == *text,
            Pattern::Static(ready) => pattern::matches(ready, text, flags),
            other => pattern::matches(&self.pattern_text(other)?, text, flags),
        })
    }

    /// How `shopt` has patterns matched.
    pub fn pattern_flags(&self) -> Flags {
        let groups = if self.options.extglob { Flags::EXTENDED } else { Flags::NONE };
        let groups = if self.options.nocasematch { groups | Flags::FOLD_CASE } else { groups };
        if self.computed.utf8 { groups | Flags::UTF8 } else { groups }
    }

    /// A pattern's text with escapes.
    pub fn pattern_text(&mut self, wanted: &Pattern) -> Result<Vec<u8>, Fail> {
        Ok(match wanted {
            Pattern::Exact(exact) => {
                let mut text = Vec::with_capacity(exact.len());
                crate::syntax::parser::escape(exact, &mut text);
                text
            }
            Pattern::Static(ready) => ready.to_vec(),
            Pattern::Dynamic(word) => self.expand_pattern(word)?,
        })
    }

    fn expand_parts(&mut self, parts: &[Part], fields: &mut Fields) -> Result<(), Fail> {
        if !self.stack_has_space() {
            return Err(self.plain_error(b"nested too deeply"));
        }
        for part in parts {
            match part {
                Part::Literal(text) => fields.literal(text),
                Part::Quoted(text) => fields.quoted(text),
                Part::Tilde(name) => self.expand_tilde(name, fields),
                Part::Param(param) => self.expand_param(param, fields)?,
                Part::Command(command) => {
                    let text = self.substitute(command)?;
                    self.add(&text, command.quoted, fields);
                }
                Part::Arith(arith, quoted) => {
                    let number = self.arith(arith)?;
                    self.add_number(number, *quoted, fields);
                }
                Part::List(list) => {
                    let items = self.expand_list_words(list)?;
                    fields.quoted(&crate::state::array::encode(&items));
                }
                Part::Process(body, writes) => {
                    let path = self.process_substitution(body, *writes)?;
                    fields.quoted(&path);
                }
            }
        }
        Ok(())
    }

    fn add(&self, text: &[u8], quoted: bool, fields: &mut Fields) {
        if quoted {
            fields.quoted(text);
        } else {
            fields.split(text, &self.computed.ifs, self.computed.utf8);
        }
    }

    fn add_number(&self, number: i64, quoted: bool, fields: &mut Fields) {
        let digits = Decimal::new(number.unsigned_abs());
        if number >= 0 {
            self.add(digits.as_bytes(), quoted, fields);
        } else {
            self.add(&[b"-", digits.as_bytes()].concat(), quoted, fields);
        }
    }

    /// The value of `$((...))` or `((...))`.
    pub fn arith(&mut self, arith: &Arith) -> Result<i64, Fail> {
        if let Word::Literal(text) = &arith.text {
            let compiled =
                arith.compiled.get_or_init(|| crate::syntax::expression::parse(text, &mut self.symbols).ok());
            if let Some(expr) = compiled {
                return self.evaluate(expr, 0);
            }
            return self.evaluate_text(text, 0);
        }
        let text = self.expand_one(&arith.text)?;
        self.evaluate_text(&text, 0)
    }
}
