//! The language of troff, as much of it as manual pages use (groff(7)): requests, macros, strings, registers, escapes.

use rbox_core::bytes::find_byte;
use rbox_core::number::parse_decimal;

use super::mdoc::Mdoc;
use super::page::{BLANK, BOLD, ITALIC, Page, ROMAN};
use super::table;

/// Lines that macros may add: a macro that calls itself ends there.
const MOST_LINES: usize = 1 << 17;
/// Macros that call each other.
const MOST_DEPTH: usize = 100;

pub struct Roff {
    pub page: Page,
    pub mdoc: Mdoc,
    /// Lines still to be read: the file's, and those of macros that were called, the innermost last.
    inputs: Vec<Lines>,
    read: usize,
    definitions: Vec<Definition>,
    font: u8,
    font_before: u8,
    /// The result of `.ie`, for its `.el`.
    conditions: Vec<bool>,
    /// The left margin and the indentation of paragraphs of man(7), in columns.
    pub margin: usize,
    margins: Vec<usize>,
    hang: usize,
    /// The following line is a tag; text beside it begins in that column.
    awaits_tag: Option<usize>,
    /// The following line is a heading.
    awaits_heading: bool,
    /// The following line is in that font, by `.B` and `.I` without text.
    awaits_font: Option<u8>,
    address: Vec<u8>,
    /// The title, section, date, source and manual of `.TH`.
    title: Vec<Vec<u8>>,
    /// Directories for `.so`.
    include: fn(&[u8]) -> Option<Vec<u8>>,
}

/// Lines that are read one by one.
struct Lines {
    text: Vec<u8>,
    at: usize,
}

impl Lines {
    fn next(&mut self) -> Option<&[u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = find_byte(b'\n', rest).unwrap_or(rest.len());
        self.at += length + 1;
        Some(&rest[..length])
    }
}

/// What a page gives a name to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    /// Its lines end with newlines.
    Macro,
    Register,
}

struct Definition {
    kind: Kind,
    name: Vec<u8>,
    text: Vec<u8>,
    number: i64,
}

/// The columns that man(7) leaves before text.
pub const MARGIN: usize = 7;

impl Roff {
    pub fn new(page: Page, include: fn(&[u8]) -> Option<Vec<u8>>) -> Roff {
        Roff {
            page,
            mdoc: Mdoc::default(),
            inputs: Vec::new(),
            read: 0,
            definitions: Vec::new(),
            font: ROMAN,
            font_before: ROMAN,
            conditions: Vec::new(),
            margin: MARGIN,
            margins: Vec::new(),
            hang: MARGIN,
            awaits_tag: None,
            awaits_heading: false,
            awaits_font: None,
            address: Vec::new(),
            title: Vec::new(),
            include,
        }
    }

    /// Formats a whole source.
    pub fn format(mut self, source: &[u8]) -> Vec<u8> {
        self.push_input(source);
        while let Some(line) = self.next_line() {
            self.line(&line);
        }
        self.end_page();
        self.page.into_bytes()
    }

    fn push_input(&mut self, source: &[u8]) {
        // The bytes that mark a font or a blank here are no text; a tab stays.
        let is_text = |byte: &u8| *byte >= b' ' && *byte != 127 || matches!(byte, b'\t' | b'\n');
        self.push_lines(source.iter().copied().filter(is_text).collect());
    }

    /// Puts lines before those that are still to be read.
    fn push_lines(&mut self, text: Vec<u8>) {
        while self.inputs.last().is_some_and(|input| input.at >= input.text.len()) {
            self.inputs.pop();
        }
        if self.inputs.len() < MOST_DEPTH && self.read < MOST_LINES {
            self.inputs.push(Lines { text, at: 0 });
        }
    }

    pub fn next_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let input = self.inputs.last_mut()?;
            let Some(line) = input.next() else {
                self.inputs.pop();
                continue;
            };
            self.read += 1;
            let mut line = line.to_vec();
            // A backslash at the end joins the following line.
            while line.ends_with(b"\\") && !line.ends_with(b"\\\\") {
                line.pop();
                line.extend_from_slice(input.next()?);
            }
            return Some(line);
        }
    }

    fn definition(&self, kind: Kind, name: &[u8]) -> Option<&Definition> {
        self.definitions.iter().find(|known| known.kind == kind && known.name == name)
    }

    /// The definition of that name, which is empty at first.
    fn define(&mut self, kind: Kind, name: &[u8]) -> &mut Definition {
        let found = self.definitions.iter().position(|known| known.kind == kind && known.name == name);
        let at = found.unwrap_or(self.definitions.len());
        if found.is_none() {
            self.definitions.push(Definition { kind, name: name.to_vec(), text: Vec::new(), number: 0 });
        }
        &mut self.definitions[at]
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(request) = line.strip_prefix(b".").or_else(|| line.strip_prefix(b"'")) {
            return self.request(request);
        }
        if line.is_empty() {
            return self.page.space();
        }
        let text = self.expand(line);
        self.text(&text);
    }

    /// Adds text, which ends a tag or takes the font of the macro before.
    pub fn text(&mut self, text: &[u8]) {
        match self.awaits_font.take() {
            Some(font) => self.page.add(&[&[font], text, &[self.font]].concat()),
            None => self.page.add(text),
        }
        if core::mem::take(&mut self.awaits_heading) {
            self.page.end_heading();
            self.page.set_indent(MARGIN);
        }
        self.end_tag();
    }

    pub fn end_tag(&mut self) {
        if let Some(indent) = self.awaits_tag.take() {
            self.page.end_tag(indent);
        }
    }

    fn request(&mut self, request: &[u8]) {
        let request = request.trim_ascii_start();
        let length = request.iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'\\').count();
        let (name, rest) = request.split_at(length);
        let rest = rest.trim_ascii_start();
        if let Some(found) = self.definition(Kind::Macro, name) {
            let body = found.text.clone();
            let words = self.words(rest);
            return self.push_lines(with_arguments(&body, &words));
        }
        match name {
            b"if" => drop(self.condition(rest)),
            b"ie" => {
                let holds = self.condition(rest);
                self.conditions.push(holds);
            }
            b"el" => match self.conditions.pop() {
                Some(false) => self.conditional(rest, true),
                _ => self.conditional(rest, false),
            },
            b"de" | b"de1" | b"am" | b"am1" => self.define_macro(rest, name.starts_with(b"am")),
            b"ig" => drop(self.body(rest)),
            b"ds" | b"ds1" | b"as" => self.define_string(rest, name == b"as"),
            b"nr" => self.set_register(rest),
            b"rm" | b"rr" => {
                self.definitions.retain(|known| known.name != rest);
            }
            b"als" => {
                let words = self.words(rest);
                if let [new, old, ..] = &words[..]
                    && let Some(found) = self.definition(Kind::Macro, old)
                {
                    let body = found.text.clone();
                    self.define(Kind::Macro, new).text = body;
                }
            }
            b"do" => self.request(rest),
            b"so" => {
                if let Some(source) = (self.include)(rest).filter(|_| self.inputs.len() < MOST_DEPTH) {
                    self.push_input(&source);
                }
            }
            _ => self.formatting(name, rest),
        }
    }

    fn formatting(&mut self, name: &[u8], rest: &[u8]) {
        match name {
            b"br" => self.page.break_line(),
            b"sp" => self.page.space(),
            b"nf" | b"EX" | b"Vb" => {
                self.page.break_line();
                self.page.fill = false;
            }
            b"fi" | b"EE" | b"Ve" => {
                self.page.break_line();
                self.page.fill = true;
            }
            b"ce" => {
                self.page.break_line();
                self.page.centred = parse_decimal(rest).unwrap_or(1).min(1000) as usize;
            }
            b"ft" => {
                let font = font_named(rest).unwrap_or(self.font_before);
                let mark = self.change_font(font);
                self.page.joined = true;
                self.page.add(&[mark]);
                self.page.joined = false;
            }
            b"in" => {
                let now = self.page.indent() as i64;
                let columns = match rest {
                    b"" => self.margin as i64,
                    [b'+', number @ ..] => now + self.measure(number),
                    [b'-', number @ ..] => now - self.measure(number),
                    number => self.measure(number),
                };
                self.page.set_indent(columns.max(0) as usize);
            }
            b"ti" => self.page.break_line(),
            b"TS" => {
                let rows = self.body(b"TE");
                let rows: Vec<Vec<u8>> = rows.iter().map(|row| self.expand(row)).collect();
                self.page.break_line();
                for line in table::format(&rows) {
                    let indent = vec![b' '; self.page.indent()];
                    self.page.add_line(&[indent, line].concat());
                }
            }
            _ if self.mdoc.is_mdoc() || matches!(name, b"Dd" | b"Dt" | b"Os") => {
                let words = self.words(rest);
                super::mdoc::call(self, name, words);
            }
            _ => self.man_macro(name, rest),
        }
    }

    /// The macros of man(7).
    fn man_macro(&mut self, name: &[u8], rest: &[u8]) {
        let words = self.words(rest);
        let word = |at: usize| words.get(at).cloned().unwrap_or_default();
        match name {
            b"TH" => {
                self.page.set_indent(0);
                self.title = words.clone();
                let title = [&word(0)[..], b"(", &word(1), b")"].concat();
                self.header(&title, &word(4));
                self.page.set_indent(MARGIN);
            }
            b"SH" | b"SS" => {
                (self.margin, self.hang) = (MARGIN, MARGIN);
                self.margins.clear();
                self.font = ROMAN;
                self.page.fill = true;
                self.page.set_indent(if name == b"SH" { 0 } else { 3 });
                self.page.space();
                // Without words the heading is the following line.
                self.awaits_heading = true;
                if !words.is_empty() {
                    self.text(&[&[BOLD], &words.join(&b' ')[..], &[ROMAN]].concat());
                }
            }
            b"PP" | b"P" | b"LP" => {
                self.hang = MARGIN;
                self.page.set_indent(self.margin);
                self.page.space();
            }
            b"TP" | b"TQ" | b"HP" | b"IP" => {
                self.page.set_indent(self.margin);
                if name != b"TQ" {
                    self.page.space();
                }
                let width = if name == b"IP" { word(1) } else { word(0) };
                if !width.is_empty() {
                    self.hang = self.measure(&width).clamp(0, 50) as usize;
                }
                let indent = self.margin + self.hang;
                match name {
                    b"IP" if word(0).is_empty() => self.page.set_indent(indent),
                    b"IP" => {
                        self.page.add(&word(0));
                        self.page.end_tag(indent);
                    }
                    // The first line is not indented.
                    b"HP" => self.page.end_tag(indent),
                    _ => self.awaits_tag = Some(indent),
                }
            }
            b"RS" => {
                let by = if words.is_empty() { self.hang } else { self.measure(&word(0)).clamp(0, 50) as usize };
                self.margins.push(self.margin);
                self.margin = (self.margin + by).min(60);
                self.hang = MARGIN;
                self.page.set_indent(self.margin);
            }
            b"RE" => {
                self.margin = self.margins.pop().unwrap_or(MARGIN);
                self.hang = MARGIN;
                self.page.set_indent(self.margin);
            }
            b"B" | b"I" | b"SB" | b"SM" | b"R" => {
                let font = match name {
                    b"B" | b"SB" => BOLD,
                    b"I" => ITALIC,
                    _ => ROMAN,
                };
                match words.is_empty() {
                    true => self.awaits_font = Some(font),
                    false => self.text(&[&[font], &words.join(&b' ')[..], &[self.font]].concat()),
                }
            }
            b"BR" | b"RB" | b"BI" | b"IB" | b"IR" | b"RI" => self.alternate(name, &words),
            b"OP" => {
                let value = if words.len() > 1 { [b" ", &[ITALIC], &word(1)[..]].concat() } else { Vec::new() };
                self.text(&[b"[", &[BOLD], &word(0)[..], &value, &[ROMAN], b"]"].concat());
            }
            b"SY" => {
                self.page.set_indent(self.margin);
                self.page.space();
                self.page.add(&[&[BOLD], &word(0)[..], &[ROMAN]].concat());
                self.page.end_tag(self.margin + word(0).len() + 1);
            }
            b"YS" => self.page.set_indent(self.margin),
            b"UR" | b"MT" => self.address = word(0),
            b"UE" | b"ME" => {
                let address = core::mem::take(&mut self.address);
                self.text(&rbox_core::text!("⟨", &address, "⟩", &word(0)));
            }
            // What is left says how a printer sets the page, or is not known.
            _ => {}
        }
    }

    fn alternate(&mut self, name: &[u8], words: &[Vec<u8>]) {
        let mut text = Vec::new();
        for (at, word) in words.iter().enumerate() {
            text.push(font_named(&name[at % 2..at % 2 + 1]).unwrap_or(ROMAN));
            // A blank inside a word of a macro does not part it from what is beside.
            text.extend_from_slice(word);
        }
        text.push(self.font);
        self.text(&text);
    }

    /// Title at both sides, and the name of the manual between.
    pub fn header(&mut self, title: &[u8], middle: &[u8]) {
        let width = self.page.width();
        let line = spread(width, [title, middle, title]);
        self.page.add_line(&line);
        self.page.space();
    }

    fn end_page(&mut self) {
        let (left, date, right) = if self.mdoc.is_mdoc() {
            self.mdoc.footer()
        } else {
            let word = |at: usize| self.title.get(at).cloned().unwrap_or_default();
            (word(3), word(2), [&word(0)[..], b"(", &word(1), b")"].concat())
        };
        if right.len() > 2 {
            self.page.set_indent(0);
            self.page.space();
            let line = spread(self.page.width(), [&left, &date, &right]);
            self.page.add_line(&line);
        }
    }

    /// Evaluates the condition that `rest` begins with, and runs what follows if it holds.
    fn condition(&mut self, rest: &[u8]) -> bool {
        let (negated, rest) = match rest.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (holds, rest) = match rest {
            [b'n', rest @ ..] => (true, rest),
            [b't' | b'v', rest @ ..] => (false, rest),
            [b'o', rest @ ..] => (true, rest),
            [b'd' | b'r' | b'F' | b'c' | b'm', rest @ ..] => {
                let rest = rest.trim_ascii_start();
                let length = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
                let name = &rest[..length];
                (self.definitions.iter().any(|known| known.name == name), &rest[length..])
            }
            [delimiter @ (b'\'' | b'"'), ..] => {
                let parts: Vec<&[u8]> = rest[1..].splitn(3, |byte| byte == delimiter).collect();
                let [first, second, after] = parts[..] else { return false };
                (self.expand(first) == self.expand(second), after)
            }
            _ => {
                let length = expression_length(rest);
                let expression = self.expand(&rest[..length]);
                (number(&expression) > 0, &rest[length..])
            }
        };
        let holds = holds != negated;
        self.conditional(rest.trim_ascii_start(), holds);
        holds
    }

    /// Runs or skips a line or a block in `\{ ... \}`.
    fn conditional(&mut self, rest: &[u8], holds: bool) {
        if holds {
            let rest = rest.strip_prefix(b"\\{").unwrap_or(rest);
            if !rest.is_empty() {
                self.push_lines(rest.to_vec());
            }
            return;
        }
        let mut depth = count(rest, b"\\{") as i64 - count(rest, b"\\}") as i64;
        while depth > 0 {
            let Some(line) = self.next_line() else { return };
            depth += count(&line, b"\\{") as i64 - count(&line, b"\\}") as i64;
        }
    }

    /// The lines up to `..` or the named macro.
    fn body(&mut self, end: &[u8]) -> Vec<Vec<u8>> {
        let end = if end.is_empty() { b"." } else { end };
        let mut body = Vec::new();
        while let Some(line) = self.next_line() {
            let is_end = line.strip_prefix(b".").or_else(|| line.strip_prefix(b"'"));
            if is_end.is_some_and(|name| name.trim_ascii().split(|byte| *byte == b' ').next() == Some(end)) {
                break;
            }
            body.push(line);
        }
        body
    }

    fn define_macro(&mut self, rest: &[u8], adds: bool) {
        let comment = rbox_core::bytes::find(rest, b"\\\"").unwrap_or(rest.len());
        let mut words = rest[..comment].split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let body = self.body(words.next().unwrap_or_default());
        let found = self.define(Kind::Macro, name);
        if !adds {
            found.text.clear();
        }
        for line in body {
            // In the body of a macro escapes are read when it is called: one backslash of two goes now.
            found.text.extend(replace(&line, b"\\\\", b"\\"));
            found.text.push(b'\n');
        }
    }

    fn define_string(&mut self, rest: &[u8], adds: bool) {
        let length = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let (name, value) = rest.split_at(length);
        let value = value.trim_ascii_start();
        let string = &mut self.define(Kind::String, name).text;
        if !adds {
            string.clear();
        }
        if string.len() < 1 << 16 {
            string.extend_from_slice(value.strip_prefix(b"\"").unwrap_or(value));
        }
    }

    fn set_register(&mut self, rest: &[u8]) {
        let words = self.words(rest);
        let [name, value, ..] = &words[..] else { return };
        let register = &mut self.define(Kind::Register, name).number;
        *register = match &value[..] {
            [b'+', value @ ..] => register.saturating_add(number(value)),
            [b'-', value @ ..] => register.saturating_sub(number(value)),
            value => number(value),
        };
    }

    /// Columns: a number with a unit of `inmcpuv`.
    fn measure(&mut self, text: &[u8]) -> i64 {
        let text = self.expand(text);
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let whole = text[..digits].split(|&byte| byte == b'.').next().and_then(parse_decimal).unwrap_or(0) as i64;
        match text.get(digits) {
            Some(b'i') => whole * 10,
            Some(b'c') => whole * 4,
            Some(b'p') => whole / 7,
            Some(b'u') => whole / 24,
            _ => whole,
        }
    }

    /// The arguments of a macro: separated by blanks, with quotes, expanded.
    fn words(&mut self, rest: &[u8]) -> Vec<Vec<u8>> {
        let (mut words, mut at) = (Vec::new(), 0);
        while at < rest.len() {
            if rest[at] == b' ' || rest[at] == b'\t' {
                at += 1;
                continue;
            }
            if rest[at..].starts_with(b"\\\"") {
                break;
            }
            let mut word = Vec::new();
            let is_quoted = rest[at] == b'"';
            at += usize::from(is_quoted);
            while at < rest.len() {
                match rest[at] {
                    b'"' if is_quoted && rest.get(at + 1) == Some(&b'"') => {
                        word.push(b'"');
                        at += 2;
                    }
                    b'"' if is_quoted => break,
                    b' ' | b'\t' if !is_quoted => break,
                    b'\\' if at + 1 < rest.len() => {
                        word.extend_from_slice(&rest[at..at + 2]);
                        at += 2;
                    }
                    byte => {
                        word.push(byte);
                        at += 1;
                    }
                }
            }
            at += usize::from(is_quoted);
            words.push(self.expand(&word));
        }
        words
    }

    fn change_font(&mut self, font: u8) -> u8 {
        (self.font_before, self.font) = (self.font, font);
        font
    }

    /// Replaces the escapes of a text.
    fn expand(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.expand_into(text, &mut out, 0);
        out
    }

    fn expand_into(&mut self, text: &[u8], out: &mut Vec<u8>, depth: usize) {
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            at += 1;
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let Some(&escape) = text.get(at) else { break };
            at += 1;
            match escape {
                b'"' | b'#' => break,
                b'e' | b'\\' => out.push(b'\\'),
                b'-' => out.push(b'-'),
                b'\'' => out.extend_from_slice("´".as_bytes()),
                b'`' => out.push(b'`'),
                b' ' | b'~' | b'0' => out.push(BLANK),
                b't' => out.push(b'\t'),
                b'.' => out.push(b'.'),
                b'f' => {
                    let name = take_name(text, &mut at);
                    let font = match name {
                        b"P" | b"" => self.font_before,
                        name => font_named(name).unwrap_or(ROMAN),
                    };
                    let mark = self.change_font(font);
                    out.push(mark);
                }
                b'(' | b'[' | b'C' => {
                    at -= usize::from(escape != b'C');
                    let name = if escape == b'C' { take_quoted(text, &mut at) } else { take_name(text, &mut at) };
                    push_special(out, name);
                }
                b'*' => {
                    let name = take_name(text, &mut at);
                    match self.definition(Kind::String, name).map(|found| found.text.clone()) {
                        Some(value) if depth < 20 && out.len() < 1 << 16 => self.expand_into(&value, out, depth + 1),
                        _ => push_predefined(out, name),
                    }
                }
                b'n' => {
                    if matches!(text.get(at), Some(b'+' | b'-')) {
                        at += 1;
                    }
                    let name = take_name(text, &mut at);
                    let value = match name {
                        b".l" => self.page.width() as i64,
                        b".i" => self.page.indent() as i64,
                        b".g" => 1,
                        _ => self.definition(Kind::Register, name).map_or(0, |found| found.number),
                    };
                    rbox_core::push!(*out, value);
                }
                b's' => {
                    if matches!(text.get(at), Some(b'+' | b'-')) {
                        at += 1;
                    }
                    match text.get(at) {
                        Some(b'(' | b'[' | b'\'') => drop(take_name(text, &mut at)),
                        _ => at += text[at..].iter().take(2).take_while(|byte| byte.is_ascii_digit()).count(),
                    }
                }
                b'h' | b'v' | b'o' | b'z' | b'D' | b'l' | b'L' | b'b' | b'x' | b'A' | b'R' | b'N' | b'S' | b'H' => {
                    let argument = take_quoted(text, &mut at);
                    // Characters one over the other: the last of them is seen.
                    out.extend_from_slice(if escape == b'o' { argument.get(..1).unwrap_or_default() } else { b"" });
                }
                b'w' => {
                    let argument = take_quoted(text, &mut at).to_vec();
                    let shown = if depth < 20 { self.expand(&argument) } else { argument };
                    rbox_core::push!(*out, super::page::columns(&shown));
                }
                b'm' | b'M' | b'F' | b'g' | b'k' | b'Y' | b'V' | b'$' => drop(take_name(text, &mut at)),
                b'c' => {
                    // Nothing is between this line and the following one.
                    self.page.joined = true;
                    break;
                }
                b'&' | b')' | b'%' | b':' | b'/' | b',' | b'|' | b'^' | b'!' | b'?' | b'{' | b'}' | b'd' | b'u'
                | b'p' | b'r' | b'a' => {}
                other => out.push(other),
            }
        }
    }
}

fn font_named(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"B" | b"3" | b"CB" | b"BI" | b"4" => BOLD,
        b"I" | b"2" | b"CI" => ITALIC,
        b"R" | b"1" | b"CW" | b"CR" | b"C" => ROMAN,
        _ => return None,
    })
}

/// A name after an escape: one character, `(xx` or `[...]`.
fn take_name<'a>(text: &'a [u8], at: &mut usize) -> &'a [u8] {
    let rest = &text[(*at).min(text.len())..];
    let (from, to, used) = match rest {
        [] => (0, 0, 0),
        [b'(', _, _, ..] => (1, 3, 3),
        [b'[', ..] => {
            let end = rest.iter().position(|&byte| byte == b']').unwrap_or(rest.len());
            (1, end, (end + 1).min(rest.len()))
        }
        _ => (0, 1, 1),
    };
    *at += used;
    &rest[from..to]
}

/// An argument between two equal characters.
fn take_quoted<'a>(text: &'a [u8], at: &mut usize) -> &'a [u8] {
    let rest = &text[(*at).min(text.len())..];
    let Some((&quote, inner)) = rest.split_first() else { return b"" };
    let end = inner.iter().position(|&byte| byte == quote).unwrap_or(inner.len());
    *at += (end + 2).min(rest.len());
    &inner[..end]
}

/// Strings that every page has.
fn push_predefined(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(match name {
        b"lq" => "“".as_bytes(),
        b"rq" => "”".as_bytes(),
        b"R" => "®".as_bytes(),
        b"Tm" => "™".as_bytes(),
        b"--" => "—".as_bytes(),
        // Those of mdoc(7).
        b"Am" => b"&",
        b"Lt" => b"<",
        b"Gt" => b">",
        b"Le" => "≤".as_bytes(),
        b"Ge" => "≥".as_bytes(),
        b"Ne" => "≠".as_bytes(),
        b"Lq" => "“".as_bytes(),
        b"Rq" => "”".as_bytes(),
        b"Ba" => b"|",
        _ => b"",
    });
}

/// A special character (groff_char(7)).
fn push_special(out: &mut Vec<u8>, name: &[u8]) {
    const NAMES: &str = "- - aq ' dq \" lq “ rq ” oq ‘ cq ’ ga ` ha ^ ti ~ rs \\ sl / bu • em — en – hy - mi − co © rg ® tm ™ \
        ba | bv | br | ul _ ru _ at @ sh # Do $ lB [ rB ] lC { rC } la ⟨ ra ⟩ Fo « Fc » fo ‹ fc › -> → <- ← ua ↑ da ↓ <> ↔ \
        >= ≥ <= ≤ != ≠ == ≡ mu × di ÷ +- ± pl + eq = ** * no ¬ de ° mc µ sc § ps ¶ dg † dd ‡ 12 ½ 14 ¼ 34 ¾ S1 ¹ S2 ² S3 ³ \
        if ∞ es ∅ mo ∈ Eu € Po £ Ye ¥ ct ¢ r? ¿ r! ¡ ss ß ae æ AE Æ oe œ OE Œ /o ø /O Ø oa å oA Å :a ä :o ö :u ü :A Ä :O Ö \
        :U Ü :e ë :i ï 'a á 'e é 'i í 'o ó 'u ú 'A Á 'E É `a à `e è `i ì `o ò `u ù ^a â ^e ê ^i î ^o ô ^u û ~n ñ ~N Ñ ~a ã \
        ~o õ ,c ç ,C Ç aa ´ ac ¸ ad ¨ *a α *b β *g γ *d δ *e ε *l λ *m μ *p π *s σ *W Ω";
    if let Some(code) = name.strip_prefix(b"u").filter(|code| code.len() >= 4)
        && let Some(found) = rbox_core::number::parse_radix(code, 16).and_then(|code| char::from_u32(code as u32))
        && !found.is_control()
    {
        return out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
    }
    let mut words = NAMES.split(' ').filter(|word| !word.is_empty());
    while let (Some(known), Some(character)) = (words.next(), words.next()) {
        if known.as_bytes() == name {
            return out.extend_from_slice(character.as_bytes());
        }
    }
}

/// A line of a macro with its arguments for `\$1` and `\$*`.
fn with_arguments(line: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < line.len() {
        match &line[at..] {
            [b'\\', b'$', b'*' | b'@', ..] => {
                out.extend(words.join(&b' '));
                at += 3;
            }
            [b'\\', b'$', digit @ b'1'..=b'9', ..] => {
                out.extend(words.get(usize::from(digit - b'1')).map_or(&b""[..], Vec::as_slice));
                at += 3;
            }
            [b'\\', b'n', b'(', b'.', b'$', ..] => {
                rbox_core::push!(out, words.len());
                at += 5;
            }
            [b'\\', b'n', b'[', b'.', b'$', b']', ..] => {
                rbox_core::push!(out, words.len());
                at += 6;
            }
            [byte, ..] => {
                out.push(*byte);
                at += 1;
            }
            [] => break,
        }
    }
    out
}

/// The length of a numeric condition: up to a blank outside of parentheses. The one of an escape, `\n(xx`, is none.
fn expression_length(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text[at..] {
            [b'\\', b'n' | b'*' | b'(', ..] => at += 2,
            [b'(', ..] => depth += 1,
            [b')', ..] => depth -= 1,
            [b' ' | b'\t', ..] if depth <= 0 => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The value of an expression: numbers and `+ - * / % < > = & :`, from left to right as in troff.
fn number(expression: &[u8]) -> i64 {
    let (mut value, mut operator, mut at) = (0i64, b'+', 0);
    while at < expression.len() {
        let byte = expression[at];
        at += 1;
        if byte.is_ascii_digit() {
            let digits = expression[at - 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let found = parse_decimal(&expression[at - 1..at - 1 + digits]).unwrap_or(0) as i64;
            at += digits - 1;
            value = match operator {
                b'+' => value.saturating_add(found),
                b'-' => value.saturating_sub(found),
                b'*' => value.saturating_mul(found),
                b'/' => value.checked_div(found).unwrap_or(0),
                b'%' => value.checked_rem(found).unwrap_or(0),
                b'<' => i64::from(value < found),
                b'>' => i64::from(value > found),
                b'&' => i64::from(value > 0 && found > 0),
                b':' => i64::from(value > 0 || found > 0),
                _ => i64::from(value == found),
            };
        } else if b"+-*/%<>=&:".contains(&byte) {
            operator = byte;
        }
    }
    value
}

fn count(text: &[u8], wanted: &[u8]) -> usize {
    text.windows(wanted.len()).filter(|found| *found == wanted).count()
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if text[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

/// Three texts at the left, in the middle and at the right of a line.
fn spread(width: usize, [left, middle, right]: [&[u8]; 3]) -> Vec<u8> {
    let columns = super::page::columns;
    let mut line = left.to_vec();
    let start = (width.saturating_sub(columns(middle)) / 2).max(columns(left) + 1);
    line.resize(line.len() + start - columns(left), b' ');
    line.extend_from_slice(middle);
    let used = start + columns(middle);
    line.resize(line.len() + width.saturating_sub(used + columns(right)).max(1), b' ');
    line.extend_from_slice(right);
    line
}
