//! `umount`: detach filesystems (umount2(2)).

use rbox_core::mounts::{self, Mount, is_wanted_kind};
use rbox_core::prelude::*;
use rbox_core::sys::mount::{MountFlags, UnmountFlags, mount_remount, unmount};
use rbox_core::sys::{Errno, OwnedFd, loop_device};

options! {
    "[-arlfndDv] [-O OPTION[,OPTION]...] [-t TYPE[,TYPE]...] DIRECTORY|DEVICE...

Unmount filesystems.

  -a, --all          Unmount all filesystems, the last mounted first
  -r, --read-only    Remount busy filesystems read-only
  -l, --lazy         Detach now, clean up when no longer busy
  -f, --force        Unmount although the server does not answer
  -d, --detach-loop  Free the loop device
  -D                 Keep the loop device
  -O, --test-opts=LIST  With -a, select mounts by options
  -t, --types=TYPE[,TYPE]...  With -a, select mounts by type
  -v, --verbose      Print each unmount
  -c, --no-canonicalize, -i, --internal-only  Ignored; accepted for compatibility
  -n, --no-mtab      Ignored: /etc/mtab is never written";
    ALL = "-a",
    READ_ONLY = "-r",
    LAZY = "-l",
    FORCE = "-f",
    FREE_LOOP = "-d",
    KEEP_LOOP = "-D",
    TEST_OPTIONS = "-O",
    TYPES = "-t",
    VERBOSE = "-v",
    "-c" => ignored,
    "-n" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mounted = mounts::read(b"/proc/mounts").unwrap_or_default();
    let chosen: Vec<Mount> = if args.has(ALL) {
        let has_options = |mount: &Mount| args.value(TEST_OPTIONS).is_none_or(|list| mounts::has_options(mount, list));
        let wanted = |mount: &Mount| is_wanted_kind(&mount.kind, args.value(TYPES)) && has_options(mount);
        mounted.into_iter().rev().filter(wanted).collect()
    } else if args.operands().is_empty() {
        return Err(Error::usage());
    } else {
        args.operands().iter().map(|operand| known(&mounted, operand)).collect()
    };
    let mut flags = UnmountFlags::empty();
    flags.set(UnmountFlags::DETACH, args.has(LAZY));
    flags.set(UnmountFlags::FORCE, args.has(FORCE));
    let mut status = ExitStatus::SUCCESS;
    for mount in &chosen {
        if args.has(VERBOSE) {
            env.stdout.write(&[b"umount ", &mount.target[..], b"\n"].concat())?;
        }
        let device = loop_device_of(mount);
        if args.has(KEEP_LOOP) {
            // A device without a file shows nothing that could be kept.
            let _ = device.as_ref().map(loop_device::keep);
        }
        let result = detach(env, mount, flags, args.has(READ_ONLY));
        if result.is_ok() && args.has(FREE_LOOP) {
            // One that mount made is free already, or goes free when it is closed.
            let _ = device.as_ref().map(loop_device::clear);
        }
        if let Err(error) = result {
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

/// The mount that `operand` means: the last one of that directory or device, else the word itself.
fn known(mounted: &[Mount], operand: &[u8]) -> Mount {
    let path = mounts::real_path(operand);
    let by_target = mounted.iter().rev().find(|mount| mount.target == path);
    let found =
        by_target.or_else(|| mounted.iter().rev().find(|mount| mount.source == path || mount.source == operand));
    found.cloned().unwrap_or_else(|| Mount { source: operand.to_vec(), target: operand.to_vec(), ..Mount::default() })
}

/// The loop device that is mounted, if it is one.
fn loop_device_of(mounted: &Mount) -> Option<OwnedFd> {
    mounted.source.starts_with(b"/dev/loop").then(|| rbox_core::block::open(&mounted.source).ok()).flatten()
}

fn detach(env: &mut Env, mounted: &Mount, flags: UnmountFlags, or_read_only: bool) -> Result<()> {
    let Err(errno) = unmount(&mounted.target[..], flags) else { return Ok(()) };
    if errno == Errno::BUSY && or_read_only {
        return match mount_remount(&mounted.target[..], MountFlags::RDONLY, &b""[..]) {
            Ok(()) => {
                let parts = [&env.name[..], b": ", &mounted.source, b" busy - remounted read-only\n"];
                env.stderr.write(&parts.concat())
            }
            Err(errno) => Err(Error::on([b"can't remount ", &mounted.source[..], b" read-only"].concat(), errno)),
        };
    }
    Err(Error::on([b"can't unmount ", &mounted.target[..]].concat(), errno))
}
