//! `mkfs.vfat`, `mkdosfs`: make a FAT filesystem (Microsoft's FAT32 File System Specification; mkfs.fat(8)).

use rbox_core::block::{Image, put};
use rbox_core::number::{Decimal, invalid, parse_in_range, parse_radix};
use rbox_core::prelude::*;
use rbox_core::random::Random;
use rbox_core::sys::fs::{Mode, OFlags, open};
use rbox_core::text;
use rbox_core::text::{Hex, Right};
use rbox_core::time::{Moment, Zone};

options! {
    "[-v] [-C] [-F BITS] [-n LABEL] [-i ID] [-s SECTORS] [-S BYTES] [-f FATS] [-r ENTRIES] [-R SECTORS] DEVICE [KBYTES]

Make a FAT32 filesystem on DEVICE, or in a file.

  -C          Create the file, of KBYTES
  -F BITS     Size of the entries of a FAT: 12, 16 or 32 (32)
  -f FATS     Number of FATs, 1 or 2 (2)
  -i ID       Set the volume ID, in hexadecimal (random)
  -n LABEL    Set the label, of at most 11 bytes
  -R SECTORS  Reserved sectors before the first FAT (32; FAT12 and FAT16: 1)
  -r ENTRIES  Entries of the root directory of FAT12 and FAT16 (512)
  -S BYTES    Bytes of a sector: 512-32768, a power of two (the device's)
  -s SECTORS  Sectors of a cluster: 1-128, a power of two (by the size)
  -v          Print what was made";
    CREATE = "-C",
    BITS = "-F",
    FATS = "-f",
    ID = "-i",
    LABEL = "-n",
    RESERVED = "-R",
    ENTRIES = "-r",
    SECTOR = "-S",
    CLUSTER = "-s",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What BIOSes expect of a disk that is no floppy.
const MEDIA: u8 = 0xf8;
/// Sectors of the information sector and of the copy of the first ones (specification, 5).
const INFORMATION: u64 = 1;
const BACKUP: u64 = 6;

/// The filesystem; sizes in sectors if nothing else is said.
struct Layout {
    bits: u64,
    /// Bytes.
    sector: u64,
    total: u64,
    cluster: u64,
    reserved: u64,
    fats: u64,
    /// Sectors of one FAT.
    fat: u64,
    /// Entries, of 32 bytes.
    root: u64,
    clusters: u64,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let path = operands[0];
    let size = operands.get(1).copied();
    let label = args.value(LABEL).unwrap_or_default();
    if label.len() > 11 || label.iter().any(|byte| *byte < b' ' || b"*?.,;:/\\|+=<>[]\"".contains(byte)) {
        return Err(Error::parts(&[b"invalid label '", label, b"'"]));
    }
    let id = match args.value(ID) {
        Some(word) => parse_radix(word, 16).filter(|id| *id < 1 << 32).ok_or_else(|| invalid(word))?,
        None => Random::open(None)?.below(1 << 32)?,
    };
    if args.has(CREATE) {
        if size.is_none() {
            return Err(Error::misused("-C needs KBYTES"));
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        open(path, flags, Mode::from_raw_mode(0o666)).map_err(|errno| Error::cannot("create", path, errno))?;
    }
    let mut image = Image::open(path)?;
    let bytes = image.wanted(size)?;
    let layout = Layout::new(args, bytes, image.sector())?;
    if layout.bits == 32 && layout.clusters < 65525 {
        env.warn(Error::new(text!("only ", layout.clusters, " clusters: not all systems take it for FAT32")));
    }
    layout.write(&image, id as u32, label, time(env))?;
    image.sync()?;
    if args.has(VERBOSE) {
        layout.describe(env, path, id, label)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// The local time as the specification packs it: the time of day in the lower half, the date in the upper one.
fn time(env: &Env) -> u64 {
    let now = Zone::load(env.vars.get("TZ")).civil(Moment::now().seconds);
    let date = (now.year - 1980).clamp(0, 127) as u64 * 512 + u64::from(now.month) * 32 + u64::from(now.day);
    date << 16 | u64::from(now.hour) << 11 | u64::from(now.minute) << 5 | u64::from(now.second.min(59) / 2)
}

/// A power of two of an option.
fn power(args: &Args<'_>, option: Opt, least: u64, most: u64) -> Result<Option<u64>> {
    let Some(word) = args.value(option) else { return Ok(None) };
    let value = parse_in_range(word, least, most)?;
    if value.is_power_of_two() { Ok(Some(value)) } else { Err(invalid(word)) }
}

fn number(args: &Args<'_>, option: Opt, least: u64, most: u64, usual: u64) -> Result<u64> {
    args.value(option).map_or(Ok(usual), |word| parse_in_range(word, least, most))
}

impl Layout {
    fn new(args: &Args<'_>, bytes: u64, device_sector: u64) -> Result<Self> {
        let bits = match args.value(BITS) {
            None | Some(b"32") => 32,
            Some(b"16") => 16,
            Some(b"12") => 12,
            Some(word) => return Err(invalid(word)),
        };
        let sector = power(args, SECTOR, 512, 32768)?.unwrap_or(device_sector);
        if sector < device_sector {
            return Err(Error::new("the device's sectors are larger"));
        }
        let total = bytes / sector;
        let small = bits < 32;
        // FAT32 needs the sectors up to the copy of the first three.
        let reserved = number(args, RESERVED, if small { 1 } else { BACKUP + 3 }, 65535, if small { 1 } else { 32 })?;
        let root = if small { number(args, ENTRIES, 1, 65520, 512)? } else { 0 };
        let root = root.next_multiple_of(sector / 32);
        let fats = number(args, FATS, 1, 2, 2)?;
        let mut layout = Self { bits, sector, total, cluster: 1, reserved, fats, fat: 0, root, clusters: 0 };
        if total > u64::from(u32::MAX) {
            return Err(Error::new("too many sectors: at most 4294967295"));
        }
        let wanted = power(args, CLUSTER, 1, 128)?;
        layout.cluster = wanted.unwrap_or_else(|| layout.usual_cluster());
        // FAT12 and FAT16: the smallest clusters of which there are not too many.
        while !layout.compute()? {
            if wanted.is_some() || layout.cluster == 128 {
                return Err(Error::new(text!("too many clusters for FAT", bits)));
            }
            layout.cluster *= 2;
        }
        if bits == 16 && layout.clusters < 4085 {
            return Err(Error::new("too few clusters for FAT16: use -F 12"));
        }
        Ok(layout)
    }

    /// The specification's table for FAT32, in sectors of 512 bytes: clusters of 0.5, 4, 8, 16 and 32 KiB.
    fn usual_cluster(&self) -> u64 {
        let bytes = match (self.total * self.sector) >> 20 {
            _ if self.bits < 32 => 512,
            0..260 => 512,
            260..8192 => 4096,
            8192..16384 => 8192,
            16384..32768 => 16384,
            _ => 32768,
        };
        (bytes / self.sector).max(1)
    }

    /// Computes the FATs' size and the number of clusters; false when there are too many clusters.
    fn compute(&mut self) -> Result<bool> {
        let fixed = self.reserved + self.root * 32 / self.sector;
        let space = self.total.saturating_sub(fixed);
        // The FATs are as large as if they took no space themselves: an entry too many does no harm.
        let most = space / self.cluster;
        self.fat = ((most + 2) * self.bits).div_ceil(8 * self.sector);
        self.clusters = space.saturating_sub(self.fats * self.fat) / self.cluster;
        if self.clusters < 1 {
            return Err(Error::new("the device is too small"));
        }
        let limit = match self.bits {
            12 => 4084,
            16 => 65524,
            _ => 0x0fff_fff4,
        };
        Ok(self.clusters <= limit)
    }

    /// The offset of the root directory in bytes: an area of its own, or the first cluster.
    fn root_at(&self) -> u64 {
        (self.reserved + self.fats * self.fat) * self.sector
    }

    fn write(&self, image: &Image, id: u32, label: &[u8], time: u64) -> Result<()> {
        let root = if self.bits == 32 { self.cluster * self.sector } else { self.root * 32 };
        image.clear(0, self.root_at() + root)?;
        let boot = self.boot_sector(id, label);
        image.write(0, &boot)?;
        if self.bits == 32 {
            let mut information = [0; 512];
            let fields = [(0, 0x4161_5252), (484, 0x6141_7272), (488, self.clusters - 1), (492, 2), (508, 0xaa55_0000)];
            for (at, value) in fields {
                put(&mut information, at, 4, value);
            }
            image.write(INFORMATION * self.sector, &information)?;
            // The third sector, for code that is longer, has only the signature.
            image.write(2 * self.sector + 510, &[0x55, 0xaa])?;
            image.write(BACKUP * self.sector, &boot)?;
            image.write((BACKUP + INFORMATION) * self.sector, &information)?;
            image.write((BACKUP + 2) * self.sector + 510, &[0x55, 0xaa])?;
        }
        // Entry 0 has the medium, 1 is unused, 2 is the end of FAT32's root directory.
        let entries: &[u8] = match self.bits {
            12 => &[MEDIA, 0xff, 0xff],
            16 => &[MEDIA, 0xff, 0xff, 0xff],
            _ => &[MEDIA, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0x0f, 0xf8, 0xff, 0xff, 0x0f],
        };
        for fat in 0..self.fats {
            image.write((self.reserved + fat * self.fat) * self.sector, entries)?;
        }
        if !label.is_empty() {
            let mut entry = [0; 32];
            entry[..11].fill(b' ');
            entry[..label.len()].copy_from_slice(label);
            // 0xe5 means a deleted entry; 0x05 is written for it.
            if entry[0] == 0xe5 {
                entry[0] = 5;
            }
            entry[11] = 8; // the volume's label
            put(&mut entry, 22, 4, time);
            image.write(self.root_at(), &entry)?;
        }
        Ok(())
    }

    fn boot_sector(&self, id: u32, label: &[u8]) -> [u8; 512] {
        let mut boot = [0; 512];
        let is_large = self.bits == 32;
        let tail = if is_large { 64 } else { 36 };
        // A jump over the fields to INT 18h, by which the firmware tries the next device.
        boot[..3].copy_from_slice(&[0xeb, tail as u8 + 26 - 2, 0x90]);
        boot[tail + 26..tail + 31].copy_from_slice(&[0xcd, 0x18, 0xf4, 0xeb, 0xfd]);
        boot[3..11].copy_from_slice(b"MSWIN4.1");
        let short = |value: u64, fits: bool| if fits { value } else { 0 };
        let total_fits = !is_large && self.total < 65536;
        let fields = [
            (11, 2, self.sector),
            (13, 1, self.cluster),
            (14, 2, self.reserved),
            (16, 1, self.fats),
            (17, 2, self.root),
            (19, 2, short(self.total, total_fits)),
            (21, 1, u64::from(MEDIA)),
            (22, 2, short(self.fat, !is_large)),
            (24, 2, 63),  // sectors of a track
            (26, 2, 255), // heads
            (32, 4, short(self.total, !total_fits)),
            (tail, 1, 0x80), // the BIOS's number of the drive
            (tail + 2, 1, 0x29),
            (tail + 3, 4, id.into()),
            (510, 2, 0xaa55),
        ];
        for (at, length, value) in fields {
            put(&mut boot, at, length, value);
        }
        if is_large {
            for (at, length, value) in [(36, 4, self.fat), (44, 4, 2), (48, 2, INFORMATION), (50, 2, BACKUP)] {
                put(&mut boot, at, length, value);
            }
        }
        let label = if label.is_empty() { b"NO NAME" } else { label };
        let kind: &[u8] = match self.bits {
            12 => b"FAT12",
            16 => b"FAT16",
            _ => b"FAT32",
        };
        boot[tail + 7..tail + 26].fill(b' ');
        boot[tail + 7..tail + 7 + label.len()].copy_from_slice(label);
        boot[tail + 18..tail + 23].copy_from_slice(kind);
        boot
    }

    fn describe(&self, env: &mut Env, path: &[u8], id: u64, label: &[u8]) -> Result<()> {
        env.stdout.write(&text!(
            "Device '",
            path,
            "':\nheads:255, sectors/track:63, bytes/sector:",
            self.sector,
            "\nmedia descriptor:",
            Hex(MEDIA.into()),
            "\ntotal sectors:",
            self.total,
            ", clusters:",
            self.clusters,
            ", sectors/cluster:",
            self.cluster,
            "\nFATs:",
            self.fats,
            ", sectors/FAT:",
            self.fat,
            ", bits/entry:",
            Decimal::new(self.bits).as_bytes(),
            "\nvolumeID:",
            Right(Hex(id), 8, b'0'),
            ", label:'",
            label,
            "'\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::block::get;

    fn layout(bits: u64, bytes: u64) -> Layout {
        let bits = Decimal::new(bits).as_bytes().to_vec();
        let words: Vec<&[u8]> = vec![b"mkfs.vfat", b"-F", &bits, b"x"];
        let args = Args::parse(USAGE, rbox_core::options::Grammar::Permuted, &words).expect("options");
        Layout::new(&args, bytes, 512).expect("a layout")
    }

    #[test]
    fn clusters_grow_with_the_size() {
        let clusters = |mebibytes: u64| layout(32, mebibytes << 20).cluster;
        assert_eq!([33, 259, 260, 8191, 8192, 16384, 32768].map(clusters), [1, 1, 8, 8, 16, 32, 64]);
        assert_eq!([2, 4, 32].map(|mebibytes| layout(12, mebibytes << 20).cluster), [1, 2, 32]);
        assert_eq!([16, 64, 2047].map(|mebibytes| layout(16, mebibytes << 20).cluster), [1, 2, 64]);
    }

    #[test]
    fn the_fields_of_the_boot_sector() {
        let boot = layout(32, 64 << 20).boot_sector(0x1234_abcd, b"STICK");
        assert_eq!((get(&boot, 11, 2), boot[13], get(&boot, 14, 2), get(&boot, 22, 2)), (512, 1, 32, 0));
        assert_eq!((get(&boot, 32, 4), get(&boot, 36, 4), get(&boot, 44, 4)), (131_072, 1024, 2));
        assert_eq!((&boot[67..82], &boot[82..90]), (&b"\xcd\xab\x34\x12STICK      "[..], &b"FAT32   "[..]));
        let boot = layout(12, 1440 << 10).boot_sector(1, b"");
        assert_eq!((get(&boot, 19, 2), get(&boot, 22, 2), &boot[43..62]), (2880, 9, &b"NO NAME    FAT12   "[..]));
    }
}
