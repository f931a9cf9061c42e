//! `flock`: hold the lock of a file while a program runs (flock(2)).

use rbox_core::call;
use rbox_core::duration;
use rbox_core::number::{parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FlockOperation, Mode, OFlags};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, fs, process};
use rbox_core::{daemon, text};

options! {
    "[OPTION]... {FD | FILE PROG [ARG]... | FILE -c COMMAND}

Lock descriptor FD, or lock FILE while a program runs.

  -s, --shared      Get a shared lock
  -x, -e, --exclusive  Get an exclusive lock (default)
  -u, --unlock      Release the lock
  -n, --nonblock, --nb  Fail instead of waiting
  -w, --timeout, --wait=SECONDS  Wait SECONDS at most
  -E, --conflict-exit-code=STATUS  Exit with STATUS if the lock is held (1)
  -o, --close       Do not pass the descriptor to PROG
  -F, --no-fork     Execute PROG without a fork
  -c, --command     Pass COMMAND to the shell
      --verbose     Print the time waited";
    SHARED = "-s",
    EXCLUSIVE = "-x",
    UNLOCK = "-u",
    NO_WAIT = "-n",
    LIMIT = "-w",
    CONFLICT = "-E",
    CLOSE = "-o",
    NO_FORK = "-F",
    COMMAND = "-c",
    VERBOSE = "--verbose",
}

/// The applet. sysexits.h has a number for each kind of failure; 64 is a wrong command line.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(64);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.operands().to_vec();
    let first = *words.first().ok_or_else(|| Error::misused("not enough arguments"))?;
    // `-c` may be before the file or after it.
    let mut for_shell = args.has(COMMAND);
    if matches!(words.get(1), Some(&b"-c" | &b"--command")) {
        words.remove(1);
        for_shell = true;
    }
    if for_shell && words.len() != 2 {
        return Err(Error::new("-c requires exactly one command argument"));
    }
    let conflict = args.value(CONFLICT).map(|word| parse_in_range(word, 0, 255)).transpose()?.unwrap_or(1) as u8;
    let limit = args.value(LIMIT).map(duration::parse).transpose()?;
    let limit = limit.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    let own: Option<OwnedFd>;
    let file = if words.len() > 1 {
        own = Some(open(first)?);
        own.as_ref().map_or(fd::borrow(0), AsFd::as_fd)
    } else {
        own = None;
        let number = parse_decimal(first).and_then(|number| i32::try_from(number).ok());
        let number = number.ok_or_else(|| Error::new(text!("bad file descriptor: '", first, "'")))?;
        fd::named(number).map_err(|errno| Error::on(first, errno).with_status(65))?
    };
    let started = daemon::uptime_milliseconds();
    let limit = if args.has(NO_WAIT) { Some(0) } else { limit };
    if !lock(file, args, limit).map_err(|errno| Error::on(first, errno).with_status(65))? {
        if args.has(VERBOSE) {
            env.report(&Error::new("failed to get lock"));
        }
        return Ok(ExitStatus(conflict));
    }
    if args.has(VERBOSE) {
        let took = daemon::uptime_milliseconds().saturating_sub(started);
        env.stdout.write(&text!("flock: getting lock took ", took, " milliseconds\n"))?;
    }
    let Some(own) = own else { return Ok(ExitStatus::SUCCESS) };
    let mut own = Some(own);
    let shell = env.shell();
    let command = match words[1..] {
        [text] if for_shell => vec![&shell[..], b"-c", text],
        _ => words[1..].to_vec(),
    };
    env.stdout.flush()?;
    if args.has(NO_FORK) {
        if args.has(CLOSE) {
            own = None;
        }
        // The program keeps the descriptor.
        core::mem::forget(own);
        return Ok(call::replace(env, &command));
    }
    let pid = process::fork_run(|| {
        if args.has(CLOSE) {
            // The child's copy alone.
            own = None;
        }
        call::replace(env, &command).0
    });
    call::pass_on(process::wait_for(pid.map_err(|errno| Error::on("can't fork", errno))?)?)
}

fn open(path: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::NOCTTY;
    let mode = Mode::from_raw_mode(0o666);
    let file = match fs::open(path, OFlags::RDONLY | OFlags::CREATE | flags, mode) {
        // A directory can be locked too, but not made.
        Err(Errno::ISDIR) => fs::open(path, OFlags::RDONLY | flags, mode),
        result => result,
    };
    file.map_err(|errno| Error::on(text!("can't open '", path, "'"), errno).with_status(66))
}

/// Locks, waiting at most so many milliseconds; false when the lock is held by another.
fn lock(file: BorrowedFd<'_>, args: &Args<'_>, limit: Option<u64>) -> core::result::Result<bool, Errno> {
    let (wait, now) = match args.last_of(&[SHARED, EXCLUSIVE, UNLOCK]) {
        Some(SHARED) => (FlockOperation::LockShared, FlockOperation::NonBlockingLockShared),
        Some(UNLOCK) => (FlockOperation::Unlock, FlockOperation::NonBlockingUnlock),
        _ => (FlockOperation::LockExclusive, FlockOperation::NonBlockingLockExclusive),
    };
    let Some(limit) = limit else {
        loop {
            match fs::flock(file, wait) {
                Err(Errno::INTR) => {}
                result => return result.map(|()| true),
            }
        }
    };
    let end = daemon::uptime_milliseconds().saturating_add(limit);
    loop {
        match fs::flock(file, now) {
            Err(Errno::AGAIN) => {}
            result => return result.map(|()| true),
        }
        let left = end.saturating_sub(daemon::uptime_milliseconds());
        if left == 0 {
            return Ok(false);
        }
        // There is no flock(2) with a limit, and a signal of a timer may come between a look at the clock and the call.
        daemon::pause(left.min(20));
    }
}
