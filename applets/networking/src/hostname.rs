//! `hostname`: print or set the host's name; `dnsdomainname` prints the domain of it.

use rbox_core::bytes;
use rbox_core::io::Input;
use rbox_core::net::{addr, dns};
use rbox_core::prelude::*;
use rbox_core::sys::system;

options! {
    "[-sidf] [NAME | -F FILE]

Print or set the host name.

  -s, --short         Print the name up to the first dot
  -i, --ip-address    Print the addresses of the name
  -d, --domain        Print the domain, after the first dot
  -f, --fqdn, --long  Print the fully qualified name
  -F, --file=FILE     Set the name from the first line of FILE
  -v                  Ignored; accepted for compatibility";
    SHORT = "-s",
    ADDRESSES = "-i",
    DOMAIN = "-d",
    FULL = "-f",
    FILE = "-F",
    "-v" => ignored,
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
            let text = addresses_of(&name);
            if text.is_empty() {
                return Err(unknown(&name));
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

fn unknown(name: &[u8]) -> Error {
    Error::parts(&[name, b": Host name lookup failure"])
}

/// The words of the lines of hosts(5) that have the name: an address, then names.
fn entries(name: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    let Ok(mut hosts) = Input::open(b"/etc/hosts") else { return entries };
    while let Ok(Some(line)) = hosts.line() {
        let line = bytes::split_once(line, b'#').map_or(line, |(entry, _)| entry);
        let words: Vec<Vec<u8>> = bytes::words(line).map(<[u8]>::to_vec).collect();
        if words.iter().skip(1).any(|word| word == name) {
            entries.push(words);
        }
    }
    entries
}

/// The name that hosts(5) gives first to the host.
fn full_name(name: &[u8]) -> Result<Vec<u8>> {
    let first = entries(name).into_iter().next();
    first.and_then(|words| words.into_iter().nth(1)).ok_or_else(|| unknown(name))
}

/// The addresses in hosts(5), or else the one that the name server has.
fn addresses_of(name: &[u8]) -> Vec<u8> {
    let mut found: Vec<Vec<u8>> = entries(name).into_iter().filter_map(|words| words.into_iter().next()).collect();
    if found.is_empty() {
        found.extend(dns::resolve(name, None).map(addr::text));
    }
    found.join(&b' ')
}
