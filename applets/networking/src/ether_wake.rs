//! `ether-wake`: wake a machine by a magic packet on Ethernet (AMD's Magic Packet Technology).

use rbox_core::net::addr::parse_pairs;
use rbox_core::net::netlink::Netlink;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, packet};

use crate::ethernet::{BROADCAST, address_of};

options! {
    "[-b] [-i INTERFACE] [-p PASSWORD] MAC

Send a magic packet to MAC: an address of six pairs of digits, or a name in
/etc/ethers.

  -b            Send it to all hosts
  -i INTERFACE  Interface to use (eth0)
  -p PASSWORD   Append a password of four or six bytes: 00:22:44:66:88:aa or 192.168.1.1";
    ALL = "-b",
    INTERFACE = "-i",
    PASSWORD = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The Ethernet protocol of the packet.
const WAKE: u16 = 0x0842;

fn run(_: &mut Env, args: &Args<'_>) -> Outcome {
    let target = address_of(args.operands_between(1, 1)?[0])?;
    let password = args.value(PASSWORD).map(parse_password).transpose()?.unwrap_or_default();
    let interface = args.value(INTERFACE).unwrap_or(b"eth0");
    let link = Netlink::open()?.link(interface)?;
    let failed = |errno| Error::on(interface, errno);
    let socket = packet::open(link.index, WAKE).map_err(failed)?;
    let to = if args.has(ALL) { BROADCAST } else { target };
    let content = magic(target, &password);
    packet::send(socket.as_fd(), link.index, WAKE, &to, &content).map_err(failed)?;
    Ok(ExitStatus::SUCCESS)
}

/// Six bytes of ones, sixteen times the address, a password.
fn magic(target: [u8; 6], password: &[u8]) -> Vec<u8> {
    [&BROADCAST[..], &target.repeat(16), password].concat()
}

fn parse_password(word: &[u8]) -> Result<Vec<u8>> {
    let dotted = || -> Option<Vec<u8>> {
        let parts = word.split(|&byte| byte == b'.');
        let bytes: Option<Vec<u8>> = parts.map(|part| u8::try_from(parse_decimal(part)?).ok()).collect();
        bytes.filter(|bytes| bytes.len() == 4)
    };
    let pairs = parse_pairs::<6>(word).map(|pairs| pairs.to_vec()).or_else(|_| parse_pairs::<4>(word).map(Vec::from));
    pairs.ok().or_else(dotted).ok_or_else(|| Error::parts(&[b"invalid password '", word, b"'"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packet_has_the_address_sixteen_times() {
        let packet = magic([1, 2, 3, 4, 5, 6], b"pass");
        assert_eq!(
            (packet.len(), &packet[..8], &packet[96..]),
            (106, &b"\xff\xff\xff\xff\xff\xff\x01\x02"[..], &b"\x01\x02\x03\x04\x05\x06pass"[..])
        );
    }

    #[test]
    fn passwords_have_four_or_six_bytes() {
        assert_eq!(parse_password(b"192.168.1.1").ok(), Some(vec![192, 168, 1, 1]));
        assert_eq!(parse_password(b"0:22:44:66:88:aa").ok(), Some(vec![0, 0x22, 0x44, 0x66, 0x88, 0xaa]));
        assert_eq!(parse_password(b"1:2:3:4").ok(), Some(vec![1, 2, 3, 4]));
        for word in [&b"1.2.3"[..], b"1:2:3:4:5", b"1.2.3.256", b""] {
            assert!(parse_password(word).is_err());
        }
    }
}
