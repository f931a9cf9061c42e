//! Devices as /sys lists them.

use rbox_core::bytes::join_path;
use rbox_core::files::list_at;
use rbox_core::io::read_file;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;

/// A device of a bus.
pub struct Device {
    pub name: Vec<u8>,
    directory: Vec<u8>,
    /// The lines of its file `uevent`.
    uevent: Vec<u8>,
}

/// The devices of a bus, by name. None where the kernel has no such bus.
pub fn devices(directory: &[u8]) -> Result<Vec<Device>> {
    let entries = match list_at(directory) {
        Err(Errno::NOENT) => Vec::new(),
        entries => entries.map_err(|errno| Error::on(directory, errno))?,
    };
    let mut devices = Vec::new();
    for entry in entries.into_iter().filter(|entry| !entry.name.starts_with(b".")) {
        let directory = join_path(directory, &entry.name);
        let uevent = read(&join_path(&directory, b"uevent"));
        devices.push(Device { name: entry.name, directory, uevent });
    }
    devices.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(devices)
}

impl Device {
    /// A variable of its `uevent`.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let mut lines = self.uevent.split(|&byte| byte == b'\n');
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(b"="))
    }

    /// An attribute, without blanks around it; empty where it has none.
    pub fn attribute(&self, name: &str) -> Vec<u8> {
        read(&join_path(&self.directory, name.as_bytes())).trim_ascii().to_vec()
    }
}

/// A file of /sys. A device may be gone, and few have all files.
fn read(path: &[u8]) -> Vec<u8> {
    read_file(path).unwrap_or_default()
}
