//! `sysctl`: show and set parameters of the kernel, the files below /proc/sys (proc(5)).

use rbox_core::bytes;
use rbox_core::files::{list_at, stat};
use rbox_core::io::{Input, read_file};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, FileType, Mode, OFlags, open};
use rbox_core::sys::{Errno, fd};
use rbox_core::text;

options! {
    "[-enNqw] [-a | --system | -p [FILE]... | KEY[=VALUE]...]

Print or set kernel parameters. A KEY is a path below /proc/sys, with dots or
slashes.

  -a, -A, --all  Print all parameters
  -p, --load     Set the parameters in FILE (/etc/sysctl.conf)
      --system   Set those in /run/sysctl.d, /etc/sysctl.d, /usr/lib/sysctl.d,
                 /lib/sysctl.d and /etc/sysctl.conf
  -w, --write    Require KEY=VALUE operands
  -n, --values   Print values only
  -N, --names    Print names only
  -e, --ignore   Ignore unknown keys
  -q, --quiet    Do not print the parameters set";
    ALL = "-a",
    LOAD = "-p",
    SYSTEM = "--system",
    WRITE = "-w",
    VALUES = "-n",
    NAMES = "-N",
    IGNORE = "-e",
    QUIET = "-q",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

const DIRECTORIES: &[u8] = b"/run/sysctl.d /etc/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(ALL) {
        return show_directory(env, args, b"");
    }
    if args.has(SYSTEM) {
        return load_all(env, args);
    }
    if args.has(LOAD) {
        let files = args.operands_or(b"/etc/sysctl.conf");
        return env.for_each_operand(&files, &mut |env, file| load(env, args, file));
    }
    env.for_each_operand(args.operands(), &mut |env, word| match bytes::split_once(word, b'=') {
        Some((key, value)) => set(env, args, key.trim_ascii(), value.trim_ascii()),
        None if args.has(WRITE) => Err(Error::parts(&[b"error: '", word, b"' must be of the form name=value"])),
        None => show(env, args, &path_of(word)),
    })
}

/// The path of a key below /proc/sys. The separator that comes first is one, and the other one then stands for a
/// character of a name, so that `net.ipv4.conf.eth0/1.forwarding` and `net/ipv4/conf/eth0.1/forwarding` are the same.
fn path_of(key: &[u8]) -> Vec<u8> {
    let separator = key.iter().position(|byte| matches!(byte, b'.' | b'/'));
    // A key does not begin with one.
    if separator.is_some_and(|at| at > 0 && key[at] == b'.') { swap(key) } else { key.to_vec() }
}

fn swap(name: &[u8]) -> Vec<u8> {
    let swapped = |byte: &u8| match byte {
        b'.' => b'/',
        b'/' => b'.',
        byte => *byte,
    };
    name.iter().map(swapped).collect()
}

/// The file of a path, which does not lead out of /proc/sys.
fn file(path: &[u8]) -> Result<Vec<u8>> {
    let leads_out = path.split(|byte| *byte == b'/').any(|part| matches!(part, b"" | b"." | b".."));
    if leads_out { Err(unknown(path)) } else { Ok(text!("/proc/sys/", path)) }
}

fn unknown(path: &[u8]) -> Error {
    Error::parts(&[b"error: '", path, b"' is an unknown key"])
}

fn failed(path: &[u8], verb: &str, errno: Errno) -> Error {
    match errno {
        Errno::NOENT | Errno::NOTDIR => unknown(path),
        _ => Error::on(text!("error ", verb, " key '", swap(path), "'"), errno),
    }
}

/// With -e an unknown key is nothing to complain about.
fn forgive(args: &Args<'_>, errno: Option<Errno>, result: Result<()>) -> Result<()> {
    let is_unknown = matches!(errno, None | Some(Errno::NOENT | Errno::NOTDIR));
    if args.has(IGNORE) && is_unknown { Ok(()) } else { result }
}

fn show(env: &mut Env, args: &Args<'_>, path: &[u8]) -> Result<()> {
    let file = match file(path) {
        Ok(file) => file,
        Err(error) => return forgive(args, None, Err(error)),
    };
    let stat = match stat(CWD, &file, false) {
        Ok(stat) => stat,
        Err(errno) => return forgive(args, Some(errno), Err(failed(path, "reading", errno))),
    };
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        let status = show_directory(env, args, path)?;
        return if status == ExitStatus::SUCCESS { Ok(()) } else { Err(Error::silent(status)) };
    }
    // Some can only be written.
    if stat.st_mode & 0o444 == 0 {
        return Ok(());
    }
    let key = swap(path);
    if args.has(NAMES) {
        return env.stdout.write(&text!(key, "\n"));
    }
    let content = read_file(&file);
    let content = content.map_err(|error| failed(path, "reading", error.errno().unwrap_or(Errno::IO)))?;
    let value = content.strip_suffix(b"\n").unwrap_or(&content);
    for line in value.split(|byte| *byte == b'\n') {
        let text = if args.has(VALUES) { text!(line, "\n") } else { text!(&key, " = ", line, "\n") };
        env.stdout.write(&text)?;
    }
    Ok(())
}

/// Shows what is in a directory of /proc/sys, by name.
fn show_directory(env: &mut Env, args: &Args<'_>, path: &[u8]) -> Outcome {
    let directory = text!("/proc/sys/", path);
    let entries = list_at(&directory).map_err(|errno| failed(path, "reading", errno))?;
    let mut paths: Vec<Vec<u8>> = entries.iter().map(|entry| bytes::join_path(path, &entry.name)).collect();
    paths.sort();
    let paths: Vec<&[u8]> = paths.iter().map(Vec::as_slice).collect();
    env.for_each_operand(&paths, &mut |env, path| show(env, args, path))
}

fn set(env: &mut Env, args: &Args<'_>, key: &[u8], value: &[u8]) -> Result<()> {
    let path = path_of(key);
    let file = match file(&path) {
        Ok(file) => file,
        Err(error) => return forgive(args, None, Err(error)),
    };
    let opened = open(&file, OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty());
    // The kernel takes a value in one write.
    let written = opened.and_then(|file| fd::write(&file, &text!(value, "\n")));
    if let Err(errno) = written {
        return forgive(args, Some(errno), Err(failed(&path, "setting", errno)));
    }
    let line = match (args.has(QUIET), args.has(NAMES), args.has(VALUES)) {
        (true, ..) => return Ok(()),
        (_, true, _) => text!(swap(&path), "\n"),
        (_, _, true) => text!(value, "\n"),
        _ => text!(swap(&path), " = ", value, "\n"),
    };
    env.stdout.write(&line)
}

/// Sets what a file has: lines `KEY = VALUE`, comments after `#` and `;`. A dash before the key forgives a failure.
fn load(env: &mut Env, args: &Args<'_>, file: &[u8]) -> Result<()> {
    let mut input = if file == b"-" {
        env.take_stdin()
    } else {
        Input::open(file).map_err(|error| Error::on(file, error.errno().unwrap_or(Errno::IO)))?
    };
    let (mut number, mut status) = (0u32, ExitStatus::SUCCESS);
    while let Some(line) = input.line()? {
        number += 1;
        let line = line.trim_ascii();
        if matches!(line.first(), None | Some(b'#' | b';')) {
            continue;
        }
        let Some((key, value)) = bytes::split_once(line, b'=') else {
            status.worsen(env.warn(Error::new(text!("bad line ", number, ": 1 tokens found, 2 needed"))));
            continue;
        };
        let (key, forgiven) = match key.trim_ascii().strip_prefix(b"-") {
            Some(key) => (key.trim_ascii(), true),
            None => (key.trim_ascii(), false),
        };
        match set(env, args, key, value.trim_ascii()) {
            Err(error) if error.is_output() => return Err(error),
            Err(error) if !forgiven => status.worsen(env.warn(error)),
            _ => {}
        }
    }
    if status == ExitStatus::SUCCESS { Ok(()) } else { Err(Error::silent(status)) }
}

/// The files of all directories by name, of equal names the first (sysctl.d(5)); /etc/sysctl.conf is the last.
fn load_all(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut files: Vec<Vec<u8>> = Vec::new();
    for directory in bytes::words(DIRECTORIES) {
        for entry in list_at(directory).unwrap_or_default() {
            let is_known = files.iter().any(|file| bytes::base_name(file) == entry.name);
            if entry.name.ends_with(b".conf") && !is_known {
                files.push(bytes::join_path(directory, &entry.name));
            }
        }
    }
    files.sort_unstable_by(|a, b| bytes::base_name(a).cmp(bytes::base_name(b)));
    let last = b"/etc/sysctl.conf";
    if stat(CWD, last, true).is_ok() {
        files.push(last.to_vec());
    }
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    env.for_each_operand(&files, &mut |env, file| load(env, args, file))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::*;

    #[test]
    fn keys_have_dots_or_slashes() {
        assert_eq!(path_of(b"net.ipv4.conf.eth0/1.forwarding"), b"net/ipv4/conf/eth0.1/forwarding");
        assert_eq!(path_of(b"net/ipv4/conf/eth0.1/forwarding"), b"net/ipv4/conf/eth0.1/forwarding");
    }

    #[test]
    fn no_key_leads_out() {
        for key in ["../../etc/passwd", "kernel//ostype", "/etc/passwd", "", "kernel/../kernel/ostype"] {
            let ran = try_call(APPLET, &["sysctl", key], b"");
            assert_eq!((ran.status, ran.stderr), (1, format!("sysctl: error: '{key}' is an unknown key\n")), "{key}");
        }
    }

    #[test]
    fn values_and_names_are_shown() {
        assert_eq!(try_call(APPLET, &["sysctl", "kernel.ostype"], b"").stdout, "kernel.ostype = Linux\n");
        assert_eq!(try_call(APPLET, &["sysctl", "-n", "kernel/ostype"], b"").stdout, "Linux\n");
        assert_eq!(try_call(APPLET, &["sysctl", "-N", "kernel.ostype"], b"").stdout, "kernel.ostype\n");
        let ran = try_call(APPLET, &["sysctl", "-w", "kernel.ostype"], b"");
        assert_eq!(ran.stderr, "sysctl: error: 'kernel.ostype' must be of the form name=value\n");
    }
}
