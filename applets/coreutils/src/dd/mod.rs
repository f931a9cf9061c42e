//! `dd`: copy and convert a file (POSIX XCU dd), with GNU's operands.
//!
//! Blocks are counted as POSIX says, one a read, but where it makes no difference (a regular file, /dev/zero,
//! /dev/null) many small ones take one system call.

mod buffer;
mod convert;
mod copy;
mod plan;
mod reader;
mod statistics;
mod writer;

use rbox_core::files::kind;
use rbox_core::prelude::*;
use rbox_core::signals::SIGINT;
use rbox_core::sys::fs::{self, FileType, Mode, OFlags, SeekFrom};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGUSR1;
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd};

use plan::{Plan, conv};

options! {
    "[OPERAND]...

Copy a file, converting it. The statistics go to standard error; USR1 prints them meanwhile.

if=FILE      Read FILE, not standard input
of=FILE      Write FILE, not standard output
bs=N         Read and write N bytes at a time; overrides ibs and obs
ibs=N        Read N bytes at a time (512)
obs=N        Write N bytes at a time (512)
cbs=N        Length of a record for conv=block, unblock
count=N      Copy only N input blocks
skip=N       Skip N input blocks; also iseek=N
seek=N       Skip N output blocks; also oseek=N
conv=LIST    ascii, ebcdic, ibm, block, unblock, lcase, ucase, swab,
             sparse (holes for zeros), sync (pad input blocks), noerror (go on),
             excl, nocreat, notrunc, fsync, fdatasync
iflag=LIST   fullblock, count_bytes, skip_bytes, direct, directory, dsync, sync,
             nonblock, noatime, nofollow, noctty, nocache
oflag=LIST   append, seek_bytes, and those of iflag from direct on
status=WORD  none, noxfer (records only), progress (every second)

N may be a product (2x512) and have a suffix: c (1), w (2), b (512), kB (1000), K (1024), MB, M, GB, G, ...
With a B, as in 10B or 4KiB, count, skip and seek are in bytes."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let plan = Plan::read(env, args)?;
    let input = match plan.input {
        Some(path) => Some(open(path, plan.iflag, OFlags::RDONLY)?),
        None => None,
    };
    let offset = plan.seek.bytes(plan.obs)?;
    let output = open_output(&plan, offset)?;
    let from = input.as_ref().map_or_else(|| fd::borrow(0), OwnedFd::as_fd);
    let to = output.as_ref().map_or_else(|| fd::borrow(1), OwnedFd::as_fd);
    for (is_inherited, file, flags) in [(input.is_none(), from, plan.iflag), (output.is_none(), to, plan.oflag)] {
        if is_inherited {
            set_flags(file, flags)?;
        }
    }
    let names = [plan.input.unwrap_or(b"standard input"), plan.output.unwrap_or(b"standard output")];
    if offset > 0 {
        // POSIX has blocks read from what cannot seek; nothing but old tapes could be read here.
        fs::seek(to, SeekFrom::Current(offset as i64)).map_err(|errno| Error::on(names[1], errno))?;
    }
    note(SIGUSR1);
    note(SIGINT);
    copy::run(env, &plan, [from, to], names)
}

/// Notes a signal that is not ignored, as by a shell for what runs in the background.
fn note(number: i32) {
    if signal::set(number, Disposition::Note) == Ok(Disposition::Ignore) {
        // It was set a moment ago, so it can be set back.
        let _ = signal::set(number, Disposition::Ignore);
    }
}

fn open(path: &[u8], flags: u64, how: OFlags) -> Result<OwnedFd> {
    let flags = OFlags::from_bits_retain(flags as u32) | OFlags::CLOEXEC | how;
    fs::open(path, flags, Mode::from_raw_mode(0o666)).map_err(|errno| Error::cannot("open", path, errno))
}

/// Opens the output, which ends at `offset` unless it is kept as it is.
fn open_output(plan: &Plan<'_>, offset: u64) -> Result<Option<OwnedFd>> {
    let Some(path) = plan.output else { return Ok(None) };
    let has = |bit| plan.conv & bit != 0;
    let mut how = OFlags::WRONLY;
    how.set(OFlags::CREATE, !has(conv::NOCREAT));
    how.set(OFlags::EXCL, has(conv::EXCL));
    how.set(OFlags::TRUNC, !has(conv::NOTRUNC) && offset == 0);
    let file = open(path, plan.oflag, how)?;
    if offset > 0
        && !has(conv::NOTRUNC)
        && let Err(errno) = fs::ftruncate(&file, offset)
        && fs::fstat(&file).is_ok_and(|stat| kind(&stat) == FileType::RegularFile)
    {
        return Err(Error::cannot("truncate", path, errno));
    }
    Ok(Some(file))
}

/// Gives an inherited descriptor the flags that can be set later; those of synchronized output are the writer's then.
fn set_flags(file: BorrowedFd<'_>, flags: u64) -> Result<()> {
    let flags = OFlags::from_bits_retain(flags as u32);
    if flags.is_empty() {
        return Ok(());
    }
    let refused = |errno| Error::on("can't set flags", errno);
    let fixed = flags & (OFlags::DIRECTORY | OFlags::NOFOLLOW);
    if !fixed.is_empty() {
        return Err(refused(Errno::INVAL));
    }
    let before = fs::fcntl_getfl(file).map_err(refused)?;
    fs::fcntl_setfl(file, before | flags).map_err(refused)
}

/// Whether blocks of a file may be put together in one system call, and that makes no difference: a regular file, /dev/zero or
/// /dev/null (devices 1:5 and 1:3, devices.txt) without any flag of open(2).
fn is_gathered(file: BorrowedFd<'_>, flags: u64) -> bool {
    let Ok(stat) = fs::fstat(file) else { return false };
    let memory = |minor| fs::makedev(1, minor);
    flags as u32 == 0
        && match kind(&stat) {
            FileType::RegularFile => fs::fstatfs(file).is_ok_and(|system| stores_data(system.f_type as u32)),
            FileType::CharacterDevice => [memory(3), memory(5)].contains(&stat.st_rdev),
            _ => false,
        }
}

/// Whether a file system (statfs(2)) keeps bytes as they are written, unlike those whose files are the kernel's variables:
/// ext, tmpfs, ramfs, XFS, Btrfs, F2FS, FAT, overlayfs.
fn stores_data(kind: u32) -> bool {
    let kinds = [0xef53, 0x0102_1994, 0x8584_58f6, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x4d44, 0x794c_7630];
    kinds.contains(&kind)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn wrong_operands_are_named() {
        for (word, message) in [
            ("x=1", "dd: unrecognized operand 'x=1'\n"),
            ("bs", "dd: unrecognized operand 'bs'\n"),
            ("bs=0", "dd: invalid number '0'\n"),
            ("count=1y", "dd: invalid number '1y'\n"),
            ("conv=foo", "dd: invalid argument 'foo' to 'conv'\n"),
            ("oflag=fullblock", "dd: invalid argument 'fullblock' to 'oflag'\n"),
            ("conv=lcase,ucase", "dd: cannot combine lcase and ucase\n"),
            ("conv=block", "dd: block and unblock need cbs\n"),
            ("seek=9E", "dd: offset is too large\n"),
        ] {
            let ran = try_call(APPLET, &["dd", word, "of=/nonexistent/file"], b"");
            assert!(ran.status == 1 && ran.stderr.starts_with(message), "{word}: {}", ran.stderr);
        }
    }
}
