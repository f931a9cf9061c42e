//! A conversation in lines with a server, over a socket or through a helper program.

use core::net::SocketAddr;
use core::time::Duration;

use rbox_core::call;
use rbox_core::io::{Input, write_all};
use rbox_core::net::{dns, sockets, tls};
use rbox_core::prelude::*;
use rbox_core::sys::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, process};
use rbox_core::text;
use rbox_core::tty::wait_readable;

/// The longest line of a server, in bytes.
const LONGEST: usize = 64 * 1024;

pub struct Talk {
    input: Input,
    output: OwnedFd,
    /// Milliseconds of silence after which the server is given up.
    limit: Option<u64>,
    /// Lines in both directions are reported on standard error.
    pub verbose: bool,
}

impl Talk {
    fn of(socket: OwnedFd, limit: Option<u64>) -> Result<Self> {
        let copy = fd::dup(&socket).map_err(Error::from)?;
        // One that takes nothing is as silent as one that sends nothing.
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, limit.map(Duration::from_millis))
            .map_err(Error::from)?;
        Ok(Self { input: Input::from_fd(copy, b"server"), output: socket, limit, verbose: false })
    }

    pub fn connect(host: &[u8], port: u16, limit: Option<u64>) -> Result<Self> {
        let to = SocketAddr::new(dns::resolve(host, None)?, port);
        let socket = sockets::connect(&to, SocketType::STREAM, None, limit)
            .map_err(|errno| Error::on(text!("can't connect to remote host (", to.ip(), ")"), errno))?;
        // Each line waits for an answer: none is to wait for another one before it is sent.
        sockopt::set_tcp_nodelay(&socket, true).map_err(Error::from)?;
        Self::of(socket, limit)
    }

    /// Through a program, whose standard input and output are the connection.
    pub fn through(env: &mut Env, words: &[&[u8]], limit: Option<u64>) -> Result<Self> {
        let (own, other) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).map_err(Error::from)?;
        let forked = process::fork().map_err(|errno| Error::on("can't fork", errno))?;
        if forked.is_none() {
            // An applet in this very process would wait for the end that it holds itself.
            drop(own);
            let redirected = [0, 1].iter().try_for_each(|&number| fd::redirect(other.as_fd(), number));
            let is_ready = redirected.is_ok() && signal::set(SIGPIPE, Disposition::Default).is_ok();
            process::exit_now(if is_ready { call::replace(env, words).0 } else { 126 });
        }
        Self::of(own, limit)
    }

    /// The same connection through TLS, by the program ssl_client.
    pub fn encrypted(&self, env: &mut Env, host: &[u8]) -> Result<Self> {
        let (limit, verbose) = (self.limit, self.verbose);
        // -e: it ends when this end is closed, whatever the server does.
        let own = tls::start(env, self.output.as_fd(), host, &[b"-e"])?;
        Ok(Self { verbose, ..Self::of(own, limit)? })
    }

    pub fn send(&self, content: &[u8]) -> Result<()> {
        write_all(self.output.as_fd(), content).map_err(|errno| match errno {
            Errno::AGAIN => Error::new("timed out"),
            errno => Error::on("write", errno),
        })
    }

    /// Sends a line; `shown` is what is reported in its place.
    pub fn say(&self, env: &mut Env, line: &[u8], shown: &[u8]) -> Result<()> {
        // Whatever it was made of, it is one line.
        if line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(Error::new("a word has a control character"));
        }
        if self.verbose {
            env.report(&Error::new(text!("send:'", shown, "'")));
        }
        self.send(&text!(line, "\r\n"))
    }

    /// The next line without its end. The end of the connection is an error.
    pub fn line(&mut self, env: &mut Env) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let content = self.fill()?;
            if content.is_empty() {
                return Err(Error::new("the server has closed the connection"));
            }
            let end = rbox_core::bytes::find_byte(b'\n', content);
            let count = end.map_or(content.len(), |end| end + 1);
            line.extend_from_slice(&content[..end.unwrap_or(count)]);
            self.input.consume(count);
            if line.len() > LONGEST {
                return Err(Error::new("a line of the server is too long"));
            }
            if end.is_some() {
                if line.ends_with(b"\r") {
                    line.pop();
                }
                if self.verbose {
                    let shown = rbox_core::term::clean(&line, b"", rbox_core::term::Shown::Caret);
                    env.report(&Error::new(text!("recv:'", shown, "'")));
                }
                return Ok(line);
            }
        }
    }

    /// What has come; empty at the end.
    pub fn fill(&mut self) -> Result<&[u8]> {
        if self.input.buffered().is_empty()
            && let Some(file) = self.input.fd()
            && !wait_readable(file, self.limit)
        {
            return Err(Error::new("timed out"));
        }
        self.input.fill()
    }

    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }
}

/// Seconds of an option, as milliseconds; 0 is no limit.
pub fn limit(word: Option<&[u8]>, default: u64) -> Result<Option<u64>> {
    let seconds = word.map_or(Ok(default), |word| rbox_core::number::parse_in_range(word, 0, 1 << 31))?;
    Ok((seconds > 0).then_some(seconds * 1000))
}
