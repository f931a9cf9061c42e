//! `udhcpc`: get the interface's address by DHCP (RFC 2131), and pass it to a script.
//!
//! The script is called with `deconfig`, `bound`, `renew`, `nak` or `leasefail`; the server's answer is in its environment.

use rbox_core::number;
use rbox_core::prelude::*;

use crate::dhcp::client::Client;
use crate::dhcp::common::Common;
use crate::dhcp::{options, packet};

options! {
    "[OPTION]...

Configure an interface by DHCP; SCRIPT is run with each event.

  -i, --interface=IFACE  Use IFACE (eth0)
  -s, --script=SCRIPT    Run SCRIPT (/usr/share/udhcpc/default.script)
  -p, --pidfile=FILE     Write the PID to FILE
  -B, --broadcast        Request broadcast replies
  -t, --retries=N        Send up to N discover packets (3)
  -T, --timeout=SEC      Wait SEC seconds between them (3)
  -A, --tryagain=SEC     Wait SEC seconds after a failure (20)
  -n, --now              Exit if no lease is obtained
  -q, --quit             Exit after obtaining a lease
  -R, --release          Release the lease on exit
  -f, --foreground       Run in the foreground
  -a, --arping[=MSEC]    Check the address by ARP for MSEC milliseconds (2000)
  -v                     Print more messages
  -b, --background       Go to the background if no lease is obtained
  -S, --syslog           Log to syslog too
  -r, --request=IP       Request this address
  -o, --no-default-options  Request only options given by -O
  -O, --request-option=OPT  Request OPT, a name or number
  -x OPT:VALUE           Send OPT: hostname:NAME, lease:3600, 0x3d:HEX, 14:'\"TEXT\"'
  -F, --fqdn=NAME        Ask the server to register NAME in DNS
  -V, --vendorclass=VENDOR  Set the vendor class (udhcp rbox)
  -C, --clientid-none    Send no client identifier
  -P, --client-port=PORT  Listen on PORT (68)";
    INTERFACE = "-i",
    SCRIPT = "-s",
    PID_FILE = "-p",
    BROADCAST = "-B",
    RETRIES = "-t",
    TIMEOUT = "-T",
    TRY_AGAIN = "-A",
    NOW = "-n",
    QUIT = "-q",
    RELEASE = "-R",
    FOREGROUND = "-f",
    ARPING = "-a",
    VERBOSE = "-v",
    BACKGROUND = "-b",
    SYSLOG = "-S",
    REQUEST = "-r",
    NO_DEFAULTS = "-o",
    WANTED = "-O",
    EXTRA = "-x",
    FULL_NAME = "-F",
    VENDOR = "-V",
    NO_CLIENT_ID = "-C",
    PORT = "-P",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut client = new_client(args)?;
    client.common.begin(env)?;
    client.call_script(env, b"deconfig", None)?;
    client.run(env)
}

fn new_client<'a>(args: &Args<'a>) -> Result<Client<'a>> {
    let options = [
        INTERFACE, SCRIPT, RETRIES, PID_FILE, TIMEOUT, TRY_AGAIN, PORT, NOW, QUIT, RELEASE, BACKGROUND, FOREGROUND,
        SYSLOG, VERBOSE,
    ];
    let (common, link) = Common::new(args, options, b"/usr/share/udhcpc/default.script", 68)?;
    let hardware = <[u8; 6]>::try_from(link.address.as_slice())
        .map_err(|_| Error::parts(&[common.interface, b": no Ethernet interface"]))?;
    let arping = match args.value(ARPING) {
        Some(word) => number::parse_in_range(word, 0, 60_000)?,
        None => 2000,
    };
    let mut seed = [0; 4];
    rbox_core::sys::rand::getrandom(&mut seed, rbox_core::sys::rand::GetRandomFlags::empty())
        .map_err(|errno| Error::on("getrandom", errno))?;
    Ok(Client {
        common,
        hardware,
        arping: args.has(ARPING).then_some(arping),
        identity: identity(args, &hardware)?,
        wanted: wanted(args)?,
        broadcast: args.has(BROADCAST),
        request: args.value(REQUEST).map(rbox_core::net::addr::parse_v4).transpose()?,
        xid: u32::from_ne_bytes(seed),
    })
}

/// Options that identify the client: client identifier (RFC 2132 9.14), vendor class, names, and those of -x.
fn identity(args: &Args<'_>, hardware: &[u8; 6]) -> Result<Vec<u8>> {
    let mut options = Vec::new();
    let mut extra = Vec::new();
    for word in args.values(EXTRA) {
        extra.extend_from_slice(&options::parse_option(word)?);
    }
    if !args.has(NO_CLIENT_ID) && !packet::options(&extra).any(|(code, _)| code == packet::CLIENT_ID) {
        packet::push_option(&mut options, packet::CLIENT_ID, &[&[1][..], hardware].concat());
    }
    let vendor = args.value(VENDOR).unwrap_or(concat!("udhcp rbox ", env!("CARGO_PKG_VERSION")).as_bytes());
    if !vendor.is_empty() {
        packet::push_option(&mut options, packet::VENDOR_CLASS, vendor);
    }
    if let Some(name) = args.value(FULL_NAME) {
        // RFC 4702 2.1: flag S, the server updates the A record; the name in plain text.
        packet::push_option(&mut options, packet::FULL_NAME, &[&[1, 0, 0][..], name].concat());
    }
    options.extend_from_slice(&extra);
    Ok(options)
}

fn wanted(args: &Args<'_>) -> Result<Vec<u8>> {
    let mut codes = if args.has(NO_DEFAULTS) { Vec::new() } else { options::DEFAULTS.to_vec() };
    for word in args.values(WANTED) {
        codes.push(options::option_code(word).ok_or_else(|| Error::parts(&[b"unknown option '", word, b"'"]))?);
    }
    Ok(codes)
}
