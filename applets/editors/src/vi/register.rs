//! Registers: text that was deleted or yanked.

/// Text, and whether it is whole lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Register {
    pub text: Vec<u8>,
    pub is_lines: bool,
}

/// All registers.
#[derive(Default)]
pub(super) struct Registers {
    /// The last one that was filled.
    unnamed: Register,
    /// a to z.
    named: [Register; 26],
    /// 1 to 9: the last deletions, newest first; 0: the last yank.
    numbered: [Register; 10],
}

/// The register that a command names; `None` for the one without a name.
pub(super) type Name = Option<char>;

impl Registers {
    pub fn get(&self, name: Name) -> Option<&Register> {
        let register = match name {
            None | Some('"') => &self.unnamed,
            Some(letter @ ('a'..='z' | 'A'..='Z')) => &self.named[letter.to_ascii_lowercase() as usize - 'a' as usize],
            Some(digit @ '0'..='9') => &self.numbered[digit as usize - '0' as usize],
            Some(_) => return None,
        };
        (!register.text.is_empty()).then_some(register)
    }

    /// Fills a register; an upper-case name adds to it.
    pub fn set(&mut self, name: Name, text: Vec<u8>, is_lines: bool, is_deletion: bool) {
        let new = Register { text, is_lines };
        match name {
            Some(letter @ 'a'..='z') => self.named[letter as usize - 'a' as usize] = new.clone(),
            Some(letter @ 'A'..='Z') => {
                let register = &mut self.named[letter as usize - 'A' as usize];
                if new.is_lines && !register.is_lines && !register.text.is_empty() {
                    register.text.push(b'\n');
                }
                register.text.extend_from_slice(&new.text);
                register.is_lines |= new.is_lines;
            }
            Some(digit @ '0'..='9') => self.numbered[digit as usize - '0' as usize] = new.clone(),
            _ if is_deletion => {
                self.numbered[1..].rotate_right(1);
                self.numbered[1] = new.clone();
            }
            _ => self.numbered[0] = new.clone(),
        }
        self.unnamed = match name {
            Some('A'..='Z') => self.get(name).cloned().unwrap_or_default(),
            _ => new,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_move_on_and_names_add() {
        let mut registers = Registers::default();
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
