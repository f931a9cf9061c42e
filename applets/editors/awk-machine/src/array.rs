//! Associative arrays: a hash table of indexes into a list of elements, which keeps their order.

use std::rc::Rc;

use crate::value::{Digits, Text, Value, as_integer};

/// No element, in `index`.
const EMPTY: u64 = u64::MAX;
/// Above so many elements an array that is cleared gives its memory back.
const KEPT: usize = 1024;

/// A key: integers have no string of their own, in whatever form they were given.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// The decimal digits of a number.
    Integer(i64),
    /// Any other string, and the same if it can be shared.
    Text(&'a [u8], Option<&'a Rc<Text>>),
}

impl<'a> Key<'a> {
    /// The key that a string is.
    #[inline]
    pub fn of_bytes(bytes: &'a [u8], own: Option<&'a Rc<Text>>) -> Self {
        match bytes {
            [b'0'] => Key::Integer(0),
            [b'1'..=b'9', ..] if bytes.len() < 16 => {
                let mut number = 0;
                for byte in bytes {
                    let digit = byte.wrapping_sub(b'0');
                    if digit > 9 {
                        return Key::Text(bytes, own);
                    }
                    number = number * 10 + i64::from(digit);
                }
                Key::Integer(number)
            }
            _ => Key::Text(bytes, own),
        }
    }

    /// The key of that number: of an integer of up to 15 digits directly, so that there is one form of each.
    #[inline]
    pub fn of_number(number: f64) -> Option<Self> {
        as_integer(number).filter(|integer| (0..1_000_000_000_000_000).contains(integer)).map(Key::Integer)
    }

    #[inline]
    fn hash(self) -> u32 {
        match self {
            // Neighbours are neighbours, in the cache too; what is above 20 bits scatters the rest.
            Key::Integer(number) => (number as u32).wrapping_add(((number >> 20) as u32).wrapping_mul(0x9E37_79B1)),
            Key::Text(bytes, _) => hash(bytes),
        }
    }
}

/// The key of an element.
enum Owned {
    /// It was deleted.
    Gone,
    Integer(i64),
    Text(Rc<Text>),
}

/// An element.
struct Entry {
    hash: u32,
    key: Owned,
    value: Value,
}

impl Entry {
    #[inline]
    fn has(&self, key: Key<'_>) -> bool {
        match (&self.key, key) {
            (Owned::Integer(own), Key::Integer(other)) => *own == other,
            (Owned::Text(own), Key::Text(other, _)) => ***own == *other,
            _ => false,
        }
    }
}

/// An array.
#[derive(Default)]
pub struct Array {
    /// Positions in `entries` with the hash above them, so that a search reads no element in vain; linear probing, and
    /// the length is a power of two, or 0.
    index: Vec<u64>,
    /// In the order in which they came; some of them deleted.
    entries: Vec<Entry>,
    live: usize,
}

impl Array {
    /// The number of elements.
    pub fn count(&self) -> usize {
        self.live
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        if self.entries.len() > KEPT {
            *self = Self::default();
        } else if !self.entries.is_empty() {
            self.entries.clear();
            self.index.fill(EMPTY);
            self.live = 0;
        }
    }

    /// The keys, in the order in which they came.
    pub fn keys(&self) -> Vec<Rc<Text>> {
        let mut digits = Digits::default();
        let key = |entry: &Entry| match &entry.key {
            Owned::Gone => None,
            Owned::Integer(number) => Some(Text::new(digits.integer(*number))),
            Owned::Text(text) => Some(Rc::clone(text)),
        };
        self.entries.iter().filter_map(key).collect()
    }

    /// The element's value, if there is such an element.
    pub fn get(&self, key: Key<'_>) -> Option<&Value> {
        self.find(key, key.hash()).map(|at| &self.entries[at].value)
    }

    /// The value of an element whose key is a string.
    pub fn get_bytes(&self, key: &[u8]) -> Option<&Value> {
        self.get(Key::of_bytes(key, None))
    }

    /// The element's value; the element is made if there is none.
    #[inline]
    pub fn entry(&mut self, key: Key<'_>) -> &mut Value {
        let hash = key.hash();
        let at = match self.find(key, hash) {
            Some(at) => at,
            None => self.insert(key, hash),
        };
        &mut self.entries[at].value
    }

    /// Removes an element.
    pub fn remove(&mut self, key: Key<'_>) {
        if let Some(at) = self.find(key, key.hash()) {
            let entry = &mut self.entries[at];
            (entry.key, entry.value) = (Owned::Gone, Value::Uninit);
            self.live -= 1;
            if self.live == 0 {
                self.clear();
            }
        }
    }

    #[inline]
    fn find(&self, key: Key<'_>, hash: u32) -> Option<usize> {
        if self.index.is_empty() {
            return None;
        }
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let at = self.index[slot];
            if at == EMPTY {
                return None;
            }
            if (at >> 32) as u32 == hash && self.entries[at as u32 as usize].has(key) {
                return Some(at as u32 as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    #[inline(never)]
    fn insert(&mut self, key: Key<'_>, hash: u32) -> usize {
        // At most two thirds are in use, deleted elements counted, and so a search ends.
        if (self.entries.len() + 1) * 3 > self.index.len() * 2 {
            self.grow();
        }
        let at = self.entries.len();
        let key = match key {
            Key::Integer(number) => Owned::Integer(number),
            Key::Text(_, Some(text)) => Owned::Text(Rc::clone(text)),
            Key::Text(bytes, None) => Owned::Text(Text::new(bytes)),
        };
        self.entries.push(Entry { hash, key, value: Value::Uninit });
        self.live += 1;
        place(&mut self.index, hash, at as u32);
        at
    }

    fn grow(&mut self) {
        self.entries.retain(|entry| !matches!(entry.key, Owned::Gone));
        let size = ((self.entries.len() + 1) * 2).next_power_of_two().max(8);
        self.index.clear();
        self.index.resize(size, EMPTY);
        for (at, entry) in self.entries.iter().enumerate() {
            place(&mut self.index, entry.hash, at as u32);
        }
    }
}

fn place(index: &mut [u64], hash: u32, at: u32) {
    let mask = index.len() - 1;
    let mut slot = hash as usize & mask;
    while index[slot] != EMPTY {
        slot = (slot + 1) & mask;
    }
    index[slot] = u64::from(hash) << 32 | u64::from(at);
}

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The two halves of a product folded together.
#[inline]
fn fold(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(FACTOR);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn finish(state: u64) -> u32 {
    (state ^ (state >> 32)) as u32
}

/// Eight bytes at a time.
#[inline]
fn hash(key: &[u8]) -> u32 {
    let mut state = FACTOR ^ key.len() as u64;
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        state = fold(state, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        state = fold(state, last);
    }
    finish(fold(state, FACTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_until_they_are_removed() {
        let mut array = Array::default();
        for number in 0..1000u32 {
            *array.entry(Key::Integer(number.into())) = Value::Num(f64::from(number));
        }
        for number in (0..1000u32).step_by(2) {
            array.remove(Key::of_bytes(number.to_string().as_bytes(), None));
        }
        assert_eq!(array.count(), 500);
        assert!(array.get_bytes(b"10").is_none());
        assert_eq!(array.get_bytes(b"11").map(Value::number), Some(11.0));
        assert_eq!(array.keys().first().map(|key| key.to_vec()), Some(b"1".to_vec()));
    }

    #[test]
    fn adding_and_removing_in_turn_does_not_fill_the_table() {
        let mut array = Array::default();
        array.entry(Key::Text(b"stays", None));
        for number in 0..10_000u32 {
            let key = format!("k{number}");
            array.entry(Key::Text(key.as_bytes(), None));
            array.remove(Key::Text(key.as_bytes(), None));
        }
        assert_eq!(array.count(), 1);
        assert!(array.index.len() < 64);
    }
}
