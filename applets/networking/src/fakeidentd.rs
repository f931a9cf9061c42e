//! `fakeidentd`: tell everybody who asks the same user (RFC 1413).

use core::net::SocketAddr;

use rbox_core::bytes::{find_byte, split_once};
use rbox_core::daemon::{detach, uptime_milliseconds};
use rbox_core::io::{read, write_all};
use rbox_core::net::{dns, sockets};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::net::SocketType;
use rbox_core::sys::signal_queue::SIGCHLD;
use rbox_core::sys::{AsFd, BorrowedFd, OwnedFd, fd, process};
use rbox_core::text;
use rbox_core::tty::wait_readable;
use rbox_core::users::{User, become_ids};

use crate::service::{Children, accept};

options! {
    "[-fiw] [-b ADDR] [STRING]

Answer requests of the ident protocol with STRING (default: nobody).

  -f       Run in foreground
  -i       Serve the connection on standard input (inetd, nowait)
  -w       Serve the socket on standard input (inetd, wait)
  -b ADDR  Listen on ADDR";
    FOREGROUND = "-f",
    INETD = "-i",
    WAIT = "-w",
    ADDRESS = "-b",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const PORT: u16 = 113;
/// RFC 1413 4: a request has at most 1000 characters.
const LONGEST: usize = 1000;
/// Milliseconds of a connection. RFC 1413 3: at least 60 seconds.
const PATIENCE: u64 = 60_000;
/// The most connections at once.
const MOST: usize = 100;
/// nobody, where the system has no such name.
const NOBODY: u32 = 65_534;

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let user = args.operands_between(0, 1)?.first().copied().unwrap_or(b"nobody");
    if user.iter().any(|byte| byte.is_ascii_control()) {
        return Err(Error::new("a name has a control character"));
    }
    if args.has(INETD) {
        answer(fd::borrow(0), fd::borrow(1), user);
        return Ok(ExitStatus::SUCCESS);
    }
    let listener =
        if args.has(WAIT) { fd::fcntl_dupfd_cloexec(fd::borrow(0), 3).map_err(Error::from)? } else { listen(args)? };
    if !args.has(FOREGROUND) && !args.has(WAIT) {
        detach()?;
    }
    if process::geteuid().is_root() {
        let nobody = User::by_name(b"nobody");
        let (uid, gid) = nobody.map_or((NOBODY, NOBODY), |nobody| (nobody.uid, nobody.gid));
        become_ids(Some(uid), Some(gid), Some(&[]))?;
    }
    let mut children = Children::new(&[SIGCHLD])?;
    loop {
        while children.ended().is_some() {}
        let (sockets, is_full) = ([&listener], children.count() >= MOST);
        if children.wait(&sockets[usize::from(is_full)..], None)? != [true] {
            continue;
        }
        let Some((connection, peer)) = accept(&listener)? else { continue };
        // Where no process can be had, the peer gets no answer.
        if let Ok(None) = children.fork(peer.ip()) {
            answer(connection.as_fd(), connection.as_fd(), user);
            process::exit_now(0);
        }
    }
}

fn listen(args: &Args<'_>) -> Result<OwnedFd> {
    let (host, port) = args.value(ADDRESS).map_or((None, None), sockets::host_and_port);
    let port = port.map_or(Ok(PORT), |word| sockets::port(word, b"tcp"))?;
    match host {
        Some(host) => {
            let at = SocketAddr::new(dns::resolve(host, None)?, port);
            sockets::serve(&at, SocketType::STREAM).map_err(|errno| Error::on(sockets::text(at), errno))
        }
        None => sockets::listen_everywhere(port, 128).map_err(|errno| Error::on("port 113", errno)),
    }
}

/// Answers the lines of a client for a minute.
fn answer(input: BorrowedFd<'_>, output: BorrowedFd<'_>, user: &[u8]) {
    let (mut buffer, deadline) = (Vec::new(), uptime_milliseconds() + PATIENCE);
    loop {
        while let Some(end) = find_byte(b'\n', &buffer) {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            if write_all(output, &reply(&line[..end], user)).is_err() {
                return;
            }
        }
        let left = deadline.saturating_sub(uptime_milliseconds());
        if buffer.len() > LONGEST || left == 0 || !wait_readable(input, Some(left)) {
            return;
        }
        let mut chunk = [0; 512];
        match read(input, &mut chunk) {
            Ok(count) if count > 0 => buffer.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

/// RFC 1413 6: the ports of the request, then a user or an error.
fn reply(line: &[u8], user: &[u8]) -> Vec<u8> {
    let port = |word: &[u8]| parse_decimal(word.trim_ascii()).filter(|port| *port <= 99_999);
    let ports = split_once(line, b',').and_then(|(server, client)| Some((port(server)?, port(client)?)));
    let Some((server, client)) = ports else { return b"0 , 0 : ERROR : UNKNOWN-ERROR\r\n".to_vec() };
    let pair = text!(server, " , ", client);
    if (1..=65_535).contains(&server) && (1..=65_535).contains(&client) {
        text!(pair, " : USERID : UNIX : ", user, "\r\n")
    } else {
        text!(pair, " : ERROR : INVALID-PORT\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::reply;

    #[test]
    fn requests_are_pairs_of_ports() {
        assert_eq!(reply(b"6191, 23\r", b"me"), b"6191 , 23 : USERID : UNIX : me\r\n");
        assert_eq!(reply(b" 1 ,65535 ", b"me"), b"1 , 65535 : USERID : UNIX : me\r\n");
        for (line, expected) in [
            ("0, 23", "0 , 23 : ERROR : INVALID-PORT\r\n"),
            ("1, 65536", "1 , 65536 : ERROR : INVALID-PORT\r\n"),
            ("1", "0 , 0 : ERROR : UNKNOWN-ERROR\r\n"),
            ("a, b", "0 , 0 : ERROR : UNKNOWN-ERROR\r\n"),
            ("", "0 , 0 : ERROR : UNKNOWN-ERROR\r\n"),
        ] {
            assert_eq!(reply(line.as_bytes(), b"me"), expected.as_bytes(), "{line}");
        }
    }
}
