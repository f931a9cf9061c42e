//! Answers: their heads, errors, and files with their conditions and ranges (RFC 9110, 13 and 14).

use rbox_core::bytes::split_once;
use rbox_core::number::parse_decimal;
use rbox_core::sys::fs::{FileType, Mode, OFlags, Stat};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::{OwnedFd, fd, fs};
use rbox_core::text::Hex;
use rbox_core::time::{Moment, Zone, format, parse};
use rbox_core::{push, text};

use super::connection::Connection;
use super::request::{Field, Request};
use super::site::Site;

/// Files up to this size are sent with their head.
const SMALL: u64 = 32 * 1024;

/// The reason and the sentence of a status.
fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        200 => ("OK", ""),
        206 => ("Partial Content", ""),
        302 => ("Found", ""),
        304 => ("Not Modified", ""),
        400 => ("Bad Request", "The request is malformed"),
        401 => ("Unauthorized", ""),
        403 => ("Forbidden", ""),
        404 => ("Not Found", "The requested URL was not found"),
        405 => ("Method Not Allowed", ""),
        408 => ("Request Timeout", "No request appeared within 60 seconds"),
        413 => ("Content Too Large", "A body in chunks may have 1 MB"),
        416 => ("Range Not Satisfiable", ""),
        431 => ("Request Header Fields Too Large", ""),
        500 => ("Internal Server Error", "The program failed"),
        501 => ("Not Implemented", "The requested method is not recognized"),
        502 => ("Bad Gateway", "The other server does not answer"),
        505 => ("HTTP Version Not Supported", ""),
        _ => ("Service Unavailable", "The server is busy"),
    }
}

/// What an error has beside its status.
#[derive(Default)]
pub struct Extra {
    pub location: Option<Vec<u8>>,
    pub whole: Option<u64>,
}

/// Starts an answer: the status line and the fields that all answers have.
pub fn push_head(connection: &mut Connection, site: &mut Site, status: u16) {
    connection.status = status;
    let persistence = if connection.closing { "close" } else { "keep-alive" };
    push!(
        connection.out,
        "HTTP/1.1 ",
        status as u32,
        " ",
        words(status).0,
        "\r\nDate: ",
        site.date(),
        "\r\nConnection: ",
        persistence,
        "\r\n"
    );
}

/// Answers with an error or a redirection: the page of httpd.conf, or a sentence.
pub fn error(connection: &mut Connection, site: &mut Site, status: u16, is_head: bool, extra: &Extra) {
    if let Some(path) = site.config.page(status).map(<[u8]>::to_vec)
        && let Some((file, stat)) = open(&path)
    {
        push_head(connection, site, status);
        push_extra(connection, site, status, extra);
        push_type(connection, site, &path);
        push!(connection.out, "Content-Length: ", stat.st_size as u64, "\r\n\r\n");
        if !is_head {
            connection.body = Some((file, 0, stat.st_size as u64));
        }
        return;
    }
    let (reason, sentence) = words(status);
    let title = text!(status as u32, " ", reason);
    let page = text!(
        "<HTML><HEAD><TITLE>",
        &title,
        "</TITLE></HEAD>\n<BODY><H1>",
        &title,
        "</H1>\n",
        sentence,
        "\n</BODY></HTML>\n"
    );
    push_head(connection, site, status);
    push_extra(connection, site, status, extra);
    push!(connection.out, "Content-type: text/html\r\nContent-Length: ", page.len(), "\r\n\r\n");
    if !is_head {
        connection.out.extend_from_slice(&page);
    }
}

fn push_type(connection: &mut Connection, site: &Site, path: &[u8]) {
    if let Some(kind) = site.config.media_type(path) {
        push!(connection.out, "Content-type: ", kind, "\r\n");
    }
}

fn push_extra(connection: &mut Connection, site: &Site, status: u16, extra: &Extra) {
    match status {
        401 => push!(connection.out, "WWW-Authenticate: Basic realm=\"", &site.realm, "\"\r\n"),
        501 | 405 => push!(connection.out, "Allow: GET, HEAD\r\n"),
        _ => {}
    }
    if let Some(location) = &extra.location {
        push!(connection.out, "Location: ", location, "\r\n");
    }
    if let Some(whole) = extra.whole {
        push!(connection.out, "Content-Range: bytes */", whole, "\r\n");
    }
}

/// A path as a client gets it: what is not allowed in a URL is percent-encoded.
pub fn encoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            out.push(byte);
        } else {
            out.extend([
                b'%',
                b"0123456789ABCDEF"[usize::from(byte >> 4)],
                b"0123456789ABCDEF"[usize::from(byte & 15)],
            ]);
        }
    }
    out
}

/// A regular file below the home directory, which is the working directory, and what is known of it.
pub fn open(path: &[u8]) -> Option<(OwnedFd, Stat)> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    // A FIFO must not make the server wait.
    let file =
        fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty()).ok()?;
    let stat = fs::fstat(&file).ok()?;
    (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then_some((file, stat))
}

/// Answers with a file, or a part of it, or with the news that the client has it.
pub fn file(
    connection: &mut Connection,
    site: &mut Site,
    request: &Request<'_>,
    path: &[u8],
    file: OwnedFd,
    stat: Stat,
) {
    let compressed = compressed(request, path);
    let varies = compressed.is_some();
    let is_compressed = compressed.as_ref().is_some_and(|_| request.field(Field::Range).is_none());
    let (file, stat) = compressed.filter(|_| is_compressed).unwrap_or((file, stat));
    let size = stat.st_size as u64;
    let zone = Zone::utc();
    let changed = Moment { seconds: stat.st_mtime, nanos: 0 };
    let date = format(b"%a, %d %b %Y %H:%M:%S GMT", changed, &zone);
    let tag = text!("\"", Hex(stat.st_mtime as u64), ".", Hex(stat.st_mtime_nsec as i64 as u64), "-", Hex(size), "\"");
    let known = is_known(request, &tag, changed, &date, &zone);
    let Ok(ranges) = (if known { Ok(Vec::new()) } else { ranges(request, &tag, &date, size) }) else {
        let extra = Extra { whole: Some(size), ..Extra::default() };
        return error(connection, site, 416, request.is_head(), &extra);
    };
    let (status, start, length) = match ranges[..] {
        _ if known => (304, 0, 0),
        [] => (200, 0, size),
        [(start, length), ..] => (206, start, length),
    };
    push_head(connection, site, status);
    push!(connection.out, "ETag: ", &tag, "\r\nLast-Modified: ", &date, "\r\n");
    if varies {
        push!(connection.out, "Vary: Accept-Encoding\r\n");
    }
    if ranges.len() > 1 {
        return push_parts(connection, site.config.media_type(path), file, size, &ranges);
    }
    if status != 304 {
        push_type(connection, site, path);
        push!(connection.out, "Accept-Ranges: bytes\r\nContent-Length: ", length, "\r\n");
    }
    if is_compressed && status != 304 {
        push!(connection.out, "Content-Encoding: gzip\r\n");
    }
    if status == 206 {
        push!(connection.out, "Content-Range: bytes ", start, "-", start + length - 1, "/", size, "\r\n");
    }
    push!(connection.out, "\r\n");
    if status == 304 || request.is_head() || length == 0 {
        return;
    }
    let before = connection.out.len();
    if length <= SMALL {
        connection.out.resize(before + length as usize, 0);
        if fd::pread(&file, &mut connection.out[before..], start) == Ok(length as usize) {
            return;
        }
        // It shrank, or cannot be read: what follows meets the reason.
        connection.out.truncate(before);
    }
    connection.body = Some((file, start, length));
}

/// Answers with several parts of a file (RFC 9110, 14.6).
fn push_parts(connection: &mut Connection, kind: Option<&[u8]>, file: OwnedFd, size: u64, ranges: &[(u64, u64)]) {
    let mut random = [0; 8];
    // No file has it but by chance.
    let _ = getrandom(&mut random, GetRandomFlags::empty());
    let boundary = text!("part", Hex(u64::from_ne_bytes(random) | 1 << 63));
    let mut parts = Vec::with_capacity(ranges.len() + 1);
    for &(start, length) in ranges {
        let mut head = text!("\r\n--", &boundary, "\r\n");
        if let Some(kind) = kind {
            push!(head, "Content-type: ", kind, "\r\n");
        }
        push!(head, "Content-Range: bytes ", start, "-", start + length - 1, "/", size, "\r\n\r\n");
        parts.push((head, start, length));
    }
    parts.push((text!("\r\n--", &boundary, "--\r\n"), 0, 0));
    let whole: u64 = parts.iter().map(|(head, _, length)| head.len() as u64 + length).sum();
    push!(connection.out, "Content-type: multipart/byteranges; boundary=", &boundary, "\r\nAccept-Ranges: bytes\r\n");
    push!(connection.out, "Content-Length: ", whole, "\r\n\r\n");
    parts.reverse();
    if let Some((head, start, length)) = parts.pop() {
        connection.out.extend_from_slice(&head);
        (connection.body, connection.parts) = (Some((file, start, length)), parts);
    }
}

/// The compressed file beside this one, where the client takes it.
fn compressed(request: &Request<'_>, path: &[u8]) -> Option<(OwnedFd, Stat)> {
    let accepts = request.field(Field::AcceptEncoding)?.split(|&byte| byte == b',').any(|coding| {
        let mut parts = coding.split(|&byte| byte == b';');
        let is_gzip = parts.next().is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(b"gzip"));
        // RFC 9110 12.4.2: a weight of 0 is a refusal.
        let is_refused = parts.next().is_some_and(|weight| {
            weight
                .trim_ascii()
                .strip_prefix(b"q=")
                .is_some_and(|digits| digits.iter().all(|byte| matches!(byte, b'0' | b'.')))
        });
        is_gzip && !is_refused
    });
    if accepts { open(&text!(path, ".gz")) } else { None }
}

/// Whether the client has this version. RFC 9110 13.2.2: a tag goes before a date.
fn is_known(request: &Request<'_>, tag: &[u8], changed: Moment, date: &[u8], zone: &Zone) -> bool {
    if let Some(tags) = request.field(Field::IfNoneMatch) {
        let plain = |word: &[u8]| word.trim_ascii().strip_prefix(b"W/").unwrap_or(word.trim_ascii()) == tag;
        return tags.trim_ascii() == b"*" || tags.split(|&byte| byte == b',').any(plain);
    }
    let Some(since) = request.field(Field::IfModifiedSince) else { return false };
    since == date || parse(since, Moment::now(), zone).is_some_and(|since| changed.seconds <= since.seconds)
}

/// The parts that are asked for: where each starts, and its length. RFC 9110 14.2: none, for the whole, where the field is no
/// range of bytes, or wants more than the file or than 16 parts; an error is ranges of which the file has none.
fn ranges(request: &Request<'_>, tag: &[u8], date: &[u8], size: u64) -> core::result::Result<Vec<(u64, u64)>, ()> {
    let Some(words) = request.field(Field::Range).and_then(|range| range.strip_prefix(b"bytes=")) else {
        return Ok(Vec::new());
    };
    let is_other = request.field(Field::IfRange).is_some_and(|version| version != tag && version != date);
    if is_other || request.method != b"GET" {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut wanted = 0u64;
    for word in words.split(|&byte| byte == b',') {
        let Some((start, end)) = range(word.trim_ascii(), size) else { return Ok(Vec::new()) };
        if start < end {
            found.push((start, end - start));
            wanted = wanted.saturating_add(end - start);
        }
    }
    match found.len() {
        0 => Err(()),
        1 => Ok(found),
        2..=16 if wanted <= size => Ok(found),
        _ => Ok(Vec::new()),
    }
}

/// The offsets of one range, `FIRST-LAST`, `FIRST-` or `-COUNT`; empty when the file does not have it.
fn range(word: &[u8], size: u64) -> Option<(u64, u64)> {
    let (first, last) = split_once(word, b'-')?;
    match (parse_decimal(first), parse_decimal(last)) {
        (Some(first), Some(last)) if first <= last => Some((first, last.saturating_add(1).min(size))),
        (Some(first), None) if last.is_empty() => Some((first, size)),
        (None, Some(count)) if first.is_empty() => {
            Some((if count == 0 { size } else { size.saturating_sub(count) }, size))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_within_the_file() {
        let part = |word: &str| {
            let head = [b"GET / HTTP/1.0\r\nRange: ", word.as_bytes(), b"\r\n\r\n"].concat();
            ranges(&Request::parse(&head).expect("it is right"), b"t", b"d", 10)
        };
        assert_eq!(part("bytes=2-4"), Ok(vec![(2, 3)]));
        assert_eq!(part("bytes=2-"), Ok(vec![(2, 8)]));
        assert_eq!(part("bytes=-3"), Ok(vec![(7, 3)]));
        assert_eq!(part("bytes=-30"), Ok(vec![(0, 10)]));
        assert_eq!(part("bytes=9-18446744073709551615"), Ok(vec![(9, 1)]));
        assert_eq!(part("bytes=1-2, 4-5,20-"), Ok(vec![(1, 2), (4, 2)]));
        for word in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=10-,11-"] {
            assert_eq!(part(word), Err(()), "{word}");
        }
        for word in [
            "bytes=4-2",
            "bytes=0-,0-",
            "bytes=1-2,x",
            "bytes=1-2,",
            "lines=1-2",
            "bytes=x-",
            "bytes=--1",
            "bytes=18446744073709551616-",
        ] {
            assert_eq!(part(word), Ok(Vec::new()), "{word}");
        }
    }

    #[test]
    fn paths_of_redirections_hold_no_other_field() {
        assert_eq!(encoded(b"/a b\r\nX: y/\xe9"), b"/a%20b%0D%0AX:%20y/%E9");
    }
}
