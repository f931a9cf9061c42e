//! Variables as `declare -p` shows them.

use crate::state::Shell;
use crate::state::slot::DECLARED;
use crate::state::slot::INTEGER;
use crate::state::slot::LOWER;
use crate::state::slot::Slot;
use crate::state::slot::Special;
use crate::state::slot::UPPER;
use crate::syntax::copied::Copied;
use crate::syntax::quote;
use crate::syntax::symbols::Sym;

/// The command that makes a variable what it is.
pub fn declaration(shell: &mut Shell, name: Sym) -> Vec<u8> {
    shell.array(name).map_or_else(Vec::new, |array| array.show());
    let slot = shell.slot(name);
    let mut text = [b"declare ", &attributes(slot)[..], b" "].concat();
    let value = match &slot.array {
        Some(array) if slot.attributes & DECLARED == 0 => array.show(),
        None if slot.set => quote::double(&slot.value),
        _ => Vec::new(),
    };
    text.extend_from_slice(shell.symbols.name(name));
    if !value.is_empty() {
        text.push(b'=');
        text.extend_from_slice(&value);
    }
    text
}

/// A variable's attributes as options of `declare`; `--` when it has none.
pub fn attributes(slot: &Slot) -> Vec<u8> {
    let mut flags = b"-".copied();
    let is = |yes: bool, flag: u8| yes.then_some(flag);
    flags.extend(is(slot.array.as_ref().is_some_and(|array| !array.associative), b'a'));
    flags.extend(is(slot.array.as_ref().is_some_and(|array| array.associative), b'A'));
    flags.extend(is(slot.attributes & INTEGER != 0, b'i'));
    flags.extend(is(slot.special == Special::Reference, b'n'));
    flags.extend(is(slot.readonly, b'r'));
    flags.extend(is(slot.export, b'x'));
    flags.extend(is(slot.attributes & LOWER != 0, b'l'));
    flags.extend(is(slot.attributes & UPPER != 0, b'u'));
    if flags.len() == 1 {
        flags.push(b'-');
    }
    flags
}
