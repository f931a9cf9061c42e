//! `init`: the first process. It starts the entries of /etc/inittab, reaps orphans, and stops the machine.
//!
//! Beyond BusyBox, `/` is mounted read-only after the last process is killed, so that it needs no recovery; an entry whose
//! process ends at once again and again is left alone for a while; and init executes itself again after its own crash.

mod inittab;
mod recovery;
mod start;

#[cfg(fuzzing)]
pub use inittab::fuzz;

use inittab::{Action, Entry};
use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::io::read_file;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::mount::{MountFlags, mount_remount};
use rbox_core::sys::process::WaitOptions;
use rbox_core::sys::signal_queue::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SignalQueue,
};
use rbox_core::sys::system::{RebootCommand, reboot};
use rbox_core::sys::{fs, process, signal};

options! {
    "[-s | single | 1 | WORD]

Start and supervise the processes of /etc/inittab as PID 1. WORD sets $RUNLEVEL.

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
        signals: SignalQueue::open(&watched)?,
        stopped: false,
        state: None,
        owns_machine: false,
    };
    // A session of its own; it fails where the kernel made one already.
    let _ = process::setsid();
    // The root directory can always be entered by PID 1.
    let _ = process::chdir("/");
    // A restarted one was executed as /proc/self/exe.
    process::set_name(b"init");
    init.entries = if single { vec![Entry::new(Action::Respawn, b"", b"-/bin/sh")] } else { read_entries(env) };
    let before = recovery::take_over(env);
    init.state = recovery::prepare(env);
    let restarted = before.is_some();
    match before {
        Some(running) => {
            say(env, b"init crashed and was restarted");
            inittab::adopt(&mut init.entries, running);
        }
        None => {
            for action in [Action::SysInit, Action::Wait] {
                init.run_all(env, action, true);
            }
        }
    }
    // Only now is /proc mounted.
    init.owns_machine = fs::readlink("/proc/self/ns/pid").is_ok_and(|link| link == FIRST_NAMESPACE);
    if !restarted {
        init.run_all(env, Action::Once, false);
    }
    // A child may have ended before the signals were blocked.
    init.reap(env);
    loop {
        let sleep = init.start_due(env);
        if let Some(state) = &init.state {
            state.save(&init.entries);
        }
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

fn read_entries(env: &mut Env) -> Vec<Entry> {
    let Ok(text) = read_file(b"/etc/inittab") else {
        return inittab::default_entries();
    };
    inittab::parse(&text, &mut |line| {
        say(env, &[b"Bad inittab entry at line ", Decimal::new(line).as_bytes()].concat());
    })
}

impl Init {
    /// Starts all entries of one kind in their order, and waits for each when `wait`.
    fn run_all(&mut self, env: &mut Env, action: Action, wait: bool) {
        for index in 0..self.entries.len() {
            if self.entries[index].action != action {
                continue;
            }
            self.start(env, index);
            while wait && self.entries[index].pid > 0 {
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

    fn start(&mut self, env: &mut Env, index: usize) {
        let entry = &self.entries[index];
        let signals = &self.signals;
        let pid = process::fork_run(|| {
            signals.release();
            start::run(env, entry)
        });
        let entry = &mut self.entries[index];
        entry.started = uptime_milliseconds();
        match pid {
            Ok(pid) => entry.pid = pid,
            Err(errno) => say(env, Error::on("can't fork", errno).message()),
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
            SIGHUP => {
                say(env, b"reloading /etc/inittab");
                let old = core::mem::take(&mut self.entries);
                self.entries = read_entries(env);
                for pid in inittab::adopt(&mut self.entries, old) {
                    // It may have ended already.
                    let _ = signal::kill(pid, SIGTERM);
                }
            }
            SIGINT => self.run_all(env, Action::CtrlAltDel, false),
            SIGQUIT => self.restart(env),
            SIGTERM => self.stop(env, RebootCommand::Restart, b"reboot"),
            SIGUSR1 => self.stop(env, RebootCommand::Halt, b"halt"),
            SIGUSR2 => self.stop(env, RebootCommand::PowerOff, b"poweroff"),
            SIGTSTP => self.stopped = true,
            SIGCONT => self.stopped = false,
            _ => {}
        }
    }

    /// Runs the shutdown entries and ends all processes.
    fn end_all(&mut self, env: &mut Env) {
        // From here on nothing is started again.
        self.stopped = true;
        self.run_all(env, Action::Shutdown, true);
        say(env, b"The system is going down NOW!");
        // Both fail only when no other process is left.
        let _ = signal::kill(-1, SIGTERM);
        let _ = signal::kill(-1, SIGCONT);
        say(env, b"Sent SIGTERM to all processes");
        fs::sync();
        pause(1000);
        // As above.
        let _ = signal::kill(-1, SIGKILL);
        fs::sync();
        say(env, b"Sent SIGKILL to all processes");
        pause(1000);
    }

    fn stop(&mut self, env: &mut Env, command: RebootCommand, name: &[u8]) {
        self.end_all(env);
        // With no process left nothing is open for writing any more. What cannot be remounted is only synced.
        if self.owns_machine {
            let _ = mount_remount("/", MountFlags::RDONLY, "");
        }
        fs::sync();
        say(env, &[b"Requesting system ", name].concat());
        // In a child: the end of PID 1 in the call would be a panic.
        let pid = process::fork_run(|| {
            // A container has no right to; the next call tells whether the machine can be stopped.
            let _ = reboot(RebootCommand::CadOn);
            u8::from(reboot(command).is_err())
        });
        if let Ok(pid) = pid {
            // Without a child nothing is left to wait for: the loop below is the same.
            let _ = process::wait_for(pid);
        }
        loop {
            pause(60_000);
        }
    }

    fn restart(&mut self, env: &mut Env) {
        let Some(entry) = self.entries.iter().find(|entry| entry.action == Action::Restart).cloned() else { return };
        self.end_all(env);
        while let Ok(Some(_)) = process::wait(-1, WaitOptions::NOHANG) {}
        self.signals.release();
        start::open_terminal(env, &entry.tty);
        start::become_command(env, &entry.command);
        // The new init could not be started: a machine with nothing in it is best restarted.
        let _ = reboot(RebootCommand::Restart);
    }
}
