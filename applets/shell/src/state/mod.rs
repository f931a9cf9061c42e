//! The state of a shell, and its errors.

pub mod array;
mod function;
mod reference;
pub mod variables;

use crate::exec::jobs::Jobs;
use crate::state::array::Array;
use crate::syntax::ast::Function;
use crate::syntax::copied::Copied;
use crate::syntax::parser::SyntaxError;
use crate::syntax::symbols::{Sym, Symbols};
use rbox_core::applet::Registry;
use rbox_core::sys::fd::{Descriptors, Private};
use rbox_core::sys::termios::Termios;
use rbox_core::sys::{BorrowedFd, Errno, fd, fs};
use rbox_core::term::line::Editor;
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
    /// `set -o posix` in bash mode: special builtins are what POSIX has them be.
    pub posix: bool,
    /// `!` in a line that is entered stands for an earlier one.
    pub histexpand: bool,
    /// Lines that are entered are kept.
    pub history: bool,
    pub nullglob: bool,
    /// LINES and COLUMNS are those of the terminal before each prompt.
    pub checkwinsize: bool,
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
    /// LC_ALL, LC_CTYPE and LANG: what a character is.
    Locale,
    /// FUNCNAME as BusyBox has it: the function that runs.
    CurrentFunction,
    /// HOSTNAME.
    HostName,
    /// bash's GLOBIGNORE: `shopt dotglob` is on while it is set.
    GlobIgnore,
    /// bash's SHELLOPTS and BASHOPTS: the options that are on.
    ShellOptions,
    BashOptions,
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
    Directories,
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
    /// The words of a command that `set -x` shows after its assignments.
    pub traced: Vec<Vec<u8>>,
    pub ifs: Vec<u8>,
    /// Characters are those of UTF-8, by the locale as the variables say it now.
    pub utf8: bool,
    /// The statuses of the last pipeline's commands, in bash mode.
    pub pipe_status: Vec<u8>,
    /// The name of the function that runs.
    pub function_name: Vec<u8>,
    /// The functions and files that run, in bash mode, the innermost last.
    pub frames: Vec<Frame>,
    /// The directories that `pushd` put aside, the last one first.
    pub directories: Vec<Vec<u8>>,
    /// How many subshells this is in.
    pub depth: u32,
    /// The command that runs, as far as a trap may ask for it.
    pub command_text: Vec<u8>,
    /// The last word of the last simple command, in bash mode.
    pub last_word: Vec<u8>,
    /// The shell's ends of the pipes of `<(...)` and `>(...)`, open until the command has ended.
    pub pipe_ends: Vec<i32>,
    /// The descriptors of the script, and those of the shell beside them.
    pub descriptors: Descriptors,
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
    /// Number of the command that is entered, from 1.
    pub entered: u32,
    /// The line editor, with the history.
    pub editor: Editor,
    /// Prompts for which the user may end the shell though jobs are stopped.
    pub warned: u8,
    /// The terminal.
    pub terminal: Option<Private>,
    /// The group that the shell was started in, when it has left it.
    pub first_group: Option<i32>,
    /// The terminal's modes at the last prompt.
    pub modes: Option<Termios>,
    /// Device and inode of the running program, once they were asked for.
    pub own_file: Option<(u64, u64)>,
    /// Ctrl-C in the middle of a command: it is dropped.
    pub interrupted: bool,
    /// Where `set -x` writes to while standard error is redirected for a command.
    pub trace_to: Option<Private>,
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
        let mut text = self.arg0.copied();
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
            self.print_error(self.called.copied(), &[b": write error: ", reason.as_bytes()]);
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

/// Writes all of a text to a standard stream.
pub fn write_all(number: i32, text: &[u8]) -> Result<(), Errno> {
    write_to(fd::borrow(number), text)
}

/// Writes all of a text to a descriptor.
pub fn write_to(file: BorrowedFd<'_>, mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        match fd::write(file, text) {
            Ok(count) => text = &text[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Whether a descriptor can seek.
pub fn is_seekable(file: BorrowedFd<'_>) -> bool {
    fs::seek(file, fs::SeekFrom::Current(0)).is_ok()
}

/// Reads once, going on after signals; an error reads as the end.
pub fn read_once(file: BorrowedFd<'_>, into: &mut [u8]) -> usize {
    loop {
        match fd::read(file, &mut *into) {
            Ok(got) => return got,
            Err(Errno::INTR) => {}
            Err(_) => return 0,
        }
    }
}
