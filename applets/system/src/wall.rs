//! `wall`: write a message to the terminals of all who are logged in.

use rbox_core::io::{Input, write_all};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::system::uname;
use rbox_core::sys::{AsFd, Errno, fd, fs, process, termios};
use rbox_core::term::{Shown, clean};
use rbox_core::text::Left;
use rbox_core::time::{Moment, Zone, format};
use rbox_core::users::User;
use rbox_core::{push, text, utmp};

options! {
    "[-n] [FILE | WORD...]

Write FILE, WORDs or standard input to the terminals of all users.

  -n, --nobanner  Omit the banner";
    NO_BANNER = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).setuid();

/// Columns of a line. What the screen shows there is written over.
const WIDTH: usize = 79;

/// The most of a message that is read.
const LONGEST: usize = 64 * 1024;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let content = match args.operands() {
        [] => read(&mut env.take_stdin())?,
        [path] if fs::stat(path).is_ok() => {
            // With set-user-ID rights, wall reads no file that its caller may not read.
            if process::getuid() != process::geteuid() {
                return Err(Error::new(text!("will not read ", *path, " - use stdin")));
            }
            read(&mut Input::open(path)?)?
        }
        words => text!(words.join(&b' '), "\n"),
    };
    let mut message = Vec::new();
    if !args.has(NO_BANNER) {
        let user = User::by_id(process::getuid().as_raw()).map_or_else(|| b"somebody".to_vec(), |user| user.name);
        let tty = termios::ttyname(fd::borrow(2), Vec::new()).map(|name| name.into_bytes());
        let tty = tty.unwrap_or_else(|_| b"somewhere".to_vec());
        let zone = Zone::load(env.vars.get("TZ"));
        let now = format(b"%a %b %e %H:%M:%S %Y", Moment::now(), &zone);
        let host = uname().nodename().to_bytes().to_vec();
        let from = text!(tty.strip_prefix(b"/dev/").unwrap_or(&tty));
        let banner = text!("Broadcast message from ", user, "@", host, " (", from, ") (", now, "):");
        push!(message, "\r", Left("", WIDTH), "\r\n", Left(banner, WIDTH), "\x07\x07\r\n");
    }
    push!(message, Left("", WIDTH), "\r\n");
    push_lines(&content, &mut message);
    push!(message, Left("", WIDTH), "\r\n");
    env.for_each_operand(&utmp::terminals().iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut |_, line| {
        let path = text!("/dev/", line);
        send(line, &path, &message).map_err(|errno| Error::on(&path, errno))
    })?;
    // One who has just gone is no failure.
    Ok(ExitStatus::SUCCESS)
}

fn read(input: &mut Input) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    while content.len() < LONGEST {
        let part = input.fill()?;
        if part.is_empty() {
            break;
        }
        let count = part.len().min(LONGEST - content.len());
        content.extend_from_slice(&part[..count]);
        input.consume(count);
    }
    Ok(content)
}

/// The lines, as wide as the screen. Control characters are made visible, so that no terminal obeys them.
fn push_lines(content: &[u8], message: &mut Vec<u8>) {
    let content = clean(content, b"\t\n", Shown::Caret);
    let mut column = 0;
    let end_line = |message: &mut Vec<u8>, column: &mut usize| {
        push!(*message, Left("", WIDTH - *column), "\r\n");
        *column = 0;
    };
    for chunk in content.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\n' {
                end_line(message, &mut column);
                continue;
            }
            let shown = match character {
                '\t' => vec![b' '; 8 - column % 8],
                _ => character.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
            };
            let width = if character < '\u{80}' { shown.len() } else { 1 };
            if column + width > WIDTH {
                end_line(message, &mut column);
            }
            message.extend_from_slice(&shown);
            column += width;
        }
        if !chunk.invalid().is_empty() && column < WIDTH {
            message.push(b'?');
            column += 1;
        }
    }
    if column > 0 {
        end_line(message, &mut column);
    }
}

/// Writes to a terminal, and to nothing else that a record may name. One that takes nothing is left out.
fn send(line: &[u8], path: &[u8], message: &[u8]) -> core::result::Result<(), Errno> {
    if line.split(|&byte| byte == b'/').any(|part| part == b"..") {
        return Err(Errno::INVAL);
    }
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = fs::open(path, flags, Mode::empty())?;
    if !termios::isatty(&file) {
        return Err(Errno::NOTTY);
    }
    match write_all(file.as_fd(), message) {
        Err(Errno::AGAIN) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_screen_and_obey_nothing() {
        let lines = |content: &[u8]| {
            let mut message = Vec::new();
            push_lines(content, &mut message);
            String::from_utf8_lossy(&message).split("\r\n").map(|line| line.trim_end().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(lines(b"a\x1b[1m\xc2\x9b\xffb\n\nc"), ["a^[[1mM-^[?b", "", "c", ""]);
        assert_eq!(lines(&[b'x'; 80]), ["x".repeat(79), "x".to_string(), String::new()]);
        assert_eq!(lines(b"a\tb\xc3\xa9"), ["a       b\u{e9}", ""]);
    }
}
