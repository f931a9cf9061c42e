//! `cttyhack`: run a program with the console's real terminal as its controlling terminal.
//!
//! For a shell that init starts on `/dev/console`, which cannot be a controlling terminal itself.

use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, fd, fs, process};

const USAGE: &str = "[PROG ARGS]

Give PROG a controlling terminal if it has none; without PROG, print the console's";

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.words().get(1..).unwrap_or_default();
    if words.is_empty() {
        env.stdout.write(&[&active_console().unwrap_or_default()[..], b"\n"].concat())?;
        return Ok(ExitStatus::SUCCESS);
    }
    let has_terminal = fs::open("/dev/tty", fs::OFlags::RDWR | fs::OFlags::CLOEXEC, fs::Mode::empty()).is_ok();
    if !has_terminal && let Some(path) = active_console() {
        // A process that leads its session already keeps it.
        let _ = process::setsid();
        match fs::open(&path[..], fs::OFlags::RDWR | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
            Ok(terminal) => {
                // Another session may hold the terminal; then the program runs without job control.
                let _ = process::ioctl_tiocsctty(terminal.as_fd());
                for number in 0..=2 {
                    fd::redirect(terminal.as_fd(), number)?;
                }
            }
            Err(errno) => env.report(&Error::cannot("open", &path, errno)),
        }
    }
    Ok(rbox_core::call::replace(env, words))
}

/// The terminal after the console: the last word of what the kernel lists.
fn active_console() -> Option<Vec<u8>> {
    let mut input = rbox_core::io::Input::open(b"/sys/class/tty/console/active").ok()?;
    let text = input.read_to_end().ok()?;
    let name = text.trim_ascii().rsplit(|&byte| byte == b' ').next()?;
    if name.is_empty() { None } else { Some([b"/dev/", name].concat()) }
}
