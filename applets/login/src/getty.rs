//! `getty`: open a terminal, ask for a login name, and become login.

use rbox_core::call;
use rbox_core::daemon::open_standard_streams;
use rbox_core::io::{self, Input};
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::process::Uid;
use rbox_core::sys::system::uname;
use rbox_core::sys::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector, SpecialCodeIndex, Termios,
    tcflush, tcgetattr, tcsetattr, tcsetpgrp,
};
use rbox_core::sys::{fd, fs, process};
use rbox_core::tty::{expand_issue, set_cooked, wait_readable};

options! {
    "[OPTIONS] BAUD[,BAUD]... TTY [TERM]

Open TTY, set its modes, ask for a login name and execute /bin/login. BAUD 0 keeps
the speed.

  -h         Enable hardware flow control (RTS/CTS)
  -L         Ignore the carrier detect line (CLOCAL)
  -m         Take the speed from the modem's CONNECT message
  -n         Do not ask for a login name
  -w         Wait for CR or LF before printing the issue
  -i         Do not print the issue
  -f FILE    Print FILE, not /etc/issue
  -l LOGIN   Execute LOGIN, not /bin/login
  -t SEC     Exit after SEC seconds without a name
  -I STRING  Send STRING first; \\NNN is an octal byte
  -H HOST    Pass HOST to login as the remote host";
    HARDWARE = "-h",
    LOCAL = "-L",
    MODEM = "-m",
    NO_PROMPT = "-n",
    WAIT = "-w",
    NO_ISSUE = "-i",
    ISSUE = "-f",
    LOGIN = "-l",
    TIMEOUT = "-t",
    INIT = "-I",
    HOST = "-H",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// The most speeds that a BREAK can step through.
const MOST_SPEEDS: usize = 10;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, 3)?;
    // Both orders are in use.
    let digit_first = operands[0].first().is_some_and(u8::is_ascii_digit);
    let (speeds, tty) = if digit_first { (operands[0], operands[1]) } else { (operands[1], operands[0]) };
    let speeds = parse_speeds(speeds)?;
    let timeout = match args.value(TIMEOUT) {
        Some(word) => Some(parse_decimal(word).ok_or_else(|| invalid(word))?.saturating_mul(1000)),
        None => None,
    };
    let path = open_tty(tty)?;
    let mut state = tcgetattr(fd::borrow(0)).map_err(|errno| Error::on("tcgetattr", errno))?;
    set_raw(&mut state, speeds[0], args.has(LOCAL), args.has(HARDWARE));
    apply(&state)?;
    if let Some(text) = args.value(INIT) {
        send(&rbox_core::mounts::unescape(text))?;
    }
    if args.has(MODEM) {
        take_modem_speed(&mut state);
        apply(&state)?;
    }
    if args.has(WAIT) {
        let mut byte = [0];
        while !matches!(byte[0], b'\r' | b'\n') && matches!(fd::read(fd::borrow(0), &mut byte), Ok(1)) {}
    }
    let name = if args.has(NO_PROMPT) {
        send(b"\n")?;
        None
    } else {
        let issue = if args.has(NO_ISSUE) { None } else { Some(args.value(ISSUE).unwrap_or(b"/etc/issue")) };
        match ask_name(&mut state, &speeds, issue, &path, timeout)? {
            Some(name) => Some(name),
            None => return Ok(ExitStatus::FAILURE),
        }
    };
    set_cooked(&mut state);
    apply(&state)?;
    become_login(env, args, operands.get(2).copied(), name)
}

/// The speeds that a termios has names for (termios(3)), in bits per second; 0 keeps what is set.
const SPEEDS: [u32; 31] = [
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400,
    460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000, 3_500_000,
    4_000_000,
];

fn parse_speeds(list: &[u8]) -> Result<Vec<u32>> {
    let speed = |word: &[u8]| {
        parse_decimal(word).and_then(|speed| SPEEDS.iter().find(|known| u64::from(**known) == speed).copied())
    };
    let speeds: Vec<u32> = list
        .split(|&byte| byte == b',')
        .map(|word| speed(word).ok_or_else(|| Error::parts(&[b"bad speed: ", word])))
        .collect::<Result<_>>()?;
    if speeds.len() > MOST_SPEEDS { Err(Error::new("too many alternate speeds")) } else { Ok(speeds) }
}

/// Opens the terminal as the three streams and as controlling terminal. `-` means that it is open already. Returns its path.
fn open_tty(tty: &[u8]) -> Result<Vec<u8>> {
    if tty == b"-" {
        return Ok(b"-".to_vec());
    }
    // A group leader cannot start a session, but init starts it as one already.
    let session = process::setsid().is_ok() || process::getsid() == process::getpid().as_raw_pid();
    let path = if tty.starts_with(b"/") { tty.to_vec() } else { [b"/dev/", tty].concat() };
    open_standard_streams(&path, OFlags::RDWR | OFlags::NONBLOCK)?;
    // Non-blocking only so that the open waits for no carrier.
    let _ = fs::fcntl_setfl(fd::borrow(0), OFlags::RDWR);
    if session {
        // The terminal of another session stays that: then there is no job control, but the user can log in.
        let _ = process::ioctl_tiocsctty(fd::borrow(0));
        let _ = tcsetpgrp(fd::borrow(0), process::getpid());
    }
    // No other user may read or write this terminal. A read-only /dev keeps its owners.
    let _ = fs::fchown(fd::borrow(0), Some(Uid::ROOT), None);
    let _ = fs::fchmod(fd::borrow(0), Mode::from_raw_mode(0o620));
    Ok(path)
}

fn apply(state: &Termios) -> Result<()> {
    tcsetattr(fd::borrow(0), OptionalActions::Now, state).map_err(|errno| Error::on("tcsetattr", errno))
}

fn set_raw(state: &mut Termios, speed: u32, local: bool, hardware: bool) {
    let kept = ControlModes::CSTOPB | ControlModes::PARENB | ControlModes::PARODD;
    state.control_modes &= kept | ControlModes::CLOCAL;
    state.control_modes |= ControlModes::CS8 | ControlModes::HUPCL | ControlModes::CREAD;
    state.control_modes.set(ControlModes::CLOCAL, local || state.control_modes.contains(ControlModes::CLOCAL));
    state.control_modes.set(ControlModes::CRTSCTS, hardware);
    state.input_modes = InputModes::empty();
    state.local_modes = LocalModes::empty();
    state.output_modes = OutputModes::OPOST | OutputModes::ONLCR;
    state.special_codes[SpecialCodeIndex::VMIN] = 1;
    state.special_codes[SpecialCodeIndex::VTIME] = 0;
    if speed > 0 {
        // A speed that the driver does not have is refused by apply.
        let _ = state.set_speed(speed);
    }
}

/// A modem sends `CONNECT 9600` or the like: the first number is the speed.
fn take_modem_speed(state: &mut Termios) {
    let mut text = [0; 256];
    if !wait_readable(fd::borrow(0), Some(1000)) {
        return;
    }
    let Ok(count) = fd::read(fd::borrow(0), &mut text) else { return };
    let digits: Vec<u8> = text[..count]
        .iter()
        .copied()
        .skip_while(|byte| !byte.is_ascii_digit())
        .take_while(u8::is_ascii_digit)
        .collect();
    if let Some(speed) = parse_decimal(&digits).and_then(|speed| u32::try_from(speed).ok()) {
        // A speed that termios does not have leaves the one of the command line.
        let _ = state.set_speed(speed);
    }
}

fn send(text: &[u8]) -> Result<()> {
    let mut output = io::Output::standard(1);
    output.write(text)?;
    output.flush()
}

/// Asks until there is a name. `None` when the line is dead or the time is over.
fn ask_name(
    state: &mut Termios,
    speeds: &[u32],
    issue: Option<&[u8]>,
    tty: &[u8],
    timeout: Option<u64>,
) -> Result<Option<Vec<u8>>> {
    let mut speed = 0;
    // What was typed before the question is no answer to it.
    let _ = tcflush(fd::borrow(0), QueueSelector::IFlush);
    loop {
        let text = issue.and_then(|issue| Input::open(issue).ok()).and_then(|mut input| input.read_to_end().ok());
        let mut greeting = if issue.is_some() { b"\n".to_vec() } else { Vec::new() };
        expand_issue(&text.unwrap_or_default(), tty, &mut greeting);
        greeting.extend_from_slice(&[uname().nodename().to_bytes(), b" login: "].concat());
        send(&greeting)?;
        match read_name(timeout)? {
            Typed::Name(name) if name.is_empty() => {}
            Typed::Name(name) => return Ok(Some(name)),
            Typed::Break => {
                speed = (speed + 1) % speeds.len();
                if speeds[speed] > 0 {
                    // As in `set_raw`: apply refuses what the driver does not have.
                    let _ = state.set_speed(speeds[speed]);
                    apply(state)?;
                }
            }
            Typed::End => return Ok(None),
        }
    }
}

enum Typed {
    Name(Vec<u8>),
    /// A BREAK, which reads as a NUL byte: the speed is wrong.
    Break,
    End,
}

/// Reads a name in raw mode: echo and erasing are done here.
fn read_name(timeout: Option<u64>) -> Result<Typed> {
    let (mut name, mut byte) = (Vec::new(), [0]);
    loop {
        if !wait_readable(fd::borrow(0), timeout) {
            send(b"\n")?;
            return Ok(Typed::End);
        }
        match io::read(fd::borrow(0), &mut byte) {
            Ok(1) => {}
            _ => return Ok(Typed::End),
        }
        match byte[0] {
            0 => return Ok(Typed::Break),
            b'\r' | b'\n' => {
                if !name.is_empty() {
                    send(b"\n")?;
                }
                return Ok(Typed::Name(name));
            }
            // Ctrl-C and Ctrl-D: init or runsv starts again.
            3 | 4 => return Ok(Typed::End),
            8 | 127 if name.pop().is_some() => send(b"\x08 \x08")?,
            21 => {
                send(&b"\x08 \x08".repeat(name.len()))?;
                name.clear();
            }
            b' '.. if name.len() < 255 => {
                name.push(byte[0]);
                send(&byte)?;
            }
            _ => {}
        }
    }
}

fn become_login(env: &mut Env, args: &Args<'_>, term: Option<&[u8]>, name: Option<Vec<u8>>) -> Outcome {
    let program = args.value(LOGIN).unwrap_or(b"/bin/login");
    let mut words = vec![program];
    if let Some(host) = args.value(HOST) {
        words.extend([&b"-h"[..], host]);
    }
    // A name with a dash is no option of login.
    words.push(b"--");
    words.extend(name.as_deref());
    let mut vars: Vec<Vec<u8>> = env.vars.words().iter().map(|word| word.to_vec()).collect();
    if let Some(term) = term {
        vars.retain(|word| !word.starts_with(b"TERM="));
        vars.push([b"TERM=", term].concat());
    }
    let vars: Vec<&[u8]> = vars.iter().map(Vec::as_slice).collect();
    let path = call::find_program(&env.vars, program).unwrap_or_else(|| program.to_vec());
    let errno = process::exec(&path, &words, &vars);
    Err(Error::on([b"can't execute '", program, b"'"].concat(), errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_numbers_between_commas() {
        assert_eq!(parse_speeds(b"115200,9600").ok(), Some(vec![115_200, 9600]));
        assert!(parse_speeds(b"9600,12345").is_err());
        assert!(parse_speeds(b"9600,x").is_err() && parse_speeds(b"").is_err());
    }
}
