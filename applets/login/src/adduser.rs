//! `adduser`: add a user, or a user to a group.
//!
//! A system user without -G is in the group `nogroup` where there is one, as with BusyBox; else in a group of its own.

use rbox_core::bytes::join_path;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Gid, Mode, Uid, chown, mkdir};
use rbox_core::sys::{Errno, process};
use rbox_core::users::{Group, User};
use rbox_core::{accounts, call, text};

options! {
    "[-SDH] [-h DIR] [-g GECOS] [-s SHELL] [-G GROUP] [-u UID] [-k SKEL] USER [GROUP]

Add USER to the system, or to GROUP.

  -h, --home=DIR         Home directory (/home/USER)
  -g, --gecos=GECOS      Full name and more (Linux User,,,)
  -s, --shell=SHELL      Login shell (/bin/sh; /bin/false with -S)
  -G, --ingroup=GROUP    Primary group (a new one named USER)
  -S, --system           Add a system user: its UID is 100-999, it has no password
  -D, --disabled-password, --empty-password  Set no password
  -H, --no-create-home   Make no home directory
  -u, --uid=UID          User ID (the lowest free one from 1000 on)
  -k, --skel=SKEL        Copy SKEL to the home directory (/etc/skel)";
    HOME = "-h",
    GECOS = "-g",
    SHELL = "-s",
    GROUP = "-G",
    SYSTEM = "-S",
    NO_PASSWORD = "-D",
    NO_HOME = "-H",
    UID = "-u",
    SKELETON = "-k",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if !process::geteuid().is_root() {
        return Err(Error::new("permission denied (are you root?)"));
    }
    let operands = args.operands_between(1, 2)?;
    if let &[user, group] = operands {
        crate::addgroup::add_member(user, group)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let user = add(args, operands[0])?;
    if !args.has(NO_HOME) {
        make_home(env, &user, args.value(SKELETON).unwrap_or(b"/etc/skel"))?;
    }
    if args.has(NO_PASSWORD) || args.has(SYSTEM) {
        return Ok(ExitStatus::SUCCESS);
    }
    call::pass_on(call::run(env, &[b"passwd", b"--", &user.name])?)
}

/// Adds the user to the files, under their lock.
fn add(args: &Args<'_>, name: &[u8]) -> Result<User> {
    accounts::check_name(name)?;
    let is_system = args.has(SYSTEM);
    let given = args.value(UID).map(|word| parse_in_range(word, 0, u32::MAX as u64 - 1)).transpose()?;
    let _lock = accounts::lock()?;
    if User::by_name(name).is_some() {
        return Err(Error::parts(&[b"user '", name, b"' in use"]));
    }
    let nogroup = if is_system { Group::by_name(b"nogroup") } else { None };
    let group = match args.value(GROUP) {
        Some(group) => Some(rbox_core::users::group_id(group)?),
        None => nogroup.map(|group| group.gid),
    };
    if group.is_none() && Group::by_name(name).is_some() {
        return Err(Error::parts(&[b"group '", name, b"' in use"]));
    }
    // A group of its own has the number of the user.
    let owns_group = group.is_none();
    let uid = match given {
        None => accounts::free_number(if is_system { accounts::SYSTEM_IDS } else { accounts::IDS }, true, owns_group)?,
        Some(uid) => uid as u32,
    };
    let in_use = |what: &str| Error::new(text!(what, " '", uid, "' in use"));
    if given.is_some() && accounts::is_used(accounts::PASSWD, uid)? {
        return Err(in_use("uid"));
    }
    if given.is_some() && owns_group && accounts::is_used(accounts::GROUP, uid)? {
        return Err(in_use("gid"));
    }
    let user = User {
        name: name.to_vec(),
        password: Vec::new(),
        uid,
        gid: group.unwrap_or(uid),
        comment: args.value(GECOS).unwrap_or(b"Linux User,,,").to_vec(),
        home: args.value(HOME).map_or_else(|| join_path(b"/home", name), <[u8]>::to_vec),
        shell: args.value(SHELL).unwrap_or(if is_system { b"/bin/false" } else { b"/bin/sh" }).to_vec(),
    };
    accounts::check_user(&user)?;
    if group.is_none() {
        accounts::add_group(name, uid)?;
    }
    accounts::add_user(&user)?;
    Ok(user)
}

/// Makes the home directory, unless it is there, with what the skeleton has.
fn make_home(env: &mut Env, user: &User, skeleton: &[u8]) -> Result<()> {
    let failed = |errno| Error::cannot("create directory", &user.home, errno);
    for (at, _) in user.home.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/') {
        match mkdir(&user.home[..at], Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    match mkdir(&user.home[..], Mode::from_raw_mode(0o700)) {
        // What somebody else has there stays as it is.
        Err(Errno::EXIST) => return Ok(()),
        result => result.map_err(failed)?,
    }
    if rbox_core::files::list_at(skeleton).is_ok() {
        let from = join_path(skeleton, b".");
        let copied = call::run(env, &[b"cp", b"-a", b"--", &from, &user.home])?;
        let owner = text!(user.uid, ":", user.gid);
        let given = call::run(env, &[b"chown", b"-R", b"--", &owner, &user.home])?;
        for change in [copied, given] {
            call::pass_on(change)?;
        }
    }
    chown(&user.home[..], Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid))).map_err(failed)?;
    rbox_core::files::chmod(rbox_core::sys::fs::CWD, &user.home, 0o755).map_err(failed)
}
