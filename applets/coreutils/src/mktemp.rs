//! `mktemp`: make a temporary file or directory with a name that nobody can foresee.

use std::ops::Range;

use rbox_core::bytes::join_path;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{Mode, OFlags, lstat, mkdir, open};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};

options! {
    "[-dqtu] [-p DIRECTORY] [TEMPLATE]

Create a temporary file and print its name. The last 3 or more X of TEMPLATE
(tmp.XXXXXXXXXX) become random.

  -d, --directory           Create a directory
  -q, --quiet               Print no errors
  -t                        Prefix DIRECTORY, $TMPDIR or /tmp
  -p DIRECTORY              Prefix DIRECTORY
      --tmpdir[=DIRECTORY]  Same as -p DIRECTORY, or -t
  -u, --dry-run             Print a name, create nothing
      --suffix=SUFFIX       Append SUFFIX to the X";
    DIRECTORY = "-d",
    QUIET = "-q",
    BELOW = "-t",
    PLACE = "-p",
    PLACE_LONG = "--tmpdir",
    DRY = "-u",
    SUFFIX = "--suffix",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let template = args.operands_between(0, 1)?.first().copied();
    let below = args.last_of(&[BELOW, PLACE, PLACE_LONG]).is_some() || template.is_none();
    let tmpdir = env.vars.get("TMPDIR").filter(|place| !place.is_empty());
    let named = args.value(PLACE).or(args.value(PLACE_LONG));
    // As with GNU, -t takes $TMPDIR before DIR.
    let place = if args.has(BELOW) { tmpdir.or(named) } else { named.or(tmpdir) }.unwrap_or(b"/tmp");
    let template = template.unwrap_or(b"tmp.XXXXXXXXXX");
    let invalid = |reason: &[u8]| Err(Error::parts(&[b"invalid template '", template, b"', ", reason]));
    if args.has(BELOW) && template.contains(&b'/') {
        return invalid(b"contains directory separator");
    }
    if below && template.starts_with(b"/") {
        return invalid(b"with --tmpdir, it may not be absolute");
    }
    // Without --suffix, what follows the last X is one.
    let (stem, suffix) = match args.value(SUFFIX) {
        Some(_) if !template.ends_with(b"X") => {
            return Err(Error::parts(&[b"with --suffix, template '", template, b"' must end in X"]));
        }
        Some(suffix) => (template, suffix),
        None => template.split_at(template.iter().rposition(|&byte| byte == b'X').map_or(0, |at| at + 1)),
    };
    if suffix.contains(&b'/') {
        return Err(Error::parts(&[b"invalid suffix '", suffix, b"', contains directory separator"]));
    }
    let letters = stem.iter().rev().take_while(|&&byte| byte == b'X').count();
    if letters < 3 {
        return Err(Error::parts(&[b"too few X's in template '", template, b"'"]));
    }
    let stem = if below { join_path(place, stem) } else { stem.to_vec() };
    let path = [&stem, suffix].concat();
    match make(args, &path, stem.len() - letters..stem.len()) {
        Ok(name) => {
            env.stdout.write(&name)?;
            env.stdout.push(b'\n')?;
            Ok(ExitStatus::SUCCESS)
        }
        Err(_) if args.has(QUIET) => Ok(ExitStatus::FAILURE),
        Err(errno) => {
            let what = if args.has(DIRECTORY) { "create directory" } else { "create temp file" };
            Err(Error::cannot(what, &path, errno))
        }
    }
}

/// Tries names until one is free.
fn make(args: &Args<'_>, template: &[u8], letters: Range<usize>) -> core::result::Result<Vec<u8>, Errno> {
    for _ in 0..1000 {
        let mut path = template.to_vec();
        fill(&mut path[letters.clone()])?;
        let made = if args.has(DRY) {
            match lstat(path.as_slice()) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(errno),
            }
        } else if args.has(DIRECTORY) {
            mkdir(path.as_slice(), Mode::from_raw_mode(0o700))
        } else {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            open(path.as_slice(), flags, Mode::from_raw_mode(0o600)).map(drop)
        };
        match made {
            Ok(()) => return Ok(path),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EXIST)
}

/// Fills a name with letters and digits, 62 of them, each as likely as the next.
fn fill(name: &mut [u8]) -> core::result::Result<(), Errno> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for letter in name {
        let mut byte = [u8::MAX];
        while byte[0] >= 248 {
            getrandom(&mut byte, GetRandomFlags::empty())?;
        }
        *letter = ALPHABET[usize::from(byte[0]) % 62];
    }
    Ok(())
}
