//! `switch_root` and `run-init`: from the first root, which is in memory, to another one: delete all in it, go on there.

use rbox_core::bytes;
use rbox_core::files;
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rbox_core::sys::mount::mount_move;
use rbox_core::sys::thread::{CapabilitySet, capabilities, remove_capability_from_bounding_set, set_capabilities};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, fs, process};
use rbox_core::text;

use crate::setpriv::CAPABILITIES;

options! {
    "[-n] [-d CAPS] [-c CONSOLE] NEW_ROOT INIT [ARG]...

Delete the contents of the root, a ramfs or tmpfs, move the mount NEW_ROOT to / and
execute INIT. Only for PID 1.

  -c CONSOLE  Use CONSOLE for the standard streams
  -d CAPS     Drop these capabilities, separated by commas
  -n          Only check the operands";
    CONSOLE = "-c",
    DROP = "-d",
    DRY_RUN = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().program();

/// statfs(2): RAMFS_MAGIC and TMPFS_MAGIC.
const IN_MEMORY: [u64; 2] = [0x8584_58f6, 0x0102_1994];

/// How deep directories of the old root may lie. Each level takes a descriptor.
const DEEPEST: usize = 500;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, usize::MAX)?;
    let new = operands[0];
    process::chdir(new).map_err(|errno| Error::cannot("change directory to", new, errno))?;
    let (old, here) = (fs::stat("/")?, fs::stat(".")?);
    if old.st_dev == here.st_dev {
        return Err(Error::new(text!("'", new, "' must be a mountpoint")));
    }
    if !args.has(DRY_RUN) && process::getpid().as_raw_nonzero().get() != 1 {
        return Err(Error::new("PID must be 1"));
    }
    // What follows destroys, so two more checks follow that this is the first root and no other.
    let is_init = fs::stat("/init").is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    if !is_init {
        return Err(Error::new("'/init' is not a regular file"));
    }
    if !fs::statfs("/").is_ok_and(|found| IN_MEMORY.contains(&(found.f_type as u64 & 0xffff_ffff))) {
        return Err(Error::new("root filesystem is not ramfs/tmpfs"));
    }
    if args.has(DRY_RUN) {
        args.value(DROP).map(parse_capabilities).transpose()?;
        let checked = check_program(operands[1]);
        return checked.map(|()| ExitStatus::SUCCESS).map_err(|errno| Error::cannot("execute", operands[1], errno));
    }
    let dropped = args.value(DROP).map(parse_capabilities).transpose()?;
    // Before anything is deleted: without /proc this fails, and PID 1 must not fail later.
    dropped.map_or(Ok(()), drop_from_helpers)?;
    let root = files::open_directory(fs::CWD, b"/", true).map_err(|errno| Error::on("/", errno))?;
    empty(root.as_fd(), old.st_dev, 0);
    mount_move(".", "/").map_err(|errno| Error::on("error moving root", errno))?;
    process::chroot(".").map_err(|errno| Error::on("chroot", errno))?;
    process::chdir("/").map_err(|errno| Error::on("/", errno))?;
    if let Some(console) = args.value(CONSOLE)
        && let Err(error) = rbox_core::daemon::open_standard_streams(console, OFlags::RDWR)
    {
        env.warn(error);
    }
    if let Some(dropped) = dropped {
        drop_capabilities(env, dropped)?;
    }
    let errno = process::exec(operands[1], &operands[1..], &env.vars.words());
    Err(Error::cannot("execute", operands[1], errno))
}

/// Whether `path` is a program, seen from the new root, which is the current directory: absolute links lead into it.
fn check_program(path: &[u8]) -> core::result::Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = fs::openat2(fs::CWD, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?;
    let stat = fs::fstat(&file)?;
    let is_program = files::kind(&stat) == FileType::RegularFile && stat.st_mode & 0o111 != 0;
    if is_program { Ok(()) } else { Err(Errno::ACCESS) }
}

/// A list of names, with or without `cap_`.
fn parse_capabilities(list: &[u8]) -> Result<CapabilitySet> {
    let mut set = CapabilitySet::empty();
    for word in list.split(|&byte| byte == b',') {
        let name = word.strip_prefix(b"cap_").unwrap_or(word);
        let number =
            CAPABILITIES.number_of(name).ok_or_else(|| Error::parts(&[b"unknown capability '", word, b"'"]))?;
        set |= CapabilitySet::from_bits_retain(1 << number);
    }
    Ok(set)
}

/// Takes capabilities from the programs that the kernel starts. /proc is in the old root, or moved to the new one, the
/// current directory.
fn drop_from_helpers(dropped: CapabilitySet) -> Result<()> {
    // Kernel documentation, sysctl/kernel.rst: two numbers of 32 bits, the lower half first.
    for name in ["bset", "inheritable"] {
        let path = text!("/proc/sys/kernel/usermodehelper/", name);
        let path = if fs::stat(&path).is_ok() { &path[..] } else { &path[1..] };
        let text = Input::open(path)?.read_to_end()?;
        let mut halves = bytes::words(&text).filter_map(parse_decimal);
        let (low, high) = (halves.next().unwrap_or(0), halves.next().unwrap_or(0));
        let left = (high << 32 | low) & !dropped.bits();
        let mut output = Output::create(path)?;
        output.write(&text!(left & 0xffff_ffff, " ", left >> 32, "\n"))?;
        output.flush()?;
    }
    Ok(())
}

/// Takes capabilities from this process and all that it starts.
fn drop_capabilities(env: &mut Env, dropped: CapabilitySet) -> Result<()> {
    let failed = |errno| Error::on("can't drop capabilities", errno);
    for (name, number) in CAPABILITIES.iter().filter(|(_, number)| dropped.bits() >> number & 1 != 0) {
        remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)).map_err(failed)?;
        env.report(&Error::new(text!("dropped capability: ", name)));
    }
    let mut own = capabilities(None).map_err(failed)?;
    own.inheritable -= dropped;
    set_capabilities(None, own).map_err(failed)
}

/// Deletes all in a directory that is on that device, and follows no link. What cannot be deleted only takes memory.
fn empty(directory: BorrowedFd<'_>, device: u64, depth: usize) {
    for entry in files::list(directory).unwrap_or_default() {
        let Ok(stat) = files::stat(directory, &entry.name, false) else { continue };
        if stat.st_dev != device {
            continue;
        }
        let mut flags = AtFlags::empty();
        if files::kind(&stat) == FileType::Directory {
            flags = AtFlags::REMOVEDIR;
            let inner = files::open_directory(directory, &entry.name, false);
            // It may have been mounted on between the two calls.
            if let Ok(inner) = inner
                && depth < DEEPEST
                && fs::fstat(&inner).is_ok_and(|stat| stat.st_dev == device)
            {
                empty(inner.as_fd(), device, depth + 1);
            }
        }
        // A mount point is busy and stays; anything else that stays only takes memory.
        let _ = fs::unlinkat(directory, &entry.name, flags);
    }
}
