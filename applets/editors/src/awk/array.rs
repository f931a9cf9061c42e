//! Associative arrays: a hash table of indexes into a list of elements, which keeps their order.

use std::rc::Rc;

use super::value::{Text, Value};

/// No element, in `index`.
const EMPTY: u32 = u32::MAX;

/// An element.
struct Entry {
    hash: u32,
    /// `None` once it was deleted.
    key: Option<Rc<Text>>,
    value: Value,
}

/// An array.
#[derive(Default)]
pub struct Array {
    /// Positions in `entries`, by hash, with linear probing; its length is a power of two, or 0.
    index: Vec<u32>,
    /// In the order in which they came; some of them deleted.
    entries: Vec<Entry>,
    live: usize,
}

impl Array {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The keys, in the order in which they came.
    pub fn keys(&self) -> impl Iterator<Item = &Rc<Text>> {
        self.entries.iter().filter_map(|entry| entry.key.as_ref())
    }

    /// The element's value, if there is such an element.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        self.find(key, hash(key)).map(|at| &self.entries[at].value)
    }

    /// The element's value; the element is made if there is none, with a key that `own` makes.
    #[inline]
    pub fn entry(&mut self, key: &[u8], own: Option<&Rc<Text>>) -> &mut Value {
        let hash = hash(key);
        let at = match self.find(key, hash) {
            Some(at) => at,
            None => self.insert(own.map_or_else(|| Text::new(key), Rc::clone), hash),
        };
        &mut self.entries[at].value
    }

    /// Removes an element.
    pub fn remove(&mut self, key: &[u8]) {
        if let Some(at) = self.find(key, hash(key)) {
            let entry = &mut self.entries[at];
            (entry.key, entry.value) = (None, Value::Uninit);
            self.live -= 1;
            if self.live == 0 {
                self.clear();
            }
        }
    }

    #[inline]
    fn find(&self, key: &[u8], hash: u32) -> Option<usize> {
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
            let entry = &self.entries[at as usize];
            if entry.hash == hash && entry.key.as_ref().is_some_and(|own| ***own == *key) {
                return Some(at as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn insert(&mut self, key: Rc<Text>, hash: u32) -> usize {
        // At most three quarters are in use, deleted elements counted, and so a search ends.
        if (self.entries.len() + 1) * 4 > self.index.len() * 3 {
            self.grow();
        }
        let at = self.entries.len();
        self.entries.push(Entry { hash, key: Some(key), value: Value::Uninit });
        self.live += 1;
        place(&mut self.index, hash, at as u32);
        at
    }

    fn grow(&mut self) {
        self.entries.retain(|entry| entry.key.is_some());
        let size = ((self.entries.len() + 1) * 2).next_power_of_two().max(8);
        self.index.clear();
        self.index.resize(size, EMPTY);
        for (at, entry) in self.entries.iter().enumerate() {
            place(&mut self.index, entry.hash, at as u32);
        }
    }
}

fn place(index: &mut [u32], hash: u32, at: u32) {
    let mask = index.len() - 1;
    let mut slot = hash as usize & mask;
    while index[slot] != EMPTY {
        slot = (slot + 1) & mask;
    }
    index[slot] = at;
}

/// Eight bytes at a time, each time the two halves of a product folded together.
#[inline]
fn hash(key: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let fold = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        product as u64 ^ (product >> 64) as u64
    };
    let mut state = FACTOR ^ key.len() as u64;
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        state = fold(state, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        state = fold(state, last);
    }
    let state = fold(state, FACTOR);
    (state ^ (state >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_until_they_are_removed() {
        let mut array = Array::default();
        for number in 0..1000u32 {
            *array.entry(number.to_string().as_bytes(), None) = Value::Num(f64::from(number));
        }
        for number in (0..1000u32).step_by(2) {
            array.remove(number.to_string().as_bytes());
        }
        assert_eq!(array.len(), 500);
        assert!(array.get(b"10").is_none());
        assert_eq!(array.get(b"11").map(Value::number), Some(11.0));
        assert_eq!(array.keys().next().map(|key| key.to_vec()), Some(b"1".to_vec()));
    }

    #[test]
    fn adding_and_removing_in_turn_does_not_fill_the_table() {
        let mut array = Array::default();
        array.entry(b"stays", None);
        for number in 0..10_000u32 {
            let key = number.to_string();
            array.entry(key.as_bytes(), None);
            array.remove(key.as_bytes());
        }
        assert_eq!(array.len(), 1);
        assert!(array.index.len() < 64);
    }
}
