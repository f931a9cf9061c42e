//! The server: replies to clients (RFC 5905 9.2). It keeps nothing of them, and a reply is never longer than the request.

use core::net::IpAddr;

use rbox_core::prelude::*;
use rbox_core::sys::datagram::{self, Detail};
use rbox_core::sys::net::SocketType;
use rbox_core::sys::{AsFd, Errno, OwnedFd, packet as link};

use super::packet::{CLIENT, Key, LONGEST, Packet, SERVER, SIZE, Stamp};
use super::peer::{DONT_WAIT, PRECISION};

/// Requests that are answered in a row before the other work.
const IN_A_ROW: usize = 64;
/// Symmetric modes: who is active gets a passive reply.
const ACTIVE: u8 = 1;
const PASSIVE: u8 = 2;

/// A socket on the port, for both versions of IP where the kernel has both.
pub fn open(interface: Option<&[u8]>, port: u16) -> Result<OwnedFd> {
    let failed = |errno| Error::on("bind", errno);
    let six = IpAddr::from([0u16; 8]);
    let (socket, is_six) = match rbox_core::net::sockets::serve(&(six, port).into(), SocketType::DGRAM) {
        Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
            let four = IpAddr::from([0; 4]);
            (rbox_core::net::sockets::serve(&(four, port).into(), SocketType::DGRAM).map_err(failed)?, false)
        }
        socket => (socket.map_err(failed)?, true),
    };
    if let Some(name) = interface {
        link::bind_to_interface(socket.as_fd(), name).map_err(|errno| Error::on(name, errno))?;
    }
    for detail in [Detail::Destination, Detail::Time] {
        datagram::ask_for(socket.as_fd(), is_six, detail).map_err(|errno| Error::on("setsockopt", errno))?;
    }
    Ok(socket)
}

/// Answers what waits on the socket; `system` is what a reply says of the own clock. The number of replies.
pub fn serve(socket: &OwnedFd, system: &Packet, keys: &[Key]) -> usize {
    let mut buffer = [0; LONGEST + 1];
    let mut count = 0;
    for _ in 0..IN_A_ROW {
        let request = match datagram::receive(socket.as_fd(), &mut buffer, DONT_WAIT) {
            Ok(request) => request,
            Err(Errno::AGAIN) => break,
            // What the network did to an earlier reply.
            Err(_) => continue,
        };
        let arrived = request.time.map_or_else(Stamp::now, Stamp::of);
        if let Some(reply) = answer(&buffer[..request.count], arrived, system, keys) {
            // A reply that cannot be sent is lost, as any datagram may be.
            count += usize::from(datagram::reply(socket.as_fd(), &reply, &request).is_ok());
        }
    }
    count
}

fn answer(bytes: &[u8], arrived: Stamp, system: &Packet, keys: &[Key]) -> Option<Vec<u8>> {
    let request = Packet::parse(bytes).filter(|_| bytes.len() <= LONGEST)?;
    let mode = match request.mode {
        CLIENT => SERVER,
        ACTIVE => PASSIVE,
        _ => return None,
    };
    if !(1..=4).contains(&request.version) {
        return None;
    }
    // A request with a key gets a reply with it; one whose digest is wrong gets none.
    let key = match bytes.get(SIZE..SIZE + 4) {
        Some(number) => Some(keys.iter().find(|key| key.number.to_be_bytes() == number && key.fits(bytes))?),
        None => None,
    };
    let reply = Packet {
        version: request.version,
        mode,
        poll: request.poll,
        precision: PRECISION,
        origin: request.transmitted,
        received: arrived,
        transmitted: Stamp::now(),
        ..*system
    };
    let mut bytes = reply.bytes();
    if let Some(key) = key {
        key.seal(&mut bytes);
    }
    Some(bytes)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let reply = answer(data, Stamp(0), &Packet::default(), &[]);
    assert!(reply.is_none_or(|reply| reply.len() <= data.len()));
}

#[cfg(test)]
mod tests {
    use rbox_core::hash::Algorithm;

    use super::*;

    fn request(mode: u8) -> Packet {
        Packet { version: 3, mode, poll: 6, transmitted: Stamp(99), ..Packet::default() }
    }

    #[test]
    fn clients_get_their_time_back() {
        let system = Packet { stratum: 2, leap: 1, reference: Stamp(5), ..Packet::default() };
        let bytes = answer(&request(CLIENT).bytes(), Stamp(7), &system, &[]).expect("a reply");
        let reply = Packet::parse(&bytes).expect("a packet");
        assert_eq!((reply.mode, reply.version, reply.stratum, reply.leap), (SERVER, 3, 2, 1));
        assert_eq!((reply.origin, reply.received, reply.reference, reply.poll), (Stamp(99), Stamp(7), Stamp(5), 6));
    }

    #[test]
    fn others_get_nothing() {
        let answer = |packet: Packet| answer(&packet.bytes(), Stamp(7), &Packet::default(), &[]);
        assert!([0, 2, 4, 5, 6, 7].into_iter().all(|mode| answer(request(mode)).is_none()));
        assert!(answer(Packet { version: 0, ..request(CLIENT) }).is_none());
        assert_eq!(answer(request(ACTIVE)).map(|reply| reply[0] & 7), Some(PASSIVE));
    }

    #[test]
    fn keys_are_checked() {
        let key = Key { number: 3, algorithm: Algorithm::Md5, secret: b"secret".to_vec() };
        let mut bytes = request(CLIENT).bytes();
        key.seal(&mut bytes);
        let ask = |bytes: &[u8], keys: &[Key]| answer(bytes, Stamp(7), &Packet::default(), keys);
        assert!(ask(&bytes, core::slice::from_ref(&key)).is_some_and(|reply| key.fits(&reply)));
        assert!(ask(&bytes, &[]).is_none());
        bytes[60] ^= 1;
        assert!(ask(&bytes, &[key]).is_none());
    }
}
