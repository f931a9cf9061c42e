//! `lsattr`: list the flags of inodes, as chattr(1) names them.

use rbox_core::bytes::join_path;
use rbox_core::files::{Follow, Phase, Step, Visit, kind, walk_gathering};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags, openat};
use rbox_core::sys::inode_flags::{Field, get};
use rbox_core::sys::{AsFd, Errno, OwnedFd};
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

options! {
    "[-Radlvp] [FILE]...

List the flags of files on ext2, ext3, ext4, btrfs and XFS, or of those in directories.

  -R  Recurse
  -a  Include names that begin with a dot
  -d  List directories themselves, not what is in them
  -l  Print long names of flags
  -v  Print the version too
  -p  Print the project too";
    RECURSE = "-R",
    ALL = "-a",
    DIRECTORY = "-d",
    LONG = "-l",
    VERSION = "-v",
    PROJECT = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Each flag of linux/fs.h that is printed, in order, with its character and its long name.
pub const FLAGS: rbox_core::names::Names = rbox_core::names! {
    "sSecure_Deletion" = 0x1,
    "uUndelete" = 0x2,
    "SSynchronous_Updates" = 0x8,
    "DSynchronous_Directory_Updates" = 0x1_0000,
    "iImmutable" = 0x10,
    "aAppend_Only" = 0x20,
    "dNo_Dump" = 0x40,
    "ANo_Atime" = 0x80,
    "cCompression_Requested" = 0x4,
    "EEncrypted" = 0x800,
    "jJournaled_Data" = 0x4000,
    "IIndexed_directory" = 0x1000,
    "tNo_Tailmerging" = 0x8000,
    "TTop_of_Directory_Hierarchies" = 0x2_0000,
    "eExtents" = 0x8_0000,
    "CNo_COW" = 0x80_0000,
    "xDAX" = 0x200_0000,
    "FCasefold" = 0x4000_0000,
    "NInline_Data" = 0x1000_0000,
    "PProject_Hierarchy" = 0x2000_0000,
    "VVerity" = 0x10_0000,
    "mDont_Compress" = 0x400,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut status = ExitStatus::SUCCESS;
    for operand in args.operands_or(b".") {
        let mut failed = Vec::new();
        let walked = walk_gathering(operand, Follow::Never, &mut |visit| look(env, args, visit, &mut failed))?;
        for error in failed.into_iter().chain(walked) {
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

/// Prints what is at this step of the walk. What cannot be read of a directory does not keep the walk from going into it.
fn look(env: &mut Env, args: &Args<'_>, visit: &Visit<'_>, failed: &mut Vec<Error>) -> Result<Step> {
    let is_operand = visit.depth == 0;
    if visit.phase == Phase::After {
        if !is_operand {
            env.stdout.write(b"\n")?;
        }
        return Ok(Step::On);
    }
    // Other files have no flags.
    if !is_operand && !matches!(kind(visit.stat), FileType::RegularFile | FileType::Directory) {
        return Ok(Step::Skip);
    }
    let is_listed = visit.phase == Phase::Before && !args.has(DIRECTORY);
    let mut print = |env: &mut Env, name: &[u8], path: &[u8]| match line(args, visit, name, path) {
        Ok(line) => env.stdout.write(&line),
        Err(errno) => {
            failed.push(Error::cannot("read flags of", path, errno));
            Ok(())
        }
    };
    if !(is_operand && is_listed) {
        if !is_operand && visit.name.starts_with(b".") && !args.has(ALL) {
            return Ok(Step::Skip);
        }
        print(env, visit.name, visit.path)?;
        if !is_listed || !args.has(RECURSE) {
            return Ok(Step::Skip);
        }
        env.stdout.write(&text!("\n", visit.path, ":\n"))?;
    }
    if args.has(ALL) {
        for dots in [&b"."[..], b".."] {
            print(env, &join_path(visit.name, dots), &join_path(visit.path, dots))?;
        }
    }
    Ok(Step::On)
}

/// The line of a file, which is below the directory of the walk.
fn line(args: &Args<'_>, visit: &Visit<'_>, name: &[u8], path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    let file = open(visit, name, OFlags::RDONLY)?;
    let field = |field| get(file.as_fd(), field);
    let mut line = Vec::new();
    if args.has(PROJECT) {
        push!(line, Right(u64::from(field(Field::Project)?), 5, b' '), " ");
    }
    if args.has(VERSION) {
        push!(line, Left(u64::from(field(Field::Version)?), 10), " ");
    }
    let flags = u64::from(field(Field::Flags)?);
    if args.has(LONG) {
        let names = FLAGS.of_flags(flags).map(|name| &name.as_bytes()[1..]).collect::<Vec<_>>().join(&b", "[..]);
        push!(line, Left(path, 28), " ", if names.is_empty() { b"---" } else { &names[..] }, "\n");
    } else {
        push!(line, &shown(flags), " ", path, "\n");
    }
    Ok(line)
}

/// The flags as characters, a dash for each that is not set.
pub fn shown(flags: u64) -> Vec<u8> {
    FLAGS.iter().map(|(name, flag)| if flags & flag != 0 { name.as_bytes()[0] } else { b'-' }).collect()
}

/// Opens a file of a walk for its flags. Only regular files and directories have them; to others the ioctl may mean
/// something else.
pub fn open(visit: &Visit<'_>, name: &[u8], mode: OFlags) -> core::result::Result<OwnedFd, Errno> {
    if !matches!(kind(visit.stat), FileType::RegularFile | FileType::Directory) {
        return Err(Errno::OPNOTSUPP);
    }
    openat(visit.at, name, mode | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}
