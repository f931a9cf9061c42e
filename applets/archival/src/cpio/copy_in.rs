//! `cpio -i` and `-t`: an archive, or several one after the other, the later ones compressed or not, as the kernel takes
//! them for its first root file system.

use rbox_core::archive::Entry;
use rbox_core::archive::cpio::{Format, Links, Next, Reader};
use rbox_core::archive::guard::Extractor;
use rbox_core::files::FileIds;
use rbox_core::io::Input;
use rbox_core::mode::symbolic;
use rbox_core::pattern::glob;
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::fs::FileType;
use rbox_core::sys::process;
use rbox_core::term::{Shown, clean};
use rbox_core::text::{Hex, Right};
use rbox_core::time::Zone;
use rbox_core::{push, text};

use crate::data::{Put, write_all};
use crate::filter::{by_content, filter_input, wait};

use super::*;

/// Bytes of names that wait for their file.
const MOST_WAITING: usize = 16 << 20;

pub fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let name = args.value(FILE).or(args.value(IN_FILE)).unwrap_or(b"-");
    let input = if name == b"-" { env.take_stdin() } else { Input::open(name)? };
    let mut copy = CopyIn::of(env, args)?;
    change_directory(args)?;
    if !args.has(LIST) && !args.has(TO_STDOUT) && !args.has(VERIFY) {
        copy.extractor = Some(extractor(args, b".")?);
    }
    let mut total = 0;
    let mut child = None;
    let mut next = Some(input);
    while let Some(mut input) = next.take() {
        while input.buffered().len() < 16 && input.fill_more()? {}
        if let Some(program) = by_content(input.buffered()) {
            let (filtered, pid) = filter_input(env, input, &[program])?;
            if let Some(before) = child.replace(pid) {
                copy.check(env, wait(before));
            }
            input = filtered;
        }
        let mut reader = Reader::new(input);
        copy.read(env, args, &mut reader)?;
        total += reader.position();
        let is_cut = reader.is_cut();
        let mut rest = reader.into_input();
        while rest.buffered().len() < 16 && rest.fill_more()? {}
        if !is_cut && by_content(rest.buffered()).is_some() {
            next = Some(rest);
        } else if child.is_some() {
            rest.skip(u64::MAX)?;
        }
    }
    if let Some(child) = child {
        copy.check(env, wait(child));
    }
    if let Some(extractor) = &mut copy.extractor {
        for error in extractor.finish() {
            copy.status.worsen(env.warn(error));
        }
    }
    report_blocks(env, args, total)?;
    Ok(copy.status)
}

/// A file with several links: the name that has been made, and names that wait for one.
#[derive(Default)]
struct Group {
    made: Option<Vec<u8>>,
    waiting: Vec<Entry>,
}

/// What a run knows.
struct CopyIn {
    extractor: Option<Extractor>,
    patterns: Vec<Vec<u8>>,
    owner: (Option<u32>, Option<u32>),
    zone: Zone,
    status: ExitStatus,
    groups: Vec<Group>,
    /// The positions of groups by device and inode.
    by_id: FileIds<usize>,
    waiting: usize,
    is_root: bool,
    /// The terminal that is asked for names.
    terminal: Option<Input>,
}

impl CopyIn {
    fn of(env: &Env, args: &Args<'_>) -> Result<Self> {
        let mut patterns: Vec<Vec<u8>> = args.operands().iter().map(|operand| operand.to_vec()).collect();
        if let Some(list) = args.value(PATTERN_FILE) {
            let mut input = Input::open(list)?;
            while let Some(line) = input.line()? {
                patterns.push(line.to_vec());
            }
        }
        Ok(Self {
            extractor: None,
            patterns,
            owner: owner(args)?,
            zone: Zone::load(env.vars.get("TZ")),
            status: ExitStatus::SUCCESS,
            groups: Vec::new(),
            by_id: FileIds::default(),
            waiting: 0,
            is_root: process::geteuid().is_root(),
            terminal: if args.has(RENAME) { Some(Input::open(b"/dev/tty")?) } else { None },
        })
    }

    fn check(&mut self, env: &mut Env, result: Result<()>) {
        if let Err(error) = result {
            self.status.worsen(env.warn(error));
        }
    }

    /// Reads all archives of a stream that follow each other.
    fn read(&mut self, env: &mut Env, args: &Args<'_>, reader: &mut Reader) -> Result<()> {
        loop {
            match reader.advance() {
                Ok(Next::Entry(entry, links)) => {
                    let result = self.take(env, args, reader, *entry, links);
                    if result.as_ref().is_err_and(Error::is_output) {
                        return result;
                    }
                    self.check(env, result);
                }
                Ok(Next::Trailer) => {
                    self.finish_groups(env);
                    if !reader.has_more()? {
                        return Ok(());
                    }
                }
                Ok(Next::End) => {
                    self.finish_groups(env);
                    return Ok(());
                }
                Err(error) => self.status.worsen(env.warn(error)),
            }
        }
    }

    fn take(
        &mut self,
        env: &mut Env,
        args: &Args<'_>,
        reader: &mut Reader,
        mut entry: Entry,
        links: Links,
    ) -> Result<()> {
        let is_match = |pattern: &Vec<u8>| glob::matches(pattern, &entry.name, glob::Flags::NONE);
        if !self.patterns.is_empty() && self.patterns.iter().any(is_match) == args.has(NONMATCHING) {
            return Ok(());
        }
        if args.has(LIST) {
            return self.list(env, args, &entry);
        }
        if let Some(terminal) = &mut self.terminal {
            env.stdout.flush()?;
            env.stderr.write(&text!("rename ", &clean(&entry.name, b"", Shown::Caret), " -> "))?;
            env.stderr.flush()?;
            entry.name = terminal.line()?.unwrap_or_default().to_vec();
            if entry.name.is_empty() {
                return Ok(());
            }
        }
        entry.uid = self.owner.0.unwrap_or(entry.uid);
        entry.gid = self.owner.1.unwrap_or(entry.gid);
        if !self.is_root {
            entry.mode &= !0o6000;
        }
        let is_file = entry.kind() == FileType::RegularFile;
        if self.extractor.is_none() {
            if args.has(VERIFY) {
                return self.copy(reader, &entry, links, Put::new(&mut |_| Ok(())));
            }
            return if is_file {
                self.copy(reader, &entry, links, Put::new(&mut |data| env.stdout.write(data)))
            } else {
                Ok(())
            };
        }
        if is_file && links.count > 1 {
            let at = self.group_of(links);
            if let Some(first) = self.groups[at].made.clone() {
                (entry.is_hard_link, entry.target) = (true, first);
                return self.make(env, args, &entry);
            }
            if entry.size == 0 {
                self.waiting += entry.name.len() + size_of::<Entry>();
                if self.waiting > MOST_WAITING {
                    return Err(Error::new("too many links wait for their file"));
                }
                self.groups[at].waiting.push(entry);
                return Ok(());
            }
            self.create(env, args, reader, &entry, links)?;
            let group = &mut self.groups[at];
            group.made = Some(entry.name.clone());
            let waiting = core::mem::take(&mut group.waiting);
            return self.link(env, args, waiting, &entry.name);
        }
        if is_file { self.create(env, args, reader, &entry, links) } else { self.make(env, args, &entry) }
    }

    /// The position of the group of a file.
    fn group_of(&mut self, links: Links) -> usize {
        let (major, minor) = links.device;
        let id = (u64::from(major) << 32 | u64::from(minor), u64::from(links.inode));
        if let Some(&at) = self.by_id.get(id) {
            return at;
        }
        self.by_id.insert(id, self.groups.len());
        self.groups.push(Group::default());
        self.groups.len() - 1
    }

    /// Makes the names that have waited for a file.
    fn link(&mut self, env: &mut Env, args: &Args<'_>, waiting: Vec<Entry>, target: &[u8]) -> Result<()> {
        for entry in waiting {
            self.waiting = self.waiting.saturating_sub(entry.name.len() + size_of::<Entry>());
            let entry = Entry { is_hard_link: true, target: target.to_vec(), ..entry };
            self.make(env, args, &entry)?;
        }
        Ok(())
    }

    /// At the end of an archive: files with several links of which no entry had data are empty.
    fn finish_groups(&mut self, env: &mut Env) {
        self.by_id = FileIds::default();
        for group in core::mem::take(&mut self.groups) {
            let mut waiting = group.waiting.into_iter();
            let (Some(first), Some(extractor)) = (waiting.next(), &mut self.extractor) else { continue };
            let made = || -> Result<()> {
                if let Some(file) = extractor.create(&first)? {
                    extractor.finish_file(&file, &first)?;
                }
                for entry in waiting {
                    extractor.make(&Entry { is_hard_link: true, target: first.name.clone(), ..entry })?;
                }
                Ok(())
            };
            let result = made();
            self.check(env, result);
        }
        self.waiting = 0;
    }

    fn create(
        &mut self,
        env: &mut Env,
        args: &Args<'_>,
        reader: &mut Reader,
        entry: &Entry,
        links: Links,
    ) -> Result<()> {
        let Some(extractor) = &mut self.extractor else { return Ok(()) };
        let Some(made) = extractor.create(entry)? else { return Err(stays(entry)) };
        let written = self.copy(reader, entry, links, Put::new(&mut |data| write_all(made.file.as_fd(), data)));
        let Some(extractor) = &mut self.extractor else { return Ok(()) };
        match written {
            Err(error) if error.errno().is_some() => {
                // The error that there is says more than one about the removal.
                let _ = extractor.abandon(&made, entry);
                return Err(error.context(&entry.name));
            }
            written => {
                extractor.finish_file(&made, entry)?;
                written?;
            }
        }
        report_file(env, args, &entry.name, true)
    }

    fn make(&mut self, env: &mut Env, args: &Args<'_>, entry: &Entry) -> Result<()> {
        let Some(extractor) = &mut self.extractor else { return Ok(()) };
        if !extractor.make(entry)? {
            return Err(stays(entry));
        }
        report_file(env, args, &entry.name, true)
    }

    /// Calls `put` with a file's data, and checks their sum.
    fn copy(&mut self, reader: &mut Reader, entry: &Entry, links: Links, mut put: Put<'_>) -> Result<()> {
        let has_sum = reader.format() == Format::Crc;
        let mut sum = 0u32;
        while let Some(data) = reader.data()? {
            if has_sum {
                sum = data.iter().fold(sum, |sum, &byte| sum.wrapping_add(byte.into()));
            }
            put.call(data)?;
            let length = data.len();
            reader.consume(length);
        }
        if has_sum && sum != links.sum && entry.kind() == FileType::RegularFile {
            let sums = text!(": checksum error (0x", Hex(sum.into()), ", should be 0x", Hex(links.sum.into()), ")");
            return Err(Error::parts(&[&entry.name, &sums]));
        }
        Ok(())
    }

    fn list(&self, env: &mut Env, args: &Args<'_>, entry: &Entry) -> Result<()> {
        let mut line = Vec::new();
        if args.has(VERBOSE) {
            let size = match entry.kind() {
                FileType::CharacterDevice | FileType::BlockDevice => text!(entry.device.0, ",", entry.device.1),
                _ => text!(entry.size),
            };
            let time = self.zone.civil(entry.modified.seconds);
            let two = |number: u8| Right(number, 2, b'0');
            push!(line, &symbolic(entry.mode), " ", entry.uid, "/", entry.gid, " ", Right(&size, 9, b' '), " ");
            push!(line, time.year, "-", two(time.month), "-", two(time.day), " ");
            push!(line, two(time.hour), ":", two(time.minute), ":", two(time.second), " ");
        }
        line.extend_from_slice(&entry.name);
        if args.has(VERBOSE) && entry.kind() == FileType::Symlink {
            push!(line, " -> ", &entry.target);
        }
        line.push(b'\n');
        env.stdout.write(&line)
    }
}

/// A file that is there is not older.
fn stays(entry: &Entry) -> Error {
    Error::parts(&[&entry.name, b" not created: newer or same age file exists"]).with_status(0)
}
