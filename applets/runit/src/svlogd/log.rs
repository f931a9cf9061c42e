//! One log directory: its file `current`, the old ones, and the processor that these go through.

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::files;
use rbox_core::io::Input;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use rbox_core::sys::net::{AddressFamily, SendFlags, SocketAddrAny, SocketFlags, SocketType, sendto, socket_with};
use rbox_core::sys::process::{self, Change, WaitOptions};
use rbox_core::sys::signal_queue::SignalQueue;
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs};
use rbox_core::{call, push, text};

use super::config::Config;
use super::pattern::matches;
use super::stamp::tai64n;
use crate::status::now;

/// How a file of the directory is opened.
const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// The mode of a file that is whole, by which svlogd knows it from one that was left behind.
const WHOLE: Mode = Mode::from_bits_retain(0o744);

/// A log directory.
pub struct Log {
    /// As it was named.
    pub path: Vec<u8>,
    directory: OwnedFd,
    _lock: OwnedFd,
    current: OwnedFd,
    config: Config,
    /// Bytes of `current`, with those that wait in `buffer`.
    size: u64,
    buffer: Vec<u8>,
    /// When `current` was begun, uptime in milliseconds.
    begun: u64,
    socket: Option<OwnedFd>,
    /// The processor that runs, and the name of the file that it reads, without its ending.
    processor: Option<(i32, Vec<u8>)>,
    /// The present message is written here.
    selected: bool,
}

impl Log {
    /// Opens the directory, locks it and goes on with its `current`.
    pub fn open(env: &mut Env, path: &[u8], verbose: bool) -> Result<Self> {
        let failed = |what: &str, errno| Error::on(text!("warning: can't ", what, " ", path), errno);
        let directory = files::open_directory(CWD, path, true).map_err(|errno| failed("open log directory", errno))?;
        let flags = NEW | OFlags::APPEND;
        let lock = fs::openat(directory.as_fd(), "lock", flags, Mode::from_raw_mode(0o600));
        let lock = lock.map_err(|errno| failed("open lock in", errno))?;
        fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|errno| failed("lock", errno))?;
        let text = fs::openat(directory.as_fd(), "config", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let text = match text {
            Ok(file) => Input::from_fd(file, b"config").read_to_end()?,
            Err(_) => Vec::new(),
        };
        let mut warn = |word: &[u8]| {
            env.warn(Error::new(text!("warning: can't scan ip address: ", word)));
        };
        let config = Config::parse(&text, &mut warn);
        let kind = (AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
        let socket = match config.receiver {
            Some(_) => Some(socket_with(kind.0, kind.1, kind.2, None).map_err(|errno| failed("log from", errno))?),
            None => None,
        };
        set_aside(&directory);
        let current = open_current(&directory).map_err(|errno| failed("create current in", errno))?;
        let size = fs::fstat(&current).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
        if verbose {
            env.report(&Error::new(text!("info: ", if size > 0 { "append" } else { "new" }, ": ", path, "/current")));
        }
        Ok(Self {
            path: path.to_vec(),
            directory,
            _lock: lock,
            current,
            config,
            size,
            buffer: Vec::new(),
            begun: uptime_milliseconds(),
            socket,
            processor: None,
            selected: true,
        })
    }

    /// Takes the first bytes of a message, at most as many as patterns look at. `whole` says that its end is there; `lead`
    /// is the time. Returns what goes to standard error.
    pub fn begin(&mut self, env: &mut Env, signals: &SignalQueue, lead: &[u8], head: &[u8], whole: bool) -> Vec<u8> {
        let (mut selected, mut alert) = (true, false);
        for (kind, pattern) in &self.config.patterns {
            let flag = if matches!(kind, b'-' | b'+') { &mut selected } else { &mut alert };
            let value = matches!(kind, b'+' | b'e');
            if *flag != value && matches(pattern, head) {
                *flag = value;
            }
        }
        let closed = if alert || selected && self.socket.is_some() {
            text!(lead, &self.config.prefix, head, if whole { "\n" } else { "...\n" })
        } else {
            Vec::new()
        };
        if selected && let (Some(socket), Some(to)) = (&self.socket, self.config.receiver) {
            // RFC 768: delivery is not confirmed. What the system itself refuses is in the log.
            if let Err(errno) = sendto(socket, &closed, SendFlags::empty(), &SocketAddrAny::from(to)) {
                let reason = rbox_core::sys::error_text(errno);
                let note = text!(lead, "svlogd: warning: can't send: ", reason.as_str(), "\n");
                self.put(env, signals, &note);
            }
        }
        self.selected = selected && !self.config.only_sent;
        if self.selected {
            let space = self.config.size.saturating_sub(self.size) as usize;
            let length = lead.len() + self.config.prefix.len() + head.len() + 1;
            if self.config.size == 0 || length <= space {
                // The usual case, in one go.
                push!(self.buffer, lead, &self.config.prefix, head, &b"\n"[..usize::from(whole)]);
                self.size += (length - usize::from(!whole)) as u64;
            } else {
                let line = text!(lead, &self.config.prefix, head, &b"\n"[..usize::from(whole)]);
                self.put(env, signals, &line);
            }
        }
        if alert { closed } else { Vec::new() }
    }

    /// Takes more of the message that was begun.
    pub fn go_on(&mut self, env: &mut Env, signals: &SignalQueue, part: &[u8]) {
        if self.selected {
            self.put(env, signals, part);
        }
    }

    /// Rotates when `current` is full, or nearly so at the end of a line.
    pub fn check_size(&mut self, env: &mut Env, signals: &SignalQueue, length: usize, line_ended: bool) {
        let (size, most, length) = (self.size, self.config.size, length as u64);
        if most > 0 && (size >= most || line_ended && most >= length && size >= most - length) {
            self.rotate(env, signals);
        }
    }

    fn put(&mut self, env: &mut Env, signals: &SignalQueue, mut text: &[u8]) {
        while !text.is_empty() {
            let space = if self.config.size > 0 { self.config.size.saturating_sub(self.size) } else { u64::MAX };
            if space == 0 {
                self.rotate(env, signals);
                continue;
            }
            let (part, rest) = text.split_at(text.len().min(usize::try_from(space).unwrap_or(usize::MAX)));
            self.buffer.extend_from_slice(part);
            self.size += part.len() as u64;
            text = rest;
        }
    }

    /// Writes what waits. A full disk loses the oldest files before it loses messages; else svlogd waits.
    pub fn flush(&mut self, env: &mut Env) {
        let buffer = core::mem::take(&mut self.buffer);
        let mut rest = &buffer[..];
        while !rest.is_empty() {
            match fd::write(&self.current, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(Errno::NOSPC) if self.config.least > 0 && self.remove_oldest(self.config.least) => {}
                Err(errno) => {
                    env.warn(Error::on(text!("warning: can't write to ", &self.path, "/current, pausing"), errno));
                    pause(1000);
                }
            }
        }
        self.buffer = buffer;
        self.buffer.clear();
    }

    /// Milliseconds until `current` is too old; `None` when it never is.
    pub fn time_left(&self) -> Option<u64> {
        let age = self.config.age.saturating_mul(1000);
        (age > 0).then(|| self.begun.saturating_add(age).saturating_sub(uptime_milliseconds()))
    }

    /// Makes an old file of `current`, unless that is empty.
    pub fn rotate(&mut self, env: &mut Env, signals: &SignalQueue) {
        self.flush(env);
        self.begun = uptime_milliseconds();
        if self.size == 0 {
            return;
        }
        self.await_processor(env, signals);
        let ending = if self.config.processor.is_some() { ".u" } else { ".s" };
        let name = loop {
            let name = tai64n(now());
            let taken = fs::statat(self.directory.as_fd(), text!(&name, ending), AtFlags::SYMLINK_NOFOLLOW).is_ok();
            if !taken {
                break name;
            }
        };
        close(&self.current);
        if let Err(errno) = fs::renameat(&self.directory, "current", &self.directory, text!(&name, ending)) {
            env.warn(Error::on(text!("warning: can't rename current: ", &self.path), errno));
            pause(1000);
            return;
        }
        self.current = loop {
            match open_current(&self.directory) {
                Ok(file) => break file,
                Err(errno) => {
                    env.warn(Error::on(text!("warning: can't create new current, pausing: ", &self.path), errno));
                    pause(1000);
                }
            }
        };
        self.size = 0;
        if self.config.processor.is_some() {
            self.start_processor(env, signals, name);
        }
        if self.config.most > 0 {
            self.remove_oldest(self.config.most);
        }
    }

    /// Removes the oldest file when there are more than `most` of them. True when it did.
    fn remove_oldest(&self, most: u64) -> bool {
        // A descriptor of its own: a directory is read from where the last reading ended.
        let directory = files::open_directory(self.directory.as_fd(), b".", true);
        let Ok(entries) = directory.and_then(|directory| files::list(directory.as_fd())) else { return false };
        let old = |name: &&Vec<u8>| name.len() == 27 && name.starts_with(b"@") && !name.ends_with(b".t");
        let names = || entries.iter().map(|entry| &entry.name).filter(old);
        let Some(oldest) = names().min() else { return false };
        names().count() as u64 > most && fs::unlinkat(self.directory.as_fd(), oldest, AtFlags::empty()).is_ok()
    }

    /// Runs `sh -c PROCESSOR` from the old file `NAME.u` to `NAME.t`; its state comes in on 4 and goes out on 5.
    fn start_processor(&mut self, env: &mut Env, signals: &SignalQueue, name: Vec<u8>) {
        let Some(command) = self.config.processor.clone() else { return };
        let directory = &self.directory;
        let started = process::fork_run(|| {
            signals.release();
            let open = |name: &[u8], flags: OFlags| {
                let file = fs::openat(directory.as_fd(), name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o644))?;
                // Above the numbers that the files are to have.
                fd::fcntl_dupfd_cloexec(&file, 10)
            };
            let truncated = NEW | OFlags::TRUNC;
            let files = [
                (0, open(&text!(&name, ".u"), OFlags::RDONLY)),
                (1, open(&text!(&name, ".t"), truncated)),
                (4, open(b"state", OFlags::RDONLY | OFlags::CREATE)),
                (5, open(b"newstate", truncated)),
            ];
            let mut numbers = fd::Descriptors::default();
            let moved = process::fchdir(directory)
                .and_then(|()| files.into_iter().try_for_each(|(number, file)| numbers.set(file?.as_fd(), number)));
            match moved {
                Ok(()) => call::replace(env, &[b"sh", b"-c", &command]).0,
                Err(_) => 111,
            }
        });
        match started {
            Ok(pid) => self.processor = Some((pid, name)),
            Err(errno) => drop(env.warn(Error::on(text!("warning: can't start processor: ", &self.path), errno))),
        }
    }

    /// Looks whether the processor has ended; starts it again when it failed.
    pub fn check_processor(&mut self, env: &mut Env, signals: &SignalQueue) {
        let Some((pid, _)) = self.processor else { return };
        if let Ok(Some((_, change))) = process::wait(pid, WaitOptions::NOHANG) {
            self.processor_ended(env, signals, change);
        }
    }

    /// Waits until no processor runs.
    pub fn await_processor(&mut self, env: &mut Env, signals: &SignalQueue) {
        while let Some((pid, _)) = self.processor {
            match process::wait_for(pid) {
                Ok(change) => self.processor_ended(env, signals, change),
                Err(_) => self.processor = None,
            }
        }
    }

    fn processor_ended(&mut self, env: &mut Env, signals: &SignalQueue, change: Change) {
        let Some((_, name)) = self.processor.take() else { return };
        let [unprocessed, made] = [".u", ".t"].map(|ending| text!(&name, ending));
        let finished = || -> core::result::Result<(), Errno> {
            let file = fs::openat(self.directory.as_fd(), &made, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            close(&file);
            fs::renameat(&self.directory, &made, &self.directory, text!(&name, ".s"))?;
            fs::unlinkat(self.directory.as_fd(), &unprocessed, AtFlags::empty())?;
            fs::renameat(&self.directory, "newstate", &self.directory, "state")
        };
        if change == Change::Exited(0) {
            if let Err(errno) = finished() {
                env.warn(Error::on(text!("warning: can't put the processed file in place: ", &self.path), errno));
            }
            return;
        }
        env.warn(Error::new(text!("warning: processor failed, restart: ", &self.path)));
        // It is truncated by the next attempt in any case.
        let _ = fs::unlinkat(self.directory.as_fd(), &made, AtFlags::empty());
        // One that fails at once would keep the machine busy.
        pause(1000);
        self.start_processor(env, signals, name);
    }

    /// Marks `current` as whole, and lets go of the directory.
    pub fn close(mut self, env: &mut Env, signals: &SignalQueue) {
        self.flush(env);
        self.await_processor(env, signals);
        close(&self.current);
    }
}

fn close(file: &OwnedFd) {
    // A log is worth more on the disk; one that cannot be synced is as good as before.
    let _ = fs::fsync(file);
    let _ = fs::fchmod(file, WHOLE);
}

fn open_current(directory: &OwnedFd) -> core::result::Result<OwnedFd, Errno> {
    let file = fs::openat(directory.as_fd(), "current", NEW | OFlags::APPEND, Mode::from_raw_mode(0o644))?;
    fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
    Ok(file)
}

/// A `current` that no svlogd closed may end anywhere: it becomes an old file that was not processed.
fn set_aside(directory: &OwnedFd) {
    let Ok(stat) = fs::statat(directory.as_fd(), "current", AtFlags::SYMLINK_NOFOLLOW) else { return };
    if stat.st_size > 0 && stat.st_mode & 0o100 == 0 {
        // If it cannot be renamed it is gone on with.
        let _ = fs::renameat(directory, "current", directory, text!(tai64n(now()), ".u"));
    }
}
