//! The lines that are edited, and what they were before the last command.

use std::rc::Rc;

/// A line without its newline. Its identity is that of the allocation: marks and `g` find it where it was moved to.
pub type Line = Rc<[u8]>;

/// The lines and the number of the current one, which is 0 before the first.
#[derive(Clone, Default)]
struct State {
    lines: Vec<Line>,
    current: usize,
}

/// The buffer.
#[derive(Default)]
pub struct Buffer {
    state: State,
    /// The state that `u` brings back.
    before: Option<State>,
    /// The lines that `k` has marked with the characters a to z.
    marks: [Option<Line>; 26],
    /// It differs from the file.
    pub modified: bool,
}

impl Buffer {
    pub fn len(&self) -> usize {
        self.state.lines.len()
    }

    pub fn current(&self) -> usize {
        self.state.current
    }

    pub fn set_current(&mut self, number: usize) {
        self.state.current = number.min(self.len());
    }

    /// The line with this number, from 1.
    pub fn line(&self, number: usize) -> &Line {
        &self.state.lines[number - 1]
    }

    pub fn lines(&self, first: usize, last: usize) -> &[Line] {
        &self.state.lines[first.saturating_sub(1)..last]
    }

    /// Where the line is now; the search begins at the number `near`.
    pub fn number_of(&self, line: &Line, near: usize) -> Option<usize> {
        let near = near.min(self.len());
        let is_it = |other: &Line| Rc::ptr_eq(other, line);
        let after = self.state.lines[near..].iter().position(is_it).map(|at| near + at + 1);
        after.or_else(|| self.state.lines[..near].iter().position(is_it).map(|at| at + 1))
    }

    pub fn mark(&mut self, name: u8, number: usize) {
        self.marks[usize::from(name - b'a')] = Some(self.line(number).clone());
    }

    pub fn marked(&self, name: u8) -> Option<usize> {
        self.number_of(self.marks[usize::from(name - b'a')].as_ref()?, 0)
    }

    /// Keeps the state for `u`.
    pub fn remember(&mut self) {
        self.before = Some(self.state.clone());
    }

    /// Exchanges the state with the one before the last change; false if there is none.
    pub fn undo(&mut self) -> bool {
        let Some(before) = &mut self.before else { return false };
        std::mem::swap(&mut self.state, before);
        self.modified = true;
        true
    }

    /// Adds lines after the one with this number; the last of them becomes the current one.
    pub fn insert(&mut self, after: usize, lines: Vec<Line>) {
        self.modified |= !lines.is_empty();
        self.state.current = after + lines.len();
        self.state.lines.splice(after..after, lines);
    }

    /// Takes lines out; the one after them becomes the current one, or the last.
    pub fn remove(&mut self, first: usize, last: usize) -> Vec<Line> {
        self.modified = true;
        let removed = self.state.lines.drain(first - 1..last).collect();
        self.state.current = first.min(self.len());
        removed
    }

    /// Forgets all: lines, marks and what `u` brings back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
