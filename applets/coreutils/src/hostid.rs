//! `hostid`: print the number of this machine, as gethostid(3) finds it: /etc/hostid, or else the address that belongs to
//! the name of the host.

use core::net::IpAddr;

use rbox_core::io::Input;
use rbox_core::net::dns;
use rbox_core::prelude::*;
use rbox_core::sys::system::uname;
use rbox_core::text;
use rbox_core::text::{Hex, Right};

options! {
    "

Print the 32-bit identifier of this machine in hexadecimal."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let stored = Input::open(b"/etc/hostid").and_then(|mut file| file.read_to_end()).unwrap_or_default();
    let number = match stored.first_chunk() {
        Some(bytes) => u32::from_ne_bytes(*bytes),
        None => match dns::resolve(uname().nodename().to_bytes(), Some(false)) {
            // Both halves of the address in the byte order of the network, exchanged.
            Ok(IpAddr::V4(address)) => u32::from_ne_bytes(address.octets()).rotate_left(16),
            // A host whose name has no address has no number either.
            _ => 0,
        },
    };
    env.stdout.write(&text!(Right(Hex(number.into()), 8, b'0'), "\n"))?;
    Ok(ExitStatus::SUCCESS)
}
