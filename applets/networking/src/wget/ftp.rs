//! The commands that fetch a file from a server of FTP, always by a connection that the client opens.

use rbox_core::bytes::split_once;
use rbox_core::escape::percent_decoded;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;

use super::link::{HEAD, Link};
use super::url::Url;
use super::{Body, Job, SPIDER};

pub fn fetch(job: &mut Job<'_>, env: &mut Env, url: &Url, path: Option<&[u8]>) -> Result<()> {
    let mut control = Control { link: job.connect(&url.host, url.port)? };
    control.expect(job, b"", 2)?;
    let user = url.user.as_deref().unwrap_or(b"anonymous:busybox@");
    let (name, password) = split_once(user, b':').unwrap_or((user, b""));
    if control.expect(job, &text!("USER ", name), 3)?.0 == 331 {
        control.expect(job, &text!("PASS ", password), 2)?;
    }
    control.expect(job, b"TYPE I", 2)?;
    let file = percent_decoded(url.path.strip_prefix(b"/").unwrap_or(&url.path));
    let size = match control.ask(job, &text!("SIZE ", &file))? {
        (213, line) => line.get(4..).and_then(|digits| parse_decimal(digits.trim_ascii())),
        _ => None,
    };
    if job.args.has(SPIDER) && size.is_none() {
        return Err(Error::parts(&[&file, b": no such file on the server"]));
    }
    let port = control.data_port(job)?;
    if job.before > 0 && control.ask(job, &text!("REST ", job.before))?.0 / 100 != 3 {
        job.before = 0;
    }
    // The data come from the host that was asked, whatever address it names.
    let mut data = job.connect(&url.host, port)?;
    if control.expect(job, &text!("RETR ", &file), 1)?.0 / 100 != 1 {
        return Err(Error::new("the server sends nothing"));
    }
    let target = job.open(path)?;
    let is_wanted = !matches!(target, super::Target::Nowhere);
    let mut body = size.map_or(Body::ToEnd, |size| Body::Length(size.saturating_sub(job.before)));
    job.copy(env, &mut data, target, &mut body, path)?;
    drop(data);
    if is_wanted {
        control.expect(job, b"", 2)?;
    }
    control.ask(job, b"QUIT")?;
    Ok(())
}

struct Control {
    link: Link,
}

impl Control {
    /// Sends a command, unless it is empty, and reads the reply: its code and its last line.
    fn ask(&mut self, job: &mut Job<'_>, command: &[u8]) -> Result<(u64, Vec<u8>)> {
        if !command.is_empty() {
            if command.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(Error::new("a name has a control character"));
            }
            self.link.send(&text!(command, "\r\n"))?;
        }
        let mut left = HEAD;
        loop {
            let line = self.link.line(&mut left)?.ok_or_else(|| Error::new("no response from server"))?;
            job.show_answer(&line)?;
            // Lines of a longer reply have a dash after the code.
            if line.len() >= 3 && line.get(3) != Some(&b'-') && line[..3].iter().all(u8::is_ascii_digit) {
                return Ok((parse_decimal(&line[..3]).unwrap_or(0), line));
            }
        }
    }

    /// The same; a reply that begins with a digit above `most` is an error.
    fn expect(&mut self, job: &mut Job<'_>, command: &[u8], most: u64) -> Result<(u64, Vec<u8>)> {
        let reply = self.ask(job, command)?;
        if reply.0 / 100 > most {
            let word = command.split(|&byte| byte == b' ').next().unwrap_or_default();
            let command = if word == b"PASS" { b"PASS" } else { command };
            return Err(Error::parts(&[b"bad response to ", command, b": ", &reply.1]));
        }
        Ok(reply)
    }

    /// The port that the server waits at: EPSV (RFC 2428), or PASV.
    fn data_port(&mut self, job: &mut Job<'_>) -> Result<u16> {
        let bad = || Error::new("bad response to PASV");
        if let (229, line) = self.ask(job, b"EPSV")? {
            // 229 text (|||PORT|)
            let field = line.rsplit(|&byte| byte == b'(').next().unwrap_or_default();
            let digits = field.split(|&byte| byte == b'|').nth(3).unwrap_or_default();
            return parse_decimal(digits).and_then(|port| u16::try_from(port).ok()).ok_or_else(bad);
        }
        let (_, line) = self.expect(job, b"PASV", 2)?;
        // 227 text (h1,h2,h3,h4,p1,p2)
        let field = line.rsplit(|&byte| byte == b'(').next().unwrap_or_default();
        let numbers: Vec<u64> = field
            .split(|byte| !byte.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .filter_map(parse_decimal)
            .collect();
        let [.., high, low] = numbers[..] else { return Err(bad()) };
        u16::try_from(high * 256 + low).map_err(|_| bad())
    }
}
