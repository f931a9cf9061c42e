//! Arrays as variables: the elements that a variable has, and those that the shell computes.

use crate::state::Run;
use crate::state::Shell;
use crate::state::array::Array;
use crate::state::slot::DECLARED;
use crate::state::slot::Special;
use crate::syntax::copied::Copied;
use crate::syntax::symbols::Sym;
use rbox_core::text;

impl Shell {
    /// The array that a variable is, or that the shell computes for it. A plain variable is its own element 0.
    pub fn array(&mut self, name: Sym) -> Option<Array> {
        let name = self.resolve(name);
        let kind = self.slot(name).special;
        let special = match kind {
            Special::PipeStatus => Some(self.computed.pipe_status.iter().map(|status| text!(*status)).collect()),
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
        for frame in self.flow.frames.iter().rev() {
            all.push(match kind {
                Special::Source => frame.source.copied(),
                Special::FunctionName => frame.name.copied(),
                _ => text!(frame.line),
            });
        }
        match kind {
            _ if !self.invocation.named => {}
            Special::Source => all.push(self.invocation.arg0.copied()),
            // FUNCNAME is set in functions alone.
            Special::FunctionName if self.flow.calls == 0 => all.clear(),
            Special::FunctionName => all.push(b"main".copied()),
            _ => all.push(b"0".copied()),
        }
        all
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

    /// Takes the elements out of a variable, to change them; a plain variable gives its value as element 0.
    pub fn take_array(&mut self, name: Sym) -> Box<Array> {
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

    /// Makes a variable an array, indexed or associative; its value stays.
    pub fn make_array(&mut self, name: Sym, associative: bool) -> Run {
        let name = self.resolve(name);
        self.writable(name)?;
        let mut array = self.take_array(name);
        if array.associative != associative {
            array = Box::new(Array::new(associative));
        }
        self.put_array(name, array);
        Ok(())
    }
}
