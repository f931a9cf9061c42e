//! Commands that change a GUID partition table.

use super::dialog::{ask, ask_number, indexes};
use super::{Disk, Label, kinds};
use rbox_core::block::gpt::{guid_text, random_guid};
use rbox_core::block::{Gpt, parse_uuid, put};
use rbox_core::prelude::*;
use rbox_core::text;

/// The attribute of a partition that old firmware boots.
const LEGACY_BOOT: u64 = 1 << 2;

impl Disk {
    /// The table, which the callers know to be a GUID table.
    pub fn gpt(&mut self) -> Result<&mut Gpt> {
        match &mut self.label {
            Label::Gpt(table) => Ok(table),
            Label::Dos(_) => Err(Error::new("not a GUID partition table")),
        }
    }

    pub fn add_gpt(&mut self, env: &mut Env) -> Result<()> {
        let table = self.gpt()?;
        let free = indexes(table.count(), |index| !table.entry(index).is_used());
        let Some(&usual) = free.first() else {
            return env.stdout.write(b"All entries of the table are used\n");
        };
        let (count, low, high) = (table.count() as u64, table.first, table.last);
        let mut used: Vec<(u64, u64)> = indexes(table.count(), |index| table.entry(index).is_used())
            .into_iter()
            .map(|index| (table.entry(index).first(), table.entry(index).last()))
            .collect();
        used.sort_unstable();
        let index = ask_number(env, "Partition number", 1, count, usual as u64 + 1)? as usize - 1;
        if !free.contains(&index) {
            let number = index + 1;
            return env.stdout.write(&text!("Partition ", number, " is already defined, delete it before re-adding\n"));
        }
        let Some((first, last)) = self.ask_range(env, &used, low, high, 0)? else { return Ok(()) };
        let (own, kind) = (random_guid()?, kinds::gpt_type(b"linux").unwrap_or([0; 16]));
        let entry = self.gpt()?.entry_mut(index);
        entry.fill(0);
        entry[..16].copy_from_slice(&kind);
        entry[16..32].copy_from_slice(&own);
        put(entry, 32, 8, first);
        put(entry, 40, 8, last);
        self.changed = true;
        Ok(())
    }

    /// Asks for a partition and changes its entry.
    fn change_entry(&mut self, env: &mut Env, change: impl FnOnce(&mut Env, &mut [u8]) -> Result<bool>) -> Result<()> {
        let Some(index) = self.ask_partition(env)? else { return Ok(()) };
        let changed = change(env, self.gpt()?.entry_mut(index))?;
        self.changed |= changed;
        Ok(())
    }

    pub fn delete_gpt(&mut self, env: &mut Env) -> Result<()> {
        self.change_entry(env, |_, entry| {
            entry.fill(0);
            Ok(true)
        })
    }

    pub fn change_gpt_type(&mut self, env: &mut Env) -> Result<()> {
        self.change_entry(env, |env, entry| {
            loop {
                let line = ask(env, b"Partition type, alias or GUID (type L to list all): ")?;
                if matches!(line[..], [b'l' | b'L']) {
                    env.stdout.write(&kinds::gpt_list())?;
                } else if let Some(kind) = kinds::gpt_type(&line) {
                    entry[..16].copy_from_slice(&kind);
                    let name = kinds::gpt_name(&guid_text(&kind));
                    env.stdout.write(&text!("Changed type of partition to '", name, "'\n"))?;
                    return Ok(true);
                }
            }
        })
    }

    pub fn toggle_gpt_boot(&mut self, env: &mut Env) -> Result<()> {
        self.change_entry(env, |_, entry| {
            entry[48] ^= LEGACY_BOOT as u8;
            Ok(true)
        })
    }

    /// Asks for the name of a partition: at most 36 units of UTF-16.
    pub fn change_gpt_name(&mut self, env: &mut Env) -> Result<()> {
        self.change_entry(env, |env, entry| {
            let line = ask(env, b"New name: ")?;
            let name = String::from_utf8_lossy(&line);
            let units: Vec<u16> = name.encode_utf16().collect();
            if units.len() > 36 {
                env.stdout.write(b"A name has at most 36 characters\n")?;
                return Ok(false);
            }
            entry[56..128].fill(0);
            units.iter().enumerate().for_each(|(at, &unit)| put(entry, 56 + at * 2, 2, unit.into()));
            Ok(true)
        })
    }

    pub fn change_gpt_guid(&mut self, env: &mut Env) -> Result<()> {
        self.change_entry(env, |env, entry| {
            let Some(guid) = ask_guid(env)? else { return Ok(false) };
            entry[16..32].copy_from_slice(&guid);
            Ok(true)
        })
    }

    pub fn change_disk_guid(&mut self, env: &mut Env) -> Result<()> {
        if let Some(guid) = ask_guid(env)? {
            self.gpt()?.guid = guid;
            self.changed = true;
        }
        Ok(())
    }
}

fn ask_guid(env: &mut Env) -> Result<Option<[u8; 16]>> {
    let line = ask(env, b"New UUID (in 8-4-4-4-12 format): ")?;
    // The same bytes are swapped in both directions.
    let guid = parse_uuid(&line).and_then(|guid| parse_uuid(&guid_text(&guid)));
    match guid {
        Ok(guid) => Ok(Some(guid)),
        Err(error) => {
            env.stdout.write(&text!(error.message(), "\n"))?;
            Ok(None)
        }
    }
}
