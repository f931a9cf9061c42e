//! `hostname`: print or set the host's name; `dnsdomainname` prints the domain of it.

use rbox_core::bytes;
use rbox_core::io::Input;
use rbox_core::net::netlink::Netlink;
use rbox_core::prelude::*;
use rbox_core::sys::system;

options! {
    "[-sidf] [NAME | -F FILE]

Print or set the host's name.

  -s, --short       Print the name up to the first dot
  -i, --ip-address  Print the host's addresses
  -d, --domain      Print what follows the first dot
  -f, --fqdn, --long  Print the name with its domain
  -F, --file=FILE   Set the name from the first line of FILE";
    SHORT = "-s",
    ADDRESSES = "-i",
    DOMAIN = "-d",
    FULL = "-f",
    FILE = "-F",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if let Some(path) = args.value(FILE) {
        set(&name_in_file(path)?)?;
        return Ok(ExitStatus::SUCCESS);
    }
    if let [name] = args.operands_between(0, 1)? {
        set(name)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let name = system::uname().nodename().to_bytes().to_vec();
    let form =
        if env.name == b"dnsdomainname" { Some(DOMAIN) } else { args.last_of(&[SHORT, ADDRESSES, DOMAIN, FULL]) };
    let mut line = match form {
        Some(SHORT) => bytes::split_once(&name, b'.').map_or(&name[..], |(host, _)| host).to_vec(),
        Some(DOMAIN) => {
            let full = full_name(&name)?;
            bytes::split_once(&full, b'.').map_or(&b""[..], |(_, domain)| domain).to_vec()
        }
        Some(ADDRESSES) => {
            let text = addresses()?;
            if text.is_empty() {
                return Err(Error::parts(&[&name, b": Host name lookup failure"]));
            }
            text
        }
        Some(_) => full_name(&name)?,
        None => name,
    };
    if form != Some(DOMAIN) || !line.is_empty() {
        line.push(b'\n');
    }
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}

/// The first line that is no comment.
fn name_in_file(path: &[u8]) -> Result<Vec<u8>> {
    let mut input = Input::open(path)?;
    while let Some(line) = input.line()? {
        let word = line.trim_ascii();
        if !word.is_empty() && !word.starts_with(b"#") {
            return Ok(word.to_vec());
        }
    }
    Err(Error::parts(&[path, b": no name in it"]))
}

fn set(name: &[u8]) -> Result<()> {
    system::sethostname(name).map_err(|errno| Error::on("sethostname", errno))
}

/// The name that hosts(5) gives first to the host.
fn full_name(name: &[u8]) -> Result<Vec<u8>> {
    let unknown = || Error::parts(&[name, b": Host name lookup failure"]);
    let mut found = None;
    let mut hosts = Input::open(b"/etc/hosts").map_err(|_| unknown())?;
    while let Ok(Some(line)) = hosts.line() {
        let line = bytes::split_once(line, b'#').map_or(line, |(entry, _)| entry);
        let names: Vec<&[u8]> = bytes::words(line).skip(1).collect();
        if names.contains(&name) {
            found = Some(names[0].to_vec());
            break;
        }
    }
    found.ok_or_else(unknown)
}

fn addresses() -> Result<Vec<u8>> {
    let all = Netlink::open()?.addresses(0)?;
    let shown =
        all.iter().filter(|address| address.scope == 0).map(|address| rbox_core::net::addr::text(address.local));
    Ok(shown.collect::<Vec<_>>().join(&b' '))
}
