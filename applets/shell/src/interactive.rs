//! The interactive shell: prompts and lines from the terminal.

use crate::builtins::read_line;
use crate::editor::{self, Line};
use crate::shell::{Shell, write_all};
use rbox_core::escape::{self, Escape, Style};
use rbox_core::sys::{fd, process, signal, system, termios};

/// Switches job control on or off.
pub fn set_monitor(shell: &mut Shell, on: bool) {
    if on && shell.terminal.is_none() {
        let Some(terminal) = (0..=2).find(|&number| termios::isatty(fd::borrow(number))) else {
            shell.options.monitor = shell.options.interactive && shell.options.monitor;
            if shell.options.interactive {
                shell.options.monitor = false;
                shell.report(&[b"can't access tty; job control turned off"]);
            }
            return;
        };
        shell.terminal = Some(terminal);
    }
    if on && shell.options.interactive {
        own_terminal(shell);
    }
    shell.set_own_signals();
}

/// Becomes the leader of a group of its own in the foreground.
fn own_terminal(shell: &mut Shell) {
    shell.set_own_signals();
    let pid = process::getpid();
    // Fails for a session leader, which leads its group already.
    let _ = process::setpgid(Some(pid), Some(pid));
    let group = process::getpgrp().as_raw_nonzero().get();
    shell.give_terminal(group);
    let held = shell.terminal.and_then(|number| termios::tcgetpgrp(fd::borrow(number)).ok());
    if held.is_none_or(|held| held.as_raw_nonzero().get() != group) {
        shell.options.monitor = false;
        shell.terminal = None;
        shell.report(&[b"can't access tty; job control turned off"]);
    }
}

impl Shell {
    /// What the shell does before it asks for a command.
    pub fn before_prompt(&mut self) {
        self.builtin = "";
        self.loops = 0;
        self.tested = 0;
        signal::take_pending();
        self.notify();
    }

    /// A prompt with its parameters expanded and escapes replaced.
    pub fn prompt(&mut self, name: &[u8], otherwise: &[u8]) -> Vec<u8> {
        let text = self.get(name).unwrap_or(otherwise).to_vec();
        let text = self.prompt_escapes(&text);
        let status = self.status;
        let expanded = crate::syntax::parser::parse_document(&text, self).ok();
        let expanded = expanded.and_then(|word| self.expand_one(&word).ok());
        self.status = status;
        expanded.unwrap_or(text)
    }

    fn prompt_escapes(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            at += 1;
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let Some(&letter) = text.get(at) else {
                out.push(b'\\');
                break;
            };
            at += 1;
            match letter {
                b'w' | b'W' => out.extend_from_slice(&self.prompt_folder(letter == b'W')),
                b'u' => {
                    let user = rbox_core::users::User::by_id(process::geteuid().as_raw());
                    out.extend_from_slice(&user.map(|user| user.name).unwrap_or_default());
                }
                b'h' | b'H' => {
                    let name = system::uname();
                    let name = name.nodename().to_bytes();
                    let end = name.iter().position(|&byte| byte == b'.' && letter == b'h').unwrap_or(name.len());
                    out.extend_from_slice(&name[..end]);
                }
                b'$' => out.push(if process::geteuid().is_root() { b'#' } else { b'$' }),
                b'[' | b']' => {}
                _ => {
                    at -= 1;
                    match escape::read(text, &mut at, Style::Prompt) {
                        Escape::Byte(byte) => out.push(byte),
                        _ => out.push(b'\\'),
                    }
                }
            }
        }
        out
    }

    fn prompt_folder(&mut self, short: bool) -> Vec<u8> {
        let folder = self.get(b"PWD").unwrap_or_default().to_vec();
        let home = self.get(b"HOME").unwrap_or_default().to_vec();
        if home.len() > 1
            && let Some(rest) = folder.strip_prefix(&home[..])
            && (rest.is_empty() || (rest[0] == b'/' && !short))
        {
            return [b"~", rest].concat();
        }
        if short && folder.len() > 1 {
            return rbox_core::bytes::base_name(&folder).to_vec();
        }
        folder
    }
}

/// One line from the terminal behind PS1 or PS2, with its newline; `None` at the end of the input.
pub fn read_command_line(shell: &mut Shell, continued: bool) -> Option<Vec<u8>> {
    let root: &[u8] = if process::geteuid().is_root() { b"\\w # " } else { b"\\w $ " };
    let prompt = if continued { shell.prompt(b"PS2", b"> ") } else { shell.prompt(b"PS1", root) };
    loop {
        match ask(shell, &prompt) {
            Line::Text(mut line) => {
                remember(shell, &line);
                line.push(b'\n');
                return Some(line);
            }
            Line::Interrupted => {
                shell.status = 130;
                return Some(b"\n".to_vec()).filter(|_| !continued).or_else(|| {
                    shell.interrupted = true;
                    None
                });
            }
            Line::End if shell.options.ignoreeof && termios::isatty(fd::borrow(0)) => {
                let _ = write_all(2, b"Use \"exit\" to leave the shell.\n");
            }
            Line::End => return None,
        }
    }
}

/// One line by the editor, or plainly on a terminal that has no cursor.
fn ask(shell: &mut Shell, prompt: &[u8]) -> Line {
    let dumb = shell.get(b"TERM").is_some_and(|name| name == b"dumb");
    let history = core::mem::take(&mut shell.history);
    let edited = if dumb {
        None
    } else {
        editor::read_line(prompt, &history, &mut |before| crate::complete::candidates(shell, before))
    };
    shell.history = history;
    if let Some(line) = edited {
        return line;
    }
    let _ = write_all(2, prompt);
    match read_line(0) {
        Some(line) => Line::Text(line),
        None if signal::take_pending() != 0 => {
            let _ = write_all(2, b"\n");
            Line::Interrupted
        }
        None => {
            let _ = write_all(2, b"\n");
            Line::End
        }
    }
}

/// Lines that the history keeps.
const HISTORY: usize = 500;

fn remember(shell: &mut Shell, line: &[u8]) {
    if line.iter().all(|&byte| byte == b' ') || shell.history.last().is_some_and(|last| last == line) {
        return;
    }
    if shell.history.len() >= HISTORY {
        shell.history.remove(0);
    }
    shell.history.push(line.to_vec());
}
