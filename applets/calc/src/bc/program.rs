//! What the parser makes for the machine: a list of operations on a stack of numbers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::number::Number;

/// A variable, an array or a function, by the number of its name.
pub type Name = u16;

/// A place that holds a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Variable(Name),
    /// An element of an array; its index is on the stack.
    Element(Name),
    Scale,
    InputBase,
    OutputBase,
    Last,
}

/// An operator of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A built-in function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Length,
    Scale,
    SquareRoot,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Pushes a constant, as the input base has it.
    Constant(u32),
    Load(Place),
    /// Pushes the value of an element and keeps its index below.
    LoadKeeping(Place),
    /// Stores the number on the stack, and leaves it there; takes the index below it.
    Store(Place),
    /// Adds 1, or subtracts it; leaves the value before or after that.
    Step {
        place: Place,
        negative: bool,
        after: bool,
    },
    Compute(Binary),
    Negate,
    Not,
    Call {
        function: Name,
        arguments: u16,
    },
    /// Pushes an array as an argument.
    Array(Name),
    Apply(Function),
    ArrayLength(Name),
    Read,
    Drop,
    /// Prints a value and a newline, and remembers it.
    Print,
    /// The same without a newline, for `print`.
    PrintBare,
    /// Prints a string; `print` replaces its escapes.
    Text {
        index: u32,
        escapes: bool,
    },
    Jump(u32),
    JumpIfZero(u32),
    /// Pushes whether the number on the stack is not 0.
    Truth,
    Return {
        with_value: bool,
    },
    Limits,
    Halt,
}

/// A parameter or an automatic variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    Variable(Name),
    Array(Name),
    /// The caller's own array.
    Reference(Name),
}

/// A list of operations with its constants.
#[derive(Clone, Debug, Default)]
pub struct Code {
    pub operations: Vec<Operation>,
    pub texts: Vec<Vec<u8>>,
    /// The values of constants that have been executed, and the input base that they were read in.
    pub values: RefCell<Vec<Option<(u64, Number)>>>,
}

/// A function that the program defines.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    pub parameters: Vec<Local>,
    pub automatic: Vec<Local>,
    pub is_void: bool,
    pub code: std::rc::Rc<Code>,
}

/// The numbers of names.
#[derive(Default)]
pub struct Names {
    numbers: BTreeMap<Vec<u8>, Name>,
}

impl Names {
    /// The number of a name. `None` if there are too many.
    pub fn number(&mut self, name: &[u8]) -> Option<Name> {
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        let number = Name::try_from(self.numbers.len()).ok()?;
        self.numbers.insert(name.to_vec(), number);
        Some(number)
    }
}

impl Code {
    /// Whether it may run for long: a jump back, a call, or a power.
    #[cfg(fuzzing)]
    pub fn has_loops(&self) -> bool {
        self.operations.iter().enumerate().any(|(at, operation)| match operation {
            Operation::Jump(to) => *to as usize <= at,
            Operation::Call { .. } | Operation::Compute(Binary::Power) | Operation::Store(Place::Scale) => true,
            _ => false,
        })
    }
}
