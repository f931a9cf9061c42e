//! `printenv`: print environment variables.

use rbox_core::prelude::*;

options! {
    "[-0] [NAME]...

Print the value of each environment variable NAME, or all variables.

  -0, --null  End output lines with NUL, not newline";
    NULL = "-0",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let end = if args.has(NULL) { 0 } else { b'\n' };
    let words: Vec<Vec<u8>> = env.vars.words().iter().map(|word| word.to_vec()).collect();
    let mut status = ExitStatus::SUCCESS;
    let mut print = |line: &[u8]| env.stdout.write(line).and_then(|()| env.stdout.push(end));
    if args.operands().is_empty() {
        words.iter().try_for_each(|word| print(word))?;
    }
    for name in args.operands() {
        let value = |word: &&Vec<u8>| word.starts_with(name) && word.get(name.len()) == Some(&b'=');
        match words.iter().find(value) {
            Some(word) => print(&word[name.len() + 1..])?,
            None => status = ExitStatus::FAILURE,
        }
    }
    Ok(status)
}
