//! `fdisk`: print and change partition tables, those of the master boot record and GUID tables (fdisk(8)).
//!
//! Nothing is written before the command `w`, and then only a table that was changed. A chain of logical partitions that is
//! damaged is reported, and stays as it is unless logical partitions are changed.

mod dialog;
mod dos;
mod expert;
mod gpt;
mod kinds;

use rbox_core::block::dos::Entry;
use rbox_core::block::{Dos, Gpt, Image, devices};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Order, tell};
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

options! {
    "[-l] [-u[=UNIT]] [-b BYTES] [-C CYLINDERS] [-H HEADS] [-S SECTORS] [DISK]...

Change the partition table of DISK, by commands on standard input; m prints them.

  -b BYTES      Bytes of a sector: 512, 1024, 2048 or 4096 (the device's)
  -C CYLINDERS  Cylinders of the disk (by its size)
  -H HEADS      Heads of the disk, at most 256 (255)
  -l            Print the tables of each DISK, or of all, and exit
  -S SECTORS    Sectors of a track, at most 63 (63)
  -u[UNIT], --units[=UNIT]  Unit of what is typed: sectors (the default) or cylinders";
    SECTOR = "-b",
    CYLINDERS = "-C",
    HEADS = "-H",
    LIST = "-l",
    SECTORS = "-S",
    UNIT = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What is on the disk, or is to be.
enum Label {
    Dos(Dos),
    Gpt(Gpt),
}

/// A disk and its table.
struct Disk {
    image: Image,
    /// Bytes of a sector, and the number of them.
    sector: u64,
    total: u64,
    heads: u64,
    sectors: u64,
    cylinders: u64,
    in_cylinders: bool,
    /// Partitions begin after a track, not at multiples of a mebibyte.
    by_tracks: bool,
    label: Label,
    /// A table was on the disk.
    is_there: bool,
    changed: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // -ul, as BusyBox's usage has it, is no unit.
    if args.has(LIST) || args.value(UNIT) == Some(b"l") {
        let all: Vec<Vec<u8>> = match args.operands() {
            [] => devices().iter().filter(|name| is_disk(name)).map(|name| text!("/dev/", name)).collect(),
            operands => operands.iter().map(|path| path.to_vec()).collect(),
        };
        let operands: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        return env.for_each_operand(&operands, &mut |env, path| {
            let disk = Disk::open(path, args, false)?;
            disk.warn(env)?;
            disk.print(env)
        });
    }
    let path = args.operands_between(1, 1)?[0];
    let mut disk = Disk::open(path, args, true)?;
    if !disk.is_there {
        env.stdout.write(b"Device contains neither a valid DOS partition table, nor a GPT disklabel\n")?;
        disk.new_dos(env)?;
        disk.changed = false;
    }
    disk.warn(env)?;
    disk.talk(env)
}

/// Whether a device is a whole one: partitions have an attribute of that name (sysfs). RAM disks are left out.
fn is_disk(name: &[u8]) -> bool {
    let path = text!("/sys/class/block/", name, "/partition");
    !name.starts_with(b"ram") && rbox_core::sys::fs::stat(&path).is_err()
}

impl Disk {
    fn open(path: &[u8], args: &Args<'_>, writes: bool) -> Result<Self> {
        let image = if writes { Image::open_shared(path)? } else { Image::read_only(path)? };
        let number =
            |option, most: u64, usual: u64| args.value(option).map_or(Ok(usual), |word| parse_in_range(word, 1, most));
        let sector = match args.value(SECTOR) {
            None => image.sector(),
            Some(b"512") => 512,
            Some(b"1024") => 1024,
            Some(b"2048") => 2048,
            Some(b"4096") => 4096,
            Some(word) => return Err(rbox_core::number::invalid(word)),
        };
        let total = image.size() / sector;
        let (heads, sectors) = (number(HEADS, 256, 255)?, number(SECTORS, 63, 63)?);
        let cylinders = number(CYLINDERS, 1_048_576, total / (heads * sectors))?;
        let read = |offset: u64, count: usize| image.part(offset, count);
        let dos = Dos::read(&read, sector);
        // Without an entry of type EE the GUID table is an old one: the master boot record counts.
        let is_protective = dos.as_ref().is_none_or(|table| table.primary.iter().any(|entry| entry.kind == 0xee));
        let gpt = if is_protective { Gpt::read(&read, sector, total) } else { None };
        let is_there = gpt.is_some() || dos.is_some();
        let label = match (gpt, dos) {
            (Some(table), _) => Label::Gpt(table),
            (None, Some(table)) => Label::Dos(table),
            (None, None) => Label::Dos(Dos {
                id: 0,
                primary: [Entry::default(); 4],
                logical: Vec::new(),
                damage: None,
                chain_changed: false,
            }),
        };
        let unit = args.value(UNIT).map(|word| word.strip_prefix(b"=").unwrap_or(word));
        let in_cylinders = match unit {
            None | Some(b"" | b"l" | b"sectors") => false,
            Some(b"cylinders") => true,
            Some(word) => return Err(Error::parts(&[b"unknown unit '", word, b"'"])),
        };
        let (by_tracks, changed) = (false, false);
        Ok(Self { image, sector, total, heads, sectors, cylinders, in_cylinders, by_tracks, label, is_there, changed })
    }

    /// Says what is wrong with the table that is on the disk.
    fn warn(&self, env: &mut Env) -> Result<()> {
        let warning = match &self.label {
            Label::Dos(table) => table.damage,
            Label::Gpt(Gpt { copies: (true, true), .. }) => None,
            Label::Gpt(Gpt { copies: (true, _), .. }) => Some("the copy of the GPT is damaged; w writes it anew"),
            Label::Gpt(_) => Some("the first GPT is damaged, its copy is used; w writes both anew"),
        };
        if let Some(warning) = warning {
            env.report(&self.image.error(warning));
        }
        Ok(())
    }

    /// The unit of what is typed, in sectors.
    fn unit(&self) -> u64 {
        if self.in_cylinders { self.heads * self.sectors } else { 1 }
    }

    fn print(&self, env: &mut Env) -> Result<()> {
        let (path, size) = (self.image.path(), self.image.size());
        if !self.is_there && !self.changed {
            let mut lines = self.heading(size);
            push!(lines, "\nDisk ", path, " doesn't contain a valid partition table\n");
            return env.stdout.write(&lines);
        }
        let lines = match &self.label {
            Label::Dos(table) => self.dos_lines(table),
            Label::Gpt(table) => self.gpt_lines(table),
        };
        env.stdout.write(&lines)
    }

    fn heading(&self, size: u64) -> Vec<u8> {
        let mut lines = text!("Disk ", self.image.path(), ": ");
        let mebibytes = size >> 20;
        match mebibytes {
            0..10_000 => push!(lines, mebibytes, " MB, "),
            _ => push!(lines, mebibytes >> 10, " GB, "),
        }
        let (unit, name) = (self.unit(), if self.in_cylinders { "cylinders" } else { "sectors" });
        push!(lines, size, " bytes, ", self.total, " sectors\n", self.cylinders, " cylinders, ", self.heads);
        push!(lines, " heads, ", self.sectors, " sectors/track\nUnits: ", name, " of ", unit, " * ", self.sector);
        push!(lines, " = ", unit * self.sector, " bytes\n");
        lines
    }

    /// The names of the partitions' devices without the number: a `p` is between it and a digit.
    fn partition_stem(&self) -> Vec<u8> {
        let path = self.image.path();
        let separator = if self.image.is_device() && path.last().is_some_and(u8::is_ascii_digit) { "p" } else { "" };
        text!(path, separator)
    }

    fn dos_lines(&self, table: &Dos) -> Vec<u8> {
        let mut lines = self.heading(self.image.size());
        let name = self.partition_stem();
        let width = (name.len() + 1).max(8);
        push!(lines, "\n", Left("Device", width - 2));
        push!(lines, " Boot StartCHS    EndCHS        StartLBA     EndLBA    Sectors  Size Id Type\n");
        for index in 0..table.count() {
            let entry = table.entry(index);
            if !entry.is_used() {
                continue;
            }
            push!(lines, Right(&name, width - 1, b' '), Left(index + 1, 2));
            push!(
                lines,
                if entry.boot == 0x80 {
                    "* "
                } else if entry.boot == 0 {
                    "  "
                } else {
                    "? "
                }
            );
            push!(lines, " ", Left(&chs_text(&entry.chs[..3]), 12), Left(&chs_text(&entry.chs[3..]), 12));
            push!(lines, Right(entry.start, 10, b' '), " ", Right(entry.last(), 10, b' '), " ");
            push!(lines, Right(entry.count, 10, b' '), " ", Right(&short_size(entry.count * self.sector), 5, b' '));
            push!(lines, " ", Right(rbox_core::text::Hex(entry.kind.into()), 2, b' '), " ");
            push!(lines, kinds::DOS.name_of(entry.kind.into()).unwrap_or("Unknown"), "\n");
        }
        let starts = |range: core::ops::Range<usize>| {
            range.map(|index| table.entry(index)).filter(|entry| entry.is_used()).map(|entry| entry.start)
        };
        if !starts(0..4).is_sorted() || !starts(4..table.count()).is_sorted() {
            push!(lines, "\nPartition table entries are not in disk order\n");
        }
        lines
    }

    fn gpt_lines(&self, table: &Gpt) -> Vec<u8> {
        let mut lines = text!("Disk ", self.image.path(), ": ", self.total, " sectors, ");
        push!(lines, short_size(self.image.size()), "\nLogical sector size: ", self.sector);
        push!(lines, "\nDisk identifier (GUID): ", rbox_core::block::gpt::guid_text(&table.guid));
        push!(lines, "\nPartition table holds up to ", table.count(), " entries\nFirst usable sector is ", table.first);
        push!(lines, ", last usable sector is ", table.last);
        push!(lines, "\n\nNumber  Start (sector)    End (sector)  Size Type                   Name\n");
        for index in 0..table.count() {
            let entry = table.entry(index);
            if entry.is_used() {
                let size = (entry.last().saturating_sub(entry.first()).saturating_add(1)).saturating_mul(self.sector);
                push!(lines, Right(index + 1, 6, b' '), Right(entry.first(), 16, b' '), Right(entry.last(), 16, b' '));
                push!(
                    lines,
                    " ",
                    Right(&short_size(size), 5, b' '),
                    " ",
                    Left(&kinds::gpt_name(&entry.kind()), 22),
                    " "
                );
                push!(lines, rbox_core::term::clean(&entry.name(), b"", rbox_core::term::Shown::Caret), "\n");
            }
        }
        lines
    }

    /// Writes the table and lets the kernel read it.
    fn write(&mut self, env: &mut Env) -> Result<()> {
        let chs = |sector| self.chs(sector);
        match &self.label {
            Label::Dos(table) => {
                self.clear_gpt()?;
                table.write(&self.image, self.sector, &chs)?;
            }
            Label::Gpt(table) => {
                let read = |offset: u64, count: usize| self.image.part(offset, count);
                let mbr = Dos::read(&read, self.sector);
                let keeps = mbr.is_some_and(|mbr| mbr.primary.iter().any(|entry| entry.kind == 0xee));
                table.write(&self.image, self.sector, self.total, keeps)?;
            }
        }
        env.stdout.write(b"The partition table has been altered.\n")?;
        if self.image.is_device() {
            env.stdout.write(b"Calling ioctl() to re-read partition table\n")?;
            env.stdout.flush()?;
            tell(self.image.fd(), Order::ReadPartitions)
                .map_err(|errno| Error::on("rereading partition table failed, kernel still uses old table", errno))?;
        }
        Ok(())
    }

    /// A GUID table that was there would still be found.
    fn clear_gpt(&self) -> Result<()> {
        for at in [1, self.total.saturating_sub(1)] {
            if self.image.part(at * self.sector, 8).is_some_and(|head| head == b"EFI PART") {
                self.image.write(at * self.sector, &[0; 8])?;
            }
        }
        Ok(())
    }

    /// The old address of a sector: head, sector and the upper bits of the cylinder, cylinder. Beyond cylinder 1023 it is the
    /// last one that there is.
    fn chs(&self, sector: u64) -> [u8; 3] {
        let (track, sector) = (sector / self.sectors, sector % self.sectors + 1);
        let (cylinder, head) = (track / self.heads, track % self.heads);
        let (cylinder, head, sector) =
            if cylinder > 1023 { (1023, self.heads - 1, self.sectors) } else { (cylinder, head, sector) };
        [head as u8, (sector | (cylinder >> 8) << 6) as u8, cylinder as u8]
    }
}

fn chs_text(raw: &[u8]) -> Vec<u8> {
    let cylinder = u32::from(raw[1] >> 6) << 8 | u32::from(raw[2]);
    text!(cylinder, ",", raw[0], ",", raw[1] & 63)
}

/// A size in at most five characters: up to 9999 of a unit, and one decimal below 100 of those after the first one.
fn short_size(bytes: u64) -> Vec<u8> {
    let (mut tenths, mut unit) = (u128::from(bytes) * 10 / 1024, 0);
    while tenths >= 100_000 {
        (tenths, unit) = (tenths / 1024, unit + 1);
    }
    let tenths = tenths as u64;
    let mut text = text!(tenths / 10);
    if unit > 0 && tenths < 1000 {
        push!(text, ".", tenths % 10);
    }
    text.push(b"KMGTPE"[unit]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_at_most_five_characters() {
        let sizes = [1023, 1 << 20, 9999 << 10, 10_000 << 10, 100 << 20, u64::MAX];
        assert_eq!(
            sizes.map(short_size),
            ["0K", "1024K", "9999K", "9.7M", "100M", "15.9E"].map(|text| text.as_bytes())
        );
    }
}
