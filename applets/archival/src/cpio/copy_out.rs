//! `cpio -o` and `-p`: the files whose names are read from standard input.

use rbox_core::archive::Entry;
use rbox_core::archive::cpio::{Format, Links, Next, Reader, filling, push_header, push_trailer};
use rbox_core::archive::guard::Extractor;
use rbox_core::files::{FileIds, id, kind};
use rbox_core::io::{CHUNK, Input, Output, read};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, AtFlags, FileType, Mode, OFlags, SeekFrom, Stat};
use rbox_core::sys::{AsFd, OwnedFd, fd};
use rbox_core::time::Moment;

use crate::data::{put_contents, write_all};

use super::*;

rbox_core::callback! {
    /// What is done with a name.
    EachName = OneName<'b>((&'b mut Env, &'b [u8])) -> Result<()>
}

/// Calls `each` for every name that is read. A failure does not stop the others.
fn each_name(env: &mut Env, args: &Args<'_>, mut each: EachName<'_>) -> Outcome {
    let ends_with = if args.has(NULL) { 0 } else { b'\n' };
    let mut status = ExitStatus::SUCCESS;
    let mut names = env.take_stdin();
    while let Some(name) = names.record(ends_with)? {
        let name = name.strip_suffix(&[ends_with]).unwrap_or(name);
        if name.is_empty() {
            continue;
        }
        match each.call((env, name)) {
            Err(error) if error.is_output() => return Err(error),
            Err(error) => status.worsen(env.warn(error)),
            Ok(()) => {}
        }
    }
    Ok(status)
}

/// The attributes of a file, and what a link says.
fn entry_of(args: &Args<'_>, owner: (Option<u32>, Option<u32>), path: &[u8]) -> Result<(Entry, Stat)> {
    let flags = if args.has(DEREFERENCE) { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
    let stat = fs::statat(fs::CWD, path, flags).map_err(|errno| Error::on(path, errno))?;
    let kind = kind(&stat);
    let is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    let mut name = path;
    while let Some(rest) = name.strip_prefix(b"./") {
        name = &rest[rest.iter().take_while(|&&byte| byte == b'/').count()..];
    }
    let mut entry = Entry {
        name: if name.is_empty() { b"." } else { name }.to_vec(),
        mode: stat.st_mode,
        uid: owner.0.unwrap_or(stat.st_uid),
        gid: owner.1.unwrap_or(stat.st_gid),
        size: if kind == FileType::RegularFile { stat.st_size as u64 } else { 0 },
        modified: Moment { seconds: stat.st_mtime, nanos: 0 },
        device: if is_device { (fs::major(stat.st_rdev), fs::minor(stat.st_rdev)) } else { (0, 0) },
        ..Entry::default()
    };
    if kind == FileType::Symlink {
        entry.target = fs::readlink(path).map_err(|errno| Error::cannot("read", path, errno))?;
    }
    Ok((entry, stat))
}

fn open(path: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    fs::open(path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))
}

pub fn create(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut creation = Creation::of(env, args)?;
    change_directory(args)?;
    let mut status = each_name(env, args, EachName::new(&mut |(env, path)| creation.add(env, args, path)))?;
    status.worsen(creation.status);
    status.worsen(creation.finish(env, args)?);
    Ok(status)
}

/// A file of which not all links have been named: it is written when they have, with its data for the last of them.
struct Group {
    entries: Vec<(Vec<u8>, Entry)>,
    links: Links,
}

struct Creation {
    output: Output,
    format: Format,
    owner: (Option<u32>, Option<u32>),
    written: u64,
    /// Where the archive that is appended to ended.
    start: u64,
    groups: Vec<Group>,
    /// The positions of groups.
    by_id: FileIds<usize>,
    inodes: FileIds<u32>,
    next_inode: u32,
    buffer: Vec<u8>,
    status: ExitStatus,
}

impl Creation {
    fn of(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let mut format = format(args)?;
        let name = args.value(FILE).or(args.value(OUT_FILE));
        let mut start = 0;
        let output = match name {
            Some(name) if args.has(APPEND) => {
                let file = fs::open(name, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                    .map_err(|errno| Error::cannot("open", name, errno))?;
                let copy = fd::fcntl_dupfd_cloexec(&file, 3)?;
                (format, start) = end_of(Input::from_fd(copy, name))?;
                fs::seek(&file, SeekFrom::Start(start))?;
                fs::ftruncate(&file, start)?;
                Output::from_fd(file)
            }
            Some(name) => Output::create(name)?,
            None if args.has(APPEND) => return Err(Error::new("-A needs -F or -O")),
            None => core::mem::replace(&mut env.stdout, Output::standard(2)),
        };
        Ok(Self {
            output,
            format,
            owner: owner(args)?,
            written: start,
            start,
            groups: Vec::new(),
            by_id: FileIds::default(),
            inodes: FileIds::default(),
            next_inode: 0,
            buffer: Vec::new(),
            status: ExitStatus::SUCCESS,
        })
    }

    fn add(&mut self, env: &mut Env, args: &Args<'_>, path: &[u8]) -> Result<()> {
        let (entry, stat) = entry_of(args, self.owner, path)?;
        if entry.kind() == FileType::Socket {
            return Err(Error::parts(&[path, b": socket ignored"]).with_status(0));
        }
        report_file(env, args, path, false)?;
        let links = self.links(args, &stat);
        let has_groups = matches!(self.format, Format::Newc | Format::Crc);
        if !has_groups || entry.kind() != FileType::RegularFile || links.count < 2 {
            return self.put(env, path, entry, links, true);
        }
        let at = match self.by_id.get(id(&stat)) {
            Some(&at) => at,
            None => {
                self.by_id.insert(id(&stat), self.groups.len());
                self.groups.push(Group { entries: Vec::new(), links });
                self.groups.len() - 1
            }
        };
        self.groups[at].entries.push((path.to_vec(), entry));
        if self.groups[at].entries.len() < links.count as usize {
            return Ok(());
        }
        let entries = core::mem::take(&mut self.groups[at].entries);
        self.put_group(env, Group { entries, links })
    }

    fn put_group(&mut self, env: &mut Env, group: Group) -> Result<()> {
        let last = group.entries.len().saturating_sub(1);
        for (at, (path, entry)) in group.entries.into_iter().enumerate() {
            self.put(env, &path, entry, group.links, at == last)?;
        }
        Ok(())
    }

    /// The numbers by which entries are known as one file.
    fn links(&mut self, args: &Args<'_>, stat: &Stat) -> Links {
        let is_old = matches!(self.format, Format::Odc | Format::Bin);
        let renumbers = args.has(RENUMBER) || args.has(REPRODUCIBLE) || is_old;
        let ignores_device = args.has(IGNORE_DEVICE) || args.has(REPRODUCIBLE);
        let device = if ignores_device { (0, 0) } else { (fs::major(stat.st_dev), fs::minor(stat.st_dev)) };
        let mut inode = stat.st_ino as u32;
        if renumbers {
            // Fields of 16 or 18 bits could not tell large inode numbers apart.
            inode = self.inodes.get(id(stat)).copied().unwrap_or_else(|| {
                let inode = self.next_inode;
                self.next_inode += 1;
                self.inodes.insert(id(stat), inode);
                inode
            });
        }
        Links { device, inode, count: u32::try_from(fs::link_count(stat)).unwrap_or(u32::MAX), sum: 0 }
    }

    fn put(&mut self, env: &mut Env, path: &[u8], mut entry: Entry, mut links: Links, has_data: bool) -> Result<()> {
        let mut file = None;
        if entry.kind() == FileType::RegularFile {
            if has_data && entry.size > 0 {
                let opened = open(path)?;
                if self.format == Format::Crc {
                    links.sum = sum(&opened, path)?;
                }
                file = Some(opened);
            } else {
                entry.size = 0;
            }
        }
        let mut header = Vec::new();
        push_header(&mut header, &entry, &links, self.format)?;
        self.output.write(&header)?;
        self.written += header.len() as u64;
        if let Some(file) = file {
            let put = put_contents(env, &mut self.output, &file, path, entry.size, &mut self.buffer)?;
            self.status.worsen(put);
            let fill = filling(entry.size, self.format.align());
            self.output.write_repeated(0, fill as usize)?;
            self.written += entry.size + fill;
        }
        Ok(())
    }

    /// Writes files of which some links were not named, and the end.
    fn finish(mut self, env: &mut Env, args: &Args<'_>) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        for group in core::mem::take(&mut self.groups) {
            match self.put_group(env, group) {
                Err(error) if error.is_output() => return Err(error),
                Err(error) => status.worsen(env.warn(error)),
                Ok(()) => {}
            }
        }
        let mut trailer = Vec::new();
        push_trailer(&mut trailer, self.format)?;
        let end = (self.written + trailer.len() as u64).next_multiple_of(512);
        trailer.resize((end - self.written) as usize, 0);
        self.output.write(&trailer)?;
        self.output.flush()?;
        if self.output.is_inherited() || self.output.fd().is_none() {
            env.stdout = self.output;
        }
        report_blocks(env, args, end - self.start)?;
        Ok(status)
    }
}

/// The format of an archive, and where its trailer is.
fn end_of(input: Input) -> Result<(Format, u64)> {
    let mut reader = Reader::new(input);
    loop {
        match reader.advance()? {
            Next::Trailer => return Ok((reader.format(), reader.start())),
            Next::End => return Err(Error::new("premature end of archive")),
            Next::Entry(..) => {}
        }
    }
}

/// The sum of a file's bytes.
fn sum(file: &OwnedFd, path: &[u8]) -> Result<u32> {
    let mut buffer = vec![0; CHUNK];
    let mut sum = 0u32;
    loop {
        let count = read(file.as_fd(), &mut buffer).map_err(|errno| Error::cannot("read", path, errno))?;
        if count == 0 {
            break;
        }
        sum = buffer[..count].iter().fold(sum, |sum, &byte| sum.wrapping_add(byte.into()));
    }
    fs::seek(file, SeekFrom::Start(0)).map_err(|errno| Error::cannot("read", path, errno))?;
    Ok(sum)
}

pub fn pass(env: &mut Env, args: &Args<'_>) -> Outcome {
    let [directory] = args.operands() else { return Err(Error::usage()) };
    let mut extractor = extractor(args, directory)?;
    let owner = owner(args)?;
    let mut copied: FileIds<Vec<u8>> = FileIds::default();
    let mut bytes = 0;
    let mut copy = |(env, path): (&mut Env, &[u8])| {
        let (mut entry, stat) = entry_of(args, owner, path)?;
        let first = copied.get(id(&stat)).filter(|_| entry.kind() != FileType::Directory);
        if let Some(first) = first {
            (entry.is_hard_link, entry.target) = (true, first.clone());
        }
        bytes += entry.size;
        let is_linked = args.has(LINK) && !entry.is_hard_link && entry.kind() != FileType::Directory;
        let linked = if is_linked { extractor.link(path, &entry)? } else { None };
        let is_made = if let Some(is_made) = linked {
            is_made
        } else if entry.kind() == FileType::RegularFile && !entry.is_hard_link {
            copy_file(&mut extractor, path, &entry)?
        } else {
            extractor.make(&entry)?
        };
        if !is_made {
            let message = [path, b" not created: newer or same age file exists"].concat();
            return Err(Error::new(message).with_status(0));
        }
        if fs::link_count(&stat) > 1 {
            copied.insert(id(&stat), entry.name.clone());
        }
        report_file(env, args, &[&directory[..], b"/", &entry.name].concat(), false)
    };
    let mut status = each_name(env, args, EachName::new(&mut copy))?;
    for error in extractor.finish() {
        status.worsen(env.warn(error));
    }
    report_blocks(env, args, bytes)?;
    Ok(status)
}

/// Copies a file; false when the one that is there stays.
fn copy_file(extractor: &mut Extractor, path: &[u8], entry: &Entry) -> Result<bool> {
    let file = open(path)?;
    let Some(made) = extractor.create(entry)? else { return Ok(false) };
    let (_, is_all) = rbox_core::io::copy_range(file.as_fd(), made.file.as_fd(), u64::MAX);
    let copied = || -> Result<()> {
        let mut buffer = vec![0; CHUNK];
        loop {
            match read(file.as_fd(), &mut buffer)? {
                0 => return Ok(()),
                count => write_all(made.file.as_fd(), &buffer[..count])?,
            }
        }
    };
    if !is_all && let Err(error) = copied() {
        // The error that there is says more than one about the removal.
        let _ = extractor.abandon(&made, entry);
        return Err(error.context(path));
    }
    extractor.finish_file(&made, entry)?;
    Ok(true)
}
