//! Tokens (XCU 2.3): operators, words and reserved words.

use crate::syntax::ast::{Arith, Assign, RedirectFd, RedirectKind, Word};

/// What kind of word the grammar expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The first word of a command: reserved words, aliases, assignments.
    Command,
    /// After an assignment: aliases and assignments.
    Prefix,
    /// After a compound command, and where `in` is to follow: reserved words and aliases.
    Keyword,
    /// Where a pattern of `case` begins: reserved words, no aliases.
    Pattern,
    /// Operands that are no words of a command.
    Operand,
    /// Operands of a command: braces are expanded.
    Argument,
    /// Operands of a declaration utility.
    Declaration,
}

/// An operator that is no redirection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    And,
    AndIf,
    Semicolon,
    CaseBreak,
    CaseFall,
    CaseNext,
    Pipe,
    PipeBoth,
    OrIf,
    Open,
    Close,
}

impl Operator {
    /// The operator as written.
    pub fn text(self) -> &'static [u8] {
        match self {
            Operator::And => b"&",
            Operator::AndIf => b"&&",
            Operator::Semicolon => b";",
            Operator::CaseBreak => b";;",
            Operator::CaseFall => b";&",
            Operator::CaseNext => b";;&",
            Operator::Pipe => b"|",
            Operator::PipeBoth => b"|&",
            Operator::OrIf => b"||",
            Operator::Open => b"(",
            Operator::Close => b")",
        }
    }
}

/// A reserved word (XCU 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    Bang,
    OpenBrace,
    CloseBrace,
    Case,
    Coprocess,
    Do,
    Done,
    Elif,
    Else,
    Esac,
    Fi,
    For,
    Function,
    If,
    In,
    Select,
    Then,
    Time,
    Until,
    While,
    OpenCondition,
}

impl Keyword {
    /// The reserved word as written.
    pub fn text(self) -> &'static [u8] {
        match self {
            Keyword::Bang => b"!",
            Keyword::OpenBrace => b"{",
            Keyword::CloseBrace => b"}",
            Keyword::Case => b"case",
            Keyword::Coprocess => b"coproc",
            Keyword::Do => b"do",
            Keyword::Done => b"done",
            Keyword::Elif => b"elif",
            Keyword::Else => b"else",
            Keyword::Esac => b"esac",
            Keyword::Fi => b"fi",
            Keyword::For => b"for",
            Keyword::Function => b"function",
            Keyword::If => b"if",
            Keyword::In => b"in",
            Keyword::Select => b"select",
            Keyword::Then => b"then",
            Keyword::Time => b"time",
            Keyword::Until => b"until",
            Keyword::While => b"while",
            Keyword::OpenCondition => b"[[",
        }
    }

    /// The reserved word that a text is. `coproc` and `time` are some only with bash's extensions.
    pub fn find(text: &[u8], extended: bool) -> Option<Keyword> {
        Some(match text {
            b"!" => Keyword::Bang,
            b"{" => Keyword::OpenBrace,
            b"}" => Keyword::CloseBrace,
            b"case" => Keyword::Case,
            b"coproc" if extended => Keyword::Coprocess,
            b"do" => Keyword::Do,
            b"done" => Keyword::Done,
            b"elif" => Keyword::Elif,
            b"else" => Keyword::Else,
            b"esac" => Keyword::Esac,
            b"fi" => Keyword::Fi,
            b"for" => Keyword::For,
            b"function" => Keyword::Function,
            b"if" => Keyword::If,
            b"in" => Keyword::In,
            b"select" => Keyword::Select,
            b"then" => Keyword::Then,
            b"time" if extended => Keyword::Time,
            b"until" => Keyword::Until,
            b"while" => Keyword::While,
            b"[[" => Keyword::OpenCondition,
            _ => return None,
        })
    }
}

/// A token.
#[derive(Debug)]
pub enum Token {
    /// A word; the flag says that nothing in it was quoted.
    Word(Word, bool),
    Assign(Box<Assign>),
    Operator(Operator),
    Keyword(Keyword),
    Redirect(RedirectFd, RedirectKind),
    /// `((...))` where a command begins.
    ArithCommand(Box<Arith>),
    Newline,
    End,
}

/// Whether a text is a reserved word.
pub fn is_keyword(text: &[u8]) -> bool {
    Keyword::find(text, false).is_some()
}
