//! `mke2fs`, `mkfs.ext2`: make an ext2, ext3 or ext4 filesystem (mke2fs(8)).

use rbox_core::block::{Image, parse_uuid, random_uuid};
use rbox_core::ext4::{Features, LOST_FOUND, Layout, Node, Params, ROOT, Writer};
use rbox_core::number::{invalid, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::time::Moment;
use rbox_core::{push, text};

options! {
    "[-Fnqj] [-b BYTES] [-i BYTES] [-I BYTES] [-N INODES] [-m PERCENT] [-L LABEL] [-M DIRECTORY] [-t TYPE] [-O FEATURES]
       [-J size=MEGABYTES] [-U UUID] DEVICE [KBYTES]

Make an ext2, ext3 or ext4 filesystem on DEVICE.

  -b BYTES      Bytes of a block: 1024, 2048 or 4096 (1024; from 512 MiB on, 4096)
  -F            Make it in a file too, or on a device that is in use
  -i BYTES      Bytes for each inode (4096; below 3 MiB, 8192; from 512 MiB on, 16384)
  -I BYTES      Bytes of an inode: a power of two, at least 128 (256)
  -j            Make a journal
  -J size=MEGABYTES  Make a journal of that size
  -L LABEL      Set the label, of at most 16 bytes
  -m PERCENT    Blocks that are reserved for root (5)
  -M DIRECTORY  Set the directory where it is said to have been mounted last
  -n            Make nothing; print what would be made
  -N INODES     Number of inodes
  -O FEATURES   Features to add, or to remove (^NAME), separated by commas; none: begin without any
  -q            Print nothing
  -t TYPE       ext2, ext3 or ext4 (ext2)
  -U UUID       Set the UUID (random)";
    BLOCK = "-b",
    FORCE = "-F",
    RATIO = "-i",
    INODE = "-I",
    JOURNALED = "-j",
    JOURNAL = "-J",
    LABEL = "-L",
    RESERVED = "-m",
    MOUNTED = "-M",
    DRY = "-n",
    INODES = "-N",
    FEATURES = "-O",
    QUIET = "-q",
    TYPE = "-t",
    ID = "-U",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let path = operands[0];
    let is_dry = args.has(DRY);
    let mut image = match args.has(FORCE) {
        _ if is_dry => Image::read_only(path)?,
        true => Image::open_shared(path)?,
        false => Image::open(path)?,
    };
    if !image.is_device() && !args.has(FORCE) {
        return Err(image.error("not a block device"));
    }
    let size = match operands.get(1) {
        Some(word) if is_dry => parse_in_range(word, 0, u64::MAX >> 10)? << 10,
        word => image.wanted(word.copied())?,
    };
    let params = params(args, size)?;
    let layout = Layout::new(size, &params)?;
    // The journal and its map, the two directories, and one block of resize_inode's map.
    if layout.free() < params.journal + params.journal / 128 + 20 {
        return Err(Error::new("the filesystem is too small"));
    }
    if params.journal > layout.blocks / 2 {
        return Err(Error::new("the journal has more than half of the blocks"));
    }
    if !args.has(QUIET) {
        env.stdout.write(&describe(&params, &layout))?;
    }
    if is_dry {
        return Ok(ExitStatus::SUCCESS);
    }
    let mut writer = Writer::new(&image, 0, layout, &params)?;
    let node = |mode| Node { mode, uid: 0, gid: 0, links: 2 };
    writer.write_directory(ROOT, ROOT, node(0o40_755), &[(b"lost+found", LOST_FOUND, 2)], 0)?;
    // Blocks that are there already, for what e2fsck(8) finds on a full filesystem.
    writer.write_directory(LOST_FOUND, ROOT, node(0o40_700), &[], 16384.min(12 * params.block as usize))?;
    writer.finish()?;
    image.sync()?;
    Ok(ExitStatus::SUCCESS)
}

fn params<'a>(args: &Args<'a>, size: u64) -> Result<Params<'a>> {
    let number = |option, least: u64, most: u64, usual| match args.value(option) {
        Some(word) => parse_in_range(word, least, most).map(|number| number as u32),
        None => Ok(usual),
    };
    let power = |option, least, most, usual| match number(option, least, most, usual)? {
        value if value.is_power_of_two() => Ok(value),
        _ => Err(invalid(args.value(option).unwrap_or_default())),
    };
    let (is_tiny, is_small) = (size < 3 << 20, size < 512 << 20);
    let block = power(BLOCK, 1024, 4096, if is_small { 1024 } else { 4096 })?;
    let usual = if is_tiny { 8192 } else { 16384 >> (2 * u32::from(is_small)) };
    let features = features(args)?;
    let blocks = size / u64::from(block);
    let label = args.value(LABEL).unwrap_or_default();
    let mounted = args.value(MOUNTED).unwrap_or_default();
    if label.len() > 16 || mounted.len() > 64 {
        return Err(Error::new("a label has at most 16 bytes, a last directory 64"));
    }
    let count = args.value(INODES);
    Ok(Params {
        label,
        mounted,
        uuid: match args.value(ID) {
            None | Some(b"random" | b"time") => random_uuid()?,
            Some(b"clear" | b"null") => [0; 16],
            Some(word) => parse_uuid(word)?,
        },
        time: Moment::now().seconds.clamp(0, i32::MAX.into()) as u32,
        block,
        inode: power(INODE, 128, block.into(), 256)?,
        inodes: number(INODES, 1, u32::MAX.into(), 0)?.max(LOST_FOUND + 1),
        ratio: if count.is_some() { 0 } else { number(RATIO, block.into(), 1 << 26, usual)? },
        reserved: number(RESERVED, 0, 50, 5)?,
        journal: if features.has(Features::JOURNAL) { journal(args, block, blocks)? } else { 0 },
        features,
    })
}

/// The blocks of the journal: for larger filesystems more, as mke2fs(8) takes them.
fn journal(args: &Args<'_>, block: u32, blocks: u64) -> Result<u32> {
    if let Some(word) = args.value(JOURNAL) {
        let number =
            word.strip_prefix(b"size=").ok_or_else(|| Error::parts(&[b"unknown journal option '", word, b"'"]))?;
        let count = parse_in_range(number, 1, 40960)? << (20 - block.trailing_zeros());
        return match u32::try_from(count) {
            Ok(count @ 1024..=10_240_000) => Ok(count),
            _ => Err(Error::new("a journal has 1024 to 10240000 blocks")),
        };
    }
    Ok(match blocks >> 11 {
        0 => return Err(Error::new("the filesystem is too small for a journal")),
        1..16 => 1024,
        16..128 => 4096,
        128..256 => 8192,
        256..2048 => 16384,
        2048..4096 => 32768,
        4096..8192 => 65536,
        8192..16384 => 131_072,
        _ => 262_144,
    })
}

const EXT2: Features = Features::ATTRIBUTES
    .with(Features::RESIZE)
    .with(Features::INDEX)
    .with(Features::FILE_TYPE)
    .with(Features::SPARSE_SUPER)
    .with(Features::LARGE_FILE);
const EXT3: Features = EXT2.with(Features::JOURNAL);
const EXT4: Features =
    EXT3.with(Features::EXTENTS).with(Features::HUGE_FILE).with(Features::MANY_LINKS).with(Features::EXTRA_SIZE);

fn features(args: &Args<'_>) -> Result<Features> {
    let mut features = match args.value(TYPE) {
        None | Some(b"ext2") => EXT2,
        Some(b"ext3") => EXT3,
        Some(b"ext4") => EXT4,
        Some(word) => return Err(Error::parts(&[b"unknown type '", word, b"'"])),
    };
    for word in args.values(FEATURES).flat_map(|list| list.split(|&byte| byte == b',')) {
        let name = word.strip_prefix(b"^").unwrap_or(word);
        let feature = match name {
            b"none" => {
                features = Features([0; 3]);
                continue;
            }
            b"has_journal" => Features::JOURNAL,
            b"ext_attr" => Features::ATTRIBUTES,
            b"resize_inode" => Features::RESIZE,
            b"dir_index" => Features::INDEX,
            b"filetype" => Features::FILE_TYPE,
            b"extent" | b"extents" => Features::EXTENTS,
            b"sparse_super" => Features::SPARSE_SUPER,
            b"large_file" => Features::LARGE_FILE,
            b"huge_file" => Features::HUGE_FILE,
            b"dir_nlink" => Features::MANY_LINKS,
            b"extra_isize" => Features::EXTRA_SIZE,
            // What is not made anyway may be removed.
            b"64bit" | b"flex_bg" | b"metadata_csum" | b"uninit_bg" | b"meta_bg" if name != word => continue,
            _ => return Err(Error::parts(&[b"feature '", name, b"' is not supported"])),
        };
        features = if name == word { features.with(feature) } else { features.without(feature) };
    }
    if args.has(JOURNALED) || args.has(JOURNAL) {
        features = features.with(Features::JOURNAL);
    }
    if features.has(Features::RESIZE) && !features.has(Features::SPARSE_SUPER) {
        return Err(Error::new("resize_inode needs sparse_super"));
    }
    // The inode of the reserved blocks is larger than 2 GiB.
    Ok(if features.has(Features::RESIZE) { features.with(Features::LARGE_FILE) } else { features })
}

fn describe(params: &Params<'_>, layout: &Layout) -> Vec<u8> {
    let mut lines = text!("Filesystem label=", params.label, "\nOS type: Linux\n");
    for name in ["Block", "Fragment"] {
        push!(lines, name, " size=", params.block, " (log=", params.block.trailing_zeros() - 10, ")\n");
    }
    let reserved = u64::from(layout.blocks) * u64::from(params.reserved) / 100;
    let most = u64::from(layout.descriptor_blocks) * u64::from(params.block / 32) * u64::from(layout.group);
    push!(lines, layout.inodes(), " inodes, ", layout.blocks, " blocks\n");
    push!(lines, reserved, " blocks (", params.reserved, "%) reserved for the super user\nFirst data block=");
    push!(lines, layout.first, "\nMaximum filesystem blocks=", most, "\n", layout.groups, " block groups\n");
    push!(lines, layout.group, " blocks per group, ", layout.group, " fragments per group\n");
    push!(lines, layout.inodes_per_group, " inodes per group\n");
    let mut lead = "Superblock backups stored on blocks:\n\t";
    for group in (1..layout.groups).filter(|&group| layout.has_superblock(group)) {
        push!(lines, lead, layout.start(group));
        lead = ", ";
    }
    if layout.groups > 1 {
        lines.push(b'\n');
    }
    lines
}
