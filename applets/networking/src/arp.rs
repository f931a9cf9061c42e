//! `arp`: show and change the kernel's cache of ARP (arp(7), arp(8)).

use core::net::{IpAddr, Ipv4Addr};

use rbox_core::bytes::words;
use rbox_core::io::Input;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{parse_hardware, parse_pairs, parse_v4};
use rbox_core::net::dns::{self, ReverseNames};
use rbox_core::net::netlink::Netlink;
use rbox_core::number::parse_radix;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::interface::{ArpEntry, DELETE_ARP, SET_ARP, change_arp};
use rbox_core::{push, text};

options! {
    "[-vn] [-H TYPE] [-i INTERFACE] [-a] [HOST]
arp [-v] [-i INTERFACE] -d HOST [pub]
arp [-v] [-H TYPE] [-i INTERFACE] -s HOST HARDWARE [temp]
arp [-v] [-H TYPE] [-i INTERFACE] -s HOST HARDWARE [netmask MASK] pub
arp [-v] [-H TYPE] [-i INTERFACE] -Ds HOST INTERFACE [netmask MASK] pub

Show or change the cache of ARP.

  -a            Show the entry of HOST, or all
  -d            Delete the entry of HOST
  -s            Set an entry
  -f            Set the entries of a file (/etc/ethers)
  -v            Report what is done
  -n            Print numeric addresses
  -i INTERFACE  Interface to use
  -D            Take the hardware address of an interface
  -A, -p FAMILY  Address family: inet
  -H, -t TYPE   Type of the hardware: ether (default), arcnet, fddi, hippi, infiniband, loop, tr";
    ALL = "-a",
    DELETE = "-d",
    SET = "-s",
    FILE = "-f",
    VERBOSE = "-v",
    NUMBERS = "-n",
    INTERFACE = "-i",
    OF_DEVICE = "-D",
    FAMILY = "-A",
    HARDWARE = "-H",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// linux/if_arp.h, ARPHRD_*.
const TYPES: Names = names! {
    "ether" = 1, "tr" = 6, "arcnet" = ARCNET, "infiniband" = 32, "loop" = 772, "fddi" = 774, "hippi" = 780,
};
const ARCNET: u16 = 7;

/// arp(7), ATF_*.
const COMPLETE: i32 = 2;
const PERMANENT: i32 = 4;
const PUBLISHED: i32 = 8;
const TRAILERS: i32 = 0x10;
const NETMASK: i32 = 0x20;
const UNPUBLISHED: i32 = 0x40;
const AUTOMATIC: i32 = 0x80;

/// What the command line says for all modes.
struct Request<'a> {
    hardware: Option<u16>,
    device: &'a [u8],
    verbose: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    match args.value(FAMILY) {
        None | Some(b"inet") => {}
        Some(word @ (b"inet6" | b"unix" | b"ax25" | b"ipx")) => {
            return Err(Error::parts(&[word, b": kernel only supports 'inet'"]));
        }
        Some(word) => return Err(Error::parts(&[word, b": unknown address family"])),
    }
    let unknown = |word| Error::parts(&[word, b": unknown hardware type"]);
    let hardware = args.value(HARDWARE).map(|word| TYPES.number_of(word).ok_or_else(|| unknown(word)));
    let hardware = hardware.transpose()?.map(|kind| kind as u16);
    let device = args.value(INTERFACE).unwrap_or(b"");
    let request = Request { hardware, device, verbose: args.has(VERBOSE) };
    match args.last_of(&[ALL, DELETE, SET, FILE]) {
        Some(DELETE) => request.delete(env, args.operands()),
        Some(SET) => request.set(env, args.operands(), args.has(OF_DEVICE)),
        Some(FILE) => request.set_all(env, args.operands_between(0, 1)?.first().copied()),
        _ => request.show(env, args.operands_between(0, 1)?.first().copied(), args.has(NUMBERS)),
    }
}

fn host(word: &[u8]) -> Result<Ipv4Addr> {
    match dns::resolve(word, Some(false)) {
        Ok(IpAddr::V4(address)) => Ok(address),
        _ => Err(Error::parts(&[word, b": Host name lookup failure"])),
    }
}

/// A line of /proc/net/arp (proc(5)).
struct Entry {
    address: Ipv4Addr,
    kind: u16,
    flags: i32,
    hardware: Vec<u8>,
    mask: Vec<u8>,
    device: Vec<u8>,
}

impl Entry {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = words(line);
        let hex = |word: Option<&[u8]>| parse_radix(word?.strip_prefix(b"0x")?, 16);
        let address = parse_v4(words.next()?).ok()?;
        let (kind, flags) = (hex(words.next())? as u16, hex(words.next())? as i32);
        let mut word = || words.next().map(<[u8]>::to_vec);
        Some(Self { address, kind, flags, hardware: word()?, mask: word()?, device: word()? })
    }

    fn line(&self, names: Option<&mut ReverseNames>) -> Vec<u8> {
        let name = names.and_then(|names| names.of(self.address.into())).unwrap_or(b"?");
        let mut line = text!(name, " (", self.address, ") at ");
        match (self.flags & COMPLETE != 0, self.flags & PUBLISHED != 0) {
            (true, _) => {
                push!(line, &self.hardware, " [", TYPES.name_of(self.kind.into()).unwrap_or("?"), "] ");
            }
            (false, true) => push!(line, "* "),
            (false, false) => push!(line, "<incomplete> "),
        }
        if self.flags & NETMASK != 0 {
            push!(line, "netmask ", &self.mask, " ");
        }
        for (flag, word) in [(PERMANENT, "PERM"), (PUBLISHED, " PUP"), (TRAILERS, " TRAIL")] {
            if self.flags & flag != 0 {
                push!(line, word);
            }
        }
        push!(line, " on ", &self.device, "\n");
        line
    }
}

fn entries() -> Result<Vec<Entry>> {
    let mut file = Input::open(b"/proc/net/arp")?;
    let mut entries = Vec::new();
    while let Some(line) = file.line()? {
        // The first line is a title, which is no entry.
        entries.extend(Entry::parse(line));
    }
    Ok(entries)
}

impl Request<'_> {
    fn show(&self, env: &mut Env, operand: Option<&[u8]>, numbers: bool) -> Outcome {
        let address = operand.map(host).transpose()?;
        let mut names = ReverseNames::default();
        let all = entries()?;
        let mut shown = 0usize;
        for entry in &all {
            if address.is_none_or(|address| address == entry.address)
                && self.hardware.is_none_or(|kind| kind == entry.kind)
                && (self.device.is_empty() || self.device == entry.device)
            {
                shown += 1;
                env.stdout.write(&entry.line((!numbers).then_some(&mut names)))?;
            }
        }
        if self.verbose {
            let line = text!("Entries: ", all.len(), "\tSkipped: ", all.len() - shown, "\tFound: ", shown, "\n");
            env.stdout.write(&line)?;
        }
        if shown == 0 && (operand.is_some() || self.hardware.is_some() || !self.device.is_empty()) {
            env.stdout.write(&text!("No match found in ", all.len(), " entries\n"))?;
        }
        Ok(ExitStatus::SUCCESS)
    }

    /// Deletes the entry of a host; with `pub` those that are published for it, on each interface that has one.
    fn delete(&self, env: &mut Env, operands: &[&[u8]]) -> Outcome {
        let [name, words @ ..] = operands else { return Err(Error::new("need host name")) };
        let address = host(name)?;
        let (mut own, mut published) = (true, true);
        for word in words {
            match *word {
                b"pub" => own = false,
                b"priv" => published = false,
                _ => return Err(Error::usage()),
            }
        }
        let hardware = (self.hardware.unwrap_or(1), &[][..]);
        let entry = ArpEntry { address, hardware, flags: 0, netmask: Ipv4Addr::BROADCAST, device: self.device };
        let mut result = if own { change_arp(DELETE_ARP, &entry) } else { Err(Errno::NOENT) };
        if published && matches!(result, Err(Errno::NOENT | Errno::NXIO)) {
            result = Err(Errno::NOENT);
            for known in entries()?.iter().filter(|known| known.flags & PUBLISHED != 0 && known.address == address) {
                if self.device.is_empty() || self.device == known.device {
                    result = change_arp(DELETE_ARP, &ArpEntry { flags: PUBLISHED, device: &known.device, ..entry });
                }
            }
        }
        let what = if published { "SIOCDARP(pub)" } else { "SIOCDARP(priv)" };
        result.map_err(|errno| Error::on(what, errno))?;
        self.report(env, "deleted", address)
    }

    fn set(&self, env: &mut Env, operands: &[&[u8]], of_device: bool) -> Outcome {
        let [name, rest @ ..] = operands else { return Err(Error::new("need host name")) };
        let address = host(name)?;
        let [hardware, words @ ..] = rest else { return Err(Error::new("need hardware address")) };
        let (mut kind, hardware) = match of_device {
            true => {
                let link = Netlink::open()?.link(hardware)?;
                (link.hardware, link.address)
            }
            false => self.parse_hardware(hardware)?,
        };
        kind = self.hardware.unwrap_or(kind);
        let (mut flags, mut netmask, mut device) = (PERMANENT | COMPLETE, Ipv4Addr::BROADCAST, self.device);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                b"pub" => flags |= PUBLISHED,
                b"priv" => flags &= !PUBLISHED,
                b"temp" => flags &= !PERMANENT,
                b"trail" => flags |= TRAILERS,
                b"dontpub" => flags |= UNPUBLISHED,
                b"auto" => flags |= AUTOMATIC,
                b"dev" => device = words.next().ok_or_else(Error::usage)?,
                b"netmask" => {
                    netmask = parse_v4(words.next().ok_or_else(Error::usage)?)?;
                    flags |= NETMASK;
                }
                _ => return Err(Error::usage()),
            }
        }
        if netmask == Ipv4Addr::BROADCAST {
            flags &= !NETMASK;
        }
        let entry = ArpEntry { address, hardware: (kind, &hardware), flags, netmask, device };
        change_arp(SET_ARP, &entry).map_err(|errno| Error::on("SIOCSARP", errno))?;
        self.report(env, "set", address)
    }

    fn parse_hardware(&self, word: &[u8]) -> Result<(u16, Vec<u8>)> {
        let invalid = |_| Error::new("invalid hardware address");
        match self.hardware {
            Some(ARCNET) => Ok((ARCNET, parse_pairs::<1>(word).map_err(invalid)?.to_vec())),
            kind => Ok((kind.unwrap_or(1), parse_hardware(word).map_err(invalid)?.to_vec())),
        }
    }

    /// Sets the entries of a file: `HOST HARDWARE [words of -s]` or, as in ethers(5), `HARDWARE HOST`.
    fn set_all(&self, env: &mut Env, path: Option<&[u8]>) -> Outcome {
        let mut file = Input::open(path.unwrap_or(b"/etc/ethers"))?;
        let mut status = ExitStatus::SUCCESS;
        while let Some(line) = file.line()? {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let mut words: Vec<&[u8]> = words(line).collect();
            if words.len() >= 2 && parse_hardware(words[0]).is_ok() {
                words.swap(0, 1);
            }
            if !words.is_empty() {
                // One entry does not stop the others.
                status.worsen(self.set(env, &words, false).unwrap_or_else(|error| env.warn(error)));
            }
        }
        Ok(status)
    }

    fn report(&self, env: &mut Env, what: &str, address: Ipv4Addr) -> Outcome {
        if self.verbose {
            env.stdout.write(&text!("arp: ", what, " ", address, "\n"))?;
        }
        Ok(ExitStatus::SUCCESS)
    }
}
