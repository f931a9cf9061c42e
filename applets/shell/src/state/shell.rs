//! The state of a shell, and its errors.

use crate::state::jobs::Jobs;
use crate::state::options::Options;
use crate::state::slot::Saved;
use crate::state::slot::Slot;
use crate::syntax::symbols::Symbols;
use rbox_core::applet::Registry;
use rbox_core::sys::fd::{Descriptors, Private};
use rbox_core::sys::termios::Termios;
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

/// A function that runs or a file that `.` reads, for FUNCNAME, BASH_SOURCE and BASH_LINENO.
pub struct Frame {
    pub name: Vec<u8>,
    /// The file that has it.
    pub source: Rc<[u8]>,
    /// The line of the call.
    pub line: u32,
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
    /// Whether the stack has room for one more call: a quarter of a megabyte is kept back.
    pub fn stack_has_room(&self) -> bool {
        let here = 0u8;
        let used = self.stack_base.abs_diff(&raw const here as usize);
        used < self.stack_limit
    }
}
