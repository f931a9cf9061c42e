//! `adjtimex`: read or set the variables of the kernel's clock (adjtimex(2)).

use rbox_core::names;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::rtc::{Discipline, Variable};
use rbox_core::{push, text};

options! {
    "[-q] [-o OFFSET] [-f FREQUENCY] [-p CONSTANT] [-t TICK]

Print the variables of the kernel's clock, after setting some.

  -q            Print nothing
  -o OFFSET     Set the offset that is slewed, in microseconds
  -f FREQUENCY  Set the frequency; 65536 is one part in a million, more is faster
  -t TICK       Set the microseconds of a tick (10000); more is faster
  -p CONSTANT   Set the time constant";
    QUIET = "-q",
    OFFSET = "-o",
    FREQUENCY = "-f",
    TICK = "-t",
    CONSTANT = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The bits of the status, and the answers of the call.
const STATUS: names::Names = names! {
    "PLL" = 1, "PPSFREQ" = 2, "PPSTIME" = 4, "FLL" = 8, "INS" = 0x10, "DEL" = 0x20, "UNSYNC" = 0x40,
    "FREQHOLD" = 0x80, "PPSSIGNAL" = 0x100, "PPSJITTER" = 0x200, "PPSWANDER" = 0x400, "PPSERROR" = 0x800,
    "CLOCKERR" = 0x1000, "NANO" = 0x2000, "MODE" = 0x4000, "CLK" = 0x8000,
};
const ANSWERS: names::Names = names! {
    "clock synchronized" = 0, "insert leap second" = 1, "delete leap second" = 2, "leap second in progress" = 3,
    "leap second has occurred" = 4, "clock not synchronized" = 5,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut discipline = Discipline::new();
    let variables = [
        (OFFSET, Variable::Offset),
        (FREQUENCY, Variable::Frequency),
        (TICK, Variable::Tick),
        (CONSTANT, Variable::TimeConstant),
    ];
    for (option, variable) in variables {
        if let Some(word) = args.value(option) {
            discipline.set(variable, parse_c(word).ok_or_else(|| invalid(word))?);
        }
    }
    let state = discipline.apply().map_err(|errno| Error::on("adjtimex", errno))?;
    if args.has(QUIET) {
        return Ok(ExitStatus::SUCCESS);
    }
    let [modes, offset, frequency, max, estimated, status, constant, precision, tolerance, tick, seconds, micros] =
        discipline.values();
    let bits: Vec<&[u8]> = STATUS.of_flags(status as u64).map(str::as_bytes).collect();
    let mut out =
        text!("    mode:         ", modes, "\n-o  offset:       ", offset, " us\n-f  freq.adjust:  ", frequency);
    push!(
        out,
        " (65536 = 1ppm)\n    maxerror:     ",
        max,
        "\n    esterror:     ",
        estimated,
        "\n    status:       ",
        status
    );
    push!(out, " (", &bits.join(&b" | "[..]), ")\n-p  timeconstant: ", constant, "\n    precision:    ", precision);
    push!(out, " us\n    tolerance:    ", tolerance, "\n-t  tick:         ", tick, " us\n    time.tv_sec:  ", seconds);
    push!(out, "\n    time.tv_usec: ", micros, "\n    return value: ", i64::from(state));
    push!(out, " (", ANSWERS.name_of(state as u64).unwrap_or("error"), ")\n");
    env.stdout.write(&out)?;
    Ok(ExitStatus::SUCCESS)
}
