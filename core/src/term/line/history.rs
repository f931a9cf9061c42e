//! The lines that were entered before, and the file that keeps them.

use crate::io::Input;
use crate::sys::fd;
use crate::sys::fs::{self, Mode, OFlags};

/// How many lines are kept when nobody says otherwise.
pub const DEFAULT_LIMIT: usize = 255;
/// The most lines that are kept.
const MOST: usize = 10_000;
/// Bytes of a file that are read: more is no history.
const LONGEST_FILE: usize = 4 << 20;

/// The lines, oldest first, numbered from 1 on.
#[derive(Debug)]
pub struct History {
    lines: Vec<Vec<u8>>,
    /// Number of the oldest line that is still kept.
    first: usize,
    limit: usize,
    file: Option<Vec<u8>>,
}

impl Default for History {
    fn default() -> Self {
        Self { lines: Vec::new(), first: 1, limit: DEFAULT_LIMIT, file: None }
    }
}

impl History {
    /// The lines, oldest first.
    pub fn lines(&self) -> &[Vec<u8>] {
        &self.lines
    }

    /// Number of the oldest line.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Number that the next line gets.
    pub fn next(&self) -> usize {
        self.first + self.lines.len()
    }

    /// Keeps at most so many lines.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MOST);
        self.trim();
    }

    fn trim(&mut self) {
        let surplus = self.lines.len().saturating_sub(self.limit);
        self.lines.drain(..surplus);
        self.first += surplus;
    }

    /// Adds a line, in the file too. An empty one and one equal to the last are not kept.
    pub fn add(&mut self, line: &[u8]) {
        let blank = line.iter().all(|&byte| matches!(byte, b' ' | b'\t'));
        if blank || self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push(line.to_vec());
        self.trim();
        if let Some(path) = &self.file {
            append(path, line);
        }
    }

    /// Takes the last line back: `fc` is not remembered, what it runs is (XCU fc). The file keeps it.
    pub fn pop(&mut self) -> Option<Vec<u8>> {
        self.lines.pop()
    }

    /// Forgets all lines; the file keeps them.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.first = 1;
    }

    /// Forgets the line at a position, 0 for the oldest; false when there is none.
    pub fn remove(&mut self, at: usize) -> bool {
        let found = at < self.lines.len();
        if found {
            self.lines.remove(at);
        }
        found
    }

    /// Reads the lines of a file, which gets each line that is added from now on.
    ///
    /// Lines are appended one by one, so that nothing is lost when a shell is killed and two shells keep each other's
    /// lines. A file that has grown to twice the limit is cut.
    pub fn open(&mut self, path: &[u8]) {
        self.file = Some(path.to_vec());
        let mut count = 0;
        if let Ok(mut input) = Input::open(path) {
            let mut size = 0;
            while let Ok(Some(line)) = input.line() {
                size += line.len() + 1;
                if size > LONGEST_FILE {
                    break;
                }
                if line.is_empty() {
                    continue;
                }
                count += 1;
                self.lines.push(line.to_vec());
                if self.lines.len() >= 2 * self.limit.max(1) {
                    self.trim();
                }
            }
        }
        self.trim();
        self.first = 1;
        if count >= 2 * self.limit && self.limit > 0 {
            rewrite(path, &self.lines);
        }
    }
}

/// A history file that cannot be written is no reason to trouble the user at each line.
fn append(path: &[u8], line: &[u8]) {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY;
    if let Ok(file) = fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
        // History that cannot be saved must not disturb the command line.
        let _ = fd::write(&file, &[line, b"\n"].concat());
    }
}

/// Writes a new file beside the old one and renames it over the old one, so that the file is complete at any time.
fn rewrite(path: &[u8], lines: &[Vec<u8>]) {
    let new = [path, b".new"].concat();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let Ok(file) = fs::open(&new[..], flags, Mode::RUSR | Mode::WUSR) else { return };
    let text = [lines.join(&b'\n'), b"\n".to_vec()].concat();
    let whole = matches!(fd::write(&file, &text), Ok(count) if count == text.len());
    // What failed leaves the old file as it was.
    if whole && fs::rename(&new[..], path).is_ok() {
        return;
    }
    // The rename failed: the temporary file has no use.
    let _ = fs::unlink(&new[..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("rbox-history-{name}.{}", std::process::id()));
        // It exists only after a killed test.
        let _ = std::fs::remove_file(&path);
        path.to_str().expect("a plain path").as_bytes().to_vec()
    }

    fn path(bytes: &[u8]) -> &str {
        core::str::from_utf8(bytes).expect("a plain path")
    }

    #[test]
    fn keeps_the_last_lines_and_their_numbers() {
        let mut history = History::default();
        history.set_limit(2);
        for line in [&b"a"[..], b"b", b"b", b" ", b"", b"c"] {
            history.add(line);
        }
        assert_eq!(history.lines(), [b"b", b"c"]);
        assert_eq!((history.first(), history.next()), (2, 4));
    }

    #[test]
    fn lines_go_to_the_file_and_come_back() {
        let file = scratch("back");
        let mut history = History::default();
        history.open(&file);
        history.add(b"one");
        history.add(b"t\xffwo");
        let mut again = History::default();
        again.open(&file);
        assert_eq!(again.lines(), [&b"one"[..], b"t\xffwo"]);
        assert_eq!(again.first(), 1);
        std::fs::remove_file(path(&file)).expect("the file was made");
    }

    #[test]
    fn a_long_file_is_cut() {
        let file = scratch("cut");
        std::fs::write(path(&file), "1\n2\n3\n4\n5\n6\n").expect("a file");
        let mut history = History::default();
        history.set_limit(3);
        history.open(&file);
        assert_eq!(history.lines(), [b"4", b"5", b"6"]);
        assert_eq!(std::fs::read(path(&file)).expect("the file"), b"4\n5\n6\n");
        std::fs::remove_file(path(&file)).expect("the file is there");
    }
}
