//! `tunctl`: make and remove interfaces whose other end is a program (linux/if_tun.h).

use rbox_core::prelude::*;
use rbox_core::sys::tun;
use rbox_core::{text, users};

options! {
    "[-f DEVICE] [-t NAME | -d NAME] [-u USER] [-g GROUP] [-b]

Create or delete an interface of Ethernet for a program.

  -f DEVICE  Use DEVICE (/dev/net/tun)
  -t NAME    Name the interface (tapN)
  -d NAME    Delete the interface
  -u USER    Let USER open it
  -g GROUP   Let GROUP open it
  -b         Print only its name";
    DEVICE = "-f",
    NAME = "-t",
    DELETE = "-d",
    USER = "-u",
    GROUP = "-g",
    BRIEF = "-b",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// IFF_TAP | IFF_NO_PI.
const TAP: u16 = 0x1002;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    if args.has(DELETE) && args.has(NAME) {
        return Err(Error::usage());
    }
    let device = args.value(DEVICE).unwrap_or(b"/dev/net/tun");
    if let Some(name) = args.value(DELETE) {
        tun::set_persistent(device, name, TAP, None).map_err(|errno| Error::on(device, errno))?;
        env.stdout.write(&text!("Set '", name, "' nonpersistent\n"))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let user = args.value(USER).map(users::user_id).transpose()?;
    let group = args.value(GROUP).map(users::group_id).transpose()?;
    // As ever, who makes it owns it, unless a group does.
    let own = rbox_core::sys::process::geteuid().as_raw();
    let user = user.or(if group.is_none() { Some(own) } else { None });
    let name = args.value(NAME).unwrap_or(b"tap%d");
    let name = tun::set_persistent(device, name, TAP, Some((user, group))).map_err(|errno| Error::on(device, errno))?;
    if args.has(BRIEF) {
        env.stdout.write(&text!(name, "\n"))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let mut line = text!("Set '", name, "' persistent and owned by");
    for (word, id) in [(" uid ", user), (" gid ", group)] {
        if let Some(id) = id {
            line.extend_from_slice(&text!(word, id));
        }
    }
    line.push(b'\n');
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}
