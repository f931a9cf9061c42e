//! `tar x`: files made from the archive.

use rbox_core::archive::Entry;
use rbox_core::archive::guard::{Existing, Extractor, Guard, Manner};
use rbox_core::archive::tar::Reader;
use rbox_core::bytes::reserve;
use rbox_core::call;
use rbox_core::io::{CHUNK, copy_range};
use rbox_core::number::{Decimal, octal};
use rbox_core::prelude::*;
use rbox_core::signals::SIGPIPE;
use rbox_core::sys::fs::{self, FileType, SeekFrom};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::signal;
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, process};
use rbox_core::users::{Group, User};

use crate::data::{Put, write_all};

use super::list::{Lister, each_member};
use super::names::{stripped, without_slash};
use super::stream::{archive_name, stem};
use super::transform::{Of, Transform};
use super::*;

pub fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut extraction = Extraction::of(env, args)?;
    let mut directory = b".".to_vec();
    for next in args.values(DIRECTORY) {
        directory = joined(&directory, next);
        extraction.extractor(&directory)?;
    }
    let status = each_member(env, args, &mut |(env, reader, member, directory)| {
        extraction.extract(env, reader, member, directory)
    });
    let mut failed = Vec::new();
    for (_, extractor) in &mut extraction.extractors {
        failed.extend(extractor.finish());
    }
    let mut status = status?;
    for error in failed {
        fail(env, &mut status, error);
    }
    Ok(status)
}

/// What a run of `tar x` knows.
struct Extraction<'a> {
    manner: Manner,
    is_trusting: bool,
    numeric: bool,
    strip: u64,
    transform: Transform,
    lister: Lister,
    shows_changed: bool,
    to_stdout: bool,
    command: Option<&'a [u8]>,
    ignores_status: bool,
    /// The directory of `--one-top-level`.
    top: Option<&'a [u8]>,
    says_skipped: bool,
    xattrs: Xattrs,
    /// One for each directory of a `-C`.
    extractors: Vec<(Vec<u8>, Extractor)>,
    users: Ids,
    groups: Ids,
    /// It has been said that names lose their slash.
    has_warned: bool,
}

/// Numbers of owners by their names, each looked up once.
type Ids = Vec<(Vec<u8>, Option<u32>)>;

impl<'a> Extraction<'a> {
    fn of(env: &Env, args: &Args<'a>) -> Result<Self> {
        Ok(Self {
            manner: manner(args),
            is_trusting: args.has(ABSOLUTE),
            numeric: args.has(NUMERIC),
            strip: number(args, STRIP)?.unwrap_or(0),
            transform: Transform::of(env, args)?,
            lister: Lister::of(env, args, 2)?,
            shows_changed: args.has(SHOW_TRANSFORMED),
            to_stdout: args.has(TO_STDOUT),
            command: args.value(TO_COMMAND),
            ignores_status: args.last_of(&[IGNORE_COMMAND, HEED_COMMAND]) == Some(IGNORE_COMMAND),
            top: if args.has(TOP_LEVEL) { Some(top_level(args)?) } else { None },
            says_skipped: args.has(SKIP_OLD) && warns(args, "existing-file", false),
            xattrs: Xattrs::of(args, b"user.*"),
            extractors: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            has_warned: false,
        })
    }

    fn extract(&mut self, env: &mut Env, reader: &mut Reader, mut member: Entry, directory: &[u8]) -> Result<()> {
        let Some(name) = self.changed(&member.name, Of::File)? else { return Ok(()) };
        self.lister.at(reader.start());
        if self.shows_changed {
            self.lister.print(env, &member, &name)?;
        } else {
            self.lister.print(env, &member, &member.name)?;
        }
        let is_file = member.kind() == FileType::RegularFile && !member.is_hard_link;
        if self.to_stdout || self.command.is_some() {
            return match self.command {
                _ if !is_file => Ok(()),
                Some(command) => {
                    let status = pipe_to(env, reader, &member, &name, command)?;
                    if status == 0 || self.ignores_status {
                        Ok(())
                    } else {
                        Err(Error::new(rbox_core::text!("child returned status ", status)).context(&name))
                    }
                }
                None => to_stdout(env, reader, &member),
            };
        }
        if name.starts_with(b"/") && !self.is_trusting && !self.has_warned {
            self.has_warned = true;
            env.report(&Error::new("removing leading '/' from member names"));
        }
        member.name = name;
        if member.is_hard_link {
            member.target = self.changed(&member.target, Of::HardLink)?.unwrap_or_default();
        } else if member.kind() == FileType::Symlink {
            member.target = self.transform.apply(&member.target, Of::Symlink)?;
        }
        self.set_owner(&mut member);
        self.xattrs.keep_wanted(&mut member);
        let extractor = self.extractor(directory)?;
        if !is_file {
            let is_made = extractor.make(&member)?;
            return self.say_skipped(env, &member, is_made);
        }
        let Some(made) = extractor.create(&member)? else { return self.say_skipped(env, &member, false) };
        match write_data(reader, &member, &made.file) {
            Ok(()) => extractor.finish_file(&made, &member),
            // What there is of a file whose data end too early is kept.
            Err(error) if reader.is_cut() => Err(error),
            Err(error) => {
                // The error that there is says more than one about the removal.
                let _ = extractor.abandon(&made, &member);
                Err(error.context(&member.name))
            }
        }
    }

    /// A name without its first components, and as `--transform` says. `None` if nothing is left.
    fn changed(&self, name: &[u8], of: Of) -> Result<Option<Vec<u8>>> {
        let Some(name) = stripped(name, self.strip) else { return Ok(None) };
        let name = self.transform.apply(name, of)?;
        let name = Some(name).filter(|name| !name.is_empty() || self.transform.is_empty());
        Ok(match self.top {
            Some(top) => name.map(|name| below(top, name)),
            None => name,
        })
    }

    fn say_skipped(&self, env: &mut Env, member: &Entry, is_made: bool) -> Result<()> {
        if !is_made && self.says_skipped {
            env.report(&Error::parts(&[&member.name, b": skipping existing file"]));
        }
        Ok(())
    }

    fn extractor(&mut self, directory: &[u8]) -> Result<&mut Extractor> {
        let at = match self.extractors.iter().position(|(known, _)| known == directory) {
            Some(at) => at,
            None => {
                let guard = Guard::new(directory, self.is_trusting)?;
                self.extractors.push((directory.to_vec(), Extractor::new(guard, self.manner)));
                self.extractors.len() - 1
            }
        };
        Ok(&mut self.extractors[at].1)
    }

    /// The owner is the one of that name on this system, where there is one.
    fn set_owner(&mut self, member: &mut Entry) {
        if !self.manner.owner || self.numeric {
            return;
        }
        let user = id_of(&mut self.users, &member.user, |name| User::by_name(name).map(|user| user.uid));
        let group = id_of(&mut self.groups, &member.group, |name| Group::by_name(name).map(|group| group.gid));
        member.uid = user.unwrap_or(member.uid);
        member.gid = group.unwrap_or(member.gid);
    }
}

/// The directory of `--one-top-level`.
fn top_level<'a>(args: &Args<'a>) -> Result<&'a [u8]> {
    let missing = "cannot deduce the top-level directory; name it by --one-top-level=DIRECTORY";
    args.value(TOP_LEVEL).or_else(|| stem(archive_name(args))).ok_or_else(|| Error::new(missing))
}

/// A name below a directory; one that is below it already stays.
fn below(top: &[u8], name: Vec<u8>) -> Vec<u8> {
    let mut rest = &name[..];
    while let [b'/', after @ ..] | [b'.', b'/', after @ ..] = rest {
        rest = after;
    }
    match without_slash(rest) {
        b"" | b"." => top.to_vec(),
        _ if rest.strip_prefix(top).is_some_and(|after| after.is_empty() || after[0] == b'/') => rest.to_vec(),
        _ => rbox_core::bytes::join_path(top, rest),
    }
}

/// Names that are remembered: an archive may have any number of them.
const MOST_IDS: usize = 1000;

fn id_of(ids: &mut Ids, name: &[u8], look_up: fn(&[u8]) -> Option<u32>) -> Option<u32> {
    if name.is_empty() {
        return None;
    }
    if let Some((_, id)) = ids.iter().find(|(known, _)| known == name) {
        return *id;
    }
    let id = look_up(name);
    if ids.len() < MOST_IDS {
        ids.push((name.to_vec(), id));
    }
    id
}

fn manner(args: &Args<'_>) -> Manner {
    let is_root = process::geteuid().is_root();
    let existing = match args.last_of(&[KEEP_OLD, SKIP_OLD, KEEP_NEWER, OVERWRITE, UNLINK_FIRST]) {
        Some(KEEP_OLD) => Existing::Keep,
        Some(SKIP_OLD) => Existing::Skip,
        Some(KEEP_NEWER) => Existing::KeepNewer,
        Some(OVERWRITE) => Existing::Overwrite,
        Some(_) => Existing::Remove,
        None => Existing::Replace,
    };
    let owner = args.last_of(&[OLD, SAME_OWNER, NO_SAME_OWNER]).map_or(is_root, |option| option == SAME_OWNER);
    let permissions =
        args.last_of(&[SAME_PERMISSIONS, NO_PERMISSIONS]).map_or(is_root, |option| option == SAME_PERMISSIONS);
    Manner {
        existing,
        owner,
        permissions,
        times: !args.has(TOUCH),
        keep_directories: args.has(NO_OVERWRITE_DIR),
        keep_directory_links: args.has(KEEP_LINKS),
        makes_parents: true,
        umask: process::current_umask(),
    }
}

/// Writes a file's data from where the reader is.
fn write_data(reader: &mut Reader, member: &Entry, file: &OwnedFd) -> Result<()> {
    let Some(sparse) = &member.sparse else { return write_part(reader, file.as_fd(), member.size) };
    for &(offset, length) in &sparse.parts {
        fs::seek(file, SeekFrom::Start(offset))?;
        write_part(reader, file.as_fd(), length)?;
    }
    Ok(fs::ftruncate(file, sparse.size)?)
}

fn write_part(reader: &mut Reader, file: BorrowedFd<'_>, mut left: u64) -> Result<()> {
    let mut is_direct = left > 2 * CHUNK as u64;
    while left > 0 {
        if is_direct {
            // Between two files the kernel copies.
            let taken = reader.take_directly(left, |from, most| copy_range(from, file, most).0);
            left -= taken;
            is_direct = left > 2 * CHUNK as u64 && (taken > 0 || reader.has_buffered());
            if taken > 0 {
                continue;
            }
        }
        let Some(data) = reader.data()? else { break };
        let length = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        write_all(file, &data[..length])?;
        reader.consume(length);
        left -= length as u64;
    }
    Ok(())
}

/// Calls `put` with the contents of a file, holes too.
pub fn contents(reader: &mut Reader, member: &Entry, mut put: Put<'_>) -> Result<()> {
    let mut at = 0;
    let whole = [(0, member.size)];
    let (parts, size) = match &member.sparse {
        Some(sparse) => (&sparse.parts[..], sparse.size),
        None => (&whole[..], member.size),
    };
    let zeros = [0; 4096];
    for &(offset, length) in parts.iter().chain(&[(size, 0)]) {
        while at < offset {
            let count = zeros.len().min(usize::try_from(offset - at).unwrap_or(usize::MAX));
            put.call(&zeros[..count])?;
            at += count as u64;
        }
        let end = at + length;
        while at < end {
            let Some(data) = reader.data()? else { return Ok(()) };
            let length = data.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            put.call(&data[..length])?;
            reader.consume(length);
            at += length as u64;
        }
    }
    Ok(())
}

fn to_stdout(env: &mut Env, reader: &mut Reader, member: &Entry) -> Result<()> {
    contents(reader, member, Put::new(&mut |data| env.stdout.write(data)))
}

/// Runs a command with a file's contents as its standard input, and what is known about it in the environment (GNU tar's
/// manual, "Writing to an External Program").
fn pipe_to(env: &mut Env, reader: &mut Reader, member: &Entry, name: &[u8], command: &[u8]) -> Result<u8> {
    let (from, to) = pipe_with(PipeFlags::CLOEXEC)?;
    env.stdout.flush()?;
    let mut to = Some(to);
    let child = process::fork_run(|| {
        to = None;
        if fd::redirect(from.as_fd(), 0).is_err() {
            return 127;
        }
        let vars = [
            ("TAR_FILETYPE", b"f".to_vec()),
            ("TAR_MODE", [b"0", &octal(u64::from(member.mode & 0o7777))[..]].concat()),
            ("TAR_FILENAME", name.to_vec()),
            ("TAR_REALNAME", member.name.clone()),
            ("TAR_UNAME", member.user.clone()),
            ("TAR_GNAME", member.group.clone()),
            ("TAR_UID", decimal(member.uid.into())),
            ("TAR_GID", decimal(member.gid.into())),
            ("TAR_SIZE", decimal(member.length())),
            ("TAR_MTIME", rbox_core::text!(member.modified.seconds)),
        ];
        for (name, value) in &vars {
            env.vars.set(name, Some(value));
        }
        call::replace(env, &[b"sh", b"-c", command]).0
    })?;
    drop(from);
    // A command need not read all: then a write fails, and the rest is skipped.
    let before = signal::set(SIGPIPE, signal::Disposition::Ignore);
    let mut write = |data: &[u8]| match &to {
        Some(to) => write_all(to.as_fd(), data),
        None => Ok(()),
    };
    let written = contents(reader, member, Put::new(&mut write));
    drop(to);
    if let Ok(before) = before {
        let _ = signal::set(SIGPIPE, before);
    }
    let status = process::wait_for(child)?.status();
    match written {
        Err(error) if error.errno() != Some(Errno::PIPE) => return Err(error),
        _ => {}
    }
    Ok(status)
}

fn decimal(number: u64) -> Vec<u8> {
    Decimal::new(number).as_bytes().to_vec()
}

/// Which extended attributes are archived or restored.
pub struct Xattrs {
    is_on: bool,
    selinux: bool,
    include: Vec<Vec<u8>>,
    exclude: Vec<Vec<u8>>,
}

impl Xattrs {
    /// What the command line asks for; `usual` matches those that are meant where it names none.
    pub fn of(args: &Args<'_>, usual: &[u8]) -> Self {
        let given = args.last_of(&[XATTRS, NO_XATTRS, XATTRS_INCLUDE, XATTRS_EXCLUDE]);
        let mut include: Vec<Vec<u8>> = args.values(XATTRS_INCLUDE).map(<[u8]>::to_vec).collect();
        if include.is_empty() {
            include.push(usual.to_vec());
        }
        Self {
            is_on: given.is_some_and(|given| given != NO_XATTRS),
            selinux: args.last_of(&[SELINUX, NO_SELINUX]) == Some(SELINUX),
            include,
            exclude: args.values(XATTRS_EXCLUDE).map(<[u8]>::to_vec).collect(),
        }
    }

    /// Whether there is anything to ask files for.
    pub fn any(&self) -> bool {
        self.is_on || self.selinux
    }

    /// Whether that attribute is meant.
    pub fn wants(&self, name: &[u8]) -> bool {
        let among = |patterns: &[Vec<u8>]| {
            patterns
                .iter()
                .any(|pattern| rbox_core::pattern::glob::matches(pattern, name, rbox_core::pattern::glob::Flags::NONE))
        };
        match name {
            b"security.selinux" => self.selinux,
            _ => self.is_on && among(&self.include) && !among(&self.exclude),
        }
    }

    fn keep_wanted(&self, member: &mut Entry) {
        member.xattrs.retain(|(name, _)| self.wants(name));
    }

    /// Those of an open file, sorted by name.
    pub fn read(&self, file: &OwnedFd) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut names = Vec::new();
        let mut all = Vec::new();
        if !self.any() || reserve(&mut names, 65_536).is_err() {
            return all;
        }
        names.resize(65_536, 0);
        // A file system without attributes has none.
        let length = fs::flistxattr(file, &mut names[..]).unwrap_or(0);
        for name in names[..length].split(|&byte| byte == 0).filter(|name| self.wants(name)) {
            let mut value = vec![0; 65_536];
            if let Ok(length) = fs::fgetxattr(file, name, &mut value[..]) {
                value.truncate(length);
                all.push((name.to_vec(), value));
            }
        }
        all
    }
}
