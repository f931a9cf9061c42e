//! `mount`: attach filesystems (mount(2), fstab(5)).

mod attach;
mod flags;

use rbox_core::mounts::{self, Mount, is_wanted_kind};
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;

use attach::attach;
use flags::{PROPAGATION, REMOUNT, add_options, is_flag, split_options};

options! {
    "[OPTIONS] [-o OPTION[,OPTION]...] [DEVICE] [DIRECTORY]

Mount a filesystem; without operands, list the mounts. A missing DEVICE or
DIRECTORY is taken from /etc/fstab. DEVICE is a path, UUID=, LABEL=, PARTUUID= or
PARTLABEL= with a value, or a regular file, which gets a loop device.

  -a, --all            Mount all filesystems of fstab without noauto
  -f, --fake           Do everything but the mount itself
  -i, --internal-only  Do not run /sbin/mount.TYPE
  -r, --read-only      Same as -o ro
  -w, --rw, --read-write  Same as -o rw
  -v, --verbose        Print each mount
  -t, --types=TYPE[,TYPE]...  Try these types; noTYPE excludes; auto is any
  -o, --options=LIST   Set the options, separated by commas
  -O, --test-opts=LIST  With -a, select entries by options
  -T, --fstab=FILE     Read FILE, not /etc/fstab
      --bind           Same as -o bind
      --rbind          Same as -o rbind
      --move           Same as -o move
      --make-shared    Same as -o shared
      --make-slave     Same as -o slave
      --make-private   Same as -o private
      --make-unbindable  Same as -o unbindable
      --make-rshared   Same as -o rshared
      --make-rslave    Same as -o rslave
      --make-rprivate  Same as -o rprivate
      --make-runbindable  Same as -o runbindable
  -F, --fork           Ignored: -a mounts one after the other
  -n, --no-mtab        Ignored: /etc/mtab is never written
  -s                   Ignored; accepted for compatibility

Options: ro rw [a]sync [no]atime [no]diratime [no]relatime [no]strictatime
[no]lazytime [no]dev [no]exec [no]suid [no]mand dirsync silent loud remount
bind rbind move shared slave private unbindable (r before them: with all below)
loop[=DEVICE] offset=BYTES sizelimit=BYTES (for a regular file) defaults [no]auto
[no]user nofail _netdev; others are the filesystem's own.";
    ALL = "-a",
    FAKE = "-f",
    INTERNAL = "-i",
    READ_ONLY = "-r",
    READ_WRITE = "-w",
    VERBOSE = "-v",
    TYPES = "-t",
    OPTIONS = "-o",
    TEST_OPTIONS = "-O",
    FSTAB = "-T",
    BIND = "--bind",
    RBIND = "--rbind",
    MOVE = "--move",
    SHARED = "--make-shared",
    SLAVE = "--make-slave",
    PRIVATE = "--make-private",
    UNBINDABLE = "--make-unbindable",
    RSHARED = "--make-rshared",
    RSLAVE = "--make-rslave",
    RPRIVATE = "--make-rprivate",
    RUNBINDABLE = "--make-runbindable",
    "-F" => ignored,
    "-n" => ignored,
    "-s" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Long options that stand for an option of `-o`.
const AS_OPTION: Names = names! {
    "ro" = READ_ONLY.0, "rw" = READ_WRITE.0, "bind" = BIND.0, "rbind" = RBIND.0, "move" = MOVE.0, "shared" = SHARED.0, "slave" = SLAVE.0, "private" = PRIVATE.0, "unbindable" = UNBINDABLE.0, "rshared" = RSHARED.0, "rslave" = RSLAVE.0, "rprivate" = RPRIVATE.0, "runbindable" = RUNBINDABLE.0,
};

/// How a mount is to be made.
pub struct Plan<'a> {
    /// Do all but the mount.
    pub fake: bool,
    /// Say what is done.
    pub verbose: bool,
    /// Let /sbin/mount.TYPE do what the kernel alone cannot.
    pub helpers: bool,
    /// The types of `-t`.
    pub types: Option<&'a [u8]>,
    /// Options of the command line, which come after those of fstab.
    pub options: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 2)?;
    let plan = Plan {
        fake: args.has(FAKE),
        verbose: args.has(VERBOSE),
        helpers: !args.has(INTERNAL),
        types: args.value(TYPES),
        options: command_line_options(args),
    };
    let fstab = args.value(FSTAB).unwrap_or(b"/etc/fstab");
    if args.has(ALL) {
        return mount_all(env, &plan, fstab, args.value(TEST_OPTIONS));
    }
    match *operands {
        [] => list(env, plan.types),
        [one] => mount_known(env, &plan, one, fstab),
        [source, target] => {
            let kind = plan.types.unwrap_or(b"auto").to_vec();
            let mount = Mount { source: source.to_vec(), target: target.to_vec(), kind, ..Mount::default() };
            attach(env, &plan, mount)
        }
        _ => Err(Error::usage()),
    }
}

fn command_line_options(args: &Args<'_>) -> Vec<u8> {
    let mut options = Vec::new();
    for (option, value) in args.found() {
        let named = AS_OPTION.name_of(option.0.into()).map(str::as_bytes);
        let word = if *option == OPTIONS { *value } else { named };
        add_options(&mut options, word.unwrap_or_default());
    }
    options
}

fn list(env: &mut Env, types: Option<&[u8]>) -> Outcome {
    for mount in mounts::read(b"/proc/mounts")? {
        // The kernel's own first root, which is not a mount of the user.
        if mount.source == b"rootfs" || !is_wanted_kind(&mount.kind, types) {
            continue;
        }
        let parts = [&mount.source[..], b" on ", &mount.target, b" type ", &mount.kind, b" (", &mount.options, b")\n"];
        env.stdout.write(&parts.concat())?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Mounts the entry that has `word` as device or directory: of what is mounted for a remount, else of fstab.
fn mount_known(env: &mut Env, plan: &Plan<'_>, word: &[u8], fstab: &[u8]) -> Outcome {
    let (flags, _) = split_options(&plan.options);
    if flags & PROPAGATION != 0 {
        let mount = Mount { source: b"none".to_vec(), target: word.to_vec(), ..Mount::default() };
        return attach(env, plan, mount);
    }
    let table = if flags & REMOUNT != 0 { b"/proc/mounts" } else { fstab };
    let path = mounts::real_path(word);
    let matches = |mount: &Mount| mount.source == word || mount.target == word || mount.target == path;
    let found = mounts::read(table)?.into_iter().rev().find(matches);
    let Some(mut mount) = found else { return Err(Error::parts(&[b"can't find ", word, b" in ", table])) };
    if flags & REMOUNT != 0 {
        // What the kernel shows of the filesystem's own options need not be what it takes.
        mount.options =
            mount.options.split(|&byte| byte == b',').filter(|word| is_flag(word)).collect::<Vec<_>>().join(&b',');
    }
    attach(env, plan, mount)
}

/// Mounts what fstab lists. The status is the number of those that failed.
fn mount_all(env: &mut Env, plan: &Plan<'_>, fstab: &[u8], wanted: Option<&[u8]>) -> Outcome {
    let mounted = mounts::read(b"/proc/mounts").unwrap_or_default();
    let mut failed = 0u8;
    for mount in mounts::read(fstab)? {
        let has_wanted = |mount: &Mount| wanted.is_none_or(|list| mounts::has_options(mount, list));
        let skip = mount.has_option(b"noauto")
            || mount.has_option(b"swap")
            || mount.kind == b"swap"
            || mount.kind == b"ignore";
        if skip || !is_wanted_kind(&mount.kind, plan.types) || !has_wanted(&mount) {
            continue;
        }
        let remount = split_options(&plan.options).0 & REMOUNT != 0;
        // Whatever is mounted on the directory stays there.
        if !remount && mounted.iter().any(|other| other.target == mount.target) {
            continue;
        }
        let may_fail = mount.has_option(b"nofail");
        match attach(env, plan, mount) {
            Ok(ExitStatus::SUCCESS) => {}
            Err(error) if may_fail && error.errno() == Some(Errno::NOENT) => {}
            Ok(_) => failed = failed.saturating_add(1),
            Err(error) => {
                env.warn(error);
                failed = failed.saturating_add(1);
            }
        }
    }
    Ok(ExitStatus(failed))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn a_word_that_is_in_no_table_is_an_error() {
        let ran = try_call(APPLET, &["mount", "-T", "/dev/null", "/nowhere"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "mount: can't find /nowhere in /dev/null\n"));
    }
}
