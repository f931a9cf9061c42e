//! What clients of both protocols are told alike, and how they run a script and end.

use rbox_core::daemon::keep_only;
use rbox_core::net::netlink::{Link, Netlink, UP};
use rbox_core::number;
use rbox_core::prelude::*;
use rbox_core::sys::signal_queue::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SignalQueue};
use rbox_core::sys::{fs, sandbox};

use super::script::{self, Log};

/// A client, as the command line describes it.
pub struct Common<'a> {
    pub interface: &'a [u8],
    pub index: u32,
    pub script: &'a [u8],
    pub pid_file: Option<&'a [u8]>,
    pub retries: u64,
    /// Milliseconds.
    pub timeout: u64,
    /// Milliseconds.
    pub try_again: u64,
    pub port: u16,
    /// Exit if no lease is obtained.
    pub now: bool,
    /// Exit after obtaining one.
    pub quit: bool,
    /// Release the lease on exit.
    pub release: bool,
    /// Go to the background if no lease is obtained.
    pub background: bool,
    /// The process stays where it is: in the foreground by option, or already in the background.
    pub stays: bool,
    pub log: Log,
    pub signals: SignalQueue,
}

/// The options `istpTAPnqRbfSv`, as an applet numbers them.
pub type Options = [Opt; 14];

impl<'a> Common<'a> {
    /// Reads the options, and brings the interface up.
    pub fn new(args: &Args<'a>, options: Options, script: &'static [u8], port: u64) -> Result<(Self, Link)> {
        let [interface, own_script, retries, pid_file, timeout, try_again, own_port, flags @ ..] = options;
        let [now, quit, release, background, foreground, syslog, verbose] = flags.map(|option| args.has(option));
        let interface = args.value(interface).unwrap_or(b"eth0");
        let netlink = Netlink::open()?;
        let link = netlink.link(interface)?;
        if link.flags & UP == 0 {
            netlink.set_link(link.index, UP, UP, &[]).map_err(|errno| Error::on(interface, errno))?;
        }
        let number = |option, default, most| match args.value(option) {
            Some(word) => number::parse_in_range(word, 0, most),
            None => Ok(default),
        };
        let common = Self {
            interface,
            index: link.index,
            script: args.value(own_script).unwrap_or(script),
            pid_file: args.value(pid_file),
            retries: number(retries, 3, 1_000_000)?,
            timeout: number(timeout, 3, 86_400)? * 1000,
            try_again: number(try_again, 20, 1_000_000)? * 1000,
            port: number(own_port, port, 65_535)? as u16,
            now,
            quit,
            release,
            background,
            stays: foreground,
            log: Log { syslog, verbose },
            // Blocked and queued from now on: none is lost between two waits.
            signals: SignalQueue::open(&[SIGTERM, SIGINT, SIGUSR1, SIGUSR2])?,
        };
        Ok((common, link))
    }

    /// Notes down the PID, and gives up what a client does not need from here on.
    pub fn begin(&self, env: &mut Env) -> Result<()> {
        if let Some(path) = self.pid_file {
            script::write_pid(path)?;
        }
        keep_only(sandbox::UDHCPC, &[])?;
        self.log.say(env, b"started");
        Ok(())
    }

    /// Calls the script with a lease in its environment, and waits for it.
    pub fn call_script(&self, env: &mut Env, event: &[u8], lease: Vec<Vec<u8>>) -> Result<()> {
        let mut vars = vec![[b"interface=", self.interface].concat()];
        vars.extend(lease);
        script::call(env, self.log, &self.signals, self.script, event, &vars)
    }

    pub fn go_to_background(&mut self) -> Result<()> {
        self.stays = true;
        script::go_to_background(self.pid_file)
    }

    /// There is no lease: a status ends the client, and else it tries again.
    pub fn take_failure(&mut self, env: &mut Env) -> Result<Option<ExitStatus>> {
        if self.now {
            self.log.say(env, b"no lease, failing");
            self.remove_pid();
            return Ok(Some(ExitStatus::FAILURE));
        }
        if self.background && !self.stays {
            self.log.say(env, b"no lease, forking to background");
            self.go_to_background()?;
        }
        Ok(None)
    }

    pub fn remove_pid(&self) {
        if let Some(path) = self.pid_file {
            // Whoever removed it already wanted it gone.
            let _ = fs::unlink(path);
        }
    }
}
