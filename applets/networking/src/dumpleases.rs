//! `dumpleases`: print the addresses that udhcpd has given.

use rbox_core::io;
use rbox_core::net::addr::hardware_text;
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean};
use rbox_core::text::{Left, Right};

use rbox_core::time::{Moment, Zone, format};
use rbox_core::{push, text};

use crate::dhcp::daemon::wall;
use crate::dhcp::leases::{HEADER, RECORD, parse_record};

options! {
    "[-r|-a] [-d] [-f FILE]

Print the leases of udhcpd.

  -r, --remaining  Print the time that is left (default)
  -a, --absolute   Print when each lease ends
  -d, --decimal    Print times in seconds
  -f, --file=FILE  Read FILE (/var/lib/misc/udhcpd.leases)";
    REMAINING = "-r",
    ABSOLUTE = "-a",
    SECONDS = "-d",
    FILE = "-f",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let path = args.value(FILE).unwrap_or(b"/var/lib/misc/udhcpd.leases");
    let absolute = args.last_of(&[REMAINING, ABSOLUTE]) == Some(ABSOLUTE);
    let content = io::read_file(path)?;
    let title = "Mac Address       IP Address      Host Name           Expires ";
    env.stdout.write(&text!(title, if absolute { "at\n" } else { "in\n" }))?;
    let Some((written, records)) = content.split_first_chunk::<HEADER>() else {
        return Err(Error::parts(&[path, b": short read"]));
    };
    let (written, now) = (i64::from_be_bytes(*written), wall() as i64);
    let zone = Zone::load(env.vars.get("TZ"));
    for record in records.chunks_exact(RECORD) {
        let Some((left, address, lease)) = parse_record(record) else { break };
        let name = clean(&lease.name, b"", Shown::As(b'?'));
        let mut line = text!(hardware_text(&lease.hardware), " ", Left(address, 15), " ", Left(name, 19), " ");
        // A file that was written in the future was not: its clock was wrong.
        let ends = written.min(now).saturating_add(left.into());
        let left = ends.saturating_sub(now).max(0) as u64;
        match (absolute, args.has(SECONDS)) {
            _ if left == 0 => push!(line, "expired"),
            (true, true) => push!(line, ends),
            (true, false) => push!(line, format(b"%a %b %e %T %Y", Moment { seconds: ends, nanos: 0 }, &zone)),
            (false, true) => push!(line, left),
            (false, false) => {
                if left >= 86_400 {
                    push!(line, left / 86_400, " days ");
                }
                let part = |unit: u64, size: u64| Right(left / unit % size, 2, b'0');
                push!(line, part(3600, 24), ":", part(60, 60), ":", part(1, 60));
            }
        }
        line.push(b'\n');
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}
