//! `run-parts`: run all programs of a directory (as in debianutils).

use rbox_core::bytes;
use rbox_core::call;
use rbox_core::files::{kind, list_at, stat};
use rbox_core::io::Input;
use rbox_core::number::{invalid, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Access, CWD, FileType, Mode, access};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::process::{Change, umask, wait_for};
use rbox_core::sys::{AsFd, Errno, fd};
use rbox_core::text;

options! {
    "[-a ARG]... [-u UMASK] [--reverse] [--test | --list] [--exit-on-error] DIRECTORY

Run the programs in DIRECTORY in the order of their names, which consist of letters,
digits, `_`, `-` and `.`.

  -a, --arg=ARG      Pass ARG to each program
  -u, --umask=UMASK  Set the umask (022)
      --reverse      Reverse the order
      --test         Print the names, run nothing
      --list         Print the names of all files, executable or not
      --exit-on-error  Stop after the first failure
  -v, --verbose      Print each name on standard error first
      --report       Print the name before the output of a program";
    ARG = "-a",
    UMASK = "-u",
    REVERSE = "--reverse",
    TEST = "--test",
    LIST = "--list",
    EXIT = "--exit-on-error",
    VERBOSE = "-v",
    REPORT = "--report",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let directory = args.operands_between(1, 1)?[0];
    let mask = args.value(UMASK).unwrap_or(b"022");
    let mask = parse_radix(mask, 8).filter(|mask| *mask <= 0o777).ok_or_else(|| invalid(mask))?;
    let parts = parts(env, args, directory)?;
    if args.has(TEST) || args.has(LIST) {
        for part in parts {
            env.stdout.write(&text!(part, "\n"))?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    umask(Mode::from_raw_mode(mask as u32));
    let mut status = ExitStatus::SUCCESS;
    for part in &parts {
        let words: Vec<&[u8]> = core::iter::once(part.as_slice()).chain(args.values(ARG)).collect();
        if args.has(VERBOSE) {
            env.stderr.write(&text!(part, "\n"))?;
        }
        env.stdout.flush()?;
        let ended = if args.has(REPORT) { reported(env, &words)? } else { call::attempt(env, &words) };
        let ended = ended.map(|change| change.status());
        if ended == Ok(0) {
            continue;
        }
        status = env.warn(match ended {
            Ok(ended) => Error::new(text!(part, ": exit status ", ended)),
            Err(errno) => Error::cannot("execute", part, errno),
        });
        if args.has(EXIT) {
            break;
        }
    }
    Ok(status)
}

/// Runs a program whose output and errors go through a pipe, and prints its name before the first of them.
fn reported(env: &mut Env, words: &[&[u8]]) -> Result<core::result::Result<Change, Errno>> {
    let failed = |errno| Error::on("can't make a pipe", errno);
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    let mut kept = Vec::new();
    for number in 1..3 {
        kept.push(fd::fcntl_dupfd_cloexec(fd::borrow(number), 3).map_err(failed)?);
        fd::redirect(writer.as_fd(), number).map_err(failed)?;
    }
    drop(writer);
    let started = call::start(env, words);
    for (number, old) in (1..3).zip(&kept) {
        fd::redirect(old.as_fd(), number).map_err(failed)?;
    }
    let mut input = Input::from_fd(reader, words[0]);
    let mut is_named = false;
    loop {
        let content = input.fill()?;
        if content.is_empty() {
            break;
        }
        if !is_named {
            env.stdout.write(&text!(words[0], ":\n"))?;
            is_named = true;
        }
        env.stdout.write(content)?;
        let length = content.len();
        input.consume(length);
    }
    Ok(started.and_then(wait_for))
}

/// The paths of what is to run, in order.
fn parts(env: &mut Env, args: &Args<'_>, directory: &[u8]) -> Result<Vec<Vec<u8>>> {
    let entries = list_at(directory).map_err(|errno| Error::on(directory, errno))?;
    let is_plain = |name: &[u8]| name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
    let mut names: Vec<Vec<u8>> = entries.into_iter().map(|entry| entry.name).filter(|name| is_plain(name)).collect();
    names.sort();
    if args.has(REVERSE) {
        names.reverse();
    }
    let mut parts = Vec::new();
    for name in names {
        let path = bytes::join_path(directory, &name);
        match stat(CWD, &path, true) {
            Ok(stat) if kind(&stat) != FileType::RegularFile => {}
            Ok(_) if !args.has(LIST) && access(&path, Access::EXEC_OK).is_err() => {}
            Ok(_) => parts.push(path),
            Err(errno) => env.report(&Error::on(&path, errno)),
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(try_call(APPLET, &["run-parts", "-u", "9", "/"], b"").stderr, "run-parts: invalid number '9'\n");
        let ran = try_call(APPLET, &["run-parts", "/no/such"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "run-parts: /no/such: No such file or directory\n"));
    }
}
