//! `umount`: detach filesystems (umount2(2)).

use rbox_core::mounts::{self, Mount, is_wanted_kind};
use rbox_core::prelude::*;
use rbox_core::sys::mount::{MountFlags, UnmountFlags, mount, unmount};
use rbox_core::sys::Errno;

options! {
    "[-arlfnv] [-t TYPE[,TYPE]...] FOLDER|DEVICE...

Unmount filesystems.

  -a, --all        All of them, the last mounted first
  -r, --read-only  Mount read-only what is busy
  -l, --lazy       Detach now, clean up when it is no longer busy
  -f, --force      Also when its server does not answer
  -n, --no-mtab    Do not write /etc/mtab (it is never written)
  -v, --verbose    Say what is done
  -t, --types=TYPE[,TYPE]...  Only these types";
    ALL = "-a",
    READ_ONLY = "-r",
    LAZY = "-l",
    FORCE = "-f",
    NO_MTAB = "-n",
    VERBOSE = "-v",
    TYPES = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// MS_REMOUNT with MS_RDONLY, `mount(2)`.
const REMOUNT_READ_ONLY: u32 = 32 | 1;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // Nothing writes /etc/mtab anyway.
    let _ = args.has(NO_MTAB);
    let mounted = mounts::read(b"/proc/mounts").unwrap_or_default();
    let chosen: Vec<Mount> = if args.has(ALL) {
        mounted.into_iter().rev().filter(|mount| is_wanted_kind(&mount.kind, args.value(TYPES))).collect()
    } else if args.operands().is_empty() {
        return Err(Error::usage());
    } else {
        args.operands().iter().map(|operand| known(&mounted, &mounts::real_path(operand))).collect()
    };
    let mut flags = UnmountFlags::empty();
    flags.set(UnmountFlags::DETACH, args.has(LAZY));
    flags.set(UnmountFlags::FORCE, args.has(FORCE));
    let mut status = ExitStatus::SUCCESS;
    for mount in &chosen {
        if args.has(VERBOSE) {
            env.stdout.write(&[b"umount ", &mount.target[..], b"\n"].concat())?;
        }
        if let Err(error) = detach(env, mount, flags, args.has(READ_ONLY)) {
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

/// The mount that `operand` means: the last one of that folder or device, else the word itself.
fn known(mounted: &[Mount], operand: &[u8]) -> Mount {
    let by_target = mounted.iter().rev().find(|mount| mount.target == operand);
    let found = by_target.or_else(|| mounted.iter().rev().find(|mount| mount.source == operand));
    found.cloned().unwrap_or_else(|| Mount { source: operand.to_vec(), target: operand.to_vec(), ..Mount::default() })
}

fn detach(env: &mut Env, mounted: &Mount, flags: UnmountFlags, or_read_only: bool) -> Result<()> {
    let Err(errno) = unmount(&mounted.target[..], flags) else { return Ok(()) };
    if errno == Errno::BUSY && or_read_only {
        let flags = MountFlags::from_bits_retain(REMOUNT_READ_ONLY);
        return match mount(&mounted.source[..], &mounted.target[..], &b""[..], flags, None) {
            Ok(()) => {
                let parts = [&env.name[..], b": ", &mounted.source, b" busy - remounted read-only\n"];
                env.stderr.write(&parts.concat())
            }
            Err(errno) => Err(Error::on([b"can't remount ", &mounted.source[..], b" read-only"].concat(), errno)),
        };
    }
    Err(Error::on([b"can't unmount ", &mounted.target[..]].concat(), errno))
}
