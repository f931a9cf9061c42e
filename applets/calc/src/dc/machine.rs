//! The stack, the registers, and the macros that run.

use std::rc::Rc;

use rbox_core::prelude::*;
use rbox_core::text;

use crate::array::{Array, Value};
use crate::bc::byte_of;
use crate::number::{MOST_SCALE, Number, is_zero};
use crate::radix::{Base, parse, print};

/// How many macros may wait for others to end.
const MOST_MACROS: usize = 100_000;

/// The greatest index of an array.
const MOST_INDEX: i64 = (1 << 31) - 1;

/// A register: a stack, and an array for each of its levels.
#[derive(Default)]
struct Register {
    values: Vec<Level>,
}

#[derive(Default)]
struct Level {
    value: Option<Value>,
    array: Array,
}

/// A string that is executed, and how far.
struct Running {
    text: Rc<[u8]>,
    at: usize,
}

/// The state of dc.
pub struct Machine {
    stack: Vec<Value>,
    /// Sorted by name.
    registers: Vec<(Vec<u8>, Register)>,
    running: Vec<Running>,
    scale: usize,
    input_base: u64,
    output_base: u64,
    width: usize,
    /// `-x`: a register's name may have several characters after a blank.
    extended: bool,
    /// A program that fuzzes has no time for loops.
    #[cfg(fuzzing)]
    pub left: usize,
}

#[inline(never)]
fn too_few() -> Error {
    Error::new("stack has too few elements")
}

#[inline(never)]
fn wrong_type() -> Error {
    Error::new("variable is wrong type")
}

impl Machine {
    /// A machine with an empty stack.
    pub fn new(width: usize, extended: bool) -> Self {
        Self {
            stack: Vec::new(),
            registers: Vec::new(),
            running: Vec::new(),
            scale: 0,
            input_base: 10,
            output_base: 10,
            width,
            extended,
            #[cfg(fuzzing)]
            left: 10_000,
        }
    }

    /// Executes a program. False if it ends dc.
    pub fn run(&mut self, env: &mut Env, program: &[u8]) -> Result<bool> {
        self.running.clear();
        self.running.push(Running { text: program.into(), at: 0 });
        loop {
            let Some(running) = self.running.last_mut() else { return Ok(true) };
            let Some(&byte) = running.text.get(running.at) else {
                self.running.pop();
                continue;
            };
            running.at += 1;
            if !self.execute(env, byte)? {
                return Ok(false);
            }
        }
    }

    // What follows is called from everywhere, and would be a part of each caller.

    /// The next byte of the string that is executed.
    #[inline(never)]
    fn peek(&self) -> Option<u8> {
        self.running.last().and_then(|running| running.text.get(running.at).copied())
    }

    #[inline(never)]
    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        if let Some(running) = self.running.last_mut() {
            running.at += 1;
        }
        Some(byte)
    }

    #[inline(never)]
    fn pop(&mut self) -> Result<Value> {
        self.stack.pop().ok_or_else(too_few)
    }

    #[inline(never)]
    fn number(&mut self) -> Result<Number> {
        match self.pop()? {
            Value::Number(number) => Ok(number),
            Value::Text(_) => Err(wrong_type()),
        }
    }

    /// The two numbers on the top, in the order in which they were pushed. They stay if one is no number.
    fn pair(&mut self) -> Result<(Number, Number)> {
        match self.stack.as_slice() {
            [.., Value::Number(_), Value::Number(_)] => {}
            [_, _, ..] => return Err(wrong_type()),
            _ => return Err(too_few()),
        }
        let second = self.number()?;
        Ok((self.number()?, second))
    }

    #[inline(never)]
    fn push(&mut self, number: Number) {
        self.stack.push(Value::Number(number));
    }

    fn execute(&mut self, env: &mut Env, byte: u8) -> Result<bool> {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => {}
            b'0'..=b'9' | b'A'..=b'F' | b'.' | b'_' => self.literal(byte)?,
            b'[' => self.string()?,
            b'#' => while self.take().is_some_and(|byte| byte != b'\n') {},
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'~' | b'|' | b'v' => self.arithmetic(byte)?,
            b'(' | b'{' | b'G' | b'N' | b'M' | b'm' => self.test(byte)?,
            b'p' | b'n' | b'P' | b'f' => self.print(env, byte)?,
            b'c' => self.stack.clear(),
            b'd' => {
                let top = self.stack.last().cloned().ok_or_else(too_few)?;
                self.stack.push(top);
            }
            b'r' => {
                let length = self.stack.len();
                self.stack.get_mut(length.wrapping_sub(2)..).ok_or_else(too_few)?.reverse();
            }
            b'R' => drop(self.pop()?),
            b's' | b'l' | b'S' | b'L' | b':' | b';' => self.register(byte)?,
            b'i' | b'o' | b'k' => self.set_parameter(byte)?,
            b'I' => self.push(Number::from(self.input_base)),
            b'O' => self.push(Number::from(self.output_base)),
            b'K' => self.push(Number::from(self.scale as u64)),
            b'x' => {
                let value = self.pop()?;
                self.call(value)?;
            }
            b'<' | b'>' | b'=' => self.conditional(byte, false)?,
            b'!' => match self.take() {
                Some(byte @ (b'<' | b'>' | b'=')) => self.conditional(byte, true)?,
                _ => return Err(Error::new("bad character '!'")),
            },
            b'?' => {
                env.stdout.flush()?;
                let line = env.stdin.line()?.unwrap_or_default().to_vec();
                self.call(Value::Text(line.into()))?;
            }
            b'q' => return Ok(self.leave(2)),
            b'Q' => {
                let levels = self
                    .number()?
                    .integer()
                    .filter(|levels| *levels > 0)
                    .ok_or_else(|| Error::new("negative number"))?;
                return Ok(self.leave(levels as usize));
            }
            b'Z' | b'X' | b'z' | b'a' => self.inspect(byte)?,
            other => return Err(Error::parts(&[b"bad character '", &[other], b"'"])),
        }
        #[cfg(fuzzing)]
        {
            self.left = self.left.saturating_sub(1);
            return Ok(self.left > 0);
        }
        #[cfg(not(fuzzing))]
        Ok(true)
    }

    /// A number: `_` is its minus.
    fn literal(&mut self, first: u8) -> Result<()> {
        let negative = first == b'_';
        let mut digits = if negative { Vec::new() } else { vec![first] };
        let mut point = first == b'.';
        while let Some(byte) = self.peek() {
            match byte {
                b'0'..=b'9' | b'A'..=b'F' => {}
                b'.' if !point => point = true,
                _ => break,
            }
            digits.push(byte);
            self.take();
        }
        let number = parse(&digits, self.input_base, false)?;
        self.push(if negative { number.negated() } else { number });
        Ok(())
    }

    /// A string in brackets, which may have others in it.
    fn string(&mut self) -> Result<()> {
        let Some(running) = self.running.last_mut() else { return Ok(()) };
        let rest = &running.text[running.at..];
        let mut depth = 1usize;
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let text = rest[..at].into();
                running.at += at + 1;
                self.stack.push(Value::Text(text));
                return Ok(());
            }
        }
        Err(Error::new("unterminated string"))
    }

    fn arithmetic(&mut self, byte: u8) -> Result<()> {
        let scale = self.scale;
        if byte == b'v' {
            let root = self.number()?.square_root(scale)?;
            self.push(root);
            return Ok(());
        }
        if byte == b'|' {
            let modulus = self.number()?;
            let (base, exponent) = self.pair()?;
            let power = base.raise_modulo(exponent, modulus)?;
            self.push(power);
            return Ok(());
        }
        let (first, second) = self.pair()?;
        let result = match byte {
            b'+' => first.add(second)?,
            b'-' => first.add(second.negated())?,
            b'*' => first.multiply(second, scale)?,
            b'/' => first.divide(second, scale)?,
            b'^' => first.raise(&second, scale)?,
            _ => {
                let (quotient, remainder) = first.divide_with_remainder(second, scale)?;
                if byte == b'~' {
                    self.push(quotient);
                }
                remainder
            }
        };
        self.push(result);
        Ok(())
    }

    /// BusyBox's tests, whose result is 1 or 0: the top is compared with what is below it.
    fn test(&mut self, byte: u8) -> Result<()> {
        let result = if byte == b'N' {
            self.number()?.is_zero()
        } else {
            let (below, top) = self.pair()?;
            let order = top.compare(&below);
            match byte {
                b'(' => order.is_lt(),
                b'{' => order.is_le(),
                b'G' => order.is_eq(),
                b'M' => !below.is_zero() && !top.is_zero(),
                _ => !below.is_zero() || !top.is_zero(),
            }
        };
        self.push(Number::of_bool(result));
        Ok(())
    }

    fn shown(&self, value: &Value) -> Vec<u8> {
        match value {
            Value::Number(number) => print(number, Base(self.output_base), self.width, 0),
            Value::Text(text) => text.to_vec(),
        }
    }

    fn print(&mut self, env: &mut Env, byte: u8) -> Result<()> {
        match byte {
            b'f' => {
                for value in self.stack.iter().rev() {
                    env.stdout.write(&self.shown(value))?;
                    env.stdout.push(b'\n')?;
                }
            }
            b'p' => {
                let top = self.stack.last().ok_or_else(too_few)?;
                env.stdout.write(&self.shown(top))?;
                env.stdout.push(b'\n')?;
            }
            b'n' => {
                let top = self.pop()?;
                env.stdout.write(&self.shown(&top))?;
            }
            _ => match self.pop()? {
                Value::Text(text) => env.stdout.write(&text)?,
                // A number is a series of bytes.
                Value::Number(number) => {
                    let digits = number.with_scale(0).digits;
                    if !is_zero(&digits) {
                        env.stdout.write(&digits.to_bytes_be())?;
                    }
                }
            },
        }
        Ok(())
    }

    /// The name of a register: a byte; with `-x`, several after a blank.
    fn register_name(&mut self) -> Result<Vec<u8>> {
        let none = || Error::new("bad register");
        let first = self.take().ok_or_else(none)?;
        if !self.extended || !first.is_ascii_whitespace() {
            return Ok(vec![first]);
        }
        let mut name = Vec::new();
        while let Some(byte @ (b'a'..=b'z' | b'0'..=b'9' | b'_')) = self.peek() {
            name.push(byte);
            self.take();
        }
        if name.is_empty() { Err(none()) } else { Ok(name) }
    }

    /// The register of that name, which exists from then on.
    fn register_of(&mut self, name: Vec<u8>) -> &mut Register {
        let at = match self.registers.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => at,
            Err(at) => {
                self.registers.insert(at, (name, Register::default()));
                at
            }
        };
        &mut self.registers[at].1
    }

    fn register(&mut self, byte: u8) -> Result<()> {
        let name = self.register_name()?;
        if matches!(byte, b':' | b';') {
            return self.element(byte, name);
        }
        if matches!(byte, b's' | b'S') {
            let value = Some(self.pop()?);
            let levels = &mut self.register_of(name).values;
            match levels.last_mut().filter(|_| byte == b's') {
                Some(level) => level.value = value,
                None => levels.push(Level { value, array: Array::default() }),
            }
            return Ok(());
        }
        let levels = &mut self.register_of(name).values;
        if byte == b'L' {
            let value = levels.pop().ok_or_else(too_few)?.value;
            self.stack.push(value.unwrap_or_default());
            return Ok(());
        }
        let value = levels.last().and_then(|level| level.value.clone());
        self.stack.push(value.unwrap_or_default());
        Ok(())
    }

    /// Stores or loads an element of a register's array.
    fn element(&mut self, byte: u8, name: Vec<u8>) -> Result<()> {
        let index = match self.number()?.integer() {
            Some(index @ 0..=MOST_INDEX) => index as u32,
            Some(..0) => return Err(Error::new("negative number")),
            _ => return Err(Error::new(text!("array too long; must be [1,", MOST_INDEX, "]"))),
        };
        if byte == b';' {
            let value = self.register_of(name).values.last().map(|level| level.array.get(index));
            self.stack.push(value.unwrap_or_default());
            return Ok(());
        }
        let value = self.pop()?;
        let levels = &mut self.register_of(name).values;
        if levels.is_empty() {
            levels.push(Level::default());
        }
        if let Some(level) = levels.last_mut() {
            level.array.set(index, value);
        }
        Ok(())
    }

    fn set_parameter(&mut self, byte: u8) -> Result<()> {
        let number = self.number()?;
        let (name, low, high): (&str, i64, i64) = match byte {
            b'i' => ("ibase", 2, 16),
            b'o' => ("obase", 2, MOST_INDEX),
            _ => ("scale", 0, MOST_SCALE as i64),
        };
        if number.negative {
            return Err(Error::new("negative number"));
        }
        let value = match number.integer() {
            Some(value) if (low..=high).contains(&value) => value as u64,
            _ => return Err(Error::new(text!("bad ", name, "; must be [", low, ",", high, "]"))),
        };
        match byte {
            b'i' => self.input_base = value,
            b'o' => self.output_base = value,
            _ => self.scale = value as usize,
        }
        Ok(())
    }

    /// Executes a string; a number is pushed again. A macro that has ended is left first, so that loops take no space.
    #[inline(never)]
    fn call(&mut self, value: Value) -> Result<()> {
        let Value::Text(text) = value else {
            self.stack.push(value);
            return Ok(());
        };
        // The outermost program stays, for `q` and `Q` count it.
        if self.running.len() > 1 && self.peek().is_none() {
            self.running.pop();
        }
        if self.running.len() >= MOST_MACROS {
            return Err(Error::new("too many nested macros"));
        }
        self.running.push(Running { text, at: 0 });
        Ok(())
    }

    /// Executes a register if a comparison of the top with what is below it holds; a second register, after `e`, if not.
    fn conditional(&mut self, byte: u8, negated: bool) -> Result<()> {
        let name = self.register_name()?;
        let otherwise = if self.peek() == Some(b'e') {
            self.take();
            Some(self.register_name()?)
        } else {
            None
        };
        let (below, top) = self.pair()?;
        let order = top.compare(&below);
        let holds = match byte {
            b'<' => order.is_lt(),
            b'>' => order.is_gt(),
            _ => order.is_eq(),
        };
        let Some(name) = (if holds != negated { Some(name) } else { otherwise }) else { return Ok(()) };
        let value = self.register_of(name).values.last().and_then(|level| level.value.clone());
        self.call(value.unwrap_or_default())
    }

    /// Leaves so many strings that are executed. False if that is all of them.
    fn leave(&mut self, levels: usize) -> bool {
        self.running.truncate(self.running.len().saturating_sub(levels));
        !self.running.is_empty()
    }

    fn inspect(&mut self, byte: u8) -> Result<()> {
        let result = match (byte, if byte == b'z' { None } else { Some(self.pop()?) }) {
            (b'Z', Some(Value::Number(number))) => Number::from(number.length() as u64),
            (b'Z', Some(Value::Text(text))) => Number::from(text.len() as u64),
            (b'X', Some(Value::Number(number))) => Number::from(number.scale as u64),
            (b'a', Some(Value::Number(number))) => {
                self.stack.push(Value::Text([byte_of(&number.with_scale(0))].as_slice().into()));
                return Ok(());
            }
            (b'a', Some(Value::Text(text))) => {
                self.stack.push(Value::Text(text[..text.len().min(1)].into()));
                return Ok(());
            }
            (_, None) => Number::from(self.stack.len() as u64),
            (_, Some(_)) => Number::default(),
        };
        self.push(result);
        Ok(())
    }
}

/// Whether all brackets of a program are closed: a string may have several lines.
pub fn is_whole(program: &[u8]) -> bool {
    let mut depth = 0usize;
    for byte in program {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth == 0
}
