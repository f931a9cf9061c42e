//! `chattr`: change the flags of inodes (chattr(1)).

use rbox_core::files::{Follow, Phase, Step, Visit, kind, walk_gathering};
use rbox_core::number::parse_in_range;
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::fs::{FileType, OFlags};
use rbox_core::sys::inode_flags::{Field, get, set};
use rbox_core::text;

use crate::lsattr::{FLAGS, open, shown};

options! {
    "[-RVf] [-v VERSION] [-p PROJECT] [-+=aAcCdDeijmPsStTuFx]... FILE...

Change the flags of files on ext2, ext3, ext4, btrfs and XFS: - clears, + sets, = sets only these.

  -R           Recurse
  -V           Print the new flags
  -f           Print no errors
  -v VERSION   Set the version (generation number)
  -p PROJECT   Set the project

a append only, A no access times, c compressed, C no copy on write, d not dumped, D directory
written at once, e extents, F case-insensitive directory, i immutable, j data journaled,
m not compressed, P project of directory, s overwritten when deleted, S written at once,
t no tail merging, T top of directory tree, u undeletable, x direct access";
    RECURSE = "-R",
    VERBOSE = "-V",
    QUIET = "-f",
    VERSION = "-v",
    PROJECT = "-p",
}

/// The applet. `-a` clears a flag and is no option, so these words are taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// What is done to each file.
#[derive(Default)]
struct Change {
    clear: u32,
    set: u32,
    /// The value of `=`.
    only: Option<u32>,
    version: Option<u32>,
    project: Option<u32>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut change, mut words) = (Change::default(), Vec::new());
    for (at, word) in args.words().iter().enumerate() {
        match word {
            [b'+', names @ ..] if at > 0 => change.set |= flags(names)?,
            [b'=', names @ ..] if at > 0 => change.only = Some(change.only.unwrap_or(0) | flags(names)?),
            // The value of an option may follow it at once.
            [b'-', first, ..] if at > 0 && !b"RVfvp-".contains(first) => change.clear |= flags(&word[1..])?,
            _ => words.push(*word),
        }
    }
    let args = Args::parse(USAGE, Grammar::OptionsFirst, &words)?;
    let number = |option| args.value(option).map(|word| parse_in_range(word, 0, u32::MAX.into())).transpose();
    change.version = number(VERSION)?.map(|number| number as u32);
    change.project = number(PROJECT)?.map(|number| number as u32);
    let files = args.operands_between(1, usize::MAX)?;
    if change.only.is_some() && change.set | change.clear != 0 {
        return Err(Error::misused("= cannot be combined with - and +"));
    }
    if change.set & change.clear != 0 {
        return Err(Error::misused("a flag is both set and cleared"));
    }
    if change.set | change.clear == 0 && change.only.is_none() && change.version.or(change.project).is_none() {
        return Err(Error::misused("-v, -p, -, + or = is needed"));
    }
    let mut status = ExitStatus::SUCCESS;
    for file in files {
        for error in walk_gathering(file, Follow::Never, &mut |visit| change.apply(env, &args, visit))? {
            status.worsen(if args.has(QUIET) { ExitStatus::FAILURE } else { env.warn(error) });
        }
    }
    Ok(status)
}

/// The flags that the characters of a word name. Those that only the kernel sets cannot be changed.
fn flags(names: &[u8]) -> Result<u32> {
    let mut flags = 0;
    for name in names {
        let row = FLAGS.iter().find(|(row, _)| row.as_bytes()[0] == *name && !b"EINV".contains(name));
        flags |= row.ok_or_else(|| Error::parts(&[b"unknown flag '", &[*name], b"'"]))?.1 as u32;
    }
    Ok(flags)
}

impl Change {
    fn apply(&self, env: &mut Env, args: &Args<'_>, visit: &Visit<'_>) -> Result<Step> {
        let step = if args.has(RECURSE) { Step::On } else { Step::Skip };
        let has_flags = matches!(kind(visit.stat), FileType::RegularFile | FileType::Directory);
        if visit.phase == Phase::After || visit.depth > 0 && !has_flags {
            return Ok(step);
        }
        let file = open(visit, visit.name, OFlags::RDONLY).map_err(|errno| Error::on(visit.path, errno))?;
        let put = |field, value| {
            set(file.as_fd(), field, value).map_err(|errno| Error::cannot("set flags of", visit.path, errno))
        };
        if let Some(version) = self.version {
            put(Field::Version, version)?;
        }
        if let Some(project) = self.project {
            put(Field::Project, project)?;
        }
        if self.set | self.clear != 0 || self.only.is_some() {
            let old = get(file.as_fd(), Field::Flags);
            let old = old.map_err(|errno| Error::cannot("read flags of", visit.path, errno))?;
            let flags = self.only.unwrap_or(old & !self.clear | self.set);
            // A directory alone is written at once as a whole.
            let is_directory = kind(visit.stat) == FileType::Directory;
            let flags = if is_directory { flags } else { flags & !FLAGS_OF_DIRECTORIES };
            put(Field::Flags, flags)?;
            if args.has(VERBOSE) {
                env.stdout.write(&text!("Flags of ", visit.path, " set as ", &shown(flags.into()), "\n"))?;
            }
        }
        Ok(step)
    }
}

/// FS_DIRSYNC_FL, which the kernel refuses for other files.
const FLAGS_OF_DIRECTORIES: u32 = 0x1_0000;
