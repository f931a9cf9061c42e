//! What instructions do with their operands: arrays and elements, strings joined, comparisons, redirections.

use std::rc::Rc;

use rbox_core::error::{Error, Result};

use crate::array::{Array, Key};
use crate::io::Sink;
use crate::machine::Machine;
use crate::program::{Comparison, Operand, To};
use crate::special;
use crate::value::{Digits, Text, Value};

impl Machine<'_> {
    /// The argument that a variable is: an array as such, and one without a value as what may become an array.
    #[inline(never)]
    pub fn passed(&self, operand: Operand) -> Value {
        match self.value(operand) {
            Value::Array(index) | Value::OwnArray(index) => Value::Array(*index),
            Value::Uninit => Value::Link(self.at(operand) as u32),
            Value::Link(slot) => match &self.slots[*slot as usize] {
                Value::Array(index) | Value::OwnArray(index) => Value::Array(*index),
                Value::Uninit | Value::Link(_) => Value::Link(*slot),
                _ => Value::Uninit,
            },
            value => value.clone(),
        }
    }

    /// The index of the array in a slot, in which one begins if it has no value.
    #[inline]
    pub fn array(&mut self, operand: Operand) -> Result<usize> {
        self.array_at(self.at(operand))
    }

    #[inline]
    pub fn array_at(&mut self, at: usize) -> Result<usize> {
        match self.slots[at] {
            Value::Array(index) | Value::OwnArray(index) => Ok(index as usize),
            _ => self.begin_array(at),
        }
    }

    fn begin_array(&mut self, at: usize) -> Result<usize> {
        match self.slots[at] {
            Value::Uninit => {
                let index = self.free_arrays.pop().unwrap_or_else(|| {
                    self.arrays.push(Array::default());
                    self.arrays.len() as u32 - 1
                });
                let is_local = at >= self.code.slots.len();
                self.slots[at] = if is_local { Value::OwnArray(index) } else { Value::Array(index) };
                Ok(index as usize)
            }
            // The caller's variable becomes the array.
            Value::Link(slot) => {
                let index = self.array_at(slot as usize)?;
                self.slots[at] = Value::Array(index as u32);
                Ok(index)
            }
            _ => Err(Error::new("Scalar used as an array")),
        }
    }

    /// The value of an element, which is made if there is none.
    #[inline]
    pub fn element(&mut self, array: Operand, key: Operand) -> Result<&mut Value> {
        let array = self.array(array)?;
        let at = self.at(key);
        let key = key_of(&self.slots[at], &self.convfmt, &mut self.digits);
        Ok(self.arrays[array].entry(key))
    }

    #[inline(never)]
    pub fn has_element(&mut self, array: Operand, key: Operand) -> Result<bool> {
        let array = self.array(array)?;
        let at = self.at(key);
        let key = key_of(&self.slots[at], &self.convfmt, &mut self.digits);
        Ok(self.arrays[array].get(key).is_some())
    }

    #[inline(never)]
    pub fn delete(&mut self, array: Operand, key: Operand) -> Result<()> {
        let array = self.array(array)?;
        let at = self.at(key);
        let key = key_of(&self.slots[at], &self.convfmt, &mut self.digits);
        self.arrays[array].remove(key);
        Ok(())
    }

    #[inline(never)]
    pub fn subscript(&mut self, dest: Operand, first: Operand, count: u32) {
        let separator = self.special(special::SUBSEP);
        let mut key = Vec::new();
        for index in 0..count {
            if index > 0 {
                key.extend_from_slice(&separator);
            }
            let at = self.at(first + 2 * index);
            key.extend_from_slice(self.slots[at].bytes(&self.convfmt, &mut self.digits));
        }
        self.set(dest, Value::Str(Text::from_vec(key)));
    }

    #[inline(never)]
    pub fn concat(&mut self, dest: Operand, left: Operand, right: Operand) {
        let mut digits = Digits::default();
        let (left, right) = (self.at(left), self.at(right));
        let text = Text::joined(
            self.slots[left].bytes(&self.convfmt, &mut self.digits),
            self.slots[right].bytes(&self.convfmt, &mut digits),
        );
        self.set(dest, Value::Str(text));
    }

    /// As `concat`, where the left operand is not used again, or is the destination.
    #[inline(never)]
    pub fn append(&mut self, dest: Operand, left: Operand, right: Operand) {
        let (from, other) = (self.at(left), self.at(right));
        if from == other || !matches!(self.slots[from], Value::Str(_)) {
            return self.concat(dest, left, right);
        }
        let Value::Str(mut text) = core::mem::take(&mut self.slots[from]) else { return };
        let more = self.slots[other].bytes(&self.convfmt, &mut self.digits);
        match Rc::get_mut(&mut text) {
            Some(own) => own.append(more),
            None => text = Text::joined(&text, more),
        }
        self.set(dest, Value::Str(text));
    }

    #[inline(always)]
    pub fn compare(&self, comparison: u8, left: Operand, right: Operand) -> bool {
        match (self.value(left), self.value(right)) {
            (Value::Num(left), Value::Num(right)) => compare_numbers(comparison, *left, *right),
            (left, right) => self.compare_values(comparison, left, right),
        }
    }

    /// POSIX XCU awk, Expressions: as numbers if both are, else as strings.
    #[inline(never)]
    fn compare_values(&self, comparison: u8, left: &Value, right: &Value) -> bool {
        if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
            return compare_numbers(comparison, left, right);
        }
        let (mut one, mut other) = (Digits::default(), Digits::default());
        let (left, right) = (left.bytes(&self.convfmt, &mut one), right.bytes(&self.convfmt, &mut other));
        let order = if self.ignores_case {
            left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase())
        } else {
            left.cmp(right)
        };
        match comparison {
            x if x == Comparison::Less as u8 => order.is_lt(),
            x if x == Comparison::LessEqual as u8 => order.is_le(),
            x if x == Comparison::Equal as u8 => order.is_eq(),
            x if x == Comparison::NotEqual as u8 => order.is_ne(),
            x if x == Comparison::Greater as u8 => order.is_gt(),
            _ => order.is_ge(),
        }
    }

    /// The open stream that the statement's writes go to.
    #[inline(never)]
    pub fn redirect(&mut self, to: u8, name: Operand) -> Result<()> {
        let name = self.text(name);
        let to = match to {
            x if x == To::File as u8 => To::File,
            x if x == To::Append as u8 => To::Append,
            _ => To::Command,
        };
        self.sink = match self.streams.output(to, &name) {
            Some(sink) => sink,
            None => Sink::Stream((self.seldom.open_output)(self, to, &name)?),
        };
        Ok(())
    }
}

/// The key that a value is.
#[inline]
fn key_of<'a>(value: &'a Value, format: &[u8], digits: &'a mut Digits) -> Key<'a> {
    match value {
        Value::Str(text) | Value::Input(text) => Key::of_bytes(text, Some(text)),
        Value::Num(number) => {
            Key::of_number(*number).unwrap_or_else(|| Key::of_bytes(digits.number(*number, format), None))
        }
        _ => Key::Text(b"", None),
    }
}

#[inline(always)]
fn compare_numbers(comparison: u8, left: f64, right: f64) -> bool {
    match comparison {
        x if x == Comparison::Less as u8 => left < right,
        x if x == Comparison::LessEqual as u8 => left <= right,
        x if x == Comparison::Equal as u8 => left == right,
        x if x == Comparison::NotEqual as u8 => left != right,
        x if x == Comparison::Greater as u8 => left > right,
        _ => left >= right,
    }
}
