//! `deluser` and `delgroup`: remove a user or a group, or a user from a group.

use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::users::{Group, User};
use rbox_core::{accounts, call};

options! {
    "[--remove-home] USER | [USER] GROUP

deluser removes USER from the system, with a group of its own; delgroup removes GROUP. Both remove USER from GROUP.

      --remove-home  Remove the home directory too";
    REMOVE_HOME = "--remove-home",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if !process::geteuid().is_root() {
        return Err(Error::new("permission denied (are you root?)"));
    }
    let operands = args.operands_between(1, 2)?;
    let is_group = env.name == b"delgroup";
    if args.has(REMOVE_HOME) && (is_group || operands.len() > 1) {
        return Err(Error::usage());
    }
    let removed = match operands {
        &[user, group] => remove_member(user, group).map(|()| None)?,
        operands if is_group => remove_group(operands[0]).map(|()| None)?,
        operands => Some(remove_user(operands[0])?),
    };
    match removed {
        Some(user) if args.has(REMOVE_HOME) => {
            // A home that is no directory of its own is not the user's.
            if user.home.iter().all(|&byte| byte == b'/') {
                return Err(Error::parts(&[b"not removed: '", &user.home, b"'"]));
            }
            call::pass_on(call::run(env, &[b"rm", b"-rf", b"--", &user.home])?)
        }
        _ => Ok(ExitStatus::SUCCESS),
    }
}

fn remove_member(user: &[u8], group: &[u8]) -> Result<()> {
    let _lock = accounts::lock()?;
    let found = Group::by_name(group).ok_or_else(|| Error::parts(&[b"unknown group ", group]))?;
    if !found.members.iter().any(|member| member == user) {
        return Err(Error::parts(&[b"'", user, b"' is not a member of '", group, b"'"]));
    }
    accounts::set_member(Some(group), user, false).map(drop)
}

/// The name of a user whose primary group it is.
fn primary_of(gid: u32) -> Result<Option<Vec<u8>>> {
    let text = accounts::read(accounts::PASSWD)?.unwrap_or_default();
    let users = text.split(|&byte| byte == b'\n').filter_map(User::parse);
    Ok(users.into_iter().find(|user| user.gid == gid).map(|user| user.name))
}

fn remove_group(name: &[u8]) -> Result<()> {
    let _lock = accounts::lock()?;
    let group = Group::by_name(name).ok_or_else(|| Error::parts(&[b"unknown group ", name]))?;
    if let Some(user) = primary_of(group.gid)? {
        return Err(Error::parts(&[b"'", &user, b"' still has '", name, b"' as their primary group!"]));
    }
    accounts::remove(accounts::GROUP, name)?;
    accounts::remove(accounts::GSHADOW, name).map(drop)
}

/// Removes a user from all files, the first of which is /etc/passwd: nobody logs in as half of a user.
fn remove_user(name: &[u8]) -> Result<User> {
    let _lock = accounts::lock()?;
    let user = User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?;
    accounts::remove(accounts::PASSWD, name)?;
    accounts::remove(accounts::SHADOW, name)?;
    accounts::set_member(None, name, false)?;
    let own = Group::by_name(name).filter(|group| group.gid == user.gid && group.members.is_empty());
    if own.is_some() && primary_of(user.gid)?.is_none() {
        accounts::remove(accounts::GROUP, name)?;
        accounts::remove(accounts::GSHADOW, name)?;
    }
    Ok(user)
}
