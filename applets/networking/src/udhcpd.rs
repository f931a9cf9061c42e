//! `udhcpd`: give addresses to other hosts by DHCP (RFC 2131).

use core::net::IpAddr;

use rbox_core::io;
use rbox_core::net::addr::parse_v4;
use rbox_core::net::netlink::Netlink;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::signal_queue::{SIGINT, SIGTERM, SIGUSR1, SignalQueue};
use rbox_core::text;

use crate::dhcp::config::{Config, MAX_LEASES};
use crate::dhcp::daemon::{Daemon, wall};
use crate::dhcp::leases::{self, Leases};
use crate::dhcp::packet;
use crate::dhcp::script::{Log, go_to_background, write_pid};
use crate::dhcp::server::Server;

options! {
    "[-fS] [-I ADDRESS] [-a MSEC] [-P PORT] [FILE]

Serve DHCP as FILE (/etc/udhcpd.conf) says: start, end, interface, max_leases, auto_time, decline_time, conflict_time,
offer_time, min_lease, lease_file, pidfile, notify_file, siaddr, sname, boot_file, static_lease, option.
SIGUSR1 writes the lease file.

  -f          Run in the foreground
  -S          Log to syslog too
  -I ADDRESS  Use this address as the server's (the interface's first)
  -a MSEC     Check new addresses by ARP for MSEC milliseconds (2000)
  -P PORT     Listen on PORT (67); clients have the next one";
    FOREGROUND = "-f",
    SYSLOG = "-S",
    OWN = "-I",
    ARPING = "-a",
    PORT = "-P",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(b"/etc/udhcpd.conf");
    let mut config = Config::parse(path, &io::read_file(path)?)?;
    let log = Log { syslog: args.has(SYSLOG), verbose: false };
    let number = |option, default, most| args.value(option).map_or(Ok(default), |word| parse_in_range(word, 0, most));
    let (port, arping) = (number(PORT, 67, 65_534)? as u16, number(ARPING, 2000, 60_000)?);
    let netlink = Netlink::open()?;
    let link = netlink.link(&config.interface)?;
    let own = match args.value(OWN) {
        Some(word) => parse_v4(word)?,
        None => {
            let addresses = netlink.addresses(2)?;
            let own = addresses.iter().find(|address| address.index == link.index).map(|address| address.local);
            let Some(IpAddr::V4(own)) = own else { return Err(Error::parts(&[&link.name, b": no IPv4 address"])) };
            own
        }
    };
    let hardware = <[u8; 6]>::try_from(link.address.as_slice())
        .map_err(|_| Error::parts(&[&link.name, b": no Ethernet interface"]))?;
    log.say(env, b"started");
    let size = config.end.to_bits() - config.start.to_bits();
    if config.numbers[MAX_LEASES] > size {
        let most = size.saturating_add(1);
        if config.numbers[MAX_LEASES] > most {
            let given = config.numbers[MAX_LEASES];
            log.say(env, &text!("max_leases=", given, " is too big, setting to ", most));
        }
        config.numbers[MAX_LEASES] = most;
    }
    let now = rbox_core::daemon::uptime_milliseconds() / 1000;
    let known = leases::read(&config.lease_file, wall(), now, config.numbers[MAX_LEASES] as usize);
    let leases = known.unwrap_or_else(|error| {
        // The first start has none.
        log.say(env, error.message());
        Leases::new()
    });
    let socket = packet::listen(&config.interface, port)?;
    let raw = packet::raw_sender()?;
    if !args.has(FOREGROUND) {
        // The directory stays: names of files in FILE may be relative.
        go_to_background(None)?;
        rbox_core::daemon::open_standard_streams(b"/dev/null", OFlags::RDWR)?;
    }
    write_pid(&config.pid_file)?;
    // Blocked and queued from now on: none is lost between two waits.
    let signals = SignalQueue::open(&[SIGTERM, SIGINT, SIGUSR1])?;
    let server = Server { config, own, leases };
    Daemon { server, index: link.index, hardware, port, arping, log, signals, socket, raw, probes: Vec::new() }.run(env)
}
