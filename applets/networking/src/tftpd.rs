//! `tftpd`: answer one request of TFTP on the socket of standard input (RFC 1350, 2347-2349).

use core::net::SocketAddr;

use rbox_core::daemon::keep_only;
use rbox_core::io::{Input, Output};
use rbox_core::net::sockets;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::net::{RecvFlags, SocketType, connect, recvfrom};
use rbox_core::sys::{Errno, OwnedFd, fd, fs, process, sandbox};
use rbox_core::syslog::{DAEMON_INFO, Log};
use rbox_core::text;

use crate::netascii::Netascii;
use crate::service::Owner;
use crate::tftp::packet::{ACK, BLOCK, Options, Request, error, numbered};
use crate::tftp::transfer::Transfer;

options! {
    "[-crl] [-u USER] [DIR]

Transfer a file on request of a client; DIR becomes the root directory.
inetd.conf: 69 dgram udp nowait root tftpd tftpd -l DIR
or: udpsvd -vE 0 69 tftpd DIR

  -r       Refuse uploads
  -c       Let uploads create files
  -u USER  Access files as USER
  -l       Log to syslog (needed under inetd)";
    REFUSE = "-r",
    CREATE = "-c",
    USER = "-u",
    LOG = "-l",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// The codes of RFC 1350, Appendix.
const NOT_FOUND: u16 = 1;
const DENIED: u16 = 2;
const FULL: u16 = 3;
const ILLEGAL: u16 = 4;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let directory = args.operands_between(0, 1)?.first().copied();
    // The chroot hides /dev/log.
    let log = if args.has(LOG) { Log::open() } else { None };
    match serve(args, directory) {
        Err(error) if args.has(LOG) => {
            if let Some(log) = log {
                log.send(DAEMON_INFO, b"tftpd", error.message());
            }
            Err(Error::silent(ExitStatus::FAILURE))
        }
        Err(error) => Ok(env.warn(error)),
        Ok(()) => Ok(ExitStatus::SUCCESS),
    }
}

fn serve(args: &Args<'_>, directory: Option<&[u8]>) -> Result<()> {
    let mut buffer = vec![0; 65_468];
    let (length, _, sender) =
        recvfrom(fd::borrow(0), &mut buffer[..], RecvFlags::empty()).map_err(|errno| Error::on("socket", errno))?;
    let is_connected = sockets::peer(fd::borrow(0)).is_some();
    let sender = sender.ok_or_else(|| Error::new("no datagram socket is standard input"))?;
    let peer = sockets::address_of(sender.clone()).ok_or_else(|| Error::new("no host sent the request"))?;
    // The server of a socket that waits for all of its clients gets it back at once.
    if !is_connected && process::fork().map_err(|errno| Error::on("can't fork", errno))?.is_some() {
        return Ok(());
    }
    // RFC 1350 4: another port of the same address.
    let local = sockets::local(fd::borrow(0)).ok_or_else(|| Error::new("socket has no address"))?;
    let own = SocketAddr::new(if peer.is_ipv4() == local.is_ipv4() { local.ip() } else { unspecified(peer) }, 0);
    let socket = sockets::serve(&own, SocketType::DGRAM).map_err(|errno| Error::on("socket", errno))?;
    connect(&socket, &peer).map_err(|errno| Error::on(sockets::text(peer), errno))?;
    enter(args, directory)?;
    let mut transfer = Transfer::new(socket, None);
    let name = sockets::text(peer);
    answer(args, &mut transfer, &buffer[..length]).map_err(|error| error.context(name))
}

fn unspecified(peer: SocketAddr) -> core::net::IpAddr {
    if peer.is_ipv4() { core::net::Ipv4Addr::UNSPECIFIED.into() } else { core::net::Ipv6Addr::UNSPECIFIED.into() }
}

/// Leaves all but the directory behind, and the rights of root.
fn enter(args: &Args<'_>, directory: Option<&[u8]>) -> Result<()> {
    let owner = args.value(USER).map(Owner::parse).transpose()?;
    if let Some(directory) = directory {
        process::chdir(directory).map_err(|errno| Error::on(directory, errno))?;
        match process::chroot(c".") {
            // Whoever has no right to it is held by the names that are allowed, and by the rights of files.
            Err(Errno::PERM) => {}
            result => result.map_err(|errno| Error::on(directory, errno))?,
        }
    }
    owner.map_or(Ok(()), |owner| owner.become_it())?;
    // All names are below this directory, whether it is the root or not.
    keep_only(sandbox::TFTPD, &[])
}

fn answer(args: &Args<'_>, transfer: &mut Transfer, packet: &[u8]) -> Result<()> {
    let refused = |transfer: &Transfer, code, reason: &[u8]| {
        transfer.send(&error(code, reason))?;
        let reason = rbox_core::term::clean(reason, b"", rbox_core::term::Shown::Caret);
        Err(Error::new(reason))
    };
    let Some(request) = Request::parse(packet) else { return refused(transfer, ILLEGAL, b"malformed packet") };
    let is_text = request.mode.eq_ignore_ascii_case(b"netascii");
    if !is_text && !request.mode.eq_ignore_ascii_case(b"octet") {
        return refused(transfer, ILLEGAL, b"mode is not 'octet' or 'netascii'");
    }
    transfer.text = is_text.then(|| Netascii::new(true));
    // Every path is below the directory; `..` and hidden files are not.
    let name: Vec<&[u8]> = request.name.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
    if name.is_empty() || name.iter().any(|part| part.starts_with(b".")) {
        return refused(transfer, DENIED, b"dot in file name");
    }
    let name = name.join(&b'/');
    if request.is_write && args.has(REFUSE) {
        return refused(transfer, DENIED, b"uploads are refused");
    }
    let (file, size) = match open(&name, request.is_write, args.has(CREATE)) {
        Ok(opened) => opened,
        Err(errno) => {
            let code = if errno == Errno::NOENT { NOT_FOUND } else { DENIED };
            let reason = text!(&name, ": ", rbox_core::sys::error_text(errno).as_bytes());
            return refused(transfer, code, &reason);
        }
    };
    let agreed = Options {
        block: request.options.block,
        // The size of text on the wire is not known before it is sent.
        size: request.options.size.filter(|_| !is_text).map(|asked| if request.is_write { asked } else { size }),
        timeout: request.options.timeout,
    };
    transfer.block = agreed.block.map_or(BLOCK, |block| block as usize);
    transfer.timeout = agreed.timeout;
    if request.is_write {
        let first = if agreed.is_empty() { numbered(ACK, 0) } else { agreed.packet() };
        let received = transfer.receive_file(&mut Output::from_fd(file), &first, None);
        return received.or_else(|failed| {
            let code = if failed.errno() == Some(Errno::NOSPC) { FULL } else { DENIED };
            transfer.send(&error(code, b"cannot write"))?;
            Err(failed)
        });
    }
    if !agreed.is_empty() {
        transfer.exchange(&agreed.packet(), ACK, 0, false)?;
    }
    transfer.send_file(&mut Input::from_fd(file, &name))
}

/// A regular file and its size. A write that may not create one needs it there.
fn open(name: &[u8], is_write: bool, creates: bool) -> core::result::Result<(OwnedFd, u64), Errno> {
    let how = match (is_write, creates) {
        (false, _) => OFlags::RDONLY,
        (true, false) => OFlags::WRONLY,
        (true, true) => OFlags::WRONLY | OFlags::CREATE,
    };
    let file = fs::open(name, how | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::from_raw_mode(0o666))?;
    let stat = fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Errno::ACCESS);
    }
    if is_write {
        fs::ftruncate(&file, 0)?;
    }
    Ok((file, stat.st_size as u64))
}
