//! The files of `sed`: operands read line by line, with a look ahead for `$`; outputs; and `-i`, which writes a new file
//! beside the old one and renames it when it is complete.

use rbox_core::bytes::{append, base_name, join_path};
use rbox_core::copying::keep_xattrs;
use rbox_core::files::{canonical, kind};
use rbox_core::io::{self, Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, Mode, OFlags, Stat};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::{AsFd, Errno, OwnedFd};

/// The status for a read or write that fails, as with GNU.
pub const IO_FAILURE: u8 = 4;

/// Where `-i` and `-s` make a difference.
pub struct Manner<'a> {
    /// `-s`: addresses count in each file anew.
    pub separate: bool,
    /// `-i`: the suffix of the backup, empty for none.
    pub in_place: Option<&'a [u8]>,
    /// `--follow-symlinks`: `-i` edits the file that a link leads to instead of replacing the link.
    pub follow: bool,
    /// `-u`: nothing is read ahead.
    pub unbuffered: bool,
    /// The byte at the end of a line.
    pub line_end: u8,
}

/// Where a line is written.
enum Target {
    Stdout,
    Stderr,
    File(Output),
}

/// An output, which may lack the newline that its last line lacked in the input.
pub struct Sink {
    target: Target,
    name: Vec<u8>,
    lacks_end: bool,
}

impl Sink {
    pub fn stdout() -> Self {
        Self { target: Target::Stdout, name: Vec::new(), lacks_end: false }
    }

    /// The file of a command `w`, which is made or cut to nothing.
    pub fn create(name: &[u8]) -> Result<Self> {
        let target = if name == b"/dev/stderr" {
            Target::Stderr
        } else {
            Target::File(Output::create(name).map_err(|error| match error.errno() {
                Some(errno) => Error::cannot("open", name, errno).with_status(IO_FAILURE),
                None => error,
            })?)
        };
        Ok(Self { target, name: name.to_vec(), lacks_end: false })
    }

    fn output<'a>(&'a mut self, env: &'a mut Env) -> &'a mut Output {
        match &mut self.target {
            Target::Stdout => &mut env.stdout,
            Target::Stderr => &mut env.stderr,
            Target::File(output) => output,
        }
    }

    /// A file that fails is named; standard output ends the applet anyway.
    fn failed(&self, error: Error) -> Error {
        match (&self.target, error.errno()) {
            (Target::File(_), Some(errno)) => Error::on(&self.name, errno).with_status(IO_FAILURE),
            _ => error.with_status(IO_FAILURE),
        }
    }

    /// Writes a line and its end, unless the input has none there either.
    #[inline]
    pub fn write_line(&mut self, env: &mut Env, line: &[u8], end: u8, has_end: bool) -> Result<()> {
        if self.lacks_end {
            self.lacks_end = false;
            self.write(env, &[end], end)?;
        }
        self.lacks_end = !has_end;
        let output = self.output(env);
        let mut result = output.write(line);
        if has_end && result.is_ok() {
            result = output.push(end);
        }
        result.map_err(|error| self.failed(error))
    }

    /// Writes bytes that have their own ends.
    pub fn write(&mut self, env: &mut Env, bytes: &[u8], end: u8) -> Result<()> {
        if self.lacks_end {
            self.lacks_end = false;
            self.write(env, &[end], end)?;
        }
        self.output(env).write(bytes).map_err(|error| self.failed(error))
    }

    pub fn flush(&mut self, env: &mut Env) -> Result<()> {
        self.output(env).flush().map_err(|error| self.failed(error))
    }
}

/// A file that is being edited by `-i`.
struct Edit {
    sink: Sink,
    /// The name of the new file.
    temporary: Vec<u8>,
    target: Vec<u8>,
}

impl Drop for Edit {
    /// What was not renamed has no use. After a rename the name is empty.
    fn drop(&mut self) {
        if !self.temporary.is_empty() {
            let _ = fs::unlink(&self.temporary);
        }
    }
}

/// All outputs.
pub struct Outputs {
    /// Standard output, then the files of `w`.
    pub sinks: Vec<Sink>,
    edit: Option<Edit>,
}

impl Outputs {
    pub fn new(names: &[Vec<u8>]) -> Result<Self> {
        let mut sinks = vec![Sink::stdout()];
        for name in names {
            sinks.push(Sink::create(name)?);
        }
        Ok(Self { sinks, edit: None })
    }

    /// Where the pattern space is printed: the new file of `-i`, or standard output.
    #[inline]
    pub fn main(&mut self) -> &mut Sink {
        match &mut self.edit {
            Some(edit) => &mut edit.sink,
            None => &mut self.sinks[0],
        }
    }

    pub fn flush(&mut self, env: &mut Env) -> Result<()> {
        if let Some(edit) = &mut self.edit {
            edit.sink.flush(env)?;
        }
        self.sinks.iter_mut().try_for_each(|sink| sink.flush(env))
    }

    /// The file is complete: it takes the place of the old one.
    fn finish_edit(&mut self, env: &mut Env, suffix: &[u8]) -> Result<()> {
        let Some(mut edit) = self.edit.take() else { return Ok(()) };
        edit.sink.flush(env)?;
        let failed = |name: &[u8], errno| Error::cannot("rename", name, errno).with_status(IO_FAILURE);
        if let Some(backup) = backup_name(&edit.target, suffix) {
            back_up(&edit.target, &backup).map_err(|errno| failed(&edit.target, errno))?;
        }
        fs::rename(&edit.temporary, &edit.target).map_err(|errno| failed(&edit.target, errno))?;
        edit.temporary.clear();
        Ok(())
    }
}

/// Gives the old file its second name. A link is made first, so that at no moment the file has no name; where the file
/// system has none, the file is renamed.
fn back_up(target: &[u8], backup: &[u8]) -> core::result::Result<(), Errno> {
    let directory = &backup[..backup.len() - base_name(backup).len()];
    let link = [directory, &temporary_name()?].concat();
    if fs::link(target, &link).is_err() {
        return fs::rename(target, backup);
    }
    let renamed = fs::rename(&link, backup);
    // It is still there when it could not be renamed, or when both were links to one file.
    let _ = fs::unlink(&link);
    renamed
}

/// The name of the backup of `path`; `None` where it would be the file itself.
///
/// Each `*` of the suffix is the file's name; a suffix without one is added to it. A name with a slash is a path of its own,
/// another one is in the directory of the file.
fn backup_name(path: &[u8], suffix: &[u8]) -> Option<Vec<u8>> {
    if suffix.is_empty() {
        return None;
    }
    let name = base_name(path);
    let mut backup = Vec::new();
    if !suffix.contains(&b'*') {
        backup.extend_from_slice(name);
    }
    for &byte in suffix {
        match byte {
            b'*' => backup.extend_from_slice(name),
            _ => backup.push(byte),
        }
    }
    if !backup.contains(&b'/') {
        backup = [&path[..path.len() - name.len()], &backup].concat();
    }
    (backup != path).then_some(backup)
}

fn temporary_name() -> core::result::Result<Vec<u8>, Errno> {
    let mut random = [0; 8];
    getrandom(&mut random, GetRandomFlags::empty())?;
    let characters = random.map(|byte| b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte & 31)]);
    Ok([b"sed", &characters[..]].concat())
}

/// What is read: the operands, one line after the other.
pub struct Inputs<'a> {
    operands: std::slice::Iter<'a, &'a [u8]>,
    manner: Manner<'a>,
    current: Option<Input>,
    /// The operand that is open, and the one of the last line.
    opened: &'a [u8],
    pub name: &'a [u8],
    /// The number of the last line.
    pub line: u64,
    /// Whether the last line had its end.
    pub has_end: bool,
    /// A file was opened since the last line, and its lines are counted anew.
    pub begins: bool,
    pub status: ExitStatus,
}

impl<'a> Inputs<'a> {
    pub fn new(operands: &'a [&'a [u8]], manner: Manner<'a>) -> Self {
        Self {
            operands: operands.iter(),
            manner,
            current: None,
            opened: b"-",
            name: b"-",
            line: 0,
            has_end: true,
            begins: false,
            status: ExitStatus::SUCCESS,
        }
    }

    /// The open file.
    pub fn current(&mut self) -> Option<&mut Input> {
        self.current.as_mut()
    }

    pub fn line_end(&self) -> u8 {
        self.manner.line_end
    }

    /// Appends the next line to `space`, without its end; false when there is none.
    #[inline]
    pub fn read(&mut self, env: &mut Env, outputs: &mut Outputs, space: &mut Vec<u8>) -> Result<bool> {
        loop {
            if let Some(input) = &mut self.current {
                let end = self.manner.line_end;
                if self.manner.unbuffered && input.buffered().is_empty() {
                    read_bytes(input, end)?;
                }
                let error = match input.record_for(end, &mut env.stdout) {
                    Ok(Some(record)) => {
                        let (line, has_end) = match record {
                            [line @ .., last] if *last == end => (line, true),
                            line => (line, false),
                        };
                        append(space, line)?;
                        self.has_end = has_end;
                        self.line += 1;
                        self.name = self.opened;
                        return Ok(true);
                    }
                    Ok(None) => None,
                    Err(error) => Some(error),
                };
                self.close(env, outputs, error)?;
            }
            if !self.open_next(env, outputs)? {
                return Ok(false);
            }
        }
    }

    /// Leaves the open file, which has ended or failed.
    fn close(&mut self, env: &mut Env, outputs: &mut Outputs, error: Option<Error>) -> Result<()> {
        if let Some(input) = self.current.take()
            && self.opened == b"-"
        {
            env.stdin = input;
        }
        if let Some(error) = error {
            // The old file stays.
            outputs.edit = None;
            self.fail(env, error.with_status(IO_FAILURE));
            return Ok(());
        }
        match self.manner.in_place {
            Some(suffix) => outputs.finish_edit(env, suffix),
            None => Ok(()),
        }
    }

    fn fail(&mut self, env: &mut Env, error: Error) {
        let status = env.warn(error);
        self.status.worsen(status);
    }

    /// Opens the next operand that can be opened; false when there is none.
    fn open_next(&mut self, env: &mut Env, outputs: &mut Outputs) -> Result<bool> {
        while let Some(operand) = self.operands.next() {
            let opened = match self.manner.in_place {
                Some(_) => self.begin_edit(operand, outputs),
                None => env.open(operand),
            };
            match opened {
                Ok(input) => {
                    self.current = Some(input);
                    self.opened = operand;
                    if self.manner.separate {
                        self.line = 0;
                        self.begins = true;
                    }
                    return Ok(true);
                }
                Err(error) => self.fail(env, error),
            }
        }
        Ok(false)
    }

    /// Opens a file for `-i`, and the new one that will replace it.
    fn begin_edit(&self, operand: &[u8], outputs: &mut Outputs) -> Result<Input> {
        let target = match self.manner.follow {
            true => canonical(operand, false).map_err(|errno| Error::on(operand, errno))?,
            false => operand.to_vec(),
        };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = fs::open(&target, flags, Mode::empty()).map_err(|errno| Error::on(operand, errno))?;
        let stat = fs::fstat(&file).map_err(|errno| Error::on(operand, errno))?;
        if kind(&stat) != FileType::RegularFile {
            let error = Error::parts(&[b"couldn't edit ", operand, b": not a regular file"]);
            return Err(error.with_status(IO_FAILURE));
        }
        let directory = &target[..target.len() - base_name(&target).len()];
        let create = || -> core::result::Result<(Vec<u8>, OwnedFd), Errno> {
            let temporary = [directory, &temporary_name()?].concat();
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let new = fs::open(&temporary, flags, Mode::from_raw_mode(0o600))?;
            Ok((temporary, new))
        };
        let (temporary, new) = create().map_err(|errno| {
            let place = join_path(if directory.is_empty() { b"." } else { directory }, b"");
            Error::cannot("create", &[&place[..], b"sedXXXXXXXX"].concat(), errno).with_status(IO_FAILURE)
        })?;
        keep_attributes(&file, &new, &stat);
        let sink = Sink { target: Target::File(Output::from_fd(new)), name: operand.to_vec(), lacks_end: false };
        outputs.edit = Some(Edit { sink, temporary, target });
        Ok(Input::from_fd(file, operand))
    }

    /// Whether the last line is the last of all, or of its file with `-s` and `-i`.
    pub fn is_last(&mut self, env: &mut Env, outputs: &mut Outputs) -> Result<bool> {
        loop {
            if self.has_more(env)? {
                return Ok(false);
            }
            if self.manner.separate {
                return Ok(true);
            }
            self.close(env, outputs, None)?;
            if !self.open_next(env, outputs)? {
                return Ok(true);
            }
        }
    }

    /// Whether the open file has another line. A failure is reported when that is read.
    fn has_more(&mut self, env: &mut Env) -> Result<bool> {
        let Some(input) = &mut self.current else { return Ok(false) };
        if !input.buffered().is_empty() {
            return Ok(true);
        }
        if self.manner.unbuffered {
            read_bytes(input, self.manner.line_end)?;
            return Ok(!input.buffered().is_empty());
        }
        Ok(input.fill_more_for(&mut env.stdout).unwrap_or(true))
    }

    /// The end of all: an edited file is complete with what was printed, as with GNU's `q`.
    pub fn finish(&mut self, env: &mut Env, outputs: &mut Outputs) -> Result<()> {
        self.close(env, outputs, None)?;
        outputs.flush(env)
    }
}

/// Reads a line byte by byte, so that nothing after it is taken from a pipe.
fn read_bytes(input: &mut Input, end: u8) -> Result<()> {
    while input.buffered().last() != Some(&end) {
        if !input.fill_byte()? {
            break;
        }
    }
    Ok(())
}

/// Mode, owner and extended attributes. Who may not give a file away becomes its owner; then it is not set-user-ID.
fn keep_attributes(old: &OwnedFd, new: &OwnedFd, stat: &Stat) {
    let (user, group) = (fs::Uid::from_raw(stat.st_uid), fs::Gid::from_raw(stat.st_gid));
    let mut mode = stat.st_mode & 0o7777;
    if fs::fchown(new, Some(user), Some(group)).is_err() && fs::fchown(new, None, Some(group)).is_err() {
        mode &= 0o1777;
    }
    keep_xattrs(old.as_fd(), new.as_fd());
    // The file system may not have modes.
    let _ = fs::fchmod(new, Mode::from_raw_mode(mode));
}

/// Copies the file of a command `r` to an output; one that cannot be opened is empty (POSIX XCU sed).
pub fn copy_file(env: &mut Env, outputs: &mut Outputs, name: &[u8], end: u8) -> Result<()> {
    let Ok(mut input) = open_reader(env, name) else { return Ok(()) };
    loop {
        let count = match input.fill() {
            Ok([]) => return Ok(()),
            Ok(bytes) => {
                outputs.main().write(env, bytes, end)?;
                bytes.len()
            }
            Err(error) => return Err(error.with_status(IO_FAILURE)),
        };
        input.consume(count);
    }
}

/// The file of a command `r` or `R`. In a pipeline inside of the shell's process standard input has no descriptor.
pub fn open_reader(env: &mut Env, name: &[u8]) -> Result<Input> {
    match name {
        b"/dev/stdin" if env.stdin.fd().is_none() => Ok(env.take_stdin()),
        _ => Input::open(name),
    }
}

/// Runs a command by the shell; what it prints is added to `into`.
pub fn execute(env: &mut Env, command: &[u8], into: &mut Vec<u8>) -> Result<()> {
    use rbox_core::call;
    use rbox_core::sys::{fd, pipe, process};
    let (read, write) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC)?;
    let pid = process::fork_run(|| {
        if fd::redirect(write.as_fd(), 1).is_err() {
            return 126;
        }
        call::replace(env, &[b"sh", b"-c", command]).0
    })?;
    drop(write);
    let mut block = vec![0; io::CHUNK];
    loop {
        match io::read(read.as_fd(), &mut block)? {
            0 => break,
            count => append(into, &block[..count])?,
        }
    }
    process::wait_for(pid)?;
    Ok(())
}
