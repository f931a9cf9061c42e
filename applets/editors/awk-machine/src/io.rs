//! Files and commands that a program reads and writes, by the names that it gives them.

use rbox_core::bytes::find_bytes;
use rbox_core::call;
use rbox_core::env::Env;
use rbox_core::error::{Error, Result};
use rbox_core::io::{Input, Output};
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::process::{self, Change};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd};
use std::rc::Rc;

use crate::program::To;
use crate::regexes::Pattern;

/// Where a statement writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    Stdout,
    Stderr,
    /// By its index among the outputs.
    Stream(usize),
}

/// An open output.
struct Written {
    name: Vec<u8>,
    output: Output,
    /// The process that reads it.
    child: Option<i32>,
}

/// An open input.
struct Read {
    name: Vec<u8>,
    /// `None` for standard input, which the main input may share.
    input: Option<Input>,
    /// The process that writes it.
    child: Option<i32>,
    is_command: bool,
}

/// What ends a record (POSIX XCU awk, RS).
#[derive(Clone)]
pub enum Separator {
    Byte(u8),
    /// Empty lines; records are paragraphs.
    Paragraph,
    Regex(Rc<Pattern>),
}

/// All that a program has opened.
#[derive(Default)]
pub struct Streams {
    outputs: Vec<Written>,
    inputs: Vec<Read>,
}

impl Streams {
    /// The output of a redirection, opened when it is seen first.
    pub fn output(&mut self, env: &mut Env, to: To, name: &[u8]) -> Result<Sink> {
        let is_command = to == To::Command;
        if !is_command {
            match name {
                b"/dev/stdout" | b"-" => return Ok(Sink::Stdout),
                b"/dev/stderr" => return Ok(Sink::Stderr),
                _ => {}
            }
        }
        let is_it = |one: &Written| one.name == name && one.child.is_some() == is_command;
        if let Some(index) = self.outputs.iter().position(is_it) {
            return Ok(Sink::Stream(index));
        }
        let (output, child) = if is_command {
            self.flush(env)?;
            let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
            let child = self.start(env, name, &reader, 0)?;
            (Output::from_fd(writer), Some(child))
        } else {
            let how = if to == To::Append { OFlags::APPEND } else { OFlags::TRUNC };
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | how;
            let file = fs::open(name, flags, Mode::from_raw_mode(0o666))
                .map_err(|errno| Error::cannot("open", name, errno))?;
            (Output::from_fd(file), None)
        };
        self.outputs.push(Written { name: name.to_vec(), output, child });
        Ok(Sink::Stream(self.outputs.len() - 1))
    }

    /// Starts `sh -c command`, with `stream` as its descriptor `number`.
    fn start(&mut self, env: &mut Env, command: &[u8], stream: &OwnedFd, number: i32) -> Result<i32> {
        let child = process::fork_run(|| {
            if fd::redirect(stream.as_fd(), number).is_err() {
                return 126;
            }
            // Only this process writes to the other commands, which end when it closes them.
            *self = Self::default();
            shell(env, command)
        });
        Ok(child?)
    }

    /// The stream of an open sink.
    #[inline]
    pub fn writer<'a>(&'a mut self, env: &'a mut Env, sink: Sink) -> &'a mut Output {
        match sink {
            Sink::Stdout => &mut env.stdout,
            Sink::Stderr => &mut env.stderr,
            Sink::Stream(index) => &mut self.outputs[index].output,
        }
    }

    /// The index of an input, opened when it is seen first.
    pub fn input(
        &mut self,
        env: &mut Env,
        is_command: bool,
        name: &[u8],
    ) -> Result<core::result::Result<usize, Errno>> {
        let is_it = |one: &Read| one.name == name && one.is_command == is_command;
        if let Some(index) = self.inputs.iter().position(is_it) {
            return Ok(Ok(index));
        }
        let (input, child) = if is_command {
            self.flush(env)?;
            let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
            let child = self.start(env, name, &writer, 1)?;
            (Some(Input::from_fd(reader, name)), Some(child))
        } else if matches!(name, b"-" | b"/dev/stdin") {
            (None, None)
        } else {
            match Input::open(name) {
                Ok(input) => (Some(input), None),
                Err(error) => return Ok(Err(error.errno().unwrap_or(Errno::IO))),
            }
        };
        self.inputs.push(Read { name: name.to_vec(), input, child, is_command });
        Ok(Ok(self.inputs.len() - 1))
    }

    /// Reads a record of an open input. `false` at its end.
    pub fn read(
        &mut self,
        env: &mut Env,
        index: usize,
        separator: &Separator,
        record: &mut Vec<u8>,
        terminator: &mut Vec<u8>,
    ) -> Result<bool> {
        match &mut self.inputs[index].input {
            Some(input) => read_record(input, &mut env.stdout, separator, record, terminator),
            None => read_record(&mut env.stdin, &mut env.stdout, separator, record, terminator),
        }
    }

    /// Hands everything to the system.
    pub fn flush(&mut self, env: &mut Env) -> Result<()> {
        env.stdout.flush()?;
        self.outputs.iter_mut().try_for_each(|one| flush(&mut one.output, &one.name))
    }

    /// `fflush(name)`: 0, or -1 when nothing of that name is open for writing.
    pub fn flush_named(&mut self, name: &[u8]) -> Result<f64> {
        let mut result = -1.0;
        for one in self.outputs.iter_mut().filter(|one| one.name == name) {
            flush(&mut one.output, &one.name)?;
            result = 0.0;
        }
        Ok(result)
    }

    /// Closes what is open under that name: the status of a command, 0 for a file, -1 when nothing is.
    pub fn close(&mut self, name: &[u8]) -> Result<f64> {
        let mut result = -1.0;
        if let Some(index) = self.outputs.iter().position(|one| one.name == name) {
            let Written { mut output, child, name } = self.outputs.remove(index);
            flush(&mut output, &name)?;
            drop(output);
            result = wait(child);
        }
        if let Some(index) = self.inputs.iter().position(|one| one.name == name) {
            let Read { input, child, .. } = self.inputs.remove(index);
            drop(input);
            result = wait(child);
        }
        Ok(result)
    }

    /// Closes everything, and waits for the commands. The first error is returned, after all was closed.
    pub fn close_all(&mut self) -> Result<()> {
        let mut result = Ok(());
        for Written { mut output, child, name } in self.outputs.drain(..) {
            let flushed = flush(&mut output, &name);
            drop(output);
            wait(child);
            result = result.and(flushed);
        }
        for Read { input, child, .. } in self.inputs.drain(..) {
            drop(input);
            wait(child);
        }
        result
    }

    /// `system(command)`: its status.
    pub fn system(&mut self, env: &mut Env, command: &[u8]) -> Result<f64> {
        self.flush(env)?;
        let child = process::fork_run(|| {
            *self = Self::default();
            shell(env, command)
        })?;
        Ok(wait(Some(child)))
    }
}

/// Becomes the shell, whatever PATH is, as for popen(3); the status if there is none.
fn shell(env: &mut Env, command: &[u8]) -> u8 {
    let words: [&[u8]; 3] = [b"sh", b"-c", command];
    process::exec(b"/bin/sh", &words, &env.vars.words());
    call::replace(env, &words).0
}

/// What a closed pipe or a full disk says names the stream.
fn flush(output: &mut Output, name: &[u8]) -> Result<()> {
    output.flush().map_err(|error| Error::on(name, error.errno().unwrap_or(Errno::IO)))
}

/// The status of a child as awk's functions return it: 256 and the signal's number if one ended it, as in gawk.
fn wait(child: Option<i32>) -> f64 {
    let Some(child) = child else { return 0.0 };
    match process::wait_for(child) {
        Ok(Change::Signaled(signal)) => 256.0 + f64::from(signal),
        Ok(change) => f64::from(change.status()),
        Err(_) => -1.0,
    }
}

/// Reads a record into `record`, and what ended it into `terminator`. `false` at the end of the input.
#[inline]
pub fn read_record(
    input: &mut Input,
    output: &mut Output,
    separator: &Separator,
    record: &mut Vec<u8>,
    terminator: &mut Vec<u8>,
) -> Result<bool> {
    match separator {
        Separator::Byte(byte) => {
            let Some(line) = input.record_for(*byte, output)? else { return Ok(false) };
            terminator.clear();
            let is_ended = line.last() == Some(byte);
            if is_ended {
                terminator.push(*byte);
            }
            let line = &line[..line.len() - usize::from(is_ended)];
            record.clear();
            if line.len() > record.capacity() {
                rbox_core::bytes::reserve(record, line.len())?;
            }
            record.extend_from_slice(line);
            Ok(true)
        }
        Separator::Paragraph => read_paragraph(input, output, record, terminator),
        Separator::Regex(regex) => read_to_match(input, output, regex, record, terminator),
    }
}

/// POSIX XCU awk, RS: leading newlines are skipped, and newlines that follow the record are not part of it.
fn read_paragraph(
    input: &mut Input,
    output: &mut Output,
    record: &mut Vec<u8>,
    terminator: &mut Vec<u8>,
) -> Result<bool> {
    loop {
        let content = input.fill_for(output)?;
        if content.is_empty() {
            return Ok(false);
        }
        let newlines = content.iter().take_while(|&&byte| byte == b'\n').count();
        let is_all = newlines == content.len();
        input.consume(newlines);
        if !is_all {
            break;
        }
    }
    let mut searched = 0;
    loop {
        let content = input.buffered();
        let found = find_bytes(b'\n', &content[searched..])
            .map(|at| searched + at)
            .find(|&at| content.get(at + 1) == Some(&b'\n'));
        let newlines = found.map_or(0, |at| content[at..].iter().take_while(|&&byte| byte == b'\n').count());
        let is_whole = found.is_some_and(|at| at + newlines < content.len());
        searched = found.unwrap_or_else(|| content.len().saturating_sub(1));
        if !is_whole && input.fill_more_for(output)? {
            continue;
        }
        let content = input.buffered();
        let (length, newlines) = match found {
            Some(at) => (at, newlines),
            // The end of the file ends the record; its newline is not part of it.
            None => (content.len() - usize::from(content.ends_with(b"\n")), usize::from(content.ends_with(b"\n"))),
        };
        take(input, length, newlines, record, terminator)?;
        return Ok(true);
    }
}

fn take(
    input: &mut Input,
    length: usize,
    separator: usize,
    record: &mut Vec<u8>,
    terminator: &mut Vec<u8>,
) -> Result<()> {
    let content = input.buffered();
    record.clear();
    rbox_core::bytes::append(record, &content[..length])?;
    terminator.clear();
    rbox_core::bytes::append(terminator, &content[length..length + separator])?;
    input.consume(length + separator);
    Ok(())
}

/// A match at the end of what was read might go on, so more is read first.
fn read_to_match(
    input: &mut Input,
    output: &mut Output,
    regex: &Pattern,
    record: &mut Vec<u8>,
    terminator: &mut Vec<u8>,
) -> Result<bool> {
    if input.fill_for(output)?.is_empty() {
        return Ok(false);
    }
    let mut is_end = false;
    loop {
        let content = input.buffered();
        let mut at = 0;
        let found = loop {
            match regex.find_at(content, at) {
                Some((begin, end)) if begin == end && begin < content.len() => at = begin + 1,
                Some((begin, end)) if begin == end => break None,
                found => break found,
            }
        };
        match found {
            Some((begin, end)) if is_end || end < content.len() => {
                take(input, begin, end - begin, record, terminator)?;
                return Ok(true);
            }
            None if is_end => {
                // All that is left is the last record, with its newline, as in gawk, mawk and BusyBox.
                let length = content.len();
                take(input, length, 0, record, terminator)?;
                return Ok(true);
            }
            _ => {}
        }
        // The search begins again, so as much again is read before it, unless nothing more is there yet.
        let wanted = 2 * content.len();
        loop {
            if !input.fill_more_for(output)? {
                is_end = true;
                break;
            }
            if input.buffered().len() >= wanted || input.would_wait() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, separator: &Separator) -> Vec<(String, String)> {
        let mut input = Input::from_bytes(text.as_bytes().to_vec());
        let (mut record, mut terminator) = (Vec::new(), Vec::new());
        let mut all = Vec::new();
        while read_record(&mut input, &mut Output::memory(), separator, &mut record, &mut terminator).expect("memory") {
            let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            all.push((string(&record), string(&terminator)));
        }
        all
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(record, end)| (record.to_string(), end.to_string())).collect()
    }

    #[test]
    fn records_end_as_the_separator_says() {
        assert_eq!(records("a;b;", &Separator::Byte(b';')), pairs(&[("a", ";"), ("b", ";")]));
        assert_eq!(records("\n\na\nb\n\n\nc\n", &Separator::Paragraph), pairs(&[("a\nb", "\n\n\n"), ("c", "\n")]));
        let text = crate::value::Text::new(b"x+");
        let regex = crate::regexes::Regexes::new(&[], false).and_then(|mut all| all.of_text(&text));
        assert_eq!(
            records("axxbx", &Separator::Regex(regex.expect("an expression"))),
            pairs(&[("a", "xx"), ("b", "x")])
        );
    }
}
