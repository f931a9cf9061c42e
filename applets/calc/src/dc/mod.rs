//! `dc`: a calculator with a stack and numbers of any length, as GNU's and BusyBox's.
//!
//! `!COMMAND` is refused, as in BusyBox: a calculation runs no commands. `R` drops the top, as in BusyBox.

mod machine;

use rbox_core::bytes::append;
use rbox_core::io::Input;
use rbox_core::prelude::*;

use crate::bc::width;
use machine::{Machine, is_whole};

options! {
    "[-hVx] [-e PROGRAM]... [-f FILE]... [FILE]...

Calculate in reverse Polish notation with numbers of any length.
Run all PROGRAMs and FILEs, or standard input if there are none.

  -e, --expression=PROGRAM  Run PROGRAM
  -f, --file=FILE           Run the contents of FILE
  -x, --extended-register   Names of registers after a blank may have several characters
  -h                        Print this help
  -V                        Print the version

Operators: + - * / % ^ ~ | v (arithmetic), p n P f (print), c d r R z Z X (stack), s l S L : ; (registers),
i o k I O K (bases and scale), [ ] x < > = !< !> != q Q ? a (strings), # (comment).
DC_LINE_LENGTH is the length of lines of output, 70 by default, 0 for one line.";
    EXPRESSION = "-e",
    FILE = "-f",
    EXTENDED = "-x",
    HELP = "-h",
    VERSION = "-V",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if let Some(option) = args.last_of(&[HELP, VERSION]) {
        use rbox_core::error::Question;
        return Err(Error::asked(if option == HELP { Question::Help } else { Question::Version }));
    }
    // dc counts the backslash at the end of a line, bc also the newline.
    let width = match width(env, "DC_LINE_LENGTH") {
        0 => 0,
        width => width + 1,
    };
    let mut machine = Machine::new(width, args.has(EXTENDED));
    let programs = args.found().iter().filter(|(option, _)| matches!(*option, EXPRESSION | FILE));
    let mut programs: Vec<(bool, &[u8])> =
        programs.map(|(option, value)| (*option == FILE, value.unwrap_or_default())).collect();
    programs.extend(args.operands().iter().map(|file| (true, *file)));
    if programs.is_empty() {
        return run_input(env, &mut machine);
    }
    for (is_file, word) in programs {
        let content = match (is_file, word) {
            (true, b"-") => env.stdin.read_to_end()?,
            (true, path) => Input::open(path)?.read_to_end()?,
            (false, program) => program.to_vec(),
        };
        if !machine.run(env, &content)? {
            break;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// Runs standard input line by line; a string may have several.
fn run_input(env: &mut Env, machine: &mut Machine) -> Outcome {
    let mut program = Vec::new();
    loop {
        if env.stdout.is_waited_for() {
            env.stdout.flush()?;
        }
        let Some(line) = env.stdin.record(b'\n')? else { break };
        append(&mut program, line)?;
        if is_whole(&program) && !machine.run(env, &core::mem::take(&mut program))? {
            return Ok(ExitStatus::SUCCESS);
        }
    }
    machine.run(env, &program)?;
    Ok(ExitStatus::SUCCESS)
}

/// A program, for at most ten thousand steps.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut env = rbox_core::testing::env(b"dc");
    // Long numbers take their time.
    let program: Vec<u8> = data.iter().copied().filter(|byte| !matches!(byte, b'^' | b'k')).collect();
    let _ = Machine::new(70, data.len() % 2 == 0).run(&mut env, &program);
}
