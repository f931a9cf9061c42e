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

/// Why the next command is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
    /// A shell error, already reported: ends a shell that is not interactive (XCU 2.8.1).
    Error,
    /// A redirection that cannot be made, already reported: ends it only before a special builtin.
    Redirection,
    /// `break` out of so many loops.
    Break(u32),
    /// `continue` of the loop so many levels out.
    Continue(u32),
    /// `return` of a function or a file.
    Return,
    /// `exit`, or an error that ends the shell.
    Exit,
}

/// The result of a command; its status is in the shell.
pub type Run = Result<(), Fail>;

/// A function that runs or a file that `.` reads, for FUNCNAME, BASH_SOURCE and BASH_LINENO.
pub struct Frame {
    /// The function, or `source`.
    pub name: Vec<u8>,
    /// The file that defines it.
    pub source: Rc<[u8]>,
    /// The line of the call.
    pub line: u32,
}

/// How the shell was started.
#[derive(Default)]
pub struct Invocation {
    /// `$0`.
    pub arg0: Vec<u8>,
    /// The name that the shell was called by, for the messages of utilities.
    pub name: Vec<u8>,
    /// `$0` was given: messages have the line.
    pub named: bool,
    /// `$$`.
    pub pid: i32,
    /// Device and inode of the running program, once they were looked up.
    pub file: Option<(u64, u64)>,
    /// The address of a variable in the first function of the shell.
    pub stack_base: usize,
    /// Bytes of the stack that calls and nesting may use.
    pub stack_limit: usize,
}

/// The positional parameters, and how far `getopts` has read them. As in BusyBox each call of a function has its own.
#[derive(Clone)]
pub struct Parameters {
    /// `$1` and those after it.
    pub positional: Rc<Vec<Vec<u8>>>,
    /// The argument that `getopts` reads next, from 1.
    pub option_index: usize,
    /// The offset in bytes of the next option character in that argument; 0 before the first.
    pub option_offset: usize,
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters { positional: Rc::default(), option_index: 1, option_offset: 0 }
    }
}

/// The actions of traps, by signal and pseudo-signal; an empty one ignores the signal.
pub type Actions = Vec<Option<Rc<[u8]>>>;

/// Traps (XCU trap).
pub struct Traps {
    /// The action of each trap.
    pub actions: Actions,
    /// The traps of the enclosing shell, which a subshell lists until it sets its own.
    pub outer: Option<Actions>,
    /// While an action runs: the status before it, and the depth of calls and files then.
    pub running: Option<(u8, u32)>,
    /// The bits of the signals that were ignored when the shell began: they cannot be trapped (XCU trap).
    pub ignored: u64,
    /// The bits of the signals for which `ignored` is known.
    pub known: u64,
}

/// Where execution is: loops, calls and subshells, and what the last commands left.
#[derive(Default)]
pub struct Flow {
    /// How many loops of this function are running.
    pub loops: u32,
    /// How many functions are running.
    pub calls: u32,
    /// How many files are being read by `.`.
    pub sources: u32,
    /// Depth of commands whose failure is tested, where `set -e` does not count.
    pub tested: u32,
    /// The functions and files that run, in bash mode, the innermost last.
    pub frames: Vec<Frame>,
    /// The name of the function that runs.
    pub function_name: Vec<u8>,
    /// How many subshells this is in: BASH_SUBSHELL.
    pub depth: u32,
    /// This process is a subshell.
    pub subshell: bool,
    /// A subshell runs without a fork.
    pub is_virtual: bool,
    /// The status of the last command substitution of a command.
    pub substitution_status: Option<u8>,
    /// `$!`.
    pub background: Option<i32>,
    /// The process that `wait` has waited for last.
    pub waited: i32,
    /// The command that runs, when a trap may ask for it: BASH_COMMAND.
    pub command_text: Vec<u8>,
    /// The last word of the last simple command, in bash mode: `$_`.
    pub last_word: Vec<u8>,
}

/// Where a message comes from.
#[derive(Default)]
pub struct Location {
    /// The line of the command that runs, from 1.
    pub line: u32,
    /// The line that commands were read up to.
    pub read_line: u32,
    /// Name of the builtin that runs.
    pub builtin: &'static str,
    /// `eval`, or the file that `.` reads.
    pub context: Vec<u8>,
}

/// Descriptors, and output that is on its way.
#[derive(Default)]
pub struct Streams {
    /// The descriptors of the script, and those of the shell beside them.
    pub descriptors: Descriptors,
    /// Where standard output goes while a substitution runs without a fork.
    pub capture: Option<Vec<u8>>,
    /// The shell's ends of the pipes of `<(...)` and `>(...)`, open until the command has ended.
    pub pipe_ends: Vec<i32>,
    /// Where `set -x` writes to while standard error is redirected for a command.
    pub trace_to: Option<Private>,
    /// The words of a command that `set -x` shows after its assignments.
    pub traced: Vec<Vec<u8>>,
    /// The builtin that runs could not write its output.
    pub write_failed: bool,
    /// The commands could not be read to their end.
    pub read_failed: bool,
}

/// What special variables are computed from, or set.
#[derive(Clone, Default)]
pub struct Computed {
    /// IFS, or its default where it is unset.
    pub ifs: Vec<u8>,
    /// Characters are those of UTF-8, by the locale that the variables name.
    pub utf8: bool,
    /// When SECONDS was 0, in seconds since the epoch.
    pub began: i64,
    /// The state of RANDOM.
    pub random: u32,
    /// The directories that `pushd` saved, the last one first.
    pub directories: Vec<Vec<u8>>,
    /// The statuses of the last pipeline's commands, in bash mode.
    pub pipe_status: Vec<u8>,
}

/// The terminal, and what was entered there.
#[derive(Default)]
pub struct Terminal {
    /// The line editor, with the history.
    pub editor: Editor,
    /// The descriptor of job control's terminal.
    pub file: Option<Private>,
    /// The process group that the shell was started in, when it has left it.
    pub first_group: Option<i32>,
    /// The terminal's modes at the last prompt.
    pub modes: Option<Termios>,
    /// Number of the command that is entered, from 1.
    pub entered: u32,
    /// Prompts during which the user may end the shell though jobs are stopped.
    pub warned: u8,
    /// Lines of the command that is being entered, which `set -o nolog` may keep out of the history.
    pub unlogged: Vec<Vec<u8>>,
    /// Ctrl-C in the middle of a command: it is dropped.
    pub interrupted: bool,
    /// Ctrl-C ended the last foreground job.
    pub interrupted_job: bool,
}

/// A shell.
pub struct Shell {
    /// All applets.
    pub registry: Registry,
    /// The names that the shell has met.
    pub symbols: Symbols,
    /// What each symbol means, by its index.
    pub variables: Vec<Slot>,
    /// The variables that each scope saved, the innermost last.
    pub locals: Vec<Vec<Saved>>,
    /// The options of `set` and `shopt`.
    pub options: Options,
    /// `$?`.
    pub status: u8,
    /// The table of jobs.
    pub jobs: Jobs,
    /// How the shell was started.
    pub invocation: Invocation,
    /// The positional parameters.
    pub parameters: Parameters,
    /// The traps.
    pub traps: Traps,
    /// Where execution is.
    pub flow: Flow,
    /// Where messages come from.
    pub location: Location,
    /// Descriptors and pending output.
    pub streams: Streams,
    /// What special variables are computed from.
    pub computed: Computed,
    /// The terminal.
    pub terminal: Terminal,
}

impl Shell {
    /// Whether the stack has space for one more call.
    pub fn stack_has_space(&self) -> bool {
        let here = 0u8;
        let used = self.invocation.stack_base.abs_diff(&raw const here as usize);
        used < self.invocation.stack_limit
    }
}
