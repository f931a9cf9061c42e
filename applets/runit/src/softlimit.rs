//! `softlimit`: run a program with lower limits (daemontools).

use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::process::Resource;

use crate::state::{TROUBLE, limit};

options! {
    "[OPTION]... PROG [ARG]...

Run PROG with soft limits; `=` is the hard limit.

  -a BYTES    Limit the address space
  -c BYTES    Limit core dumps
  -d BYTES    Limit the data segment
  -f BYTES    Limit the size of written files
  -l BYTES    Limit locked memory
  -m BYTES    Same as -a, -d, -l and -s
  -o N        Limit open files
  -p N        Limit processes of the user
  -r BYTES    Limit resident memory
  -s BYTES    Limit the stack
  -t SECONDS  Limit CPU time";
    SPACE = "-a",
    CORE = "-c",
    DATA = "-d",
    FILE = "-f",
    LOCKED = "-l",
    MEMORY = "-m",
    OPEN = "-o",
    PROCESSES = "-p",
    RESIDENT = "-r",
    STACK = "-s",
    TIME = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(100);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    for (option, value) in args.found() {
        let memory = [Resource::Data, Resource::Stack, Resource::Memlock, Resource::As];
        let one = match *option {
            MEMORY => {
                limit(&memory, value.unwrap_or_default()).map_err(trouble)?;
                continue;
            }
            SPACE => Resource::As,
            CORE => Resource::Core,
            DATA => Resource::Data,
            FILE => Resource::Fsize,
            LOCKED => Resource::Memlock,
            OPEN => Resource::Nofile,
            PROCESSES => Resource::Nproc,
            RESIDENT => Resource::Rss,
            STACK => Resource::Stack,
            TIME => Resource::Cpu,
            _ => continue,
        };
        limit(&[one], value.unwrap_or_default()).map_err(trouble)?;
    }
    Ok(call::replace(env, operands))
}

fn trouble(error: Error) -> Error {
    let status = error.status(TROUBLE).0;
    error.with_status(status)
}
