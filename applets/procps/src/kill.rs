//! `kill`: send signals to processes (POSIX XCU kill).

use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::signals::{NAMES, name_of, number_of};
use rbox_core::sys::signal;

options!(
    "[-l [NUMBER]] [-s SIG | -SIG] PID...

Send a signal (TERM) to processes; -PID is a process group.

  With -l, list the signals, or print the name of NUMBER or of an exit status."
);

/// The applet. `-SIG` and `-PID` are no options, so it reads its words itself.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

const TERM: i32 = 15;

fn nobody() -> Error {
    Error::new("you need to specify whom to kill")
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands();
    let (number, pids) = match words {
        [] => return Err(nobody()),
        [b"-l" | b"-L", rest @ ..] => return list(env, rest),
        [b"-s" | b"-n", name, rest @ ..] => (signal_of(name)?, rest),
        [b"--", rest @ ..] => (TERM, rest),
        [word, rest @ ..] if word.len() > 1 && word.starts_with(b"-") => (signal_of(&word[1..])?, rest),
        rest => (TERM, rest),
    };
    let pids = options::after_dashes(pids);
    if pids.is_empty() {
        return Err(nobody());
    }
    env.for_each_operand(pids, &mut |_, word| {
        let pid = parse_pid(word)?;
        signal::kill(pid, number).map_err(|errno| Error::on([b"can't kill pid ", word].concat(), errno))
    })
}

fn parse_pid(word: &[u8]) -> Result<i32> {
    let (digits, sign) = match word.strip_prefix(b"-") {
        Some(digits) => (digits, -1),
        None => (word, 1),
    };
    let pid = parse_decimal(digits).and_then(|pid| i32::try_from(pid).ok()).ok_or_else(|| invalid(word))?;
    Ok(pid * sign)
}

fn signal_of(word: &[u8]) -> Result<i32> {
    number_of(word).ok_or_else(|| Error::parts(&[b"bad signal name '", word, b"'"]))
}

fn list(env: &mut Env, words: &[&[u8]]) -> Outcome {
    if words.is_empty() {
        return list_all(env);
    }
    env.for_each_operand(words, &mut |env, word| {
        match parse_decimal(word) {
            Some(number) => {
                // POSIX: a status above 128 stands for the signal that caused it.
                let number = if number > 128 { number - 128 } else { number };
                let name = i32::try_from(number).ok().and_then(name_of);
                let name = name.ok_or_else(|| Error::parts(&[b"bad signal name '", word, b"'"]))?;
                env.stdout.write(name.as_bytes())?;
            }
            None => env.stdout.write_number(signal_of(word)? as u64)?,
        }
        env.stdout.push(b'\n')
    })
}

/// All names with their numbers, as `kill -l` and `killall -l` print them.
pub fn list_all(env: &mut Env) -> Outcome {
    for (name, number) in NAMES.iter().take(31) {
        let mut line = Vec::new();
        rbox_core::number::push_padded(&mut line, number, 2);
        env.stdout.write(&[&line[..], b") ", name.as_bytes(), b"\n"].concat())?;
    }
    Ok(ExitStatus::SUCCESS)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn names_and_numbers_are_printed() {
        assert_eq!(try_call(APPLET, &["kill", "-l", "15", "hup", "137"], b"").stdout, "TERM\n1\nKILL\n");
        assert!(try_call(APPLET, &["kill", "-l"], b"").stdout.starts_with(" 1) HUP\n 2) INT\n"));
    }

    #[test]
    fn wrong_words_are_errors() {
        assert_eq!(try_call(APPLET, &["kill", "-NOPE", "1"], b"").stderr, "kill: bad signal name 'NOPE'\n");
        assert_eq!(try_call(APPLET, &["kill", "-s", "NOPE", "1"], b"").stderr, "kill: bad signal name 'NOPE'\n");
        assert_eq!(try_call(APPLET, &["kill", "-0", "x"], b"").stderr, "kill: invalid number 'x'\n");
    }
}
