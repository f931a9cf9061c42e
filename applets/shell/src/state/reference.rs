//! Name references, `declare -n`, as in bash: a variable whose value is the name of the variable that is meant.

use crate::state::slot::REFERENCE;
use crate::state::slot::Special;
use crate::state::{Run, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::symbols::{Sym, is_name};

/// The limit of references in a chain.
const MOST: u32 = 8;

impl Shell {
    /// The variable that a name means: itself, or the one that a reference leads to.
    #[inline]
    pub fn resolve(&mut self, name: Sym) -> Sym {
        if self.slot(name).special == Special::Reference { self.follow(name) } else { name }
    }

    #[cold]
    fn follow(&mut self, name: Sym) -> Sym {
        let mut last = name;
        for _ in 0..MOST {
            if self.slot(last).special != Special::Reference || self.slot(last).value.is_empty() {
                return last;
            }
            let target = self.slot(last).value.copied();
            last = self.intern(&target);
            if target.ends_with(b"]") {
                // A reference to `a[1]`: a variable of that name, which no script can write, is read from the array.
                let slot = self.slot(last);
                slot.special = Special::Element;
                slot.attributes = REFERENCE;
            }
        }
        let text = self.symbols.name(name).clone();
        self.report(&[&text, b": circular name reference"]);
        name
    }

    /// Makes a variable a reference; an empty target is given by the first assignment.
    pub fn make_reference(&mut self, name: Sym, target: &[u8]) -> Run {
        let (base, _) = crate::syntax::symbols::split_subscript(target);
        if !target.is_empty() && !is_name(base) {
            return Err(self.error(&[target, b": invalid variable name for name reference"]));
        }
        if **self.symbols.name(name) == *target {
            return Err(self.error(&[target, b": circular name reference"]));
        }
        let slot = self.slot(name);
        slot.special = Special::Reference;
        slot.attributes = REFERENCE;
        slot.array = None;
        slot.set = !target.is_empty();
        slot.value = target.copied();
        Ok(())
    }
}
