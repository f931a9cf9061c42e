//! `df`: print the disk usage of file systems (POSIX XCU df).

use rbox_core::mounts::{self, Mount};
use rbox_core::number::{human, parse_block};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{StatFs, stat, statfs};
use rbox_core::text::Right;
use rbox_core::{push, text};

options! {
    "[-PkmhHTai] [-B SIZE] [-t TYPE] [FILE]...

Print disk usage of all mounted file systems, or of those that contain each FILE.

  -P, --portability      POSIX format, one line per file system
  -k                     Use blocks of 1024 bytes (default)
  -m                     Use blocks of 1 MiB
  -h, --human-readable   Print sizes as 1.5K, 20.0M
  -B, --block-size=SIZE  Use blocks of SIZE bytes
  -T, --print-type       Print file system types
  -a, --all              Include file systems of 0 blocks
  -t, --type=TYPE        Print file systems of TYPE only
  -i, --inodes           Print inodes, not blocks
  -H                     Same as -h";
    PORTABLE = "-P",
    KILO = "-k",
    MEGA = "-m",
    HUMAN = "-h",
    BLOCK = "-B",
    TYPE = "-T",
    ALL = "-a",
    OF_TYPE = "-t",
    INODES = "-i",
    HUMAN_TOO = "-H",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let unit = match args.last_of(&[KILO, MEGA, HUMAN, HUMAN_TOO, BLOCK]) {
        Some(HUMAN | HUMAN_TOO) => None,
        Some(MEGA) => Some(1 << 20),
        Some(BLOCK) => Some(parse_block(args.value(BLOCK).unwrap_or_default())?),
        // POSIX XCU df: without -k units are 512 bytes where POSIXLY_CORRECT asks for it.
        None if env.vars.get("POSIXLY_CORRECT").is_some() => Some(512),
        _ => Some(1024),
    };
    let all = mounts::read(b"/proc/mounts")?;
    print_title(env, args, unit)?;
    if args.operands().is_empty() {
        let mut status = ExitStatus::SUCCESS;
        for mount in &all {
            status.worsen(match print(env, args, unit, mount, args.has(ALL)) {
                Ok(()) => ExitStatus::SUCCESS,
                Err(error) if error.is_output() => return Err(error),
                Err(error) => env.warn(error),
            });
        }
        return Ok(status);
    }
    env.for_each_operand(args.operands(), &mut |env, path| {
        let mount = holder(&all, path)?;
        print(env, args, unit, mount, true)
    })
}

/// The file system that holds `path`: the last mounted of those on its device, or the device itself.
fn holder<'a>(all: &'a [Mount], path: &[u8]) -> Result<&'a Mount> {
    if let Some(mount) = all.iter().rev().find(|mount| mount.source == path) {
        return Ok(mount);
    }
    let lost = || Error::parts(&[path, b": can't find mount point"]);
    let device = stat(path).map_err(|_| lost())?.st_dev;
    let on_device = |mount: &&Mount| stat(mount.target.as_slice()).is_ok_and(|root| root.st_dev == device);
    all.iter().rev().find(on_device).ok_or_else(lost)
}

fn print_title(env: &mut Env, args: &Args<'_>, unit: Option<u64>) -> Result<()> {
    let mut line = b"Filesystem          ".to_vec();
    if args.has(TYPE) {
        line.extend_from_slice(b" Type      ");
    }
    match (unit, args.has(INODES), args.has(PORTABLE)) {
        (_, true, _) => push!(line, "    Inodes"),
        (None, ..) => push!(line, "      Size"),
        (Some(1024), _, false) => push!(line, " 1K-blocks"),
        (Some(1_048_576), _, false) => push!(line, " 1M-blocks"),
        (Some(unit), _, true) => push!(line, " ", unit, "-blocks"),
        (Some(unit), ..) => push!(line, Right(unit, 4, b' '), "-blocks"),
    }
    let capacity = unit.is_some() && args.has(PORTABLE) && !args.has(INODES);
    push!(line, if capacity { "    Used Available Capacity" } else { "      Used Available Use%" }, " Mounted on\n");
    env.stdout.write(&line)
}

fn print(env: &mut Env, args: &Args<'_>, unit: Option<u64>, mount: &Mount, also_empty: bool) -> Result<()> {
    if args.value(OF_TYPE).is_some_and(|kind| kind != mount.kind) {
        return Ok(());
    }
    let room = statfs(mount.target.as_slice()).map_err(|errno| Error::on(&mount.target, errno))?;
    if room.f_blocks == 0 && !also_empty || mount.kind == b"rootfs" && !args.has(ALL) {
        return Ok(());
    }
    let (total, used, free) = figures(args, &room);
    let percent = if used + free == 0 { 0 } else { (used * 100).div_ceil(used + free) };
    let show = |value: u64| match unit {
        _ if args.has(INODES) => text!(value),
        None => human(value),
        Some(unit) => text!((value + unit / 2) / unit),
    };
    let mut line = mount.source.clone();
    // A long name goes on a line of its own, unless POSIX's form is asked for.
    if line.len() > 20 && !args.has(PORTABLE) {
        line.push(b'\n');
        line.resize(line.len() + 20, b' ');
    } else {
        line.resize(line.len().max(20), b' ');
    }
    if args.has(TYPE) {
        line.push(b' ');
        line.extend_from_slice(&mount.kind);
        line.resize(line.len() + 10usize.saturating_sub(mount.kind.len()), b' ');
    }
    for value in [total, used, free] {
        push!(line, " ", Right(show(value), 9, b' '));
    }
    push!(line, " ", Right(percent, 3, b' '), "% ", &mount.target, "\n");
    env.stdout.write(&line)
}

/// Total, used and free for users, in bytes or inodes.
fn figures(args: &Args<'_>, room: &StatFs) -> (u64, u64, u64) {
    if args.has(INODES) {
        return (room.f_files, room.f_files.saturating_sub(room.f_ffree), room.f_ffree);
    }
    let size = if room.f_frsize > 0 { room.f_frsize } else { room.f_bsize } as u64;
    let bytes = |blocks: u64| blocks.saturating_mul(size);
    (bytes(room.f_blocks), bytes(room.f_blocks.saturating_sub(room.f_bfree)), bytes(room.f_bavail))
}
