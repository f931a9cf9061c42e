//! `logname`: print the name that the user logged in with (POSIX XCU logname).

use rbox_core::io::Input;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::{Errno, fd, termios};
use rbox_core::users::User;
use rbox_core::utmp;

options! {
    "

Print the name that the current user logged in with."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let name = by_session().or_else(by_terminal).ok_or_else(|| Error::on("getlogin", Errno::NXIO))?;
    env.stdout.write(&name)?;
    env.stdout.push(b'\n')?;
    Ok(ExitStatus::SUCCESS)
}

/// The user whom login(1) or its like told the kernel (audit: /proc/self/loginuid); 4294967295 is nobody.
fn by_session() -> Option<Vec<u8>> {
    let text = Input::open(b"/proc/self/loginuid").ok()?.read_to_end().ok()?;
    let uid = u32::try_from(parse_decimal(text.trim_ascii_end())?).ok().filter(|&uid| uid != u32::MAX)?;
    Some(User::by_id(uid)?.name)
}

/// The user whom utmp has for the terminal.
fn by_terminal() -> Option<Vec<u8>> {
    let terminal = termios::ttyname(fd::borrow(0), Vec::new()).ok()?.into_bytes();
    utmp::user_at(terminal.strip_prefix(b"/dev/").unwrap_or(&terminal))
}
