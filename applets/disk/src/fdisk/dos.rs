//! Commands that change a table of the master boot record.

use super::dialog::{ask, ask_number, gap, gaps, indexes};
use super::{Disk, Label, kinds};
use rbox_core::block::Dos;
use rbox_core::block::dos::{Entry, Logical, MOST_LOGICAL};
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Hex;

impl Disk {
    /// The table, which the callers know to be one of the master boot record.
    pub fn dos(&mut self) -> Result<&mut Dos> {
        match &mut self.label {
            Label::Dos(table) => Ok(table),
            Label::Gpt(_) => Err(Error::new("not a DOS partition table")),
        }
    }

    /// The sectors at whose multiples partitions begin by themselves: a mebibyte's.
    pub fn grain(&self) -> u64 {
        (1 << 20) / self.sector
    }

    pub fn add_dos(&mut self, env: &mut Env) -> Result<()> {
        let table = self.dos()?;
        let free = indexes(4, |index| !table.primary[index].is_used());
        let has_extended = table.extended().is_some();
        if free.is_empty() {
            if has_extended {
                return self.add_logical(env);
            }
            return env.stdout.write(b"You must delete some partition and add an extended partition first\n");
        }
        let other = if has_extended { "l   logical (5 or over)" } else { "e   extended" };
        let menu = text!("Partition type\n   p   primary partition (1-4)\n   ", other, "\nSelect (default p): ");
        let kind = match ask(env, &menu)?.first() {
            None | Some(b'p') => 0x83,
            Some(b'e') if !has_extended => 5,
            Some(b'l') if has_extended => return self.add_logical(env),
            Some(_) => return env.stdout.write(b"Invalid partition type\n"),
        };
        let index = if let [only] = free[..] {
            env.stdout.write(&text!("Selected partition ", only + 1, "\n"))?;
            only
        } else {
            ask_number(env, "Partition number", 1, 4, free[0] as u64 + 1)? as usize - 1
        };
        if !free.contains(&index) {
            let number = index + 1;
            return env.stdout.write(&text!("Partition ", number, " is already defined, delete it before re-adding\n"));
        }
        let table = self.dos()?;
        let mut used: Vec<(u64, u64)> =
            table.primary.iter().filter(|entry| entry.is_used()).map(|entry| (entry.start, entry.last())).collect();
        used.sort_unstable();
        let low = if self.by_tracks { self.sectors } else { 1 };
        let high = self.total.saturating_sub(1).min(u32::MAX.into());
        if let Some((first, last)) = self.ask_range(env, &used, low, high, 0)? {
            let entry = self.entry(kind, first, last);
            self.dos()?.primary[index] = entry;
            self.changed = true;
            if kind == 5 {
                // Its first sector is to have no records of an earlier chain.
                self.dos()?.chain_changed = true;
            }
        }
        Ok(())
    }

    fn entry(&self, kind: u8, first: u64, last: u64) -> Entry {
        let mut entry = Entry { boot: 0, kind, start: first, count: last - first + 1, chs: [0; 6] };
        entry.set_chs(&|sector| self.chs(sector));
        entry
    }

    /// Asks for the first and the last sector of what is to be in a gap between used ranges, after `before` sectors of the gap.
    pub fn ask_range(
        &self,
        env: &mut Env,
        used: &[(u64, u64)],
        low: u64,
        high: u64,
        before: u64,
    ) -> Result<Option<(u64, u64)>> {
        // The first sector of a gap by default: aligned where that is possible; by tracks, a track after its start.
        let usual = |(first, last): (u64, u64)| {
            if self.by_tracks {
                return (before == 0 || first + self.sectors <= last).then_some(if before == 0 {
                    first
                } else {
                    first + self.sectors
                });
            }
            let aligned = (first + before).next_multiple_of(self.grain());
            Some(if aligned <= last { aligned } else { first + before }).filter(|sector| *sector <= last)
        };
        let all = gaps(used, low, high);
        let is_aligned = |sector: &u64| sector.is_multiple_of(self.grain());
        let first_of = |aligned: bool| {
            all.iter().filter_map(|&gap| usual(gap)).find(|sector| !aligned || self.by_tracks || is_aligned(sector))
        };
        let (Some(usual), Some(&(least, _)), Some(&(_, most))) =
            (first_of(true).or_else(|| first_of(false)), all.first(), all.last())
        else {
            env.stdout.write(b"No free sectors available\n")?;
            return Ok(None);
        };
        loop {
            let first = self.ask_sector(env, None, least + before, most, usual)?;
            let Some((_, last)) = gap(used, first, low, high).filter(|(start, _)| first >= start + before) else {
                env.stdout.write(&text!("Sector ", first, " is already allocated\n"))?;
                continue;
            };
            let last = self.ask_sector(env, Some(first), first, last, last)?;
            return Ok(Some((first, last)));
        }
    }

    fn add_logical(&mut self, env: &mut Env) -> Result<()> {
        let table = self.dos()?;
        let Some(extended) = table.extended().map(|index| table.primary[index]) else { return Ok(()) };
        if table.logical.len() == MOST_LOGICAL {
            return env.stdout.write(b"The maximum number of partitions has been created\n");
        }
        let mut used: Vec<(u64, u64)> = table
            .logical
            .iter()
            .flat_map(|logical| [(logical.at, logical.at), (logical.entry.start, logical.entry.last())])
            .collect();
        used.sort_unstable();
        let number = table.count() + 1;
        let is_first = table.logical.is_empty();
        env.stdout.write(&text!("Adding logical partition ", number, "\n"))?;
        // A sector before it is for its boot record.
        let high = extended.last().min(self.total.saturating_sub(1));
        let Some((first, last)) = self.ask_range(env, &used, extended.start, high, 1)? else { return Ok(()) };
        let (start, _) = gap(&used, first, extended.start, high).unwrap_or((first - 1, last));
        let distance = if self.by_tracks { self.sectors } else { self.grain() };
        // The chain begins at the start of the extended partition.
        let at = if is_first { extended.start } else { start.max(first.saturating_sub(distance)) };
        let entry = self.entry(0x83, first, last);
        let table = self.dos()?;
        table.logical.push(Logical { at, entry });
        table.chain_changed = true;
        self.changed = true;
        Ok(())
    }

    pub fn delete_dos(&mut self, env: &mut Env) -> Result<()> {
        let Some(index) = self.ask_partition(env)? else { return Ok(()) };
        self.changed = true;
        let table = self.dos()?;
        if index < 4 {
            if table.extended() == Some(index) {
                (table.damage, table.chain_changed) = (None, false);
                table.logical.clear();
            }
            table.primary[index] = Entry::default();
            return Ok(());
        }
        let removed = table.logical.remove(index - 4);
        // The first record of the chain stays where it is.
        if let (4, Some(next)) = (index, table.logical.first_mut()) {
            next.at = removed.at;
        }
        table.chain_changed = true;
        Ok(())
    }

    pub fn change_dos_type(&mut self, env: &mut Env) -> Result<()> {
        let Some(index) = self.ask_partition(env)? else { return Ok(()) };
        let kind = loop {
            let line = ask(env, b"Hex code (type L to list codes): ")?;
            match kinds::dos_type(&line) {
                _ if matches!(line[..], [b'l' | b'L']) => env.stdout.write(&kinds::dos_list())?,
                Some(kind) => break kind,
                None => {}
            }
        };
        let table = self.dos()?;
        let entry = table.entry_mut(index);
        if entry.is_extended() != (Entry { kind, ..*entry }).is_extended() {
            return env
                .stdout
                .write(b"You cannot change a partition into an extended one or vice versa. Delete it first.\n");
        }
        if kind == 0 {
            return env.stdout.write(b"Type 0 means free space. Delete the partition instead.\n");
        }
        if entry.kind != kind {
            entry.kind = kind;
            table.chain_changed |= index >= 4;
            self.changed = true;
        }
        let name = kinds::DOS.name_of(kind.into()).unwrap_or("Unknown");
        let line = text!("Changed system type of partition ", index + 1, " to ", Hex(kind.into()), " (", name, ")\n");
        env.stdout.write(&line)
    }

    pub fn toggle_dos_boot(&mut self, env: &mut Env) -> Result<()> {
        let Some(index) = self.ask_partition(env)? else { return Ok(()) };
        let table = self.dos()?;
        let entry = table.entry_mut(index);
        entry.boot = if entry.boot == 0 { 0x80 } else { 0 };
        table.chain_changed |= index >= 4;
        self.changed = true;
        Ok(())
    }
}
