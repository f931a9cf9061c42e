//! `rbox` itself: lists, installs, and runs the applet that its first argument names.

use crate::applet::VERSION_LINE;
use crate::bytes;
use crate::doc;
use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome, Result};
use crate::sys::fs::{Mode, OFlags};
use crate::sys::{Errno, fs};
use crate::text;

/// rbox's own usage text, in the form of an applet's.
pub const USAGE: &str = "[APPLET [ARGUMENT]...]
   or: rbox --list | --list-full
   or: rbox --install [-s] [DIRECTORY]
   or: rbox --man NAME | --man --all DIRECTORY
   or: rbox --completion bash|zsh|fish
   or: APPLET [ARGUMENT]...

Run an applet of the multi-call binary. A link to rbox under an applet's name
runs that applet.

  --list                 Print the names of all applets
  --list-full            Print their install paths, without the leading slash;
                         also --list-long
  --install [-s] [DIRECTORY]  Make links to this program, hard or (-s) symbolic: in
                         DIRECTORY, or at the install paths; files stay
  --man NAME             Print the manual page of NAME, for man(1)
  --man --all DIRECTORY  Write all pages to DIRECTORY/man1 and DIRECTORY/man8
  --completion SHELL     Print the completion rules for bash, zsh or fish";

/// Runs rbox under its own name; `words` are what follows the name.
pub fn run(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let Some((&first, rest)) = words.split_first() else { return help(env) };
    match first {
        b"--help" if rest.is_empty() => help(env),
        b"--help" => call(env, &[rest[0], b"--help"]),
        b"--version" => print(env, &[VERSION_LINE.as_bytes(), b"\n"]),
        b"--list" => list(env, bytes::base_name),
        // Debian's hook for the initramfs calls it so.
        b"--list-full" | b"--list-long" => list(env, |path| &path[1..]),
        b"--install" => install(env, rest),
        b"--man" => doc::man::print(env, rest),
        b"--completion" => doc::completion::print(env, rest),
        _ => call(env, words),
    }
}

fn call(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let name = bytes::base_name(words[0]);
    if name == b"rbox" || name == b"busybox" {
        return run(env, &words[1..]);
    }
    let Some(id) = env.registry.find(name) else {
        return Err(Error::parts(&[name, b": applet not found"]).with_status(127));
    };
    env.name = name.to_vec();
    Ok(env.registry.call(id, env, words))
}

fn print(env: &mut Env, parts: &[&[u8]]) -> Outcome {
    env.stdout.write(&parts.concat())?;
    Ok(ExitStatus::SUCCESS)
}

fn help(env: &mut Env) -> Outcome {
    let mut names = Vec::new();
    let mut column = 0;
    for name in env.registry.names() {
        if column > 0 && column + name.len() + 2 > 72 {
            names.extend_from_slice(b",\n");
            column = 0;
        }
        names.extend_from_slice(if column == 0 { b"\t" } else { b", " });
        names.extend_from_slice(name);
        column += name.len() + 2;
    }
    let text = crate::applet::help(USAGE, b"rbox");
    print(env, &[&text, b"\nCurrently defined functions:\n\n", &names, b"\n"])
}

fn list(env: &mut Env, part: fn(&[u8]) -> &[u8]) -> Outcome {
    for path in env.registry.paths().split('\n') {
        env.stdout.write(part(path.as_bytes()))?;
        env.stdout.push(b'\n')?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Links every applet to this program. An existing file is kept, as a user's own choice.
fn install(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let symbolic = words.first() == Some(&&b"-s"[..]);
    let directory = match &words[usize::from(symbolic)..] {
        [] => None,
        [directory] => Some(*directory),
        _ => return Err(Error::new("usage: --install [-s] [DIRECTORY]")),
    };
    if let Some(directory) = directory {
        fs::open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::on(directory, errno))?;
    }
    let program = fs::readlink("/proc/self/exe").map_err(|errno| Error::on("/proc/self/exe", errno))?;
    let mut status = ExitStatus::SUCCESS;
    let (mut made, mut kept) = (0u64, 0u64);
    for path in env.registry.paths().split('\n') {
        let path = match directory {
            Some(directory) => bytes::join_path(directory, bytes::base_name(path.as_bytes())),
            None => path.as_bytes().to_vec(),
        };
        match link(&program, &path, symbolic) {
            Ok(true) => made += 1,
            Ok(false) => kept += 1,
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    if directory.is_none() {
        // Nobody named the running system.
        env.stdout.write(&text!(made, " links to ", program, " made, ", kept, " files kept\n"))?;
    }
    Ok(status)
}

/// True when the link was made, false when there is a file of that name.
fn link(program: &[u8], path: &[u8], symbolic: bool) -> Result<bool> {
    let result = if symbolic { fs::symlink(program, path) } else { fs::link(program, path) };
    match result {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(Error::on(path, errno)),
    }
}
