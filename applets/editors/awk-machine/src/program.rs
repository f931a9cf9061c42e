//! The compiled program: instructions for a machine of registers.
//!
//! An operand is a slot of the machine: constants and variables of the program have slots for good, parameters and
//! temporaries are in the frame of the call. So `i < n` or `s += x` is one instruction, which moves nothing.

use crate::value::Value;

/// The functions of the language, by their numbers in the lexer's list of words.
pub mod builtin {
    pub const LENGTH: u8 = 0;
    pub const SUBSTR: u8 = 1;
    pub const INDEX: u8 = 2;
    pub const SPLIT: u8 = 3;
    pub const SUB: u8 = 4;
    pub const GSUB: u8 = 5;
    pub const MATCH: u8 = 6;
    pub const SPRINTF: u8 = 7;
    pub const SIN: u8 = 8;
    pub const COS: u8 = 9;
    pub const ATAN2: u8 = 10;
    pub const EXP: u8 = 11;
    pub const LOG: u8 = 12;
    pub const SQRT: u8 = 13;
    pub const INT: u8 = 14;
    pub const RAND: u8 = 15;
    pub const SRAND: u8 = 16;
    pub const TOLOWER: u8 = 17;
    pub const TOUPPER: u8 = 18;
    pub const SYSTEM: u8 = 19;
    pub const CLOSE: u8 = 20;
    pub const FFLUSH: u8 = 21;
    pub const GENSUB: u8 = 22;
    pub const STRFTIME: u8 = 23;
    pub const SYSTIME: u8 = 24;
    pub const MKTIME: u8 = 25;
    pub const AND: u8 = 26;
    pub const OR: u8 = 27;
    pub const XOR: u8 = 28;
    pub const LSHIFT: u8 = 29;
    pub const RSHIFT: u8 = 30;
    pub const COMPL: u8 = 31;
    pub const STRTONUM: u8 = 32;
    pub const ASORT: u8 = 33;
    pub const ASORTI: u8 = 34;
    pub const ISARRAY: u8 = 35;
    pub const PATSPLIT: u8 = 36;
}

/// Binary operators on numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

/// Comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Comparison {
    Less,
    LessEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
}

/// Where `getline` reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum From {
    Main,
    File,
    Command,
}

/// Where `print` writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum To {
    File,
    Append,
    Command,
}

/// A slot: `number * 2` for one of the whole program, `number * 2 + 1` for one of the frame.
pub type Operand = u32;

/// What an instruction does with its operands `a`, `b`, `c` and the small number `x`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Op {
    /// a = b
    Move,
    /// a = the number of b
    ToNumber,
    /// a = -b
    Negate,
    /// a = !b
    Not,
    /// a = whether b is true
    Truth,
    // a = b op c, in the order of `Arithmetic`.
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    /// a = b compared with c, as `Comparison` x says
    Compare,
    /// a = b followed by c
    Concat,
    /// a = b followed by c, where b is not used again
    Append,
    /// a = whether b matches c; x: or not
    Match,
    /// a = whether the record matches c; x: or not
    MatchRecord,
    /// a = field number b
    Field,
    /// a = the number of the field number b
    FieldNumber,
    /// field number a = b
    SetField,
    /// NF is up to date
    CountFields,
    /// the record is up to date
    Join,
    /// the special variable a was assigned to
    Changed,
    /// a = element c of array b
    Element,
    /// element c of array b = a
    SetElement,
    /// a = element c of array b, as it was (x & 1) or is then, which x & 2 lowers and else raises by 1
    StepElement,
    /// element c of array b, by operator x, with a; a = the result
    ElementArithmetic,
    /// a = whether array b has an element c
    In,
    /// a = the c values from b on, joined by SUBSEP
    Subscript,
    /// array a loses element b
    Delete,
    /// array a loses all elements
    Clear,
    /// to instruction c
    Jump,
    /// to instruction c if a is true
    JumpTrue,
    /// to instruction c if a is not
    JumpFalse,
    /// to instruction c unless a compared with b is as `Comparison` x says
    JumpUnless,
    /// begins to go through the keys of array a
    Keys,
    /// a = the next key, or to instruction c
    NextKey,
    /// ends going through keys
    EndKeys,
    /// a = function c with x arguments from b on
    Call,
    /// returns a
    Return,
    /// a = the argument b, a variable that may become an array
    Pass,
    /// a = function x of the language with c arguments from b on
    Builtin,
    /// a = the length of field number b
    FieldLength,
    /// a = the length of b
    Length,
    /// a = the result of reading by `From` x from b; c = what was read
    Getline,
    /// writes go to b, by `To` x
    Redirect,
    /// writes a
    Write,
    /// writes the field number a
    WriteField,
    /// writes the record
    WriteRecord,
    /// writes OFS
    WriteSeparator,
    /// ends the writes of a statement; x: with ORS
    EndWrite,
    /// writes the c values from b on, the first of them the format
    Printf,
    /// goes on after the range number b if that has begun, a = whether it has
    RangeBegun,
    /// the range number b has begun (x = 1) or ended
    SetRange,
    Next,
    NextFile,
    /// ends with the status a, if x
    Exit,
    /// ends a rule or the program
    End,
}

/// An instruction.
#[derive(Clone, Copy)]
pub struct Instr {
    pub op: Op,
    pub x: u8,
    pub a: u32,
    pub b: u32,
    pub c: u32,
}

/// A function of the program.
pub struct Function {
    /// Its first instruction.
    pub start: usize,
    /// The slots of its parameters.
    pub parameters: usize,
    /// The slots of its frame.
    pub frame: usize,
}

/// A program.
pub struct Code {
    pub instrs: Vec<Instr>,
    /// For each instruction the offset in the program's text that it comes from.
    pub offsets: Vec<u32>,
    /// The first slots: variables and, after them, constants.
    pub slots: Vec<Value>,
    /// The names of the variables.
    pub globals: Vec<Vec<u8>>,
    pub functions: Vec<Function>,
    pub function_names: Vec<Vec<u8>>,
    /// The regular expressions.
    pub regexes: Vec<Vec<u8>>,
    /// The number of patterns that are ranges.
    pub ranges: usize,
    /// The slots of the frame that rules run in.
    pub frame: usize,
    /// The first instructions of each kind of rules.
    pub begin: usize,
    pub main: usize,
    pub end: usize,
    pub begin_file: usize,
    pub end_file: usize,
    /// Whether records are read: there is a rule for them, or for the end.
    pub reads_input: bool,
    pub has_main: bool,
    pub has_file_rules: bool,
    /// Whether RT is used.
    pub uses_terminator: bool,
}
