//! Output and messages of the shell.

use crate::state::Fail;
use crate::state::Shell;
use crate::state::stream::write_all;
use crate::state::stream::write_error;
use crate::syntax::copied::Copied;
use crate::syntax::parser::SyntaxError;

impl Shell {
    /// What messages begin with: the script, the builtin or the file that is read, the line.
    fn message_start(&self, line: u32) -> Vec<u8> {
        let mut text = self.invocation.arg0.copied();
        text.extend_from_slice(b": ");
        let source = if self.location.builtin.is_empty() {
            &self.location.context[..]
        } else {
            self.location.builtin.as_bytes()
        };
        if !source.is_empty() {
            text.extend_from_slice(source);
            text.extend_from_slice(b": ");
        }
        if self.invocation.named || (!source.is_empty() && !self.options.interactive) {
            // BusyBox counts the lines of `-c` from 0 in its messages.
            let line = line.saturating_sub(u32::from(self.options.command && self.flow.sources == 0));
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
        self.print_error(self.message_start(self.location.line), parts);
    }

    fn print_error(&self, mut text: Vec<u8>, parts: &[&[u8]]) {
        for part in parts {
            text.extend_from_slice(part);
        }
        text.push(b'\n');
        write_error(&text);
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
        let failed = match &mut self.streams.capture {
            Some(captured) => {
                captured.extend_from_slice(text);
                return;
            }
            None => write_all(1, text),
        };
        if let Err(errno) = failed
            && !std::mem::replace(&mut self.streams.write_failed, true)
        {
            let reason = rbox_core::sys::error_text(errno);
            self.print_error(self.invocation.name.copied(), &[b": write error: ", reason.as_bytes()]);
            self.status = 1;
        }
    }
}
