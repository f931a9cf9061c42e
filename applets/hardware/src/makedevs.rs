//! `makedevs`: make device nodes, directories and files by a table.

use rbox_core::bytes::{join_path, words};
use rbox_core::io::Input;
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, FileType, Gid, Mode, OFlags, Uid, chown, makedev, mknodat};
use rbox_core::sys::{Errno, fs};
use rbox_core::text;
use rbox_core::users::{group_id, user_id};

options! {
    "[-d TABLE] ROOT

Make what the lines of TABLE (standard input) name, below the directory ROOT:
NAME TYPE MODE UID GID MAJOR MINOR START INCREMENT COUNT
TYPE is f file (only its owner and mode are set), d directory, p FIFO, c or b device. With COUNT,
NAME with a number appended, from START on; the minor number grows by INCREMENT.

  -d TABLE  Read TABLE";
    TABLE = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let root = args.operands_between(1, 1)?[0];
    let mut input = match args.value(TABLE) {
        Some(path) => Input::open(path)?,
        None => env.take_stdin(),
    };
    // A node's mode is the table's.
    rbox_core::sys::process::umask(Mode::empty());
    let (mut status, mut number) = (ExitStatus::SUCCESS, 0u64);
    while let Some(line) = input.line()? {
        number += 1;
        let fields: Vec<&[u8]> = words(line).collect();
        if fields.is_empty() || fields[0].starts_with(b"#") {
            continue;
        }
        let made = Row::parse(&fields).and_then(|row| row.make(root));
        if let Err(error) = made {
            status.worsen(env.warn(error.context(text!("line ", number))));
        }
    }
    Ok(status)
}

/// A line of the table.
struct Row<'a> {
    name: &'a [u8],
    kind: FileType,
    mode: Mode,
    owner: (u32, u32),
    /// Major and minor number, start, increment, count.
    numbers: [u64; 5],
}

impl<'a> Row<'a> {
    fn parse(fields: &[&'a [u8]]) -> Result<Self> {
        let [name, kind, mode, user, group, rest @ ..] = fields else { return Err(Error::new("too few fields")) };
        let kind = match *kind {
            b"f" => FileType::RegularFile,
            b"d" => FileType::Directory,
            b"p" => FileType::Fifo,
            b"c" => FileType::CharacterDevice,
            b"b" => FileType::BlockDevice,
            kind => return Err(Error::parts(&[b"unknown type '", kind, b"'"])),
        };
        let invalid = |word: &[u8]| Error::parts(&[b"invalid number '", word, b"'"]);
        let mode = parse_radix(mode, 8).filter(|mode| *mode <= 0o7777).ok_or_else(|| invalid(mode))?;
        let mut numbers = [0; 5];
        for (number, word) in numbers.iter_mut().zip(rest) {
            // A dash means nothing.
            *number = if *word == b"-" { 0 } else { parse_decimal(word).ok_or_else(|| invalid(word))? };
        }
        let owner = (user_id(user)?, group_id(group)?);
        Ok(Self { name, kind, mode: Mode::from_raw_mode(mode as u32), owner, numbers })
    }

    fn make(&self, root: &[u8]) -> Result<()> {
        let path = join_path(root, self.name.strip_prefix(b"/").unwrap_or(self.name));
        let [major, minor, start, step, count] = self.numbers;
        if count == 0 {
            return self.make_one(&path, major, minor);
        }
        (0..count).try_for_each(|at| self.make_one(&text!(&path, start + at), major, minor + at * step))
    }

    fn make_one(&self, path: &[u8], major: u64, minor: u64) -> Result<()> {
        let failed = |errno| Error::on(path, errno);
        let made = match self.kind {
            FileType::RegularFile => {
                // It is there already, or is an error.
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                fs::open(path, flags, Mode::empty()).map(drop)
            }
            FileType::Directory => fs::mkdir(path, self.mode),
            kind => {
                let number = |number: u64| u32::try_from(number).map_err(|_| failed(Errno::INVAL));
                mknodat(CWD, path, kind, self.mode, makedev(number(major)?, number(minor)?))
            }
        };
        match made {
            Err(Errno::EXIST) if self.kind == FileType::Directory => {}
            made => made.map_err(failed)?,
        }
        let (user, group) = self.owner;
        chown(path, Some(Uid::from_raw(user)), Some(Gid::from_raw(group))).map_err(failed)?;
        fs::chmod(path, self.mode).map_err(failed)
    }
}
