//! inetd.conf: a line for each service.
//!
//! ```text
//! [HOST:]SERVICE  stream|dgram  tcp|tcp4|tcp6|udp|udp4|udp6|unix  wait|nowait[.MAX]  USER[:GROUP]  PROGRAM|internal  ARG0 ARG...
//! HOST:           the host of the lines that follow
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rbox_core::bytes::{find_byte_back, words};
use rbox_core::net::{addr, sockets};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::net::SocketType;

/// The services that inetd has itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Internal {
    /// RFC 862.
    Echo,
    /// RFC 863.
    Discard,
    /// RFC 868.
    Time,
    /// RFC 867.
    Daytime,
    /// RFC 864.
    Chargen,
}

/// Where a service waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    Host(SocketAddr),
    /// The path of a Unix socket.
    Path(Vec<u8>),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// `SERVICE/PROTOCOL`, for messages.
    pub name: Vec<u8>,
    pub at: At,
    pub kind: SocketType,
    /// The program gets the socket itself, and no other is started until it has ended.
    pub waits: bool,
    /// The most starts in a minute, if the line says.
    pub most: Option<u64>,
    pub user: Vec<u8>,
    pub internal: Option<Internal>,
    pub program: Vec<u8>,
    pub words: Vec<Vec<u8>>,
}

/// The services of a file, and what is wrong with its other lines.
pub fn parse(content: &[u8]) -> (Vec<Service>, Vec<Error>) {
    let (mut services, mut errors, mut host) = (Vec::new(), Vec::new(), b"*".to_vec());
    for (number, line) in (1usize..).zip(content.split(|&byte| byte == b'\n')) {
        let fields: Vec<&[u8]> = words(line).collect();
        match &fields[..] {
            [] => {}
            [first, ..] if first.starts_with(b"#") => {}
            [only] if only.ends_with(b":") => host = only[..only.len() - 1].to_vec(),
            _ => match service(&fields, &host) {
                Ok(service) => services.push(service),
                Err(error) => errors.push(error.context(rbox_core::text!("line ", number))),
            },
        }
    }
    (services, errors)
}

fn service(fields: &[&[u8]], default_host: &[u8]) -> Result<Service> {
    let [name, kind, protocol, wait, user, program, words @ ..] = fields else {
        return Err(Error::new("too few fields"));
    };
    let bad = |what: &str, word: &[u8]| Error::parts(&[b"bad ", what.as_bytes(), b" '", word, b"'"]);
    let kind = match *kind {
        b"stream" => SocketType::STREAM,
        b"dgram" => SocketType::DGRAM,
        word => return Err(bad("socket type", word)),
    };
    let (transport, six) = match *protocol {
        b"unix" => (&b"unix"[..], None),
        word => match word.split_at(word.len().min(3)) {
            (transport @ (b"tcp" | b"udp"), version @ (b"" | b"4" | b"6")) => (transport, Some(version == b"6")),
            // rpc/tcp and rpc/udp: the ports would be registered at rpcbind(8).
            _ if word.starts_with(b"rpc/") => {
                return Err(Error::parts(&[b"services of RPC are not supported: ", name]));
            }
            _ => return Err(bad("protocol", word)),
        },
    };
    if (transport == b"tcp" && kind != SocketType::STREAM) || (transport == b"udp" && kind != SocketType::DGRAM) {
        return Err(bad("protocol", protocol));
    }
    let (wait, most) = match rbox_core::bytes::split_once(wait, b'.') {
        Some((wait, most)) => (wait, Some(parse_decimal(most).ok_or_else(|| bad("number", most))?)),
        None => (*wait, None),
    };
    let waits = match wait {
        b"wait" => true,
        b"nowait" => false,
        word => return Err(bad("word for wait", word)),
    };
    let (at, service) = match six {
        None => (At::Path(name.to_vec()), *name),
        Some(six) => {
            let (host, service) = match find_byte_back(b':', name) {
                Some(at) => (&name[..at], &name[at + 1..]),
                None => (default_host, *name),
            };
            let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
            let address: IpAddr = match (host, six) {
                (b"*" | b"", false) => Ipv4Addr::UNSPECIFIED.into(),
                (b"*" | b"", true) => Ipv6Addr::UNSPECIFIED.into(),
                // Names are not asked for: at boot there may be nobody who knows them.
                _ => addr::parse(host)?,
            };
            (At::Host(SocketAddr::new(address, sockets::port(service, transport)?)), service)
        }
    };
    let internal = match *program {
        b"internal" => Some(match service {
            b"echo" | b"7" => Internal::Echo,
            b"discard" | b"9" => Internal::Discard,
            b"time" | b"37" => Internal::Time,
            b"daytime" | b"13" => Internal::Daytime,
            b"chargen" | b"19" => Internal::Chargen,
            word => return Err(bad("internal service", word)),
        }),
        _ => None,
    };
    let mut words: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
    if words.is_empty() {
        words.push(program.to_vec());
    }
    let name = rbox_core::text!(*name, "/", *protocol);
    Ok(Service { name, at, kind, waits, most, user: user.to_vec(), internal, program: program.to_vec(), words })
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    // Only a panic counts.
    let _ = parse(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_services() {
        let (services, errors) = parse(
            b"# comment\n127.0.0.1:\n77 stream tcp nowait.9 root:tty /bin/cat cat -n\n[::1]:78\tdgram udp6 wait root in.x\n\
              /run/s stream unix nowait root x\n*:7 dgram udp nowait root internal\n",
        );
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(services[0].at, At::Host("127.0.0.1:77".parse().expect("an address")));
        assert_eq!((services[0].most, &services[0].user[..], services[0].waits), (Some(9), &b"root:tty"[..], false));
        assert_eq!(services[0].words, [b"cat".to_vec(), b"-n".to_vec()]);
        assert_eq!(services[1].at, At::Host("[::1]:78".parse().expect("an address")));
        assert_eq!((services[1].waits, &services[1].words), (true, &vec![b"in.x".to_vec()]));
        assert_eq!(services[2].at, At::Path(b"/run/s".to_vec()));
        assert_eq!(
            (services[3].internal, &services[3].at),
            (Some(Internal::Echo), &At::Host("0.0.0.0:7".parse().expect("an address")))
        );
    }

    #[test]
    fn wrong_lines_are_named_and_the_others_hold() {
        let (services, errors) = parse(
            b"77 raw tcp nowait root x\n77 stream udp nowait root x\n77 stream tcp maybe root x\n77 stream\n\
              99999 stream tcp nowait root x\n77 stream tcp nowait root internal\n77 stream tcp nowait root x\n",
        );
        assert_eq!((services.len(), errors.len()), (1, 6));
        assert_eq!(errors[0].message(), b"line 1: bad socket type 'raw'");
    }
}
