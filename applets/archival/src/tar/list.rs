//! `tar t`, and the lines about members that other operations print as well.

use rbox_core::archive::Entry;
use rbox_core::archive::tar::{BLOCK, NO_ARCHIVE, Next, Reader};
use rbox_core::callback;
use rbox_core::escape;
use rbox_core::mode::symbolic;
use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;
use rbox_core::text::Right;
use rbox_core::time::Zone;
use rbox_core::{push, text};

use super::names::{Wanted, stripped, without_slash};
use super::progress::Progress;
use super::stream::Source;
use super::transform::{Of, Transform};
use super::{BLOCK_NUMBER, FULL_TIME, NUMERIC, QUOTING, SHOW_TRANSFORMED, STARTING, STRIP, UTC, VERBOSE, fail};

pub fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let transform = Transform::of(env, args)?;
    let count = super::number(args, STRIP)?.unwrap_or(0);
    let is_changed = args.has(SHOW_TRANSFORMED);
    let mut lister = Lister::of(env, args, 1)?;
    each_member(env, args, &mut |(env, reader, member, _)| {
        lister.at(reader.start());
        if !is_changed {
            return lister.print(env, &member, &member.name);
        }
        let Some(name) = stripped(&member.name, count) else { return Ok(()) };
        let name = transform.apply(name, Of::File)?;
        lister.print(env, &member, &name)
    })
}

callback! {
    /// What is done with a member: its reader is at its data, and it goes to that directory.
    pub OnMember = Member<'b>((&'b mut Env, &'b mut Reader, Entry, &'b [u8])) -> Result<()>
}

/// Calls `each` for every member that the command line asks for. A failure does not stop the others.
pub fn each_member(
    env: &mut Env,
    args: &Args<'_>,
    each: &mut impl FnMut((&mut Env, &mut Reader, Entry, &[u8])) -> Result<()>,
) -> Outcome {
    members(env, args, OnMember::new(&mut |(env, reader, entry, directory)| each((env, reader, entry, directory))))
}

fn members(env: &mut Env, args: &Args<'_>, mut each: OnMember<'_>) -> Outcome {
    let mut wanted = Wanted::of(env, args)?;
    let mut progress = Progress::of(args)?;
    let mut source = Source::open(env, args)?;
    let mut status = ExitStatus::SUCCESS;
    let mut starting = args.value(STARTING);
    loop {
        let reader = &mut source.reader;
        match reader.advance() {
            Ok(Next::Entry(entry)) => {
                progress.at(env, reader.position())?;
                if starting.is_some_and(|name| without_slash(name) != without_slash(&entry.name)) {
                    continue;
                }
                starting = None;
                let Some(directory) = wanted.directory_of(&entry.name) else { continue };
                match each.call((env, reader, *entry, directory)) {
                    Err(error) if error.is_output() => return Err(error),
                    Err(error) => fail(env, &mut status, error),
                    Ok(()) => {}
                }
            }
            Ok(Next::Damaged(why)) => {
                fail(env, &mut status, Error::new(why));
                if !reader.is_known() {
                    break;
                }
            }
            // A stream that ends before it begins is a transfer that failed, not an archive of nothing.
            Ok(Next::End) if reader.position() == 0 => {
                fail(env, &mut status, Error::new(NO_ARCHIVE));
                break;
            }
            Ok(Next::End) => {
                if args.has(BLOCK_NUMBER) {
                    let has_zeros = reader.start() < reader.position();
                    let what = if has_zeros { ": ** Block of NULs **\n" } else { ": ** End of File **\n" };
                    env.stdout.write(&text!("block ", reader.start() / BLOCK as u64, what))?;
                }
                break;
            }
            Err(error) => {
                // Nothing follows an error.
                fail(env, &mut status, error);
                break;
            }
        }
    }
    progress.end(env, source.reader.position())?;
    if let Err(error) = source.close() {
        fail(env, &mut status, error);
    }
    let missing: Vec<Vec<u8>> = starting.into_iter().chain(wanted.missing()).map(<[u8]>::to_vec).collect();
    for name in missing {
        fail(env, &mut status, Error::parts(&[&name, b": not found in archive"]));
    }
    Ok(status)
}

/// Prints lines about members.
pub struct Lister {
    is_long: bool,
    is_on: bool,
    numeric: bool,
    full_time: bool,
    zone: Zone,
    is_literal: bool,
    /// The block of the next member, if lines begin with it.
    block: Option<u64>,
    /// The columns of owner, group and size.
    width: usize,
}

impl Lister {
    /// A lister that prints long lines from `-v` given once more than `quiet` says: once for `t`, twice for the others.
    pub fn of(env: &Env, args: &Args<'_>, long: usize) -> Result<Self> {
        let is_literal = match args.value(QUOTING) {
            None | Some(b"escape") => false,
            Some(b"literal") => true,
            Some(style) => return Err(Error::parts(&[b"unsupported quoting style '", style, b"'"])),
        };
        let zone = if args.has(UTC) { Zone::utc() } else { Zone::load(env.vars.get("TZ")) };
        Ok(Self {
            is_literal,
            block: args.has(BLOCK_NUMBER).then_some(0),
            is_long: args.times(VERBOSE) >= long,
            is_on: long == 1 || args.has(VERBOSE),
            numeric: args.has(NUMERIC),
            full_time: args.has(FULL_TIME),
            zone,
            width: 19,
        })
    }

    /// States at which byte of the archive the header of the next member is.
    pub fn at(&mut self, offset: u64) {
        self.block = self.block.map(|_| offset / BLOCK as u64);
    }

    /// Prints a line, if any is asked for.
    pub fn print(&mut self, env: &mut Env, member: &Entry, name: &[u8]) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        let mut line = Vec::with_capacity(name.len() + 1);
        if let Some(block) = self.block {
            push!(line, "block ", block, ": ");
        }
        if self.is_long {
            self.push_attributes(&mut line, member);
        }
        self.push_name(&mut line, name);
        if self.is_long {
            let arrow = match (member.is_hard_link, member.kind()) {
                (true, _) => " link to ",
                (false, FileType::Symlink) => " -> ",
                _ => "",
            };
            if !arrow.is_empty() {
                push!(line, arrow);
                self.push_name(&mut line, &member.target);
            }
        }
        line.push(b'\n');
        env.stdout.write(&line)
    }

    fn push_name(&self, line: &mut Vec<u8>, name: &[u8]) {
        if self.is_literal { line.extend_from_slice(name) } else { push_quoted(line, name) }
    }

    fn push_attributes(&mut self, line: &mut Vec<u8>, member: &Entry) {
        let mut permissions = symbolic(member.mode);
        if member.is_hard_link {
            permissions[0] = b'h';
        }
        push!(*line, &permissions, " ");
        let start = line.len();
        for (name, id, after) in [(&member.user, member.uid, "/"), (&member.group, member.gid, " ")] {
            match name.is_empty() || self.numeric {
                true => push!(*line, id),
                false => push_quoted(line, name),
            }
            push!(*line, after);
        }
        let size = match member.kind() {
            FileType::CharacterDevice | FileType::BlockDevice => text!(member.device.0, ",", member.device.1),
            _ => text!(member.length()),
        };
        let owners = line.len() - start;
        self.width = self.width.max(owners + size.len());
        push!(*line, Right(&size, self.width - owners, b' '), " ");
        self.push_time(line, member);
    }

    fn push_time(&self, line: &mut Vec<u8>, member: &Entry) {
        let time = self.zone.civil(member.modified.seconds);
        let two = |number: u8| Right(number, 2, b'0');
        if time.year < 0 {
            line.push(b'-');
        }
        let year = Right(time.year.unsigned_abs(), 4, b'0');
        push!(*line, year, "-", two(time.month), "-", two(time.day), " ", two(time.hour), ":", two(time.minute));
        if self.full_time {
            push!(*line, ":", two(time.second));
            if member.modified.nanos > 0 {
                push!(*line, ".", Right(member.modified.nanos, 9, b'0'));
            }
        }
        line.push(b' ');
    }
}

/// A name without control characters: as GNU tar's style `escape`, C's escapes and octal numbers.
pub fn push_quoted(line: &mut Vec<u8>, name: &[u8]) {
    if name.iter().all(|byte| matches!(byte, b' '..=b'[' | b']'..=b'~')) {
        line.extend_from_slice(name);
        return;
    }
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let escape = rbox_core::escape::control_name(character as u8).filter(|_| character.is_ascii());
            match (character, escape) {
                ('\\', _) => push!(*line, "\\\\"),
                (_, Some(escape)) if character.is_ascii_control() => line.extend_from_slice(&[b'\\', escape]),
                _ if character.is_control() => {
                    character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_octal(line, byte));
                }
                _ => line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_octal(line, byte));
    }
}

fn push_octal(line: &mut Vec<u8>, byte: u8) {
    line.extend_from_slice(&escape::octal(byte));
}
