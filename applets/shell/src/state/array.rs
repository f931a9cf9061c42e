//! Arrays, indexed and associative: bash's, when the shell is called so or `set -o bash` is on.
//!
//! A variable that is an array keeps its element 0 as its value too, so that `$a` reads like any other variable.

use crate::syntax::copied::Copied;
use rbox_core::text;

/// The elements, sorted by key. An index is a key of eight bytes, big-endian, so that both kinds sort alike.
#[derive(Clone, Default)]
pub struct Array {
    /// Keys are strings, not indices.
    pub associative: bool,
    items: Vec<(Box<[u8]>, Vec<u8>)>,
}

/// One element of `a=(...)`: its subscript's text if it was given, and the value.
pub type Item = (Option<Vec<u8>>, Vec<u8>);

impl Array {
    /// An array without elements.
    pub fn new(associative: bool) -> Array {
        Array { associative, items: Vec::new() }
    }

    fn search(&self, key: &[u8]) -> Result<usize, usize> {
        match self.items.last() {
            Some((last, _)) if **last < *key => Err(self.items.len()),
            _ => self.items.binary_search_by(|(known, _)| (**known).cmp(key)),
        }
    }

    /// The element under a key.
    pub fn get(&self, key: &[u8]) -> Option<&Vec<u8>> {
        self.search(key).ok().map(|at| &self.items[at].1)
    }

    /// Sets an element.
    pub fn put(&mut self, key: &[u8], value: Vec<u8>) {
        match self.search(key) {
            Ok(at) => self.items[at].1 = value,
            Err(at) => self.items.insert(at, (Box::from(key), value)),
        }
    }

    /// Takes an element out.
    pub fn remove(&mut self, key: &[u8]) {
        if let Ok(at) = self.search(key) {
            self.items.remove(at);
        }
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// One more than the highest index.
    pub fn next_index(&self) -> i64 {
        self.items.last().map_or(0, |(key, _)| index_of(key).wrapping_add(1))
    }

    /// Appends after the highest index.
    pub fn push(&mut self, value: Vec<u8>) {
        let key = self.next_index().to_be_bytes();
        self.put(&key, value);
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> Vec<Vec<u8>> {
        self.items.iter().map(|(_, value)| value.copied()).collect()
    }

    /// The values whose index is not below the given one.
    pub fn values_from(&self, index: i64) -> Vec<Vec<u8>> {
        let from = |key: &[u8]| self.associative || index_of(key) >= index;
        self.items.iter().filter(|(key, _)| from(key)).map(|(_, value)| value.copied()).collect()
    }

    /// The keys as they are written.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.items.iter().map(|(key, _)| self.key_text(key)).collect()
    }

    fn key_text(&self, key: &[u8]) -> Vec<u8> {
        if self.associative { key.copied() } else { text!(index_of(key)) }
    }

    /// `([0]="a" [1]="b")`, as `declare -p` shows it.
    pub fn show(&self) -> Vec<u8> {
        let mut text = b"(".copied();
        for (number, (key, value)) in self.items.iter().enumerate() {
            if number > 0 {
                text.push(b' ');
            }
            text.push(b'[');
            let key = self.key_text(key);
            let plain = key.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            text.extend_from_slice(&if plain { key } else { crate::syntax::quote::double(&key) });
            text.extend_from_slice(b"]=");
            text.extend_from_slice(&crate::syntax::quote::double(value));
        }
        if self.associative && !self.items.is_empty() {
            text.push(b' ');
        }
        text.push(b')');
        text
    }
}

fn index_of(key: &[u8]) -> i64 {
    key.try_into().map_or(0, i64::from_be_bytes)
}

/// Encodes elements as the operand of a declaration builtin: after a NUL byte, which no other word can have.
pub fn encode(items: &[Item]) -> Vec<u8> {
    let mut text = vec![0];
    let mut field = |field: &[u8]| {
        text.extend_from_slice(&(field.len() as u64).to_be_bytes());
        text.extend_from_slice(field);
    };
    for (key, value) in items {
        match key {
            Some(key) => field(&[b"=", &key[..]].concat()),
            None => field(b""),
        }
        field(value);
    }
    text
}

/// Decodes elements; `None` when the value is a plain string.
pub fn decode(value: &[u8]) -> Option<Vec<Item>> {
    let mut rest = value.strip_prefix(b"\0")?;
    let mut take = || {
        let (length, after) = rest.split_first_chunk::<8>()?;
        let (field, after) = after.split_at_checked(u64::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(field.copied())
    };
    let mut items = Vec::new();
    while let Some(key) = take() {
        let key = key.strip_prefix(b"=").map(<[u8]>::copied);
        items.push((key, take()?));
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_index_in_any_order() {
        let mut array = Array::default();
        array.push(b"a".to_vec());
        array.put(&300i64.to_be_bytes(), b"c".to_vec());
        array.put(&2i64.to_be_bytes(), b"b".to_vec());
        assert_eq!(array.values(), [b"a", b"b", b"c"]);
        assert_eq!(array.keys(), [&b"0"[..], b"2", b"300"]);
        assert_eq!(array.next_index(), 301);
        assert_eq!(array.show(), b"([0]=\"a\" [2]=\"b\" [300]=\"c\")");
    }

    #[test]
    fn encoded_elements_are_read_back() {
        let items = vec![(None, b"a b".to_vec()), (Some(b"k".to_vec()), Vec::new())];
        assert_eq!(decode(&encode(&items)), Some(items));
        assert_eq!(decode(b"plain"), None);
    }
}
