//! `start-stop-daemon`: start a daemon unless it runs, or stop it (BusyBox's options, and those of dpkg that init scripts
//! use).

use rbox_core::bytes;
use rbox_core::call::{find_program, is_program, is_this_program};
use rbox_core::daemon::{open_standard_streams, pause};
use rbox_core::io::{Input, Output};
use rbox_core::number::{invalid, parse_decimal, parse_in_range, parse_radix};
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process};
use rbox_core::signals::number_of;
use rbox_core::sys::fs::{Mode, OFlags, open, stat, unlink};
use rbox_core::sys::{AsFd, Errno, fd, process as own, signal};
use rbox_core::text;
use rbox_core::users::{self, Group, User};

options! {
    "-S|-K|-T [OPTION]... [-- ARG...]

Start, stop or query a program. Processes are matched by all of -x, -n, -u, -p,
--pid and --ppid that are given.

  -S, --start           Start the program unless it runs
  -K, --stop            Send a signal
  -T, --status          Query: status 0 running; 1 not, PID file exists; 3 not
  -x, --exec=FILE       Match and start the program FILE
  -n, --name=NAME       Match processes by name
  -u, --user=USER       Match processes by owner
  -p, --pidfile=FILE    Match the PID in FILE
      --pid=PID         Match PID
      --ppid=PPID       Match processes by parent
  -s, --signal=SIG      Send SIG (TERM)
  -R, --retry=SCHEDULE  Wait SECONDS, or SIG/SECONDS/...; status 2 if still running
      --remove-pidfile  Remove the PID file after the stop
  -t, --test            Print what would be done
  -a, --startas=NAME    Set argv[0] to NAME; a path is started instead
  -b, --background      Start in the background, in a new session
  -C, --no-close        With -b, keep the standard streams
  -O, --output=FILE     Redirect output to FILE
  -m, --make-pidfile    Write the PID to the file of -p
  -c, --chuid=USER[:GROUP]  Start as USER
  -g, --group=GROUP     Start with GROUP
  -d, --chdir=DIR       Change to DIR first
  -k, --umask=MASK      Set the umask
  -N, --nicelevel=N     Add N to the nice value
  -o, --oknodo          Exit with 0 if there is nothing to do
  -v, --verbose         Print each action
  -q, --quiet           Print nothing";
    START = "-S",
    STOP = "-K",
    STATUS = "-T",
    EXEC = "-x",
    NAME = "-n",
    USER = "-u",
    PID_FILE = "-p",
    PID = "--pid",
    PARENT = "--ppid",
    SIGNAL = "-s",
    RETRY = "-R",
    REMOVE = "--remove-pidfile",
    TEST = "-t",
    START_AS = "-a",
    BACKGROUND = "-b",
    NO_CLOSE = "-C",
    OUTPUT = "-O",
    MAKE = "-m",
    OWNER = "-c",
    GROUP = "-g",
    DIRECTORY = "-d",
    UMASK = "-k",
    NICE = "-N",
    OK = "-o",
    VERBOSE = "-v",
    QUIET = "-q",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

const TERM: i32 = 15;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_asked = [EXEC, NAME, USER, PID_FILE, PID, PARENT].iter().any(|option| args.has(*option));
    let modes = [START, STOP, STATUS].iter().filter(|option| args.has(**option)).count();
    let starts_nothing = args.has(START) && !args.has(EXEC) && !args.has(START_AS);
    if modes != 1 || starts_nothing || !(is_asked || args.has(START_AS)) || args.has(MAKE) && !args.has(PID_FILE) {
        return Err(Error::usage());
    }
    if args.has(START) {
        return start(env, args);
    }
    if args.has(STATUS) {
        let is_there = args.value(PID_FILE).is_some_and(|file| stat(file).is_ok());
        return Ok(match (found(args)?.is_empty(), is_there) {
            (false, _) => ExitStatus::SUCCESS,
            (true, true) => ExitStatus(1),
            (true, false) => ExitStatus(3),
        });
    }
    stop(env, args)
}

/// What is meant, for messages.
fn what(args: &Args<'_>) -> Vec<u8> {
    match [NAME, EXEC, START_AS].iter().find_map(|option| args.value(*option)) {
        Some(name) => name.to_vec(),
        None => match args.value(PID_FILE) {
            Some(file) => text!("process in pidfile '", file, "'"),
            None => text!("process"),
        },
    }
}

/// The processes that fit, the newest first. A start looks for nothing by the name that it gives.
fn found(args: &Args<'_>) -> Result<Vec<i32>> {
    let in_range = |option: Opt| args.value(option).map(|word| parse_in_range(word, 1, i32::MAX as u64)).transpose();
    let owner = args.value(USER).map(users::user_id).transpose()?;
    let (pid, parent) = (in_range(PID)?, in_range(PARENT)?);
    let in_file = match args.value(PID_FILE) {
        Some(file) => match pid_in(file)? {
            Some(pid) => Some(u64::from(pid)),
            // Nothing runs yet.
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let itself = own::getpid().as_raw_pid();
    let fits = |process: &Process| {
        let number = process.pid as u64;
        process.pid != itself
            && pid.is_none_or(|pid| pid == number)
            && in_file.is_none_or(|pid| pid == number)
            && parent.is_none_or(|parent| parent == process.parent as u64)
            && owner.is_none_or(|owner| process.owner().is_some_and(|(user, _)| user == owner))
            && args.value(NAME).is_none_or(|name| process.name == name[..name.len().min(15)])
            && args.value(EXEC).is_none_or(|file| executes(process, file))
    };
    let mut pids = processes::all()?;
    pids.retain(|pid| Process::read(*pid).is_some_and(|process| fits(&process)));
    pids.reverse();
    Ok(pids)
}

/// The number in a file; `None` when it is not there.
fn pid_in(path: &[u8]) -> Result<Option<u32>> {
    let mut input = match Input::open(path) {
        Err(error) if error.errno() == Some(Errno::NOENT) => return Ok(None),
        input => input?,
    };
    let line = input.line()?.unwrap_or_default().trim_ascii();
    let pid = parse_decimal(line).and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
    pid.map(Some).ok_or_else(|| Error::parts(&[b"bad number in pidfile '", path, b"'"]))
}

/// By its first word, or by the file that it executes; but all applets execute one.
fn executes(process: &Process, file: &[u8]) -> bool {
    if process.words().first().is_some_and(|word| word == file) {
        return true;
    }
    let running = stat(text!("/proc/", process.pid as u32, "/exe"));
    let (Ok(running), Ok(wanted)) = (running, stat(file)) else { return false };
    (running.st_dev, running.st_ino) == (wanted.st_dev, wanted.st_ino)
        && (!is_this_program(file) || process.is_named(bytes::base_name(file)))
}

fn stop(env: &mut Env, args: &Args<'_>) -> Outcome {
    let number = match args.value(SIGNAL) {
        Some(word) => number_of(word).ok_or_else(|| Error::parts(&[b"bad signal name '", word, b"'"]))?,
        None => TERM,
    };
    let schedule = args.value(RETRY).map(|word| schedule(word, number)).transpose()?;
    let mut pids = found(args)?;
    if pids.is_empty() {
        if !args.has(QUIET) {
            env.stdout.write(&text!("no ", what(args), " found; none killed\n"))?;
        }
        return Ok(ExitStatus::from_ok(args.has(OK)));
    }
    if !args.has(TEST) {
        pids = signal_all(env, &pids, schedule.as_ref().map_or(number, |steps| steps[0].0));
        if pids.is_empty() {
            return Ok(ExitStatus::from_ok(args.has(OK)));
        }
    }
    if !args.has(QUIET) {
        let numbers: Vec<Vec<u8>> = pids.iter().map(|pid| text!(*pid as u32)).collect();
        env.stdout.write(&text!("stopped ", what(args), " (pid ", numbers.join(&b' '), ")\n"))?;
    }
    if args.has(TEST) {
        return Ok(ExitStatus::SUCCESS);
    }
    for (at, (number, seconds)) in schedule.iter().flatten().enumerate() {
        if at > 0 {
            signal_all(env, &pids, *number);
        }
        await_end(&mut pids, *seconds);
    }
    if schedule.is_some() && !pids.is_empty() {
        return Ok(ExitStatus(2));
    }
    if args.has(REMOVE)
        && let Some(file) = args.value(PID_FILE)
    {
        unlink(file).map_err(|errno| Error::cannot("remove", file, errno))?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// `SECONDS`, which stands for SIGNAL/SECONDS/KILL/SECONDS, or pairs of signal and seconds; there is at least one.
fn schedule(word: &[u8], number: i32) -> Result<Vec<(i32, u64)>> {
    if let Some(seconds) = parse_decimal(word) {
        return Ok(vec![(number, seconds), (9, seconds)]);
    }
    let parts: Vec<&[u8]> = word.split(|byte| *byte == b'/').collect();
    let mut steps = Vec::new();
    for pair in parts.chunks(2) {
        let signal = pair[0].strip_prefix(b"-").unwrap_or(pair[0]);
        // What is not waited for may follow a signal at the end.
        let seconds = pair.get(1).map_or(Some(0), |seconds| parse_decimal(seconds));
        steps.push(number_of(signal).zip(seconds).ok_or_else(|| invalid(word))?);
    }
    Ok(steps)
}

/// Signals them; returns those that were reached.
fn signal_all(env: &mut Env, pids: &[i32], number: i32) -> Vec<i32> {
    let mut reached = pids.to_vec();
    reached.retain(|pid| match signal::kill(*pid, number) {
        Ok(()) => true,
        Err(errno) => {
            env.report(&Error::on(text!("warning: killing process ", *pid as u32), errno));
            false
        }
    });
    reached
}

/// Waits so many seconds at most until they have ended; a zombie has.
fn await_end(pids: &mut Vec<i32>, seconds: u64) {
    for _ in 0..=seconds.saturating_mul(20) {
        pids.retain(|pid| Process::read(*pid).is_some_and(|process| process.state != b'Z'));
        if pids.is_empty() {
            return;
        }
        pause(50);
    }
}

fn start(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_asked = [EXEC, NAME, USER, PID_FILE, PID, PARENT].iter().any(|option| args.has(*option));
    if is_asked && !found(args)?.is_empty() {
        if !args.has(QUIET) {
            env.stdout.write(&text!(what(args), " is already running\n"))?;
        }
        return Ok(ExitStatus::from_ok(args.has(OK)));
    }
    let named = args.value(START_AS);
    let program = named.filter(|name| name.contains(&b'/') && is_program(name));
    let program = program.or(args.value(EXEC)).or(named).unwrap_or_default();
    let program = find_program(&env.vars, program).unwrap_or_else(|| program.to_vec());
    let mut words = vec![named.or(args.value(EXEC)).unwrap_or_default()];
    words.extend(args.operands());
    if args.has(TEST) || args.has(VERBOSE) {
        env.stdout.write(&text!(if args.has(TEST) { "would start " } else { "starting " }, &program, "\n"))?;
        env.stdout.flush()?;
    }
    if args.has(TEST) {
        return Ok(ExitStatus::SUCCESS);
    }
    if args.has(BACKGROUND) && !is_program(&program) {
        return Err(Error::cannot("execute", &program, stat(&program).err().unwrap_or(Errno::ACCESS)));
    }
    let pid_file = args.value(PID_FILE).filter(|_| args.has(MAKE));
    if args.has(BACKGROUND) {
        return match own::fork().map_err(|errno| Error::on("can't fork", errno))? {
            None => {
                let error = execute(env, args, &program, &words).err();
                let status = error.map_or(ExitStatus::SUCCESS, |error| env.warn(error));
                own::exit_now(status.0)
            }
            Some(pid) => pid_file.map_or(Ok(()), |file| write_pid(file, pid)).map(|()| ExitStatus::SUCCESS),
        };
    }
    if let Some(file) = pid_file {
        write_pid(file, own::getpid().as_raw_pid())?;
    }
    execute(env, args, &program, &words)
}

fn write_pid(path: &[u8], pid: i32) -> Result<()> {
    let mut output = Output::create(path)?;
    output.write(&text!(pid as u32, "\n"))?;
    output.flush()
}

/// Becomes the program, in the environment that the options ask for. Returns only what went wrong.
fn execute(env: &mut Env, args: &Args<'_>, program: &[u8], words: &[&[u8]]) -> Outcome {
    if args.has(BACKGROUND) {
        // The child of a fork is no group leader, so this cannot fail.
        let _ = own::setsid();
        if !args.has(NO_CLOSE) {
            open_standard_streams(b"/dev/null", OFlags::RDWR)?;
        }
    }
    if let Some(file) = args.value(OUTPUT) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC;
        let output =
            open(file, flags, Mode::from_raw_mode(0o666)).map_err(|errno| Error::cannot("create", file, errno))?;
        for number in 1..3 {
            fd::redirect(output.as_fd(), number).map_err(|errno| Error::on(file, errno))?;
        }
    }
    if let Some(word) = args.value(NICE) {
        let (sign, digits) = word.strip_prefix(b"-").map_or((1, word), |digits| (-1, digits));
        let level = parse_in_range(digits, 0, 40)? as i32;
        own::nice(level * sign).map_err(|errno| Error::on("can't change niceness", errno))?;
    }
    if let Some(word) = args.value(UMASK) {
        let mask = parse_radix(word, 8).filter(|mask| *mask <= 0o777).ok_or_else(|| invalid(word))?;
        own::umask(Mode::from_raw_mode(mask as u32));
    }
    if let Some(directory) = args.value(DIRECTORY) {
        own::chdir(directory).map_err(|errno| Error::cannot("change directory to", directory, errno))?;
    }
    become_owner(args)?;
    env.stdout.flush()?;
    let errno = own::exec(program, words, &env.vars.words());
    Err(Error::cannot("execute", program, errno))
}

fn become_owner(args: &Args<'_>) -> Result<()> {
    let (user, mut group) = args.value(OWNER).map_or(Ok((None, None)), users::parse_owner)?;
    if let Some(name) = args.value(GROUP) {
        group = Some(users::group_id(name)?);
    }
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    let uid = user.unwrap_or(own::getuid().as_raw());
    let mut account = User::by_id(uid).ok_or_else(|| Error::new(text!("unknown user ", uid)))?;
    if let Some(gid) = group {
        Group::by_id(gid).ok_or_else(|| Error::new(text!("unknown group ", gid)))?;
        account.gid = gid;
    }
    users::become_user(&account)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::*;

    #[test]
    fn schedules_are_pairs() {
        assert_eq!(schedule(b"5", 15).ok(), Some(vec![(15, 5), (9, 5)]));
        assert_eq!(schedule(b"TERM/30/-KILL/5", 1).ok(), Some(vec![(15, 30), (9, 5)]));
        assert_eq!(schedule(b"INT", 1).ok(), Some(vec![(2, 0)]));
        for word in [&b""[..], b"NOPE/5", b"TERM/x"] {
            assert!(schedule(word, 15).is_err(), "{word:?}");
        }
    }

    #[test]
    fn one_of_start_and_stop_is_needed() {
        for words in [&["start-stop-daemon"][..], &["start-stop-daemon", "-S"], &["start-stop-daemon", "-K"]] {
            assert_eq!(try_call(APPLET, words, b"").status, 1);
        }
        let ran = try_call(APPLET, &["start-stop-daemon", "-K", "-u", "no such"], b"");
        assert_eq!(ran.stderr, "start-stop-daemon: unknown user no such\n");
    }

    #[test]
    fn nothing_to_stop_is_told() {
        let ran = try_call(APPLET, &["start-stop-daemon", "-K", "-n", "no such"], b"");
        assert_eq!((ran.status, ran.stdout.as_str()), (1, "no no such found; none killed\n"));
        assert_eq!(try_call(APPLET, &["start-stop-daemon", "-K", "-q", "-o", "-n", "no such"], b"").stdout, "");
    }
}
