//! The walk over all directories, and the check of each file's zones.

use super::volume::Volume;
use crate::minix::BLOCK;
use rbox_core::block::{get, put};
use rbox_core::number::octal;
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean};
use rbox_core::text::Right;
use rbox_core::{push, text};

/// A directory that is being read.
struct Level {
    inode: u64,
    parent: u64,
    /// Length of the path without the directory's last name.
    path: usize,
    /// The next entry.
    entry: u64,
    /// Entries in blocks that the directory has.
    entries: u64,
}

impl Volume {
    /// Checks all directories below the root. Each is entered once, so the depth is at most the number of inodes.
    pub fn walk(&mut self, env: &mut Env) -> Result<()> {
        let mut path = Vec::new();
        self.check_mark(env, 1, b"/.")?;
        let blocks = self.check_zones(env, 1, b"/")?;
        self.kinds[1] += 1;
        let mut levels = vec![self.level(1, 1, 0, blocks)];
        let (mut block, mut content) = (0, Vec::new());
        while let Some(level) = levels.last_mut() {
            if level.entry == level.entries {
                if level.entries < 2 {
                    self.leave(env, &text!("Directory '", &path, "/' is shorter than two entries"))?;
                }
                path.truncate(level.path);
                levels.pop();
                // The buffer's block may have changed on the medium.
                content.clear();
                continue;
            }
            let (size, parent, number, inode) = (self.layout.name + 2, level.parent, level.entry, level.inode);
            level.entry += 1;
            let offset = number as usize * size;
            let at = self.block_of(inode, (offset / BLOCK) as u64)?;
            if at == 0 {
                continue;
            }
            if at != block || content.is_empty() {
                (block, content) = (at, self.read(at)?);
            }
            let offset = offset % BLOCK;
            let kept = content.clone();
            let entry = &mut content[offset..offset + size];
            let found = if number < 2 {
                self.check_dots(env, inode, parent, number, &path, entry)?;
                None
            } else {
                self.check_entry(env, &path, entry)?
            };
            if kept != content {
                self.write(block, &content)?;
            }
            if let Some((child, whole, blocks)) = found {
                let start = path.len();
                path = whole;
                levels.push(self.level(child, inode, start, blocks));
            }
        }
        Ok(())
    }

    fn level(&self, inode: u64, parent: u64, path: usize, blocks: u64) -> Level {
        let size = self.layout.name as u64 + 2;
        let bytes = self.field(inode, self.layout.size()).min(blocks * BLOCK as u64);
        Level { inode, parent, path, entry: 0, entries: bytes / size }
    }

    /// The first entry is the directory itself, the second one its parent.
    fn check_dots(
        &mut self,
        env: &mut Env,
        inode: u64,
        parent: u64,
        number: u64,
        path: &[u8],
        entry: &mut [u8],
    ) -> Result<()> {
        let (name, what, wanted) = match number {
            0 => (&b"."[..], "'.' isn't first", inode),
            _ => (&b".."[..], "'..' isn't second", parent),
        };
        if get(entry, 0, 2) != wanted || entry_name(entry) != name {
            if !self.report(env, &text!("Directory '", path, "/': ", what), "Correct")? {
                return Ok(());
            }
            entry.fill(0);
            put(entry, 0, 2, wanted);
            entry[2..2 + name.len()].copy_from_slice(name);
        }
        self.links[wanted as usize - 1] += 1;
        Ok(())
    }

    /// Checks an entry and, if it is the first of its inode, the inode. A directory's inode, path and number of blocks are
    /// returned.
    fn check_entry(&mut self, env: &mut Env, path: &[u8], entry: &mut [u8]) -> Result<Option<(u64, Vec<u8>, u64)>> {
        let inode = get(entry, 0, 2);
        if inode == 0 {
            return Ok(None);
        }
        let whole = text!(path, "/", entry_name(entry));
        let wrong = match entry_name(entry) {
            _ if inode > self.layout.inodes => Some("has a bad inode number"),
            b"." | b".." => Some("is an entry too many"),
            name if name.is_empty() || name.contains(&b'/') => Some("has a bad name"),
            _ => self.wrong_kind(inode),
        };
        if let Some(wrong) = wrong {
            if self.report(env, &text!("The file '", &whole, "' (inode ", inode, ") ", wrong), "Remove")? {
                entry.fill(0);
            }
            return Ok(None);
        }
        self.check_mark(env, inode, &whole)?;
        let kind = self.mode(inode) & 0o170_000;
        let is_first = self.links[inode as usize - 1] == 0;
        self.links[inode as usize - 1] += 1;
        if self.lists {
            self.list(env, inode, &whole)?;
        }
        if !is_first {
            self.kinds[4] += 1;
            return Ok(None);
        }
        self.kinds[match kind {
            0o40_000 => 1,
            0o20_000 => 2,
            0o60_000 => 3,
            0o100_000 => 0,
            0o120_000 => 5,
            _ => 6,
        }] += 1;
        // The first pointer of a device is its number; FIFOs and sockets have none.
        if !matches!(kind, 0o40_000 | 0o100_000 | 0o120_000) {
            return Ok(None);
        }
        let blocks = self.check_zones(env, inode, &whole)?;
        Ok((kind == 0o40_000).then_some((inode, whole, blocks)))
    }

    fn wrong_kind(&self, inode: u64) -> Option<&'static str> {
        match self.mode(inode) & 0o170_000 {
            // A second name of a directory would make a circle.
            0o40_000 if inode == 1 || self.links[inode as usize - 1] > 0 => Some("is a second name of a directory"),
            0o10_000 | 0o20_000 | 0o40_000 | 0o60_000 | 0o100_000 | 0o120_000 | 0o140_000 => None,
            _ => Some("has an invalid mode"),
        }
    }

    fn check_mark(&mut self, env: &mut Env, inode: u64, path: &[u8]) -> Result<()> {
        if !self.is_inode_marked(inode)
            && self.report(
                env,
                &text!("Inode ", inode, " marked unused, but used for file '", path, "'"),
                "Mark in use",
            )?
        {
            self.mark_inode(inode);
        }
        Ok(())
    }

    fn list(&mut self, env: &mut Env, inode: u64, path: &[u8]) -> Result<()> {
        let mut line = Vec::new();
        if self.is_verbose {
            let (mode, links) = (octal(self.mode(inode)), self.field(inode, self.layout.links()));
            push!(line, Right(inode, 6, b' '), " ", Right(mode, 7, b'0'), " ", Right(links, 3, b' '), " ");
        }
        push!(line, clean(path, b"", Shown::Caret));
        if self.mode(inode) & 0o170_000 == 0o40_000 {
            line.push(b':');
        }
        line.push(b'\n');
        env.stdout.write(&line)
    }

    /// Checks the zones of a file. Returns the number of its blocks, up to the last one that is there.
    fn check_zones(&mut self, env: &mut Env, inode: u64, path: &[u8]) -> Result<u64> {
        let (mut index, mut end) = (0, 0);
        for pointer in 0..self.layout.pointers() {
            let field = self.layout.zone(pointer);
            let zone = self.field(inode, field);
            let kept = self.check_tree(env, zone, pointer.saturating_sub(6), path, &mut index, &mut end)?;
            if kept != zone {
                self.set_field(inode, field, kept);
            }
        }
        Ok(end)
    }

    /// Checks a zone, and, at a depth above 0, the zones that it lists. Returns its number, or 0 if it was removed.
    fn check_tree(
        &mut self,
        env: &mut Env,
        zone: u64,
        depth: usize,
        path: &[u8],
        index: &mut u64,
        end: &mut u64,
    ) -> Result<u64> {
        let per = (BLOCK / self.layout.pointer()) as u64;
        let first = *index;
        *index += per.pow(depth as u32);
        if zone == 0 {
            return Ok(0);
        }
        let wrong = match zone {
            _ if zone < self.layout.first_zone => Some("Zone nr < FIRSTZONE in file '"),
            _ if zone >= self.layout.zones => Some("Zone nr >= ZONES in file '"),
            _ if !self.see(zone) => Some("Block has been used before. Now in file '"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Ok(if self.report(env, &text!(wrong, path, "'"), "Remove block")? { 0 } else { zone });
        }
        if !self.is_zone_marked(zone)
            && self.report(env, &text!("Block ", zone, " in file '", path, "' is marked not in use"), "Correct")?
        {
            self.mark_zone(zone);
        }
        if depth == 0 {
            *end = first + 1;
            return Ok(zone);
        }
        let (mut block, length) = (self.read(zone)?, self.layout.pointer());
        let (mut inner, mut changed) = (first, false);
        for at in (0..BLOCK).step_by(length) {
            let below = get(&block, at, length);
            let kept = self.check_tree(env, below, depth - 1, path, &mut inner, end)?;
            if kept != below {
                put(&mut block, at, length, kept);
                changed = true;
            }
        }
        if changed {
            self.write(zone, &block)?;
        }
        Ok(zone)
    }

    /// The zone of a block of a file; 0 where it has none.
    fn block_of(&self, inode: u64, mut index: u64) -> Result<u64> {
        let per = (BLOCK / self.layout.pointer()) as u64;
        let (mut pointer, mut depth) = (index, 0);
        if index >= 7 {
            (pointer, depth, index) = (7, 1, index - 7);
            while index >= per.pow(depth) {
                index -= per.pow(depth);
                (pointer, depth) = (pointer + 1, depth + 1);
            }
        }
        if pointer as usize >= self.layout.pointers() {
            return Ok(0);
        }
        let mut zone = self.field(inode, self.layout.zone(pointer as usize));
        loop {
            if !(self.layout.first_zone..self.layout.zones).contains(&zone) {
                return Ok(0);
            }
            let Some(below) = depth.checked_sub(1) else { return Ok(zone) };
            let block = self.read(zone)?;
            let at = (index / per.pow(below) % per) as usize;
            zone = get(&block, at * self.layout.pointer(), self.layout.pointer());
            depth = below;
        }
    }
}

/// The name of an entry: up to a NUL.
fn entry_name(entry: &[u8]) -> &[u8] {
    let name = &entry[2..];
    &name[..name.iter().position(|&byte| byte == 0).unwrap_or(name.len())]
}
