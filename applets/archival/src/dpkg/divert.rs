//! Diversions: files of packages that are installed under other names (dpkg-divert(1)).

use rbox_core::prelude::*;

use super::database::read_if_any;

/// Three lines for each: the path, the path that takes its files, and the package whose own files stay; `:` is no package.
const FILE: &[u8] = b"/var/lib/dpkg/diversions";

pub struct Diversions(Vec<u8>);

impl Diversions {
    pub fn load() -> Result<Self> {
        read_if_any(FILE).map(Self)
    }

    /// Where a package has the file of that path.
    pub fn path<'a>(&'a self, path: &'a [u8], package: &[u8]) -> &'a [u8] {
        let mut lines = self.0.split(|&byte| byte == b'\n');
        while let (Some(from), Some(to), Some(owner)) = (lines.next(), lines.next(), lines.next()) {
            if from == path && owner != package {
                return to;
            }
        }
        path
    }
}
