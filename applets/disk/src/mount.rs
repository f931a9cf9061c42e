//! `mount`: attach filesystems (mount(2), fstab(5)).

use std::ffi::CString;

use rbox_core::call;
use rbox_core::io::Input;
use rbox_core::mounts::{self, Mount, is_wanted_kind};
use rbox_core::prelude::*;
use rbox_core::sys::mount::MountFlags;
use rbox_core::sys::{Errno, fs, mount};

options! {
    "[OPTIONS] [-o OPTION[,OPTION]...] [DEVICE] [FOLDER]

Mount a filesystem; without operands, list what is mounted. What is missing of
DEVICE and FOLDER is taken from /etc/fstab.

  -a, --all           Mount all filesystems of fstab that are not noauto
  -f, --fake          Do all but the mount itself
  -i, --internal-only Do not run /sbin/mount.TYPE
  -n, --no-mtab       Do not write /etc/mtab (it is never written)
  -r, --read-only     As -o ro
  -w, --rw, --read-write  As -o rw
  -v, --verbose       Say what is done
  -t, --types=TYPE[,TYPE]...  Type of the filesystem; noTYPE excludes with -a
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
defaults [no]auto [no]user nofail _netdev; others are the filesystem's own.";
    ALL = "-a",
    FAKE = "-f",
    INTERNAL = "-i",
    NO_MTAB = "-n",
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
const AS_OPTION: &[(Opt, &str)] = &[
    (READ_ONLY, "ro"), (READ_WRITE, "rw"), (BIND, "bind"), (RBIND, "rbind"), (MOVE, "move"), (SHARED, "shared"),
    (SLAVE, "slave"), (PRIVATE, "private"), (UNBINDABLE, "unbindable"), (RSHARED, "rshared"), (RSLAVE, "rslave"),
    (RPRIVATE, "rprivate"), (RUNBINDABLE, "runbindable"),
];

const READ_ONLY_FLAG: u32 = 1;
const REMOUNT: u32 = 1 << 5;
const BIND_FLAG: u32 = 1 << 12;
const MOVE_FLAG: u32 = 1 << 13;
const BELOW: u32 = 1 << 14;
const PROPAGATION: u32 = 0xf << 17;

/// The options that are flags of `mount(2)`: the bits, and whether they are set or cleared.
const FLAGS: &[(&str, u32, bool)] = &[
    ("ro", 1, true), ("rw", 1, false), ("nosuid", 2, true), ("suid", 2, false), ("nodev", 4, true), ("dev", 4, false),
    ("noexec", 8, true), ("exec", 8, false), ("sync", 16, true), ("async", 16, false), ("remount", REMOUNT, true),
    ("mand", 64, true), ("nomand", 64, false), ("dirsync", 128, true), ("noatime", 1 << 10, true),
    ("atime", 1 << 10, false), ("nodiratime", 1 << 11, true), ("diratime", 1 << 11, false), ("bind", BIND_FLAG, true),
    ("rbind", BIND_FLAG | BELOW, true), ("move", MOVE_FLAG, true), ("silent", 1 << 15, true), ("loud", 1 << 15, false),
    ("unbindable", 1 << 17, true), ("private", 1 << 18, true), ("slave", 1 << 19, true), ("shared", 1 << 20, true),
    ("runbindable", 1 << 17 | BELOW, true), ("rprivate", 1 << 18 | BELOW, true), ("rslave", 1 << 19 | BELOW, true),
    ("rshared", 1 << 20 | BELOW, true), ("relatime", 1 << 21, true), ("norelatime", 1 << 21, false),
    ("strictatime", 1 << 24, true), ("nostrictatime", 1 << 24, false), ("lazytime", 1 << 25, true),
    ("nolazytime", 1 << 25, false),
    // These are for mount -a, for users and for other programs, not for the kernel.
    ("defaults", 0, true), ("auto", 0, true), ("noauto", 0, true), ("user", 0, true), ("nouser", 0, true),
    ("users", 0, true), ("owner", 0, true), ("group", 0, true), ("nofail", 0, true), ("_netdev", 0, true),
];

/// How a mount is to be made.
struct Plan<'a> {
    fake: bool,
    verbose: bool,
    helpers: bool,
    types: Option<&'a [u8]>,
    /// Options of the command line, which come after those of fstab.
    options: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 2)?;
    // Nothing writes /etc/mtab, and mounts are made one after the other: BusyBox documents both as no promise.
    let _ = (args.has(NO_MTAB), args.has(FORK));
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
        let named = AS_OPTION.iter().find(|(other, _)| other == option).map(|(_, name)| name.as_bytes());
        let word = if *option == OPTIONS { *value } else { named };
        add_options(&mut options, word.unwrap_or_default());
    }
    options
}

fn add_options(list: &mut Vec<u8>, more: &[u8]) {
    if !list.is_empty() && !more.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(more);
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

/// Mounts the entry that has `word` as device or folder: of what is mounted for a remount, else of fstab.
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
        let is_flag = |word: &&[u8]| FLAGS.iter().any(|(name, ..)| name.as_bytes() == *word);
        mount.options = mount.options.split(|&byte| byte == b',').filter(is_flag).collect::<Vec<_>>().join(&b',');
    }
    attach(env, plan, mount)
}

fn mount_all(env: &mut Env, plan: &Plan<'_>, fstab: &[u8], wanted: Option<&[u8]>) -> Outcome {
    let mounted = mounts::read(b"/proc/mounts").unwrap_or_default();
    let mut status = ExitStatus::SUCCESS;
    for mount in mounts::read(fstab)? {
        let has_wanted = |mount: &Mount| {
            wanted.is_none_or(|list| {
                list.split(|&byte| byte == b',').all(|word| match word.strip_prefix(b"no") {
                    Some(word) => !mount.has_option(word),
                    None => mount.has_option(word),
                })
            })
        };
        let skip = mount.has_option(b"noauto") || mount.has_option(b"swap") || mount.kind == b"swap" || mount.kind == b"ignore";
        if skip || !is_wanted_kind(&mount.kind, plan.types) || !has_wanted(&mount) {
            continue;
        }
        let remount = split_options(&plan.options).0 & REMOUNT != 0;
        let is_mounted = |other: &Mount| other.target == mount.target && (other.source == mount.source || mount.target == b"/");
        if !remount && mounted.iter().any(is_mounted) {
            continue;
        }
        let may_fail = mount.has_option(b"nofail");
        match attach(env, plan, mount) {
            Ok(done) => status.worsen(done),
            Err(error) if may_fail && error.errno() == Some(Errno::NOENT) => {}
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    Ok(status)
}

/// The flags of `mount(2)` that the words of `options` mean, and the words that are the filesystem's own.
fn split_options(options: &[u8]) -> (u32, Vec<u8>) {
    let (mut flags, mut data) = (0, Vec::new());
    for word in options.split(|&byte| byte == b',').filter(|word| !word.is_empty()) {
        match FLAGS.iter().find(|(name, ..)| name.as_bytes() == word) {
            Some((_, bits, true)) => flags |= bits,
            Some((_, bits, false)) => flags &= !bits,
            // BusyBox and util-linux keep comments for other programs in the list.
            None if word.starts_with(b"comment=") || word.starts_with(b"x-") => {}
            None => add_options(&mut data, word),
        }
    }
    (flags, data)
}

/// Makes one mount, first of the types tried that the kernel takes.
fn attach(env: &mut Env, plan: &Plan<'_>, mut mount: Mount) -> Outcome {
    add_options(&mut mount.options, &plan.options);
    let (flags, data) = split_options(&mount.options);
    let no_type = flags & (BIND_FLAG | MOVE_FLAG | REMOUNT | PROPAGATION) != 0;
    let kinds = if no_type {
        vec![mount.kind.clone()]
    } else if mount.kind == b"auto" || mount.kind.is_empty() {
        kernel_types()
    } else {
        mount.kind.split(|&byte| byte == b',').map(<[u8]>::to_vec).collect()
    };
    let mut last = Errno::NODEV;
    for kind in &kinds {
        if plan.verbose {
            let parts = [b"mount: mount('", &mount.source[..], b"','", &mount.target, b"','", kind, b"','", &data, b"')\n"];
            env.stderr.write(&parts.concat())?;
        }
        let result = if plan.fake { Ok(()) } else { attach_writable_or_not(env, &mount, kind, flags, &data) };
        match result {
            Ok(()) => return Ok(ExitStatus::SUCCESS),
            Err(errno) => last = errno,
        }
        if !matches!(last, Errno::INVAL | Errno::NODEV) {
            break;
        }
    }
    if plan.helpers && !no_type && kinds.len() == 1 {
        let helper = [b"/sbin/mount.", &kinds[0][..]].concat();
        if fs::access(&helper[..], fs::Access::EXEC_OK).is_ok() {
            return call::pass_on(call::run(env, &[&helper, &mount.source, &mount.target, b"-o", &mount.options])?);
        }
    }
    if last == Errno::PERM && !rbox_core::sys::process::geteuid().is_root() {
        return Err(Error::new("permission denied (are you root?)"));
    }
    Err(Error::on([b"mounting ", &mount.source[..], b" on ", &mount.target, b" failed"].concat(), last).with_status(255))
}

/// A medium that cannot be written is mounted read-only, with a word about it.
fn attach_writable_or_not(env: &mut Env, mount: &Mount, kind: &[u8], flags: u32, data: &[u8]) -> core::result::Result<(), Errno> {
    match system_mount(mount, kind, flags, data) {
        Err(Errno::ACCESS | Errno::ROFS) if flags & (READ_ONLY_FLAG | BIND_FLAG | REMOUNT) == 0 => {
            let parts = [&env.name[..], b": ", &mount.source, b" is write-protected, mounting read-only\n"];
            let _ = env.stderr.write(&parts.concat());
            system_mount(mount, kind, flags | READ_ONLY_FLAG, data)
        }
        result => result,
    }
}

fn system_mount(mount: &Mount, kind: &[u8], flags: u32, data: &[u8]) -> core::result::Result<(), Errno> {
    let data = CString::new(data).map_err(|_| Errno::INVAL)?;
    let call = |flags: u32| {
        mount::mount(&mount.source[..], &mount.target[..], kind, MountFlags::from_bits_retain(flags), Some(data.as_c_str()))
    };
    // mount(2): a change of propagation goes alone, and a bind mount takes its other flags only in a remount.
    let change = flags & PROPAGATION;
    let first = flags & !PROPAGATION;
    if change == 0 || first & !BELOW != 0 {
        call(first)?;
        let extra = first & !(BIND_FLAG | BELOW | REMOUNT | 1 << 15);
        if first & BIND_FLAG != 0 && first & REMOUNT == 0 && extra != 0 {
            call(first | REMOUNT)?;
        }
    }
    if change != 0 { call(change | flags & BELOW) } else { Ok(()) }
}

/// The types of filesystems on devices that the kernel knows: /etc/filesystems, /proc/filesystems.
fn kernel_types() -> Vec<Vec<u8>> {
    let mut kinds = Vec::new();
    for path in [&b"/etc/filesystems"[..], b"/proc/filesystems"] {
        let Ok(mut input) = Input::open(path) else { continue };
        while let Ok(Some(line)) = input.line() {
            let kind = line.trim_ascii();
            // The others are marked `nodev`.
            if !kind.is_empty() && !kind.starts_with(b"nodev") && !kind.starts_with(b"#") && !kind.starts_with(b"*") {
                kinds.push(kind.to_vec());
            }
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::{APPLET, split_options};

    #[test]
    fn options_are_flags_or_the_filesystems_own() {
        assert_eq!(split_options(b"ro,nosuid,mode=755,size=1m"), (3, b"mode=755,size=1m".to_vec()));
        assert_eq!(split_options(b"ro,rw,defaults,noauto"), (0, Vec::new()));
        assert_eq!(split_options(b"rbind"), (0x5000, Vec::new()));
    }

    #[test]
    fn a_word_that_is_in_no_table_is_an_error() {
        let ran = try_call(APPLET, &["mount", "-T", "/dev/null", "/nowhere"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "mount: can't find /nowhere in /dev/null\n"));
    }
}
