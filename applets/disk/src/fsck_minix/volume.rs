//! The filesystem in memory: bitmaps, inodes and what was counted.

use crate::minix::{BLOCK, ERROR, Super, VALID, is_set, set};
use rbox_core::block::{Image, get, put};
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean};
use rbox_core::{bytes, push, text};

/// Whether errors are repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    None,
    Automatic,
    Asked,
}

pub struct Volume {
    pub image: Image,
    pub layout: Super,
    repair: Repair,
    pub lists: bool,
    pub is_verbose: bool,
    inode_map: Vec<u8>,
    zone_map: Vec<u8>,
    /// The inodes, as they are on the medium.
    table: Vec<u8>,
    /// The names that lead to each inode; the first one is inode 1.
    pub links: Vec<u32>,
    /// The zones that files have; a bit each, as in the map of zones.
    seen: Vec<u8>,
    /// Regular files, directories, character and block devices, further links, symbolic links, others.
    pub kinds: [u64; 7],
    pub changed: bool,
    /// Errors are left.
    pub left: bool,
    /// Inodes or bitmaps were changed and are to be written.
    dirty: bool,
}

impl Volume {
    pub fn open(path: &[u8], repair: Repair) -> Result<Self> {
        Self::of(if repair == Repair::None { Image::read_only(path)? } else { Image::open(path)? }, repair)
    }

    /// The filesystem of an image that is open.
    pub fn of(image: Image, repair: Repair) -> Result<Self> {
        let mut raw = [0; BLOCK];
        image.read(BLOCK as u64, &mut raw)?;
        let layout = Super::parse(&raw).ok_or_else(|| image.error("bad magic number or superblock"))?;
        if image.size() / (BLOCK as u64) < layout.zones {
            return Err(image.error("the filesystem is larger than the device"));
        }
        let read = |first: u64, blocks: u64| -> Result<Vec<u8>> {
            let (mut content, length) = (Vec::new(), blocks as usize * BLOCK);
            bytes::reserve(&mut content, length)?;
            content.resize(length, 0);
            image.read(first * BLOCK as u64, &mut content)?;
            Ok(content)
        };
        let inode_map = read(2, layout.inode_map)?;
        let zone_map = read(2 + layout.inode_map, layout.zone_map)?;
        let table = read(layout.table_at(), layout.table())?;
        let mut seen = Vec::new();
        bytes::reserve(&mut seen, zone_map.len())?;
        seen.resize(zone_map.len(), 0);
        let links = vec![0; layout.inodes as usize];
        let volume = Self {
            image,
            layout,
            repair,
            lists: false,
            is_verbose: false,
            inode_map,
            zone_map,
            table,
            links,
            seen,
            kinds: [0; 7],
            changed: false,
            left: false,
            dirty: false,
        };
        if volume.mode(1) & 0o170_000 != 0o40_000 {
            return Err(volume.image.error("root inode isn't a directory"));
        }
        Ok(volume)
    }

    pub fn is_clean(&self) -> bool {
        self.layout.state & (VALID | ERROR) == VALID
    }

    /// A field of an inode, by its offset and length.
    pub fn field(&self, inode: u64, (at, length): (usize, usize)) -> u64 {
        get(&self.table, (inode as usize - 1) * self.layout.inode() + at, length)
    }

    pub fn set_field(&mut self, inode: u64, (at, length): (usize, usize), value: u64) {
        put(&mut self.table, (inode as usize - 1) * self.layout.inode() + at, length, value);
        self.dirty = true;
    }

    pub fn mode(&self, inode: u64) -> u64 {
        self.field(inode, (0, 2))
    }

    /// The bit of a zone in its map.
    fn bit(&self, zone: u64) -> u64 {
        zone - self.layout.first_zone + 1
    }

    /// Notes that a file has this zone; false if another one, or the same, already has it.
    pub fn see(&mut self, zone: u64) -> bool {
        let bit = self.bit(zone);
        let is_new = !is_set(&self.seen, bit);
        set(&mut self.seen, bit, true);
        is_new
    }

    pub fn is_zone_marked(&self, zone: u64) -> bool {
        is_set(&self.zone_map, self.bit(zone))
    }

    pub fn mark_zone(&mut self, zone: u64) {
        let bit = self.bit(zone);
        set(&mut self.zone_map, bit, true);
        self.dirty = true;
    }

    pub fn is_inode_marked(&self, inode: u64) -> bool {
        is_set(&self.inode_map, inode)
    }

    pub fn mark_inode(&mut self, inode: u64) {
        set(&mut self.inode_map, inode, true);
        self.dirty = true;
    }

    pub fn zones_used(&self) -> u64 {
        self.seen.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    pub fn read(&self, block: u64) -> Result<Vec<u8>> {
        let mut content = vec![0; BLOCK];
        self.image.read(block * BLOCK as u64, &mut content)?;
        Ok(content)
    }

    pub fn write(&self, block: u64, content: &[u8]) -> Result<()> {
        self.image.write(block * BLOCK as u64, content)
    }

    /// Reports an error that is not repaired.
    pub fn leave(&mut self, env: &mut Env, message: &[u8]) -> Result<()> {
        self.left = true;
        env.stdout.write(&[&clean(message, b"", Shown::Caret), &b".\n"[..]].concat())
    }

    /// Reports an error. True if it is to be repaired.
    pub fn report(&mut self, env: &mut Env, message: &[u8], remedy: &str) -> Result<bool> {
        // Names are those of whoever wrote the filesystem.
        let mut line = clean(message, b"", Shown::Caret);
        line.extend_from_slice(b".");
        let repairs = match self.repair {
            Repair::None => false,
            Repair::Automatic => true,
            Repair::Asked => {
                push!(line, " ", remedy, " (y/n)? ");
                env.stdout.write(&line)?;
                env.stdout.flush()?;
                line.clear();
                env.stdin.line()?.is_some_and(|answer| matches!(answer.first(), Some(b'y' | b'Y')))
            }
        };
        if self.repair != Repair::Asked {
            line.push(b'\n');
        }
        env.stdout.write(&line)?;
        if repairs {
            self.changed = true
        } else {
            self.left = true
        }
        Ok(repairs)
    }

    /// Reports what is used by nobody or less often than it says. It stays when errors are left in directories: what they lost may have its name there.
    fn report_count(&mut self, env: &mut Env, message: &[u8], remedy: &str, is_partial: bool) -> Result<bool> {
        if is_partial { self.leave(env, message).map(|()| false) } else { self.report(env, message, remedy) }
    }

    /// Compares bitmaps and counts of links with what the walk has found.
    pub fn check_counts(&mut self, env: &mut Env, modes: bool) -> Result<()> {
        let is_partial = self.left;
        for inode in 1..=self.layout.inodes {
            self.check_inode(env, inode, modes, is_partial)?;
        }
        for zone in self.layout.first_zone..self.layout.zones {
            let bit = self.bit(zone);
            // What is used and not marked was reported with its file.
            if is_set(&self.zone_map, bit) && !is_set(&self.seen, bit) {
                let message = text!("Zone ", zone, ": marked in use, no file uses it");
                if self.report_count(env, &message, "Unmark", is_partial)? {
                    set(&mut self.zone_map, bit, false);
                    self.dirty = true;
                }
            }
        }
        Ok(())
    }

    fn check_inode(&mut self, env: &mut Env, inode: u64, modes: bool, is_partial: bool) -> Result<()> {
        let (counted, marked) = (u64::from(self.links[inode as usize - 1]), self.is_inode_marked(inode));
        let mode = self.mode(inode);
        if counted == 0 {
            // The root is in use without an entry, too.
            if inode == 1 {
                return Ok(());
            }
            if marked {
                let message = text!("Inode ", inode, " not used, marked used in the bitmap");
                if self.report_count(env, &message, "Clear", is_partial)? {
                    set(&mut self.inode_map, inode, false);
                    self.dirty = true;
                }
            }
            if modes
                && !self.is_inode_marked(inode)
                && mode != 0
                && self.report(env, &text!("Inode ", inode, " mode not cleared"), "Clear")?
            {
                self.set_field(inode, (0, 2), 0);
            }
            return Ok(());
        }
        // What is used and not marked was reported with its name.
        let links = self.field(inode, self.layout.links());
        let most = if self.layout.version == 1 { 255 } else { 65535 };
        if links != counted.min(most) {
            let mut message = text!("Inode ", inode, " (mode = ");
            push!(message, text::Right(rbox_core::number::octal(mode), 7, b'0'), "), i_nlinks=", links, ", counted=");
            push!(message, counted);
            if self.report_count(env, &message, "Set i_nlinks to count", is_partial)? {
                self.set_field(inode, self.layout.links(), counted.min(most));
            }
        }
        Ok(())
    }

    /// Writes bitmaps, inodes and the superblock's state. True if the filesystem has been changed.
    pub fn finish(&mut self) -> Result<bool> {
        if self.repair == Repair::None {
            return Ok(false);
        }
        if self.dirty {
            self.write(2, &self.inode_map)?;
            self.write(2 + self.layout.inode_map, &self.zone_map)?;
            self.write(self.layout.table_at(), &self.table)?;
        }
        let state = if self.left { self.layout.state | ERROR } else { (self.layout.state | VALID) & !ERROR };
        if state != self.layout.state {
            let mut raw = self.read(1)?;
            put(&mut raw, 18, 2, state);
            self.write(1, &raw)?;
        }
        if self.changed || state != self.layout.state {
            self.image.sync()?;
        }
        Ok(self.changed)
    }
}
