//! Arrays, indexed and associative: bash's, when the shell is called so or `set -o bash` is on.
//!
//! A variable that is an array keeps its element 0 as its value too, so that `$a` reads like any other variable.

use crate::expand::value::change_case;
use crate::state::{Fail, Run, Shell, Slot, Special};
use crate::syntax::ast::{Arith, Element};
use crate::syntax::copied::Copied;
use crate::syntax::symbols::Sym;
use rbox_core::text;

/// `declare -i`: an assigned text is an expression.
pub const INTEGER: u8 = 1;
/// `declare -l`: an assigned text becomes lower case.
pub const LOWER: u8 = 2;
/// `declare -u`: an assigned text becomes upper case.
pub const UPPER: u8 = 4;
/// `declare -n`: the value names another variable.
pub const REFERENCE: u8 = 8;
/// `declare x`: there is the name, without a value.
pub const DECLARED: u8 = 16;
/// `export -f`: the function of that name is exported.
pub const FUNCTION: u8 = 32;
/// `readonly -f`: the function of that name stays what it is.
pub const READONLY_FUNCTION: u8 = 64;

/// The elements, sorted by key. An index is a key of eight bytes, big-endian, so that both kinds sort alike.
#[derive(Clone, Default)]
pub struct Array {
    pub associative: bool,
    items: Vec<(Box<[u8]>, Vec<u8>)>,
}

/// One element of `a=(...)`: its subscript's text if it was given, and the value.
pub type Item = (Option<Vec<u8>>, Vec<u8>);

impl Array {
    fn place(&self, key: &[u8]) -> Result<usize, usize> {
        match self.items.last() {
            Some((last, _)) if **last < *key => Err(self.items.len()),
            _ => self.items.binary_search_by(|(known, _)| (**known).cmp(key)),
        }
    }

    /// The element under a key.
    pub fn get(&self, key: &[u8]) -> Option<&Vec<u8>> {
        self.place(key).ok().map(|at| &self.items[at].1)
    }

    /// Sets an element.
    pub fn put(&mut self, key: &[u8], value: Vec<u8>) {
        match self.place(key) {
            Ok(at) => self.items[at].1 = value,
            Err(at) => self.items.insert(at, (Box::from(key), value)),
        }
    }

    /// Takes an element out.
    pub fn remove(&mut self, key: &[u8]) {
        if let Ok(at) = self.place(key) {
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

/// The text in double quotes such that the shell reads it back.
pub fn double_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

fn index_of(key: &[u8]) -> i64 {
    key.try_into().map_or(0, i64::from_be_bytes)
}

/// Elements as the value of a word that a declaration builtin is given: after a NUL byte, which no other word can have.
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

/// The elements of an encoded value; `None` when it is a plain text.
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

impl Shell {
    /// The array that a variable is, or that the shell computes for it. A plain variable is its own element 0.
    pub fn array(&mut self, name: Sym) -> Option<Array> {
        let name = self.resolve(name);
        let kind = self.slot(name).special;
        let special = match kind {
            Special::PipeStatus => Some(self.pipe_status.iter().map(|status| text!(*status)).collect()),
            Special::Source | Special::FunctionName | Special::CallLines => Some(self.call_stack(kind)),
            Special::Directories => Some(self.directory_stack()),
            _ => None,
        };
        if let Some(values) = special {
            let mut array = Array::default();
            values.into_iter().for_each(|value| array.push(value));
            return Some(array);
        }
        if let Some(array) = &self.slot(name).array {
            return Some((**array).clone());
        }
        let value = self.value(name)?.copied();
        let mut array = Array::default();
        array.push(value);
        Some(array)
    }

    /// FUNCNAME, BASH_SOURCE or BASH_LINENO, the innermost call first. A script is what calls last, `main`.
    fn call_stack(&self, kind: Special) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for frame in self.frames.iter().rev() {
            all.push(match kind {
                Special::Source => frame.source.copied(),
                Special::FunctionName => frame.name.copied(),
                _ => text!(frame.line),
            });
        }
        match kind {
            _ if !self.named => {}
            Special::Source => all.push(self.arg0.copied()),
            // It is there in functions alone.
            Special::FunctionName if self.calls == 0 => all.clear(),
            Special::FunctionName => all.push(b"main".copied()),
            _ => all.push(b"0".copied()),
        }
        all
    }

    /// The key that a subscript stands for in that variable.
    pub fn element_key(&mut self, name: Sym, subscript: &Arith) -> Result<Vec<u8>, Fail> {
        let name = self.resolve(name);
        if self.slot(name).array.as_ref().is_some_and(|array| array.associative) {
            return self.expand_one(&subscript.text);
        }
        let index = self.arith(subscript)?;
        self.index_key(name, index)
    }

    /// The key of an element that is read: before the first one there is none, which is told.
    pub fn read_key(&mut self, name: Sym, subscript: &Arith) -> Result<Vec<u8>, Fail> {
        let name = self.resolve(name);
        if self.slot(name).array.as_ref().is_some_and(|array| array.associative) {
            return self.expand_one(&subscript.text);
        }
        let index = self.arith(subscript)?;
        let status = self.status;
        Ok(self.index_key(name, index).unwrap_or_else(|_| {
            self.status = status;
            Vec::new()
        }))
    }

    /// The key that a subscript's text stands for.
    pub fn text_key(&mut self, name: Sym, text: &[u8]) -> Result<Vec<u8>, Fail> {
        let name = self.resolve(name);
        let expanded = self.expand_subscript(text)?;
        let text = &expanded[..];
        if self.slot(name).array.as_ref().is_some_and(|array| array.associative) {
            return Ok(text.copied());
        }
        let index = self.evaluate_text(text, 0)?;
        self.index_key(name, index)
    }

    /// A subscript that a builtin is given as text: `unset 'h[$k]'`.
    pub fn expand_subscript(&mut self, text: &[u8]) -> Result<Vec<u8>, Fail> {
        if !text.iter().any(|byte| matches!(byte, b'$' | b'`')) {
            return Ok(text.copied());
        }
        match crate::syntax::parser::parse_document(text, self) {
            Ok(word) => self.expand_one(&word),
            Err(error) => Err(self.syntax_error(&error)),
        }
    }

    fn index_key(&mut self, name: Sym, index: i64) -> Result<Vec<u8>, Fail> {
        let mut index = index;
        if index < 0 {
            index += self.array(name).map_or(0, |array| array.next_index());
        }
        if index < 0 {
            let name = self.symbols.name(name).clone();
            return Err(self.error(&[&name, b": bad array subscript"]));
        }
        Ok(index.to_be_bytes().copied())
    }

    /// An element's value.
    pub fn element(&mut self, name: Sym, key: &[u8]) -> Option<Vec<u8>> {
        let name = self.resolve(name);
        let slot = self.slot(name);
        if let Some(array) = &slot.array {
            return array.get(key).cloned();
        }
        if slot.special == Special::None {
            return if key == [0; 8] { self.value(name).map(<[u8]>::copied) } else { None };
        }
        self.array(name)?.get(key).cloned()
    }

    /// Sets an element; a variable that is no array becomes one.
    pub fn set_element(&mut self, name: Sym, key: &[u8], value: &[u8], append: bool) -> Run {
        let name = self.resolve(name);
        self.writable(name)?;
        let old = if append { self.element(name, key) } else { None };
        let value = self.changed_by_attributes(name, value, old)?;
        let mut array = self.take_array(name);
        array.put(key, value);
        self.put_array(name, array);
        Ok(())
    }

    fn take_array(&mut self, name: Sym) -> Box<Array> {
        let slot = self.slot(name);
        match slot.array.take() {
            Some(array) => array,
            None => {
                let mut array = Box::new(Array::default());
                if slot.set {
                    array.push(std::mem::take(&mut slot.value));
                }
                array
            }
        }
    }

    /// Makes the array the variable's, and its element 0 the variable's value.
    pub fn put_array(&mut self, name: Sym, array: Box<Array>) {
        let name = self.resolve(name);
        let first: &[u8] = if array.associative { b"0" } else { &[0; 8] };
        let value = array.get(first).cloned();
        let array_has_items = !array.is_empty();
        let slot = self.slot(name);
        if array_has_items {
            slot.attributes &= !DECLARED;
        }
        slot.set = value.is_some();
        slot.value = value.unwrap_or_default();
        slot.array = Some(array);
    }

    /// Takes an element away: `unset 'a[1]'`.
    pub fn unset_element(&mut self, name: Sym, key: &[u8]) -> Run {
        let name = self.resolve(name);
        self.writable(name)?;
        let mut array = self.take_array(name);
        array.remove(key);
        self.put_array(name, array);
        Ok(())
    }

    /// Makes a variable an array, of one kind or the other; what it holds stays.
    pub fn make_array(&mut self, name: Sym, associative: bool) -> Run {
        let name = self.resolve(name);
        self.writable(name)?;
        let mut array = self.take_array(name);
        if array.associative != associative {
            array = Box::new(Array { associative, ..Array::default() });
        }
        self.put_array(name, array);
        Ok(())
    }

    /// `name=(...)`, `name+=(...)`.
    pub fn assign_list(&mut self, name: Sym, items: Vec<Item>, append: bool) -> Run {
        let name = self.resolve(name);
        self.writable(name)?;
        let associative = self.slot(name).array.as_ref().is_some_and(|array| array.associative);
        if !append {
            let slot = self.slot(name);
            slot.array = Some(Box::new(Array { associative, ..Array::default() }));
            slot.set = false;
        }
        let mut array = self.take_array(name);
        let mut index = array.next_index();
        // `declare -A h=(key value ...)`: without subscripts every second word is a key.
        let pairs = associative && items.first().is_some_and(|(key, _)| key.is_none());
        let mut items = items.into_iter();
        while let Some((key, value)) = items.next() {
            if pairs && key.is_none() {
                let key = value;
                let value = items.next().map_or_else(Vec::new, |(_, value)| value);
                let value = self.changed_by_attributes(name, &value, None)?;
                array.put(&key, value);
                continue;
            }
            let key = match key {
                // A negative index counts from the end of what is there so far.
                Some(text) if associative => text,
                Some(text) => {
                    index = self.evaluate_text(&text, 0)?;
                    if index < 0 {
                        index += array.next_index();
                    }
                    index.max(0).to_be_bytes().copied()
                }
                None if associative => return Err(self.error(&[&value, b": bad array subscript"])),
                None => index.to_be_bytes().copied(),
            };
            index = index.wrapping_add(1);
            let value = self.changed_by_attributes(name, &value, None)?;
            array.put(&key, value);
        }
        self.put_array(name, array);
        Ok(())
    }

    /// The elements that the words of `(...)` give.
    pub fn expand_list_words(&mut self, list: &[Element]) -> Result<Vec<Item>, Fail> {
        let mut items = Vec::new();
        for element in list {
            match &element.subscript {
                Some(subscript) => {
                    let key = self.expand_one(&subscript.text)?;
                    items.push((Some(key), self.expand_one(&element.word)?));
                }
                None => {
                    let words = self.expand_words(std::slice::from_ref(&element.word))?;
                    items.extend(words.into_iter().map(|word| (None, word)));
                }
            }
        }
        Ok(items)
    }

    /// A value as the variable's attributes make it. `old`: what it is appended to.
    pub fn changed_by_attributes(&mut self, name: Sym, value: &[u8], old: Option<Vec<u8>>) -> Result<Vec<u8>, Fail> {
        let attributes = self.slot(name).attributes;
        if attributes & INTEGER != 0 {
            let before = match old {
                Some(old) => self.evaluate_text(&old, 0)?,
                None => 0,
            };
            return Ok(text!(before.wrapping_add(self.evaluate_text(value, 0)?)));
        }
        let value = [&old.unwrap_or_default()[..], value].concat();
        Ok(match attributes & (LOWER | UPPER) {
            LOWER => change_case(&value, b',', true, b"?", self.pattern_flags()),
            UPPER => change_case(&value, b'^', true, b"?", self.pattern_flags()),
            _ => value,
        })
    }
}

impl Slot {
    /// Whether an assignment has to look at more than the value.
    pub fn is_peculiar(&self) -> bool {
        self.array.is_some() || self.attributes != 0
    }
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
