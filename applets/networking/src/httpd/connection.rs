//! A connection: what has come and what is to be sent.

use core::net::SocketAddr;
use core::time::Duration;

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::net::sockets;
use rbox_core::prelude::*;
use rbox_core::sys::fs::sendfile;
use rbox_core::sys::net::sockopt::{Timeout, set_socket_timeout};
use rbox_core::sys::net::{Shutdown, shutdown};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd};
use rbox_core::text;
use rbox_core::tty::wait_readable;

use super::request::{LONGEST, head_length};
use super::response::{Extra, error};
use super::site::{Handled, Site};

/// Milliseconds that a client has to send a head, and in which it must take something of an answer.
pub const PATIENCE: u64 = 60_000;
/// Milliseconds in which what a client still sends is read before the connection is closed.
const LINGER: u64 = 2000;
/// Bytes of a file that are sent before others have their turn.
const TURN: u64 = 1 << 20;

pub struct Connection {
    pub input: OwnedFd,
    /// Another descriptor for answers, where it is not the same.
    pub output: Option<OwnedFd>,
    pub peer: Option<SocketAddr>,
    /// What has come and has not been used.
    pub received: Vec<u8>,
    /// The answer, of which `sent` bytes are gone, and the part of a file that follows: offset and length.
    pub out: Vec<u8>,
    sent: usize,
    pub body: Option<(OwnedFd, u64, u64)>,
    /// Further parts of that file, the next one last: what is sent before each, and its offset and length.
    pub parts: Vec<(Vec<u8>, u64, u64)>,
    /// The status of the answer, for the log.
    pub status: u16,
    /// There is no further request.
    pub closing: bool,
    /// The client may still send a body that nobody reads.
    pub is_sending: bool,
    /// The answer is sent, and what the client still sends is thrown away.
    is_lingering: bool,
    /// When the connection is given up.
    pub deadline: u64,
}

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To read or to write.
    Wait,
    /// It could go on, but others wait.
    Again,
    /// A child must serve the request, whose head has this length.
    Child(usize),
    Closed,
}

impl Connection {
    pub fn new(input: OwnedFd, output: Option<OwnedFd>) -> Self {
        let peer = sockets::peer(input.as_fd());
        let deadline = uptime_milliseconds() + PATIENCE;
        Self {
            input,
            output,
            peer,
            received: Vec::new(),
            out: Vec::new(),
            sent: 0,
            body: None,
            parts: Vec::new(),
            status: 0,
            closing: false,
            is_sending: false,
            is_lingering: false,
            deadline,
        }
    }

    pub fn output(&self) -> BorrowedFd<'_> {
        self.output.as_ref().unwrap_or(&self.input).as_fd()
    }

    /// A client that takes nothing for a while ends a blocking write.
    pub fn limit_waits(&self) -> core::result::Result<(), Errno> {
        set_socket_timeout(&self.input, Timeout::Send, Some(Duration::from_millis(PATIENCE)))
    }

    /// Whether it waits for a request of which nothing has come.
    pub fn is_idle(&self) -> bool {
        self.received.is_empty() && self.out.is_empty() && self.body.is_none()
    }

    /// Does what can be done without waiting; in a child, all.
    pub fn advance(&mut self, env: &mut Env, site: &mut Site, buffer: &mut [u8]) -> Next {
        let mut turn = TURN;
        loop {
            match self.send(&mut turn) {
                Ok(true) => {}
                Ok(false) => return Next::Again,
                Err(Errno::AGAIN) => return Next::Wait,
                Err(_) => return Next::Closed,
            }
            if self.closing && self.status != 0 && !self.is_lingering {
                // A client that still sends would not see the answer if the connection were just closed.
                if !self.is_sending || shutdown(self.output(), Shutdown::Write).is_err() {
                    return Next::Closed;
                }
                (self.is_lingering, self.deadline) = (true, uptime_milliseconds() + LINGER);
                self.received = Vec::new();
            }
            if !self.is_lingering
                && let Some(length) = head_length(&self.received)
            {
                if self.answer(env, site, length) == Handled::Slow {
                    return Next::Child(length);
                }
                continue;
            }
            if self.received.len() > LONGEST {
                (self.closing, self.is_sending) = (true, true);
                error(self, site, 431, false, &Extra::default());
                continue;
            }
            if site.is_child
                && !wait_readable(self.input.as_fd(), Some(self.deadline.saturating_sub(uptime_milliseconds())))
            {
                return Next::Closed;
            }
            match fd::read(&self.input, &mut *buffer) {
                Ok(0) => return Next::Closed,
                Ok(_) if self.is_lingering && uptime_milliseconds() >= self.deadline => return Next::Closed,
                Ok(_) if self.is_lingering => {}
                Ok(count) => self.receive(&buffer[..count]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Next::Wait,
                Err(_) => return Next::Closed,
            }
        }
    }

    /// Keeps what has come. RFC 9112 2.2: blank lines before a request are skipped.
    fn receive(&mut self, content: &[u8]) {
        let skipped = if self.received.is_empty() {
            content.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
        } else {
            0
        };
        self.received.extend_from_slice(&content[skipped..]);
    }

    /// Answers the request at the start of what has come, and forgets it. What a child must do stays.
    pub fn answer(&mut self, env: &mut Env, site: &mut Site, length: usize) -> Handled {
        let mut received = core::mem::take(&mut self.received);
        let rest = received.split_off(length);
        self.received = rest;
        let handled = site.handle(env, self, &received);
        if handled == Handled::Slow {
            received.append(&mut self.received);
            self.received = received;
        } else {
            self.deadline = uptime_milliseconds() + PATIENCE;
            if site.verbosity > 0 {
                site.log(env, self.peer, &text!("response:", u32::from(self.status)));
            }
        }
        handled
    }

    /// Sends what is to be sent. False when it has had its turn.
    fn send(&mut self, turn: &mut u64) -> core::result::Result<bool, Errno> {
        let before = (self.sent, self.body.as_ref().map(|body| body.2));
        let result = self.send_all(turn);
        if (self.sent, self.body.as_ref().map(|body| body.2)) != before {
            self.deadline = uptime_milliseconds() + PATIENCE;
        }
        if result == Ok(true) && !self.out.is_empty() {
            self.out.clear();
            self.sent = 0;
        }
        result
    }

    fn send_all(&mut self, turn: &mut u64) -> core::result::Result<bool, Errno> {
        loop {
            self.send_out()?;
            let Some((file, mut offset, left)) = self.body.take() else { return Ok(true) };
            if *turn == 0 {
                self.body = Some((file, offset, left));
                return Ok(false);
            }
            match sendfile(self.output(), &file, Some(&mut offset), left.min(*turn) as usize) {
                // It is shorter than it was: the client must not take the next answer for its end.
                Ok(0) => return Err(Errno::IO),
                Ok(count) => {
                    *turn -= (count as u64).min(*turn);
                    if left > count as u64 {
                        self.body = Some((file, offset, left - count as u64));
                    } else if let Some((head, offset, length)) = self.parts.pop() {
                        (self.out, self.sent) = (head, 0);
                        // The last part is what ends them all.
                        self.body = (length > 0).then_some((file, offset, length));
                    }
                }
                Err(errno) => {
                    self.body = Some((file, offset, left));
                    if errno != Errno::INTR {
                        return Err(errno);
                    }
                }
            }
        }
    }

    fn send_out(&mut self) -> core::result::Result<(), Errno> {
        while self.sent < self.out.len() {
            match fd::write(self.output(), &self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }
}
