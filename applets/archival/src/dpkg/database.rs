//! What is installed: /var/lib/dpkg/status, and for each package its files in /var/lib/dpkg/info.

use rbox_core::bytes::split_once;
use rbox_core::files::replace;
use rbox_core::io::read_file;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FlockOperation, Mode, OFlags, fcntl_lock, open};
use rbox_core::sys::{Errno, OwnedFd};
use rbox_core::text;

use crate::control::{self, Paragraph};

/// The directory of everything.
pub const DIRECTORY: &str = "/var/lib/dpkg";
const STATUS: &[u8] = b"/var/lib/dpkg/status";
const LOCK: &[u8] = b"/var/lib/dpkg/lock";

pub struct Database {
    pub packages: Vec<Paragraph>,
    /// Paths that were unpacked or removed, and triggers that packages activate.
    pub touched: Vec<Vec<u8>>,
    /// Packages that were configured, and how many of those had come before, which do not concern them any longer.
    pub configured: Vec<(Vec<u8>, usize)>,
    /// Held while anything changes.
    _lock: Option<OwnedFd>,
}

impl Database {
    /// Reads the database; `locks` if it will be changed.
    pub fn load(locks: bool) -> Result<Self> {
        let lock = if locks { Some(lock()?) } else { None };
        let text = read_if_any(STATUS)?;
        let packages = control::parse(&text).map_err(|error| error.context(STATUS))?;
        Ok(Self { packages, touched: Vec::new(), configured: Vec::new(), _lock: lock })
    }

    /// The package of that name, which may say its architecture after a colon.
    pub fn find(&self, name: &[u8]) -> Option<&Paragraph> {
        let (name, architecture) = split_once(name, b':').unwrap_or((name, b""));
        self.packages.iter().find(|package| {
            let is_it = architecture.is_empty() || package.get("Architecture") == architecture;
            package.get("Package") == name && is_it
        })
    }

    /// The same, of a package of which there is more than a record of a wish.
    pub fn known(&self, name: &[u8]) -> Option<&Paragraph> {
        self.find(name).filter(|package| state(package) != b"not-installed")
    }

    /// The packages whose files are there.
    pub fn unpacked(&self) -> Vec<&Paragraph> {
        self.packages.iter().filter(|package| is_unpacked(package)).collect()
    }

    /// Puts a package in place of the one of its name, and writes the database.
    pub fn put(&mut self, package: Paragraph) -> Result<()> {
        let name = package.get("Package");
        match self.packages.iter_mut().find(|known| known.get("Package") == name) {
            Some(known) => *known = package,
            None => self.packages.push(package),
        }
        self.save()
    }

    /// Forgets a package, and writes the database.
    pub fn forget(&mut self, name: &[u8]) -> Result<()> {
        self.packages.retain(|package| package.get("Package") != name);
        self.save()
    }

    fn save(&self) -> Result<()> {
        let mut text = Vec::new();
        for package in &self.packages {
            rbox_core::push!(text, &package.0, "\n");
        }
        replace(STATUS, &text, true)
    }
}

fn lock() -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(LOCK, flags, Mode::from_raw_mode(0o640)).map_err(|errno| Error::on(LOCK, errno))?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(Error::new("/var/lib/dpkg/lock: locked by another program")),
        Err(errno) => Err(Error::on(LOCK, errno)),
    }
}

/// The third word of the field Status: `installed`, `unpacked`, `config-files` ...
pub fn state(package: &Paragraph) -> &[u8] {
    rbox_core::bytes::words(package.get("Status")).nth(2).unwrap_or(b"not-installed")
}

/// Whether its files are there.
pub fn is_unpacked(package: &Paragraph) -> bool {
    matches!(
        state(package),
        b"installed" | b"unpacked" | b"half-configured" | b"triggers-awaited" | b"triggers-pending"
    )
}

/// The path of a file about the package in the directory `info`. Packages that several architectures have at once have
/// theirs in the name.
pub fn info_path(package: &Paragraph, kind: &[u8]) -> Vec<u8> {
    let name = package.get("Package");
    let architecture = match package.get("Multi-Arch") == b"same" {
        true => text!(":", package.get("Architecture")),
        false => Vec::new(),
    };
    text!(DIRECTORY, "/info/", name, architecture, ".", kind)
}

/// The lines of such a file; none if there is none.
pub fn info_lines(package: &Paragraph, kind: &[u8]) -> Result<Vec<Vec<u8>>> {
    Ok(lines(&read_if_any(&info_path(package, kind))?))
}

/// All of a file; nothing if there is none.
pub fn read_if_any(path: &[u8]) -> Result<Vec<u8>> {
    match read_file(path) {
        Err(error) if error.errno() == Some(Errno::NOENT) => Ok(Vec::new()),
        content => content,
    }
}

/// The lines of a text that are not empty.
pub fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Configuration files that the status names, with their hashes.
pub fn conffiles(package: &Paragraph) -> Vec<(Vec<u8>, Vec<u8>)> {
    let words = |line: &[u8]| {
        let (path, hash) = split_once(line.trim_ascii(), b' ')?;
        Some((path.to_vec(), hash.trim_ascii().to_vec()))
    };
    package.get("Conffiles").split(|&byte| byte == b'\n').filter_map(words).collect()
}
