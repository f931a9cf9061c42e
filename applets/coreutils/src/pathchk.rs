//! `pathchk`: check whether pathnames are valid and portable (POSIX XCU pathchk).

use rbox_core::files::stat;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::CWD;
use rbox_core::text;

options! {
    "[-pP] NAME...

Report NAMEs that this system does not accept, or with options those that others may not accept.

  -p                 Check against POSIX: portable characters, 14 bytes a component, 255 in all
  -P                 Report empty names and components that begin with -
      --portability  Same as -p -P";
    PORTABLE = "-p",
    MORE = "-P",
    BOTH = "--portability",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.operands().is_empty() {
        return Err(Error::usage());
    }
    let is_portable = args.has(PORTABLE) || args.has(BOTH);
    let is_strict = args.has(MORE) || args.has(BOTH);
    env.for_each_operand(args.operands(), &mut |_, name| check(name, is_portable, is_strict))
}

fn check(name: &[u8], is_portable: bool, is_strict: bool) -> Result<()> {
    let components = || name.split(|&byte| byte == b'/');
    if is_strict && components().any(|component| component.starts_with(b"-")) {
        return Err(Error::parts(&[b"leading '-' in a component of file name '", name, b"'"]));
    }
    if name.is_empty() && (is_portable || is_strict) {
        return Err(Error::new("empty file name"));
    }
    if is_portable {
        // POSIX XBD 3.265: the portable filename character set.
        let is_foreign = |byte: &&u8| !byte.is_ascii_alphanumeric() && !b"._-/".contains(byte);
        if let Some(at) = name.iter().position(|byte| is_foreign(&byte)) {
            let length = core::str::from_utf8(&name[at..]).ok().and_then(|text| text.chars().next());
            let character = &name[at..at + length.map_or(1, char::len_utf8)];
            return Err(Error::parts(&[b"nonportable character '", character, b"' in file name '", name, b"'"]));
        }
        // POSIX <limits.h>: _POSIX_PATH_MAX counts the NUL at the end.
        limit(255, name, b"")?;
    } else {
        match stat(CWD, name, false) {
            Ok(_) => return Ok(()),
            Err(Errno::NOENT) if !name.is_empty() => {}
            Err(errno) => return Err(Error::on(if name.is_empty() { b"''" } else { name }, errno)),
        }
    }
    // A directory that is missing has the names that most file systems have.
    let most = if is_portable { 14 } else { 255 };
    components().try_for_each(|component| limit(most, component, b" component"))
}

fn limit(most: usize, name: &[u8], what: &[u8]) -> Result<()> {
    match name.len() > most {
        false => Ok(()),
        true => Err(Error::new(text!(
            "limit ",
            most,
            " exceeded by length ",
            name.len(),
            " of file name",
            what,
            " '",
            name,
            "'"
        ))),
    }
}
