//! `netstat`: sockets, routes, interfaces and counters of the network (netstat(8)).

mod inet;
mod tables;
mod unix;

use rbox_core::files::list_at;
use rbox_core::net::netlink::Netlink;
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process};
use rbox_core::sys::fs::readlink;
use rbox_core::term::{Shown, clean};
use rbox_core::{number, text};

options! {
    "[-ral] [-tuwx] [-enWp46] [-is]

Print open sockets, or with -r, -i or -s other tables of the network.

  -r  Routing table
  -i  Interfaces and their counters
  -s  Counters of protocols
  -a  All sockets, or interfaces that are down too
  -l  Listening sockets; else connected ones
  -t  TCP
  -u  UDP
  -w  Raw sockets
  -x  Unix sockets; else all of these
  -e  Print more: users and inodes, or metrics of routes
  -n  Print numbers instead of names
  -W  Wide columns
  -p  Print PID and name of the program that has the socket
  -4  IPv4 only
  -6  IPv6 only";
    ROUTES = "-r",
    INTERFACES = "-i",
    STATISTICS = "-s",
    ALL = "-a",
    LISTENING = "-l",
    TCP = "-t",
    UDP = "-u",
    RAW = "-w",
    UNIX = "-x",
    EXTENDED = "-e",
    NUMBERS = "-n",
    WIDE = "-W",
    PROGRAMS = "-p",
    FOUR = "-4",
    SIX = "-6",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    if args.has(ROUTES) {
        return routes(env, args);
    }
    if args.has(INTERFACES) {
        return tables::interfaces(env, args.has(ALL));
    }
    let every = ![TCP, UDP, RAW, UNIX, FOUR, SIX].into_iter().any(|option| args.has(option));
    let every_inet = ![TCP, UDP, RAW, UNIX].into_iter().any(|option| args.has(option));
    let has = |option| every_inet || args.has(option);
    if args.has(STATISTICS) {
        let chosen = [has(TCP), has(UDP), has(RAW)];
        return tables::statistics(env, chosen, every_inet, args.has(SIX));
    }
    let owners = if args.has(PROGRAMS) { Some(Owners::read()?) } else { None };
    let show = Show { args, owners };
    if [TCP, UDP, RAW].into_iter().any(has) {
        inet::print(env, &show, [has(TCP), has(UDP), has(RAW)])?;
    }
    if every || args.has(UNIX) {
        unix::print(env, &show)?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn routes(env: &mut Env, args: &Args<'_>) -> Outcome {
    let netlink = Netlink::open()?;
    match args.has(SIX) {
        true => crate::route::print_v6(env, &netlink),
        false => crate::route::print(env, &netlink, args.has(NUMBERS), !args.has(EXTENDED)),
    }
}

/// What is shown, and how.
struct Show<'a> {
    args: &'a Args<'a>,
    owners: Option<Owners>,
}

impl Show<'_> {
    /// Whether a socket is shown that waits for others, or one that is connected.
    fn wants(&self, listens: bool) -> bool {
        self.args.has(ALL) || self.args.has(LISTENING) == listens
    }

    /// The end of a title: `(only servers)`.
    fn title(&self) -> &'static str {
        match (self.args.has(ALL), self.args.has(LISTENING)) {
            (true, _) => "(servers and established)\n",
            (false, true) => "(only servers)\n",
            (false, false) => "(w/o servers)\n",
        }
    }

    /// The column of -p, with a blank after it; nothing without that option.
    fn program(&self, inode: u64) -> Vec<u8> {
        let Some(owners) = &self.owners else { return Vec::new() };
        text!(rbox_core::text::Left(owners.of(inode), PROGRAM), " ")
    }
}

/// The width of the column of -p.
const PROGRAM: usize = 20;

/// Which program has which socket.
struct Owners(Vec<(u64, Vec<u8>)>);

impl Owners {
    fn read() -> Result<Self> {
        let mut owners = Vec::new();
        for pid in processes::all()? {
            let directory = text!("/proc/", pid as u32, "/fd/");
            // The descriptors of other users are not shown, and a process may have ended.
            let Ok(entries) = list_at(&directory) else { continue };
            let mut label = None;
            for entry in entries {
                let Ok(target) = readlink(text!(&directory, &entry.name)) else { continue };
                let inode = target.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
                let Some(inode) = inode.and_then(number::parse_decimal) else { continue };
                let label = label.get_or_insert_with(|| {
                    let name = Process::read(pid).map(|process| process.name).unwrap_or_default();
                    text!(pid as u32, "/", clean(&name, b"", Shown::As(b'?')))
                });
                owners.push((inode, label.clone()));
            }
        }
        owners.sort_unstable();
        Ok(Self(owners))
    }

    fn of(&self, inode: u64) -> &[u8] {
        let at = self.0.partition_point(|(known, _)| *known < inode);
        self.0.get(at).filter(|(known, _)| *known == inode && inode != 0).map_or(b"-", |(_, label)| label)
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    inet::fuzz(data);
    unix::fuzz(data);
}
