//! `ar`: archives of single files, such as Debian's packages and libraries (POSIX XCU ar), with names as GNU's and BSD's
//! ar have them.
//!
//! An archive is written anew beside the old one and then takes its name. Symbol tables are left out: linkers of today ask
//! `ranlib` for them.

use rbox_core::archive::Entry;
use rbox_core::archive::ar::{MAGIC, Reader, is_symbol_table, long_names, push_header, push_names};
use rbox_core::archive::guard::{Existing, Extractor, Guard, Manner};
use rbox_core::bytes::base_name;
use rbox_core::files::kind;
use rbox_core::io::{Input, Output};
use rbox_core::mode::symbolic;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, Mode, OFlags, SeekFrom};
use rbox_core::sys::{AsFd, Errno, OwnedFd, process};
use rbox_core::text::Right;
use rbox_core::time::{self, Moment, Zone};
use rbox_core::{push, text};

use crate::data::{Put, put_contents, write_all};

options! {
    "x|p|t|r|q|d|m[MODIFIERS] [MEMBER] ARCHIVE [FILE]...

Extract, print, list, replace, append, delete or move members of an archive.
The options may come first as one word without a dash: ar rc ARCHIVE FILE.

  -x  Extract members
  -p  Print members
  -t  List members
  -r  Replace members, or append FILEs
  -q  Append FILEs
  -d  Delete members
  -m  Move members to the end
  -o  Extract: restore times
  -v  Print names; list: print all about the members
  -u  Replace only members that are older; needs -U
  -c  Do not report that the archive is created
  -a  Put members after MEMBER
  -b, -i  Put members before MEMBER
  -D  Write times, owners and modes of 0, 0 and 644 (default)
  -U  Write those of the files
  -S  Write no symbol table (default)
  -s  Refused for object files: a symbol table";
    EXTRACT = "-x",
    PRINT = "-p",
    LIST = "-t",
    REPLACE = "-r",
    APPEND = "-q",
    DELETE = "-d",
    MOVE = "-m",
    TIMES = "-o",
    VERBOSE = "-v",
    NEWER = "-u",
    CREATE = "-c",
    AFTER = "-a",
    BEFORE = "-b",
    DETERMINISTIC = "-D",
    ACTUAL = "-U",
    NO_TABLE = "-S",
    TABLE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = options::with_dashes(USAGE, args.words())?;
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let args = Args::parse(USAGE, options::Grammar::Permuted, &words)?;
    let operations = [EXTRACT, PRINT, LIST, REPLACE, APPEND, DELETE, MOVE];
    let mut given = operations.iter().filter(|option| args.has(**option));
    let (Some(&operation), None) = (given.next(), given.next()) else {
        return Err(Error::misused("one of x, p, t, r, q, d and m is needed"));
    };
    let mut operands = args.operands();
    let mut position = None;
    if args.has(AFTER) || args.has(BEFORE) {
        let (member, rest) = operands.split_first().ok_or_else(Error::usage)?;
        (position, operands) = (Some(*member), rest);
    }
    let (archive, files) = operands.split_first().ok_or_else(Error::usage)?;
    match operation {
        EXTRACT | PRINT | LIST => read(env, &args, operation, archive, files),
        _ => Update::of(env, &args, archive)?.run(env, &args, operation, files, position),
    }
}

/// Extracts, prints or lists.
fn read(env: &mut Env, args: &Args<'_>, operation: Opt, archive: &[u8], files: &[&[u8]]) -> Outcome {
    let mut reader = Reader::new(env.open(archive)?).map_err(|error| error.context(archive))?;
    let mut found = vec![false; files.len()];
    let mut extractor = if operation == EXTRACT { Some(extractor(args)?) } else { None };
    let zone = Zone::load(env.vars.get("TZ"));
    let mut status = ExitStatus::SUCCESS;
    while let Some(entry) = reader.advance().map_err(|error| error.context(archive))? {
        if is_symbol_table(&entry.name) {
            continue;
        }
        // A name that is given twice means two members of that name.
        let wanted = files.iter().zip(&mut found).find(|(file, found)| base_name(file) == entry.name && !**found);
        match wanted {
            Some((_, found)) => *found = true,
            None if files.is_empty() => {}
            None => continue,
        }
        match &mut extractor {
            None if operation == LIST => list(env, args, &entry, &zone)?,
            None => print(env, args, &mut reader, &entry)?,
            Some(extractor) => match extract(env, args, extractor, &mut reader, &entry) {
                Err(error) if error.is_output() => return Err(error),
                Err(error) => status.worsen(env.warn(error)),
                Ok(()) => {}
            },
        }
    }
    for (file, _) in files.iter().zip(&found).filter(|(_, found)| !**found) {
        status.worsen(env.warn(Error::parts(&[file, b": no entry in archive"])));
    }
    Ok(status)
}

fn extractor(args: &Args<'_>) -> Result<Extractor> {
    let manner = Manner {
        existing: Existing::Replace,
        owner: false,
        permissions: false,
        times: args.has(TIMES),
        keep_directories: true,
        keep_directory_links: false,
        makes_parents: false,
        umask: process::current_umask(),
    };
    Ok(Extractor::new(Guard::new(b".", false)?, manner))
}

fn list(env: &mut Env, args: &Args<'_>, entry: &Entry, zone: &Zone) -> Result<()> {
    let mut line = Vec::new();
    if args.has(VERBOSE) {
        let time = time::format(b"%b %e %H:%M %Y", entry.modified, zone);
        let permissions = symbolic(entry.mode);
        push!(
            line,
            &permissions[1..],
            " ",
            entry.uid,
            "/",
            entry.gid,
            " ",
            Right(entry.size, 6, b' '),
            " ",
            &time,
            " "
        );
    }
    push!(line, &entry.name, "\n");
    env.stdout.write(&line)
}

fn print(env: &mut Env, args: &Args<'_>, reader: &mut Reader, entry: &Entry) -> Result<()> {
    if args.has(VERBOSE) {
        env.stdout.write(&text!("\n<", &entry.name, ">\n\n"))?;
    }
    copy(reader, Put::new(&mut |data| env.stdout.write(data)))
}

/// Calls `put` with a member's data.
fn copy(reader: &mut Reader, mut put: Put<'_>) -> Result<()> {
    while let Some(data) = reader.data()? {
        put.call(data)?;
        let length = data.len();
        reader.consume(length);
    }
    Ok(())
}

fn extract(
    env: &mut Env,
    args: &Args<'_>,
    extractor: &mut Extractor,
    reader: &mut Reader,
    entry: &Entry,
) -> Result<()> {
    if args.has(VERBOSE) {
        env.stdout.write(&text!("x - ", &entry.name, "\n"))?;
    }
    let Some(made) = extractor.create(entry)? else { return Ok(()) };
    match copy(reader, Put::new(&mut |data| write_all(made.file.as_fd(), data))) {
        Ok(()) => extractor.finish_file(&made, entry),
        Err(error) if error.errno().is_none() => Err(error.context(&entry.name)),
        Err(error) => {
            // The error that there is says more than one about the removal.
            let _ = extractor.abandon(&made, entry);
            Err(error.context(&entry.name))
        }
    }
}

/// Where the data of a member are.
#[derive(Clone)]
enum Source {
    /// In the old archive, at that offset.
    Old(u64),
    /// In a file.
    File(Vec<u8>),
}

type Member = (Entry, Source);

/// An archive that is changed.
struct Update<'a> {
    archive: &'a [u8],
    old: Option<OwnedFd>,
    members: Vec<Member>,
}

impl<'a> Update<'a> {
    /// Reads the members of the archive, which need not be there.
    fn of(env: &mut Env, args: &Args<'_>, archive: &'a [u8]) -> Result<Self> {
        let failed = |error: Error| error.context(archive);
        let old = match fs::open(archive, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(old) => old,
            Err(Errno::NOENT) if args.has(REPLACE) || args.has(APPEND) => {
                if !args.has(CREATE) {
                    env.report(&Error::parts(&[b"creating ", archive]));
                }
                return Ok(Self { archive, old: None, members: Vec::new() });
            }
            Err(errno) => return Err(Error::on(archive, errno)),
        };
        let copy = rbox_core::sys::fd::fcntl_dupfd_cloexec(&old, 3)?;
        let mut reader = Reader::new(Input::from_fd(copy, archive)).map_err(failed)?;
        let mut members = Vec::new();
        while let Some(mut entry) = reader.advance().map_err(failed)? {
            if !is_symbol_table(&entry.name) {
                // As GNU's ar, which writes the type where the file's own attributes are meant.
                entry.mode &= if writes_actual(args) { u32::MAX } else { 0o7777 };
                members.push((entry, Source::Old(reader.position())));
            }
        }
        Ok(Self { archive, old: Some(old), members })
    }

    fn run(
        mut self,
        env: &mut Env,
        args: &Args<'_>,
        operation: Opt,
        files: &[&[u8]],
        position: Option<&[u8]>,
    ) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        let newer = args.has(NEWER) && writes_actual(args);
        if args.has(NEWER) && !newer {
            return Err(Error::new("-u needs -U: times are not written without it"));
        }
        let mut moved = Vec::new();
        for &file in files {
            let there = self.members.iter().position(|(entry, _)| entry.name == base_name(file));
            let step = match (operation, there) {
                (DELETE, Some(at)) => {
                    self.members.remove(at);
                    b"d"
                }
                (MOVE, Some(at)) => {
                    moved.push(self.members.remove(at));
                    b"m"
                }
                (DELETE | MOVE, None) => {
                    status.worsen(env.warn(Error::parts(&[file, b": no entry in archive"])));
                    continue;
                }
                _ => match self.add(args, file, there.filter(|_| operation == REPLACE), newer, &mut moved) {
                    Ok(Some(step)) => step,
                    Ok(None) => continue,
                    Err(error) => return Err(error),
                },
            };
            if args.has(VERBOSE) {
                env.stdout.write(&text!(step, " - ", file, "\n"))?;
            }
        }
        let at = match position {
            None => self.members.len(),
            Some(member) => {
                let found = self.members.iter().position(|(entry, _)| entry.name == member);
                let at = found.ok_or_else(|| Error::parts(&[member, b": no entry in archive"]))?;
                if args.has(AFTER) { at + 1 } else { at }
            }
        };
        self.members.splice(at..at, moved);
        status.worsen(self.write(env)?);
        Ok(status)
    }

    /// Takes a file into the archive: in place of the member that is there, or as a new one. `None` if it is not newer.
    fn add(
        &mut self,
        args: &Args<'_>,
        file: &[u8],
        there: Option<usize>,
        newer: bool,
        moved: &mut Vec<Member>,
    ) -> Result<Option<&'static [u8; 1]>> {
        let stat = fs::stat(file).map_err(|errno| Error::on(file, errno))?;
        if kind(&stat) != FileType::RegularFile {
            return Err(Error::parts(&[file, b": not a regular file"]));
        }
        if args.last_of(&[TABLE, NO_TABLE]) == Some(TABLE) && is_object(file)? {
            return Err(Error::parts(&[file, b": symbol tables are not supported"]));
        }
        let mut entry = Entry {
            name: base_name(file).to_vec(),
            size: stat.st_size as u64,
            mode: 0o644,
            modified: Moment::default(),
            ..Entry::default()
        };
        if writes_actual(args) {
            (entry.uid, entry.gid, entry.mode) = (stat.st_uid, stat.st_gid, stat.st_mode);
            entry.modified.seconds = stat.st_mtime;
        }
        let member = (entry, Source::File(file.to_vec()));
        match there {
            Some(at) if newer && self.members[at].0.modified.seconds >= stat.st_mtime => return Ok(None),
            Some(at) => self.members[at] = member,
            None => {
                moved.push(member);
                return Ok(Some(b"a"));
            }
        }
        Ok(Some(b"r"))
    }

    /// Writes the archive under another name and gives it its own.
    fn write(&self, env: &mut Env) -> Outcome {
        let new = [self.archive, b".", &text!(process::getpid().as_raw_nonzero().get() as u32)].concat();
        let mode = self.old.as_ref().and_then(|old| fs::fstat(old).ok()).map_or(0o666, |stat| stat.st_mode & 0o777);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file =
            fs::open(&new, flags, Mode::from_raw_mode(mode)).map_err(|errno| Error::cannot("create", &new, errno))?;
        let mut output = Output::from_fd(file);
        let written = self.write_to(env, &mut output).and_then(|status| {
            fs::rename(&new, self.archive).map_err(|errno| Error::cannot("rename", &new, errno))?;
            Ok(status)
        });
        if written.is_err() {
            // The error that there is says more than one about the removal.
            let _ = fs::unlink(&new);
        }
        written
    }

    fn write_to(&self, env: &mut Env, output: &mut Output) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        let mut head = MAGIC.to_vec();
        push_names(&mut head, &long_names(self.members.iter().map(|(entry, _)| &entry.name[..])));
        output.write(&head)?;
        let (mut at, mut buffer) = (0, Vec::new());
        for (entry, source) in &self.members {
            head.clear();
            push_header(&mut head, entry, &mut at)?;
            output.write(&head)?;
            match (source, &self.old) {
                (Source::File(path), _) => {
                    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
                    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
                    status.worsen(put_contents(env, output, &file, path, entry.size, &mut buffer)?);
                }
                (Source::Old(offset), Some(old)) => {
                    fs::seek(old, SeekFrom::Start(*offset))?;
                    status.worsen(put_contents(env, output, old, self.archive, entry.size, &mut buffer)?);
                }
                (Source::Old(_), None) => {}
            }
            if entry.size % 2 == 1 {
                output.write(b"\n")?;
            }
        }
        output.flush()?;
        Ok(status)
    }
}

/// Whether times, owners and modes are those of the files.
fn writes_actual(args: &Args<'_>) -> bool {
    args.last_of(&[DETERMINISTIC, ACTUAL]) == Some(ACTUAL)
}

/// Whether a file is an object file (elf(5)).
fn is_object(path: &[u8]) -> Result<bool> {
    let mut input = Input::open(path)?;
    Ok(input.fill()?.starts_with(b"\x7fELF"))
}
