//! `nc`: connect standard input and output with a TCP, UDP or Unix socket (tcp(7), udp(7), unix(7)).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rbox_core::call;
use rbox_core::daemon::pause;
use rbox_core::io::{self, Output};
use rbox_core::net::{addr, dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::net::{
    AddressFamily, RecvFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen,
    recvfrom, shutdown, socket_with, sockopt,
};
use rbox_core::sys::process;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::time;
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs};
use rbox_core::text;

options! {
    "[-46bklnNuUvz] [-e PROG ARGS] [-f FILE] [-i SEC] [-o FILE] [-p PORT] [-q SEC] [-s ADDR] [-w SEC] [HOST] [PORT]...

Connect to PORT of HOST, or wait for a connection there, and copy standard input to it and what
comes from it to standard output. PORT is a number, a name or a range.

  -4         Use IPv4
  -6         Use IPv6
  -b         Allow broadcasts
  -e PROG    Run PROG with its ARGS, to the end of the line, on the connection
  -f FILE    Use FILE, such as /dev/ttyS0, instead of the network
  -i SEC     Wait SEC seconds after each line, and between ports
  -k         Wait for further connections afterwards
  -l         Wait for a connection; -ll as -lk
  -n         Do not resolve names
  -N         Shut the connection down at the end of standard input (default)
  -o FILE    Write what is received and sent to FILE in hexadecimal
  -p PORT    Local port
  -q SEC     End SEC seconds after the end of standard input
  -s ADDR    Local address
  -u         Use UDP
  -U         Use a Unix socket, whose path is HOST
  -v         Report connections
  -w SEC     Give up connecting, and waiting for data, after SEC seconds
  -z         Only find out which ports are open";
    FOUR = "-4",
    SIX = "-6",
    BROADCAST = "-b",
    PROGRAM = "-e",
    FILE = "-f",
    INTERVAL = "-i",
    KEEP = "-k",
    LISTEN = "-l",
    NUMERIC = "-n",
    SHUTDOWN = "-N",
    HEX = "-o",
    PORT = "-p",
    QUIT = "-q",
    SOURCE = "-s",
    UDP = "-u",
    UNIX = "-U",
    VERBOSE = "-v",
    TIMEOUT = "-w",
    SCAN = "-z",
}

/// The applet. All after the program of `-e` are its words, so they are taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).program().raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.words();
    // `-e` may be the last of several options in one word.
    let is_program = |word: &&[u8]| word.len() > 1 && word[0] == b'-' && word[1] != b'-' && word.ends_with(b"e");
    let end = words.iter().skip(1).position(is_program).map_or(words.len(), |at| at + 3).min(words.len());
    let (own, program) = words.split_at(end);
    let args = Args::parse(USAGE, Grammar::Permuted, own)?;
    let seconds = |option| args.value(option).map(|word| parse_in_range(word, 0, 1 << 31)).transpose();
    let program = args.value(PROGRAM).map(|first| [&[first], program].concat());
    let link = Link {
        interval: seconds(INTERVAL)?.map(|seconds| seconds * 1000),
        quit: seconds(QUIT)?.map(|seconds| seconds * 1000),
        timeout: seconds(TIMEOUT)?.filter(|seconds| *seconds > 0).map(|seconds| seconds * 1000),
        is_datagram: args.has(UDP),
        program,
    };
    let mut record = match args.value(HEX) {
        Some(path) => Some(Output::create(path)?),
        None => None,
    };
    if let Some(path) = args.value(FILE) {
        let file = fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
        return link.serve(env, file, &mut record);
    }
    match (args.has(UNIX), args.has(LISTEN)) {
        (true, _) => unix(env, &args, &link, &mut record),
        (false, true) => wait(env, &args, &link, &mut record),
        (false, false) => call_out(env, &args, &link, &mut record),
    }
}

/// IPv4 or IPv6, where the options say.
fn version(args: &Args<'_>) -> Option<bool> {
    args.last_of(&[FOUR, SIX]).map(|option| option == SIX)
}

fn kind(args: &Args<'_>) -> (SocketType, &'static [u8]) {
    if args.has(UDP) { (SocketType::DGRAM, b"udp") } else { (SocketType::STREAM, b"tcp") }
}

fn resolve(args: &Args<'_>, host: &[u8]) -> Result<IpAddr> {
    if args.has(NUMERIC) { addr::parse(host) } else { dns::resolve(host, version(args)) }
}

/// The local address that -s and -p ask for.
fn own_address(args: &Args<'_>, six: bool) -> Result<Option<SocketAddr>> {
    if !args.has(SOURCE) && !args.has(PORT) {
        return Ok(None);
    }
    let any: IpAddr = if six { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let address = args.value(SOURCE).map_or(Ok(any), |host| resolve(args, host))?;
    let port = args.value(PORT).map_or(Ok(0), |word| sockets::port(word, kind(args).1))?;
    Ok(Some(SocketAddr::new(address, port)))
}

/// Connects to the ports in turn.
fn call_out(env: &mut Env, args: &Args<'_>, link: &Link<'_>, record: &mut Option<Output>) -> Outcome {
    let [host, ports @ ..] = args.operands_between(2, usize::MAX)? else { return Err(Error::usage()) };
    let address = resolve(args, host)?;
    let (kind, protocol) = kind(args);
    let mut status = ExitStatus::FAILURE;
    for (at, port) in ranges(ports, protocol)?.into_iter().enumerate() {
        if at > 0
            && let Some(interval) = link.interval
        {
            pause(interval);
        }
        let to = SocketAddr::new(address, port);
        let name = text!(*host, " (", address, ":", u32::from(port), ")");
        let own = own_address(args, address.is_ipv6())?;
        match sockets::connect(&to, kind, own.as_ref(), link.timeout) {
            Ok(socket) => {
                if args.has(BROADCAST) {
                    sockopt::set_socket_broadcast(&socket, true).map_err(Error::from)?;
                }
                if args.has(VERBOSE) {
                    env.report(&Error::new(text!(&name, " open")));
                }
                status = ExitStatus::SUCCESS;
                if !args.has(SCAN) {
                    return link.serve(env, socket, record);
                }
            }
            // Most ports of a scan are closed.
            Err(_) if args.has(SCAN) && !args.has(VERBOSE) => {}
            Err(errno) => env.report(&Error::on(name, errno)),
        }
    }
    Ok(status)
}

/// The ports of words such as `80`, `http` and `20-25`.
fn ranges(words: &[&[u8]], protocol: &[u8]) -> Result<Vec<u16>> {
    let mut all = Vec::new();
    for word in words {
        match rbox_core::bytes::split_once(word, b'-') {
            Some((first, last)) if first.iter().all(u8::is_ascii_digit) => {
                all.extend(sockets::port(first, protocol)?..=sockets::port(last, protocol)?);
            }
            _ => all.push(sockets::port(word, protocol)?),
        }
    }
    Ok(all)
}

/// Waits for connections: `nc -l -p PORT`, or `nc -l [ADDRESS] PORT`.
fn wait(env: &mut Env, args: &Args<'_>, link: &Link<'_>, record: &mut Option<Output>) -> Outcome {
    let (kind, protocol) = kind(args);
    let six = version(args) != Some(false);
    let own = match (args.has(PORT), args.operands()) {
        (false, [port]) => {
            let any = if six { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
            Some(SocketAddr::new(
                args.value(SOURCE).map_or(Ok(any), |host| resolve(args, host))?,
                sockets::port(port, protocol)?,
            ))
        }
        (false, [host, port]) => Some(SocketAddr::new(resolve(args, host)?, sockets::port(port, protocol)?)),
        _ => own_address(args, six)?,
    };
    let own = own.ok_or_else(|| Error::misused("no port is given"))?;
    let failed = |errno| Error::on(sockets::text(own), errno);
    let server = if own.ip() == Ipv6Addr::UNSPECIFIED && version(args).is_none() {
        sockets::serve_everywhere(own.port(), kind, 128)
    } else {
        sockets::serve(&own, kind)
    };
    let server = server.map_err(failed)?;
    let is_kept = args.has(KEEP) || args.times(LISTEN) > 1;
    if is_kept && link.program.is_none() {
        // A client that leaves while something is sent to it does not end the server.
        signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    }
    loop {
        if !readable(&server, link.timeout)? {
            return Err(failed(Errno::TIMEDOUT));
        }
        let connection =
            if kind == SocketType::DGRAM { first_datagram(env, &server, record)? } else { accept(&server)? };
        if args.has(VERBOSE) {
            env.report(&Error::new("connected"));
        }
        if !is_kept {
            return link.serve(env, connection, record);
        }
        // A server goes on at once; what it runs ends by itself.
        if link.program.is_some() {
            let started = process::fork_run(|| match link.serve(env, connection, &mut None) {
                Ok(status) => status.0,
                Err(error) => env.warn(error).0,
            });
            started.map_err(|errno| Error::on("can't fork", errno))?;
            while process::wait(-1, process::WaitOptions::NOHANG).is_ok_and(|ended| ended.is_some()) {}
        } else if let Err(error) = link.serve(env, connection, record) {
            if error.is_output() {
                return Err(error);
            }
            env.report(&error);
        }
    }
}

fn accept(server: &OwnedFd) -> Result<OwnedFd> {
    accept_with(server, SocketFlags::CLOEXEC).map_err(|errno| Error::on("accept", errno))
}

/// Takes the first datagram, and talks to its sender from then on.
fn first_datagram(env: &mut Env, server: &OwnedFd, record: &mut Option<Output>) -> Result<OwnedFd> {
    let mut buffer = vec![0; 65536];
    let (count, _, sender) =
        recvfrom(server, &mut buffer[..], RecvFlags::empty()).map_err(|errno| Error::on("receive", errno))?;
    if let Some(sender) = sender {
        connect(server, &sender).map_err(|errno| Error::on("connect", errno))?;
    }
    receive(env, &buffer[..count], record)?;
    fd::dup(server).map_err(Error::from)
}

/// `-U`: the operand is a path.
fn unix(env: &mut Env, args: &Args<'_>, link: &Link<'_>, record: &mut Option<Output>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let failed = |errno| Error::on(path, errno);
    let address = SocketAddrUnix::new(path).map_err(failed)?;
    let (kind, _) = kind(args);
    let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).map_err(failed)?;
    if !args.has(LISTEN) {
        connect(&socket, &address).map_err(failed)?;
        return link.serve(env, socket, record);
    }
    bind(&socket, &address).map_err(failed)?;
    if kind == SocketType::DGRAM {
        return link.serve(env, socket, record);
    }
    listen(&socket, 16).map_err(failed)?;
    loop {
        let connection = accept(&socket)?;
        let status = link.serve(env, connection, record)?;
        if !args.has(KEEP) && args.times(LISTEN) < 2 {
            return Ok(status);
        }
    }
}

/// Waits for data; false when the time is up.
fn readable(file: &OwnedFd, milliseconds: Option<u64>) -> Result<bool> {
    Ok(ready(&mut [PollFd::new(file, PollFlags::IN)], milliseconds)? > 0)
}

fn ready(files: &mut [PollFd<'_>], milliseconds: Option<u64>) -> Result<usize> {
    let limit = milliseconds.map(time::milliseconds);
    loop {
        match poll(files, limit.as_ref()) {
            Err(Errno::INTR) => {}
            result => return result.map_err(|errno| Error::on("poll", errno)),
        }
    }
}

/// What is done with a connection.
struct Link<'a> {
    /// Milliseconds after each line.
    interval: Option<u64>,
    /// Milliseconds after the end of standard input.
    quit: Option<u64>,
    /// Milliseconds of silence.
    timeout: Option<u64>,
    is_datagram: bool,
    program: Option<Vec<&'a [u8]>>,
}

impl Link<'_> {
    fn serve(&self, env: &mut Env, connection: OwnedFd, record: &mut Option<Output>) -> Outcome {
        if let Some(words) = &self.program {
            for number in 0..3 {
                fd::redirect(connection.as_fd(), number).map_err(Error::from)?;
            }
            drop(connection);
            return Ok(call::replace(env, words));
        }
        self.copy(env, &connection, record)?;
        if let Some(record) = record {
            record.flush()?;
        }
        Ok(ExitStatus::SUCCESS)
    }

    /// Copies in both directions until the other side ends.
    fn copy(&self, env: &mut Env, connection: &OwnedFd, record: &mut Option<Output>) -> Result<()> {
        let (mut has_input, mut buffer) = (true, vec![0; 65536]);
        loop {
            let mut files =
                [PollFd::new(connection, PollFlags::IN), PollFd::from_borrowed_fd(fd::borrow(0), PollFlags::IN)];
            let limit = if has_input { self.timeout } else { self.quit.or(self.timeout) };
            let count = if has_input { 2 } else { 1 };
            if ready(&mut files[..count], limit)? == 0 {
                return Ok(());
            }
            let [from_connection, from_input] = files.map(|file| !file.revents().is_empty());
            // Before the end of the connection is seen, what is to be sent is sent.
            if has_input && from_input {
                match io::read(fd::borrow(0), &mut buffer) {
                    Ok(count) if count > 0 => {
                        self.send(connection, &buffer[..count])?;
                        if let Some(record) = record {
                            dump(record, b'>', &buffer[..count])?;
                        }
                    }
                    Ok(_) => {
                        has_input = false;
                        // What is no stream has no end to tell of.
                        let _ = shutdown(connection, Shutdown::Write);
                        if self.quit == Some(0) {
                            return Ok(());
                        }
                    }
                    Err(errno) => return Err(Error::on("standard input", errno)),
                }
            }
            if from_connection {
                match io::read(connection.as_fd(), &mut buffer) {
                    Ok(0) if !self.is_datagram => return Ok(()),
                    Ok(count) => receive(env, &buffer[..count], record)?,
                    Err(Errno::CONNREFUSED) if self.is_datagram => return Err(Error::from(Errno::CONNREFUSED)),
                    Err(errno) => return Err(Error::on("read", errno)),
                }
            }
        }
    }

    fn send(&self, connection: &OwnedFd, content: &[u8]) -> Result<()> {
        let Some(interval) = self.interval else { return write_all(connection, content) };
        for line in content.split_inclusive(|&byte| byte == b'\n') {
            write_all(connection, line)?;
            pause(interval);
        }
        Ok(())
    }
}

fn write_all(connection: &OwnedFd, content: &[u8]) -> Result<()> {
    io::write_all(connection.as_fd(), content).map_err(|errno| Error::on("write", errno))
}

/// Prints what has come.
fn receive(env: &mut Env, content: &[u8], record: &mut Option<Output>) -> Result<()> {
    env.stdout.write(content)?;
    env.stdout.flush()?;
    match record {
        Some(record) => dump(record, b'<', content),
        None => Ok(()),
    }
}

/// `-o`: a direction, an offset within this part, 16 bytes in hexadecimal and as characters.
fn dump(record: &mut Output, direction: u8, content: &[u8]) -> Result<()> {
    for (at, row) in content.chunks(16).enumerate() {
        let mut line =
            text!(&[direction, b' '], rbox_core::text::Right(rbox_core::text::Hex(16 * at as u64), 8, b'0'), " ");
        for byte in row {
            line.extend_from_slice(&text!(rbox_core::text::Right(rbox_core::text::Hex((*byte).into()), 2, b'0'), " "));
        }
        line.resize(11 + 3 * 16, b' ');
        line.extend_from_slice(b"# ");
        line.extend(row.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte } else { b'.' }));
        line.push(b'\n');
        record.write(&line)?;
    }
    Ok(())
}
