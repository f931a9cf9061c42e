//! The services that inetd has itself.

use rbox_core::io::{self, write_all};
use rbox_core::prelude::*;
use rbox_core::sys::net::{RecvFlags, SendFlags, recvfrom, sendto};
use rbox_core::sys::{AsFd, BorrowedFd, OwnedFd, fd};
use rbox_core::time::{Moment, Zone, format};

use super::config::Internal;

/// Whether a child serves it: a peer may take its time.
pub fn is_slow(internal: Internal) -> bool {
    !matches!(internal, Internal::Time | Internal::Daytime)
}

/// Serves a connection to its end.
pub fn serve_stream(env: &Env, internal: Internal, connection: &OwnedFd) {
    // A peer that is gone has been served.
    let _ = match internal {
        Internal::Echo => copy(connection.as_fd(), true),
        Internal::Discard => copy(connection.as_fd(), false),
        Internal::Chargen => (0..).try_for_each(|line| write_all(connection.as_fd(), &pattern(line))),
        Internal::Time | Internal::Daytime => {
            fd::ioctl_fionbio(connection, true).and_then(|()| write_all(connection.as_fd(), &now(env, internal)))
        }
    };
}

fn copy(connection: BorrowedFd<'_>, back: bool) -> core::result::Result<(), rbox_core::sys::Errno> {
    let mut buffer = [0; 4096];
    loop {
        match io::read(connection, &mut buffer)? {
            0 => return Ok(()),
            count if back => write_all(connection, &buffer[..count])?,
            _ => {}
        }
    }
}

/// Answers a datagram.
pub fn serve_datagram(env: &Env, internal: Internal, socket: &OwnedFd) {
    let mut buffer = [0; 4096];
    let Ok((count, _, Some(sender))) = recvfrom(socket, &mut buffer[..], RecvFlags::DONTWAIT) else { return };
    // A datagram in the name of another server would make the two answer each other for ever.
    if rbox_core::net::sockets::address_of(sender.clone()).is_none_or(|sender| sender.port() < 1024) {
        return;
    }
    let answer = match internal {
        Internal::Echo => buffer[..count].to_vec(),
        Internal::Discard => return,
        Internal::Chargen => pattern(u64::from(Moment::now().nanos) / 1000),
        Internal::Time | Internal::Daytime => now(env, internal),
    };
    // UDP promises nothing.
    let _ = sendto(socket, &answer, SendFlags::DONTWAIT, &sender);
}

fn now(env: &Env, internal: Internal) -> Vec<u8> {
    let now = Moment::now();
    match internal {
        // RFC 868: seconds since 1900, in 32 bits.
        Internal::Time => (now.seconds.wrapping_add(2_208_988_800) as u32).to_be_bytes().to_vec(),
        _ => format(b"%a %b %e %H:%M:%S %Y\r\n", now, &Zone::load(env.vars.get("TZ"))),
    }
}

/// RFC 864: 72 of the 95 printable characters, one further on in each line.
fn pattern(line: u64) -> Vec<u8> {
    let mut text: Vec<u8> = (0..72).map(|at| b' ' + ((line + at) % 95) as u8).collect();
    text.extend_from_slice(b"\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_moves_on() {
        assert_eq!((pattern(0)[0], pattern(1)[0], pattern(94)[1], pattern(0).len()), (b' ', b'!', b' ', 74));
    }
}
