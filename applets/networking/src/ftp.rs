//! The client's side of FTP (RFC 959), always with data connections that the client opens.

use rbox_core::bytes::split_once;
use rbox_core::io::Output;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;

use crate::wget::link::{HEAD, Link};

/// A control connection.
pub struct Control {
    pub link: Link,
    /// Lines of replies that nobody has taken; none where commands are reported.
    pub answers: Vec<Vec<u8>>,
    /// Commands are reported on standard error after this name.
    pub verbose: Option<Vec<u8>>,
}

impl Control {
    pub fn new(link: Link) -> Self {
        Self { link, answers: Vec::new(), verbose: None }
    }

    /// Sends a command, unless it is empty, and reads the reply: its code and its last line.
    pub fn ask(&mut self, command: &[u8]) -> Result<(u64, Vec<u8>)> {
        if !command.is_empty() {
            if command.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(Error::new("a name has a control character"));
            }
            if let Some(name) = &self.verbose {
                let shown = if command.starts_with(b"PASS ") { b"PASS" } else { command };
                Output::standard(2).write(&text!(name, ": cmd ", shown, "\n"))?;
            }
            self.link.send(&text!(command, "\r\n"))?;
        }
        let mut left = HEAD;
        loop {
            let line = self.link.line(&mut left)?.ok_or_else(|| Error::new("no response from server"))?;
            if self.verbose.is_none() {
                self.answers.push(line.clone());
            }
            // Lines of a longer reply have a dash after the code.
            if line.len() >= 3 && line.get(3) != Some(&b'-') && line[..3].iter().all(u8::is_ascii_digit) {
                return Ok((parse_decimal(&line[..3]).unwrap_or(0), line));
            }
        }
    }

    /// The same; a reply that begins with a digit above `most` is an error.
    pub fn expect(&mut self, command: &[u8], most: u64) -> Result<(u64, Vec<u8>)> {
        let reply = self.ask(command)?;
        if reply.0 / 100 > most {
            let word = command.split(|&byte| byte == b' ').next().unwrap_or_default();
            let command = if word == b"PASS" { b"PASS" } else { command };
            return Err(Error::parts(&[b"bad response to ", command, b": ", &reply.1]));
        }
        Ok(reply)
    }

    /// Reads the greeting and logs in, for the transfer of bytes.
    pub fn log_in(&mut self, user: &[u8], password: &[u8]) -> Result<()> {
        self.expect(b"", 2)?;
        if self.expect(&text!("USER ", user), 3)?.0 == 331 {
            self.expect(&text!("PASS ", password), 2)?;
        }
        self.expect(b"TYPE I", 2)?;
        Ok(())
    }

    /// The size of a file, if the server says (RFC 3659, 4).
    pub fn size(&mut self, file: &[u8]) -> Result<Option<u64>> {
        Ok(match self.ask(&text!("SIZE ", file))? {
            (213, line) => line.get(4..).and_then(|digits| parse_decimal(digits.trim_ascii())),
            _ => None,
        })
    }

    /// The port that the server waits at: EPSV (RFC 2428), or PASV.
    pub fn data_port(&mut self) -> Result<u16> {
        let bad = || Error::new("bad response to PASV");
        if let (229, line) = self.ask(b"EPSV")? {
            // 229 text (|||PORT|)
            let field = line.rsplit(|&byte| byte == b'(').next().unwrap_or_default();
            let digits = field.split(|&byte| byte == b'|').nth(3).unwrap_or_default();
            return parse_decimal(digits).and_then(|port| u16::try_from(port).ok()).ok_or_else(bad);
        }
        let (_, line) = self.expect(b"PASV", 2)?;
        // 227 text (h1,h2,h3,h4,p1,p2)
        let field = line.rsplit(|&byte| byte == b'(').next().unwrap_or_default();
        let numbers: Vec<u64> = field
            .split(|byte| !byte.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .filter_map(parse_decimal)
            .collect();
        let [.., high, low] = numbers[..] else { return Err(bad()) };
        let port = high.checked_mul(256).and_then(|high| high.checked_add(low));
        port.and_then(|port| u16::try_from(port).ok()).ok_or_else(bad)
    }
}

/// `USER[:PASSWORD]`, as URLs have it.
pub fn name_and_password(user: &[u8]) -> (&[u8], &[u8]) {
    split_once(user, b':').unwrap_or((user, b""))
}
