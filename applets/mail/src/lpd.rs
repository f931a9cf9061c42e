//! `lpd`: take a job for a printer on standard input (RFC 1179).

use rbox_core::bytes::{find_byte, split_once};
use rbox_core::io::{Input, write_all};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::{AsFd, OwnedFd, fd, fs, process};
use rbox_core::{call, text};

options! {
    "SPOOLDIR [PROG [ARG]...]

Take a job on standard input; SPOOLDIR has a device or a directory for each queue. A job
for a device is sent there. Else it is stored in the directory, and PROG is called there
for each file, with its name in $DATAFILE and the lines of the control file in $H, $P ...
Example: tcpsvd -E 0 515 softlimit -m 999999 lpd /var/spool ./print"
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// The most bytes of a line and of a control file, and files of a job.
const LONGEST: usize = 1024;
const LARGEST_CONTROL: u64 = 64 * 1024;
const MOST_FILES: usize = 100;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let [spool, program @ ..] = args.operands_between(1, usize::MAX)? else { return Err(Error::usage()) };
    process::chdir(spool).map_err(|errno| Error::on(spool, errno))?;
    let mut input = env.take_stdin();
    let Some(line) = line(&mut input)? else { return Ok(ExitStatus::SUCCESS) };
    let (command, queue) = line.split_first().map_or((0, &b""[..]), |(command, rest)| (*command, rest));
    // RFC 1179 5.2. A queue is a name of SPOOLDIR, and no path.
    if command != 2 {
        return Err(refuse(b"only jobs are taken"));
    }
    let queue = queue.split(|&byte| byte == b' ').next().unwrap_or_default();
    if queue.is_empty() || queue.starts_with(b".") || queue.contains(&b'/') || queue.contains(&0) {
        return Err(refuse(b"bad queue"));
    }
    let stat = fs::stat(queue).map_err(|_| refuse(b"no such queue"))?;
    let mut job = Job { device: None, files: Vec::new(), control: Vec::new() };
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        process::chdir(queue).map_err(|_| refuse(b"no such queue"))?;
    } else {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOCTTY | OFlags::CLOEXEC;
        job.device = Some(fs::open(queue, flags, Mode::empty()).map_err(|_| refuse(b"no such queue"))?);
    }
    agree()?;
    let taken = job.take(&mut input);
    if taken.is_err() {
        // A job that broke off is none.
        for file in &job.files {
            // Some of it may not be there.
            let _ = fs::unlink(file);
        }
        return taken.map(|()| ExitStatus::SUCCESS);
    }
    job.print(env, program)
}

/// Refuses with the byte 1 and a reason for people; the reason is the error, too.
fn refuse(reason: &[u8]) -> Error {
    // A client that is gone needs no answer.
    let _ = write_all(fd::borrow(1), &text!("\x01", reason, "\n"));
    Error::new(reason)
}

fn agree() -> Result<()> {
    write_all(fd::borrow(1), b"\0").map_err(|errno| Error::on("client", errno))
}

/// The next line without its end; `None` at the end of the connection.
fn line(input: &mut Input) -> Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = find_byte(b'\n', input.buffered()) {
            let line = input.buffered()[..end].to_vec();
            input.consume(end + 1);
            return Ok(Some(line));
        }
        if input.buffered().len() > LONGEST {
            return Err(refuse(b"a line is too long"));
        }
        if !input.fill_more()? {
            return Ok(None);
        }
    }
}

struct Job {
    /// Where data go at once.
    device: Option<OwnedFd>,
    files: Vec<Vec<u8>>,
    control: Vec<u8>,
}

impl Job {
    /// Takes the files of the job (RFC 1179, 6).
    fn take(&mut self, input: &mut Input) -> Result<()> {
        while let Some(line) = line(input)? {
            let Some((command, rest)) = line.split_first() else { return Err(refuse(b"bad subcommand")) };
            let (size, name) = split_once(rest, b' ').unwrap_or((rest, b""));
            let size = parse_decimal(size);
            match (command, size) {
                // 6.1: the job is forgotten.
                (1, _) => return Err(Error::new("the client has broken off the job")),
                (2, Some(size)) if size <= LARGEST_CONTROL => {
                    agree()?;
                    self.control.clear();
                    let control = &mut self.control;
                    copy(input, size, &mut |content| {
                        control.extend_from_slice(content);
                        Ok(())
                    })?;
                }
                (3, Some(size)) => self.take_data(input, size, name)?,
                _ => return Err(refuse(b"bad subcommand")),
            }
            // 6.2: a zero byte ends the contents.
            if input.fill()?.first() != Some(&0) {
                return Err(refuse(b"the contents have no end"));
            }
            input.consume(1);
            agree()?;
        }
        Ok(())
    }

    fn take_data(&mut self, input: &mut Input, size: u64, name: &[u8]) -> Result<()> {
        // 6.3: dfA, a number and a host. Nothing else may be made here.
        let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !name.starts_with(b"df") || !name.iter().all(is_good) || self.files.len() >= MOST_FILES {
            return Err(refuse(b"bad name of a file"));
        }
        let made;
        let target = match &self.device {
            Some(device) => device,
            None => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                made = fs::open(name, flags, Mode::from_raw_mode(0o666)).map_err(|_| refuse(b"the file is there"))?;
                self.files.push(name.to_vec());
                &made
            }
        };
        agree()?;
        copy(input, size, &mut |content| write_all(target.as_fd(), content).map_err(|errno| Error::on(name, errno)))
    }

    /// Calls the program for each file of the job.
    fn print(&self, env: &mut Env, program: &[&[u8]]) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        if program.is_empty() {
            return Ok(status);
        }
        for line in self.control.split(|&byte| byte == b'\n') {
            // A line that begins with a capital describes the job (RFC 1179, 7).
            if let [name @ b'A'..=b'Z', value @ ..] = line
                && !value.contains(&0)
            {
                env.vars.set([*name], Some(value));
            }
        }
        for file in &self.files {
            env.vars.set("DATAFILE", Some(file));
            let ended = call::run(env, program)?;
            status.worsen(ExitStatus(ended.status()));
        }
        Ok(status)
    }
}

/// Hands on the next `size` bytes. The end before is an error.
fn copy(input: &mut Input, size: u64, each: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut left = size;
    while left > 0 {
        let content = input.fill()?;
        let count = content.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 {
            return Err(Error::new("the job breaks off"));
        }
        each(&content[..count])?;
        input.consume(count);
        left -= count as u64;
    }
    Ok(())
}
