//! One mount: its source found, its loop device made, its types tried.

use std::ffi::CString;

use rbox_core::io::Input;
use rbox_core::mounts::{self, Mount, is_wanted_kind};
use rbox_core::number::{SIZE_SUFFIXES, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::loop_device::View;
use rbox_core::sys::mount::MountFlags;
use rbox_core::sys::{AsFd, Errno, OwnedFd, fs, mount};
use rbox_core::{block, bytes, call};

use super::Plan;
use super::flags::{BELOW, BIND_FLAG, MOVE_FLAG, PROPAGATION, READ_ONLY_FLAG, REMOUNT, add_options, split_options};

/// Makes one mount, first of the types tried that the kernel takes.
pub fn attach(env: &mut Env, plan: &Plan<'_>, mut mount: Mount) -> Outcome {
    add_options(&mut mount.options, &plan.options);
    let (flags, mut data) = split_options(&mount.options);
    let no_type = flags & (BIND_FLAG | MOVE_FLAG | REMOUNT | PROPAGATION) != 0;
    if let Ok(found) = block::find(&mount.source) {
        mount.source = found;
    }
    // The device must stay open until the mount uses it, or it goes free again.
    let mut device = None;
    let mut flags = flags;
    if !no_type {
        let view = take_loop_options(&mut data, flags)?;
        if !plan.fake && is_regular(&mount.source) {
            let attached = attach_loop(&mount.source, view)?;
            (mount.source, device) = (attached.path, Some(attached.device));
            flags |= if attached.read_only { READ_ONLY_FLAG } else { 0 };
        }
    }
    let kinds = if no_type { vec![mount.kind.clone()] } else { kinds(&mount) };
    let result = attach_as(env, plan, &mount, &kinds, flags, &data);
    drop(device);
    let last = match result? {
        Ok(()) => return Ok(ExitStatus::SUCCESS),
        Err(errno) => errno,
    };
    if plan.helpers && !no_type && kinds.len() == 1 {
        let helper = [b"/sbin/mount.", &kinds[0][..]].concat();
        if fs::access(&helper[..], fs::Access::EXEC_OK).is_ok() {
            return call::pass_on(call::run(env, &[&helper, &mount.source, &mount.target, b"-o", &mount.options])?);
        }
    }
    if last == Errno::PERM && !rbox_core::sys::process::geteuid().is_root() {
        return Err(Error::new("permission denied (are you root?)"));
    }
    Err(Error::on([b"mounting ", &mount.source[..], b" on ", &mount.target, b" failed"].concat(), last)
        .with_status(255))
}

/// Tries the types one after the other. The outer failure is that of standard error.
fn attach_as(
    env: &mut Env,
    plan: &Plan<'_>,
    mount: &Mount,
    kinds: &[Vec<u8>],
    flags: u32,
    data: &[u8],
) -> Result<core::result::Result<(), Errno>> {
    let mut last = Errno::NODEV;
    for kind in kinds {
        if plan.verbose {
            let parts =
                [b"mount: mount('", &mount.source[..], b"','", &mount.target, b"','", kind, b"','", data, b"')\n"];
            env.stderr.write(&parts.concat())?;
        }
        let result = if plan.fake { Ok(()) } else { attach_writable_or_not(env, mount, kind, flags, data) };
        match result {
            Ok(()) => return Ok(Ok(())),
            Err(errno) => last = errno,
        }
        if !matches!(last, Errno::INVAL | Errno::NODEV) {
            break;
        }
    }
    Ok(Err(last))
}

/// The types to try: those that are named, or those of devices that the kernel knows, first the one whose superblock
/// is there.
fn kinds(mount: &Mount) -> Vec<Vec<u8>> {
    let list = &mount.kind;
    let mut kinds = kernel_types();
    // A type's own name may begin with `no` as well.
    let first = list.strip_prefix(b"no").and_then(|list| list.split(|&byte| byte == b',').next());
    let excluded = first.is_some_and(|first| kinds.iter().any(|kind| kind == first));
    if list != b"auto" && !list.is_empty() && !excluded {
        return list.split(|&byte| byte == b',').map(<[u8]>::to_vec).collect();
    }
    if excluded {
        kinds.retain(|kind| is_wanted_kind(kind, Some(list)));
    }
    let content = block::open(&mount.source).ok().and_then(|device| block::probe(&device));
    if let Some(content) = content
        && let Some(at) = kinds.iter().position(|kind| kind == content.kind.as_bytes())
    {
        kinds[..=at].rotate_right(1);
    }
    kinds
}

fn is_regular(path: &[u8]) -> bool {
    fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

/// Takes the options out of `data` that are about the loop device.
fn take_loop_options(data: &mut Vec<u8>, flags: u32) -> Result<View> {
    let mut view = View { read_only: flags & READ_ONLY_FLAG != 0, ..View::default() };
    let mut rest = Vec::new();
    for word in data.split(|&byte| byte == b',') {
        let number = |digits| parse_count(digits, SIZE_SUFFIXES);
        match bytes::split_once(word, b'=') {
            // The kernel chooses the free device.
            Some((b"loop", _)) => {}
            None if word == b"loop" => {}
            Some((b"offset", digits)) => view.offset = number(digits)?,
            Some((b"sizelimit", digits)) => view.size_limit = number(digits)?,
            _ => add_options(&mut rest, word),
        }
    }
    *data = rest;
    Ok(view)
}

struct Attached {
    path: Vec<u8>,
    device: OwnedFd,
    read_only: bool,
}

/// A loop device for the file; for reading only where the file cannot be written.
fn attach_loop(path: &[u8], mut view: View) -> Result<Attached> {
    let open = |flags| fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
    let mut file = if view.read_only { open(OFlags::RDONLY) } else { open(OFlags::RDWR) };
    if matches!(file, Err(Errno::ACCESS | Errno::ROFS | Errno::PERM)) {
        view.read_only = true;
        file = open(OFlags::RDONLY);
    }
    let file = file.map_err(|errno| Error::on(path, errno))?;
    let attached = block::attach_loop_device(file.as_fd(), &mounts::real_path(path), view);
    let (path, device) = attached.map_err(|errno| Error::on("can't setup loop device", errno))?;
    Ok(Attached { path, device, read_only: view.read_only })
}

/// A medium that cannot be written is mounted read-only, with a word about it.
fn attach_writable_or_not(
    env: &mut Env,
    mount: &Mount,
    kind: &[u8],
    flags: u32,
    data: &[u8],
) -> core::result::Result<(), Errno> {
    match system_mount(mount, kind, flags, data) {
        Err(Errno::ACCESS | Errno::ROFS) if flags & (READ_ONLY_FLAG | BIND_FLAG | REMOUNT) == 0 => {
            let parts = [&env.name[..], b": ", &mount.source, b" is write-protected, mounting read-only\n"];
            // A dead standard error must not keep a filesystem from being mounted.
            let _ = env.stderr.write(&parts.concat());
            system_mount(mount, kind, flags | READ_ONLY_FLAG, data)
        }
        result => result,
    }
}

fn system_mount(mount: &Mount, kind: &[u8], flags: u32, data: &[u8]) -> core::result::Result<(), Errno> {
    let data = CString::new(data).map_err(|_| Errno::INVAL)?;
    let call = |flags: u32| {
        mount::mount(
            &mount.source[..],
            &mount.target[..],
            kind,
            // The kernel's unsigned long is wider on some processors.
            MountFlags::from_bits_retain(flags as _),
            Some(data.as_c_str()),
        )
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
            // The others have the word `nodev`.
            if !kind.is_empty() && !kind.starts_with(b"nodev") && !kind.starts_with(b"#") && !kind.starts_with(b"*") {
                kinds.push(kind.to_vec());
            }
        }
    }
    kinds
}
