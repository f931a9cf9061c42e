//! `fsync`: write files to the disk (BusyBox).

use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags, fdatasync, fsync, open};

options! {
    "[-d] FILE...

Write cached data of each FILE to disk.

  -d  Omit metadata that is not needed to read FILE";
    DATA = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |_, path| {
        let flags = OFlags::RDONLY | OFlags::NOATIME | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // open(2): O_NOATIME is for the owner only.
        let file = open(path, flags, Mode::empty()).or_else(|_| open(path, flags - OFlags::NOATIME, Mode::empty()));
        let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
        let done = if args.has(DATA) { fdatasync(&file) } else { fsync(&file) };
        done.map_err(|errno| Error::on(path, errno))
    })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn names_what_is_missing() {
        let ran = try_call(APPLET, &["fsync", "/proc/nonexistent/x"], b"");
        assert_eq!(
            (ran.status, ran.stderr.as_str()),
            (1, "fsync: can't open '/proc/nonexistent/x': No such file or directory\n")
        );
    }
}
