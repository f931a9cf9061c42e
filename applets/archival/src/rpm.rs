//! `rpm`: query and unpack rpm packages, with BusyBox's scope: there is no database, and no script of a package runs.

use rbox_core::archive::Entry;
use rbox_core::archive::cpio::{Next, Reader};
use rbox_core::archive::guard::{Existing, Extractor, Guard, Manner, checked};
use rbox_core::archive::rpm::{Header, IS_CONFIG, IS_DOCUMENTATION, Package, tag};
use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, renameat};
use rbox_core::sys::{AsFd, Errno, fd, process};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::users::{Group, User};
use rbox_core::{push, text};

options! {
    "-i PACKAGE... | -q[p][ilcd] PACKAGE...

Unpack rpm packages, or print what they are and have. There is no database of
installed packages, and the scripts of packages are not run.

  -i  Unpack to /, configuration files that exist being renamed to NAME.rpmorig;
      with -q, print what describes the package
  -q  Print the name, the version and the release
  -p  With -q: ask package files, which is all that there is
  -l  With -q: print the names of the files
  -c  With -q: print the names of configuration files
  -d  With -q: print the names of documentation files";
    INFORM = "-i",
    QUERY = "-q",
    PACKAGE = "-p",
    LIST = "-l",
    CONFIG = "-c",
    DOCUMENTATION = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let queries = args.has(QUERY) || args.has(PACKAGE);
    if args.operands().is_empty() || !queries && !args.has(INFORM) {
        return Err(Error::usage());
    }
    env.for_each_operand(args.operands(), &mut |env, operand| {
        let package = Package::open(env.open(operand)?).map_err(|error| error.context(operand))?;
        let done = if queries { query(env, args, &package.header) } else { install(env, package) };
        done.map_err(|error| error.context(operand))
    })
}

fn query(env: &mut Env, args: &Args<'_>, header: &Header) -> Result<()> {
    if args.has(INFORM) {
        inform(env, header)?;
    }
    let mut wanted = if args.has(CONFIG) { IS_CONFIG } else { 0 };
    wanted |= if args.has(DOCUMENTATION) { IS_DOCUMENTATION } else { 0 };
    if wanted != 0 || args.has(LIST) {
        return header.for_each_file(&mut |index, name| {
            let flags = header.number(tag::FILE_FLAGS, index).unwrap_or(0);
            match args.has(LIST) || flags & wanted != 0 {
                true => env.stdout.write(&text!(name, "\n")),
                false => Ok(()),
            }
        });
    }
    if args.has(INFORM) {
        return Ok(());
    }
    let [name, version, release] =
        [tag::NAME, tag::VERSION, tag::RELEASE].map(|tag| header.string(tag).unwrap_or(b"(none)"));
    env.stdout.write(&text!(name, "-", version, "-", release, "\n"))
}

fn inform(env: &mut Env, header: &Header) -> Result<()> {
    let mut text = Vec::new();
    push_line(&mut text, header, "Name        ", tag::NAME);
    push_line(&mut text, header, "Version     ", tag::VERSION);
    push_line(&mut text, header, "Release     ", tag::RELEASE);
    push_line(&mut text, header, "Group       ", tag::GROUP);
    push!(text, "Size        : ", header.number(tag::SIZE, 0).unwrap_or(0), "\n");
    push_line(&mut text, header, "License     ", tag::LICENSE);
    push_line(&mut text, header, "Source RPM  ", tag::SOURCE);
    let built = Moment { seconds: header.number(tag::BUILD_TIME, 0).unwrap_or(0).into(), nanos: 0 };
    let built = time::format(b"%a %d %b %Y %T %Z", built, &Zone::load(env.vars.get("TZ")));
    push!(text, "Build Date  : ", &built, "\n");
    push_line(&mut text, header, "Build Host  ", tag::BUILD_HOST);
    push!(text, "Relocations : ", header.string(tag::PREFIXES).unwrap_or(b"(not relocatable)"), "\n");
    if header.string(tag::VENDOR).is_some() {
        push_line(&mut text, header, "Vendor      ", tag::VENDOR);
    }
    if header.string(tag::URL).is_some() {
        push_line(&mut text, header, "URL         ", tag::URL);
    }
    push_line(&mut text, header, "Summary     ", tag::SUMMARY);
    push!(text, "Description :\n", header.string(tag::DESCRIPTION).unwrap_or(b"(none)"), "\n");
    env.stdout.write(&text)
}

fn push_line(text: &mut Vec<u8>, header: &Header, title: &str, tag: u32) {
    push!(*text, title, ": ", header.string(tag).unwrap_or(b"(none)"), "\n");
}

/// Renames configuration files that are there, and makes the files of the package.
fn install(env: &mut Env, package: Package) -> Result<()> {
    let mut guard = Guard::new(b"/", false)?;
    let owners = prepare(&mut guard, &package.header)?;
    let is_root = process::geteuid().is_root();
    let manner = Manner {
        existing: Existing::Replace,
        owner: is_root,
        permissions: true,
        times: true,
        keep_directories: false,
        keep_directory_links: true,
        makes_parents: true,
        umask: process::current_umask(),
    };
    let mut installation =
        Installation { extractor: Extractor::new(guard, manner), owners, next: 0, waiting: Vec::new() };
    let result = installation.all(package);
    let mut status = ExitStatus::SUCCESS;
    for error in installation.extractor.finish() {
        status.worsen(env.warn(error));
    }
    result.and(if status == ExitStatus::SUCCESS { Ok(()) } else { Err(Error::silent(status)) })
}

/// The name of a file and those of its owner and group.
type Owned = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Renames the configuration files that are there, and returns whose the files are.
fn prepare(guard: &mut Guard, header: &Header) -> Result<Vec<Owned>> {
    let mut owners = Vec::new();
    let mut names = header.strings(tag::FILE_USERS).zip(header.strings(tag::FILE_GROUPS));
    header.for_each_file(&mut |index, name| {
        if header.number(tag::FILE_FLAGS, index).unwrap_or(0) & IS_CONFIG != 0 {
            keep_config(guard, name)?;
        }
        let (user, group) = names.next().unwrap_or_default();
        owners.push((checked(name)?.to_vec(), user.to_vec(), group.to_vec()));
        Ok(())
    })?;
    Ok(owners)
}

/// Renames a configuration file that is there.
fn keep_config(guard: &mut Guard, name: &[u8]) -> Result<()> {
    // Where its directory cannot be reached, making the file reports it.
    let Ok(spot) = guard.find(checked(name)?, false) else { return Ok(()) };
    let kept = [spot.name, b".rpmorig"].concat();
    match renameat(spot.at, spot.name, spot.at, &kept[..]) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::cannot("rename", name, errno)),
    }
}

/// The files of a package being made.
struct Installation {
    extractor: Extractor,
    /// Names of files and of their owners, in the order of the header, which is nearly that of the payload.
    owners: Vec<Owned>,
    next: usize,
    /// Names of files with several links whose data come later, by inode.
    waiting: Vec<(u32, Entry)>,
}

impl Installation {
    fn all(&mut self, package: Package) -> Result<()> {
        let mut reader = Reader::new(package.payload()?);
        while let Next::Entry(entry, links) = reader.advance()? {
            let mut entry = *entry;
            self.set_owner(&mut entry);
            if entry.kind() != FileType::RegularFile {
                self.extractor.make(&entry)?;
            } else if links.count > 1 && entry.size == 0 {
                self.waiting.push((links.inode, entry));
            } else {
                self.write(&mut reader, &entry)?;
                let (linked, waiting) =
                    core::mem::take(&mut self.waiting).into_iter().partition(|(inode, _)| *inode == links.inode);
                self.waiting = waiting;
                self.link(linked, &entry.name)?;
            }
        }
        // Files with several names and no data.
        while let Some((inode, entry)) = self.waiting.pop() {
            self.write(&mut reader, &entry)?;
            let (linked, waiting) =
                core::mem::take(&mut self.waiting).into_iter().partition(|(other, _)| *other == inode);
            self.waiting = waiting;
            self.link(linked, &entry.name)?;
        }
        Ok(())
    }

    fn link(&mut self, linked: Vec<(u32, Entry)>, target: &[u8]) -> Result<()> {
        for (_, entry) in linked {
            self.extractor.make(&Entry { is_hard_link: true, target: target.to_vec(), ..entry })?;
        }
        Ok(())
    }

    /// Gives an entry the owner that the header names.
    fn set_owner(&mut self, entry: &mut Entry) {
        let name = entry.name.strip_prefix(b"./").unwrap_or(&entry.name);
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let is_next = self.owners.get(self.next).is_some_and(|(known, ..)| known == name);
        let at = if is_next { Some(self.next) } else { self.owners.iter().position(|(known, ..)| known == name) };
        let Some((at, (_, user, group))) = at.and_then(|at| Some((at, self.owners.get(at)?))) else { return };
        self.next = at + 1;
        entry.uid = User::by_name(user).map_or(entry.uid, |user| user.uid);
        entry.gid = Group::by_name(group).map_or(entry.gid, |group| group.gid);
    }

    fn write(&mut self, reader: &mut Reader, entry: &Entry) -> Result<()> {
        let Some(made) = self.extractor.create(entry)? else { return Ok(()) };
        let mut output = Output::from_fd(fd::fcntl_dupfd_cloexec(made.file.as_fd(), 3)?);
        let mut written = Ok(());
        while let (Ok(()), Some(data)) = (&written, reader.data()?) {
            written = output.write(data);
            let count = data.len();
            reader.consume(count);
        }
        match written.and_then(|()| output.flush()) {
            Ok(()) => self.extractor.finish_file(&made, entry),
            Err(error) => {
                // The error that there is says more than one about the removal.
                let _ = self.extractor.abandon(&made, entry);
                Err(Error::on(&entry.name, error.errno().unwrap_or(Errno::IO)))
            }
        }
    }
}
