//! Runs the cases of tests/cases/pty: programs on a terminal, typed at by the case.
//!
//! ```text
//! == name
//! env NAME=VALUE      one more variable, before the start
//! sh -c 'a b'         the words of rbox, when they are not `sh`
//! enter TEXT          types a line and waits until it is taken
//! type TEXT           types, and waits for nothing
//! keys C-a M-b Up x   presses keys
//! expect TEXT         waits for output after what was expected before
//! row TEXT            waits until the cursor's row is that; `row -1 TEXT`: the row above
//! column N            waits until the cursor is there
//! resize COLUMNS
//! signal NUMBER       sends a signal to the program
//! file NAME TEXT      waits until a file of the home directory holds that
//! end STATUS          waits until the program has ended so
//! ```
//!
//! What is typed or expected may hold `\e`, `\n`, `\r`, `\t`, `\\` and `\xHH`; what is entered stands for itself. Each wait is for a condition; after ten seconds it fails.

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
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on a terminal.
struct Session {
    master: OwnedFd,
    pid: i32,
    home: PathBuf,
    screen: Screen,
    /// All output, and how much of it was expected already.
    output: Vec<u8>,
    seen: usize,
    ended: Option<Change>,
}

impl Session {
    fn start(words: &[&str], vars: &[String], home: &Path, links: &Path) -> Session {
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
            let _ = setsid();
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
        // Keys that come before the program reads them are shown twice.
        let _ = session.wait_for(|session| !session.output.is_empty());
        session
    }

    fn send(&self, bytes: &[u8]) {
        fd::write(&self.master, bytes).expect("the terminal takes it");
    }

    /// Takes output in until the condition holds.
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
                    // The last process on the terminal has gone.
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
        // It was shown before it is entered; so a newline that comes now is the line's own.
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
            "column" => {
                let column = number();
                self.wait_for(|session| session.screen.column == column)
            }
            "resize" => {
                self.screen.resize(number());
                tcsetwinsize(&self.master, window(number())).map_err(|error| error.to_string())
            }
            "signal" => signal::kill(self.pid, number() as i32).map_err(|error| error.to_string()),
            "file" => {
                let (name, text) = operand.split_once(' ').expect("a name and a text");
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
            let _ = signal::kill(self.pid, 9);
            let _ = wait(self.pid, WaitOptions::empty());
        }
    }
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
        _ => match name.split_at_checked(2) {
            Some(("C-", letter)) => return vec![letter.as_bytes()[0] & 0x1f],
            Some(("M-", letter)) => return [b"\x1b", letter.as_bytes()].concat(),
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
            // The last word may have blanks, in quotes.
            Some(("sh" | "-sh", _)) => match step.split_once(" '") {
                Some((first, last)) => {
                    words = first.split(' ').collect();
                    words.push(last.strip_suffix('\'').expect("a quote at the end"));
                }
                None => words = step.split(' ').collect(),
            },
            None if *step == "-sh" => words = vec![step],
            _ => {
                let session = session.get_or_insert_with(|| Session::start(&words, &vars, home, links));
                session.obey(step).map_err(|error| format!("at `{step}`: {error}"))?;
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
    for (number, (name, steps)) in cases.iter().enumerate() {
        let home = scratch.join(format!("{}.{number}", file.file_stem().expect("a name").display()));
        fs::create_dir(&home).expect("a fresh directory");
        if let Err(message) = run(steps, &home, links) {
            failed.push(format!("{}: {name}: {message}", file.display()));
        }
    }
    cases.len()
}

#[test]
fn programs_on_a_terminal_do_what_is_written_down() {
    let scratch = std::env::temp_dir().join(format!("rbox-pty.{}", std::process::id()));
    let links = scratch.join("bin");
    fs::create_dir_all(&links).expect("a fresh directory");
    let list = Command::new(RBOX).arg("--list").output().expect("rbox starts").stdout;
    for name in String::from_utf8(list).expect("names are ASCII").lines() {
        std::os::unix::fs::symlink(RBOX, links.join(name)).expect("a link");
    }
    let (mut count, mut failed) = (0, Vec::new());
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/pty");
    for file in fs::read_dir(cases).expect("the directory of cases") {
        count += run_file(&file.expect("a file").path(), &scratch, &links, &mut failed);
    }
    fs::remove_dir_all(&scratch).expect("the directory goes");
    assert!(count > 0, "there are no cases");
    assert!(failed.is_empty(), "{} of {count} cases failed:\n{}", failed.len(), failed.join("\n"));
}
