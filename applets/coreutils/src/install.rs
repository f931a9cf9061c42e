//! `install`: copy files and set their modes and owners; make directories (GNU coreutils).
//!
//! A copy is written under another name, gets its owner and then its mode by its descriptor, and takes the place of the
//! old file at last: nobody sees half a file, and none with more rights than it ends with.

use core::cmp::Ordering;

use rbox_core::bytes::{base_name, join_path};
use rbox_core::call;
use rbox_core::copying::{Destination, Reflink, Sparse, copy_data, just_created};
use rbox_core::files::{FileIds, id, kind, list, with_umask};
use rbox_core::io::Input;
use rbox_core::mode;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Stat, Timestamps, Uid};
use rbox_core::sys::process::Change;
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::time::Timespec;
use rbox_core::sys::{AsFd, Errno, OwnedFd, process};
use rbox_core::text;
use rbox_core::text::Hex;
use rbox_core::users::{group_id, user_id};

options! {
    "[-DpsvbC] [-m MODE] [-o USER] [-g GROUP] [-T] SOURCE DEST | SOURCE... DIRECTORY | -t DIRECTORY SOURCE...
       install -d [-v] [-m MODE] [-o USER] [-g GROUP] DIRECTORY...

Copy each SOURCE, and set mode and owner of the copies; or create directories.

  -d, --directory                   Create each DIRECTORY with its parents
  -D                                Create the parents of DEST, or the DIRECTORY of -t
  -m, --mode=MODE                   Set MODE as chmod(1) would from 0 (755)
  -o, --owner=USER                  Set the owner
  -g, --group=GROUP                 Set the group
  -p, --preserve-timestamps         Keep the times of SOURCE
  -s, --strip                       Remove symbols with strip(1)
      --strip-program=PROGRAM       Use PROGRAM for -s
  -C, --compare                     Leave a DEST that has the contents, mode and owner already
  -b                                Same as --backup
      --backup[=CONTROL]            Keep an old DEST: none, numbered, existing (numbered if any is, the default), simple
  -S, --suffix=SUFFIX               Suffix of simple backups (~)
  -t, --target-directory=DIRECTORY  Copy into DIRECTORY
  -T, --no-target-directory         Treat DEST as a file
  -v, --verbose                     Print each file and each created directory
  -c                                Ignored; for compatibility";
    DIRECTORIES = "-d",
    PARENTS = "-D",
    MODE = "-m",
    OWNER = "-o",
    GROUP = "-g",
    TIMES = "-p",
    STRIP = "-s",
    STRIP_PROGRAM = "--strip-program",
    COMPARE = "-C",
    BACKUP = "-b",
    BACKUP_KIND = "--backup",
    SUFFIX = "-S",
    TARGET = "-t",
    PLAIN = "-T",
    VERBOSE = "-v",
    "-c" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Which backups are made of files that are replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backup {
    None,
    Simple,
    Numbered,
    Existing,
}

/// What every copy gets.
struct Installer<'a> {
    mode: u32,
    owner: Option<u32>,
    group: Option<u32>,
    times: bool,
    strip: Option<&'a [u8]>,
    compare: bool,
    backup: Backup,
    suffix: Vec<u8>,
    verbose: bool,
    /// What this run has made: no source of several replaces another one's copy.
    made: FileIds,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_directory = args.has(DIRECTORIES);
    let suffix = args.value(SUFFIX).or_else(|| env.vars.get("SIMPLE_BACKUP_SUFFIX")).filter(|word| !word.is_empty());
    let mut installer = Installer {
        mode: args.value(MODE).map_or(Ok(0o755), |word| mode::apply(word, 0, is_directory, 0))?,
        owner: args.value(OWNER).map(user_id).transpose()?,
        group: args.value(GROUP).map(group_id).transpose()?,
        times: args.has(TIMES),
        strip: if args.has(STRIP) { Some(args.value(STRIP_PROGRAM).unwrap_or(b"strip")) } else { None },
        compare: args.has(COMPARE),
        backup: backup(env, args)?,
        suffix: suffix.unwrap_or(b"~").to_vec(),
        verbose: args.has(VERBOSE),
        made: FileIds::default(),
    };
    if installer.compare && (installer.times || installer.strip.is_some()) {
        return Err(Error::misused("-C cannot be combined with -p or -s"));
    }
    if is_directory {
        if args.has(TARGET) || args.has(PLAIN) {
            return Err(Error::misused("-d cannot be combined with -t or -T"));
        }
        args.operands_between(1, usize::MAX)?;
        return env.for_each_operand(args.operands(), &mut |env, path| installer.make_directory(env, path));
    }
    if args.has(TARGET) && args.has(PLAIN) {
        return Err(Error::misused("-t cannot be combined with -T"));
    }
    let mut made = None;
    if let (Some(directory), true) = (args.value(TARGET), args.has(PARENTS)) {
        made = Some(make_directories(env, directory, installer.verbose)?);
    }
    let Destination { sources, dest, into } =
        Destination::of(args.value(TARGET), args.operands(), args.has(PLAIN), false)?;
    if !into && dest.ends_with(b"/") {
        return Err(Error::cannot("create", dest, Errno::NOTDIR));
    }
    if args.has(PARENTS) && !into {
        made = Some(make_directories(env, parent(dest), installer.verbose)?);
    }
    env.for_each_operand(sources, &mut |env, source| {
        let target = if into { join_path(dest, base_name(source)) } else { dest.to_vec() };
        installer.copy(env, [source, &target], made.as_ref())
    })
}

/// The kind of backups that the options ask for, or else the environment (GNU coreutils, "Backup options").
fn backup(env: &Env, args: &Args<'_>) -> Result<Backup> {
    if !args.has(BACKUP) && !args.has(BACKUP_KIND) && !args.has(SUFFIX) {
        return Ok(Backup::None);
    }
    Ok(match args.value(BACKUP_KIND).or_else(|| env.vars.get("VERSION_CONTROL")) {
        Some(b"none" | b"off") => Backup::None,
        Some(b"simple" | b"never") => Backup::Simple,
        Some(b"numbered" | b"t") => Backup::Numbered,
        None | Some(b"existing" | b"nil" | b"") => Backup::Existing,
        Some(word) => return Err(Error::parts(&[b"invalid argument '", word, b"' for --backup"])),
    })
}

/// The path of the directory that holds the file at `path`.
fn parent(path: &[u8]) -> &[u8] {
    let name = base_name(path).len();
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |at| at + 1);
    match &path[..end.saturating_sub(name)] {
        b"" if path.starts_with(b"/") => b"/",
        b"" => b".",
        parent => parent,
    }
}

/// Creates a directory and those above it that are missing, mode 0755, and opens it. What was created is entered only if
/// it still is a directory: a link that took its name leads nowhere.
fn make_directories(env: &mut Env, path: &[u8], verbose: bool) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let failed = |errno| Error::cannot("create directory", path, errno);
    let start: &[u8] = if path.starts_with(b"/") { b"/" } else { b"." };
    let mut directory = fs::open(start, flags, Mode::empty()).map_err(failed)?;
    let mut end = 0;
    for name in path.split(|&byte| byte == b'/') {
        end += name.len() + 1;
        if name.is_empty() {
            continue;
        }
        let made = with_umask(0, || fs::mkdirat(&directory, name, Mode::from_raw_mode(0o755)));
        let entry = match made {
            Ok(()) => {
                if verbose {
                    env.stdout.write(&text!("install: creating directory '", &path[..end - 1], "'\n"))?;
                }
                OFlags::NOFOLLOW
            }
            Err(Errno::EXIST) => OFlags::empty(),
            Err(errno) => match fs::openat(directory.as_fd(), name, flags, Mode::empty()) {
                // On a file system that is read only, for one.
                Ok(_) => OFlags::empty(),
                Err(_) => return Err(failed(errno)),
            },
        };
        directory = fs::openat(directory.as_fd(), name, flags | entry, Mode::empty()).map_err(failed)?;
    }
    Ok(directory)
}

impl Installer<'_> {
    fn make_directory(&self, env: &mut Env, path: &[u8]) -> Result<()> {
        let directory = make_directories(env, path, self.verbose)?;
        // What was opened by O_PATH has no calls of its own for this.
        let failed = |errno| Error::on(path, errno);
        let open =
            fs::openat(directory.as_fd(), ".", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
        self.set_owner_and_mode(&open, path)
    }

    /// The owner first: to change it takes away the bits that set user and group.
    fn set_owner_and_mode(&self, file: &OwnedFd, path: &[u8]) -> Result<()> {
        if self.owner.is_some() || self.group.is_some() {
            let (owner, group) = (self.owner.map(Uid::from_raw), self.group.map(Gid::from_raw));
            fs::fchown(file, owner, group).map_err(|errno| Error::cannot("change ownership of", path, errno))?;
        }
        fs::fchmod(file, Mode::from_raw_mode(self.mode))
            .map_err(|errno| Error::cannot("change permissions of", path, errno))
    }

    /// Copies a file. `made` is the directory that was made for it: its path may lead elsewhere by now.
    fn copy(&mut self, env: &mut Env, [source, path]: [&[u8]; 2], made: Option<&OwnedFd>) -> Result<()> {
        let from = fs::open(source, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::cannot("open", source, errno))?;
        let of_source = fs::fstat(&from).map_err(|errno| Error::cannot("stat", source, errno))?;
        if kind(&of_source) == FileType::Directory {
            return Err(Error::parts(&[b"omitting directory '", source, b"'"]));
        }
        let failed = |errno| Error::cannot("create", path, errno);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match made {
            Some(made) => fs::openat(made.as_fd(), ".", flags, Mode::empty()),
            None => fs::open(parent(path), flags, Mode::empty()),
        }
        .map_err(failed)?;
        let name = base_name(path);
        let old = fs::statat(directory.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW).ok();
        if let Some(old) = &old {
            self.check(source, path, &of_source, old)?;
            if self.compare && self.is_up_to_date(&directory, name, source, &of_source, old)? {
                return Ok(());
            }
        }
        let mut number = [0; 8];
        getrandom(&mut number, GetRandomFlags::empty()).map_err(failed)?;
        let temporary = text!(".install-", Hex(u64::from_ne_bytes(number)));
        let written = self.write(env, [source, path], (&from, &of_source), &directory, &temporary);
        let backup = written.and_then(|()| self.replace(&directory, [&temporary, name, path], old.is_some()));
        if backup.is_err() {
            // What failed is reported; the file may not be there.
            let _ = fs::unlinkat(directory.as_fd(), temporary.as_slice(), AtFlags::empty());
        }
        let backup = backup?;
        if let Ok(new) = fs::statat(directory.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
            self.made.insert(id(&new), ());
        }
        if self.verbose {
            let mut line = text!("'", source, "' -> '", path, "'");
            if let Some(backup) = backup {
                line.extend_from_slice(&text!(" (backup: '", parent_prefix(path), backup, "')"));
            }
            line.push(b'\n');
            env.stdout.write(&line)?;
        }
        Ok(())
    }

    /// Whether the old file may go.
    fn check(&self, source: &[u8], path: &[u8], new: &Stat, old: &Stat) -> Result<()> {
        if id(new) == id(old) {
            return Err(Error::parts(&[b"'", source, b"' and '", path, b"' are the same file"]));
        }
        if self.made.get(id(old)).is_some() {
            return Err(just_created(source, path));
        }
        match kind(old) {
            FileType::RegularFile | FileType::Symlink => Ok(()),
            FileType::Directory => Err(Error::parts(&[b"cannot overwrite directory '", path, b"' with non-directory"])),
            // Least of all /dev/null.
            _ => Err(Error::parts(&[b"cannot overwrite special file '", path, b"'"])),
        }
    }

    fn is_up_to_date(&self, directory: &OwnedFd, name: &[u8], source: &[u8], new: &Stat, old: &Stat) -> Result<bool> {
        let regular = |stat: &Stat| kind(stat) == FileType::RegularFile;
        if !regular(new)
            || !regular(old)
            || new.st_size != old.st_size
            || old.st_mode & 0o7777 != self.mode
            || old.st_uid != self.owner.unwrap_or(process::geteuid().as_raw())
            || old.st_gid != self.group.unwrap_or(process::getegid().as_raw())
        {
            return Ok(false);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(file) = fs::openat(directory.as_fd(), name, flags, Mode::empty()) else { return Ok(false) };
        let (mut one, mut two) = (Input::open(source)?, Input::from_fd(file, name));
        loop {
            let (a, b) = (one.fill()?, two.fill()?);
            let length = a.len().min(b.len());
            if a[..length].cmp(&b[..length]) != Ordering::Equal || length == 0 && a.len() != b.len() {
                return Ok(false);
            }
            if length == 0 {
                return Ok(true);
            }
            one.consume(length);
            two.consume(length);
        }
    }

    /// Writes the copy under its first name.
    fn write(
        &self,
        env: &mut Env,
        paths: [&[u8]; 2],
        (from, source): (&OwnedFd, &Stat),
        directory: &OwnedFd,
        temporary: &[u8],
    ) -> Result<()> {
        let failed = |errno| Error::cannot("create", paths[1], errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = fs::openat(directory.as_fd(), temporary, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
        copy_data(from, &file, paths, source, Sparse::Auto, Reflink::Auto)?;
        if let Some(program) = self.strip {
            strip(env, program, &join_path(parent(paths[1]), temporary))?;
            // It may have made a file of its own.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            file = fs::openat(directory.as_fd(), temporary, flags, Mode::empty()).map_err(failed)?;
        }
        self.set_owner_and_mode(&file, paths[1])?;
        if self.times {
            let times = Timestamps {
                last_access: Timespec { tv_sec: source.st_atime as _, tv_nsec: source.st_atime_nsec as _ },
                last_modification: Timespec { tv_sec: source.st_mtime as _, tv_nsec: source.st_mtime_nsec as _ },
            };
            fs::futimens(&file, &times).map_err(|errno| Error::cannot("set times of", paths[1], errno))?;
        }
        Ok(())
    }

    /// Gives the copy its name; the old file gets the name of a backup, which is returned.
    fn replace(
        &self,
        directory: &OwnedFd,
        [temporary, name, path]: [&[u8]; 3],
        is_old: bool,
    ) -> Result<Option<Vec<u8>>> {
        let failed = |errno| Error::cannot("create", path, errno);
        let backup = if is_old { self.backup_name(directory, name).map_err(failed)? } else { None };
        if let Some(backup) = &backup {
            fs::renameat(directory, name, directory, backup.as_slice())
                .map_err(|errno| Error::cannot("back up", path, errno))?;
        }
        fs::renameat(directory, temporary, directory, name).map_err(failed)?;
        Ok(backup)
    }

    fn backup_name(&self, directory: &OwnedFd, name: &[u8]) -> core::result::Result<Option<Vec<u8>>, Errno> {
        let simple = || Ok(Some([name, &self.suffix].concat()));
        match self.backup {
            Backup::None => return Ok(None),
            Backup::Simple => return simple(),
            Backup::Numbered | Backup::Existing => {}
        }
        // NAME.~N~ with the highest N that there is.
        let number = |entry: &'_ [u8]| {
            let rest = entry.strip_prefix(name)?.strip_prefix(b".~")?;
            parse_decimal(rest.strip_suffix(b"~")?)
        };
        let highest = list(directory.as_fd())?.iter().filter_map(|entry| number(&entry.name)).max();
        match (highest, self.backup) {
            (None, Backup::Existing) => simple(),
            (highest, _) => Ok(Some(text!(name, ".~", highest.unwrap_or(0).saturating_add(1), "~"))),
        }
    }
}

/// What a path has before its last name.
fn parent_prefix(path: &[u8]) -> &[u8] {
    &path[..path.len() - base_name(path).len()]
}

fn strip(env: &mut Env, program: &[u8], path: &[u8]) -> Result<()> {
    match call::run(env, &[program, path])? {
        Change::Exited(0) => Ok(()),
        _ => Err(Error::parts(&[program, b" failed"])),
    }
}
