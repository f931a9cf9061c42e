//! Variables: their values, stored or computed, scopes, and the environment of programs.

use crate::state::slot::FUNCTION;
use crate::state::slot::READONLY_FUNCTION;
use crate::state::slot::Saved;
use crate::state::slot::Slot;
use crate::state::slot::Special;
use crate::state::upward::Upward;
use crate::state::{Run, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::symbols::Sym;
use rbox_core::sys::{process, system};
use rbox_core::text;
use rbox_core::text::Right;
use std::rc::Rc;

/// The variables of the character set, the first that is set decides (XBD 8.2).
pub const LOCALE: &str = "LC_ALL LC_CTYPE LANG";

impl Shell {
    /// The symbol of a name, with its slot.
    pub fn intern(&mut self, name: &[u8]) -> Sym {
        let sym = self.symbols.intern(name);
        if sym.index() >= self.variables.len() {
            self.variables.resize_with(self.symbols.len(), Slot::default);
        }
        sym
    }

    /// The slot of a symbol.
    pub fn slot(&mut self, name: Sym) -> &mut Slot {
        if name.index() >= self.variables.len() {
            self.variables.resize_with(self.symbols.len(), Slot::default);
        }
        &mut self.variables[name.index()]
    }

    /// A variable's value; `None` when it is unset.
    pub fn value(&mut self, name: Sym) -> Option<&[u8]> {
        match self.slot(name).special {
            Special::Line => self.variables[name.index()].value = text!(self.location.line),
            Special::Random => {
                self.computed.random = self.computed.random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                let number = (self.computed.random >> 16) & 0x7fff;
                self.variables[name.index()].value = text!(number);
            }
            Special::Reference => {
                let target = self.resolve(name);
                return if self.slot(target).special == Special::Reference { None } else { self.value(target) };
            }
            Special::None
            | Special::Ifs
            | Special::Path
            | Special::OptionIndex
            | Special::Locale
            | Special::GlobIgnore => {}
            _ => self.compute(name),
        }
        let slot = &self.variables[name.index()];
        slot.set.then_some(&slot.value[..])
    }

    /// The value of the variable of that name.
    pub fn get(&mut self, name: &[u8]) -> Option<&[u8]> {
        let name = self.symbols.find(name)?;
        self.value(name)
    }

    /// Computes the value of one of bash's variables.
    fn compute(&mut self, name: Sym) {
        let value = match self.slot(name).special {
            Special::Seconds => Some(text!(now().saturating_sub(self.computed.began))),
            Special::Epoch => Some(text!(now())),
            Special::EpochExact => Some(exact_now()),
            Special::OwnPid => Some(text!(i64::from(process::getpid().as_raw_nonzero().get()))),
            Special::Depth => Some(text!(self.flow.depth)),
            Special::Element => self.referenced_element(name),
            Special::CurrentFunction => Some(self.flow.function_name.copied()),
            Special::HostName => Some(system::uname().nodename().to_bytes().copied()),
            Special::Command => Some(self.flow.command_text.copied()),
            Special::LastWord => Some(self.flow.last_word.copied()),
            Special::ShellOptions => Some(crate::state::options::names_on(&mut self.options)),
            Special::BashOptions => Some(crate::state::shopt::names_on(&mut self.options)),
            _ => self.array(name).and_then(|array| array.get(&[0; 8]).cloned()),
        };
        let slot = self.slot(name);
        slot.set = value.is_some();
        slot.value = value.unwrap_or_default();
    }

    /// An error when the variable is read-only.
    pub fn writable(&mut self, name: Sym) -> Run {
        if self.slot(name).readonly {
            let name = Rc::clone(self.symbols.name(name));
            return Err(self.error(&[&name, b": is read only"]));
        }
        Ok(())
    }

    /// An error when the function is read-only.
    pub fn writable_function(&mut self, name: Sym) -> Run {
        if self.slot(name).attributes & READONLY_FUNCTION == 0 {
            return Ok(());
        }
        let name = Rc::clone(self.symbols.name(name));
        Err(self.error(&[&name, b": readonly function"]))
    }

    /// Applies the character set of the locale, which an assignment changes (XBD 8.2).
    pub fn note_locale(&mut self) {
        let value = |name: &str| self.get(name.as_bytes()).map(<[u8]>::copied);
        let values: Vec<_> = LOCALE.split(' ').map(value).collect();
        self.computed.utf8 = rbox_core::pattern::is_utf8_locale(values.iter().map(Option::as_deref));
    }

    /// Applies a new value of a special variable.
    pub fn changed(&mut self, name: Sym) {
        match self.variables[name.index()].special {
            Special::Ifs => {
                let slot = &self.variables[name.index()];
                self.computed.ifs = if slot.set { slot.value.copied() } else { b" \t\n".copied() };
            }
            Special::Locale => self.note_locale(),
            Special::GlobIgnore => {
                let slot = &self.variables[name.index()];
                if !slot.set || !slot.value.is_empty() {
                    self.options.dotglob = slot.set;
                }
            }
            Special::Path => self.variables.iter_mut().for_each(|slot| slot.path = None),
            Special::OptionIndex => {
                let value = crate::syntax::expression::small_number(&self.variables[name.index()].value).unwrap_or(1);
                self.parameters.option_index = usize::try_from(value).unwrap_or(1).max(1);
                self.parameters.option_offset = 0;
            }
            Special::Random => {
                let value = crate::syntax::expression::small_number(&self.variables[name.index()].value).unwrap_or(0);
                self.computed.random = value as u32;
            }
            Special::Seconds => {
                let value = crate::syntax::expression::small_number(&self.variables[name.index()].value).unwrap_or(0);
                self.computed.began = now().saturating_sub(value);
            }
            // Once they are assigned they are variables as any other.
            Special::Line | Special::CurrentFunction | Special::HostName => {
                self.variables[name.index()].special = Special::None;
            }
            _ => {}
        }
    }

    /// Unsets a variable.
    pub fn unset(&mut self, name: Sym) -> Run {
        self.writable(name)?;
        let slot = &mut self.variables[name.index()];
        slot.set = false;
        slot.export = false;
        slot.value.clear();
        slot.array = None;
        slot.attributes = 0;
        if slot.special != Special::None {
            self.changed(name);
            let slot = &mut self.variables[name.index()];
            let computed = [Special::Line, Special::Random, Special::Reference, Special::Epoch, Special::EpochExact];
            if computed.contains(&slot.special) {
                slot.special = Special::None;
            }
        }
        Ok(())
    }

    /// Saves a variable in the innermost scope; false when it is saved already.
    pub fn save(&mut self, name: Sym) -> bool {
        let slot = self.slot(name);
        let saved = Slot {
            value: slot.value.copied(),
            set: slot.set,
            export: slot.export,
            readonly: slot.readonly,
            special: slot.special,
            attributes: slot.attributes,
            array: slot.array.clone(),
            ..Slot::default()
        };
        let Some(scope) = self.locals.last_mut() else { return false };
        if scope.iter().any(|saved| saved.name == name && saved.options.is_none()) {
            return false;
        }
        scope.push(Saved { name, slot: saved, options: None });
        true
    }

    /// Saves a variable and unsets it, once a scope; it stays exported.
    pub fn make_local(&mut self, name: Sym) {
        if !self.save(name) {
            return;
        }
        let slot = self.slot(name);
        slot.array = None;
        slot.attributes = 0;
        slot.set = false;
        slot.value.clear();
        if slot.special == Special::Reference {
            slot.special = Special::None;
        }
        self.changed(name);
    }

    /// Saves the options in the innermost scope: `local -`.
    pub fn save_options(&mut self) {
        let name = self.intern(b"-");
        let options = Some(Box::new(self.options.clone()));
        if let Some(scope) = self.locals.last_mut() {
            scope.push(Saved { name, slot: Slot::default(), options });
        }
    }

    /// Restores the variables of the innermost scope.
    pub fn restore_scope(&mut self) {
        for saved in self.locals.pop().unwrap_or_default().into_iter().rev() {
            if let Some(options) = saved.options {
                self.options = *options;
                continue;
            }
            let slot = &mut self.variables[saved.name.index()];
            slot.value = saved.slot.value;
            slot.set = saved.slot.set;
            slot.export = saved.slot.export;
            slot.readonly = saved.slot.readonly;
            slot.special = saved.slot.special;
            slot.attributes = saved.slot.attributes;
            slot.array = saved.slot.array;
            // What an assignment makes an ordinary variable is computed again.
            let assigned = matches!(slot.special, Special::Line | Special::CurrentFunction | Special::HostName);
            if slot.special != Special::None && !assigned {
                self.changed(saved.name);
            }
        }
    }

    /// The environment of programs: every exported variable that is set.
    pub fn environment(&self) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        for (index, slot) in self.variables.iter().enumerate() {
            if slot.attributes & FUNCTION != 0 {
                words.extend(self.exported_function(Sym(index as u32)));
            }
            if slot.export && slot.set && slot.array.is_none() {
                words.push([&self.symbols.name(Sym(index as u32))[..], b"=", &slot.value].concat());
            }
        }
        words
    }

    /// Names of variables with a property, sorted.
    pub fn names(&self, wanted: fn(&Slot) -> bool) -> Vec<Sym> {
        let mut names: Vec<Sym> =
            (0..self.variables.len()).filter(|&at| wanted(&self.variables[at])).map(|at| Sym(at as u32)).collect();
        names.sort_by(|a, b| self.symbols.name(*a).cmp(self.symbols.name(*b)));
        names
    }
}

/// Seconds since the epoch with six digits of a fraction.
fn exact_now() -> Vec<u8> {
    let time = rbox_core::sys::time::clock_gettime(rbox_core::sys::time::ClockId::Realtime);
    text!(time.tv_sec, ".", Right(time.tv_nsec as u64 / 1000, 6, b'0'))
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    rbox_core::sys::time::clock_gettime(rbox_core::sys::time::ClockId::Realtime).tv_sec
}
