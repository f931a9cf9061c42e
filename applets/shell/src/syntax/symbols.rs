//! Symbols: each name that the shell meets (variable, function, command) once, under a number.
//!
//! A variable's value, a function and a builtin are then one index away, without a search.

use std::rc::Rc;

/// The number of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sym(pub u32);

impl Sym {
    /// The index into tables that run along the symbols.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names, with an open-addressed hash table of their numbers.
#[derive(Debug, Default)]
pub struct Symbols {
    names: Vec<Rc<[u8]>>,
    /// Symbol number plus one; 0 is free. The length is a power of two.
    slots: Vec<u32>,
}

fn hash(name: &[u8]) -> usize {
    let mut sum: u32 = 0x811c_9dc5;
    for &byte in name {
        sum = (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    (sum ^ (sum >> 15)) as usize
}

impl Symbols {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The name of a symbol.
    pub fn name(&self, sym: Sym) -> &Rc<[u8]> {
        &self.names[sym.index()]
    }

    fn slot(&self, name: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(name) & mask;
        loop {
            let held = self.slots[at];
            if held == 0 || *self.names[held as usize - 1] == *name {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    /// The symbol of a name, when it was met before.
    pub fn find(&self, name: &[u8]) -> Option<Sym> {
        if self.slots.is_empty() {
            return None;
        }
        match self.slots[self.slot(name)] {
            0 => None,
            held => Some(Sym(held - 1)),
        }
    }

    /// The symbol of a name.
    pub fn intern(&mut self, name: &[u8]) -> Sym {
        if (self.names.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let at = self.slot(name);
        if self.slots[at] != 0 {
            return Sym(self.slots[at] - 1);
        }
        self.names.push(Rc::from(name));
        let number = self.names.len() as u32;
        self.slots[at] = number;
        Sym(number - 1)
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(256);
        self.slots = vec![0; size];
        for number in 0..self.names.len() {
            let name = Rc::clone(&self.names[number]);
            let at = self.slot(&name);
            self.slots[at] = number as u32 + 1;
        }
    }
}

/// Whether the text is a name (XBD 3.216).
pub fn is_name(text: &[u8]) -> bool {
    match text.first() {
        Some(&first) if is_name_start(first) => text.iter().all(|&byte| is_name_byte(byte)),
        _ => false,
    }
}

/// `name[subscript]` in its two parts.
pub fn split_subscript(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'[') {
        Some(at) if text.ends_with(b"]") => (&text[..at], Some(&text[at + 1..text.len() - 1])),
        _ => (text, None),
    }
}

/// Whether a name may begin with the byte.
pub fn is_name_start(byte: u8) -> bool {
    is_name_byte(byte) && !byte.is_ascii_digit()
}

/// The bytes that a name may contain.
static NAME_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    bytes
};

/// Whether a name may contain the byte.
#[inline(always)]
pub fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_symbol() {
        let mut symbols = Symbols::default();
        let first = symbols.intern(b"x");
        for number in 0..2000u32 {
            symbols.intern(&rbox_core::text!("v", number));
        }
        assert_eq!(symbols.intern(b"x"), first);
        assert_eq!(symbols.len(), 2001);
        assert!(symbols.find(b"v1999").is_some());
        assert!(symbols.find(b"w").is_none());
    }

    #[test]
    fn names_follow_the_standard() {
        assert!(is_name(b"_a1"));
        assert!(!is_name(b"1a"));
        assert!(!is_name(b"a-b"));
        assert!(!is_name(b""));
    }
}
