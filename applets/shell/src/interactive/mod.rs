//! The interactive shell, the sixth layer: prompts, lines from the terminal, and the input of the parser. It imports all
//! layers below it.

mod complete;

mod source;

use crate::expand::history;
use crate::state::stream::read_line;
use crate::state::stream::write_error;
use crate::state::traps::set_disposition;

use crate::state::upward::Upward;
use crate::state::{Run, Shell};
use crate::syntax::copied::Copied;
use rbox_core::number::parse_decimal;
use rbox_core::signals::{SIGCHLD, SIGINT, SIGWINCH};
use rbox_core::sys::signal::{self, Disposition, SignalSet};
use rbox_core::sys::{Errno, fd, process, termios};
use rbox_core::term::line::{Completion, DEFAULT_LIMIT, Host, Line, Signal};

/// Opens the history, once the profile has set its variables: HISTFILE, else `~/.ash_history`, of HISTSIZE or HISTFILESIZE
/// lines.
pub fn open_history(shell: &mut Shell) {
    let size = |shell: &mut Shell, name: &[u8]| shell.get(name).and_then(parse_decimal);
    let limit = size(shell, b"HISTSIZE").or_else(|| size(shell, b"HISTFILESIZE"));
    shell.terminal.editor.history.set_limit(limit.map_or(DEFAULT_LIMIT, |limit| limit.min(1 << 20) as usize));
    let file = match (shell.get(b"HISTFILE").map(<[u8]>::copied), shell.get(b"HOME")) {
        (Some(file), _) => file,
        (None, Some(home)) if !home.is_empty() => {
            let home = home.copied();
            [&home[..], if shell.options.bash { b"/.bash_history" } else { b"/.ash_history" }].concat()
        }
        _ => return,
    };
    if !file.is_empty() {
        shell.terminal.editor.history.open(&file);
    }
}

/// What the shell does before it asks for a command.
pub fn before_prompt(shell: &mut Shell) -> Run {
    shell.location.builtin = "";
    shell.flow.loops = 0;
    shell.flow.tested = 0;
    shell.terminal.warned = shell.terminal.warned.saturating_sub(1);
    // An untrapped SIGINT only leads here.
    let ended = shell.run_traps();
    shell.notify();
    if shell.options.bash && shell.options.interactive && !shell.options.command && ended.is_ok() {
        shell.note_window_size();
        shell.run_prompt_commands()?;
    }
    match ended {
        Err(crate::state::Fail::Exit) => ended,
        _ => Ok(()),
    }
}

impl Shell {
    /// LINES and COLUMNS, as long as `shopt checkwinsize` is on.
    fn note_window_size(&mut self) {
        let Ok(size) = termios::tcgetwinsize(fd::borrow(2)) else { return };
        if self.options.checkwinsize && size.ws_col > 0 {
            for (name, value) in [(&b"COLUMNS"[..], size.ws_col), (b"LINES", size.ws_row)] {
                let name = self.intern(name);
                // A read-only one keeps its value.
                let _ = self.set_number(name, value.into());
            }
        }
    }

    /// bash's PROMPT_COMMAND, or each element of it, before the prompt. The status stays as it was.
    fn run_prompt_commands(&mut self) -> Run {
        let Some(name) = self.symbols.find(b"PROMPT_COMMAND") else { return Ok(()) };
        let (status, last_word) = (self.status, self.flow.last_word.copied());
        for command in self.array(name).map_or_else(Vec::new, |array| array.values()) {
            if let Err(crate::state::Fail::Exit) = self.run_text(&command) {
                return Err(crate::state::Fail::Exit);
            }
        }
        (self.status, self.flow.last_word) = (status, last_word);
        Ok(())
    }

    /// The prompt of an interactive shell whose commands come from a file or a pipe.
    pub fn prompt_without_terminal(&mut self, continued: bool) {
        if self.options.interactive {
            let prompt = self.command_prompt(continued);
            write_error(&prompt);
        }
    }
}

/// One line from the terminal after PS1 or PS2, with its newline; `None` at the end of the input.
pub fn read_command_line(shell: &mut Shell, continued: bool) -> Option<Vec<u8>> {
    // A terminal that is gone ends every line: that is no one to ask often.
    for _ in 0..50 {
        let prompt = shell.command_prompt(continued);
        match ask(shell, &prompt) {
            Line::Text(line) => {
                let Some(mut line) = history::expand(shell, line) else { return Some(b"\n".copied()) };
                if !is_kept(shell, &line) {
                    // It is not to be found again.
                } else if shell.options.nolog {
                    shell.terminal.unlogged.push(line.copied());
                } else {
                    shell.terminal.editor.history.add(&line);
                }
                line.push(b'\n');
                return Some(line);
            }
            Line::Edit(text) => {
                let command = b"fc -e \"${VISUAL:-${EDITOR:-vi}}\"";
                shell.terminal.editor.history.add(&text);
                shell.terminal.editor.history.add(command);
                return Some([&command[..], b"\n"].concat());
            }
            Line::Interrupted => {
                shell.status = 130;
                if shell.traps.actions[SIGINT as usize].is_some() {
                    // The trap runs before the next prompt.
                    // A signal to the own process can always be sent (kill(2)).
                    let _ = signal::kill(process::getpid().as_raw_nonzero().get(), SIGINT);
                }
                shell.terminal.interrupted = continued;
                return (!continued).then(|| b"\n".copied());
            }
            Line::Suspended => {
                if shell.before_prompt().is_err() {
                    return None;
                }
            }
            Line::TimedOut => {
                write_error(b"\x07timed out waiting for input: auto-logout\n");
                return None;
            }
            Line::End if shell.options.ignoreeof && termios::isatty(fd::borrow(0)) => {
                write_error(b"Use \"exit\" to leave shell.\n");
            }
            Line::End if !continued && shell.keeps_running() => {}
            Line::End => return None,
        }
    }
    None
}

/// A line of an interactive shell whose commands come from a file or a pipe, as bash expands and keeps it.
pub fn entered_line(shell: &mut Shell, line: &[u8]) -> Vec<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line).copied();
    let line = history::expand(shell, line).unwrap_or_default();
    if is_kept(shell, &line) {
        shell.terminal.editor.history.add(&line);
    }
    [&line[..], b"\n"].concat()
}

/// Whether the history keeps a line: in bash mode by `set -o history`, HISTCONTROL and HISTIGNORE.
fn is_kept(shell: &mut Shell, line: &[u8]) -> bool {
    if !shell.options.bash {
        return true;
    }
    let control = shell.get(b"HISTCONTROL").unwrap_or_default().copied();
    let blanks = control.split(|&byte| byte == b':').any(|one| matches!(one, b"ignorespace" | b"ignoreboth"));
    let ignored = shell.get(b"HISTIGNORE").unwrap_or_default().copied();
    let flags = shell.pattern_flags();
    let is_ignored = |one: &[u8]| !one.is_empty() && crate::expand::pattern::matches(one, line, flags);
    shell.options.history && !(blanks && line.starts_with(b" ")) && !ignored.split(|&byte| byte == b':').any(is_ignored)
}

/// One line by the editor, or plainly on a terminal that has no cursor.
fn ask(shell: &mut Shell, prompt: &[u8]) -> Line {
    let seconds = shell.get(b"TMOUT").and_then(parse_decimal).filter(|seconds| *seconds > 0);
    let timeout = seconds.map(|seconds| seconds.min(u64::from(u32::MAX)) * 1000);
    let dumb = shell.get(b"TERM").is_some_and(|name| name == b"dumb");
    let mut watched: Vec<i32> = vec![SIGWINCH];
    if shell.options.notify {
        watched.push(SIGCHLD);
    }
    watched.retain(|signal| shell.traps.actions[*signal as usize].is_none());
    shell.terminal.modes = termios::tcgetattr(fd::borrow(0)).ok();
    // Signals of no interest to a shell interrupt the wait for a key, and only that.
    let before: Vec<_> = watched.iter().map(|signal| signal::set(*signal, Disposition::Note)).collect();
    let line = if dumb { None } else { ask_editor(shell, prompt, timeout) };
    let line = line.unwrap_or_else(|| ask_plainly(shell, prompt, timeout));
    for (signal, before) in watched.iter().zip(before) {
        set_disposition(*signal, before.unwrap_or(Disposition::Default));
    }
    signal::take(SignalSet::of(&watched));
    line
}

fn ask_editor(shell: &mut Shell, prompt: &[u8], timeout: Option<u64>) -> Option<Line> {
    // The editor asks the shell, which must not be asked for the editor then.
    let mut editor = core::mem::take(&mut shell.terminal.editor);
    editor.vi = shell.options.vi;
    editor.timeout = timeout;
    let line = editor.read(prompt, shell);
    shell.terminal.editor = editor;
    line
}

fn ask_plainly(shell: &mut Shell, prompt: &[u8], timeout: Option<u64>) -> Line {
    write_error(prompt);
    let line = loop {
        match signal::wait_readable(fd::borrow(0), timeout) {
            Ok(false) => break Line::TimedOut,
            Ok(true) => match read_line(0) {
                Some(line) => return Line::Text(line),
                None => break Line::End,
            },
            Err(Errno::INTR) => match shell.signal() {
                Signal::None => {}
                Signal::Suspend => break Line::Suspended,
                Signal::Interrupt => break Line::Interrupted,
            },
            Err(_) => break Line::End,
        }
    };
    write_error(b"\n");
    line
}

impl Host for Shell {
    fn complete(&mut self, before: &[u8]) -> Completion {
        complete::complete(self, before)
    }

    fn signal(&mut self) -> Signal {
        let pending = SignalSet(signal::pending());
        let has = |number: i32| pending.0 & SignalSet::of(&[number]).0 != 0;
        if (1..65).any(|number| has(number) && self.traps.actions[number as usize].is_some()) {
            return Signal::Suspend;
        }
        if has(SIGINT) {
            signal::take(SignalSet::of(&[SIGINT]));
            return Signal::Interrupt;
        }
        if self.options.notify && has(SIGCHLD) {
            signal::take(SignalSet::of(&[SIGCHLD]));
            self.reap();
            if self.jobs.all.iter().any(|job| !job.is_reported) {
                return Signal::Suspend;
            }
        }
        // The others were only to interrupt.
        signal::take_pending();
        Signal::None
    }

    fn macro_text(&mut self, character: char) -> Option<Vec<u8>> {
        // XCU sh: `@c` types the value of the alias `_c`.
        let name = [b"_", character.encode_utf8(&mut [0; 4]).as_bytes()].concat();
        let name = self.symbols.find(&name)?;
        self.slot(name).alias.as_ref().map(|value| value.copied())
    }
}
