//! The syntax tree of a program.

pub use awk_machine::program::{Arithmetic, Comparison, From, To};

use super::resolve::Place;

/// An expression, with the offset of the token that an error in it is about where there may be one.
pub enum Expr {
    Number(f64),
    String(Vec<u8>),
    Regex(Vec<u8>),
    Variable(Place),
    Field(Box<Expr>),
    Element(Place, Vec<Expr>),
    Assign(Box<Expr>, Box<Expr>),
    Compound(Arithmetic, Box<Expr>, Box<Expr>),
    /// `++` and `--`.
    Step {
        before: bool,
        minus: bool,
        target: Box<Expr>,
    },
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    Not(Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// The string, the expression, and whether it must not match.
    Match(Box<Expr>, Box<Expr>, bool),
    In(Vec<Expr>, Place),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    /// A function of the program, and the offset of its name.
    Call(u32, Vec<Expr>, usize),
    /// A function of the language, and the offset of its name.
    Builtin(u8, Vec<Expr>, usize),
    Getline(From, Option<Box<Expr>>, Option<Box<Expr>>),
    /// What is in parentheses: one expression, or the list of `print` and `in`.
    Group(Vec<Expr>),
}

impl Expr {
    /// Whether it can be assigned to.
    pub fn is_target(&self) -> bool {
        matches!(self, Expr::Variable(_) | Expr::Field(_) | Expr::Element(..))
    }
}

/// A statement.
pub enum Statement {
    Expr(Expr),
    Print(Vec<Expr>, Option<(To, Expr)>),
    Printf(Vec<Expr>, Option<(To, Expr)>),
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    While(Expr, Box<Statement>),
    Do(Box<Statement>, Expr),
    For(Option<Box<Statement>>, Option<Expr>, Option<Box<Statement>>, Box<Statement>),
    ForIn(Expr, Place, Box<Statement>),
    /// The value, and for each `case` its value (none for `default`) and statements.
    Switch(Expr, Vec<(Option<Expr>, Vec<Node>)>),
    Block(Vec<Node>),
    Delete(Place, Option<Vec<Expr>>),
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
}

/// A statement and the offset at which it begins.
pub struct Node {
    pub at: usize,
    pub statement: Statement,
}

/// When an action runs.
pub enum Pattern {
    Begin,
    End,
    BeginFile,
    EndFile,
    Always,
    When(Expr),
    /// From a record that matches the first to one that matches the second.
    Range(Expr, Expr),
}

/// A pattern with its action; without one the record is printed.
pub struct Rule {
    pub at: usize,
    pub pattern: Pattern,
    pub action: Option<Vec<Node>>,
}
