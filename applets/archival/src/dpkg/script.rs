//! The scripts of packages: deb-preinst(5), deb-postinst(5), deb-prerm(5), deb-postrm(5).

use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::text;

use crate::control::Paragraph;

use super::database::{DIRECTORY, info_path};

/// Runs a script of a package that is there, with a word or with two that a blank separates; one that it does not have is no
/// failure.
pub fn run(env: &mut Env, package: &Paragraph, name: &str, words: &[u8]) -> Result<()> {
    run_file(env, package, &info_path(package, name.as_bytes()), name, words)
}

/// Runs the script at a path.
pub fn run_file(env: &mut Env, package: &Paragraph, path: &[u8], name: &str, words: &[u8]) -> Result<()> {
    if rbox_core::files::stat(rbox_core::sys::fs::CWD, path, true).is_err() {
        return Ok(());
    }
    let saved = env.vars.clone();
    env.vars.set("DPKG_MAINTSCRIPT_PACKAGE", Some(package.get("Package")));
    env.vars.set("DPKG_MAINTSCRIPT_NAME", Some(name.as_bytes()));
    env.vars.set("DPKG_MAINTSCRIPT_ARCH", Some(package.get("Architecture")));
    env.vars.set("DPKG_ADMINDIR", Some(DIRECTORY.as_bytes()));
    env.vars.set("DPKG_ROOT", Some(b""));
    let words: Vec<&[u8]> = core::iter::once(path).chain(words.splitn(2, |&byte| byte == b' ')).collect();
    let change = call::run(env, &words);
    env.vars = saved;
    match change?.status() {
        0 => Ok(()),
        status => Err(Error::new(text!(
            "package ",
            package.get("Package"),
            ": ",
            name,
            " script returned error status ",
            status
        ))),
    }
}
