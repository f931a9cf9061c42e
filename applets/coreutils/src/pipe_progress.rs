//! `pipe_progress`: copy standard input to standard output and print a dot a second on standard error.

use rbox_core::prelude::*;
use rbox_core::sys::time::{ClockId, clock_gettime};

options! {
    "

Copy standard input to standard output; print a dot on standard error for each second in which data pass."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let second = || clock_gettime(ClockId::Monotonic).tv_sec;
    let (mut input, mut shown) = (env.take_stdin(), second());
    let result = loop {
        let content = match input.fill() {
            Ok([]) => break Ok(ExitStatus::SUCCESS),
            Ok(content) => content,
            Err(error) => break Err(error),
        };
        let length = content.len();
        // Who reads gets what has come.
        let written = env.stdout.write(content).and_then(|()| env.stdout.flush());
        input.consume(length);
        if let Err(error) = written {
            break Err(error);
        }
        let now = second();
        if now != shown {
            shown = now;
            env.stderr.write(b".")?;
            env.stderr.flush()?;
        }
    };
    env.stderr.write(b"\n")?;
    result
}
