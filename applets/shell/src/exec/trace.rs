//! What `set -x` shows.

use crate::state::Shell;
use crate::state::array::{Item, decode};
use crate::state::stream::write_all;
use crate::syntax::ast::Simple;
use crate::syntax::copied::Copied;
use rbox_core::escape;

impl Shell {
    /// Prints a command after PS4.
    pub(super) fn trace(&mut self, words: &[Vec<u8>]) {
        let line = self.get(b"PS4").unwrap_or_default().copied();
        let mut line = self.expand_trace_prompt(&line);
        line.extend_from_slice(&words.join(&b' '));
        line.push(b'\n');
        // Nothing can report that the trace cannot be written.
        let _ = match self.streams.trace_to {
            Some(copy) => self.streams.descriptors.get(copy).and_then(|file| rbox_core::io::write_all(file, &line)),
            None => write_all(2, &line),
        };
    }

    /// `set -x`; the words after assignments are shown once these are made.
    pub(super) fn trace_command(&mut self, simple: &Simple, words: &[Vec<u8>]) {
        if self.options.xtrace {
            let shown = if words[0] == b"command" { after_command(words) } else { words };
            let mut quoted = Vec::new();
            for word in shown {
                let Some((name, items)) = declared(word) else {
                    quoted.push(if self.options.bash { bash_traced(word) } else { traced(word) });
                    continue;
                };
                // bash shows the elements before the command, in which the name is left.
                let items: Vec<Vec<u8>> = items.iter().map(traced_item).collect();
                self.trace(&[[name, b"=(", &items.join(&b' '), b")"].concat()]);
                quoted.push(name.copied());
            }
            if simple.assigns.is_empty() {
                self.trace(&quoted);
            } else {
                self.streams.traced = quoted;
            }
        }
    }
}

/// The words that `command` runs, as BusyBox shows them; all words when it runs none.
fn after_command(words: &[Vec<u8>]) -> &[Vec<u8>] {
    let mut rest = words;
    while let Some((b"command", after)) = rest.split_first().map(|(word, after)| (&word[..], after)) {
        let options = after.iter().take_while(|word| *word == b"-p").count();
        let ended = after.get(options).is_some_and(|word| word == b"--");
        match &after[options + usize::from(ended)..] {
            [] => break,
            [option, ..] if !ended && option.starts_with(b"-") => break,
            inner => rest = inner,
        }
    }
    rest
}

/// The name and the elements of a word such as `name=(...)` of a declaration.
pub(super) fn declared(word: &[u8]) -> Option<(&[u8], Vec<Item>)> {
    let at = word.iter().position(|&byte| byte == 0)?;
    let name = word[..at].strip_suffix(b"=")?;
    Some((name.strip_suffix(b"+").unwrap_or(name), decode(&word[at..])?))
}

/// A word as bash shows it.
pub(super) fn bash_traced(word: &[u8]) -> Vec<u8> {
    if word.is_empty() { b"''".copied() } else { crate::syntax::quote::as_needed(word) }
}

fn traced_item((key, value): &Item) -> Vec<u8> {
    let value = escape::single_quoted(value);
    match key {
        Some(key) => [b"[", &escape::single_quoted(key)[..], b"]=", &value].concat(),
        None => value,
    }
}

/// A word as BusyBox shows it: quoted where it could be misread, which an empty one is not.
pub(super) fn traced(word: &[u8]) -> Vec<u8> {
    // `select` is no reserved word of BusyBox.
    if word != b"select" && crate::syntax::parser::is_keyword(word) {
        return escape::single_quoted(word);
    }
    traced_value(word)
}

/// The value of an assignment, where no word is reserved.
pub(super) fn traced_value(value: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+./,:@^]".contains(byte);
    if value.iter().all(plain) { value.copied() } else { escape::single_quoted(value) }
}
