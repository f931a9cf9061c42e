//! `fdformat`: format a floppy disk (fdformat(8), linux/fd.h).

use rbox_core::block::Image;
use rbox_core::prelude::*;
use rbox_core::sys::device_block::{Exchange, SIZE, exchange};
use rbox_core::text;
use rbox_core::text::Right;

options! {
    "[-n] DEVICE

Format the floppy disk in DEVICE and read it again.

  -n  Do not read it again";
    UNVERIFIED = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What the driver writes into each sector.
const FILL: u8 = 0xf6;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let image = Image::open(path)?;
    if !image.is_device() {
        return Err(image.error("not a block device"));
    }
    let failed = |what: &'static str| move |errno| Error::on(what, errno).context(path);
    let mut block = [0; SIZE];
    exchange(image.fd(), Exchange::GetFloppy, &mut block).map_err(failed("can't determine current format type"))?;
    let number = |at: usize| u32::from_ne_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
    // struct floppy_struct: size, sectors, heads and tracks.
    let (sectors, heads, tracks) = (number(4), number(8), number(12));
    if sectors == 0 || heads == 0 || tracks == 0 || sectors > 255 || heads > 2 || tracks > 255 {
        return Err(image.error("unknown format"));
    }
    let kilobytes = heads * tracks * sectors / 2;
    let side = if heads == 2 { "Double" } else { "Single" };
    env.stdout.write(&text!(
        side,
        "-sided, ",
        tracks,
        " tracks, ",
        sectors,
        " sec/track. Total capacity ",
        kilobytes,
        " kB\nFormatting... "
    ))?;
    env.stdout.flush()?;
    exchange(image.fd(), Exchange::BeginFormat, &mut block).map_err(failed("FDFMTBEG"))?;
    for track in 0..tracks {
        for head in 0..heads {
            // struct format_descr: device, head, track.
            for (at, value) in [(0, 0), (4, head), (8, track)] {
                block[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            }
            exchange(image.fd(), Exchange::FormatTrack, &mut block).map_err(failed("FDFMTTRK"))?;
        }
        progress(env, track)?;
    }
    exchange(image.fd(), Exchange::EndFormat, &mut block).map_err(failed("FDFMTEND"))?;
    env.stdout.write(b"Done\n")?;
    if args.has(UNVERIFIED) {
        return Ok(ExitStatus::SUCCESS);
    }
    env.stdout.write(b"Verifying... ")?;
    let mut cylinder = vec![0; (heads * sectors * 512) as usize];
    for track in 0..tracks {
        image.read(u64::from(track) * cylinder.len() as u64, &mut cylinder)?;
        if cylinder.iter().any(|&byte| byte != FILL) {
            return Err(Error::new(text!(path, ": bad data in cylinder ", track)));
        }
        progress(env, track)?;
    }
    env.stdout.write(b"Done\n")?;
    Ok(ExitStatus::SUCCESS)
}

/// The number of the track, over the one before.
fn progress(env: &mut Env, track: u32) -> Result<()> {
    if !env.stdout.is_terminal() {
        return Ok(());
    }
    env.stdout.write(&text!(Right(track, 3, b' '), "\x08\x08\x08"))?;
    env.stdout.flush()
}
