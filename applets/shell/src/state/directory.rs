//! The current directory, and the stack of `pushd`.

use crate::state::Shell;
use crate::syntax::copied::Copied;
use rbox_core::sys::{fs, process};

/// The current directory as the kernel knows it.
pub fn current() -> Vec<u8> {
    process::getcwd(Vec::new()).map(|path| path.to_bytes().copied()).unwrap_or_default()
}

/// The current directory by PWD when it is right, else as the kernel knows it.
pub fn working(shell: &mut Shell) -> Vec<u8> {
    if let Some(path) = shell.get(b"PWD")
        && path.starts_with(b"/")
        && let (Ok(named), Ok(here)) = (fs::stat(path), fs::stat("."))
        && (named.st_dev, named.st_ino) == (here.st_dev, here.st_ino)
    {
        return path.copied();
    }
    current()
}

impl Shell {
    /// The current directory and the stack below it: DIRSTACK.
    pub fn directory_stack(&mut self) -> Vec<Vec<u8>> {
        let mut all = vec![working(self)];
        all.extend(self.computed.directories.iter().cloned());
        all
    }
}
