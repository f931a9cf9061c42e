//! `conspy`: show a virtual terminal on this one, and type there (conspy(1), vcs(4)).

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::device_block::{Exchange, SIZE, exchange};
use rbox_core::sys::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat, open, stat};
use rbox_core::sys::process::{fork_run, ioctl_tiocsctty, setsid};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd};
use rbox_core::term::screen::{Manner, Screen};
use rbox_core::tty::wait_readable;
use rbox_core::{call, push, text};

options! {
    "[-vcsndfFQ] [-x COLUMN] [-y LINE] [NUMBER]

Show virtual terminal NUMBER (1) on this terminal, and type there. Three escapes end it.

  -c         Create missing devices in /dev
  -d         Print the terminal's contents and exit
  -f         Follow the cursor where the terminal is larger
  -F         The console is a frame buffer: its attributes have a bit of the font
  -n         No colors
  -Q         Three escapes do not end it
  -s         Start a shell on the terminal
  -v         Send no keys
  -x COLUMN  First column to show (0)
  -y LINE    First line to show (0)";
    CREATE = "-c",
    DUMP = "-d",
    FOLLOW = "-f",
    FRAMEBUFFER = "-F",
    PLAIN = "-n",
    STAY = "-Q",
    SHELL = "-s",
    VIEW = "-v",
    COLUMN = "-x",
    LINE = "-y",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Milliseconds between two looks at the terminal.
const PERIOD: u64 = 50;

/// What a virtual terminal shows.
struct Contents {
    lines: usize,
    columns: usize,
    cursor: (usize, usize),
    /// Character and attribute of each cell; no character that could steer the terminal.
    cells: Vec<(char, u8)>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 1)?;
    let number = operands.first().map_or(Ok(1), |word| parse_in_range(word, 1, 63))?;
    let (terminal, screen) = (text!("/dev/tty", number), text!("/dev/vcsa", number));
    if args.has(CREATE) {
        create(&terminal, 4, number as u32)?;
        create(&screen, 7, 128 + number as u32)?;
    }
    let opened = |path: &[u8], flags| {
        open(path, flags | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::cannot("open", path, errno))
    };
    let source = opened(&screen, OFlags::RDONLY)?;
    // The characters in Unicode; a kernel before 4.19 has only the font's numbers.
    let unicode = opened(&text!("/dev/vcsu", number), OFlags::RDONLY).ok();
    let mask = if args.has(FRAMEBUFFER) { 0xf7 } else { 0xff };
    let read = || Contents::read(&source, unicode.as_ref(), mask).ok_or_else(|| Error::on(&screen, Errno::IO));
    if args.has(SHELL) {
        start_shell(env, &terminal)?;
    }
    if args.has(DUMP) {
        let contents = read()?;
        for line in 0..contents.lines {
            let mut row = contents.row(line, 0, contents.columns, args.has(PLAIN));
            if args.has(PLAIN) {
                row.truncate(row.trim_ascii_end().len());
            }
            row.push(b'\n');
            env.stdout.write(&row)?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    let keys = if args.has(VIEW) { None } else { Some(opened(&terminal, OFlags::WRONLY)?) };
    let start = |option| args.value(option).map_or(Ok(0), |word| parse_in_range(word, 0, 65535));
    let mut offset = (start(LINE)? as usize, start(COLUMN)? as usize);
    let mut window = Screen::open(None, Manner::Alternate).ok_or_else(|| Error::new("not a terminal"))?;
    let mut escapes = 0;
    loop {
        let contents = read()?;
        if args.has(FOLLOW) {
            offset = follow(offset, contents.cursor, (window.rows, window.columns));
        }
        let rows: Vec<Vec<u8>> = (0..window.rows)
            .map(|row| contents.row(offset.0 + row, offset.1, window.columns, args.has(PLAIN)))
            .collect();
        let at = |cursor: usize, offset: usize, size: usize| cursor.saturating_sub(offset).min(size - 1);
        let cursor = (at(contents.cursor.0, offset.0, window.rows), at(contents.cursor.1, offset.1, window.columns));
        window.draw(&rows, cursor)?;
        let end = uptime_milliseconds() + PERIOD;
        while wait_readable(fd::borrow(0), Some(end.saturating_sub(uptime_milliseconds()))) {
            let mut buffer = [0; 64];
            let typed = match fd::read(fd::borrow(0), &mut buffer) {
                Ok(0) => return Ok(ExitStatus::SUCCESS),
                Ok(count) => &buffer[..count],
                Err(Errno::INTR) if window.signal().is_some() => return Ok(ExitStatus::SUCCESS),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(Error::on("standard input", errno)),
            };
            for &byte in typed {
                escapes = if byte == 27 { escapes + 1 } else { 0 };
                if escapes == 3 && !args.has(STAY) {
                    return Ok(ExitStatus::SUCCESS);
                }
                if let Some(file) = &keys {
                    let mut block = [0; SIZE];
                    block[0] = byte;
                    exchange(file.as_fd(), Exchange::TypeByte, &mut block)
                        .map_err(|errno| Error::on(&terminal, errno))?;
                }
            }
        }
    }
}

/// Makes a character device that is not there.
fn create(path: &[u8], major: u32, minor: u32) -> Result<()> {
    if stat(path).is_ok() {
        return Ok(());
    }
    mknodat(CWD, path, FileType::CharacterDevice, Mode::from_raw_mode(0o660), makedev(major, minor))
        .map_err(|errno| Error::cannot("create", path, errno))
}

/// Starts a login shell on the terminal, in a session of its own.
fn start_shell(env: &mut Env, path: &[u8]) -> Result<()> {
    let terminal = open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let terminal = terminal.map_err(|errno| Error::cannot("open", path, errno))?;
    let shell = env.shell();
    env.stdout.flush()?;
    fork_run(|| {
        // The child of a fork is no group leader; a terminal of another session is used without control of it.
        let _ = setsid();
        let _ = ioctl_tiocsctty(&terminal);
        let is_there = (0..3).all(|number| fd::redirect(terminal.as_fd(), number).is_ok());
        if is_there { call::replace(env, &[&shell]).0 } else { 126 }
    })
    .map_err(|errno| Error::on("can't fork", errno))?;
    Ok(())
}

/// The offset by which the cursor is in a window, moved as little as possible.
fn follow(offset: (usize, usize), cursor: (usize, usize), size: (usize, usize)) -> (usize, usize) {
    let one = |offset: usize, cursor: usize, size: usize| offset.min(cursor).max((cursor + 1).saturating_sub(size));
    (one(offset.0, cursor.0, size.0), one(offset.1, cursor.1, size.1))
}

impl Contents {
    /// Reads the devices; `None` if they end too early.
    fn read(source: &OwnedFd, unicode: Option<&OwnedFd>, mask: u8) -> Option<Self> {
        let whole = |file: &OwnedFd, at: usize, count: usize| {
            let mut content = vec![0; count];
            (fd::pread(file, &mut content, at as u64) == Ok(count)).then_some(content)
        };
        let head = whole(source, 0, 4)?;
        let [lines, columns, x, y] = [0, 1, 2, 3].map(|at| usize::from(head[at]));
        let cells = whole(source, 4, lines * columns * 2)?;
        let characters = unicode.and_then(|file| whole(file, 0, lines * columns * 4));
        let cells = cells.as_chunks::<2>().0.iter().enumerate().map(|(at, &[byte, attribute])| {
            let known = characters.as_ref().and_then(|characters| {
                let bytes = characters.get(at * 4..at * 4 + 4)?;
                char::from_u32(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            });
            let plain = if byte == 0 {
                ' '
            } else if byte.is_ascii() {
                char::from(byte)
            } else {
                '?'
            };
            let found = known.filter(|one| *one != '\0').unwrap_or(plain);
            (if found.is_control() { '?' } else { found }, attribute & mask)
        });
        let cells = cells.collect();
        Some(Self { lines, columns, cursor: (y, x), cells })
    }

    /// A part of a line, with sequences for its colors unless `plain`.
    fn row(&self, line: usize, column: usize, width: usize, plain: bool) -> Vec<u8> {
        let (mut row, mut before) = (Vec::new(), 7);
        let cells = if line < self.lines { &self.cells[line * self.columns..][..self.columns] } else { &[] };
        for &(one, attribute) in cells.iter().skip(column).take(width) {
            if attribute != before && !plain {
                // VGA has blue in the lowest bit, ECMA-48 red.
                let color = |bits: u8| bits & 2 | (bits & 1) << 2 | (bits & 4) >> 2;
                push!(row, "\x1b[0");
                if attribute & 8 != 0 {
                    push!(row, ";1");
                }
                if attribute & 0x80 != 0 {
                    push!(row, ";5");
                }
                push!(row, ";", 30 + color(attribute & 7), ";", 40 + color(attribute >> 4 & 7), "m");
                before = attribute;
            }
            push!(row, one.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if before != 7 {
            push!(row, "\x1b[m");
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_colors_of_the_console() {
        let cells = vec![('a', 7), ('b', 0x0c), ('c', 0x0c), (' ', 0x17)];
        let contents = Contents { lines: 1, columns: 4, cursor: (0, 0), cells };
        assert_eq!(contents.row(0, 0, 9, false), b"a\x1b[0;1;31;40mbc\x1b[0;37;44m \x1b[m");
        assert_eq!((contents.row(0, 1, 2, true), contents.row(1, 0, 9, true)), (b"bc".to_vec(), Vec::new()));
        assert_eq!(follow((0, 0), (30, 5), (25, 80)), (6, 0));
        assert_eq!(follow((6, 10), (5, 5), (25, 80)), (5, 5));
    }
}
