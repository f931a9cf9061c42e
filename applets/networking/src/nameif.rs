//! `nameif`: rename interfaces by what they are (nameif(8)).

use rbox_core::bytes::{base_name, words};
use rbox_core::io::Input;
use rbox_core::net::addr::parse_hardware;
use rbox_core::net::netlink::{Link, Netlink};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::{fs, interface};
use rbox_core::{syslog, text};

options! {
    "[-s] [-c FILE] [NAME SELECTOR]...

Rename each interface that SELECTOR fits to NAME. SELECTOR is a hardware
address, or words mac=ADDRESS, driver=NAME, bus=NAME and phyaddr=NUMBER.
Without operands, read lines 'NAME SELECTOR' of a file.

  -c FILE  File to read (/etc/mactab)
  -s       Log to syslog";
    FILE = "-c",
    SYSLOG = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// IFNAMSIZ of net/if.h, without the NUL.
const LONGEST: usize = 15;
/// IFLA_IFNAME of rtnetlink(7).
const NAME: u16 = 3;

/// A name, and what an interface must be to get it.
#[derive(Default)]
struct Rule {
    name: Vec<u8>,
    hardware: Option<[u8; 6]>,
    driver: Option<Vec<u8>>,
    bus: Option<Vec<u8>>,
    phy: Option<u8>,
}

impl Rule {
    fn parse(name: &[u8], selector: &[&[u8]]) -> Result<Self> {
        if name.len() > LONGEST {
            return Err(Error::parts(&[b"interface name '", name, b"' too long"]));
        }
        let mut rule = Self { name: name.to_vec(), ..Self::default() };
        for &word in selector {
            let cannot = || Error::parts(&[b"can't parse ", word]);
            if let Some(driver) = word.strip_prefix(b"driver=") {
                rule.driver = Some(driver.to_vec());
            } else if let Some(bus) = word.strip_prefix(b"bus=") {
                rule.bus = Some(bus.to_vec());
            } else if let Some(number) = word.strip_prefix(b"phyaddr=") {
                rule.phy = Some(parse_in_range(number, 0, 255).map_err(|_| cannot())? as u8);
            } else {
                let address = word.strip_prefix(b"mac=").unwrap_or(word);
                rule.hardware = Some(parse_hardware(address).map_err(|_| cannot())?);
            }
        }
        Ok(rule)
    }

    fn fits(&self, link: &Link) -> bool {
        // In sysfs each interface leads to its device, and that to its driver.
        let leads_to = |what: &str, wanted: &[u8]| {
            fs::readlink(text!("/sys/class/net/", &link.name, what)).is_ok_and(|path| base_name(&path) == wanted)
        };
        self.hardware.is_none_or(|address| link.address == address)
            && self.driver.as_ref().is_none_or(|driver| leads_to("/device/driver", driver))
            && self.bus.as_ref().is_none_or(|bus| leads_to("/device", bus))
            && self.phy.is_none_or(|phy| interface::phy_address(&link.name) == Ok(phy))
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let outcome = rename_all(env, args);
    match outcome {
        Err(error) if args.has(SYSLOG) && !error.is_usage() => {
            // Facility local0, severity err.
            syslog::log(16 << 3 | 3, b"nameif", error.message());
            Err(error)
        }
        outcome => outcome,
    }
}

fn rename_all(env: &mut Env, args: &Args<'_>) -> Outcome {
    let rules = rules(args)?;
    let netlink = Netlink::open()?;
    let mut status = ExitStatus::SUCCESS;
    let mut links = netlink.links()?;
    for rule in &rules {
        let Some(at) = links.iter().position(|link| rule.fits(link)) else { continue };
        // An interface gets one name.
        let link = links.swap_remove(at);
        if link.name == rule.name {
            continue;
        }
        let name = [(NAME, [&rule.name, &b"\0"[..]].concat())];
        if let Err(errno) = netlink.set_link(link.index, 0, 0, &name) {
            let error = Error::on(text!("can't change ifname ", &link.name, " to ", &rule.name), errno);
            if args.has(SYSLOG) {
                syslog::log(16 << 3 | 3, b"nameif", error.message());
            }
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

fn rules(args: &Args<'_>) -> Result<Vec<Rule>> {
    let operands = args.operands();
    if !operands.is_empty() {
        if !operands.len().is_multiple_of(2) {
            return Err(Error::usage());
        }
        return operands.chunks(2).map(|pair| Rule::parse(pair[0], &pair[1..])).collect();
    }
    let mut file = Input::open(args.value(FILE).unwrap_or(b"/etc/mactab"))?;
    let mut rules = Vec::new();
    while let Some(line) = file.line()? {
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let words: Vec<&[u8]> = words(line).collect();
        match &words[..] {
            [] => {}
            [name] => return Err(Error::parts(&[b"no selector for ", name])),
            [name, selector @ ..] => rules.push(Rule::parse(name, selector)?),
        }
    }
    Ok(rules)
}
