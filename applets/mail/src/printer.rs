//! What lpr and lpq share: where a queue is, and the acknowledgements of RFC 1179.

use rbox_core::bytes::split_once;
use rbox_core::net::sockets;
use rbox_core::prelude::*;

use crate::talk::Talk;

/// Milliseconds of silence after which a printer's server is given up.
const PATIENCE: u64 = 120_000;

/// `QUEUE[@HOST[:PORT]]`, by default $PRINTER, or lp here: the queue and a connection to its server.
pub fn connect(env: &Env, word: Option<&[u8]>) -> Result<(Vec<u8>, Talk)> {
    let word = word.or_else(|| env.vars.get("PRINTER")).unwrap_or(b"lp");
    let (queue, server) = split_once(word, b'@').unwrap_or((word, b"localhost"));
    if queue.iter().any(|byte| byte.is_ascii_control() || *byte == b' ') {
        return Err(Error::parts(&[b"bad queue '", queue, b"'"]));
    }
    let (host, port) = sockets::host_and_port(server);
    let port = port.map_or(Ok(515), |port| sockets::port(port, b"tcp"))?;
    Ok((queue.to_vec(), Talk::connect(host.unwrap_or(b"localhost"), port, Some(PATIENCE))?))
}

/// Waits for the byte 0 by which a server agrees (RFC 1179, 6).
pub fn agree(talk: &mut Talk, what: &str) -> Result<()> {
    let first = talk.fill()?.first().copied();
    match first {
        Some(0) => {
            talk.consume(1);
            Ok(())
        }
        Some(_) => {
            let line = talk.fill()?;
            // The byte is a number; BSD's servers send a reason after it.
            let line = line[usize::from(line[0].is_ascii_control())..line.len().min(200)].trim_ascii();
            let line = rbox_core::term::clean(line, b"", rbox_core::term::Shown::Caret);
            Err(Error::new(rbox_core::text!("the server refuses ", what, ": ", line)))
        }
        None => Err(Error::new("the server has closed the connection")),
    }
}
