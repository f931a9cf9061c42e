//! The line editor: a line is typed, moved over, recalled and completed after a prompt.
//!
//! Emacs keys as most shells have them, or vi keys by XCU sh, "Command Line Editing (vi-mode)". Who wants a line owns
//! an [`Editor`] and is its [`Host`].

mod change;
mod complete;
mod emacs;
mod history;
mod motion;
mod screen;
mod search;
mod text;
mod vi;

pub use history::{DEFAULT_LIMIT, History};

use super::keys::{Key, Keys};
use super::raw::Raw;
use screen::{Screen, print};
use text::Text;

/// What came of asking for a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, without its newline.
    Text(Vec<u8>),
    /// A line that the user wants to edit in a program first (vi's `v`).
    Edit(Vec<u8>),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D on an empty line, or the terminal is gone.
    End,
    /// Nothing was typed in time.
    TimedOut,
    /// The host has something to say; the line waits to be taken up again.
    Suspended,
}

/// What a signal means for the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing, except perhaps another size of the terminal.
    None,
    /// The host wants to speak: the line is wiped and [`Line::Suspended`] returned.
    Suspend,
    /// As Ctrl-C.
    Interrupt,
}

/// Makes a text such that its reader takes it as it is.
pub type Quote = fn(&[u8]) -> Vec<u8>;

/// What can be at the cursor instead of what was typed.
#[derive(Debug, Default)]
pub struct Completion {
    /// Where the text begins that a name replaces.
    pub start: usize,
    /// What is before the name, as an opening quote.
    pub head: &'static [u8],
    /// The names, sorted; one that ends in a slash is a directory, which is not the end of the word.
    pub names: Vec<Vec<u8>>,
    /// Makes a name such that it is read as it is.
    pub quote: Option<Quote>,
    /// What ends a word, as a closing quote and a space.
    pub tail: &'static [u8],
}

/// Who asks for a line.
pub trait Host {
    /// What can complete the word at the end of this text.
    fn complete(&mut self, _before: &[u8]) -> Completion {
        Completion::default()
    }

    /// A signal interrupted the wait for a key.
    fn signal(&mut self) -> Signal {
        Signal::None
    }

    /// What vi's `@letter` types.
    fn macro_text(&mut self, _letter: char) -> Option<Vec<u8>> {
        None
    }
}

/// An editor of lines, with what it keeps from one to the next.
#[derive(Debug, Default)]
pub struct Editor {
    /// The lines entered before.
    pub history: History,
    /// Vi keys.
    pub vi: bool,
    /// How long to wait for a key, in milliseconds; `None` = for ever.
    pub timeout: Option<u64>,
    keys: Keys,
    screen: Screen,
    /// The prompt's last row.
    prompt: Vec<u8>,
    text: Text,
    /// What was cut last.
    killed: Vec<u8>,
    /// What the key before did, and what this one does.
    last: Act,
    now: Act,
    /// Position in the history; its length stands for the line that is new.
    entry: usize,
    /// The new line while the history is looked at.
    draft: Vec<u8>,
    /// How the line was before its changes, newest last.
    undo: Vec<Text>,
    /// What was searched for last.
    pattern: Vec<u8>,
    mode: vi::Mode,
    /// The line waits to be taken up again.
    suspended: bool,
}

/// What a key does that matters to the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Act {
    #[default]
    Other,
    /// It cuts: a further cut adds to what is kept.
    Cut,
    /// It is a Tab that leaves several candidates: another one shows them.
    Tab,
}

/// How many changes can be undone.
const UNDO: usize = 64;

impl Editor {
    /// Reads a line after a prompt. `None` when standard input is no terminal, or one that shows nothing
    /// (`stty -echo`).
    pub fn read(&mut self, prompt: &[u8], host: &mut dyn Host) -> Option<Line> {
        if super::raw::is_silent(0) {
            return None;
        }
        let raw = Raw::enter(0)?;
        self.keys.special = raw.special();
        self.keys.timeout = self.timeout;
        self.keys.lone_escape = self.vi;
        if !core::mem::take(&mut self.suspended) {
            self.text = Text::default();
            self.undo.clear();
            self.entry = self.history.lines().len();
            self.mode.begin();
        }
        self.screen.measure();
        self.screen.forget();
        let last_row = prompt.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        print(&without_marks(&prompt[..last_row]));
        self.prompt = without_marks(&prompt[last_row..]);
        self.draw();
        let line = loop {
            if let Some(line) = self.step(host) {
                break line;
            }
            // What is pasted is drawn once, not with each of its characters.
            if !self.keys.is_ready() {
                self.draw();
            }
        };
        // The newline comes when Ctrl-C is a signal again: who sees it may press it.
        drop(raw);
        if line != Line::Suspended {
            self.screen.leave();
        }
        // The bytes of a line are not kept while its command runs.
        self.screen = Screen::default();
        Some(line)
    }

    fn draw(&mut self) {
        self.screen.show(&self.prompt, &self.text.bytes, self.text.at);
    }

    /// Obeys one key; what ends the line is returned.
    fn step(&mut self, host: &mut dyn Host) -> Option<Line> {
        let key = self.keys.read();
        self.last = core::mem::take(&mut self.now);
        match key {
            Key::Signal => self.signal(host),
            Key::TimedOut => Some(Line::TimedOut),
            Key::Hangup => Some(Line::End),
            Key::Char('\r' | '\n') => Some(self.accept()),
            Key::Char('\x03') => {
                self.text.at = self.text.end();
                self.draw();
                print(b"^C");
                Some(Line::Interrupted)
            }
            Key::Char('\x04') if self.text.bytes.is_empty() => Some(Line::End),
            key if self.vi => self.vi_key(key, host),
            key => self.emacs_key(key, host),
        }
    }

    fn signal(&mut self, host: &mut dyn Host) -> Option<Line> {
        match host.signal() {
            Signal::Interrupt => return Some(Line::Interrupted),
            Signal::Suspend => {
                self.screen.erase();
                self.suspended = true;
                return Some(Line::Suspended);
            }
            Signal::None => {}
        }
        if self.screen.measure() {
            self.screen.erase();
        }
        None
    }

    /// Ends the line where it is.
    fn accept(&mut self) -> Line {
        self.text.at = self.text.end();
        self.draw();
        Line::Text(core::mem::take(&mut self.text.bytes))
    }

    /// The next key within a command of several. A signal ends the command, and is looked at then.
    fn key(&mut self) -> Key {
        match self.keys.read() {
            Key::Signal => {
                self.keys.replay(&[Key::Signal]);
                Key::Unknown
            }
            key => key,
        }
    }

    /// Remembers how the line is, before it changes.
    fn save(&mut self) {
        if self.undo.len() == UNDO {
            // The first one stays: vi's `U` goes back to it.
            self.undo.remove(1);
        }
        self.undo.push(self.text.clone());
    }

    fn undo(&mut self) {
        match self.undo.pop() {
            Some(before) => self.text = before,
            None => self.beep(),
        }
    }

    fn beep(&self) {
        print(b"\x07");
    }

    /// Cuts a part out and keeps it, with what the key before has cut.
    fn kill(&mut self, start: usize, end: usize) {
        if start >= end {
            return;
        }
        self.save();
        let backward = end == self.text.at;
        let cut = self.text.cut(start, end);
        self.now = Act::Cut;
        self.killed = match (self.last == Act::Cut, backward) {
            (false, _) => cut,
            (true, true) => [cut, core::mem::take(&mut self.killed)].concat(),
            (true, false) => [core::mem::take(&mut self.killed), cut].concat(),
        };
    }

    /// Goes to an entry of the history; false when there is none.
    fn recall(&mut self, entry: usize) -> bool {
        let lines = self.history.lines();
        if entry > lines.len() {
            return false;
        }
        if self.entry == lines.len() {
            self.draft = core::mem::take(&mut self.text.bytes);
        }
        self.entry = entry;
        self.text = Text::new(lines.get(entry).unwrap_or(&self.draft));
        self.undo.clear();
        true
    }

    /// Types a character, or a byte that is none.
    fn type_key(&mut self, key: Key) {
        match key {
            Key::Char(one) => self.text.insert(one.encode_utf8(&mut [0; 4]).as_bytes()),
            Key::Byte(byte) => self.text.insert(&[byte]),
            _ => {}
        }
    }
}

/// The prompt without the markers of readline around what takes no columns: escape sequences are known as such here.
fn without_marks(prompt: &[u8]) -> Vec<u8> {
    prompt.iter().copied().filter(|byte| !matches!(byte, 1 | 2)).collect()
}
