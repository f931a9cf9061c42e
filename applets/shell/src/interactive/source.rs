//! Where the parser's text comes from, and what else it asks the shell.

use crate::state::Shell;
use crate::syntax::input::{Input, Reader};
use crate::syntax::parser::Host;
use crate::syntax::symbols::Symbols;
use rbox_core::sys::{BorrowedFd, Errno, fd, fs};
use std::rc::Rc;

impl Shell {
    /// Whether there was more to read; an error of reading commands is reported and noted.
    fn checked(&mut self, more: Result<bool, Errno>) -> bool {
        more.unwrap_or_else(|errno| {
            self.report(&[b"read error: ", rbox_core::sys::error_text(errno).as_bytes()]);
            self.streams.read_failed = true;
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
        // In bash a function may have that name, but in its POSIX mode.
        let counts = !self.options.bash || self.options.posix;
        counts && crate::state::builtin::find(name).is_some_and(|builtin| builtin.special)
    }

    fn has_space(&self) -> bool {
        self.stack_has_space()
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
            Reader::Script(file) => {
                let read =
                    self.streams.descriptors.get(file).and_then(|file| read_block(file, &mut input.buffer, 1 << 14));
                self.checked(read)
            }
            Reader::Seekable(number) => {
                self.prompt_without_terminal(continued);
                self.checked(read_block(fd::borrow(number), &mut input.buffer, 1024))
            }
            Reader::Bytes(number) => {
                self.prompt_without_terminal(continued);
                let start = input.buffer.len();
                let more = self.checked(read_bytes(fd::borrow(number), &mut input.buffer));
                if more && self.options.bash && self.options.interactive {
                    let line = crate::interactive::entered_line(self, &input.buffer[start..]);
                    input.buffer.truncate(start);
                    input.buffer.extend_from_slice(&line);
                }
                more
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
fn read_block(file: BorrowedFd<'_>, into: &mut Vec<u8>, size: usize) -> Result<bool, Errno> {
    let start = into.len();
    into.resize(start + size, 0);
    let got = read_commands(file, &mut into[start..]);
    into.truncate(start + got.unwrap_or(0));
    got.map(|got| got > 0)
}

/// One line, byte by byte: what follows belongs to the commands. False at the end.
fn read_bytes(file: BorrowedFd<'_>, into: &mut Vec<u8>) -> Result<bool, Errno> {
    let start = into.len();
    let mut byte = [0];
    while read_commands(file, &mut byte)? == 1 {
        into.push(byte[0]);
        if byte[0] == b'\n' {
            break;
        }
    }
    Ok(into.len() > start)
}

/// Reads commands once, going on after signals.
fn read_commands(file: BorrowedFd<'_>, into: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match fd::read(file, &mut *into) {
            Err(Errno::INTR) => {}
            // XCU sh, STDIN: the shell makes its standard input block again, for good.
            Err(Errno::AGAIN) => {
                let flags = fs::fcntl_getfl(file)?;
                if !flags.contains(fs::OFlags::NONBLOCK) {
                    return Err(Errno::AGAIN);
                }
                fs::fcntl_setfl(file, flags - fs::OFlags::NONBLOCK)?;
            }
            result => return result,
        }
    }
}
