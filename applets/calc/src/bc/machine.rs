//! Executes operations. Calls are on a list of their own, so that no depth of recursion exhausts the stack.

use std::cell::RefCell;
use std::rc::Rc;

use rbox_core::io::Input;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::signal;
use rbox_core::text;

use super::program::{Binary, Code, Defined, Function, Local, Name, Operation, Place};
use crate::array::{self, Array};
use crate::functions;
use crate::number::{MOST_SCALE, Number, small};
use crate::radix::{Base, parse, print};

/// How many calls may be open.
const MOST_CALLS: usize = 100_000;

/// The greatest index of an array.
const MOST_INDEX: u64 = (1 << 31) - 1;

/// An array, which references share.
type Shared = Rc<RefCell<Array>>;

/// What is on the stack.
enum Value {
    Number(Number),
    Array(Shared),
}

/// A call that is open: where it goes on, and what its locals hid.
struct Frame {
    code: Rc<Code>,
    at: usize,
    is_void: bool,
    variables: Vec<(Name, Number)>,
    arrays: Vec<(Name, Shared)>,
    /// The stack's length without the arguments.
    height: usize,
}

/// How the machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Normally,
    Halted,
}

/// The state of a program.
pub struct Machine {
    variables: Vec<Number>,
    /// By the numbers of their names, as the variables.
    arrays: Vec<Shared>,
    functions: Vec<Option<Rc<Defined>>>,
    /// The functions of `-l`, by the numbers of their names.
    pub library: Vec<(Name, u8)>,
    pub scale: usize,
    input_base: u64,
    output_base: u64,
    last: Number,
    /// Columns of a line of output.
    pub width: usize,
    /// Columns printed of the present one.
    column: usize,
    stack: Vec<Value>,
    frames: Vec<Frame>,
    /// `^C` stops the program, not bc.
    pub interactive: bool,
}

fn domain(name: &str, low: u64, high: u64) -> Error {
    Error::new(text!("bad ", name, "; must be [", low, ",", high, "]"))
}

/// The greatest base of output.
const MOST_OUTPUT_BASE: u64 = (1 << 31) - 1;

impl Machine {
    /// A machine without variables.
    pub fn new(width: usize) -> Self {
        Self {
            variables: Vec::new(),
            arrays: Vec::new(),
            functions: Vec::new(),
            library: Vec::new(),
            scale: 0,
            input_base: 10,
            output_base: 10,
            last: Number::default(),
            width,
            column: 0,
            stack: Vec::new(),
            frames: Vec::new(),
            interactive: false,
        }
    }

    /// Defines a function.
    pub fn define(&mut self, name: Name, defined: Defined) {
        if self.functions.len() <= usize::from(name) {
            self.functions.resize(usize::from(name) + 1, None);
        }
        self.functions[usize::from(name)] = Some(Rc::new(defined));
    }

    /// Runs statements. After an error all calls are closed.
    pub fn run(&mut self, env: &mut Env, input: &mut Option<Input>, code: Code) -> Result<Ended> {
        let ended = self.execute(env, input, Rc::new(code));
        while let Some(frame) = self.frames.pop() {
            self.restore(&mut Some(frame));
        }
        self.stack.clear();
        ended
    }

    fn execute(&mut self, env: &mut Env, input: &mut Option<Input>, mut code: Rc<Code>) -> Result<Ended> {
        let mut at = 0;
        loop {
            let Some(&operation) = code.operations.get(at) else { return Ok(Ended::Normally) };
            at += 1;
            match operation {
                Operation::Jump(to) => {
                    if self.interactive && signal::take_pending() != 0 {
                        return Err(Error::new("interrupted"));
                    }
                    at = to as usize;
                }
                Operation::JumpIfZero(to) => {
                    if self.number()?.is_zero() {
                        at = to as usize;
                    }
                }
                Operation::Call { function, arguments } => {
                    if let Some(result) = self.call_library(function, arguments)? {
                        self.push(result);
                        continue;
                    }
                    let defined = self.enter(function, arguments, (&code, at))?;
                    (code, at) = (defined.code.clone(), 0);
                }
                Operation::Return { with_value } => {
                    let result = if with_value { self.number()? } else { Number::default() };
                    let mut frame = self.frames.pop();
                    self.restore(&mut frame);
                    let Some(frame) = frame else { return Ok(Ended::Normally) };
                    self.stack.truncate(frame.height);
                    (code, at) = (frame.code, frame.at);
                    // The value of a void function is no value: it is not printed.
                    if frame.is_void && matches!(code.operations.get(at), Some(Operation::Print)) {
                        at += 1;
                    } else {
                        self.push(result);
                    }
                }
                Operation::Halt => return Ok(Ended::Halted),
                Operation::Constant(index) => {
                    let number = self.constant(&code, index as usize)?;
                    self.push(number);
                }
                Operation::Text { index, escapes } => {
                    let text = &code.texts[index as usize];
                    let text = if escapes { unescape(text) } else { text.to_vec() };
                    self.write(env, &text)?
                }
                other => self.step(env, input, other)?,
            }
        }
    }

    /// The value of a constant, which is read once for each input base that it is executed in.
    fn constant(&self, code: &Code, index: usize) -> Result<Number> {
        let mut values = code.values.borrow_mut();
        if values.len() <= index {
            values.resize_with(code.texts.len(), || None);
        }
        match &values[index] {
            Some((base, number)) if *base == self.input_base => Ok(number.clone()),
            _ => {
                let number = parse(&code.texts[index], self.input_base, true)?;
                values[index] = Some((self.input_base, number.clone()));
                Ok(number)
            }
        }
    }

    #[inline(never)]
    fn push(&mut self, number: Number) {
        self.stack.push(Value::Number(number));
    }

    #[inline(never)]
    fn number(&mut self) -> Result<Number> {
        match self.stack.pop() {
            Some(Value::Number(number)) => Ok(number),
            _ => Err(Error::new("variable is wrong type")),
        }
    }

    /// An operation that does not change what comes next.
    fn step(&mut self, env: &mut Env, input: &mut Option<Input>, operation: Operation) -> Result<()> {
        let result = match operation {
            Operation::Load(place) => {
                let index = self.index(place)?;
                self.load(place, index)
            }
            Operation::LoadKeeping(place) => {
                let index = self.index(place)?;
                if matches!(place, Place::Element(_)) {
                    self.push(Number::from(u64::from(index)));
                }
                self.load(place, index)
            }
            Operation::Store(place) => {
                let value = self.number()?;
                let index = self.index(place)?;
                self.store(place, index, value.clone())?;
                value
            }
            Operation::Step { place, negative, after } => {
                let index = self.index(place)?;
                let before = self.load(place, index);
                let value = before.clone().add(Number { negative, ..Number::from(1) })?;
                self.store(place, index, value.clone())?;
                if after { before } else { value }
            }
            Operation::Compute(binary) => {
                let second = self.number()?;
                let first = self.number()?;
                self.compute(binary, first, second)?
            }
            Operation::Negate => self.number()?.negated(),
            Operation::Not => Number::of_bool(self.number()?.is_zero()),
            Operation::Truth => Number::of_bool(!self.number()?.is_zero()),
            Operation::Apply(function) => self.apply(function)?,
            Operation::ArrayLength(name) => Number::from(self.array(name).borrow().length()),
            Operation::Array(name) => {
                let array = self.array(name).clone();
                self.stack.push(Value::Array(array));
                return Ok(());
            }
            Operation::Read => self.read(env, input)?,
            Operation::Drop => return self.number().map(drop),
            Operation::Print | Operation::PrintBare => {
                let value = self.number()?;
                let text = print(&value, Base(self.output_base), self.width, self.column);
                self.last = value;
                self.write(env, &text)?;
                return if matches!(operation, Operation::Print) { self.write(env, b"\n") } else { Ok(()) };
            }
            Operation::Limits => return limits(env),
            _ => return Ok(()),
        };
        self.push(result);
        Ok(())
    }

    fn write(&mut self, env: &mut Env, text: &[u8]) -> Result<()> {
        self.column = match rbox_core::bytes::find_byte_back(b'\n', text) {
            Some(end) => text.len() - end - 1,
            None => self.column + text.len(),
        };
        env.stdout.write(text)
    }

    /// The index on the stack, for an element.
    fn index(&mut self, place: Place) -> Result<u32> {
        if !matches!(place, Place::Element(_)) {
            return Ok(0);
        }
        let index = self.number()?;
        match index.integer() {
            Some(0..) if index.integer().unwrap_or(0) as u64 <= MOST_INDEX => Ok(index.integer().unwrap_or(0) as u32),
            Some(..0) => Err(Error::new("negative number")),
            _ => Err(Error::new(text!("array too long; must be [1,", MOST_INDEX, "]"))),
        }
    }

    #[inline(never)]
    fn variable(&mut self, name: Name) -> &mut Number {
        if self.variables.len() <= usize::from(name) {
            self.variables.resize_with(usize::from(name) + 1, Number::default);
        }
        &mut self.variables[usize::from(name)]
    }

    #[inline(never)]
    fn array(&mut self, name: Name) -> &mut Shared {
        if self.arrays.len() <= usize::from(name) {
            self.arrays.resize_with(usize::from(name) + 1, Shared::default);
        }
        &mut self.arrays[usize::from(name)]
    }

    /// The function of that name, if the program defines it.
    fn defined(&self, name: Name) -> Option<&Rc<Defined>> {
        self.functions.get(usize::from(name)).and_then(Option::as_ref)
    }

    fn load(&mut self, place: Place, index: u32) -> Number {
        match place {
            Place::Variable(name) => self.variable(name).clone(),
            Place::Element(name) => match self.array(name).borrow().get(index) {
                array::Value::Number(number) => number,
                array::Value::Text(_) => Number::default(),
            },
            Place::Scale => Number::from(self.scale as u64),
            Place::InputBase => Number::from(self.input_base),
            Place::OutputBase => Number::from(self.output_base),
            Place::Last => self.last.clone(),
        }
    }

    fn store(&mut self, place: Place, index: u32, value: Number) -> Result<()> {
        let integer = || {
            if value.negative {
                return Err(Error::new("negative number"));
            }
            Ok(value.integer().map_or(u64::MAX, |value| value as u64))
        };
        match place {
            Place::Variable(name) => *self.variable(name) = value,
            Place::Element(name) => self.array(name).borrow_mut().set(index, array::Value::Number(value)),
            Place::Last => self.last = value,
            Place::Scale => match integer()? {
                scale if scale <= MOST_SCALE as u64 => self.scale = scale as usize,
                _ => return Err(domain("scale", 0, MOST_SCALE as u64)),
            },
            Place::InputBase => match integer() {
                Ok(base @ 2..=36) => self.input_base = base,
                _ => return Err(domain("ibase", 2, 36)),
            },
            Place::OutputBase => match integer() {
                Ok(base @ 2..=MOST_OUTPUT_BASE) => self.output_base = base,
                _ => return Err(domain("obase", 2, MOST_OUTPUT_BASE)),
            },
        }
        Ok(())
    }

    fn compute(&self, binary: Binary, first: Number, second: Number) -> Result<Number> {
        let order = |test: fn(core::cmp::Ordering) -> bool| Ok(Number::of_bool(test(first.compare(&second))));
        match binary {
            Binary::Add => first.add(second),
            Binary::Subtract => first.add(second.negated()),
            Binary::Multiply => first.multiply(second, self.scale),
            Binary::Divide => first.divide(second, self.scale),
            Binary::Remainder => Ok(first.divide_with_remainder(second, self.scale)?.1),
            Binary::Power => first.raise(&second, self.scale),
            Binary::Equal => order(core::cmp::Ordering::is_eq),
            Binary::NotEqual => order(core::cmp::Ordering::is_ne),
            Binary::Less => order(core::cmp::Ordering::is_lt),
            Binary::LessOrEqual => order(core::cmp::Ordering::is_le),
            Binary::Greater => order(core::cmp::Ordering::is_gt),
            Binary::GreaterOrEqual => order(core::cmp::Ordering::is_ge),
        }
    }

    fn apply(&mut self, function: Function) -> Result<Number> {
        let number = self.number()?;
        match function {
            Function::Length => Ok(Number::from(number.length() as u64)),
            Function::Scale => Ok(Number::from(number.scale as u64)),
            Function::SquareRoot => number.square_root(self.scale),
        }
    }

    /// Reads a line with a number from the input (GNU's `read`); it may be an expression in BusyBox, and is not here.
    fn read(&self, env: &mut Env, input: &mut Option<Input>) -> Result<Number> {
        env.stdout.flush()?;
        let input = input.as_mut().unwrap_or(&mut env.stdin);
        let line = input.line()?.unwrap_or_default().trim_ascii();
        let (negative, digits) = line.strip_prefix(b"-").map_or((false, line), |digits| (true, digits));
        let points = digits.iter().filter(|byte| **byte == b'.').count();
        if digits.is_empty()
            || points > 1
            || digits == b"."
            || !digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'.'))
        {
            return Err(Error::parts(&[b"bad number '", line, b"'"]));
        }
        let number = parse(digits, self.input_base, true)?;
        Ok(if negative { number.negated() } else { number })
    }

    fn call_library(&mut self, function: Name, arguments: u16) -> Result<Option<Number>> {
        let known = self.library.iter().find(|(name, _)| *name == function);
        let Some(&(_, letter)) = known.filter(|_| self.defined(function).is_none()) else { return Ok(None) };
        let wanted = if letter == b'j' { 2 } else { 1 };
        if arguments != wanted {
            return Err(wrong_count(wanted.into(), arguments));
        }
        let number = self.number()?;
        let scale = self.scale;
        let result = match letter {
            b'e' => functions::exp(&number, scale),
            b'l' => functions::log(&number, scale),
            b's' => functions::sine(&number, scale, false),
            b'c' => functions::sine(&number, scale, true),
            b'a' => functions::arctan(&number, scale),
            _ => functions::bessel(&self.number()?, &number, scale),
        };
        result.map(Some)
    }

    /// Begins a call: its locals hide the variables of their names (POSIX XCU bc, "auto").
    fn enter(&mut self, function: Name, arguments: u16, (code, at): (&Rc<Code>, usize)) -> Result<Rc<Defined>> {
        let defined = self.defined(function).cloned().ok_or_else(|| Error::new("undefined function"))?;
        if defined.parameters.len() != usize::from(arguments) {
            return Err(wrong_count(defined.parameters.len(), arguments));
        }
        if self.frames.len() >= MOST_CALLS {
            return Err(Error::new("too many nested calls"));
        }
        let height = self.stack.len() - usize::from(arguments);
        let values = self.stack.split_off(height);
        let (code, is_void) = (code.clone(), defined.is_void);
        let mut frame = Frame { code, at, is_void, variables: Vec::new(), arrays: Vec::new(), height };
        for (local, value) in defined.parameters.iter().zip(values) {
            match (*local, value) {
                (Local::Variable(name), Value::Number(number)) => self.hide(&mut frame, name, number),
                (Local::Array(name), Value::Array(array)) => {
                    let copy = Rc::new(RefCell::new(array.borrow().clone()));
                    frame.arrays.push((name, core::mem::replace(self.array(name), copy)));
                }
                (Local::Reference(name), Value::Array(array)) => {
                    frame.arrays.push((name, core::mem::replace(self.array(name), array)));
                }
                _ => {
                    self.restore(&mut Some(frame));
                    return Err(Error::new("variable is wrong type"));
                }
            }
        }
        for local in &defined.automatic {
            match *local {
                Local::Variable(name) => self.hide(&mut frame, name, Number::default()),
                Local::Array(name) | Local::Reference(name) => {
                    frame.arrays.push((name, core::mem::take(self.array(name))));
                }
            }
        }
        self.frames.push(frame);
        Ok(defined)
    }

    #[inline(never)]
    fn hide(&mut self, frame: &mut Frame, name: Name, value: Number) {
        frame.variables.push((name, core::mem::replace(self.variable(name), value)));
    }

    fn restore(&mut self, frame: &mut Option<Frame>) {
        let Some(frame) = frame else { return };
        for (name, value) in frame.variables.drain(..).rev() {
            *self.variable(name) = value;
        }
        for (name, array) in frame.arrays.drain(..).rev() {
            *self.array(name) = array;
        }
    }
}

fn wrong_count(wanted: usize, given: u16) -> Error {
    Error::new(text!("function has ", wanted, " parameters, but called with ", given))
}

fn limits(env: &mut Env) -> Result<()> {
    env.stdout.write(&text!(
        "BC_BASE_MAX     = ",
        MOST_OUTPUT_BASE,
        "\nBC_DIM_MAX      = ",
        MOST_INDEX + 1,
        "\nBC_SCALE_MAX    = ",
        MOST_SCALE,
        "\nBC_STRING_MAX   = ",
        u32::MAX,
        "\nMAX Exponent    = ",
        u32::MAX,
        "\nNumber of vars  = ",
        u16::MAX,
        "\n"
    ))
}

/// The escapes of `print` (GNU).
fn unescape(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.iter());
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'a') => out.push(7),
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'q') => out.push(b'"'),
            Some(b'e' | b'\\') => out.push(b'\\'),
            Some(&other) => out.extend_from_slice(&[b'\\', other]),
            None => out.push(b'\\'),
        }
    }
    out
}

/// The columns of a line: of `BC_LINE_LENGTH` or `DC_LINE_LENGTH`, 0 for one line; 70 where it is no number.
pub fn width(env: &Env, variable: &str) -> usize {
    match env.vars.get(variable).and_then(parse_decimal) {
        Some(width @ (0 | 3..=65_535)) => width as usize,
        _ => 70,
    }
}

/// Digits that fit a byte, for `P` of dc.
pub fn byte_of(number: &Number) -> u8 {
    small(&(&number.digits % 256u32)).unwrap_or(0) as u8
}
