//! Unix sockets, by /proc/net/unix and sock_diag(7).
//!
//! The name of a socket is any bytes, and /proc prints them as they are: one with a newline can pretend to be lines of other
//! sockets. So the kernel is asked for names by sock_diag too, where it has that, and what /proc says of others is dropped.

use rbox_core::bytes::words;
use rbox_core::io::Input;
use rbox_core::net::netlink::{Netlink, attributes, word};
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean};
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

use super::{PROGRAM, Show};

struct Socket {
    references: u64,
    /// SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3, SOCK_RDM 4, SOCK_SEQPACKET 5.
    kind: u8,
    listens: bool,
    connected: bool,
    inode: u64,
    name: Vec<u8>,
}

pub fn print(env: &mut Env, show: &Show<'_>) -> Result<()> {
    let mut title = text!("Active UNIX domain sockets ", show.title());
    push!(title, "Proto RefCnt Flags       Type       State         I-Node ");
    if show.owners.is_some() {
        push!(title, Left("PID/Program name", PROGRAM), " ");
    }
    push!(title, "Path\n");
    env.stdout.write(&title)?;
    let mut file = Input::open(b"/proc/net/unix")?;
    // A kernel without the module for this knows no better than /proc.
    let named = Netlink::open_diagnosis().ok().and_then(|netlink| diagnose(&netlink).ok());
    while let Some(line) = file.line()? {
        let Some(mut socket) = Socket::parse(line) else { continue };
        if let Some(named) = &named {
            let Ok(at) = named.binary_search_by_key(&socket.inode, |other| other.inode) else { continue };
            let other = &named[at];
            (socket.kind, socket.listens, socket.connected) = (other.kind, other.listens, other.connected);
            socket.name.clone_from(&other.name);
        }
        if show.wants(socket.listens) {
            env.stdout.write(&socket.line(show))?;
        }
    }
    Ok(())
}

/// SOCK_DIAG_BY_FAMILY with struct unix_diag_req: all states, names (linux/unix_diag.h). By inode.
fn diagnose(netlink: &Netlink) -> Result<Vec<Socket>> {
    let request = [&[1, 0, 0, 0][..], &[0xff; 4], &[0; 4], &1u32.to_ne_bytes(), &[0xff; 8]].concat();
    let mut sockets: Vec<Socket> =
        netlink.dump(20, &request, 20)?.iter().filter_map(|body| Socket::of_message(body)).collect();
    sockets.sort_unstable_by_key(|socket| socket.inode);
    Ok(sockets)
}

impl Socket {
    /// struct unix_diag_msg: family, type, state, padding, inode, cookie; then attributes, of which the first is the name.
    fn of_message(body: &[u8]) -> Option<Self> {
        let fixed = body.get(..16)?;
        let mut name = Vec::new();
        if let Some((_, value)) = attributes(&body[16..]).find(|(kind, _)| *kind == 0) {
            name = value.to_vec();
            // A name without a file begins with NUL (unix(7)), which /proc shows as @; that of a file ends with one.
            match name.first() {
                Some(0) => name.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'@'),
                _ => drop(name.pop_if(|byte| *byte == 0)),
            }
        }
        let (listens, connected) = (fixed[2] == 10, fixed[2] == 1);
        Some(Self { references: 0, kind: fixed[1], listens, connected, inode: word(&fixed[4..]).into(), name })
    }

    /// A line of /proc/net/unix: address, references, protocol, flags, type, state, inode, name (proc(5)).
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = words(line);
        words.next()?.strip_suffix(b":")?;
        let mut hex = || parse_radix(words.next()?, 16);
        let (references, _, flags, kind, state) = (hex()?, hex()?, hex()?, hex()?, hex()?);
        let inode = words.next()?;
        // The name is the rest of the line, blanks included.
        let end = inode.as_ptr_range().end as usize - line.as_ptr() as usize;
        let name = line.get(end + 1..).unwrap_or_default().to_vec();
        // __SO_ACCEPTCON; SS_CONNECTED.
        let (listens, connected) = (flags & 0x10000 != 0, state == 3);
        Some(Self { references, kind: kind as u8, listens, connected, inode: parse_decimal(inode)?, name })
    }

    fn line(&self, show: &Show<'_>) -> Vec<u8> {
        let kind = match self.kind {
            1 => "STREAM",
            2 => "DGRAM",
            3 => "RAW",
            4 => "RDM",
            5 => "SEQPACKET",
            _ => "UNKNOWN",
        };
        let state = match (self.listens, self.connected) {
            (true, _) => "LISTENING",
            (false, true) => "CONNECTED",
            (false, false) => "",
        };
        let flags = if self.listens { "[ ACC ]" } else { "[ ]" };
        let mut line = text!("unix  ", Left(self.references, 6), " ", Left(flags, 11), " ", Left(kind, 10), " ");
        push!(line, Left(state, 13), " ", Right(self.inode, 6, b' '), " ", show.program(self.inode));
        push!(line, clean(&self.name, b"", Shown::Caret), "\n");
        line
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    // Only a panic counts.
    let _ = (Socket::parse(data), Socket::of_message(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_are_sockets() {
        let socket = Socket::parse(b"0000: 00000002 00000000 00010000 0001 01 4711 /a b").expect("a socket");
        assert_eq!((socket.references, socket.listens, socket.inode), (2, true, 4711));
        assert_eq!(socket.name, b"/a b");
        assert!(Socket::parse(b"0000: 00000003 00000000 00000000 0001 03 4711").is_some_and(|socket| socket.connected));
        for line in [&b"Num       RefCount Protocol Flags    Type St Inode Path"[..], b"", b"x: 1 1 1 1"] {
            assert!(Socket::parse(line).is_none());
        }
    }

    #[test]
    fn names_of_the_kernel_are_bytes() {
        let message = |name: &[u8]| {
            let length = [name.len() as u8 + 4, 0, 0, 0];
            Socket::of_message(&[&[1, 1, 10, 0, 9, 0, 0, 0][..], &[0; 8], &length, name].concat())
        };
        let abstract_name = message(b"\0a\0b").map(|socket| socket.name);
        assert_eq!(abstract_name.as_deref(), if cfg!(target_endian = "little") { Some(&b"@a@b"[..]) } else { None });
        assert!(Socket::of_message(b"\x01\x01").is_none());
    }
}
