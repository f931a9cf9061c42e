//! The syntax tree: what the parser makes of a program and the executor walks.
//!
//! It is made for walking: words are cut into parts with quotes already removed, names are
//! symbols (see `symbols`), literal patterns carry the escapes that keep quoted characters quoted.

use crate::syntax::expression::Expr;
use crate::syntax::symbols::Sym;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// A command of any kind (XCU 2.9).
#[derive(Debug)]
pub enum Node {
    /// `name=value word >file`
    Simple(Box<Simple>),
    /// `a | b`
    Pipeline(Box<Pipeline>),
    /// `! a`
    Not(Box<Node>),
    /// `a && b || c`: true before a command means `&&`
    AndOr(Box<Node>, Box<[(bool, Node)]>),
    /// `a; b`
    Sequence(Box<[Node]>),
    /// `a &`
    Background(Rc<Node>),
    /// `{ a; } >file`
    Redirected(Box<Node>, Box<[Redirection]>),
    /// `( a )`
    Subshell(Rc<Node>),
    /// `{ a; }`
    Group(Box<Node>),
    /// `if a; then b; elif c; then d; else e; fi`
    If(Box<[(Node, Node)]>, Option<Box<Node>>),
    /// `while a; do b; done`, `until` when the flag is set
    While(Box<Node>, Box<Node>, bool),
    /// `for x in words; do b; done`
    For(Box<For>),
    /// `for ((a; b; c)); do d; done`
    ArithFor(Box<ArithFor>),
    /// `select x in words; do b; done`
    Select(Box<For>),
    /// `case w in p) a ;; esac`
    Case(Box<Case>),
    /// `name() command`
    Function(Sym, Rc<Function>),
    /// `[[ ... ]]`
    Condition(Box<Condition>, u32),
    /// `(( ... ))`
    Arith(Box<Arith>, u32),
    /// `time pipeline`; the flag is set by `-p`
    Time(Option<Box<Node>>, bool),
    /// `coproc name command`
    Coprocess(Sym, Rc<Node>),
}

/// A simple command (XCU 2.9.1).
#[derive(Debug)]
pub struct Simple {
    /// The assignments before the name.
    pub assigns: Box<[Assign]>,
    /// The name and the operands.
    pub words: Box<[Word]>,
    /// In the order of the text.
    pub redirections: Box<[Redirection]>,
    /// The first word when it is literal.
    pub name: Option<Sym>,
    /// The line that it begins on, from 1.
    pub line: u32,
}

/// A pipeline of two or more commands.
#[derive(Debug)]
pub struct Pipeline {
    /// Two or more.
    pub commands: Box<[Rc<Node>]>,
}

/// `for` and `select` over words; without `in` over the positional parameters.
#[derive(Debug)]
pub struct For {
    /// The loop's variable.
    pub name: Sym,
    /// The words after `in`.
    pub words: Option<Box<[Word]>>,
    /// The commands between `do` and `done`.
    pub body: Node,
    /// The line that it begins on, from 1.
    pub line: u32,
}

/// The arithmetic `for`.
#[derive(Debug)]
pub struct ArithFor {
    /// Evaluated once, before the loop.
    pub init: Arith,
    /// Evaluated before each iteration; 0 ends the loop.
    pub test: Arith,
    /// Evaluated after each iteration.
    pub step: Arith,
    /// The commands between `do` and `done`.
    pub body: Node,
    /// The line that it begins on, from 1.
    pub line: u32,
}

/// How a `case` arm ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmEnd {
    /// `;;`
    Break,
    /// `;&`
    FallThrough,
    /// `;;&`
    TestNext,
}

/// A `case` command.
#[derive(Debug)]
pub struct Case {
    /// The word that is matched.
    pub word: Word,
    /// In the order of the text.
    pub arms: Box<[Arm]>,
    /// The line that it begins on, from 1.
    pub line: u32,
}

/// One arm of a `case`.
#[derive(Debug)]
pub struct Arm {
    /// One of them must match.
    pub patterns: Box<[Pattern]>,
    /// The commands; `None` when there are none.
    pub body: Option<Node>,
    /// What follows the commands.
    pub end: ArmEnd,
}

/// A function's body, and the file that defined it, which is in bash's BASH_SOURCE.
#[derive(Debug)]
pub struct Function {
    /// The commands.
    pub body: Node,
    /// A file that was read by the dot command defined it: messages count its lines from 1.
    pub sourced: Cell<bool>,
    /// The path of that file.
    pub source: OnceCell<Rc<[u8]>>,
}

/// The inside of `[[ ]]`.
#[derive(Debug)]
pub enum Condition {
    /// `! a`
    Not(Box<Condition>),
    /// `a && b`
    And(Box<Condition>, Box<Condition>),
    /// `a || b`
    Or(Box<Condition>, Box<Condition>),
    /// `-f word`, the operator with its dash
    Unary(Box<[u8]>, Word),
    /// `a -eq b`, `a < b`
    Binary(Word, Box<[u8]>, Word),
    /// `a == pattern`, negated when the flag is set
    Match(Word, Pattern, bool),
    /// `a =~ regex`; the word's quoted parts match literally
    Regex(Word, Word),
    /// A lone word: true when not empty.
    Word(Word),
}

/// `name=value`, `name+=value`.
#[derive(Debug)]
pub struct Assign {
    /// The variable.
    pub name: Sym,
    /// `+=`
    pub append: bool,
    /// `name[subscript]=`
    pub subscript: Option<Box<Arith>>,
    /// The value; of an array it is one `Part::List`.
    pub value: Word,
}

/// One element of `name=(...)`.
#[derive(Debug)]
pub struct Element {
    /// `[subscript]=`
    pub subscript: Option<Arith>,
    /// The value.
    pub word: Word,
}

/// What a redirection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>|`
    Clobber,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `<&`
    DupIn,
    /// `>&`
    DupOut,
    /// `&>`
    Both,
    /// `&>>`
    BothAppend,
    /// `<<` and `<<-`
    Here,
    /// `<<<`
    HereString,
}

/// Which descriptor a redirection changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectFd {
    /// By its operator: 0 or 1.
    Default,
    /// `3>`
    Number(i32),
    /// `{name}>`: the shell picks one and stores its number.
    Variable(Sym),
}

/// One redirection (XCU 2.7).
#[derive(Debug)]
pub struct Redirection {
    /// The descriptor that changes.
    pub fd: RedirectFd,
    /// What is done with it.
    pub kind: RedirectKind,
    /// The file name, the descriptor or the text of `<<<`.
    pub word: Word,
    /// The document of `<<`, read after the line that names it.
    pub here: Option<Rc<HereDoc>>,
    /// The line of the operator, from 1; 0 when it is not known.
    pub line: u32,
}

impl Redirection {
    /// Whether its word or document has anything to expand.
    pub fn is_expanded(&self) -> bool {
        let word = self.here.as_ref().and_then(|here| here.body.get()).unwrap_or(&self.word);
        !matches!(word, Word::Literal(_))
    }

    /// Whether it makes the descriptor another one.
    pub fn changes(&self, number: i32) -> bool {
        use RedirectKind::{Both, BothAppend, DupIn, DupOut, Here, HereString, Read, ReadWrite};
        let is_input = matches!(self.kind, Read | ReadWrite | DupIn | Here | HereString);
        // `>&file` redirects both outputs.
        let is_both = matches!(self.kind, Both | BothAppend | DupOut) && number == 2;
        match self.fd {
            RedirectFd::Default => is_both || number == i32::from(!is_input),
            RedirectFd::Number(named) => named == number,
            RedirectFd::Variable(_) => false,
        }
    }
}

/// A here-document.
#[derive(Debug)]
pub struct HereDoc {
    /// The word that ends it, without quotes.
    pub delimiter: Box<[u8]>,
    /// `<<-`: tabs at the start of lines are dropped.
    pub strip_tabs: bool,
    /// The delimiter was quoted: nothing is expanded.
    pub quoted: bool,
    /// The document, once it was read.
    pub body: OnceCell<Word>,
}

/// A word: literal, or parts to expand.
#[derive(Debug)]
pub enum Word {
    /// Quotes removed and nothing in it to expand.
    Literal(Box<[u8]>),
    /// Text and expansions, in order.
    Parts(Box<[Part]>),
    /// An operand of a declaration utility in the form of an assignment: not split, not globbed.
    Declaration(Box<[Part]>),
}

/// One part of a word.
#[derive(Debug)]
pub enum Part {
    /// Unquoted text: its `*?[` are active in a pattern.
    Literal(Box<[u8]>),
    /// Quoted text.
    Quoted(Box<[u8]>),
    /// `~` or `~name`; the flag says that a slash follows.
    Tilde(Box<[u8]>),
    /// `$x`, `${...}`
    Param(Box<Param>),
    /// `$(...)` and backquotes
    Command(Box<CommandSub>),
    /// `$((...))`; the flag is set inside double quotes
    Arith(Box<Arith>, bool),
    /// `<(...)`, `>(...)` when the flag is set
    Process(Rc<Node>, bool),
    /// `(...)` after `name=`
    List(Box<[Element]>),
}

/// A command substitution.
#[derive(Debug)]
pub struct CommandSub {
    /// The commands; `None` when there are none.
    pub body: Option<Rc<Node>>,
    /// Inside double quotes: the output is not split.
    pub quoted: bool,
}

/// An arithmetic expression: its text, and its tree once it was parsed.
#[derive(Debug)]
pub struct Arith {
    /// The text, which is expanded first.
    pub text: Word,
    /// The parsed expression of a literal text; `None` inside when it has a syntax error.
    pub compiled: OnceCell<Option<Expr>>,
}

/// Which parameter an expansion reads.
#[derive(Debug)]
pub enum ParamName {
    /// `$x`
    Var(Sym),
    /// `$1`, `${10}`
    Positional(u32),
    /// `@ * # ? - $ !`
    Special(u8),
    /// `name[subscript]`
    Element(Sym, Arith),
    /// `name[@]`, `name[*]`
    All(Sym, u8),
}

/// A parameter expansion (XCU 2.6.2).
#[derive(Debug)]
pub struct Param {
    /// The parameter.
    pub name: ParamName,
    /// Inside double quotes: the value is not split.
    pub quoted: bool,
    /// What is done with the value.
    pub op: ParamOp,
}

/// What is done with the parameter's value.
#[derive(Debug)]
pub enum ParamOp {
    /// `$x`
    Plain,
    /// `${#x}`
    Length,
    /// `${x-w} ${x=w} ${x?w} ${x+w}`; the flag is the colon
    Default(u8, bool, Word),
    /// `${x#p} ${x##p} ${x%p} ${x%%p}`: suffix, longest
    Trim(bool, bool, Pattern),
    /// `${x:o:l}`
    Slice(Box<Arith>, Option<Box<Arith>>),
    /// `${x/p/r}`: anchor is 0, `#` or `%`; all
    Replace(u8, bool, Pattern, Word),
    /// `${x^p} ${x,p} ${x~p}`: the character, all
    Case(u8, bool, Option<Pattern>),
    /// `${x@Q}`
    Transform(u8),
    /// `${!x}` and the operation on what it names
    Indirect(Box<ParamOp>),
    /// `${!prefix@}`
    Names(u8),
    /// `${!name[@]}`
    Keys,
    /// Any other text: an error when it is expanded.
    Bad(Box<[u8]>),
}

/// A pattern: ready, or to be expanded first.
#[derive(Debug)]
pub enum Pattern {
    /// Text without active characters.
    Exact(Box<[u8]>),
    /// A pattern with its quoted characters escaped.
    Static(Box<[u8]>),
    /// It is expanded before each match.
    Dynamic(Word),
}
