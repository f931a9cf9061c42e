//! Removing packages and what belongs to them.

use rbox_core::bytes::{base_name, find_byte_back};
use rbox_core::files::{kind, list_at, replace, stat};
use rbox_core::io::Input;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{CWD, FileType, rmdir, unlink};
use rbox_core::text;

use crate::control::Paragraph;

use super::database::{DIRECTORY, Database, conffiles, info_lines, info_path, state};
use super::divert::Diversions;
use super::{script, triggers};

/// The control files that are kept in the directory `info`, with blanks between.
const INFO: &str =
    "list conffiles md5sums preinst postinst prerm postrm shlibs symbols triggers templates config sha256sums";

/// Their names.
pub fn info_names() -> impl Iterator<Item = &'static str> {
    INFO.split(' ')
}

/// Removes one of them.
pub fn info(package: &Paragraph, kind: &str) -> Result<()> {
    file(&info_path(package, kind.as_bytes()))
}

/// Removes a file that may not be there.
fn file(path: &[u8]) -> Result<()> {
    match unlink(path) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        Err(errno) => Err(Error::cannot("remove", path, errno)),
    }
}

/// Removes a directory of files, which may not be there.
pub fn tree(path: &[u8]) -> Result<()> {
    match list_at(path) {
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(Error::on(path, errno)),
        Ok(entries) => entries.iter().try_for_each(|entry| file(&text!(path, "/", &entry.name)))?,
    }
    rmdir(path).map_err(|errno| Error::cannot("remove", path, errno))
}

/// Removes files of a package, and directories that are empty then and that no other package has.
pub fn files(package: &Paragraph, mut paths: Vec<Vec<u8>>) -> Result<()> {
    // What is in a directory comes before it.
    paths.sort_unstable();
    let mut directories = Vec::new();
    let diversions = Diversions::load()?;
    while let Some(path) = paths.pop() {
        // A link to a directory may be in place of one that packages have: /bin -> usr/bin.
        match stat(CWD, &path, true).map(|stat| kind(&stat)) {
            Ok(FileType::Directory) if path != b"/." => directories.push(path),
            Ok(FileType::Directory) => {}
            Ok(_) | Err(_) => file(diversions.path(&path, package.get("Package")))?,
        }
    }
    let is_link = |path: &Vec<u8>| stat(CWD, path, false).is_ok_and(|stat| kind(&stat) == FileType::Symlink);
    let may_go = |path: &Vec<u8>| is_link(path) || list_at(path).is_ok_and(|entries| entries.is_empty());
    if !directories.iter().any(may_go) {
        return Ok(());
    }
    let own = info_path(package, b"list");
    for entry in list_at(&text!(DIRECTORY, "/info")).map_err(|errno| Error::on(DIRECTORY, errno))? {
        if entry.name.ends_with(b".list") && entry.name != base_name(&own) {
            let text = Input::open(&text!(DIRECTORY, "/info/", &entry.name))?.read_to_end()?;
            let mut theirs: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
            theirs.sort_unstable();
            directories.retain(|path| theirs.binary_search(&&path[..]).is_err());
        }
    }
    for path in directories {
        match rmdir(&path[..]) {
            Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::BUSY) => {}
            Err(Errno::NOTDIR) => file(&path)?,
            Err(errno) => return Err(Error::cannot("remove", &path, errno)),
        }
    }
    Ok(())
}

/// Removes a package, all but its configuration files.
pub fn remove(env: &mut Env, database: &mut Database, name: &[u8]) -> Result<()> {
    let mut package = known(database, name)?;
    env.stdout.write(&text!("Removing ", name, " (", package.get("Version"), ") ...\n"))?;
    script::run(env, &package, "prerm", b"remove")?;
    package.set("Status", Some(b"deinstall ok half-installed"));
    database.put(package.clone())?;
    let configuration = conffiles(&package);
    let is_kept = |path: &Vec<u8>| configuration.iter().any(|(known, _)| known == path);
    let (kept, gone): (Vec<_>, Vec<_>) = info_lines(&package, b"list")?.into_iter().partition(is_kept);
    let all = kept.clone();
    database.touched.extend_from_slice(&gone);
    database.touched.extend(triggers::names(&info_lines(&package, b"triggers")?, b"activate"));
    files(&package, gone)?;
    script::run(env, &package, "postrm", b"remove")?;
    let has_postrm = stat(CWD, &info_path(&package, b"postrm"), true).is_ok();
    for kind in info_names().filter(|kind| !matches!(*kind, "list" | "postrm")) {
        info(&package, kind)?;
    }
    if all.is_empty() && !has_postrm {
        info(&package, "list")?;
        return database.forget(name);
    }
    // The directories on the way to what is left.
    let mut listed = Vec::new();
    for path in all {
        let mut at = find_byte_back(b'/', &path).unwrap_or(0);
        while at > 0 {
            if !listed.contains(&path[..at].to_vec()) {
                listed.push(path[..at].to_vec());
            }
            at = find_byte_back(b'/', &path[..at]).unwrap_or(0);
        }
        listed.push(path);
    }
    listed.sort_unstable();
    let mut list = listed.join(&b'\n');
    list.push(b'\n');
    replace(&info_path(&package, b"list"), &list, false)?;
    package.set("Status", Some(b"deinstall ok config-files"));
    database.put(package)
}

/// Removes the configuration files of a package that is not there any longer, and all that is known of it.
pub fn purge(env: &mut Env, database: &mut Database, name: &[u8]) -> Result<()> {
    let Some(package) = database.known(name).cloned() else { return Ok(()) };
    env.stdout.write(&text!("Purging configuration files for ", name, " (", package.get("Version"), ") ...\n"))?;
    for (path, _) in conffiles(&package) {
        for ending in ["", ".dpkg-new", ".dpkg-old", ".dpkg-dist", ".dpkg-bak", "~"] {
            file(&text!(&path, ending))?;
        }
    }
    script::run(env, &package, "postrm", b"purge")?;
    files(&package, info_lines(&package, b"list")?)?;
    for kind in info_names() {
        info(&package, kind)?;
    }
    database.forget(name)
}

/// A package that is there, at least in part.
pub fn known(database: &Database, name: &[u8]) -> Result<Paragraph> {
    let package = database.known(name).filter(|package| state(package) != b"config-files").cloned();
    package.ok_or_else(|| Error::parts(&[b"package '", name, b"' is not installed"]))
}
