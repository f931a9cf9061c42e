//! `scriptreplay`: print what `script` has recorded, as slowly as it came.

use rbox_core::daemon::pause;
use rbox_core::io::{self, Input};
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::float;

options!(
    "TIMING [RECORD [DIVISOR]]

Print RECORD (typescript), as script -t TIMING has recorded it, DIVISOR times as fast."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 3)?;
    let path = words.get(1).copied().unwrap_or(b"typescript");
    let divisor = match words.get(2) {
        Some(word) => float::parse_all(word).filter(|divisor| *divisor > 0.0).ok_or_else(|| invalid(word))?,
        None => 1.0,
    };
    let (mut timing, mut record) = (Input::open(words[0])?, Input::open(path)?);
    while let Some(line) = timing.line()? {
        let mut fields = rbox_core::bytes::words(line);
        let (seconds, count) = (fields.next().and_then(float::parse_all), fields.next().and_then(parse_decimal));
        let (Some(seconds), Some(count)) = (seconds, count) else {
            return Err(Error::parts(&[words[0], b": bad line '", line, b"'"]));
        };
        pause((seconds.max(0.0) * 1000.0 / divisor) as u64);
        io::copy_part(&mut record, &mut env.stdout, count)?;
        env.stdout.flush()?;
    }
    Ok(ExitStatus::SUCCESS)
}
