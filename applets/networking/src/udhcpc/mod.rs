//! `udhcpc`: get the interface's address by DHCP (RFC 2131), and tell it to a script.
//!
//! The script is called with `deconfig`, `bound`, `renew`, `nak` or `leasefail`; what the server said is in its environment.

mod lease;
mod packet;

use core::net::Ipv4Addr;
use core::time::Duration;

use rbox_core::net::netlink::{Netlink, UP};
use rbox_core::number;
use rbox_core::prelude::*;
use rbox_core::syslog;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::{event, fs, process};
use rbox_core::time::Moment;

use lease::Lease;
use packet::{Kind, Message};

options! {
    "[-fbqRnBSoC] [-i IFACE] [-s SCRIPT] [-p PIDFILE] [-r IP] [-t N] [-T SEC] [-A SEC] [-O OPT]... [-x OPT:VAL]... [-F NAME] [-V VENDOR] [-P PORT]

Get an address for an interface by DHCP, and call a script with what came.

  -i, --interface=IFACE   The interface (default eth0)
  -s, --script=SCRIPT     The script (default /usr/share/udhcpc/default.script)
  -p, --pidfile=FILE      Write the process number to FILE
  -B, --broadcast         Ask for answers by broadcast
  -t, --retries=N         Send N discover packets in a row (default 3)
  -T, --timeout=SEC       Wait SEC for an answer (default 3)
  -A, --tryagain=SEC      Wait SEC after a row without answer (default 20)
  -n, --now               End when there is no lease after a row
  -q, --quit              End when there is a lease
  -R, --release           Give the lease back at the end
  -f, --foreground        Stay in the foreground
  -b, --background        Go to the background when there is no lease after a row
  -S, --syslog            Log to syslog too
  -r, --request=IP        Ask for this address
  -o, --no-default-options  Ask for the options of -O only
  -O, --request-option=OPT  Ask for this option, by name or number
  -x OPT:VALUE            Send this option: hostname:NAME, 0xNN:HEX, clientid as 0x3d:HEX
  -F, --fqdn=NAME         Ask the server to enter NAME into DNS
  -V, --vendorclass=VENDOR  Vendor class (default udhcp rbox)
  -C, --clientid-none     Send no client identifier
  -P, --client-port=PORT  Listen on PORT (default 68)";
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
    timeout: Duration,
    try_again: Duration,
    port: u16,
    /// Options of every packet: client identifier, vendor class, names.
    identity: Vec<u8>,
    /// The codes of the parameter request list.
    wanted: Vec<u8>,
    /// Log to syslog too.
    syslog: bool,
    xid: u32,
}

/// What ended a wait.
enum Event {
    Answer(Message),
    Timeout,
    Renew,
    Release,
    Stop,
}

const SIGNALS: [i32; 4] = [15, 2, 10, 12];

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let client = Client::new(args)?;
    let request = args.value(REQUEST).map(rbox_core::net::addr::parse_v4).transpose()?;
    if let Some(path) = args.value(PID_FILE) {
        write_pid(path)?;
    }
    for signal in SIGNALS {
        signal::set(signal, Disposition::Note).map_err(|errno| Error::on("sigaction", errno))?;
    }
    client.log(env, b"started");
    client.call_script(env, b"deconfig", None)?;
    let mut daemon = Daemon { client, args, request, background: args.has(FOREGROUND) };
    daemon.run(env)
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
            timeout: Duration::from_secs(number(TIMEOUT, 3, 86_400)?),
            try_again: Duration::from_secs(number(TRY_AGAIN, 20, 1_000_000)?),
            port: number(PORT, 68, 65_535)? as u16,
            identity: identity(args, &hardware)?,
            wanted: wanted(args)?,
            syslog: args.has(SYSLOG),
            xid: u32::from_ne_bytes(seed),
        })
    }

    /// A log line goes to standard error, with -S to syslog too.
    fn log(&self, env: &mut Env, text: &[u8]) {
        // There is no one left to tell that standard error is dead.
        let _ = env.stderr.write(&[&env.name, &b": "[..], text, b"\n"].concat());
        if self.syslog {
            syslog::log(syslog::DAEMON_INFO, &env.name, text);
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
            let errno = process::exec(self.script, &words, &vars);
            self.log(env, &Error::cannot("execute", self.script, errno).message());
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

/// Options that say who asks: client identifier (RFC 2132 9.14), vendor class, names, and those of -x.
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

/// The state of RFC 2131 figure 5, as a sequence of steps.
struct Daemon<'a> {
    client: Client<'a>,
    args: &'a Args<'a>,
    request: Option<Ipv4Addr>,
    /// The process is where it shall stay: told to, or gone to the background.
    background: bool,
}

impl Daemon<'_> {
    fn run(&mut self, env: &mut Env) -> Outcome {
        loop {
            let Some(lease) = self.discover(env)? else {
                if self.args.has(NOW) {
                    return self.fail(env);
                }
                if self.args.has(BACKGROUND) && !self.background {
                    self.client.log(env, b"no lease, forking to background");
                    self.go_to_background()?;
                }
                match self.wait(None, self.client.try_again)? {
                    Event::Stop => return self.stop(env, None),
                    _ => continue,
                }
            };
            self.client.call_script(env, b"bound", Some(&lease))?;
            if self.args.has(QUIT) {
                if self.args.has(RELEASE) {
                    self.release(env, &lease)?;
                }
                return Ok(ExitStatus::SUCCESS);
            }
            if !self.background {
                self.go_to_background()?;
            }
            if let Some(status) = self.hold(env, lease)? {
                return Ok(status);
            }
        }
    }

    fn fail(&self, env: &mut Env) -> Outcome {
        self.client.log(env, b"no lease, failing");
        Ok(ExitStatus::FAILURE)
    }

    fn go_to_background(&mut self) -> Result<()> {
        if process::fork().map_err(|errno| Error::on("can't fork", errno))?.is_some() {
            process::exit_now(0);
        }
        process::setsid().map_err(|errno| Error::on("setsid", errno))?;
        self.background = true;
        match self.args.value(PID_FILE) {
            Some(path) => write_pid(path),
            None => Ok(()),
        }
    }

    /// RFC 2131 4.4.1: discover, take the first offer, request it. `None` when nobody answered.
    fn discover(&mut self, env: &mut Env) -> Result<Option<Lease>> {
        let socket = packet::Socket::raw(self.client.index, self.client.port)?;
        for _ in 0..self.client.retries {
            let mut discover = self.client.message(Kind::Discover);
            if let Some(address) = self.request {
                packet::push_option(&mut discover.options, packet::REQUESTED, &address.octets());
            }
            self.finish(&mut discover);
            self.client.log(env, b"broadcasting discover");
            socket.broadcast(&discover)?;
            let Event::Answer(offer) = self.await_answer(&socket, &[Kind::Offer], self.client.timeout)? else { continue };
            if let Some(lease) = self.select(env, &socket, &offer)? {
                return Ok(Some(lease));
            }
        }
        self.client.call_script(env, b"leasefail", None)?;
        Ok(None)
    }

    fn select(&self, env: &mut Env, socket: &packet::Socket, offer: &Message) -> Result<Option<Lease>> {
        let server = offer.option(packet::SERVER).unwrap_or(&[0; 4]).to_vec();
        let mut request = self.client.message(Kind::Request);
        packet::push_option(&mut request.options, packet::REQUESTED, &offer.your.octets());
        packet::push_option(&mut request.options, packet::SERVER, &server);
        self.finish(&mut request);
        let server = <[u8; 4]>::try_from(server.as_slice()).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from);
        for _ in 0..self.client.retries {
            self.client.log(env, format!("broadcasting select for {}, server {server}", offer.your).as_bytes());
            socket.broadcast(&request)?;
            match self.await_answer(socket, &[Kind::Ack, Kind::Nak], self.client.timeout)? {
                Event::Answer(answer) if answer.kind() == Some(Kind::Ack) => {
                    let lease = Lease::new(answer);
                    let seconds = lease.seconds();
                    self.client.log(env, format!("lease of {} obtained from {server}, lease time {seconds}", offer.your).as_bytes());
                    return Ok(Some(lease));
                }
                Event::Answer(answer) => {
                    self.client.log(env, b"received DHCP NAK");
                    self.client.call_script(env, b"nak", Some(&Lease::new(answer)))?;
                    return Ok(None);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn finish(&self, message: &mut Message) {
        message.broadcast = self.args.has(BROADCAST);
        if !self.client.wanted.is_empty() {
            packet::push_option(&mut message.options, packet::WANTED, &self.client.wanted);
        }
        packet::push_option(&mut message.options, packet::MAX_SIZE, &576u16.to_be_bytes());
    }

    /// RFC 2131 4.4.5: renew from half of the lease, by broadcast from seven eighths, until it ends.
    ///
    /// A status ends the program; `None` starts again.
    fn hold(&mut self, env: &mut Env, mut lease: Lease) -> Result<Option<ExitStatus>> {
        let mut start = Moment::now().seconds;
        loop {
            let end = i64::from(lease.seconds());
            let (half, late) = (end / 2, end * 7 / 8);
            let passed = Moment::now().seconds - start;
            let pause = if passed < half { half - passed } else { ((if passed < late { late } else { end }) - passed) / 2 };
            let pause = Duration::from_secs(pause.max(if passed < half { 1 } else { 60.min((end - passed).max(1)) }) as u64);
            match self.wait(None, pause)? {
                Event::Stop => return self.stop(env, Some(&lease)).map(Some),
                Event::Release => {
                    self.release(env, &lease)?;
                    // RFC 2131 has no state for it; the client waits until it is told to renew.
                    loop {
                        match self.wait(None, Duration::from_secs(1 << 30))? {
                            Event::Stop => return self.stop(env, None).map(Some),
                            Event::Renew => return Ok(None),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
            let passed = Moment::now().seconds - start;
            if passed >= end {
                self.client.log(env, b"lease lost, entering init state");
                self.client.call_script(env, b"deconfig", None)?;
                return Ok(None);
            }
            match self.renew(env, &lease, passed < late)? {
                Some(answer) if answer.kind() == Some(Kind::Ack) => {
                    lease = Lease::new(answer);
                    start = Moment::now().seconds;
                    self.client.call_script(env, b"renew", Some(&lease))?;
                }
                Some(answer) => {
                    self.client.log(env, b"received DHCP NAK");
                    self.client.call_script(env, b"nak", Some(&Lease::new(answer)))?;
                    self.client.call_script(env, b"deconfig", None)?;
                    return Ok(None);
                }
                None => {}
            }
        }
    }

    fn renew(&self, env: &mut Env, lease: &Lease, unicast: bool) -> Result<Option<Message>> {
        let mut request = self.client.message(Kind::Request);
        request.client = lease.address();
        self.finish(&mut request);
        let server = lease.server().filter(|_| unicast);
        self.client.log(env, format!("sending renew to server {}", server.unwrap_or(Ipv4Addr::BROADCAST)).as_bytes());
        let socket = match server {
            Some(server) => packet::Socket::to_server(self.client.interface, lease.address(), server, self.client.port)?,
            None => packet::Socket::raw(self.client.index, self.client.port)?,
        };
        socket.broadcast(&request)?;
        match self.await_answer(&socket, &[Kind::Ack, Kind::Nak], self.client.timeout)? {
            Event::Answer(answer) => Ok(Some(answer)),
            _ => Ok(None),
        }
    }

    fn release(&self, env: &mut Env, lease: &Lease) -> Result<()> {
        if let Some(server) = lease.server() {
            let mut release = self.client.message(Kind::Release);
            release.client = lease.address();
            packet::push_option(&mut release.options, packet::SERVER, &server.octets());
            self.client.log(env, format!("unicasting a release of {} to {server}", lease.address()).as_bytes());
            packet::Socket::to_server(self.client.interface, lease.address(), server, self.client.port)?.broadcast(&release)?;
        }
        self.client.call_script(env, b"deconfig", None)
    }

    fn stop(&self, env: &mut Env, lease: Option<&Lease>) -> Outcome {
        self.client.log(env, b"received SIGTERM");
        if let Some(lease) = lease.filter(|_| self.args.has(RELEASE)) {
            self.release(env, lease)?;
        }
        if let Some(path) = self.args.value(PID_FILE) {
            // Whoever removed it already wanted it gone.
            let _ = fs::unlink(path);
        }
        Ok(ExitStatus::SUCCESS)
    }

    /// Waits for an answer of one of `kinds` to this client's question.
    fn await_answer(&self, socket: &packet::Socket, kinds: &[Kind], timeout: Duration) -> Result<Event> {
        let start = Moment::now().seconds;
        loop {
            let left = timeout.saturating_sub(Duration::from_secs((Moment::now().seconds - start).max(0) as u64));
            match self.wait(Some(socket), left)? {
                Event::Answer(answer) => {
                    let mine = answer.xid == self.client.xid && answer.hardware == self.client.hardware;
                    if mine && answer.kind().is_some_and(|kind| kinds.contains(&kind)) {
                        return Ok(Event::Answer(answer));
                    }
                }
                event => return Ok(event),
            }
        }
    }

    /// Waits for a packet, a signal or the end of the time.
    fn wait(&self, socket: Option<&packet::Socket>, timeout: Duration) -> Result<Event> {
        let limit = event::Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
        let mut polled: Vec<event::PollFd<'_>> =
            socket.iter().map(|socket| event::PollFd::new(socket.receiver(), event::PollFlags::IN)).collect();
        // A signal that came before the call would be slept through: it is looked for first.
        let ready = if signal::pending() == 0 { event::poll(&mut polled, Some(&limit)) } else { Ok(0) };
        let signals = signal::take_pending();
        let came = |number: i32| signals & (1 << (number - 1)) != 0;
        if came(15) || came(2) {
            return Ok(Event::Stop);
        }
        if came(10) {
            return Ok(Event::Renew);
        }
        if came(12) {
            return Ok(Event::Release);
        }
        match (ready, socket) {
            (Ok(1..), Some(socket)) => match socket.receive()? {
                Some(message) => Ok(Event::Answer(message)),
                // Somebody else's packet: the caller's clock goes on.
                None => Ok(Event::Answer(Message::request(Kind::Discover, !self.client.xid, [0; 6]))),
            },
            _ => Ok(Event::Timeout),
        }
    }
}
