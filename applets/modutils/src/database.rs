//! What depmod has written about the modules of a kernel: modules.dep(5) and the files beside it.

use rbox_core::bytes::{base_name, join_path, split_once, words};
use rbox_core::io::read_file;
use rbox_core::pattern::glob::{self, Flags};
use rbox_core::sys::system::uname;

/// The name that the kernel has for a module of that file or that spelling: `-` and `_` are the same.
pub fn name_of(path: &[u8]) -> Vec<u8> {
    let name = base_name(path);
    let end = rbox_core::bytes::find(name, b".ko").unwrap_or(name.len());
    underscored(&name[..end])
}

/// The text with `_` for `-`, but for what is in brackets, as aliases have them.
pub fn underscored(text: &[u8]) -> Vec<u8> {
    let mut in_brackets = false;
    let change = |&byte: &u8| {
        in_brackets = byte == b'[' || in_brackets && byte != b']';
        if byte == b'-' && !in_brackets { b'_' } else { byte }
    };
    text.iter().map(change).collect()
}

/// The version of the kernel that runs.
pub fn running_version() -> Vec<u8> {
    uname().release().to_bytes().to_vec()
}

/// The files of one version.
pub struct Database {
    /// BASE/lib/modules/VERSION
    pub directory: Vec<u8>,
    dependencies: Vec<u8>,
}

/// A module of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: Vec<u8>,
    /// Its file, and those of the modules that it needs, in the order in which they are to be loaded after one another.
    pub path: Vec<u8>,
    pub needed: Vec<Vec<u8>>,
}

impl Database {
    pub fn of(base: &[u8], version: &[u8]) -> Self {
        let directory = [base, b"/lib/modules/", version].concat();
        let dependencies = read(&join_path(&directory, b"modules.dep"));
        Self { directory, dependencies }
    }

    /// Whether depmod has been here.
    pub fn is_there(&self) -> bool {
        rbox_core::sys::fs::stat(join_path(&self.directory, b"modules.dep")).is_ok()
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.dependencies.split(|&byte| byte == b'\n').filter_map(|line| split_once(line, b':'))
    }

    /// The paths of all modules, as the database has them.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.lines().map(|(path, _)| path)
    }

    /// The module of that name, whose dashes are underscores.
    pub fn find(&self, name: &[u8]) -> Option<Found> {
        let (path, needed) = self.lines().find(|(path, _)| name_of(path) == name)?;
        let mut needed: Vec<Vec<u8>> = words(needed).map(|path| self.full(path)).collect();
        // The line has a module before what it needs.
        needed.reverse();
        Some(Found { name: name.to_vec(), path: self.full(path), needed })
    }

    /// A path that may be relative to the directory.
    fn full(&self, path: &[u8]) -> Vec<u8> {
        if path.starts_with(b"/") { path.to_vec() } else { join_path(&self.directory, path) }
    }

    /// The modules whose aliases in that file match, in its order.
    pub fn matching(&self, file: &str, alias: &[u8]) -> Vec<Vec<u8>> {
        let content = read(&join_path(&self.directory, file.as_bytes()));
        let mut names: Vec<Vec<u8>> = Vec::new();
        for line in content.split(|&byte| byte == b'\n') {
            let mut fields = words(line);
            if let (Some(b"alias"), Some(pattern), Some(name)) = (fields.next(), fields.next(), fields.next())
                && matches(pattern, alias)
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_vec());
            }
        }
        names
    }

    /// Whether the module is part of the kernel.
    pub fn is_built_in(&self, name: &[u8]) -> bool {
        let content = read(&join_path(&self.directory, b"modules.builtin"));
        content.split(|&byte| byte == b'\n').any(|path| !path.is_empty() && name_of(path) == name)
    }

    /// The lines about a part of the kernel that could be a module: `KEY=VALUE`.
    pub fn built_in_information(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let content = read(&join_path(&self.directory, b"modules.builtin.modinfo"));
        let of_module = |row: &[u8]| {
            let (module, rest) = split_once(row, b'.')?;
            (module == name).then(|| rest.to_vec())
        };
        content.split(|&byte| byte == 0).filter_map(of_module).collect()
    }
}

/// Whether an alias, which is a pattern, matches.
pub fn matches(pattern: &[u8], alias: &[u8]) -> bool {
    glob::matches(&underscored(pattern), alias, Flags::default())
}

/// A file of the database; one that is not there says nothing.
pub fn read(path: &[u8]) -> Vec<u8> {
    read_file(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_underscores() {
        assert_eq!(name_of(b"kernel/a/snd-hda.codec-x.ko.xz"), b"snd_hda.codec_x");
        assert_eq!(underscored(b"a-b[0-9]-c"), b"a_b[0-9]_c");
    }

    #[test]
    fn needed_modules_come_in_the_order_of_loading() {
        let dependencies = b"kernel/a.ko: kernel/b.ko kernel/c-d.ko\nkernel/b.ko:\n".to_vec();
        let database = Database { directory: b"/m".to_vec(), dependencies };
        let found = database.find(b"a").expect("the line is there");
        assert_eq!(found.needed, [b"/m/kernel/c-d.ko".to_vec(), b"/m/kernel/b.ko".to_vec()]);
        assert_eq!(database.find(b"nope"), None);
    }
}
