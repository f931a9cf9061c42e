//! The menu of extra functions.

use super::dialog::{ask, ask_number, gap};
use super::{Disk, Label};
use rbox_core::block::dos::Entry;
use rbox_core::number::parse_radix;
use rbox_core::prelude::*;
use rbox_core::text::{Hex, Right};
use rbox_core::{push, text};

const DOS_MENU: &str = "Command Action
b	move beginning of data in a partition
c	change number of cylinders
d	print the raw data in the partition table
e	list extended partitions
f	fix partition order
h	change number of heads
i	change the disk identifier
m	print this menu
p	print the partition table
q	quit without saving changes
r	return to main menu
s	change number of sectors/track
v	verify the partition table
w	write table to disk and exit
";

const GPT_MENU: &str = "Command Action
d	print the raw data of the first header
f	fix partition order
i	change the disk GUID
m	print this menu
n	change a partition's name
p	print the partition table with GUIDs
q	quit without saving changes
r	return to main menu
u	change a partition's GUID
v	verify the partition table
w	write table to disk and exit
A	toggle the legacy BIOS bootable flag
";

impl Disk {
    /// Executes commands of the menu. True after `q` and `w`.
    pub fn talk_to_expert(&mut self, env: &mut Env) -> Result<bool> {
        loop {
            let line = ask(env, b"\nExpert command (m for help): ")?;
            let Some(&command) = line.first() else { continue };
            match command {
                b'r' => return Ok(false),
                b'q' => return Ok(true),
                b'w' => {
                    self.save(env)?;
                    return Ok(true);
                }
                b'v' => self.verify(env)?,
                _ if matches!(self.label, Label::Gpt(_)) => self.gpt_expert(env, &line)?,
                _ => self.dos_expert(env, &line)?,
            }
        }
    }

    fn gpt_expert(&mut self, env: &mut Env, line: &[u8]) -> Result<()> {
        match line[0] {
            b'A' => self.toggle_gpt_boot(env),
            b'd' => {
                let mut head = vec![0; 512];
                self.image.read(self.sector, &mut head)?;
                self.dump(env, &[head])
            }
            b'f' => {
                self.gpt()?.sort();
                self.changed = true;
                Ok(())
            }
            b'i' => self.change_disk_guid(env),
            b'm' => env.stdout.write(GPT_MENU.as_bytes()),
            b'n' => self.change_gpt_name(env),
            b'p' => {
                let table = self.gpt()?;
                let mut lines = Vec::new();
                for index in 0..table.count() {
                    let entry = table.entry(index);
                    if entry.is_used() {
                        push!(lines, Right(index + 1, 3, b' '), " ", entry.kind().to_ascii_uppercase(), " ");
                        push!(lines, entry.guid().to_ascii_uppercase(), " 0x", Hex(entry.attributes()), "\n");
                    }
                }
                env.stdout.write(&lines)
            }
            b'u' => self.change_gpt_guid(env),
            _ => env.stdout.write(&text!(line, ": unknown command\n", GPT_MENU)),
        }
    }

    fn dos_expert(&mut self, env: &mut Env, line: &[u8]) -> Result<()> {
        let geometry = |env: &mut Env, what: &str, most, usual| ask_number(env, what, 1, most, usual);
        match line[0] {
            b'b' => self.move_start(env),
            b'c' => {
                self.cylinders = geometry(env, "Number of cylinders", 1_048_576, self.cylinders.max(1))?;
                Ok(())
            }
            b'd' => {
                let table = self.dos()?.clone();
                let chs = |sector| self.chs(sector);
                let indexes = [0].into_iter().chain(4..table.count());
                let records: Result<Vec<Vec<u8>>> =
                    indexes.map(|index| Ok(table.record(&self.image, self.sector, index, &chs)?.1)).collect();
                self.dump(env, &records?)
            }
            b'e' => self.print_entries(env, true),
            b'f' => self.sort(),
            b'h' => {
                self.heads = geometry(env, "Number of heads", 256, self.heads)?;
                self.cylinders = self.total / (self.heads * self.sectors);
                Ok(())
            }
            b'i' => {
                let line = ask(env, b"Enter the new disk identifier: ")?;
                let digits = line.strip_prefix(b"0x").unwrap_or(&line);
                let Some(id) = parse_radix(digits, 16).and_then(|id| u32::try_from(id).ok()) else {
                    return env.stdout.write(b"Value is out of range\n");
                };
                self.dos()?.id = id;
                self.changed = true;
                Ok(())
            }
            b'm' => env.stdout.write(DOS_MENU.as_bytes()),
            b'p' => self.print_entries(env, false),
            b's' => {
                self.sectors = geometry(env, "Number of sectors", 63, self.sectors)?;
                self.cylinders = self.total / (self.heads * self.sectors);
                Ok(())
            }
            _ => env.stdout.write(&text!(line, ": unknown command\n", DOS_MENU)),
        }
    }

    fn dump(&self, env: &mut Env, records: &[Vec<u8>]) -> Result<()> {
        let mut lines = text!("Device: ", self.image.path(), "\n");
        for record in records {
            for (at, row) in record.chunks(16).enumerate() {
                let offset = text!(Right(Hex(16 * at as u64), 3, b'0')).to_ascii_uppercase();
                push!(lines, "0x", offset, ":");
                for &byte in row {
                    push!(lines, " ", text!(Right(Hex(byte.into()), 2, b'0')).to_ascii_uppercase());
                }
                lines.push(b'\n');
            }
            lines.push(b'\n');
        }
        env.stdout.write(&lines)
    }

    /// The entries as they are on the disk: old addresses, and sectors counted from their records. Or the extended partition
    /// and the links of the chain.
    fn print_entries(&mut self, env: &mut Env, links: bool) -> Result<()> {
        let mut lines = text!("\nDisk ", self.image.path(), ": ", self.heads, " heads, ", self.sectors, " sectors, ");
        push!(lines, self.cylinders, " cylinders\nDisk identifier: 0x", Right(Hex(self.dos()?.id.into()), 8, b'0'));
        push!(lines, "\n\nNr AF  Hd Sec  Cyl  Hd Sec  Cyl      Start       Size ID\n");
        let table = self.dos()?.clone();
        let base = table.extended().map_or(0, |index| table.primary[index].start);
        for index in 0..table.count() {
            let (entry, start) = match (index.checked_sub(4), links) {
                (None, _) => (table.primary[index], 0),
                (Some(at), false) => (table.logical[at].entry, table.logical[at].at),
                (Some(at), true) => {
                    let Some(next) = table.logical.get(at + 1) else { continue };
                    let count = next.entry.last() + 1 - next.at;
                    let mut link = Entry { boot: 0, kind: 5, start: next.at, count, chs: [0; 6] };
                    link.set_chs(&|sector| self.chs(sector));
                    (link, base)
                }
            };
            if links && !entry.is_extended() {
                continue;
            }
            push!(lines, Right(index + 1, 2, b' '), " ", Right(Hex(entry.boot.into()), 2, b'0'));
            for chs in entry.chs.chunks(3) {
                let cylinder = u32::from(chs[1] >> 6) << 8 | u32::from(chs[2]);
                push!(lines, Right(chs[0], 4, b' '), Right(chs[1] & 63, 4, b' '), Right(cylinder, 5, b' '));
            }
            push!(lines, Right(entry.start - start.min(entry.start), 11, b' '), Right(entry.count, 11, b' '), " ");
            push!(lines, Right(Hex(entry.kind.into()), 2, b'0'), "\n");
        }
        env.stdout.write(&lines)
    }

    /// Sorts primary partitions, and logical ones, by their first sectors.
    fn sort(&mut self) -> Result<()> {
        let table = self.dos()?;
        table.primary.sort_unstable_by_key(|entry| if entry.is_used() { entry.start } else { u64::MAX });
        if let Some(base) = table.logical.first().map(|logical| logical.at) {
            table.logical.sort_unstable_by_key(|logical| logical.entry.start);
            // The first of the chain has the record at its start; the one that had it takes the other's, which is before it.
            if let Some(old) = table.logical.iter().position(|logical| logical.at == base) {
                (table.logical[old].at, table.logical[0].at) = (table.logical[0].at, base);
            }
            table.chain_changed = true;
        }
        self.changed = true;
        Ok(())
    }

    /// Moves the first sector of a partition, not the last one.
    fn move_start(&mut self, env: &mut Env) -> Result<()> {
        let Some(index) = self.ask_partition(env)? else { return Ok(()) };
        let table = self.dos()?;
        let entry = *table.entry(index);
        if entry.is_extended() {
            return env.stdout.write(&text!("Partition ", index + 1, " has no data area\n"));
        }
        let mut low = 1;
        if let Some(logical) = index.checked_sub(4) {
            low = table.logical[logical].at + 1;
        }
        let others = (0..table.count()).filter(|&other| other != index && (index < 4) == (other < 4));
        let mut used: Vec<(u64, u64)> = others
            .map(|other| table.entry(other))
            .filter(|entry| entry.is_used())
            .map(|entry| (entry.start, entry.last()))
            .collect();
        used.sort_unstable();
        let low = gap(&used, entry.last(), low, entry.last()).map_or(entry.start, |gap| gap.0);
        let start = ask_number(env, "New beginning of data", low.min(entry.start), entry.last(), entry.start)?;
        let mut moved = Entry { start, count: entry.last() + 1 - start, ..entry };
        moved.set_chs(&|sector| self.chs(sector));
        let table = self.dos()?;
        *table.entry_mut(index) = moved;
        table.chain_changed |= index >= 4;
        self.changed = true;
        Ok(())
    }
}
