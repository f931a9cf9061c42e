//! `vi`: edit files on the screen (POSIX XCU vi and ex, BusyBox's messages, and of vim redo, the visual mode and text objects).
//!
//! Text is UTF-8; bytes that are none are kept. Long lines go on to the right of the screen, as in BusyBox. A file is
//! read into memory whole, and written in place: it keeps its owner, mode, links and attributes.

mod buffer;
mod command;
mod ex;
mod file;
mod insert;
mod lines;
mod motion;
mod object;
mod operator;
mod range;
mod register;
mod screen;
mod search;
mod settings;
mod undo;

use std::cell::Cell;

use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Manner, Screen};
use rbox_core::text;

use buffer::Buffer;
use file::File;
use lines::Substitution;
use register::Registers;
use settings::{FLASH, Options};
use undo::Document;

options! {
    "[-RH] [-c CMD]... [+CMD] [FILE]...

Edit FILE. The command :help lists the keys.

  -c CMD  Run the ex command CMD at the start
  -R      Set the option readonly
  -H      List the available features

+CMD is the same as -c CMD; + alone goes to the last line. The variable EXINIT, or else the file .exrc
in the home directory, has ex commands that are run first.";
    COMMAND = "-c",
    READ_ONLY = "-R",
    FEATURES = "-H",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const FEATURE_LIST: &[u8] = b"These features are available:
\tPattern searches with / and ?
\tLast command repeat with .
\tLine marking with 'x
\tNamed buffers with \"x
\tUndo and redo without limit
\tVisual mode with v and V, text objects
\tMacros with q and @
\tColon mode commands with :
\tSettable options with :set
\tSignal catching, recovery after a hangup
\tJob suspend and resume with ^Z
\tAdapt to window re-sizes
\tUTF-8 and wide characters
";

/// The most that a number before a command may be, and the most commands that registers run after one key.
const MOST: usize = if cfg!(fuzzing) { 100 } else { 100_000_000 };

/// What keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Command,
    Insert,
    Replace,
}

/// The program at work.
///
/// What most commands use is first, and what is large is apart: short offsets make short code. Without `repr` the compiler
/// would put the cursor behind all vectors.
#[repr(C)]
struct Editor<'e> {
    cursor: usize,
    document: Box<Document>,
    screen: Box<Screen>,
    env: &'e mut Env,
    is_failure: bool,
    is_repeatable: bool,
    is_repeating: bool,
    is_read_only: bool,
    /// The text has no lines: what is there is an empty line for the cursor.
    is_void: bool,
    keeps_column: bool,
    is_global: bool,
    mode: Mode,
    /// What the last row says instead of the status; `is_failure` when it is one.
    message: Vec<u8>,
    /// Where the visual mode began, and whether it takes whole lines.
    visual: Option<(usize, bool)>,
    /// The first line on the screen, and the columns left of it.
    top: usize,
    left: usize,
    options: Options,
    registers: Registers,
    file: File,
    /// The column that movements up and down keep; `keeps_column` when this command was one.
    want: Option<usize>,
    /// The file that was edited before.
    alternate: Vec<u8>,
    files: Vec<Vec<u8>>,
    index: usize,
    /// `:q` has told once that there are more files.
    has_warned: bool,
    /// Lines of Ctrl-D, when they were set.
    half: usize,
    /// An offset in a long line, and its column.
    measured: Cell<(usize, usize)>,
    pattern: Vec<u8>,
    searches_forward: bool,
    last_find: Option<(char, char)>,
    substitution: Substitution,
    has_stopped: bool,
    /// The number and contents of the line when the cursor came to it.
    kept_line: Option<(usize, Vec<u8>)>,
    /// The line has nothing but the indent that came by itself.
    is_indent_only: bool,
    /// Keys to be obeyed before those of the terminal, the next one last.
    queue: Vec<Key>,
    /// The keys of this command, and those of the one that `.` repeats.
    typed: Vec<Key>,
    repeat: Vec<Key>,
    /// The register that is recorded, and what was typed.
    recording: Option<(char, Vec<u8>)>,
    last_macro: Option<char>,
    runs: usize,
    history: Vec<(u8, Vec<u8>)>,
    last_line: Vec<u8>,
    last_shell: Vec<u8>,
    ended: Option<ExitStatus>,
    /// What is reported after the screen was given back.
    lost: Option<Error>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(FEATURES) {
        env.stdout.write(FEATURE_LIST)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let mut commands: Vec<Vec<u8>> = args.values(COMMAND).map(<[u8]>::to_vec).collect();
    let mut files: Vec<Vec<u8>> = Vec::new();
    for operand in args.operands() {
        match operand.strip_prefix(b"+") {
            Some(command) => commands.push(if command.is_empty() { b"$".to_vec() } else { command.to_vec() }),
            None => files.push(operand.to_vec()),
        }
    }
    let Some(screen) = Screen::open(None, Manner::Alternate) else {
        return Err(Error::new("standard input is no terminal"));
    };
    let is_view = env.name == b"view";
    let startup = startup_commands(env);
    let mut editor = Editor::new(env, screen);
    editor.options.flags[settings::READ_ONLY] = args.has(READ_ONLY) || is_view;
    editor.files = files;
    let first = editor.files.first().cloned();
    for command in startup.split(|byte| *byte == b'\n') {
        editor.ex(command);
    }
    // What is wrong in them is more than the file's size.
    let wrong = editor.is_failure.then(|| core::mem::take(&mut editor.message));
    editor.is_failure = false;
    editor.open(first.as_deref());
    if let Some(wrong) = wrong {
        editor.fail(&wrong);
    }
    for command in commands {
        editor.ex(&command);
    }
    editor.go_on()
}

/// POSIX XCU ex: EXINIT, or else .exrc in the home directory, when it is the user's own.
fn startup_commands(env: &Env) -> Vec<u8> {
    if let Some(commands) = env.vars.get("EXINIT") {
        return commands.to_vec();
    }
    let Some(home) = env.vars.get("HOME") else { return Vec::new() };
    let path = rbox_core::bytes::join_path(home, b".exrc");
    let is_own =
        |stat: &fs::Stat| stat.st_uid == rbox_core::sys::process::geteuid().as_raw() && stat.st_mode & 0o022 == 0;
    if !fs::stat(&path).is_ok_and(|stat| is_own(&stat)) {
        return Vec::new();
    }
    // A file that cannot be read has no commands for this user.
    let input = rbox_core::io::Input::open(&path);
    input.and_then(|mut input| input.read_to_end()).unwrap_or_default()
}

impl<'e> Editor<'e> {
    fn new(env: &'e mut Env, screen: Screen) -> Editor<'e> {
        Editor {
            env,
            screen: Box::new(screen),
            options: Options::default(),
            document: Box::new(Document::new(Buffer::new(b"\n".to_vec(), 1))),
            file: File::default(),
            alternate: Vec::new(),
            files: Vec::new(),
            index: 0,
            has_warned: false,
            is_read_only: false,
            is_void: true,
            mode: Mode::Command,
            cursor: 0,
            want: None,
            keeps_column: false,
            top: 0,
            left: 0,
            half: 0,
            measured: Cell::new((usize::MAX, 0)),
            visual: None,
            registers: Registers::new(),
            pattern: Vec::new(),
            searches_forward: true,
            last_find: None,
            substitution: Substitution::default(),
            is_global: false,
            has_stopped: false,
            kept_line: None,
            is_indent_only: false,
            queue: Vec::new(),
            typed: Vec::new(),
            repeat: Vec::new(),
            is_repeatable: true,
            is_repeating: false,
            recording: None,
            last_macro: None,
            runs: 0,
            message: Vec::new(),
            is_failure: false,
            history: Vec::new(),
            last_line: Vec::new(),
            last_shell: Vec::new(),
            ended: None,
            lost: None,
        }
    }

    /// Obeys commands until one of them ends it.
    fn go_on(mut self) -> Outcome {
        while self.ended.is_none() {
            self.command();
        }
        match self.lost.take() {
            Some(error) => Err(error),
            None => Ok(self.ended.unwrap_or_default()),
        }
    }

    fn text(&self) -> &Buffer {
        &self.document.text
    }

    /// Replaces a part of the text. Without memory for it nothing changes.
    fn edit(&mut self, at: usize, length: usize, new: &[u8]) {
        if self.measured.get().0 > at {
            self.measured.set((usize::MAX, 0));
        }
        self.is_void &= new.is_empty();
        if let Err(error) = self.document.replace(at, length, new) {
            self.fail_for(error);
        }
    }

    /// The next key, from the queue or from the terminal.
    fn key(&mut self) -> Key {
        loop {
            if self.queue.is_empty() {
                self.runs = 0;
                if !self.screen.keys.is_ready() {
                    self.draw();
                }
            }
            match self.raw_key() {
                Key::Signal => {}
                key => return key,
            }
        }
    }

    /// The next key, also `Key::Signal`, without drawing.
    fn raw_key(&mut self) -> Key {
        if let Some(key) = self.queue.pop() {
            self.typed.push(key);
            return key;
        }
        let key = self.screen.key();
        if key != Key::Signal {
            self.typed.push(key);
            // What the last command said has been read.
            self.message.clear();
            self.is_failure = false;
            if let Some((_, keys)) = &mut self.recording {
                match key {
                    Key::Char(one) => push_character(keys, one),
                    Key::Byte(byte) => keys.push(byte),
                    _ => {}
                }
            }
        }
        key
    }

    /// Puts keys before those that wait.
    fn press(&mut self, keys: &[Key]) {
        self.queue.extend(keys.iter().rev());
    }

    /// Gives a key back to be read again.
    fn put_back(&mut self, key: Key) {
        self.typed.pop();
        self.queue.push(key);
    }

    /// A command that cannot be obeyed; those that wait in a macro are given up.
    fn bell(&mut self) {
        self.queue.clear();
        self.is_repeating = false;
        if self.options.flags[FLASH] {
            // A terminal that is gone shows at the next key.
            let _ = self.screen.print(b"\x1b[?5h");
            rbox_core::duration::sleep(core::time::Duration::from_millis(100));
            // As above.
            let _ = self.screen.print(b"\x1b[?5l");
        } else {
            self.screen.bell();
        }
    }

    /// Shows a message in the last row until the next key.
    #[inline(never)]
    fn tell(&mut self, message: &[u8]) {
        self.say(message.to_vec());
    }

    /// As `tell`, of a text that was made.
    #[inline(never)]
    fn say(&mut self, message: Vec<u8>) {
        self.message = message;
    }

    /// Reports why a command cannot be obeyed.
    fn fail(&mut self, message: &[u8]) {
        self.queue.clear();
        self.is_repeating = false;
        self.tell(message);
        self.is_failure = true;
    }

    #[inline(never)]
    fn fail_for(&mut self, error: Error) {
        self.fail(error.message());
    }

    fn show_file(&mut self) {
        self.say(text!("- ", self.status()));
    }

    fn suspend(&mut self) {
        self.screen.suspend();
    }

    /// The terminal is gone, or a signal ends the program: what was changed is saved.
    fn hang_up(&mut self) {
        self.ended = Some(ExitStatus::FAILURE);
        if self.document.is_modified() && !cfg!(fuzzing) {
            self.lost = Some(self.save_for_recovery());
        }
    }
}

/// Adds a character in UTF-8.
#[inline(never)]
fn push_character(out: &mut Vec<u8>, one: char) {
    out.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What the fuzz target feeds: keys, and after a byte 255 the text.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (keys, text) = rbox_core::bytes::split_once(data, 0xff).unwrap_or((data, b"one two\n\tthree(four)\n"));
    let keys: Vec<Key> = keys.iter().take(200).map(|&byte| Key::Char(byte.into())).collect();
    let keys: Vec<Key> = keys.into_iter().filter(|key| *key != Key::Char('\x1a')).collect();
    let mut env = rbox_core::testing::env(b"vi");
    let mut editor = Editor::new(&mut env, Screen::memory(&keys, 8, 30));
    editor.document = Box::new(Document::new(Buffer::new(text.to_vec(), text.len())));
    let _ = editor.go_on();
}

#[cfg(test)]
mod tests;
