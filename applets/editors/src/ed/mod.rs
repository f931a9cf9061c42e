//! `ed`: edit text by commands (POSIX XCU ed), with GNU's `z`, `wq`, `W`, `%` and `#`.
//!
//! Stages: `address` reads addresses and expressions, `command` carries out the commands, `files` reads and writes, `buffer`
//! has the lines.

mod address;
mod buffer;
mod command;
mod files;

use std::collections::VecDeque;
use std::rc::Rc;

use rbox_core::pattern::regex::Regex;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::signal_queue::{SIGHUP, SignalQueue};

use buffer::Buffer;
use command::Substitution;

options! {
    "[-s] [-p STRING] [FILE]

Edit FILE by the commands on standard input.

  -p, --prompt=STRING          Print STRING before each command is read
  -s, --quiet, --silent        Print no sizes of files and no ! after commands";
    PROMPT = "-p",
    SILENT = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What goes on after a command.
pub enum Flow {
    Next,
    Quit,
}

/// The state of a session.
pub struct Editor {
    pub buffer: Buffer,
    path: Option<Vec<u8>>,
    last_regex: Option<Rc<Regex>>,
    last_substitution: Option<Substitution>,
    /// The last command of `!`.
    last_command: Vec<u8>,
    prompt: Vec<u8>,
    is_prompting: bool,
    /// `H`: errors are explained.
    explains: bool,
    /// The last error, for `h`.
    message: Vec<u8>,
    /// The command before was refused because the buffer is modified.
    is_warned: bool,
    silent: bool,
    utf8: bool,
    /// The number of lines of `z`.
    window: usize,
    /// The lines of the command list of `g`, which are read before standard input.
    list: VecDeque<Vec<u8>>,
    in_list: bool,
    signals: Option<SignalQueue>,
    status: ExitStatus,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 1)?;
    let mut editor = Editor {
        buffer: Buffer::default(),
        path: None,
        last_regex: None,
        last_substitution: None,
        last_command: Vec::new(),
        prompt: args.value(PROMPT).unwrap_or(b"*").to_vec(),
        is_prompting: args.has(PROMPT),
        explains: false,
        message: Vec::new(),
        is_warned: false,
        silent: args.has(SILENT),
        utf8: env.is_utf8(),
        window: 22,
        list: VecDeque::new(),
        in_list: false,
        signals: None,
        status: ExitStatus::SUCCESS,
    };
    if env.stdin.fd().is_some() {
        editor.signals = Some(SignalQueue::open(&[SIGHUP])?);
    }
    if let Some(operand) = operands.first()
        && let Err(error) = editor.edit(env, operand)
    {
        if error.is_output() {
            return Err(error);
        }
        // A file that is not there yet will be written.
        env.report(&error);
        editor.path = Some(operand.to_vec());
        editor.message = error.message().to_vec();
    }
    editor.run(env)
}

impl Editor {
    /// Reads and carries out commands up to `q` or the end of the input.
    fn run(&mut self, env: &mut Env) -> Outcome {
        loop {
            if self.is_prompting {
                env.stdout.write(&self.prompt)?;
                env.stdout.flush()?;
            }
            let line = self.read_line(env)?;
            let is_end = line.is_none();
            let result = match line {
                Some(line) => self.command(env, &line),
                // POSIX XCU ed: the end of the input is the command q.
                None if self.is_hung_up() => return self.save(env),
                None => self.command(env, b"q"),
            };
            self.list.clear();
            self.in_list = false;
            match result {
                Ok(Flow::Next) => {}
                Ok(Flow::Quit) => return Ok(self.status),
                Err(error) if error.is_output() => return Err(error),
                Err(error) => self.explain(env, &error)?,
            }
            if is_end {
                return Ok(self.status);
            }
        }
    }

    /// POSIX XCU ed: a `?`, and with `H` what it means.
    fn explain(&mut self, env: &mut Env, error: &Error) -> Result<()> {
        self.status = ExitStatus::FAILURE;
        self.message = error.message().to_vec();
        env.stdout.write(b"?\n")?;
        if self.explains {
            env.stdout.write(&[&self.message, &b"\n"[..]].concat())?;
        }
        Ok(())
    }

    /// The next line of the command list or of standard input.
    fn read_line(&mut self, env: &mut Env) -> Result<Option<Vec<u8>>> {
        if self.in_list {
            return Ok(self.list.pop_front());
        }
        env.stdout.flush()?;
        if env.stdin.buffered().is_empty() && self.waits_for_hangup(env) {
            return Ok(None);
        }
        Ok(env.stdin.line()?.map(<[u8]>::to_vec))
    }

    /// Waits for input; whether a hangup came before it.
    fn waits_for_hangup(&self, env: &Env) -> bool {
        let (Some(signals), Some(input)) = (&self.signals, env.stdin.fd()) else { return false };
        let mut polled =
            [PollFd::from_borrowed_fd(input, PollFlags::IN), PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN)];
        poll(&mut polled, None).is_ok() && polled[1].revents().contains(PollFlags::IN)
    }

    fn is_hung_up(&self) -> bool {
        self.signals.as_ref().is_some_and(|signals| signals.take() == Some(SIGHUP))
    }

    /// POSIX XCU ed, SIGHUP: a modified buffer is written to ed.hup, here or in the home directory.
    fn save(&mut self, env: &mut Env) -> Outcome {
        if self.buffer.modified && self.buffer.len() > 0 {
            let home = env.vars.get("HOME").unwrap_or_default();
            let elsewhere = rbox_core::bytes::join_path(home, b"ed.hup");
            self.write_file(b"ed.hup", 1, self.buffer.len(), false)
                .or_else(|_| self.write_file(&elsewhere, 1, self.buffer.len(), false))?;
        }
        Ok(ExitStatus::FAILURE)
    }
}

/// What the fuzz target feeds: commands. Those that run programs or use files are left out, and `t`, which doubles the text.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if data.iter().any(|byte| b"!wWreEft".contains(byte)) {
        return;
    }
    let mut env = rbox_core::testing::env(b"ed");
    env.stdin = rbox_core::io::Input::from_bytes([b"a\none two\nthree\n\nfour\n.\n", data].concat());
    APPLET.call(&mut env, &[b"ed", b"-s"]);
}
