//! `renice`: change the nice value of processes (POSIX XCU renice).

use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::process::{
    Pid, Uid, getpriority_pgrp, getpriority_process, getpriority_user, setpriority_pgrp, setpriority_process,
    setpriority_user,
};
use rbox_core::users::user_id;

/// The meaning of a word depends on its position, so there is no option table.
const USAGE: &str = "[-n] NICE [[-p | -g | -u] ID...]...

Set the nice value of processes, -20 to 19.

-n, --relative  Add NICE to the current value
-p, --pid       Following IDs are PIDs (default)
-g, --pgrp      Following IDs are process groups
-u, --user      Following IDs are users";

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// What an ID is.
#[derive(Clone, Copy)]
enum Kind {
    Process,
    Group,
    User,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.operands().iter().copied();
    let mut word = words.next().ok_or_else(Error::usage)?;
    let relative = matches!(word, b"-n" | b"--relative");
    if relative || word == b"--priority" {
        word = words.next().ok_or_else(Error::usage)?;
    }
    let nice = number(word).ok_or_else(|| invalid(word))?;
    let (mut kind, mut ids) = (Kind::Process, 0);
    let mut status = ExitStatus::SUCCESS;
    for word in words {
        match word {
            b"-p" | b"--pid" => kind = Kind::Process,
            b"-g" | b"--pgrp" => kind = Kind::Group,
            b"-u" | b"--user" => kind = Kind::User,
            _ => {
                ids += 1;
                if let Err(error) = change(kind, word, nice, relative) {
                    status.worsen(env.warn(error));
                }
            }
        }
    }
    if ids == 0 { Err(Error::usage()) } else { Ok(status) }
}

/// A decimal number with a sign.
fn number(word: &[u8]) -> Option<i32> {
    let (sign, digits) = match word {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    Some(sign * i32::try_from(parse_decimal(digits)?).ok()?)
}

fn change(kind: Kind, word: &[u8], nice: i32, relative: bool) -> Result<()> {
    let pid = || {
        let number = parse_decimal(word).and_then(|pid| i32::try_from(pid).ok());
        number.map(Pid::from_raw).ok_or_else(|| invalid(word))
    };
    match kind {
        Kind::Process => {
            let pid = pid()?;
            set(nice, relative, || getpriority_process(pid), |nice| setpriority_process(pid, nice))
        }
        Kind::Group => {
            let pid = pid()?;
            set(nice, relative, || getpriority_pgrp(pid), |nice| setpriority_pgrp(pid, nice))
        }
        Kind::User => {
            let uid = Uid::from_raw(user_id(word)?);
            set(nice, relative, || getpriority_user(uid), |nice| setpriority_user(uid, nice))
        }
    }
}

fn set(
    nice: i32,
    relative: bool,
    get: impl Fn() -> core::result::Result<i32, Errno>,
    set: impl Fn(i32) -> core::result::Result<(), Errno>,
) -> Result<()> {
    let base = if relative { get().map_err(|errno| Error::on("getpriority", errno))? } else { 0 };
    // The kernel cuts what is beyond its range; an i32 must not overflow before.
    set(base.saturating_add(nice).clamp(-20, 19)).map_err(|errno| Error::on("setpriority", errno))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::{APPLET, number};

    /// Words that are IDs, not options, are reported as wrong numbers.
    #[test]
    fn options_of_the_usage_text_are_taken() {
        for option in ["-p", "--pid", "-g", "--pgrp"] {
            assert_eq!(try_call(APPLET, &["renice", "0", option, "x"], b"").stderr, "renice: invalid number 'x'\n");
        }
        for option in ["-u", "--user"] {
            let ran = try_call(APPLET, &["renice", "0", option, "nosuchuser"], b"");
            assert_eq!(ran.stderr, "renice: unknown user nosuchuser\n");
        }
        for option in ["-n", "--relative"] {
            let ran = try_call(APPLET, &["renice", option, "0", "-p", "x"], b"");
            assert_eq!(ran.stderr, "renice: invalid number 'x'\n");
        }
    }

    #[test]
    fn numbers_have_signs() {
        assert_eq!((number(b"-5"), number(b"+3"), number(b"7")), (Some(-5), Some(3), Some(7)));
        assert!(number(b"").is_none() && number(b"-").is_none() && number(b"1x").is_none());
    }
}
