//! `ftpget` and `ftpput`: transfer one file from or to a server of FTP (RFC 959).

use core::net::SocketAddr;

use rbox_core::io::{self, Input, Output};
use rbox_core::net::sockets;
use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::text;

use crate::ftp::Control;
use crate::wget::link::Link;

options! {
    "[-cv] [-u USER] [-p PASS] [-P PORT] HOST [FILE] REMOTE_FILE
or: ftpput [-v] [-u USER] [-p PASS] [-P PORT] HOST [REMOTE_FILE] FILE

Get a file from a server of FTP, or put one there. FILE - is standard output or input.

  -c       Go on with a transfer that was broken off
  -v       Report what is done
  -u USER  User (default: anonymous)
  -p PASS  Password
  -P PORT  Port (default: 21)";
    CONTINUE = "-c",
    VERBOSE = "-v",
    USER = "-u",
    PASSWORD = "-p",
    PORT = "-P",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Seconds of silence after which a server is given up.
const PATIENCE: u64 = 120;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_put = env.name == b"ftpput";
    if is_put && args.has(CONTINUE) {
        return Err(Error::misused("-c is for ftpget"));
    }
    let operands = args.operands_between(2, 3)?;
    let (host, first, last) = (operands[0], operands[1], operands.get(2).copied().unwrap_or(operands[1]));
    let port = args.value(PORT).map_or(Ok(21), |word| sockets::port(word, b"tcp"))?;
    let mut control = Control::new(connect(env, args, host, port)?);
    if args.has(VERBOSE) {
        control.verbose = Some(env.name.clone());
    }
    control.log_in(args.value(USER).unwrap_or(b"anonymous"), args.value(PASSWORD).unwrap_or(b"busybox"))?;
    let mut job = Job { env, args, control };
    if is_put { job.put(last, first) } else { job.get(first, last) }?;
    job.control.expect(b"", 2)?;
    job.control.expect(b"QUIT", 2)?;
    Ok(ExitStatus::SUCCESS)
}

fn connect(env: &mut Env, args: &Args<'_>, host: &[u8], port: u16) -> Result<Link> {
    Link::to_host(host, port, PATIENCE, |to, failure| {
        if args.has(VERBOSE) {
            failure.iter().for_each(|error| env.report(error));
            env.report(&Error::new(text!("connecting to ", host, " (", sockets::text(to), ")")));
        }
        Ok(())
    })
}

struct Job<'a> {
    env: &'a mut Env,
    args: &'a Args<'a>,
    control: Control,
}

impl Job<'_> {
    /// Opens a data connection for a command. The data come from the host that was asked.
    fn begin(&mut self, command: &str, file: &[u8]) -> Result<Link> {
        let to = SocketAddr::new(self.control.link.address.ip(), self.control.data_port()?);
        let data = Link::connect(&to, PATIENCE)?;
        if self.control.expect(&text!(command, " ", file), 1)?.0 / 100 != 1 {
            return Err(Error::parts(&[b"the server does nothing for ", command.as_bytes()]));
        }
        Ok(data)
    }

    fn get(&mut self, local: &[u8], remote: &[u8]) -> Result<()> {
        let mut before = 0;
        if self.args.has(CONTINUE) && local != b"-" {
            before = fs::stat(local).map_or(0, |stat| stat.st_size as u64);
            // A server that cannot do so sends all of it.
            if before > 0 && self.control.ask(&text!("REST ", before))?.0 != 350 {
                before = 0;
            }
        }
        let mut data = self.begin("RETR", remote)?;
        let mut file;
        let output = if local == b"-" {
            &mut self.env.stdout
        } else {
            file = Output::open(local, before > 0).map_err(|errno| Error::cannot("open", local, errno))?;
            &mut file
        };
        loop {
            let content = data.fill()?;
            if content.is_empty() {
                return output.flush();
            }
            output.write(content)?;
            let count = content.len();
            data.consume(count);
        }
    }

    fn put(&mut self, local: &[u8], remote: &[u8]) -> Result<()> {
        let mut input = if local == b"-" { self.env.take_stdin() } else { Input::open(local)? };
        let data = self.begin("STOR", remote)?;
        io::copy(&mut input, &mut data.into_output())?;
        Ok(())
    }
}
