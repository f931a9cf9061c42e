//! The state of a shell, and its errors.

use crate::array::{Array, FUNCTION, REFERENCE};
use crate::exec::jobs::Jobs;
use crate::symbols::{Sym, Symbols};
use crate::syntax::ast::Function;
use crate::syntax::input::{Input, Reader};
use crate::syntax::parser::{Host, SyntaxError};
use rbox_core::applet::Registry;
use rbox_core::sys::termios::Termios;
use rbox_core::sys::{Errno, fd, fs, process};
use rbox_core::term::line::Editor;
use rbox_core::text;
use rbox_core::text::Right;
use std::rc::Rc;

/// Why a command does not go on to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
    /// A shell error, already told: ends a shell that is not interactive (XCU 2.8.1).
    Error,
    /// A redirection that cannot be made, already told: ends it only before a special builtin.
    Redirection,
    Break(u32),
    Continue(u32),
    Return,
    Exit,
}

/// How a command went; its status is in the shell.
pub type Run = Result<(), Fail>;

/// The options of `set`.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub allexport: bool,
    pub notify: bool,
    pub noclobber: bool,
    pub errexit: bool,
    pub noglob: bool,
    pub interactive: bool,
    /// Commands come from standard input: the `s` of `$-`.
    pub stdin: bool,
    /// They come from `-c`: the `c` of `$-`.
    pub command: bool,
    pub monitor: bool,
    pub noexec: bool,
    pub nounset: bool,
    pub verbose: bool,
    pub xtrace: bool,
    pub ignoreeof: bool,
    pub errtrace: bool,
    pub vi: bool,
    pub nolog: bool,
    pub pipefail: bool,
    /// bash's arrays, brace expansion and `time`.
    pub bash: bool,
    pub nullglob: bool,
    pub dotglob: bool,
    pub failglob: bool,
    pub extglob: bool,
    pub globstar: bool,
    pub nocaseglob: bool,
    pub nocasematch: bool,
    pub lastpipe: bool,
    pub inherit_errexit: bool,
    pub expand_aliases: bool,
    /// A login shell: `shopt login_shell`.
    pub login: bool,
    /// `set +B`: braces are not expanded.
    pub nobraces: bool,
    /// `set -T`: functions and subshells have the traps DEBUG and RETURN.
    pub functrace: bool,
}

/// Variables whose value the shell computes or watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Special {
    #[default]
    None,
    Ifs,
    Path,
    Line,
    Random,
    OptionIndex,
    /// bash's SECONDS: since the shell began, or since it was assigned.
    Seconds,
    /// bash's PIPESTATUS.
    PipeStatus,
    /// bash's FUNCNAME.
    FunctionName,
    /// bash's BASH_SOURCE: the files that the functions are from.
    Source,
    /// bash's BASH_LINENO: where the functions were called.
    CallLines,
    /// bash's BASHPID.
    OwnPid,
    /// bash's BASH_SUBSHELL.
    Depth,
    /// bash's EPOCHSECONDS.
    Epoch,
    /// bash's EPOCHREALTIME, with microseconds.
    EpochExact,
    /// bash's DIRSTACK.
    Folders,
    /// A name reference.
    Reference,
    /// The element of an array that a reference names.
    Element,
    /// bash's BASH_COMMAND.
    Command,
    /// bash's `$_`.
    LastWord,
}

/// A function that runs or a file that `.` reads, for FUNCNAME, BASH_SOURCE and BASH_LINENO.
pub struct Frame {
    pub name: Vec<u8>,
    /// The file that has it.
    pub source: Rc<[u8]>,
    /// The line of the call.
    pub line: u32,
}

/// What one name stands for.
#[derive(Clone, Default)]
pub struct Slot {
    pub value: Vec<u8>,
    pub set: bool,
    pub export: bool,
    pub readonly: bool,
    pub special: Special,
    /// Bits of `declare -i -l -u`.
    pub attributes: u8,
    pub array: Option<Box<Array>>,
    pub function: Option<Rc<Function>>,
    pub alias: Option<Rc<[u8]>>,
    /// Where PATH has the command of that name.
    pub path: Option<Rc<[u8]>>,
    /// The builtin of that name: 0 before it was looked up, 1 for none, else its number plus 2.
    pub builtin: u8,
}

/// A variable put aside by `local` or by an assignment before a command.
pub struct Saved {
    pub name: Sym,
    pub slot: Slot,
    /// The options, put aside by `local -`.
    pub options: Option<Box<Options>>,
}

/// A shell.
pub struct Shell {
    pub registry: Registry,
    pub symbols: Symbols,
    pub variables: Vec<Slot>,
    pub options: Options,
    pub arg0: Vec<u8>,
    /// The name the shell was called by.
    pub called: Vec<u8>,
    /// `$0` was given: messages tell the line.
    pub named: bool,
    pub positional: Rc<Vec<Vec<u8>>>,
    pub status: u8,
    pub pid: i32,
    pub background: Option<i32>,
    pub jobs: Jobs,
    /// The last foreground job was ended by Ctrl-C.
    pub interrupted_job: bool,
    pub traps: Vec<Option<Rc<[u8]>>>,
    /// The traps of the enclosing shell, which a subshell lists until it sets its own.
    pub outer_traps: Option<Vec<Option<Rc<[u8]>>>>,
    /// The status when the action of a trap began, and the depth of calls and files then.
    pub trap_status: Option<(u8, u32)>,
    /// Signals ignored when the shell began: they cannot be trapped (XCU 2.15, trap).
    pub ignored: u64,
    /// The signals for which `ignored` is known.
    pub asked: u64,
    pub locals: Vec<Vec<Saved>>,
    pub loops: u32,
    pub calls: u32,
    pub sources: u32,
    /// Depth of places where `set -e` does not count.
    pub tested: u32,
    pub line: u32,
    /// The line that commands were read up to.
    pub read_line: u32,
    /// Name of the builtin that runs, for messages.
    pub builtin: &'static str,
    /// `eval`, or the file that `.` reads, for messages.
    pub context: Vec<u8>,
    /// Where standard output goes when a substitution runs without a fork.
    pub capture: Option<Vec<u8>>,
    /// A subshell runs without a fork.
    pub quiet: bool,
    /// The words of a command that `set -x` shows behind its assignments.
    pub traced: Vec<Vec<u8>>,
    pub ifs: Vec<u8>,
    /// The statuses of the last pipeline's commands, in bash mode.
    pub pipe_status: Vec<u8>,
    /// The functions and files that run, in bash mode, the innermost last.
    pub frames: Vec<Frame>,
    /// The folders that `pushd` put aside, the last one first.
    pub folders: Vec<Vec<u8>>,
    /// How many subshells this is in.
    pub depth: u32,
    /// The command that runs, as far as a trap may ask for it.
    pub command_text: Vec<u8>,
    /// The last word of the last simple command, in bash mode.
    pub last_word: Vec<u8>,
    /// The shell's ends of the pipes of `<(...)` and `>(...)`, open until the command has ended.
    pub pipe_ends: Vec<i32>,
    /// The process that `wait` has waited for last.
    pub waited: i32,
    /// When SECONDS was 0, in seconds since the epoch.
    pub began: i64,
    pub subshell: bool,
    pub substitution_status: Option<u8>,
    pub option_at: usize,
    /// The argument that `getopts` looks at next, from 1. As in BusyBox each call of a function has its own.
    pub option_index: usize,
    pub random: u32,
    /// The line editor, with the history.
    pub editor: Editor,
    /// Prompts for which the user may end the shell though jobs are stopped.
    pub warned: u8,
    /// The terminal's descriptor.
    pub terminal: Option<i32>,
    /// The group that the shell was started in, when it has left it.
    pub first_group: Option<i32>,
    /// The terminal's modes at the last prompt.
    pub modes: Option<Termios>,
    /// Device and inode of the running program, once they were asked for.
    pub own_file: Option<(u64, u64)>,
    /// Ctrl-C in the middle of a command: it is dropped.
    pub interrupted: bool,
    /// The descriptor that `set -x` writes to.
    pub trace_to: i32,
    /// The builtin that runs could not write what it had to.
    pub write_failed: bool,
    /// The commands could not be read to their end.
    pub read_failed: bool,
    /// Lines of the command that is being entered, which `set -o nolog` may keep out of the history.
    pub unlogged: Vec<Vec<u8>>,
    pub stack_base: usize,
    /// Bytes of the stack that calls and nesting may use.
    pub stack_limit: usize,
}

impl Shell {
    /// What messages begin with: the script, the builtin or the file that is read, the line.
    fn message_start(&self, line: u32) -> Vec<u8> {
        let mut text = self.arg0.clone();
        text.extend_from_slice(b": ");
        let source = if self.builtin.is_empty() { &self.context[..] } else { self.builtin.as_bytes() };
        if !source.is_empty() {
            text.extend_from_slice(source);
            text.extend_from_slice(b": ");
        }
        if self.named || (!source.is_empty() && !self.options.interactive) {
            // BusyBox counts the lines of `-c` from 0 in its messages.
            let line = line.saturating_sub(u32::from(self.options.command && self.sources == 0));
            text.extend_from_slice(b"line ");
            text.extend_from_slice(rbox_core::number::Decimal::new(u64::from(line)).as_bytes());
            text.extend_from_slice(b": ");
        }
        text
    }

    /// A message of one text: data without a pointer, which an array of one part would have.
    pub fn plain_report(&self, text: &[u8]) {
        self.report(&[text]);
    }

    /// A message about the command that runs.
    pub fn report(&self, parts: &[&[u8]]) {
        self.print_error(self.message_start(self.line), parts);
    }

    fn print_error(&self, mut text: Vec<u8>, parts: &[&[u8]]) {
        for part in parts {
            text.extend_from_slice(part);
        }
        text.push(b'\n');
        // There is no one left to tell that standard error is dead.
        let _ = write_all(2, &text);
    }

    /// Reports a shell error and gives what stops the command.
    pub fn error(&mut self, parts: &[&[u8]]) -> Fail {
        self.report(parts);
        self.status = if self.options.bash { 1 } else { 2 };
        Fail::Error
    }

    /// As `error`, with a message of one text.
    pub fn plain_error(&mut self, text: &[u8]) -> Fail {
        self.error(&[text])
    }

    /// As `error`, for what ends a script of bash too: an unset parameter under `set -u`, `${x?}`.
    pub fn fatal(&mut self, parts: &[&[u8]]) -> Fail {
        let fail = self.error(parts);
        if self.options.bash && !self.options.interactive { Fail::Exit } else { fail }
    }

    /// Reports a syntax error.
    pub fn syntax_error(&mut self, error: &SyntaxError) -> Fail {
        let mut text = self.message_start(error.line);
        text.extend_from_slice(b"syntax error: ");
        self.print_error(text, &[&error.message]);
        self.status = 2;
        Fail::Error
    }

    /// The symbol of a name, with its slot.
    pub fn intern(&mut self, name: &[u8]) -> Sym {
        let sym = self.symbols.intern(name);
        if sym.index() >= self.variables.len() {
            self.variables.resize_with(self.symbols.len(), Slot::default);
        }
        sym
    }

    /// The slot of a symbol.
    pub fn slot(&mut self, name: Sym) -> &mut Slot {
        if name.index() >= self.variables.len() {
            self.variables.resize_with(self.symbols.len(), Slot::default);
        }
        &mut self.variables[name.index()]
    }

    /// A variable's value; `None` when it is unset.
    pub fn value(&mut self, name: Sym) -> Option<&[u8]> {
        match self.slot(name).special {
            Special::Line => self.variables[name.index()].value = text!(self.line),
            Special::Random => {
                self.random = self.random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                let number = (self.random >> 16) & 0x7fff;
                self.variables[name.index()].value = text!(number);
            }
            Special::Reference => {
                let target = self.resolve(name);
                return if self.slot(target).special == Special::Reference { None } else { self.value(target) };
            }
            Special::None | Special::Ifs | Special::Path | Special::OptionIndex => {}
            _ => self.compute(name),
        }
        let slot = &self.variables[name.index()];
        slot.set.then_some(&slot.value[..])
    }

    /// The value of the variable of that name.
    pub fn get(&mut self, name: &[u8]) -> Option<&[u8]> {
        let name = self.symbols.find(name)?;
        self.value(name)
    }

    /// Computes the value of one of bash's variables.
    fn compute(&mut self, name: Sym) {
        let value = match self.slot(name).special {
            Special::Seconds => Some(text!(now().saturating_sub(self.began))),
            Special::Epoch => Some(text!(now())),
            Special::EpochExact => Some(exact_now()),
            Special::OwnPid => Some(text!(i64::from(process::getpid().as_raw_nonzero().get()))),
            Special::Depth => Some(text!(self.depth)),
            Special::Element => self.referenced_element(name),
            Special::Command => Some(self.command_text.clone()),
            Special::LastWord => Some(self.last_word.clone()),
            _ => self.array(name).and_then(|array| array.get(&[0; 8]).cloned()),
        };
        let slot = self.slot(name);
        slot.set = value.is_some();
        slot.value = value.unwrap_or_default();
    }

    /// Assigns.
    pub fn set(&mut self, name: Sym, value: &[u8]) -> Run {
        self.writable(name)?;
        if self.variables[name.index()].is_peculiar() {
            return self.set_peculiar(name, value);
        }
        let export = self.options.allexport;
        let slot = &mut self.variables[name.index()];
        slot.value.clear();
        slot.value.extend_from_slice(value);
        slot.set = true;
        slot.export |= export;
        if slot.special != Special::None {
            self.changed(name);
        }
        Ok(())
    }

    /// Assigns a variable that is an array or has attributes.
    fn set_peculiar(&mut self, name: Sym, value: &[u8]) -> Run {
        if self.slot(name).attributes & REFERENCE != 0 {
            return self.set_referenced(name, value);
        }
        if let Some(array) = &self.slot(name).array {
            let key: &[u8] = if array.associative { b"0" } else { &[0; 8] };
            let key = key.to_vec();
            return self.set_element(name, &key, value, false);
        }
        let value = self.changed_by_attributes(name, value, None)?;
        let slot = self.slot(name);
        slot.value = value;
        slot.set = true;
        Ok(())
    }

    /// Assigns a number.
    pub fn set_number(&mut self, name: Sym, value: i64) -> Run {
        let text = rbox_core::number::Decimal::new(value.unsigned_abs());
        if value >= 0 {
            return self.set(name, text.as_bytes());
        }
        let text = [b"-", text.as_bytes()].concat();
        self.set(name, &text)
    }

    /// Fails when the variable is read-only.
    pub fn writable(&mut self, name: Sym) -> Run {
        if self.slot(name).readonly {
            let name = Rc::clone(self.symbols.name(name));
            return Err(self.error(&[&name, b": is read only"]));
        }
        Ok(())
    }

    /// Looks after a special variable that got another value.
    pub fn changed(&mut self, name: Sym) {
        match self.variables[name.index()].special {
            Special::Ifs => {
                let slot = &self.variables[name.index()];
                self.ifs = if slot.set { slot.value.clone() } else { b" \t\n".to_vec() };
            }
            Special::Path => self.variables.iter_mut().for_each(|slot| slot.path = None),
            Special::OptionIndex => {
                let value = crate::arith::small_number(&self.variables[name.index()].value).unwrap_or(1);
                self.option_index = usize::try_from(value).unwrap_or(1).max(1);
                self.option_at = 0;
            }
            Special::Random => {
                let value = crate::arith::small_number(&self.variables[name.index()].value).unwrap_or(0);
                self.random = value as u32;
            }
            Special::Seconds => {
                let value = crate::arith::small_number(&self.variables[name.index()].value).unwrap_or(0);
                self.began = now().saturating_sub(value);
            }
            // An assigned LINENO is a variable as any other.
            Special::Line => self.variables[name.index()].special = Special::None,
            _ => {}
        }
    }

    /// Unsets a variable.
    pub fn unset(&mut self, name: Sym) -> Run {
        self.writable(name)?;
        let slot = &mut self.variables[name.index()];
        slot.set = false;
        slot.export = false;
        slot.value.clear();
        slot.array = None;
        slot.attributes = 0;
        if slot.special != Special::None {
            self.changed(name);
            let slot = &mut self.variables[name.index()];
            if matches!(slot.special, Special::Line | Special::Random | Special::Reference) {
                slot.special = Special::None;
            }
        }
        Ok(())
    }

    /// Puts a variable aside in the innermost scope; false when it is there already.
    pub fn save(&mut self, name: Sym) -> bool {
        let slot = self.slot(name);
        let saved = Slot {
            value: slot.value.clone(),
            set: slot.set,
            export: slot.export,
            readonly: slot.readonly,
            special: slot.special,
            attributes: slot.attributes,
            array: slot.array.clone(),
            ..Slot::default()
        };
        let Some(scope) = self.locals.last_mut() else { return false };
        if scope.iter().any(|saved| saved.name == name && saved.options.is_none()) {
            return false;
        }
        scope.push(Saved { name, slot: saved, options: None });
        true
    }

    /// Puts a variable aside and unsets it, once a scope; it stays exported.
    pub fn make_local(&mut self, name: Sym) {
        if !self.save(name) {
            return;
        }
        let slot = self.slot(name);
        slot.array = None;
        slot.attributes = 0;
        slot.set = false;
        slot.value.clear();
        if slot.special == Special::Reference {
            slot.special = Special::None;
        }
        self.changed(name);
    }

    /// Puts the options aside in the innermost scope: `local -`.
    pub fn save_options(&mut self) {
        let name = self.intern(b"-");
        let options = Some(Box::new(self.options.clone()));
        if let Some(scope) = self.locals.last_mut() {
            scope.push(Saved { name, slot: Slot::default(), options });
        }
    }

    /// Takes back the variables of the innermost scope.
    pub fn restore_scope(&mut self) {
        for saved in self.locals.pop().unwrap_or_default().into_iter().rev() {
            if let Some(options) = saved.options {
                self.options = *options;
                continue;
            }
            let slot = &mut self.variables[saved.name.index()];
            slot.value = saved.slot.value;
            slot.set = saved.slot.set;
            slot.export = saved.slot.export;
            slot.readonly = saved.slot.readonly;
            slot.special = saved.slot.special;
            slot.attributes = saved.slot.attributes;
            slot.array = saved.slot.array;
            if slot.special != Special::None {
                self.changed(saved.name);
            }
        }
    }

    /// The environment of programs: every exported variable that is set.
    pub fn environment(&self) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        for (index, slot) in self.variables.iter().enumerate() {
            if slot.attributes & FUNCTION != 0 {
                words.extend(self.exported_function(Sym(index as u32)));
            }
            if slot.export && slot.set && slot.array.is_none() {
                words.push([&self.symbols.name(Sym(index as u32))[..], b"=", &slot.value].concat());
            }
        }
        words
    }

    /// Names of variables with a property, sorted.
    pub fn names(&self, wanted: fn(&Slot) -> bool) -> Vec<Sym> {
        let mut names: Vec<Sym> =
            (0..self.variables.len()).filter(|&at| wanted(&self.variables[at])).map(|at| Sym(at as u32)).collect();
        names.sort_by(|a, b| self.symbols.name(*a).cmp(self.symbols.name(*b)));
        names
    }

    /// Writes to standard output: the descriptor, or the substitution that runs here.
    pub fn print(&mut self, text: &[u8]) {
        let failed = match &mut self.capture {
            Some(captured) => {
                captured.extend_from_slice(text);
                return;
            }
            None => write_all(1, text),
        };
        if let Err(errno) = failed
            && !std::mem::replace(&mut self.write_failed, true)
        {
            let reason = rbox_core::sys::error_text(errno);
            self.print_error(self.called.clone(), &[b": write error: ", reason.as_bytes()]);
            self.status = 1;
        }
    }

    /// Whether the stack has room for one more call: a quarter of a megabyte is kept back.
    pub fn stack_has_room(&self) -> bool {
        let here = 0u8;
        let used = self.stack_base.abs_diff(&raw const here as usize);
        used < self.stack_limit
    }
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    rbox_core::sys::time::clock_gettime(rbox_core::sys::time::ClockId::Realtime).tv_sec
}

/// Seconds since the epoch with six digits of a fraction.
fn exact_now() -> Vec<u8> {
    let time = rbox_core::sys::time::clock_gettime(rbox_core::sys::time::ClockId::Realtime);
    text!(time.tv_sec, ".", Right(time.tv_nsec as u64 / 1000, 6, b'0'))
}

/// Writes all of a text to a descriptor.
pub fn write_all(number: i32, mut text: &[u8]) -> Result<(), rbox_core::sys::Errno> {
    while !text.is_empty() {
        match fd::write(fd::borrow(number), text) {
            Ok(count) => text = &text[count..],
            Err(rbox_core::sys::Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

impl Shell {
    /// Whether there was more to read; an error of reading commands is told and noted.
    fn checked(&mut self, more: Result<bool, Errno>) -> bool {
        more.unwrap_or_else(|errno| {
            self.report(&[b"read error: ", rbox_core::sys::error_text(errno).as_bytes()]);
            self.read_failed = true;
            false
        })
    }
}

impl Host for Shell {
    fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }

    fn alias(&self, name: &[u8]) -> Option<Rc<[u8]>> {
        if self.options.bash && !self.options.interactive && !self.options.expand_aliases {
            return None;
        }
        let name = self.symbols.find(name)?;
        self.variables.get(name.index())?.alias.clone()
    }

    fn is_special(&self, name: &[u8]) -> bool {
        crate::builtins::find(name).is_some_and(|builtin| builtin.special)
    }

    fn has_room(&self) -> bool {
        self.stack_has_room()
    }

    fn extended(&self) -> bool {
        self.options.bash
    }

    fn groups(&self) -> bool {
        self.options.extglob
    }

    fn braces(&self) -> bool {
        self.options.bash && !self.options.nobraces
    }

    fn read_more(&mut self, input: &mut Input, continued: bool) -> bool {
        match input.reader {
            Reader::None => false,
            Reader::Script(number) => self.checked(read_block(number, &mut input.buffer, 1 << 14)),
            Reader::Seekable(number) => {
                self.prompt_without_terminal(continued);
                self.checked(read_block(number, &mut input.buffer, 1024))
            }
            Reader::Bytes(number) => {
                self.prompt_without_terminal(continued);
                self.checked(read_bytes(number, &mut input.buffer))
            }
            Reader::Terminal => match crate::interactive::read_command_line(self, continued) {
                Some(line) => {
                    input.buffer.extend_from_slice(&line);
                    true
                }
                None => false,
            },
        }
    }
}

/// A block of commands; false at the end.
fn read_block(number: i32, into: &mut Vec<u8>, size: usize) -> Result<bool, Errno> {
    let start = into.len();
    into.resize(start + size, 0);
    let got = read_commands(number, &mut into[start..]);
    into.truncate(start + got.unwrap_or(0));
    got.map(|got| got > 0)
}

/// One line, byte by byte: what follows belongs to the commands. False at the end.
fn read_bytes(number: i32, into: &mut Vec<u8>) -> Result<bool, Errno> {
    let start = into.len();
    let mut byte = [0];
    while read_commands(number, &mut byte)? == 1 {
        into.push(byte[0]);
        if byte[0] == b'\n' {
            break;
        }
    }
    Ok(into.len() > start)
}

/// Reads commands once, going on after signals.
fn read_commands(number: i32, into: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match fd::read(fd::borrow(number), &mut *into) {
            Err(Errno::INTR) => {}
            // XCU sh, STDIN: the shell makes its standard input block again, for good.
            Err(Errno::AGAIN) => {
                let flags = fs::fcntl_getfl(fd::borrow(number))?;
                if !flags.contains(fs::OFlags::NONBLOCK) {
                    return Err(Errno::AGAIN);
                }
                fs::fcntl_setfl(fd::borrow(number), flags - fs::OFlags::NONBLOCK)?;
            }
            result => return result,
        }
    }
}

/// Whether a descriptor can seek.
pub fn is_seekable(number: i32) -> bool {
    fs::seek(fd::borrow(number), fs::SeekFrom::Current(0)).is_ok()
}

/// Reads once, going on after signals; an error reads as the end.
pub fn read_number(number: i32, into: &mut [u8]) -> usize {
    loop {
        match fd::read(fd::borrow(number), &mut *into) {
            Ok(got) => return got,
            Err(rbox_core::sys::Errno::INTR) => {}
            Err(_) => return 0,
        }
    }
}
