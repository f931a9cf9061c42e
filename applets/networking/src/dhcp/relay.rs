//! A relay between clients and servers of different links (RFC 1542 4.1, RFC 2131).

use core::net::{Ipv4Addr, SocketAddrV4};

use rbox_core::daemon::keep_only;
use rbox_core::prelude::*;
use rbox_core::sys::net::{RecvFlags, SendFlags, recv, sendto};
use rbox_core::sys::{OwnedFd, event, sandbox};

use super::packet::{self, Message, SERVER_PORT};

const CLIENT_PORT: u16 = 68;
/// RFC 1542 4.1.1: more relays than that are a loop.
const MOST_HOPS: u8 = 16;
/// Offsets in a packet (RFC 2131 figure 1).
const HOPS: usize = 3;
const RELAY: usize = 24;

/// An interface with its socket.
pub struct Side {
    pub index: u32,
    pub own: Ipv4Addr,
    pub socket: OwnedFd,
}

/// Relays until a signal ends the process.
pub fn run(env: &mut Env, clients: &[Side], server: &Side, to: Ipv4Addr) -> Outcome {
    let raw = packet::raw_sender()?;
    keep_only(sandbox::DHCPRELAY, &[])?;
    let mut buffer = [0; 2048];
    loop {
        let sides = || clients.iter().chain([server]);
        let mut polled: Vec<_> = sides().map(|side| event::PollFd::new(&side.socket, event::PollFlags::IN)).collect();
        // An interruption makes a round more.
        let _ = event::poll(&mut polled, None);
        let ready: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
        for (at, side) in sides().enumerate().filter(|(at, _)| ready[*at]) {
            // An error that came back for an earlier packet is taken so.
            let Ok((count, _)) = recv(&side.socket, &mut buffer[..], RecvFlags::DONTWAIT) else { continue };
            let bytes = &mut buffer[..count.min(2048)];
            let sent = match at < clients.len() {
                true => {
                    forward(bytes, side.own).map(|()| send(&server.socket, bytes, SocketAddrV4::new(to, SERVER_PORT)))
                }
                false => deliver(&raw, bytes, clients),
            };
            if let Some(Err(error)) = sent {
                env.report(&error);
            }
        }
    }
}

fn send(socket: &OwnedFd, bytes: &[u8], to: SocketAddrV4) -> Result<()> {
    sendto(socket, bytes, SendFlags::empty(), &to).map(drop).map_err(|errno| Error::on("can't send", errno))
}

/// RFC 1542 4.1.1: counts the hop, and notes the link that the request came from. `None` for what is no request.
fn forward(bytes: &mut [u8], own: Ipv4Addr) -> Option<()> {
    Message::parse(bytes, packet::REQUEST).filter(|_| bytes[HOPS] < MOST_HOPS)?;
    bytes[HOPS] += 1;
    let relay = &mut bytes[RELAY..RELAY + 4];
    if relay == [0; 4] {
        relay.copy_from_slice(&own.octets());
    }
    Some(())
}

/// RFC 1542 4.1.2: to the link whose address the reply carries. `None` for what is no reply or another relay's.
fn deliver(raw: &OwnedFd, bytes: &[u8], clients: &[Side]) -> Option<Result<()>> {
    let reply = Message::parse(bytes, packet::REPLY)?;
    let side = clients.iter().find(|side| side.own == reply.relay)?;
    if !reply.client.is_unspecified() {
        return Some(send(&side.socket, bytes, SocketAddrV4::new(reply.client, CLIENT_PORT)));
    }
    let to = if reply.broadcast || reply.your.is_unspecified() { Ipv4Addr::BROADCAST } else { reply.your };
    let (from, to) = (SocketAddrV4::new(side.own, SERVER_PORT), SocketAddrV4::new(to, CLIENT_PORT));
    Some(packet::send_raw(raw, side.index, reply.hardware, bytes, from, to))
}

#[cfg(test)]
mod tests {
    use super::super::packet::Kind;
    use super::*;

    #[test]
    fn requests_are_counted_and_marked_once() {
        let own = Ipv4Addr::new(10, 0, 0, 1);
        let mut bytes = Message::request(Kind::Discover, 1, [2, 0, 0, 0, 0, 1]).to_bytes();
        assert_eq!(forward(&mut bytes, own), Some(()));
        assert_eq!(forward(&mut bytes, Ipv4Addr::new(10, 0, 0, 2)), Some(()));
        assert_eq!((bytes[HOPS], &bytes[RELAY..RELAY + 4]), (2, &[10, 0, 0, 1][..]));
        bytes[HOPS] = 16;
        assert_eq!(forward(&mut bytes, own), None);
        bytes[0] = 2;
        assert_eq!(forward(&mut bytes, own), None);
        assert_eq!(forward(&mut bytes[..100], own), None);
    }
}
