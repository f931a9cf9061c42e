//! `init`: the first process. It starts the entries of /etc/inittab, reaps orphans, and stops the machine.
//!
//! Beyond BusyBox, `/` is mounted read-only after the last process is killed, so that it needs no recovery; an entry whose
//! process ends at once again and again is left alone for a while; and init executes itself again after its own crash or
//! a failed allocation, with what it knew. A call that fails for want of memory or PIDs is repeated.

mod inittab;
mod recovery;
mod shutdown;
mod start;

#[cfg(fuzzing)]
pub use inittab::fuzz;

use inittab::{Action, Entry};
use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::io::read_file;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::process::WaitOptions;
use rbox_core::sys::signal_queue::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SignalQueue,
};
use rbox_core::sys::system::{RebootCommand, reboot};
use rbox_core::sys::{fs, process, signal};

options! {
    "[-s | single | 1 | WORD]

Start and supervise the processes of /etc/inittab as PID 1. WORD sets $RUNLEVEL.
A shutdown entry may take $SHUTDOWN_TIMEOUT seconds (60).

  -s  Start only a shell on the console; also single, 1

Signals: HUP rereads /etc/inittab; TSTP stops respawning until CONT; QUIT executes
the restart entry; TERM reboots, USR1 halts, USR2 powers off; INT (Ctrl-Alt-Del)
runs the ctrlaltdel entries.";
    SINGLE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().options_first();

/// The least time between two starts of a respawn entry, in milliseconds.
const RESPAWN_INTERVAL: u64 = 1000;

/// A process that lives shorter than this many milliseconds has ended at once.
const SHORT_LIFE: u64 = 5000;

/// So many of them in a row, and the entry rests.
const STORM: u32 = 10;

/// How long it rests, in milliseconds.
const REST: u64 = 60_000;

/// The state of the first process.
struct Init {
    entries: Vec<Entry>,
    signals: SignalQueue,
    stopped: bool,
    /// What runs, where a crash cannot reach it.
    state: Option<recovery::State>,
    /// The signal that ends the system, once it came.
    ending: Option<i32>,
    /// The whole machine is this init's, not only a container: then `/` is its to mount read-only in the end.
    owns_machine: bool,
}

/// What `/proc/self/ns/pid` leads to in the first process namespace: the kernel's PROC_PID_INIT_INO.
const FIRST_NAMESPACE: &[u8] = b"pid:[4026531836]";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if process::getpid().as_raw_pid() != 1 && env.name != b"linuxrc" {
        return Err(Error::new("must be run as PID 1"));
    }
    start::open_console(env);
    let word = args.operands().first().copied();
    start::set_variables(env, word);
    let single = args.has(SINGLE) || matches!(word, Some(b"single" | b"1"));
    // Ctrl-Alt-Del becomes SIGINT; in a container there is no right to ask for that.
    let _ = reboot(RebootCommand::CadOff);
    let watched = [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT];
    let mut init = Init {
        entries: Vec::new(),
        signals: open_queue(&watched),
        stopped: false,
        state: None,
        ending: None,
        owns_machine: false,
    };
    // A session of its own; it fails where the kernel made one already.
    let _ = process::setsid();
    // The root directory can always be entered by PID 1.
    let _ = process::chdir("/");
    // A restarted one was executed as /proc/self/exe.
    process::set_name(b"init");
    // From here on no failure ends the system.
    let (state, before) = recovery::begin(env);
    init.state = state;
    init.entries = match single {
        true => vec![Entry::new(Action::Respawn, b"", b"-/bin/sh")],
        false => read_entries(env).unwrap_or_else(|_| inittab::default_entries()),
    };
    let restarted = before.is_some();
    match before {
        Some(before) => {
            say(env, b"init crashed and was restarted");
            inittab::adopt(&mut init.entries, before.running);
            init.ending = before.ending;
        }
        None => {
            for action in [Action::SysInit, Action::Wait] {
                init.run_all(env, action, Some(u64::MAX));
            }
        }
    }
    // Only now is /proc mounted.
    init.owns_machine = fs::readlink("/proc/self/ns/pid").is_ok_and(|link| link == FIRST_NAMESPACE);
    if !restarted {
        init.run_all(env, Action::Once, None);
    }
    // A child may have ended before the signals were blocked.
    init.reap(env);
    if let Some(signal) = init.ending.take() {
        init.handle(env, signal);
    }
    loop {
        let sleep = init.start_due(env);
        init.save();
        if let Some(signal) = init.signals.wait(sleep) {
            init.handle(env, signal);
        }
    }
}

/// Prints to the console, and to the system log when it runs.
fn say(env: &mut Env, message: &[u8]) {
    let line = [b"\r", message, b"\n"].concat();
    // A dead console is no reason to stop.
    let _ = env.stderr.write(&line);
    rbox_core::syslog::send_line(rbox_core::syslog::DAEMON_INFO, b"init", message);
}

/// Waits until there are memory and a descriptor for it.
fn open_queue(watched: &[i32]) -> SignalQueue {
    loop {
        match SignalQueue::open(watched) {
            Ok(queue) => return queue,
            Err(_) => pause(1000),
        }
    }
}

fn read_entries(env: &mut Env) -> Result<Vec<Entry>> {
    Ok(inittab::parse(&read_file(b"/etc/inittab")?, &mut |line| {
        say(env, &[b"Bad inittab entry at line ", Decimal::new(line).as_bytes()].concat());
    }))
}

impl Init {
    /// Notes down what runs, for an init that goes on after a crash.
    fn save(&self) {
        if let Some(state) = &self.state {
            state.save(&self.entries, self.ending);
        }
    }

    /// Starts all entries of one kind in their order, and waits for each, at most for so many milliseconds.
    fn run_all(&mut self, env: &mut Env, action: Action, wait: Option<u64>) {
        for index in 0..self.entries.len() {
            if self.entries[index].action != action {
                continue;
            }
            let end = uptime_milliseconds().saturating_add(wait.unwrap_or(u64::MAX));
            while !self.start(env, index) && uptime_milliseconds() < end {
                pause(1000);
            }
            while wait.is_some() && self.entries[index].pid > 0 {
                if uptime_milliseconds() >= end {
                    say(
                        env,
                        &[b"process '", &self.entries[index].command[..], b"' takes too long: not waited for"].concat(),
                    );
                    break;
                }
                // Only the ends of children count here; a request to stop is taken up afterwards.
                match self.signals.wait(Some(1000)) {
                    Some(SIGCHLD) | None => self.reap(env),
                    Some(signal) if action == Action::SysInit || action == Action::Wait => self.handle(env, signal),
                    Some(_) => {}
                }
                if index >= self.entries.len() {
                    return;
                }
            }
        }
    }

    /// False when there is no memory or no PID for it.
    fn start(&mut self, env: &mut Env, index: usize) -> bool {
        let entry = &self.entries[index];
        let signals = &self.signals;
        let pid = process::fork_run(|| {
            signals.release();
            start::run(env, entry)
        });
        let entry = &mut self.entries[index];
        entry.started = uptime_milliseconds();
        match pid {
            Ok(pid) => {
                entry.pid = pid;
                true
            }
            Err(errno) => {
                say(env, Error::on("can't fork", errno).message());
                false
            }
        }
    }

    /// Starts what should run and may. Returns how long to sleep until the next one may, in milliseconds.
    fn start_due(&mut self, env: &mut Env) -> Option<u64> {
        let mut sleep = None;
        for index in 0..self.entries.len() {
            let entry = &self.entries[index];
            if self.stopped || entry.pid > 0 || !matches!(entry.action, Action::Respawn | Action::AskFirst) {
                continue;
            }
            let since = uptime_milliseconds().saturating_sub(entry.started);
            let interval = if entry.short_lives < STORM { RESPAWN_INTERVAL } else { REST };
            if entry.started == 0 || since >= interval {
                self.start(env, index);
            }
            if self.entries[index].pid == 0 {
                let rest = interval.saturating_sub(since).max(1);
                sleep = Some(sleep.map_or(rest, |other: u64| other.min(rest)));
            }
        }
        sleep
    }

    fn reap(&mut self, env: &mut Env) {
        while let Ok(Some((pid, _))) = process::wait(-1, WaitOptions::NOHANG) {
            let Some(entry) = self.entries.iter_mut().find(|entry| entry.pid == pid) else { continue };
            entry.pid = 0;
            let lived = uptime_milliseconds().saturating_sub(entry.started);
            entry.short_lives = if lived < SHORT_LIFE { entry.short_lives + 1 } else { 0 };
            if !self.stopped && matches!(entry.action, Action::Respawn | Action::AskFirst) {
                let number = Decimal::new(pid as u64);
                let end = b") exited. Scheduling for restart.";
                let message = [b"process '", &entry.command[..], b"' (pid ", number.as_bytes(), end].concat();
                say(env, &message);
                if entry.short_lives == STORM {
                    say(
                        env,
                        &[b"process '", &entry.command[..], b"' respawns too fast: it rests for a minute"].concat(),
                    );
                } else if entry.short_lives > STORM {
                    // After its rest it gets a whole row of attempts again.
                    entry.short_lives = 1;
                }
            }
        }
    }

    fn handle(&mut self, env: &mut Env, signal: i32) {
        match signal {
            SIGCHLD => self.reap(env),
            SIGHUP => self.reload(env),
            SIGINT => self.run_all(env, Action::CtrlAltDel, None),
            SIGQUIT => self.restart(env, signal),
            SIGTERM | SIGUSR1 | SIGUSR2 => self.stop(env, signal),
            SIGTSTP => self.stopped = true,
            SIGCONT => self.stopped = false,
            _ => {}
        }
    }

    /// Reads the table again. What did not change goes on; a table that cannot be read changes nothing.
    fn reload(&mut self, env: &mut Env) {
        say(env, b"reloading /etc/inittab");
        let new = match read_entries(env) {
            Ok(new) => new,
            Err(error) => return say(env, error.message()),
        };
        let old = core::mem::replace(&mut self.entries, new);
        for pid in inittab::adopt(&mut self.entries, old) {
            // It may have ended already.
            let _ = signal::kill(pid, SIGTERM);
        }
    }
}
