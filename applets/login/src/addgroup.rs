//! `addgroup`: add a group, or a user to a group.

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::users::{Group, User};
use rbox_core::{accounts, text};

options! {
    "[-g GID] [-S] [USER] GROUP

Add GROUP to the system, or USER to GROUP.

  -g, --gid=GID  Group ID (the lowest free one from 1000 on)
  -S, --system   Add a system group: its GID is 100-999";
    GID = "-g",
    SYSTEM = "-S",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_: &mut Env, args: &Args<'_>) -> Outcome {
    if !process::geteuid().is_root() {
        return Err(Error::new("permission denied (are you root?)"));
    }
    let operands = args.operands_between(1, 2)?;
    if let &[user, group] = operands {
        if args.has(GID) || args.has(SYSTEM) {
            return Err(Error::usage());
        }
        add_member(user, group)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let name = operands[0];
    accounts::check_name(name)?;
    let given = args.value(GID).map(|word| parse_in_range(word, 0, u32::MAX as u64 - 1)).transpose()?;
    let _lock = accounts::lock()?;
    if Group::by_name(name).is_some() {
        return Err(Error::parts(&[b"group '", name, b"' in use"]));
    }
    let range = if args.has(SYSTEM) { accounts::SYSTEM_IDS } else { accounts::IDS };
    let gid = match given {
        None => accounts::free_number(range, false, true)?,
        Some(gid) if accounts::is_used(accounts::GROUP, gid as u32)? => {
            return Err(Error::new(text!("gid '", gid, "' in use")));
        }
        Some(gid) => gid as u32,
    };
    accounts::add_group(name, gid)?;
    Ok(ExitStatus::SUCCESS)
}

/// Makes a user a member of a group. One who is already stays it.
pub fn add_member(user: &[u8], group: &[u8]) -> Result<()> {
    let _lock = accounts::lock()?;
    User::by_name(user).ok_or_else(|| Error::parts(&[b"unknown user ", user]))?;
    Group::by_name(group).ok_or_else(|| Error::parts(&[b"unknown group ", group]))?;
    accounts::set_member(Some(group), user, true).map(drop)
}
