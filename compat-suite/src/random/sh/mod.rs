//! Random shell scripts, written by the rules of `grammar.rs`.
//!
//! A template is text in which `%` and a character stand for a rule. Rules know where they are: whether the text is within double
//! quotes or a here-document, will be split into fields, or may run commands.

mod grammar;

use super::Random;
use grammar as rules;

/// The script of a seed.
pub fn script(seed: u64) -> String {
    let mut writer = Writer {
        random: Random::new(seed),
        out: String::new(),
        context: Context::default(),
        documents: String::new(),
        numbers: 0,
        separators: false,
    };
    for name in ["x", "y", "z"] {
        if writer.random.below(4) > 0 {
            writer.expand(&format!("{name}=%V; "));
        }
    }
    writer.one_of(rules::BEGINNINGS);
    for _ in 0..1 + writer.random.below(5) {
        match writer.random.below(9) {
            0 => writer.one_of(rules::OUTERMOST),
            _ => writer.expand("%S"),
        }
        writer.expand("%N");
    }
    writer.out
}

/// Where the text is.
#[derive(Clone, Copy, Default)]
struct Context {
    /// Statements around it.
    depth: usize,
    /// Expansions around it.
    nested: usize,
    /// Within double quotes.
    quoted: bool,
    /// In a here-document.
    here: bool,
    /// It will not be split into fields: `$@` is unspecified there.
    whole: bool,
}

/// A text that grows by the rules of the grammar.
struct Writer {
    random: Random,
    out: String,
    context: Context,
    /// Here-documents that begin at the next end of a line.
    documents: String,
    /// Loops, functions and files so far: each has a name of its own.
    numbers: usize,
    /// IFS has had a character that is no white space: BusyBox then loses an empty field at the start of a parameter.
    separators: bool,
}

/// How deep statements may be in one another.
const DEPTH: usize = 4;

impl Writer {
    fn one_of(&mut self, templates: &[&str]) {
        let template = self.random.pick(templates);
        self.expand(template);
    }

    /// Up to `most` times, at least `least`.
    fn some_of(&mut self, templates: &[&str], least: usize, most: usize) {
        for _ in 0..least + self.random.below(most - least + 1) {
            self.one_of(templates);
        }
    }

    /// Writes the template; `%n` is one and the same unused number wherever it is in it.
    fn expand(&mut self, template: &str) {
        let mut number = None;
        let mut characters = template.chars();
        while let Some(character) = characters.next() {
            match (character, character == '%') {
                (_, true) => match characters.next().expect("no template ends in a percent sign") {
                    'n' => {
                        let number = *number.get_or_insert_with(|| {
                            self.numbers += 1;
                            self.numbers
                        });
                        self.out.push_str(&number.to_string());
                    }
                    rule => self.rule(rule),
                },
                (character, false) => self.out.push(character),
            }
        }
    }

    /// Writes what the rule stands for; afterwards the context is what it was.
    fn rule(&mut self, rule: char) {
        let outer = self.context;
        match rule {
            '%' => self.out.push('%'),
            'S' => self.statement(),
            'L' => {
                self.expand("%S");
                if self.random.below(3) == 0 {
                    self.expand("%N%S");
                }
            }
            'C' => self.one_of(rules::SIMPLE),
            'K' => {
                self.context.depth = DEPTH;
                self.one_of(rules::SIMPLE);
            }
            'W' => self.words(),
            'w' => {
                self.context.whole = true;
                self.word();
            }
            'p' => self.word_part(),
            'q' => {
                self.context.quoted = true;
                self.some_of(&["%p"], 0, 3);
            }
            'Q' => self.backquoted(),
            'N' => {
                self.out.push('\n');
                self.out.push_str(&std::mem::take(&mut self.documents));
            }
            'F' if !self.documents.is_empty() => self.rule('N'),
            'F' => {}
            'H' | 'G' | 'R' => self.document(rule),
            'x' => self.expansion(),
            'X' => {
                self.context.quoted = true;
                self.expansion();
            }
            'i' => self.inner_word(),
            'r' if outer.quoted || outer.whole => self.inner_word(),
            'r' => self.one_of(rules::REPLACEMENTS),
            'P' => self.pattern(),
            'A' => self.arithmetic(3),
            'a' => self.arithmetic(1),
            'I' => self.separators(),
            'c' => self.substitution(rules::SUBSTITUTIONS),
            'Y' => self.substitution(&["$( %S; exit %s%F)"]),
            'o' => self.some_of(rules::OPTIONS, 1, 3),
            other => self.one_of(rules::table(other)),
        }
        self.context = outer;
    }

    fn statement(&mut self) {
        self.context.depth += 1;
        let deep = self.context.depth > DEPTH || self.random.below(3) == 0;
        self.one_of(if deep { rules::SIMPLE } else { rules::STATEMENTS });
    }

    fn words(&mut self) {
        for number in 0..1 + self.random.below(3) {
            self.out.push_str(if number > 0 { " " } else { "" });
            self.word();
        }
    }

    fn word(&mut self) {
        if self.random.below(20) == 0 {
            return self.one_of(rules::TILDES);
        }
        self.some_of(&["%p"], 1, 3);
    }

    /// A part of a word.
    fn word_part(&mut self) {
        let Context { quoted, whole, .. } = self.context;
        match self.random.below(if quoted { 10 } else { 14 }) {
            0..=2 => self.one_of(rules::LITERALS),
            3 | 4 => self.one_of(rules::VARIABLES),
            5 | 6 => self.expansion(),
            7 => {
                let listed = if whole || self.separators { rules::ONE_PARAMETER } else { rules::PARAMETERS };
                let listed = if whole && !quoted { rules::UNSPLIT_PARAMETERS } else { listed };
                let beside = self.out.trim_end_matches("\\\n").ends_with("$@");
                // `"$@$@"` without parameters is one field in BusyBox, none by POSIX.
                let parameter = Some(self.random.pick(listed)).filter(|&name| name != "$@" || !quoted || !beside);
                self.out.push_str(parameter.unwrap_or("$*"));
            }
            8 => self.substitution(rules::SUBSTITUTIONS),
            9 => self.one_of(if quoted { rules::QUOTED_ESCAPES } else { rules::ESCAPES }),
            10 | 11 => self.one_of(rules::QUOTES),
            _ => {
                // `$xd/*` would be a list of `/`.
                let name = self.out.trim_end_matches(|character: char| character.is_ascii_alphanumeric());
                let glued = name.ends_with('$');
                self.out.push_str(if glued { "''" } else { "" });
                self.one_of(rules::GLOBS);
            }
        }
    }

    fn expansion(&mut self) {
        self.context.nested += 1;
        if self.context.nested > 5 {
            return self.one_of(rules::VARIABLES);
        }
        self.one_of(if self.context.here { rules::EXPANSIONS_IN_DOCUMENTS } else { rules::EXPANSIONS });
    }

    /// The word of `${x-word}`.
    fn inner_word(&mut self) {
        let Context { quoted, here, .. } = self.context;
        for _ in 0..self.random.below(3) {
            let single = !quoted && self.random.below(5) == 0;
            let double = !here && self.random.below(5) == 0;
            match (single, double) {
                (true, _) => self.one_of(rules::INNER_SINGLE),
                (_, true) => self.one_of(rules::INNER_DOUBLE),
                _ => self.one_of(rules::INNER),
            }
        }
    }

    fn pattern(&mut self) {
        let quotes = !self.context.here && self.random.below(3) == 0;
        self.some_of(if quotes { rules::QUOTED_PATTERNS } else { rules::PATTERNS }, 1, 3);
    }

    fn substitution(&mut self, templates: &[&str]) {
        if self.context.depth >= DEPTH {
            return self.one_of(rules::SMALL_SUBSTITUTIONS);
        }
        self.context = Context { depth: self.context.depth + 1, ..Context::default() };
        let waiting = std::mem::take(&mut self.documents);
        self.one_of(templates);
        self.documents = waiting;
    }

    /// A command between backquotes: a backslash is before what they would take away from it (XCU 2.6.3).
    fn backquoted(&mut self) {
        let before = std::mem::take(&mut self.out);
        self.one_of(rules::SIMPLE);
        let command = std::mem::replace(&mut self.out, before);
        self.out.push_str(&command.replace('\\', "\\\\").replace('`', "\\`"));
    }

    /// A here-document that ends in E (or F for `G`); `R` is input for `read`.
    fn document(&mut self, rule: char) {
        let before = std::mem::take(&mut self.out);
        let waiting = std::mem::take(&mut self.documents);
        self.context = Context { depth: DEPTH, here: true, quoted: true, ..self.context };
        match rule {
            'R' => {
                self.some_of(rules::INPUT, 0, 9);
                self.out.push('\n');
            }
            _ => self.some_of(rules::DOCUMENT_LINES, 0, 3),
        }
        self.out.push_str(if rule == 'G' { "F\n" } else { "E\n" });
        let document = std::mem::replace(&mut self.out, before);
        self.documents = waiting + &document;
    }

    fn arithmetic(&mut self, depth: usize) {
        if depth == 0 || self.random.below(3) == 0 {
            return self.one_of(rules::NUMBERS);
        }
        let template = self.random.pick(rules::ARITHMETIC);
        for (number, part) in template.split('_').enumerate() {
            if number > 0 {
                self.arithmetic(depth - 1);
            }
            self.expand(part);
        }
    }

    fn separators(&mut self) {
        let separators = self.random.pick(rules::SEPARATORS);
        self.separators |= separators.chars().any(|character| !" '\t\n".contains(character));
        self.out.push_str(separators);
    }
}
