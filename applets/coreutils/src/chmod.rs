//! `chmod`: change file modes (POSIX XCU chmod).

use rbox_core::files::{Follow, Phase, Step, Visit, walk_gathering};
use rbox_core::mode;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, FileType, Mode, chmodat, stat};
use rbox_core::sys::process;

options! {
    "[-Rcvf] MODE[,MODE]... FILE... | --reference=FILE FILE...

Change the mode of each FILE. MODE is octal or [ugoa]*[-+=][rwxXst]*.

  -R, --recursive        Change directories and their contents
  -c, --changes          Print changes only
  -v, --verbose          Print a line for each FILE
  -f, --quiet, --silent  Print no errors
      --reference=FILE   Use the mode of FILE";
    RECURSE = "-R",
    CHANGES = "-c",
    VERBOSE = "-v",
    QUIET = "-f",
    REFERENCE = "--reference",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// A mode may start with a dash, as an option does: `chmod -w FILE`. It is taken out before options are read.
fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.words().to_vec();
    let ended = words.iter().position(|word| *word == b"--").unwrap_or(words.len());
    let is_mode =
        |word: &&[u8]| matches!(word, [b'-', b'r' | b'w' | b'x' | b'X' | b's' | b't' | b'u' | b'g' | b'o', ..]);
    let mode = words[..ended].iter().position(is_mode).map(|at| words.remove(at));
    let args = Args::parse(USAGE, options::Grammar::Permuted, &words)?;
    change_all(env, &args, mode)
}

fn change_all(env: &mut Env, args: &Args<'_>, dashed: Option<&[u8]>) -> Outcome {
    let (word, files) = match (args.value(REFERENCE), dashed) {
        (Some(file), _) => {
            let mode = stat(file).map_err(|errno| Error::on(file, errno))?.st_mode;
            (rbox_core::number::octal(u64::from(mode & 0o7777)), args.operands_between(1, usize::MAX)?)
        }
        (None, Some(mode)) => (mode.to_vec(), args.operands_between(1, usize::MAX)?),
        (None, None) => {
            let (word, files) = args.operands_between(2, usize::MAX)?.split_first().ok_or_else(Error::usage)?;
            (word.to_vec(), files)
        }
    };
    let umask = process::current_umask();
    mode::apply(&word, 0, false, umask)?;
    let mut status = ExitStatus::SUCCESS;
    for file in files {
        for error in walk_gathering(file, Follow::Operands, &mut |visit| change(env, args, visit, &word, umask))? {
            status.worsen(if args.has(QUIET) { error.status(1) } else { env.warn(error) });
        }
    }
    Ok(status)
}

fn change(env: &mut Env, args: &Args<'_>, visit: &Visit<'_>, word: &[u8], umask: u32) -> Result<Step> {
    let kind = rbox_core::files::kind(visit.stat);
    // Links met on the way have no mode of their own.
    if kind == FileType::Symlink {
        return if visit.depth == 0 { Err(Error::on(visit.path, rbox_core::sys::Errno::NOENT)) } else { Ok(Step::On) };
    }
    if visit.phase == Phase::After {
        return Ok(Step::On);
    }
    let old = visit.stat.st_mode & 0o7777;
    let new = mode::apply(word, old, kind == FileType::Directory, umask)?;
    // An operand may be a link; what is met on the way is none, and is not to become one.
    let changed = match visit.depth {
        0 => chmodat(visit.at, visit.name, Mode::from_raw_mode(new), AtFlags::empty()),
        _ => rbox_core::files::chmod(visit.at, visit.name, new),
    };
    changed.map_err(|errno| Error::on(visit.path, errno))?;
    if args.has(VERBOSE) || args.has(CHANGES) && old != new {
        let digits = rbox_core::number::octal(u64::from(new));
        let padded = [&b"0000"[digits.len().min(4)..], &digits].concat();
        let line =
            [b"mode of '", visit.path, b"' changed to ", &padded, b" (", &mode::symbolic(new)[1..], b")\n"].concat();
        env.stdout.write(&line)?;
    }
    Ok(if args.has(RECURSE) { Step::On } else { Step::Skip })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn a_mode_may_start_with_a_dash() {
        let ran = try_call(APPLET, &["chmod", "-x", "/no/such"], b"");
        assert_eq!(ran.stderr, "chmod: /no/such: No such file or directory\n");
    }

    #[test]
    fn a_wrong_mode_is_named() {
        let ran = try_call(APPLET, &["chmod", "9", "/no/such"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "chmod: invalid mode '9'\n"));
    }
}
