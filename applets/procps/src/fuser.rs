//! `fuser`: find the processes that use files, file systems or ports (POSIX XCU fuser, in BusyBox's form).

use rbox_core::bytes;
use rbox_core::files::list_at;
use rbox_core::io;
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::processes::{self, read_file};
use rbox_core::signals::number_of;
use rbox_core::sys::fs::{major, minor, readlink, stat};
use rbox_core::sys::{process as own, signal};
use rbox_core::text;

options! {
    "[-msk46] [-n SPACE] [-SIG] FILE...

Print the PIDs of processes that use FILEs: as open file, program, mapping or
directory. PORT/tcp and PORT/udp are sockets.

  -m, --mount   Match all files on the filesystem of FILE
  -s, --silent  Print nothing
  -k, --kill    Send the processes SIG (KILL)
  -4, --ipv4    Match only IPv4 sockets
  -6, --ipv6    Match only IPv6 sockets
  -n, --namespace=SPACE  FILEs are in SPACE: file, tcp or udp";
    MOUNT = "-m",
    SILENT = "-s",
    KILL = "-k",
    IPV4 = "-4",
    IPV6 = "-6",
    SPACE = "-n",
}

/// The applet. `-SIG` is no option, so it is taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

const SIGKILL: i32 = 9;

/// What a process may use.
enum Target {
    /// A file: device and inode.
    File(u64, u64),
    /// Any file on a device.
    Device(u64),
    /// A socket: the target of /proc/PID/fd/N.
    Socket(Vec<u8>),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.words().to_vec();
    // -4 and -6 are options, not signals.
    let signal =
        |word: &&[u8]| word.strip_prefix(b"-").filter(|name| !matches!(*name, b"4" | b"6")).and_then(number_of);
    let mut number = SIGKILL;
    if let Some(at) = words.iter().take_while(|word| **word != b"--").position(|word| signal(word).is_some()) {
        number = signal(&words.remove(at)).unwrap_or(number);
    }
    let args = Args::parse(USAGE, Grammar::Permuted, &words)?;
    let mut targets = Vec::new();
    for word in args.operands_between(1, usize::MAX)? {
        add_targets(&args, word, &mut targets)?;
    }
    let itself = own::getpid().as_raw_pid();
    let users: Vec<i32> = processes::all()?.into_iter().filter(|pid| *pid != itself && uses(*pid, &targets)).collect();
    let mut status = ExitStatus::from_ok(!users.is_empty());
    if !args.has(SILENT) && !users.is_empty() {
        let numbers: Vec<Vec<u8>> = users.iter().map(|pid| text!(*pid as u32)).collect();
        env.stdout.write(&text!(numbers.join(&b' '), "\n"))?;
    }
    for pid in users.iter().filter(|_| args.has(KILL)) {
        if let Err(errno) = signal::kill(*pid, number) {
            status.worsen(env.warn(Error::on(text!("can't kill pid ", *pid as u32), errno)));
        }
    }
    Ok(status)
}

fn add_targets(args: &Args<'_>, word: &[u8], targets: &mut Vec<Target>) -> Result<()> {
    let space = args.value(SPACE).unwrap_or(b"file");
    let (port, protocol) = match space {
        b"file" => bytes::split_once(word, b'/').unwrap_or((word, b"")),
        b"tcp" | b"udp" => (word, space),
        _ => return Err(Error::parts(&[b"unknown space '", space, b"'"])),
    };
    let number = parse_decimal(port).filter(|port| *port <= u16::MAX.into());
    if let (Some(number), b"tcp" | b"udp") = (number, protocol) {
        // With neither or both of the options, both versions are meant.
        for (version, other) in [(IPV4, IPV6), (IPV6, IPV4)] {
            if args.has(version) || !args.has(other) {
                let suffix = if version == IPV6 { "6" } else { "" };
                sockets(&text!("/proc/net/", protocol, suffix), number, targets);
            }
        }
        return Ok(());
    }
    if space != b"file" {
        return Err(rbox_core::number::invalid(word));
    }
    let found = stat(word).map_err(|errno| Error::cannot("stat", word, errno))?;
    targets.push(if args.has(MOUNT) { Target::Device(found.st_dev) } else { Target::File(found.st_dev, found.st_ino) });
    Ok(())
}

/// Adds the sockets of a table as /proc/net/tcp whose local port it is: words 2 `ADDRESS:PORT` and 10, the inode (proc(5)).
fn sockets(table: &[u8], port: u64, targets: &mut Vec<Target>) {
    // A kernel without IPv6 has no such table.
    let content = io::read_file(table).unwrap_or_default();
    for line in content.split(|byte| *byte == b'\n').skip(1) {
        let words: Vec<&[u8]> = bytes::words(line).collect();
        let (Some(local), Some(inode)) = (words.get(1), words.get(9)) else { continue };
        let is_it = bytes::split_once(local, b':').and_then(|(_, digits)| parse_radix(digits, 16)) == Some(port);
        // A connection in TIME_WAIT belongs to no process.
        if is_it && *inode != b"0" {
            targets.push(Target::Socket(text!("socket:[", *inode, "]")));
        }
    }
}

fn uses(pid: i32, targets: &[Target]) -> bool {
    let directory = text!("/proc/", pid as u32, "/");
    let is_meant = |path: &[u8]| stat(path).is_ok_and(|stat| holds(targets, stat.st_dev, stat.st_ino));
    if is_meant(&text!(&directory, "cwd"))
        || is_meant(&text!(&directory, "root"))
        || is_meant(&text!(&directory, "exe"))
    {
        return true;
    }
    let open = text!(&directory, "fd");
    for entry in list_at(&open).unwrap_or_default() {
        let path = bytes::join_path(&open, &entry.name);
        let is_socket = |target: &Target| matches!(target, Target::Socket(_));
        let link = if targets.iter().any(is_socket) { readlink(&path).unwrap_or_default() } else { Vec::new() };
        if is_meant(&path) || targets.iter().any(|target| matches!(target, Target::Socket(name) if *name == link)) {
            return true;
        }
    }
    let maps = read_file(pid, "maps").unwrap_or_default();
    maps.split(|byte| *byte == b'\n').any(|line| maps_to(line, targets))
}

fn holds(targets: &[Target], device: u64, inode: u64) -> bool {
    targets.iter().any(|target| match target {
        Target::File(other, number) => (*other, *number) == (device, inode),
        Target::Device(other) => *other == device,
        Target::Socket(_) => false,
    })
}

/// `START-END MODE OFFSET MAJOR:MINOR INODE ...` of /proc/PID/maps.
fn maps_to(line: &[u8], targets: &[Target]) -> bool {
    let words: Vec<&[u8]> = bytes::words(line).take(5).collect();
    let [_, _, _, device, inode] = words[..] else { return false };
    let Some((high, low)) = bytes::split_once(device, b':') else { return false };
    let numbers = (parse_radix(high, 16), parse_radix(low, 16), parse_decimal(inode));
    let (Some(high), Some(low), Some(inode)) = numbers else { return false };
    let is_on = |device: u64| (u64::from(major(device)), u64::from(minor(device))) == (high, low);
    targets.iter().any(|target| match target {
        Target::File(device, number) => *number == inode && is_on(*device),
        Target::Device(device) => inode != 0 && is_on(*device),
        Target::Socket(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::*;

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(try_call(APPLET, &["fuser"], b"").status, 1);
        let ran = try_call(APPLET, &["fuser", "/no/such"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "fuser: can't stat '/no/such': No such file or directory\n"));
        assert_eq!(try_call(APPLET, &["fuser", "-n", "x", "1"], b"").stderr, "fuser: unknown space 'x'\n");
        assert_eq!(try_call(APPLET, &["fuser", "-n", "tcp", "x"], b"").stderr, "fuser: invalid number 'x'\n");
    }

    #[test]
    fn mappings_are_compared_by_device_and_inode() {
        let targets = [Target::File(0x0801, 12)];
        assert!(maps_to(b"1000-2000 r-xp 00000000 08:01 12 /a", &targets));
        assert!(!maps_to(b"1000-2000 r-xp 00000000 08:02 12 /a", &targets));
        assert!(maps_to(b"1000-2000 r-xp 00000000 08:01 13 /a", &[Target::Device(0x0801)]));
        assert!(!maps_to(b"1000-2000 r-xp", &targets));
    }
}
