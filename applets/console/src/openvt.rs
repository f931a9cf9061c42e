//! `openvt`: run a program on another virtual terminal.

use crate::keymap::open_console;
use rbox_core::call;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, fd, process, virtual_terminal};
use rbox_core::{daemon, text};

options! {
    "[-elsw] [-c N] [PROG [ARG]...]

Run PROG, or a shell, on the next free virtual terminal.

  -c, --console=N  Use virtual terminal N
  -e, --exec       Execute PROG without a fork
  -l, --login      Run a login shell: prefix its name with a dash
  -s, --switch     Switch to the terminal
  -w, --wait       Wait for PROG; with -s, switch back
  -f, --force      Ignored: -c N accepts a terminal in use
  -v, --verbose    Ignored; accepted for compatibility";
    NUMBER = "-c",
    EXEC = "-e",
    LOGIN = "-l",
    SHOW = "-s",
    WAIT = "-w",
    "-f" => ignored,
    "-v" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let number = args.value(NUMBER).map(|word| parse_in_range(word, 1, 63)).transpose()?;
    let console = open_console()?;
    let failed = |what: &str, errno| Error::on(what, errno);
    let old = virtual_terminal::active(console.as_fd()).map_err(|errno| failed("VT_GETSTATE", errno))?;
    let number = match number {
        Some(number) => number as i32,
        None => virtual_terminal::free(console.as_fd()).map_err(|errno| failed("can't find open vt", errno))?,
    };
    let path = text!("/dev/tty", number as u32);
    let shell = env.shell();
    let words = if args.operands().is_empty() { vec![&shell[..]] } else { args.operands().to_vec() };
    env.stdout.flush()?;
    if args.has(EXEC) {
        return Ok(start(env, args, &path, &words, number));
    }
    let pid = process::fork_run(|| start(env, args, &path, &words, number).0);
    let pid = pid.map_err(|errno| failed("can't fork", errno))?;
    if !args.has(WAIT) {
        return Ok(ExitStatus::SUCCESS);
    }
    let change = process::wait_for(pid)?;
    if args.has(SHOW) {
        virtual_terminal::show(console.as_fd(), old.into()).map_err(|errno| failed("VT_ACTIVATE", errno))?;
        // Another program may use it by now.
        let _ = virtual_terminal::free_memory(console.as_fd(), number);
    }
    call::pass_on(change)
}

fn start(env: &mut Env, args: &Args<'_>, path: &[u8], words: &[&[u8]], number: i32) -> ExitStatus {
    // A process that leads its session already keeps it.
    let _ = process::setsid();
    if let Err(error) = daemon::open_standard_streams(path, OFlags::RDWR) {
        return env.warn(error);
    }
    // The terminal of another session stays that: then the program has no job control.
    let _ = process::ioctl_tiocsctty(fd::borrow(0));
    if args.has(SHOW)
        && let Err(errno) = virtual_terminal::show(fd::borrow(0), number)
    {
        return env.warn(Error::on("VT_ACTIVATE", errno));
    }
    if !args.has(LOGIN) {
        return call::replace(env, words);
    }
    let Some(program) = call::find_program(&env.vars, words[0]) else { return call::replace(env, words) };
    let name = text!("-", rbox_core::bytes::base_name(words[0]));
    let words = [&[&name[..]], &words[1..]].concat();
    let errno = process::exec(&program, &words, &env.vars.words());
    env.warn(Error::cannot("execute", &program, errno))
}
