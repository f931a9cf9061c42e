//! `volname`: print the volume name of an ISO 9660 filesystem (ECMA-119, 8.4.7).

use rbox_core::io::Input;
use rbox_core::prelude::*;

options!("[DEVICE]\n\nPrint the volume name of the CD-ROM in DEVICE (/dev/cdrom).");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Where the primary volume descriptor begins: sector 16 of 2,048 bytes.
const DESCRIPTOR: u64 = 16 * 2048;
/// Where the volume identifier is in it, 32 bytes long.
const NAME: core::ops::Range<usize> = 40..72;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(b"/dev/cdrom");
    let mut input = Input::open(path)?;
    input.skip(DESCRIPTOR)?;
    let mut sector = [0; NAME.end];
    let mut filled = 0;
    while filled < sector.len() {
        match input.read(&mut sector[filled..])? {
            0 => return Err(Error::parts(&[path, b": short read"])),
            count => filled += count,
        }
    }
    if sector[1..6] != *b"CD001" {
        return Err(Error::parts(&[path, b": not an ISO 9660 filesystem"]));
    }
    let name = sector[NAME].trim_ascii_end();
    env.stdout
        .write(&[rbox_core::term::clean(name, b"", rbox_core::term::Shown::As(b'?')), b"\n".to_vec()].concat())?;
    Ok(ExitStatus::SUCCESS)
}
