//! Changes of the text that can be undone and done again, without limit, and the marks, which move with the text.

use rbox_core::error::Result;

use super::buffer::Buffer;

/// A part that was replaced.
struct Change {
    at: usize,
    removed: Vec<u8>,
    inserted: Vec<u8>,
}

/// The changes of one command.
#[derive(Default)]
struct Step {
    changes: Vec<Change>,
    /// Where the cursor was before them.
    cursor: usize,
}

/// Marks: a to z, then those that commands set.
pub(super) const MARKS: usize = 30;
/// Where the last jump began.
pub(super) const CONTEXT: usize = 26;
/// The visual part's ends.
pub(super) const VISUAL_START: usize = 27;
pub(super) const VISUAL_END: usize = 28;
/// Where the text was changed last.
pub(super) const CHANGED: usize = 29;

/// The text is the first field, of which nearly all code uses parts; without `repr` the marks would be.
#[repr(C)]
pub(super) struct Document {
    pub text: Buffer,
    pub marks: [Option<usize>; MARKS],
    /// Offsets that a global command will go to, the next one last, each less `shift`.
    pending: Vec<usize>,
    shift: usize,
    done: Vec<Step>,
    undone: Vec<Step>,
    open: Step,
    /// How many steps were done when the file was written; `None` when that state cannot be reached any more.
    saved: Option<usize>,
    /// Changes since the start: two equal numbers say that there was none between.
    pub changes: u64,
}

impl Document {
    pub fn new(text: Buffer) -> Document {
        let mut marks = [None; MARKS];
        marks[CONTEXT] = Some(0);
        Document {
            text,
            marks,
            pending: Vec::new(),
            shift: 0,
            done: Vec::new(),
            undone: Vec::new(),
            open: Step::default(),
            saved: Some(0),
            changes: 0,
        }
    }

    /// Whether the text differs from the file.
    pub fn is_modified(&self) -> bool {
        self.saved != Some(self.done.len()) || !self.open.changes.is_empty()
    }

    /// The file has been written.
    pub fn set_saved(&mut self) {
        self.close();
        self.saved = Some(self.done.len());
    }

    /// Begins a command, at the cursor.
    pub fn begin(&mut self, cursor: usize) {
        self.close();
        self.open.cursor = cursor;
    }

    fn close(&mut self) {
        if !self.open.changes.is_empty() {
            self.done.push(core::mem::take(&mut self.open));
        }
    }

    /// Replaces `length` bytes. The error is `out of memory`.
    pub fn replace(&mut self, at: usize, length: usize, new: &[u8]) -> Result<()> {
        if length == 0 && new.is_empty() {
            return Ok(());
        }
        let removed = self.text.copy(at, at + length);
        self.apply(at, length, new)?;
        self.undone.clear();
        if self.saved.is_some_and(|saved| saved > self.done.len()) {
            self.saved = None;
        }
        match self.open.changes.last_mut() {
            // What is typed is one change.
            Some(last) if length == 0 && last.at + last.inserted.len() == at => last.inserted.extend_from_slice(new),
            _ => self.open.changes.push(Change { at, removed, inserted: new.to_vec() }),
        }
        Ok(())
    }

    fn apply(&mut self, at: usize, length: usize, new: &[u8]) -> Result<()> {
        self.text.replace(at, length, new)?;
        self.changes += 1;
        let moved = |mark: usize| match mark {
            _ if mark < at => mark,
            _ if mark < at + length => at,
            _ => mark - length + new.len(),
        };
        self.marks.iter_mut().for_each(|mark| *mark = mark.map(moved));
        self.marks[CHANGED] = Some(at);
        match self.pending.last().map(|next| next.wrapping_add(self.shift)) {
            // All of them are after the change, as a rule.
            Some(next) if at + length <= next => self.shift = self.shift.wrapping_add(new.len()).wrapping_sub(length),
            Some(_) => {
                let shift = core::mem::take(&mut self.shift);
                self.pending.iter_mut().for_each(|pending| *pending = moved(pending.wrapping_add(shift)));
            }
            None => {}
        }
        Ok(())
    }

    /// Sets the offsets that a global command will go to, ascending.
    pub fn set_pending(&mut self, offsets: Vec<usize>) {
        (self.pending, self.shift) = (offsets, 0);
        self.pending.reverse();
    }

    /// The next of those offsets, wherever it has moved.
    pub fn next_pending(&mut self) -> Option<usize> {
        Some(self.pending.pop()?.wrapping_add(self.shift))
    }

    /// Undoes the last command, or does again what was undone last. Returns where the cursor goes; `None` when there is
    /// nothing to undo.
    pub fn undo(&mut self, again: bool) -> Result<Option<usize>> {
        self.close();
        let from = if again { &mut self.undone } else { &mut self.done };
        let Some(step) = from.pop() else { return Ok(None) };
        let count = step.changes.len();
        let mut first = step.cursor;
        for index in 0..count {
            let change = &step.changes[if again { index } else { count - 1 - index }];
            let (old, new) = match again {
                true => (&change.removed, &change.inserted),
                false => (&change.inserted, &change.removed),
            };
            self.apply(change.at, old.len(), new)?;
            first = if index == 0 { change.at } else { first.min(change.at) };
        }
        let to = if again { &mut self.done } else { &mut self.undone };
        to.push(step);
        Ok(Some(first.min(self.text.len() - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_changes_are_undone_and_done_again() {
        let mut random = rbox_core::testing::Random::new(11);
        let mut document = Document::new(Buffer::new(b"one\ntwo\n".to_vec(), 8));
        let mut states = vec![document.text.copy(0, 8)];
        for _ in 0..200 {
            document.begin(0);
            for _ in 0..=random.below(3) {
                let at = random.below(document.text.len());
                let length = random.below(document.text.len() - at);
                document.replace(at, length, &[&random.bytes(5)[..], b"x"].concat()).expect("memory");
            }
            states.push(document.text.copy(0, document.text.len()));
        }
        for state in states.iter().rev().skip(1) {
            document.undo(false).expect("memory").expect("a step");
            assert_eq!(&document.text.copy(0, document.text.len()), state);
        }
        assert!(!document.is_modified() && document.undo(false).expect("memory").is_none());
        for state in &states[1..] {
            document.undo(true).expect("memory").expect("a step");
            assert_eq!(&document.text.copy(0, document.text.len()), state);
        }
        assert!(document.is_modified());
    }
}
