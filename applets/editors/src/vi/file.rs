//! Files: reading, writing so that the old contents survive a full disk, recovery, and commands of the shell.

use rbox_core::bytes::{base_name, join_path};
use rbox_core::call;
use rbox_core::error::{Error, Result};
use rbox_core::io::{self, read};
use rbox_core::sys::fs::{self, FileType, MemfdFlags, Mode, OFlags, Stat};
use rbox_core::sys::pipe;
use rbox_core::sys::process::{Change, fork_run, wait_for};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, alloc, fd};
use rbox_core::{push, text};

use super::Editor;
use super::buffer::{Buffer, newlines};
use super::settings::READ_ONLY;

/// The file that is edited.
#[derive(Default)]
pub(super) struct File {
    pub name: Option<Vec<u8>>,
    /// Device, inode, size and time of change when it was read or written last.
    state: Option<(u64, u64, i64, i64)>,
    /// Its last line has no newline.
    pub lacks_newline: bool,
}

impl File {
    /// The name is another one now, under which nothing was read.
    pub fn forget(&mut self) {
        self.state = None;
    }
}

fn state(stat: &Stat) -> (u64, u64, i64, i64) {
    (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime.wrapping_mul(1_000_000_000) + stat.st_mtime_nsec as i64)
}

/// The contents of a regular file: a block with space after them, their length, and the file's attributes.
fn contents(name: &[u8]) -> Result<(Vec<u8>, usize, Stat)> {
    if cfg!(fuzzing) {
        return Err(Errno::NOENT.into());
    }
    // The other end of a FIFO is not waited for.
    let file = fs::open(name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let stat = fs::fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(Errno::ISDIR.into()),
        _ => return Err(Error::new("is not a regular file")),
    }
    let (bytes, length) = read_all(file.as_fd(), stat.st_size as usize)?;
    Ok((bytes, length, stat))
}

/// Reads to the end: a block with space after the bytes, and how many they are.
fn read_all(file: BorrowedFd<'_>, size: usize) -> core::result::Result<(Vec<u8>, usize), Errno> {
    let mut bytes = alloc::zeroed(size + (1 << 16)).ok_or(Errno::NOMEM)?;
    let mut length = 0;
    loop {
        if length == bytes.len() {
            let mut larger = alloc::zeroed(bytes.len() * 2).ok_or(Errno::NOMEM)?;
            larger[..length].copy_from_slice(&bytes);
            bytes = larger;
        }
        match read(file, &mut bytes[length..])? {
            0 => return Ok((bytes, length)),
            count => length += count,
        }
    }
}

/// Writes what parts, one after the other, have from one offset to another.
fn write_all(file: BorrowedFd<'_>, parts: &[&[u8]], from: usize, to: usize) -> core::result::Result<(), Errno> {
    let mut start = 0;
    for part in parts {
        let end = start + part.len();
        io::write_all(file, &part[from.clamp(start, end) - start..to.clamp(start, end) - start])?;
        start = end;
    }
    Ok(())
}

/// Replaces the contents of a file, which keeps its inode, owner, mode, links and attributes.
///
/// What is longer than before is written first, where it needs new blocks: when the disk is full, the file is cut to its
/// old length, and nothing of it was changed.
fn rewrite(file: &OwnedFd, old: u64, parts: &[&[u8]]) -> core::result::Result<(), Errno> {
    let mut new = 0;
    for part in parts {
        new += part.len() as u64;
    }
    if new > old {
        fs::seek(file, fs::SeekFrom::Start(old))?;
        if let Err(errno) = write_all(file.as_fd(), parts, old as usize, usize::MAX) {
            // What was added goes; the error that matters is the first one.
            let _ = fs::ftruncate(file, old);
            return Err(errno);
        }
        fs::seek(file, fs::SeekFrom::Start(0))?;
    }
    write_all(file.as_fd(), parts, 0, old as usize)?;
    if new < old { fs::ftruncate(file, new) } else { Ok(()) }
}

impl Editor<'_> {
    /// Begins with a file: its contents, or an empty text where there is none.
    pub(super) fn open(&mut self, name: Option<&[u8]>) {
        self.file = File { name: name.map(<[u8]>::to_vec), ..File::default() };
        let Some(name) = name else { return self.start_with(Buffer::new(b"\n".to_vec(), 1)) };
        let found = contents(name);
        self.is_read_only =
            self.options.flags[READ_ONLY] || found.is_ok() && fs::access(name, fs::Access::WRITE_OK).is_err();
        match found {
            Ok((bytes, length, stat)) => {
                self.file.state = Some(state(&stat));
                self.file.lacks_newline = length > 0 && bytes[length - 1] != b'\n';
                self.start_with(Buffer::new(bytes, length));
                self.is_void = length == 0;
                self.report_file("", length);
                self.report_recovery(name);
            }
            Err(error) => {
                self.start_with(Buffer::new(b"\n".to_vec(), 1));
                self.is_void = true;
                match error.errno() {
                    Some(Errno::NOENT) => self.report_file(" [New file]", 0),
                    _ => self.fail_with(name, &error),
                }
            }
        }
    }

    /// `'NAME' 3L, 10C`: lines and bytes.
    fn report_file(&mut self, what: &str, length: usize) {
        let lines = if length == 0 { 0 } else { self.text().lines() };
        let name = self.file.name.clone().unwrap_or_default();
        let read_only = if self.is_read_only { " [Readonly]" } else { "" };
        self.report_size(&text!(name, "'", what, read_only), lines, length);
    }

    fn report_size(&mut self, name: &[u8], lines: usize, length: usize) {
        self.say(text!("'", name, " ", lines, "L, ", length, "C"));
    }

    /// `'NAME` and what is wrong with it, which begins with the other quote.
    #[inline(never)]
    pub(super) fn fail_on(&mut self, name: &[u8], what: &[u8]) {
        self.fail(&text!("'", name, what));
    }

    fn fail_with(&mut self, name: &[u8], error: &Error) {
        self.fail_on(name, &text!("' ", error.message()));
    }

    fn start_with(&mut self, text: Buffer) {
        *self.document = super::undo::Document::new(text);
        (self.cursor, self.top, self.left, self.kept_line) = (0, 0, 0, None);
        self.measured.set((usize::MAX, 0));
    }

    /// Inserts a file's contents after a line that ends before `at`.
    pub(super) fn read_file(&mut self, name: &[u8], at: usize) {
        match contents(name) {
            Ok((mut bytes, length, _)) => {
                bytes.truncate(length);
                self.insert_lines(at, bytes);
                let lines = newlines(&self.text().copy(at, at + length));
                self.report_size(&text!(name, "'"), lines, length);
            }
            Err(error) => self.fail_with(name, &error),
        }
    }

    /// Inserts lines, of which the last gets a newline if it has none; the cursor goes to the first.
    pub(super) fn insert_lines(&mut self, at: usize, mut bytes: Vec<u8>) {
        if !bytes.is_empty() {
            if bytes.last() != Some(&b'\n') {
                bytes.push(b'\n');
            }
            self.edit(at, 0, &bytes);
            self.cursor = self.text().first_nonblank(at);
        }
    }

    /// Writes a part of the text to a file. False after a failure, which is reported.
    pub(super) fn write_file(&mut self, name: &[u8], from: usize, to: usize, forced: bool, append: bool) -> bool {
        let is_own = self.file.name.as_deref() == Some(name);
        let is_whole = from == 0 && to == self.text().len();
        if is_own && self.is_read_only && !forced {
            self.fail_on(name, b"' is read only (:w! overrides)");
            return false;
        }
        let before = fs::stat(name).ok();
        if !forced
            && !append
            && let Some(stat) = &before
        {
            let message: &[u8] = match self.file.state {
                _ if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => b"",
                Some(known) if is_own && known != state(stat) => b"' has changed since it was read (:w! overrides)",
                None if is_own => b"' exists now (:w! overrides)",
                _ if !is_own => b"' exists (:w! overrides)",
                _ => b"",
            };
            if !message.is_empty() {
                self.fail_on(name, message);
                return false;
            }
        }
        let (first, second) = self.document.text.parts(from, to);
        // A last line without a newline stays so, and a text without lines is an empty file.
        let drops = is_whole && (self.file.lacks_newline || self.is_void && to == 1);
        let (first, second) = match (drops, second.is_empty()) {
            (false, _) => (first, second),
            (true, true) => (&first[..first.len() - 1], second),
            (true, false) => (first, &second[..second.len() - 1]),
        };
        let length = first.len() + second.len();
        match write_to(name, &[first, second], before.is_some(), append) {
            Ok(stat) => {
                if is_own || self.file.name.is_none() {
                    self.file.name = Some(name.to_vec());
                    self.file.state = Some(state(&stat));
                    if is_whole {
                        self.document.set_saved();
                    }
                }
                let lines = self.text().line_number(to.max(1) - 1) - self.text().line_number(from);
                let lines = if length == 0 { 0 } else { lines + 1 };
                self.report_size(&text!(name, "'"), lines, length);
                true
            }
            Err(errno) => {
                self.fail_with(name, &errno.into());
                false
            }
        }
    }

    /// After a hangup: what was changed goes to a recovery file, beside the file or in the home directory. The error
    /// tells where it is, or why it is nowhere.
    pub(super) fn save_for_recovery(&self) -> Error {
        let name = self.file.name.as_deref().unwrap_or(b"vi");
        let home = join_path(self.env.vars.get("HOME").unwrap_or(b"/tmp"), base_name(name));
        let parts: [&[u8]; 2] = self.text().parts(0, self.text().len()).into();
        let mut failure = Errno::EXIST;
        for number in 0..20usize {
            let path = if number < 10 { name } else { &home };
            let mut path = text!(path, ".save");
            if number % 10 > 0 {
                push!(path, ".", number % 10);
            }
            // Nothing that is there is written over, and no link is followed.
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = fs::open(&path, flags, Mode::from_raw_mode(0o600));
            match file.and_then(|file| write_all(file.as_fd(), &parts, 0, usize::MAX)) {
                Ok(()) => return Error::new(text!("changes are in ", path)),
                Err(Errno::EXIST) => {}
                Err(errno) => failure = errno,
            }
        }
        Error::on(name, failure)
    }

    /// Reports the recovery file of a session that was lost.
    fn report_recovery(&mut self, name: &[u8]) {
        let save = text!(name, ".save");
        if fs::access(&save, fs::Access::READ_OK).is_ok() {
            self.say(text!(&self.message, "; '", save, "' is of a lost session"));
        }
    }

    /// Runs a command of the shell on the terminal.
    pub(super) fn shell(&mut self, line: Option<&[u8]>) {
        if cfg!(fuzzing) {
            return;
        }
        let shell = self.env.shell();
        self.screen.leave();
        let words: &[&[u8]] = match line {
            Some(line) => &[&shell, b"-c", line],
            None => &[&shell],
        };
        let outcome = call::run(self.env, words);
        if line.is_some() {
            self.screen.pause(b"\n[Hit return to continue]");
        }
        self.screen.enter();
        if let Err(error) = outcome {
            self.fail_for(error);
        }
    }

    /// What a command of the shell prints when it reads `input`. `None` after a failure, which is reported.
    pub(super) fn filter(&mut self, line: &[u8], input: &[u8]) -> Option<Vec<u8>> {
        if cfg!(fuzzing) {
            return None;
        }
        match self.run_filter(line, input) {
            Ok((output, Change::Exited(0))) => Some(output),
            Ok((output, change)) => {
                self.say(text!("shell returned ", change.status()));
                Some(output)
            }
            Err(errno) => {
                self.fail_with(line, &errno.into());
                None
            }
        }
    }

    fn run_filter(&mut self, line: &[u8], input: &[u8]) -> core::result::Result<(Vec<u8>, Change), Errno> {
        let shell = self.env.shell();
        let file = fs::memfd_create("vi", MemfdFlags::CLOEXEC)?;
        write_all(file.as_fd(), &[input], 0, usize::MAX)?;
        fs::seek(&file, fs::SeekFrom::Start(0))?;
        let (reader, writer) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC)?;
        let env = &mut *self.env;
        let pid = fork_run(|| {
            let redirected = fd::redirect(file.as_fd(), 0)
                .and_then(|()| fd::redirect(writer.as_fd(), 1))
                .and_then(|()| fd::redirect(writer.as_fd(), 2));
            if redirected.is_err() { 126 } else { call::replace(env, &[&shell, b"-c", line]).0 }
        })?;
        drop(writer);
        let output = read_all(reader.as_fd(), 0);
        let change = wait_for(pid)?;
        let (mut output, length) = output?;
        output.truncate(length);
        Ok((output, change))
    }
}

/// Writes parts to a file; its attributes then.
fn write_to(name: &[u8], parts: &[&[u8]], exists: bool, append: bool) -> core::result::Result<Stat, Errno> {
    if cfg!(fuzzing) {
        return Err(Errno::PERM);
    }
    let how = if append { OFlags::APPEND } else { OFlags::empty() };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | how;
    let file = fs::open(name, flags, Mode::from_raw_mode(0o666))?;
    let stat = fs::fstat(&file)?;
    let written = match FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && !append {
        true => rewrite(&file, stat.st_size as u64, parts),
        false => write_all(file.as_fd(), parts, 0, usize::MAX),
    };
    if let Err(errno) = written {
        if !exists {
            // A part of a file is worse than none; the error that matters is the first one.
            let _ = fs::unlink(name);
        }
        return Err(errno);
    }
    fs::fstat(&file)
}
