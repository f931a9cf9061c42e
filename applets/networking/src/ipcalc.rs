//! `ipcalc`: the network, broadcast address, netmask and prefix of an address.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rbox_core::bytes::split_once;
use rbox_core::net::addr::{mask, parse, parse_v4};
use rbox_core::net::dns::ReverseNames;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::{push, text};

options! {
    "[-bnmphs] ADDRESS[/PREFIX] [NETMASK]

Print settings of the network of ADDRESS, as assignments of a shell.
Without PREFIX and NETMASK, IPv4 addresses have those of their class.

  -b, --broadcast  Print the broadcast address
  -n, --network    Print the address of the network
  -m, --netmask    Print the netmask
  -p, --prefix     Print the number of bits of the network
  -h, --hostname   Print the name of the host
  -s, --silent     Print no error messages";
    BROADCAST = "-b",
    NETWORK = "-n",
    MASK = "-m",
    PREFIX = "-p",
    NAME = "-h",
    SILENT = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    if ![BROADCAST, NETWORK, MASK, PREFIX, NAME].into_iter().any(|option| args.has(option)) {
        return Err(Error::usage());
    }
    calculate(env, args, operands).map_err(|error| match args.has(SILENT) && !error.is_output() {
        true => Error::silent(ExitStatus::FAILURE),
        false => error,
    })
}

fn calculate(env: &mut Env, args: &Args<'_>, operands: &[&[u8]]) -> Outcome {
    let (word, prefix) = split_once(operands[0], b'/').map_or((operands[0], None), |(word, bits)| (word, Some(bits)));
    if prefix.is_some() && operands.len() > 1 {
        return Err(Error::new("use prefix or netmask, not both"));
    }
    let address = parse_v4(word).map(IpAddr::V4).or_else(|_| parse(word));
    let address = address.map_err(|_| Error::parts(&[b"bad IP address: ", word]))?;
    let settings = match address {
        IpAddr::V4(address) => Settings::of_v4(address, prefix, operands.get(1).copied())?,
        IpAddr::V6(address) => Settings::of_v6(address, prefix, operands.get(1).copied())?,
    };
    if args.has(MASK) {
        env.stdout.write(&text!("NETMASK=", settings.mask, "\n"))?;
    }
    if args.has(BROADCAST) {
        let address = settings.broadcast.ok_or_else(|| Error::new("IPv6 has no broadcast address"))?;
        env.stdout.write(&text!("BROADCAST=", address, "\n"))?;
    }
    if args.has(NETWORK) {
        env.stdout.write(&text!("NETWORK=", settings.network, "\n"))?;
    }
    if args.has(PREFIX) {
        env.stdout.write(&text!("PREFIX=", settings.bits, "\n"))?;
    }
    if args.has(NAME) {
        let mut names = ReverseNames::default();
        let Some(name) = names.of(address) else {
            return Err(Error::new(text!("can't find hostname for ", address, ": Host name lookup failure")));
        };
        // The output is read by a shell: a server of a stranger names nothing but hosts (RFC 1123 2.1).
        let is_plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte));
        if !is_plain {
            return Err(Error::new(text!("bad hostname for ", address, ": ", name)));
        }
        let mut line = b"HOSTNAME=".to_vec();
        push!(line, name, "\n");
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

struct Settings {
    mask: IpAddr,
    broadcast: Option<IpAddr>,
    network: IpAddr,
    bits: u32,
}

impl Settings {
    fn of_v4(address: Ipv4Addr, prefix: Option<&[u8]>, netmask: Option<&[u8]>) -> Result<Self> {
        let mask = match (prefix, netmask) {
            (Some(word), _) => mask(parse_in_range(word, 0, 32)? as u8),
            (None, Some(word)) => parse_v4(word).map_err(|_| Error::parts(&[b"bad netmask: ", word]))?,
            // The classes of RFC 791.
            (None, None) => mask(match address.octets()[0] {
                0..128 => 8,
                128..192 => 16,
                _ => 24,
            }),
        };
        let (bits, address) = (mask.to_bits(), address.to_bits());
        Ok(Self {
            mask: mask.into(),
            broadcast: Some(Ipv4Addr::from(address | !bits).into()),
            network: Ipv4Addr::from(address & bits).into(),
            bits: bits.count_ones(),
        })
    }

    fn of_v6(address: Ipv6Addr, prefix: Option<&[u8]>, netmask: Option<&[u8]>) -> Result<Self> {
        if let Some(word) = netmask {
            return Err(Error::parts(&[b"bad netmask: ", word]));
        }
        let bits = prefix.map_or(Ok(128), |word| parse_in_range(word, 0, 128))? as u32;
        let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
        let network = Ipv6Addr::from(address.to_bits() & mask).into();
        Ok(Self { mask: Ipv6Addr::from(mask).into(), broadcast: None, network, bits })
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn networks_of_ipv6() {
        let ran = try_call(APPLET, &["ipcalc", "-mnp", "2001:db8::ff:1/56"], b"");
        assert_eq!(ran.stdout, "NETMASK=ffff:ffff:ffff:ff00::\nNETWORK=2001:db8::\nPREFIX=56\n");
        assert_eq!(try_call(APPLET, &["ipcalc", "-m", "::1/0"], b"").stdout, "NETMASK=::\n");
        assert_eq!(try_call(APPLET, &["ipcalc", "-b", "::1/64"], b"").status, 1);
        assert_eq!(try_call(APPLET, &["ipcalc", "-m", "::1/129"], b"").status, 1);
    }
}
