//! Commands after a colon (POSIX XCU ex): which one it is, files, options, and the shell.

use rbox_core::bytes::find_byte;
use rbox_core::error::ExitStatus;
use rbox_core::term::keys::Key;
use rbox_core::text;

use super::Editor;
use super::buffer::newlines;
use super::range::{Range, skip_blanks};
use super::settings::READ_ONLY;

/// A command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Copy,
    Delete,
    Edit,
    File,
    Global,
    Help,
    Join,
    Mark,
    Move,
    Next,
    Number,
    Previous,
    Put,
    Quit,
    QuitAll,
    Read,
    Redo,
    Rewind,
    Set,
    Shell,
    Suspend,
    Substitute,
    Undo,
    GlobalNot,
    Version,
    Write,
    WriteQuit,
    WriteNext,
    Exit,
    Yank,
}

/// The names of the commands. The capitals are the shortest form; the first that fits is meant.
const NAMES: &str = "COpy Delete Edit File Global Help Join K MArk Move Next NUmber Previous PUt Quit QAll Read REDo REWind SEt SHell \
    STop SUspend Substitute T Undo V VErsion Write WQ WNext Xit Yank";

/// The commands in the order of the names.
const COMMANDS: [Command; 33] = {
    use Command::*;
    [
        Copy, Delete, Edit, File, Global, Help, Join, Mark, Mark, Move, Next, Number, Previous, Put, Quit, QuitAll,
        Read, Redo, Rewind, Set, Shell, Suspend, Suspend, Substitute, Copy, Undo, GlobalNot, Version, Write, WriteQuit,
        WriteNext, Exit, Yank,
    ]
};

/// The list of keys.
pub(super) const HELP: &[u8] = b"\
Moving    h j k l w b e W B E ge 0 ^ $ | f F t T ; , % ( ) { } [[ ]] H M L G gg - + _ / ? n N * # 'x `x\r\n\
Screen    ^F ^B ^D ^U ^E ^Y ^L z<Enter> z. z- zt zz zb ^G\r\n\
Typing    i I a A o O R, in there ^W ^U ^V ^T ^D ^R\r\n\
Deleting  x X d D dd, changing c C cc s S r ~ J gJ > < ! g~ gu gU, copying y Y yy p P \"x\r\n\
Again     . u ^R U & @x @@ qx\r\n\
Objects   iw aw iW aW is as ip ap i\" a\" i' i` i( i[ i{ i< it, after an operator or v\r\n\
Selecting v V gv o\r\n\
Marks     mx 'x `x ''\r\n\
Files     :w :w! :w >>FILE :w !CMD :wq :x ZZ :q :q! ZQ :e :e! :e # ^^ :r :r !CMD :f :n :prev :rew\r\n\
Lines     :s/RE/TEXT/gci & :g/RE/CMD :v :d :m :t :j :y :pu :> :< := :k, with . $ % N 'x /RE/ ?RE? + - , ;\r\n\
Options   :set ai et ic list nu ro sm fl ws sw=N ts=N, 'no' before a name; :set shows them\r\n\
Shell     :!CMD :N,M!CMD :sh ^Z\r\n";

impl Editor<'_> {
    /// Asks for a command line and obeys it.
    pub(super) fn command_line(&mut self, initial: &[u8]) {
        if let Some(line) = self.ask(b":", initial) {
            self.last_line.clone_from(&line);
            self.ex(&line);
        }
        self.leave_visual_after_line();
    }

    fn leave_visual_after_line(&mut self) {
        if self.visual.is_some() {
            self.leave_visual();
        }
    }

    /// Obeys a command line.
    pub(super) fn ex(&mut self, line: &[u8]) {
        let mut line = line;
        while let [b' ' | b'\t' | b':', rest @ ..] = line {
            line = rest;
        }
        // A comment.
        if matches!(line, [] | [b'"', ..]) {
            return;
        }
        let Some(range) = self.range(&mut line) else { return };
        skip_blanks(&mut line);
        let Some(&first) = line.first() else {
            // An address alone moves there.
            let at = self.line_at(range.last);
            self.cursor = self.text().first_nonblank(at);
            self.document.marks[super::undo::CONTEXT] = Some(at);
            return;
        };
        let length = match first {
            b'a'..=b'z' | b'A'..=b'Z' => line.iter().take_while(|byte| byte.is_ascii_alphabetic()).count(),
            _ => 1,
        };
        let (name, rest) = line.split_at(length);
        match first {
            b'!' => self.bang(range, rest),
            b'<' | b'>' => self.shift_lines(range, first, rest),
            b'=' => {
                let number = if range.count == 0 { self.text().lines() } else { range.last };
                self.say(text!(number));
            }
            b'&' => self.substitute(range, None, rest),
            b'@' | b'*' => {
                self.cursor = self.line_at(range.last);
                let name = rest.first().map_or('@', |name| (*name).into());
                self.press(&[Key::Char('@'), Key::Char(name)]);
            }
            b'|' => self.ex(rest),
            // `kx`, `s/x/y/`, `sg` and `g/x/y` need no blank.
            b'k' if length == 2 => self.set_mark_at(range, &line[1..]),
            b's' if !name.iter().skip(1).any(|byte| !b"gcir&".contains(byte)) => {
                self.substitute(range, Some(first), &line[1..]);
            }
            _ => self.named(range, name, rest),
        }
    }

    fn named(&mut self, range: Range, name: &[u8], rest: &[u8]) {
        let Some(command) = command_of(name) else {
            return self.fail_on(name, b"' is not implemented");
        };
        let (forced, mut rest) = match rest {
            [b'!', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        skip_blanks(&mut rest);
        // What takes the rest of the line as it is.
        let takes_all = matches!(command, Command::Global | Command::GlobalNot | Command::Substitute)
            || rest.first() == Some(&b'!');
        let mut following: &[u8] = b"";
        if !takes_all && let Some(bar) = find_byte(b'|', rest) {
            (rest, following) = (&rest[..bar], &rest[bar + 1..]);
        }
        let rest = rest.trim_ascii_end();
        self.is_failure = false;
        match command {
            Command::Global => self.global(range, rest, forced),
            Command::GlobalNot => self.global(range, rest, true),
            Command::Substitute => self.substitute(range, Some(b's'), rest),
            Command::Copy | Command::Move => self.copy_lines(range, rest, command == Command::Move),
            Command::Delete | Command::Yank | Command::Join | Command::Put => {
                self.line_command(range, command, rest, forced)
            }
            Command::Mark => self.set_mark_at(range, rest),
            Command::Undo => self.press(&[Key::Char('u')]),
            Command::Redo => self.press(&[Key::Char('\x12')]),
            Command::Read => self.read(range, rest),
            Command::Write | Command::WriteQuit | Command::WriteNext | Command::Exit => {
                self.write(range, command, rest, forced)
            }
            Command::Quit | Command::QuitAll => self.quit(forced, command == Command::QuitAll),
            Command::Edit => self.edit_file(rest, forced),
            Command::Next | Command::Previous | Command::Rewind => self.go_to_file(command, rest, forced),
            Command::File => {
                if !rest.is_empty() {
                    let name = self.expanded(rest);
                    self.set_file_name(name);
                }
                self.show_file();
            }
            Command::Set => self.set(rest),
            Command::Shell => self.shell(None),
            Command::Suspend => self.suspend(),
            Command::Number => self.say(text!(range.last, " ", self.line_text(range.last))),
            Command::Version => self.tell(rbox_core::applet::VERSION_LINE.as_bytes()),
            _ => self.show_list(HELP),
        }
        if !following.is_empty() && !self.is_failure {
            self.ex(following);
        }
    }

    pub(super) fn line_text(&self, number: usize) -> Vec<u8> {
        let at = self.line_at(number);
        self.text().copy(at, self.text().line_end(at))
    }

    fn show_list(&mut self, list: &[u8]) {
        self.screen.leave();
        // A terminal that is gone shows at the key.
        let _ = self.screen.print(list);
        self.screen.pause(b"[Hit return to continue]");
        self.screen.enter();
    }

    /// A command or a file name, in which `%` is the file and `#` the one before.
    pub(super) fn expanded(&self, words: &[u8]) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), 0);
        while at < words.len() {
            let new = match words[at..] {
                [b'\\', b'%' | b'#' | b'!', ..] => {
                    at += 1;
                    &words[at..=at]
                }
                [b'%', ..] => self.file.name.as_deref().unwrap_or_default(),
                [b'#', ..] => &self.alternate,
                _ => &words[at..=at],
            };
            out.extend_from_slice(new);
            at += 1;
        }
        out
    }

    fn bang(&mut self, range: Range, rest: &[u8]) {
        let mut line = self.expanded(rest);
        if rest.starts_with(b"!") {
            line = text!(&self.last_shell, &line[1..]);
        }
        self.last_shell.clone_from(&line);
        if range.count == 0 {
            return self.shell(Some(&line));
        }
        let (from, to) = self.offsets(range);
        let input = self.text().copy(from, to);
        let Some(mut output) = self.filter(&line, &input) else { return };
        if !output.is_empty() && output.last() != Some(&b'\n') {
            output.push(b'\n');
        }
        match output.is_empty() {
            true => self.remove(from, to),
            false => self.edit(from, to - from, &output),
        }
        self.cursor = self.text().first_nonblank(from.min(self.text().len() - 1));
    }

    fn read(&mut self, range: Range, rest: &[u8]) {
        let at = self.after_line(range.last);
        match rest {
            [b'!', line @ ..] => {
                let line = self.expanded(line);
                if let Some(output) = self.filter(&line, b"") {
                    self.insert_lines(at, output);
                }
            }
            name => {
                if let Some(name) = self.name_or_own(name) {
                    self.read_file(&name, at);
                }
            }
        }
    }

    /// The file that a command names, or else the one that is edited. `None` after a failure, which is reported.
    #[inline(never)]
    fn name_or_own(&mut self, rest: &[u8]) -> Option<Vec<u8>> {
        let name = if rest.is_empty() { self.file.name.clone() } else { Some(self.expanded(rest)) };
        if name.is_none() {
            self.fail(b"No current filename");
        }
        name
    }

    fn write(&mut self, range: Range, command: Command, rest: &[u8], forced: bool) {
        let (from, to) = if range.count > 0 { self.offsets(range) } else { (0, self.text().len()) };
        if let [b'!', line @ ..] = rest {
            let (line, input) = (self.expanded(line), self.text().copy(from, to));
            if let Some(output) = self.filter(&line, &input) {
                self.show_output(&output);
            }
            return;
        }
        let (append, rest) = match rest {
            [b'>', b'>', rest @ ..] => (true, rest.trim_ascii_start()),
            rest => (false, rest),
        };
        let is_needed = command != Command::Exit || self.document.is_modified() || !rest.is_empty();
        if is_needed {
            let Some(name) = self.name_or_own(rest) else { return };
            if !self.write_file(&name, from, to, forced, append) {
                return;
            }
        }
        match command {
            Command::Write => {}
            Command::WriteNext => self.go_to_file(Command::Next, b"", false),
            _ => self.quit(forced, false),
        }
    }

    fn show_output(&mut self, output: &[u8]) {
        if newlines(output) < 2 {
            return self.tell(output.trim_ascii_end());
        }
        let mut list = Vec::new();
        for line in output.split(|byte| *byte == b'\n') {
            list.extend_from_slice(&rbox_core::term::clean(line, b"\t", rbox_core::term::Shown::Caret));
            list.extend_from_slice(b"\r\n");
        }
        self.show_list(&list);
    }

    fn quit(&mut self, forced: bool, all: bool) {
        if !forced && self.document.is_modified() {
            return self.fail(b"No write since last change (:q! overrides)");
        }
        let left = self.files.len().saturating_sub(self.index + 1);
        if !forced && !all && left > 0 && !self.has_warned {
            // BusyBox: a second `:q` ends it.
            self.has_warned = true;
            return self.fail(&text!(left, " more file(s) to edit"));
        }
        self.ended = Some(ExitStatus::SUCCESS);
    }

    /// Refuses to lose changes.
    fn may_leave(&mut self, forced: bool, command: &str) -> bool {
        if !forced && self.document.is_modified() {
            self.fail(&text!("No write since last change (:", command, "! overrides)"));
            return false;
        }
        true
    }

    fn set_file_name(&mut self, name: Vec<u8>) {
        self.alternate = self.file.name.replace(name).unwrap_or_default();
        self.file.forget();
    }

    fn edit_file(&mut self, rest: &[u8], forced: bool) {
        let (command, rest) = match rest {
            [b'+', command @ ..] => {
                let mut rest = command;
                (Some(next_word(&mut rest)), rest.trim_ascii_start())
            }
            rest => (None, rest),
        };
        let Some(name) = self.name_or_own(rest) else { return };
        if name.is_empty() {
            return self.fail(b"No current filename");
        }
        if self.may_leave(forced, "e") {
            self.switch_to(&name);
            if let Some(command) = command {
                self.ex(if command.is_empty() { b"$" } else { command });
            }
        }
    }

    pub(super) fn switch_to(&mut self, name: &[u8]) {
        if let Some(before) = self.file.name.take().filter(|before| before != name) {
            self.alternate = before;
        }
        self.open(Some(name));
    }

    fn go_to_file(&mut self, command: Command, rest: &[u8], forced: bool) {
        let short = match command {
            Command::Next => "n",
            Command::Previous => "prev",
            _ => "rew",
        };
        if !self.may_leave(forced, short) {
            return;
        }
        if !rest.is_empty() && command == Command::Next {
            self.files.clear();
            let mut rest = rest;
            while !rest.is_empty() {
                let word = next_word(&mut rest);
                if !word.is_empty() {
                    self.files.push(word.to_vec());
                }
            }
            self.index = 0;
        } else {
            match command {
                Command::Next if self.index + 1 < self.files.len() => self.index += 1,
                Command::Previous if self.index > 0 => self.index -= 1,
                Command::Rewind if !self.files.is_empty() => self.index = 0,
                Command::Previous => return self.fail(b"No previous files to edit"),
                _ => return self.fail(b"No more files to edit"),
            }
        }
        let name = self.files[self.index].clone();
        self.has_warned = false;
        self.switch_to(&name);
    }

    /// `:set`: no words show the options.
    pub(super) fn set(&mut self, words: &[u8]) {
        if words.is_empty() || words == b"all" {
            self.say(self.options.text());
        }
        let mut rest = words;
        while !rest.is_empty() {
            let word = next_word(&mut rest);
            if !word.is_empty() && word != b"all" && !self.options.set(word) {
                return self.fail(&text!("bad option: ", word));
            }
        }
        self.is_read_only = self.options.flags[READ_ONLY] || self.is_read_only && !words.starts_with(b"noro");
        self.measured.set((usize::MAX, 0));
        self.screen.forget();
    }
}

/// The command that a name is the beginning of, at least of its capitals.
fn command_of(name: &[u8]) -> Option<Command> {
    let (mut names, mut index) = (NAMES.as_bytes(), 0);
    while !names.is_empty() {
        let full = next_word(&mut names);
        // The characters of both without their case.
        let same = full.iter().zip(name).take_while(|(full, byte)| **full | 32 == **byte | 32).count();
        if same == name.len() && full.get(same).is_none_or(u8::is_ascii_lowercase) {
            return Some(COMMANDS[index]);
        }
        index += 1;
    }
    None
}

/// Takes a word and the blank after it off a text.
#[inline(never)]
pub(super) fn next_word<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let (word, rest) = rbox_core::bytes::split_once(text, b' ').unwrap_or((text, b""));
    *text = rest;
    word
}
