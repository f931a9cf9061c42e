//! `udhcpc6`: get an address, a prefix or other settings for an interface by DHCP for IPv6 (RFC 8415).
//!
//! The script is called with `deconfig`, `bound`, `renew`, `nak` or `leasefail`; the server's answer is in its environment:
//! `ipv6`, `lease`, `ipv6prefix`, `dns`, `search` and the like.

use core::net::IpAddr;

use rbox_core::net::addr;
use rbox_core::prelude::*;

use crate::dhcp::client6::Client;
use crate::dhcp::common::Common;
use crate::dhcp::packet6;

options! {
    "[OPTION]...

Configure an interface by DHCP for IPv6; SCRIPT is run with each event. SIGUSR1 renews the lease, SIGUSR2 releases it.

  -i, --interface=IFACE  Use IFACE (eth0)
  -s, --script=SCRIPT    Run SCRIPT (/usr/share/udhcpc/default6.script)
  -p, --pidfile=FILE     Write the PID to FILE
  -t, --retries=N        Send each message up to N times (3)
  -T, --timeout=SEC      Wait SEC seconds between them (3)
  -A, --tryagain=SEC     Wait SEC seconds after a failure (20)
  -n, --now              Exit if no lease is obtained
  -q, --quit             Exit after obtaining a lease
  -R, --release          Release the lease on exit
  -f, --foreground       Run in the foreground
  -b, --background       Go to the background if no lease is obtained
  -S, --syslog           Log to syslog too
  -v                     Print more messages
  -r, --request=ADDRESS  Request this address; no to request none
  -d, --request-prefix   Request a prefix
  -l, --stateless        Request options alone
  -o, --no-default-options  Request only options given by -O
  -O, --request-option=OPT  Request OPT, a name or number
  -x OPT:VALUE           Send OPT: fqdn:NAME, 0x3d:HEX, 14:'\"TEXT\"'
  -P, --client-port=PORT  Listen on PORT (546)
  -B, --broadcast        Ignored; accepted for compatibility";
    INTERFACE = "-i",
    SCRIPT = "-s",
    PID_FILE = "-p",
    RETRIES = "-t",
    TIMEOUT = "-T",
    TRY_AGAIN = "-A",
    NOW = "-n",
    QUIT = "-q",
    RELEASE = "-R",
    FOREGROUND = "-f",
    BACKGROUND = "-b",
    SYSLOG = "-S",
    VERBOSE = "-v",
    REQUEST = "-r",
    PREFIX = "-d",
    STATELESS = "-l",
    NO_DEFAULTS = "-o",
    WANTED = "-O",
    EXTRA = "-x",
    PORT = "-P",
    "-B" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut client = new_client(args)?;
    client.common.begin(env)?;
    client.run(env)
}

fn new_client<'a>(args: &Args<'a>) -> Result<Client<'a>> {
    let options = [
        INTERFACE, SCRIPT, RETRIES, PID_FILE, TIMEOUT, TRY_AGAIN, PORT, NOW, QUIT, RELEASE, BACKGROUND, FOREGROUND,
        SYSLOG, VERBOSE,
    ];
    let (common, link) = Common::new(args, options, b"/usr/share/udhcpc/default6.script", 546)?;
    if link.address.len() < 4 {
        return Err(Error::parts(&[common.interface, b": no hardware address"]));
    }
    let address = match args.value(REQUEST) {
        None => Some(None),
        Some(b"no") => None,
        Some(word) => match addr::parse(word)? {
            IpAddr::V6(address) => Some(Some(address)),
            IpAddr::V4(_) => return Err(Error::parts(&[b"bad address '", word, b"'"])),
        },
    };
    let mut association = [0; 4];
    association.copy_from_slice(&link.address[link.address.len() - 4..]);
    Ok(Client {
        common,
        // RFC 8415 11.4: type 3, the kind of hardware, its address.
        id: [&[0, 3], &link.hardware.to_be_bytes()[..], &link.address].concat(),
        association,
        extra: args.values(EXTRA).map(packet6::parse_option).collect::<Result<Vec<_>>>()?.concat(),
        wanted: wanted(args)?,
        address,
        prefix: args.has(PREFIX),
        stateless: args.has(STATELESS),
    })
}

fn wanted(args: &Args<'_>) -> Result<Vec<u16>> {
    let mut codes = if args.has(NO_DEFAULTS) { Vec::new() } else { packet6::DEFAULTS.to_vec() };
    if args.has(STATELESS) {
        // RFC 8415 21.23: it must be asked for.
        codes.push(packet6::REFRESH);
    }
    for word in args.values(WANTED) {
        codes.push(packet6::option_code(word).ok_or_else(|| Error::parts(&[b"unknown option '", word, b"'"]))?);
    }
    Ok(codes)
}
