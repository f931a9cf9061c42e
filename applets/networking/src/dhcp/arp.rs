//! Who has an address: a probe by ARP (RFC 826, RFC 5227 2.1.1).

use core::net::Ipv4Addr;

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::prelude::*;
use rbox_core::sys::net::{RecvFlags, recv};
use rbox_core::sys::{AsFd, OwnedFd, packet};
use rbox_core::tty::wait_readable;

/// The Ethernet protocol.
pub const ARP: u16 = 0x0806;
/// Bytes of a packet for Ethernet and IPv4.
const SIZE: usize = 28;

/// Asks for `milliseconds` who has `address`; true when another host answers.
pub fn is_taken(index: u32, hardware: [u8; 6], address: Ipv4Addr, milliseconds: u64) -> Result<bool> {
    let socket = open(index)?;
    let sent = packet::send(socket.as_fd(), index, ARP, &[0xff; 6], &probe(hardware, address));
    sent.map_err(|errno| Error::on("ARP socket", errno))?;
    let end = uptime_milliseconds() + milliseconds;
    let mut buffer = [0; 64];
    loop {
        let left = end.saturating_sub(uptime_milliseconds());
        if left == 0 || !wait_readable(socket.as_fd(), Some(left)) {
            return Ok(false);
        }
        // What cannot be received is no answer; the time goes on.
        if let Ok((count, _)) = recv(&socket, &mut buffer[..], RecvFlags::DONTWAIT)
            && claims(&buffer[..count.min(buffer.len())], hardware, address)
        {
            return Ok(true);
        }
    }
}

/// A socket that hears the ARP packets of the interface `index`.
pub fn open(index: u32) -> Result<OwnedFd> {
    packet::open(index, ARP).map_err(|errno| Error::on("ARP socket", errno))
}

/// RFC 5227 1.1: a request without a sender's address.
pub fn probe(hardware: [u8; 6], address: Ipv4Addr) -> [u8; SIZE] {
    let mut probe = [0; SIZE];
    // Ethernet, IPv4, their lengths, request.
    probe[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
    probe[8..14].copy_from_slice(&hardware);
    probe[24..28].copy_from_slice(&address.octets());
    probe
}

/// True when the packet is another host's that has `address`, or that asks for it at the same time.
pub fn claims(packet: &[u8], own: [u8; 6], address: Ipv4Addr) -> bool {
    let Some(packet) = packet.get(..SIZE).filter(|packet| packet[..6] == [0, 1, 8, 0, 6, 4]) else { return false };
    let (sender, from, target) = (&packet[8..14], &packet[14..18], &packet[24..28]);
    let address = address.octets();
    let probes_it = packet[7] == 1 && from == [0; 4] && target == address;
    sender != own && (from == address || probes_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

    fn reply(sender: u8, from: [u8; 4]) -> [u8; SIZE] {
        let mut packet = probe([2, 0, 0, 0, 0, sender], Ipv4Addr::UNSPECIFIED);
        packet[7] = 2;
        packet[14..18].copy_from_slice(&from);
        packet
    }

    #[test]
    fn an_answer_of_another_host_counts() {
        assert!(claims(&reply(9, [10, 0, 0, 5]), OWN, ADDRESS));
        assert!(!claims(&reply(1, [10, 0, 0, 5]), OWN, ADDRESS));
        assert!(!claims(&reply(9, [10, 0, 0, 6]), OWN, ADDRESS));
        assert!(!claims(&probe(OWN, ADDRESS), OWN, ADDRESS));
        assert!(claims(&probe([2, 0, 0, 0, 0, 9], ADDRESS), OWN, ADDRESS));
        assert!(!claims(&reply(9, [10, 0, 0, 5])[..27], OWN, ADDRESS));
    }
}
