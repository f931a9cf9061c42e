//! Calling applets: the program's own start, and one applet from within another.

use crate::applet::{Isolation, Registry};
use crate::bytes;
use crate::env::{DEFAULT_PATH, Env, Vars};
use crate::error::{Error, ExitStatus, Outcome, Result};
use crate::io::{Input, Output};
use crate::session;
use crate::sys::{self, Errno, fs, privilege, process};

/// Runs the applet that the process was called as. `rbox` and `busybox`, also with more after it as `rbox-1.2`, are
/// rbox's own names; any other that is no applet's is an error.
pub fn main(registry: Registry, words: &[&[u8]]) -> ExitStatus {
    let called = bytes::base_name(words.first().unwrap_or(&&b"rbox"[..]));
    // login(1) starts a login shell under a name with a leading dash.
    let name = called.strip_prefix(b"-").unwrap_or(called);
    let mut env = Env::of_process(registry, name);
    if privilege::is_raised()
        && let Err(error) = keep_or_give_up(&mut env, words)
    {
        return env.warn(error);
    }
    if let Some(id) = registry.find(name) {
        return registry.call(id, &mut env, words);
    }
    let is_front = name.starts_with(b"rbox") || name.starts_with(b"busybox");
    if !is_front && let Some(id) = words.first().and_then(|word| behind_links(registry, word)) {
        return registry.call(id, &mut env, words);
    }
    if !is_front {
        // A link under the name of an applet that is not there must not run what its words name.
        return env.warn(Error::new("applet not found").with_status(127));
    }
    env.name = b"rbox".to_vec();
    let outcome = crate::front::run(&mut env, words.get(1..).unwrap_or_default());
    let mut status = match outcome {
        Ok(status) => status,
        Err(error) => env.warn(error),
    };
    if let Err(error) = env.stdout.flush() {
        status.worsen(env.warn(error));
    }
    status
}

/// A set-user-ID program file is the same for all applets: one that is not marked for it gives the rights up before it
/// reads any word; one that is marked keeps them, without what the caller could steer it by.
fn keep_or_give_up(env: &mut Env, words: &[&[u8]]) -> Result<()> {
    let own = env.registry.find(&env.name);
    let named = || words.get(1).and_then(|word| env.registry.find(word)).filter(|_| env.name == b"rbox");
    if own.or_else(named).is_some_and(|id| env.registry.form(id).setuid) {
        session::clean(&mut env.vars);
        return Ok(());
    }
    privilege::give_up().map_err(|errno| Error::on("can't give up privileges", errno))
}

/// The applet that a link under a name of its own leads to by way of an applet's name, as `/etc/init.d/web ->
/// /usr/bin/sv`.
fn behind_links(registry: Registry, path: &[u8]) -> Option<crate::applet::Id> {
    let mut path = path.to_vec();
    // Without a slash the name came from PATH and leads nowhere from here. Forty links is the kernel's own limit.
    for _ in 0..40 {
        let directory = bytes::find_byte_back(b'/', &path)?;
        let target = fs::readlink(&path).ok()?;
        path = if target.starts_with(b"/") { target } else { [&path[..=directory], &target].concat() };
        let found = registry.find(bytes::base_name(&path));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Runs the applet `words[0]` in this very process, with streams and environment of its own. `None` when there is no
/// such applet.
pub fn here(env: &Env, stdin: Input, stdout: Output, words: &[&[u8]]) -> Option<(ExitStatus, Output)> {
    let name = bytes::base_name(words.first()?);
    let id = env.registry.find(name)?;
    let mut inner = Env {
        name: name.to_vec(),
        stdin,
        stdout,
        stderr: Output::standard(2),
        vars: env.vars.clone(),
        registry: env.registry,
    };
    let status = env.registry.call(id, &mut inner, words);
    Some((status, inner.stdout))
}

/// Runs a command, an applet or any program, and waits: what `time` and `watch` need.
///
/// An applet that is safe here runs here, another one in a child. The status is 126 or 127 when the command cannot be
/// run (POSIX XCU 2.8.2), after telling why.
pub fn run(env: &mut Env, words: &[&[u8]]) -> Result<process::Change> {
    env.stdout.flush()?;
    Ok(attempt(env, words).unwrap_or_else(|errno| process::Change::Exited(env.warn(cannot_execute(words[0], errno)).0)))
}

/// Where a name leads, looked up once for many runs of one command.
#[derive(Clone, Copy, Debug)]
pub struct Resolved(Option<Isolation>);

/// Where `name` leads now. Under a limit of memory no applet runs in this process, which it would end by using it up.
pub fn resolve(env: &Env, name: &[u8]) -> Resolved {
    match isolation(env, name) {
        Some(Isolation::Inline) if sys::alloc::is_limited() => Resolved(Some(Isolation::Child)),
        isolation => Resolved(isolation),
    }
}

/// Runs a command as `run` does; the error is why it cannot be executed. Flush standard output first.
pub fn attempt(env: &mut Env, words: &[&[u8]]) -> core::result::Result<process::Change, Errno> {
    attempt_resolved(env, resolve(env, words[0]), words)
}

/// The same for a command whose location is known.
pub fn attempt_resolved(
    env: &mut Env,
    resolved: Resolved,
    words: &[&[u8]],
) -> core::result::Result<process::Change, Errno> {
    if resolved.0 == Some(Isolation::Inline) {
        let done = here(env, Input::standard(), Output::standard(1), words);
        return Ok(process::Change::Exited(done.map_or(127, |(status, _)| status.0)));
    }
    process::wait_for(start(env, words)?)
}

/// Starts a command in a child and returns its pid; the error is why it cannot be executed. Flush standard output
/// first.
pub fn start(env: &mut Env, words: &[&[u8]]) -> core::result::Result<i32, Errno> {
    let isolation = isolation(env, words[0]);
    let mut result = Err(Errno::NOENT);
    if matches!(isolation, None | Some(Isolation::Program))
        && let Some(path) = find_program(&env.vars, words[0])
    {
        let environment = env.vars.words();
        result = sys::job::spawn(&path, words, &environment);
        if result == Err(Errno::NOEXEC) {
            // A script without `#!` is the shell's, as for execvp(3).
            let script = [&[&b"sh"[..], &path], &words[1..]].concat();
            result = sys::job::spawn(b"/bin/sh", &script, &environment);
        }
    }
    if result.is_err() && isolation.is_some() {
        return process::fork_run(|| replace(env, words).0);
    }
    result
}

/// `can't execute 'NAME': reason`, with the status of POSIX XCU 2.8.2.
fn cannot_execute(name: &[u8], errno: Errno) -> Error {
    Error::cannot("execute", name, errno).with_status(failure_status(errno))
}

/// 127 for a command that was not found, 126 for one that cannot be executed (POSIX XCU 2.8.2).
pub fn failure_status(errno: Errno) -> u8 {
    if errno == Errno::NOENT { 127 } else { 126 }
}

/// Becomes the command: an applet that ends soon runs in this process, any other program replaces it.
///
/// Returns the applet's status, or 126 or 127 after telling why the program cannot be run.
pub fn replace(env: &mut Env, words: &[&[u8]]) -> ExitStatus {
    let isolation = isolation(env, words[0]);
    let mut errno = Errno::NOENT;
    if matches!(isolation, None | Some(Isolation::Program)) {
        errno = exec_by_path(env, words);
    }
    // An applet that is nowhere, as at boot with an empty PATH, still runs.
    if isolation.is_some() {
        process::set_name(bytes::base_name(words[0]));
        if let Some((status, _)) = here(env, Input::standard(), Output::standard(1), words) {
            return status;
        }
    }
    env.warn(cannot_execute(words[0], errno))
}

/// The outcome of a program that ran another and passes its status on.
pub fn pass_on(change: process::Change) -> Outcome {
    Ok(ExitStatus(change.status()))
}

/// Where the applet that `name` leads to may run; `None` for any other program.
fn isolation(env: &Env, name: &[u8]) -> Option<Isolation> {
    own_applet(env, name).map(|id| env.registry.form(id).isolation)
}

/// The applet that the shell's rules would find under `name`: through PATH, when what is there is rbox itself.
///
/// A name with a slash is looked at where it points. With an empty or missing PATH the names of all applets are known.
pub fn own_applet(env: &Env, name: &[u8]) -> Option<crate::applet::Id> {
    let id = env.registry.find(bytes::base_name(name))?;
    if !name.contains(&b'/') && env.vars.get("PATH").is_none_or(<[u8]>::is_empty) {
        return Some(id);
    }
    let found = find_program(&env.vars, name)?;
    is_this_program(&found).then_some(id)
}

/// The first executable file of that name in PATH; a name with a slash is taken as it is.
pub fn find_program(vars: &Vars, name: &[u8]) -> Option<Vec<u8>> {
    if name.contains(&b'/') {
        return Some(name.to_vec());
    }
    let path = vars.get("PATH").unwrap_or(DEFAULT_PATH);
    path.split(|&byte| byte == b':').map(|directory| bytes::join_path(directory, name)).find(|file| is_program(file))
}

/// True when `path` leads to a regular file that this process may execute.
pub fn is_program(path: &[u8]) -> bool {
    let is_file = |stat: fs::Stat| fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::RegularFile;
    fs::stat(path).is_ok_and(is_file) && fs::access(path, fs::Access::EXEC_OK).is_ok()
}

/// True when `path` leads to the running program: same device, same inode.
pub fn is_this_program(path: &[u8]) -> bool {
    match (fs::stat(path), fs::stat("/proc/self/exe")) {
        (Ok(file), Ok(own)) => (file.st_dev, file.st_ino) == (own.st_dev, own.st_ino),
        _ => false,
    }
}

/// Replaces the process by the program that PATH leads to. Returns only the reason of a failure.
pub fn exec_by_path(env: &Env, words: &[&[u8]]) -> Errno {
    match find_program(&env.vars, words[0]) {
        Some(path) => process::exec(&path, words, &env.vars.words()),
        None => Errno::NOENT,
    }
}
