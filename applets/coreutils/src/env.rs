//! `env`: run a command with another environment, or print it (POSIX XCU env), with GNU's `-u`, `-0` and `-C`.

use rbox_core::call;
use rbox_core::env::Vars;
use rbox_core::prelude::*;
use rbox_core::sys::process;

options! {
    "[-i0] [-u NAME]... [-C DIRECTORY] [-] [NAME=VALUE]... [COMMAND [ARGUMENT]...]

Run COMMAND in a modified environment, or print the environment.

  -i, --ignore-environment  Start with an empty environment
  -0, --null                End output lines with NUL, not newline
  -u, --unset=NAME          Unset NAME
  -C, --chdir=DIRECTORY     Change the working directory";
    EMPTY = "-i",
    NULL = "-0",
    UNSET = "-u",
    DIRECTORY = "-C",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(125);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut operands = args.operands();
    let dash = operands.first() == Some(&&b"-"[..]);
    operands = &operands[usize::from(dash)..];
    let mut words: Vec<Vec<u8>> = match args.has(EMPTY) || dash {
        true => Vec::new(),
        false => env.vars.words().iter().map(|word| word.to_vec()).collect(),
    };
    for name in args.values(UNSET) {
        remove(&mut words, name);
    }
    while let Some((word, rest)) = operands.split_first()
        && let Some(at) = word.iter().position(|&byte| byte == b'=')
    {
        remove(&mut words, &word[..at]);
        words.push(word.to_vec());
        operands = rest;
    }
    if operands.is_empty() {
        for word in &words {
            env.stdout.write(word)?;
            env.stdout.push(if args.has(NULL) { 0 } else { b'\n' })?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    if let Some(directory) = args.value(DIRECTORY) {
        process::chdir(directory).map_err(|errno| Error::cannot("change directory to", directory, errno))?;
    }
    env.vars = Vars::List(words);
    Ok(call::replace(env, operands))
}

fn remove(words: &mut Vec<Vec<u8>>, name: &[u8]) {
    words.retain(|word| !(word.starts_with(name) && word.get(name.len()) == Some(&b'=')));
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call_with;

    use super::APPLET;

    #[test]
    fn prints_the_changed_environment() {
        let ran = try_call_with(APPLET, &["env", "-u", "A", "B=2", "C="], b"", &["A=1", "B=1", "D=4"]);
        assert_eq!(ran.stdout, "D=4\nB=2\nC=\n");
        let ran = try_call_with(APPLET, &["env", "-i", "X=1"], b"", &["A=1"]);
        assert_eq!(ran.stdout, "X=1\n");
    }
}
