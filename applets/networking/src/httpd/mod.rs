//! `httpd`: a server of HTTP/1.1 (RFC 9110, 9112) for files, CGI programs and other servers.
//!
//! One process serves all connections and never waits for one of them. What takes time, programs, other servers and the hashes of
//! passwords, is done in a child that serves the one request.

mod auth;
mod body;
mod cgi;
mod config;
mod connection;
mod proxy;
mod relay;
mod request;
mod response;
mod serve;
mod site;

use core::net::SocketAddr;

use rbox_core::crypt;
use rbox_core::daemon::{detach, keep_only};
use rbox_core::io::read_file;
use rbox_core::net::{dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::net::SocketType;
use rbox_core::sys::net::sockopt::set_tcp_nodelay;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::{Errno, OwnedFd, fd, process, sandbox};
use rbox_core::{push, text};

use crate::service::Owner;
use connection::Connection;
use site::Site;

options! {
    "[-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-M NUM] [-u USER[:GRP]] [-r REALM] [-h HOME]
or: httpd -d STRING | -e STRING | -m STRING

Serve the files of HOME over HTTP, and run the programs of HOME/cgi-bin.

  -i            Serve the connection on standard input (for inetd)
  -f            Run in foreground
  -v            Report answers; -vv requests, too
  -p [IP:]PORT  Listen on PORT (default 80) of IP (default: all addresses)
  -M NUM        Hold at most NUM connections (default: as the limit of descriptors allows)
  -u USER[:GRP]  Become USER after the port is bound
  -r REALM      Name of the realm for passwords (default: Web Server Authentication)
  -h HOME       Home directory (default: .)
  -c FILE       Configuration (default: /etc/httpd.conf, or httpd.conf in HOME)
  -m STRING     Print the MD5 hash of a password
  -e STRING     Print STRING with what is special in HTML as numbers
  -d STRING     Print STRING with the escapes of URLs decoded";
    INETD = "-i",
    FOREGROUND = "-f",
    VERBOSE = "-v",
    PORT = "-p",
    MOST = "-M",
    USER = "-u",
    REALM = "-r",
    HOME = "-h",
    FILE = "-c",
    MD5 = "-m",
    ENCODE = "-e",
    DECODE = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    if let Some(done) = convert(env, args)? {
        return Ok(done);
    }
    let to_log = !args.has(FOREGROUND) && !args.has(INETD);
    let mut site = Site::new(args.value(REALM).unwrap_or(b"Web Server Authentication"), args.times(VERBOSE), to_log);
    let owner = args.value(USER).map(Owner::parse).transpose()?;
    let listener = if args.has(INETD) { None } else { Some(listen(args)?) };
    enter(args.value(HOME).unwrap_or(b"."))?;
    // BusyBox: a relative path starts at the home directory.
    let file = args
        .value(FILE)
        .map(|file| rbox_core::files::canonical(file, false).map_err(|errno| Error::cannot("open", file, errno)));
    let file = file.transpose()?;
    site.load(env, file.as_deref())?;
    // BusyBox: the file overrides -h.
    if let Some(home) = site.config.home.clone() {
        enter(&home)?;
    }
    // A client that leaves is seen when something is written.
    signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    let Some(listener) = listener else {
        if let Some(owner) = owner {
            owner.become_it()?;
        }
        restrict(&site)?;
        return serve_standard_streams(env, &mut site);
    };
    let most = args.value(MOST).map(|word| parse_in_range(word, 1, 1 << 20)).transpose()?;
    let most = serve::raise_limit(most);
    if !args.has(FOREGROUND) {
        let home = rbox_core::files::current_directory().map_err(Error::from)?;
        detach()?;
        enter(&home)?;
    }
    if let Some(owner) = owner {
        owner.become_it()?;
    }
    restrict(&site)?;
    serve::Server::new(listener, site, file, most)?.serve(env)
}

/// Gives up what the site does not need: without programs it only reads files.
fn restrict(site: &Site) -> Result<()> {
    let runs_programs = site.config.has_interpreters() || rbox_core::sys::fs::stat("cgi-bin").is_ok();
    keep_only(if runs_programs { sandbox::HTTPD_CGI } else { sandbox::HTTPD }, &[])
}

fn enter(home: &[u8]) -> Result<()> {
    process::chdir(home).map_err(|errno| Error::cannot("change directory to", home, errno))
}

/// -d, -e and -m.
fn convert(env: &mut Env, args: &Args<'_>) -> Result<Option<ExitStatus>> {
    let Some(option) = args.last_of(&[MD5, ENCODE, DECODE]) else { return Ok(None) };
    let word = args.value(option).unwrap_or_default();
    let out = if option == DECODE {
        let blanks: Vec<u8> = word.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        rbox_core::escape::percent_decoded(&blanks)
    } else if option == ENCODE {
        let mut out = Vec::new();
        for &byte in word {
            if byte.is_ascii_alphanumeric() {
                out.push(byte);
            } else {
                push!(out, "&#", u32::from(byte), ";");
            }
        }
        out
    } else {
        let hash = crypt::crypt(word, &crypt::new_setting(b"md5")?);
        text!(hash.ok_or_else(|| Error::new("no hash"))?, "\n")
    };
    env.stdout.write(&out)?;
    Ok(Some(ExitStatus::SUCCESS))
}

/// How many connections wait to be accepted: the kernel takes its own limit instead, where that is lower.
const BACKLOG: i32 = 1024;

fn listen(args: &Args<'_>) -> Result<OwnedFd> {
    let word = args.value(PORT).unwrap_or(b"80");
    let (host, port) = sockets::host_and_port(word);
    let port = port.map_or(Ok(80), |port| sockets::port(port, b"tcp"))?;
    let failed = |errno: Errno| Error::on(word, errno);
    let listener = match host {
        Some(host) => {
            let at = SocketAddr::new(dns::resolve(host, None)?, port);
            sockets::listen(&at, SocketType::STREAM, BACKLOG).map_err(failed)?
        }
        None => sockets::listen_everywhere(port, BACKLOG).map_err(failed)?,
    };
    // Connections inherit it (tcp(7)): an answer never waits for the acknowledgement of the one before.
    set_tcp_nodelay(&listener, true).map_err(failed)?;
    Ok(listener)
}

/// `-i`: one connection, in this process.
fn serve_standard_streams(env: &mut Env, site: &mut Site) -> Outcome {
    let input = fd::fcntl_dupfd_cloexec(fd::borrow(0), 3).map_err(Error::from)?;
    let output = fd::fcntl_dupfd_cloexec(fd::borrow(1), 3).map_err(Error::from)?;
    let mut connection = Connection::new(input, Some(output));
    site.is_child = true;
    connection.advance(env, site, &mut [0; 8192]);
    Ok(ExitStatus::SUCCESS)
}

impl Site {
    /// Reads httpd.conf: that of `-c`, which must be there, or the first of the usual ones.
    fn load(&mut self, env: &mut Env, file: Option<&[u8]>) -> Result<()> {
        let file = match file {
            Some(file) => file,
            None => {
                let usual = [&b"/etc/httpd.conf"[..], b"httpd.conf"];
                let Some(file) = usual.into_iter().find(|file| rbox_core::sys::fs::stat(file).is_ok()) else {
                    self.config = config::Config::default();
                    return Ok(());
                };
                file
            }
        };
        let mut config = config::Config::default();
        for error in config.add(&read_file(file)?, b"") {
            self.log(env, None, error.context(file).message());
        }
        self.config = config;
        Ok(())
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut config = config::Config::default();
    body::fuzz(data);
    // Only a panic counts.
    let _ = (config.add(data, b""), config.add(data, b"/sub"));
    if let Some(length) = request::head_length(data)
        && let Ok(request) = request::Request::parse(&data[..length])
    {
        assert!(request.path.starts_with(b"/") && !request.path.split(|&byte| byte == b'/').any(|part| part == b".."));
        config.logins(&request.path);
        config.proxy(&request.path);
        config.media_type(&request.path);
    }
}
