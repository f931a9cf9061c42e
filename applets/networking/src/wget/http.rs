//! A request, its answer, and where the answer sends the client next.

use rbox_core::bytes::split_once;
use rbox_core::codec::base::Base;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::{push, text};

use super::link::{HEAD, Link};
use super::url::{Scheme, Url};
use super::{AGENT, Body, HEADER, Job, PROXY, SPIDER, UNCHECKED};

/// How often an answer may send the client elsewhere.
const MOST_REDIRECTS: usize = 20;

/// What an answer says before its body.
#[derive(Default)]
struct Head {
    status: u64,
    line: Vec<u8>,
    length: Option<u64>,
    is_chunked: bool,
    location: Option<Vec<u8>>,
}

pub fn fetch(job: &mut Job<'_>, env: &mut Env, url: Url, path: Option<&[u8]>) -> Result<()> {
    let mut url = url;
    for _ in 0..=MOST_REDIRECTS {
        let proxy = proxy(job, env, &url)?;
        let mut link = open(job, env, &url, proxy.as_ref())?;
        link.send(&request(job, &url, proxy.as_ref()))?;
        let head = read_head(job, &mut link)?;
        match head.status {
            // The server has no more than what is there.
            416 if job.before > 0 => return job.say(b"the file is complete"),
            200 | 203 | 206 => {
                if head.status != 206 && job.before > 0 {
                    job.before = 0;
                    job.say(b"the server sends the whole file")?;
                }
                let target = job.open(path)?;
                let mut body = match head.length {
                    _ if head.is_chunked => Body::Chunks(None),
                    Some(length) => Body::Length(length),
                    None => Body::ToEnd,
                };
                return job.copy(env, &mut link, target, &mut body, path);
            }
            204 => return job.say(b"no content"),
            301 | 302 | 303 | 307 | 308 if head.location.is_some() => {
                url = url.join(&head.location.unwrap_or_default())?;
                if url.scheme == Scheme::Ftp {
                    return Err(Error::new("a server of HTTP sends to one of FTP"));
                }
                if head.status != 307 && head.status != 308 {
                    job.body = None;
                }
            }
            _ => return Err(Error::parts(&[b"server returned error: ", &head.line])),
        }
    }
    Err(Error::new("too many redirections"))
}

/// The proxy that the environment names for a scheme.
fn proxy(job: &Job<'_>, env: &Env, url: &Url) -> Result<Option<Url>> {
    let name = if url.scheme == Scheme::Https { "https_proxy" } else { "http_proxy" };
    match env.vars.get(name).filter(|proxy| !proxy.is_empty()) {
        Some(proxy) if job.args.value(PROXY) != Some(b"off") => Url::parse(proxy).map(Some),
        _ => Ok(None),
    }
}

fn open(job: &mut Job<'_>, env: &mut Env, url: &Url, proxy: Option<&Url>) -> Result<Link> {
    let at = proxy.unwrap_or(url);
    let mut link = job.connect(at)?;
    if url.scheme == Scheme::Https {
        if let Some(proxy) = proxy {
            // The proxy passes the encrypted connection on (RFC 9110, 9.3.6).
            let host = text!(&url.host, ":", u32::from(url.port));
            let mut request = text!("CONNECT ", &host, " HTTP/1.1\r\nHost: ", &host, "\r\n");
            push_authorization(&mut request, job, "Proxy-Authorization", proxy);
            link.send(&text!(request, "\r\n"))?;
            let head = read_head(job, &mut link)?;
            if head.status / 100 != 2 {
                return Err(Error::parts(&[b"proxy returned error: ", &head.line]));
            }
        }
        link = link.encrypted(env, &url.host, !job.args.has(UNCHECKED), job.timeout)?;
    }
    Ok(link)
}

/// Adds a header, unless --header has one of that name, which is sent in its place.
fn push_header(request: &mut Vec<u8>, job: &Job<'_>, name: &str, value: &[u8]) {
    let is_name =
        |line: &[u8]| split_once(line, b':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
    if !job.args.values(HEADER).any(is_name) {
        push!(*request, name, ": ", value, "\r\n");
    }
}

fn push_authorization(request: &mut Vec<u8>, job: &Job<'_>, name: &str, url: &Url) {
    if let Some(user) = &url.user {
        let mut value = b"Basic ".to_vec();
        Base::Base64.encode(user, &mut value);
        push_header(request, job, name, &value);
    }
}

fn request(job: &Job<'_>, url: &Url, proxy: Option<&Url>) -> Vec<u8> {
    let method = match (job.body.is_some(), job.args.has(SPIDER)) {
        (true, _) => "POST ",
        (false, true) => "HEAD ",
        (false, false) => "GET ",
    };
    // What goes through TLS is not for the proxy.
    let proxy = proxy.filter(|_| url.scheme == Scheme::Http);
    let mut request = match proxy {
        Some(_) => text!(method, "http://", url.host_and_port(), &url.path),
        None => text!(method, &url.path),
    };
    push!(request, " HTTP/1.1\r\n");
    push_header(&mut request, job, "Host", &url.host_and_port());
    push_header(&mut request, job, "User-Agent", job.args.value(AGENT).unwrap_or(b"Wget"));
    push_header(&mut request, job, "Connection", b"close");
    push_authorization(&mut request, job, "Authorization", url);
    if let Some(proxy) = proxy {
        push_authorization(&mut request, job, "Proxy-Authorization", proxy);
    }
    if job.before > 0 {
        push_header(&mut request, job, "Range", &text!("bytes=", job.before, "-"));
    }
    if let Some(body) = &job.body {
        push_header(&mut request, job, "Content-Type", b"application/x-www-form-urlencoded");
        push_header(&mut request, job, "Content-Length", &text!(body.len() as u64));
    }
    for line in job.args.values(HEADER) {
        push!(request, line, "\r\n");
    }
    push!(request, "\r\n");
    request.extend_from_slice(job.body.as_deref().unwrap_or_default());
    request
}

/// Reads an answer up to its body. Answers of 1xx are only news.
fn read_head(job: &mut Job<'_>, link: &mut Link) -> Result<Head> {
    let mut left = HEAD;
    loop {
        let line = link.line(&mut left)?.ok_or_else(|| Error::new("no response from server"))?;
        let mut head = Head { line, ..Head::default() };
        job.show_answer(&head.line)?;
        let status = head.line.split(|&byte| byte == b' ').nth(1).and_then(parse_decimal);
        head.status =
            status.filter(|_| head.line.starts_with(b"HTTP/")).ok_or_else(|| Error::new("no response of HTTP"))?;
        while let Some(line) = link.line(&mut left)?.filter(|line| !line.is_empty()) {
            job.show_answer(&line)?;
            let Some((name, value)) = split_once(&line, b':') else { continue };
            let value = value.trim_ascii();
            match &name.to_ascii_lowercase()[..] {
                b"content-length" => {
                    head.length = Some(parse_decimal(value).ok_or_else(|| Error::new("bad length of the content"))?);
                }
                b"transfer-encoding" => {
                    head.is_chunked = value.eq_ignore_ascii_case(b"chunked");
                    if !head.is_chunked {
                        return Err(Error::parts(&[b"transfer encoding '", value, b"' is not supported"]));
                    }
                }
                b"location" => head.location = Some(value.to_vec()),
                _ => {}
            }
        }
        job.show_answer(b"")?;
        if head.status / 100 != 1 {
            return Ok(head);
        }
    }
}
