//! Commands as text again, for the list of jobs.

use super::ast::{Node, Param, ParamName, Part, Pipeline, Simple, Word};
use crate::symbols::Symbols;

/// A command's text; compound commands are shown by their first word.
pub fn node(node: &Node, symbols: &Symbols) -> Vec<u8> {
    match node {
        Node::Simple(simple) => simple_text(simple, symbols),
        Node::Pipeline(pipe) => pipeline(pipe, symbols),
        Node::Sequence(nodes) => nodes.iter().map(|one| self::node(one, symbols)).collect::<Vec<_>>().join(&b"; "[..]),
        Node::Redirected(inner, _) | Node::Group(inner) => self::node(inner, symbols),
        Node::Not(inner) => [b"! ", &self::node(inner, symbols)[..]].concat(),
        Node::AndOr(first, rest) => {
            let mut text = self::node(first, symbols);
            for (and, one) in rest {
                text.extend_from_slice(if *and { b" && " } else { b" || " });
                text.extend_from_slice(&self::node(one, symbols));
            }
            text
        }
        Node::Background(inner) | Node::Subshell(inner) => self::node(inner, symbols),
        Node::If(..) => b"if ...".to_vec(),
        Node::While(..) => b"while ...".to_vec(),
        Node::For(_) | Node::ArithFor(_) | Node::Select(_) => b"for ...".to_vec(),
        Node::Case(_) => b"case ...".to_vec(),
        Node::Function(name, _) => [symbols.name(*name), &b"() { ... }"[..]].concat(),
        Node::Condition(..) => b"[[ ... ]]".to_vec(),
        Node::Arith(..) => b"((...))".to_vec(),
        Node::Time(_) => b"time ...".to_vec(),
    }
}

/// A pipeline's text.
pub fn pipeline(pipe: &Pipeline, symbols: &Symbols) -> Vec<u8> {
    pipe.commands.iter().map(|one| node(one, symbols)).collect::<Vec<_>>().join(&b" | "[..])
}

fn simple_text(simple: &Simple, symbols: &Symbols) -> Vec<u8> {
    simple.words.iter().map(|one| word(one, symbols)).collect::<Vec<_>>().join(&b' ')
}

fn word(word: &Word, symbols: &Symbols) -> Vec<u8> {
    let parts = match word {
        Word::Literal(text) => return rbox_core::escape::quoted_if_needed(text),
        Word::Parts(parts) | Word::Declaration(parts) => parts,
    };
    let mut text = Vec::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.extend_from_slice(literal),
            Part::Quoted(literal) => text.extend_from_slice(&rbox_core::escape::quoted_if_needed(literal)),
            Part::Tilde(name) => text.extend_from_slice(&[b"~", &name[..]].concat()),
            Part::Param(param) => text.extend_from_slice(&parameter(param, symbols)),
            Part::Command(_) => text.extend_from_slice(b"$(...)"),
            Part::Arith(..) => text.extend_from_slice(b"$((...))"),
            Part::Process(..) => text.extend_from_slice(b"<(...)"),
        }
    }
    text
}

fn parameter(param: &Param, symbols: &Symbols) -> Vec<u8> {
    let name = match &param.name {
        ParamName::Var(name) => symbols.name(*name).to_vec(),
        ParamName::Positional(number) => number.to_string().into_bytes(),
        ParamName::Special(sign) => vec![*sign],
    };
    [b"${", &name[..], b"}"].concat()
}
