//! `ifplugd`: run a program when a cable is plugged in or out (ifplugd(8)).

use rbox_core::daemon::{detach, keep_only, uptime_milliseconds};
use rbox_core::io::{Output, read_file};
use rbox_core::net::netlink::{Netlink, UP};
use rbox_core::number::{parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SignalQueue};
use rbox_core::sys::{Errno, fs, interface, process, sandbox, signal, time};
use rbox_core::{call, processes, syslog, text};

options! {
    "[OPTION]...

Run a program with the words INTERFACE and up or down when a cable is plugged
in or out.

  -n          Run in the foreground
  -s          Do not log to syslog
  -i IFACE    Interface (eth0)
  -f          Take an error of the detection for: no cable
  -F          Take an error of the detection for: a cable (else it ends the daemon)
  -a          Do not set the interface up before each detection
  -M          Wait for an interface that does not exist
  -r PROGRAM  Program to run (/etc/ifplugd/ifplugd.action)
  -x ARG      Third word for the program
  -I          Go on when the program fails
  -p          Do not run the program at the start when there is a cable
  -q          Do not run the program with down at the end
  -l          Run the program at the start in any case
  -t SECONDS  Time between detections (1)
  -u SECONDS  Time that a cable has to be in (0)
  -d SECONDS  Time that a cable has to be out (5)
  -m MODE     How to detect: mii, priv, ethtool, wlan, iff, auto (default)
  -k          End the daemon of the interface";
    FOREGROUND = "-n",
    NO_SYSLOG = "-s",
    INTERFACE = "-i",
    ERROR_DOWN = "-f",
    ERROR_UP = "-F",
    NO_UP = "-a",
    MONITOR = "-M",
    PROGRAM = "-r",
    EXTRA = "-x",
    IGNORE = "-I",
    NO_START = "-p",
    NO_END = "-q",
    START = "-l",
    PERIOD = "-t",
    UP_DELAY = "-u",
    DOWN_DELAY = "-d",
    MODE = "-m",
    KILL = "-k",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// IFF_RUNNING of netdevice(7), RTMGRP_LINK of rtnetlink(7).
const RUNNING: u32 = 0x40;
const LINKS: u32 = 1;

struct Daemon<'a> {
    args: &'a Args<'a>,
    interface: &'a [u8],
    program: &'a [u8],
    mode: &'a [u8],
    signals: SignalQueue,
    netlink: Netlink,
    /// What the program was told last: a cable, none, or that the interface is gone.
    told: Option<bool>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let interface = args.value(INTERFACE).unwrap_or(b"eth0");
    if interface.contains(&b'/') {
        return Err(Error::parts(&[b"invalid interface '", interface, b"'"]));
    }
    let pid_file = text!("/var/run/ifplugd.", interface, ".pid");
    if args.has(KILL) {
        return end(&pid_file);
    }
    let number = |option, default| args.value(option).map_or(Ok(default), |word| parse_in_range(word, 0, 86_400));
    let period = number(PERIOD, 1)?.max(1) * 1000;
    let delays = (number(UP_DELAY, 0)? * 1000, number(DOWN_DELAY, 5)? * 1000);
    let mode = args.value(MODE).unwrap_or(b"auto");
    if !matches!(mode, b"mii" | b"priv" | b"ethtool" | b"wlan" | b"iff" | b"auto") {
        return Err(Error::usage_because(&[b"unknown API mode '", mode, b"'"]));
    }
    if running(&pid_file).is_some() {
        return Err(Error::new("can't start: the daemon is already running"));
    }
    let netlink = Netlink::open()?;
    if !args.has(MONITOR) {
        netlink.link(interface)?;
    }
    let events = Netlink::monitor(LINKS)?;
    let program = args.value(PROGRAM).unwrap_or(b"/etc/ifplugd/ifplugd.action");
    if !args.has(FOREGROUND) {
        detach()?;
    }
    let mut file = Output::create(&pid_file)?;
    file.write(&text!(process::getpid().as_raw_pid() as u32, "\n"))?;
    file.flush()?;
    let signals = SignalQueue::open(&[SIGINT, SIGTERM, SIGQUIT, SIGHUP]).map_err(Error::from)?;
    keep_only(sandbox::IFPLUGD, &[&pid_file])?;
    let mut daemon = Daemon { args, interface, program, mode, signals, netlink, told: None };
    let outcome = daemon.serve(env, &events, period, delays);
    if let Err(error) = &outcome {
        daemon.log(error.message());
    }
    // Whoever removed it before has done what is done here.
    let _ = fs::unlink(&pid_file);
    outcome
}

/// The PID in a file, when that is a daemon of this name.
fn running(pid_file: &[u8]) -> Option<i32> {
    let content = read_file(pid_file).ok()?;
    let pid = parse_decimal(content.trim_ascii()).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0)?;
    processes::Process::read(pid).filter(|process| process.is_named(b"ifplugd")).map(|_| pid)
}

fn end(pid_file: &[u8]) -> Outcome {
    let pid = running(pid_file).ok_or_else(|| Error::new("no daemon is running"))?;
    signal::kill(pid, SIGTERM).map_err(|errno| Error::on("kill", errno))?;
    Ok(ExitStatus::SUCCESS)
}

impl Daemon<'_> {
    fn serve(&mut self, env: &mut Env, events: &Netlink, period: u64, delays: (u64, u64)) -> Outcome {
        let first = self.detect(env)?;
        self.log(&text!("link is ", if first == Some(true) { "up" } else { "down" }));
        let skips = self.args.has(NO_START) || first != Some(true);
        if !skips || self.args.has(START) {
            self.call(env, first == Some(true))?;
        }
        self.told = Some(first == Some(true));
        // Since when the link has been other than what the program was told.
        let mut since = None;
        loop {
            let delay = if self.told == Some(true) { delays.1 } else { delays.0 };
            let now = uptime_milliseconds();
            let left = since.map_or(period, |since: u64| (since + delay).saturating_sub(now).min(period));
            if self.wait(events, left)? {
                if !self.args.has(NO_END) && self.told == Some(true) {
                    self.call(env, false)?;
                }
                return Ok(ExitStatus::SUCCESS);
            }
            let link = self.detect(env)? == Some(true);
            if Some(link) == self.told {
                since = None;
                continue;
            }
            let begun = *since.get_or_insert_with(uptime_milliseconds);
            if uptime_milliseconds() >= begun + delay {
                since = None;
                self.log(&text!("link is ", if link { "up" } else { "down" }));
                self.call(env, link)?;
                self.told = Some(link);
            }
        }
    }

    /// Waits for an event of the kernel, at most so many milliseconds. True when a signal asks to end.
    fn wait(&self, events: &Netlink, milliseconds: u64) -> Result<bool> {
        let limit = time::milliseconds(milliseconds);
        let mut files = [
            PollFd::from_borrowed_fd(events.fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.signals.fd(), PollFlags::IN),
        ];
        match poll(&mut files, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on("poll", errno)),
        }
        // What has changed is asked for itself; an overrun says the same.
        events.forget_changes();
        Ok(self.signals.take().is_some())
    }

    /// Whether a cable is plugged in; `None` for an interface that does not exist, which -M allows.
    fn detect(&self, env: &mut Env) -> Result<Option<bool>> {
        let link = match self.netlink.link(self.interface) {
            Err(_) if self.args.has(MONITOR) => return Ok(None),
            link => link?,
        };
        if !self.args.has(NO_UP) && link.flags & UP == 0 {
            // A driver may say nothing of an interface that is down.
            self.netlink.set_link(link.index, UP, UP, &[]).map_err(|errno| Error::on(self.interface, errno))?;
        }
        let flags = self.netlink.link(self.interface).map_or(link.flags, |link| link.flags);
        let detected = match self.mode {
            b"mii" => interface::mii_link(self.interface, false),
            b"priv" => interface::mii_link(self.interface, true),
            b"ethtool" => interface::ethtool_link(self.interface),
            b"wlan" => interface::wireless_link(self.interface),
            b"iff" => Ok(flags & RUNNING != 0),
            // The first that the driver knows.
            _ => interface::ethtool_link(self.interface)
                .or_else(|_| interface::mii_link(self.interface, false))
                .or_else(|_| interface::wireless_link(self.interface))
                .or(Ok(flags & RUNNING != 0)),
        };
        match detected {
            Ok(link) => Ok(Some(link)),
            Err(_) if self.args.has(ERROR_UP) => Ok(Some(true)),
            Err(_) if self.args.has(ERROR_DOWN) => Ok(Some(false)),
            Err(errno) => {
                env.stdout.flush()?;
                Err(Error::on(text!(self.interface, ": can't detect link status"), errno))
            }
        }
    }

    /// Runs the program and waits for it.
    fn call(&self, env: &mut Env, link: bool) -> Result<()> {
        let word = |link| if link { &b"up"[..] } else { b"down" };
        env.vars.set("IFPLUGD_PREVIOUS", Some(self.told.map_or(b"disabled", word)));
        env.vars.set("IFPLUGD_CURRENT", Some(word(link)));
        let mut words = vec![self.program, self.interface, word(link)];
        words.extend(self.args.value(EXTRA));
        self.log(&text!("executing '", words.join(&b' ').as_slice(), "'"));
        let path = call::find_program(&env.vars, self.program).unwrap_or_else(|| self.program.to_vec());
        let vars = env.vars.words();
        let child = process::fork_run(|| {
            self.signals.release();
            let errno = process::exec(&path, &words, &vars);
            self.log(Error::cannot("execute", self.program, errno).message());
            call::failure_status(errno)
        });
        let pid = child.map_err(|errno| Error::on("can't fork", errno))?;
        let status = process::wait_for(pid).map_err(|errno| Error::on("wait", errno))?.status();
        if status != 0 && !self.args.has(IGNORE) {
            return Err(Error::new(text!("program exited with ", status)).with_status(status));
        }
        Ok(())
    }

    /// In the foreground messages go to standard error too; a dead one can be reported nowhere.
    fn log(&self, line: &[u8]) {
        if self.args.has(FOREGROUND) {
            let _ = Output::standard(2).write(&text!("ifplugd(", self.interface, "): ", line, "\n"));
        }
        if !self.args.has(NO_SYSLOG) {
            syslog::log(syslog::DAEMON_INFO, &text!("ifplugd(", self.interface, ")"), line);
        }
    }
}
