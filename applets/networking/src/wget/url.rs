//! The parts of a URL (RFC 3986).

use rbox_core::bytes::{find, split_once};
use rbox_core::escape::percent_decoded;
use rbox_core::net::sockets;
use rbox_core::prelude::*;

/// How a file is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
    Ftp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub scheme: Scheme,
    /// `NAME[:PASSWORD]`, decoded.
    pub user: Option<Vec<u8>>,
    /// Without the brackets of an IPv6 address.
    pub host: Vec<u8>,
    pub port: u16,
    /// Begins with a slash; with the query, without the fragment.
    pub path: Vec<u8>,
}

/// The scheme and what follows `://`; `None` where that is a part of a path or a query.
fn split_scheme(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = find(word, b"://")?;
    let is_scheme = word[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    is_scheme.then(|| (&word[..at], &word[at + 3..]))
}

impl Url {
    /// Reads a URL; one without a scheme is of HTTP.
    pub fn parse(word: &[u8]) -> Result<Self> {
        let (scheme, rest) = split_scheme(word).unwrap_or((b"http", word));
        let (scheme, default) = match &scheme.to_ascii_lowercase()[..] {
            b"http" => (Scheme::Http, 80),
            b"https" => (Scheme::Https, 443),
            b"ftp" => (Scheme::Ftp, 21),
            _ => return Err(Error::parts(&[b"not an http, https or ftp url: ", word])),
        };
        let rest = rest.split(|&byte| byte == b'#').next().unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, host) = match rbox_core::bytes::find_byte_back(b'@', authority) {
            Some(at) => (Some(percent_decoded(&authority[..at])), &authority[at + 1..]),
            None => (None, authority),
        };
        let (host, port) = match host.strip_prefix(b"[").and_then(|host| split_once(host, b']')) {
            Some((host, rest)) => (host, rest.strip_prefix(b":")),
            None => split_once(host, b':').map_or((host, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() {
            return Err(Error::parts(&[b"no host in ", word]));
        }
        // It goes into headers as it is, at a proxy without ever being looked up.
        if host.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return Err(Error::parts(&[b"bad address '", host, b"'"]));
        }
        let port = match port {
            Some(word) if !word.is_empty() => sockets::port(word, b"tcp")?,
            _ => default,
        };
        let mut path = path.to_vec();
        if !path.starts_with(b"/") {
            path.insert(0, b'/');
        }
        // A newline would begin a header of its own; a blank ends the path (RFC 9112, 3.2).
        let path = path.iter().flat_map(|&byte| encoded(byte)).collect();
        Ok(Self { scheme, user, host: host.to_vec(), port, path })
    }

    /// The URL that a reference means which was found at this one.
    pub fn join(&self, reference: &[u8]) -> Result<Self> {
        if split_scheme(reference).is_some() {
            return Self::parse(reference);
        }
        let mut url = self.clone();
        let scheme: &[u8] = match self.scheme {
            Scheme::Http => b"http:",
            Scheme::Https => b"https:",
            Scheme::Ftp => b"ftp:",
        };
        if reference.starts_with(b"//") {
            return Self::parse(&[scheme, reference].concat());
        }
        let path = self.path.split(|&byte| byte == b'?').next().unwrap_or_default();
        let kept = match reference.first() {
            Some(b'/') => 0,
            Some(b'?') => path.len(),
            _ => rbox_core::bytes::find_byte_back(b'/', path).map_or(0, |at| at + 1),
        };
        let reference = reference.split(|&byte| byte == b'#').next().unwrap_or_default();
        url.path.truncate(kept);
        url.path.extend(reference.iter().flat_map(|&byte| encoded(byte)));
        Ok(url)
    }

    /// The host as a header has it: with its port where that is not the usual one.
    pub fn host_and_port(&self) -> Vec<u8> {
        let host = if self.host.contains(&b':') { [b"[", &self.host[..], b"]"].concat() } else { self.host.clone() };
        let usual = matches!((self.scheme, self.port), (Scheme::Http, 80) | (Scheme::Https, 443) | (Scheme::Ftp, 21));
        if usual { host } else { rbox_core::text!(host, ":", u32::from(self.port)) }
    }

    /// The name of the file that is saved: the last component with its query, or index.html.
    pub fn file_name(&self) -> Vec<u8> {
        let name = self.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if name.is_empty() || matches!(name, b"." | b"..") { b"index.html".to_vec() } else { name.to_vec() }
    }
}

/// A byte of a path as it is sent: blanks and control characters in their percent-encoding.
fn encoded(byte: u8) -> Vec<u8> {
    let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value)];
    match byte {
        0..=b' ' | 127.. => vec![b'%', digit(byte >> 4), digit(byte & 15)],
        _ => vec![byte],
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if let Ok(url) = Url::parse(data) {
        assert!(url.host.iter().all(|&byte| byte > b' '));
        assert!(url.path.iter().all(|byte| (b'!'..=b'~').contains(byte)));
        assert!(!url.file_name().contains(&b'/'));
        // A reference may be wrong.
        let _ = url.join(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_parts() {
        let url = Url::parse(b"ftp://me:a%40b@[::1]:2121/dir/a b?x#frag").expect("it is right");
        assert_eq!((url.scheme, url.port), (Scheme::Ftp, 2121));
        assert_eq!((url.user.as_deref(), &url.host[..]), (Some(&b"me:a@b"[..]), &b"::1"[..]));
        assert_eq!((&url.path[..], &url.file_name()[..]), (&b"/dir/a%20b?x"[..], &b"a%20b?x"[..]));
        let url = Url::parse(b"host").expect("it is right");
        assert_eq!(
            (&url.path[..], &url.file_name()[..], &url.host_and_port()[..]),
            (&b"/"[..], &b"index.html"[..], &b"host"[..])
        );
        for word in [&b"gopher://x/"[..], b"http:///x", b"http://x:99999/"] {
            assert!(Url::parse(word).is_err());
        }
    }

    #[test]
    fn references_are_resolved() {
        let base = Url::parse(b"http://h:8080/a/b?q").expect("it is right");
        let path =
            |reference: &[u8]| String::from_utf8(base.join(reference).expect("it is right").path).expect("ASCII");
        assert_eq!([path(b"/c"), path(b"c?d"), path(b"http://x/y"), path(b"//x/z")], ["/c", "/a/c?d", "/y", "/z"]);
        assert_eq!([path(b"/in?to=http://x/y"), path(b"?r")], ["/in?to=http://x/y", "/a/b?r"]);
        assert_eq!(Url::parse(b"h/in?to=http://x/y").expect("it is right").host, b"h");
        assert_eq!(base.join(b"/c").expect("it is right").port, 8080);
        assert_eq!(path(b"x\r\nHost: evil"), "/a/x%0D%0AHost:%20evil");
    }
}
