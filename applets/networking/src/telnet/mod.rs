//! `telnet`: talk to a host by TELNET (RFC 854, 855).

pub mod protocol;

use core::net::SocketAddr;

use rbox_core::io::{read, write_all};
use rbox_core::net::{dns, sockets};
use rbox_core::prelude::*;
use rbox_core::signals::SIGWINCH;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::net::SocketType;
use rbox_core::sys::signal_queue::{SIGINT, SIGTSTP, SignalQueue};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, process, signal};
use rbox_core::term::raw::Raw;
use rbox_core::term::size;
use rbox_core::text;

use protocol::{
    BINARY, DO, ECHO, ENVIRON, Event, NAWS, Options, Parser, SGA, TTYPE, WILL, closed, push_about, push_data,
};

#[cfg(fuzzing)]
pub use protocol::fuzz;

options! {
    "[-a8E] [-e CHAR] [-l USER] HOST [PORT]

Connect to HOST by TELNET.

  -a       Log in automatically as $USER
  -l USER  Log in automatically as USER
  -8       Send and receive 8 bits (RFC 856)
  -e CHAR  Escape character, as ^X or itself (default: ^])
  -E       No character is an escape";
    AUTOMATIC = "-a",
    USER = "-l",
    EIGHT = "-8",
    ESCAPE = "-e",
    NO_ESCAPE = "-E",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// TELNET's own port; another service need not know its commands, so that there the server begins.
const PORT: u16 = 23;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let port = operands.get(1).map_or(Ok(PORT), |word| sockets::port(word, b"tcp"))?;
    let escape = match args.value(ESCAPE) {
        _ if args.has(NO_ESCAPE) => None,
        None => Some(0x1d),
        Some([b'^', b'?']) => Some(127),
        Some([b'^', character]) => Some(character.to_ascii_uppercase() & 0x1f),
        Some([byte]) => Some(*byte),
        Some(word) => return Err(Error::parts(&[b"bad escape character '", word, b"'"])),
    };
    let user = match args.value(USER) {
        None if args.has(AUTOMATIC) => env.vars.get("USER"),
        user => user,
    };
    let to = SocketAddr::new(dns::resolve(operands[0], None)?, port);
    let socket = sockets::connect(&to, SocketType::STREAM, None, None)
        .map_err(|errno| Error::on(text!("can't connect to remote host (", to.ip(), ")"), errno))?;
    let queue = SignalQueue::open(&[SIGWINCH, SIGINT]).map_err(|errno| Error::on("signalfd", errno))?;
    let mut session = Session {
        socket,
        queue,
        parser: Parser::new(false),
        options: Options::default(),
        term: env.vars.get("TERM").unwrap_or(b"UNKNOWN").to_ascii_uppercase(),
        user: user.map(<[u8]>::to_vec),
        is_eight: args.has(EIGHT),
        escape,
        raw: None,
    };
    session.print(&text!("\nConnected to ", operands[0], "\n"), env)?;
    session.begin(port)?;
    session.serve(env)
}

struct Session {
    socket: OwnedFd,
    queue: SignalQueue,
    parser: Parser,
    options: Options,
    term: Vec<u8>,
    user: Option<Vec<u8>>,
    is_eight: bool,
    escape: Option<u8>,
    /// The terminal, while each key is sent as it is pressed.
    raw: Option<Raw>,
}

impl Session {
    fn print(&self, content: &[u8], env: &mut Env) -> Result<()> {
        env.stdout.write(content)?;
        env.stdout.flush()
    }

    fn send(&self, content: &[u8]) -> Result<()> {
        write_all(self.socket.as_fd(), content).map_err(|_| closed())
    }

    fn begin(&mut self, port: u16) -> Result<()> {
        let mut out = Vec::new();
        if port == PORT {
            self.options.offer(DO, SGA, &mut out);
            self.options.offer(WILL, TTYPE, &mut out);
            self.options.offer(WILL, NAWS, &mut out);
            if self.user.is_some() {
                self.options.offer(WILL, ENVIRON, &mut out);
            }
        }
        if self.is_eight {
            self.options.offer(DO, BINARY, &mut out);
            self.options.offer(WILL, BINARY, &mut out);
            self.parser.is_binary = true;
        }
        self.send(&out)
    }

    fn serve(&mut self, env: &mut Env) -> Outcome {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let ready = {
                let mut files = [
                    PollFd::new(&self.socket, PollFlags::IN),
                    PollFd::from_borrowed_fd(self.queue.fd(), PollFlags::IN),
                    PollFd::from_borrowed_fd(fd::borrow(0), PollFlags::IN),
                ];
                match poll(&mut files, None) {
                    Ok(_) => files.map(|file| !file.revents().is_empty()),
                    Err(Errno::INTR) => continue,
                    Err(errno) => return Err(Error::on("poll", errno)),
                }
            };
            if ready[0] {
                match read(self.socket.as_fd(), &mut buffer) {
                    Ok(count) if count > 0 => self.receive(&buffer[..count], env)?,
                    _ => {
                        self.raw = None;
                        return Err(closed());
                    }
                }
            }
            if ready[1] {
                match self.queue.take() {
                    Some(SIGWINCH) if self.options.is_ours(NAWS) => self.send_size()?,
                    Some(SIGINT) if self.ask(env)? => return Ok(ExitStatus::SUCCESS),
                    _ => {}
                }
            }
            if ready[2] {
                let count = read(fd::borrow(0), &mut buffer).map_err(|errno| Error::on("standard input", errno))?;
                if count == 0 || self.typed(&buffer[..count], env)? {
                    return Ok(ExitStatus::SUCCESS);
                }
            }
        }
    }

    /// Sends what was typed. True when the user wants to leave.
    fn typed(&mut self, content: &[u8], env: &mut Env) -> Result<bool> {
        if self.raw.is_some() && content.first().is_some_and(|&byte| Some(byte) == self.escape) {
            return self.ask(env);
        }
        let mut out = Vec::with_capacity(content.len());
        for byte in content {
            match byte {
                // RFC 854: the end of a line, and a carriage return alone.
                b'\n' if !self.is_eight => out.extend_from_slice(b"\r\n"),
                b'\r' if !self.is_eight => out.extend_from_slice(b"\r\0"),
                byte => push_data(&[*byte], &mut out),
            }
        }
        self.send(&out)?;
        Ok(false)
    }

    fn receive(&mut self, mut content: &[u8], env: &mut Env) -> Result<()> {
        let (mut data, mut out) = (Vec::with_capacity(content.len()), Vec::new());
        while let Some(event) = self.parser.feed(&mut content, &mut data) {
            match event {
                Event::Option(verb, option) => {
                    let known: &[u8] = match (verb, self.is_eight) {
                        (WILL, false) => &[ECHO, SGA],
                        (WILL, true) => &[ECHO, SGA, BINARY],
                        (_, false) => &[SGA, TTYPE, NAWS, ENVIRON],
                        (_, true) => &[SGA, TTYPE, NAWS, ENVIRON, BINARY],
                    };
                    // Nobody to name is no environment.
                    let known = if option == ENVIRON && self.user.is_none() { &[] } else { known };
                    self.options.take(verb, option, known, &mut out);
                    if verb == DO && option == NAWS && self.options.is_ours(NAWS) {
                        push_size(&mut out);
                    }
                    if option == ECHO {
                        self.print(&core::mem::take(&mut data), env)?;
                        self.set_mode(self.options.is_theirs(ECHO), env)?;
                    }
                }
                Event::About(option, what) if what.first() == Some(&1) => self.describe(option, &mut out),
                _ => {}
            }
        }
        self.print(&data, env)?;
        self.send(&out)
    }

    /// Answers SEND of an option.
    fn describe(&self, option: u8, out: &mut Vec<u8>) {
        match (option, &self.user) {
            // RFC 1091: IS and the type.
            (TTYPE, _) => push_about(TTYPE, &text!("\0", &self.term), out),
            // RFC 1572: IS, VAR, the name, VALUE, the value.
            (ENVIRON, Some(user)) => push_about(ENVIRON, &text!("\0\0USER\x01", user), out),
            _ => {}
        }
    }

    fn send_size(&self) -> Result<()> {
        let mut out = Vec::new();
        push_size(&mut out);
        self.send(&out)
    }

    /// Sends each key as it is pressed, as who echoes expects it, or whole lines.
    fn set_mode(&mut self, by_key: bool, env: &mut Env) -> Result<()> {
        if by_key == self.raw.is_some() {
            return Ok(());
        }
        self.raw = if by_key { Raw::enter(0) } else { None };
        if by_key && self.raw.is_none() {
            // No terminal.
            return Ok(());
        }
        let name = match self.escape {
            Some(byte) => rbox_core::term::clean(&[byte], b"", rbox_core::term::Shown::Caret),
            None => return Ok(()),
        };
        let line = if by_key {
            text!("\nEntering character mode\nEscape character is '", name, "'.\n\n")
        } else {
            b"\nEntering line mode\nEscape character is '^C'.\n\n".to_vec()
        };
        self.print(&line, env)
    }

    /// The menu of the escape character. True when the user wants to leave.
    fn ask(&mut self, env: &mut Env) -> Result<bool> {
        // Each key, whatever the mode was.
        let before = self.raw.take();
        let was_raw = before.is_some();
        drop(before);
        let raw = Raw::enter(0);
        self.print(b"\nConsole escape. Commands are:\n\n l\tgo to line mode\n c\tgo to character mode\n z\tsuspend telnet\n e\texit telnet\n", env)?;
        let mut key = [0];
        let count = read(fd::borrow(0), &mut key).map_err(|errno| Error::on("standard input", errno))?;
        drop(raw);
        match key[0] {
            _ if count == 0 => return Ok(true),
            b'e' => return Ok(true),
            b'l' => self.raw = None,
            b'c' => self.raw = Raw::enter(0),
            b'z' => {
                signal::kill(process::getpid().as_raw_pid(), SIGTSTP).map_err(Error::from)?;
                self.raw = if was_raw { Raw::enter(0) } else { None };
            }
            _ => self.raw = if was_raw { Raw::enter(0) } else { None },
        }
        self.print(b"continuing...\n", env)?;
        Ok(false)
    }
}

/// RFC 1073: columns and rows.
fn push_size(out: &mut Vec<u8>) {
    let (rows, columns) = size(1).unwrap_or((24, 80));
    let [a, b] = (columns as u16).to_be_bytes();
    let [c, d] = (rows as u16).to_be_bytes();
    push_about(NAWS, &[a, b, c, d], out);
}
