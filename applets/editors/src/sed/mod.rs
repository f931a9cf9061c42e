//! `sed`: edit a stream line by line (POSIX XCU sed), with the options and commands of GNU.
//!
//! Stages: `parser` compiles the script to a `program`, `machine` runs it, `skim` passes over lines that it
//! leaves alone, `files` has the lines and the outputs.

mod files;
mod machine;
mod parser;
mod program;
mod skim;

use rbox_core::io::Input;
use rbox_core::number;
use rbox_core::prelude::*;

use files::{IO_FAILURE, Inputs, Outputs};
use machine::{Machine, Manner};
use parser::Syntax;

options! {
    "[-nEsuz] [-i[SUFFIX]] [-l N] {SCRIPT | -e SCRIPT... | -f FILE...} [FILE]...

Edit each FILE, or standard input, line by line as SCRIPT says, and print the result.

  -n, --quiet, --silent        Print only what the script prints
  -e, --expression=SCRIPT      Add SCRIPT to the commands; repeatable
  -f, --file=FILE              Add the contents of FILE to the commands
  -E, -r, --regexp-extended    Regular expressions are extended
  -i[SUFFIX], --in-place[=SUFFIX]  Edit FILEs in place; keep a copy with SUFFIX
                               (a * in it is the name of the file)
      --follow-symlinks        With -i, edit the target of a link, not the link
  -l, --line-length=N          Fold lines of the command l to N characters
                               (default 70; 1 for no limit)
  -s, --separate               Count the lines of each FILE anew
  -u, --unbuffered             Read no further than needed, write each line at once
  -z, --null-data, --zero-terminated  Lines end with NUL, not newline
      --posix                  Accept only what POSIX has
      --sandbox                Refuse the commands e, r and w";
    QUIET = "-n",
    EXPRESSION = "-e",
    FILE = "-f",
    EXTENDED = "-E",
    IN_PLACE = "-i",
    FOLLOW = "--follow-symlinks",
    LENGTH = "-l",
    SEPARATE = "-s",
    UNBUFFERED = "-u",
    NUL_DATA = "-z",
    POSIX = "--posix",
    SANDBOX = "--sandbox",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut operands = args.operands();
    let mut script = Vec::new();
    if args.has(EXPRESSION) || args.has(FILE) {
        for &(option, value) in args.found() {
            let Some(value) = value else { continue };
            if option == EXPRESSION {
                add(&mut script, value);
            } else if option == FILE {
                let content = read_script(env, value)?;
                // A newline after a backslash is part of the text of `a`, `i` or `c`.
                let whole = content.ends_with(b"\\\n");
                add(&mut script, content.strip_suffix(b"\n").filter(|_| !whole).unwrap_or(&content));
            }
        }
    } else {
        let (first, rest) = operands.split_first().ok_or_else(Error::usage)?;
        add(&mut script, first);
        operands = rest;
    }
    // POSIX XCU sed: a script whose first two characters are `#n` is the same as -n, whatever follows them.
    let quiet = args.has(QUIET) || script.starts_with(b"#n");
    script.pop();
    let posix = args.has(POSIX);
    let utf8 = env.is_utf8();
    let syntax = Syntax { extended: args.has(EXTENDED), utf8, posix, sandbox: args.has(SANDBOX) };
    let program = parser::parse(&script, syntax)?;
    let standard: &[u8] = b"-";
    if operands.is_empty() {
        if args.has(IN_PLACE) {
            return Err(Error::new("-i requires an argument"));
        }
        operands = core::slice::from_ref(&standard);
    }
    let list_length = match args.value(LENGTH) {
        Some(word) => usize::try_from(number::parse_count(word, number::PLAIN)?).unwrap_or(usize::MAX),
        None => 70,
    };
    let manner = Manner {
        quiet,
        posix: posix || env.vars.get("POSIXLY_CORRECT").is_some(),
        utf8,
        list_length,
        unbuffered: args.has(UNBUFFERED),
    };
    let inputs = Inputs::new(
        operands,
        files::Manner {
            separate: args.has(SEPARATE) || args.has(IN_PLACE),
            in_place: args.has(IN_PLACE).then(|| args.value(IN_PLACE).unwrap_or_default()),
            follow: args.has(FOLLOW),
            unbuffered: args.has(UNBUFFERED),
            line_end: if args.has(NUL_DATA) { 0 } else { b'\n' },
        },
    );
    Machine::new(&program, manner, inputs, Outputs::new(&program.writers)?).run(env)
}

/// Each part of the script ends its line: `-e 'a\' -e text`.
fn add(script: &mut Vec<u8>, part: &[u8]) {
    script.extend_from_slice(part);
    script.push(b'\n');
}

fn read_script(env: &mut Env, name: &[u8]) -> Result<Vec<u8>> {
    if name != b"-" {
        return env.open(name)?.read_to_end().map_err(|error| error.with_status(IO_FAILURE));
    }
    let mut input: Input = env.take_stdin();
    let content = input.read_to_end();
    env.stdin = input;
    content
}

/// What the fuzz target feeds: a script and, after a NUL, the lines that it runs on.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (script, text) = rbox_core::bytes::split_once(data, 0).unwrap_or((data, b"a b\nab\n\nc"));
    for words in [&[b"sed", &b"--sandbox"[..], b"-e", script][..], &[b"sed", b"--sandbox", b"-Enz", b"-e", script]] {
        let mut env = rbox_core::testing::env(b"sed");
        env.stdin = Input::from_bytes(text.to_vec());
        APPLET.call(&mut env, words);
    }
}
