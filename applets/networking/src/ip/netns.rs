//! `ip netns`: network namespaces with names, which are mounts in /var/run/netns (ip-netns(8)).

use rbox_core::call;
use rbox_core::files::{self, id};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::processes;
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, unmount,
};
use rbox_core::sys::{AsFd, Errno, namespace, process};
use rbox_core::text;

use super::record::Record;
use super::{NAMESPACES, Show, is, namespace_path, open_namespace};

pub fn run(env: &mut Env, show: Show, words: &[&[u8]]) -> Outcome {
    match words {
        [] => list(env, show)?,
        [word] if is(word, "list") || is(word, "show") || *word == b"ls" => list(env, show)?,
        [word, name] if is(word, "add") => add(name, None)?,
        [word, name, pid] if word.len() > 1 && is(word, "attach") => {
            add(name, Some(parse_in_range(pid, 1, i32::MAX as u64)?))?;
        }
        [word, names @ ..] if is(word, "delete") && !names.is_empty() => {
            names.iter().try_for_each(|name| delete(name))?;
        }
        [word, name, command @ ..] if is(word, "exec") && !command.is_empty() => {
            return execute(env, show, name, command);
        }
        [word, pid @ ..] if is(word, "identify") && pid.len() < 2 => identify(env, pid.first().copied())?,
        [word, name] if is(word, "pids") => list_processes(env, name)?,
        [word, ..] => return Err(Error::parts(&[b"command \"", word, b"\" is unknown or not complete"])),
    }
    Ok(ExitStatus::SUCCESS)
}

/// The names, sorted; none where the directory does not exist.
fn names() -> Result<Vec<Vec<u8>>> {
    let entries = match files::list_at(NAMESPACES.as_bytes()) {
        Err(Errno::NOENT) => return Ok(Vec::new()),
        entries => entries.map_err(|errno| Error::on(NAMESPACES, errno))?,
    };
    let mut names: Vec<Vec<u8>> = entries.into_iter().map(|entry| entry.name).collect();
    names.sort();
    Ok(names)
}

fn list(env: &mut Env, show: Show) -> Result<()> {
    let mut record = Record::new(show);
    for name in names()? {
        record.open("", b'{');
        record.word("", "name", &name);
        record.text("\n");
        record.close(b'}');
    }
    record.finish(env)
}

/// Names a new namespace, or that of a process.
fn add(name: &[u8], pid: Option<u64>) -> Result<()> {
    let path = namespace_path(name)?;
    prepare_directory().map_err(|errno| Error::on(NAMESPACES, errno))?;
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let failed = |errno| Error::on(text!("cannot create namespace file \"", &path, "\""), errno);
    fs::open(&path, flags, Mode::empty()).map(drop).map_err(failed)?;
    let bound = match pid {
        Some(pid) => mount_bind(text!("/proc/", pid, "/ns/net"), &path),
        None => bind_new(&path),
    };
    bound.map_err(|errno| {
        // The name would lead nowhere.
        let _ = fs::unlink(&path);
        failed(errno)
    })
}

/// A child makes the namespace: this process stays where it is.
fn bind_new(path: &[u8]) -> core::result::Result<(), Errno> {
    let pid = process::fork_run(|| {
        let bound = namespace::unshare(namespace::NET).and_then(|()| mount_bind("/proc/self/ns/net", path));
        bound.map_or_else(|errno| errno.raw_os_error() as u8, |()| 0)
    })?;
    match process::wait_for(pid)?.status() {
        0 => Ok(()),
        errno => Err(Errno::from_raw_os_error(errno.into())),
    }
}

/// Names that are added or deleted in one mount namespace are so in those that share the directory (ip-netns(8)).
fn prepare_directory() -> core::result::Result<(), Errno> {
    match fs::mkdir(NAMESPACES, Mode::from_raw_mode(0o755)) {
        Err(Errno::EXIST) => {}
        made => made?,
    }
    let share = || mount_change(NAMESPACES, MountPropagationFlags::SHARED | MountPropagationFlags::REC);
    match share() {
        // It is no mount point yet.
        Err(Errno::INVAL) => mount_bind(NAMESPACES, NAMESPACES).and_then(|()| share()),
        shared => shared,
    }
}

fn delete(name: &[u8]) -> Result<()> {
    let path = namespace_path(name)?;
    // A file that is no mount has outlived its namespace.
    let _ = unmount(&path, UnmountFlags::DETACH);
    fs::unlink(&path).map_err(|errno| Error::on(text!("cannot remove namespace file \"", &path, "\""), errno))
}

/// Runs a command in a namespace, with its own /sys, and its own files of /etc.
fn execute(env: &mut Env, show: Show, name: &[u8], command: &[&[u8]]) -> Outcome {
    env.stdout.flush()?;
    if show.in_batch {
        // Further commands follow this one.
        let pid = process::fork_run(|| match enter(name) {
            Ok(()) => call::replace(env, command).0,
            Err(error) => env.warn(error).0,
        });
        return call::pass_on(process::wait_for(pid.map_err(|errno| Error::on("can't fork", errno))?)?);
    }
    enter(name)?;
    Ok(call::replace(env, command))
}

fn enter(name: &[u8]) -> Result<()> {
    let file = open_namespace(name)?;
    namespace::enter(file.as_fd(), namespace::NET).map_err(|errno| Error::on(name, errno))?;
    namespace::unshare(namespace::MOUNT).map_err(|errno| Error::on("unshare", errno))?;
    let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", slave).map_err(|errno| Error::on("can't change filesystem propagation", errno))?;
    // The old one shows the interfaces of the old namespace. There may be none.
    let _ = unmount("/sys", UnmountFlags::DETACH);
    mount(name, "/sys", "sysfs", MountFlags::empty(), None)
        .map_err(|errno| Error::on("mount of /sys failed", errno))?;
    let own = text!("/etc/netns/", name);
    // Most namespaces have no files of their own.
    for entry in files::list_at(&own).unwrap_or_default() {
        let target = text!("/etc/", &entry.name);
        mount_bind(text!(&own, "/", &entry.name), &target).map_err(|errno| Error::on(target, errno))?;
    }
    Ok(())
}

/// Prints the names of the namespace of a process, which is this one where no other is given.
fn identify(env: &mut Env, pid: Option<&[u8]>) -> Result<()> {
    let path = match pid {
        Some(word) => text!("/proc/", parse_in_range(word, 1, i32::MAX as u64)?, "/ns/net"),
        None => b"/proc/self/ns/net".to_vec(),
    };
    let own = fs::stat(&path).map_err(|errno| Error::on(path, errno))?;
    for name in names()? {
        if fs::stat(namespace_path(&name)?).is_ok_and(|stat| id(&stat) == id(&own)) {
            env.stdout.write(&text!(&name, "\n"))?;
        }
    }
    Ok(())
}

fn list_processes(env: &mut Env, name: &[u8]) -> Result<()> {
    let file = open_namespace(name)?;
    let own = fs::fstat(&file).map_err(|errno| Error::on(name, errno))?;
    for pid in processes::all()? {
        // It may have ended.
        if fs::stat(text!("/proc/", pid as u32, "/ns/net")).is_ok_and(|stat| id(&stat) == id(&own)) {
            env.stdout.write(&text!(pid as u32, "\n"))?;
        }
    }
    Ok(())
}
