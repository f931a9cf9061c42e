//! Commands as text again, for the list of jobs.

use super::ast::*;
use crate::symbols::{Sym, Symbols};
use rbox_core::number::Decimal;

/// A command's text, as one would have typed it on one line.
pub fn node(node: &Node, symbols: &Symbols) -> Vec<u8> {
    let mut writer = Writer { symbols, out: Vec::new() };
    writer.node(node);
    writer.out
}

/// The text of each command of a pipeline.
pub fn pipeline(pipe: &Pipeline, symbols: &Symbols) -> Vec<Vec<u8>> {
    pipe.commands.iter().map(|one| node(one, symbols)).collect()
}

/// Longer texts say no more to a reader of `jobs`.
const LONGEST: usize = 4096;

struct Writer<'a> {
    symbols: &'a Symbols,
    out: Vec<u8>,
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

    /// Keyword, command, keyword, ...; what ends in `&` needs no semicolon.
    fn clause(&mut self, keyword: &[u8], body: &Node) {
        self.put(keyword);
        self.node(body);
        self.put(if self.out.ends_with(b"&") { b" " } else { b"; " });
    }

    fn node(&mut self, node: &Node) {
        if self.out.len() > LONGEST {
            return;
        }
        match node {
            Node::Simple(simple) => self.simple(simple),
            Node::Pipeline(pipe) => self.list(&pipe.commands, b" | ", |writer, one| writer.node(one)),
            Node::Sequence(nodes) => {
                for (number, one) in nodes.iter().enumerate() {
                    if number > 0 {
                        self.put(if self.out.ends_with(b"&") { b" " } else { b"; " });
                    }
                    self.node(one);
                }
            }
            Node::Group(inner) => {
                self.clause(b"{ ", inner);
                self.put(b"}");
            }
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
                self.put(b"(");
                self.node(inner);
                self.put(b")");
            }
            Node::Function(name, _) => {
                self.name(*name);
                self.put(b"() { ... }");
            }
            Node::Condition(..) => self.put(b"[[ ... ]]"),
            Node::Arith(arith, _) => self.arith(b"((", arith, b"))"),
            Node::Time(inner) => {
                self.put(b"time");
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
                    self.clause(b"then ", body);
                }
                if let Some(body) = otherwise {
                    self.clause(b"else ", body);
                }
                self.put(b"fi");
            }
            Node::While(test, body, until) => {
                self.clause(if *until { b"until " } else { b"while " }, test);
                self.body(body);
            }
            Node::For(found) => self.for_each(b"for ", found),
            Node::Select(found) => self.for_each(b"select ", found),
            Node::ArithFor(found) => {
                self.arith(b"for ((", &found.init, b"; ");
                self.arith(b"", &found.test, b"; ");
                self.arith(b"", &found.step, b")); ");
                self.body(&found.body);
            }
            Node::Case(case) => self.case(case),
            _ => {}
        }
    }

    fn body(&mut self, body: &Node) {
        self.clause(b"do ", body);
        self.put(b"done");
    }

    fn for_each(&mut self, keyword: &[u8], found: &For) {
        self.put(keyword);
        self.name(found.name);
        if let Some(words) = &found.words {
            self.put(b" in");
            for word in words {
                self.put(b" ");
                self.word(word);
            }
        }
        self.put(b"; ");
        self.body(&found.body);
    }

    fn case(&mut self, case: &Case) {
        self.put(b"case ");
        self.word(&case.word);
        self.put(b" in ");
        for arm in &case.arms {
            self.list(&arm.patterns, b"|", |writer, pattern| writer.pattern(pattern));
            self.put(b") ");
            if let Some(body) = &arm.body {
                self.node(body);
            }
            self.put(match arm.end {
                ArmEnd::Break => b";; ",
                ArmEnd::FallThrough => b";& ",
                ArmEnd::TestNext => b";;& ",
            });
        }
        self.put(b"esac");
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Exact(text) => self.put(&rbox_core::escape::quoted_if_needed(text)),
            Pattern::Static(text) => self.put(text),
            Pattern::Dynamic(word) => self.word(word),
        }
    }

    fn simple(&mut self, simple: &Simple) {
        let mut first = true;
        for assign in &simple.assigns {
            if !std::mem::take(&mut first) {
                self.put(b" ");
            }
            self.name(assign.name);
            if let Some(subscript) = &assign.subscript {
                self.arith(b"[", subscript, b"]");
            }
            self.put(if assign.append { b"+=" } else { b"=" });
            if !matches!(&assign.value, Word::Literal(text) if text.is_empty()) {
                self.word(&assign.value);
            }
        }
        for word in &simple.words {
            if !std::mem::take(&mut first) {
                self.put(b" ");
            }
            self.word(word);
        }
        self.redirections(&simple.redirections);
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
                RedirectKind::Here => b"<<...",
                RedirectKind::HereString => b"<<<",
            });
            if one.kind != RedirectKind::Here {
                self.word(&one.word);
            }
        }
    }

    fn arith(&mut self, before: &[u8], arith: &Arith, behind: &[u8]) {
        self.put(before);
        self.value(&arith.text);
        self.put(behind);
    }

    /// A word of its own: quotes show where it has none but is not plain.
    fn word(&mut self, word: &Word) {
        match word {
            Word::Literal(text) => self.put(&rbox_core::escape::quoted_if_needed(text)),
            Word::Parts(parts) | Word::Declaration(parts) => self.parts(parts),
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
        for part in parts {
            match part {
                Part::Literal(text) => self.put(text),
                Part::Quoted(text) => self.put(&rbox_core::escape::quoted_if_needed(text)),
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

    fn parameter(&mut self, param: &Param) {
        if let ParamOp::Bad(text) = &param.op {
            return self.put(&[b"${", &text[..], b"}"].concat());
        }
        self.put(if matches!(param.op, ParamOp::Length) { b"${#" } else { b"${" });
        match &param.name {
            ParamName::Var(name) => self.name(*name),
            ParamName::Positional(number) => self.number(*number),
            ParamName::Special(sign) => self.out.push(*sign),
            ParamName::Element(name, subscript) => {
                self.name(*name);
                self.arith(b"[", subscript, b"]");
            }
            ParamName::All(name, sign) => {
                self.name(*name);
                self.put(if *sign == b'@' { b"[@]" } else { b"[*]" });
            }
        }
        match &param.op {
            ParamOp::Plain | ParamOp::Length => {}
            ParamOp::Default(sign, colon, word) => {
                self.put(if *colon { b":" } else { b"" });
                self.out.push(*sign);
                self.value(word);
            }
            ParamOp::Trim(suffix, longest, pattern) => {
                let sign: &[u8] = if *suffix { b"%" } else { b"#" };
                self.put(sign);
                self.put(if *longest { sign } else { b"" });
                self.pattern(pattern);
            }
            _ => self.put(b"..."),
        }
        self.put(b"}");
    }
}
