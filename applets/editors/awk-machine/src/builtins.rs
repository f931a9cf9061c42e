//! The functions of the language, those on strings that match aside (see `substitute`).

use std::rc::Rc;

use rbox_core::error::Result;
use rbox_core::pattern;

use crate::array::Key;
use crate::fields::Fields;
use crate::machine::Machine;
use crate::program::{Operand, builtin};
use crate::special;
use crate::value::{Text, Value};

impl Machine<'_> {
    /// Calls a function with `count` arguments from a slot on.
    #[inline(never)]
    pub fn builtin(&mut self, function: u8, first: usize, count: usize) -> Result<Value> {
        use builtin::*;
        let value = match function {
            SUBSTR => return Ok(self.substr(first, count)),
            INDEX => self.index(first),
            SPLIT => self.split(first, count)?,
            SUB | GSUB => self.substitute(first, count, function == GSUB)?,
            SPRINTF => {
                let mut text = Vec::new();
                self.formatted(first, count, &mut text)?;
                return Ok(Value::Str(Text::from_vec(text)));
            }
            SQRT => self.slots[first].number().sqrt(),
            INT => self.slots[first].number().trunc(),
            RAND => self.rand(),
            _ => return (self.seldom.function)(self, function, first, count),
        };
        Ok(Value::Num(value))
    }

    /// The string of the value in a slot.
    pub fn argument(&mut self, at: usize) -> Rc<Text> {
        match &self.slots[at] {
            Value::Str(text) | Value::Input(text) => Rc::clone(text),
            value => Text::new(value.bytes(&self.convfmt, &mut self.digits)),
        }
    }

    /// `length`: characters of a string, or elements of an array.
    #[inline(never)]
    pub fn length(&mut self, operand: Operand) -> Result<f64> {
        let at = self.at(operand);
        match &self.slots[at] {
            Value::Array(index) | Value::OwnArray(index) => Ok(self.arrays[*index as usize].count() as f64),
            Value::Link(slot) => match &self.slots[*slot as usize] {
                Value::Array(index) | Value::OwnArray(index) => Ok(self.arrays[*index as usize].count() as f64),
                _ => Ok(0.0),
            },
            Value::Str(text) | Value::Input(text) => Ok(count_characters(text, self.utf8) as f64),
            value => Ok(value.bytes(&self.convfmt, &mut self.digits).len() as f64),
        }
    }

    /// The length of a field or of the record.
    #[inline(never)]
    pub fn field_length(&mut self, operand: Operand) -> Result<f64> {
        let number = Fields::check(self.value(operand).number())?;
        if number == 0 {
            self.join();
            return Ok(count_characters(&self.fields.record, self.utf8) as f64);
        }
        Ok(count_characters(self.fields.bytes(number, &self.convfmt, &mut self.digits), self.utf8) as f64)
    }

    /// POSIX XCU awk, substr: at most n characters from position m on, both truncated; from the first if m is less than 1.
    fn substr(&mut self, first: usize, count: usize) -> Value {
        let start = self.slots[first + 1].number().trunc().max(1.0);
        let length = if count > 2 { self.slots[first + 2].number().trunc() } else { f64::INFINITY };
        let text = self.argument(first);
        if length < 1.0 || length.is_nan() {
            return Value::text(b"");
        }
        // Numbers past the end are the end.
        let (from, to) = ((start - 1.0) as usize, (start - 1.0 + length) as usize);
        let (from, to) = if self.utf8 && !text.is_ascii() {
            (character_offset(&text, from), character_offset(&text, to))
        } else {
            (from.min(text.len()), to.min(text.len()))
        };
        if from == 0 && to == text.len() { Value::Str(text) } else { Value::text(&text[from..to]) }
    }

    fn index(&mut self, first: usize) -> f64 {
        let (text, wanted) = (self.argument(first), self.argument(first + 1));
        if wanted.is_empty() {
            return 0.0;
        }
        let found = if self.ignores_case {
            rbox_core::bytes::find(&text.to_ascii_lowercase(), &wanted.to_ascii_lowercase())
        } else {
            rbox_core::bytes::find(&text, &wanted)
        };
        found.map_or(0.0, |at| (count_characters(&text[..at], self.utf8) + 1) as f64)
    }

    /// At least 0 and less than 1: the upper 53 bits of splitmix64.
    fn rand(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Gives an array these elements, with keys from 1 on.
    pub fn fill(&mut self, array: usize, values: Vec<Value>) {
        let array = &mut self.arrays[array];
        array.clear();
        for (index, value) in values.into_iter().enumerate() {
            *array.entry(Key::Integer(index as i64 + 1)) = value;
        }
    }

    /// The keys for a loop: in the order in which they came, or as PROCINFO["sorted_in"] says.
    #[inline(never)]
    pub fn sorted_keys(&mut self, array: usize) -> Result<Vec<Rc<Text>>> {
        if let Value::Array(info) = self.slots[special::PROCINFO as usize]
            && let Some(Value::Str(order)) = self.arrays[info as usize].get_bytes(b"sorted_in")
        {
            let order = Rc::clone(order);
            return (self.seldom.order)(self, array, &order);
        }
        Ok(self.arrays[array].keys())
    }
}

/// The number of characters.
pub fn count_characters(text: &[u8], utf8: bool) -> usize {
    if !utf8 || text.is_ascii() {
        return text.len();
    }
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        at += pattern::width(&text[at..]);
        count += 1;
    }
    count
}

/// The offset of a character, counted from 0; the end if there are not as many.
fn character_offset(text: &[u8], index: usize) -> usize {
    let mut at = 0;
    for _ in 0..index {
        if at >= text.len() {
            break;
        }
        at += pattern::width(&text[at..]);
    }
    at
}
