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
    /// `time pipeline`; the flag is its `-p`
    Time(Option<Box<Node>>, bool),
    /// `coproc name command`
    Coprocess(Sym, Rc<Node>),
}

/// A simple command (XCU 2.9.1).
#[derive(Debug)]
pub struct Simple {
    pub assigns: Box<[Assign]>,
    pub words: Box<[Word]>,
    pub redirections: Box<[Redirection]>,
    /// The first word when it is literal.
    pub name: Option<Sym>,
    pub line: u32,
}

/// A pipeline of two or more commands.
#[derive(Debug)]
pub struct Pipeline {
    pub commands: Box<[Rc<Node>]>,
}

/// `for` and `select` over words; without `in` over the positional parameters.
#[derive(Debug)]
pub struct For {
    pub name: Sym,
    pub words: Option<Box<[Word]>>,
    pub body: Node,
    pub line: u32,
}

/// The arithmetic `for`.
#[derive(Debug)]
pub struct ArithFor {
    pub init: Arith,
    pub test: Arith,
    pub step: Arith,
    pub body: Node,
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
    pub word: Word,
    pub arms: Box<[Arm]>,
    pub line: u32,
}

/// One arm of a `case`.
#[derive(Debug)]
pub struct Arm {
    pub patterns: Box<[Pattern]>,
    pub body: Option<Node>,
    pub end: ArmEnd,
}

/// A function's body, and the file that defined it, which is in bash's BASH_SOURCE.
#[derive(Debug)]
pub struct Function {
    pub body: Node,
    /// A file that was read by the dot command defined it: messages count its lines from 1.
    pub sourced: Cell<bool>,
    pub source: OnceCell<Rc<[u8]>>,
}

/// The inside of `[[ ]]`.
#[derive(Debug)]
pub enum Condition {
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
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
    pub name: Sym,
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
    Number(i32),
    /// `{name}>`: the shell picks one and stores its number.
    Variable(Sym),
}

/// One redirection (XCU 2.7).
#[derive(Debug)]
pub struct Redirection {
    pub fd: RedirectFd,
    pub kind: RedirectKind,
    /// The file name, the descriptor or the text of `<<<`.
    pub word: Word,
    /// The document of `<<`, read after the line that names it.
    pub here: Option<Rc<HereDoc>>,
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
    pub delimiter: Box<[u8]>,
    pub strip_tabs: bool,
    pub quoted: bool,
    pub body: OnceCell<Word>,
}

/// A word: literal, or parts to expand.
#[derive(Debug)]
pub enum Word {
    /// Quotes removed and nothing in it to expand.
    Literal(Box<[u8]>),
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
    Param(Box<Param>),
    Command(Box<CommandSub>),
    Arith(Box<Arith>, bool),
    /// `<(...)`, `>(...)` when the flag is set
    Process(Rc<Node>, bool),
    /// `(...)` after `name=`
    List(Box<[Element]>),
}

/// A command substitution.
#[derive(Debug)]
pub struct CommandSub {
    pub body: Option<Rc<Node>>,
    pub quoted: bool,
}

/// An arithmetic expression: its text, and its tree once it was parsed.
#[derive(Debug)]
pub struct Arith {
    pub text: Word,
    pub compiled: OnceCell<Option<Expr>>,
}

/// Which parameter an expansion reads.
#[derive(Debug)]
pub enum ParamName {
    Var(Sym),
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
    pub name: ParamName,
    pub quoted: bool,
    pub op: ParamOp,
}

/// What is done with the parameter's value.
#[derive(Debug)]
pub enum ParamOp {
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
    /// None of these: the text, an error once it is expanded.
    Bad(Box<[u8]>),
}

/// A pattern: ready, or to be expanded first.
#[derive(Debug)]
pub enum Pattern {
    /// Text without active characters.
    Exact(Box<[u8]>),
    /// A pattern with its quoted characters escaped.
    Static(Box<[u8]>),
    Dynamic(Word),
}
