//! Terminal modes: the ordinary one, and reading a secret; the text before a login.

use crate::error::{Error, Result};
use crate::io;
use crate::sys::event::{PollFd, PollFlags, poll};
use crate::sys::signal::{self, Disposition, pending, take_pending};
use crate::sys::signal_queue::SIGINT;
use crate::sys::system::uname;
use crate::sys::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use crate::sys::time;
use crate::sys::{BorrowedFd, fd};
use crate::time::{Moment, Zone};

/// Brings a terminal that a dead program left in a strange mode back to an ordinary one. What is no terminal is left
/// alone.
pub fn make_sane(file: BorrowedFd<'_>) {
    let Ok(mut state) = tcgetattr(file) else { return };
    let line = ControlModes::CSIZE | ControlModes::CSTOPB | ControlModes::PARENB | ControlModes::PARODD;
    state.control_modes &= line | ControlModes::CRTSCTS;
    state.control_modes |= ControlModes::CREAD | ControlModes::HUPCL | ControlModes::CLOCAL;
    set_cooked(&mut state);
    // A stream that is no terminal any more has no mode to restore.
    let _ = tcsetattr(file, OptionalActions::Now, &state);
}

/// Whole lines, echo, signals from the keyboard, and the usual special characters.
pub fn set_cooked(state: &mut Termios) {
    let codes = [
        (SpecialCodeIndex::VINTR, 3),
        (SpecialCodeIndex::VQUIT, 28),
        (SpecialCodeIndex::VERASE, 127),
        (SpecialCodeIndex::VKILL, 21),
        (SpecialCodeIndex::VEOF, 4),
        (SpecialCodeIndex::VSTART, 17),
        (SpecialCodeIndex::VSTOP, 19),
        (SpecialCodeIndex::VSUSP, 26),
        (SpecialCodeIndex::VMIN, 1),
        (SpecialCodeIndex::VTIME, 0),
    ];
    for (index, code) in codes {
        state.special_codes[index] = code;
    }
    state.input_modes = InputModes::ICRNL | InputModes::IXON | InputModes::IXOFF;
    state.output_modes = OutputModes::OPOST | OutputModes::ONLCR;
    let erase = LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHOCTL | LocalModes::ECHOKE;
    state.local_modes = LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO | erase | LocalModes::IEXTEN;
}

/// Waits until `file` can be read, at most `milliseconds` (`None` = for ever). False when the time is up.
pub fn wait_readable(file: BorrowedFd<'_>, milliseconds: Option<u64>) -> bool {
    let limit = milliseconds.map(time::milliseconds);
    // An interruption reads as ready: the following read decides.
    !matches!(poll(&mut [PollFd::from_borrowed_fd(file, PollFlags::IN)], limit.as_ref()), Ok(0))
}

/// Reads a line of at most 255 bytes from standard input, byte by byte so that what follows stays there.
///
/// `None` at the end of the file or when `milliseconds` are over.
pub fn read_line(milliseconds: Option<u64>) -> Result<Option<Vec<u8>>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        if !wait_readable(fd::borrow(0), milliseconds) {
            return Ok(None);
        }
        if pending() & INTERRUPT != 0 {
            return Ok(None);
        }
        match io::read(fd::borrow(0), &mut byte).map_err(|errno| Error::on("standard input", errno))? {
            0 => return Ok(None),
            _ if matches!(byte[0], b'\n' | b'\r') => return Ok(Some(line)),
            _ if line.len() < 255 => line.push(byte[0]),
            _ => {}
        }
    }
}

/// SIGINT in a set of signals.
const INTERRUPT: u64 = 1 << (SIGINT - 1);

/// Asks for a secret without echo on descriptor `on` (1 or 2), and reads it from standard input. `None` as for
/// `read_line`, and on Ctrl-C, which must not leave the terminal without echo.
pub fn ask_secret(on: i32, prompt: &[u8], milliseconds: Option<u64>) -> Result<Option<Vec<u8>>> {
    let before = tcgetattr(fd::borrow(0)).ok();
    if let Some(mut state) = before.clone() {
        state.local_modes -= LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHONL;
        // What was typed before the question is no answer to it.
        let _ = tcsetattr(fd::borrow(0), OptionalActions::Flush, &state);
    }
    let mut output = io::Output::standard(on);
    output.write(prompt)?;
    output.flush()?;
    let handling = signal::set(SIGINT, Disposition::Note);
    let answer = read_line(milliseconds);
    if let Ok(handling) = handling {
        // It was set a moment ago, so it can be set back.
        let _ = signal::set(SIGINT, handling);
    }
    let interrupted = pending() & INTERRUPT != 0;
    if interrupted {
        take_pending();
    }
    if let Some(state) = before {
        // A terminal that is gone has no mode to restore.
        let _ = tcsetattr(fd::borrow(0), OptionalActions::Now, &state);
    }
    // The newline that was typed, or would have been, was not echoed.
    if interrupted || !matches!(answer, Ok(None)) {
        output.write(b"\n")?;
        output.flush()?;
    }
    if interrupted { Ok(None) } else { answer }
}

/// Expands the `\X` and `%X` of an issue file: names of the system, the line, the time.
pub fn expand_issue(text: &[u8], tty: &[u8], into: &mut Vec<u8>) {
    let system = uname();
    let format = |pattern: &[u8]| crate::time::format(pattern, Moment::now(), &Zone::load(None));
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let Some((&character, after)) = after.split_first().filter(|_| matches!(byte, b'\\' | b'%')) else {
            into.push(byte);
            continue;
        };
        rest = after;
        match character {
            b's' => into.extend_from_slice(system.sysname().to_bytes()),
            b'n' | b'h' => into.extend_from_slice(system.nodename().to_bytes()),
            b'r' => into.extend_from_slice(system.release().to_bytes()),
            b'v' => into.extend_from_slice(system.version().to_bytes()),
            b'm' => into.extend_from_slice(system.machine().to_bytes()),
            b'D' | b'o' => into.extend_from_slice(system.domainname().to_bytes()),
            b'd' => into.extend_from_slice(&format(b"%A, %d %B %Y")),
            b't' => into.extend_from_slice(&format(b"%H:%M:%S")),
            b'l' => into.extend_from_slice(tty),
            _ => into.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_issue_is_expanded_without_a_panic() {
        let mut random = crate::testing::Random::new(17);
        for _ in 0..200 {
            expand_issue(&random.spoil(b"\\s \\r on \\n (\\l) %d"), b"tty1", &mut Vec::new());
        }
    }

    #[test]
    fn an_issue_names_the_line() {
        let mut text = Vec::new();
        expand_issue(b"on \\l (%l) \\\\ \\", b"/dev/tty1", &mut text);
        assert_eq!(text, b"on /dev/tty1 (/dev/tty1) \\ \\");
    }
}
