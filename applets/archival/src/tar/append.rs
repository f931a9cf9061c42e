//! `tar r`, `tar u` and `tar A`: more members at the end of an archive.

use rbox_core::archive::tar::{Next, Reader};
use rbox_core::io::{self, Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, Mode, OFlags, SeekFrom};

use super::create::Creation;
use super::names::{Names, Wanted, without_slash};
use super::stream::{Sink, archive_name, is_compressed};
use super::{CATENATE, IGNORE_ZEROS, UPDATE};

pub fn run(env: &mut Env, args: &Args<'_>, operation: Opt) -> Outcome {
    let name = archive_name(args);
    if is_compressed(args) {
        return Err(Error::new("cannot update compressed archives"));
    }
    if name == b"-" {
        return Err(Error::new("an archive to append to must be a file"));
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    let file = fs::open(name, flags, Mode::from_raw_mode(0o666)).map_err(|errno| Error::cannot("open", name, errno))?;
    // Names are kept in memory, those of the whole archive.
    let mut known = Vec::new();
    let copy = rbox_core::sys::fd::fcntl_dupfd_cloexec(&file, 3)?;
    let end = end_of(Input::from_fd(copy, name), args.has(IGNORE_ZEROS), &mut |name, modified| {
        if operation == UPDATE {
            known.push((without_slash(name).to_vec(), modified));
        }
    })?;
    fs::seek(&file, SeekFrom::Start(end))?;
    fs::ftruncate(&file, end)?;
    let sink = Sink::append(Output::from_fd(file));
    let mut creation = Creation::of(env, args, sink)?;
    creation.written = end;
    known.sort_by(|(one, _), (two, _)| one.cmp(two));
    creation.known = known;
    let names = Names::of(env, args)?;
    if operation == CATENATE {
        for name in names.names {
            let path = super::joined(&name.directory, &name.name);
            if let Err(error) = creation.catenate(&path) {
                super::fail(env, &mut creation.status, error.context(&name.name));
            }
        }
    } else {
        creation.archive(env, args, names)?;
    }
    creation.finish(env)
}

/// `tar --delete`: the members that stay are moved to the start of the archive.
pub fn delete(env: &mut Env, args: &Args<'_>) -> Outcome {
    let name = archive_name(args);
    if is_compressed(args) {
        return Err(Error::new("cannot update compressed archives"));
    }
    if name == b"-" {
        return Err(Error::new("an archive to delete from must be a file"));
    }
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let file = fs::open(name, flags, Mode::empty()).map_err(|errno| Error::cannot("open", name, errno))?;
    let mut wanted = Wanted::of(env, args)?;
    if !wanted.is_named() {
        return Err(Error::new("--delete needs names"));
    }
    let mut kept: Vec<(u64, u64)> = Vec::new();
    let mut keeps = false;
    let mut reader = Reader::new(Input::open(name)?, args.has(IGNORE_ZEROS));
    loop {
        let next = reader.advance()?;
        if let Some((_, end)) = kept.last_mut().filter(|_| keeps) {
            *end = reader.start();
        }
        match next {
            Next::Entry(entry) => keeps = wanted.directory_of(&entry.name).is_none(),
            Next::Damaged(why) => return Err(Error::new(why)),
            Next::End => break,
        }
        if keeps && kept.last().is_none_or(|(_, end)| *end != reader.start()) {
            kept.push((reader.start(), 0));
        }
    }
    let mut creation = Creation::of(env, args, Sink::append(Output::from_fd(file)))?;
    for name in wanted.missing() {
        super::fail(env, &mut creation.status, Error::parts(&[name, b": not found in archive"]));
    }
    creation.keep(&mut Input::open(name)?, &kept)?;
    creation.finish(env)
}

/// The offset at which the members of an archive end; `each` is called with the name and time of each.
fn end_of(input: Input, ignores_zeros: bool, each: &mut impl FnMut(&[u8], rbox_core::time::Moment)) -> Result<u64> {
    let mut reader = Reader::new(input, ignores_zeros);
    loop {
        match reader.advance()? {
            Next::Entry(entry) => each(&entry.name, entry.modified),
            Next::Damaged(why) => return Err(Error::new(why)),
            Next::End => return Ok(reader.start()),
        }
    }
}

impl Creation {
    /// Moves these parts of the archive to its start, one after the other, and cuts off the rest.
    fn keep(&mut self, from: &mut Input, parts: &[(u64, u64)]) -> Result<()> {
        let mut at = 0;
        for &(start, end) in parts {
            from.skip(start - at)?;
            io::copy_part(from, &mut self.sink.output, end - start)?;
            (at, self.written) = (end, self.written + end - start);
        }
        self.sink.output.flush()?;
        match self.sink.output.fd() {
            Some(file) => Ok(fs::ftruncate(file, self.written)?),
            None => Ok(()),
        }
    }

    /// Appends the members of another archive as they are.
    fn catenate(&mut self, path: &[u8]) -> Result<()> {
        let end = end_of(Input::open(path)?, false, &mut |_, _| {})?;
        let mut input = Input::open(path)?;
        io::copy_part(&mut input, &mut self.sink.output, end)?;
        self.written += end;
        Ok(())
    }
}
