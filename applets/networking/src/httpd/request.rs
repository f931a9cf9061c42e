//! The head of a request (RFC 9112).

use rbox_core::bytes::{find, find_byte, split_once};
use rbox_core::number::{parse_decimal, parse_radix};

/// The most bytes of a head.
pub const LONGEST: usize = 32 * 1024;

/// The fields that the server itself obeys.
#[derive(Clone, Copy)]
pub enum Field {
    Host,
    Connection,
    Range,
    IfRange,
    IfNoneMatch,
    IfModifiedSince,
    AcceptEncoding,
    Authorization,
    ContentType,
    Expect,
    Encoding,
}

/// Their names, in that order.
const FIELDS: &str = "Host Connection Range If-Range If-None-Match If-Modified-Since Accept-Encoding Authorization \
                      Content-Type Expect Transfer-Encoding";

pub struct Request<'a> {
    pub method: &'a [u8],
    /// As it was sent, from the slash on.
    pub target: &'a [u8],
    /// Decoded, from the slash on, without empty, `.` and `..` components; a slash at the end stays.
    pub path: Vec<u8>,
    pub query: &'a [u8],
    /// The minor version of HTTP/1.
    pub minor: u8,
    /// Bytes of the body.
    pub length: Option<u64>,
    lines: &'a [u8],
    fields: [Option<&'a [u8]>; 11],
}

/// The length of the head at the start of `content`, with the blank line; `None` before that has come.
pub fn head_length(content: &[u8]) -> Option<usize> {
    let long = find(content, b"\r\n\r\n").map(|at| at + 4);
    // RFC 9112 2.2: a bare newline may end a line.
    let within = &content[..long.unwrap_or(content.len())];
    let short = find(within, b"\n\n").map(|at| at + 2);
    short.or(long)
}

impl<'a> Request<'a> {
    /// Reads a head. The error is the status of the answer.
    pub fn parse(head: &'a [u8]) -> Result<Self, u16> {
        let (line, lines) = split_once(head, b'\n').ok_or(400_u16)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut words = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(400);
        };
        let minor = match version.strip_prefix(b"HTTP/1.") {
            Some([digit @ b'0'..=b'9']) => digit - b'0',
            _ if version.starts_with(b"HTTP/") => return Err(505),
            _ => return Err(400),
        };
        if method.is_empty() || !method.iter().all(u8::is_ascii_alphabetic) {
            return Err(400);
        }
        let target = origin(target).ok_or(400_u16)?;
        // A fragment is the client's own, and nothing else may be in a target.
        if !target.iter().all(u8::is_ascii_graphic) {
            return Err(400);
        }
        let (path, query) = split_once(target, b'?').unwrap_or((target, b""));
        let path = decode(path)?;
        let mut request = Self { method, target, path, query, minor, length: None, lines, fields: [None; 11] };
        request.read_fields()?;
        // RFC 9112 3.2: a request of 1.1 names its host.
        if minor > 0 && request.field(Field::Host).is_none() {
            return Err(400);
        }
        match request.field(Field::Encoding) {
            // RFC 9112 6.3: who sends both lengths wants two servers to see two requests; 6.1: HTTP/1.0 has no chunks.
            Some(_) if request.length.is_some() || minor == 0 => Err(400),
            Some(coding) if !coding.eq_ignore_ascii_case(b"chunked") => Err(501),
            _ => Ok(request),
        }
    }

    fn read_fields(&mut self) -> Result<(), u16> {
        for (name, value) in fields(self.lines) {
            // RFC 9112 5.1: no blank before the colon; 5.2: no line that goes on the one before.
            if name.is_empty()
                || !name.iter().all(|&byte| byte.is_ascii_graphic())
                || find_byte(b'\r', value).is_some()
                || find_byte(0, value).is_some()
            {
                return Err(400);
            }
            if name.eq_ignore_ascii_case(b"Content-Length") {
                let length = parse_decimal(value).ok_or(400_u16)?;
                if self.length.is_some_and(|other| other != length) {
                    return Err(400);
                }
                self.length = Some(length);
                continue;
            }
            let known = FIELDS.split(' ').position(|field| name.eq_ignore_ascii_case(field.as_bytes()));
            if let Some(at) = known {
                // RFC 9112 3.2: two hosts are none.
                if at == Field::Host as usize && self.fields[at].is_some() {
                    return Err(400);
                }
                self.fields[at] = Some(value);
            }
        }
        Ok(())
    }

    pub fn field(&self, field: Field) -> Option<&'a [u8]> {
        self.fields[field as usize]
    }

    /// All fields, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        fields(self.lines)
    }

    /// Whether a body of unknown length follows.
    pub fn is_chunked(&self) -> bool {
        self.field(Field::Encoding).is_some()
    }

    /// Whether the client wants more on this connection (RFC 9112, 9.3).
    pub fn keeps_alive(&self) -> bool {
        let has = |word: &[u8]| {
            self.field(Field::Connection).is_some_and(|value| {
                value.split(|&byte| byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(word))
            })
        };
        if self.minor == 0 { has(b"keep-alive") } else { !has(b"close") }
    }

    pub fn is_head(&self) -> bool {
        self.method == b"HEAD"
    }
}

/// The fields of lines up to the blank one. A line without a colon has an empty name.
fn fields(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = lines.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take_while(|line| !line.is_empty()).map(|line| match split_once(line, b':') {
        Some((name, value)) => (name, value.trim_ascii()),
        None => (&b""[..], line),
    })
}

/// The path and query of a target, which a client may send with scheme and host (RFC 9112, 3.2.2).
fn origin(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") {
        return Some(target);
    }
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"http://"))?;
    let rest = &target[scheme.len()..];
    match rest.iter().position(|byte| matches!(byte, b'/' | b'?')) {
        Some(at) if rest[at] == b'/' => Some(&rest[at..]),
        None => Some(b"/"),
        Some(_) => None,
    }
}

/// The path that is meant. It never leads above the root: the error is the status.
fn decode(path: &[u8]) -> Result<Vec<u8>, u16> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        let byte = match path[at] {
            b'%' => {
                at += 2;
                let digits = path.get(at - 1..=at).and_then(|digits| parse_radix(digits, 16));
                match digits.ok_or(400_u16)? {
                    // No file has such a name, and no URL means a slash or an end by it.
                    0 | 0x2f => return Err(404),
                    code => code as u8,
                }
            }
            byte => byte,
        };
        decoded.push(byte);
        at += 1;
    }
    let mut whole = Vec::with_capacity(decoded.len());
    for component in decoded.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                let end = rbox_core::bytes::find_byte_back(b'/', &whole).ok_or(400_u16)?;
                whole.truncate(end);
            }
            _ => {
                whole.push(b'/');
                whole.extend_from_slice(component);
            }
        }
    }
    if whole.is_empty() || [&b"/"[..], b"/.", b"/.."].iter().any(|end| decoded.ends_with(end)) {
        whole.push(b'/');
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<String, u16> {
        let head = [b"GET ", target.as_bytes(), b" HTTP/1.0\r\n\r\n"].concat();
        Request::parse(&head).map(|request| String::from_utf8_lossy(&request.path).into_owned())
    }

    #[test]
    fn no_path_leads_above_the_root() {
        for (target, expected) in [
            ("/", "/"),
            ("/a/./b//c", "/a/b/c"),
            ("/a/../b/", "/b/"),
            ("/a/..", "/"),
            ("/a%20b?x/../..", "/a b"),
            ("/%61/%2e%2E/c", "/c"),
            ("/a/.", "/a/"),
            ("http://host/x", "/x"),
            ("http://host", "/"),
            ("/...", "/..."),
        ] {
            assert_eq!(path(target).as_deref(), Ok(expected), "{target}");
        }
        for (target, status) in [
            ("/..", 400),
            ("/../x", 400),
            ("/%2e%2e/x", 400),
            ("/a/../../x", 400),
            ("/a%00", 404),
            ("/a%2fb", 404),
            ("/a%2Fb", 404),
            ("/%zz", 400),
            ("/%", 400),
            ("/%+1", 400),
            ("x", 400),
            ("*", 400),
            ("ftp://h/x", 400),
            ("/\u{e9}", 400),
        ] {
            assert_eq!(path(target), Err(status), "{target}");
        }
    }

    #[test]
    fn heads_have_one_meaning() {
        let status = |head: &str| Request::parse(head.as_bytes()).err();
        let host = "GET / HTTP/1.1\r\nHost: x\r\n";
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), Some(400));
        assert_eq!(status(&[host, "\r\n"].concat()), None);
        for (line, expected) in [
            ("Host: y", 400),
            ("Content-Length: 1\r\nContent-Length: 2", 400),
            ("Content-Length: -1", 400),
            ("Content-Length: +1", 400),
            ("Transfer-Encoding: gzip, chunked", 501),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1", 400),
            ("Content-Length : 1", 400),
            (" folded: x", 400),
            ("no colon", 400),
            ("X: a\rb", 400),
        ] {
            assert_eq!(status(&[host, line, "\r\n\r\n"].concat()), Some(expected), "{line}");
        }
        for line in ["GET /", "GET  / HTTP/1.0", "GET / HTTP/1.0 ", "G\tT / HTTP/1.0", "GET / HTTP/1.x", " / HTTP/1.0"]
        {
            assert!(status(&[line, "\r\n\r\n"].concat()).is_some(), "{line}");
        }
        assert_eq!(status("GET / HTTP/2.0\r\n\r\n"), Some(505));
    }

    #[test]
    fn connections_are_kept_as_the_version_says() {
        let keeps = |head: &str| Request::parse(head.as_bytes()).ok().map(|request| request.keeps_alive());
        assert_eq!(keeps("GET / HTTP/1.0\n\n"), Some(false));
        assert_eq!(keeps("GET / HTTP/1.0\nConnection: x, Keep-Alive\n\n"), Some(true));
        assert_eq!(keeps("GET / HTTP/1.1\nHost: x\n\n"), Some(true));
        assert_eq!(keeps("GET / HTTP/1.1\nHost: x\nConnection: close\n\n"), Some(false));
    }

    #[test]
    fn heads_end_with_a_blank_line() {
        assert_eq!(head_length(b"GET / HTTP/1.0\r\n"), None);
        assert_eq!(head_length(b"GET / HTTP/1.0\r\n\r\nbody"), Some(18));
        assert_eq!(head_length(b"a\n\nb\r\n\r\n"), Some(3));
    }
}
