//! Registers: text that was deleted or yanked.

/// Text, and whether it is whole lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Register {
    pub text: Vec<u8>,
    pub is_lines: bool,
}

/// All registers: a to z, then 0, the last yank, and 1 to 9, the last deletions, newest first.
pub(super) struct Registers {
    /// The last one that was filled.
    unnamed: Register,
    named: Vec<Register>,
}

/// The register that a command names; `None` for the one without a name.
pub(super) type Name = Option<char>;

/// Where the digits begin.
const DIGITS: usize = 26;

fn slot(name: char) -> Option<usize> {
    match name {
        'a'..='z' | 'A'..='Z' => Some(name.to_ascii_lowercase() as usize - 'a' as usize),
        '0'..='9' => Some(DIGITS + name as usize - '0' as usize),
        _ => None,
    }
}

impl Registers {
    pub fn new() -> Registers {
        Registers { unnamed: Register::default(), named: vec![Register::default(); DIGITS + 10] }
    }

    pub fn get(&self, name: Name) -> Option<&Register> {
        let register = match name {
            None | Some('"') => &self.unnamed,
            Some(name) => &self.named[slot(name)?],
        };
        (!register.text.is_empty()).then_some(register)
    }

    /// Fills a register; an upper-case name adds to it.
    pub fn set(&mut self, name: Name, text: Vec<u8>, is_lines: bool, is_deletion: bool) {
        let slot = match name.and_then(slot) {
            Some(slot) => slot,
            None if is_deletion => {
                for digit in (DIGITS + 2..DIGITS + 10).rev() {
                    self.named.swap(digit, digit - 1);
                }
                DIGITS + 1
            }
            None => DIGITS,
        };
        let register = &mut self.named[slot];
        if !name.is_some_and(|name| name.is_ascii_uppercase()) {
            register.text.clear();
            register.is_lines = false;
        }
        if is_lines && !register.is_lines && !register.text.is_empty() {
            register.text.push(b'\n');
        }
        register.text.extend_from_slice(&text);
        register.is_lines |= is_lines;
        self.unnamed.text = register.text.clone();
        self.unnamed.is_lines = register.is_lines;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_move_on_and_names_add() {
        let mut registers = Registers::new();
        for text in ["one", "two", "three"] {
            registers.set(None, text.into(), false, true);
        }
        let text = |registers: &Registers, name| registers.get(name).map(|found| found.text.clone());
        assert_eq!(text(&registers, Some('1')), Some(b"three".to_vec()));
        assert_eq!(text(&registers, Some('3')), Some(b"one".to_vec()));
        registers.set(Some('a'), b"x\n".to_vec(), true, false);
        registers.set(Some('A'), b"y".to_vec(), false, false);
        assert_eq!(text(&registers, Some('a')), Some(b"x\ny".to_vec()));
        assert_eq!((text(&registers, None), text(&registers, Some('b'))), (Some(b"x\ny".to_vec()), None));
    }
}
