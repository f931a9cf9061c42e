//! `killall`: send a signal to processes by name.

use rbox_core::prelude::*;
use rbox_core::processes;
use rbox_core::signals::number_of;
use rbox_core::sys::signal;

use crate::kill::list_all;

options!(
    "[-lq] [-s SIG | -SIG] NAME...

Send a signal (TERM) to all processes of each NAME.

  With -l, list the signals; with -q, do not report unmatched names."
);

/// The applet. `-SIG` is no option, so it reads its words itself.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut number, mut quiet, mut names) = (15, false, args.operands());
    while let [word, rest @ ..] = names {
        names = match (*word, rest) {
            (b"--", _) => {
                names = rest;
                break;
            }
            (b"-l", _) => return list_all(env),
            (b"-q", _) => {
                quiet = true;
                rest
            }
            (b"-s", [name, rest @ ..]) => {
                number = signal_of(name)?;
                rest
            }
            ([b'-', name @ ..], _) if !name.is_empty() => {
                number = signal_of(name)?;
                rest
            }
            _ => break,
        };
    }
    if names.is_empty() {
        return Err(Error::new("you need to specify whom to kill"));
    }
    let own = rbox_core::sys::process::getpid().as_raw_pid();
    env.for_each_operand(names, &mut |env, name| {
        let pids: Vec<i32> = processes::named(name)?.into_iter().filter(|pid| *pid != own).collect();
        if pids.is_empty() {
            let error =
                if quiet { Error::silent(ExitStatus::FAILURE) } else { Error::parts(&[name, b": no process killed"]) };
            return Err(error);
        }
        let mut failed = false;
        for pid in pids {
            if let Err(errno) = signal::kill(pid, number) {
                let digits = rbox_core::number::Decimal::new(pid as u64);
                env.report(&Error::on([b"can't kill pid ", digits.as_bytes()].concat(), errno));
                failed = true;
            }
        }
        if failed { Err(Error::silent(ExitStatus::FAILURE)) } else { Ok(()) }
    })
}

fn signal_of(word: &[u8]) -> Result<i32> {
    number_of(word).ok_or_else(|| Error::parts(&[b"bad signal name '", word, b"'"]))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn options_of_the_usage_text_are_taken() {
        assert!(try_call(APPLET, &["killall", "-q", "-l"], b"").stdout.starts_with(" 1) HUP\n"));
        for words in [["killall", "-q", "-s", "TERM"], ["killall", "-q", "-TERM", "--"]] {
            let ran = try_call(APPLET, &[&words[..], &["no such name"]].concat(), b"");
            assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
        }
        let ran = try_call(APPLET, &["killall", "-s", "NOPE", "no such name"], b"");
        assert_eq!(ran.stderr, "killall: bad signal name 'NOPE'\n");
    }
}
