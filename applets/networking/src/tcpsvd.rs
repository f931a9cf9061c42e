//! `tcpsvd` and `udpsvd`: run a program for each peer of a port (ipsvd).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rbox_core::call;
use rbox_core::io::write_all;
use rbox_core::net::{addr, dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::net::{RecvFlags, SocketType, connect, recvfrom, sockopt};
use rbox_core::sys::signal_queue::SIGCHLD;
use rbox_core::sys::{AsFd, OwnedFd, fd, process};
use rbox_core::text;

use crate::service::{Children, Owner, accept, both_ends, ending};

options! {
    "[-hEv] [-c N] [-C N[:MSG]] [-b N] [-u USER] [-l NAME] IP PORT PROG [ARG]...

Listen on PORT of IP (0: every address) and run PROG for each connection, with it as
standard input and output. udpsvd: run PROG for each sender of a datagram, with a socket
that is connected to it; without -C and -b.

  -c N        Serve N peers at once (default 30)
  -C N[:MSG]  Close further connections from an address that has N, after MSG
  -b N        Let N connections wait to be accepted (default 20)
  -u USER[:GROUP]  Become USER, after the port is bound
  -l NAME     Local host name for the environment, instead of that in DNS
  -h          Look up the host name of the peer
  -E          Do not set PROTO, TCPREMOTEADDR and their kin (UDPREMOTEADDR ...)
  -v          Report each connection";
    MOST = "-c",
    EACH = "-C",
    BACKLOG = "-b",
    USER = "-u",
    NAME = "-l",
    LOOK_UP = "-h",
    PLAIN = "-E",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().options_first().failure(111);

/// The most children of one server.
const MOST_CHILDREN: u64 = 100_000;

struct Server<'a> {
    args: &'a Args<'a>,
    program: &'a [&'a [u8]],
    is_stream: bool,
    most: usize,
    /// How many connections an address may have, and what is sent to one more.
    each: Option<(usize, &'a [u8])>,
    children: Children,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(3, usize::MAX)?;
    let is_stream = env.name != b"udpsvd";
    if !is_stream && (args.has(EACH) || args.has(BACKLOG)) {
        return Err(Error::misused("-b and -C are for tcpsvd"));
    }
    let number =
        |option, default| args.value(option).map_or(Ok(default), |word| parse_in_range(word, 1, MOST_CHILDREN));
    let each = match args.value(EACH) {
        Some(word) => {
            let (count, message) = rbox_core::bytes::split_once(word, b':').unwrap_or((word, b""));
            Some((parse_in_range(count, 1, MOST_CHILDREN)? as usize, message))
        }
        None => None,
    };
    let owner = args.value(USER).map(Owner::parse).transpose()?;
    let (kind, protocol) = if is_stream { (SocketType::STREAM, b"tcp") } else { (SocketType::DGRAM, b"udp") };
    let port = sockets::port(operands[1], protocol)?;
    let address = match operands[0] {
        b"0" => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        b"::" => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        host => dns::resolve(host, None)?,
    };
    let at = SocketAddr::new(address, port);
    let backlog = number(BACKLOG, 20)? as i32;
    let listen = || sockets::listen(&at, kind, backlog).map_err(|errno| Error::on(sockets::text(at), errno));
    let mut socket = listen()?;
    if let Some(owner) = owner {
        owner.become_it()?;
    }
    let most = number(MOST, 30)? as usize;
    let children = Children::new(&[SIGCHLD])?;
    let mut server = Server { args, program: &operands[2..], is_stream, most, each, children };
    let bound = sockets::local(socket.as_fd()).unwrap_or(at);
    server.log(env, &text!("listening on ", sockets::text(bound), ", starting"));
    loop {
        while let Some((pid, change)) = server.children.ended() {
            server.log(env, &text!("end ", pid as u32, " ", ending(change)));
            server.log_status(env);
        }
        let (sockets, is_full) = ([&socket], server.children.count() >= server.most);
        let ready = server.children.wait(&sockets[usize::from(is_full)..], None)?;
        if ready != [true] {
            continue;
        }
        if is_stream {
            if let Some((connection, peer)) = accept(&socket)? {
                server.take(env, &connection, peer)?;
            }
        } else if let Ok((_, _, Some(sender))) = recvfrom(&socket, &mut [0; 1][..], RecvFlags::PEEK | RecvFlags::TRUNC)
            && let Some(peer) = sockets::address_of(sender.clone())
            && connect(&socket, &sender).is_ok()
        {
            // The socket with the datagram is the child's; whoever sends from elsewhere comes to the next one.
            let next = listen()?;
            let connected = core::mem::replace(&mut socket, next);
            server.take(env, &connected, peer)?;
        }
    }
}

impl Server<'_> {
    fn log(&self, env: &mut Env, line: &[u8]) {
        if self.args.has(VERBOSE) {
            env.report(&Error::new(line));
        }
    }

    fn log_status(&self, env: &mut Env) {
        self.log(env, &text!("status ", self.children.count(), "/", self.most));
    }

    /// Serves a peer in a child.
    fn take(&mut self, env: &mut Env, connection: &OwnedFd, peer: SocketAddr) -> Result<()> {
        let concurrency = self.children.count_of(peer.ip()) + 1;
        if let Some((most, message)) = self.each
            && concurrency > most
        {
            self.log(env, &text!("deny ", sockets::text(peer)));
            // Whoever does not read must not hold up others.
            let _ = fd::ioctl_fionbio(connection, true).and_then(|()| write_all(connection.as_fd(), message));
            return Ok(());
        }
        let local = sockets::local(connection.as_fd()).unwrap_or(peer);
        match self.children.fork(peer.ip()) {
            Ok(Some(pid)) => {
                self.log_status(env);
                self.log(env, &text!("start ", pid as u32, " ", both_ends(local, peer)));
            }
            Ok(None) => process::exit_now(self.become_program(env, connection, local, peer, concurrency).0),
            // The next connection may find room again.
            Err(error) => env.report(&error),
        }
        Ok(())
    }

    fn become_program(
        &self,
        env: &mut Env,
        connection: &OwnedFd,
        local: SocketAddr,
        peer: SocketAddr,
        concurrency: usize,
    ) -> ExitStatus {
        if !self.args.has(PLAIN) {
            self.set_variables(env, connection, local, peer, concurrency);
        }
        for number in 0..2 {
            if let Err(errno) = fd::redirect(connection.as_fd(), number) {
                return env.warn(Error::from(errno));
            }
        }
        // An execve closes what the server has open; only an applet that PATH does not lead to runs in this very process.
        call::exec_by_path(env, self.program);
        call::replace(env, self.program)
    }

    fn set_variables(
        &self,
        env: &mut Env,
        connection: &OwnedFd,
        local: SocketAddr,
        peer: SocketAddr,
        concurrency: usize,
    ) {
        let protocol: &[u8] = if self.is_stream { b"TCP" } else { b"UDP" };
        env.vars.set("PROTO", Some(protocol));
        let mut set = |name: &str, value: Option<&[u8]>| env.vars.set([protocol, name.as_bytes()].concat(), value);
        set("LOCALADDR", Some(&sockets::text(local)));
        set("REMOTEADDR", Some(&sockets::text(peer)));
        let is_looked_up = self.args.has(LOOK_UP);
        let mut names = dns::ReverseNames::default();
        let mut name = |address: IpAddr| {
            is_looked_up.then(|| names.of(address).map_or_else(|| addr::text(address), <[u8]>::to_vec))
        };
        set("LOCALHOST", self.args.value(NAME).map(<[u8]>::to_vec).or_else(|| name(local.ip())).as_deref());
        set("REMOTEHOST", name(peer.ip()).as_deref());
        // What the peer asked for, where a rule of netfilter sent it here.
        let original = sockopt::ip_original_dst(connection).map(SocketAddr::V4);
        let original = original.or_else(|_| sockopt::ipv6_original_dst(connection).map(SocketAddr::V6)).ok();
        set("ORIGDSTADDR", original.filter(|_| self.is_stream).map(sockets::text).as_deref());
        set("CONCURRENCY", self.each.map(|_| text!(concurrency)).as_deref());
    }
}
