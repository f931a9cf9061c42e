//! What a script is compiled to.

use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::pattern::template::{Template, Which};

/// The index of a regular expression in `Program::regexes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegexId(pub u32);

/// The empty regular expression: the one that was used last (POSIX XCU sed).
pub const LAST_USED: RegexId = RegexId(u32::MAX);

/// Which lines an address matches.
#[derive(Clone, Copy, Debug)]
pub enum Address {
    Line(u64),
    Last,
    Regex(RegexId),
    /// `first~step`
    Step(u64, u64),
    /// The 0 of `0,/re/`: a range that has begun before the first line.
    Zero,
}

/// The end of a range.
#[derive(Clone, Copy, Debug)]
pub enum End {
    At(Address),
    /// `+N`: so many lines later.
    Plus(u64),
    /// `~N`: the next line whose number is a multiple.
    Multiple(u64),
}

/// A script. It runs from the first command to the last.
#[derive(Default)]
pub struct Program {
    pub commands: Vec<Command>,
    pub regexes: Vec<Regex>,
    /// What they were compiled from.
    pub sources: Vec<(Vec<u8>, Flags)>,
    /// The files of `w`, without /dev/stdout. Number n of a `Sink` is `writers[n - 1]`.
    pub writers: Vec<Vec<u8>>,
    /// The files of `R`.
    pub readers: Vec<Vec<u8>>,
}

pub struct Command {
    pub first: Option<Address>,
    pub end: Option<End>,
    pub negated: bool,
    pub action: Action,
}

/// The number of an output: 0 is standard output.
pub type Sink = usize;

pub enum Action {
    /// `{`: goes on at this command if the block is not selected.
    Block(usize),
    /// `=`
    LineNumber,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    Branch(usize),
    /// `t`
    BranchIfReplaced(usize),
    /// `T`
    BranchUnlessReplaced(usize),
    Delete,
    /// `D`
    DeleteLine,
    /// `e`: the pattern space is the command, or this is.
    Execute(Option<Vec<u8>>),
    FileName,
    /// `g`
    Get,
    /// `G`
    GetAppend,
    /// `h`
    Hold,
    /// `H`
    HoldAppend,
    Exchange,
    /// `l`, with the length of a line.
    List(Option<usize>),
    Next,
    /// `N`
    NextAppend,
    Print,
    /// `P`
    PrintLine,
    Quit(u8),
    /// `Q`
    QuitSilently(u8),
    Read(Vec<u8>),
    /// `R`
    ReadLine(usize),
    Substitute(Box<Substitute>),
    Translate(Box<Translation>),
    Write(Sink),
    /// `W`
    WriteLine(Sink),
    Zap,
}

pub struct Substitute {
    pub regex: RegexId,
    pub template: Template,
    pub which: Which,
    pub print: bool,
    /// `e` before `p`: the result is printed after it has been executed.
    pub execute: bool,
    pub print_first: bool,
    pub write: Option<Sink>,
}

/// What `y` does: a table for single bytes, and the pairs of which one is longer.
pub struct Translation {
    pub bytes: [u8; 256],
    pub wide: Vec<(Vec<u8>, Vec<u8>)>,
}
