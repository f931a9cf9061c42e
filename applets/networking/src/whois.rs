//! `whois`: ask registries about names (RFC 3912).

use core::net::SocketAddr;

use rbox_core::bytes::{find, split_once};
use rbox_core::io::{Input, write_all};
use rbox_core::net::{dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::net::SocketType;
use rbox_core::term::{Shown, clean};
use rbox_core::text;
use rbox_core::tty::wait_readable;

options! {
    "[-i] [-h SERVER] [-p PORT] NAME...

Ask about each NAME, at first whois.iana.org, then the servers it refers to.

  -i         Print the replies that refer to other servers, too
  -h SERVER  Ask SERVER
  -p PORT    Port (43)";
    REFERRALS = "-i",
    SERVER = "-h",
    PORT = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Servers that are asked about one name at most: a registry, a registrar, and a few more.
const MOST: usize = 8;
/// Bytes of a reply that are kept.
const LONGEST: usize = 1 << 20;
/// Milliseconds to wait for a server.
const PATIENCE: u64 = 30_000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let names = args.operands_between(1, usize::MAX)?;
    let port = args.value(PORT).map_or(Ok(43), |word| parse_in_range(word, 1, 65_535))? as u16;
    let server = args.value(SERVER).unwrap_or(b"whois.iana.org");
    let mut status = ExitStatus::SUCCESS;
    for name in names {
        // One name does not stop the others.
        match follow(env, args.has(REFERRALS), server, port, name) {
            Err(error) if error.is_output() => return Err(error),
            Err(error) => status.worsen(env.warn(error)),
            Ok(()) => {}
        }
    }
    Ok(status)
}

/// Asks about a name, and goes where the replies refer to.
fn follow(env: &mut Env, all: bool, server: &[u8], port: u16, name: &[u8]) -> Result<()> {
    let (mut server, mut port) = (server.to_vec(), port);
    let mut asked = Vec::new();
    loop {
        // Verisign's server looks for all that begins with a word, unless it is said to be a domain.
        let prefix = if server == b"whois.verisign-grs.com" { "domain " } else { "" };
        let line = text!("[Querying ", &server, ":", port, " '", prefix, name, "']\n");
        env.stdout.write(&clean(&line, b"\n", Shown::Caret))?;
        env.stdout.flush()?;
        let reply = ask(&server, port, &text!(prefix, name, "\r\n"))?;
        asked.push(server.clone());
        let next = referral(&reply).filter(|(next, _)| !asked.contains(next) && asked.len() < MOST);
        if all || next.is_none() {
            env.stdout.write(&clean(&reply, b"\n\t", Shown::Caret))?;
        }
        let Some(next) = next else { return Ok(()) };
        env.stdout.write(&text!("[Redirected to ", clean(&next.0, b"", Shown::Caret), "]\n"))?;
        (server, port) = (next.0, next.1.unwrap_or(port));
    }
}

fn ask(server: &[u8], port: u16, question: &[u8]) -> Result<Vec<u8>> {
    let failed = |errno| Error::on(server, errno);
    let to = SocketAddr::new(dns::resolve(server, None)?, port);
    let socket = sockets::connect(&to, SocketType::STREAM, None, Some(PATIENCE)).map_err(failed)?;
    write_all(socket.as_fd(), question).map_err(failed)?;
    let mut reply = Vec::new();
    let mut input = Input::from_fd(socket, server);
    loop {
        if input.fd().is_some_and(|file| !wait_readable(file, Some(PATIENCE))) {
            return Err(failed(rbox_core::sys::Errno::TIMEDOUT));
        }
        let count = {
            let content = input.fill()?;
            if content.is_empty() {
                return Ok(reply);
            }
            // Lines end with CR and LF.
            reply.extend(content.iter().filter(|&&byte| byte != b'\r'));
            content.len()
        };
        input.consume(count);
        if reply.len() > LONGEST {
            return Err(Error::parts(&[server, b": the reply is too long"]));
        }
    }
}

/// The server and port that a reply refers to: `whois: HOST`, `refer: HOST`, `Registrar WHOIS Server: HOST`.
fn referral(reply: &[u8]) -> Option<(Vec<u8>, Option<u16>)> {
    let line = reply.split(|&byte| byte == b'\n').find_map(|line| {
        let (name, value) = split_once(line.trim_ascii(), b':')?;
        let name = name.to_ascii_lowercase();
        let is_known = matches!(&name[..], b"whois" | b"refer" | b"referralserver") || name.ends_with(b"whois server");
        Some(value.trim_ascii()).filter(|value| is_known && !value.is_empty())
    })?;
    let host = find(line, b"://").map_or(line, |at| &line[at + 3..]);
    let host = host.split(|&byte| byte == b'/').next().unwrap_or_default();
    let (host, port) = match split_once(host, b':') {
        Some((host, port)) => (host, Some(parse_in_range(port, 1, 65_535).ok()? as u16)),
        None => (host, None),
    };
    let is_host = host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte));
    (is_host && !host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    referral(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_refer_to_servers() {
        let host = |reply: &str| {
            referral(reply.as_bytes()).map(|(host, port)| (String::from_utf8(host).expect("ASCII"), port))
        };
        assert_eq!(host("% x\n\nrefer:   whois.Nic.test\n"), Some(("whois.nic.test".to_string(), None)));
        assert_eq!(host("   Registrar WHOIS Server: a.test\n"), Some(("a.test".to_string(), None)));
        assert_eq!(host("ReferralServer: rwhois://b.test:4321/x\n"), Some(("b.test".to_string(), Some(4321))));
        for reply in ["", "whois:\n", "whois: a b\n", "whois: \x1b[m\n", "server: a.test\n", "whois: a:0\n"] {
            assert_eq!(host(reply), None, "{reply:?}");
        }
    }
}
