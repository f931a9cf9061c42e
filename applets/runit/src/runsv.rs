//! `runsv`: start a service and its log service, watch over both, and take commands (runsv(8)).

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::io::Input;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::processes::{Process, TICKS};
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{Access, CWD, FileType, FlockOperation, Mode, OFlags};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::process::{self, Change, WaitOptions};
use rbox_core::sys::signal_queue::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGUSR1, SIGUSR2, SignalQueue,
};
use rbox_core::sys::time::{ClockId, Timespec, clock_gettime};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs, signal};
use rbox_core::time::Moment;

use crate::status::{State, Status, now};

options!(
    "DIRECTORY

Supervise the service in DIRECTORY: run DIRECTORY/run, restart it when it exits,
and read commands from DIRECTORY/supervise/control. DIRECTORY/log/run reads its
output; a log/ added later does so from the next start."
);

/// The applet. Its own failures have runit's status 111.
pub const APPLET: Applet = Applet::new(USAGE, run).program().failure(111);

/// The least time between two starts, in milliseconds.
const INTERVAL: u64 = 1000;

/// How often to look whether the directory was made again or has a log/ now, in seconds.
const LOOK: i64 = 5;

/// A service or its log service.
struct Service {
    /// Empty, or `log/`: before the name of each file.
    prefix: &'static str,
    status: Status,
    /// What to do when the process ends: start again, or not, or leave.
    want: Want,
    /// Uptime of the last start in milliseconds.
    started: u64,
    /// The ends of the FIFO for commands. The writing end keeps it from reading as ended.
    control: (OwnedFd, OwnedFd),
    /// Shows `sv` that a runsv supervises the service, and keeps a second one out.
    _held: (OwnedFd, OwnedFd),
}

/// Milliseconds that a process has to end after SIGTERM.
const LEFTOVER_PATIENCE: u64 = 5000;

/// A process that an earlier runsv has left.
struct Leftover {
    pid: i32,
    /// Ticks after the machine's start at which it was started: a later process with its PID has another.
    started: u64,
}

impl Leftover {
    /// The process in `supervise/pid`, if it is the one that was meant: it leads a session, as every service, and was
    /// started before the file was written.
    fn read(path: &[u8]) -> Option<Self> {
        let pid = parse_decimal(Input::open(path).ok()?.line().ok()??)?.try_into().ok()?;
        let process = Process::read(pid)?;
        let uptime = clock_gettime(ClockId::Boottime).tv_sec as u64;
        let age = uptime.saturating_sub(process.started / TICKS);
        let written = fs::stat(path).ok()?.st_mtime;
        let is_it = process.session == pid && Moment::now().seconds - age as i64 <= written + 1;
        is_it.then_some(Self { pid, started: process.started })
    }

    fn is_alive(&self) -> bool {
        Process::read(self.pid).is_some_and(|process| process.started == self.started && process.state != b'Z')
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Up,
    Down,
    Exit,
}

struct Supervisor {
    /// As it was named, for messages.
    directory: Vec<u8>,
    /// The same from the root on.
    path: Vec<u8>,
    services: Vec<Service>,
    /// The pipe from the service to its log service.
    pipe: Option<(OwnedFd, OwnedFd)>,
    signals: SignalQueue,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let directory = args.operands_between(1, 1).map_err(|error| error.with_status(1))?[0];
    // runsvdir may have executed /proc/self/exe, which is no name.
    process::set_name(b"runsv");
    let fatal = |error: Error| error.context([directory, b": fatal"].concat());
    let here = rbox_core::files::current_directory().unwrap_or_default();
    let path =
        if directory.starts_with(b"/") { directory.to_vec() } else { rbox_core::bytes::join_path(&here, directory) };
    process::chdir(directory).map_err(|errno| fatal(Error::on("can't change to service directory", errno)))?;
    let signals = SignalQueue::open(&[SIGCHLD, SIGTERM]).map_err(Error::from)?;
    // A service that ends must not end its supervisor by the pipe between service and log.
    let mut services = vec![Service::open("").map_err(fatal)?];
    let mut pipe = None;
    if fs::stat("log").is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory) {
        services.push(Service::open("log/").map_err(fatal)?);
        let ends = pipe_with(PipeFlags::CLOEXEC).map_err(|errno| fatal(Error::on("can't create pipe", errno)))?;
        pipe = Some(ends);
    }
    for service in &services {
        service.end_leftover();
    }
    let mut supervisor = Supervisor { directory: directory.to_vec(), path, services, pipe, signals };
    while !supervisor.is_over(env) {
        supervisor.wait_and_handle(env);
    }
    Ok(ExitStatus::SUCCESS)
}

impl Service {
    /// Makes and opens the files of `supervise/`.
    fn open(prefix: &'static str) -> Result<Self> {
        let path = |name: &str| [prefix, "supervise/", name].concat();
        let supervise = [prefix, "supervise"].concat();
        match fs::mkdir(&supervise, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::on(["can't create ", &supervise].concat(), errno)),
        }
        // A link to a directory that is not there yet, as on a read-only root.
        if let (Err(Errno::NOENT), Ok(target)) = (fs::stat(&supervise), fs::readlink(&supervise)) {
            let base = if target.starts_with(b"/") { &b""[..] } else { prefix.as_bytes() };
            // If it cannot be made, opening the files in it fails and reports why.
            let _ = fs::mkdir([base, &target].concat(), Mode::RWXU);
        }
        let open = |name: &str, flags: OFlags| {
            fs::open(path(name), flags | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)
                .map_err(|errno| Error::on(["can't open ", &path(name)].concat(), errno))
        };
        let lock = open("lock", OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)?;
        fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| Error::on(["can't lock ", &path("lock")].concat(), errno))?;
        for name in ["control", "ok"] {
            match fs::mknodat(CWD, path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(Error::on(["can't create ", &path(name)].concat(), errno)),
            }
        }
        let control = (open("control", OFlags::RDONLY)?, open("control", OFlags::WRONLY)?);
        let ok = open("ok", OFlags::RDONLY)?;
        let down = fs::stat([prefix, "down"].concat()).is_ok();
        let status = Status {
            since: now(),
            pid: 0,
            paused: false,
            want: if down { b'd' } else { b'u' },
            got_term: false,
            state: State::Down,
        };
        let want = if down { Want::Down } else { Want::Up };
        let service = Self { prefix, status, want, started: 0, control, _held: (lock, ok) };
        Ok(service)
    }

    /// Ends the process that a runsv started which was killed: there must be one copy of a service.
    fn end_leftover(&self) {
        let path = [self.prefix, "supervise/pid"].concat();
        let Some(left) = Leftover::read(path.as_bytes()) else { return };
        for (signal, milliseconds) in [(SIGTERM, LEFTOVER_PATIENCE), (SIGKILL, 1000)] {
            // A process that is gone needs no signal; a stopped one must run to end.
            let _ = signal::kill(left.pid, signal).and_then(|()| signal::kill(left.pid, SIGCONT));
            let end = uptime_milliseconds() + milliseconds;
            while left.is_alive() && uptime_milliseconds() < end {
                pause(20);
            }
        }
    }

    fn is_log(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// Writes `supervise/pid`, `stat` and `status`, each whole or not at all.
    fn write_status(&self) -> Result<()> {
        let pid = Decimal::new(self.status.pid.into());
        let pid = if self.status.pid > 0 { [pid.as_bytes(), b"\n"].concat() } else { Vec::new() };
        self.replace("pid", &pid)?;
        let mut text = match self.status.state {
            State::Down => b"down".to_vec(),
            State::Run => b"run".to_vec(),
            State::Finish => b"finish".to_vec(),
        };
        let notes: [(bool, &[u8]); 5] = [
            (self.status.paused, b", paused"),
            (self.status.got_term, b", got TERM"),
            (self.status.state != State::Down && self.want == Want::Down, b", want down"),
            (self.status.state != State::Down && self.want == Want::Exit, b", want exit"),
            (self.status.state != State::Run && self.want == Want::Up, b", want up"),
        ];
        notes.iter().filter(|(holds, _)| *holds).for_each(|(_, note)| text.extend_from_slice(note));
        text.push(b'\n');
        self.replace("stat", &text)?;
        self.replace("status", &self.status.to_bytes())
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = [self.prefix, "supervise/", name].concat();
        let temporary = [&path, ".new"].concat();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let file = fs::open(&temporary, flags, Mode::from_raw_mode(0o644))
            .map_err(|errno| Error::on(["can't open ", &temporary].concat(), errno))?;
        let mut output = rbox_core::io::Output::from_fd(file);
        output.write(content)?;
        output.flush()?;
        fs::rename(&temporary, &path).map_err(|errno| Error::on(["can't rename ", &temporary].concat(), errno))
    }
}

impl Supervisor {
    fn warn(&self, env: &mut Env, service: usize, error: Error) {
        let prefix = self.services[service].prefix.trim_end_matches('/');
        let name = rbox_core::bytes::join_path(&self.directory, prefix.as_bytes());
        let name = if prefix.is_empty() { &self.directory } else { &name };
        env.warn(error.context("warning").context(name));
    }

    /// Starts what should run; true when nothing is left to watch over.
    fn is_over(&mut self, env: &mut Env) -> bool {
        for index in (0..self.services.len()).rev() {
            let service = &self.services[index];
            if service.status.pid == 0 && service.want == Want::Up {
                self.start(env, index, "run", None);
            }
        }
        let idle = |service: &Service| service.status.pid == 0 && service.want == Want::Exit;
        if !idle(&self.services[0]) {
            return false;
        }
        // The log service reads to the end of its input and leaves by itself.
        self.pipe = None;
        match self.services.get_mut(1) {
            Some(log) if log.status.pid > 0 => {
                log.want = Want::Exit;
                false
            }
            _ => true,
        }
    }

    /// Starts `run` or `finish` of a service. `ended` holds the words for `finish`.
    fn start(&mut self, env: &mut Env, index: usize, name: &str, ended: Option<[Vec<u8>; 2]>) {
        let is_run = name == "run";
        if is_run {
            // At most one start a second. Commands wait that long too, as in runit.
            let since = uptime_milliseconds().saturating_sub(self.services[index].started);
            if self.services[index].started > 0 && since < INTERVAL {
                pause(INTERVAL - since);
            }
            if index == 0 && !self.services[0].is_log() {
                self.run_control(env, b'u');
            }
        }
        let program = ["./", name].concat();
        let signals = &self.signals;
        let (service, pipe) = (&self.services[index], &self.pipe);
        let pid = process::fork_run(|| {
            signals.release();
            // The child of a fork is no group leader, so this cannot fail.
            let _ = process::setsid();
            if service.is_log()
                && let Err(errno) = process::chdir("log")
            {
                env.warn(Error::on("can't change to log service directory", errno));
                return 111;
            }
            if let Some((read, write)) = pipe {
                let redirected =
                    if service.is_log() { fd::redirect(read.as_fd(), 0) } else { fd::redirect(write.as_fd(), 1) };
                if redirected.is_err() {
                    return 111;
                }
            }
            let mut words: Vec<&[u8]> = vec![program.as_bytes()];
            words.extend(ended.iter().flatten().map(Vec::as_slice));
            let errno = process::exec(program.as_bytes(), &words, &env.vars.words());
            env.warn(Error::on(["can't start ", &program].concat(), errno));
            111
        });
        let service = &mut self.services[index];
        match pid {
            Ok(pid) => {
                let state = if is_run { State::Run } else { State::Finish };
                let want = service.status.want;
                service.status = Status { since: now(), pid: pid as u32, paused: false, want, got_term: false, state };
                if is_run {
                    service.started = uptime_milliseconds();
                }
                self.publish(env, index);
            }
            Err(errno) => self.warn(env, index, Error::on("can't fork", errno)),
        }
    }

    fn publish(&self, env: &mut Env, index: usize) {
        if let Err(error) = self.services[index].write_status() {
            self.warn(env, index, error);
        }
    }

    fn wait_and_handle(&mut self, env: &mut Env) {
        for index in 0..self.services.len() {
            if self.services[index].started == 0 {
                // The first files of a service that is not started.
                self.publish(env, index);
            }
        }
        let mut watched = vec![PollFd::from_borrowed_fd(self.signals.fd(), PollFlags::IN)];
        watched.extend(self.services.iter().map(|service| PollFd::new(&service.control.0, PollFlags::IN)));
        // An interruption only means one more round.
        let _ = poll(&mut watched, Some(&Timespec { tv_sec: LOOK, tv_nsec: 0 }));
        drop(watched);
        self.follow_directory(env);
        while let Some(signal) = self.signals.take() {
            if signal == SIGTERM {
                self.command(env, 0, b'x');
            }
        }
        while let Ok(Some((pid, change))) = process::wait(-1, WaitOptions::NOHANG) {
            self.note_end(env, pid, change);
        }
        for index in 0..self.services.len() {
            let mut byte = [0];
            while let Ok(1) = fd::read(&self.services[index].control.0, &mut byte) {
                self.command(env, index, byte[0]);
            }
        }
    }

    /// A directory that was removed and made again has other files under the same names: moves there, or no command would
    /// ever come. A log/ that was added gets a service.
    fn follow_directory(&mut self, env: &mut Env) {
        let same = |a: &fs::Stat, b: &fs::Stat| (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino);
        let is_new = |old: fs::Stat, new: fs::Stat| !same(&old, &new);
        let moved = fs::stat(".").and_then(|old| Ok(is_new(old, fs::stat(&self.path[..])?)));
        if moved == Ok(true) && process::chdir(&self.path[..]).is_ok() {
            for index in 0..self.services.len() {
                match Service::open(self.services[index].prefix) {
                    Ok(new) => {
                        let service = &mut self.services[index];
                        (service.control, service._held) = (new.control, new._held);
                        self.publish(env, index);
                    }
                    Err(error) => self.warn(env, index, error),
                }
            }
        }
        let is_directory = |stat: fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if self.services.len() == 1
            && self.services[0].want != Want::Exit
            && fs::stat("log").is_ok_and(is_directory)
            && fs::access("log/run", Access::EXEC_OK).is_ok()
            && let (Ok(log), Ok(pipe)) = (Service::open("log/"), pipe_with(PipeFlags::CLOEXEC))
        {
            self.services.push(log);
            self.pipe = Some(pipe);
        }
    }

    fn note_end(&mut self, env: &mut Env, pid: i32, change: Change) {
        let Some(index) = self.services.iter().position(|service| service.status.pid == pid as u32) else { return };
        let service = &mut self.services[index];
        let ran = service.status.state == State::Run;
        service.status.pid = 0;
        let finish = [service.prefix, "finish"].concat();
        if ran && fs::access(&finish, Access::EXEC_OK).is_ok() {
            // runsv(8): the status or -1, then the low byte of the wait status.
            let words = match change {
                Change::Exited(status) => [Decimal::new(status.into()).as_bytes().to_vec(), b"0".to_vec()],
                Change::Signaled(signal) => [b"-1".to_vec(), Decimal::new(signal as u64).as_bytes().to_vec()],
                _ => [b"-1".to_vec(), b"0".to_vec()],
            };
            return self.start(env, index, "finish", Some(words));
        }
        service.status.state = State::Down;
        (service.status.paused, service.status.got_term, service.status.since) = (false, false, now());
        self.publish(env, index);
    }

    /// Obeys one byte of `supervise/control`.
    fn command(&mut self, env: &mut Env, index: usize, byte: u8) {
        match byte {
            b'd' | b'x' => {
                let want = if byte == b'd' { Want::Down } else { Want::Exit };
                self.ask(env, index, want, b'd');
                if byte == b'x' && index == 1 {
                    // The log service alone cannot end its supervisor.
                    self.services[1].want = Want::Down;
                }
                if self.services[index].status.pid > 0 && self.services[index].status.state == State::Run {
                    if !self.custom(env, index, b't') {
                        self.signal(index, SIGTERM);
                        self.services[index].status.got_term = true;
                    }
                    if !self.custom(env, index, byte) {
                        self.signal(index, SIGCONT);
                        self.services[index].status.paused = false;
                    }
                }
            }
            b'u' => self.ask(env, index, Want::Up, b'u'),
            b'o' => {
                if self.services[index].status.pid == 0 {
                    self.start(env, index, "run", None);
                }
                self.ask(env, index, Want::Down, b'd');
            }
            _ => self.send(env, index, byte),
        }
        self.publish(env, index);
    }

    /// Sets the wanted state. A supervisor that was ordered to exit keeps that order.
    fn ask(&mut self, env: &mut Env, index: usize, want: Want, byte: u8) {
        let service = &mut self.services[index];
        if service.want != Want::Exit {
            (service.want, service.status.want) = (want, byte);
        }
        let starts = service.want == Want::Up && service.status.pid == 0;
        if starts {
            self.start(env, index, "run", None);
        }
    }

    fn send(&mut self, env: &mut Env, index: usize, byte: u8) {
        let signal = match byte {
            b'p' => SIGSTOP,
            b'c' => SIGCONT,
            b'h' => SIGHUP,
            b'a' => SIGALRM,
            b'i' => SIGINT,
            b'q' => SIGQUIT,
            b'1' => SIGUSR1,
            b'2' => SIGUSR2,
            b't' => SIGTERM,
            b'k' => SIGKILL,
            _ => return,
        };
        if self.services[index].status.pid == 0 || self.custom(env, index, byte) {
            return;
        }
        self.signal(index, signal);
        let status = &mut self.services[index].status;
        match byte {
            b'p' => status.paused = true,
            b'c' => status.paused = false,
            b't' => status.got_term = true,
            _ => {}
        }
    }

    fn signal(&self, index: usize, number: i32) {
        // A process that has just ended is reaped in the next round.
        let _ = signal::kill(self.services[index].status.pid as i32, number);
    }

    /// Runs `control/BYTE` of the service, if there; true when it wants no signal to be sent.
    fn custom(&mut self, env: &mut Env, index: usize, byte: u8) -> bool {
        index == 0 && self.run_control(env, byte)
    }

    fn run_control(&self, env: &mut Env, byte: u8) -> bool {
        let path = [b"./control/", &[byte][..]].concat();
        if fs::access(&path[..], Access::EXEC_OK).is_err() {
            return false;
        }
        let pid = process::fork_run(|| {
            self.signals.release();
            process::exec(&path, &[&path], &env.vars.words());
            111
        });
        pid.and_then(process::wait_for).is_ok_and(|change| change == Change::Exited(0))
    }
}
