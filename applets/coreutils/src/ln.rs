//! `ln`: make links (POSIX XCU ln), with BusyBox's backups.

use rbox_core::bytes::{base_name, join_path};
use rbox_core::files::id;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{AtFlags, CWD, FileType, linkat, lstat, rename, stat, symlink, unlink};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};

options! {
    "[-sfnbtvT] [-S SUFFIX] [-t DIRECTORY] TARGET... LINK|DIRECTORY

Create LINK to TARGET, or a link to each TARGET in DIRECTORY.

  -s, --symbolic                    Create symbolic links
  -f, --force                       Replace existing files
  -i, --interactive                 Ask before replacing
  -n, --no-dereference              Treat a LINK to a directory as a file
  -b                                Back up replaced files
  -S, --suffix=SUFFIX               Suffix of backups (~)
  -T, --no-target-directory         Treat LINK as a file
  -t, --target-directory=DIRECTORY  Create links in DIRECTORY
  -L, --logical                     Follow a TARGET that is a symbolic link
  -P, --physical                    Link to symbolic links themselves
  -v, --verbose                     Print each created link";
    SYMBOLIC = "-s",
    FORCE = "-f",
    ASK = "-i",
    PLAIN = "-n",
    BACKUP = "-b",
    SUFFIX = "-S",
    NO_DIRECTORY = "-T",
    DIRECTORY = "-t",
    LOGICAL = "-L",
    PHYSICAL = "-P",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    let (targets, dest): (&[&[u8]], &[u8]) = match (args.value(DIRECTORY), operands) {
        (Some(directory), targets) => (targets, directory),
        (None, [_]) => (operands, b"."),
        (None, [targets @ .., dest]) => (targets, dest),
        (None, []) => return Err(Error::usage()),
    };
    let directory =
        args.has(DIRECTORY) || operands.len() == 1 || !args.has(NO_DIRECTORY) && leads_to_directory(args, dest);
    if !directory && targets.len() > 1 {
        return Err(Error::parts(&[b"target '", dest, b"': Not a directory"]));
    }
    env.for_each_operand(targets, &mut |env, target| {
        let link = match directory {
            true if dest == b"." => base_name(target).to_vec(),
            true => join_path(dest, base_name(target)),
            false => dest.to_vec(),
        };
        make(env, args, target, &link)
    })
}

fn leads_to_directory(args: &Args<'_>, path: &[u8]) -> bool {
    let found = if args.has(PLAIN) { lstat(path) } else { stat(path) };
    found.is_ok_and(|stat| rbox_core::files::kind(&stat) == FileType::Directory)
}

fn make(env: &mut Env, args: &Args<'_>, target: &[u8], link: &[u8]) -> Result<()> {
    if !args.has(SYMBOLIC) {
        stat_target(args, target).map_err(|errno| Error::on(target, errno))?;
    }
    let exists = lstat(link).is_ok();
    let is_backed_up = exists && args.has(BACKUP);
    let force = args.last_of(&[FORCE, ASK]);
    if exists && !is_backed_up && (force.is_some() || !args.has(SYMBOLIC)) && same_file(target, link) {
        return Err(Error::parts(&[b"'", target, b"' and '", link, b"' are the same file"]));
    }
    if is_backed_up {
        let backup = [link, args.value(SUFFIX).unwrap_or(b"~")].concat();
        rename(link, backup.as_slice()).map_err(|errno| Error::on(link, errno))?;
        // rename(2) leaves two links to one file as they are.
        if lstat(link).is_ok() {
            unlink(link).map_err(|errno| Error::cannot("remove", link, errno))?;
        }
    } else if exists && force.is_some() {
        if force == Some(ASK) && !env.ask(&[b"replace '", link, b"'?"].concat())? {
            return Ok(());
        }
        if lstat(link).is_ok_and(|stat| rbox_core::files::kind(&stat) == FileType::Directory) {
            return Err(Error::cannot("remove", link, Errno::ISDIR));
        }
        return replace(args, target, link)
            .map_err(|errno| Error::on(link, errno))
            .and_then(|()| say(env, args, target, link));
    }
    make_link(args, target, link).map_err(|errno| Error::on(link, errno))?;
    say(env, args, target, link)
}

fn make_link(args: &Args<'_>, target: &[u8], link: &[u8]) -> core::result::Result<(), Errno> {
    if args.has(SYMBOLIC) {
        return symlink(target, link);
    }
    let follow = args.last_of(&[LOGICAL, PHYSICAL]) == Some(LOGICAL);
    linkat(CWD, target, CWD, link, if follow { AtFlags::SYMLINK_FOLLOW } else { AtFlags::empty() })
}

/// Replaces the existing file with rename(2), so that at any moment one of both is there.
fn replace(args: &Args<'_>, target: &[u8], link: &[u8]) -> core::result::Result<(), Errno> {
    let mut random = [0; 6];
    getrandom(&mut random, GetRandomFlags::empty())?;
    let letters = random.map(|byte| b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte & 31)]);
    let directory = &link[..link.len() - base_name(link).len()];
    let temporary = [directory, b".ln", &letters].concat();
    make_link(args, target, &temporary)?;
    let renamed = rename(&temporary, link);
    // It is still there when it could not be renamed, or when both are links to one file.
    let _ = unlink(&temporary);
    renamed
}

fn say(env: &mut Env, args: &Args<'_>, target: &[u8], link: &[u8]) -> Result<()> {
    match args.has(VERBOSE) {
        true => env.stdout.write(&[b"'", link, b"' -> '", target, b"'\n"].concat()),
        false => Ok(()),
    }
}

fn stat_target(args: &Args<'_>, target: &[u8]) -> core::result::Result<(), Errno> {
    if args.last_of(&[LOGICAL, PHYSICAL]) == Some(LOGICAL) { stat(target) } else { lstat(target) }.map(drop)
}

/// Whether the link would replace its own target, which has no other name.
fn same_file(target: &[u8], link: &[u8]) -> bool {
    matches!((lstat(target), lstat(link)), (Ok(a), Ok(b)) if id(&a) == id(&b) && a.st_nlink < 2)
}
