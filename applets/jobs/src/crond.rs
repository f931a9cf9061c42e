//! `crond`: run the commands of all users' tables at their times (crontab(5)).

use rbox_core::daemon::{detach, keep_only};
use rbox_core::env::Vars;
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::session;
use rbox_core::sys::fs::{FileType, Mode, OFlags, fstat, inotify, openat};
use rbox_core::sys::process::{self, WaitOptions};
use rbox_core::sys::signal::{Disposition, set, take_pending, wait_readable};
use rbox_core::sys::signal_queue::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs, sandbox};
use rbox_core::time::{Moment, Zone, format};
use rbox_core::users::{User, become_user};
use rbox_core::{call, files, syslog, text};

use crate::table::{Job, parse};

options! {
    "[-bfS] [-l LEVEL] [-d LEVEL] [-L FILE] [-c DIRECTORY]

Run commands at their times. Without root's rights, only the user's own table is read.

  -b            Run in the background (default)
  -f            Run in the foreground
  -S            Log to syslog (default)
  -l LEVEL      Log level: 0 is the most verbose, 8 (default) logs each command
  -d LEVEL      Log level; log to standard error and run in the foreground
  -L FILE       Log to FILE
  -c DIRECTORY  Directory of tables (/var/spool/cron/crontabs)";
    BACKGROUND = "-b",
    FOREGROUND = "-f",
    SYSLOG = "-S",
    LEVEL = "-l",
    DEBUG = "-d",
    LOG_FILE = "-L",
    DIRECTORY = "-c",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Where the tables are, each under its user's name.
pub const TABLES: &[u8] = b"/var/spool/cron/crontabs";

/// Levels of messages: what is read, what is run, what fails.
const READ: u64 = 5;
const RUN: u64 = 8;
const FAILURE: u64 = 9;

/// When the clock jumps by no more than so many minutes, what lies between is run at once, or not run twice (as the cron
/// of most systems does); a larger jump sets the clock anew.
const JUMP: i64 = 180;

/// Lines of a job's output that are logged at most where no mail is sent.
const LOGGED_LINES: usize = 100;

/// Tells @reboot of later starts from the first after boot.
const STARTED: &str = "/var/run/crond.reboot";

struct Entry {
    user: User,
    job: Job,
    /// While it runs: its process, and the file with its output.
    running: Option<(i32, OwnedFd)>,
}

struct Daemon {
    directory: Vec<u8>,
    is_root: bool,
    log: Log,
    /// Tells of changed tables.
    changes: OwnedFd,
    entries: Vec<Entry>,
    zone: Zone,
}

struct Log {
    level: u64,
    /// None is syslog.
    file: Option<Output>,
    dated: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let level = args.value(DEBUG).or(args.value(LEVEL)).map(|word| parse_in_range(word, 0, 10)).transpose()?;
    let path = args.value(LOG_FILE);
    let file = match path {
        _ if args.has(DEBUG) => Some(Output::standard(2)),
        Some(path) if args.last_of(&[SYSLOG, LOG_FILE]) == Some(LOG_FILE) => {
            Some(Output::open(path, true).map_err(|errno| Error::cannot("open", path, errno))?)
        }
        _ => None,
    };
    let log = Log { level: level.unwrap_or(8), file, dated: !args.has(DEBUG) };
    let is_root = process::geteuid().is_root();
    let directory = args.value(DIRECTORY).unwrap_or(TABLES).to_vec();
    // Files are looked for from here later on, also in the background.
    let directory = files::canonical(&directory, false).map_err(|errno| Error::on(&directory, errno))?;
    if !args.has(DEBUG) && args.last_of(&[BACKGROUND, FOREGROUND]) != Some(FOREGROUND) {
        detach()?;
    }
    let changes = watch(&directory)?;
    for signal in [SIGCHLD, SIGHUP, SIGINT, SIGTERM] {
        set(signal, Disposition::Note).map_err(Error::from)?;
    }
    keep_only(sandbox::CROND, &[])?;
    let zone = Zone::load(env.vars.get("TZ"));
    let mut daemon = Daemon { directory, is_root, log, changes, entries: Vec::new(), zone };
    let version = text!("rbox ", env!("CARGO_PKG_VERSION"), " started, log level ", daemon.log.level);
    daemon.log.write(RUN, &version);
    daemon.read_tables();
    daemon.run_first(env);
    daemon.serve(env)
}

impl Log {
    /// Writes a message. A log that fails must not keep jobs from running.
    fn write(&mut self, level: u64, message: &[u8]) {
        if level < self.level {
            return;
        }
        let Some(file) = &mut self.file else {
            // Facility cron, severity info or err.
            return syslog::log(9 << 3 | if level >= FAILURE { 3 } else { 6 }, b"crond", message);
        };
        let date = match self.dated {
            true => format(b"%Y-%m-%d %H:%M:%S ", Moment::now(), &Zone::load(None)),
            false => Vec::new(),
        };
        let _ = file.write(&text!(date, "crond: ", message, "\n")).and_then(|()| file.flush());
    }
}

impl Daemon {
    fn serve(&mut self, env: &mut Env) -> Outcome {
        let minute_now = || Moment::now().seconds.div_euclid(60);
        let mut done = minute_now();
        loop {
            let now = Moment::now();
            let left = 60_000 - (now.seconds.rem_euclid(60) * 1000) as u64 - u64::from(now.nanos / 1_000_000);
            let changed = wait_readable(self.changes.as_fd(), Some(left)).unwrap_or(false);
            let signals = take_pending();
            if signals & (1 << (SIGTERM - 1) | 1 << (SIGINT - 1)) != 0 {
                return Ok(ExitStatus::SUCCESS);
            }
            self.reap(env);
            if changed {
                // What has changed is seen in the files themselves.
                let mut events = [0; 4096];
                while rbox_core::io::read(self.changes.as_fd(), &mut events).is_ok_and(|count| count > 0) {}
            }
            if changed || signals & 1 << (SIGHUP - 1) != 0 {
                self.read_tables();
            }
            let minute = minute_now();
            if (minute - done).abs() > JUMP {
                self.log.write(RUN, b"the clock has jumped");
                done = minute - 1;
            }
            while done < minute {
                done += 1;
                let time = self.zone.civil(done * 60);
                for at in 0..self.entries.len() {
                    if self.entries[at].job.schedule.fits(&time) {
                        self.start(env, at);
                    }
                }
            }
        }
    }

    /// Runs the jobs of @reboot, once for each boot.
    fn run_first(&mut self, env: &mut Env) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let first = fs::open(STARTED, flags, Mode::from_raw_mode(0o644));
        if self.is_root && first.is_err_and(|errno| errno == Errno::EXIST) {
            return;
        }
        for at in 0..self.entries.len() {
            if self.entries[at].job.schedule.at_start {
                self.start(env, at);
            }
        }
    }

    /// Reads all tables.
    fn read_tables(&mut self) {
        let mut files = Vec::new();
        let directory =
            fs::open(&self.directory[..], OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let Ok(directory) = directory else {
            return self.log.write(FAILURE, &text!("can't open '", &self.directory, "'"));
        };
        let own = User::by_id(process::geteuid().as_raw());
        for entry in files::list(directory.as_fd()).unwrap_or_default() {
            let name = entry.name;
            let is_mine = self.is_root || own.as_ref().is_some_and(|own| own.name == name);
            if name.starts_with(b".") || !is_mine {
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let Ok(file) = openat(directory.as_fd(), &name[..], flags, Mode::empty()) else { continue };
            let Ok(stat) = fstat(&file) else { continue };
            files.push((name, file, stat));
        }
        files.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut entries = Vec::new();
        for (name, file, stat) in files {
            let Some(user) = User::by_name(&name) else {
                self.log.write(FAILURE, &text!("there is no user ", &name));
                continue;
            };
            // What others may write is not the user's wish.
            let is_safe = files::kind(&stat) == FileType::RegularFile
                && (stat.st_uid == user.uid || stat.st_uid == 0)
                && stat.st_mode & 0o022 == 0;
            let content = Input::from_fd(file, &name).read_to_end();
            let (true, Ok(content)) = (is_safe, content) else {
                self.log.write(FAILURE, &text!("the table of ", &name, " is not a private file of the user"));
                continue;
            };
            self.log.write(READ, &text!("user ", &name, ": table read"));
            let log = &mut self.log;
            let jobs = parse(&content, &mut |line, error| {
                log.write(FAILURE, &text!("user ", &name, ": line ", line, ": ", error.message()));
            });
            entries.extend(jobs.into_iter().map(|job| Entry { user: user.clone(), job, running: None }));
        }
        // What runs goes on, and is not started again meanwhile.
        for old in core::mem::replace(&mut self.entries, entries).into_iter().filter(|old| old.running.is_some()) {
            let same = self
                .entries
                .iter_mut()
                .find(|new| new.running.is_none() && new.job == old.job && new.user.name == old.user.name);
            match same {
                Some(entry) => entry.running = old.running,
                None => self.entries.push(Entry { job: Job { schedule: Default::default(), ..old.job }, ..old }),
            }
        }
    }

    fn start(&mut self, env: &mut Env, at: usize) {
        let entry = &mut self.entries[at];
        if entry.running.is_some() {
            let message = text!("user ", &entry.user.name, ": still running: ", &entry.job.command);
            return self.log.write(RUN, &message);
        }
        match spawn(env, &entry.user, &entry.job, self.is_root) {
            Ok((pid, output)) => {
                entry.running = Some((pid, output));
                let message =
                    text!("USER ", &entry.user.name, " pid ", u64::from(pid as u32), " cmd ", &entry.job.command);
                self.log.write(RUN, &message);
            }
            Err(error) => {
                let message = text!("user ", &entry.user.name, ": ", error.message());
                self.log.write(FAILURE, &message);
            }
        }
    }

    /// Takes note of the jobs that have ended, and passes on what they printed.
    fn reap(&mut self, env: &mut Env) {
        while let Ok(Some((pid, _))) = process::wait(-1, WaitOptions::NOHANG) {
            let is_it = |entry: &&mut Entry| entry.running.as_ref().is_some_and(|(other, _)| *other == pid);
            let Some(entry) = self.entries.iter_mut().find(is_it) else { continue };
            let Some((_, output)) = entry.running.take() else { continue };
            let (user, job) = (entry.user.clone(), entry.job.clone());
            if let Err(error) = self.pass_on(env, &user, &job, output) {
                self.log.write(FAILURE, &text!("user ", &user.name, ": ", error.message()));
            }
        }
    }

    /// Mails the output of a job to MAILTO, or logs it where that is not set or there is no sendmail. `MAILTO=` asks for
    /// neither.
    fn pass_on(&mut self, env: &mut Env, user: &User, job: &Job, output: OwnedFd) -> Result<()> {
        if fstat(&output).map_or(0, |stat| stat.st_size) == 0 {
            return Ok(());
        }
        let to = job.variables.iter().rev().find(|(name, _)| name == b"MAILTO").map(|(_, value)| &value[..]);
        if to == Some(b"") {
            return Ok(());
        }
        fs::seek(&output, fs::SeekFrom::Start(0)).map_err(Error::from)?;
        let mut input = Input::from_fd(output, b"output");
        if let Some(to) = to.filter(|_| call::find_program(&env.vars, b"sendmail").is_some()) {
            let head = text!("To: ", to, "\nSubject: cron: ", &job.command, "\n\n");
            let message = scratch()?;
            let mut output = Output::from_fd(message);
            output.write(&head)?;
            rbox_core::io::copy(&mut input, &mut output)?;
            output.flush()?;
            let mail = Job { command: b"sendmail -ti".to_vec(), ..job.clone() };
            let message = output.fd().ok_or_else(|| Error::from(Errno::BADF))?;
            fs::seek(message, fs::SeekFrom::Start(0)).map_err(Error::from)?;
            let message = fd::dup(message).map_err(Error::from)?;
            // Its end is reaped with those of the jobs.
            spawn_with(env, user, &mail, self.is_root, message)?;
            return Ok(());
        }
        for _ in 0..LOGGED_LINES {
            let Some(line) = input.line()? else { return Ok(()) };
            let line = rbox_core::term::clean(line, b"\t", rbox_core::term::Shown::Caret);
            self.log.write(RUN, &text!("USER ", &user.name, " output: ", line));
        }
        Ok(())
    }
}

/// A descriptor that can be read when a file of the directory has changed.
fn watch(directory: &[u8]) -> Result<OwnedFd> {
    let failed = |errno| Error::on(directory, errno);
    let changes = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).map_err(failed)?;
    let kinds = inotify::WatchFlags::CLOSE_WRITE
        | inotify::WatchFlags::MOVED_TO
        | inotify::WatchFlags::MOVED_FROM
        | inotify::WatchFlags::DELETE
        | inotify::WatchFlags::ATTRIB;
    inotify::add_watch(&changes, directory, kinds).map_err(failed)?;
    Ok(changes)
}

/// A file without a name.
fn scratch() -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    fs::open("/tmp", flags, Mode::from_raw_mode(0o600))
        .map_err(|errno| Error::cannot("create a file in", b"/tmp", errno))
}

fn spawn(env: &Env, user: &User, job: &Job, is_root: bool) -> Result<(i32, OwnedFd)> {
    let input = match job.input.is_empty() {
        true => fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::on("/dev/null", errno))?,
        false => {
            let file = scratch()?;
            let copy = fd::dup(&file).map_err(Error::from)?;
            let mut output = Output::from_fd(copy);
            output.write(&job.input)?;
            output.flush()?;
            fs::seek(&file, fs::SeekFrom::Start(0)).map_err(Error::from)?;
            file
        }
    };
    spawn_with(env, user, job, is_root, input)
}

/// Starts a command as the user, in the home directory; its PID, and the file with what it prints.
fn spawn_with(env: &Env, user: &User, job: &Job, is_root: bool, input: OwnedFd) -> Result<(i32, OwnedFd)> {
    let output = scratch()?;
    let mut vars = Vars::List(Vec::new());
    session::begin(&mut vars, user, session::shell_of(user), false);
    vars.set("TZ", env.vars.get("TZ"));
    // The table's commands are for sh, whatever the user's own shell.
    vars.set("SHELL", Some(b"/bin/sh"));
    for (name, value) in &job.variables {
        vars.set(name, Some(value));
    }
    let shell = vars.get("SHELL").unwrap_or_default().to_vec();
    let home = vars.get("HOME").unwrap_or_default().to_vec();
    let pid = process::fork_run(|| {
        let begun = || -> Result<()> {
            fd::redirect(input.as_fd(), 0).map_err(Error::from)?;
            for number in [1, 2] {
                fd::redirect(output.as_fd(), number).map_err(Error::from)?;
            }
            // The child of a fork is no group leader, so this cannot fail.
            let _ = process::setsid();
            if is_root {
                become_user(user)?;
            }
            process::chdir(&home).or_else(|_| process::chdir("/")).map_err(Error::from)
        };
        let error = match begun() {
            Ok(()) => {
                let words = [rbox_core::bytes::base_name(&shell), b"-c", &job.command];
                Error::cannot("execute", &shell, process::exec(&shell, &words, &vars.words()))
            }
            Err(error) => error,
        };
        // It goes to the job's output.
        let mut stderr = Output::standard(2);
        let _ = stderr.write(&text!("crond: ", error.message(), "\n")).and_then(|()| stderr.flush());
        127
    })
    .map_err(|errno| Error::on("can't fork", errno))?;
    Ok((pid, output))
}
