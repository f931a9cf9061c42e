//! `swapon` and `swapoff`: start and stop swapping on devices and files (swapon(2), fstab(5)).

use rbox_core::block;
use rbox_core::mounts;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::block_device::{swap_off, swap_on};
use rbox_core::sys::fs;
use rbox_core::{bytes, io, text};

options! {
    "[-ae] [-d[POLICY]] [-p PRIORITY] [DEVICE]... | swapoff [-a] [DEVICE]...

Enable swapping on DEVICEs, UUID=... or LABEL=...; swapoff disables it. Without
arguments, swapon lists swap spaces.

  -a, --all         All in /etc/fstab; swapoff: all in use too
  -d[POLICY], --discard[=POLICY]  Discard blocks: once, pages or both
  -e, --ifexists    Skip missing devices silently
  -p, --priority=N  Set the priority, 0 to 32767; the highest is used first
  -s, --summary     List swap spaces in use
  -v, --verbose     Print each operation";
    ALL = "-a",
    DISCARD = "-d",
    IF_EXISTS = "-e",
    PRIORITY = "-p",
    SUMMARY = "-s",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

// swapon(2).
const PREFER: u64 = 0x8000;
const DISCARD_BOTH: u64 = 0x1_0000;
const DISCARD_ONCE: u64 = 0x3_0000;
const DISCARD_PAGES: u64 = 0x5_0000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let off = env.name == b"swapoff";
    if off && args.found().iter().any(|(option, _)| !matches!(*option, ALL | VERBOSE)) {
        return Err(Error::usage());
    }
    let mut flags = args.value(PRIORITY).map_or(Ok(0), priority)?;
    if args.has(DISCARD) {
        flags |= discard(args.value(DISCARD).unwrap_or_default()).ok_or_else(Error::usage)?;
    }
    let mut status = ExitStatus::SUCCESS;
    let one = |env: &mut Env, source: &[u8], flags: u64, status: &mut ExitStatus| {
        if let Err(error) = change(env, args, off, source, flags) {
            status.worsen(env.warn(error));
        }
    };
    if args.has(ALL) {
        if off {
            for path in in_use()? {
                one(env, &path, 0, &mut status);
            }
        }
        for mount in mounts::read(b"/etc/fstab")?.iter().filter(|mount| mount.kind == b"swap") {
            if off && !in_use()?.contains(&block::find(&mount.source).unwrap_or_default()) {
                continue;
            }
            if !mount.has_option(b"noauto") && !is_used(&mount.source) || off {
                one(env, &mount.source, flags | of_options(&mount.options), &mut status);
            }
        }
    } else if args.operands().is_empty() {
        if off || !(args.found().is_empty() || args.has(SUMMARY)) {
            return Err(Error::usage());
        }
        let text = io::Input::open(b"/proc/swaps")?.read_to_end()?;
        env.stdout.write(&text)?;
    }
    for source in args.operands() {
        one(env, source, flags, &mut status);
    }
    Ok(status)
}

fn priority(word: &[u8]) -> Result<u64> {
    Ok(PREFER | rbox_core::number::parse_in_range(word, 0, 32767)?)
}

fn discard(policy: &[u8]) -> Option<u64> {
    Some(match policy {
        b"" => DISCARD_BOTH,
        b"once" => DISCARD_ONCE,
        b"pages" => DISCARD_PAGES,
        _ => return None,
    })
}

/// What `pri=` and `discard` among the options of fstab(5) mean.
fn of_options(options: &[u8]) -> u64 {
    options.split(|&byte| byte == b',').fold(0, |flags, option| {
        flags
            | match bytes::split_once(option, b'=') {
                Some((b"pri", number)) => parse_decimal(number).map_or(0, |number| PREFER | number.min(32767)),
                Some((b"discard", policy)) => discard(policy).unwrap_or(0),
                _ if option == b"discard" => DISCARD_BOTH,
                _ => 0,
            }
    })
}

/// The paths of /proc/swaps.
fn in_use() -> Result<Vec<Vec<u8>>> {
    let text = io::Input::open(b"/proc/swaps")?.read_to_end()?;
    let lines = text.split(|&byte| byte == b'\n').skip(1);
    Ok(lines.filter_map(|line| bytes::words(line).next()).map(mounts::unescape).collect())
}

fn is_used(source: &[u8]) -> bool {
    let path = block::find(source).map(|path| mounts::real_path(&path)).unwrap_or_default();
    in_use().is_ok_and(|paths| paths.contains(&path))
}

fn change(env: &mut Env, args: &Args<'_>, off: bool, source: &[u8], flags: u64) -> Result<()> {
    let path = match block::find(source) {
        Err(_) if args.has(IF_EXISTS) => return Ok(()),
        path => path?,
    };
    let failed = |errno| Error::on(&path, errno);
    let stat = match fs::stat(&path) {
        Err(rbox_core::sys::Errno::NOENT) if args.has(IF_EXISTS) => return Ok(()),
        stat => stat.map_err(failed)?,
    };
    let is_file = rbox_core::files::kind(&stat) == fs::FileType::RegularFile;
    // The kernel would only say that an argument is wrong.
    if !off && is_file && (stat.st_blocks as u64).saturating_mul(512) < stat.st_size as u64 {
        return Err(Error::new(text!(&path, ": file has holes")));
    }
    if args.has(VERBOSE) {
        env.stdout.write(&text!(&env.name, " ", &path, "\n"))?;
    }
    if off { swap_off(&path) } else { swap_on(&path, flags as i32) }.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_table_have_flags() {
        assert_eq!(of_options(b"sw,pri=5"), 0x8005);
        assert_eq!(of_options(b"discard=once,pri=99999"), 0x3_ffff);
        assert_eq!(of_options(b"defaults,discard"), 0x1_0000);
    }
}
