//! A connection to a server, with a time limit for each read, and lines of bounded length.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rbox_core::call;
use rbox_core::io::{Input, Output, write_all};
use rbox_core::net::{dns, sockets, tls};
use rbox_core::prelude::*;
use rbox_core::sys::net::SocketType;
use rbox_core::sys::net::sockopt::{Timeout, set_socket_timeout};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd};
use rbox_core::text;

/// The longest line of a server, in bytes.
const LINE: usize = 1 << 14;
/// The most bytes of all lines of a response.
pub const HEAD: usize = 1 << 16;

pub struct Link {
    input: Input,
    socket: OwnedFd,
    /// The other end, or that of a proxy.
    pub address: SocketAddr,
}

impl Link {
    /// Connects to the first address of a host that accepts it. `report` gets each one before it is tried, with the error of
    /// the one before.
    pub fn to_host(
        host: &[u8],
        port: u16,
        seconds: u64,
        mut report: impl FnMut(SocketAddr, Option<Error>) -> Result<()>,
    ) -> Result<Self> {
        let mut addresses = dns::resolve_all(host, None)?;
        let (mut at, mut failure) = (0, None);
        loop {
            let to = SocketAddr::new(addresses[at], port);
            report(to, failure.take())?;
            let error = match Self::connect(&to, seconds) {
                Ok(link) => return Ok(link),
                Err(error) => error,
            };
            at += 1;
            if at == addresses.len() && addresses.iter().all(IpAddr::is_ipv4) {
                // Those of IPv6 are asked for only now. There may be none.
                addresses.extend(dns::resolve_all(host, Some(true)).unwrap_or_default());
            }
            if at == addresses.len() {
                return Err(error);
            }
            failure = Some(error);
        }
    }

    /// Connects within so many seconds, which also are the limit of each read.
    pub fn connect(to: &SocketAddr, seconds: u64) -> Result<Self> {
        let limit = (seconds > 0).then_some(seconds * 1000);
        let socket = sockets::connect(to, SocketType::STREAM, None, limit)
            .map_err(|errno| Error::on(text!("can't connect to remote host (", to.ip(), ")"), errno))?;
        Self::of(socket, seconds, *to)
    }

    fn of(socket: OwnedFd, seconds: u64, address: SocketAddr) -> Result<Self> {
        if seconds > 0 {
            set_socket_timeout(&socket, Timeout::Recv, Some(Duration::from_secs(seconds))).map_err(Error::from)?;
        }
        let copy = fd::dup(&socket).map_err(Error::from)?;
        Ok(Self { input: Input::from_fd(copy, b"server"), socket, address })
    }

    /// The same connection through TLS: `ssl_client`, a program of its own, encrypts what goes through.
    pub fn encrypted(self, env: &mut Env, host: &[u8], checked: bool, seconds: u64) -> Result<Self> {
        if call::find_program(&env.vars, b"ssl_client").is_none() {
            return Err(Error::new("https needs the program ssl_client, which is not installed"));
        }
        let options: &[&[u8]] = if checked { &[] } else { &[b"-I"] };
        let own = tls::start(env, self.socket.as_fd(), host, options)?;
        Self::of(own, seconds, self.address)
    }

    pub fn send(&mut self, content: &[u8]) -> Result<()> {
        write_all(self.socket.as_fd(), content).map_err(|errno| Error::on("write", errno))
    }

    /// The connection as something to write to, which ends when it is dropped.
    pub fn into_output(self) -> Output {
        Output::from_fd(self.socket)
    }

    /// What has come; empty at the end.
    pub fn fill(&mut self) -> Result<&[u8]> {
        self.input.fill().map_err(|error| match error.errno() {
            Some(Errno::AGAIN) => Error::new("download timed out"),
            _ => error,
        })
    }

    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// The next line without its end; `None` at the end. `left` is what the lines may have together.
    pub fn line(&mut self, left: &mut usize) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            let content = self.fill()?;
            if content.is_empty() {
                return Ok((!line.is_empty()).then_some(line));
            }
            let end = rbox_core::bytes::find_byte(b'\n', content);
            let count = end.map_or(content.len(), |end| end + 1);
            line.extend_from_slice(&content[..end.unwrap_or(count)]);
            self.consume(count);
            if line.len() > LINE || count > *left {
                return Err(Error::new("the server's answer is too long"));
            }
            *left -= count;
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
        }
    }
}
