//! `chpst`: run a program with a changed process state (chpst(8)).

use rbox_core::call;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FlockOperation, Mode, OFlags};
use rbox_core::sys::process::{self, Resource};
use rbox_core::sys::{fd, fs};

use crate::state::{Account, TROUBLE, limit, read_variables};

options! {
    "[OPTION]... PROG [ARG]...

Run PROG with a changed process state. USER is USER[:GROUP]..., or IDs after a
leading colon.

  -u USER     Set user and groups
  -U USER     Set the variables UID and GID
  -b NAME     Set argv[0] to NAME
  -e DIRECTORY  Set variables from the files in DIRECTORY
  -/ ROOT     Change the root directory
  -n N        Add N to the nice value
  -l FILE     Lock FILE, waiting for it
  -L FILE     Lock FILE, or fail
  -m BYTES    Limit data, stack, locked memory and address space
  -d BYTES    Limit the data segment
  -o N        Limit open files
  -p N        Limit processes of the user
  -f BYTES    Limit the size of written files
  -c BYTES    Limit core dumps
  -t SECONDS  Limit CPU time
  -P          Start a new session
  -0          Close standard input
  -1          Close standard output
  -2          Close standard error
  -v          Print each change";
    USER = "-u",
    NUMBERS = "-U",
    NAME = "-b",
    VARIABLES = "-e",
    ROOT = "-/",
    NICE = "-n",
    LOCK = "-l",
    TRY_LOCK = "-L",
    MEMORY = "-m",
    DATA = "-d",
    OPEN = "-o",
    PROCESSES = "-p",
    FILE = "-f",
    CORE = "-c",
    TIME = "-t",
    SESSION = "-P",
    NO_INPUT = "-0",
    NO_OUTPUT = "-1",
    NO_ERRORS = "-2",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(100);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    change(env, args).map_err(|error| {
        let status = error.status(TROUBLE).0;
        error.with_status(status)
    })?;
    if args.has(VERBOSE) {
        env.report(&Error::parts(&[b"runs ", operands[0]]));
    }
    for (option, number) in [(NO_INPUT, 0), (NO_OUTPUT, 1), (NO_ERRORS, 2)] {
        if args.has(option) {
            // One that is closed already is as it should be.
            let _ = fd::close_standard(number);
        }
    }
    let Some(name) = args.value(NAME) else { return Ok(call::replace(env, operands)) };
    let Some(path) = call::find_program(&env.vars, operands[0]) else { return Ok(call::replace(env, operands)) };
    let words = [&[name], &operands[1..]].concat();
    let errno = process::exec(&path, &words, &env.vars.words());
    Err(Error::cannot("execute", operands[0], errno).with_status(TROUBLE))
}

fn change(env: &mut Env, args: &Args<'_>) -> Result<()> {
    // Names are looked up in the files of the old root.
    let user = args.value(USER).map(Account::parse).transpose()?;
    let numbers = args.value(NUMBERS).map(Account::parse).transpose()?;
    if let Some(directory) = args.value(VARIABLES) {
        read_variables(&mut env.vars, directory)?;
    }
    if let Some(numbers) = numbers {
        numbers.export(&mut env.vars);
    }
    if let Some(option) = args.last_of(&[LOCK, TRY_LOCK]) {
        hold(args.value(option).unwrap_or_default(), option == LOCK)?;
    }
    if let Some(root) = args.value(ROOT) {
        process::chdir(root)
            .and_then(|()| process::chroot("."))
            .map_err(|errno| Error::cannot("change root directory to", root, errno))?;
    }
    if args.has(SESSION) {
        // A process that leads its group already cannot make a session; then its group is its own all the same.
        let _ = process::setsid();
    }
    for (option, value) in args.found() {
        let word = value.unwrap_or_default();
        match *option {
            MEMORY => limit(&[Resource::Data, Resource::Stack, Resource::Memlock, Resource::As], word)?,
            DATA => limit(&[Resource::Data], word)?,
            OPEN => limit(&[Resource::Nofile], word)?,
            PROCESSES => limit(&[Resource::Nproc], word)?,
            FILE => limit(&[Resource::Fsize], word)?,
            CORE => limit(&[Resource::Core], word)?,
            TIME => limit(&[Resource::Cpu], word)?,
            _ => {}
        }
    }
    if let Some(word) = args.value(NICE) {
        let step = parse_c(word).and_then(|step| i32::try_from(step).ok());
        let step = step.ok_or_else(|| invalid(word).with_status(100))?;
        process::nice(step).map_err(|errno| Error::on("nice", errno))?;
    }
    user.map_or(Ok(()), |user| user.enter())
}

/// Locks the file for as long as the program runs, which inherits it.
fn hold(path: &[u8], wait: bool) -> Result<()> {
    let failed = |verb, errno| Error::cannot(verb, path, errno);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NONBLOCK;
    let file = fs::open(path, flags, Mode::from_raw_mode(0o600)).map_err(|errno| failed("open", errno))?;
    let operation = if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    fs::flock(&file, operation).map_err(|errno| failed("lock", errno))?;
    core::mem::forget(file);
    Ok(())
}
