//! Files and commands that a program reads and writes, by the names that it gives them.

use rbox_core::bytes::find_bytes;
use rbox_core::env::Env;
use rbox_core::error::Result;
use rbox_core::io::{Input, Output};
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
pub struct Written {
    pub name: Vec<u8>,
    pub output: Output,
    /// The process that reads it.
    pub child: Option<i32>,
}

/// An open input.
pub struct Read {
    pub name: Vec<u8>,
    /// `None` for standard input, which the main input may share.
    pub input: Option<Input>,
    /// The process that writes it.
    pub child: Option<i32>,
    pub is_command: bool,
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
    pub outputs: Vec<Written>,
    pub inputs: Vec<Read>,
}

impl Streams {
    /// The output of a redirection, if it is open.
    pub fn output(&self, to: To, name: &[u8]) -> Option<Sink> {
        let is_command = to == To::Command;
        if !is_command {
            match name {
                b"/dev/stdout" | b"-" => return Some(Sink::Stdout),
                b"/dev/stderr" => return Some(Sink::Stderr),
                _ => {}
            }
        }
        let is_it = |one: &Written| one.name == name && one.child.is_some() == is_command;
        self.outputs.iter().position(is_it).map(Sink::Stream)
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

    /// The index of an input, if it is open.
    pub fn input(&self, is_command: bool, name: &[u8]) -> Option<usize> {
        self.inputs.iter().position(|one| one.name == name && one.is_command == is_command)
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
        let regex = rbox_core::pattern::regex::Regex::new(b"x+", rbox_core::pattern::regex::Flags::EXTENDED);
        let pattern = Pattern { regex: regex.expect("an expression"), byte: None, prefix: None };
        assert_eq!(records("axxbx", &Separator::Regex(Rc::new(pattern))), pairs(&[("a", "xx"), ("b", "x")]));
    }
}
