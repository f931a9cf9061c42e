//! `fsck`: run the checkers of filesystems, `fsck.TYPE` (fsck(8), fstab(5)).

use rbox_core::block;
use rbox_core::bytes::words;
use rbox_core::mounts::{self, Mount, is_wanted_kind};
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::process::{Change, WaitOptions, wait};
use rbox_core::{call, push, text};

options! {
    "[-ANPRTV] [-t TYPE] [DEVICE]... [[--] OPTIONS]

Check filesystems: each DEVICE, which is a device, a directory of /etc/fstab, LABEL= or UUID=.
OPTIONS that are not below are those of the checker, fsck.TYPE.

  -A       Check all filesystems of /etc/fstab, in the order of its sixth field
  -N       Print the commands, run none
  -P       With -A, check the root filesystem at the same time as others
  -R       With -A, leave out the root filesystem
  -T       Print no title
  -V       Print the commands
  -t TYPE  Type of the devices; with -A, check these types alone: TYPE,... or noTYPE,...";
    ALL = "-A",
    DRY = "-N",
    PARALLEL = "-P",
    NO_ROOT = "-R",
    UNTITLED = "-T",
    VERBOSE = "-V",
    TYPE = "-t",
}

/// The applet. Options that it does not know are the checkers', so these words are taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().failure(8);

/// Types that have nothing to check.
const UNCHECKED: &[u8] = b"swap ignore proc sysfs tmpfs devpts devtmpfs nfs nfs4 cifs";

/// The options without a value.
const OWN: &[u8] = b"ANPRTV";

/// Bits of the status: errors left, and an error of fsck itself (fsck(8)).
const FAILED: u8 = 8;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut own, mut kind, mut passed, mut devices) = (vec![b'-'], None, Vec::new(), Vec::new());
    let mut rest = args.operands();
    while let [word, after @ ..] = rest {
        rest = after;
        match *word {
            b"--" => {
                passed.extend(after.iter().map(|word| word.to_vec()));
                break;
            }
            [b'-', names @ ..] => {
                let mut others = vec![b'-'];
                for (at, name) in names.iter().enumerate() {
                    match name {
                        b't' => {
                            kind = match (&names[at + 1..], after) {
                                (b"", [kind, after @ ..]) => {
                                    rest = after;
                                    Some(*kind)
                                }
                                (b"", []) => return Err(Error::usage()),
                                (kind, _) => Some(kind),
                            };
                            break;
                        }
                        _ if OWN.contains(name) => own.push(*name),
                        _ => others.push(*name),
                    }
                }
                if others.len() > 1 {
                    passed.push(others);
                }
            }
            _ => devices.push(*word),
        }
    }
    let mut words = vec![args.words()[0]];
    if own.len() > 1 {
        words.push(&own);
    }
    if let Some(kind) = kind {
        words.extend([b"-t", kind]);
    }
    let args = Args::parse(USAGE, Grammar::OptionsFirst, &words)?;
    if !args.has(UNTITLED) {
        env.stdout.write(&text!("fsck (rbox ", env!("CARGO_PKG_VERSION"), ")\n"))?;
    }
    // Devices can be checked without it.
    let table = mounts::read(b"/etc/fstab").unwrap_or_default();
    let mut checks = match devices.is_empty() {
        true if args.has(ALL) => of_table(&args, table),
        true => table.into_iter().filter(|mount| mount.pass != 0 && !is_unchecked(mount)).collect(),
        false => of_devices(&args, &devices, &table),
    };
    // The order of the table stays within a pass.
    checks.sort_by_key(|mount| mount.pass);
    let mut runner =
        Runner { passed: passed.iter().map(Vec::as_slice).collect(), args: &args, running: Vec::new(), status: 0 };
    for at in 0..checks.len() {
        if at > 0 && checks[at - 1].pass != checks[at].pass {
            runner.wait_for_all(env)?;
        }
        runner.start(env, &checks[at])?;
    }
    runner.wait_for_all(env)?;
    Ok(ExitStatus(runner.status))
}

fn is_unchecked(mount: &Mount) -> bool {
    words(UNCHECKED).any(|kind| kind == mount.kind) || mount.has_option(b"bind") || mount.has_option(b"noauto")
}

/// The filesystems of -A.
fn of_table(args: &Args<'_>, table: Vec<Mount>) -> Vec<Mount> {
    let is_root = |mount: &Mount| mount.target == b"/";
    let mut checks: Vec<Mount> = table
        .into_iter()
        .filter(|mount| mount.pass != 0 && !is_unchecked(mount))
        .filter(|mount| is_wanted_kind(&mount.kind, args.value(TYPE)) && !(is_root(mount) && args.has(NO_ROOT)))
        .collect();
    for mount in checks.iter_mut().filter(|mount| is_root(mount)) {
        // The root filesystem comes before all, unless -P is given.
        mount.pass = if args.has(PARALLEL) { mount.pass } else { 0 };
    }
    checks
}

/// The filesystems that the operands name, with what the table says of them.
fn of_devices(args: &Args<'_>, devices: &[&[u8]], table: &[Mount]) -> Vec<Mount> {
    let mut checks = Vec::new();
    for &device in devices {
        let row = table.iter().find(|mount| mount.source == device || mount.target == device);
        let mut mount = row.cloned().unwrap_or_else(|| Mount { source: device.to_vec(), ..Mount::default() });
        if let Some(kind) = args.value(TYPE) {
            mount.kind = kind.to_vec();
        }
        mount.pass = 0;
        checks.push(mount);
    }
    checks
}

struct Runner<'a> {
    /// The checkers' options.
    passed: Vec<&'a [u8]>,
    args: &'a Args<'a>,
    /// PIDs of checkers, and the disks that they read.
    running: Vec<(i32, Vec<u8>, Vec<u8>)>,
    status: u8,
}

impl Runner<'_> {
    fn start(&mut self, env: &mut Env, mount: &Mount) -> Result<()> {
        let device = match block::find(&mount.source) {
            Ok(device) => device,
            Err(_) if mount.has_option(b"nofail") => return Ok(()),
            Err(error) => {
                self.status |= FAILED;
                env.report(&error);
                return Ok(());
            }
        };
        let kind = match &mount.kind[..] {
            b"" | b"auto" => {
                let found = block::open(&device).ok().and_then(|file| block::probe(&file));
                found.map_or("ext2", |content| content.kind).as_bytes().to_vec()
            }
            kind => kind.to_vec(),
        };
        let name = [b"fsck.", &kind[..]].concat();
        let words = [&[&name[..]][..], &self.passed[..], &[&device[..]]].concat();
        // Two checkers at one disk would keep its head busy with seeking.
        let disk = device.trim_ascii_end().iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
        let disk = device[..disk].to_vec();
        while self.running.iter().any(|(_, _, other)| *other == disk) {
            self.wait_for_one(env)?;
        }
        if self.args.has(VERBOSE) || self.args.has(DRY) {
            let mut line = text!("[", &name, " (", self.running.len() as u64 + 1, ") -- ");
            push!(line, if mount.target.is_empty() { &device } else { &mount.target }, "] ", &words.join(&b' '), "\n");
            env.stdout.write(&line)?;
        }
        if self.args.has(DRY) {
            return Ok(());
        }
        env.stdout.flush()?;
        match call::start(env, &words) {
            Ok(pid) => self.running.push((pid, device, disk)),
            Err(errno) => {
                self.status |= FAILED;
                env.report(&Error::cannot("execute", &name, errno));
            }
        }
        Ok(())
    }

    fn wait_for_all(&mut self, env: &mut Env) -> Result<()> {
        while !self.running.is_empty() {
            self.wait_for_one(env)?;
        }
        Ok(())
    }

    fn wait_for_one(&mut self, env: &mut Env) -> Result<()> {
        let Some((pid, change)) = wait(-1, WaitOptions::empty()).map_err(|errno| Error::on("wait", errno))? else {
            return Ok(());
        };
        let Some(at) = self.running.iter().position(|(other, ..)| *other == pid) else { return Ok(()) };
        let (_, device, _) = self.running.swap_remove(at);
        match change {
            Change::Exited(status) => self.status |= status,
            Change::Signaled(signal) => {
                self.status |= FAILED;
                env.report(&Error::new(text!(device, ": the checker was ended by signal ", signal as u64)));
            }
            // A wait without flags tells only of ends.
            Change::Stopped(_) | Change::Continued => {}
        }
        Ok(())
    }
}
