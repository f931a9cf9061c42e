//! Runs the cases of tests/cases/pty: each starts a program on a terminal and types there.
//!
//! ```text
//! == name
//! env NAME=VALUE      add an environment variable, before the start
//! sh -c 'a b'         the command line, if it is not `sh`
//! enter TEXT          type a line and wait until the program has read it
//! type TEXT           type without waiting
//! keys C-a M-b Up x   press keys
//! expect TEXT         wait for this output after the output that was expected last
//! row TEXT            wait until the cursor's row has this content; `row -1 TEXT`: the row above
//! line N TEXT         wait until this row of the window, from 1, has this content
//! column N            wait until the cursor is in this column, from 0
//! resize COLUMNS [ROWS] change the size of the terminal
//! signal NUMBER       send a signal to the program
//! file NAME TEXT      wait until a file of the home directory has these contents
//! end STATUS          wait until the program has ended with this exit status
//! ```
//!
//! The operands of `type`, `expect` and `file` may contain `\e`, `\n`, `\r`, `\t`, `\\` and `\xHH`; `enter` types its operand as it
//! is. Every wait is for a condition and fails after 30 seconds. `CASES=word` runs only the cases whose file or name contains the word.

#[path = "pty/screen.rs"]
mod screen;

use rbox_core::sys::event::{PollFd, PollFlags, Timespec, poll};
use rbox_core::sys::process::{Change, WaitOptions, exec, fork_run, ioctl_tiocsctty, setsid, wait};
use rbox_core::sys::termios::{Winsize, tcsetwinsize};
use rbox_core::sys::{AsFd, OwnedFd, fd, fs as sys_fs, pty, signal};
use screen::Screen;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");
const PATIENCE: Duration = Duration::from_secs(120);

/// A program on a terminal.
struct Session {
    master: OwnedFd,
    pid: i32,
    home: PathBuf,
    screen: Screen,
    /// All output so far.
    output: Vec<u8>,
    /// The number of bytes of the output that earlier steps expected.
    seen: usize,
    /// How the program ended; `None` while it runs.
    ended: Option<Change>,
}

impl Session {
    /// Starts a program of `links` and waits for its first output. Fails when it prints nothing for 30 seconds.
    fn start(words: &[&str], vars: &[String], home: &Path, links: &Path) -> Result<Session, String> {
        let master = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY | pty::OpenptFlags::CLOEXEC);
        let master = master.expect("a pseudo-terminal");
        pty::unlockpt(&master).expect("it unlocks");
        let name = pty::ptsname(&master, Vec::new()).expect("it has a name");
        tcsetwinsize(&master, window(80)).expect("it has a size");
        let mut environment = vec![
            format!("HOME={}", home.display()),
            format!("PATH={}", links.display()),
            "PS1=$ ".to_string(),
            "TERM=xterm".to_string(),
        ];
        environment.extend_from_slice(vars);
        let environment: Vec<&[u8]> = environment.iter().map(|word| word.as_bytes()).collect();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let program = links.join(std::str::from_utf8(words[0]).expect("a name").trim_start_matches('-'));
        let program = program.to_str().expect("a plain path").as_bytes();
        let pid = fork_run(|| {
            reset_signals();
            setsid().expect("a new process leads no group");
            let terminal =
                sys_fs::open(name.as_bytes(), sys_fs::OFlags::RDWR, sys_fs::Mode::empty()).expect("the terminal");
            ioctl_tiocsctty(&terminal).expect("it becomes the controlling one");
            for number in 0..=2 {
                fd::redirect(terminal.as_fd(), number).expect("a standard stream");
            }
            rbox_core::sys::process::chdir(home.as_os_str().as_encoded_bytes()).expect("the home directory");
            exec(program, &words, &environment);
            127
        });
        let pid = pid.expect("a child");
        let (home, screen) = (home.to_path_buf(), Screen::new(80));
        let mut session = Session { master, pid, home, screen, output: Vec::new(), seen: 0, ended: None };
        // The terminal echoes keys that arrive before the program reads them, and the program shows them again.
        session.wait_for(|session| !session.output.is_empty())?;
        Ok(session)
    }

    fn send(&self, bytes: &[u8]) {
        fd::write(&self.master, bytes).expect("the terminal takes it");
    }

    /// Reads output until the condition holds. Fails with the contents of the screen.
    fn wait_for(&mut self, mut condition: impl FnMut(&mut Session) -> bool) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while !condition(self) {
            if Instant::now() > end {
                return Err(format!("the screen is\n{}", self.screen.all()));
            }
            let limit = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            let mut block = [0; 4096];
            let ready = poll(&mut [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)], Some(&limit));
            if ready == Ok(1) {
                match fd::read(&self.master, &mut block) {
                    Ok(count) => {
                        self.output.extend_from_slice(&block[..count]);
                        self.screen.feed(&block[..count]);
                    }
                    // EIO: no process has the terminal open any more.
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            }
        }
        Ok(())
    }

    fn expect(&mut self, text: &[u8]) -> Result<(), String> {
        self.wait_for(|session| {
            let found = rbox_core::bytes::find(&session.output[session.seen..], text);
            session.seen += found.map_or(0, |at| at + text.len());
            found.is_some()
        })
    }

    fn enter(&mut self, text: &str) -> Result<(), String> {
        self.send(text.as_bytes());
        // The line is on the screen before Enter is sent, so the next newline is the one that ends it.
        let last: String = text.chars().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect();
        self.wait_for(|session| {
            let above =
                if session.screen.row > 0 { session.screen.text(session.screen.row - 1) } else { String::new() };
            format!("{above}{}", session.screen.text(session.screen.row)).ends_with(last.trim_end())
        })?;
        self.seen = self.output.len();
        self.send(b"\r");
        self.expect(b"\n")
    }

    fn row(&mut self, operand: &str) -> Result<(), String> {
        let (above, text) = match operand.strip_prefix("-1 ") {
            Some(text) => (1, text),
            None => (0, operand),
        };
        self.wait_for(|session| session.screen.row >= above && session.screen.text(session.screen.row - above) == text)
    }

    fn end(&mut self, status: u8) -> Result<(), String> {
        self.wait_for(|session| {
            if session.ended.is_none() {
                session.ended = wait(session.pid, WaitOptions::NOHANG).ok().flatten().map(|(_, change)| change);
            }
            session.ended.is_some()
        })?;
        match self.ended.map(Change::status) {
            Some(found) if found == status => Ok(()),
            found => Err(format!("it ended with {found:?}")),
        }
    }

    fn obey(&mut self, step: &str) -> Result<(), String> {
        let (verb, operand) = step.split_once(' ').unwrap_or((step, ""));
        let number = || operand.parse::<usize>().expect("a number");
        match verb {
            "enter" => self.enter(operand),
            "type" => {
                self.send(unescape(operand).as_bytes());
                Ok(())
            }
            "keys" => {
                operand.split(' ').for_each(|name| self.send(&key(name)));
                Ok(())
            }
            "expect" => self.expect(unescape(operand).as_bytes()),
            "row" => self.row(operand),
            "line" => {
                let (number, text) = operand.split_once(' ').unwrap_or((operand, ""));
                let number: usize = number.parse().expect("a number");
                self.wait_for(|session| session.screen.text(session.screen.top + number - 1) == text)
            }
            "column" => {
                let column = number();
                self.wait_for(|session| session.screen.column == column)
            }
            "resize" => {
                let (columns, rows) = operand.split_once(' ').unwrap_or((operand, "24"));
                let (columns, rows) = (columns.parse().expect("a number"), rows.parse().expect("a number"));
                self.screen.resize(columns);
                self.screen.height = rows;
                let size = Winsize { ws_row: rows as u16, ..window(columns) };
                tcsetwinsize(&self.master, size).map_err(|error| error.to_string())
            }
            "signal" => signal::kill(self.pid, number() as i32).map_err(|error| error.to_string()),
            "file" => {
                let (name, text) = operand.split_once(' ').expect("a name and its contents");
                let (path, text) = (self.home.join(name), unescape(text));
                self.wait_for(|_| fs::read_to_string(&path).is_ok_and(|found| found == text))
            }
            "end" => self.end(number() as u8),
            _ => panic!("an unknown step: {step}"),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // The process may have ended since; it stays a zombie, so the PID is still its own, until this wait.
            let _ = signal::kill(self.pid, 9);
            // A panic here, while another one unwinds, would hide the first message.
            let _ = wait(self.pid, WaitOptions::empty());
        }
    }
}

/// Gives every signal its default action and unblocks it. The program would otherwise inherit what nohup, tmux and the test harness
/// ignore (execve(2)).
fn reset_signals() {
    for number in 1..=64 {
        // EINVAL for SIGKILL, SIGSTOP and the signals that the C library reserves, whose actions nobody can change.
        let _ = signal::set(number, signal::Disposition::Default);
    }
    signal::set_blocked(signal::SignalSet::of(&[]));
}

fn window(columns: usize) -> Winsize {
    Winsize { ws_row: 24, ws_col: columns as u16, ws_xpixel: 0, ws_ypixel: 0 }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        if one != '\\' {
            out.push(one);
            continue;
        }
        out.push(match rest.next() {
            Some('e') => '\x1b',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).expect("two digits").into()
            }
            Some('\\') => '\\',
            other => panic!("an unknown escape: {other:?}"),
        });
    }
    out
}

fn key(name: &str) -> Vec<u8> {
    let text = match name {
        "Up" => "\x1b[A",
        "Down" => "\x1b[B",
        "Right" => "\x1b[C",
        "Left" => "\x1b[D",
        "Home" => "\x1b[H",
        "End" => "\x1b[F",
        "Del" => "\x1b[3~",
        "C-Right" => "\x1b[1;5C",
        "C-Left" => "\x1b[1;5D",
        "Esc" => "\x1b",
        "Tab" => "\t",
        "Enter" => "\r",
        "BS" => "\x7f",
        "M-BS" => "\x1b\x7f",
        "Space" => " ",
        "PageUp" => "\x1b[5~",
        "PageDown" => "\x1b[6~",
        _ => match name.split_at_checked(2) {
            Some(("C-", character)) => return vec![character.as_bytes()[0] & 0x1f],
            Some(("M-", character)) => return [b"\x1b", character.as_bytes()].concat(),
            _ => name,
        },
    };
    text.as_bytes().to_vec()
}

fn run(case: &[&str], home: &Path, links: &Path) -> Result<(), String> {
    let mut vars = Vec::new();
    let mut words = vec!["sh"];
    let mut session: Option<Session> = None;
    for step in case {
        match step.split_once(' ') {
            Some(("env", variable)) => vars.push(variable.replace("HOME", home.to_str().expect("a plain path"))),
            // The last word may be in single quotes and contain blanks.
            Some(("sh" | "-sh", _)) => match step.split_once(" '") {
                Some((first, last)) => {
                    words = first.split(' ').collect();
                    words.push(last.strip_suffix('\'').expect("a quote at the end"));
                }
                None => words = step.split(' ').collect(),
            },
            None if *step == "-sh" => words = vec![step],
            _ => {
                let failed = |error| format!("at `{step}`: {error}");
                if session.is_none() {
                    session = Some(Session::start(&words, &vars, home, links).map_err(failed)?);
                }
                session.as_mut().expect("it is started").obey(step).map_err(failed)?;
            }
        }
    }
    Ok(())
}

fn run_file(file: &Path, scratch: &Path, links: &Path, failed: &mut Vec<String>) -> usize {
    let text = fs::read_to_string(file).expect("a readable file");
    let mut cases: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("== ") {
            Some(name) => cases.push((name, Vec::new())),
            None => cases.last_mut().expect("a case begins with ==").1.push(line),
        }
    }
    let stem = file.file_stem().expect("a name").display();
    if let Ok(word) = std::env::var("CASES") {
        cases.retain(|(name, _)| format!("pty/{stem}: {name}").contains(&word));
    }
    for (number, (name, steps)) in cases.iter().enumerate() {
        let home = scratch.join(format!("{stem}.{number}"));
        fs::create_dir(&home).expect("a fresh directory");
        if let Err(message) = run(steps, &home, links) {
            failed.push(format!("{}: {name}: {message}", file.display()));
        }
    }
    cases.len()
}

/// A directory that is removed at the end, also after a panic.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

#[test]
fn programs_on_a_terminal_do_what_is_written_down() {
    let scratch = Scratch(std::env::temp_dir().join(format!("rbox-pty.{}", std::process::id())));
    let links = scratch.0.join("bin");
    fs::create_dir_all(&links).expect("a fresh directory");
    let list = Command::new(RBOX).arg("--list").output().expect("rbox starts").stdout;
    for name in String::from_utf8(list).expect("names are ASCII").lines() {
        std::os::unix::fs::symlink(RBOX, links.join(name)).expect("a link");
    }
    let (mut count, mut failed) = (0, Vec::new());
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/pty");
    for file in fs::read_dir(cases).expect("the directory of cases") {
        count += run_file(&file.expect("a file").path(), &scratch.0, &links, &mut failed);
    }
    assert!(count > 0, "there are no cases");
    assert!(failed.is_empty(), "{} of {count} cases failed:\n{}", failed.len(), failed.join("\n"));
}
