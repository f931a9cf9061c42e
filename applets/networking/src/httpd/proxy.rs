//! Passes requests on to another server (`P:`).

use core::net::SocketAddr;

use rbox_core::io::write_all;
use rbox_core::net::{dns, sockets};
use rbox_core::sys::net::SocketType;
use rbox_core::sys::{AsFd, fd};
use rbox_core::{push, text};

use super::cgi::bad_gateway;
use super::config::Proxy;
use super::connection::{Connection, PATIENCE};
use super::relay::Relay;
use super::request::Request;
use super::response::encoded;
use super::site::{Handled, Site};

/// Fields that hold for one connection (RFC 9110, 7.6.1).
const OWN: &str =
    "Connection Keep-Alive Proxy-Connection Proxy-Authorization TE Trailer Upgrade Expect Transfer-Encoding";

pub fn serve(site: &mut Site, connection: &mut Connection, request: &Request<'_>, proxy: &Proxy) -> Handled {
    let is_head = request.is_head();
    let Ok(host) = dns::resolve(&proxy.host, None) else { return bad_gateway(site, connection, is_head) };
    let to = SocketAddr::new(host, proxy.port);
    let Ok(server) = sockets::connect(&to, SocketType::STREAM, None, Some(PATIENCE)) else {
        return bad_gateway(site, connection, is_head);
    };
    let path = encoded(request.path.strip_prefix(&proxy.prefix[..]).unwrap_or(&request.path));
    let mut head = text!(request.method, " ", &proxy.path, path);
    if request.target.contains(&b'?') {
        push!(head, "?", request.query);
    }
    push!(head, " HTTP/1.", u32::from(request.minor), "\r\nConnection: close\r\n");
    for (name, value) in request.fields() {
        if !OWN.split(' ').any(|own| name.eq_ignore_ascii_case(own.as_bytes())) {
            push!(head, name, ": ", value, "\r\n");
        }
    }
    if let Some(length) = request.length.filter(|_| request.is_chunked()) {
        push!(head, "Content-Length: ", length, "\r\n");
    }
    push!(head, "\r\n");
    if write_all(server.as_fd(), &head).is_err() {
        return bad_gateway(site, connection, is_head);
    }
    let Ok(writer) = fd::dup(&server) else { return bad_gateway(site, connection, is_head) };
    let mut relay = Relay::new(connection, writer, server, request.length.unwrap_or(0));
    match relay.head() {
        Ok(answer) if !answer.is_empty() => {
            relay.connection.status = status(&answer);
            let sent = write_all(relay.connection.output(), &answer).and_then(|()| relay.rest(true));
            relay.end();
            if sent.is_ok() { Handled::Answered } else { Handled::Closed }
        }
        _ => bad_gateway(site, connection, is_head),
    }
}

/// The status of a status line; 0 for none.
fn status(answer: &[u8]) -> u16 {
    let word = answer.split(|&byte| byte == b' ').nth(1);
    word.and_then(rbox_core::number::parse_decimal).and_then(|status| u16::try_from(status).ok()).unwrap_or(0)
}
