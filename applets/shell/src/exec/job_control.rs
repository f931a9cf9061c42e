//! Job control on the terminal (XCU 2.11): taking it at the start, and its release at the end.

use crate::state::Shell;
use crate::state::stream::write_error;
use crate::state::traps::set_disposition;

use rbox_core::signals::SIGTTIN;
use rbox_core::sys::AsFd;
use rbox_core::sys::fd;
use rbox_core::sys::fd::Private;
use rbox_core::sys::fs;
use rbox_core::sys::process;
use rbox_core::sys::signal;
use rbox_core::sys::signal::Disposition;
use rbox_core::sys::termios;

/// Switches job control on or off.
pub fn set_monitor(shell: &mut Shell, on: bool) {
    if !on {
        release_terminal(shell);
        if !shell.flow.subshell {
            shell.set_own_signals();
        }
        return;
    }
    shell.terminal.file = shell.terminal.file.or_else(|| open_terminal(shell));
    let interactive = shell.options.interactive;
    if interactive && !(shell.terminal.file.is_some() && own_terminal(shell)) {
        shell.options.monitor = false;
        if let Some(terminal) = shell.terminal.file.take() {
            shell.streams.descriptors.release(terminal);
        }
        shell.plain_report(b"can't access tty; job control turned off");
    }
    shell.set_own_signals();
}

/// The terminal, under a number that redirections leave alone.
fn open_terminal(shell: &mut Shell) -> Option<Private> {
    let opened = fs::open("/dev/tty", fs::OFlags::RDWR | fs::OFlags::CLOEXEC, fs::Mode::empty());
    let file = match &opened {
        Ok(file) => file.as_fd(),
        Err(_) => (0..=2).map(fd::borrow).find(|file| termios::isatty(file))?,
    };
    shell.streams.descriptors.keep(file).ok()
}

/// Becomes the leader of its own process group in the foreground; in the background it stops until it is continued.
fn own_terminal(shell: &mut Shell) -> bool {
    let group = process::getpgrp();
    // A group without a parent that could continue it is not stopped: it gives up in the end.
    for _ in 0..20 {
        let Some(terminal) = shell.terminal_file() else { return false };
        match termios::tcgetpgrp(terminal) {
            Ok(held) if held.as_raw_pid() == group => {
                shell.set_own_signals();
                shell.terminal.first_group.get_or_insert(group);
                let pid = process::getpid();
                // Fails for a session leader, which leads its group already.
                let _ = process::setpgid(Some(pid), Some(pid));
                shell.take_terminal();
                return true;
            }
            Ok(_) => {
                set_disposition(SIGTTIN, Disposition::Default);
                // A signal to the own group can always be sent (kill(2)).
                let _ = signal::kill(0, SIGTTIN);
            }
            Err(_) => return false,
        }
    }
    false
}

/// Goes back to the group that the shell was started in, with the terminal: before it ends or becomes a program.
pub fn release_terminal(shell: &mut Shell) {
    if shell.flow.subshell {
        return;
    }
    if let Some(group) = shell.terminal.first_group.take() {
        shell.give_terminal(group);
        // Fails for a session leader, which has led its group from the start.
        let _ = process::setpgid(None, process::Pid::from_raw(group));
    }
}

impl Shell {
    /// Whether the shell must not end yet: jobs are stopped, which was not reported before the last prompt.
    pub fn keeps_running(&mut self) -> bool {
        if !self.options.interactive || self.terminal.warned > 0 {
            return false;
        }
        self.reap();
        if !self.jobs.all.iter().any(|job| job.stopped()) {
            return false;
        }
        write_error(b"You have stopped jobs.\n");
        self.terminal.warned = 2;
        true
    }
}
