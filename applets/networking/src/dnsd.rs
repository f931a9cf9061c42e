//! `dnsd`: a small name server for a list of hosts (RFC 1035).
//!
//! It answers for the names of its file alone. A name that it knows has no error for types that it does not have (RFC 4074
//! 4.2), and all its addresses are sent.

use core::net::IpAddr;

use rbox_core::bytes::words;
use rbox_core::daemon::{detach, keep_only};
use rbox_core::io::Input;
use rbox_core::net::dns::message::{A, AAAA, HEADER, NAME_ERROR, PTR, TYPES, number, push_name, read_name};
use rbox_core::net::dns::reverse_name;
use rbox_core::net::{addr, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::net::SocketType;
use rbox_core::sys::{AsFd, Errno, datagram, sandbox};
use rbox_core::{push, syslog, text};

options! {
    "[-dsv] [-c FILE] [-t SECONDS] [-p PORT] [-i ADDRESS]

Answer questions for the names of a file, whose lines are 'NAME ADDRESS'.
The name * is every name that has no line of its own.

  -c FILE     Configuration file (/etc/dnsd.conf)
  -t SECONDS  Time that others may keep an answer (120)
  -p PORT     UDP port (53)
  -i ADDRESS  Address to listen on (0.0.0.0)
  -d          Run in the background
  -s          Send no replies without an answer: another server is asked then
  -v          Report questions and answers";
    FILE = "-c",
    SECONDS = "-t",
    PORT = "-p",
    ADDRESS = "-i",
    DAEMON = "-d",
    SILENT = "-s",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// RFC 1035 4.2.1: the longest datagram.
const LONGEST: usize = 512;
/// Answers without a record: the question is broken, the operation is not known.
const FORMAT_ERROR: u8 = 1;
const NOT_IMPLEMENTED: u8 = 4;

/// A name in lower case and one of its addresses.
struct Host {
    name: Vec<u8>,
    address: IpAddr,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let seconds = args.value(SECONDS).map_or(Ok(120), |word| parse_in_range(word, 0, i32::MAX as u64))? as u32;
    let port = args.value(PORT).map_or(Ok(53), |word| parse_in_range(word, 0, 65_535))? as u16;
    let address = args.value(ADDRESS).map_or(Ok([0; 4].into()), addr::parse)?;
    let hosts = read_hosts(Input::open(args.value(FILE).unwrap_or(b"/etc/dnsd.conf"))?)?;
    let failed = |what: &'static str| move |errno| Error::on(what, errno);
    let socket = sockets::serve(&(address, port).into(), SocketType::DGRAM).map_err(failed("bind"))?;
    // The reply comes from the address that was asked, whichever of several that is.
    datagram::ask_for(socket.as_fd(), address.is_ipv6(), datagram::Detail::Destination)
        .map_err(failed("setsockopt"))?;
    let in_background = args.has(DAEMON);
    if in_background {
        detach()?;
    }
    keep_only(sandbox::DNSD, &[])?;
    let report = |env: &mut Env, line: &[u8]| {
        if !args.has(VERBOSE) {
            return;
        }
        match in_background {
            true => syslog::log(syslog::DAEMON_INFO, b"dnsd", line),
            // A dead standard error can be reported nowhere.
            false => drop(env.stderr.write(&text!("dnsd: ", line, "\n"))),
        }
    };
    report(env, &text!("serving ", hosts.len(), " addresses"));
    let mut buffer = [0; LONGEST + 1];
    loop {
        let question = match datagram::receive(socket.as_fd(), &mut buffer, 0) {
            Ok(question) => question,
            // What a stranger's network did to an earlier reply.
            Err(Errno::INTR | Errno::CONNREFUSED | Errno::NOMEM | Errno::NOBUFS) => continue,
            Err(errno) => return Err(Error::on("recv", errno)),
        };
        let query = &buffer[..question.count];
        let Some(reply) = answer(query, &hosts, seconds) else { continue };
        let found = number(&reply, 6) != Some(0);
        report(env, &describe(&question.from.ip(), query, &reply));
        if (found || !args.has(SILENT))
            && let Err(errno) = datagram::reply(socket.as_fd(), &reply, &question)
        {
            report(env, Error::on("send", errno).message());
        }
    }
}

/// Reads the configuration. A line that is none is an error, as a name without its server would be worse.
fn read_hosts(mut file: Input) -> Result<Vec<Host>> {
    let mut hosts = Vec::new();
    let mut count = 0;
    let path = file.name().to_vec();
    while let Some(line) = file.line()? {
        count += 1u64;
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut words = words(line);
        let Some(name) = words.next() else { continue };
        let wrong = || Error::parts(&[&text!(&path, ": line ", count), b": not 'NAME ADDRESS'"]);
        let address = words.next().and_then(|word| addr::parse(word).ok()).ok_or_else(wrong)?;
        push_name(&mut Vec::new(), name).filter(|()| words.next().is_none()).ok_or_else(wrong)?;
        let name = name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase();
        hosts.push(Host { name, address });
    }
    Ok(hosts)
}

/// The reply to a query; none to what is no query, so that two servers do not reply to each other for ever.
fn answer(query: &[u8], hosts: &[Host], seconds: u32) -> Option<Vec<u8>> {
    let header = query.get(..HEADER).filter(|header| header[2] & 0x80 == 0)?;
    // Identifier; QR and AA, operation and RD of the query.
    let mut reply = vec![header[0], header[1], 0x84 | header[2] & 0x79, 0];
    reply.resize(HEADER, 0);
    if header[2] & 0x78 != 0 {
        reply[3] = NOT_IMPLEMENTED;
        return Some(reply);
    }
    let question = read_name(query, HEADER).filter(|_| number(query, 4) == Some(1) && query.len() <= LONGEST);
    let Some((name, kind, class, end)) =
        question.and_then(|(name, end)| Some((name, number(query, end)?, number(query, end + 2)?, end + 4)))
    else {
        reply[3] = FORMAT_ERROR;
        return Some(reply);
    };
    reply[5] = 1;
    reply.extend_from_slice(&query[HEADER..end]);
    let name = name.to_ascii_lowercase();
    let mut known = false;
    let mut count = 0;
    // Class 1 is the internet, 255 any.
    for data in records(&name, kind, hosts, &mut known).into_iter().filter(|_| matches!(class, 1 | 255)) {
        // RFC 1035 4.1.4: a pointer to the name in the question. A reply that is full is truncated.
        let record_type = if data.len() == 4 { A } else { AAAA };
        let record_type = if kind == PTR { PTR } else { record_type };
        if reply.len() + 12 + data.len() > LONGEST {
            reply[2] |= 2;
            break;
        }
        push!(reply, b"\xc0\x0c", &record_type.to_be_bytes(), b"\0\x01", &seconds.to_be_bytes());
        push!(reply, &(data.len() as u16).to_be_bytes(), data);
        count += 1u16;
    }
    reply[6..8].copy_from_slice(&count.to_be_bytes());
    if !known {
        reply[3] = NAME_ERROR;
    }
    Some(reply)
}

/// The data of the records of a name and type; `known` when the name exists, maybe without such a record.
fn records(name: &[u8], kind: u16, hosts: &[Host], known: &mut bool) -> Vec<Vec<u8>> {
    if name.ends_with(b".in-addr.arpa") || name.ends_with(b".ip6.arpa") {
        let named = |host: &&Host| host.name != b"*" && reverse_name(host.address) == name;
        let Some(host) = hosts.iter().find(named) else { return Vec::new() };
        *known = true;
        let mut data = Vec::new();
        let fits = push_name(&mut data, &host.name).is_some() && matches!(kind, PTR | 255);
        return if fits { vec![data] } else { Vec::new() };
    }
    let mut own: Vec<&Host> = hosts.iter().filter(|host| host.name == name).collect();
    if own.is_empty() {
        own = hosts.iter().filter(|host| host.name == b"*").collect();
    }
    *known = !own.is_empty();
    let wanted = |host: &&&Host| kind == 255 || kind == if host.address.is_ipv4() { A } else { AAAA };
    own.iter().filter(wanted).map(|host| addr::octets(host.address)).collect()
}

fn describe(from: &IpAddr, query: &[u8], reply: &[u8]) -> Vec<u8> {
    let mut line = text!(*from, ": ");
    if let Some((name, end)) = read_name(query, HEADER) {
        let kind = number(query, end).unwrap_or(0);
        push!(line, &name, " ");
        match TYPES.name_of(kind.into()) {
            Some(name) => push!(line, name),
            None => push!(line, "type ", kind),
        }
    }
    push!(line, ": ", number(reply, 6).unwrap_or(0), " answers");
    if reply[3] & 15 != 0 {
        push!(line, ", error ", reply[3] & 15);
    }
    line
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let hosts = read_hosts(Input::from_bytes(data.to_vec())).unwrap_or_default();
    if let Some(reply) = answer(data, &hosts, 120) {
        describe(&[127, 0, 0, 1].into(), data, &reply);
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::net::dns::message::{MX, Records, answers, query};

    use super::*;

    fn hosts() -> Vec<Host> {
        let file = b"# x\nHost 10.0.0.1 # one\nhost 10.0.0.2\nhost fd00::1\n* 10.9.9.9\n";
        read_hosts(Input::from_bytes(file.to_vec())).expect("a configuration")
    }

    fn ask(name: &str, kind: u16) -> (u8, Vec<Option<IpAddr>>) {
        let query = query(7, name.as_bytes(), kind).expect("a name");
        let reply = answer(&query, &hosts()[..if name == "none" { 3 } else { 4 }], 120).expect("a query");
        assert!(answers(&reply, &query));
        (reply[3], Records::of(&reply, &query).map(|record| record.address()).collect())
    }

    #[test]
    fn all_addresses_of_a_name_are_sent() {
        let (one, two) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        assert_eq!(ask("HOST", A), (0, vec![one, two]));
        assert_eq!(ask("host", AAAA), (0, vec![Some("fd00::1".parse().expect("an address"))]));
        assert_eq!(ask("host", MX), (0, vec![]));
    }

    #[test]
    fn other_names_are_unknown_or_the_star() {
        assert_eq!(ask("none", A), (3, vec![]));
        assert_eq!(ask("other", A), (0, vec![Some([10, 9, 9, 9].into())]));
        assert_eq!(ask("1.0.0.10.in-addr.arpa", PTR), (0, vec![None]));
        assert_eq!(ask("9.9.9.10.in-addr.arpa", PTR), (3, vec![]));
    }

    #[test]
    fn what_is_no_query_has_no_reply() {
        let mut query = query(7, b"host", A).expect("a name");
        assert_eq!(answer(&query[..11], &hosts(), 1), None);
        assert_eq!(answer(&query[..14], &hosts(), 1).map(|reply| reply[3]), Some(FORMAT_ERROR));
        query[2] = 0x28;
        assert_eq!(answer(&query, &hosts(), 1).map(|reply| reply[3]), Some(NOT_IMPLEMENTED));
        query[2] = 0x80;
        assert_eq!(answer(&query, &hosts(), 1), None);
    }

    #[test]
    fn replies_fit_a_datagram() {
        let file = b"host 10.0.0.1\n".repeat(100);
        let hosts = read_hosts(Input::from_bytes(file)).expect("a configuration");
        let query = query(7, b"host", A).expect("a name");
        let reply = answer(&query, &hosts, 1).expect("a reply");
        assert!(reply.len() <= LONGEST && reply[2] & 2 != 0);
    }

    #[test]
    fn broken_lines_are_reported() {
        for line in ["host", "host 10.0.0", "host 10.0.0.1 x", "a..b 10.0.0.1"] {
            assert!(read_hosts(Input::from_bytes(line.into())).is_err(), "{line}");
        }
    }
}
