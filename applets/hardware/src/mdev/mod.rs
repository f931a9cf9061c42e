//! `mdev`: create and remove the nodes in /dev, by the events of the kernel and the rules of /etc/mdev.conf.

mod rules;

#[cfg(fuzzing)]
pub use rules::fuzz;

use rbox_core::bytes;
use rbox_core::call;
use rbox_core::daemon::{detach, pause};
use rbox_core::env::Vars;
use rbox_core::files::list_at;
use rbox_core::io::{self, Input, Output};
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rbox_core::sys::process::{Gid, Uid, fork_run, wait_for};
use rbox_core::sys::{Errno, fs};
use rbox_core::syslog::{DAEMON_INFO, log};

use crate::events::Events;
use rules::{Action, Device, Location, Rule};

options! {
    "[-vS] [-s | -df]

Manage the nodes of /dev. Without -s or -d, handle the event in the environment, as
the kernel's hotplug helper (echo /sbin/mdev >/proc/sys/kernel/hotplug).

  -s  Scan /sys and create all nodes
  -d  Scan /sys, then handle events as a daemon
  -f  With -d, run in the foreground
  -v  Print each operation
  -S  Log to syslog

/etc/mdev.conf: [-][VAR=regex;]...NAME UID:GID MODE [=PATH|>PATH|!] [@|$|*CMD]
where NAME is a regular expression, @MAJOR[,MINOR[-MINOR]] or $VAR=regex.
If /dev/mdev.seq exists, events are handled in the order of $SEQNUM.";
    SCAN = "-s",
    DAEMON = "-d",
    FOREGROUND = "-f",
    VERBOSE = "-v",
    SYSLOG = "-S",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Directories of /sys are not deeper than this below a class.
const DEEPEST: u32 = 8;

/// How much is logged, and the device of the root filesystem.
struct Mdev {
    verbose: bool,
    syslog: bool,
    root: u64,
    rules: Vec<Rule>,
    /// The file that they are of: its inode, size and time of change.
    file: (u64, i64, i64, i64),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // The kernel calls its helper with one word, the subsystem, which the environment says too.
    args.operands_between(0, 1)?;
    // A node's mode is the rule's, whatever the caller's umask.
    rbox_core::sys::process::umask(Mode::empty());
    rbox_core::sys::process::chdir("/dev").map_err(|errno| Error::on("can't change directory to '/dev'", errno))?;
    let mut mdev = Mdev {
        verbose: args.has(VERBOSE),
        syslog: args.has(SYSLOG),
        root: fs::stat("/").map_or(0, |stat| stat.st_dev),
        rules: Vec::new(),
        file: (0, 0, 0, 0),
    };
    mdev.read_rules();
    if args.has(SCAN) || args.has(DAEMON) {
        let events = if args.has(DAEMON) { Some(Events::listen()?) } else { None };
        return match events {
            Some(events) => mdev.serve(env, events, args.has(FOREGROUND)),
            None => {
                mdev.scan_all(env);
                Ok(ExitStatus::SUCCESS)
            }
        };
    }
    let vars: Vec<Vec<u8>> = env.vars.words().iter().map(|word| word.to_vec()).collect();
    let vars: Vec<&[u8]> = vars.iter().map(Vec::as_slice).collect();
    if get(&vars, b"ACTION").is_none() || get(&vars, b"DEVPATH").is_none() {
        return Err(Error::usage());
    }
    let number = get(&vars, b"SEQNUM").and_then(parse_decimal);
    wait_for_turn(number);
    mdev.handle(env, &vars);
    end_turn(number);
    Ok(ExitStatus::SUCCESS)
}

fn get<'a>(vars: &[&'a [u8]], name: &[u8]) -> Option<&'a [u8]> {
    vars.iter()
        .find_map(|word| bytes::split_once(word, b'=').filter(|(other, _)| *other == name))
        .map(|(_, value)| value)
}

fn read_small(path: &[u8]) -> Option<Vec<u8>> {
    io::read_file(path).ok()
}

/// Waits, two seconds at most, until /dev/mdev.seq holds our number: events are done in the kernel's order.
fn wait_for_turn(number: Option<u64>) {
    let Some(number) = number else { return };
    for _ in 0..200 {
        match read_small(b"mdev.seq").map(|text| parse_decimal(text.trim_ascii())) {
            Some(Some(turn)) if turn < number => pause(10),
            _ => return,
        }
    }
}

fn end_turn(number: Option<u64>) {
    if let Some(number) = number
        && let Ok(file) = fs::open("mdev.seq", OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC, Mode::empty())
    {
        let mut output = Output::from_fd(file);
        // The next one waits two seconds instead if this fails.
        let _ = output.write(Decimal::new(number + 1).as_bytes()).and_then(|()| output.flush());
    }
}

impl Mdev {
    /// Reads the rules, unless they are those of the file as it is.
    fn read_rules(&mut self) {
        let stat = fs::stat("/etc/mdev.conf");
        let file =
            stat.map_or((0, 0, 0, 0), |stat| (stat.st_ino, stat.st_size, stat.st_ctime, stat.st_ctime_nsec as i64));
        if core::mem::replace(&mut self.file, file) == file {
            return;
        }
        let text = read_small(b"/etc/mdev.conf").unwrap_or_default();
        self.rules = text.split(|&byte| byte == b'\n').filter_map(Rule::parse).collect();
    }

    fn say(&self, env: &mut Env, parts: &[&[u8]]) {
        let text = parts.concat();
        if self.syslog {
            log(DAEMON_INFO, b"mdev", &text);
        }
        if self.verbose {
            env.report(&Error::new(text));
        }
    }

    fn serve(&mut self, env: &mut Env, mut events: Events, foreground: bool) -> Outcome {
        self.scan_apart(env);
        if !foreground {
            detach()?;
            rbox_core::sys::process::chdir("/dev").map_err(|errno| Error::on("/dev", errno))?;
        }
        loop {
            match events.next() {
                Ok(Some(words)) => {
                    self.read_rules();
                    self.handle(env, &words);
                }
                // So many events that the kernel dropped some: the tree shows what they were.
                Err(Errno::NOBUFS) => self.scan_apart(env),
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on("can't receive kernel events", errno)),
            }
        }
    }

    /// Scans in a child, so that the daemon does not keep the memory that a whole tree takes. Events wait meanwhile.
    fn scan_apart(&self, env: &mut Env) {
        let child = fork_run(|| {
            self.scan_all(env);
            0
        });
        match child {
            // A child that was killed has left out devices; there is nobody to ask for another one.
            Ok(pid) => drop(wait_for(pid)),
            Err(_) => self.scan_all(env),
        }
    }

    /// Makes the nodes of all devices.
    fn scan_all(&self, env: &mut Env) {
        self.scan(env, b"/sys/class", 0);
        // BusyBox looks at partitions through the class; older kernels have only /sys/block.
        if fs::stat("/sys/class/block").is_err() {
            self.scan(env, b"/sys/block", 0);
        }
    }

    /// Makes the nodes of all devices below `directory`.
    fn scan(&self, env: &mut Env, directory: &[u8], depth: u32) {
        for entry in list_at(directory).unwrap_or_default() {
            if entry.name.starts_with(b".") {
                continue;
            }
            let path = bytes::join_path(directory, &entry.name);
            let kind =
                fs::statat(CWD, &path[..], AtFlags::SYMLINK_NOFOLLOW).map(|stat| FileType::from_raw_mode(stat.st_mode));
            match kind {
                // The devices of a class are links; links further down lead back up.
                Ok(FileType::Symlink) if depth <= 1 => self.coldplug(env, &path),
                Ok(FileType::Directory) if depth < DEEPEST => {
                    self.coldplug(env, &path);
                    self.scan(env, &path, depth + 1);
                }
                _ => {}
            }
        }
    }

    /// Does as if the kernel had just found the device of the directory `path`, if it is one with a node.
    fn coldplug(&self, env: &mut Env, path: &[u8]) {
        let Some(numbers) = read_small(&[path, b"/dev"].concat()) else { return };
        let uevent = read_small(&[path, b"/uevent"].concat()).unwrap_or_default();
        let mut words: Vec<Vec<u8>> =
            uevent.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        if !words.iter().any(|word| word.starts_with(b"MAJOR="))
            && let Some((major, minor)) = bytes::split_once(numbers.trim_ascii(), b':')
        {
            words.extend([[b"MAJOR=", major].concat(), [b"MINOR=", minor].concat()]);
        }
        let subsystem = fs::readlink([path, b"/subsystem"].concat()).unwrap_or_default();
        words.push([b"SUBSYSTEM=", bytes::base_name(&subsystem)].concat());
        words.push([b"DEVPATH=", path.strip_prefix(b"/sys").unwrap_or(path)].concat());
        words.push(b"ACTION=add".to_vec());
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.handle(env, &words);
    }

    /// Does what one event asks for.
    fn handle(&self, env: &mut Env, vars: &[&[u8]]) {
        let (Some(action), Some(path)) = (get(vars, b"ACTION"), get(vars, b"DEVPATH")) else { return };
        let is_add = matches!(action, b"add" | b"change");
        if !is_add && action != b"remove" {
            return;
        }
        if let (b"add", Some(firmware)) = (action, get(vars, b"FIRMWARE")) {
            return load_firmware(path, firmware);
        }
        let number =
            |name: &[u8]| get(vars, name).and_then(parse_decimal).and_then(|number| u32::try_from(number).ok());
        let numbers = number(b"MAJOR").zip(number(b"MINOR")).or_else(|| numbers_in_sys(path));
        let name = get(vars, b"DEVNAME").map(|name| name.strip_prefix(b"/dev/").unwrap_or(name));
        let name = name.unwrap_or_else(|| bytes::base_name(path));
        // A name that leads out of /dev is no device's.
        if name.is_empty() || name.split(|&byte| byte == b'/').any(|part| part == b"..") {
            return;
        }
        let block = get(vars, b"SUBSYSTEM") == Some(b"block")
            || get(vars, b"DEVPATH").is_some_and(|path| path.starts_with(b"/block/"));
        let device = Device { name, numbers, vars };
        let mut matched = false;
        for rule in &self.rules {
            let Some(rule) = rule.action_for(&device) else { continue };
            matched = true;
            self.apply(env, &device, &rule, is_add, block);
            if !rule.goes_on {
                return;
            }
        }
        if !matched {
            self.apply(env, &device, &Action::default(), is_add, block);
        }
    }

    fn apply(&self, env: &mut Env, device: &Device<'_>, rule: &Action, is_add: bool, block: bool) {
        let node = match &rule.location {
            Location::Moved(path) | Location::Linked(path) if path.ends_with(b"/") => {
                [path, bytes::base_name(device.name)].concat()
            }
            Location::Moved(path) | Location::Linked(path) => path.clone(),
            Location::Own | Location::Nowhere => device.name.to_vec(),
        };
        let has_node = device.numbers.is_some() && rule.location != Location::Nowhere;
        if !is_add {
            self.run_command(env, device, rule, &node, b'$');
        }
        if has_node {
            let result =
                if is_add { self.make_node(device, rule, &node, block) } else { remove_node(device, rule, &node) };
            self.say(env, &[if is_add { b"make " } else { b"remove " }, &node]);
            if let Err(error) = result {
                env.report(&error);
            }
        }
        if is_add {
            self.run_command(env, device, rule, &node, b'@');
        }
    }

    fn make_node(&self, device: &Device<'_>, rule: &Action, node: &[u8], block: bool) -> Result<()> {
        let Some((major, minor)) = device.numbers else { return Ok(()) };
        let failed = |errno| Error::cannot("create", node, errno);
        make_directories(node);
        let kind = if block { FileType::BlockDevice } else { FileType::CharacterDevice };
        let mode = Mode::from_raw_mode(rule.mode);
        let number = fs::makedev(major, minor);
        match fs::mknodat(CWD, node, kind, mode, number) {
            // devtmpfs has made it: only owner and mode are left to set.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        fs::chmod(node, mode).map_err(failed)?;
        fs::chownat(CWD, node, Some(Uid::from_raw(rule.uid)), Some(Gid::from_raw(rule.gid)), AtFlags::empty())
            .map_err(failed)?;
        if matches!(rule.location, Location::Moved(_) | Location::Linked(_)) && node != device.name {
            // What devtmpfs has put there is the same node twice; another device's node stays.
            unlink_node(device.name, number);
        }
        if matches!(rule.location, Location::Linked(_)) && node != device.name {
            fs::symlink(node, device.name).map_err(failed)?;
        }
        if block && number == self.root {
            // An older link leads to what was root before.
            let _ = fs::unlink("root");
            let _ = fs::symlink(node, "root");
        }
        Ok(())
    }

    /// Runs the rule's command by the shell, when it is one for this moment.
    fn run_command(&self, env: &mut Env, device: &Device<'_>, rule: &Action, node: &[u8], moment: u8) {
        let Some((when, command)) = &rule.command else { return };
        if *when != moment && *when != b'*' {
            return;
        }
        self.say(env, &[b"run ", command]);
        let mut vars: Vec<Vec<u8>> = env.vars.words().iter().map(|word| word.to_vec()).collect();
        for word in device.vars {
            let name = bytes::split_once(word, b'=').map_or(*word, |(name, _)| name);
            vars.retain(|other| bytes::split_once(other, b'=').is_none_or(|(other, _)| other != name));
            vars.push(word.to_vec());
        }
        vars.push([b"MDEV=", node].concat());
        let before = core::mem::replace(&mut env.vars, Vars::List(vars));
        let result = call::run(env, &[b"/bin/sh", b"-c", command]);
        env.vars = before;
        if let Err(error) = result {
            env.report(&error);
        }
    }
}

/// The numbers in the `dev` file of a device that is still there, where the event has none.
fn numbers_in_sys(path: &[u8]) -> Option<(u32, u32)> {
    let text = read_small(&[b"/sys", path, b"/dev"].concat())?;
    let (major, minor) = bytes::split_once(text.trim_ascii(), b':')?;
    let number = |digits| parse_decimal(digits).and_then(|number| u32::try_from(number).ok());
    number(major).zip(number(minor))
}

fn make_directories(node: &[u8]) {
    for (at, _) in node.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0) {
        // Most are there; one that cannot be made shows when the node is made.
        let _ = fs::mkdir(&node[..at], Mode::from_raw_mode(0o755));
    }
}

/// Removes a link, or a node with that number.
fn unlink_node(name: &[u8], number: u64) {
    if fs::lstat(name).is_ok_and(|stat| is_link(&stat) || stat.st_rdev == number) {
        // It may have gone since.
        let _ = fs::unlink(name);
    }
}

fn is_link(stat: &fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

fn remove_node(device: &Device<'_>, rule: &Action, node: &[u8]) -> Result<()> {
    let number = device.numbers.map(|(major, minor)| fs::makedev(major, minor));
    if matches!(rule.location, Location::Linked(_)) && fs::lstat(device.name).is_ok_and(|stat| is_link(&stat)) {
        // Another process may have removed it.
        let _ = fs::unlink(device.name);
    }
    // The name may have become another device's.
    if fs::lstat(node).is_ok_and(|stat| number.is_some_and(|number| stat.st_rdev != number)) {
        return Ok(());
    }
    match fs::unlink(node) {
        // devtmpfs has removed it.
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::cannot("remove", node, errno)),
    }
}

/// Gives the driver the file that it asks for (kernel documentation, firmware fallback mechanism).
fn load_firmware(path: &[u8], firmware: &[u8]) {
    if firmware.split(|&byte| byte == b'/').any(|part| part == b"..") {
        return;
    }
    let device = [b"/sys", path].concat();
    let report = |text: &[u8]| {
        let result = Output::create(&[&device[..], b"/loading"].concat()).and_then(|mut file| {
            file.write(text)?;
            file.flush()
        });
        result.is_ok()
    };
    let copied = Input::open(&[b"/lib/firmware/", firmware].concat()).and_then(|mut input| {
        report(b"1");
        let mut data = Output::create(&[&device[..], b"/data"].concat())?;
        io::copy(&mut input, &mut data)?;
        data.flush()
    });
    report(if copied.is_ok() { b"0" } else { b"-1" });
}
