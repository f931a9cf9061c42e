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

Mount a filesystem; without operands, list what is mounted. What is missing of
DEVICE and DIRECTORY is taken from /etc/fstab. DEVICE may be a path, UUID=, LABEL=,
PARTUUID= or PARTLABEL= with a value, or a regular file, which gets a loop device.

  -a, --all           Mount all filesystems of fstab that are not noauto
  -f, --fake          Do all but the mount itself
  -i, --internal-only  Do not run /sbin/mount.TYPE
  -n, --no-mtab       Do not write /etc/mtab (it is never written)
  -s                  Accepted for the sake of NFS; it changes nothing
  -r, --read-only     As -o ro
  -w, --rw, --read-write  As -o rw
  -v, --verbose       Say what is done
  -t, --types=TYPE[,TYPE]...  Types to try; noTYPE excludes; auto is any
  -o, --options=LIST  Options between commas: see below
  -O, --test-opts=LIST  With -a, only those with these options in fstab
  -T, --fstab=FILE    Read FILE instead of /etc/fstab
  -F, --fork          With -a, accepted; mounts are made one by one
      --bind          As -o bind
      --rbind         As -o rbind
      --move          As -o move
      --make-shared     As -o shared
      --make-slave      As -o slave
      --make-private    As -o private
      --make-unbindable  As -o unbindable
      --make-rshared    As -o rshared
      --make-rslave     As -o rslave
      --make-rprivate   As -o rprivate
      --make-runbindable  As -o runbindable

Options: ro rw [a]sync [no]atime [no]diratime [no]relatime [no]strictatime
[no]lazytime [no]dev [no]exec [no]suid [no]mand dirsync silent loud remount
bind rbind move shared slave private unbindable (r before them: with all below)
loop[=DEVICE] offset=BYTES sizelimit=BYTES (for a regular file) defaults [no]auto
[no]user nofail _netdev; others are the filesystem's own.";
    ALL = "-a",
    FAKE = "-f",
    INTERNAL = "-i",
    NO_MTAB = "-n",
    SLOPPY = "-s",
    READ_ONLY = "-r",
    READ_WRITE = "-w",
    VERBOSE = "-v",
    TYPES = "-t",
    OPTIONS = "-o",
    TEST_OPTIONS = "-O",
    FSTAB = "-T",
    FORK = "-F",
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
    /// What `-t` says.
    pub types: Option<&'a [u8]>,
    /// Options of the command line, which come after those of fstab.
    pub options: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 2)?;
    // Nothing writes /etc/mtab, mounts are made one after the other, and -s is for a helper of NFS.
    let _ = (args.has(NO_MTAB), args.has(FORK), args.has(SLOPPY));
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
            let mount = Mount { source: source.to_vec(), target: target.to_vec(), kind, options: Vec::new() };
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
        // The kernel's own first root, which nobody mounted.
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
