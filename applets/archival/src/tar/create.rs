//! `tar c`: files written to an archive.

use rbox_core::archive::tar::{Format, PaxOptions, Writer, padding};
use rbox_core::archive::{Entry, Sparse};
use rbox_core::bytes::split_once;
use rbox_core::files::{self, FileId, FileIds, Follow, Order, Phase, Step, Visit, id, kind};
use rbox_core::mode;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, AtFlags, FileType, Mode, OFlags, SeekFrom, Stat};
use rbox_core::sys::{AsFd, Errno, OwnedFd, process};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::users::{NameCache, group_id, user_id};

use crate::data::put_contents;

use super::extract::Xattrs;
use super::list::Lister;
use super::names::{Excluded, Names, without_slash};
use super::progress::{Progress, record_size};
use super::stream::Sink;
use super::transform::{Of, Transform};
use super::*;

pub fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let names = Names::of(env, args)?;
    if !names.any {
        return Err(Error::new("will not create an empty archive"));
    }
    let sink = Sink::create(env, args)?;
    let mut creation = Creation::of(env, args, sink)?;
    creation.archive(env, args, names)?;
    creation.finish(env)
}

/// What a run of `tar c` knows.
pub struct Creation {
    /// The archive.
    pub sink: Sink,
    /// Bytes of the archive so far.
    pub written: u64,
    /// Members that are there, sorted by name, the last of a name last: a file that is not newer is left out.
    pub known: Vec<(Vec<u8>, Moment)>,
    pub status: ExitStatus,
    writer: Writer,
    header: Vec<u8>,
    data: Vec<u8>,
    excluded: Excluded,
    transform: Transform,
    lister: Lister,
    progress: Progress,
    record: u64,
    manner: Manner,
    /// The names under which files with several links are in the archive.
    links: FileIds<Vec<u8>>,
    names: [NameCache; 2],
    archive: Option<FileId>,
    xattrs: Xattrs,
    has_warned: bool,
    /// Directories of which only the tag is archived, and its name.
    tagged: Vec<(Vec<u8>, Vec<u8>)>,
    warnings: Warnings,
}

/// Which warnings are printed.
struct Warnings {
    changed: bool,
    ignored: bool,
    archive: bool,
    failed: bool,
}

impl Warnings {
    fn of(args: &Args<'_>) -> Self {
        Self {
            changed: warns(args, "file-changed", true),
            ignored: warns(args, "file-ignored", true),
            archive: warns(args, "ignore-archive", true),
            failed: warns(args, "failed-read", true),
        }
    }
}

/// What is left out of directories that have a file of that name.
struct Tag {
    name: Vec<u8>,
    is_cache: bool,
    leaves: Leaves,
}

#[derive(Clone, Copy)]
enum Leaves {
    Tag,
    Directory,
    Nothing,
}

/// Those of `--exclude-tag` and `--exclude-caches`.
fn tags(args: &Args<'_>) -> Vec<Tag> {
    let cache = Some(&b"CACHEDIR.TAG"[..]);
    let tag = |&(option, value): &(Opt, Option<&[u8]>)| {
        let (is_cache, name, leaves) = match option {
            EXCLUDE_TAG => (false, value, Leaves::Tag),
            EXCLUDE_TAG_UNDER => (false, value, Leaves::Directory),
            EXCLUDE_TAG_ALL => (false, value, Leaves::Nothing),
            EXCLUDE_CACHES => (true, cache, Leaves::Tag),
            EXCLUDE_CACHES_UNDER => (true, cache, Leaves::Directory),
            EXCLUDE_CACHES_ALL => (true, cache, Leaves::Nothing),
            _ => return None,
        };
        Some(Tag { name: name?.to_vec(), is_cache, leaves })
    };
    args.found().iter().filter_map(tag).collect()
}

/// How each CACHEDIR.TAG begins (bford.info/cachedir).
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

impl Tag {
    /// Whether a directory has the tag.
    fn is_in(&self, visit: &Visit<'_>) -> bool {
        let path = [visit.name, b"/", &self.name].concat();
        if !self.is_cache {
            return fs::statat(visit.at, &path, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut start = [0; CACHE_SIGNATURE.len()];
        fs::openat(visit.at, &path, flags, Mode::empty())
            .and_then(|file| rbox_core::io::read(file.as_fd(), &mut start))
            .is_ok_and(|length| &start[..length] == CACHE_SIGNATURE)
    }
}

/// What is changed about files and which are taken.
struct Manner {
    owner: Option<(Vec<u8>, u32)>,
    group: Option<(Vec<u8>, u32)>,
    mode: Option<Vec<u8>>,
    modified: Option<Moment>,
    clamps: bool,
    newer: Option<(Moment, bool)>,
    absolute: bool,
    follow: Follow,
    hard_dereference: bool,
    sparse: bool,
    recursive: bool,
    one_system: bool,
    removes: bool,
    ignores_read: bool,
    tags: Vec<Tag>,
    order: Order,
}

impl Manner {
    fn of(env: &Env, args: &Args<'_>) -> Result<Self> {
        let order = match args.value(SORT) {
            None | Some(b"none") => Order::Found,
            Some(b"name") => Order::Name,
            Some(b"inode") => Order::Inode,
            Some(word) => return Err(Error::parts(&[b"invalid argument '", word, b"' for --sort"])),
        };
        let date = |option| args.value(option).map(|word| moment(env, word)).transpose();
        let newer = match date(NEWER)? {
            Some(moment) => Some((moment, true)),
            None => date(NEWER_MTIME)?.map(|moment| (moment, false)),
        };
        if let Some(word) = args.value(MODE) {
            mode::apply(word, 0, false, 0)?;
        }
        Ok(Self {
            owner: args.value(OWNER).map(|word| named(word, user_id)).transpose()?,
            group: args.value(GROUP).map(|word| named(word, group_id)).transpose()?,
            mode: args.value(MODE).map(<[u8]>::to_vec),
            modified: date(MTIME)?,
            clamps: args.has(CLAMP),
            newer,
            absolute: args.has(ABSOLUTE),
            follow: if args.has(DEREFERENCE) { Follow::Always } else { Follow::Never },
            hard_dereference: args.has(HARD_DEREFERENCE),
            sparse: args.has(SPARSE),
            recursive: args.last_of(&[RECURSION, NO_RECURSION]) != Some(NO_RECURSION),
            one_system: args.has(ONE_SYSTEM),
            removes: args.has(REMOVE_FILES),
            ignores_read: args.has(IGNORE_READ),
            tags: tags(args),
            order,
        })
    }
}

/// `NAME`, `NAME:ID` or an ID. The name is empty for an ID alone: it is looked up.
fn named(word: &[u8], look_up: fn(&[u8]) -> Result<u32>) -> Result<(Vec<u8>, u32)> {
    if let Some((name, id)) = split_once(word, b':') {
        let number = parse_decimal(id).and_then(|id| u32::try_from(id).ok());
        return number.map(|number| (name.to_vec(), number)).ok_or_else(|| rbox_core::number::invalid(id));
    }
    let id = look_up(word)?;
    Ok(if parse_decimal(word).is_some() { (Vec::new(), id) } else { (word.to_vec(), id) })
}

/// A date, or a file whose time is meant.
fn moment(env: &Env, word: &[u8]) -> Result<Moment> {
    if word.starts_with(b"/") || word.starts_with(b".") {
        let stat = fs::stat(word).map_err(|errno| Error::on(word, errno))?;
        return Ok(modified(&stat));
    }
    let zone = Zone::load(env.vars.get("TZ"));
    let moment = time::parse(word, Moment::now(), &zone);
    moment.ok_or_else(|| Error::parts(&[b"invalid date '", word, b"'"]))
}

fn modified(stat: &Stat) -> Moment {
    Moment { seconds: stat.st_mtime, nanos: stat.st_mtime_nsec as u32 }
}

fn changed(stat: &Stat) -> Moment {
    Moment { seconds: stat.st_ctime, nanos: stat.st_ctime_nsec as u32 }
}

fn format(args: &Args<'_>) -> Result<Format> {
    let needs_pax = [PAX_OPTION, XATTRS, XATTRS_INCLUDE, SELINUX].iter().any(|option| args.has(*option));
    Ok(match args.last_of(&[FORMAT, POSIX, PORTABLE, OLD]) {
        None if needs_pax => Format::Pax,
        None => Format::Gnu,
        Some(POSIX) => Format::Pax,
        Some(FORMAT) => match args.value(FORMAT) {
            Some(b"gnu") => Format::Gnu,
            Some(b"oldgnu") => Format::OldGnu,
            Some(b"pax" | b"posix") => Format::Pax,
            Some(b"ustar") => Format::Ustar,
            Some(b"v7") => Format::V7,
            word => return Err(Error::parts(&[b"invalid archive format '", word.unwrap_or_default(), b"'"])),
        },
        Some(_) => Format::V7,
    })
}

fn pax_options(args: &Args<'_>, format: Format) -> Result<PaxOptions> {
    let mut options = PaxOptions { pid: process::getpid().as_raw_nonzero().get() as u32, ..PaxOptions::default() };
    for word in args.values(PAX_OPTION).flat_map(|list| list.split(|&byte| byte == b',')) {
        match split_once(word, b'=') {
            Some((b"delete", pattern)) => options.deleted.push(pattern.to_vec()),
            Some((b"exthdr.name", name)) => options.header_name = Some(name.to_vec()),
            _ => return Err(Error::parts(&[b"unknown pax option '", word, b"'"])),
        }
    }
    if args.has(PAX_OPTION) && format != Format::Pax {
        return Err(Error::new("--pax-option needs --format=pax"));
    }
    Ok(options)
}

impl Creation {
    /// What the command line asks for, for an archive that is written to `sink`.
    pub fn of(env: &mut Env, args: &Args<'_>, sink: Sink) -> Result<Self> {
        let format = format(args)?;
        Ok(Self {
            archive: sink.file,
            sink,
            written: 0,
            known: Vec::new(),
            status: ExitStatus::SUCCESS,
            writer: Writer { format, pax: pax_options(args, format)?, numeric_owner: args.has(NUMERIC) },
            header: Vec::new(),
            data: Vec::new(),
            excluded: Excluded::of(env, args)?,
            transform: Transform::of(env, args)?,
            lister: Lister::of(env, args, 2)?,
            tagged: Vec::new(),
            warnings: Warnings::of(args),
            progress: Progress::of(args)?,
            record: record_size(args)?,
            manner: Manner::of(env, args)?,
            links: FileIds::default(),
            names: [NameCache::default(), NameCache::default()],
            xattrs: Xattrs::of(args, b"*"),
            has_warned: false,
        })
    }

    /// Writes all files that are named.
    pub fn archive(&mut self, env: &mut Env, _args: &Args<'_>, names: Names) -> Result<()> {
        let start = files::current_directory().unwrap_or_default();
        let mut current = b".".to_vec();
        for name in names.names {
            if name.directory != current {
                process::chdir(joined(&start, &name.directory))
                    .map_err(|errno| Error::cannot("change directory to", &name.directory, errno))?;
                current = name.directory;
            }
            self.walk(env, &name.name)?;
        }
        if current != b"." {
            process::chdir(&start).map_err(|errno| Error::cannot("change directory to", &start, errno))?;
        }
        Ok(())
    }

    fn walk(&mut self, env: &mut Env, operand: &[u8]) -> Result<()> {
        let (follow, order) = (self.manner.follow, self.manner.order);
        let mut device = None;
        let failed = files::walk_in_order(operand, follow, order, &mut |visit: &Visit<'_>| {
            let is_other = *device.get_or_insert(visit.stat.st_dev) != visit.stat.st_dev;
            self.visit(env, visit, is_other && self.manner.one_system)
        })?;
        for error in failed {
            let is_ignored = self.manner.ignores_read;
            if !is_ignored || self.warnings.failed {
                env.report(&error);
            }
            if !is_ignored {
                self.status.worsen(ExitStatus(2));
            }
        }
        Ok(())
    }

    fn visit(&mut self, env: &mut Env, visit: &Visit<'_>, is_other: bool) -> Result<Step> {
        let Visit { stat, path, phase, .. } = *visit;
        if phase == Phase::After {
            if self.tagged.last().is_some_and(|(directory, _)| directory == path) {
                self.tagged.pop();
            }
            self.remove(env, visit);
            return Ok(Step::On);
        }
        if self.excluded.has(path) || is_other && phase == Phase::File {
            return Ok(Step::Skip);
        }
        if self.tagged.last().is_some_and(|(directory, tag)| is_beside(directory, tag, path)) {
            return Ok(Step::Skip);
        }
        let leaves = match phase {
            Phase::Before => self.manner.tags.iter().find(|tag| tag.is_in(visit)).map(|tag| (tag.leaves, &tag.name)),
            _ => None,
        };
        let is_alone = match leaves {
            Some((Leaves::Nothing, _)) => return Ok(Step::Skip),
            Some((Leaves::Tag, name)) => {
                self.tagged.push((path.to_vec(), name.clone()));
                false
            }
            Some((Leaves::Directory, _)) => true,
            None => false,
        };
        if Some(id(stat)) == self.archive {
            if self.warnings.archive {
                env.report(&Error::parts(&[path, b": file is the archive; not dumped"]));
            }
            return Ok(Step::Skip);
        }
        if kind(stat) == FileType::Socket {
            if self.warnings.ignored {
                env.report(&Error::parts(&[path, b": socket ignored"]));
            }
            return Ok(Step::Skip);
        }
        if self.is_old(stat) && phase == Phase::File {
            return Ok(Step::Skip);
        }
        let safe = self.safe_name(env, path);
        let name = self.stored_name(safe, phase == Phase::Before)?;
        if name.is_empty() || self.is_known(&name, stat) {
            return Ok(Step::On);
        }
        let entry = self.entry(name, stat);
        self.put(env, visit, safe, entry)?;
        let written = self.written;
        self.progress.at(env, written)?;
        if phase == Phase::File {
            self.remove(env, visit);
        }
        Ok(if is_other || is_alone || !self.manner.recursive { Step::Skip } else { Step::On })
    }

    fn is_old(&self, stat: &Stat) -> bool {
        let Some((since, by_status)) = self.manner.newer else { return false };
        modified(stat) < since && (!by_status || changed(stat) < since)
    }

    fn is_known(&self, name: &[u8], stat: &Stat) -> bool {
        let name = without_slash(name);
        let end = self.known.partition_point(|(known, _)| known.as_slice() <= name);
        let known = end.checked_sub(1).map(|at| &self.known[at]).filter(|(known, _)| known == name);
        // Archives of most formats have whole seconds.
        known.is_some_and(|(_, time)| stat.st_mtime <= time.seconds)
    }

    /// The name in the archive: without what leads out of where it is extracted.
    fn safe_name<'p>(&mut self, env: &mut Env, path: &'p [u8]) -> &'p [u8] {
        let start = if self.manner.absolute { 0 } else { leading(path) };
        if start > 0 && !self.has_warned {
            self.has_warned = true;
            let lead = if path.starts_with(b"/") { &path[..1] } else { &path[..start] };
            env.report(&Error::parts(&[b"removing leading '", lead, b"' from member names"]));
        }
        match without_slash(&path[start..]) {
            b"" => b".",
            name => name,
        }
    }

    /// The same as `--transform` says; that of a directory ends with a slash.
    fn stored_name(&self, name: &[u8], is_directory: bool) -> Result<Vec<u8>> {
        let mut name = self.transform.apply(name, Of::File)?;
        if is_directory && !name.is_empty() && !name.ends_with(b"/") {
            name.push(b'/');
        }
        Ok(name)
    }

    /// What the archive says about a file.
    fn entry(&mut self, name: Vec<u8>, stat: &Stat) -> Entry {
        let manner = &self.manner;
        let is_directory = kind(stat) == FileType::Directory;
        let mut mode = stat.st_mode;
        if let Some(word) = &manner.mode {
            // It was read before.
            let applied = mode::apply(word, mode & 0o7777, is_directory, process::current_umask());
            mode = mode & !0o7777 | applied.unwrap_or(mode & 0o7777);
        }
        let mut owner = |given: &Option<(Vec<u8>, u32)>, id: u32, at: usize| {
            let (name, id) = given.clone().unwrap_or((Vec::new(), id));
            if !name.is_empty() {
                return (name, id);
            }
            let cache = &mut self.names[at];
            let name = if at == 0 { cache.user(id) } else { cache.group(id) };
            // An ID without a name has digits for one.
            (if parse_decimal(name).is_some() { Vec::new() } else { name.to_vec() }, id)
        };
        let (user, uid) = owner(&manner.owner, stat.st_uid, 0);
        let (group, gid) = owner(&manner.group, stat.st_gid, 1);
        let time = match manner.modified {
            Some(given) if !manner.clamps || modified(stat) > given => given,
            _ => modified(stat),
        };
        let is_pax = self.writer.format == Format::Pax;
        let accessed = Moment { seconds: stat.st_atime, nanos: stat.st_atime_nsec as u32 };
        let is_device = matches!(kind(stat), FileType::CharacterDevice | FileType::BlockDevice);
        Entry {
            name,
            mode,
            uid,
            gid,
            user,
            group,
            size: if kind(stat) == FileType::RegularFile { stat.st_size as u64 } else { 0 },
            modified: time,
            accessed: is_pax.then_some(accessed),
            changed: is_pax.then(|| changed(stat)),
            device: if is_device { (fs::major(stat.st_rdev), fs::minor(stat.st_rdev)) } else { (0, 0) },
            ..Entry::default()
        }
    }

    fn put(&mut self, env: &mut Env, visit: &Visit<'_>, safe: &[u8], mut entry: Entry) -> Result<()> {
        let Visit { at, name, path, stat, .. } = *visit;
        let kind = kind(stat);
        let has_links = kind != FileType::Directory && fs::link_count(stat) > 1 && !self.manner.hard_dereference;
        if has_links && let Some(first) = self.links.get(id(stat)) {
            entry.target = self.transform.apply(first, Of::HardLink)?;
            (entry.is_hard_link, entry.size) = (true, 0);
            return self.put_header(env, &entry, path);
        }
        if has_links {
            self.links.insert(id(stat), safe.to_vec());
        }
        match kind {
            FileType::RegularFile => return self.put_file(env, visit, entry),
            FileType::Symlink => {
                let target =
                    fs::readlinkat(at, name, Vec::new()).map_err(|errno| Error::cannot("read", path, errno))?;
                entry.target = self.transform.apply(target.as_bytes(), Of::Symlink)?;
            }
            FileType::Directory if self.xattrs.any() => {
                if let Ok(directory) = files::open_directory(at, name, self.manner.follow == Follow::Always) {
                    entry.xattrs = self.xattrs.read(&directory);
                }
            }
            _ => {}
        }
        self.put_header(env, &entry, path)
    }

    fn put_header(&mut self, env: &mut Env, entry: &Entry, path: &[u8]) -> Result<()> {
        self.header.clear();
        self.writer.push_header(&mut self.header, entry).map_err(|error| error.context(path))?;
        self.lister.at(self.written);
        self.lister.print(env, entry, &entry.name)?;
        self.sink.output.write(&self.header)?;
        self.written += self.header.len() as u64;
        Ok(())
    }

    fn put_file(&mut self, env: &mut Env, visit: &Visit<'_>, mut entry: Entry) -> Result<()> {
        let Visit { at, name, path, stat, .. } = *visit;
        let no_follow = if self.manner.follow == Follow::Always { OFlags::empty() } else { OFlags::NOFOLLOW };
        // A pipe may have been put in its place.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | no_follow;
        let file = fs::openat(at, name, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))?;
        if self.manner.sparse && (stat.st_blocks as u64) < entry.size.div_ceil(512) {
            entry.sparse = holes(&file, entry.size);
        }
        entry.xattrs = self.xattrs.read(&file);
        let size = entry.size;
        let parts = match &entry.sparse {
            Some(sparse) => sparse.parts.clone(),
            None => vec![(0, size)],
        };
        entry.size = parts.iter().map(|(_, length)| length).sum();
        self.put_header(env, &entry, path)?;
        for &(offset, length) in &parts {
            if entry.sparse.is_some() {
                fs::seek(&file, SeekFrom::Start(offset)).map_err(|errno| Error::cannot("read", path, errno))?;
            }
            let put = put_contents(env, &mut self.sink.output, &file, path, length, &mut self.data)?;
            self.status.worsen(put);
        }
        let fill = padding(entry.size);
        self.sink.output.write_repeated(0, fill)?;
        self.written += entry.size + fill as u64;
        let now = fs::fstat(&file).map_err(|errno| Error::cannot("stat", path, errno))?;
        let is_changed = id(&now) != id(stat) || changed(&now) != changed(stat) || now.st_size != stat.st_size;
        if is_changed && self.warnings.changed {
            env.report(&Error::parts(&[path, b": file changed as we read it"]));
            self.status.worsen(ExitStatus::FAILURE);
        }
        Ok(())
    }

    /// Removes a file that has been archived, if that is asked for.
    fn remove(&mut self, env: &mut Env, visit: &Visit<'_>) {
        if !self.manner.removes {
            return;
        }
        let is_directory = kind(visit.stat) == FileType::Directory;
        let flags = if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match fs::unlinkat(visit.at, visit.name, flags) {
            Ok(()) => {}
            // What was left out is still in it.
            Err(Errno::NOTEMPTY | Errno::INVAL) if is_directory => {}
            Err(errno) => fail(env, &mut self.status, Error::cannot("remove", visit.path, errno)),
        }
    }

    /// Writes the end of the archive.
    pub fn finish(mut self, env: &mut Env) -> Outcome {
        let end = (self.written + 1024).next_multiple_of(self.record);
        self.sink.output.write_repeated(0, (end - self.written) as usize)?;
        self.progress.end(env, end)?;
        let mut status = self.status;
        if let Err(error) = self.sink.close(env) {
            fail(env, &mut status, error);
        }
        Ok(status)
    }
}

/// Whether a path is in a directory, and is not its tag.
fn is_beside(directory: &[u8], tag: &[u8], path: &[u8]) -> bool {
    let rest = path.strip_prefix(directory).map(|rest| rest.strip_prefix(b"/").unwrap_or(rest));
    rest.is_some_and(|rest| rest != tag)
}

/// How much of a path leads out of the directory that it is extracted into: slashes, and all up to the last `..`.
fn leading(path: &[u8]) -> usize {
    let mut start = 0;
    let mut at = 0;
    for part in path.split(|&byte| byte == b'/') {
        at += part.len() + 1;
        if part == b".." {
            start = at.min(path.len());
        }
    }
    start + path[start..].iter().take_while(|&&byte| byte == b'/').count()
}

/// The parts of a file that have data (lseek(2), SEEK_DATA), and an empty one at its end.
/// `None` where the file system does not know.
fn holes(file: &OwnedFd, size: u64) -> Option<Sparse> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < size {
        let start = match fs::seek(file, SeekFrom::Data(at)) {
            Ok(start) if start < size => start,
            Ok(_) | Err(Errno::NXIO) => break,
            Err(_) => return None,
        };
        let end = fs::seek(file, SeekFrom::Hole(start)).ok()?.min(size);
        if end <= start {
            break;
        }
        parts.push((start, end - start));
        at = end;
    }
    // As GNU tar, which looks for data after the last of them, too.
    parts.push((size, 0));
    fs::seek(file, SeekFrom::Start(0)).ok()?;
    Some(Sparse { parts, size })
}

#[cfg(test)]
mod tests {
    use super::leading;

    #[test]
    fn what_leads_out_of_the_directory_is_cut_off() {
        let cut = |path: &'static str| &path[leading(path.as_bytes())..];
        assert_eq!(
            ["/a", "//a/b", "../a", "a/../b", "../..", "a..b", "./a"].map(cut),
            ["a", "a/b", "a", "b", "", "a..b", "./a"]
        );
    }
}
