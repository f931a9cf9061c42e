//! Unpacking and configuring packages.

use rbox_core::archive::Entry;
use rbox_core::archive::guard::{Existing, Extractor, Guard, Manner, checked};
use rbox_core::archive::tar::{Next, Reader};
use rbox_core::files::{kind, replace, stat};
use rbox_core::hash::{Algorithm, Hash, hex};
use rbox_core::io::Input;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, FileType, Mode, chmod, fchmod, mkdir, rename, unlink};
use rbox_core::sys::{AsFd, Errno};
use rbox_core::{push, text};

use crate::control::Paragraph;
use crate::data::write_all;
use crate::deb::{self, ControlFile, Part};

use super::database::{DIRECTORY, Database, conffiles, info_lines, info_path, is_unpacked, lines, state};
use super::depends::Offers;
use super::divert::Diversions;
use super::{Confs, remove, script, triggers};

/// A package file that is to be installed.
pub struct Package {
    pub path: Vec<u8>,
    pub files: Vec<ControlFile>,
    pub control: Paragraph,
}

/// What is after the name of a file until the old one may go.
const NEW: &[u8] = b".dpkg-new";

/// The scripts of a package until they are in the directory `info`.
fn stage() -> Vec<u8> {
    text!(DIRECTORY, "/tmp.ci")
}

impl Package {
    pub fn read(env: &mut Env, path: &[u8]) -> Result<Self> {
        let files = deb::control_files(env, path)?;
        let control = deb::control(&files, path)?;
        Ok(Self { path: path.to_vec(), files, control })
    }

    /// The lines of a control file.
    fn lines(&self, name: &[u8]) -> Vec<Vec<u8>> {
        self.files.iter().find(|file| file.name == name).map(|file| lines(&file.content)).unwrap_or_default()
    }

    fn stage(&self) -> Result<()> {
        let directory = stage();
        remove::tree(&directory)?;
        mkdir(&directory[..], Mode::from_raw_mode(0o755)).map_err(|errno| Error::on(&directory, errno))?;
        for file in &self.files {
            write_file(&text!(&directory, "/", &file.name), file)?;
        }
        Ok(())
    }
}

fn write_file(path: &[u8], file: &ControlFile) -> Result<()> {
    replace(path, &file.content, false)?;
    chmod(path, Mode::from_raw_mode(file.mode)).map_err(|errno| Error::on(path, errno))
}

/// Unpacks a package over the version that is there, if any.
pub fn unpack(env: &mut Env, database: &mut Database, package: &Package) -> Result<()> {
    let (control, old) = (&package.control, database.known(package.control.get("Package")).cloned());
    let (name, version) = (control.get("Package"), control.get("Version"));
    let there = old.as_ref().filter(|old| is_unpacked(old));
    let old_version = old.as_ref().map(|old| old.get("Version").to_vec()).unwrap_or_default();
    match there {
        Some(_) => env.stdout.write(&text!("Preparing to replace ", name, " ", &old_version, " ...\n"))?,
        None => env.stdout.write(&text!("Selecting previously unselected package ", name, ".\n"))?,
    }
    env.stdout.write(&text!("Unpacking ", name, " (", version, ") ...\n"))?;
    package.stage()?;
    if let Some(there) = there {
        script::run(env, there, "prerm", &text!("upgrade ", version))?;
    }
    let preinst = text!(stage(), "/preinst");
    let words = match (there, &old) {
        (Some(_), _) => text!("upgrade ", &old_version),
        (None, Some(_)) => text!("install ", &old_version),
        (None, None) => b"install".to_vec(),
    };
    if let Err(error) = script::run_file(env, control, &preinst, "preinst", &words) {
        env.report(&error);
        match there {
            Some(there) => script::run(env, there, "postinst", &text!("abort-upgrade ", version))?,
            None => script::run_file(env, control, &text!(stage(), "/postrm"), "postrm", b"abort-install")?,
        }
        return Err(Error::silent(ExitStatus::FAILURE));
    }
    let mut record = record(control, old.as_ref(), "install reinstreq half-installed");
    database.put(record.clone())?;
    let listed = extract(env, package)?;
    database.touched.extend_from_slice(&listed);
    database.touched.extend(triggers::names(&package.lines(b"triggers"), b"activate"));
    if let Some(there) = there {
        script::run(env, there, "postrm", &text!("upgrade ", version))?;
        database.touched.extend(remove_obsolete(there, &listed, &conffiles(&record))?);
    }
    install_info(package, old.as_ref(), &listed)?;
    let known = conffiles(&record);
    let mut list = Vec::new();
    for line in package.lines(b"conffiles") {
        // The first word may say that an upgrade removes the file.
        let Some(path) = line.strip_prefix(b"/").map(|_| &line) else { continue };
        let hash = known.iter().find(|(known, _)| known == path).map_or(&b"newconffile"[..], |(_, hash)| &hash[..]);
        push!(list, "\n ", path, " ", hash);
    }
    if !list.is_empty() {
        record.set("Conffiles", Some(&list));
    }
    record.set("Status", Some(b"install ok unpacked"));
    database.put(record)?;
    remove::tree(&stage())
}

/// What the database says of a package of which those are the control fields; hashes of configuration files are kept.
fn record(control: &Paragraph, old: Option<&Paragraph>, status: &str) -> Paragraph {
    let mut record = control.clone();
    record.set("Status", Some(status.as_bytes()));
    if let Some(old) = old {
        let configured = if state(old) == b"installed" { old.get("Version") } else { old.get("Config-Version") };
        for (name, value) in [("Conffiles", old.get("Conffiles")), ("Config-Version", configured)] {
            if !value.is_empty() {
                record.set(name, Some(value));
            }
        }
    }
    record
}

/// Extracts the files, each beside the one that it replaces, and returns their names.
fn extract(env: &mut Env, package: &Package) -> Result<Vec<Vec<u8>>> {
    let manner = Manner {
        existing: Existing::Replace,
        owner: true,
        permissions: true,
        times: true,
        keep_directories: true,
        keep_directory_links: true,
        makes_parents: true,
        umask: 0,
    };
    // What a package brings is trusted, and what is there has links to everywhere: /var/run -> /run.
    let mut extractor = Extractor::new(Guard::new(b"/", true)?, manner);
    let (input, _) = deb::open(env, &package.path, Part::Data)?;
    let mut reader = Reader::new(input, false);
    let (diversions, name) = (Diversions::load()?, package.control.get("Package"));
    let (configuration, mut listed) = (package.lines(b"conffiles"), Vec::new());
    loop {
        let mut entry = match reader.advance().map_err(|error| error.context(&package.path))? {
            Next::Entry(entry) => *entry,
            Next::Damaged(why) => return Err(Error::parts(&[&package.path, b": ", why.as_bytes()])),
            Next::End => break,
        };
        let bare = checked(entry.name.strip_prefix(b"./").unwrap_or(&entry.name))?;
        let bare = bare.strip_prefix(b"./").unwrap_or(bare).to_vec();
        listed.push(if bare == b"." { b"/.".to_vec() } else { text!("/", &bare) });
        if entry.is_hard_link {
            let target = checked(entry.target.strip_prefix(b"./").unwrap_or(&entry.target))?;
            entry.target = diversions.path(&text!("/", target), name).to_vec();
        }
        entry.name = text!("/", &bare);
        let is_configuration = configuration.contains(&entry.name);
        if entry.kind() != FileType::Directory || entry.is_hard_link {
            entry.name = diversions.path(&entry.name, name).to_vec();
        }
        place(&mut extractor, &mut reader, entry, is_configuration)?;
    }
    match extractor.finish().into_iter().next() {
        Some(error) => Err(error),
        None => Ok(listed),
    }
}

/// Makes one file. Under its own name only once it is whole; a configuration file waits until the package is configured.
fn place(extractor: &mut Extractor, reader: &mut Reader, mut entry: Entry, waits: bool) -> Result<()> {
    let there = stat(CWD, &entry.name, false).ok().map(|stat| kind(&stat));
    if entry.kind() == FileType::Directory && !entry.is_hard_link {
        return extractor.make(&entry).map(drop);
    }
    // A directory that is there stays, where the package has a link.
    if there == Some(FileType::Directory) {
        return match entry.kind() {
            FileType::Symlink => Ok(()),
            _ => Err(Error::on(&entry.name, Errno::ISDIR)),
        };
    }
    let name = entry.name.clone();
    entry.name.extend_from_slice(NEW);
    match unlink(&entry.name[..]) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(Error::cannot("remove", &entry.name, errno)),
    }
    if entry.kind() == FileType::RegularFile && !entry.is_hard_link {
        let made = extractor.create(&entry)?.ok_or_else(|| Error::on(&entry.name, Errno::EXIST))?;
        while let Some(data) = reader.data()? {
            let length = data.len();
            write_all(made.file.as_fd(), data).map_err(|error| error.context(&entry.name))?;
            reader.consume(length);
        }
        extractor.finish_file(&made, &entry)?;
        if entry.mode & 0o7000 == 0 {
            fchmod(&made.file, Mode::from_raw_mode(entry.mode & 0o777))?;
        }
    } else {
        extractor.make(&entry)?;
    }
    if waits {
        return Ok(());
    }
    rename(&entry.name[..], &name[..]).map_err(|errno| Error::cannot("rename", &entry.name, errno))?;
    // rename(2): two names of one file both stay.
    match unlink(&entry.name[..]) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::cannot("remove", &entry.name, errno)),
    }
}

/// Removes files of the old version that the new one does not have.
fn remove_obsolete(old: &Paragraph, listed: &[Vec<u8>], configuration: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<Vec<u8>>> {
    let stays = |path: &Vec<u8>| listed.contains(path) || configuration.iter().any(|(known, _)| known == path);
    let mut obsolete = info_lines(old, b"list")?;
    obsolete.retain(|path| !stays(path));
    remove::files(old, obsolete.clone())?;
    Ok(obsolete)
}

/// Puts the control files in place of the old ones.
fn install_info(package: &Package, old: Option<&Paragraph>, listed: &[Vec<u8>]) -> Result<()> {
    for kind in remove::info_names() {
        let is_new = package.files.iter().any(|file| file.name == kind.as_bytes());
        if let Some(old) = old.filter(|_| !is_new && kind != "list") {
            remove::info(old, kind)?;
        }
    }
    for file in package.files.iter().filter(|file| file.name != b"control") {
        let path = info_path(&package.control, &file.name);
        // A control file of a kind that is not known would never be removed.
        if remove::info_names().any(|kind| kind.as_bytes() == file.name) {
            write_file(&path, file)?;
        }
    }
    let mut list = listed.join(&b'\n');
    list.push(b'\n');
    replace(&info_path(&package.control, b"list"), &list, false)
}

/// Configures those of the packages that are unpacked, in an order in which each comes after what it depends on.
pub fn configure_all(env: &mut Env, database: &mut Database, mut names: Vec<Vec<u8>>, how: &Confs) -> Result<()> {
    while !names.is_empty() {
        let next = {
            let installed =
                database.packages.iter().filter(|package| matches!(state(package), b"installed" | b"triggers-pending"));
            let offers = Offers::of(&installed.collect::<Vec<_>>());
            let is_ready =
                |name: &Vec<u8>| database.find(name).is_some_and(|package| offers.missing(package).is_none());
            names.iter().position(is_ready)
        };
        // What needs each other has no order.
        let name = names.remove(next.unwrap_or(0));
        configure(env, database, &name, next.is_some() || how.ignores_depends, how)?;
    }
    Ok(())
}

fn configure(env: &mut Env, database: &mut Database, name: &[u8], is_ready: bool, how: &Confs) -> Result<()> {
    let mut package = database.known(name).cloned();
    let Some(package) = &mut package else { return Err(Error::parts(&[b"package '", name, b"' is not installed"])) };
    match state(package) {
        b"unpacked" | b"half-configured" => {}
        b"installed" => {
            return Err(Error::parts(&[b"package '", name, b"' is already installed and configured"]));
        }
        _ => return Err(Error::parts(&[b"package '", name, b"' is not ready for configuration"])),
    }
    if !is_ready {
        let offers = Offers::of(&database.unpacked());
        if let Some(part) = offers.missing(package) {
            return Err(Error::parts(&[b"package ", name, b" depends on ", part, b", which is not installed"]));
        }
    }
    env.stdout.write(&text!("Setting up ", name, " (", package.get("Version"), ") ...\n"))?;
    package.set("Status", Some(b"install ok half-configured"));
    database.put(package.clone())?;
    database.configured.push((name.to_vec(), database.touched.len()));
    database.touched.extend(triggers::names(&info_lines(package, b"triggers")?, b"activate"));
    let mut list = Vec::new();
    let diversions = Diversions::load()?;
    for (path, hash) in conffiles(package) {
        let hash = place_conffile(env, diversions.path(&path, name), &hash, how)?;
        push!(list, "\n ", &path, " ", hash);
    }
    if !list.is_empty() {
        package.set("Conffiles", Some(&list));
    }
    let last = package.get("Config-Version").to_vec();
    script::run(env, package, "postinst", &text!("configure ", last))?;
    package.set("Config-Version", None);
    package.set("Status", Some(b"install ok installed"));
    database.put(package.clone())
}

/// Decides between the configuration file that is there and the package's, and returns the hash of the package's.
/// `known`: the hash of the package's last one.
fn place_conffile(env: &mut Env, path: &[u8], known: &[u8], how: &Confs) -> Result<Vec<u8>> {
    let new = [path, NEW].concat();
    let Some(hash) = md5(&new)? else { return Ok(known.to_vec()) };
    let current = md5(path)?;
    let is_first = known == b"newconffile";
    let takes = match &current {
        // One that the administrator has removed stays so.
        None => is_first,
        Some(current) if *current == hash || *current == known => true,
        Some(_) if hash == known => false,
        Some(_) => how.takes_new,
    };
    let moved = |from: &[u8], to: &[u8]| rename(from, to).map_err(|errno| Error::cannot("rename", from, errno));
    let is_changed = current.as_ref().is_some_and(|current| *current != hash && *current != known);
    if takes {
        if is_changed {
            moved(path, &[path, b".dpkg-old"].concat())?;
        }
        moved(&new, path)?;
    } else if is_changed && hash != known {
        let kept = [path, b".dpkg-dist"].concat();
        moved(&new, &kept)?;
        env.report(&Error::parts(&[b"configuration file '", path, b"' is kept; the package's is '", &kept, b"'"]));
    } else {
        unlink(&new[..]).map_err(|errno| Error::cannot("remove", &new, errno))?;
    }
    Ok(hash)
}

/// The digits of the hash of a file; `None` if there is none.
fn md5(path: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut input = match Input::open(path) {
        Err(error) if error.errno() == Some(Errno::NOENT) => return Ok(None),
        input => input?,
    };
    let mut hash = Hash::new(Algorithm::Md5);
    loop {
        let length = input.fill()?.len();
        if length == 0 {
            return Ok(Some(hex(&hash.finish())));
        }
        hash.update(input.buffered());
        input.consume(length);
    }
}
