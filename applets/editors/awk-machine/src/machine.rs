//! The machine: runs the instructions of a program.

use std::rc::Rc;

use rbox_core::env::Env;
use rbox_core::error::{Error, Result};
use rbox_core::io::Input;

use crate::array::Array;
use crate::fields::Fields;
use crate::io::{Separator, Sink, Streams};
use crate::program::{Code, Instr, Op, Operand};
use crate::regexes::Regexes;
use crate::script::Script;
use crate::seldom::Seldom;
use crate::special;
use crate::value::{Digits, Text, Value};

/// How deep calls may nest.
const MOST_CALLS: usize = 200_000;

/// How running instructions ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// At the end of the rules, or of the function that was called from outside.
    Done,
    Next,
    NextFile,
    Exit,
}

/// A call that has not returned.
struct Frame {
    /// The instruction to go on with.
    back: usize,
    /// The caller's frame: its first slot and its length.
    base: usize,
    size: usize,
    /// Where the value goes.
    dest: usize,
    /// Parameters of the function that was called.
    parameters: usize,
    /// How many loops over keys were under way.
    keys: usize,
}

/// A loop over the keys of an array.
struct Keys {
    list: Vec<Rc<Text>>,
    at: usize,
}

/// The state of a running program.
pub struct Machine<'a> {
    pub env: &'a mut Env,
    pub seldom: Seldom,
    pub script: &'a Script,
    pub code: &'a Code,
    /// Variables, constants and, from `base` on, the frame.
    pub slots: Vec<Value>,
    pub base: usize,
    size: usize,
    frames: Vec<Frame>,
    pub arrays: Vec<Array>,
    /// Arrays of calls that have returned.
    pub free_arrays: Vec<u32>,
    keys: Vec<Keys>,
    pub fields: Fields,
    pub streams: Streams,
    pub regexes: Regexes,
    pub separator: Separator,
    /// Where the statement writes.
    pub sink: Sink,
    ranges: Vec<bool>,
    /// The main input.
    pub input: Option<Input>,
    pub input_is_stdin: bool,
    /// The index in ARGV of the operand that comes next.
    pub operand: usize,
    pub had_operand: bool,
    /// Operands `NAME=value` are assignments.
    pub takes_assignments: bool,
    pub terminator: Vec<u8>,
    pub utf8: bool,
    pub ignores_case: bool,
    pub status: u8,
    /// The state of rand(), and the seed that srand() was given.
    pub random: u64,
    pub seed: f64,
    /// Nested calls from outside of the instructions: of comparison functions, and rules for files.
    pub nested: usize,
    pub digits: Digits,
    /// CONVFMT and OFMT.
    pub convfmt: Rc<Text>,
    pub ofmt: Rc<Text>,
    /// What `printf` prints.
    pub scratch: Vec<u8>,
}

impl<'a> Machine<'a> {
    /// A machine for a program.
    pub fn new(env: &'a mut Env, script: &'a Script, code: &'a Code, seldom: Seldom, utf8: bool) -> Result<Self> {
        let regexes = Regexes::new(&code.regexes, seldom.regex, utf8)?;
        let base = code.slots.len();
        let mut slots = code.slots.clone();
        slots.resize(base + code.frame, Value::Uninit);
        Ok(Self {
            env,
            seldom,
            script,
            code,
            slots,
            base,
            size: code.frame,
            frames: Vec::new(),
            arrays: Vec::new(),
            free_arrays: Vec::new(),
            keys: Vec::new(),
            fields: Fields::new(),
            streams: Streams::default(),
            regexes,
            separator: Separator::Byte(b'\n'),
            sink: Sink::Stdout,
            ranges: vec![false; code.ranges],
            input: None,
            input_is_stdin: false,
            operand: 1,
            had_operand: false,
            takes_assignments: true,
            terminator: Vec::new(),
            utf8,
            ignores_case: false,
            status: 0,
            random: 0,
            seed: 0.0,
            nested: 0,
            digits: Digits::default(),
            convfmt: Text::new(b"%.6g"),
            ofmt: Text::new(b"%.6g"),
            scratch: Vec::new(),
        })
    }

    /// The index of an operand's slot.
    #[inline(always)]
    pub fn at(&self, operand: Operand) -> usize {
        (operand >> 1) as usize + if operand & 1 == 1 { self.base } else { 0 }
    }

    #[inline(always)]
    pub fn value(&self, operand: Operand) -> &Value {
        &self.slots[self.at(operand)]
    }

    #[inline(always)]
    pub fn set(&mut self, operand: Operand, value: Value) {
        let at = self.at(operand);
        self.slots[at] = value;
    }

    #[inline(always)]
    fn number(&self, operand: Operand) -> f64 {
        match self.value(operand) {
            Value::Num(number) => *number,
            value => value.number(),
        }
    }

    #[inline(always)]
    pub fn set_number(&mut self, operand: Operand, number: f64) {
        let at = self.at(operand);
        match &mut self.slots[at] {
            Value::Num(old) => *old = number,
            slot => replace(slot, number),
        }
    }

    /// A copy of a scalar.
    #[inline]
    pub fn scalar(&self, operand: Operand) -> Result<Value> {
        match self.value(operand) {
            Value::Array(_) | Value::OwnArray(_) => Err(Error::new("Array used as a scalar")),
            Value::Link(_) => Ok(Value::Uninit),
            value => Ok(value.clone()),
        }
    }

    /// The string of a special variable.
    pub fn special(&self, index: u32) -> Rc<Text> {
        match &self.slots[index as usize] {
            Value::Str(text) | Value::Input(text) => Rc::clone(text),
            value => Text::new(value.bytes(b"%.6g", &mut Digits::default())),
        }
    }

    /// The string of a value, shared if it is one.
    pub fn text(&mut self, operand: Operand) -> Rc<Text> {
        match self.value(operand) {
            Value::Str(text) | Value::Input(text) => Rc::clone(text),
            Value::Num(number) => {
                let number = *number;
                Text::new(self.digits.number(number, &self.convfmt))
            }
            _ => Text::new(b""),
        }
    }

    /// Runs instructions from `start` on. An error of the program itself gets the line it is from.
    pub fn run(&mut self, start: usize) -> Result<Flow> {
        let mut pc = start;
        let (base, frames) = (self.base, self.frames.len());
        let result = self.execute(&mut pc, usize::MAX);
        if self.frames.len() > frames {
            // `next` and `exit` leave functions.
            while self.frames.len() > frames {
                self.leave();
            }
            self.base = base;
        }
        if frames == 0 {
            self.keys.clear();
            self.sink = Sink::Stdout;
        }
        result.map_err(|error| {
            if error.errno().is_some() || error.is_output() || error.message().is_empty() {
                return error;
            }
            let offset = self.code.offsets.get(pc.saturating_sub(1)).map_or(0, |&offset| offset as usize);
            self.script.error(offset, error.message())
        })
    }

    /// Runs until the rules end, or until a function returns to so many calls under way.
    fn execute(&mut self, pc: &mut usize, frames: usize) -> Result<Flow> {
        let code = self.code;
        loop {
            let Instr { op, x, a, b, c } = code.instrs[*pc];
            *pc += 1;
            match op {
                Op::Move => {
                    let value = self.scalar(b)?;
                    self.set(a, value);
                }
                Op::ToNumber => self.set_number(a, self.number(b)),
                Op::Negate => self.set_number(a, -self.number(b)),
                Op::Not => self.set_number(a, f64::from(u8::from(!self.value(b).is_true()))),
                Op::Truth => self.set_number(a, f64::from(u8::from(self.value(b).is_true()))),
                Op::Add => self.set_number(a, self.number(b) + self.number(c)),
                Op::Subtract => self.set_number(a, self.number(b) - self.number(c)),
                Op::Multiply => self.set_number(a, self.number(b) * self.number(c)),
                Op::Divide | Op::Modulo | Op::Power => {
                    let number = divide(op, self.number(b), self.number(c))?;
                    self.set_number(a, number);
                }
                Op::Compare => {
                    let is = self.compare(x, b, c);
                    self.set_number(a, f64::from(u8::from(is)));
                }
                Op::Concat => self.concat(a, b, c),
                Op::Append => self.append(a, b, c),
                Op::Match => {
                    let is = self.matches(b, c)? != (x != 0);
                    self.set_number(a, f64::from(u8::from(is)));
                }
                Op::MatchRecord => {
                    let is = self.record_matches(c);
                    self.set_number(a, f64::from(u8::from(is)));
                }
                Op::Field => {
                    let value = self.field(b)?;
                    self.set(a, value);
                }
                Op::FieldNumber => {
                    let number = self.field_number(b)?;
                    self.set_number(a, number);
                }
                Op::SetField => {
                    let value = self.scalar(b)?;
                    self.set_field(a, value)?;
                }
                Op::CountFields => {
                    let count = self.fields.count() as f64;
                    self.set_number(special::NF << 1, count);
                }
                Op::Join => self.join(),
                Op::Changed => (self.seldom.changed)(self, a)?,
                Op::Element => {
                    let value = self.element(b, c)?.clone();
                    self.set(a, value);
                }
                Op::SetElement => {
                    let value = self.scalar(a)?;
                    *self.element(b, c)? = value;
                }
                Op::StepElement => {
                    let step = if x & 2 == 0 { 1.0 } else { -1.0 };
                    let element = self.element(b, c)?;
                    let old = element.number();
                    *element = Value::Num(old + step);
                    self.set_number(a, if x & 1 == 1 { old } else { old + step });
                }
                Op::ElementArithmetic => {
                    let operand = self.number(a);
                    let element = self.element(b, c)?;
                    let result = calculate(x, element.number(), operand)?;
                    *element = Value::Num(result);
                    self.set_number(a, result);
                }
                Op::In => {
                    let is = self.has_element(b, c)?;
                    self.set_number(a, f64::from(u8::from(is)));
                }
                Op::Subscript => self.subscript(a, b, c),
                Op::Delete => self.delete(a, b)?,
                Op::Clear => {
                    let array = self.array(a)?;
                    self.arrays[array].clear();
                }
                Op::Jump => *pc = c as usize,
                Op::JumpTrue => {
                    if self.value(a).is_true() {
                        *pc = c as usize;
                    }
                }
                Op::JumpFalse => {
                    if !self.value(a).is_true() {
                        *pc = c as usize;
                    }
                }
                Op::JumpUnless => {
                    if !self.compare(x, a, b) {
                        *pc = c as usize;
                    }
                }
                Op::Keys => {
                    let array = self.array(a)?;
                    let list = self.sorted_keys(array)?;
                    self.keys.push(Keys { list, at: 0 });
                }
                Op::NextKey => {
                    let next = self.keys.last_mut().and_then(|keys| {
                        keys.at += 1;
                        keys.list.get(keys.at - 1).cloned()
                    });
                    match next {
                        Some(key) => self.set(a, Value::Input(key)),
                        None => *pc = c as usize,
                    }
                }
                Op::EndKeys => drop(self.keys.pop()),
                Op::Call => {
                    let dest = self.at(a);
                    *pc = self.enter(c as usize, self.at(b), usize::from(x), dest, *pc)?;
                }
                Op::Return => {
                    let value = self.scalar(a)?;
                    let (dest, back) = self.leave();
                    self.slots[dest] = value;
                    if self.frames.len() == frames {
                        return Ok(Flow::Done);
                    }
                    *pc = back;
                }
                Op::Pass => {
                    let value = self.passed(b);
                    self.set(a, value);
                }
                Op::Builtin => {
                    let value = self.builtin(x, self.at(b), c as usize)?;
                    self.set(a, value);
                }
                Op::FieldLength => {
                    let length = self.field_length(b)?;
                    self.set_number(a, length);
                }
                Op::Length => {
                    let length = self.length(b)?;
                    self.set_number(a, length);
                }
                Op::Getline => {
                    let result = self.getline(x, b, c)?;
                    self.set_number(a, result);
                }
                Op::Redirect => self.redirect(x, b)?,
                Op::Write => self.write(a)?,
                Op::WriteField => self.write_field(a)?,
                Op::WriteRecord => self.write_record()?,
                Op::WriteSeparator => self.write_special(special::OFS)?,
                Op::EndWrite => {
                    if x == 1 {
                        self.write_special(special::ORS)?;
                    }
                    self.sink = Sink::Stdout;
                }
                Op::Printf => self.printf(b, c as usize)?,
                Op::RangeBegun => {
                    let begun = self.ranges[b as usize];
                    self.set_number(a, f64::from(u8::from(begun)));
                }
                Op::SetRange => self.ranges[b as usize] = x == 1,
                Op::Next => return Ok(Flow::Next),
                Op::NextFile => return Ok(Flow::NextFile),
                Op::Exit => {
                    if x == 1 {
                        self.status = self.number(a) as i64 as u8;
                    }
                    return Ok(Flow::Exit);
                }
                Op::End => return Ok(Flow::Done),
            }
        }
    }

    /// Begins a call, whose arguments are in slots from `first` on; the first instruction of the function.
    #[inline(never)]
    fn enter(&mut self, function: usize, first: usize, count: usize, dest: usize, back: usize) -> Result<usize> {
        let function = &self.code.functions[function];
        if self.frames.len() == MOST_CALLS {
            return Err(Error::new("Too deep recursion"));
        }
        let needed = first + function.frame;
        if self.slots.len() < needed {
            self.slots.resize(needed.max(self.slots.len() + self.slots.len() / 2), Value::Uninit);
        }
        self.slots[first + count..first + function.parameters].fill(Value::Uninit);
        self.frames.push(Frame {
            back,
            base: self.base,
            size: self.size,
            dest,
            parameters: function.parameters,
            keys: self.keys.len(),
        });
        (self.base, self.size) = (first, function.frame);
        Ok(function.start)
    }

    /// Ends a call: where its value goes, and the instruction to go on with.
    #[inline(never)]
    fn leave(&mut self) -> (usize, usize) {
        let Some(frame) = self.frames.pop() else { return (self.base, 0) };
        for at in self.base..self.base + frame.parameters {
            if let Value::OwnArray(index) = core::mem::take(&mut self.slots[at]) {
                self.arrays[index as usize].clear();
                self.free_arrays.push(index);
            }
        }
        self.keys.truncate(frame.keys);
        (self.base, self.size) = (frame.base, frame.size);
        (frame.dest, frame.back)
    }

    /// Calls a function from outside of the instructions.
    pub fn call(&mut self, function: usize, arguments: &[Value]) -> Result<Value> {
        let first = self.base + self.size;
        let (code, start) = (self.code, self.slots.len().max(first + 1 + arguments.len()));
        self.slots.resize(start, Value::Uninit);
        let count = arguments.len().min(code.functions[function].parameters);
        self.slots[first + 1..first + 1 + count].clone_from_slice(&arguments[..count]);
        let (base, size) = (self.base, self.size);
        let frames = self.frames.len();
        self.enter_nested()?;
        let mut pc = self.enter(function, first + 1, count, first, 0)?;
        let flow = self.execute(&mut pc, frames);
        while self.frames.len() > frames {
            self.leave();
        }
        (self.base, self.size) = (base, size);
        self.nested -= 1;
        match flow? {
            Flow::Done => Ok(core::mem::take(&mut self.slots[first])),
            _ => Err(Error::new("'next' or 'exit' in a comparison function")),
        }
    }

    fn enter_nested(&mut self) -> Result<()> {
        if self.nested == 20 {
            return Err(Error::new("Too deep recursion"));
        }
        self.nested += 1;
        Ok(())
    }

    /// Runs rules from within an instruction: those for a file that begins or ends.
    pub fn run_nested(&mut self, start: usize) -> Result<Flow> {
        self.enter_nested()?;
        let (base, size) = (self.base, self.size);
        self.base += self.size;
        self.size = self.code.frame;
        let needed = self.base + self.size;
        if self.slots.len() < needed {
            self.slots.resize(needed, Value::Uninit);
        }
        let sink = core::mem::replace(&mut self.sink, Sink::Stdout);
        let keys = self.keys.len();
        let mut pc = start;
        let frames = self.frames.len();
        let flow = self.execute(&mut pc, usize::MAX);
        while self.frames.len() > frames {
            self.leave();
        }
        self.keys.truncate(keys);
        (self.base, self.size, self.sink) = (base, size, sink);
        self.nested -= 1;
        flow
    }

    /// The rules that run for each record.
    #[inline]
    pub fn run_main(&mut self) -> Result<Flow> {
        self.run(self.code.main)
    }
}

/// What had another value is seldom a register of a loop.
#[inline(never)]
fn replace(slot: &mut Value, number: f64) {
    *slot = Value::Num(number);
}

fn divide(op: Op, left: f64, right: f64) -> Result<f64> {
    match op {
        Op::Power => Ok(left.powf(right)),
        _ if right == 0.0 => Err(Error::new("Division by zero")),
        Op::Divide => Ok(left / right),
        _ => Ok(left % right),
    }
}

fn calculate(operator: u8, left: f64, right: f64) -> Result<f64> {
    match operator {
        0 => Ok(left + right),
        1 => Ok(left - right),
        2 => Ok(left * right),
        3 => divide(Op::Divide, left, right),
        4 => divide(Op::Modulo, left, right),
        _ => divide(Op::Power, left, right),
    }
}
