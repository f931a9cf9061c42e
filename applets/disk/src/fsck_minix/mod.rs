//! `fsck.minix`: check and repair a MINIX filesystem (fsck.minix(8)).
//!
//! Directories are walked from the root; each inode's zones are checked when the first name leads to it. Then the counts
//! are compared with the bitmaps and the inodes. What is left after a repair passes another check.

mod volume;
mod walk;

use rbox_core::prelude::*;
use rbox_core::push;
use volume::{Repair, Volume};

options! {
    "[-alrsvmf] DEVICE

Check a MINIX filesystem. The status is the sum of 0: no errors, 3: errors were repaired, 4: errors are left, 8: the
check failed, 16: wrong words.

  -a  Repair without a question
  -f  Check also what was unmounted without an error
  -l  List all names
  -m  Report inodes that are not used and have a mode
  -r  Ask before each repair
  -s  Print the superblock
  -v  Print statistics; with -l also inode, mode and links";
    AUTOMATIC = "-a",
    FORCE = "-f",
    LIST = "-l",
    MODES = "-m",
    ASK = "-r",
    SUPER = "-s",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(8);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1).map_err(|error| error.with_status(16))?[0];
    let repair = match args.last_of(&[AUTOMATIC, ASK]) {
        Some(ASK) => Repair::Asked,
        Some(_) => Repair::Automatic,
        None => Repair::None,
    };
    if repair == Repair::Asked && !(env.stdin.fd().is_some_and(rbox_core::sys::termios::isatty)) {
        return Err(Error::new("need terminal for interactive repairs"));
    }
    let mut volume = Volume::open(path, repair)?;
    if volume.is_clean() && !args.has(FORCE) {
        if repair != Repair::None {
            env.stdout.write(&[path, b" is clean, no check.\n"].concat())?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    if args.has(FORCE) {
        env.stdout.write(&[b"Forcing filesystem check on ", path, b".\n"].concat())?;
    }
    if args.has(SUPER) {
        let mut lines = volume.layout.describe();
        push!(lines, "Filesystem state=", volume.layout.state, "\nnamelen=", volume.layout.name, "\n\n");
        env.stdout.write(&lines)?;
    }
    volume.lists = args.has(LIST);
    volume.is_verbose = args.has(VERBOSE);
    volume.walk(env)?;
    volume.check_counts(env, args.has(MODES))?;
    if args.has(VERBOSE) {
        statistics(env, &volume)?;
    }
    if volume.finish()? {
        let line = "-".repeat(28);
        env.stdout.write(&rbox_core::text!(&*line, "\nFILE SYSTEM HAS BEEN CHANGED\n", &*line, "\n"))?;
    }
    Ok(ExitStatus(u8::from(volume.changed) * 3 + u8::from(volume.left) * 4))
}

fn statistics(env: &mut Env, volume: &Volume) -> Result<()> {
    let (layout, mut lines) = (&volume.layout, b"\n".to_vec());
    let mut share = |used: u64, all: u64, what: &str| {
        push!(lines, rbox_core::text::Right(used, 6, b' '), " ", what, " used (", 100 * used / all.max(1), "%)\n");
    };
    let inodes = volume.links.iter().filter(|&&links| links > 0).count() as u64;
    share(inodes, layout.inodes, "inodes");
    // The tables count as used zones, as they do for df.
    share(volume.zones_used() + layout.first_zone, layout.zones, "zones");
    lines.push(b'\n');
    let kinds = volume.kinds;
    let names = "regular files\ndirectories\ncharacter device files\nblock device files\nlinks\nsymbolic links";
    for (count, name) in kinds.iter().zip(names.split('\n')) {
        push!(lines, rbox_core::text::Right(*count, 6, b' '), " ", name, "\n");
    }
    let all = kinds.iter().sum::<u64>() - kinds[4];
    push!(lines, "------\n", rbox_core::text::Right(all, 6, b' '), " files\n");
    env.stdout.write(&lines)
}

/// Repairs a filesystem of any bytes; if no error is left, a second check finds none.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    use rbox_core::sys::fs::{MemfdFlags, memfd_create};
    use rbox_core::sys::{AsFd, OwnedFd};
    let file: OwnedFd = memfd_create("minix", MemfdFlags::CLOEXEC).expect("a file in memory");
    rbox_core::io::write_all(file.as_fd(), data).expect("memory");
    let check = |repair| {
        let copy = file.try_clone().expect("a descriptor");
        let image = rbox_core::block::Image::of(copy, b"minix").expect("a file");
        let mut volume = Volume::of(image, repair).ok()?;
        let mut env = rbox_core::testing::env(b"fsck.minix");
        volume.walk(&mut env).and_then(|()| volume.check_counts(&mut env, true)).expect("memory");
        volume.finish().expect("memory");
        Some(volume.left)
    };
    if check(Repair::Automatic) == Some(false) {
        assert_eq!(check(Repair::None), Some(false));
    }
}
