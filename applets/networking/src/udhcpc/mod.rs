//! `udhcpc`: get the interface's address by DHCP (RFC 2131), and pass it to a script.
//!
//! The script is called with `deconfig`, `bound`, `renew`, `nak` or `leasefail`; the server's answer is in its environment.

mod arp;
mod lease;
mod packet;
mod session;

#[cfg(fuzzing)]
pub use packet::fuzz;

use rbox_core::net::netlink::{Netlink, UP};
use rbox_core::number;
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::sys::signal_queue::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SignalQueue};
use rbox_core::syslog;
use rbox_core::term::{Shown, clean};

use lease::Lease;
use packet::{Kind, Message};
use session::Session;

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

/// What the command line asks for.
struct Client<'a> {
    interface: &'a [u8],
    index: u32,
    hardware: [u8; 6],
    script: &'a [u8],
    retries: u64,
    /// Milliseconds.
    timeout: u64,
    try_again: u64,
    /// For how many milliseconds to ask by ARP who has the address.
    arping: Option<u64>,
    port: u16,
    /// Options of every packet: client identifier, vendor class, names.
    identity: Vec<u8>,
    /// The codes of the parameter request list.
    wanted: Vec<u8>,
    /// Log to syslog too.
    syslog: bool,
    verbose: bool,
    signals: SignalQueue,
    xid: u32,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let client = Client::new(args)?;
    let request = args.value(REQUEST).map(rbox_core::net::addr::parse_v4).transpose()?;
    if let Some(path) = args.value(PID_FILE) {
        write_pid(path)?;
    }
    client.log(env, b"started");
    client.call_script(env, b"deconfig", None)?;
    Session { client, args, request, background: args.has(FOREGROUND) }.run(env)
}

fn write_pid(path: &[u8]) -> Result<()> {
    let mut file = rbox_core::io::Output::create(path)?;
    file.write_number(process::getpid().as_raw_nonzero().get() as u64)?;
    file.write(b"\n")?;
    file.flush()
}

impl<'a> Client<'a> {
    fn new(args: &Args<'a>) -> Result<Self> {
        let interface = args.value(INTERFACE).unwrap_or(b"eth0");
        let netlink = Netlink::open()?;
        let link = netlink.link(interface)?;
        let hardware = <[u8; 6]>::try_from(link.address.as_slice())
            .map_err(|_| Error::parts(&[interface, b": no Ethernet interface"]))?;
        if link.flags & UP == 0 {
            netlink.set_link(link.index, UP, UP, &[]).map_err(|errno| Error::on(interface, errno))?;
        }
        let number = |option, default, most| match args.value(option) {
            Some(word) => number::parse_in_range(word, 0, most),
            None => Ok(default),
        };
        let mut seed = [0; 4];
        rbox_core::sys::rand::getrandom(&mut seed, rbox_core::sys::rand::GetRandomFlags::empty())
            .map_err(|errno| Error::on("getrandom", errno))?;
        Ok(Self {
            interface,
            index: link.index,
            hardware,
            script: args.value(SCRIPT).unwrap_or(b"/usr/share/udhcpc/default.script"),
            retries: number(RETRIES, 3, 1_000_000)?,
            timeout: number(TIMEOUT, 3, 86_400)? * 1000,
            try_again: number(TRY_AGAIN, 20, 1_000_000)? * 1000,
            arping: if args.has(ARPING) { Some(number(ARPING, 2000, 60_000)?) } else { None },
            port: number(PORT, 68, 65_535)? as u16,
            identity: identity(args, &hardware)?,
            wanted: wanted(args)?,
            syslog: args.has(SYSLOG),
            verbose: args.has(VERBOSE),
            // Blocked and queued from now on: none is lost between two waits.
            signals: SignalQueue::open(&[SIGTERM, SIGINT, SIGUSR1, SIGUSR2])?,
            xid: u32::from_ne_bytes(seed),
        })
    }

    /// A log line goes to standard error, with -S to syslog too.
    fn log(&self, env: &mut Env, text: &[u8]) {
        // Part of it may be what a server sent.
        let text = &clean(text, b"", Shown::Caret)[..];
        // A dead standard error can be reported nowhere.
        let _ = env.stderr.write(&[&env.name, &b": "[..], text, b"\n"].concat());
        if self.syslog {
            syslog::log(syslog::DAEMON_INFO, &env.name, text);
        }
    }

    /// The same, with -v only.
    fn explain(&self, env: &mut Env, text: &[u8]) {
        if self.verbose {
            self.log(env, text);
        }
    }

    /// Calls the script with the lease in its environment, and waits for it.
    fn call_script(&self, env: &mut Env, event: &[u8], lease: Option<&Lease>) -> Result<()> {
        let mut vars: Vec<Vec<u8>> = env.vars.words().iter().map(|word| word.to_vec()).collect();
        vars.push([b"interface=", self.interface].concat());
        if let Some(lease) = lease {
            vars.extend(lease.vars());
        }
        let vars: Vec<&[u8]> = vars.iter().map(Vec::as_slice).collect();
        let words = [self.script, event];
        let child = process::fork_run(|| {
            self.signals.release();
            let errno = process::exec(self.script, &words, &vars);
            self.log(env, Error::cannot("execute", self.script, errno).message());
            127
        });
        let pid = child.map_err(|errno| Error::on("can't fork", errno))?;
        process::wait_for(pid).map(drop).map_err(|errno| Error::on("wait", errno))
    }

    fn message(&self, kind: Kind) -> Message {
        let mut message = Message::request(kind, self.xid, self.hardware);
        message.options.extend_from_slice(&self.identity);
        message
    }
}

/// Options that identify the client: client identifier (RFC 2132 9.14), vendor class, names, and those of -x.
fn identity(args: &Args<'_>, hardware: &[u8; 6]) -> Result<Vec<u8>> {
    let mut options = Vec::new();
    let mut extra = Vec::new();
    for word in args.values(EXTRA) {
        extra.extend_from_slice(&lease::parse_option(word)?);
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
    let mut codes = if args.has(NO_DEFAULTS) { Vec::new() } else { lease::DEFAULTS.to_vec() };
    for word in args.values(WANTED) {
        codes.push(lease::option_code(word).ok_or_else(|| Error::parts(&[b"unknown option '", word, b"'"]))?);
    }
    Ok(codes)
}
