//! `fatattr`: print or change the attributes of files on FAT filesystems (linux/msdos_fs.h).

use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::inode_flags::{Field, get, set};
use rbox_core::sys::{AsFd, fs};
use rbox_core::text;

options!(
    "[-+rhsvda]... FILE...

Print the attributes of files on FAT filesystems, or change them: - clears, + sets.

r read-only, h hidden, s system, v volume label, d directory, a archive"
);

/// The applet. `-r` clears an attribute and is no option.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// ATTR_* of linux/msdos_fs.h, from the lowest bit.
const NAMES: &[u8; 6] = b"rhsvda";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut sets, mut clears) = (0, 0);
    let mut words = args.operands();
    while let [word @ [sign @ (b'-' | b'+'), names @ ..], rest @ ..] = words {
        words = rest;
        if *word == b"--" {
            break;
        }
        let mask = if *sign == b'+' { &mut sets } else { &mut clears };
        for name in names {
            let bit = NAMES.iter().position(|known| known == name);
            *mask |= 1 << bit.ok_or_else(|| Error::parts(&[b"unknown attribute '", &[*name], b"'"]))?;
        }
    }
    if words.is_empty() {
        return Err(Error::usage());
    }
    env.for_each_operand(words, &mut |env, path| {
        let file = fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
        let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
        let failed = |errno| Error::on(path, errno);
        let old = get(file.as_fd(), Field::FatAttributes).map_err(failed)?;
        if sets | clears != 0 {
            return set(file.as_fd(), Field::FatAttributes, old & !clears | sets).map_err(failed);
        }
        let shown: Vec<u8> =
            NAMES.iter().enumerate().map(|(bit, &name)| if old >> bit & 1 != 0 { name } else { b' ' }).collect();
        env.stdout.write(&text!(shown, " ", path, "\n"))
    })
}
