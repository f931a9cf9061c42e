//! `nslookup`: ask name servers about a host (RFC 1035), in the form of BIND's tool.

use core::net::{IpAddr, SocketAddr};

use rbox_core::bytes::split_once;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::dns::message::{
    A, AAAA, CNAME, MX, NAME_ERROR, NS, PTR, Record, Records, SOA, SRV, TXT, TYPES, number, push_escaped, query,
    read_name,
};
use rbox_core::net::dns::{Servers, exchange, random_id, resolve, reverse_name};
use rbox_core::net::{addr, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean};
use rbox_core::{push, text};

options! {
    "[OPTION]... HOST [SERVER[:PORT]]

Ask the name servers of /etc/resolv.conf, or SERVER, for the addresses of HOST,
or for the name of an address.

type:    -type=TYPE or -query=TYPE: a, aaaa, any, caa, cname, mx, naptr, ns,
         ptr, soa, srv, txt and others, or a number; may be repeated
server:  -port=PORT, -timeout=SECONDS, -retry=TIMES
query:   -norecurse (SERVER uses only what it knows), -nosearch (HOST is full)
output:  -debug (times, all sections of the reply)"
}

/// The applet. Its options have one dash and long names.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// RFC 1035 4.1.1, RFC 2136 2.2.
const CODES: Names = names! {
    "FORMERR" = 1, "SERVFAIL" = 2, "NXDOMAIN" = NAME_ERROR, "NOTIMP" = 4, "REFUSED" = 5, "YXDOMAIN" = 6,
    "YXRRSET" = 7, "NXRRSET" = 8, "NOTAUTH" = 9, "NOTZONE" = 10,
};

/// The options and their short forms, as BIND has them.
const OPTIONS: Names = names! {
    "type" = TYPE, "ty" = TYPE, "t" = TYPE, "query" = TYPE, "querytype" = TYPE, "q" = TYPE, "port" = PORT, "po" = PORT,
    "timeout" = TIMEOUT, "retry" = RETRY, "ret" = RETRY, "recurse" = RECURSE, "rec" = RECURSE,
    "norecurse" = NO_RECURSE, "norec" = NO_RECURSE, "search" = SEARCH, "sea" = SEARCH, "nosearch" = NO_SEARCH,
    "nosea" = NO_SEARCH, "debug" = DEBUG, "deb" = DEBUG, "nodebug" = NO_DEBUG, "nodeb" = NO_DEBUG,
};
const TYPE: u64 = 0;
const PORT: u64 = 1;
const TIMEOUT: u64 = 2;
const RETRY: u64 = 3;
const RECURSE: u64 = 4;
const NO_RECURSE: u64 = 5;
const SEARCH: u64 = 6;
const NO_SEARCH: u64 = 7;
const DEBUG: u64 = 8;
const NO_DEBUG: u64 = 9;

/// RFC 6672: the canonical name of all names below.
const DNAME: u16 = 39;

/// What the command line says.
struct Lookup<'a> {
    types: Vec<u16>,
    operands: Vec<&'a [u8]>,
    port: u16,
    /// Milliseconds, where it is said.
    timeout: Option<u64>,
    attempts: Option<u64>,
    recurse: bool,
    search: bool,
    debug: bool,
}

/// A reply, its server, and the milliseconds that it took.
struct Reply {
    query: Vec<u8>,
    message: Vec<u8>,
    server: SocketAddr,
    took: u64,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let lookup = Lookup::parse(args.operands())?;
    let (host, server) = match lookup.operands[..] {
        [host] => (host, None),
        [host, server] => (host, Some(server)),
        _ => return Err(Error::usage()),
    };
    let mut servers = Servers::load();
    let mut port = lookup.port;
    if let Some(server) = server {
        let (name, own_port) = split_port(server);
        servers.addresses = vec![resolve(name, None)?];
        port = own_port.map_or(Ok(port), |word| sockets::port(word, b"udp"))?;
    }
    servers.timeout = lookup.timeout.unwrap_or(servers.timeout);
    servers.attempts = lookup.attempts.unwrap_or(servers.attempts);
    let address = addr::parse(host).ok();
    let types = match (&lookup.types[..], address) {
        ([], Some(_)) => vec![PTR],
        ([], None) => vec![A, AAAA],
        (types, _) => types.to_vec(),
    };
    // An address has a name of its own for questions.
    let names = match address {
        Some(address) => vec![reverse_name(address)],
        None if lookup.search => servers.candidates(host),
        None => vec![host.to_vec()],
    };
    let to: Vec<SocketAddr> = servers.addresses.iter().map(|&address| SocketAddr::new(address, port)).collect();
    let mut header = true;
    for (at, name) in names.iter().enumerate() {
        let mut replies = Vec::new();
        for &kind in &types {
            let mut query = query(random_id(), name, kind)
                .ok_or_else(|| Error::parts(&[b"'", &clean(name, b"", Shown::Caret), b"' is not a legal name"]))?;
            query[2] = u8::from(lookup.recurse);
            match ask(env, &to, &servers, query)? {
                Some(reply) => replies.push(reply),
                None => {
                    env.stdout.write(b";; connection timed out; no servers could be reached\n\n")?;
                    return Ok(ExitStatus::FAILURE);
                }
            }
        }
        // A name that does not exist may do so with the next domain.
        let is_unknown = replies.iter().all(|reply| reply.message[3] & 15 == NAME_ERROR);
        if is_unknown && at + 1 < names.len() {
            continue;
        }
        let mut ok = true;
        for (count, reply) in replies.iter().enumerate() {
            if core::mem::take(&mut header) {
                let server = reply.server;
                env.stdout.write(&text!("Server:\t\t", server.ip(), "\nAddress:\t", shown(server), "\n\n"))?;
            }
            if lookup.debug {
                env.stdout.write(&text!("Query #", count, " completed in ", reply.took, "ms:\n"))?;
            }
            let name = if is_unknown && address.is_none() { host } else { name };
            let (lines, found) = describe(reply, name, lookup.debug);
            env.stdout.write(&lines)?;
            ok &= found;
        }
        return Ok(ExitStatus::from_ok(ok));
    }
    Err(Error::usage())
}

/// `HOST:PORT`, `HOST#PORT` or `[ADDRESS]:PORT` in two parts.
fn split_port(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some((address, rest)) = word.strip_prefix(b"[").and_then(|rest| split_once(rest, b']')) {
        return (address, rest.strip_prefix(b":"));
    }
    let parts = split_once(word, b'#').or_else(|| split_once(word, b':').filter(|(_, rest)| !rest.contains(&b':')));
    parts.map_or((word, None), |(host, port)| (host, Some(port)))
}

fn shown(server: SocketAddr) -> Vec<u8> {
    match server.ip() {
        IpAddr::V4(address) => text!(address, ":", server.port()),
        IpAddr::V6(address) => text!("[", address, "]:", server.port()),
    }
}

impl<'a> Lookup<'a> {
    fn parse(words: &[&'a [u8]]) -> Result<Self> {
        let mut lookup = Self {
            types: Vec::new(),
            operands: Vec::new(),
            port: 53,
            timeout: None,
            attempts: None,
            recurse: true,
            search: true,
            debug: false,
        };
        for &word in words {
            let Some(option) = word.strip_prefix(b"-") else {
                lookup.operands.push(word);
                continue;
            };
            let (name, value) = split_once(option, b'=').map_or((option, None), |(name, value)| (name, Some(value)));
            let invalid = || Error::usage_because(&[b"invalid option '", word, b"'"]);
            let option = OPTIONS.number_of(name).ok_or_else(invalid)?;
            // The first four have a value, the others none.
            if (option < RECURSE) != value.is_some() {
                return Err(invalid());
            }
            let value = value.unwrap_or_default();
            match option {
                TYPE => lookup.types.push(record_type(value)?),
                PORT => lookup.port = parse_in_range(value, 1, 65_535)? as u16,
                TIMEOUT => lookup.timeout = Some(parse_in_range(value, 1, 3600)? * 1000),
                RETRY => lookup.attempts = Some(parse_in_range(value, 1, 100)?),
                RECURSE | NO_RECURSE => lookup.recurse = option == RECURSE,
                SEARCH | NO_SEARCH => lookup.search = option == SEARCH,
                _ => lookup.debug = option == DEBUG,
            }
        }
        Ok(lookup)
    }
}

fn record_type(word: &[u8]) -> Result<u16> {
    let upper = word.to_ascii_uppercase();
    let digits = upper.strip_prefix(b"TYPE").unwrap_or(&upper);
    let found = TYPES.number_of(&upper).or_else(|| parse_in_range(digits, 1, 65_535).ok());
    found.map(|kind| kind as u16).ok_or_else(|| Error::parts(&[b"invalid query type \"", word, b"\""]))
}

/// Asks the servers in turn for a reply that says something; a refusal is taken when no other server does better.
fn ask(env: &mut Env, to: &[SocketAddr], servers: &Servers, query: Vec<u8>) -> Result<Option<Reply>> {
    let mut refusal = None;
    for _ in 0..servers.attempts {
        for &server in to {
            let start = uptime_milliseconds();
            match exchange(&server, &query, servers.timeout) {
                Ok(message) => {
                    let took = uptime_milliseconds() - start;
                    let code = message[3] & 15;
                    let reply = Reply { query: query.clone(), message, server, took };
                    if matches!(code, 0 | NAME_ERROR) {
                        return Ok(Some(reply));
                    }
                    refusal = Some(reply);
                }
                Err(rbox_core::sys::Errno::TIMEDOUT) => {}
                Err(errno) => drop(env.warn(Error::on(text!("query to '", server.ip(), "'"), errno))),
            }
        }
        if refusal.is_some() {
            break;
        }
    }
    Ok(refusal)
}

/// The lines about a reply; false when the server could not answer.
fn describe(reply: &Reply, name: &[u8], debug: bool) -> (Vec<u8>, bool) {
    let message = &reply.message;
    let mut lines = Vec::new();
    let code = message[3] & 15;
    if code != 0 {
        push!(lines, "** server can't find ", clean(name, b"", Shown::Caret), ": ");
        match CODES.name_of(code.into()) {
            Some(name) => push!(lines, name, "\n\n"),
            None => push!(lines, "error ", code, "\n\n"),
        }
        return (lines, false);
    }
    // AA: the server's own zone.
    match (message[2] & 4 != 0, debug) {
        (false, _) => push!(lines, "Non-authoritative answer:\n"),
        (true, true) => push!(lines, "authoritative answer:\n"),
        (true, false) => {}
    }
    let mut records = Records::of(message, &reply.query);
    let (mut section, mut count) = (0, 0);
    for record in records.by_ref().filter(|record| debug || record.section == 0) {
        count += usize::from(record.section == 0);
        if record.section > section {
            section = record.section;
            push!(lines, if section == 1 { "authority records:\n" } else { "additional records:\n" });
        }
        // RFC 6891 6.1.1: no record of a name.
        if record.kind != 41 {
            push_record(&mut lines, message, &record);
            if debug {
                push!(lines, "\tttl = ", record.seconds, "\n");
            }
        }
    }
    if records.is_broken {
        push!(lines, "** the reply is broken\n\n");
        return (lines, false);
    }
    if count == 0 {
        push!(lines, "*** Can't find ", clean(name, b"", Shown::Caret), ": No answer\n");
    }
    lines.push(b'\n');
    (lines, true)
}

fn push_record(lines: &mut Vec<u8>, message: &[u8], record: &Record<'_>) {
    let start = lines.len();
    if push_known(lines, message, record).is_none() {
        // RFC 3597 5: the data of a type that is not known, or that is broken.
        lines.truncate(start);
        match TYPES.name_of(record.kind.into()) {
            Some(name) => push!(*lines, &record.name, "\t", name),
            None => push!(*lines, &record.name, "\tTYPE", record.kind),
        }
        push!(*lines, " = \\# ", record.data.len(), " ", rbox_core::hash::hex(record.data), "\n");
    }
}

/// `None` when the data do not fit their type.
fn push_known(lines: &mut Vec<u8>, message: &[u8], record: &Record<'_>) -> Option<()> {
    let (data, owner) = (record.data, &record.name);
    let name = |offset: usize| read_name(message, record.at + offset).map(|(name, _)| dotted(name));
    match record.kind {
        A | AAAA => push!(*lines, "Name:\t", owner, "\nAddress: ", record.address()?, "\n"),
        NS | CNAME | DNAME | PTR | MX | SRV => {
            // Some numbers of 16 bits, then a name.
            let (title, numbers) = match record.kind {
                NS => ("nameserver", 0),
                PTR => ("name", 0),
                MX => ("mail exchanger", 1),
                SRV => ("service", 3),
                _ => ("canonical name", 0),
            };
            push!(*lines, owner, "\t", title, " = ");
            for at in 0..numbers {
                push!(*lines, number(data, 2 * at)?, " ");
            }
            push!(*lines, name(2 * numbers)?, "\n");
        }
        // 99 is SPF, 13 HINFO.
        TXT | 99 | 13 => {
            push!(*lines, owner, if record.kind == 13 { "\thost =" } else { "\ttext =" });
            push_strings(lines, data)?;
            lines.push(b'\n');
        }
        // RFC 8659 4.1: flags, a tag with its length, a value.
        257 => {
            let (flags, length) = (*data.first()?, usize::from(*data.get(1)?));
            push!(*lines, owner, "\tcaa = ", flags, " ");
            push_escaped(lines, data.get(2..2 + length)?, b"");
            lines.extend_from_slice(b" \"");
            push_escaped(lines, &data[2 + length..], b"\"");
            lines.extend_from_slice(b"\"\n");
        }
        // RFC 3403 4.1: order, preference, flags, services, expression, replacement.
        35 => {
            push!(*lines, owner, "\tnaptr = ", number(data, 0)?, " ", number(data, 2)?);
            let mut end = 4;
            for _ in 0..3 {
                end += 1 + usize::from(*data.get(end)?);
            }
            push_strings(lines, data.get(4..end)?)?;
            push!(*lines, " ", name(end)?, "\n");
        }
        SOA => {
            let (origin, end) = read_name(message, record.at)?;
            let (mail, end) = read_name(message, end)?;
            push!(*lines, owner, "\n\torigin = ", dotted(origin), "\n\tmail addr = ", dotted(mail), "\n");
            let mut at = end;
            for field in ["serial", "refresh", "retry", "expire", "minimum"] {
                let value = u32::from(number(message, at)?) << 16 | u32::from(number(message, at + 2)?);
                push!(*lines, "\t", field, " = ", value, "\n");
                at += 4;
            }
        }
        _ => return None,
    }
    Some(())
}

/// The root has a dot for a name.
fn dotted(name: Vec<u8>) -> Vec<u8> {
    if name.is_empty() { b".".to_vec() } else { name }
}

/// Character strings (RFC 1035 3.3), each in quotes.
fn push_strings(lines: &mut Vec<u8>, mut data: &[u8]) -> Option<()> {
    while let Some((&length, rest)) = data.split_first() {
        let (string, after) = rest.split_at_checked(length.into())?;
        lines.extend_from_slice(b" \"");
        push_escaped(lines, string, b"\"\\");
        lines.push(b'"');
        data = after;
    }
    Some(())
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let Some(query) = query(0, b"x.ab", A) else { return };
    let message = [&b"\0\0\x81\x80\0\x01\0\x09\0\x01\0\x01"[..], &query[12..], data].concat();
    let server = SocketAddr::from(([127, 0, 0, 1], 53));
    describe(&Reply { query, message, server, took: 0 }, b"x.ab", true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(rest: &[u8]) -> Reply {
        let query = query(1, b"x.ab", A).expect("a name");
        let message = [&b"\0\x01\x85\x80\0\x01\0\x01\0\0\0\0"[..], &query[12..], rest].concat();
        Reply { query, message, server: SocketAddr::from(([127, 0, 0, 1], 53)), took: 0 }
    }

    fn lines(kind: u8, data: &[u8]) -> String {
        let record = [&b"\xc0\x0c\0"[..], &[kind], b"\0\x01\0\0\0\x09\0", &[data.len() as u8], data].concat();
        String::from_utf8(describe(&reply(&record), b"x.ab", false).0).expect("ASCII")
    }

    #[test]
    fn records_have_the_form_of_their_type() {
        assert_eq!(lines(15, b"\0\x0a\x01m\xc0\x0c"), "x.ab\tmail exchanger = 10 m.x.ab\n\n");
        assert_eq!(lines(16, b"\x02hi\x03a\x1bb"), "x.ab\ttext = \"hi\" \"a\\027b\"\n\n");
        assert_eq!(lines(33, b"\0\x01\0\x02\0\x50\0"), "x.ab\tservice = 1 2 80 .\n\n");
        assert_eq!(lines(35, b"\0\x01\0\x02\x01u\x01s\x02!!\0"), "x.ab\tnaptr = 1 2 \"u\" \"s\" \"!!\" .\n\n");
    }

    #[test]
    fn broken_data_are_hexadecimal() {
        assert_eq!(lines(15, b"\0"), "x.ab\tMX = \\# 1 00\n\n");
        assert_eq!(lines(16, b"\x05ab"), "x.ab\tTXT = \\# 3 056162\n\n");
        assert_eq!(lines(2, b"\xc0\x21"), "x.ab\tNS = \\# 2 c021\n\n");
        assert_eq!(lines(250, b"\x01\xff"), "x.ab\tTYPE250 = \\# 2 01ff\n\n");
    }

    #[test]
    fn a_reply_that_ends_early_is_broken() {
        let (text, found) = describe(&reply(b"\xc0\x0c\0"), b"x.ab", false);
        assert_eq!((text.as_slice(), found), (&b"** the reply is broken\n\n"[..], false));
    }

    #[test]
    fn servers_may_have_ports() {
        assert_eq!(split_port(b"10.0.0.1:54"), (&b"10.0.0.1"[..], Some(&b"54"[..])));
        assert_eq!(split_port(b"[::1]:54"), (&b"::1"[..], Some(&b"54"[..])));
        assert_eq!(split_port(b"::1"), (&b"::1"[..], None));
    }
}
