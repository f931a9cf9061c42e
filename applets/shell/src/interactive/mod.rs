//! The interactive shell: lines from the terminal, job control on it, and what is told between two commands.

mod complete;
pub use complete::commands;
mod source;

use crate::builtins::read_line;
use crate::expand::history;
use crate::state::{Run, Shell, write_all};
use crate::syntax::copied::Copied;
use rbox_core::number::parse_decimal;
use rbox_core::signals::{SIGCHLD, SIGINT, SIGTTIN, SIGWINCH};
use rbox_core::sys::fd::Private;
use rbox_core::sys::signal::{self, Disposition, SignalSet};
use rbox_core::sys::{AsFd, Errno, fd, fs, process, termios};
use rbox_core::term::line::{Completion, DEFAULT_LIMIT, Host, Line, Signal};

/// Switches job control on or off.
pub fn set_monitor(shell: &mut Shell, on: bool) {
    if !on {
        release_terminal(shell);
        return;
    }
    shell.terminal = shell.terminal.or_else(|| open_terminal(shell));
    let interactive = shell.options.interactive;
    if interactive && !(shell.terminal.is_some() && own_terminal(shell)) {
        shell.options.monitor = false;
        if let Some(terminal) = shell.terminal.take() {
            shell.descriptors.release(terminal);
        }
        shell.plain_report(b"can't access tty; job control turned off");
    }
    shell.set_own_signals();
}

/// The terminal, under a number that redirections leave alone.
fn open_terminal(shell: &mut Shell) -> Option<Private> {
    let opened = fs::open("/dev/tty", fs::OFlags::RDWR | fs::OFlags::CLOEXEC, fs::Mode::empty());
    let file = match &opened {
        Ok(file) => file.as_fd(),
        Err(_) => (0..=2).map(fd::borrow).find(|file| termios::isatty(file))?,
    };
    shell.descriptors.keep(file).ok()
}

/// Becomes the leader of a group of its own in the foreground, after waiting in the background until the user wants it.
fn own_terminal(shell: &mut Shell) -> bool {
    let group = process::getpgrp();
    // A group without a parent that could continue it is not stopped: it gives up in the end.
    for _ in 0..20 {
        let Some(terminal) = shell.terminal_file() else { return false };
        match termios::tcgetpgrp(terminal) {
            Ok(held) if held.as_raw_pid() == group => {
                shell.set_own_signals();
                shell.first_group.get_or_insert(group);
                let pid = process::getpid();
                // Fails for a session leader, which leads its group already.
                let _ = process::setpgid(Some(pid), Some(pid));
                shell.take_terminal();
                return true;
            }
            Ok(_) => {
                let _ = signal::set(SIGTTIN, Disposition::Default);
                let _ = signal::kill(0, SIGTTIN);
            }
            Err(_) => return false,
        }
    }
    false
}

/// Goes back to the group that the shell was started in, with the terminal: before it ends or becomes a program.
pub fn release_terminal(shell: &mut Shell) {
    if shell.subshell {
        return;
    }
    if let Some(group) = shell.first_group.take() {
        shell.give_terminal(group);
        // Fails for a session leader, which has led its group from the start.
        let _ = process::setpgid(None, process::Pid::from_raw(group));
    }
    shell.set_own_signals();
}

/// Opens the history, after the profile has had its say: HISTFILE, else `~/.ash_history`, of HISTSIZE or HISTFILESIZE
/// lines.
pub fn open_history(shell: &mut Shell) {
    let size = |shell: &mut Shell, name: &[u8]| shell.get(name).and_then(parse_decimal);
    let limit = size(shell, b"HISTSIZE").or_else(|| size(shell, b"HISTFILESIZE"));
    shell.editor.history.set_limit(limit.map_or(DEFAULT_LIMIT, |limit| limit.min(1 << 20) as usize));
    let file = match (shell.get(b"HISTFILE").map(<[u8]>::copied), shell.get(b"HOME")) {
        (Some(file), _) => file,
        (None, Some(home)) if !home.is_empty() => {
            let home = home.copied();
            [&home[..], if shell.options.bash { b"/.bash_history" } else { b"/.ash_history" }].concat()
        }
        _ => return,
    };
    if !file.is_empty() {
        shell.editor.history.open(&file);
    }
}

impl Shell {
    /// What the shell does before it asks for a command.
    pub fn before_prompt(&mut self) -> Run {
        self.builtin = "";
        self.loops = 0;
        self.tested = 0;
        self.warned = self.warned.saturating_sub(1);
        // An untrapped SIGINT only leads here.
        let ended = self.run_traps();
        self.notify();
        if self.options.bash && self.options.interactive && !self.options.command && ended.is_ok() {
            self.note_window_size();
            self.run_prompt_commands()?;
        }
        match ended {
            Err(crate::state::Fail::Exit) => ended,
            _ => Ok(()),
        }
    }

    /// LINES and COLUMNS, as long as `shopt checkwinsize` is on.
    fn note_window_size(&mut self) {
        let Ok(size) = termios::tcgetwinsize(fd::borrow(2)) else { return };
        if self.options.checkwinsize && size.ws_col > 0 {
            for (name, value) in [(&b"COLUMNS"[..], size.ws_col), (b"LINES", size.ws_row)] {
                let name = self.intern(name);
                // One that is read-only stays.
                let _ = self.set_number(name, value.into());
            }
        }
    }

    /// bash's PROMPT_COMMAND, or each element of it, before the prompt. The status stays as it was.
    fn run_prompt_commands(&mut self) -> Run {
        let Some(name) = self.symbols.find(b"PROMPT_COMMAND") else { return Ok(()) };
        let (status, last_word) = (self.status, self.last_word.copied());
        for command in self.array(name).map_or_else(Vec::new, |array| array.values()) {
            if let Err(crate::state::Fail::Exit) = self.run_text(&command) {
                return Err(crate::state::Fail::Exit);
            }
        }
        (self.status, self.last_word) = (status, last_word);
        Ok(())
    }

    /// The prompt of an interactive shell whose commands come from a file or a pipe.
    pub fn prompt_without_terminal(&mut self, continued: bool) {
        if self.options.interactive {
            let prompt = self.command_prompt(continued);
            let _ = write_all(2, &prompt);
        }
    }

    /// Whether the shell must not end yet: jobs are stopped, and the user has not been told just before.
    pub fn keeps_running(&mut self) -> bool {
        if !self.options.interactive || self.warned > 0 {
            return false;
        }
        self.reap();
        if !self.jobs.all.iter().any(|job| job.stopped()) {
            return false;
        }
        let _ = write_all(2, b"You have stopped jobs.\n");
        self.warned = 2;
        true
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
                    shell.unlogged.push(line.copied());
                } else {
                    shell.editor.history.add(&line);
                }
                line.push(b'\n');
                return Some(line);
            }
            Line::Edit(text) => {
                let command = b"fc -e \"${VISUAL:-${EDITOR:-vi}}\"";
                shell.editor.history.add(&text);
                shell.editor.history.add(command);
                return Some([&command[..], b"\n"].concat());
            }
            Line::Interrupted => {
                shell.status = 130;
                if shell.traps[SIGINT as usize].is_some() {
                    // The trap runs before the next prompt.
                    let _ = signal::kill(process::getpid().as_raw_nonzero().get(), SIGINT);
                }
                shell.interrupted = continued;
                return (!continued).then(|| b"\n".copied());
            }
            Line::Suspended => {
                if shell.before_prompt().is_err() {
                    return None;
                }
            }
            Line::TimedOut => {
                let _ = write_all(2, b"\x07timed out waiting for input: auto-logout\n");
                return None;
            }
            Line::End if shell.options.ignoreeof && termios::isatty(fd::borrow(0)) => {
                let _ = write_all(2, b"Use \"exit\" to leave shell.\n");
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
        shell.editor.history.add(&line);
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
    watched.retain(|signal| shell.traps[*signal as usize].is_none());
    shell.modes = termios::tcgetattr(fd::borrow(0)).ok();
    // Signals of no interest to a shell interrupt the wait for a key, and only that.
    let before: Vec<_> = watched.iter().map(|signal| signal::set(*signal, Disposition::Note)).collect();
    let line = if dumb { None } else { ask_editor(shell, prompt, timeout) };
    let line = line.unwrap_or_else(|| ask_plainly(shell, prompt, timeout));
    for (signal, before) in watched.iter().zip(before) {
        let _ = signal::set(*signal, before.unwrap_or(Disposition::Default));
    }
    signal::take(SignalSet::of(&watched));
    line
}

fn ask_editor(shell: &mut Shell, prompt: &[u8], timeout: Option<u64>) -> Option<Line> {
    // The editor asks the shell, which must not be asked for the editor then.
    let mut editor = core::mem::take(&mut shell.editor);
    editor.vi = shell.options.vi;
    editor.timeout = timeout;
    let line = editor.read(prompt, shell);
    shell.editor = editor;
    line
}

fn ask_plainly(shell: &mut Shell, prompt: &[u8], timeout: Option<u64>) -> Line {
    let _ = write_all(2, prompt);
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
    let _ = write_all(2, b"\n");
    line
}

impl Host for Shell {
    fn complete(&mut self, before: &[u8]) -> Completion {
        complete::complete(self, before)
    }

    fn signal(&mut self) -> Signal {
        let pending = SignalSet(signal::pending());
        let has = |number: i32| pending.0 & SignalSet::of(&[number]).0 != 0;
        if (1..65).any(|number| has(number) && self.traps[number as usize].is_some()) {
            return Signal::Suspend;
        }
        if has(SIGINT) {
            signal::take(SignalSet::of(&[SIGINT]));
            return Signal::Interrupt;
        }
        if self.options.notify && has(SIGCHLD) {
            signal::take(SignalSet::of(&[SIGCHLD]));
            self.reap();
            if self.jobs.all.iter().any(|job| !job.told) {
                return Signal::Suspend;
            }
        }
        // The others were only to interrupt.
        signal::take_pending();
        Signal::None
    }

    fn macro_text(&mut self, letter: char) -> Option<Vec<u8>> {
        // XCU sh: `@letter` types the value of the alias `_letter`.
        let name = [b"_", letter.encode_utf8(&mut [0; 4]).as_bytes()].concat();
        let name = self.symbols.find(&name)?;
        self.slot(name).alias.as_ref().map(|value| value.copied())
    }
}
