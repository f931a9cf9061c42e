//! `mv`: move and rename files (POSIX XCU mv); a copy and a removal where rename(2) meets another file system.

use rbox_core::bytes::{base_name, join_path};
use rbox_core::copying::{Copier, Destination, Manner, just_created};
use rbox_core::files::{FileIds, Follow, Phase, Step, id, kind, walk};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Access, AtFlags, FileType, Stat, access, lstat, rename, stat, unlinkat};
use rbox_core::sys::{Errno, fd, termios};

options! {
    "[-finTuv] SOURCE DEST | SOURCE... DIRECTORY | -t DIRECTORY SOURCE...

Rename SOURCE to DEST, or move each SOURCE into DIRECTORY.

  -f, --force                       Do not ask
  -i, --interactive                 Ask before overwriting
  -n, --no-clobber                  Do not overwrite
  -T, --no-target-directory         Treat DEST as a file
  -t, --target-directory=DIRECTORY  Move into DIRECTORY
  -u, --update                      Overwrite only older files
  -v, --verbose                     Print each moved file";
    FORCE = "-f",
    ASK = "-i",
    NO_CLOBBER = "-n",
    PLAIN = "-T",
    DIRECTORY = "-t",
    UPDATE = "-u",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let Destination { sources, dest, into } =
        Destination::of(args.value(DIRECTORY), args.operands(), args.has(PLAIN), false)?;
    // Where there are several sources, what was moved must not be replaced by the next one.
    let mut moved = FileIds::default();
    env.for_each_operand(sources, &mut |env, source| {
        let target = if into { join_path(dest, base_name(source)) } else { dest.to_vec() };
        if let (Ok(here), Ok(there)) = (lstat(source), lstat(&target)) {
            if moved.get(id(&there)).is_some() {
                return Err(just_created(source, &target));
            }
            check_different(source, &target, &here, &there)?;
        }
        if !may_replace(env, args, source, &target)? {
            return Ok(());
        }
        move_file(env, source, &target)?;
        if sources.len() > 1
            && let Ok(there) = lstat(&target)
        {
            moved.insert(id(&there), ());
        }
        match args.has(VERBOSE) {
            true => env.stdout.write(&[b"'", source, b"' -> '", &target, b"'\n"].concat()),
            false => Ok(()),
        }
    })
}

/// A link that replaces what it leads to would lead to itself, and what it led to would be lost.
fn check_different(source: &[u8], target: &[u8], here: &Stat, there: &Stat) -> Result<()> {
    let leads_there = kind(here) == FileType::Symlink && stat(source).is_ok_and(|end| id(&end) == id(there));
    if leads_there || id(here) == id(there) && here.st_nlink < 2 {
        return Err(Error::parts(&[b"'", source, b"' and '", target, b"' are the same file"]));
    }
    Ok(())
}

fn may_replace(env: &mut Env, args: &Args<'_>, source: &[u8], target: &[u8]) -> Result<bool> {
    let Ok(there) = stat(target) else { return Ok(true) };
    let manner = args.last_of(&[FORCE, ASK, NO_CLOBBER]);
    if manner == Some(NO_CLOBBER) {
        return Ok(false);
    }
    let changed = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec as i64);
    if args.has(UPDATE) && lstat(source).is_ok_and(|source| changed(&source) <= changed(&there)) {
        return Ok(false);
    }
    // POSIX XCU mv: a target that cannot be written is asked about when someone is there to answer.
    let protected = || access(target, Access::WRITE_OK).is_err() && termios::isatty(fd::borrow(0));
    if manner == Some(ASK) || manner != Some(FORCE) && protected() {
        return env.ask(&[b"overwrite '", target, b"'?"].concat());
    }
    Ok(true)
}

fn move_file(env: &mut Env, source: &[u8], target: &[u8]) -> Result<()> {
    match rename(source, target) {
        Ok(()) => Ok(()),
        Err(Errno::XDEV) => move_by_copy(env, source, target),
        // A name with a trailing slash or a missing one reads better as rename(2) reports it.
        Err(errno) => Err(Error::on([b"can't rename '", source, b"'"].concat(), errno)),
    }
}

fn move_by_copy(env: &mut Env, source: &[u8], target: &[u8]) -> Result<()> {
    let there = lstat(target).ok();
    if let (Some(there), Ok(here)) = (&there, lstat(source)) {
        let directory = |stat: &Stat| kind(stat) == FileType::Directory;
        if directory(there) != directory(&here) {
            return Err(Error::on(
                [b"can't rename '", source, b"'"].concat(),
                if directory(there) { Errno::ISDIR } else { Errno::NOTDIR },
            ));
        }
        let flags = if directory(there) { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        unlinkat(rbox_core::sys::fs::CWD, target, flags).map_err(|errno| Error::cannot("remove", target, errno))?;
    }
    let manner = Manner { recursive: true, preserve: true, xattrs: true, keep_links: true, ..Manner::default() };
    if Copier::new(manner).copy(env, source, target)? != ExitStatus::SUCCESS {
        return Err(Error::silent(ExitStatus::FAILURE));
    }
    walk(
        source,
        Follow::Never,
        &mut |visit| {
            let flags = match visit.phase {
                Phase::Before => return Ok(Step::On),
                Phase::After => AtFlags::REMOVEDIR,
                Phase::File => AtFlags::empty(),
            };
            unlinkat(visit.at, visit.name, flags).map_err(|errno| Error::cannot("remove", visit.path, errno))?;
            Ok(Step::On)
        },
        &mut Err,
    )
}
