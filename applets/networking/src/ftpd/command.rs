//! Lines of a control connection.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use rbox_core::bytes::split_once;
use rbox_core::net::addr;
use rbox_core::number::parse_decimal;

/// The verb of a line, in capitals, and its operand. Bytes of TELNET's commands, which go before an ABOR, are left out.
pub fn parse(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut plain = Vec::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        if line[at] == 255 {
            at += 2;
        } else {
            plain.push(line[at]);
            at += 1;
        }
    }
    let line = plain.strip_suffix(b"\r").unwrap_or(&plain);
    let (verb, operand) = split_once(line, b' ').unwrap_or((line, b""));
    (verb.to_ascii_uppercase(), operand.to_vec())
}

/// The operand of PORT: four bytes of an address and two of a port.
pub fn port(operand: &[u8]) -> Option<SocketAddr> {
    let numbers: Option<Vec<u8>> = operand
        .split(|&byte| byte == b',')
        .map(|word| parse_decimal(word).and_then(|n| u8::try_from(n).ok()))
        .collect();
    let [a, b, c, d, high, low] = numbers?[..] else { return None };
    Some(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
}

/// The operand of EPRT (RFC 2428, 2): `|1|132.235.1.2|6275|`.
pub fn extended_port(operand: &[u8]) -> Option<SocketAddr> {
    let &delimiter = operand.first()?;
    let fields: Vec<&[u8]> = operand.split(|&byte| byte == delimiter).collect();
    let [b"", family, address, port, b""] = fields[..] else { return None };
    let ip = addr::parse(address).ok().filter(|ip: &IpAddr| family == if ip.is_ipv4() { b"1" } else { b"2" })?;
    Some(SocketAddr::new(ip, u16::try_from(parse_decimal(port)?).ok()?))
}

/// The operand of LIST without options, which clients send as for ls.
pub fn path_of_list(mut operand: &[u8]) -> &[u8] {
    while operand.starts_with(b"-") {
        operand = split_once(operand, b' ').map_or(&b""[..], |(_, rest)| rest.trim_ascii_start());
    }
    operand
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (_, operand) = parse(data);
    port(&operand);
    extended_port(&operand);
    path_of_list(&operand);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_verb_and_an_operand() {
        assert_eq!(parse(b"retr a b\r"), (b"RETR".to_vec(), b"a b".to_vec()));
        assert_eq!(parse(b"\xff\xf4\xff\xf2ABOR\r"), (b"ABOR".to_vec(), Vec::new()));
        assert_eq!(path_of_list(b"-la -R dir x"), b"dir x");
        assert_eq!((path_of_list(b"-la"), path_of_list(b"x -a")), (&b""[..], &b"x -a"[..]));
    }

    #[test]
    fn ports_have_addresses() {
        assert_eq!(port(b"127,0,0,1,4,1"), "127.0.0.1:1025".parse().ok());
        assert_eq!(extended_port(b"|2|::1|1025|"), "[::1]:1025".parse().ok());
        for wrong in ["", "1,2,3,4,5", "1,2,3,4,5,256", "1,2,3,4,5,-1", "1,2,3,4,5,6,7"] {
            assert_eq!(port(wrong.as_bytes()), None, "{wrong}");
        }
        for wrong in ["", "|", "|1|::1|1|", "|2|127.0.0.1|1|", "|1|127.0.0.1|65536|", "|1|127.0.0.1|1"] {
            assert_eq!(extended_port(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
