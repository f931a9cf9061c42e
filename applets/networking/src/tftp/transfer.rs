//! Moves a file over a socket, block by block: a packet is sent again until its answer comes (RFC 1350, 2).

use core::net::{IpAddr, SocketAddr};

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::io::{Input, Output};
use rbox_core::net::sockets::address_of;
use rbox_core::prelude::*;
use rbox_core::sys::net::{RecvFlags, SendFlags, connect, recvfrom, send, sendto};
use rbox_core::sys::{AsFd, Errno, OwnedFd};
use rbox_core::tty::wait_readable;

use super::packet::{ACK, BLOCK, DATA, ERROR, OPTIONS, head, numbered, refusal};
use crate::netascii::Netascii;
use crate::wget::Progress;

/// Milliseconds until a packet is sent for the second time, and the most of a wait; each is half as long again as the one before.
const FIRST_WAIT: u64 = 100;
const LONGEST_WAIT: u64 = 2000;
/// How often a packet is sent.
const TRIES: usize = 12;

pub struct Transfer {
    pub socket: OwnedFd,
    /// The server's first port: the answer comes from another one, to which the socket is connected then.
    pub server: Option<SocketAddr>,
    /// Bytes of a block.
    pub block: usize,
    /// Seconds between two tries, where both sides agreed on them.
    pub timeout: Option<u64>,
    pub progress: Option<(Progress, Output)>,
    /// The file is text.
    pub text: Option<Netascii>,
    buffer: Vec<u8>,
}

impl Transfer {
    pub fn new(socket: OwnedFd, server: Option<SocketAddr>) -> Self {
        // No packet is longer than the largest block and its number.
        Self { socket, server, block: BLOCK, timeout: None, progress: None, text: None, buffer: vec![0; 65_468] }
    }

    /// Sends a packet until the answer comes: of that kind and number, or options where they are allowed.
    pub fn exchange(&mut self, packet: &[u8], kind: u8, number: u16, options: bool) -> Result<&[u8]> {
        let mut wait = FIRST_WAIT;
        for _ in 0..TRIES {
            self.send(packet)?;
            let deadline = uptime_milliseconds() + self.timeout.map_or(wait, |seconds| seconds * 1000);
            while let Some(length) = self.receive(deadline)? {
                match head(&self.buffer[..length]) {
                    Some((ERROR, _)) => return Err(refusal(&self.buffer[..length])),
                    Some((OPTIONS, _)) if options => return Ok(&self.buffer[..length]),
                    Some(found) if found == (kind, number) => return Ok(&self.buffer[..length]),
                    // A block that comes again: its acknowledgement was lost. An acknowledgement that comes again is answered by
                    // nothing, or each packet would be sent twice from then on (RFC 1123, 4.2.3.1).
                    Some((DATA, _)) if kind == DATA && packet.starts_with(&[0, ACK]) => self.send(packet)?,
                    _ => {}
                }
            }
            wait = (wait * 3 / 2).min(LONGEST_WAIT);
        }
        Err(Error::new("timeout"))
    }

    pub fn send(&self, packet: &[u8]) -> Result<()> {
        let sent = match &self.server {
            Some(server) => sendto(&self.socket, packet, SendFlags::empty(), server),
            None => send(&self.socket, packet, SendFlags::empty()),
        };
        match sent {
            // The answer to an earlier packet: nobody listens there, or not yet.
            Err(Errno::CONNREFUSED) => Ok(()),
            sent => sent.map(|_| ()).map_err(|errno| Error::on("send", errno)),
        }
    }

    /// The length of the next packet of the other side; `None` when the time is up.
    fn receive(&mut self, deadline: u64) -> Result<Option<usize>> {
        loop {
            let left = deadline.saturating_sub(uptime_milliseconds());
            if left == 0 || !wait_readable(self.socket.as_fd(), Some(left)) {
                return Ok(None);
            }
            match recvfrom(&self.socket, &mut self.buffer[..], RecvFlags::DONTWAIT) {
                Ok((length, _, Some(sender))) => {
                    let Some(server) = self.server else { return Ok(Some(length)) };
                    let ip: Option<IpAddr> = address_of(sender.clone()).map(|sender| sender.ip());
                    if ip == Some(server.ip()) {
                        // RFC 1350 4: from now on this port is the other side.
                        connect(&self.socket, &sender).map_err(|errno| Error::on("connect", errno))?;
                        self.server = None;
                        return Ok(Some(length));
                    }
                }
                Ok((length, _, None)) => return Ok(Some(length)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::CONNREFUSED) => return Err(Error::on("receive", Errno::CONNREFUSED)),
                Err(errno) => return Err(Error::on("receive", errno)),
            }
        }
    }

    /// Sends all of the input, from block 1 on. The last block is a short one. Numbers go on with 0 after 65535.
    pub fn send_file(&mut self, input: &mut Input) -> Result<()> {
        let mut number = 1_u16;
        // Text that did not fit in the block before it.
        let mut rest = Vec::new();
        loop {
            let mut packet = numbered(DATA, number);
            packet.append(&mut rest);
            while packet.len() < self.block + 4 {
                let content = input.fill()?;
                let count = content.len().min(self.block + 4 - packet.len());
                if count == 0 {
                    break;
                }
                match &mut self.text {
                    Some(text) => text.encode(&content[..count], &mut packet),
                    None => packet.extend_from_slice(&content[..count]),
                }
                input.consume(count);
            }
            if packet.len() > self.block + 4 {
                rest = packet.split_off(self.block + 4);
            }
            self.exchange(&packet, ACK, number, false)?;
            self.add(packet.len() - 4)?;
            if packet.len() < self.block + 4 {
                return self.end();
            }
            number = number.wrapping_add(1);
        }
    }

    /// Receives a file; `first` is the packet that brings block 1, or its contents if it has come.
    pub fn receive_file(&mut self, output: &mut Output, first: &[u8], block: Option<Vec<u8>>) -> Result<()> {
        let (mut packet, mut number, mut waiting) = (first.to_vec(), 1_u16, block);
        loop {
            let content = match waiting.take() {
                Some(content) => content,
                None => self.exchange(&packet, DATA, number, false)?[4..].to_vec(),
            };
            if content.len() > self.block {
                return Err(Error::new("a block is longer than agreed"));
            }
            let is_last = content.len() < self.block;
            match &mut self.text {
                Some(text) => {
                    let mut lines = Vec::with_capacity(content.len() + 1);
                    text.decode(&content, &mut lines);
                    if is_last {
                        text.end(&mut lines);
                    }
                    output.write(&lines)?;
                }
                None => output.write(&content)?,
            }
            packet = numbered(ACK, number);
            if is_last {
                // What could not be written must not be acknowledged.
                output.flush()?;
                self.send(&packet)?;
                self.add(content.len())?;
                return self.end();
            }
            self.add(content.len())?;
            number = number.wrapping_add(1);
        }
    }

    fn add(&mut self, count: usize) -> Result<()> {
        self.progress.as_mut().map_or(Ok(()), |(progress, out)| progress.add(count as u64, out))
    }

    fn end(&mut self) -> Result<()> {
        self.progress.as_mut().map_or(Ok(()), |(progress, out)| progress.end(out))
    }
}
