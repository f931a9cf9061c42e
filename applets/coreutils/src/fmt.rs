//! `fmt`: fill paragraphs (GNU coreutils).
//!
//! A paragraph is read whole and broken where the sum of the costs of all lines is least (Knuth and Plass, Breaking
//! Paragraphs into Lines). The weights of the costs are those with which the lines agree with GNU's.

use core::cell::Cell;

use rbox_core::io::Input;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;

options! {
    "[-cstu] [-w WIDTH | -WIDTH] [-g WIDTH] [-p STRING] [FILE]...

Fill the paragraphs of each FILE, or of standard input.

  -c, --crown-margin      Keep the indentation of the first two lines
  -p, --prefix=STRING     Fill only lines that begin with STRING, and put it before each line
  -s, --split-only        Split long lines, but do not join lines
  -t, --tagged-paragraph  As -c, and the first two lines have different indentation
  -u, --uniform-spacing   Put one space between words and two after sentences
  -w, --width=WIDTH       Widest line in columns (75)
  -g, --goal=WIDTH        Width that lines should have (93 % of the widest)
  -NUM                    Same as -w NUM";
    CROWN = "-c",
    PREFIX = "-p",
    SPLIT_ONLY = "-s",
    TAGGED = "-t",
    UNIFORM = "-u",
    WIDTH = "-w",
    GOAL = "-g",
    NUMBER = "-NUM",
}

/// The applet. It keeps a paragraph, so it runs in a child.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Columns between tab stops.
const TAB: usize = 8;
/// The indentation of the other lines of a tagged paragraph of one line that is not indented.
const TAGGED_INDENT: usize = 3;
/// The widest line that is taken.
const WIDEST: u64 = 2500;

/// What lines begin and end with, as it is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Margins {
    Same,
    Crown,
    Tagged,
    /// Each line is a paragraph.
    Split,
}

struct Fmt<'a> {
    margins: Margins,
    uniform: bool,
    width: usize,
    goal: usize,
    /// The prefix without blanks around it, the blanks before it, and its length with those after it.
    prefix: &'a [u8],
    prefix_lead: usize,
    prefix_length: usize,
    /// Tabs were read, so blanks are written as tabs.
    tabs: Cell<bool>,
}

/// A line that is part of a paragraph: columns before the prefix and before the first word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    before_prefix: usize,
    indent: usize,
}

#[derive(Clone, Default)]
struct Word {
    /// Where it is in the paragraph's text, and its length.
    start: usize,
    length: usize,
    /// Columns after it, if the line goes on.
    space: usize,
    /// It begins with an opening parenthesis or a quote.
    opens: bool,
    /// It ends with punctuation; with the end of a sentence, if nothing follows but a closing parenthesis or a quote; and
    /// the sentence does end there.
    punctuated: bool,
    period: bool,
    last_of_sentence: bool,
    /// The least cost from here on, the length of the line that begins here, and where the next one begins.
    cost: i64,
    line_length: usize,
    next: usize,
}

/// A paragraph that is being read.
struct Paragraph {
    prefix_column: usize,
    first_indent: usize,
    /// The indentation of its other lines, once it is known.
    other_indent: usize,
    lines: usize,
    words: Vec<Word>,
    /// The words, one after the other.
    text: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let width = match args.last_of(&[WIDTH, NUMBER]).and_then(|option| args.value(option)) {
        Some(word) => Some(parse_in_range(word, 0, WIDEST)? as usize),
        None => None,
    };
    let (width, goal) = match args.value(GOAL) {
        None => {
            let width = width.unwrap_or(75);
            (width, width * 187 / 200)
        }
        Some(word) => {
            let goal = parse_in_range(word, 0, width.unwrap_or(75) as u64)? as usize;
            (width.unwrap_or(goal + 10), goal)
        }
    };
    let margins = match args.last_of(&[SPLIT_ONLY, CROWN, TAGGED]) {
        None => Margins::Same,
        _ if args.has(SPLIT_ONLY) => Margins::Split,
        _ if args.has(CROWN) => Margins::Crown,
        _ => Margins::Tagged,
    };
    let prefix = args.value(PREFIX).unwrap_or_default();
    let without_lead = &prefix[prefix.iter().take_while(|&&byte| byte == b' ').count()..];
    let trailing = without_lead.iter().rev().take_while(|&&byte| byte == b' ').count();
    let fmt = Fmt {
        margins,
        uniform: args.has(UNIFORM),
        width,
        goal,
        prefix: &without_lead[..without_lead.len() - trailing],
        prefix_lead: prefix.len() - without_lead.len(),
        prefix_length: without_lead.len(),
        tabs: Cell::new(false),
    };
    env.for_each_input(args.operands(), &mut |env, input| fmt.file(env, input))
}

impl Fmt<'_> {
    fn file(&self, env: &mut Env, input: &mut Input) -> Result<()> {
        self.tabs.set(false);
        let mut paragraph: Option<Paragraph> = None;
        let mut other_indent = 0;
        while let Some(record) = input.record_for(b'\n', &mut env.stdout)? {
            let line = record.strip_suffix(b"\n").unwrap_or(record);
            let Some((shape, text)) = self.shape(line) else {
                let record = record.to_vec();
                self.end(env, &mut paragraph)?;
                self.copy(env, &record)?;
                continue;
            };
            if !paragraph.as_mut().is_some_and(|paragraph| self.continues(paragraph, shape)) {
                let (line, start) = (line.to_vec(), line.len() - text.len());
                self.end(env, &mut paragraph)?;
                other_indent = self.other_indent(shape.indent, other_indent);
                let mut begun = Paragraph {
                    prefix_column: shape.before_prefix,
                    first_indent: shape.indent,
                    other_indent,
                    lines: 0,
                    words: Vec::new(),
                    text: Vec::new(),
                };
                begun.add(self, &line, start, shape);
                paragraph = Some(begun);
                continue;
            }
            if let Some(paragraph) = &mut paragraph {
                other_indent = paragraph.other_indent;
                paragraph.add(self, line, line.len() - text.len(), shape);
            }
        }
        self.end(env, &mut paragraph)
    }

    /// The shape of a line that can be filled, and its text; `None` for one without words or without the prefix.
    fn shape<'a>(&self, line: &'a [u8]) -> Option<(Shape, &'a [u8])> {
        let (text, mut column) = self.skip_blanks(line, 0);
        if self.prefix_length == 0 {
            return (!text.is_empty()).then_some((Shape { before_prefix: 0, indent: column }, text));
        }
        let text = text.strip_prefix(self.prefix).filter(|_| column >= self.prefix_lead)?;
        let before_prefix = if self.prefix.is_empty() { column.min(self.prefix_lead) } else { column };
        column += self.prefix.len();
        let (text, column) = self.skip_blanks(text, column);
        (!text.is_empty() && column >= before_prefix + self.prefix_length)
            .then_some((Shape { before_prefix, indent: column }, text))
    }

    /// The indentation of lines that follow the first of a paragraph, while only that one is known. `last`: that of the
    /// paragraph before it.
    fn other_indent(&self, first: usize, last: usize) -> usize {
        match self.margins {
            Margins::Tagged if last != first => last,
            Margins::Tagged if first == 0 => TAGGED_INDENT,
            Margins::Tagged => 0,
            _ => first,
        }
    }

    /// Whether a line of that shape belongs to the paragraph; the second one may decide the indentation.
    fn continues(&self, paragraph: &mut Paragraph, shape: Shape) -> bool {
        if shape.before_prefix != paragraph.prefix_column {
            return false;
        }
        match self.margins {
            Margins::Split => false,
            Margins::Crown | Margins::Tagged if paragraph.lines == 1 => {
                if self.margins == Margins::Tagged && shape.indent == paragraph.first_indent {
                    return false;
                }
                paragraph.other_indent = shape.indent;
                true
            }
            _ => shape.indent == paragraph.other_indent,
        }
    }

    /// Copies a line that is not filled; one without words loses the blanks at its end.
    fn copy(&self, env: &mut Env, record: &[u8]) -> Result<()> {
        let (text, column) = self.skip_blanks(record, 0);
        let words = text.strip_prefix(self.prefix).unwrap_or(text).trim_ascii();
        let mut out = Vec::new();
        if !text.trim_ascii().is_empty() {
            self.push_space(&mut out, &mut 0, column);
        }
        match words.is_empty() {
            false => out.extend_from_slice(text),
            true => {
                out.extend_from_slice(text.trim_ascii_end());
                out.push(b'\n');
            }
        }
        env.stdout.write(&out)
    }

    /// Prints the paragraph, if there is one.
    fn end(&self, env: &mut Env, paragraph: &mut Option<Paragraph>) -> Result<()> {
        let Some(mut paragraph) = paragraph.take() else { return Ok(()) };
        if let Some(last) = paragraph.words.last_mut() {
            (last.period, last.last_of_sentence) = (true, true);
        }
        paragraph.break_lines(self);
        let (mut at, mut text) = (0, Vec::new());
        while at < paragraph.words.len() {
            let indent = if at == 0 { paragraph.first_indent } else { paragraph.other_indent };
            let mut column = 0;
            text.clear();
            self.push_space(&mut text, &mut column, paragraph.prefix_column);
            text.extend_from_slice(self.prefix);
            column += self.prefix.len();
            let mut space = indent.saturating_sub(column);
            let next = paragraph.words[at].next;
            for word in &paragraph.words[at..next] {
                self.push_space(&mut text, &mut column, space);
                text.extend_from_slice(&paragraph.text[word.start..word.start + word.length]);
                column += word.length;
                space = word.space;
            }
            text.push(b'\n');
            env.stdout.write(&text)?;
            at = next;
        }
        Ok(())
    }

    /// What follows the blanks at the start of `text`, which is at `column`, and its column.
    fn skip_blanks<'a>(&self, text: &'a [u8], mut column: usize) -> (&'a [u8], usize) {
        let count = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        for &byte in &text[..count] {
            column = if byte == b'\t' { (column / TAB + 1) * TAB } else { column + 1 };
            self.tabs.set(self.tabs.get() || byte == b'\t');
        }
        (&text[count..], column)
    }

    fn push_space(&self, text: &mut Vec<u8>, column: &mut usize, count: usize) {
        let end = *column + count;
        let stop = end / TAB * TAB;
        if self.tabs.get() && *column + 1 < stop {
            while *column < stop {
                text.push(b'\t');
                *column = (*column / TAB + 1) * TAB;
            }
        }
        text.resize(text.len() + end - *column, b' ');
        *column = end;
    }
}

impl Paragraph {
    /// Adds the words of a line, whose text begins at `start`.
    fn add(&mut self, fmt: &Fmt<'_>, line: &[u8], start: usize, shape: Shape) {
        self.lines += 1;
        let (mut rest, mut column) = (&line[start..], shape.indent);
        while !rest.is_empty() {
            let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
            let mut word = Word { start: self.text.len(), ..Word::new(&rest[..length]) };
            self.text.extend_from_slice(&rest[..length]);
            let (after, next) = fmt.skip_blanks(&rest[length..], column + length);
            word.space = next - column - length;
            let ends = after.is_empty();
            word.last_of_sentence = word.period && (ends || word.space > 1);
            if ends || fmt.uniform {
                word.space = if word.last_of_sentence { 2 } else { 1 };
            }
            (rest, column) = (after, next);
            self.words.push(word);
        }
    }

    /// Finds the best breaks: from the last word back, the line that each word begins best.
    fn break_lines(&mut self, fmt: &Fmt<'_>) {
        let count = self.words.len();
        for start in (0..count).rev() {
            let mut length = if start == 0 { self.first_indent } else { self.other_indent };
            let (mut best, mut end) = (i64::MAX, start);
            loop {
                length += self.words[end].length;
                end += 1;
                let cost = self.line_cost(fmt, end, length).saturating_add(self.words.get(end).map_or(0, |w| w.cost));
                // A word alone is always a line.
                if end == start + 1 || cost < best {
                    let word = &mut self.words[start];
                    (best, word.next, word.line_length) = (cost, end, length);
                }
                if end == count || length + self.words[end - 1].space + self.words[end].length >= fmt.width {
                    break;
                }
                length += self.words[end - 1].space;
            }
            self.words[start].cost = best.saturating_add(self.start_cost(start));
        }
    }

    /// The cost of a line of that length before the word `next`: how far it is from the goal, and from the next line.
    fn line_cost(&self, fmt: &Fmt<'_>, next: usize, length: usize) -> i64 {
        let Some(word) = self.words.get(next) else { return 0 };
        let square = |a: usize, b: usize| (a as i64 - b as i64).saturating_mul(10).saturating_pow(2);
        let ragged = if word.next == self.words.len() { 0 } else { square(length, word.line_length) / 2 };
        square(fmt.goal, length).saturating_add(ragged)
    }

    /// The cost of a line that begins with that word: after a sentence it is good, near its ends it is bad.
    fn start_cost(&self, at: usize) -> i64 {
        let (mut cost, word) = (70 * 70, &self.words[at]);
        let per_length = |weight: i64, word: &Word| weight * weight / (word.length as i64 + 2);
        if at > 0 {
            let before = &self.words[at - 1];
            if before.period {
                cost += if before.last_of_sentence { -(50 * 50) } else { 600 * 600 };
            } else if before.punctuated {
                cost -= 40 * 40;
            } else if at > 1 && self.words[at - 2].last_of_sentence {
                cost += per_length(200, before);
            }
        }
        if word.opens {
            cost -= 40 * 40;
        } else if word.last_of_sentence {
            cost += per_length(150, word);
        }
        cost
    }
}

impl Word {
    fn new(text: &[u8]) -> Self {
        let inner = text.iter().rposition(|byte| !b")]'\"".contains(byte)).map_or(&b""[..], |at| &text[..=at]);
        Self {
            length: text.len(),
            opens: text.first().is_some_and(|byte| b"(['`\"".contains(byte)),
            punctuated: text.last().is_some_and(u8::is_ascii_punctuation),
            period: inner.last().is_some_and(|byte| b".?!".contains(byte)),
            ..Self::default()
        }
    }
}
