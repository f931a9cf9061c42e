//! `runsvdir`: watch a directory of services and keep a runsv for each (runsvdir(8)).

use rbox_core::call;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::files::list_at;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;
use rbox_core::sys::process::WaitOptions;
use rbox_core::sys::signal_queue::{SIGCHLD, SIGHUP, SIGTERM, SignalQueue};
use rbox_core::sys::{Errno, fs, process, signal};

options! {
    "[-P] [-s SCRIPT] DIRECTORY

Run runsv for each directory in DIRECTORY. Look for changes every 5 seconds, and
restart each runsv that exits.

  -P         Run each runsv in a new session
  -s SCRIPT  Run SCRIPT with the signal number on HUP and TERM

HUP stops all services and runsvdir; TERM stops runsvdir alone.";
    SESSION = "-P",
    SCRIPT = "-s",
}

/// The applet. Its own failures have runit's status 111.
pub const APPLET: Applet = Applet::new(USAGE, run).program().failure(111);

/// As runsvdir(8): more are not watched.
const MOST_SERVICES: usize = 1000;
/// Milliseconds between two looks at the directory.
const SCAN_INTERVAL: u64 = 5000;
/// Milliseconds between two starts of the same runsv.
const START_INTERVAL: u64 = 1000;

/// A service by its directory's identity, whatever its name.
struct Watched {
    device: u64,
    inode: u64,
    name: Vec<u8>,
    pid: i32,
    started: u64,
    seen: bool,
}

struct Watcher<'a> {
    /// As it was named, for messages.
    directory: &'a [u8],
    /// The same from the root on.
    path: Vec<u8>,
    session: bool,
    services: Vec<Watched>,
    signals: SignalQueue,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let directory = args.operands_between(1, 1).map_err(|error| error.with_status(1))?[0];
    let signals = SignalQueue::open(&[SIGCHLD, SIGHUP, SIGTERM]).map_err(Error::from)?;
    let here = rbox_core::files::current_directory().unwrap_or_default();
    let path =
        if directory.starts_with(b"/") { directory.to_vec() } else { rbox_core::bytes::join_path(&here, directory) };
    let mut watcher = Watcher { directory, path, session: args.has(SESSION), services: Vec::new(), signals };
    let mut next_scan = 0;
    loop {
        while let Ok(Some((pid, _))) = process::wait(-1, WaitOptions::NOHANG) {
            watcher.services.iter_mut().filter(|service| service.pid == pid).for_each(|service| service.pid = 0);
        }
        if uptime_milliseconds() >= next_scan {
            watcher.scan(env);
            next_scan = uptime_milliseconds() + SCAN_INTERVAL;
        }
        let sleep = watcher.start_due(env, next_scan.saturating_sub(uptime_milliseconds()));
        if let Some(number @ (SIGHUP | SIGTERM)) = watcher.signals.wait(Some(sleep)) {
            return watcher.leave(env, number, args.value(SCRIPT));
        }
    }
}

impl Watcher<'_> {
    fn warn(&self, env: &mut Env, error: Error) {
        env.warn(error.context("warning").context(self.directory));
    }

    fn scan(&mut self, env: &mut Env) {
        // The directory may come later, go, or be made again.
        if let Err(errno) = process::chdir(&self.path[..]) {
            return self.warn(env, Error::on("can't change to directory", errno));
        }
        let entries = match list_at(b".") {
            Ok(entries) => entries,
            // A look that ended early must not stop the services it did not see.
            Err(errno) => return self.warn(env, Error::on("can't read directory", errno)),
        };
        self.services.iter_mut().for_each(|service| service.seen = false);
        for entry in entries {
            if !entry.name.starts_with(b".") {
                self.look_at(env, &entry.name);
            }
        }
        for service in &mut self.services {
            if !service.seen && service.pid > 0 {
                // runsv ends its service on SIGTERM, and then itself.
                let _ = signal::kill(service.pid, SIGTERM);
            }
        }
        self.services.retain(|service| service.seen);
    }

    fn look_at(&mut self, env: &mut Env, name: &[u8]) {
        let stat = match fs::stat(name) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return,
            Err(errno) => return self.warn(env, Error::on([b"can't stat ", name].concat(), errno)),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return;
        }
        let same = |service: &&mut Watched| (service.device, service.inode) == (stat.st_dev, stat.st_ino);
        if let Some(service) = self.services.iter_mut().find(same) {
            service.seen = true;
            if service.name != name {
                service.name = name.to_vec();
            }
        } else if self.services.len() < MOST_SERVICES {
            let (device, inode) = (stat.st_dev, stat.st_ino);
            self.services.push(Watched { device, inode, name: name.to_vec(), pid: 0, started: 0, seen: true });
        } else {
            self.warn(env, Error::parts(&[b"can't start runsv ", name, b": too many services"]));
        }
    }

    /// Starts each runsv that does not run and may. Returns how long to sleep at most, in milliseconds.
    fn start_due(&mut self, env: &mut Env, mut sleep: u64) -> u64 {
        for index in 0..self.services.len() {
            let service = &self.services[index];
            if service.pid > 0 {
                continue;
            }
            let since = uptime_milliseconds().saturating_sub(service.started);
            if service.started > 0 && since < START_INTERVAL {
                sleep = sleep.min(START_INTERVAL - since);
                continue;
            }
            let (name, signals, session) = (&service.name, &self.signals, self.session);
            let pid = process::fork_run(|| {
                signals.release();
                if session {
                    // The child of a fork is no group leader, so this cannot fail.
                    let _ = process::setsid();
                }
                // An exec even when runsv is rbox: pidof(8) and killall(1) must know it by its own name.
                let words: [&[u8]; 2] = [b"runsv", name];
                let errno = match call::exec_by_path(env, &words) {
                    Errno::NOENT => process::exec(b"/proc/self/exe", &words, &env.vars.words()),
                    errno => errno,
                };
                env.warn(Error::on("can't execute 'runsv'", errno));
                127
            });
            match pid {
                Ok(pid) => self.services[index].pid = pid,
                Err(errno) => self.warn(env, Error::on("can't fork", errno)),
            }
            self.services[index].started = uptime_milliseconds();
        }
        sleep.max(1)
    }

    fn leave(&self, env: &mut Env, number: i32, script: Option<&[u8]>) -> Outcome {
        if number == SIGHUP {
            for service in self.services.iter().filter(|service| service.pid > 0) {
                // One that has ended meanwhile needs no signal.
                let _ = signal::kill(service.pid, SIGTERM);
            }
        }
        if let Some(script) = script {
            self.signals.release();
            call::run(env, &[script, Decimal::new(number as u64).as_bytes()])?;
        }
        Ok(ExitStatus(if number == SIGHUP { 111 } else { 0 }))
    }
}
