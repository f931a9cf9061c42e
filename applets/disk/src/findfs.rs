//! `findfs`: the device that a label or UUID means.

use rbox_core::block;
use rbox_core::prelude::*;
use rbox_core::text;

options!(
    "LABEL=LABEL | UUID=UUID | PARTLABEL=LABEL | PARTUUID=UUID

Print the path of the device with this label or UUID."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let word = args.operands_between(1, 1)?[0];
    if let Some(path) = word.strip_prefix(b"/dev/") {
        // A path is taken as it is.
        env.stdout.write(&text!("/dev/", path, "\n"))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let tag = rbox_core::bytes::split_once(word, b'=').map(|(tag, _)| tag);
    if !matches!(tag, Some(b"LABEL" | b"UUID" | b"PARTLABEL" | b"PARTUUID")) {
        return Err(Error::usage());
    }
    // BusyBox prints no message when no device matches.
    let path = block::find(word).map_err(|_| Error::silent(ExitStatus::FAILURE))?;
    env.stdout.write(&text!(&path, "\n"))?;
    Ok(ExitStatus::SUCCESS)
}
