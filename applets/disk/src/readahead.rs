//! `readahead`: read files into the page cache ahead of their use (readahead(2)).

use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::sys::fs::{Advice, Mode, OFlags, fadvise};

options!("FILE...\n\nLoad each FILE into the page cache, so that it can be read later without waiting for the disk.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    env.for_each_operand(args.operands_between(1, usize::MAX)?, &mut |_, path| {
        let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
        // A length of 0 is the whole file.
        fadvise(&file, 0, None, Advice::WillNeed).map_err(|errno| Error::on(path, errno))
    })
}
