//! What an applet is given: its name, its streams, its environment, and the other applets.

use crate::applet::Registry;
use crate::callback;
use crate::error::{Error, ExitStatus, Outcome, Result};
use crate::io::{Input, Output};
use crate::sys::{Errno, process};

/// The directories that are searched for programs when PATH is not set.
pub const DEFAULT_PATH: &[u8] = b"/sbin:/usr/sbin:/bin:/usr/bin";

/// The environment of one call of an applet.
pub struct Env {
    /// The name for messages: the applet's as it was called.
    pub name: Vec<u8>,
    /// Standard input.
    pub stdin: Input,
    /// Standard output, buffered; flushed by whoever called the applet.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// The environment variables.
    pub vars: Vars,
    /// All applets.
    pub registry: Registry,
}

/// Environment variables, as words `NAME=value`.
#[derive(Clone, Debug)]
pub enum Vars {
    /// What the process was started with.
    Process,
    /// What a shell exports, or a test sets.
    List(Vec<Vec<u8>>),
}

impl Vars {
    /// All words, in their order.
    pub fn words(&self) -> Vec<&[u8]> {
        match self {
            Self::Process => process::environment().collect(),
            Self::List(words) => words.iter().map(Vec::as_slice).collect(),
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let value = |word: &'_ [u8]| word.starts_with(name.as_bytes()) && word.get(name.len()) == Some(&b'=');
        let word = match self {
            Self::Process => process::environment().find(|word| value(word))?,
            Self::List(words) => words.iter().find(|word| value(word))?,
        };
        Some(&word[name.len() + 1..])
    }

    /// Gives `name` a value instead of the one it has, or removes it.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: Option<&[u8]>) {
        let lead = [name.as_ref(), b"="].concat();
        let others = self.words().into_iter().filter(|word| !word.starts_with(&lead));
        let mut words: Vec<Vec<u8>> = others.map(<[u8]>::to_vec).collect();
        words.extend(value.map(|value| [&lead, value].concat()));
        *self = Self::List(words);
    }
}

impl Env {
    /// The surroundings of a process: its three streams and its environment.
    pub fn of_process(registry: Registry, name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            stdin: Input::standard(),
            stdout: Output::standard(1),
            stderr: Output::standard(2),
            vars: Vars::Process,
            registry,
        }
    }

    /// Reports `error`: `applet: operand: reason`. What stdout holds goes out first, so that lines keep their order.
    pub fn report(&mut self, error: &Error) {
        let message = error.message();
        if message.is_empty() {
            return;
        }
        // The flush's own failure is met again when the applet ends.
        let _ = self.stdout.flush();
        let mut line = [&self.name, &b": "[..], message, b"\n"].concat();
        if self.stderr.is_terminal() {
            line = crate::term::clean(&line, b"\t\n", crate::term::Shown::Caret);
        }
        // Nothing can be reported when standard error is dead.
        let _ = self.stderr.write(&line);
    }

    /// Reports a failure that does not stop the applet, and returns the status to remember.
    pub fn warn(&mut self, error: Error) -> ExitStatus {
        self.report(&error);
        error.status(ExitStatus::FAILURE.0)
    }

    /// True where characters are those of UTF-8 (POSIX XBD 8.2: LC_ALL, then LC_CTYPE, then LANG).
    pub fn is_utf8(&self) -> bool {
        crate::pattern::is_utf8_locale("LC_ALL LC_CTYPE LANG".split(' ').map(|name| self.vars.get(name)))
    }

    /// The shell to start where no command is given: `$SHELL`, or /bin/sh.
    pub fn shell(&self) -> Vec<u8> {
        self.vars.get("SHELL").filter(|shell| !shell.is_empty()).unwrap_or(b"/bin/sh").to_vec()
    }

    /// Asks on standard error, as `applet: QUESTION `, and reads a line: yes when it starts with `y` or `Y`.
    pub fn ask(&mut self, question: &[u8]) -> Result<bool> {
        self.stderr.write(&[&self.name, &b": "[..], question, b" "].concat())?;
        self.stderr.flush()?;
        Ok(self.stdin.line()?.is_some_and(|answer| matches!(answer.first(), Some(b'y' | b'Y'))))
    }

    /// Takes standard input, as the source of one operand.
    pub fn take_stdin(&mut self) -> Input {
        core::mem::replace(&mut self.stdin, Input::from_bytes(Vec::new()))
    }

    /// The operand as an open input; `-` is standard input. The error is `operand: reason`.
    pub fn open(&mut self, operand: &[u8]) -> Result<Input> {
        match operand {
            b"-" => Ok(self.take_stdin()),
            _ => Input::open(operand).map_err(|error| Error::on(operand, error.errno().unwrap_or(Errno::IO))),
        }
    }

    /// Calls `each` for every operand as an open input; for standard input where the operand is `-` or there is none.
    /// What cannot be opened is reported as `operand: reason`.
    ///
    /// An operand that fails is reported and does not stop the others; a dead standard output does. The status is the
    /// worst of all.
    pub fn for_each_input(
        &mut self,
        operands: &[&[u8]],
        each: &mut impl FnMut(&mut Self, &mut Input) -> Result<()>,
    ) -> Outcome {
        self.inputs(operands, EachInput::new(&mut |(env, input)| each(env, input)))
    }

    fn inputs(&mut self, operands: &[&[u8]], mut each: EachInput<'_>) -> Outcome {
        let standard: &[u8] = b"-";
        let operands = if operands.is_empty() { core::slice::from_ref(&standard) } else { operands };
        self.for_each_operand(operands, &mut |env, operand| {
            if operand != b"-" {
                let mut opened = env.open(operand)?;
                return each.call((env, &mut opened));
            }
            let mut input = env.take_stdin();
            let result = each.call((env, &mut input));
            env.stdin = input;
            result
        })
    }

    /// Calls `each` for every operand. A failure is reported and does not stop the others; a dead standard output does.
    pub fn for_each_operand(
        &mut self,
        operands: &[&[u8]],
        each: &mut impl FnMut(&mut Self, &[u8]) -> Result<()>,
    ) -> Outcome {
        self.operands(operands, EachOperand::new(&mut |(env, operand)| each(env, operand)))
    }

    fn operands(&mut self, operands: &[&[u8]], mut each: EachOperand<'_>) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        for operand in operands {
            match each.call((self, operand)) {
                Ok(()) => {}
                Err(error) if error.is_output() || error.is_usage() => return Err(error),
                Err(error) => status.worsen(self.warn(error)),
            }
        }
        Ok(status)
    }
}

callback! {
    /// What is done with each open operand.
    EachInput = OneInput<'b>((&'b mut Env, &'b mut Input)) -> Result<()>
}

callback! {
    /// What is done with each operand.
    EachOperand = OneOperand<'b>((&'b mut Env, &'b [u8])) -> Result<()>
}
