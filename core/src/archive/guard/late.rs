//! What is done after everything else: attributes of directories, which making files in them would change, and symbolic
//! links that could lead out of the tree.
//!
//! Such a link is an empty file until then, so that nothing is written through it, by nobody. All is remembered with device
//! and inode, and left alone when another file is there at the end.

use super::Guard;
use super::make::{Manner, set_attributes, set_link_attributes};
use crate::archive::Entry;
use crate::error::{Error, Result};
use crate::files::{FileId, id, identity, open_directory, stat};
use crate::sys::fs::{self, AtFlags};

/// The bytes of names and targets that are remembered; then what there is is done at once.
const MOST_BYTES: usize = 8 << 20;

/// A directory, or a link that is an empty file so far.
#[derive(Debug)]
struct Late {
    entry: Entry,
    id: FileId,
}

/// What is left to be done.
#[derive(Debug, Default)]
pub struct Pending {
    all: Vec<Late>,
    bytes: usize,
}

impl Pending {
    /// Remembers a directory or a link; true when there are so many that they must be done.
    pub fn push(&mut self, mut entry: Entry, id: FileId) -> bool {
        entry.user = Vec::new();
        entry.group = Vec::new();
        let xattrs: usize = entry.xattrs.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.bytes += size_of::<Late>() + entry.name.len() + entry.target.len() + xattrs;
        self.all.push(Late { entry, id });
        self.bytes > MOST_BYTES
    }

    /// The target of a link that is an empty file so far.
    pub fn link_to(&self, id: FileId) -> Option<&Entry> {
        self.all.iter().rev().find(|late| late.id == id && !late.entry.target.is_empty()).map(|late| &late.entry)
    }

    /// Does everything, the last first, so that a directory comes after what is in it. What fails is returned.
    pub fn finish(&mut self, guard: &mut Guard, manner: &Manner) -> Vec<Error> {
        let mut failed = Vec::new();
        self.bytes = 0;
        // Links first: making one changes the time of its directory.
        let (links, directories): (Vec<Late>, Vec<Late>) =
            core::mem::take(&mut self.all).into_iter().partition(|late| !late.entry.target.is_empty());
        for late in links.iter().chain(directories.iter().rev()) {
            let done =
                if late.entry.target.is_empty() { set_late(late, guard, manner) } else { link(late, guard, manner) };
            failed.extend(done.err().map(|error| error.context(&late.entry.name)));
        }
        failed
    }
}

fn set_late(late: &Late, guard: &mut Guard, manner: &Manner) -> Result<()> {
    let name = guard.name(&late.entry.name)?;
    let spot = guard.find(name, false)?;
    let directory = open_directory(spot.at, spot.name, false)?;
    if identity(&directory)? == late.id {
        set_attributes(&directory, &late.entry, manner)?;
    }
    Ok(())
}

fn link(late: &Late, guard: &mut Guard, manner: &Manner) -> Result<()> {
    let name = guard.name(&late.entry.name)?;
    let spot = guard.find(name, false)?;
    let Ok(there) = stat(spot.at, spot.name, false) else { return Ok(()) };
    if id(&there) != late.id || there.st_size != 0 {
        return Ok(());
    }
    fs::unlinkat(spot.at, spot.name, AtFlags::empty())?;
    fs::symlinkat(&late.entry.target[..], spot.at, spot.name)?;
    set_link_attributes(spot, &late.entry, manner)
}
