//! `dirname`: the directory part of pathnames (POSIX XCU dirname), of several with GNU.

use rbox_core::prelude::*;

options! {
    "[-z] FILE...

Print each FILE without its last component.

  -z, --zero  End output lines with NUL, not newline";
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    for file in args.operands_between(1, usize::MAX)? {
        env.stdout.write(directory(file))?;
        env.stdout.push(if args.has(ZERO) { 0 } else { b'\n' })?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn directory(path: &[u8]) -> &[u8] {
    let trim = |path: &mut &[u8], slash: bool| {
        while path.last().is_some_and(|&byte| (byte == b'/') == slash) {
            *path = &path[..path.len() - 1];
        }
    };
    let mut rest = path;
    trim(&mut rest, true);
    trim(&mut rest, false);
    trim(&mut rest, true);
    match (rest, path.first()) {
        (b"", Some(b'/')) => b"/",
        (b"", _) => b".",
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::directory;

    #[test]
    fn the_last_component_goes() {
        for (path, expected) in [("/a/b", "/a"), ("a", "."), ("/a", "/"), ("a/b//", "a"), ("//", "/"), ("", ".")] {
            assert_eq!(directory(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }
}
