//! `crontab`: install, list, edit or remove a user's table of jobs (POSIX XCU crontab).

use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, Gid, Mode, OFlags, Uid, fchown, fsync, openat, renameat, unlinkat};
use rbox_core::sys::process;
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::thread::set_thread_res_uid;
use rbox_core::sys::{AsFd, Errno, OwnedFd, fs};
use rbox_core::users::{User, become_ids};
use rbox_core::{call, text};

use crate::crond::TABLES;
use crate::table::parse;

options! {
    "[-c DIRECTORY] [-u USER] [-ler] | [FILE]

Install FILE (- is standard input) as the table of commands that crond runs at their times.
Each line: minute hour day month weekday command, or @reboot, @hourly, @daily, @weekly ...

  -c DIRECTORY  Directory of tables (/var/spool/cron/crontabs)
  -u USER       Use the table of USER
  -l            List the table
  -e            Edit the table with $VISUAL, $EDITOR or vi
  -r            Remove the table";
    DIRECTORY = "-c",
    USER = "-u",
    LIST = "-l",
    EDIT = "-e",
    REMOVE = "-r",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().setuid();

/// The largest table, in bytes.
const LIMIT: usize = 1 << 20;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let file = args.operands_between(0, 1)?.first().copied();
    let action = args.last_of(&[LIST, EDIT, REMOVE]);
    if action.is_some() == file.is_some() {
        return Err(Error::usage());
    }
    let caller = process::getuid();
    if !caller.is_root() && (args.has(USER) || args.has(DIRECTORY)) && process::geteuid().is_root() {
        return Err(Error::new("only root can use -u and -c"));
    }
    let user = match args.value(USER) {
        Some(name) => User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?,
        None => User::by_id(caller.as_raw()).ok_or_else(|| Error::new("unknown user"))?,
    };
    // The caller's file is opened with the caller's own rights.
    let content = match file {
        Some(b"-") => Some(env.take_stdin()),
        Some(path) => Some(as_caller(|| Input::open(path))?),
        None => None,
    };
    let path = args.value(DIRECTORY).unwrap_or(TABLES);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = fs::open(path, flags, Mode::empty()).map_err(|errno| Error::on(path, errno))?;
    let tables = Tables { directory, user };
    match (action, content) {
        (_, Some(mut input)) => tables.install(&limited(&mut input)?)?,
        (Some(LIST), _) => env.stdout.write(&tables.read()?)?,
        (Some(REMOVE), _) => {
            unlinkat(tables.directory.as_fd(), &tables.user.name[..], AtFlags::empty())
                .map_err(|errno| tables.missing(errno))?;
        }
        _ => tables.edit(env)?,
    }
    Ok(ExitStatus::SUCCESS)
}

/// Does something with the caller's rights alone.
fn as_caller<T>(action: impl FnOnce() -> Result<T>) -> Result<T> {
    let (uid, owner) = (process::getuid(), process::geteuid());
    if uid == owner {
        return action();
    }
    // The saved user ID keeps the way back.
    set_thread_res_uid(uid, uid, owner).map_err(Error::from)?;
    let result = action();
    set_thread_res_uid(uid, owner, owner).map_err(Error::from)?;
    result
}

fn limited(input: &mut Input) -> Result<Vec<u8>> {
    let content = input.read_to_end()?;
    if content.len() > LIMIT { Err(Error::new("the table is too long")) } else { Ok(content) }
}

struct Tables {
    directory: OwnedFd,
    user: User,
}

impl Tables {
    fn missing(&self, errno: Errno) -> Error {
        match errno {
            Errno::NOENT => Error::parts(&[b"no crontab for ", &self.user.name]),
            errno => Error::on(&self.user.name, errno),
        }
    }

    fn read(&self) -> Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(self.directory.as_fd(), &self.user.name[..], flags, Mode::empty());
        Input::from_fd(file.map_err(|errno| self.missing(errno))?, &self.user.name).read_to_end()
    }

    /// Installs a table, whole or not at all. Lines that crond would not understand are refused.
    fn install(&self, content: &[u8]) -> Result<()> {
        let mut wrong = None;
        parse(content, &mut |line, error| {
            wrong.get_or_insert_with(|| Error::new(text!("line ", line, ": ", error.message())));
        });
        if let Some(error) = wrong {
            return Err(error);
        }
        // A name that no user has.
        let temporary = text!(".", &self.user.name, ".", process::getpid().as_raw_pid() as i64);
        let failed = |errno| Error::cannot("create", &self.user.name, errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(self.directory.as_fd(), &temporary[..], flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
        let written = || -> Result<()> {
            if process::geteuid().is_root() {
                fchown(&file, Some(Uid::from_raw(self.user.uid)), Some(Gid::from_raw(self.user.gid)))
                    .map_err(failed)?;
            }
            let mut output = Output::from_fd(rbox_core::sys::fd::dup(&file).map_err(Error::from)?);
            output.write(content)?;
            output.flush()?;
            fsync(&file).map_err(failed)?;
            renameat(&self.directory, &temporary[..], &self.directory, &self.user.name[..]).map_err(failed)?;
            fsync(&self.directory).map_err(failed)
        };
        written().inspect_err(|_| {
            // The error that is reported is why it was written in vain.
            let _ = unlinkat(self.directory.as_fd(), &temporary[..], AtFlags::empty());
        })
    }

    fn edit(&self, env: &mut Env) -> Result<()> {
        let old = match self.read() {
            Ok(content) => content,
            Err(error) if error.errno().is_none() => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut number = [0; 8];
        getrandom(&mut number, GetRandomFlags::empty()).map_err(Error::from)?;
        let path = text!("/tmp/crontab.", u64::from_ne_bytes(number));
        as_caller(|| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let file = fs::open(&path[..], flags, Mode::from_raw_mode(0o600));
            let mut output = Output::from_fd(file.map_err(|errno| Error::cannot("create", &path, errno))?);
            output.write(&old)?;
            output.flush()
        })?;
        let edited = self.edit_file(env, &path);
        // It is the caller's, in a directory where only the caller can remove it.
        let _ = as_caller(|| fs::unlink(&path).map_err(Error::from));
        let new = edited?;
        if new == old {
            env.report(&Error::new("no changes"));
            return Ok(());
        }
        self.install(&new)
    }

    /// Runs the editor with the caller's rights; what the file has then.
    fn edit_file(&self, env: &mut Env, path: &[u8]) -> Result<Vec<u8>> {
        let editor = env.vars.get("VISUAL").or(env.vars.get("EDITOR")).unwrap_or(b"vi").to_vec();
        // The variable may have options, as for a shell.
        let command = [&editor[..], b" \"$0\""].concat();
        env.stdout.flush()?;
        let pid = process::fork_run(|| {
            let (uid, gid) = (process::getuid().as_raw(), process::getgid().as_raw());
            if uid != process::geteuid().as_raw() && become_ids(Some(uid), Some(gid), None).is_err() {
                return 126;
            }
            call::replace(env, &[b"sh", b"-c", &command, path]).0
        });
        let change = pid.and_then(process::wait_for).map_err(|errno| Error::on("can't fork", errno))?;
        if change.status() != 0 {
            return Err(Error::parts(&[&editor, b": the editor failed, the table is unchanged"]));
        }
        as_caller(|| limited(&mut Input::open(path)?))
    }
}
