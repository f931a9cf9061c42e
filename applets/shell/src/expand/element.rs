//! Elements of arrays by their subscripts, which are expanded and evaluated.

use crate::state::Fail;
use crate::state::Run;
use crate::state::Shell;
use crate::state::array::Array;
use crate::state::array::Item;
use crate::syntax::ast::Arith;
use crate::syntax::ast::Element;
use crate::syntax::copied::Copied;
use crate::syntax::symbols::Sym;

impl Shell {
    /// The key of a subscript in that variable.
    pub fn element_key(&mut self, name: Sym, subscript: &Arith) -> Result<Vec<u8>, Fail> {
        let name = self.resolve(name);
        if self.slot(name).array.as_ref().is_some_and(|array| array.associative) {
            return self.expand_one(&subscript.text);
        }
        let index = self.arith(subscript)?;
        self.index_key(name, index)
    }

    /// The key of an element to read; a negative index before the first element is reported.
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

    /// The key of a subscript's text.
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

    /// `name=(...)`, `name+=(...)`.
    pub fn assign_list(&mut self, name: Sym, items: Vec<Item>, append: bool) -> Run {
        let name = self.resolve(name);
        self.writable(name)?;
        let associative = self.slot(name).array.as_ref().is_some_and(|array| array.associative);
        if !append {
            let slot = self.slot(name);
            slot.array = Some(Box::new(Array::new(associative)));
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
                // A negative index counts from the end of the elements so far.
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

    /// The elements of the words of `(...)`.
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
}

/// The element that a reference leads to.
pub fn referenced(shell: &mut Shell, name: Sym) -> Option<Vec<u8>> {
    let text = shell.symbols.name(name).clone();
    let (array, subscript) = crate::syntax::symbols::split_subscript(&text);
    let array = shell.intern(array);
    let key = shell.text_key(array, subscript?).ok()?;
    shell.element(array, &key)
}
