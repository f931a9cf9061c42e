//! `awk`: the pattern scanning and processing language (POSIX.1-2024 XCU awk), with what BusyBox and gawk add.
//!
//! A program goes through the stages `lexer`, `parser` (`expression`), `resolve`, `compile` (`generate`) and `machine`.

mod compile;
mod expression;
mod functions;
mod generate;
mod lexer;
mod parser;
mod regexes;
mod resolve;
mod settings;
mod sort;
mod streams;
mod tree;

use rbox_core::io::Input;
use rbox_core::prelude::*;

use awk_machine::array::Key;
use awk_machine::machine::Machine;
use awk_machine::script::Script;
use awk_machine::seldom::Seldom;
use awk_machine::special;
use awk_machine::value::Value;

options! {
    "[-F SEP] [-v VAR=VALUE]... {PROGRAM | -f FILE... | -e PROGRAM... | -E FILE} [FILE | VAR=VALUE]...

Run PROGRAM on the records of each FILE, or of standard input.

  -v VAR=VALUE  Set a variable before the program begins
  -F SEP        Use SEP as the field separator, FS
  -f FILE       Read the program from FILE; repeatable
  -e PROGRAM    Use PROGRAM as a part of the program; repeatable
  -E FILE       As -f, and operands are files, never assignments
  -b            Characters are single bytes
  -W OPTION     Set an option by name: exec=FILE (-E), interactive (flush
                output after each line), version";
    VARIABLE = "-v",
    SEPARATOR = "-F",
    FILE = "-f",
    PROGRAM = "-e",
    EXEC = "-E",
    BYTES = "-b",
    WORD = "-W",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let script = read_script(env, args)?;
    let mut operands = args.operands();
    let (mut script, has_program) = script;
    if !has_program {
        let (program, rest) = operands.split_first().ok_or_else(Error::usage)?;
        script.add(b"cmd. line", program);
        operands = rest;
    }
    let program = parser::parse(&script)?;
    let code = compile::compile(&script, &program)?;
    drop(program);
    let utf8 = env.is_utf8() && !args.has(BYTES);
    // No constant: a table of pointers would be relocated at every start.
    let seldom = Seldom {
        function: functions::call,
        order: sort::keys_in_order,
        regex: regexes::compile,
        changed: settings::changed,
        open_next: settings::open_next,
        open_output: streams::open_output,
        open_input: streams::open_input,
    };
    let mut machine = Machine::new(env, &script, &code, seldom, utf8)?;
    machine.takes_assignments = !args.has(EXEC) && !args.values(WORD).any(|word| word.starts_with(b"exec="));
    set_variables(&mut machine, args, operands)?;
    let result = machine.run_program();
    let closed = streams::close_all(&mut machine.streams);
    let status = machine.status;
    result.and(closed)?;
    Ok(ExitStatus(status))
}

/// The program of the options `-f`, `-e`, `-E` and `-W exec=`, and whether there was one of these.
fn read_script(env: &mut Env, args: &Args<'_>) -> Result<(Script, bool)> {
    let mut script = Script::default();
    for (option, value) in args.found() {
        let Some(value) = *value else { continue };
        let file = match *option {
            FILE | EXEC => value,
            PROGRAM => {
                script.add(b"cmd. line", value);
                continue;
            }
            WORD => match value {
                b"version" => return Err(Error::asked(rbox_core::error::Question::Version)),
                b"interactive" => {
                    env.stdout.set_line_buffered();
                    continue;
                }
                _ => match value.strip_prefix(b"exec=") {
                    Some(file) => file,
                    None => return Err(Error::usage_because(&[b"unknown option -W ", value])),
                },
            },
            _ => continue,
        };
        let text = match file {
            b"-" => env.stdin.read_to_end()?,
            file => Input::open(file)?.read_to_end()?,
        };
        script.add(file, &text);
    }
    let has_program = !script.sources.is_empty();
    Ok((script, has_program))
}

/// The variables at the beginning (POSIX XCU awk, Variables and Special Variables).
fn set_variables(machine: &mut Machine<'_>, args: &Args<'_>, operands: &[&[u8]]) -> Result<()> {
    let texts: [(u32, &[u8]); 7] = [
        (special::FS, b" "),
        (special::OFS, b" "),
        (special::RS, b"\n"),
        (special::ORS, b"\n"),
        (special::SUBSEP, b"\x1c"),
        (special::CONVFMT, b"%.6g"),
        (special::OFMT, b"%.6g"),
    ];
    for (index, text) in texts {
        machine.slots[index as usize] = Value::text(text);
    }
    for index in [special::NF, special::NR, special::FNR, special::RSTART] {
        machine.slots[index as usize] = Value::Num(0.0);
    }
    machine.slots[special::RLENGTH as usize] = Value::Num(-1.0);
    machine.slots[special::ARGC as usize] = Value::Num(operands.len() as f64 + 1.0);
    let arguments = machine.array_at(special::ARGV as usize)?;
    let words = std::iter::once(&machine.env.name[..]).chain(operands.iter().copied());
    let words: Vec<Value> = words.map(Value::input).collect();
    for (index, word) in words.into_iter().enumerate() {
        *machine.arrays[arguments].entry(Key::Integer(index as i64)) = word;
    }
    let environment = machine.array_at(special::ENVIRON as usize)?;
    for word in machine.env.vars.words() {
        if let Some((name, value)) = rbox_core::bytes::split_once(word, b'=') {
            *machine.arrays[environment].entry(Key::of_bytes(name, None)) = Value::input(value);
        }
    }
    for (option, value) in args.found() {
        match (*option, *value) {
            (SEPARATOR, Some(separator)) => {
                settings::assign_operand(machine, &[b"FS=", separator].concat())?;
            }
            (VARIABLE, Some(assignment)) if !settings::assign_operand(machine, assignment)? => {
                return Err(Error::parts(&[b"-v: invalid assignment '", assignment, b"'"]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the fuzz target feeds: a program, read and compiled.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut script = Script::default();
    script.add(b"program", data);
    let Ok(program) = parser::parse(&script) else { return };
    let Ok(code) = compile::compile(&script, &program) else { return };
    assert_eq!(code.instrs.len(), code.offsets.len());
    // A wrong expression is an error.
    let _ = awk_machine::regexes::Regexes::new(&code.regexes, regexes::compile, true);
}
