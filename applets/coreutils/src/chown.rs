//! `chown` and `chgrp`: change the owner and group of files (POSIX XCU chown, chgrp).

use rbox_core::files::{Follow, Phase, Step, Visit, walk_gathering};
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, Gid, Uid, chownat, stat};
use rbox_core::users;

options! {
    "[-RhHLPcvf] OWNER FILE... | --reference=FILE FILE...

Change owner and group of each FILE. OWNER is USER[:[GROUP]] or :GROUP for
chown, GROUP for chgrp; names or IDs.

  -R, --recursive        Change directories and their contents
  -h, --no-dereference   Change symbolic links, not their targets
      --dereference      Change targets of symbolic links (default without -R)
  -H                     With -R, follow operands that link to directories
  -L                     With -R, follow all links to directories
  -P                     With -R, follow no links (default)
  -c, --changes          Print changes only
  -v, --verbose          Print a line for each FILE
  -f, --quiet, --silent  Print no errors
      --reference=FILE   Use owner and group of FILE";
    RECURSE = "-R",
    LINKS = "-h",
    TARGETS = "--dereference",
    FOLLOW_OPERANDS = "-H",
    FOLLOW_ALL = "-L",
    FOLLOW_NONE = "-P",
    CHANGES = "-c",
    VERBOSE = "-v",
    QUIET = "-f",
    REFERENCE = "--reference",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (owner, files) = match args.value(REFERENCE) {
        Some(file) => {
            let stat = stat(file).map_err(|errno| Error::on(file, errno))?;
            ((Some(stat.st_uid), Some(stat.st_gid)), args.operands_between(1, usize::MAX)?)
        }
        None => {
            let (word, files) = args.operands_between(2, usize::MAX)?.split_first().ok_or_else(Error::usage)?;
            let group_only = env.name == b"chgrp";
            (if group_only { (None, Some(users::group_id(word)?)) } else { users::parse_owner(word)? }, files)
        }
    };
    let follow = match args.last_of(&[FOLLOW_OPERANDS, FOLLOW_ALL, FOLLOW_NONE]).filter(|_| args.has(RECURSE)) {
        Some(FOLLOW_OPERANDS) => Follow::Operands,
        Some(FOLLOW_ALL) => Follow::Always,
        _ => Follow::Never,
    };
    let mut status = ExitStatus::SUCCESS;
    for file in files {
        for error in walk_gathering(file, follow, &mut |visit| change(env, args, visit, owner, follow))? {
            status.worsen(if args.has(QUIET) { error.status(1) } else { env.warn(error) });
        }
    }
    Ok(status)
}

fn change(
    env: &mut Env,
    args: &Args<'_>,
    visit: &Visit<'_>,
    owner: (Option<u32>, Option<u32>),
    follow: Follow,
) -> Result<Step> {
    // A directory comes after what is in it: who gives it away may no longer look into it.
    if visit.phase == Phase::Before && args.has(RECURSE) {
        return Ok(Step::On);
    }
    // A link that the walk follows leads to what is changed; any other is changed itself with -R (GNU -R -P).
    let itself = match args.last_of(&[LINKS, TARGETS]) {
        Some(option) => option == LINKS,
        None => args.has(RECURSE) && !follow.holds_at(visit.depth),
    };
    let flags = if itself { AtFlags::SYMLINK_NOFOLLOW } else { AtFlags::empty() };
    let (uid, gid) = (owner.0.map(Uid::from_raw), owner.1.map(Gid::from_raw));
    chownat(visit.at, visit.name, uid, gid, flags).map_err(|errno| Error::on(visit.path, errno))?;
    let same = owner.0.is_none_or(|uid| uid == visit.stat.st_uid) && owner.1.is_none_or(|gid| gid == visit.stat.st_gid);
    if args.has(VERBOSE) || args.has(CHANGES) && !same {
        let uid = Decimal::new(owner.0.unwrap_or(visit.stat.st_uid).into());
        let gid = Decimal::new(owner.1.unwrap_or(visit.stat.st_gid).into());
        let owner = [uid.as_bytes(), b":", gid.as_bytes()].concat();
        env.stdout.write(&[b"changed ownership of '", visit.path, b"' to ", &owner, b"\n"].concat())?;
    }
    Ok(if args.has(RECURSE) { Step::On } else { Step::Skip })
}
