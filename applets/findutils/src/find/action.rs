//! The primaries that do something.

use core::cell::Cell;

use rbox_core::bytes;
use rbox_core::call::{self, Resolved};
use rbox_core::files::{kind, open_directory};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, CWD, FileType, unlinkat};
use rbox_core::sys::process::{Change, fchdir};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd};
use rbox_core::text;

use super::{File, Finder};

/// A primary; `Option<usize>` is an output of -fprint and the like by number, standard output without one.
pub enum Action {
    /// -print (newline) and -print0 (NUL).
    Print(u8, Option<usize>),
    /// -printf.
    Format(Vec<u8>, Option<usize>),
    /// -ls.
    List(Option<usize>),
    /// -exec and the like with `;`.
    Execute(Command),
    /// -exec and -execdir with `+`: the number of a batch.
    Batch(usize),
    /// -delete.
    Delete,
    /// -prune.
    Prune,
    /// -quit.
    Quit,
}

/// What is executed.
pub struct Command {
    /// Its words.
    pub words: Vec<Vec<u8>>,
    /// True when it runs in the file's directory.
    pub in_directory: bool,
    /// True when the user is asked first.
    pub asks: bool,
    /// Where the first word leads, once it has been looked up.
    pub resolved: Cell<Option<Resolved>>,
}

impl Command {
    /// Where the command leads; `None` where that differs from file to file.
    fn resolved(&self, env: &Env) -> Option<Resolved> {
        let name = self.words.first()?;
        // A path may be one from the file's directory.
        if bytes::find(name, b"{}").is_some() || name.contains(&b'/') && !name.starts_with(b"/") {
            return None;
        }
        if self.resolved.get().is_none() {
            self.resolved.set(Some(call::resolve(env, name)));
        }
        self.resolved.get()
    }
}

/// Files that wait until a command line is full.
pub struct Batch {
    /// The words before the files.
    pub command: Command,
    /// The files.
    pub files: Vec<Vec<u8>>,
    /// The bytes of all words.
    pub length: usize,
    /// With -execdir, the files' directory: its path and itself.
    pub directory: Option<(Vec<u8>, OwnedFd)>,
}

/// Bytes of a command line: what Linux allows at least is 128 KiB, the environment included.
const FULL: usize = 96 * 1024;

impl Finder {
    /// Does what the primary says; true when it succeeds.
    pub fn act(&mut self, env: &mut Env, action: &Action, file: &mut File<'_>) -> Result<bool> {
        match action {
            Action::Print(end, None) => {
                env.stdout.write(file.visit.path)?;
                env.stdout.push(*end)?;
            }
            Action::Print(end, to) => self.write(env, *to, &text!(file.visit.path, &[*end]))?,
            Action::Format(format, to) => {
                let text = self.formatted(format, file)?;
                self.write(env, *to, &text)?;
            }
            Action::List(to) => {
                let text = self.listed(file)?;
                self.write(env, *to, &text)?;
            }
            Action::Execute(command) => return self.execute(env, command, file),
            Action::Batch(number) => self.gather(env, *number, file)?,
            Action::Delete => return self.delete(file),
            Action::Prune => file.prune = true,
            Action::Quit => self.quit = true,
        }
        Ok(true)
    }

    fn write(&mut self, env: &mut Env, to: Option<usize>, text: &[u8]) -> Result<()> {
        match to.and_then(|number| self.outputs.get_mut(number)) {
            Some(output) => output.write(text),
            None => env.stdout.write(text),
        }
    }

    /// Removes the file from its directory, whatever its path leads to by now.
    fn delete(&mut self, file: &File<'_>) -> Result<bool> {
        let visit = file.visit;
        // The current directory has no name of its own to be removed by.
        if visit.path == b"." {
            return Ok(true);
        }
        let is_directory = kind(visit.stat) == FileType::Directory;
        let flags = if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match unlinkat(visit.at, visit.name, flags) {
            // A link that was followed to a directory.
            Err(Errno::NOTDIR) if is_directory => unlinkat(visit.at, visit.name, AtFlags::empty()),
            deleted => deleted,
        }
        .map(|()| true)
        .map_err(|errno| Error::on(visit.path, errno))
    }

    fn execute(&mut self, env: &mut Env, command: &Command, file: &File<'_>) -> Result<bool> {
        let name = name_for(command, file);
        let words: Vec<Vec<u8>> = command.words.iter().map(|word| replace(word, &name)).collect();
        if command.asks && !ask(env, &words[0], file.visit.path)? {
            return Ok(false);
        }
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let change = if command.in_directory {
            let opened = if file.visit.depth == 0 { Some(directory_of(file.visit.path)?) } else { None };
            let directory = opened.as_ref().map_or(file.visit.at, |directory| directory.as_fd());
            self.attempt_in(env, directory, &words, command.resolved(env))?
        } else {
            attempt(env, &words, command.resolved(env))?
        };
        Ok(change == Some(Change::Exited(0)))
    }

    /// Runs a command in a directory, and comes back.
    fn attempt_in(
        &mut self,
        env: &mut Env,
        directory: BorrowedFd<'_>,
        words: &[&[u8]],
        resolved: Option<Resolved>,
    ) -> Result<Option<Change>> {
        if self.home.is_none() {
            self.home = Some(open_directory(CWD, b".", true).map_err(|errno| Error::on(".", errno))?);
        }
        fchdir(directory).map_err(|errno| Error::on("can't change directory", errno))?;
        let change = attempt(env, words, resolved);
        if let Some(home) = &self.home {
            fchdir(home).map_err(|errno| Error::on("can't change directory", errno))?;
        }
        change
    }

    /// Adds the file to a batch, which is run when it is full, or when another directory begins.
    fn gather(&mut self, env: &mut Env, number: usize, file: &File<'_>) -> Result<()> {
        let Some(batch) = self.batches.get(number) else { return Ok(()) };
        let in_directory = batch.command.in_directory;
        let name = name_for(&batch.command, file);
        let path = file.visit.path;
        let parent = &path[..path.len() - bytes::base_name(path).len().min(path.len())];
        let is_elsewhere = batch.directory.as_ref().is_some_and(|(known, _)| known != parent);
        if batch.length + name.len() + 1 > FULL || is_elsewhere {
            self.run_batch(env, number)?;
        }
        let Some(batch) = self.batches.get_mut(number) else { return Ok(()) };
        if in_directory && batch.directory.is_none() {
            let directory = match file.visit.depth {
                0 => directory_of(path)?,
                _ => open_directory(file.visit.at, b".", true).map_err(|errno| Error::on(path, errno))?,
            };
            batch.directory = Some((parent.to_vec(), directory));
        }
        // A pointer to each word counts as well.
        batch.length += name.len() + 1 + size_of::<usize>();
        batch.files.push(name);
        Ok(())
    }

    /// Runs what waits in all batches.
    pub fn run_batches(&mut self, env: &mut Env) -> Result<()> {
        for number in 0..self.batches.len() {
            self.run_batch(env, number)?;
        }
        Ok(())
    }

    fn run_batch(&mut self, env: &mut Env, number: usize) -> Result<()> {
        let Some(batch) = self.batches.get_mut(number).filter(|batch| !batch.files.is_empty()) else { return Ok(()) };
        let (files, directory) = (core::mem::take(&mut batch.files), batch.directory.take());
        batch.length = 0;
        let command = batch.command.words.clone();
        let words: Vec<&[u8]> = command.iter().chain(&files).map(Vec::as_slice).collect();
        let change = match &directory {
            Some((_, directory)) => self.attempt_in(env, directory.as_fd(), &words, None)?,
            None => attempt(env, &words, None)?,
        };
        // POSIX XCU find: a command of a batch that fails makes find fail.
        if change != Some(Change::Exited(0)) {
            self.status = ExitStatus::FAILURE;
        }
        Ok(())
    }
}

/// What stands for `{}`.
fn name_for(command: &Command, file: &File<'_>) -> Vec<u8> {
    match command.in_directory {
        true if file.base_name() == b"/" => b"/".to_vec(),
        true => text!("./", file.base_name()),
        false => file.visit.path.to_vec(),
    }
}

fn directory_of(path: &[u8]) -> Result<OwnedFd> {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    let directory = match bytes::find_byte_back(b'/', &path[..end]) {
        Some(at) => &path[..=at],
        None => b".",
    };
    open_directory(CWD, directory, true).map_err(|errno| Error::on(directory, errno))
}

/// Runs a command; `None` when it cannot be executed, which has been reported.
fn attempt(env: &mut Env, words: &[&[u8]], resolved: Option<Resolved>) -> Result<Option<Change>> {
    env.stdout.flush()?;
    let resolved = resolved.unwrap_or_else(|| call::resolve(env, words[0]));
    match call::attempt_resolved(env, resolved, words) {
        Ok(change) => Ok(Some(change)),
        Err(errno) => {
            env.report(&Error::on(words[0], errno));
            Ok(None)
        }
    }
}

fn ask(env: &mut Env, name: &[u8], path: &[u8]) -> Result<bool> {
    env.stdout.flush()?;
    env.stderr.write(&text!("< ", name, " ... ", path, " > ? "))?;
    env.stderr.flush()?;
    Ok(env.stdin.line()?.is_some_and(|answer| matches!(answer.first(), Some(b'y' | b'Y'))))
}

/// The word with each `{}` replaced by the name.
fn replace(word: &[u8], name: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::new(), word);
    while let Some(at) = bytes::find(rest, b"{}") {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(name);
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
    text
}
