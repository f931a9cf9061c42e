//! `basename`: the last component of pathnames (POSIX XCU basename), with GNU's `-a`, `-s` and `-z`.

use rbox_core::bytes::base_name;
use rbox_core::prelude::*;

options! {
    "FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...

Print FILE without leading directories and without SUFFIX.

  -a, --multiple       Treat every operand as FILE
  -s, --suffix=SUFFIX  Remove SUFFIX from each FILE; implies -a
  -z, --zero           End output lines with NUL, not newline";
    MULTIPLE = "-a",
    SUFFIX = "-s",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let (files, suffix) = match args.value(SUFFIX) {
        Some(suffix) => (args.operands_between(1, usize::MAX)?, suffix),
        None if args.has(MULTIPLE) => (args.operands_between(1, usize::MAX)?, &b""[..]),
        None => {
            let operands = args.operands_between(1, 2)?;
            (&operands[..1], operands.get(1).copied().unwrap_or_default())
        }
    };
    for file in files {
        let name = base_name(file);
        // A name is never taken off whole.
        let stem = name.strip_suffix(suffix).filter(|stem| !stem.is_empty()).unwrap_or(name);
        env.stdout.write(stem)?;
        env.stdout.push(end)?;
    }
    Ok(ExitStatus::SUCCESS)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn takes_directories_and_suffix_off() {
        assert_eq!(try_call(APPLET, &["basename", "/a/b.c", ".c"], b"").stdout, "b\n");
        assert_eq!(try_call(APPLET, &["basename", ".c", ".c"], b"").stdout, ".c\n");
        assert_eq!(try_call(APPLET, &["basename", "-s", "x", "ax", "/bx/"], b"").stdout, "a\nb\n");
        assert_eq!(try_call(APPLET, &["basename"], b"").status, 1);
    }
}
