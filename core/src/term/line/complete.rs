//! Tab: extends a word as far as all candidates agree; a second Tab shows them in columns.

use super::screen::{print, visible};
use super::{Act, Completion, Editor, Host};
use crate::term::width;

impl Editor {
    /// Completes the word before the cursor.
    pub(super) fn complete(&mut self, host: &mut dyn Host) {
        let found = host.complete(&self.text.bytes[..self.text.at]);
        let Some(common) = common_start(&found.names) else { return self.beep() };
        let start = found.start;
        let whole = found.names.len() == 1;
        let mut new = written(&found, &common);
        if whole && !common.ends_with(b"/") {
            new.extend_from_slice(found.tail);
        }
        // Text in other quotes may say the same in more bytes: it is only replaced by what says more.
        let grows = whole || written(&found, &common).len() > self.text.at - start;
        if grows && self.text.bytes[start..self.text.at] != new {
            self.text.cut(start, self.text.at);
            self.text.insert(&new);
        }
        if whole {
            return;
        }
        self.now = Act::Tab;
        if self.last == Act::Tab {
            self.list(&found.names);
        } else {
            self.beep();
        }
    }

    /// vi's `*`: all candidates instead of the word.
    pub(super) fn insert_all(&mut self, host: &mut dyn Host) {
        let found = host.complete(&self.text.bytes[..self.text.at]);
        if found.names.is_empty() {
            return self.beep();
        }
        self.save();
        let head = self.text.cut(found.start, self.text.at);
        // The directories that all names share are before the first of them only.
        let directory = self.text.bytes[..found.start].iter().rposition(|byte| matches!(byte, b' ' | b'\t'));
        let directory = self.text.bytes[directory.map_or(0, |at| at + 1)..found.start].to_vec();
        drop(head);
        for (number, name) in found.names.iter().enumerate() {
            if number > 0 {
                self.text.insert(&directory);
            }
            self.text.insert(&written(&found, name));
            self.text.insert(b" ");
        }
    }

    /// vi's `=`: shows the candidates.
    pub(super) fn list_all(&mut self, host: &mut dyn Host) {
        let found = host.complete(&self.text.bytes[..self.text.at]);
        self.list(&found.names);
    }

    /// Shows names in columns below the line, which is drawn anew under them.
    fn list(&mut self, names: &[Vec<u8>]) {
        let at = self.text.at;
        self.text.at = self.text.end();
        self.draw();
        let columns = self.screen.columns();
        self.screen.leave();
        let shown: Vec<Vec<u8>> = names.iter().map(|name| visible(name)).collect();
        let cell = shown.iter().map(|name| width(name)).max().unwrap_or(0) + 2;
        let per_row = (columns / cell).max(1);
        let rows = shown.len().div_ceil(per_row);
        let mut out = Vec::new();
        for row in 0..rows {
            for index in (row..shown.len()).step_by(rows) {
                out.extend_from_slice(&shown[index]);
                if index + rows < shown.len() {
                    out.resize(out.len() + cell - width(&shown[index]), b' ');
                }
            }
            out.extend_from_slice(b"\r\n");
        }
        print(&out);
        self.text.at = at;
    }
}

/// A name, or the beginning of one, as it has to be typed.
fn written(found: &Completion, name: &[u8]) -> Vec<u8> {
    let mut text = found.head.to_vec();
    match found.quote {
        Some(quote) => text.extend_from_slice(&quote(name)),
        None => text.extend_from_slice(name),
    }
    text
}

/// What all names begin with, whole characters only; `None` when there are no names.
fn common_start(names: &[Vec<u8>]) -> Option<Vec<u8>> {
    let first = names.first()?;
    let mut length = first.len();
    for name in names {
        length = first.iter().zip(name).take(length).take_while(|(a, b)| a == b).count();
    }
    while length > 0 && length < first.len() && first[length] & 0xc0 == 0x80 {
        length -= 1;
    }
    Some(first[..length].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_start_ends_between_characters() {
        let names = |all: &[&str]| all.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(common_start(&names(&["abc", "abd"])), Some(b"ab".to_vec()));
        assert_eq!(common_start(&names(&["aé", "aè"])), Some(b"a".to_vec()));
        assert_eq!(common_start(&names(&[])), None);
    }
}
