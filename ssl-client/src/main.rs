//! `ssl_client`: TLS 1.2 and 1.3 between plain text, on standard input and output, and a server on a descriptor.
//!
//! A program of its own, so that rbox has no TLS in it. `wget` and `sendmail` start it.
#![forbid(unsafe_code)]
// A program with a process of its own; the rule is about applets.
#![allow(clippy::disallowed_methods)]

mod trust;

use std::io::{ErrorKind, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use rbox_core::io::{read, write_all};
use rbox_core::number::parse_in_range;
use rbox_core::options;
use rbox_core::options::{Args, Grammar};
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::net::{SendFlags, send};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;

options! {
    "[-eI] -s FD [-r FD] [-n NAME]

Encrypt standard input for the server on descriptor FD, and print what it sends.

  -s FD    The server's descriptor
  -r FD    Another one to read from
  -n NAME  The server's name: it is told to it, and its certificate must be for it
  -e       End when standard input ends
  -I       Do not check the server's certificate";
    SERVER = "-s",
    READ = "-r",
    NAME = "-n",
    END = "-e",
    INSECURE = "-I",
}

/// As much as one record holds.
const BLOCK: usize = 1 << 14;

type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Where standard error is gone, there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "ssl_client: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<Vec<u8>> = std::env::args_os().map(std::os::unix::ffi::OsStringExt::into_vec).collect();
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let usage = || format!("usage: ssl_client {}", USAGE.lines().next().unwrap_or_default());
    if words.get(1) == Some(&&b"--help"[..]) {
        return writeln!(std::io::stdout(), "Usage: ssl_client {USAGE}").map_err(|error| error.to_string());
    }
    let args = Args::parse(USAGE, Grammar::OptionsFirst, &words);
    let args = args.map_err(|error| format!("{}\n{}", text_of(error.message()), usage()))?;
    args.operands_between(0, 0).map_err(|_| usage())?;
    let descriptor = |word: &[u8]| -> Result<OwnedFd> {
        let number = parse_in_range(word, 0, i32::MAX as u64).map_err(|error| text_of(error.message()))?;
        fd::inherited(number as i32).map_err(|errno| format!("descriptor {number}: {errno}"))
    };
    let server = descriptor(args.value(SERVER).ok_or_else(usage)?)?;
    let other = args.value(READ).map(descriptor).transpose()?;
    let name = text_of(args.value(NAME).unwrap_or_default());
    let server_name = match name.as_str() {
        // Without a name there is nothing that a certificate could be for.
        "" if !args.has(INSECURE) => return Err("a certificate can only be checked with a name, -n".to_owned()),
        "" => ServerName::try_from("invalid"),
        name => ServerName::try_from(name),
    };
    let server_name = server_name.map_err(|error| format!("{name}: {error}"))?.to_owned();
    let mut config = if args.has(INSECURE) { trust::unchecked() } else { trust::of_system() }?;
    config.enable_sni = !name.is_empty();
    let tls = ClientConnection::new(Arc::new(config), server_name).map_err(|error| error.to_string())?;
    Session { tls, name, from: other.as_ref().unwrap_or(&server).as_fd(), to: server.as_fd() }.run(args.has(END))
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Session<'a> {
    tls: ClientConnection,
    /// For errors.
    name: String,
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
}

impl Session<'_> {
    fn error(&self, message: impl std::fmt::Display) -> String {
        format!("{}: {message}", self.name)
    }

    /// The error of a handshake or a record.
    fn failed(&self, error: &rustls::Error) -> String {
        match error {
            rustls::Error::InvalidCertificate(error) => self.error(trust::reason(error)),
            // The numbers of RFC 8446, 6.
            rustls::Error::AlertReceived(alert) => {
                self.error(format_args!("the server ends with alert {}", u8::from(*alert)))
            }
            error => self.error(error),
        }
    }

    /// Moves what comes from either side until the server ends; `to_end` also ends it when standard input does.
    fn run(&mut self, to_end: bool) -> Result<()> {
        let mut input_ended = false;
        loop {
            // More plain text is taken when what was taken before is gone.
            let takes = !input_ended && !self.tls.is_handshaking() && !self.tls.wants_write();
            let pending = if self.tls.wants_write() { PollFlags::OUT } else { PollFlags::empty() };
            let stdin = fd::borrow(0);
            let mut ready = [
                PollFd::new(&self.from, PollFlags::IN),
                PollFd::new(&self.to, pending),
                PollFd::new(&stdin, PollFlags::IN),
            ];
            // A hang-up is told even of a file of which nothing is asked, again and again.
            let count = if takes { 3 } else { 2 };
            match poll(&mut ready[..count], None) {
                Err(Errno::INTR) => continue,
                result => result.map_err(|errno| self.error(errno))?,
            };
            let [readable, writable, input] = ready.map(|file| !file.revents().is_empty());
            if writable && self.tls.wants_write() {
                self.send()?;
            }
            if readable && !self.receive()? {
                return Ok(());
            }
            if takes && input && !self.take(&mut input_ended)? && to_end {
                return self.send();
            }
        }
    }

    /// Takes plain text from standard input; false at its end, which the server is told.
    fn take(&mut self, ended: &mut bool) -> Result<bool> {
        let mut block = [0; BLOCK];
        let count = read(fd::borrow(0), &mut block).map_err(|errno| format!("standard input: {errno}"))?;
        if count == 0 {
            *ended = true;
            self.tls.send_close_notify();
        } else {
            self.tls.writer().write_all(&block[..count]).map_err(|error| self.error(error))?;
        }
        Ok(count > 0)
    }

    fn send(&mut self) -> Result<()> {
        match self.tls.write_tls(&mut Descriptor(self.to)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            result => result.map(|_| ()).map_err(|error| self.error(error)),
        }
    }

    /// Reads from the server and prints what it means; false when the server has ended.
    fn receive(&mut self) -> Result<bool> {
        let mut block = [0; BLOCK];
        let count = match read(self.from, &mut block) {
            Err(Errno::AGAIN) => return Ok(true),
            result => result.map_err(|errno| self.error(errno))?,
        };
        let mut received = &block[..count];
        loop {
            let taken = self.tls.read_tls(&mut received).map_err(|error| self.error(error))?;
            let state = match self.tls.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    // The server is told why, as far as it still listens.
                    let _ = self.send();
                    return Err(self.failed(&error));
                }
            };
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            self.tls.reader().read_exact(&mut plain).map_err(|error| self.error(error))?;
            write_all(fd::borrow(1), &plain).map_err(|errno| format!("standard output: {errno}"))?;
            if state.peer_has_closed() {
                return Ok(false);
            }
            if count == 0 {
                return Err(self.error("the connection ended without TLS's own end"));
            }
            if taken == 0 || received.is_empty() {
                return Ok(true);
            }
        }
    }
}

/// The server as a stream that does not wait.
struct Descriptor<'a>(BorrowedFd<'a>);

impl Write for Descriptor<'_> {
    fn write(&mut self, content: &[u8]) -> std::io::Result<usize> {
        match send(self.0, content, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Err(Errno::NOTSOCK) => Ok(fd::write(self.0, content)?),
            result => Ok(result?),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
