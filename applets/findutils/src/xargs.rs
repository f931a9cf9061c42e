//! `xargs`: run a command with words from standard input (POSIX XCU xargs), with the options of BusyBox and GNU.
//!
//! A line for `-I` is taken as it is but for leading blanks, as BusyBox does: quotes in it mean nothing.

use rbox_core::call::{self, Resolved};
use rbox_core::escape::{self, Escape};
use rbox_core::io::Input;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags, open};
use rbox_core::sys::process::{Change, WaitOptions, wait};
use rbox_core::sys::{AsFd, AsRawFd, Errno, fd};
use rbox_core::text;

options! {
    "[-0rtpxo] [-a FILE] [-d CHAR] [-E STR] [-I STR | -L N | -n N] [-s N] [-P N] [COMMAND [ARGUMENT]...]

Run COMMAND (echo) with arguments read from standard input.

  -0, --null                Arguments end with NUL; no quoting
  -d, --delimiter=CHAR      Arguments end with CHAR; no quoting
  -a, --arg-file=FILE       Read arguments from FILE; COMMAND gets standard input
  -r, --no-run-if-empty     Do not run COMMAND without arguments
  -t, --verbose             Print commands to standard error
  -p, --interactive         Ask on the terminal before each command
  -o, --open-tty            Open the terminal as standard input of COMMAND
  -x, --exit                Exit if -n or -L exceeds the size of -s
  -E STR                    Stop at the argument STR
  -e[STR], --eof[=STR]      Same as -E STR; without STR, never stop
  -I STR                    Run COMMAND per line; replace each STR by the line
  -i[STR], --replace[=STR]  Same as -I STR ({})
  -L, --max-lines=N         Use at most N nonempty lines per command
  -l[N]                     Same as -L N (1)
  -n, --max-args=N          Use at most N arguments per command
  -s, --max-chars=N         Limit commands to N bytes (131072)
  -P, --max-procs=N         Run up to N commands in parallel (1); 0: no limit";
    NULL = "-0",
    DELIMITER = "-d",
    FILE = "-a",
    NOT_EMPTY = "-r",
    VERBOSE = "-t",
    INTERACTIVE = "-p",
    TERMINAL = "-o",
    EXIT = "-x",
    END = "-E",
    END_OPTIONAL = "-e",
    REPLACE = "-I",
    REPLACE_OPTIONAL = "-i",
    LINES = "-L",
    LINES_OPTIONAL = "-l",
    WORDS = "-n",
    BYTES = "-s",
    PROCESSES = "-P",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// How the input is split.
enum Split<'a> {
    /// At blanks and newlines, with quotes and backslashes; this word ends it.
    Blanks { end: Option<&'a [u8]> },
    /// At newlines only, leading blanks dropped.
    Lines,
    /// At this byte.
    At(u8),
}

/// The words of one command, one after the other.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each word ends.
    ends: Vec<usize>,
}

impl Batch {
    fn words(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.bytes[core::mem::replace(&mut start, end)..end])
    }
}

/// Everything about a call but its input.
struct Run<'a> {
    command: Vec<&'a [u8]>,
    replace: Option<&'a [u8]>,
    /// Words, or lines, a command; `usize::MAX` for no limit.
    most: usize,
    by_lines: bool,
    most_bytes: usize,
    exit_when_long: bool,
    processes: usize,
    running: usize,
    verbose: bool,
    interactive: bool,
    terminal: bool,
    status: ExitStatus,
    /// Where the command leads, unless it differs from line to line.
    resolved: Option<Resolved>,
}

const BYTES_UNLESS_SAID: usize = 128 * 1024;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut run = Run::new(args)?;
    let split = split(args, run.replace.is_some())?;
    let mut input = match args.value(FILE) {
        Some(file) if file != b"-" => Input::open(file)?,
        _ => take_input(env)?,
    };
    let outcome = run.all(env, &mut input, &split, args.has(NOT_EMPTY));
    // Those that run already end by themselves, whatever went wrong.
    let settled = run.wait_until(env, 0);
    outcome.and(settled)?;
    Ok(run.status)
}

fn split<'a>(args: &Args<'a>, replaces: bool) -> Result<Split<'a>> {
    if let Some(word) = args.value(DELIMITER) {
        return delimiter(word).map(Split::At);
    }
    if args.has(NULL) {
        return Ok(Split::At(0));
    }
    if replaces {
        return Ok(Split::Lines);
    }
    let end = args.last_of(&[END, END_OPTIONAL]).and_then(|option| args.value(option));
    Ok(Split::Blanks { end: end.filter(|end| !end.is_empty()) })
}

/// One byte, or an escape that stands for one.
fn delimiter(word: &[u8]) -> Result<u8> {
    let mut at = 1;
    match word {
        [byte] => Ok(*byte),
        [b'\\', ..] => match escape::read(word, &mut at, escape::Style::Echo) {
            Escape::Byte(byte) if at == word.len() => Ok(byte),
            _ => Err(Error::parts(&[b"invalid delimiter '", word, b"'"])),
        },
        _ => Err(Error::parts(&[b"invalid delimiter '", word, b"'"])),
    }
}

/// Takes standard input for itself, and leaves an empty one to the commands (POSIX leaves it open what they get).
fn take_input(env: &mut Env) -> Result<Input> {
    let input = env.take_stdin();
    if input.fd().is_none_or(|file| file.as_raw_fd() != 0) {
        return Ok(input);
    }
    let own = fd::fcntl_dupfd_cloexec(fd::borrow(0), 3).map_err(|errno| Error::on(input.name(), errno))?;
    set_input(b"/dev/null")?;
    Ok(Input::from_fd(own, b"standard input"))
}

fn set_input(path: &[u8]) -> Result<()> {
    let file =
        open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).and_then(|file| fd::redirect(file.as_fd(), 0));
    file.map_err(|errno| Error::cannot("open", path, errno))
}

fn count(args: &Args<'_>, option: Opt, low: u64) -> Result<Option<usize>> {
    args.value(option).map(|word| Ok(parse_in_range(word, low, i32::MAX as u64)? as usize)).transpose()
}

impl<'a> Run<'a> {
    fn new(args: &Args<'a>) -> Result<Self> {
        let replace = args.last_of(&[REPLACE, REPLACE_OPTIONAL]).map(|last| args.value(last).unwrap_or(b"{}"));
        let lines = match args.last_of(&[LINES, LINES_OPTIONAL, WORDS]) {
            Some(last) if last != WORDS => Some(count(args, last, 1)?.unwrap_or(1)),
            _ => None,
        };
        let words = count(args, WORDS, 1)?;
        Ok(Self {
            command: args.operands_or(b"echo"),
            replace: replace.filter(|text| !text.is_empty()),
            most: lines.or(words).unwrap_or(usize::MAX),
            by_lines: lines.is_some(),
            most_bytes: count(args, BYTES, 1)?.unwrap_or(BYTES_UNLESS_SAID),
            // POSIX: -L asks for -x.
            exit_when_long: lines.is_some() || args.has(EXIT) && words.is_some(),
            processes: match count(args, PROCESSES, 0)?.unwrap_or(1) {
                0 => usize::MAX,
                count => count,
            },
            running: 0,
            verbose: args.has(VERBOSE) || args.has(INTERACTIVE),
            interactive: args.has(INTERACTIVE),
            terminal: args.has(TERMINAL),
            status: ExitStatus::SUCCESS,
            resolved: None,
        })
    }

    fn all(&mut self, env: &mut Env, input: &mut Input, split: &Split<'_>, not_empty: bool) -> Result<()> {
        let fixed: usize = self.command.iter().map(|word| word.len() + 1).sum();
        if fixed > self.most_bytes {
            return Err(too_long());
        }
        let (mut batch, mut bytes, mut lines, mut idle) = (Batch::default(), fixed, 0, true);
        loop {
            let start = batch.bytes.len();
            let Some(ends_line) = next_word(input, split, &mut batch.bytes)? else { break };
            if let Some(mark) = self.replace {
                self.replaced(env, mark, &batch.bytes)?;
                batch.bytes.clear();
                continue;
            }
            let size = batch.bytes.len() - start + 1;
            if fixed + size > self.most_bytes {
                if !batch.ends.is_empty() {
                    self.execute(env, &mut batch)?;
                }
                return Err(too_long());
            }
            if bytes + size > self.most_bytes {
                if self.exit_when_long {
                    return Err(too_long());
                }
                let word = batch.bytes.split_off(start);
                self.execute(env, &mut batch)?;
                batch.bytes.extend_from_slice(&word);
                (bytes, lines, idle) = (fixed, 0, false);
            }
            bytes += size;
            lines += usize::from(ends_line);
            batch.ends.push(batch.bytes.len());
            if (if self.by_lines { lines } else { batch.ends.len() }) >= self.most {
                self.execute(env, &mut batch)?;
                (bytes, lines, idle) = (fixed, 0, false);
            }
        }
        if !batch.ends.is_empty() || idle && !not_empty && self.replace.is_none() {
            self.execute(env, &mut batch)?;
        }
        Ok(())
    }

    /// Runs the command with each replacement string replaced by the line.
    fn replaced(&mut self, env: &mut Env, mark: &[u8], line: &[u8]) -> Result<()> {
        let words: Vec<Vec<u8>> = self.command.iter().map(|word| replace(word, mark, line)).collect();
        if words.iter().map(|word| word.len() + 1).sum::<usize>() > self.most_bytes {
            return Err(too_long());
        }
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.execute_words(env, &words)
    }

    /// Runs the command with the words of a batch, which is empty then.
    fn execute(&mut self, env: &mut Env, batch: &mut Batch) -> Result<()> {
        let words: Vec<&[u8]> = self.command.iter().copied().chain(batch.words()).collect();
        self.execute_words(env, &words)?;
        batch.bytes.clear();
        batch.ends.clear();
        Ok(())
    }

    fn execute_words(&mut self, env: &mut Env, words: &[&[u8]]) -> Result<()> {
        if self.verbose {
            let question = if self.interactive { &b" ?..."[..] } else { b"\n" };
            env.stderr.write(&[&words.join(&b' ')[..], question].concat())?;
            env.stderr.flush()?;
        }
        if self.interactive && !agreed()? {
            return Ok(());
        }
        if self.terminal {
            set_input(b"/dev/tty")?;
        }
        env.stdout.flush()?;
        let failed = |errno| Error::on(words[0], errno).with_status(call::failure_status(errno));
        if self.processes == 1 {
            if self.resolved.is_none() || self.replace.is_some() {
                self.resolved = Some(call::resolve(env, words[0]));
            }
            let change = match self.resolved {
                Some(resolved) => call::attempt_resolved(env, resolved, words),
                None => call::attempt(env, words),
            };
            let change = change.map_err(failed)?;
            return self.settle(env, change);
        }
        self.wait_until(env, self.processes - 1)?;
        call::start(env, words).map_err(failed)?;
        self.running += 1;
        Ok(())
    }

    /// Waits until no more than so many commands run.
    fn wait_until(&mut self, env: &mut Env, most: usize) -> Result<()> {
        let mut result = Ok(());
        while self.running > most {
            match wait(-1, WaitOptions::empty()) {
                Ok(Some((_, change))) => {
                    self.running -= 1;
                    result = result.and(self.settle(env, change));
                }
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::from(errno)),
            }
        }
        result
    }

    /// POSIX XCU xargs, EXIT STATUS: 255 and a signal end it at once, other failures are remembered.
    fn settle(&mut self, env: &mut Env, change: Change) -> Result<()> {
        let name = self.command[0];
        match change {
            Change::Exited(0) => Ok(()),
            Change::Exited(255) => Err(Error::parts(&[name, b": exited with status 255; aborting"]).with_status(124)),
            Change::Exited(_) => {
                self.status.worsen(ExitStatus(123));
                Ok(())
            }
            Change::Signaled(signal) => {
                env.stdout.flush()?;
                Err(Error::new(text!("'", name, "' terminated by signal ", signal as u32)).with_status(125))
            }
            _ => Ok(()),
        }
    }
}

fn too_long() -> Error {
    Error::new("argument line too long")
}

/// Reads an answer from the terminal: standard input has the words.
fn agreed() -> Result<bool> {
    let mut terminal = Input::open(b"/dev/tty")?;
    Ok(terminal.line()?.is_some_and(|answer| matches!(answer.first(), Some(b'y' | b'Y'))))
}

/// `word` with each `mark`, which is not empty, replaced by `text`.
fn replace(word: &[u8], mark: &[u8], text: &[u8]) -> Vec<u8> {
    let (mut replaced, mut rest) = (Vec::new(), word);
    while let Some(at) = rbox_core::bytes::find(rest, mark) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(text);
        rest = &rest[at + mark.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Appends the next word to `out`. True when a line ends after it.
fn next_word(input: &mut Input, split: &Split<'_>, out: &mut Vec<u8>) -> Result<Option<bool>> {
    let start = out.len();
    let ends_line = match split {
        Split::Blanks { end } => quoted_word(input, out)?.filter(|_| Some(&out[start..]) != *end),
        Split::At(byte) => input.record(*byte)?.map(|word| {
            out.extend_from_slice(word.strip_suffix(&[*byte]).unwrap_or(word));
            true
        }),
        Split::Lines => loop {
            let Some(line) = input.line()? else { break None };
            let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if blanks < line.len() {
                out.extend_from_slice(&line[blanks..]);
                break Some(true);
            }
        },
    };
    if let Some(end) = rbox_core::bytes::find_byte(0, &out[start..]) {
        // What a program cannot be given is cut off.
        out.truncate(start + end);
    }
    Ok(ends_line)
}

/// Appends a word that ends at a blank or a newline. A backslash takes the next byte as it is, quotes all between them.
fn quoted_word(input: &mut Input, out: &mut Vec<u8>) -> Result<Option<bool>> {
    let (mut begun, mut quote, mut escaped, mut ends_line) = (false, None, false, true);
    'input: loop {
        let content = input.fill()?;
        if content.is_empty() {
            break;
        }
        let mut used = 0;
        if !begun {
            // Nearly every word is plain, and whole in the buffer.
            let start = content.iter().position(|byte| !is_blank(*byte)).unwrap_or(content.len());
            let plain =
                content[start..].iter().position(|byte| is_blank(*byte) || matches!(byte, b'\'' | b'"' | b'\\'));
            if let Some(length) = plain.filter(|length| is_blank(content[start + length])) {
                let end = start + length;
                out.extend_from_slice(&content[start..end]);
                let ends_line = content[end] == b'\n';
                input.consume(end + 1);
                return Ok(Some(ends_line));
            }
            used = start;
        }
        let content = &content[used..];
        for &byte in content {
            used += 1;
            match (byte, quote) {
                _ if escaped => {
                    out.push(byte);
                    escaped = false;
                }
                (_, Some(open)) if open == byte => quote = None,
                (_, Some(_)) => out.push(byte),
                (b'\'' | b'"', None) => (quote, begun) = (Some(byte), true),
                (b'\\', None) => (escaped, begun) = (true, true),
                (_, None) if is_blank(byte) && !begun => {}
                (_, None) if is_blank(byte) => {
                    ends_line = byte == b'\n';
                    input.consume(used);
                    break 'input;
                }
                (_, None) => {
                    out.push(byte);
                    begun = true;
                }
            }
        }
        input.consume(used);
    }
    if let Some(open) = quote {
        let kind: &[u8] = if open == b'"' { b"double" } else { b"single" };
        return Err(Error::parts(&[b"unmatched ", kind, b" quote"]));
    }
    Ok(begun.then_some(ends_line))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[u8], split: &Split<'_>) -> Vec<(String, bool)> {
        let mut input = Input::from_bytes(text.to_vec());
        let mut words = Vec::new();
        let mut word = Vec::new();
        while let Some(ends_line) = next_word(&mut input, split, &mut word).expect("the quotes are paired") {
            words.push((String::from_utf8(core::mem::take(&mut word)).expect("the words are ASCII"), ends_line));
        }
        words
    }

    #[test]
    fn quotes_and_backslashes_hold_blanks() {
        let found = words(b" a 'b \"c'd\n\"\" \\ e\\\\\n", &Split::Blanks { end: None });
        let expected = [("a", false), ("b \"cd", true), ("", false), (" e\\", true)];
        assert_eq!(found, expected.map(|(word, ends)| (word.to_owned(), ends)));
    }

    #[test]
    fn a_word_may_end_the_input() {
        assert_eq!(words(b"a\n_\nb\n", &Split::Blanks { end: Some(b"_") }), [("a".to_owned(), true)]);
    }

    #[test]
    fn lines_keep_their_quotes() {
        assert_eq!(words(b"  'a b  \n\n \nc", &Split::Lines), [("'a b  ".to_owned(), true), ("c".to_owned(), true)]);
    }

    #[test]
    fn marks_are_replaced_wherever_they_stand() {
        assert_eq!(replace(b"x{}y{}", b"{}", b"{}1"), b"x{}1y{}1");
    }

    #[test]
    fn an_open_quote_is_named() {
        let error = quoted_word(&mut Input::from_bytes(b"a 'b".to_vec()), &mut Vec::new());
        assert!(error.is_ok());
        let error = quoted_word(&mut Input::from_bytes(b"'b".to_vec()), &mut Vec::new()).expect_err("it has no end");
        assert_eq!(error.message(), b"unmatched single quote");
    }

    #[test]
    fn delimiters_may_be_escapes() {
        for (word, byte) in [(&b","[..], b','), (b"\\n", b'\n'), (b"\\0", 0), (b"\\x41", b'A')] {
            assert_eq!(delimiter(word).ok(), Some(byte));
        }
        assert!(delimiter(b"ab").is_err());
    }
}
