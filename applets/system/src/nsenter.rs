//! `nsenter`: run a program in the namespaces of another process (setns(2)).

use rbox_core::call;
use rbox_core::number::parse_in_range;
use rbox_core::options::Opt;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::thread::set_thread_groups;
use rbox_core::sys::{AsFd, OwnedFd, fs, namespace, process};
use rbox_core::text;
use rbox_core::users::become_ids;

options! {
    "[OPTION]... [PROG [ARG]...]

Run PROG, or a shell, in the namespaces of PID or of FILEs.

  -t, --target=PID           Take the namespaces of PID
  -a, --all                  Enter all namespaces
  -m[FILE], --mount[=FILE]   Enter the mount namespace
  -u[FILE], --uts[=FILE]     Enter the UTS namespace
  -i[FILE], --ipc[=FILE]     Enter the IPC namespace
  -n[FILE], --net[=FILE]     Enter the network namespace
  -p[FILE], --pid[=FILE]     Enter the PID namespace
  -U[FILE], --user[=FILE]    Enter the user namespace
  -C[FILE], --cgroup[=FILE]  Enter the cgroup namespace
  -T[FILE], --time[=FILE]    Enter the time namespace
  -S, --setuid=UID           Set the UID
  -G, --setgid=GID           Set the GID
      --preserve-credentials  Keep UID and GID
  -r[DIR], --root[=DIR]      Set the root directory (PID's)
  -w[DIR], --wd[=DIR]        Set the working directory (PID's)
  -F, --no-fork              Do not fork before running PROG";
    TARGET = "-t",
    ALL = "-a",
    MOUNT = "-m",
    UTS = "-u",
    IPC = "-i",
    NET = "-n",
    PID = "-p",
    USER = "-U",
    CGROUP = "-C",
    TIME = "-T",
    SET_UID = "-S",
    SET_GID = "-G",
    PRESERVE = "--preserve-credentials",
    ROOT = "-r",
    DIRECTORY = "-w",
    NO_FORK = "-F",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// The option of a kind of namespace, its flag, and its file in /proc/PID/ns. The user namespace is the first: it gives the
/// right to enter others. The mount namespace is the last: it changes what paths mean.
const fn kind(number: usize) -> (Opt, i32, &'static str) {
    match number {
        0 => (USER, namespace::USER, "user"),
        1 => (CGROUP, namespace::CGROUP, "cgroup"),
        2 => (IPC, namespace::IPC, "ipc"),
        3 => (UTS, namespace::UTS, "uts"),
        4 => (NET, namespace::NET, "net"),
        5 => (PID, namespace::PID, "pid"),
        6 => (TIME, namespace::TIME, "time"),
        _ => (MOUNT, namespace::MOUNT, "mnt"),
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let id = |option| args.value(option).map(|word| parse_in_range(word, 0, u32::MAX.into())).transpose();
    let (uid, gid) = (id(SET_UID)?, id(SET_GID)?);
    let target = args.value(TARGET).map(|word| parse_in_range(word, 1, i32::MAX as u64)).transpose()?;
    let of_target = |name: &str| match target {
        Some(pid) => Ok(text!("/proc/", pid, "/", name)),
        None => Err(Error::usage_because(&[b"neither filename nor target pid supplied for ", name.as_bytes()])),
    };
    let open_as = |option, name: &str, flags: OFlags| -> Result<OwnedFd> {
        let path = args.value(option).map_or_else(|| of_target(name), |path| Ok(path.to_vec()))?;
        let file = fs::open(&path, flags | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        file.map_err(|errno| Error::cannot("open", &path, errno))
    };
    // All are opened before the first one is entered.
    let mut files = Vec::new();
    for (option, flag, name) in (0..8).map(kind) {
        if args.has(option) || args.has(ALL) && !is_own(&of_target(&text_of("ns/", name))?, name) {
            files.push((open_as(option, &text_of("ns/", name), OFlags::empty())?, flag, name));
        }
    }
    let directory = |option, name| args.has(option).then(|| open_as(option, name, OFlags::DIRECTORY)).transpose();
    let (root, here) = (directory(ROOT, "root")?, directory(DIRECTORY, "cwd")?);
    for (file, flag, name) in &files {
        namespace::enter(file.as_fd(), *flag).map_err(|errno| Error::on(text!("setns: ", *name), errno))?;
    }
    if let Some(root) = root {
        process::fchdir(&root).and_then(|()| process::chroot(".")).map_err(|errno| Error::on("chroot", errno))?;
        process::chdir("/")?;
    }
    if let Some(here) = here {
        process::fchdir(&here).map_err(|errno| Error::on("chdir", errno))?;
    }
    env.stdout.flush()?;
    let entered = |flag| files.iter().any(|(_, other, _)| *other == flag);
    let in_users = entered(namespace::USER) && !args.has(PRESERVE);
    let default = in_users.then_some(0);
    let (uid, gid) = (uid.or(default).map(|uid| uid as u32), gid.or(default).map(|gid| gid as u32));
    let become_other = || {
        if gid.is_some() {
            // A namespace may forbid it.
            let _ = set_thread_groups(&[]);
        }
        become_ids(uid, gid, None)
    };
    // The process that enters a PID namespace is not in it itself; its children are.
    if entered(namespace::PID) && !args.has(NO_FORK) {
        let pid = process::fork_run(|| match become_other() {
            Ok(()) => replace(env, args).0,
            Err(error) => env.warn(error).0,
        });
        return call::pass_on(process::wait_for(pid.map_err(|errno| Error::on("can't fork", errno))?)?);
    }
    become_other()?;
    Ok(replace(env, args))
}

fn text_of(lead: &str, name: &str) -> String {
    [lead, name].concat()
}

/// The namespace is the process's own, which cannot be entered again (a user namespace), or need not.
fn is_own(path: &[u8], name: &str) -> bool {
    match (fs::stat(path), fs::stat(text!("/proc/self/ns/", name))) {
        (Ok(theirs), Ok(own)) => (theirs.st_dev, theirs.st_ino) == (own.st_dev, own.st_ino),
        // A kernel without this kind.
        _ => true,
    }
}

fn replace(env: &mut Env, args: &Args<'_>) -> ExitStatus {
    let shell = env.shell();
    match args.operands() {
        [] => call::replace(env, &[&shell]),
        operands => call::replace(env, operands),
    }
}
