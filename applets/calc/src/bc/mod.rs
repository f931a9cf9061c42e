//! `bc`: calculate with numbers of any length (POSIX XCU bc), with the extensions of GNU's and BusyBox's.
//!
//! A number has at most ten million digits. After an error a script ends with status 1, as in BusyBox; at a terminal the
//! next line is read.

mod lexer;
mod machine;
mod parser;
mod program;

use rbox_core::applet::VERSION_LINE;
use rbox_core::prelude::*;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::{fd, termios};

use lexer::Source;
use machine::{Ended, Machine};
pub use machine::{byte_of, width};
use parser::{Extensions, Parser, Unit};
use program::{Code, Names};

options! {
    "[-ilqsw] [FILE]...

Calculate with numbers of any length: read expressions and statements from the FILEs, and then from standard input.

  -i, --interactive  Go on after errors, as at a terminal
  -l, --mathlib      Define s, c, a, l, e and j, and set scale to 20
  -q, --quiet        Print no version at a terminal
  -s, --standard     Refuse what POSIX does not have
  -w, --warn         Report what POSIX does not have
  -h                 Print this help
  -v                 Print the version

BC_LINE_LENGTH is the length of lines of output, 70 by default, 0 for one line.";
    INTERACTIVE = "-i",
    LIBRARY = "-l",
    QUIET = "-q",
    STANDARD = "-s",
    WARN = "-w",
    HELP = "-h",
    VERSION = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if let Some(option) = args.last_of(&[HELP, VERSION]) {
        use rbox_core::error::Question;
        return Err(Error::asked(if option == HELP { Question::Help } else { Question::Version }));
    }
    let interactive = args.has(INTERACTIVE) || env.stdout.is_terminal() && fd::named(0).is_ok_and(termios::isatty);
    if interactive && !args.has(QUIET) && env.stdout.is_terminal() {
        env.stdout.write(&[VERSION_LINE.as_bytes(), b"\n"].concat())?;
    }
    let extensions = match args.last_of(&[STANDARD, WARN]) {
        Some(STANDARD) => Extensions::Refused,
        Some(_) => Extensions::Warned,
        None => Extensions::Allowed,
    };
    let (mut machine, mut names) = (Machine::new(width(env, "BC_LINE_LENGTH")), Names::default());
    if args.has(LIBRARY) {
        machine.scale = 20;
        for letter in *b"sclaej" {
            machine.library.extend(names.number(&[letter]).map(|name| (name, letter)));
        }
    }
    let before = interactive.then(|| signal::set(2, Disposition::Note)).transpose().ok().flatten();
    machine.interactive = interactive;
    let mut source = Source::new(args.operands(), b"");
    let result = read_all(env, &mut machine, &mut names, &mut source, extensions);
    if let Some(before) = before {
        // It was possible to set, and is to set again.
        let _ = signal::set(2, before);
    }
    result.map(|()| ExitStatus::SUCCESS)
}

fn read_all(
    env: &mut Env,
    machine: &mut Machine,
    names: &mut Names,
    source: &mut Source,
    extensions: Extensions,
) -> Result<()> {
    loop {
        if source.needs_line() && env.stdout.is_waited_for() {
            env.stdout.flush()?;
        }
        match step(env, machine, names, source, extensions) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) if machine.interactive && !error.is_output() => {
                env.report(&error);
                source.skip_line();
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads and runs one line. False at the end.
fn step(
    env: &mut Env,
    machine: &mut Machine,
    names: &mut Names,
    source: &mut Source,
    extensions: Extensions,
) -> Result<bool> {
    let mut parser = Parser::new(source, names, &mut env.stdin, extensions);
    let unit = parser.unit();
    let warnings = core::mem::take(&mut parser.warnings);
    warnings.iter().for_each(|warning| env.report(warning));
    let mut run = |code: Code| machine.run(env, &mut source.input, code);
    match unit? {
        Unit::Statements(code) => Ok(run(code)? == Ended::Normally),
        Unit::Quit(code) => run(code).map(|_| false),
        Unit::Function(name, defined) => {
            machine.define(name, defined);
            Ok(true)
        }
        Unit::End => Ok(false),
    }
}

/// A program that is parsed and, as long as it has no loops or calls, run.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut env = rbox_core::testing::env(b"bc");
    let (mut machine, mut names) = (Machine::new(70), Names::default());
    let mut source = Source::new(&[], data);
    loop {
        let unit = Parser::new(&mut source, &mut names, &mut env.stdin, Extensions::Allowed).unit();
        match unit {
            Ok(Unit::Statements(code)) if !code.has_loops() => {
                let _ = machine.run(&mut env, &mut None, code);
            }
            Ok(Unit::Statements(_) | Unit::Function(..)) => {}
            Ok(Unit::Quit(_) | Unit::End) => return,
            Err(_) if source.needs_line() => return,
            Err(_) => source.skip_line(),
        }
    }
}
