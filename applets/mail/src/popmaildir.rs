//! `popmaildir`: fetch the messages of a mailbox (POP3, RFC 1939) into a maildir.

use rbox_core::bytes::join_path;
use rbox_core::hash::{self, Algorithm};
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::system::uname;
use rbox_core::sys::{OwnedFd, fd, fs, process};
use rbox_core::text;
use rbox_core::text::Right;
use rbox_core::time::Moment;

use crate::helper;
use crate::talk::{Talk, limit};

options! {
    "[-skT] [-t SEC] [-F 'PROG ARGS']... [-M 'PROG ARGS'] MAILDIR PROG [ARG]...

Fetch the messages of a POP3 server, to which PROG connects, into MAILDIR.
The user and the password are the first two lines of standard input.

  -s       Do not log in
  -T       Fetch the heads alone (TOP)
  -k       Keep the messages on the server
  -t SEC   Give up after SEC seconds of silence (default: 120; 0 = never)
  -F 'PROG ARGS'  Filter each message through a program; several form a chain
  -M 'PROG ARGS'  Deliver each message by a program, not to MAILDIR";
    SKIP = "-s",
    HEADS = "-T",
    KEEP = "-k",
    SECONDS = "-t",
    FILTER = "-F",
    DELIVERY = "-M",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, usize::MAX)?;
    let mut credentials = Vec::new();
    if !args.has(SKIP) {
        for _ in 0..2 {
            credentials.push(env.stdin.line()?.ok_or_else(|| Error::new("no user and password"))?.to_vec());
        }
    }
    signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    let talk = Talk::through(env, &operands[1..], limit(args.value(SECONDS), 120)?)?;
    let mut fetch = Fetch { args, directory: operands[0], talk, count: 0 };
    let greeting = fetch.reply(env)?;
    if let [user, password] = &credentials[..] {
        fetch.log_in(env, &greeting, user, password)?;
    }
    // RFC 1939 5: +OK, the number of messages, their size.
    let answer = fetch.ask(env, b"STAT", b"STAT")?;
    let count = answer.split(|&byte| byte == b' ').next().and_then(parse_decimal);
    let count = count.ok_or_else(|| Error::new("bad answer to STAT"))?;
    let mut status = ExitStatus::SUCCESS;
    for number in 1..=count {
        let command = if args.has(HEADS) { text!("TOP ", number, " 0") } else { text!("RETR ", number) };
        fetch.ask(env, &command, &command)?;
        let path = fetch.receive(env)?;
        match fetch.deliver(env, path) {
            Ok(()) if args.has(KEEP) => {}
            Ok(()) => drop(fetch.ask(env, &text!("DELE ", number), b"DELE")?),
            // It stays on the server.
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    // RFC 1939 6: only now are messages deleted.
    fetch.ask(env, b"QUIT", b"QUIT")?;
    Ok(status)
}

struct Fetch<'a> {
    args: &'a Args<'a>,
    directory: &'a [u8],
    talk: Talk,
    /// Files that have been made.
    count: u64,
}

impl Fetch<'_> {
    /// What follows +OK.
    fn reply(&mut self, env: &mut Env) -> Result<Vec<u8>> {
        let line = self.talk.line(env)?;
        match line.strip_prefix(b"+OK") {
            Some(rest) => Ok(rest.trim_ascii().to_vec()),
            None => {
                let line = rbox_core::term::clean(&line, b"", rbox_core::term::Shown::Caret);
                Err(Error::new(text!("the server says: ", line)))
            }
        }
    }

    fn ask(&mut self, env: &mut Env, command: &[u8], shown: &[u8]) -> Result<Vec<u8>> {
        self.talk.say(env, command, shown)?;
        self.reply(env).map_err(|error| error.context(shown))
    }

    /// APOP where the greeting has a timestamp, which keeps the password secret (RFC 1939, 7); else USER and PASS.
    fn log_in(&mut self, env: &mut Env, greeting: &[u8], user: &[u8], password: &[u8]) -> Result<()> {
        let stamp = rbox_core::bytes::find_byte(b'<', greeting)
            .zip(rbox_core::bytes::find_byte_back(b'>', greeting))
            .filter(|(start, end)| start < end)
            .map(|(start, end)| &greeting[start..=end]);
        if let Some(stamp) = stamp {
            let digest = hash::hex(&hash::of(Algorithm::Md5, &[stamp, password]));
            if self.ask(env, &text!("APOP ", user, " ", digest), b"APOP").is_ok() {
                return Ok(());
            }
        }
        self.ask(env, &text!("USER ", user), b"USER")?;
        self.ask(env, &text!("PASS ", password), b"PASS")?;
        Ok(())
    }

    /// A new file in MAILDIR/tmp, and its path.
    fn create(&mut self) -> Result<(OwnedFd, Vec<u8>)> {
        self.count += 1;
        let now = Moment::now();
        let pid = process::getpid().as_raw_pid() as u32;
        let system = uname();
        // All digits of the microseconds, so that names sort as the messages came.
        let micros = Right(now.nanos / 1000, 6, b'0');
        let name = text!(now.seconds, ".M", micros, "P", pid, "Q", self.count, ".", system.nodename().to_bytes());
        let path = join_path(&join_path(self.directory, b"tmp"), &name);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = fs::open(&path, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| Error::cannot("create", &path, errno))?;
        Ok((file, path))
    }

    /// Writes the message that comes to a file: lines end with a newline, up to a dot alone (RFC 1939, 3).
    fn receive(&mut self, env: &mut Env) -> Result<Vec<u8>> {
        let (file, path) = self.create()?;
        let copy = self.lines(&mut Output::from_fd(file));
        if let Err(error) = copy {
            // What has come is no message.
            let _ = fs::unlink(&path);
            env.report(&error);
            return Err(Error::silent(ExitStatus::FAILURE));
        }
        Ok(path)
    }

    fn lines(&mut self, output: &mut Output) -> Result<()> {
        // A line may be longer than a buffer: what counts is how it begins.
        let (mut is_start, mut line) = (true, Vec::new());
        loop {
            let content = self.talk.fill()?;
            if content.is_empty() {
                return Err(Error::new("the server has closed the connection"));
            }
            let end = rbox_core::bytes::find_byte(b'\n', content).map_or(content.len(), |end| end + 1);
            line.extend_from_slice(&content[..end]);
            self.talk.consume(end);
            let is_whole = line.ends_with(b"\n");
            if !is_whole && line.len() < 4096 {
                continue;
            }
            if is_start && matches!(&line[..], b".\r\n" | b".\n") {
                return output.flush();
            }
            let content = if is_start { line.strip_prefix(b".").unwrap_or(&line) } else { &line[..] };
            match content.strip_suffix(b"\r\n") {
                Some(content) => output.write(content).and_then(|()| output.write(b"\n"))?,
                None => output.write(content)?,
            }
            is_start = is_whole;
            line.clear();
        }
    }

    /// Filters and delivers. Once it is done the message is safe against a loss of power: the file, then its name.
    fn deliver(&mut self, env: &mut Env, mut path: Vec<u8>) -> Result<()> {
        for command in self.args.values(FILTER) {
            let (to, filtered) = self.create()?;
            let result = open(&path).and_then(|from| helper::run(env, &[b"sh", b"-c", command], &from, Some(&to)));
            // It has been replaced, or is fetched again.
            let _ = fs::unlink(&path);
            if let Err(error) = result {
                let _ = fs::unlink(&filtered);
                return Err(error);
            }
            path = filtered;
        }
        if let Some(command) = self.args.value(DELIVERY) {
            let result = open(&path).and_then(|from| helper::run(env, &[b"sh", b"-c", command], &from, None));
            let _ = fs::unlink(&path);
            return result;
        }
        let failed = |errno| Error::on(&path, errno);
        let new = join_path(self.directory, b"new");
        let target = join_path(&new, rbox_core::bytes::base_name(&path));
        let moved = open(&path)
            .and_then(|file| fs::fsync(file).map_err(failed))
            .and_then(|()| fs::rename(&path, &target).map_err(|errno| Error::cannot("rename", &path, errno)));
        if moved.is_err() {
            // It is fetched again.
            let _ = fs::unlink(&path);
            return moved;
        }
        let directory = fs::open(&new, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        directory.and_then(fs::fsync).map_err(|errno| Error::on(&new, errno))
    }
}

fn open(path: &[u8]) -> Result<OwnedFd> {
    let input = Input::open(path)?;
    let file = input.fd().ok_or_else(|| Error::new("no file"))?;
    fd::fcntl_dupfd_cloexec(file, 3).map_err(Error::from)
}
