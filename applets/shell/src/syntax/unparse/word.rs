//! Words as text again.

use super::Writer;
use crate::syntax::ast::*;
use crate::syntax::symbols::is_name_byte;
use rbox_core::escape::quoted_if_needed;

impl Writer<'_> {
    pub(super) fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Exact(text) => self.text(text),
            Pattern::Static(text) if self.indent.is_none() => self.put(text),
            Pattern::Static(text) => self.static_pattern(text),
            Pattern::Dynamic(word) => self.word(word),
        }
    }

    /// A pattern whose quoted characters are escaped already, if they mean something in a pattern.
    fn static_pattern(&mut self, text: &[u8]) {
        let mut bytes = text.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'\\' => {
                    self.out.push(byte);
                    self.out.extend(bytes.next());
                }
                b'\n' => self.put(b"$'\\n'"),
                b' ' | b'\t' | b'\'' | b'"' | b'$' | b'`' | b';' | b'&' | b'<' | b'>' | b'}' | b'#' | b'/' => {
                    self.out.extend([b'\\', byte]);
                }
                _ => self.out.push(byte),
            }
        }
    }

    pub(super) fn arith(&mut self, before: &[u8], arith: &Arith, after: &[u8]) {
        self.put(before);
        match &arith.text {
            Word::Parts(parts) if self.indent.is_some() => self.inside_quotes(parts),
            Word::Literal(text) if before.is_empty() => self.put(text.trim_ascii()),
            text => self.value(text),
        }
        self.put(after);
    }

    /// A word; quotes are added where it has none but needs them.
    pub(super) fn word(&mut self, word: &Word) {
        match word {
            Word::Literal(text) => self.text(text),
            Word::Declaration(parts) if self.indent.is_some() => self.declaration(parts),
            Word::Parts(parts) | Word::Declaration(parts) => self.parts(parts),
        }
    }

    /// `name=value` or `name[subscript]=value`: the name and the operator are unquoted.
    fn declaration(&mut self, parts: &[Part]) {
        for (number, part) in parts.iter().enumerate() {
            match part {
                Part::Quoted(text) if number == 0 || matches!(&text[..], b"" | b"]=" | b"]+=") => self.put(text),
                part => self.quoted_parts(std::slice::from_ref(part)),
            }
        }
    }

    /// Text without an expansion, in quotes where it would be read as something else.
    fn text(&mut self, text: &[u8]) {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+=/.:,@%^".contains(byte) || *byte >= 128;
        if self.indent.is_none() {
            self.put(&quoted_if_needed(text));
        } else if matches!(text, b"[" | b"]" | b"!" | b"!=") || (!text.is_empty() && text.iter().all(plain)) {
            self.put(text);
        } else {
            self.put(&crate::syntax::quote::double(text));
        }
    }

    /// A word within something: it may be empty.
    fn value(&mut self, word: &Word) {
        match word {
            Word::Literal(text) => self.put(text),
            Word::Parts(parts) | Word::Declaration(parts) => self.parts(parts),
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        if self.indent.is_some() {
            return self.quoted_parts(parts);
        }
        for part in parts {
            match part {
                Part::Literal(text) => self.put(text),
                Part::Quoted(text) => self.put(&quoted_if_needed(text)),
                Part::Tilde(name) => {
                    self.put(b"~");
                    self.put(name);
                }
                Part::Param(param) => self.quoted(param.quoted, |writer| writer.parameter(param)),
                Part::Command(found) => self.quoted(found.quoted, |writer| writer.put(b"$(...)")),
                Part::Arith(arith, _) => self.arith(b"$((", arith, b"))"),
                Part::Process(_, writes) => self.put(if *writes { b">(...)" } else { b"<(...)" }),
                Part::List(_) => self.put(b"(...)"),
            }
        }
    }

    fn quoted(&mut self, quoted: bool, inner: impl FnOnce(&mut Self)) {
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        self.put(quote);
        inner(self);
        self.put(quote);
    }

    /// Parts with one pair of double quotes around each run of quoted ones.
    fn quoted_parts(&mut self, parts: &[Part]) {
        let mut at = 0;
        while at < parts.len() {
            let run = parts[at..].iter().take_while(|part| is_quoted(part)).count();
            if let ([Part::Quoted(text)], true) = (&parts[at..at + run], at + run < parts.len() || at == 0) {
                self.text(text);
                at += run;
                continue;
            }
            if run > 0 {
                self.quoted(true, |writer| writer.inside_quotes(&parts[at..at + run]));
                at += run;
                continue;
            }
            match &parts[at] {
                Part::Literal(text) => {
                    self.put(text);
                    // One that is literal must not become active with what follows.
                    if text.ends_with(b"$") && at + 1 < parts.len() {
                        self.out.insert(self.out.len() - 1, b'\\');
                    }
                }
                Part::Tilde(name) => self.put(&[b"~", &name[..]].concat()),
                part => self.expansion(part, parts.get(at + 1)),
            }
            at += 1;
        }
    }

    fn inside_quotes(&mut self, parts: &[Part]) {
        for (number, part) in parts.iter().enumerate() {
            match part {
                Part::Literal(text) | Part::Quoted(text) => self.double_quoted(text, b"\"\\$`"),
                part => self.expansion(part, parts.get(number + 1)),
            }
        }
    }

    fn double_quoted(&mut self, text: &[u8], special: &[u8]) {
        for &byte in text {
            if special.contains(&byte) {
                self.out.push(b'\\');
            }
            self.out.push(byte);
        }
    }

    /// The text of a here-document that is expanded.
    pub(super) fn document_body(&mut self, body: &Word) {
        match body {
            Word::Literal(text) => self.double_quoted(text, b"\\$`"),
            Word::Parts(parts) | Word::Declaration(parts) => {
                for (number, part) in parts.iter().enumerate() {
                    match part {
                        Part::Literal(text) | Part::Quoted(text) => self.double_quoted(text, b"\\$`"),
                        part => self.expansion(part, parts.get(number + 1)),
                    }
                }
            }
        }
    }

    /// What is expanded, without quotes; `next` may be read as a part of a name.
    fn expansion(&mut self, part: &Part, next: Option<&Part>) {
        match part {
            Part::Param(param) => {
                let short = match &param.name {
                    ParamName::Var(_) | ParamName::Special(_) => true,
                    ParamName::Positional(number) => *number < 10,
                    _ => false,
                };
                let joins = matches!(next, Some(Part::Literal(text) | Part::Quoted(text))
                    if text.first().is_some_and(|&byte| is_name_byte(byte) || byte == b'['));
                if short && !joins && matches!(param.op, ParamOp::Plain) {
                    self.put(b"$");
                    self.parameter_name(&param.name);
                } else {
                    self.parameter(param);
                }
            }
            Part::Command(found) => self.commands(b"$(", found.body.as_deref()),
            Part::Arith(arith, _) => self.arith(b"$((", arith, b"))"),
            Part::Process(body, writes) => self.commands(if *writes { b">(" } else { b"<(" }, Some(body)),
            Part::List(elements) => self.elements(elements),
            _ => {}
        }
    }

    fn commands(&mut self, before: &[u8], body: Option<&Node>) {
        let outer = std::mem::take(&mut self.documents);
        self.put(before);
        if let Some(body) = body {
            self.node(body);
        }
        if !self.documents.is_empty() {
            self.newline();
        }
        self.put(b")");
        self.documents = outer;
    }

    fn elements(&mut self, elements: &[Element]) {
        self.put(b"(");
        self.list(elements, b" ", |writer, element| {
            if let Some(subscript) = &element.subscript {
                writer.arith(b"[", subscript, b"]=");
            }
            writer.word(&element.word);
        });
        self.put(b")");
    }

    fn parameter_name(&mut self, name: &ParamName) {
        match name {
            ParamName::Var(name) => self.name(*name),
            ParamName::Positional(number) => self.number(*number),
            ParamName::Special(operator) => self.out.push(*operator),
            ParamName::Element(name, subscript) => {
                self.name(*name);
                self.arith(b"[", subscript, b"]");
            }
            ParamName::All(name, operator) => {
                self.name(*name);
                self.put(if *operator == b'@' { b"[@]" } else { b"[*]" });
            }
        }
    }

    fn parameter(&mut self, param: &Param) {
        self.put(match param.op {
            ParamOp::Length => b"${#",
            ParamOp::Indirect(_) | ParamOp::Names(_) | ParamOp::Keys => b"${!",
            _ => b"${",
        });
        self.parameter_name(&param.name);
        self.operation(&param.op, param.quoted);
        self.put(b"}");
    }

    fn operation(&mut self, op: &ParamOp, quoted: bool) {
        match op {
            ParamOp::Plain | ParamOp::Length => {}
            ParamOp::Default(operator, colon, word) => {
                self.put(if *colon { b":" } else { b"" });
                self.out.push(*operator);
                match word {
                    _ if self.indent.is_none() => self.value(word),
                    Word::Literal(text) if text.is_empty() => {}
                    Word::Literal(text) if quoted => self.double_quoted(text, b"\"\\$`}"),
                    Word::Parts(parts) if quoted => self.inside_quotes(parts),
                    word => self.word(word),
                }
            }
            ParamOp::Trim(suffix, longest, pattern) => {
                let operator: &[u8] = if *suffix { b"%" } else { b"#" };
                self.put(operator);
                self.put(if *longest { operator } else { b"" });
                self.pattern(pattern);
            }
            _ if self.indent.is_none() => self.put(b"..."),
            ParamOp::Slice(offset, length) => {
                self.arith(b": ", offset, b"");
                if let Some(length) = length {
                    self.arith(b":", length, b"");
                }
            }
            ParamOp::Replace(anchor, all, pattern, word) => {
                self.put(if *all { b"//" } else { b"/" });
                self.out.extend((*anchor != 0).then_some(*anchor));
                self.pattern(pattern);
                self.put(b"/");
                if !matches!(word, Word::Literal(text) if text.is_empty()) {
                    self.word(word);
                }
            }
            ParamOp::Case(operator, all, pattern) => {
                self.out.extend([*operator].repeat(1 + usize::from(*all)));
                if let Some(pattern) = pattern {
                    self.pattern(pattern);
                }
            }
            ParamOp::Transform(letter) => self.out.extend([b'@', *letter]),
            ParamOp::Indirect(inner) => self.operation(inner, quoted),
            ParamOp::Names(operator) => self.out.push(*operator),
            ParamOp::Keys => {}
            // The text before it is not a name.
            ParamOp::Bad(text) => {
                self.out.pop();
                self.put(text);
            }
        }
    }
}

fn is_quoted(part: &Part) -> bool {
    match part {
        Part::Quoted(_) => true,
        Part::Param(param) => param.quoted,
        Part::Command(command) => command.quoted,
        Part::Arith(_, quoted) => *quoted,
        _ => false,
    }
}
