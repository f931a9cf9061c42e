//! The functions of the language, those on strings that match aside (see `substitute`).

use std::rc::Rc;

use rbox_core::error::{Error, Result};
use rbox_core::pattern;
use rbox_core::sys::float;
use rbox_core::time::{Civil, Moment, Zone, days_of, format};
use rbox_core::unicode;

use crate::array::Key;
use crate::fields::Fields;
use crate::machine::Machine;
use crate::program::{Operand, builtin};
use crate::special;
use crate::value::{Text, Value};

/// What strftime() prints without a format, as in gawk.
const DATE: &[u8] = b"%a %b %e %H:%M:%S %Z %Y";

impl Machine<'_> {
    /// Calls a function with `count` arguments from a slot on.
    #[inline(never)]
    pub(crate) fn builtin(&mut self, function: u8, first: usize, count: usize) -> Result<Value> {
        use builtin::*;
        let number = |machine: &Self, index: usize| machine.slots[first + index].number();
        let value = match function {
            SUBSTR => return Ok(self.substr(first, count)),
            INDEX => self.index(first),
            SPLIT => self.split(first, count)?,
            PATSPLIT => self.patsplit(first, count)?,
            SUB | GSUB => self.substitute(first, count, function == GSUB)?,
            GENSUB => return self.gensub(first, count),
            MATCH => self.match_text(first, count)?,
            SPRINTF => {
                let mut text = Vec::new();
                self.formatted(first, count, &mut text)?;
                return Ok(Value::Str(Text::from_vec(text)));
            }
            SIN => number(self, 0).sin(),
            COS => number(self, 0).cos(),
            ATAN2 => number(self, 0).atan2(number(self, 1)),
            EXP => number(self, 0).exp(),
            LOG => number(self, 0).ln(),
            SQRT => number(self, 0).sqrt(),
            INT => number(self, 0).trunc(),
            RAND => self.rand(),
            SRAND => self.srand(first, count),
            TOLOWER | TOUPPER => return Ok(self.change_case(first, function == TOUPPER)),
            SYSTEM => {
                let command = self.argument(first);
                self.streams.system(self.env, &command)?
            }
            CLOSE => {
                let name = self.argument(first);
                self.streams.close(&name)?
            }
            FFLUSH => self.fflush(first, count)?,
            STRFTIME => return Ok(self.strftime(first, count)),
            SYSTIME => Moment::now().seconds as f64,
            MKTIME => self.mktime(first, count),
            AND | OR | XOR | LSHIFT | RSHIFT | COMPL => self.bits(function, first, count)?,
            STRTONUM => self.strtonum(first),
            ASORT | ASORTI => self.asort(first, count, function == ASORTI)?,
            ISARRAY => f64::from(u8::from(matches!(self.slots[first], Value::Array(_) | Value::OwnArray(_)))),
            _ => 0.0,
        };
        Ok(Value::Num(value))
    }

    /// The string of the value in a slot.
    pub(crate) fn argument(&mut self, at: usize) -> Rc<Text> {
        match &self.slots[at] {
            Value::Str(text) | Value::Input(text) => Rc::clone(text),
            value => Text::new(value.bytes(&self.convfmt, &mut self.digits)),
        }
    }

    /// `length`: characters of a string, or elements of an array.
    #[inline(never)]
    pub(crate) fn length(&mut self, operand: Operand) -> Result<f64> {
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
    pub(crate) fn field_length(&mut self, operand: Operand) -> Result<f64> {
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

    fn change_case(&mut self, first: usize, to_upper: bool) -> Value {
        let text = self.argument(first);
        let mut out = text.to_vec();
        if to_upper {
            out.make_ascii_uppercase();
        } else {
            out.make_ascii_lowercase();
        }
        if self.utf8 && !text.is_ascii() {
            out = change_wide(&out, to_upper);
        }
        Value::Str(Text::from_vec(out))
    }

    fn fflush(&mut self, first: usize, count: usize) -> Result<f64> {
        let name = if count == 0 { Text::new(b"") } else { self.argument(first) };
        match &name[..] {
            b"" => self.streams.flush(self.env).map(|()| 0.0),
            b"/dev/stdout" | b"-" => self.env.stdout.flush().map(|()| 0.0),
            b"/dev/stderr" => self.env.stderr.flush().map(|()| 0.0),
            name => self.streams.flush_named(name),
        }
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

    /// The seed before; without an argument the time is the seed.
    fn srand(&mut self, first: usize, count: usize) -> f64 {
        let seed = if count == 0 { Moment::now().seconds as f64 } else { self.slots[first].number() };
        self.random = seed.to_bits();
        core::mem::replace(&mut self.seed, seed)
    }

    fn zone(&self, is_utc: bool) -> Zone {
        if is_utc { Zone::utc() } else { Zone::load(self.env.vars.get("TZ")) }
    }

    fn strftime(&mut self, first: usize, count: usize) -> Value {
        let pattern = if count > 0 { self.argument(first) } else { Text::new(DATE) };
        let seconds = if count > 1 { self.slots[first + 1].number() as i64 } else { Moment::now().seconds };
        let zone = self.zone(count > 2 && self.slots[first + 2].is_true());
        // Years of a calendar that computes in 64 bits.
        let seconds = seconds.clamp(-(1 << 55), 1 << 55);
        Value::Str(Text::from_vec(format(&pattern, Moment { seconds, nanos: 0 }, &zone)))
    }

    /// `YYYY MM DD HH MM SS [DST]`; fields may be outside of their ranges. -1 for anything else.
    fn mktime(&mut self, first: usize, count: usize) -> f64 {
        let text = self.argument(first);
        let mut numbers = [0i64; 7];
        let mut found = 0;
        for word in rbox_core::bytes::words(&text) {
            match (float::parse_all(word), numbers.get_mut(found)) {
                (Some(number), Some(place)) => *place = number.clamp(-1e12, 1e12) as i64,
                _ => return -1.0,
            }
            found += 1;
        }
        if found < 6 {
            return -1.0;
        }
        let [year, month, day, hour, minute, second, _] = numbers;
        let clock = days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        let zone = self.zone(count > 1 && self.slots[first + 1].is_true());
        zone.moment(&Civil::from_clock(clock)) as f64
    }

    fn bits(&mut self, function: u8, first: usize, count: usize) -> Result<f64> {
        let mut numbers = Vec::new();
        for at in first..first + count {
            let number = self.slots[at].number();
            if number < 0.0 || number.is_nan() {
                return Err(Error::new("Negative operand of a bit operation"));
            }
            numbers.push(number as u64);
        }
        let shift = |numbers: &[u64]| u32::try_from(numbers[1]).unwrap_or(64);
        Ok(match function {
            builtin::AND => numbers.iter().fold(u64::MAX, |bits, number| bits & number),
            builtin::OR => numbers.iter().fold(0, |bits, number| bits | number),
            builtin::XOR => numbers.iter().fold(0, |bits, number| bits ^ number),
            builtin::LSHIFT => numbers[0].checked_shl(shift(&numbers)).unwrap_or(0),
            builtin::RSHIFT => numbers[0].checked_shr(shift(&numbers)).unwrap_or(0),
            // The 53 bits that a number holds exactly, as in gawk.
            _ => !numbers[0] & ((1 << 53) - 1),
        } as f64)
    }

    /// `0x11` and `011` are 17 and 9 here.
    fn strtonum(&mut self, first: usize) -> f64 {
        if let Value::Num(number) = self.slots[first] {
            return number;
        }
        let text = self.argument(first);
        let word = text.trim_ascii_start();
        let digits = word.strip_prefix(b"-").unwrap_or(word);
        match digits {
            [b'0', b'x' | b'X', ..] => rbox_core::number::parse_c_start(word) as f64,
            [b'0', b'0'..=b'7', ..] if !digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E' | b'8' | b'9')) => {
                rbox_core::number::parse_c_start(word) as f64
            }
            _ => crate::value::prefix_number(&text),
        }
    }

    /// Sorts the values of an array, or its keys, into the same array or another, with keys from 1 on.
    fn asort(&mut self, first: usize, count: usize, by_key: bool) -> Result<f64> {
        let source = self.array_at(first)?;
        let order = if count > 2 { Some(self.argument(first + 2)) } else { None };
        let default: &[u8] = if by_key { b"@ind_str_asc" } else { b"@val_type_asc" };
        let keys = self.keys_in_order(source, order.as_ref().map_or(default, |order| order))?;
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            let value = self.arrays[source].get_bytes(&key).cloned().unwrap_or_default();
            values.push(if by_key { Value::Str(key) } else { value });
        }
        let dest = if count > 1 { self.array_at(first + 1)? } else { source };
        let length = values.len();
        self.fill(dest, values);
        Ok(length as f64)
    }

    /// Gives an array these elements, with keys from 1 on.
    pub(crate) fn fill(&mut self, array: usize, values: Vec<Value>) {
        let array = &mut self.arrays[array];
        array.clear();
        for (index, value) in values.into_iter().enumerate() {
            *array.entry(Key::Integer(index as i64 + 1)) = value;
        }
    }

    /// The keys for a loop: in the order in which they came, or as PROCINFO["sorted_in"] says.
    #[inline(never)]
    pub(crate) fn sorted_keys(&mut self, array: usize) -> Result<Vec<Rc<Text>>> {
        if let Value::Array(info) = self.slots[special::PROCINFO as usize]
            && let Some(Value::Str(order)) = self.arrays[info as usize].get_bytes(b"sorted_in")
        {
            let order = Rc::clone(order);
            return self.keys_in_order(array, &order);
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

/// The characters beyond ASCII in another case.
fn change_wide(text: &[u8], to_upper: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let length = pattern::width(&text[at..]);
        let sequence = &text[at..at + length];
        at += length;
        let unit = if length > 1 { pattern::decode(sequence) } else { None };
        // A capital comes before its small letter.
        let other = unit.and_then(if to_upper { unicode::to_upper } else { unicode::to_lower });
        match other.and_then(char::from_u32) {
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(sequence),
        }
    }
    out
}
