//! The body of a request for a program or another server: the news that it may come, and chunks (RFC 9112, 7.1).

use rbox_core::bytes::find_byte;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::io::{read, write_all};
use rbox_core::number::parse_radix;
use rbox_core::sys::AsFd;
use rbox_core::tty::wait_readable;

use super::connection::{Connection, PATIENCE};
use super::request::{Field, LONGEST, Request};

/// The most bytes of a body in chunks. Its length must be known before a program starts (RFC 3875, 4.1.2), so it is kept in
/// memory.
const LARGEST: usize = 1 << 20;

/// Lets the client send its body, and takes one in chunks as a whole, as if it had come with its length. The error is the
/// status of the answer.
pub fn await_body(connection: &mut Connection, request: &mut Request<'_>) -> Result<(), u16> {
    let expects = request.field(Field::Expect).is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
    // RFC 9110 10.1.1: a client may wait for it before it sends the body.
    if expects && connection.received.is_empty() {
        write_all(connection.output(), b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| 400_u16)?;
    }
    if !request.is_chunked() {
        return Ok(());
    }
    let mut chunks = Chunks::default();
    let end = uptime_milliseconds() + PATIENCE;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let used = chunks.take(&connection.received)?;
        connection.received.drain(..used);
        if chunks.is_complete {
            break;
        }
        let left = end.saturating_sub(uptime_milliseconds());
        let count = match wait_readable(connection.input.as_fd(), Some(left)) {
            true => read(connection.input.as_fd(), &mut buffer).map_err(|_| 400_u16)?,
            false => return Err(408),
        };
        if count == 0 {
            return Err(400);
        }
        connection.received.extend_from_slice(&buffer[..count]);
    }
    request.length = Some(chunks.body.len() as u64);
    connection.received = chunks.body;
    Ok(())
}

/// What of a body in chunks has come.
#[derive(Default)]
struct Chunks {
    body: Vec<u8>,
    /// Bytes of the current chunk that have not come; `None` before a line with a length.
    left: Option<usize>,
    /// The last chunk was empty: lines follow until a blank one.
    in_trailer: bool,
    trailer: usize,
    is_complete: bool,
}

impl Chunks {
    /// Takes what is whole; returns how many bytes that was. The error is the status of the answer.
    fn take(&mut self, content: &[u8]) -> Result<usize, u16> {
        let mut at = 0;
        while !self.is_complete {
            let rest = &content[at..];
            if let Some(left) = self.left.filter(|left| *left > 0) {
                let count = left.min(rest.len());
                if count == 0 {
                    break;
                }
                self.body.extend_from_slice(&rest[..count]);
                self.left = Some(left - count);
                at += count;
                continue;
            }
            let Some(end) = find_byte(b'\n', rest) else {
                // No length and no field is longer than a head.
                return if rest.len() > LONGEST { Err(400) } else { Ok(at) };
            };
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            at += end + 1;
            self.take_line(line)?;
        }
        Ok(at)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), u16> {
        if self.in_trailer {
            self.trailer += line.len() + 1;
            self.is_complete = line.is_empty();
            return if self.trailer > LONGEST { Err(431) } else { Ok(()) };
        }
        if self.left.take().is_some() {
            // The end of the chunk before.
            return if line.is_empty() { Ok(()) } else { Err(400) };
        }
        let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        let length = parse_radix(digits, 16).ok_or(400_u16)?;
        let length =
            usize::try_from(length).ok().filter(|length| *length <= LARGEST - self.body.len()).ok_or(413_u16)?;
        self.in_trailer = length == 0;
        self.left = Some(length).filter(|length| *length > 0);
        Ok(())
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut chunks = Chunks::default();
    if let Ok(used) = chunks.take(data) {
        assert!(used <= data.len() && chunks.body.len() <= used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body and what is left, when the bytes come in blocks of that length.
    fn taken(content: &[u8], block: usize) -> Result<(Vec<u8>, Vec<u8>), u16> {
        let (mut chunks, mut received) = (Chunks::default(), Vec::new());
        for bytes in content.chunks(block) {
            received.extend_from_slice(bytes);
            let used = chunks.take(&received)?;
            received.drain(..used);
        }
        if chunks.is_complete { Ok((chunks.body, received)) } else { Err(0) }
    }

    #[test]
    fn bodies_are_put_together() {
        for block in [1, 2, 7, 100] {
            let content = b"3\r\nabc\r\n00a;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET /";
            assert_eq!(taken(content, block), Ok((b"abc0123456789".to_vec(), b"GET /".to_vec())));
        }
        for wrong in [&b"x\r\n"[..], b"3\r\nabcd\r\n", b"-1\r\n", b"\r\n", b"+1\r\na\r\n0\r\n\r\n"] {
            assert_eq!(taken(wrong, 100), Err(400));
        }
        assert_eq!(taken(b"100001\r\n", 100), Err(413));
        assert_eq!(taken(b"ffffffffffffffff\r\n", 100), Err(413));
        assert_eq!(taken(b"3\r\nabc\r\n0\r\n", 100), Err(0));
    }
}
