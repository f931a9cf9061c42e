//! Reads and writes files and the output of commands.

use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::sys::{AsFd, OwnedFd, fd, pipe};
use rbox_core::{call, text};

use super::Editor;
use super::buffer::Line;

impl Editor {
    /// `e`: replaces the buffer by a file.
    pub fn edit(&mut self, env: &mut Env, name: &[u8]) -> Result<()> {
        let lines = self.read(env, name)?;
        self.buffer.clear();
        self.buffer.insert(0, lines);
        self.buffer.modified = false;
        self.remember_path(name, true);
        Ok(())
    }

    /// POSIX XCU ed: a name is remembered if there is none, a command never is.
    pub fn remember_path(&mut self, name: &[u8], always: bool) {
        if !name.starts_with(b"!") && (always || self.path.is_none()) {
            self.path = Some(name.to_vec());
        }
    }

    /// The lines of a file, or of the output of `!COMMAND`; prints their size.
    pub fn read(&mut self, env: &mut Env, name: &[u8]) -> Result<Vec<Line>> {
        let content = match name.strip_prefix(b"!") {
            Some(command) => self.output_of(env, command)?,
            None => Input::open(name)
                .and_then(|mut input| input.read_to_end())
                .map_err(|error| error.errno().map_or(error, |errno| Error::on(name, errno)))?,
        };
        let ended = content.is_empty() || content.ends_with(b"\n");
        let size = content.len() + usize::from(!ended);
        if !self.silent {
            env.stdout.write(&text!(size, "\n"))?;
        }
        let body = content.strip_suffix(b"\n").unwrap_or(&content);
        if content.is_empty() {
            Ok(Vec::new())
        } else {
            Ok(body.split(|&byte| byte == b'\n').map(Line::from).collect())
        }
    }

    /// Starts a command whose standard input or output (`number`) is the pipe.
    fn start(&self, env: &mut Env, command: &[u8], end: &OwnedFd, number: i32) -> Result<i32> {
        env.stdout.flush()?;
        let pid = process::fork_run(|| {
            if let Some(signals) = &self.signals {
                signals.release();
            }
            if fd::redirect(end.as_fd(), number).is_err() {
                return 126;
            }
            call::replace(env, &[b"sh", b"-c", command]).0
        })?;
        Ok(pid)
    }

    fn output_of(&mut self, env: &mut Env, command: &[u8]) -> Result<Vec<u8>> {
        let (read, write) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC)?;
        let pid = self.start(env, command, &write, 1)?;
        drop(write);
        let content = Input::from_fd(read, command).read_to_end();
        process::wait_for(pid)?;
        content
    }

    /// `!`: runs a command, with the terminal or the rest of the input.
    pub fn shell(&mut self, env: &mut Env, command: &[u8]) -> Result<()> {
        env.stdout.flush()?;
        let pid = process::fork_run(|| {
            if let Some(signals) = &self.signals {
                signals.release();
            }
            call::replace(env, &[b"sh", b"-c", command]).0
        })?;
        process::wait_for(pid)?;
        if self.silent { Ok(()) } else { env.stdout.write(b"!\n") }
    }

    /// `w`: writes lines to a file or to `!COMMAND`, and returns how many bytes.
    pub fn write(&mut self, env: &mut Env, name: &[u8], first: usize, last: usize, appends: bool) -> Result<usize> {
        let Some(command) = name.strip_prefix(b"!") else { return self.write_file(name, first, last, appends) };
        let (read, write) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC)?;
        let pid = self.start(env, command, &read, 0)?;
        drop(read);
        let result = self.write_lines(&mut Output::from_fd(write), first, last);
        process::wait_for(pid)?;
        result.map_err(|error| error.errno().map_or(error, |errno| Error::on(command, errno)))
    }

    pub fn write_file(&self, name: &[u8], first: usize, last: usize, appends: bool) -> Result<usize> {
        let mut output = Output::open(name, appends).map_err(|errno| Error::on(name, errno))?;
        let result = self.write_lines(&mut output, first, last);
        result.map_err(|error| error.errno().map_or(error, |errno| Error::on(name, errno)))
    }

    fn write_lines(&self, output: &mut Output, first: usize, last: usize) -> Result<usize> {
        let mut size = 0;
        for line in self.buffer.lines(first, last) {
            output.write(line)?;
            output.push(b'\n')?;
            size += line.len() + 1;
        }
        output.flush()?;
        Ok(size)
    }
}
