//! Output files that appear whole or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file under a passing name beside its place; gone again unless it is finished.
pub struct Output {
    place: PathBuf,
    passing: PathBuf,
    pub file: File,
}

impl Output {
    /// Opens a fresh file that will take the place of `place`.
    pub fn create(place: &Path) -> Result<Self> {
        let name = place.file_name().with_context(|| format!("{}: not a file name", place.display()))?;
        let mut passing = std::ffi::OsString::from(".");
        passing.push(name);
        passing.push(format!(".{}", std::process::id()));
        let passing = place.with_file_name(passing);
        if let Some(directory) = place.parent() {
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&passing)
            .with_context(|| passing.display().to_string())?;
        Ok(Self { place: place.to_owned(), passing, file })
    }

    /// Puts the file in its place.
    pub fn finish(self) -> Result<()> {
        fs::rename(&self.passing, &self.place).with_context(|| self.place.display().to_string())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name; before it, the build has failed already.
        let _ = fs::remove_file(&self.passing);
    }
}
