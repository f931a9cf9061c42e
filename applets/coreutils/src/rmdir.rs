//! `rmdir`: remove empty directories (POSIX XCU rmdir).

use rbox_core::bytes::find_byte_back;
use rbox_core::prelude::*;
use rbox_core::sys::{Errno, fs};

options! {
    "[-pv] DIRECTORY...

Remove each empty DIRECTORY.

  -p, --parents                   Remove parent directories too
  -v, --verbose                   Print each removed directory
      --ignore-fail-on-non-empty  Ignore nonempty directories";
    PARENTS = "-p",
    VERBOSE = "-v",
    IGNORE = "--ignore-fail-on-non-empty",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |env, operand| {
        let mut path = operand;
        loop {
            match fs::rmdir(path) {
                Ok(()) if args.has(VERBOSE) => {
                    env.stdout.write(&[b"rmdir: removing directory, '", path, b"'\n"].concat())?;
                }
                Ok(()) => {}
                Err(Errno::NOTEMPTY | Errno::EXIST) if args.has(IGNORE) => return Ok(()),
                Err(errno) => return Err(Error::on([b"'", path, b"'"].concat(), errno)),
            }
            if !args.has(PARENTS) {
                return Ok(());
            }
            match parent(path) {
                Some(parent) => path = parent,
                None => return Ok(()),
            }
        }
    })
}

fn parent(path: &[u8]) -> Option<&[u8]> {
    let end = path.iter().rposition(|&byte| byte != b'/')?;
    let slash = find_byte_back(b'/', &path[..end])?;
    let last = path[..slash].iter().rposition(|&byte| byte != b'/')?;
    let parent = &path[..=last];
    (parent != b".").then_some(parent)
}
