//! `unzip`: list, test and extract zip archives, with the options of BusyBox and the daily ones of Info-ZIP.

use rbox_core::archive::Entry;
use rbox_core::archive::guard::{Existing, Extractor, Guard, Manner};
use rbox_core::archive::zip::{Archive, Checked, Member};
use rbox_core::bytes::{base_name, join_path};
use rbox_core::io::Output;
use rbox_core::pattern::glob;
use rbox_core::pattern::glob::Flags;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, FileType, Mode, OFlags, mkdirat, open};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, process};
use rbox_core::text::{Hex, Left, Right};
use rbox_core::time::{Civil, Zone};
use rbox_core::{files, push, text};

options! {
    "[-lvtpcznoufjqCKZ1] ARCHIVE[.zip] [NAME]... [-x NAME]... [-d DIRECTORY]

Extract the members NAME (patterns), or all, of a zip archive. Files that exist are
replaced after a question.

  -l            List names, sizes and times
  -v            List also methods, compressed sizes and checksums
  -t            Test the data
  -p            Write the data to standard output
  -c            The same, with the names
  -z            Print the comment of the archive
  -Z            With -1: list names alone
  -1            See -Z
  -u            Extract what is newer than the file that exists, and what is missing
  -f            Extract what is newer than the file that exists
  -n            Never replace files
  -o            Replace files without a question
  -j            Leave out directories of names
  -q            Print no names
  -C            Match NAME without regard to case
  -K            Restore set-user-ID bits and permissions that the umask takes away
  -x NAME       Leave out members NAME; more may follow
  -d DIRECTORY  Extract into DIRECTORY";
    LIST = "-l",
    VERBOSE = "-v",
    TEST = "-t",
    PRINT = "-p",
    PRINT_NAMES = "-c",
    COMMENT = "-z",
    INFO = "-Z",
    NAMES = "-1",
    UPDATE = "-u",
    FRESHEN = "-f",
    NEVER = "-n",
    ALWAYS = "-o",
    JUNK = "-j",
    QUIET = "-q",
    ANY_CASE = "-C",
    KEEP_MODES = "-K",
    EXCLUDE = "-x",
    DIRECTORY = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The status when no member had one of the names, as Info-ZIP's.
const NOT_MATCHED: u8 = 11;

/// The longest target of a symbolic link (PATH_MAX).
const TARGET_MAX: usize = 4096;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(INFO) != args.has(NAMES) {
        return Err(Error::new("-Z and -1 need each other: other lists of zipinfo are not supported"));
    }
    let (path, mut selection) = Selection::of(args)?;
    let (file, path) = open_archive(path)?;
    let mut archive = Archive::open(file).map_err(|error| error.context(&path))?;
    let is_quiet = args.has(QUIET);
    if args.has(NAMES) {
        let status = list_names(env, &mut archive, &mut selection).map_err(|error| error.context(&path))?;
        return Ok(selection.report(env, status));
    }
    if !is_quiet && !args.has(PRINT) {
        env.stdout.write(&text!("Archive:  ", &path, "\n"))?;
    }
    if args.has(COMMENT) {
        for line in archive.comment.split_inclusive(|&byte| byte == b'\n') {
            env.stdout.write(&text!(&shown(line.trim_ascii_end()), "\n"))?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    let status = if args.has(LIST) || args.has(VERBOSE) {
        list(env, &mut archive, &mut selection, args.has(VERBOSE)).map_err(|error| error.context(&path))?
    } else {
        let mut run = Run::of(env, args)?;
        let status = run.all(env, &mut archive, &mut selection).map_err(|error| error.context(&path));
        run.finish(env, status?)?
    };
    if args.has(TEST) && !is_quiet && status == ExitStatus::SUCCESS {
        env.stdout.write(&text!("No errors detected in compressed data of ", &path, ".\n"))?;
    }
    Ok(selection.report(env, status))
}

/// Opens the archive, whose name may lack its suffix; `-` is standard input, which must be a file.
fn open_archive(path: &[u8]) -> Result<(OwnedFd, Vec<u8>)> {
    if path == b"-" {
        return Ok((fd::fcntl_dupfd_cloexec(fd::borrow(0), 3)?, path.to_vec()));
    }
    let mut failure = Errno::NOENT;
    for suffix in [&b""[..], b".zip", b".ZIP"] {
        let name = [path, suffix].concat();
        match open(&name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => return Ok((file, name)),
            Err(Errno::NOENT) => {}
            Err(errno) => failure = errno,
        }
    }
    Err(Error::on([b"can't open ", path, b"[.zip]"].concat(), failure))
}

/// Which members are meant.
struct Selection<'a> {
    wanted: Vec<&'a [u8]>,
    /// Whether each of `wanted` has matched a member.
    matched: Vec<bool>,
    excluded: Vec<&'a [u8]>,
    flags: Flags,
}

impl<'a> Selection<'a> {
    /// The archive's name, and the members. Operands after `-x` are left out up to the next option.
    fn of(args: &Args<'a>) -> Result<(&'a [u8], Self)> {
        let mut excluded: Vec<&[u8]> = args.values(EXCLUDE).collect();
        let mut wanted = Vec::new();
        let (mut operands, mut excludes) = (args.operands().iter().peekable(), false);
        for word in args.words().iter().skip(1) {
            match operands.peek() {
                Some(operand) if core::ptr::eq(**operand, *word) => {
                    if excludes {
                        excluded.push(word)
                    } else {
                        wanted.push(*word)
                    }
                    operands.next();
                }
                _ if word.starts_with(b"-") => excludes = *word == b"-x",
                _ => {}
            }
        }
        if wanted.is_empty() {
            return Err(Error::usage());
        }
        let path = wanted.remove(0);
        let flags = if args.has(ANY_CASE) { Flags::FOLD_CASE } else { Flags::NONE };
        Ok((path, Self { matched: vec![false; wanted.len()], wanted, excluded, flags }))
    }

    fn takes(&mut self, name: &[u8]) -> bool {
        let mut is_wanted = self.wanted.is_empty();
        for (pattern, matched) in self.wanted.iter().zip(&mut self.matched) {
            if glob::matches(pattern, name, self.flags) {
                (is_wanted, *matched) = (true, true);
            }
        }
        is_wanted && !self.excluded.iter().any(|pattern| glob::matches(pattern, name, self.flags))
    }

    /// Reports the names that no member had.
    fn report(&self, env: &mut Env, mut status: ExitStatus) -> ExitStatus {
        for (name, _) in self.wanted.iter().zip(&self.matched).filter(|(_, matched)| !**matched) {
            env.report(&Error::parts(&[b"caution: filename not matched:  ", name]));
            status.worsen(ExitStatus(NOT_MATCHED));
        }
        status
    }
}

/// A name as it is printed: with `?` for control characters, which a terminal would obey.
fn shown(name: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let character = if character.is_control() { '?' } else { character };
            line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        line.extend_from_slice(chunk.invalid());
    }
    line
}

fn list_names(env: &mut Env, archive: &mut Archive, selection: &mut Selection<'_>) -> Outcome {
    while let Some(member) = archive.next_member()? {
        if selection.takes(&member.name) {
            env.stdout.write(&text!(&shown(&member.name), "\n"))?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn list(env: &mut Env, archive: &mut Archive, selection: &mut Selection<'_>, verbose: bool) -> Outcome {
    env.stdout.write(if verbose {
        b" Length   Method    Size  Cmpr    Date    Time   CRC-32   Name
--------  ------  ------- ---- ---------- ----- --------  ----\n"
    } else {
        b"  Length      Date    Time    Name\n---------  ---------- -----   ----\n"
    })?;
    let (mut count, mut size, mut compressed) = (0u64, 0u64, 0u64);
    while let Some(member) = archive.next_member()? {
        if !selection.takes(&member.name) {
            continue;
        }
        count += 1;
        size = size.saturating_add(member.size);
        compressed = compressed.saturating_add(member.compressed);
        let mut line = Vec::new();
        if verbose {
            push!(line, Right(member.size, 8, b' '), "  ", Left(member.method_name(), 6), " ");
            push!(line, Right(member.compressed, 8, b' '), " ");
            push!(line, Right(saved(member.compressed, member.size), 3, b' '), "% ", &date(&member.time));
            push!(line, " ", Right(Hex(member.crc.into()), 8, b'0'), "  ");
        } else {
            push!(line, Right(member.size, 9, b' '), "  ", &date(&member.time), "   ");
        }
        push!(line, &shown(&member.name), "\n");
        env.stdout.write(&line)?;
    }
    let mut line = Vec::new();
    if verbose {
        line.extend_from_slice(b"--------          ------- ----                            ----\n");
        push!(line, Right(size, 8, b' '), Right(compressed, 17, b' '), " ", Right(saved(compressed, size), 3, b' '));
        push!(line, "%                            ", count, " files\n");
    } else {
        line.extend_from_slice(b" --------                     -------\n");
        push!(line, Right(size, 9, b' '), "                     ", count, " files\n");
    }
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}

/// How much compression saved, in percent.
fn saved(compressed: u64, size: u64) -> u64 {
    let left = u128::from(size.saturating_sub(compressed)) * 100;
    left.checked_div(size.into()).unwrap_or(0) as u64
}

fn date(time: &Civil) -> Vec<u8> {
    let two = |number: u8| Right(number, 2, b'0');
    let date = text!(two(time.month), "-", two(time.day), "-", time.year as u64, " ");
    text!(&date, two(time.hour), ":", two(time.minute))
}

/// What is done with each member.
enum Run<'a> {
    Test { quiet: bool },
    Print { names: bool },
    Extract(Box<Extraction<'a>>),
}

struct Extraction<'a> {
    extractor: Extractor,
    directory: &'a [u8],
    zone: Zone,
    junk: bool,
    quiet: bool,
    /// Only what is newer than the file, and only where there is one.
    updates: bool,
    freshens: bool,
    /// Whether files are replaced; a question where it is not known.
    replaces: Option<bool>,
}

impl<'a> Run<'a> {
    fn of(env: &Env, args: &Args<'a>) -> Result<Self> {
        let quiet = args.has(QUIET);
        if args.has(TEST) {
            return Ok(Self::Test { quiet });
        }
        if args.has(PRINT) || args.has(PRINT_NAMES) {
            return Ok(Self::Print { names: !quiet && !args.has(PRINT) });
        }
        let directory = args.value(DIRECTORY).unwrap_or(b".");
        match mkdirat(CWD, directory, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::cannot("create directory", directory, errno)),
        }
        let replaces = args.last_of(&[NEVER, ALWAYS]).map(|option| option == ALWAYS);
        let manner = Manner {
            existing: if replaces == Some(false) { Existing::Skip } else { Existing::Replace },
            owner: false,
            permissions: args.has(KEEP_MODES),
            times: true,
            keep_directories: true,
            keep_directory_links: false,
            makes_parents: true,
            umask: process::current_umask(),
        };
        Ok(Self::Extract(Box::new(Extraction {
            extractor: Extractor::new(Guard::new(directory, false)?, manner),
            directory,
            zone: Zone::load(env.vars.get("TZ")),
            junk: args.has(JUNK),
            quiet,
            updates: args.has(UPDATE) || args.has(FRESHEN),
            freshens: args.has(FRESHEN),
            replaces,
        })))
    }

    fn all(&mut self, env: &mut Env, archive: &mut Archive, selection: &mut Selection<'_>) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        while let Some(member) = archive.next_member()? {
            if !selection.takes(&member.name) {
                continue;
            }
            match self.one(env, archive, &member) {
                Ok(()) => {}
                Err(error) if error.is_output() => return Err(error),
                Err(error) => status.worsen(env.warn(error)),
            }
        }
        Ok(status)
    }

    fn one(&mut self, env: &mut Env, archive: &Archive, member: &Member) -> Result<()> {
        match self {
            Self::Print { names: false } if member.is_directory() => Ok(()),
            Self::Print { names: false } => copy(archive, member, &mut |data| env.stdout.write(data)),
            Self::Print { names: true } => {
                let verb = if member.is_stored() { " extracting: " } else { "  inflating: " };
                env.stdout.write(&text!(verb, Left(&shown(&member.name), 22), "  \n"))?;
                copy(archive, member, &mut |data| env.stdout.write(data))?;
                env.stdout.write(b"\n")
            }
            Self::Test { quiet } => {
                copy(archive, member, &mut |_| Ok(()))?;
                match quiet {
                    true => Ok(()),
                    false => env.stdout.write(&text!("    testing: ", Left(&shown(&member.name), 22), "   OK\n")),
                }
            }
            Self::Extract(extraction) => extraction.extract(env, archive, member),
        }
    }

    /// Does what was left for the end.
    fn finish(self, env: &mut Env, mut status: ExitStatus) -> Outcome {
        if let Self::Extract(mut extraction) = self {
            for error in extraction.extractor.finish() {
                status.worsen(env.warn(error));
            }
        }
        Ok(status)
    }
}

/// Hands on the data of a member. An error names it.
fn copy(archive: &Archive, member: &Member, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let named = |error: Error| error.context(&member.name);
    let mut data = archive.data(member).map_err(named)?;
    let mut checked = Checked::new(member);
    loop {
        let content = data.fill()?;
        if content.is_empty() {
            return checked.finish(member).map_err(named);
        }
        checked.add(content).map_err(named)?;
        each(content)?;
        let count = content.len();
        data.consume(count);
    }
}

impl Extraction<'_> {
    fn extract(&mut self, env: &mut Env, archive: &Archive, member: &Member) -> Result<()> {
        let Some(mut name) = self.name(member) else { return Ok(()) };
        if member.is_encrypted {
            return Err(Error::parts(&[&name, b": encrypted members are not supported"]));
        }
        let is_directory = member.is_directory();
        let stat = |directory: &[u8], name: &[u8]| files::stat(CWD, &join_path(directory, name), false);
        let exists = |directory: &[u8], name: &[u8]| stat(directory, name).is_ok();
        let is_due = match stat(self.directory, &name) {
            _ if !self.updates => true,
            Ok(stat) => is_directory || stat.st_mtime < member.moment(&self.zone).seconds,
            Err(_) => !self.freshens,
        };
        if !is_due {
            return Ok(());
        }
        if exists(self.directory, &name) {
            if is_directory {
                return Ok(());
            }
            while exists(self.directory, &name) {
                match self.may_replace(env, &name)? {
                    Answer::Yes => break,
                    Answer::No => return Ok(()),
                    Answer::Name(other) => name = other,
                }
            }
        }
        if !self.quiet {
            let verb = if is_directory { "   creating: " } else { "  inflating: " };
            env.stdout.write(&text!(verb, &shown(&name), "\n"))?;
        }
        let mut entry = Entry {
            name,
            mode: member.mode,
            size: member.size,
            modified: member.moment(&self.zone),
            ..Entry::default()
        };
        if is_directory {
            entry.mode =
                FileType::Directory.as_raw_mode() | if member.mode == 0 { 0o777 } else { member.mode & 0o7777 };
            return self.extractor.make(&entry).map(drop);
        }
        if entry.kind() == FileType::Symlink {
            copy(archive, member, &mut |data| {
                entry.target.extend_from_slice(data);
                if entry.target.len() < TARGET_MAX { Ok(()) } else { Err(Error::new("target of a link is too long")) }
            })?;
            return self.extractor.make(&entry).map(drop);
        }
        entry.mode = FileType::RegularFile.as_raw_mode() | if member.mode == 0 { 0o666 } else { member.mode & 0o7777 };
        self.write(archive, member, &entry)
    }

    fn write(&mut self, archive: &Archive, member: &Member, entry: &Entry) -> Result<()> {
        let Some(made) = self.extractor.create(entry)? else { return Ok(()) };
        let file = fd::fcntl_dupfd_cloexec(made.file.as_fd(), 3).map_err(|errno| Error::on(&entry.name, errno))?;
        let mut output = Output::from_fd(file);
        let written = copy(archive, member, &mut |data| output.write(data)).and_then(|()| output.flush());
        match written {
            Ok(()) => self.extractor.finish_file(&made, entry),
            Err(error) => {
                // The error that there is says more than one about the removal.
                let _ = self.extractor.abandon(&made, entry);
                // A full file system is not a dead standard output.
                Err(match error.errno() {
                    Some(errno) if error.is_output() => Error::on(&entry.name, errno),
                    _ => error,
                })
            }
        }
    }

    /// The name to extract to; `None` for a directory without its name.
    fn name(&self, member: &Member) -> Option<Vec<u8>> {
        match (self.junk, member.is_directory()) {
            (false, _) => Some(member.name.clone()),
            (true, true) => None,
            (true, false) => Some(base_name(&member.name).to_vec()),
        }
    }

    /// Whether a file that is there is replaced: asks where no option has said it.
    fn may_replace(&mut self, env: &mut Env, name: &[u8]) -> Result<Answer> {
        if let Some(replaces) = self.replaces {
            return Ok(if replaces { Answer::Yes } else { Answer::No });
        }
        loop {
            let question = "? [y]es, [n]o, [A]ll, [N]one, [r]ename: ";
            env.stdout.write(&text!("replace ", &shown(name), question))?;
            env.stdout.flush()?;
            let answer = env.stdin.line()?.map(<[u8]>::to_vec);
            match answer.as_deref().map(|line| line.first().copied()) {
                Some(Some(b'y')) => return Ok(Answer::Yes),
                Some(Some(b'n')) => return Ok(Answer::No),
                Some(Some(b'A')) => {
                    self.replaces = Some(true);
                    return Ok(Answer::Yes);
                }
                // Nobody answers.
                None | Some(Some(b'N')) => {
                    self.replaces = Some(false);
                    return Ok(Answer::No);
                }
                Some(Some(b'r')) => {
                    env.stdout.write(b"new name: ")?;
                    env.stdout.flush()?;
                    if let Some(name) = env.stdin.line()?.filter(|name| !name.is_empty()) {
                        return Ok(Answer::Name(name.to_vec()));
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// What is done about a file that is there.
enum Answer {
    Yes,
    No,
    Name(Vec<u8>),
}
