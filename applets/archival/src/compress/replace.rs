//! The replacement of a file by its compressed or decompressed form. The old file goes when the new one is on the disk.

use rbox_core::bytes::base_name;
use rbox_core::codec::Header;
use rbox_core::copying;
use rbox_core::files::{self, id, open_directory};
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, Timestamps, UTIME_OMIT, fstat, fsync, futimens, link_count, openat,
    unlinkat,
};
use rbox_core::sys::time::Timespec;
use rbox_core::sys::{AsFd, Errno, OwnedFd};

use super::{Action, Decoded, Work, can_ask, list, names};

/// A file to replace: the open directory that holds it, its name there, and its path as the user named it.
struct Source {
    parent: OwnedFd,
    name: Vec<u8>,
    path: Vec<u8>,
    stat: Stat,
}

impl Source {
    /// The path of another file in the same directory.
    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        [&self.path[..self.path.len() - self.name.len()], name].concat()
    }
}

impl Work<'_> {
    /// Processes one file.
    pub(super) fn file(&mut self, env: &mut Env, path: &[u8]) -> Result<()> {
        let job = self.job;
        let replaces = !job.to_stdout && matches!(job.action, Action::Compress | Action::Decompress);
        let (file, source) = self.open_source(path, replaces)?;
        match files::kind(&source.stat) {
            FileType::Directory => return self.ignore(path, "is a directory"),
            FileType::RegularFile => {}
            _ if replaces => return self.ignore(path, "not a directory or a regular file"),
            _ => {}
        }
        if replaces && !job.force && link_count(&source.stat) > 1 {
            return self.ignore(path, "has several links");
        }
        let input = Input::from_fd(file, &source.path);
        let modified = u32::try_from(source.stat.st_mtime).unwrap_or(0);
        let header = match job.named {
            true => Header { name: Some(source.name.clone()), modified, mode: source.stat.st_mode, checks: job.checks },
            false => Header { checks: job.checks, ..Header::default() },
        };
        if !replaces {
            return self.stream(env, input, &header, &source.path);
        }
        match job.action {
            Action::Compress if names::is_compressed(job, &source.name) => {
                self.ignore(path, "already has the suffix of compressed files")
            }
            Action::Compress => self.compress(env, &source, input, &header),
            _ => self.decompress(env, &source, input),
        }
    }

    /// Opens the file at `path` or, to decompress, the one that has the suffix in addition.
    fn open_source(&self, path: &[u8], replaces: bool) -> Result<(OwnedFd, Source)> {
        let start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
        let (directory, name) = path.split_at(start);
        let failed = |errno| Error::on(path, errno);
        let parent = open_directory(CWD, if start == 0 { b"." } else { directory }, true).map_err(failed)?;
        let mut flags = OFlags::RDONLY | OFlags::CLOEXEC;
        if replaces {
            // A FIFO is refused, not waited for.
            flags |= OFlags::NONBLOCK;
        }
        if replaces && !self.job.force {
            flags |= OFlags::NOFOLLOW;
        }
        let open =
            |name: &[u8]| openat(parent.as_fd(), if name.is_empty() { b"." } else { name }, flags, Mode::empty());
        let mut name = name.to_vec();
        let file = match open(&name) {
            Err(Errno::NOENT) if self.job.action != Action::Compress && !names::is_compressed(self.job, &name) => {
                let longer = [&name, self.job.suffix].concat();
                // Messages are about the name that was given, if neither is there.
                let file = open(&longer).map_err(|_| failed(Errno::NOENT))?;
                name = longer;
                file
            }
            opened => opened.map_err(failed)?,
        };
        let stat = fstat(&file).map_err(failed)?;
        let path = [directory, &name].concat();
        Ok((file, Source { parent, name, path, stat }))
    }

    fn compress(&mut self, env: &mut Env, source: &Source, input: Input, header: &Header) -> Result<()> {
        let name = [&source.name, self.job.suffix].concat();
        let output = self.create(env, source, &name)?;
        let (output, result) = self.encode(env, input, header, output);
        let finished = result.and_then(|length| {
            let decoded = Decoded { length, header: Some(header.clone()), checksum: None };
            self.finish(env, source, &output, &name, &decoded, None)
        });
        conclude(source, &name, finished)
    }

    fn decompress(&mut self, env: &mut Env, source: &Source, input: Input) -> Result<()> {
        let Some(mut name) = names::decompressed(self.job, &source.name) else {
            return self.ignore(&source.path, "unknown suffix");
        };
        let Ok(mut decoder) = self.open(input)? else { return Ok(()) };
        let header = decoder.gzip_header().filter(|_| self.job.named).cloned().unwrap_or_default();
        if let Some(stored) = header.name.as_deref().map(base_name).filter(|name| is_file_name(name)) {
            name = stored.to_vec();
        }
        let mut output = self.create(env, source, &name)?;
        let modified = Some(header.modified).filter(|&seconds| seconds > 0);
        let finished = self
            .decode(env, &mut decoder, Some(&mut output))
            .and_then(|decoded| self.finish(env, source, &output, &name, &decoded, modified));
        conclude(source, &name, finished)
    }

    /// Creates the file that is written. What is there is replaced if -f or the user says so.
    fn create(&self, env: &mut Env, source: &Source, name: &[u8]) -> Result<Output> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let parent = source.parent.as_fd();
        let create = || openat(parent, name, flags, Mode::from_raw_mode(0o600));
        let shown = source.path_of(name);
        let mut created = create();
        if created.as_ref().is_err_and(|&errno| errno == Errno::EXIST)
            && (self.job.force
                || can_ask() && env.ask(&[b"'", &shown[..], b"' already exists; overwrite?"].concat())?)
        {
            unlinkat(parent, name, AtFlags::empty()).map_err(|errno| Error::cannot("remove", &shown, errno))?;
            created = create();
        }
        created.map(Output::from_fd).map_err(|errno| Error::cannot("open", &shown, errno))
    }

    /// Gives the file that was written the attributes of the other, brings it to the disk and removes the other.
    fn finish(
        &self,
        env: &mut Env,
        source: &Source,
        output: &Output,
        name: &[u8],
        decoded: &Decoded,
        modified: Option<u32>,
    ) -> Result<()> {
        let Some(file) = output.fd() else { return Ok(()) };
        let shown = source.path_of(name);
        copying::keep(file, &shown, &source.stat, None)?;
        let failed = |errno| Error::on(&shown, errno);
        if let Some(seconds) = modified {
            let last_modification = Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
            let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
            futimens(file, &Timestamps { last_access, last_modification }).map_err(failed)?;
        }
        if self.job.verbose {
            let size = match self.job.action {
                Action::Compress => list::size(file),
                _ => Some(source.stat.st_size as u64),
            };
            list::report(env, &source.path, decoded, size, self.job, Some(&shown))?;
        }
        if self.job.keep {
            return Ok(());
        }
        fsync(file).map_err(failed)?;
        // Not every file system can do that with a directory; fsync(2) of the file brings its name to the disk on most.
        let _ = fsync(&source.parent);
        let there = files::stat(source.parent.as_fd(), &source.name, self.job.force);
        if !there.is_ok_and(|there| id(&there) == id(&source.stat)) {
            return Err(Error::parts(&[&source.path, b": was replaced meanwhile"]));
        }
        unlinkat(source.parent.as_fd(), &source.name, AtFlags::empty())
            .map_err(|errno| Error::cannot("remove", &source.path, errno))
    }
}

/// Removes what was written of a file that failed. A write error of one file is not one of standard output.
fn conclude(source: &Source, name: &[u8], finished: Result<()>) -> Result<()> {
    let Err(error) = finished else { return Ok(()) };
    // The failure is already being reported.
    let _ = unlinkat(source.parent.as_fd(), name, AtFlags::empty());
    match error.errno() {
        Some(errno) if error.is_output() => Err(Error::on(source.path_of(name), errno)),
        _ => Err(error),
    }
}

/// Whether a name from a header can name a file in the directory.
fn is_file_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b".." | b"/") && !name.contains(&b'/')
}
