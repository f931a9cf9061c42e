//! `unshare`: run a program in namespaces of its own (unshare(2)).

use rbox_core::options::Opt;
use rbox_core::prelude::*;
use rbox_core::signals;
use rbox_core::sys::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::{SIGINT, SIGKILL, SIGTERM};
use rbox_core::sys::{AsFd, fd, fs, namespace, process};
use rbox_core::{call, io, text};

options! {
    "[OPTION]... [PROG [ARG]...]

Run PROG, or a shell, in new namespaces. A namespace is bound to its FILE and
persists.

  -m              Unshare the mount namespace
      --mount[=FILE]
  -u              Unshare the UTS namespace
      --uts[=FILE]
  -i              Unshare the IPC namespace
      --ipc[=FILE]
  -n              Unshare the network namespace
      --net[=FILE]
  -p              Unshare the PID namespace for children
      --pid[=FILE]
  -U              Unshare the user namespace
      --user[=FILE]
  -C              Unshare the cgroup namespace
      --cgroup[=FILE]
  -T              Unshare the time namespace
      --time[=FILE]
  -f, --fork      Fork before running PROG
  -r, --map-root-user  Map the user to root; implies -U
  -c, --map-current-user  Map the user to itself; implies -U
      --kill-child[=SIGNAL]  Kill PROG when unshare dies; implies -f
      --mount-proc[=DIRECTORY]  Mount proc on DIRECTORY (/proc); implies -m
      --propagation=TYPE  slave, shared, private (default) or unchanged
      --setgroups=WORD  allow or deny setgroups(2) in a user namespace
  -R, --root=DIRECTORY  Change the root directory
  -w, --wd=DIRECTORY  Change the working directory";
    MOUNT = "-m",
    MOUNT_FILE = "--mount",
    UTS = "-u",
    UTS_FILE = "--uts",
    IPC = "-i",
    IPC_FILE = "--ipc",
    NET = "-n",
    NET_FILE = "--net",
    PID = "-p",
    PID_FILE = "--pid",
    USER = "-U",
    USER_FILE = "--user",
    CGROUP = "-C",
    CGROUP_FILE = "--cgroup",
    TIME = "-T",
    TIME_FILE = "--time",
    FORK = "-f",
    MAP_ROOT = "-r",
    MAP_CURRENT = "-c",
    KILL_CHILD = "--kill-child",
    MOUNT_PROC = "--mount-proc",
    PROPAGATION = "--propagation",
    SETGROUPS = "--setgroups",
    ROOT = "-R",
    DIRECTORY = "-w",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// The options of a kind of namespace, its flag, and its file in /proc/PID/ns.
const fn kind(number: usize) -> ([Opt; 2], i32, &'static str) {
    match number {
        0 => ([USER, USER_FILE], namespace::USER, "user"),
        1 => ([MOUNT, MOUNT_FILE], namespace::MOUNT, "mnt"),
        2 => ([UTS, UTS_FILE], namespace::UTS, "uts"),
        3 => ([IPC, IPC_FILE], namespace::IPC, "ipc"),
        4 => ([NET, NET_FILE], namespace::NET, "net"),
        5 => ([PID, PID_FILE], namespace::PID, "pid_for_children"),
        6 => ([CGROUP, CGROUP_FILE], namespace::CGROUP, "cgroup"),
        _ => ([TIME, TIME_FILE], namespace::TIME, "time_for_children"),
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut kinds, mut files) = (0, Vec::new());
    for (options, flag, name) in (0..8).map(kind) {
        if options.iter().any(|option| args.has(*option)) {
            kinds |= flag;
        }
        files.extend(args.value(options[1]).map(|path| (path, name)));
    }
    if args.has(MAP_ROOT) || args.has(MAP_CURRENT) {
        kinds |= namespace::USER;
    }
    if args.has(MOUNT_PROC) {
        kinds |= namespace::MOUNT;
    }
    let propagation = match args.value(PROPAGATION) {
        None | Some(b"private") => Some(MountPropagationFlags::PRIVATE),
        Some(b"slave") => Some(MountPropagationFlags::DOWNSTREAM),
        Some(b"shared") => Some(MountPropagationFlags::SHARED),
        Some(b"unchanged") => None,
        Some(other) => return Err(Error::parts(&[b"unrecognized: propagation=", other])),
    };
    let setgroups = match args.value(SETGROUPS) {
        None | Some(b"allow" | b"deny") => args.value(SETGROUPS),
        Some(other) => return Err(Error::parts(&[b"unrecognized: setgroups=", other])),
    };
    let ids = (process::geteuid().as_raw(), process::getegid().as_raw());
    let holder = if files.is_empty() { None } else { Some(Holder::start(&files)?) };
    namespace::unshare(kinds).map_err(|errno| Error::on("unshare", errno))?;
    if let Some(holder) = holder {
        holder.finish()?;
    }
    map_users(args, setgroups, ids)?;
    if kinds & namespace::MOUNT != 0
        && let Some(flags) = propagation
    {
        let flags = flags | MountPropagationFlags::REC;
        mount_change("/", flags).map_err(|errno| Error::on("can't change filesystem propagation", errno))?;
    }
    env.stdout.flush()?;
    if args.has(FORK) || args.has(KILL_CHILD) {
        let signal = match args.value(KILL_CHILD) {
            Some(word) => signals::number_of(word).ok_or_else(|| Error::parts(&[b"unknown signal: ", word]))?,
            None => SIGKILL,
        };
        // The child decides; the parent only waits for it.
        let before = [SIGINT, SIGTERM].map(|signal| (signal, signal::set(signal, Disposition::Ignore)));
        let pid = process::fork_run(|| {
            for (signal, before) in before {
                if let Ok(before) = before {
                    // The kernel refuses no disposition that it returned.
                    let _ = signal::set(signal, before);
                }
            }
            let death = process::Signal::from_named_raw(signal);
            if args.has(KILL_CHILD)
                && let Err(errno) = process::set_parent_process_death_signal(death)
            {
                return env.warn(Error::on("prctl", errno)).0;
            }
            finish(env, args).0
        });
        let pid = pid.map_err(|errno| Error::on("can't fork", errno))?;
        let change = process::wait_for(pid)?;
        if let process::Change::Signaled(signal) = change {
            // The parent must see what the child died of; a signal that is blocked or cannot be set
            // leaves the status below.
            let _ = signal::set(signal, Disposition::Default);
            let _ = signal::kill(process::getpid().as_raw_nonzero().get(), signal);
        }
        return call::pass_on(change);
    }
    Ok(finish(env, args))
}

/// Mounts /proc, changes root and directory, and becomes the program.
fn finish(env: &mut Env, args: &Args<'_>) -> ExitStatus {
    match prepare(args) {
        Ok(()) => {}
        Err(error) => return env.warn(error),
    }
    let shell = env.shell();
    match args.operands() {
        [] => call::replace(env, &[&shell]),
        operands => call::replace(env, operands),
    }
}

fn prepare(args: &Args<'_>) -> Result<()> {
    if let Some(root) = args.value(ROOT) {
        process::chroot(root).map_err(|errno| Error::cannot("change root directory to", root, errno))?;
        process::chdir("/")?;
    }
    if let Some(directory) = args.value(DIRECTORY) {
        process::chdir(directory).map_err(|errno| Error::cannot("change directory to", directory, errno))?;
    }
    if args.has(MOUNT_PROC) {
        let target = args.value(MOUNT_PROC).unwrap_or(b"/proc");
        let failed = |errno| Error::on(text!("can't mount ", target), errno);
        // The mount there may be shared with the outside. EINVAL: the target is no mount point, so it shares nothing.
        if fs::stat(target).is_ok() {
            let _ = mount_change(target, MountPropagationFlags::PRIVATE | MountPropagationFlags::REC);
        }
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::NODEV;
        mount("proc", target, "proc", flags, None).map_err(failed)?;
    }
    Ok(())
}

/// user_namespaces(7): the maps may be written once, that of groups only where setgroups is denied.
fn map_users(args: &Args<'_>, setgroups: Option<&[u8]>, (uid, gid): (u32, u32)) -> Result<()> {
    let (inner_uid, inner_gid) = match args.last_of(&[MAP_ROOT, MAP_CURRENT]) {
        Some(MAP_ROOT) => (0, 0),
        Some(_) => (uid, gid),
        None => return setgroups.map_or(Ok(()), |word| write("/proc/self/setgroups", word)),
    };
    if setgroups == Some(b"allow") {
        return Err(Error::new("options --setgroups=allow and --map-root-user are mutually exclusive"));
    }
    write("/proc/self/setgroups", b"deny")?;
    write("/proc/self/uid_map", &text!(inner_uid, " ", uid, " 1"))?;
    write("/proc/self/gid_map", &text!(inner_gid, " ", gid, " 1"))
}

fn write(path: &str, content: &[u8]) -> Result<()> {
    let flags = fs::OFlags::WRONLY | fs::OFlags::CLOEXEC;
    let file =
        fs::open(path, flags, fs::Mode::empty()).map_err(|errno| Error::cannot("open", path.as_bytes(), errno))?;
    fd::write(&file, content).map_err(|errno| Error::on(path, errno))?;
    Ok(())
}

/// A child that stays in the old namespaces, where the files are, and mounts the new ones there.
struct Holder {
    pid: i32,
    /// Open until the child may mount.
    go: Option<rbox_core::sys::OwnedFd>,
}

impl Holder {
    fn start(files: &[(&[u8], &str)]) -> Result<Self> {
        let (wait, go) = pipe_with(PipeFlags::CLOEXEC).map_err(|errno| Error::on("can't create pipe", errno))?;
        let parent = process::getpid().as_raw_nonzero().get();
        let mut go = Some(go);
        let pid = process::fork_run(|| {
            // The child's copy: the end of the parent's is the end of the pipe.
            go = None;
            // Nothing comes when the parent has failed.
            if io::read(wait.as_fd(), &mut [0]) != Ok(1) {
                return 1;
            }
            let mounted = files
                .iter()
                .try_for_each(|(path, name)| mount_bind(text!("/proc/", parent as u32, "/ns/", *name), *path));
            mounted.err().map_or(0, |errno| errno.raw_os_error() as u8)
        });
        Ok(Self { pid: pid.map_err(|errno| Error::on("can't fork", errno))?, go })
    }

    fn finish(self) -> Result<()> {
        if let Some(go) = &self.go {
            fd::write(go, b"g")?;
        }
        match process::wait_for(self.pid)?.status() {
            0 => Ok(()),
            errno => Err(Error::on("can't mount namespace", rbox_core::sys::Errno::from_raw_os_error(errno.into()))),
        }
    }
}
