//! `chpasswd`: set the passwords of many users, read from standard input.

use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::users::User;
use rbox_core::{accounts, bytes, crypt, text};

options! {
    "[-e | -m | -c METHOD] [-R DIRECTORY]

Read lines USER:PASSWORD from standard input and set the passwords.

  -e, --encrypted            PASSWORD is already a hash
  -m, --md5                  Hash with md5
  -c, --crypt-method=METHOD  Hash with METHOD (sha512); see mkpasswd
  -R, --root=DIRECTORY       Change the root directory to DIRECTORY first";
    HASHES = "-e",
    MD5 = "-m",
    METHOD = "-c",
    ROOT = "-R",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    if !process::getuid().is_root() {
        return Err(Error::new("permission denied (are you root?)"));
    }
    let method: &[u8] = if args.has(MD5) { b"md5" } else { args.value(METHOD).unwrap_or(b"sha512") };
    if let Some(root) = args.value(ROOT) {
        let entered = process::chroot(root).and_then(|()| process::chdir("/"));
        entered.map_err(|errno| Error::cannot("change root directory to", root, errno))?;
    }
    // A wrong method is reported before any line is read.
    crypt::new_setting(method)?;
    let mut input = env.take_stdin();
    let mut status = ExitStatus::SUCCESS;
    while let Some(line) = input.line()? {
        let done = change(line, method, args.has(HASHES));
        match done {
            Ok(name) => env.report(&Error::new(text!("password for '", name, "' changed"))),
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    Ok(status)
}

/// Obeys a line, and returns the user's name.
fn change<'a>(line: &'a [u8], method: &[u8], hashed: bool) -> Result<&'a [u8]> {
    let (name, password) = bytes::split_once(line, b':').ok_or_else(|| Error::new("missing new password"))?;
    User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?;
    let hash = if hashed {
        // A colon or a control character would make other fields, or lines, of it.
        let plain = password.iter().all(|byte| (32..127).contains(byte) && *byte != b':');
        plain.then(|| password.to_vec())
    } else {
        crypt::crypt(password, &crypt::new_setting(method)?)
    };
    let hash = hash.ok_or_else(|| Error::parts(&[b"invalid password for ", name]))?;
    let lock = accounts::lock()?;
    let known = accounts::set_hash(name, &hash)?;
    drop(lock);
    if known { Ok(name) } else { Err(Error::parts(&[b"unknown user ", name])) }
}
