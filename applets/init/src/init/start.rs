//! What happens in the child between fork and exec: its session, its terminal, its command.

use rbox_core::bytes;
use rbox_core::call;
use rbox_core::daemon::open_standard_streams;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{fd, process};
use rbox_core::tty::make_sane;

use super::inittab::{Action, Entry};
use super::say;

/// What a shell would have to interpret.
const SHELL_CHARACTERS: &[u8] = b"~`!$^&*()=|\\{}[];\"'<>?";

/// Opens init's own streams on the console of the kernel or the boot loader; closed ones become /dev/null.
pub fn open_console(env: &mut Env) {
    let console = env.vars.get("CONSOLE").or_else(|| env.vars.get("console")).map(<[u8]>::to_vec);
    if let Some(console) = console {
        if open_standard_streams(&console, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK).is_ok() {
            // Non-blocking only so that the open waits for no carrier.
            let _ = rbox_core::sys::fs::fcntl_setfl(fd::borrow(0), OFlags::empty());
        }
    } else if fd::fcntl_getfd(fd::borrow(0)).is_err() {
        // An initramfs without /dev/console.
        let _ = open_standard_streams(b"/dev/console", OFlags::RDWR | OFlags::NOCTTY)
            .or_else(|_| open_standard_streams(b"/dev/null", OFlags::RDWR));
    }
    make_sane(fd::borrow(0));
}

/// The variables that everything on the system starts with.
pub fn set_variables(env: &mut Env, runlevel: Option<&[u8]>) {
    let serial = process::console_is_serial();
    let term = env.vars.get("TERM").map(<[u8]>::to_vec);
    if serial && term.is_none_or(|term| term == b"linux") {
        env.vars.set("TERM", Some(b"vt102"));
    }
    let defaults: [(&str, &[u8]); 5] = [
        ("TERM", b"linux"),
        ("HOME", b"/"),
        ("PATH", rbox_core::env::DEFAULT_PATH),
        ("SHELL", b"/bin/sh"),
        ("USER", b"root"),
    ];
    for (name, value) in defaults {
        if env.vars.get(name).is_none() {
            env.vars.set(name, Some(value));
        }
    }
    if runlevel.is_some() {
        env.vars.set("RUNLEVEL", runlevel);
    }
}

/// The child: never returns when the command can be run.
pub fn run(env: &mut Env, entry: &Entry) -> u8 {
    // The child of a fork is no group leader, so this cannot fail.
    let _ = process::setsid();
    if !open_terminal(env, &entry.tty) {
        return 1;
    }
    make_sane(fd::borrow(0));
    if entry.action == Action::AskFirst {
        // A console that cannot be written to may still be read from.
        let _ = env.stderr.write(b"\nPlease press Enter to activate this console. ");
        let mut byte = [0];
        while byte[0] != b'\n' {
            match fd::read(fd::borrow(0), &mut byte) {
                Ok(1) => {}
                _ => return 1,
            }
        }
    }
    let pid = Decimal::new(process::getpid().as_raw_pid() as u64);
    let parts = [b"starting pid ", pid.as_bytes(), b", tty '", &entry.tty[..], b"': '", &entry.command[..], b"'"];
    say(env, &parts.concat());
    become_command(env, &entry.command);
    1
}

/// Opens the terminal as standard streams and makes it the session's own. An empty name keeps init's console.
pub fn open_terminal(env: &mut Env, tty: &[u8]) -> bool {
    if tty.is_empty() {
        return true;
    }
    match open_standard_streams(tty, OFlags::RDWR) {
        Ok(()) => {
            // Opening it made it the controlling terminal already, unless another session has it.
            let _ = process::ioctl_tiocsctty(fd::borrow(0));
            true
        }
        Err(error) => {
            say(env, error.message());
            false
        }
    }
}

/// Replaces the process by the command; returns only when that fails, after telling why.
pub fn become_command(env: &mut Env, command: &[u8]) {
    let (login, plain) = match command.strip_prefix(b"-") {
        Some(plain) => (true, plain),
        None => (false, command),
    };
    if login {
        // A login shell without an id gets its console as controlling terminal where that is possible.
        let _ = process::ioctl_tiocsctty(fd::borrow(0));
    }
    let script = [b"exec ", plain].concat();
    let (program, mut words): (&[u8], Vec<&[u8]>) = if plain.iter().any(|byte| SHELL_CHARACTERS.contains(byte)) {
        (b"/bin/sh", vec![b"/bin/sh", b"-c", &script])
    } else {
        let words: Vec<&[u8]> = bytes::words(plain).collect();
        (words.first().copied().unwrap_or_default(), words)
    };
    let login_name = [b"-", program].concat();
    if login && !words.is_empty() {
        words[0] = &login_name;
    }
    let path = call::find_program(&env.vars, program).unwrap_or_else(|| program.to_vec());
    let errno = process::exec(&path, &words, &env.vars.words());
    say(env, Error::on([b"can't run '", program, b"'"].concat(), errno).message());
}
