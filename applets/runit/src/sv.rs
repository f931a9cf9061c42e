//! `sv`: control services that runsv watches over, and show their state (sv(8)).

use rbox_core::bytes;
use rbox_core::call;
use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::io::read_file;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Access, Mode, OFlags};
use rbox_core::sys::process::Change;
use rbox_core::sys::{Errno, fd, fs, process};

use crate::status::{State, Status, now};

options! {
    "[-v] [-w SEC] COMMAND SERVICE...

Control services. A SERVICE without a leading / or . is in $SVDIR (/var/service).
A link with another name controls the service of that name.

  -v      Wait for the command to take effect and report it
  -w SEC  Wait SEC seconds at most ($SVWAIT or 7)

status: print the state; up, down, once; exit: also end runsv;
pause cont hup alarm interrupt quit 1 2 term kill: send that signal;
start stop restart shutdown reload try-restart check: do and wait;
force-stop force-reload force-restart force-shutdown: and kill after the wait.";
    VERBOSE = "-v",
    WAIT = "-w",
}

/// The applet. A wrong command line has status 100, as in sv(8).
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(100);

/// The most that the exit status counts.
const MOST_FAILURES: u8 = 99;

/// What a command sends, what it waits for, and whether it kills in the end.
struct Command {
    send: &'static [u8],
    check: u8,
    waits: bool,
    kills: bool,
}

/// One service, and how far it is.
struct Service {
    directory: Vec<u8>,
    name: Vec<u8>,
    done: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let own_name = env.name.clone();
    // sv(8): a link under a service's name is a script for that service, as in /etc/init.d.
    let (action, names) = match args.operands() {
        [action] if own_name != b"sv" => (*action, &[&own_name[..]][..]),
        [action, names @ ..] if !names.is_empty() => (*action, names),
        _ => return Err(Error::usage()),
    };
    let wait = args.value(WAIT).or_else(|| env.vars.get("SVWAIT")).unwrap_or(b"7");
    let wait = parse_decimal(wait).ok_or_else(Error::usage)?;
    let Some(command) = find_command(action, args.has(VERBOSE)) else { return Err(Error::usage()) };
    let here = process::getcwd(Vec::new()).map_err(|errno| Error::on("can't open current directory", errno))?;
    let base = env.vars.get("SVDIR").unwrap_or(b"/var/service").to_vec();
    let mut failures = 0u8;
    let started = now();
    let mut services = Vec::new();
    for &name in names {
        let as_is = name.starts_with(b"/") || name.starts_with(b".") || name.ends_with(b"/");
        let directory = bytes::join_path(if as_is { here.as_bytes() } else { &base }, name);
        let directory = if name.starts_with(b"/") { name.to_vec() } else { directory };
        let mut service = Service { directory, name: name.to_vec(), done: false };
        let good = match command.check {
            b's' => service.show_status(env)?,
            _ => service.send(env, &command)?,
        };
        failures = failures.saturating_add((!good).into());
        service.done |= !good || !command.waits;
        services.push(service);
    }
    let deadline = uptime_milliseconds() + wait * 1000;
    loop {
        let late = uptime_milliseconds() >= deadline;
        for service in services.iter_mut().filter(|service| !service.done) {
            service.done = service.check(env, command.check, started)? || late;
            if late && !service.check_quietly(env, command.check, started) {
                failures = failures.saturating_add(1);
                service.give_up(env, &command)?;
            }
        }
        if services.iter().all(|service| service.done) {
            return Ok(ExitStatus(failures.min(MOST_FAILURES)));
        }
        pause(420);
    }
}

fn find_command(action: &[u8], verbose: bool) -> Option<Command> {
    let plain = |send, check| Command { send, check, waits: verbose, kills: false };
    let waiting = |send, check| Command { send, check, waits: true, kills: false };
    let forced = |send, check| Command { send, check, waits: true, kills: true };
    Some(match action {
        b"status" => Command { send: b"", check: b's', waits: false, kills: false },
        b"start" => waiting(b"u", b'u'),
        b"stop" => waiting(b"d", b'd'),
        b"restart" => waiting(b"tcu", b't'),
        b"shutdown" => waiting(b"x", b'x'),
        b"reload" => waiting(b"h", b'C'),
        b"try-restart" => waiting(b"tc", b'T'),
        b"check" => waiting(b"", b'C'),
        b"force-stop" => forced(b"d", b'd'),
        b"force-reload" => forced(b"tc", b'T'),
        b"force-restart" => forced(b"tcu", b't'),
        b"force-shutdown" => forced(b"x", b'x'),
        // sv(8): the first character of a command is enough.
        [b'e' | b'x', ..] => plain(b"x", b'x'),
        [b's', ..] => Command { send: b"", check: b's', waits: false, kills: false },
        [b'u', ..] => plain(b"u", b'u'),
        [b'd', ..] => plain(b"d", b'd'),
        [b'o', ..] => plain(b"o", b'o'),
        [b't', ..] => plain(b"t", b't'),
        [b'k', ..] => plain(b"k", b't'),
        [b'p', ..] => plain(b"p", b'p'),
        [b'c', ..] => plain(b"c", b'c'),
        [b'h', ..] => plain(b"h", b'C'),
        [b'a', ..] => plain(b"a", b'C'),
        [b'i', ..] => plain(b"i", b'C'),
        [b'q', ..] => plain(b"q", b'C'),
        [b'1', ..] => plain(b"1", b'C'),
        [b'2', ..] => plain(b"2", b'C'),
        _ => return None,
    })
}

/// Why the state of a service is not known.
enum Unknown {
    /// runsv does not run.
    NotRunning,
    /// It was never watched over.
    Warning(Error),
    /// Anything else.
    Reason(Error),
}

impl Service {
    fn path(&self, name: &str) -> Vec<u8> {
        bytes::join_path(&self.directory, name.as_bytes())
    }

    fn read_status(&self) -> core::result::Result<Status, Unknown> {
        let reason = |text: &str, errno| Unknown::Reason(Error::on(text, errno));
        fs::stat(&self.directory[..]).map_err(|errno| reason("unable to change to service directory", errno))?;
        match fs::open(
            &self.path("supervise/ok")[..],
            OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Ok(_) => {}
            // No reader: no runsv supervises the service.
            Err(Errno::NXIO) => return Err(Unknown::NotRunning),
            Err(errno) => return Err(Unknown::Warning(Error::on("unable to open supervise/ok", errno))),
        }
        let content = read_file(&self.path("supervise/status"));
        let content = content.map_err(|error| {
            let errno = error.errno().unwrap_or(Errno::IO);
            reason("unable to open supervise/status", errno)
        })?;
        Status::parse(&content)
            .ok_or_else(|| Unknown::Reason(Error::new("unable to read supervise/status: bad format")))
    }

    fn say(&self, env: &mut Env, lead: &[u8], text: &[u8]) -> Result<()> {
        env.stdout.write(&[lead, &self.name, b": ", text, b"\n"].concat())
    }

    fn say_unknown(&self, env: &mut Env, lead: &[u8], unknown: &Unknown) -> Result<()> {
        match unknown {
            Unknown::NotRunning => self.say(env, lead, b"runsv not running"),
            Unknown::Warning(error) => self.say(env, b"warning: ", error.message()),
            Unknown::Reason(error) => self.say(env, lead, error.message()),
        }
    }

    /// `run: NAME: (pid N) Ss, ...` as sv(8) describes it.
    fn describe(&self, status: &Status, name: &[u8]) -> Vec<u8> {
        let mut text = match status.state {
            State::Down => b"down: ".to_vec(),
            State::Run => b"run: ".to_vec(),
            State::Finish => b"finish: ".to_vec(),
        };
        text.extend_from_slice(name);
        text.extend_from_slice(b": ");
        if status.pid > 0 {
            text.extend_from_slice(&[b"(pid ", Decimal::new(status.pid.into()).as_bytes(), b") "].concat());
        }
        let seconds = now().0.saturating_sub(status.since.0);
        text.extend_from_slice(&[Decimal::new(seconds).as_bytes(), b"s"].concat());
        let normally_up = fs::stat(&self.path("down")[..]).is_err();
        let (up, want) = (status.pid > 0, status.want);
        let notes: [(bool, &[u8]); 6] = [
            (up && !normally_up, b", normally down"),
            (!up && normally_up, b", normally up"),
            (up && status.paused, b", paused"),
            (!up && want == b'u', b", want up"),
            (up && want == b'd', b", want down"),
            (up && status.got_term, b", got TERM"),
        ];
        notes.iter().filter(|(holds, _)| *holds).for_each(|(_, note)| text.extend_from_slice(note));
        text
    }

    /// True when the state is known.
    fn show_status(&self, env: &mut Env) -> Result<bool> {
        let status = match self.read_status() {
            Ok(status) => status,
            Err(unknown) => {
                self.say_unknown(env, b"fail: ", &unknown)?;
                return Ok(false);
            }
        };
        let mut text = self.describe(&status, &self.name);
        let log = Self { directory: self.path("log"), name: b"log".to_vec(), done: true };
        if fs::stat(&log.directory[..]).is_ok() {
            text.extend_from_slice(b"; ");
            match log.read_status() {
                Ok(status) => text.extend_from_slice(&log.describe(&status, b"log")),
                Err(Unknown::NotRunning) => text.extend_from_slice(b"log: runsv not running"),
                Err(Unknown::Reason(error) | Unknown::Warning(error)) => {
                    text.extend_from_slice(&[b"warning: log: ", error.message()].concat());
                }
            }
        }
        text.push(b'\n');
        env.stdout.write(&text)?;
        Ok(true)
    }

    /// Writes the command's bytes to `supervise/control`. True when it was taken.
    fn send(&mut self, env: &mut Env, command: &Command) -> Result<bool> {
        if let Err(unknown) = self.read_status() {
            let gone = command.check == b'x' && matches!(unknown, Unknown::NotRunning);
            self.say_unknown(env, if gone { b"ok: " } else { b"fail: " }, &unknown)?;
            self.done = true;
            return Ok(gone);
        }
        if command.send.is_empty() {
            return Ok(true);
        }
        match self.write_control(command.send) {
            Ok(()) => Ok(true),
            Err(errno) => {
                let lead = if errno == Errno::NXIO { &b"fail: "[..] } else { &b"warning: "[..] };
                self.say(env, lead, Error::on("unable to write to supervise/control", errno).message())?;
                Ok(false)
            }
        }
    }

    fn write_control(&self, content: &[u8]) -> core::result::Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let control = fs::open(&self.path("supervise/control")[..], flags, Mode::empty())?;
        fd::write(&control, content).map(drop)
    }

    /// Checks whether the command has taken effect, and reports it.
    fn check(&self, env: &mut Env, check: u8, started: (u64, u32)) -> Result<bool> {
        if !self.check_quietly(env, check, started) {
            return Ok(false);
        }
        match self.read_status() {
            Ok(status) => {
                let text = self.describe(&status, &self.name);
                env.stdout.write(&[b"ok: ", &text[..], b"\n"].concat())?;
            }
            Err(unknown) => self.say_unknown(env, b"ok: ", &unknown)?,
        }
        env.stdout.flush()?;
        Ok(true)
    }

    fn check_quietly(&self, env: &mut Env, check: u8, started: (u64, u32)) -> bool {
        let status = match self.read_status() {
            Ok(status) => status,
            Err(Unknown::NotRunning) => return check == b'x',
            Err(Unknown::Reason(_) | Unknown::Warning(_)) => return false,
        };
        let up = status.pid > 0;
        match check {
            b'x' => false,
            b'u' => up && status.state == State::Run && self.passes_check(env),
            b'd' => !up,
            b'C' => !up || self.passes_check(env),
            b't' | b'T' if !up && (check == b'T' || status.want == b'd') => true,
            b't' | b'T' => up && status.since > started && self.passes_check(env),
            b'o' => (up && status.want != b'd') || (!up && status.since > started),
            b'p' => !up || status.paused,
            b'c' => !up || !status.paused,
            _ => true,
        }
    }

    /// Runs the service's own `check`; a service without one is as it should be when it runs.
    fn passes_check(&self, env: &mut Env) -> bool {
        let path = self.path("check");
        if fs::access(&path[..], Access::EXEC_OK).is_err() {
            return true;
        }
        let pid = process::fork_run(|| {
            if process::chdir(&self.directory[..]).is_err() {
                return 100;
            }
            let null = fs::open("/dev/null", OFlags::WRONLY, Mode::empty());
            if null.and_then(|null| fd::install(null, 1)).is_err() {
                return 100;
            }
            let check: &[u8] = b"./check";
            call::replace(env, core::slice::from_ref(&check)).0
        });
        pid.and_then(process::wait_for).is_ok_and(|change| change == Change::Exited(0))
    }

    /// The time is up: reports it, and kills where the command may.
    fn give_up(&self, env: &mut Env, command: &Command) -> Result<()> {
        let lead: &[u8] = if command.kills { b"kill: " } else { b"timeout: " };
        match self.read_status() {
            Ok(status) => {
                let text = self.describe(&status, &self.name);
                env.stdout.write(&[lead, &text, b"\n"].concat())?;
            }
            Err(unknown) => self.say_unknown(env, lead, &unknown)?,
        }
        if command.kills {
            // What cannot be written to has ended.
            let _ = self.write_control(b"k");
        }
        Ok(())
    }
}
