//! `mkfs.minix`: make a MINIX filesystem (mkfs.minix(8)).

use crate::minix::{BITS, BLOCK, Super, VALID, set};
use rbox_core::block::{Image, put};
use rbox_core::io::Input;
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::time::Moment;
use rbox_core::{bytes, text};

options! {
    "[-12v] [-c | -l FILE] [-n LENGTH] [-i INODES] DEVICE [KBYTES]

Make a MINIX filesystem on DEVICE, or in a file.

  -1         Make version 1 (the default), of at most 65535 kilobytes
  -2, -v     Make version 2
  -c         Read all blocks first; those that fail are not used
  -i INODES  Number of inodes (a third of the blocks), at most 65535
  -l FILE    Read the numbers of bad blocks from FILE
  -n LENGTH  Longest name, in bytes: 14 or 30 (30)";
    FIRST = "-1",
    SECOND = "-2",
    CHECK = "-c",
    INODES = "-i",
    LIST = "-l",
    LENGTH = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(8);

/// The inodes of the root directory and of the file that holds the bad blocks.
const ROOT: u64 = 1;
const BAD: u64 = 2;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let mut image = Image::open(operands[0])?;
    let size = image.wanted(operands.get(1).copied())?;
    let layout = layout(args, size).map_err(|error| error.context(operands[0]))?;
    let bad = match args.value(LIST) {
        Some(path) => listed(path, &layout)?,
        None if args.has(CHECK) => failing(&image, &layout),
        None => Vec::new(),
    };
    let mut maker = Maker::new(&layout)?;
    maker.make(&bad)?;
    image.clear(0, layout.first_zone * BLOCK as u64)?;
    for (block, content) in maker.blocks.iter().chain([&(1, layout.bytes().to_vec())]) {
        image.write(block * BLOCK as u64, content)?;
    }
    image.sync()?;
    env.stdout.write(&layout.describe())?;
    if !bad.is_empty() {
        env.stdout.write(&text!("\n", bad.len(), " bad block", if bad.len() > 1 { "s" } else { "" }))?;
    }
    env.stdout.write(b"\n")?;
    Ok(ExitStatus::SUCCESS)
}

fn layout(args: &Args<'_>, size: u64) -> Result<Super> {
    let name = match args.value(LENGTH) {
        None | Some(b"30") => 30,
        Some(b"14") => 14,
        Some(word) => return Err(invalid(word)),
    };
    let version = if args.last_of(&[FIRST, SECOND]) == Some(SECOND) { 2 } else { 1 };
    let zones = (size / BLOCK as u64).min(if version == 1 { 65535 } else { u32::MAX.into() });
    if zones < 10 {
        return Err(Error::new("at least 10 blocks are needed"));
    }
    // Large filesystems of version 2 seldom have small files.
    let share = match zones >> 19 {
        0 => 3,
        1..4 => 8,
        _ => 16,
    };
    let wanted = args.value(INODES).map_or(Ok(zones / share), |word| parse_in_range(word, 1, 65535))?;
    let mut layout = Super { version, name, inodes: 0, zones, inode_map: 0, zone_map: 0, first_zone: 0, state: VALID };
    let whole = wanted.next_multiple_of((BLOCK / layout.inode()) as u64);
    layout.inodes = whole.min(65535);
    layout.inode_map = (layout.inodes + 1).div_ceil(BITS);
    layout.zone_map = (zones + 1).saturating_sub(layout.table_at() + layout.table()).div_ceil(BITS);
    layout.first_zone = layout.table_at() + layout.table();
    if layout.first_zone > 65535 || layout.first_zone >= zones || layout.zone_map > 65535 {
        return Err(Error::new("too many inodes or blocks"));
    }
    Ok(layout)
}

/// The numbers of a list of bad blocks.
fn listed(path: &[u8], layout: &Super) -> Result<Vec<u64>> {
    let (mut input, mut bad) = (Input::open(path)?, Vec::new());
    while let Some(line) = input.line()? {
        for word in bytes::words(line) {
            let block = parse_decimal(word).ok_or_else(|| invalid(word))?;
            add_bad(block, layout, &mut bad)?;
        }
    }
    bad.sort_unstable();
    bad.dedup();
    Ok(bad)
}

fn add_bad(block: u64, layout: &Super, bad: &mut Vec<u64>) -> Result<()> {
    if block < layout.first_zone {
        return Err(Error::new(text!("bad block ", block, ": the filesystem's tables need it")));
    }
    if block >= layout.zones {
        return Err(Error::new(text!("bad block ", block, ": beyond the end")));
    }
    bad.push(block);
    Ok(())
}

/// The blocks that cannot be read.
fn failing(image: &Image, layout: &Super) -> Vec<u64> {
    const AT_ONCE: u64 = 64;
    let (mut buffer, mut bad) = (vec![0; AT_ONCE as usize * BLOCK], Vec::new());
    let mut fails =
        |first: u64, count: u64| image.read(first * BLOCK as u64, &mut buffer[..count as usize * BLOCK]).is_err();
    for first in (layout.first_zone..layout.zones).step_by(AT_ONCE as usize) {
        let count = AT_ONCE.min(layout.zones - first);
        if fails(first, count) {
            bad.extend((first..first + count).filter(|&block| fails(block, 1)));
        }
    }
    bad
}

/// What is written: whole blocks.
struct Maker<'a> {
    layout: &'a Super,
    zone_map: Vec<u8>,
    /// The first block of the table of inodes.
    inodes: [u8; BLOCK],
    blocks: Vec<(u64, Vec<u8>)>,
    time: u64,
}

impl<'a> Maker<'a> {
    fn new(layout: &'a Super) -> Result<Self> {
        let mut zone_map = Vec::new();
        let length = layout.zone_map as usize * BLOCK;
        bytes::reserve(&mut zone_map, length)?;
        zone_map.resize(length, 0);
        // Bit 0 of a map means nothing and is set, as are those after the last one.
        let zones = layout.zones - layout.first_zone;
        (zones + 1..layout.zone_map * BITS).chain([0]).for_each(|bit| set(&mut zone_map, bit, true));
        let time = Moment::now().seconds as u64;
        Ok(Self { layout, zone_map, inodes: [0; BLOCK], blocks: Vec::new(), time })
    }

    fn make(&mut self, bad: &[u64]) -> Result<()> {
        let layout = self.layout;
        for &block in bad {
            self.take(block);
        }
        let entry = layout.name + 2;
        let mut directory = vec![0; BLOCK];
        for (at, (number, name)) in [(ROOT, &b"."[..]), (ROOT, b".."), (BAD, b".badblocks")].into_iter().enumerate() {
            if number != BAD || !bad.is_empty() {
                put(&mut directory, at * entry, 2, number);
                directory[at * entry + 2..][..name.len()].copy_from_slice(name);
            }
        }
        let entries = if bad.is_empty() { 2 } else { 3 };
        let zone = self.free()?;
        self.blocks.push((zone, directory));
        self.put_inode(ROOT, 0o40755, 2, entries * entry as u64, &[zone])?;
        if !bad.is_empty() {
            self.put_inode(BAD, 0o100_000, 1, bad.len() as u64 * BLOCK as u64, bad)?;
        }
        let mut inode_map = vec![0; layout.inode_map as usize * BLOCK];
        let used = if bad.is_empty() { ROOT } else { BAD };
        (0..=used).chain(layout.inodes + 1..layout.inode_map * BITS).for_each(|bit| set(&mut inode_map, bit, true));
        self.blocks.push((2, inode_map));
        self.blocks.push((2 + layout.inode_map, core::mem::take(&mut self.zone_map)));
        self.blocks.push((layout.table_at(), self.inodes.to_vec()));
        Ok(())
    }

    fn take(&mut self, zone: u64) {
        set(&mut self.zone_map, zone - self.layout.first_zone + 1, true);
    }

    /// Takes the first free zone.
    fn free(&mut self) -> Result<u64> {
        let byte = self.zone_map.iter().position(|&byte| byte != 0xff).ok_or_else(|| Error::new("no good block"))?;
        let bit = byte as u64 * 8 + u64::from(self.zone_map[byte].trailing_ones());
        let zone = bit + self.layout.first_zone - 1;
        self.take(zone);
        Ok(zone)
    }

    fn put_inode(&mut self, number: u64, mode: u64, links: u64, size: u64, zones: &[u64]) -> Result<()> {
        let layout = self.layout;
        let at = (number as usize - 1) * layout.inode();
        let times: &[usize] = if layout.version == 1 { &[8] } else { &[12, 16, 20] };
        let mut pointers = Vec::new();
        let (direct, rest) = zones.split_at(zones.len().min(7));
        pointers.extend_from_slice(direct);
        pointers.resize(7, 0);
        // One block of zones, then as many as a block of such blocks has.
        let per = BLOCK / layout.pointer();
        if rest.len() > per + per * per {
            return Err(Error::new("too many bad blocks"));
        }
        let (single, double) = rest.split_at(rest.len().min(per));
        pointers.push(self.block_of(single)?);
        let second: Result<Vec<u64>> = double.chunks(per).map(|part| self.block_of(part)).collect();
        pointers.push(self.block_of(&second?)?);
        let raw = &mut self.inodes[at..at + layout.inode()];
        let mut field = |(at, length): (usize, usize), value| put(raw, at, length, value);
        field((0, 2), mode);
        field(layout.links(), links);
        field(layout.size(), size);
        times.iter().for_each(|&at| field((at, 4), self.time));
        pointers.iter().enumerate().for_each(|(index, &zone)| field(layout.zone(index), zone));
        Ok(())
    }

    /// A block of pointers, and its number; 0 without pointers.
    fn block_of(&mut self, zones: &[u64]) -> Result<u64> {
        if zones.is_empty() {
            return Ok(0);
        }
        let (mut block, length) = (vec![0; BLOCK], self.layout.pointer());
        zones.iter().enumerate().for_each(|(index, &zone)| put(&mut block, index * length, length, zone));
        let at = self.free()?;
        self.blocks.push((at, block));
        Ok(at)
    }
}
