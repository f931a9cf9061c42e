//! `killall`: send a signal to processes by name.

use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::processes;
use rbox_core::sys::signal;

use crate::kill::{TERM, list_all, signal_of, take_signal};

options! {
    "[-lq] [-s SIG | -SIG] NAME...

Send a signal (TERM) to all processes of each NAME.

  -l      List the signals
  -q      Do not report unmatched names
  -s SIG  Send SIG; same as -SIG";
    LIST = "-l",
    QUIET = "-q",
    SIGNAL = "-s",
}

/// The applet. `-SIG` is no option, so it is taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.words().to_vec();
    let signal = take_signal(&mut words, b"lqs")?;
    let args = Args::parse(USAGE, Grammar::OptionsFirst, &words)?;
    if args.has(LIST) {
        return list_all(env);
    }
    let number = signal.or(args.value(SIGNAL).map(signal_of).transpose()?).unwrap_or(TERM);
    let (quiet, names) = (args.has(QUIET), args.operands());
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
