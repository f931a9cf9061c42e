//! One file of a tree: what is known and printed of it.

use rbox_core::files::{kind, stat};
use rbox_core::mode;
use rbox_core::number::{human, octal};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::BorrowedFd;
use rbox_core::sys::fs::{FileType, Stat, readlinkat};
use rbox_core::text::{Left, Right};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::users::NameCache;

use super::{
    BY_TIME, DATE, DEVICE, DIRECTORIES_FIRST, GROUP, HUMAN, INODES, MODE, OWNER, QUESTION, RAW, REVERSE, SIZE, UNSORTED,
};

pub struct Entry {
    pub name: Vec<u8>,
    stat: Option<Stat>,
    /// Where a symbolic link leads to, and the type of that if it is there.
    pub target: Option<(Vec<u8>, Option<FileType>)>,
}

impl Entry {
    pub fn of_operand(name: &[u8], stat: Option<Stat>) -> Entry {
        Entry { name: name.to_vec(), stat, target: None }
    }

    /// The entry of an open directory, unless it has gone.
    pub fn look_at(directory: BorrowedFd<'_>, name: Vec<u8>) -> Option<Entry> {
        let own = stat(directory, &name, false).ok()?;
        let target = (kind(&own) == FileType::Symlink).then(|| {
            let target = readlinkat(directory, &name[..], Vec::new()).map(|target| target.into_bytes());
            (target.unwrap_or_default(), stat(directory, &name, true).ok().map(|stat| kind(&stat)))
        });
        Some(Entry { name, stat: Some(own), target })
    }

    pub fn kind(&self) -> Option<FileType> {
        self.stat.as_ref().map(kind)
    }

    /// Whether it counts as a directory: a link to one does too.
    pub fn is_directory(&self) -> bool {
        self.kind() == Some(FileType::Directory) || self.leads_to_directory()
    }

    fn leads_to_directory(&self) -> bool {
        self.target.as_ref().is_some_and(|(_, kind)| *kind == Some(FileType::Directory))
    }

    /// Whether what is below it is listed.
    pub fn is_entered(&self, follow: bool) -> bool {
        self.kind() == Some(FileType::Directory) || follow && self.leads_to_directory()
    }

    pub fn is_program(&self) -> bool {
        self.stat.as_ref().is_some_and(|stat| stat.st_mode & 0o111 != 0)
    }

    pub fn device(&self) -> u64 {
        self.stat.as_ref().map_or(0, |stat| stat.st_dev)
    }
}

/// Sorts the entries of a directory as the options ask for.
pub fn sort(entries: &mut [Entry], args: &Args<'_>) {
    let time = |entry: &Entry| entry.stat.as_ref().map(|stat| (stat.st_mtime, stat.st_mtime_nsec as i64));
    if !args.has(UNSORTED) {
        entries.sort_by(|a, b| {
            let by_time = if args.has(BY_TIME) { time(a).cmp(&time(b)) } else { core::cmp::Ordering::Equal };
            let order = by_time.then_with(|| a.name.cmp(&b.name));
            if args.has(REVERSE) { order.reverse() } else { order }
        });
    }
    if args.has(DIRECTORIES_FIRST) {
        entries.sort_by_key(|entry| !entry.is_directory());
    }
}

/// Adds a name for a terminal.
pub fn push_name(out: &mut Vec<u8>, name: &[u8], args: &Args<'_>) {
    if args.has(RAW) {
        return out.extend_from_slice(name);
    }
    let push_odd = |out: &mut Vec<u8>, byte: u8| match args.has(QUESTION) {
        true => out.push(b'?'),
        false => push!(*out, "\\", Right(&octal(byte.into())[..], 3, b'0')),
    };
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            match character.is_control() {
                true => bytes.iter().for_each(|&byte| push_odd(out, byte)),
                false => out.extend_from_slice(bytes),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_odd(out, byte));
    }
}

/// Prints attributes before names.
pub struct Attributes {
    users: NameCache,
    groups: NameCache,
    zone: Zone,
    now: i64,
}

impl Attributes {
    pub fn new(env: &Env) -> Attributes {
        let zone = Zone::load(env.vars.get("TZ"));
        Attributes { users: NameCache::default(), groups: NameCache::default(), zone, now: Moment::now().seconds }
    }

    /// Adds the attributes that the options ask for, separated by blanks.
    pub fn push(&mut self, out: &mut Vec<u8>, entry: &Entry, args: &Args<'_>) {
        let Some(stat) = &entry.stat else { return };
        let start = out.len();
        for option in [INODES, DEVICE, MODE, OWNER, GROUP, SIZE, DATE] {
            let is_asked = args.has(option) || option == SIZE && args.has(HUMAN);
            if !is_asked {
                continue;
            }
            if out.len() > start {
                out.push(b' ');
            }
            match option {
                INODES => push!(*out, Right(stat.st_ino, 7, b' ')),
                DEVICE => push!(*out, Right(stat.st_dev, 3, b' ')),
                MODE => out.extend_from_slice(&mode::symbolic(stat.st_mode)),
                OWNER => push!(*out, Left(self.users.user(stat.st_uid), 8)),
                GROUP => push!(*out, Left(self.groups.group(stat.st_gid), 8)),
                SIZE if args.has(HUMAN) => push!(*out, Right(&human(stat.st_size as u64)[..], 4, b' ')),
                SIZE => push!(*out, Right(stat.st_size as u64, 11, b' ')),
                _ => out.extend(self.date(stat)),
            }
        }
    }

    /// The time of modification as ls prints it: the hour, or the year where it is six months away.
    fn date(&self, stat: &Stat) -> Vec<u8> {
        let is_recent = (self.now - 182 * 86_400..self.now + 86_400).contains(&stat.st_mtime);
        let format: &[u8] = if is_recent { b"%b %e %H:%M" } else { b"%b %e  %Y" };
        time::format(format, Moment { seconds: stat.st_mtime, nanos: 0 }, &self.zone)
    }
}

/// Adds the members of an entry's object, without what is below it and without its end.
pub fn push_json(out: &mut Vec<u8>, entry: &Entry, name: &[u8], args: &Args<'_>, attributes: &mut Attributes) {
    let kind = match entry.kind() {
        Some(FileType::Directory) => "directory",
        Some(FileType::Symlink) => "link",
        Some(FileType::Fifo) => "fifo",
        Some(FileType::Socket) => "socket",
        Some(FileType::CharacterDevice) => "char",
        Some(FileType::BlockDevice) => "block",
        Some(FileType::RegularFile) => "file",
        _ => "unknown",
    };
    push!(*out, "{\"type\":\"", kind, "\",\"name\":");
    push_string(out, name);
    if let Some((target, _)) = &entry.target {
        push!(*out, ",\"target\":");
        push_string(out, target);
    }
    let Some(stat) = &entry.stat else { return };
    if args.has(INODES) {
        push!(*out, ",\"inode\":", stat.st_ino);
    }
    if args.has(DEVICE) {
        push!(*out, ",\"dev\":", stat.st_dev);
    }
    if args.has(MODE) {
        let bits = octal(u64::from(stat.st_mode & 0o7777));
        push!(*out, ",\"mode\":\"", Right(&bits[..], 4, b'0'), "\",\"prot\":\"", &mode::symbolic(stat.st_mode), "\"");
    }
    if args.has(OWNER) {
        push!(*out, ",\"user\":");
        push_string(out, attributes.users.user(stat.st_uid));
    }
    if args.has(GROUP) {
        push!(*out, ",\"group\":");
        push_string(out, attributes.groups.group(stat.st_gid));
    }
    if args.has(HUMAN) {
        push!(*out, ",\"size\":\"", &human(stat.st_size as u64), "\"");
    } else if args.has(SIZE) {
        push!(*out, ",\"size\":", stat.st_size as u64);
    }
    if args.has(DATE) {
        push!(*out, ",\"time\":\"", &attributes.date(stat), "\"");
    }
}

/// A string of JSON (RFC 8259, 7). Bytes that are no UTF-8 become U+FFFD.
fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\r' => out.extend_from_slice(b"\\r"),
                0..0x20 => push!(*out, "\\u00", Right(rbox_core::text::Hex(byte.into()), 2, b'0')),
                _ => out.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}
