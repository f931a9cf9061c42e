//! Output files that appear whole or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file that is written under a temporary name beside its target, and removed unless it is finished.
pub struct Output {
    target: PathBuf,
    temporary: PathBuf,
    pub file: File,
}

impl Output {
    /// Creates an empty file that will replace `target`.
    pub fn create(target: &Path) -> Result<Self> {
        let name = target.file_name().with_context(|| format!("{}: not a file name", target.display()))?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}", std::process::id()));
        let temporary = target.with_file_name(temporary);
        if let Some(directory) = target.parent() {
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .with_context(|| temporary.display().to_string())?;
        Ok(Self { target: target.to_owned(), temporary, file })
    }

    /// Renames the file to its target.
    pub fn finish(self) -> Result<()> {
        fs::rename(&self.temporary, &self.target).with_context(|| self.target.display().to_string())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After `finish` no file has this name. Before it the build has failed already, and its own error is reported.
        let _ = fs::remove_file(&self.temporary);
    }
}
