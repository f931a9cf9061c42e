//! Commands as text again: on one line for the list of jobs, laid out as bash does for `declare -f`.

mod word;

use super::ast::*;
use crate::syntax::symbols::{Sym, Symbols};
use rbox_core::number::Decimal;
use std::rc::Rc;

/// A command's text, as one would have typed it on one line.
pub fn node(node: &Node, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: None, documents: Vec::new() };
    writer.node(node);
    writer.out
}

/// The text of each command of a pipeline.
pub fn pipeline(pipe: &Pipeline, symbols: &Symbols) -> Vec<Vec<u8>> {
    pipe.commands.iter().map(|one| node(one, symbols)).collect()
}

/// A command's text in whole.
pub fn node_in_whole(node: &Node, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: Some(0), documents: Vec::new() };
    writer.node(node);
    writer.out
}

/// The head of a `for` or `select` over words.
pub fn for_head(found: &For, keyword: &[u8], symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: Some(0), documents: Vec::new() };
    writer.for_words(keyword, found);
    writer.out
}

/// The head of a `case`.
pub fn case_head(case: &Case, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: Some(0), documents: Vec::new() };
    writer.put(b"case ");
    writer.word(&case.word);
    writer.put(b" in ");
    writer.out
}

/// An arithmetic command.
pub fn arith(arith: &Arith, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: Some(0), documents: Vec::new() };
    writer.arith(b"((", arith, b"))");
    writer.out
}

/// An assignment.
pub fn assignment(assign: &Assign, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: Some(0), documents: Vec::new() };
    writer.assignment(assign);
    writer.out
}

/// A function on several lines, in a form that the shell can read back.
pub fn function(name: Sym, function: &Function, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new(), indent: Some(0), documents: Vec::new() };
    writer.function(name, function);
    writer.newline();
    writer.out
}

/// A limit in bytes for the texts of `jobs`.
const LONGEST: usize = 4096;

struct Writer<'a> {
    symbols: &'a Symbols,
    out: Vec<u8>,
    /// Levels of indentation; `None` puts all on one line and abbreviates what needs several.
    indent: Option<usize>,
    /// Here-documents that the next newline brings.
    documents: Vec<Rc<HereDoc>>,
}

impl Writer<'_> {
    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn name(&mut self, name: Sym) {
        self.out.extend_from_slice(self.symbols.name(name));
    }

    fn number(&mut self, number: u32) {
        self.put(Decimal::new(number.into()).as_bytes());
    }

    fn list<T>(&mut self, items: &[T], between: &[u8], each: impl Fn(&mut Self, &T)) {
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.put(between);
            }
            each(self, item);
        }
    }

    /// What is between two commands of a list; what ends in `&` needs no semicolon.
    fn separator(&mut self) {
        let ended = self.out.ends_with(b"&");
        if self.indent.is_none() {
            self.put(if ended { b" " } else { b"; " });
            return;
        }
        if self.documents.is_empty() {
            self.put(if ended { b"" } else { b";" });
        } else {
            // The documents come first, and the next command on a line of its own.
            self.documents_here();
        }
        self.newline();
    }

    /// A newline, the here-documents that wait for it, and the indentation.
    fn newline(&mut self) {
        self.documents_here();
        self.out.resize(self.out.len() + 4 * self.indent.unwrap_or(0), b' ');
    }

    /// A newline and the here-documents that wait for it.
    fn documents_here(&mut self) {
        self.put(b"\n");
        for here in std::mem::take(&mut self.documents) {
            self.document(&here);
        }
    }

    fn document(&mut self, here: &HereDoc) {
        match here.body.get() {
            Some(Word::Literal(text)) if here.quoted => self.put(text),
            Some(body) => self.document_body(body),
            None => {}
        }
        // One that ended with its input has no newline of its own.
        if !self.out.ends_with(b"\n") {
            self.put(b"\n");
        }
        self.put(&here.delimiter);
        self.put(b"\n");
    }

    /// Keyword, command and semicolon on one line.
    fn clause(&mut self, keyword: &[u8], body: &Node) {
        self.put(keyword);
        self.node(body);
        self.put(if self.out.ends_with(b"&") { b" " } else { b"; " });
    }

    /// Keyword and commands, these on lines of their own further to the right, and what is below them.
    fn block(&mut self, keyword: &[u8], body: &Node, end: &[u8]) {
        self.put(keyword);
        let Some(indent) = self.indent else {
            self.put(b" ");
            self.node(body);
            self.separator();
            return self.put(end);
        };
        self.indent = Some(indent + 1);
        self.newline();
        self.node(body);
        self.indent = Some(indent);
        match (keyword, self.out.ends_with(b"&")) {
            (b"{ ", _) | (_, true) => self.newline(),
            _ => self.separator(),
        }
        self.put(end);
    }

    fn node(&mut self, node: &Node) {
        if self.indent.is_none() && self.out.len() > LONGEST {
            return;
        }
        match node {
            Node::Simple(simple) => self.simple(simple),
            Node::Pipeline(pipe) => self.list(&pipe.commands, b" | ", |writer, one| writer.node(one)),
            Node::Sequence(nodes) => {
                for (number, one) in nodes.iter().enumerate() {
                    if number > 0 {
                        self.separator();
                    }
                    self.node(one);
                }
            }
            Node::Group(inner) if self.indent.is_some() => self.block(b"{ ", inner, b"}"),
            Node::Group(inner) => self.block(b"{", inner, b"}"),
            Node::Redirected(inner, all) => {
                self.node(inner);
                self.redirections(all);
            }
            Node::Not(inner) => {
                self.put(b"! ");
                self.node(inner);
            }
            Node::AndOr(first, rest) => {
                self.node(first);
                for (and, one) in rest {
                    self.put(if *and { b" && " } else { b" || " });
                    self.node(one);
                }
            }
            Node::Background(inner) => {
                self.node(inner);
                self.put(b" &");
            }
            Node::Subshell(inner) => {
                self.put(if self.indent.is_some() { b"( " } else { b"(" });
                self.node(inner);
                self.put(if self.indent.is_some() { b" )" } else { b")" });
            }
            Node::Condition(condition, _) if self.indent.is_some() => {
                self.put(b"[[ ");
                self.condition(condition);
                self.put(b" ]]");
            }
            Node::Condition(..) => self.put(b"[[ ... ]]"),
            Node::Arith(arith, _) => self.arith(b"((", arith, b"))"),
            Node::Coprocess(name, inner) => {
                self.put(b"coproc ");
                self.name(*name);
                self.put(b" ");
                self.node(inner);
            }
            Node::Time(inner, portable) => {
                self.put(if *portable { b"time -p" } else { b"time" });
                if let Some(inner) = inner {
                    self.put(b" ");
                    self.node(inner);
                }
            }
            _ => self.compound(node),
        }
    }

    fn compound(&mut self, node: &Node) {
        match node {
            Node::If(arms, otherwise) => {
                for (number, (test, body)) in arms.iter().enumerate() {
                    self.clause(if number == 0 { b"if " } else { b"elif " }, test);
                    self.block(b"then", body, b"");
                }
                if let Some(body) = otherwise {
                    self.block(b"else", body, b"");
                }
                self.put(b"fi");
            }
            Node::While(test, body, until) => {
                self.clause(if *until { b"until " } else { b"while " }, test);
                self.block(b"do", body, b"done");
            }
            Node::For(found) => self.for_each(b"for ", found),
            Node::Select(found) => self.for_each(b"select ", found),
            Node::ArithFor(found) => {
                self.arith(b"for ((", &found.init, b"; ");
                self.arith(b"", &found.test, b"; ");
                self.arith(b"", &found.step, b"))");
                self.separator_before_do();
                self.block(b"do", &found.body, b"done");
            }
            Node::Case(case) => self.case(case),
            Node::Function(name, function) if self.indent.is_some() => self.function(*name, function),
            Node::Function(name, _) => {
                self.name(*name);
                self.put(b"() { ... }");
            }
            _ => {}
        }
    }

    fn function(&mut self, name: Sym, function: &Function) {
        self.name(name);
        self.put(b" () ");
        self.newline();
        self.node(&function.body);
    }

    fn separator_before_do(&mut self) {
        match self.indent {
            Some(_) => self.newline(),
            None => self.put(b"; "),
        }
    }

    fn for_each(&mut self, keyword: &[u8], found: &For) {
        self.for_words(keyword, found);
        self.separator();
        self.block(b"do", &found.body, b"done");
    }

    fn for_words(&mut self, keyword: &[u8], found: &For) {
        self.put(keyword);
        self.name(found.name);
        if let Some(words) = &found.words {
            self.put(b" in");
            for word in words {
                self.put(b" ");
                self.word(word);
            }
        }
    }

    fn case(&mut self, case: &Case) {
        self.put(b"case ");
        self.word(&case.word);
        self.put(b" in ");
        let level = self.indent;
        let between: &[u8] = if level.is_some() { b" | " } else { b"|" };
        for arm in &case.arms {
            self.line_of_case(level.map(|level| level + 1));
            self.list(&arm.patterns, between, |writer, pattern| writer.pattern(pattern));
            self.put(if level.is_some() { b")" } else { b") " });
            if let Some(body) = &arm.body {
                self.line_of_case(level.map(|level| level + 2));
                self.node(body);
            }
            self.line_of_case(level.map(|level| level + 1));
            match arm.end {
                ArmEnd::Break => self.put(b";;"),
                ArmEnd::FallThrough => self.put(b";&"),
                ArmEnd::TestNext => self.put(b";;&"),
            }
            self.put(if level.is_some() { b"" } else { b" " });
        }
        self.line_of_case(level);
        self.put(b"esac");
    }

    fn line_of_case(&mut self, level: Option<usize>) {
        if level.is_some() {
            self.indent = level;
            self.newline();
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Not(inner) => {
                self.put(b"! ");
                self.group_of_conditions(inner);
            }
            Condition::And(left, right) | Condition::Or(left, right) => {
                let operator = if matches!(condition, Condition::And(..)) { b" && " } else { b" || " };
                self.group_of_conditions(left);
                self.put(operator);
                self.group_of_conditions(right);
            }
            Condition::Unary(operator, word) => {
                self.put(operator);
                self.put(b" ");
                self.word(word);
            }
            Condition::Binary(left, operator, right) => self.between(left, operator, |writer| writer.word(right)),
            Condition::Match(word, pattern, negated) => {
                self.between(word, if *negated { b"!=" } else { b"==" }, |writer| writer.pattern(pattern));
            }
            Condition::Regex(word, regex) => self.between(word, b"=~", |writer| writer.word(regex)),
            Condition::Word(word) => self.word(word),
        }
    }

    /// A part of a condition, in parentheses when it has parts of its own.
    fn group_of_conditions(&mut self, condition: &Condition) {
        let grouped = matches!(condition, Condition::And(..) | Condition::Or(..));
        self.put(if grouped { b"( " } else { b"" });
        self.condition(condition);
        self.put(if grouped { b" )" } else { b"" });
    }

    fn between(&mut self, left: &Word, operator: &[u8], right: impl FnOnce(&mut Self)) {
        self.word(left);
        self.put(b" ");
        self.put(operator);
        self.put(b" ");
        right(self);
    }

    fn simple(&mut self, simple: &Simple) {
        let mut first = true;
        for assign in &simple.assigns {
            if !std::mem::take(&mut first) {
                self.put(b" ");
            }
            self.assignment(assign);
        }
        for word in &simple.words {
            if !std::mem::take(&mut first) {
                self.put(b" ");
            }
            self.word(word);
        }
        self.redirections(&simple.redirections);
    }

    fn assignment(&mut self, assign: &Assign) {
        self.name(assign.name);
        if let Some(subscript) = &assign.subscript {
            self.arith(b"[", subscript, b"]");
        }
        self.put(if assign.append { b"+=" } else { b"=" });
        if !matches!(&assign.value, Word::Literal(text) if text.is_empty()) {
            self.word(&assign.value);
        }
    }

    fn redirections(&mut self, all: &[Redirection]) {
        for one in all {
            if !matches!(self.out.last(), None | Some(b' ' | b'(')) {
                self.put(b" ");
            }
            match &one.fd {
                RedirectFd::Default => {}
                RedirectFd::Number(number) => self.number(number.unsigned_abs()),
                RedirectFd::Variable(name) => {
                    self.put(b"{");
                    self.name(*name);
                    self.put(b"}");
                }
            }
            self.put(match one.kind {
                RedirectKind::Read => b"<",
                RedirectKind::Write => b">",
                RedirectKind::Clobber => b">|",
                RedirectKind::Append => b">>",
                RedirectKind::ReadWrite => b"<>",
                RedirectKind::DupIn => b"<&",
                RedirectKind::DupOut => b">&",
                RedirectKind::Both => b"&>",
                RedirectKind::BothAppend => b"&>>",
                RedirectKind::Here if self.indent.is_some() => b"<<",
                RedirectKind::Here => b"<<...",
                RedirectKind::HereString => b"<<<",
            });
            match &one.here {
                Some(here) if self.indent.is_some() => {
                    let delimiter: &[u8] = if here.quoted { b"'" } else { b"" };
                    self.put(delimiter);
                    self.put(&here.delimiter);
                    self.put(delimiter);
                    self.documents.push(Rc::clone(here));
                }
                Some(_) => {}
                None => {
                    let copies = matches!(one.kind, RedirectKind::DupIn | RedirectKind::DupOut);
                    self.put(if self.indent.is_some() && !copies { b" " } else { b"" });
                    self.word(&one.word);
                }
            }
        }
    }
}
