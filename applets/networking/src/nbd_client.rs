//! `nbd-client`: make a block device of a server's storage (the NBD protocol, doc/proto.md of nbd).

use core::net::SocketAddr;

use rbox_core::daemon::{detach, pause};
use rbox_core::io::{read, write_all};
use rbox_core::net::{dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::nbd::{Order, tell};
use rbox_core::sys::net::{SocketType, sockopt};
use rbox_core::sys::{AsFd, AsRawFd, BorrowedFd, Errno, OwnedFd, block_device, process};
use rbox_core::tty::wait_readable;
use rbox_core::{syslog, text};

options! {
    "[-b BYTES] [-N NAME] [-t SECONDS] [-p] HOST [PORT] DEVICE
nbd-client -d DEVICE

Connect DEVICE to the storage of an NBD server.

  -b BYTES    Block size (4096)
  -N NAME     Name of the export
  -t SECONDS  Time to wait for a reply of the server
  -p          Connect again when the connection ends
  -d          Disconnect DEVICE";
    BLOCK = "-b",
    NAME = "-N",
    TIMEOUT = "-t",
    PERSIST = "-p",
    DISCONNECT = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const PORT: &[u8] = b"10809";
/// Milliseconds to wait for the server before it serves.
const PATIENCE: u64 = 30_000;
/// Milliseconds until a lost connection is made again.
const RETRY: u64 = 5000;
/// The words that a server begins with, the second one for the old and the new way.
const HELLO: &[u8; 8] = b"NBDMAGIC";
const OLD: [u8; 8] = [0, 0, 0x42, 0x02, 0x81, 0x86, 0x12, 0x53];
const NEW: &[u8; 8] = b"IHAVEOPT";
/// Flags of the handshake: fixed new style, no zeros after the size.
const FIXED: u16 = 1;
const NO_ZEROES: u16 = 2;
/// NBD_FLAG_READ_ONLY.
const READ_ONLY: u16 = 2;

/// Where and what to connect.
struct Export<'a> {
    host: &'a [u8],
    port: u16,
    name: &'a [u8],
    device: &'a [u8],
    block: u64,
    timeout: Option<u64>,
}

fn run(_: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(DISCONNECT) {
        return disconnect(args.operands_between(1, 1)?[0]);
    }
    let (host, port, device) = match args.operands_between(2, 3)? {
        [host, device] => (*host, PORT, *device),
        [host, port, device] => (*host, *port, *device),
        _ => return Err(Error::usage()),
    };
    let block = args.value(BLOCK).map_or(Ok(4096), |word| parse_in_range(word, 512, 65_536))?;
    if !block.is_power_of_two() {
        return Err(Error::new("the block size is not a power of two"));
    }
    let timeout = args.value(TIMEOUT).map(|word| parse_in_range(word, 1, 86_400)).transpose()?;
    let (port, name) = (sockets::port(port, b"tcp")?, args.value(NAME).unwrap_or_default());
    let export = Export { host, port, name, device, block, timeout };
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let file = fs::open(device, flags, Mode::empty()).map_err(|errno| Error::cannot("open", device, errno))?;
    // What can be wrong is told before the background.
    let mut connection = Some(export.connect(file.as_fd())?);
    detach()?;
    loop {
        let outcome = match connection.take() {
            Some(socket) => Ok(socket),
            None => export.connect(file.as_fd()),
        };
        // The kernel holds the socket itself now; here it is closed when the kernel has done with it.
        let outcome = outcome.and_then(|socket| export.serve(&file).map(|()| drop(socket)));
        if let Err(error) = &outcome {
            syslog::log(syslog::DAEMON_INFO, b"nbd-client", error.message());
        }
        if !args.has(PERSIST) {
            return outcome.map(|()| ExitStatus::SUCCESS);
        }
        pause(RETRY);
    }
}

fn disconnect(device: &[u8]) -> Outcome {
    let failed = |errno| Error::on(device, errno);
    let file = fs::open(device, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", device, errno))?;
    for order in [Order::Disconnect, Order::ClearQueue, Order::ClearSocket] {
        tell(file.as_fd(), order, 0).map_err(failed)?;
    }
    Ok(ExitStatus::SUCCESS)
}

impl Export<'_> {
    /// Connects, asks for the export, and makes the device ready for it.
    fn connect(&self, device: BorrowedFd<'_>) -> Result<OwnedFd> {
        let to = SocketAddr::new(dns::resolve(self.host, None)?, self.port);
        let socket = sockets::connect(&to, SocketType::STREAM, None, Some(PATIENCE));
        let socket = socket.map_err(|errno| Error::on(self.host, errno))?;
        sockopt::set_tcp_nodelay(&socket, true).map_err(|errno| Error::on("setsockopt", errno))?;
        let (size, flags) = self.negotiate(socket.as_fd())?;
        let set = |order, value| tell(device, order, value).map_err(|errno| Error::on(self.device, errno));
        set(Order::BlockSize, self.block)?;
        set(Order::Blocks, size / self.block)?;
        set(Order::ClearSocket, 0)?;
        set(Order::Flags, flags.into())?;
        if let Some(seconds) = self.timeout {
            set(Order::Timeout, seconds)?;
        }
        let read_only = block_device::Order::SetReadOnly(flags & READ_ONLY != 0);
        block_device::tell(device, read_only).map_err(|errno| Error::on(self.device, errno))?;
        set(Order::Socket, socket.as_raw_fd() as u64)?;
        Ok(socket)
    }

    /// The size in bytes and the flags of the export: the old way, where the server has one, or by its name.
    fn negotiate(&self, socket: BorrowedFd<'_>) -> Result<(u64, u16)> {
        let refused = |reason: &[u8]| Error::parts(&[self.host, b": ", reason]);
        let mut hello = [0; 16];
        self.receive(socket, &mut hello)?;
        if hello[..8] != *HELLO {
            return Err(refused(b"no NBD server"));
        }
        if hello[8..] == OLD {
            // Size, flags of 32 bits, 124 zeros.
            let mut rest = [0; 8 + 4 + 124];
            self.receive(socket, &mut rest)?;
            return Ok((size(&rest), u16::from_be_bytes([rest[10], rest[11]])));
        }
        if hello[8..] != *NEW {
            return Err(refused(b"unknown version of NBD"));
        }
        let mut flags = [0; 2];
        self.receive(socket, &mut flags)?;
        let offered = u16::from_be_bytes(flags) & (FIXED | NO_ZEROES);
        // NBD_OPT_EXPORT_NAME is 1. A server that does not have the export ends the connection.
        let name = self.name;
        let (option, length) = (1u32.to_be_bytes(), (name.len() as u32).to_be_bytes());
        let request = text!(&u32::from(offered).to_be_bytes(), NEW, &option, &length, name);
        write_all(socket, &request).map_err(|errno| Error::on(self.host, errno))?;
        let mut rest = [0; 8 + 2 + 124];
        let wanted = if offered & NO_ZEROES != 0 { 10 } else { rest.len() };
        self.receive(socket, &mut rest[..wanted]).map_err(|error| match error.errno() {
            Some(Errno::CONNRESET) => refused(b"the server does not have the export"),
            _ => error,
        })?;
        Ok((size(&rest), u16::from_be_bytes([rest[8], rest[9]])))
    }

    /// Fills the buffer; the end of the connection is ECONNRESET.
    fn receive(&self, socket: BorrowedFd<'_>, mut into: &mut [u8]) -> Result<()> {
        let failed = |errno| Error::on(self.host, errno);
        while !into.is_empty() {
            if !wait_readable(socket, Some(PATIENCE)) {
                return Err(failed(Errno::TIMEDOUT));
            }
            match read(socket, into).map_err(failed)? {
                0 => return Err(failed(Errno::CONNRESET)),
                count => into = &mut into[count..],
            }
        }
        Ok(())
    }

    /// Lets the kernel serve the device until the connection ends.
    fn serve(&self, file: &OwnedFd) -> Result<()> {
        // The kernel looks for partitions when the device is opened next, which has to be while it is served.
        let child = process::fork_run(|| {
            pause(100);
            let path = text!("/proc/self/fd/", file.as_raw_fd() as u32);
            u8::from(fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).is_err())
        });
        let served = tell(file.as_fd(), Order::Serve, 0).map_err(|errno| Error::on(self.device, errno));
        // Without a connection there is nothing left to fail.
        let _ = tell(file.as_fd(), Order::ClearQueue, 0);
        let _ = tell(file.as_fd(), Order::ClearSocket, 0);
        if let Ok(pid) = child {
            process::wait_for(pid).map_err(|errno| Error::on("wait", errno))?;
        }
        served
    }
}

fn size(bytes: &[u8]) -> u64 {
    bytes[..8].iter().fold(0, |size, byte| size << 8 | u64::from(*byte))
}
