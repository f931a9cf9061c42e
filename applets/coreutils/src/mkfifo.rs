//! `mkfifo`: make named pipes (POSIX XCU mkfifo).

use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;

use crate::mknod;

options! {
    "[-m MODE] NAME...

Create each named pipe NAME.

  -m, --mode=MODE  Set MODE, as chmod(1) (a=rw minus umask)";
    MODE = "-m",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |_, name| {
        mknod::make(name, FileType::Fifo, 0, args.value(MODE)).map(drop)
    })
}
