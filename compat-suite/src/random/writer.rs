//! Writes random text by the rules of a grammar.
//!
//! A template is text in which `%` and a character stand for a rule, which is a table of templates; `%%` is a percent sign. The first
//! template of a table that refers to itself refers to nothing: it is chosen where rules are deep in one another.

use super::Random;

/// The tables of a grammar by the names of the rules.
pub type Rules = fn(char) -> &'static [&'static str];

/// How deep rules may be in one another.
const DEPTH: usize = 7;

/// A text that grows by the rules of a grammar.
pub struct Writer {
    random: Random,
    rules: Rules,
    out: String,
    depth: usize,
}

impl Writer {
    /// The writer of a seed.
    pub fn new(seed: u64, rules: Rules) -> Self {
        Self { random: Random::new(seed), rules, out: String::new(), depth: 0 }
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.below(end)
    }

    /// A text that a template expands to.
    pub fn text(&mut self, template: &str) -> String {
        self.expand(template);
        std::mem::take(&mut self.out)
    }

    /// From `least` to `most` such texts.
    pub fn texts(&mut self, template: &str, least: usize, most: usize) -> Vec<String> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| self.text(template)).collect()
    }

    fn expand(&mut self, template: &str) {
        let mut characters = template.chars();
        while let Some(character) = characters.next() {
            let rule = if character == '%' { characters.next() } else { None };
            match rule {
                None => self.out.push(character),
                Some('%') => self.out.push('%'),
                Some(rule) => {
                    let table = (self.rules)(rule);
                    let chosen = if self.depth < DEPTH { self.random.pick(table) } else { table[0] };
                    self.depth += 1;
                    self.expand(chosen);
                    self.depth -= 1;
                }
            }
        }
    }
}
