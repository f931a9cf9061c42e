//! `tftp`: get or put a file (RFC 1350, 2347-2349).

pub mod packet;
pub mod transfer;

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use rbox_core::bytes::base_name;
use rbox_core::io::{Input, Output};
use rbox_core::net::{dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::sys::net::SocketType;
use rbox_core::term::window;

use crate::wget::Progress;
use packet::{ACK, BLOCK, DATA, LARGEST, OPTIONS, Options, Request, numbered};
use transfer::Transfer;

#[cfg(fuzzing)]
pub use packet::fuzz;

options! {
    "[-b SIZE] [-l FILE] [-r FILE] -g|-p HOST [PORT]

Transfer a file from or to a server of TFTP.

  -g       Get the file
  -p       Put the file
  -l FILE  Local file (default: the name of the remote one); - is standard input or output
  -r FILE  Remote file (default: the local one)
  -b SIZE  Ask for blocks of SIZE bytes, 8-65464 (default 512)";
    GET = "-g",
    PUT = "-p",
    LOCAL = "-l",
    REMOTE = "-r",
    BLOCK_SIZE = "-b",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let is_put = match (args.has(GET), args.has(PUT)) {
        (true, false) => false,
        (false, true) => true,
        _ => return Err(Error::misused("exactly one of -g and -p is needed")),
    };
    let (local, remote) = match (args.value(LOCAL), args.value(REMOTE)) {
        (Some(local), Some(remote)) => (local, remote),
        (Some(b"-") | None, None) => return Err(Error::misused("no remote file is named")),
        (Some(local), None) => (local, local),
        (None, Some(remote)) => (if is_put { remote } else { base_name(remote) }, remote),
    };
    let block = args.value(BLOCK_SIZE).map(|word| parse_in_range(word, 8, LARGEST)).transpose()?;
    let port = operands.get(1).map_or(Ok(69), |word| sockets::port(word, b"udp"))?;
    let server = SocketAddr::new(dns::resolve(operands[0], None)?, port);
    let own = match server {
        SocketAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        SocketAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
    };
    let socket = sockets::serve(&own, SocketType::DGRAM).map_err(|errno| Error::on("socket", errno))?;
    let mut job = Job { transfer: Transfer::new(socket, Some(server)), local, remote, block };
    if is_put { job.put() } else { job.get(env) }?;
    Ok(ExitStatus::SUCCESS)
}

struct Job<'a> {
    transfer: Transfer,
    local: &'a [u8],
    remote: &'a [u8],
    block: Option<u64>,
}

impl Job<'_> {
    fn request(&self, is_write: bool, size: Option<u64>) -> Vec<u8> {
        // RFC 2347 asks nothing of old servers: without options the request is that of RFC 1350.
        let options =
            Options { block: self.block, size: size.filter(|_| self.block.is_some() || is_write), timeout: None };
        Request { is_write, name: self.remote, mode: b"octet", options }.packet()
    }

    /// Takes what the server agrees on.
    fn agree(&mut self, packet: &[u8]) -> Result<Option<u64>> {
        let options = Options::parse(&packet[2..]);
        match (options.block, self.block) {
            (Some(given), Some(asked)) if given <= asked => self.transfer.block = given as usize,
            (None, _) => self.transfer.block = BLOCK,
            // RFC 2348: a server may only take less.
            _ => {
                self.transfer.send(&packet::error(8, b"bad blksize"))?;
                return Err(Error::new("bad blksize of the server"));
            }
        }
        Ok(options.size)
    }

    fn show(&mut self, whole: Option<u64>) {
        if window(2).is_some() {
            self.transfer.progress = Some((Progress::new(base_name(self.remote), 0, whole), Output::standard(2)));
        }
    }

    fn put(&mut self) -> Result<()> {
        let mut input = Input::operand(self.local)?;
        let size =
            input.fd().and_then(|file| fs::fstat(file).ok()).map(|stat| stat.st_size as u64).filter(|size| *size > 0);
        let request = self.request(true, size);
        let answer = self.transfer.exchange(&request, ACK, 0, true)?.to_vec();
        if answer[1] == OPTIONS {
            self.agree(&answer)?;
        }
        self.show(size);
        self.transfer.send_file(&mut input)
    }

    fn get(&mut self, env: &mut Env) -> Result<()> {
        let request = self.request(false, Some(0));
        let answer = self.transfer.exchange(&request, DATA, 1, true)?.to_vec();
        let mut own;
        let output = if self.local == b"-" {
            &mut env.stdout
        } else {
            // Only now: what the server does not have leaves the local file alone.
            own = Output::create(self.local)?;
            &mut own
        };
        let (size, block) =
            if answer[1] == OPTIONS { (self.agree(&answer)?, None) } else { (None, Some(answer[4..].to_vec())) };
        self.show(size);
        let received = self.transfer.receive_file(output, &numbered(ACK, 0), block);
        if let Err(error) = received {
            // It may be gone already; without the news it would try for a while.
            let _ = self.transfer.send(&packet::error(3, b"cannot write"));
            return Err(error);
        }
        Ok(())
    }
}
