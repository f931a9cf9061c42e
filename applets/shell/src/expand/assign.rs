//! Assignment: the value as the variable's attributes make it, through references and to elements.

use crate::expand::value::change_case;
use crate::state::Fail;
use crate::state::Run;
use crate::state::Shell;
use crate::state::array::decode;
use crate::state::slot::DECLARED;
use crate::state::slot::INTEGER;
use crate::state::slot::LOWER;
use crate::state::slot::REFERENCE;
use crate::state::slot::Special;
use crate::state::slot::UPPER;
use crate::syntax::copied::Copied;
use crate::syntax::symbols::Sym;
use crate::syntax::symbols::split_subscript;
use rbox_core::text;

/// Assigns what the word of a declaration holds.
pub fn assign(shell: &mut Shell, name: Sym, subscript: Option<&[u8]>, value: &[u8], append: bool) -> Result<(), Fail> {
    let name = shell.resolve(name);
    shell.slot(name).attributes &= !DECLARED;
    if let Some(subscript) = subscript {
        let key = shell.text_key(name, subscript)?;
        return shell.set_element(name, &key, value, append);
    }
    if let Some(items) = decode(value) {
        return shell.assign_list(name, items, append);
    }
    if !append {
        return shell.set(name, value);
    }
    let old = shell.value(name).unwrap_or_default().copied();
    if shell.slot(name).attributes & INTEGER != 0 {
        return shell.set(name, &[&old[..], b"+(", value, b")"].concat());
    }
    shell.set(name, &[&old[..], value].concat())
}

impl Shell {
    /// Assigns.
    pub fn set(&mut self, name: Sym, value: &[u8]) -> Run {
        self.writable(name)?;
        if self.variables[name.index()].is_peculiar() {
            return self.set_peculiar(name, value);
        }
        let export = self.options.allexport;
        let slot = &mut self.variables[name.index()];
        slot.value.clear();
        slot.value.extend_from_slice(value);
        slot.set = true;
        slot.export |= export;
        if slot.special != Special::None {
            self.changed(name);
        }
        Ok(())
    }

    /// Assigns a variable that is an array or has attributes.
    fn set_peculiar(&mut self, name: Sym, value: &[u8]) -> Run {
        if self.slot(name).attributes & REFERENCE != 0 {
            return self.set_referenced(name, value);
        }
        if let Some(array) = &self.slot(name).array {
            let key: &[u8] = if array.associative { b"0" } else { &[0; 8] };
            let key = key.copied();
            return self.set_element(name, &key, value, false);
        }
        let value = self.changed_by_attributes(name, value, None)?;
        let slot = self.slot(name);
        slot.value = value;
        slot.set = true;
        Ok(())
    }

    /// Assigns a number.
    pub fn set_number(&mut self, name: Sym, value: i64) -> Run {
        let text = rbox_core::number::Decimal::new(value.unsigned_abs());
        if value >= 0 {
            return self.set(name, text.as_bytes());
        }
        let text = [b"-", text.as_bytes()].concat();
        self.set(name, &text)
    }

    /// Assigns a loop's variable: of a reference it changes the target.
    pub fn set_loop_variable(&mut self, name: Sym, value: &[u8]) -> Run {
        if self.slot(name).special == Special::Reference {
            return self.make_reference(name, value);
        }
        self.set(name, value)
    }

    /// Assigns through a reference.
    pub fn set_referenced(&mut self, name: Sym, value: &[u8]) -> Run {
        if self.slot(name).special == Special::Element {
            let text = self.symbols.name(name).clone();
            let (array, subscript) = crate::syntax::symbols::split_subscript(&text);
            let array = self.intern(array);
            let key = self.text_key(array, subscript.unwrap_or(b"0"))?;
            return self.set_element(array, &key, value, false);
        }
        let target = self.resolve(name);
        if self.slot(target).special == Special::Reference {
            return self.make_reference(target, value);
        }
        self.set(target, value)
    }

    /// Assigns a variable or an element by its text: `printf -v`, `read`, `wait -p`.
    pub fn set_by_text(&mut self, text: &[u8], value: &[u8]) -> Result<(), Fail> {
        let (base, subscript) = split_subscript(text);
        if !crate::syntax::symbols::is_name(base) {
            return Err(self.error(&[text, b": bad variable name"]));
        }
        let name = self.intern(base);
        assign(self, name, subscript, value, false)
    }

    /// Whether a variable, an element or a positional parameter is set: `-v` of `test` and `[[ ]]`.
    pub fn is_set(&mut self, text: &[u8]) -> bool {
        let (base, subscript) = split_subscript(text);
        let (true, Some(subscript)) = (self.options.bash, subscript) else {
            if self.options.bash
                && let Some(number) = rbox_core::number::parse_decimal(text)
            {
                return number == 0 || number <= self.parameters.positional.len() as u64;
            }
            return self.get(text).is_some();
        };
        let name = self.intern(base);
        if matches!(subscript, b"@" | b"*") {
            return self.array(name).is_some_and(|array| !array.values().is_empty());
        }
        self.text_key(name, subscript).is_ok_and(|key| self.element(name, &key).is_some())
    }

    /// A value with the variable's attributes applied. `old`: the value that it is appended to.
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
