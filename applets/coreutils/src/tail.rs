//! `tail`: copy the last part of files (POSIX XCU tail), with GNU's `-F`, `--follow`, `--retry`, `-s`
//! and `--pid`. What is followed is watched by inotify(7), and looked at now and then where that reports nothing.

use std::collections::VecDeque;
use std::time::Duration;

use rbox_core::bytes::{base_name, find_byte_back, find_bytes, through_lines};
use rbox_core::duration;
use rbox_core::files::id;
use rbox_core::io::{self, CHUNK, Input};
use rbox_core::number::{SIZE_SUFFIXES, parse_count, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::inotify::{self, CreateFlags, WatchFlags};
use rbox_core::sys::fs::{FileType, SeekFrom, fstat, seek, stat};
use rbox_core::sys::time::Timespec;
use rbox_core::sys::{Errno, OwnedFd, error_text, fd, signal};

options! {
    "[-qvfF] [-n [+]N | -c [+]N] [-s SECONDS] [--pid=PID] [FILE]...

Print the last 10 lines of each FILE, or of standard input.
Precede each of several FILEs by a header with its name.

  -n, --lines=[+]N              Print the last N lines; with +, from line N on
  -c, --bytes=[+]N              Print the last N bytes; with +, from byte N on
  -f                            Print data as the FILEs grow
      --follow[=HOW]            Same as -f; HOW: descriptor, name (reopen replaced FILEs)
  -F                            Same as --follow=name --retry
      --retry                   With -f, wait for FILEs that cannot be opened
  -s, --sleep-interval=SECONDS  With -f, check at least every SECONDS (1)
      --pid=PID                 With -f, exit when process PID ends
  -q, --quiet, --silent         Print no headers
  -v, --verbose                 Print headers always
  -NUM                          Same as -n NUM
  +NUM                          Same as -n +NUM

Suffixes of N: b (512), k (1024), m (1024k), g, t.";
    LINES = "-n",
    BYTES = "-c",
    FOLLOW = "-f",
    FOLLOW_HOW = "--follow",
    FOLLOW_NAME = "-F",
    RETRY = "--retry",
    INTERVAL = "-s",
    PID = "--pid",
    QUIET = "-q",
    VERBOSE = "-v",
    NUMBER = "-NUM",
    FROM_NUMBER = "+NUM",
}

/// The applet. It may follow for ever, so it runs in a child.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// What is printed.
#[derive(Clone, Copy)]
enum Amount {
    LastLines(u64),
    LastBytes(u64),
    /// From this line on, counted from 1.
    FromLine(u64),
    FromByte(u64),
}

/// A file that is followed.
struct Followed<'a> {
    name: &'a [u8],
    /// None if it could not be opened, or has gone.
    input: Option<Input>,
}

/// How files are followed.
#[derive(Clone, Copy)]
struct Way {
    by_name: bool,
    retry: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let amount = amount(args)?;
    let way = way(args)?;
    let operands = args.operands_or(b"-");
    let headers = match args.last_of(&[QUIET, VERBOSE]) {
        Some(last) => last == VERBOSE,
        None => operands.len() > 1,
    };
    let mut status = ExitStatus::SUCCESS;
    let mut followed = Vec::new();
    let mut is_first = true;
    for &name in &operands {
        let opened = if name == b"-" { Ok(env.take_stdin()) } else { Input::open(name) };
        let mut input = match opened {
            Ok(input) => input,
            Err(error) => {
                status.worsen(env.warn(error));
                followed.push(Followed { name, input: None });
                continue;
            }
        };
        if headers {
            print_header(env, name, is_first)?;
            is_first = false;
        }
        if let Err(error) = print(env, &mut input, amount) {
            if error.is_output() {
                return Err(error);
            }
            status.worsen(env.warn(error));
        }
        // XCU tail, -f: nothing is added to a pipe that has ended.
        let is_pipe = name == b"-" && input.fd().is_none_or(is_pipe);
        if !is_pipe {
            followed.push(Followed { name, input: Some(input) });
        }
    }
    let Some(way) = way else { return Ok(status) };
    if followed.is_empty() {
        return Ok(status);
    }
    follow(env, args, way, &mut followed, headers)?;
    Ok(status)
}

/// Whether and how the files are followed.
fn way(args: &Args<'_>) -> Result<Option<Way>> {
    let how = match args.last_of(&[FOLLOW, FOLLOW_HOW, FOLLOW_NAME]) {
        None => return Ok(None),
        Some(FOLLOW_HOW) => args.value(FOLLOW_HOW).unwrap_or(b"descriptor"),
        Some(option) if option == FOLLOW_NAME => b"name",
        Some(_) => b"descriptor",
    };
    let by_name = match how {
        b"name" => true,
        b"descriptor" => false,
        word => return Err(Error::parts(&[b"invalid argument '", word, b"' for --follow"])),
    };
    Ok(Some(Way { by_name, retry: args.has(RETRY) || args.has(FOLLOW_NAME) }))
}

fn is_pipe(file: rbox_core::sys::BorrowedFd<'_>) -> bool {
    fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

fn print_header(env: &mut Env, name: &[u8], is_first: bool) -> Result<()> {
    let name = if name == b"-" { b"standard input" } else { name };
    let lead = if is_first { &b"==> "[..] } else { b"\n==> " };
    env.stdout.write(&[lead, name, b" <==\n"].concat())
}

fn amount(args: &Args<'_>) -> Result<Amount> {
    let mut amount = Amount::LastLines(10);
    // The last one counts, but every one must be a number.
    for &(option, value) in args.found() {
        let (LINES | BYTES | NUMBER | FROM_NUMBER, Some(word)) = (option, value) else { continue };
        let (digits, from_start) = match word {
            [b'+', digits @ ..] => (digits, true),
            [b'-', digits @ ..] => (digits, false),
            digits => (digits, option == FROM_NUMBER),
        };
        let count = parse_count(digits, SIZE_SUFFIXES)?;
        amount = match (option == BYTES, from_start) {
            (false, false) => Amount::LastLines(count),
            (true, false) => Amount::LastBytes(count),
            (false, true) => Amount::FromLine(count),
            (true, true) => Amount::FromByte(count),
        };
    }
    Ok(amount)
}

fn print(env: &mut Env, input: &mut Input, amount: Amount) -> Result<()> {
    let bounds = bounds(input);
    match amount {
        Amount::FromLine(number) => {
            let mut left = number.saturating_sub(1);
            while left > 0 {
                let content = input.fill()?;
                if content.is_empty() {
                    break;
                }
                let length = through_lines(content, &mut left);
                input.consume(length);
            }
        }
        Amount::FromByte(number) => input.skip(number.saturating_sub(1))?,
        Amount::LastLines(count) | Amount::LastBytes(count) => {
            let Some((start, end)) = bounds else { return print_last(env, input, amount) };
            let from = match amount {
                Amount::LastBytes(_) => end.saturating_sub(count).max(start),
                _ => find_lines(input, start, end, count)?,
            };
            if let Some(file) = input.fd() {
                seek(file, SeekFrom::Start(from)).map_err(|errno| Error::on(input.name(), errno))?;
            }
        }
    }
    copy_rest(env, input, bounds.map(|(_, end)| end))
}

/// Copies a stream to its end, and a regular file to the end that it had: `tail s >>s` ends.
fn copy_rest(env: &mut Env, input: &mut Input, end: Option<u64>) -> Result<()> {
    let (Some(file), Some(end)) = (input.fd(), end) else { return io::copy(input, &mut env.stdout).map(drop) };
    let read = seek(file, SeekFrom::Current(0)).map_err(|errno| Error::on(input.name(), errno))?;
    let at = read - input.buffered().len() as u64;
    io::copy_part(input, &mut env.stdout, end.saturating_sub(at))
}

/// Where a regular file, of which nothing was read yet, is read from, and its end.
fn bounds(input: &Input) -> Option<(u64, u64)> {
    let file = input.fd()?;
    let stat = fstat(file).ok()?;
    // Files in /proc and /sys say that they are empty.
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || stat.st_size == 0
        || !input.buffered().is_empty()
    {
        return None;
    }
    let start = seek(file, SeekFrom::Current(0)).ok()?;
    Some((start, (stat.st_size as u64).max(start)))
}

/// Where the last `count` lines begin, read backwards from the end.
fn find_lines(input: &Input, start: u64, end: u64, count: u64) -> Result<u64> {
    let Some(file) = input.fd() else { return Ok(start) };
    if count == 0 {
        return Ok(end);
    }
    let mut buffer = vec![0; CHUNK];
    let mut at = end;
    let mut left = count;
    while at > start {
        let length = (at - start).min(CHUNK as u64) as usize;
        at -= length as u64;
        let mut filled = 0;
        while filled < length {
            match fd::pread(file, &mut buffer[filled..length], at + filled as u64) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on(input.name(), errno)),
            }
        }
        let mut part = &buffer[..filled];
        // The newline at the very end begins no line.
        if at + filled as u64 == end
            && let [rest @ .., b'\n'] = part
        {
            part = rest;
        }
        while let Some(newline) = find_byte_back(b'\n', part) {
            left -= 1;
            if left == 0 {
                return Ok(at + newline as u64 + 1);
            }
            part = &part[..newline];
        }
    }
    Ok(start)
}

/// Reads a stream that cannot seek and keeps as much of it as may be printed.
fn print_last(env: &mut Env, input: &mut Input, amount: Amount) -> Result<()> {
    let weight = |part: &[u8]| match amount {
        Amount::LastBytes(_) => part.len() as u64,
        _ => find_bytes(b'\n', part).count() as u64,
    };
    // A last line without newline counts too, so one more than wanted is kept.
    let wanted = match amount {
        Amount::LastBytes(count) => count,
        Amount::LastLines(count) => count.saturating_add(1),
        _ => 0,
    };
    let mut parts: VecDeque<(Vec<u8>, u64)> = VecDeque::new();
    let mut total = 0;
    loop {
        let content = input.fill()?;
        if content.is_empty() {
            break;
        }
        let length = content.len();
        total += weight(content);
        match parts.back_mut() {
            // Small reads, as from a terminal or a slow pipe, share a part.
            Some((part, count)) if part.len() + length <= CHUNK => {
                part.extend_from_slice(content);
                *count += weight(content);
            }
            _ => parts.push_back((content.to_vec(), weight(content))),
        }
        input.consume(length);
        while parts.front().is_some_and(|(_, count)| total - count >= wanted) {
            total -= parts.pop_front().map_or(0, |(_, count)| count);
        }
    }
    let kept: Vec<u8> = parts.into_iter().flat_map(|(part, _)| part).collect();
    let start = match amount {
        Amount::LastBytes(count) => kept.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX)),
        Amount::LastLines(count) => last_lines(&kept, count),
        _ => 0,
    };
    env.stdout.write(&kept[start..])
}

fn last_lines(text: &[u8], count: u64) -> usize {
    if count == 0 {
        return text.len();
    }
    let mut part = text.strip_suffix(b"\n").unwrap_or(text);
    for left in (0..count).rev() {
        let Some(newline) = find_byte_back(b'\n', part) else { return 0 };
        if left == 0 {
            return newline + 1;
        }
        part = &part[..newline];
    }
    0
}

/// Prints what is added to the files, until the process of `--pid` ends or for ever.
fn follow(env: &mut Env, args: &Args<'_>, way: Way, files: &mut [Followed<'_>], headers: bool) -> Result<()> {
    let interval = args.value(INTERVAL).map_or(Ok(Duration::from_secs(1)), duration::parse)?;
    let pid = match args.value(PID) {
        Some(word) => Some(
            parse_decimal(word)
                .and_then(|pid| i32::try_from(pid).ok())
                .ok_or_else(|| rbox_core::number::invalid(word))?,
        ),
        None => None,
    };
    let mut last = files.len().saturating_sub(1);
    let watch = Watch::new(way.by_name, files);
    loop {
        if !way.retry && files.iter().all(|file| file.input.is_none()) {
            return Err(Error::new("no files remaining"));
        }
        env.stdout.flush()?;
        // One more look after the process has ended: it may have written just before.
        let has_ended = pid.is_some_and(|pid| signal::kill(pid, 0).err() == Some(Errno::SRCH));
        for (at, file) in files.iter_mut().enumerate() {
            if file.name != b"-" && (way.by_name || file.input.is_none()) && (way.retry || file.input.is_some()) {
                reopen(env, file, &watch);
            }
            let Some(input) = &mut file.input else { continue };
            rewind_if_cut(env, input, file.name);
            let mut is_new = at != last;
            while let Some(added) = next_part(input) {
                if is_new && headers {
                    print_header(env, file.name, false)?;
                }
                (is_new, last) = (false, at);
                env.stdout.write(&added)?;
            }
        }
        env.stdout.flush()?;
        if has_ended {
            return Ok(());
        }
        watch.wait(interval);
    }
}

/// What reports that a followed file has changed. Where the system has none, as on a network's file system, the
/// interval does.
struct Watch(Option<OwnedFd>);

impl Watch {
    fn new(by_name: bool, files: &[Followed<'_>]) -> Self {
        let watch = Self(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok());
        for file in files {
            watch.add(file.name, WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF);
            if by_name || file.input.is_none() {
                let directory = &file.name[..file.name.len() - base_name(file.name).len()];
                let directory = if directory.is_empty() { b"." } else { directory };
                watch.add(directory, WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM);
            }
        }
        watch
    }

    /// What cannot be watched is looked at.
    fn add(&self, path: &[u8], flags: WatchFlags) {
        if let Some(queue) = &self.0 {
            // Without a watch, the file is checked once per interval.
            let _ = inotify::add_watch(queue, path, flags);
        }
    }

    /// Waits for a change, or until the time is over.
    fn wait(&self, interval: Duration) {
        let Some(queue) = &self.0 else { return duration::sleep(interval) };
        let limit = Timespec { tv_sec: interval.as_secs() as i64, tv_nsec: interval.subsec_nanos().into() };
        // An interruption is one more look.
        let _ = poll(&mut [PollFd::new(queue, PollFlags::IN)], Some(&limit));
        let mut events = [0; 4096];
        while fd::read(queue, &mut events).is_ok_and(|count| count > 0) {}
    }
}

/// What was added since the last look. A stream's end is not asked for again by `Input`, so the descriptor is read.
fn next_part(input: &mut Input) -> Option<Vec<u8>> {
    let mut buffer = vec![0; CHUNK];
    let length = match input.fd() {
        Some(file) => io_read(file, &mut buffer),
        None => 0,
    };
    buffer.truncate(length);
    (length > 0).then_some(buffer)
}

/// A directory or a file whose reading fails has nothing to add.
fn io_read(file: rbox_core::sys::BorrowedFd<'_>, buffer: &mut [u8]) -> usize {
    loop {
        match fd::read(file, &mut *buffer) {
            Err(Errno::INTR) => {}
            result => return result.unwrap_or(0),
        }
    }
}

/// Opens the file anew if its name is that of another one now.
fn reopen(env: &mut Env, file: &mut Followed<'_>, watch: &Watch) {
    let open = file.input.as_ref().and_then(Input::fd).and_then(|file| fstat(file).ok());
    let named = match stat(file.name) {
        Ok(named) => named,
        Err(errno) => {
            // What was written to it before it went has been printed: it is looked at after each change.
            if file.input.take().is_some() {
                let reason = error_text(errno);
                env.report(&Error::parts(&[file.name, b" has become inaccessible: ", reason.as_bytes()]));
            }
            return;
        }
    };
    if open.is_some_and(|open| id(&open) == id(&named)) {
        return;
    }
    if let Ok(input) = Input::open(file.name) {
        let what: &[u8] = if file.input.is_some() {
            b" has been replaced; following new file"
        } else {
            b" has appeared; following new file"
        };
        env.report(&Error::parts(&[file.name, what]));
        watch.add(file.name, WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF);
        file.input = Some(input);
    }
}

/// Begins at the front again when the file has become shorter than what was read of it.
fn rewind_if_cut(env: &mut Env, input: &Input, name: &[u8]) {
    let Some(file) = input.fd() else { return };
    let (Ok(stat), Ok(at)) = (fstat(file), seek(file, SeekFrom::Current(0))) else { return };
    if (stat.st_size as u64) < at && FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        env.report(&Error::parts(&[name, b": file truncated"]));
        // If it cannot seek any more, the next read says so by reading nothing.
        let _ = seek(file, SeekFrom::Start(0));
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn tail(words: &[&str], stdin: &str) -> String {
        let words: Vec<&str> = std::iter::once("tail").chain(words.iter().copied()).collect();
        try_call(APPLET, &words, stdin.as_bytes()).stdout
    }

    #[test]
    fn prints_the_last_part() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n";
        assert_eq!(tail(&[], text), "2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
        assert_eq!(tail(&["-n1"], text), "11\n");
        assert_eq!(tail(&["-n", "-2"], text), "10\n11\n");
        assert_eq!(tail(&["-2"], "a\nb\nc"), "b\nc");
        assert_eq!(tail(&["-n0"], text), "");
        assert_eq!(tail(&["-c", "3"], "abcdef"), "def");
        assert_eq!(tail(&["-n9"], "a\n\nb\n"), "a\n\nb\n");
    }

    #[test]
    fn prints_from_a_place_on() {
        assert_eq!(tail(&["-n", "+2"], "a\nb\nc\n"), "b\nc\n");
        assert_eq!(tail(&["+3"], "a\nb\nc\n"), "c\n");
        assert_eq!(tail(&["-c+3"], "abcdef"), "cdef");
        assert_eq!(tail(&["-n+0"], "a\n"), "a\n");
        assert_eq!(tail(&["-n+9"], "a\n"), "");
    }

    #[test]
    fn prints_headers() {
        assert_eq!(tail(&["-v"], "a\n"), "==> standard input <==\na\n");
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(try_call(APPLET, &["tail", "-n", "x"], b"").stderr, "tail: invalid number 'x'\n");
        let ran = try_call(APPLET, &["tail", "/proc/nonexistent"], b"");
        assert_eq!(
            (ran.status, ran.stderr.as_str()),
            (1, "tail: can't open '/proc/nonexistent': No such file or directory\n")
        );
    }
}
