//! Copies the body of a request to a program or another server, and the answer back.

use rbox_core::io::write_all;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, time};

use super::connection::{Connection, PATIENCE};

/// The most bytes before the blank line of a program's answer.
const LONGEST_HEAD: usize = 64 * 1024;

pub struct Relay<'a> {
    pub connection: &'a mut Connection,
    /// Where the body goes; dropped at its end.
    pub to: Option<OwnedFd>,
    pub from: OwnedFd,
    /// Bytes of the body that have not come yet.
    pub left: u64,
}

impl Relay<'_> {
    /// Starts with what of the body has come with the head.
    pub fn new<'a>(connection: &'a mut Connection, to: OwnedFd, from: OwnedFd, length: u64) -> Relay<'a> {
        let count = connection.received.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        connection.received.truncate(count);
        Relay { connection, to: Some(to), from, left: length - count as u64 }
    }

    /// Says whether the client may still send what nobody reads.
    pub fn end(self) {
        self.connection.is_sending = self.left > 0 || !self.connection.received.is_empty();
        self.connection.out.clear();
    }

    /// Copies until the head of the answer is there. It is empty when the answer ended before.
    pub fn head(&mut self) -> core::result::Result<Vec<u8>, Errno> {
        let mut head = Vec::new();
        loop {
            if super::cgi::answer_head_length(&head).is_some() {
                return Ok(head);
            }
            let Some(content) = self.step()? else { return Ok(Vec::new()) };
            head.extend_from_slice(&content);
            if head.len() > LONGEST_HEAD {
                return Ok(Vec::new());
            }
        }
    }

    /// Copies the rest of the answer; `wanted` is false when only its head is.
    pub fn rest(&mut self, wanted: bool) -> core::result::Result<(), Errno> {
        while let Some(content) = self.step()? {
            if wanted {
                write_all(self.connection.output(), &content)?;
            }
        }
        Ok(())
    }

    /// Moves bytes of the body on until some of the answer come; `None` at its end.
    fn step(&mut self) -> core::result::Result<Option<Vec<u8>>, Errno> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let waiting = !self.connection.received.is_empty();
            if !waiting && self.left == 0 {
                self.to = None;
            }
            let reads = self.to.is_some() && !waiting;
            // Without IN it only says that the client is gone.
            let input = if reads { PollFlags::IN } else { PollFlags::empty() };
            let mut files = vec![PollFd::new(&self.from, PollFlags::IN), PollFd::new(&self.connection.input, input)];
            if let Some(to) = self.to.as_ref().filter(|_| waiting) {
                files.push(PollFd::new(to, PollFlags::OUT));
            }
            // A program may take its time; a client that sends a body may not.
            let limit = reads.then(|| time::milliseconds(PATIENCE));
            match poll(&mut files, limit.as_ref()) {
                Ok(0) => return Err(Errno::TIMEDOUT),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            }
            let ready: Vec<PollFlags> = files.iter().map(PollFd::revents).collect();
            if !ready[0].is_empty() {
                let count = rbox_core::io::read(self.from.as_fd(), &mut buffer)?;
                buffer.truncate(count);
                return Ok((count > 0).then_some(buffer));
            }
            // A pipe or a file in the place of a connection has no other direction.
            if !reads && self.connection.peer.is_some() && ready[1].intersects(PollFlags::HUP | PollFlags::ERR) {
                return Err(Errno::PIPE);
            }
            if reads && !ready[1].is_empty() {
                let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                let count = rbox_core::io::read(self.connection.input.as_fd(), &mut buffer[..most])?;
                self.left = if count == 0 { 0 } else { self.left - count as u64 };
                self.connection.received = buffer[..count].to_vec();
            }
            if let (Some(to), Some(_)) = (&self.to, ready.get(2).filter(|flags| !flags.is_empty())) {
                match fd::write(to, &self.connection.received) {
                    Ok(count) => drop(self.connection.received.drain(..count)),
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    // A program need not read its input.
                    Err(_) => {
                        self.to = None;
                        self.connection.received.clear();
                    }
                }
            }
        }
    }
}
