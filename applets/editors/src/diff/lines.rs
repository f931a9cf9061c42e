//! Contents as lines, in the form in which they are compared, and classes of equal lines.

use rbox_core::bytes::find_bytes;

/// Which white space matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// `-i`
    pub fold_case: bool,
    /// `-E`: a tab is the blanks to the next column of 8.
    pub tabs: bool,
    /// `-Z`: white space at the end of a line does not matter.
    pub trailing: bool,
    /// `-b`: nor does the amount elsewhere.
    pub amount: bool,
    /// `-w`: nor does any.
    pub all: bool,
}

impl Rules {
    /// Whether lines are compared as they are.
    pub fn are_none(self) -> bool {
        !(self.fold_case || self.tabs || self.trailing || self.amount || self.all)
    }

    /// The form of all lines of `bytes` in which they are compared.
    pub fn apply(self, bytes: &[u8]) -> Vec<u8> {
        let mut form = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.apply_to_line(line, &mut form);
        }
        form
    }

    fn apply_to_line(self, line: &[u8], form: &mut Vec<u8>) {
        let (start, mut column) = (form.len(), 0);
        let is_space = |byte: u8| matches!(byte, b'\t'..=b'\r' | b' ');
        for &byte in line {
            match byte {
                b'\n' => {}
                _ if self.all && is_space(byte) => continue,
                _ if self.amount && is_space(byte) => {
                    if form[start..].last() != Some(&b' ') {
                        form.push(b' ');
                    }
                    continue;
                }
                b'\t' if self.tabs => {
                    let blanks = 8 - column % 8;
                    form.resize(form.len() + blanks, b' ');
                    column += blanks;
                    continue;
                }
                _ => {}
            }
            column += 1;
            form.push(if self.fold_case { byte.to_ascii_lowercase() } else { byte });
        }
        if self.all || self.amount || self.trailing {
            // The newline is white space, too, so that the last line may lack it.
            let length = form[start..].iter().rposition(|&byte| !is_space(byte)).map_or(0, |at| at + 1);
            form.truncate(start + length);
            form.push(b'\n');
        }
    }
}

/// Contents, and where each line starts.
#[derive(Debug, Default)]
pub struct Lines<'a> {
    /// All lines, with their newlines, which the last one may lack.
    pub bytes: &'a [u8],
    /// The offset of each line, and the length of all.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(find_bytes(b'\n', bytes).map(|at| at + 1));
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            starts.push(bytes.len());
        }
        Self { bytes, starts }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The line at `index`, counted from 0, with its newline.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        &self.bytes[self.starts[index]..self.starts[index + 1]]
    }

    /// The line that holds the byte at `offset`, or the number of lines after all.
    pub fn index_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).min(self.starts.len()) - 1
    }
}

/// The classes of equal lines: two lines are equal if their classes are. They are numbered by their first lines.
pub struct Classes {
    /// For each class plus 1, by the hash of its lines; 0 is an empty slot.
    slots: Vec<u32>,
    /// For each class its hash and its first line: in which file, and at which index.
    first: Vec<(u32, u32, bool)>,
    /// The class of the last line.
    last: usize,
}

impl Classes {
    /// Classes for at most so many lines.
    pub fn for_lines(count: usize) -> Self {
        Self { slots: vec![0; (count + count / 2).next_power_of_two()], first: Vec::new(), last: 0 }
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// The class of the line at `index` of `files[second]`.
    pub fn of(&mut self, files: [&Lines<'_>; 2], second: bool, index: usize) -> u32 {
        let line = files[usize::from(second)].get(index);
        let is_in = |class: &(u32, u32, bool)| same(files[usize::from(class.2)].get(class.1 as usize), line);
        // Most lines of the second file follow the same line as in the first; that needs no hash.
        if second && self.first.get(self.last + 1).is_some_and(is_in) {
            self.last += 1;
            return self.last as u32;
        }
        let hash = hash(line);
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while let Some(class) = self.slots[slot].checked_sub(1) {
            let known = &self.first[class as usize];
            if known.0 == hash && is_in(known) {
                self.last = class as usize;
                return class;
            }
            slot = (slot + 1) & mask;
        }
        self.last = self.first.len();
        self.first.push((hash, index as u32, second));
        self.slots[slot] = self.first.len() as u32;
        self.last as u32
    }
}

/// Whether two lines are equal. musl's memcmp(3), which `==` calls, takes byte by byte.
fn same(one: &[u8], two: &[u8]) -> bool {
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), two.as_chunks::<8>());
    one.len() == two.len()
        && words.iter().zip(others).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
        && rest.iter().zip(other_rest).all(|(a, b)| a == b)
}

/// Eight bytes at a time; the multiplier is that of FxHash.
fn hash(line: &[u8]) -> u32 {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mut hash = line.len() as u64;
    let (words, rest) = line.as_chunks::<8>();
    for word in words {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    for &byte in rest {
        hash = (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(FACTOR);
    }
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_newlines_or_at_the_end() {
        let lines = Lines::of(b"a\n\nbc");
        assert_eq!((0..lines.len()).map(|at| lines.get(at)).collect::<Vec<_>>(), [&b"a\n"[..], b"\n", b"bc"]);
        assert_eq!([0, 1, 2, 3, 5].map(|offset| lines.index_at(offset)), [0, 0, 1, 2, 3]);
        assert_eq!(Lines::of(b"").len(), 0);
    }

    #[test]
    fn white_space_is_compared_by_the_rules() {
        let form = |rules: Rules, line: &[u8]| rules.apply(line);
        assert_eq!(form(Rules { amount: true, ..Rules::default() }, b" a \t b \nc"), b" a b\nc\n");
        assert_eq!(form(Rules { all: true, ..Rules::default() }, b" a \t b \n"), b"ab\n");
        assert_eq!(form(Rules { trailing: true, ..Rules::default() }, b" a \t\n"), b" a\n");
        assert_eq!(form(Rules { tabs: true, fold_case: true, ..Rules::default() }, b"A\tb\n"), b"a       b\n");
    }
}
