//! `ionice`: the input and output priority of a process (ioprio_set(2)).

use rbox_core::call;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::schedule::{Whose, io_priority, set_io_priority};
use rbox_core::text;

options! {
    "[-c CLASS] [-n LEVEL] [-t] {-p PID... | -P GROUP... | -u USER... | PROG [ARG]...}

Run PROG with an I/O priority, or print or change that of processes.

  -c, --class=CLASS      1 realtime, 2 best-effort, 3 idle, 0 none
  -n, --classdata=LEVEL  0 (highest) to 7 (4)
  -p, --pid              Operate on PIDs
  -P, --pgid             Operate on process groups
  -u, --uid              Operate on UIDs
  -t, --ignore           Ignore failures to change it";
    CLASS = "-c",
    LEVEL = "-n",
    PID = "-p",
    GROUP = "-P",
    USER = "-u",
    IGNORE = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

const CLASSES: Names = names! { "none" = 0, "realtime" = 1, "best-effort" = 2, "idle" = 3, "rt" = 1, "be" = 2 };

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let class = match args.value(CLASS) {
        Some(word) => match CLASSES.number_of(&word.to_ascii_lowercase()) {
            Some(class) => Some(class),
            None => Some(parse_in_range(word, 0, 3)?),
        },
        None => None,
    };
    let level = args.value(LEVEL).map(|word| parse_in_range(word, 0, 7)).transpose()?;
    // ioprio_set(2): idle has no levels; none must have 0.
    let change = (class.is_some() || level.is_some()).then(|| match class {
        Some(class @ (0 | 3)) => (class << 13) as i32,
        class => (class.unwrap_or(2) << 13 | level.unwrap_or(4)) as i32,
    });
    let whose = match args.last_of(&[PID, GROUP, USER]) {
        Some(PID) => Whose::Process,
        Some(GROUP) => Whose::Group,
        Some(_) => Whose::User,
        None => return own(env, args, change),
    };
    let operands = args.operands_between(1, usize::MAX)?;
    env.for_each_operand(operands, &mut |env, word| {
        let id = parse_decimal(word).and_then(|id| i32::try_from(id).ok()).ok_or_else(|| invalid(word))?;
        match change {
            Some(change) => set(args, whose, id, change),
            None => show(env, whose, id),
        }
    })
}

fn own(env: &mut Env, args: &Args<'_>, change: Option<i32>) -> Outcome {
    if args.operands().is_empty() && change.is_none() {
        show(env, Whose::Process, 0)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let operands = args.operands_between(1, usize::MAX)?;
    if let Some(change) = change {
        set(args, Whose::Process, 0, change)?;
    }
    Ok(call::replace(env, operands))
}

fn set(args: &Args<'_>, whose: Whose, id: i32, change: i32) -> Result<()> {
    match set_io_priority(whose, id, change) {
        Err(errno) if !args.has(IGNORE) => Err(Error::on("ioprio_set", errno)),
        _ => Ok(()),
    }
}

fn show(env: &mut Env, whose: Whose, id: i32) -> Result<()> {
    let value = io_priority(whose, id).map_err(|errno| Error::on("ioprio_get", errno))?;
    let name = CLASSES.name_of((value >> 13) as u64).unwrap_or("unknown");
    let line = if value >> 13 == 3 { text!(name, "\n") } else { text!(name, ": prio ", (value & 7) as u32, "\n") };
    env.stdout.write(&line)
}
