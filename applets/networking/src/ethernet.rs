//! Interfaces of Ethernet, and packets of ARP on them (RFC 826).

use core::net::Ipv4Addr;

use rbox_core::io::Input;
use rbox_core::net::addr::parse_hardware;
use rbox_core::net::netlink::{Link, Netlink, UP};
use rbox_core::prelude::*;
use rbox_core::sys::packet::{self, LinkKind};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// The protocol of ARP on Ethernet.
const ARP: u16 = 0x0806;
/// Bytes of a packet for Ethernet and IPv4.
const SIZE: usize = 28;
/// Ethernet, IPv4, and the lengths of their addresses.
const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
/// All hosts of the network.
pub const BROADCAST: [u8; 6] = [0xff; 6];
/// IFF_NOARP and IFF_LOOPBACK.
const NO_ARP: u32 = 0x88;

/// A packet: who says that it is at an address, to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// It asks; else it answers.
    pub is_request: bool,
    pub sender: [u8; 6],
    pub from: Ipv4Addr,
    pub target: [u8; 6],
    pub to: Ipv4Addr,
}

impl Arp {
    pub fn bytes(&self) -> [u8; SIZE] {
        let mut packet = [0; SIZE];
        packet[..6].copy_from_slice(&HEAD);
        packet[7] = if self.is_request { 1 } else { 2 };
        packet[8..14].copy_from_slice(&self.sender);
        packet[14..18].copy_from_slice(&self.from.octets());
        packet[18..24].copy_from_slice(&self.target);
        packet[24..].copy_from_slice(&self.to.octets());
        packet
    }

    pub fn parse(packet: &[u8]) -> Option<Self> {
        let packet: &[u8; SIZE] = packet.get(..SIZE)?.try_into().ok()?;
        if packet[..6] != HEAD || packet[6] != 0 || !matches!(packet[7], 1 | 2) {
            return None;
        }
        let hardware = |at: usize| core::array::from_fn(|index| packet[at + index]);
        let address = |at: usize| Ipv4Addr::from([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
        let (sender, target) = (hardware(8), hardware(18));
        Some(Self { is_request: packet[7] == 1, sender, from: address(14), target, to: address(24) })
    }
}

/// An interface that speaks ARP, with a socket for it.
pub struct Station {
    pub link: Link,
    pub hardware: [u8; 6],
    socket: OwnedFd,
}

impl Station {
    /// The interface of that name, which is up. The error says what it lacks.
    pub fn open(name: &[u8]) -> Result<Self> {
        let unfit = |what: &[u8]| Error::parts(&[b"interface ", name, what]);
        let missing = |_| unfit(b" not found: No such device");
        let link = Netlink::open()?.link(name).map_err(missing)?;
        if link.flags & UP == 0 {
            return Err(unfit(b" is down"));
        }
        let hardware = <[u8; 6]>::try_from(link.address.as_slice()).ok().filter(|_| link.flags & NO_ARP == 0);
        let hardware = hardware.ok_or_else(|| unfit(b" is not ARPable"))?;
        let socket = packet::open(link.index, ARP).map_err(|errno| Error::on("ARP socket", errno))?;
        Ok(Self { link, hardware, socket })
    }

    /// To wait for packets.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends a packet to a hardware address.
    pub fn send(&self, arp: &Arp, to: [u8; 6]) -> core::result::Result<(), Errno> {
        packet::send(self.socket.as_fd(), self.link.index, ARP, &to, &arp.bytes()).map(drop)
    }

    /// Receives a packet, and whether it was for all. `None` for what this host sent, or what is no ARP.
    pub fn receive(&self) -> core::result::Result<Option<(Arp, bool)>, Errno> {
        let mut buffer = [0; 64];
        let received = packet::receive_link(self.socket.as_fd(), &mut buffer)?;
        let arp = Arp::parse(&buffer[..received.count.min(buffer.len())]);
        Ok(arp.filter(|_| received.kind != LinkKind::Other).map(|arp| (arp, received.kind == LinkKind::Broadcast)))
    }
}

/// The hardware address that `word` is, or that /etc/ethers has for it (ethers(5)).
pub fn address_of(word: &[u8]) -> Result<[u8; 6]> {
    if let Ok(address) = parse_hardware(word) {
        return Ok(address);
    }
    let unknown = || Error::parts(&[b"bad address '", word, b"'"]);
    let mut file = Input::open(b"/etc/ethers").map_err(|_| unknown())?;
    while let Some(line) = file.line()? {
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut words = rbox_core::bytes::words(line);
        if let (Some(address), Some(name)) = (words.next(), words.next())
            && name == word
        {
            return parse_hardware(address);
        }
    }
    Err(unknown())
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if let Some(arp) = Arp::parse(data) {
        assert_eq!(arp.bytes(), data[..SIZE]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_written_as_they_are_read() {
        let (from, to) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let arp = Arp { is_request: false, sender: [2; 6], from, target: [3; 6], to };
        assert_eq!(&arp.bytes()[..16], b"\0\x01\x08\0\x06\x04\0\x02\x02\x02\x02\x02\x02\x02\x0a\0");
        assert_eq!(Arp::parse(&arp.bytes()), Some(arp));
    }

    #[test]
    fn other_packets_are_none() {
        let (from, to) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let bytes = Arp { is_request: true, sender: [2; 6], from, target: [3; 6], to }.bytes();
        assert_eq!(Arp::parse(&bytes[..27]), None);
        for at in [1, 3, 4, 5, 6, 7] {
            let mut other = bytes;
            other[at] ^= 0x40;
            assert_eq!(Arp::parse(&other), None, "{at}");
        }
    }
}
