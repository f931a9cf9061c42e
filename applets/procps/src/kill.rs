//! `kill`: send signals to processes (POSIX XCU kill).

use rbox_core::number::{invalid, parse_decimal};
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::signals::{NAMES, name_of, number_of};
use rbox_core::sys::signal;

options! {
    "[-l [NUMBER]] [-s SIG | -SIG] PID...

Send a signal (TERM) to processes; -PID is a process group.

  -l      List the signals, or print the name of NUMBER or of an exit status
  -L      Same as -l
  -s SIG  Send SIG; same as -SIG
  -n SIG  Same as -s SIG";
    LIST = "-l",
    LIST_TOO = "-L",
    SIGNAL = "-s",
    SIGNAL_TOO = "-n",
}

/// The applet. `-SIG` and `-PID` are no options: the first is taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

pub const TERM: i32 = 15;

fn nobody() -> Error {
    Error::new("you need to specify whom to kill")
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.words().to_vec();
    let signal = take_signal(&mut words, b"lLsn")?;
    let args = Args::parse(USAGE, Grammar::Numbers, &words)?;
    let pids = args.operands();
    if args.has(LIST) || args.has(LIST_TOO) {
        return list(env, pids);
    }
    let named = args.value(SIGNAL).or(args.value(SIGNAL_TOO)).map(signal_of).transpose()?;
    let number = signal.or(named).unwrap_or(TERM);
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

/// Takes the first word that is `-SIG` out of a command line, and gives its number. Words before it are of the options
/// whose characters `options` has.
pub fn take_signal(words: &mut Vec<&[u8]>, options: &[u8]) -> Result<Option<i32>> {
    let is_option =
        |word: &&&[u8]| matches!(word, [b'-', first, ..] if options.contains(first) && number_of(&word[1..]).is_none());
    let at = 1 + words[1..].iter().take_while(is_option).count();
    match words.get(at) {
        Some([b'-', first, ..]) if *first != b'-' => signal_of(&words.remove(at)[1..]).map(Some),
        _ => Ok(None),
    }
}

pub fn signal_of(word: &[u8]) -> Result<i32> {
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
