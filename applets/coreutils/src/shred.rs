//! `shred`: overwrite files, so that what was in them is harder to read (GNU coreutils).
//!
//! That a file system or device writes where the data were is not promised by any of them.

use rbox_core::bytes::base_name;
use rbox_core::files::{chmod, kind};
use rbox_core::number::{Decimal, PLAIN, parse_count, parse_size};
use rbox_core::prelude::*;
use rbox_core::random::Random;
use rbox_core::sys::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags, SeekFrom};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd};

options! {
    "[-fuvxz] [-n N] [-s SIZE] FILE...

Overwrite each FILE with random bytes; - is standard output.

  -f, --force               Make FILE writable if it is not
  -n, --iterations=N        Overwrite N times (3)
  -s, --size=SIZE           Overwrite SIZE bytes, not the whole FILE
  -u                        Rename FILE to shorter and shorter names and remove it
      --remove[=HOW]        Remove FILE: unlink, wipe (rename first), wipesync (and sync each name; the default)
  -v, --verbose             Report each pass
  -x, --exact               Do not round the size up to a whole block
  -z, --zero                Overwrite with zeros at last
      --random-source=FILE  Take the random bytes of FILE";
    FORCE = "-f",
    COUNT = "-n",
    SIZE = "-s",
    UNLINK = "-u",
    REMOVE = "--remove",
    VERBOSE = "-v",
    EXACT = "-x",
    ZERO = "-z",
    SOURCE = "--random-source",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// How a file is removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removal {
    Unlink,
    Wipe,
    WipeSync,
}

/// What is to be done with each file.
struct Shredder {
    passes: u64,
    zero: bool,
    size: Option<u64>,
    exact: bool,
    force: bool,
    verbose: bool,
    removal: Option<Removal>,
    random: Random,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let removal = match args.last_of(&[UNLINK, REMOVE]) {
        None => None,
        Some(UNLINK) => Some(Removal::WipeSync),
        _ => Some(match args.value(REMOVE) {
            Some(b"unlink") => Removal::Unlink,
            Some(b"wipe") => Removal::Wipe,
            Some(b"wipesync") | None => Removal::WipeSync,
            Some(word) => return Err(Error::parts(&[b"invalid argument '", word, b"' for --remove"])),
        }),
    };
    let mut shredder = Shredder {
        passes: args.value(COUNT).map_or(Ok(3), |word| parse_count(word, PLAIN))?,
        zero: args.has(ZERO),
        size: args.value(SIZE).map(parse_size).transpose()?,
        exact: args.has(EXACT),
        force: args.has(FORCE),
        verbose: args.has(VERBOSE),
        removal,
        random: Random::open(args.value(SOURCE))?,
    };
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |env, path| {
        if path == b"-" {
            let output = fd::borrow(1);
            if fs::fcntl_getfl(output).is_ok_and(|flags| flags.contains(OFlags::APPEND)) {
                return Err(Error::parts(&[path, b": cannot shred append-only file descriptor"]));
            }
            return shredder.overwrite(env, output, path);
        }
        let file = shredder.open(path)?;
        shredder.overwrite(env, file.as_fd(), path)?;
        match shredder.removal {
            Some(how) => shredder.remove(env, &file, path, how),
            None => Ok(()),
        }
    })
}

impl Shredder {
    fn open(&self, path: &[u8]) -> Result<OwnedFd> {
        // Without O_NONBLOCK a FIFO would wait for a reader.
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let open = || fs::open(path, flags, Mode::empty());
        let opened = match open() {
            Err(Errno::ACCESS) if self.force => chmod(fs::CWD, path, 0o200).and_then(|()| open()),
            opened => opened,
        };
        opened.map_err(|errno| Error::cannot("open", path, errno))
    }

    fn overwrite(&mut self, env: &mut Env, file: BorrowedFd<'_>, path: &[u8]) -> Result<()> {
        let failed = |errno| Error::on(path, errno);
        let stat = fs::fstat(file).map_err(failed)?;
        let kind = kind(&stat);
        if matches!(kind, FileType::Fifo | FileType::Socket) || rbox_core::sys::termios::isatty(file) {
            return Err(Error::parts(&[path, b": invalid file type"]));
        }
        let mut size = match (self.size, kind) {
            (Some(size), _) => size,
            (None, FileType::RegularFile) => stat.st_size as u64,
            (None, _) => match fs::seek(file, SeekFrom::End(0)).map_err(failed)? {
                0 => return Err(Error::parts(&[path, b": cannot determine the size"])),
                size => size,
            },
        };
        if self.size.is_none() && !self.exact && kind == FileType::RegularFile {
            size = size.checked_next_multiple_of((stat.st_blksize as u64).max(1)).unwrap_or(size);
        }
        for pass in 0..self.passes + u64::from(self.zero) {
            let is_random = pass < self.passes;
            if self.verbose {
                let number = |number| Decimal::new(number);
                let last = self.passes + u64::from(self.zero);
                let what: &[u8] = if is_random { b"random" } else { b"000000" };
                env.report(&Error::parts(&[
                    path,
                    b": pass ",
                    number(pass + 1).as_bytes(),
                    b"/",
                    number(last).as_bytes(),
                    b" (",
                    what,
                    b")...",
                ]));
            }
            fs::seek(file, SeekFrom::Start(0)).map_err(failed)?;
            self.pass(file, path, size, is_random)?;
            match fs::fdatasync(file) {
                // A device like /dev/null has nothing to synchronize.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(())
    }

    fn pass(&mut self, file: BorrowedFd<'_>, path: &[u8], size: u64, is_random: bool) -> Result<()> {
        let (mut block, mut left) = (vec![0; rbox_core::io::CHUNK], size);
        while left > 0 {
            let length = left.min(block.len() as u64) as usize;
            if is_random {
                self.random.fill(&mut block[..length])?;
            }
            let written = rbox_core::io::write_all(file, &block[..length]);
            written.map_err(|errno| Error::on([b"error writing '", path, b"'"].concat(), errno))?;
            left -= length as u64;
        }
        Ok(())
    }

    /// Removes the name, after it has been overwritten, too.
    fn remove(&self, env: &mut Env, file: &OwnedFd, path: &[u8], how: Removal) -> Result<()> {
        let failed = |errno| Error::cannot("remove", path, errno);
        let say = |env: &mut Env, parts: &[&[u8]]| {
            if self.verbose {
                env.report(&Error::parts(parts));
            }
        };
        // Its length would tell something, too. A device has none.
        match fs::ftruncate(file, 0) {
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(failed(errno)),
        }
        say(env, &[path, b": removing"]);
        let name = base_name(path);
        let parent = &path[..path.len() - name.len()];
        let parent = if parent.is_empty() { b"." } else { parent };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::open(parent, flags, Mode::empty()).map_err(failed)?;
        let mut now = name.to_vec();
        if how != Removal::Unlink {
            for length in (1..=name.len()).rev() {
                let Some(next) = rename_to_length(&directory, &now, length) else { continue };
                say(env, &[&now, b": renamed to ", &next]);
                now = next;
                if how == Removal::WipeSync {
                    fs::fsync(&directory).map_err(failed)?;
                }
            }
        }
        fs::unlinkat(directory.as_fd(), now.as_slice(), AtFlags::empty()).map_err(failed)?;
        say(env, &[path, b": removed"]);
        Ok(())
    }
}

/// Gives the file a name of so many bytes that is free; `None` when there is none.
fn rename_to_length(directory: &OwnedFd, from: &[u8], length: usize) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.";
    // The first names that may be free; in a directory that holds them all, a shorter one is tried next.
    for number in 0..ALPHABET.len() * ALPHABET.len() {
        let mut name = vec![ALPHABET[0]; length];
        name[length - 1] = ALPHABET[number % ALPHABET.len()];
        match number / ALPHABET.len() {
            0 => {}
            _ if length == 1 => return None,
            tens => name[length - 2] = ALPHABET[tens],
        }
        match fs::renameat_with(directory, from, directory, name.as_slice(), RenameFlags::NOREPLACE) {
            Ok(()) => return Some(name),
            Err(Errno::EXIST) => {}
            Err(_) => return None,
        }
    }
    None
}
