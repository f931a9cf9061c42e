//! Which servers are asked, and keys (ntp.conf(5), ntp.keys(5)).

use rbox_core::bytes::words;
use rbox_core::hash::Algorithm;
use rbox_core::io::Input;
use rbox_core::net::sockets;
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::text;

use super::PORT;
use super::packet::Key;
use super::peer::Peer;

/// The servers of the options, or else of /etc/ntp.conf.
pub fn peers<'a>(operands: impl Iterator<Item = &'a [u8]>, keys: &[Key]) -> Result<Vec<Peer>> {
    let peers: Vec<Peer> = operands.map(|word| peer_of_option(word, keys)).collect::<Result<_>>()?;
    if !peers.is_empty() {
        return Ok(peers);
    }
    match Input::open(b"/etc/ntp.conf") {
        Ok(file) => read_config(file, keys),
        Err(error) if error.errno() == Some(Errno::NOENT) => Ok(peers),
        Err(error) => Err(error),
    }
}

/// `[keyno:N:]HOST[:PORT]`.
fn peer_of_option(word: &[u8], keys: &[Key]) -> Result<Peer> {
    let (key, word) = match word.strip_prefix(b"keyno:") {
        Some(rest) => {
            let (number, host) = rbox_core::bytes::split_once(rest, b':').ok_or_else(Error::usage)?;
            (Some(find(number, keys)?), host)
        }
        None => (None, word),
    };
    match sockets::host_and_port(word) {
        (Some(host), Some(port)) => Ok(Peer::new(host, key, sockets::port(port, b"udp")?)),
        (host, None) => Ok(Peer::new(host.unwrap_or(word), key, PORT)),
        (None, Some(_)) => Ok(Peer::new(word, key, PORT)),
    }
}

fn find(number: &[u8], keys: &[Key]) -> Result<Key> {
    let wanted = parse_decimal(number);
    let key = keys.iter().find(|key| Some(u64::from(key.number)) == wanted);
    key.cloned().ok_or_else(|| Error::parts(&[b"key ", number, b" is not defined"]))
}

/// The lines `server HOST [key N]` and `pool HOST`. Others are for other programs, as in BusyBox.
fn read_config(mut file: Input, keys: &[Key]) -> Result<Vec<Peer>> {
    let mut peers = Vec::new();
    while let Some(line) = file.line()? {
        let mut words = words(line);
        if !matches!(words.next(), Some(b"server" | b"pool")) {
            continue;
        }
        let Some(host) = words.next() else { continue };
        let mut key = None;
        while let Some(word) = words.next() {
            if word == b"key" {
                key = Some(find(words.next().unwrap_or_default(), keys)?);
            }
        }
        peers.push(Peer::new(host, key, PORT));
    }
    Ok(peers)
}

/// The keys of a file.
pub fn read_keys(path: &[u8]) -> Result<Vec<Key>> {
    parse_keys(Input::open(path)?)
}

/// Lines `NUMBER TYPE SECRET`: the secret is up to 20 characters, or a longer one in hexadecimal.
fn parse_keys(mut file: Input) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    let path = file.name().to_vec();
    let mut count = 0u64;
    while let Some(line) = file.line()? {
        count += 1;
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut words = words(line);
        let Some(number) = words.next() else { continue };
        let wrong = || Error::parts(&[&text!(&path, ": line ", count), b": not 'NUMBER TYPE SECRET'"]);
        let number = parse_decimal(number).filter(|number| (1..=65_535).contains(number)).ok_or_else(wrong)? as u32;
        let algorithm = match words.next() {
            Some(b"M" | b"MD5" | b"m" | b"md5") => Algorithm::Md5,
            Some(b"SHA1" | b"SHA" | b"sha1" | b"sha") => Algorithm::Sha1,
            _ => return Err(wrong()),
        };
        let word = words.next().ok_or_else(wrong)?;
        let secret = match word.len() {
            1..=20 => word.to_vec(),
            _ => {
                let pair = |pair: &[u8]| parse_radix(pair, 16).filter(|_| pair.len() == 2).map(|byte| byte as u8);
                word.chunks(2).map(pair).collect::<Option<Vec<u8>>>().ok_or_else(wrong)?
            }
        };
        keys.push(Key { number, algorithm, secret });
    }
    Ok(keys)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let keys = parse_keys(Input::from_bytes(data.to_vec())).unwrap_or_default();
    // Only a panic counts.
    let _ = (read_config(Input::from_bytes(data.to_vec()), &keys), peer_of_option(data, &keys));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_servers_are_read() {
        let file = b"# keys\n1 M secret\n2 SHA1 30313233343536373839303132333435363738394142 # hex\n";
        let keys = parse_keys(Input::from_bytes(file.to_vec())).expect("keys");
        assert_eq!((keys.len(), keys[0].secret.as_slice(), keys[1].number), (2, &b"secret"[..], 2));
        assert_eq!(keys[1].secret, b"01234567890123456789AB");
        for line in ["1", "0 M x", "1 X x", "1 M", "1 M 3031323334353637383930313233343536373839x"] {
            assert!(parse_keys(Input::from_bytes(line.into())).is_err(), "{line}");
        }
        let file = b"driftfile /x\nserver a iburst\nserver b key 1\npool c\n";
        let peers = read_config(Input::from_bytes(file.to_vec()), &keys).expect("servers");
        assert_eq!(peers.iter().map(|peer| peer.name.as_slice()).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
        assert!(read_config(Input::from_bytes(b"server b key 9\n".to_vec()), &keys).is_err());
        assert!(peer_of_option(b"keyno:1:host", &keys).is_ok_and(|peer| peer.name == b"host"));
        assert!(peer_of_option(b"keyno:9:host", &keys).is_err());
    }
}
