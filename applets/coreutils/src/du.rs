//! `du`: print the disk usage of files (POSIX XCU du).

use rbox_core::files::{FileIds, Follow, Phase, Step, id, kind, stat, walk_gathering};
use rbox_core::number::{Decimal, human, parse_block, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;

options! {
    "[-aHLdclsxhmkb] [-d N] [-B SIZE] [--apparent-size] [FILE]...

Print disk usage of each FILE and of its directories (.).

  -a, --all              Print files too
  -L, --dereference      Follow all symbolic links
  -H, -D                 Follow symbolic links among the operands
  -d, --max-depth=N      Print directories up to depth N
  -c, --total            Print a grand total
  -l, --count-links      Count each hard link
  -s, --summarize        Print only a total per FILE
  -x, --one-file-system  Do not cross file systems
  -h, --human-readable   Print sizes as 1.5K, 20.0M
  -m                     Use units of 1 MiB
  -k                     Use units of 1024 bytes (default)
  -B, --block-size=SIZE  Use units of SIZE bytes
  -b, --bytes            Same as --apparent-size -B 1
      --apparent-size    Print file sizes, not disk usage";
    ALL = "-a",
    FOLLOW = "-L",
    FOLLOW_OPERANDS = "-H",
    DEPTH = "-d",
    TOTAL = "-c",
    LINKS = "-l",
    SUM = "-s",
    ONE_SYSTEM = "-x",
    HUMAN = "-h",
    MEGA = "-m",
    KILO = "-k",
    BLOCK = "-B",
    BYTES = "-b",
    APPARENT = "--apparent-size",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_or(b".");
    let follow = match args.last_of(&[FOLLOW, FOLLOW_OPERANDS]) {
        Some(FOLLOW) => Follow::Always,
        Some(_) => Follow::Operands,
        None => Follow::Never,
    };
    let depth = match args.value(DEPTH) {
        Some(word) => parse_in_range(word, 0, u32::MAX.into())? as usize,
        None => usize::MAX,
    };
    let depth = if args.last_of(&[DEPTH, SUM]) == Some(SUM) { 0 } else { depth };
    let unit = match args.last_of(&[HUMAN, MEGA, KILO, BLOCK, BYTES]) {
        Some(HUMAN) => None,
        Some(MEGA) => Some(1 << 20),
        Some(BLOCK) => Some(parse_block(args.value(BLOCK).unwrap_or_default())?),
        Some(BYTES) => Some(1),
        _ => Some(1024),
    };
    let mut counter = Counter { args, unit, depth, seen: FileIds::default(), sums: Vec::new(), device: None };
    let (mut status, mut total) = (ExitStatus::SUCCESS, 0);
    for operand in operands {
        counter.sums = vec![0];
        counter.device = None;
        for error in walk_gathering(operand, follow, &mut |visit| counter.visit(env, visit))? {
            status.worsen(env.warn(error));
        }
        total += counter.sums[0];
    }
    if args.has(TOTAL) {
        counter.print(env, total, b"total")?;
    }
    Ok(status)
}

struct Counter<'a> {
    args: &'a Args<'a>,
    /// Bytes of what sizes are counted in; `None` for -h.
    unit: Option<u64>,
    depth: usize,
    /// Files with several names, and directories.
    seen: FileIds,
    /// Bytes so far: of what contains the operand, the operand, and each directory down to where the walk is.
    sums: Vec<u64>,
    device: Option<u64>,
}

impl Counter<'_> {
    fn visit(&mut self, env: &mut Env, visit: &rbox_core::files::Visit<'_>) -> Result<Step> {
        let directory = kind(visit.stat) == FileType::Directory;
        if visit.phase == Phase::After {
            let sum = self.sums.pop().unwrap_or(0);
            self.add(sum);
            if visit.depth <= self.depth {
                self.print(env, sum, visit.path)?;
            }
            return Ok(Step::On);
        }
        // The walk shows a link itself where it leads nowhere; nothing was asked about that one.
        if self.args.last_of(&[FOLLOW, FOLLOW_OPERANDS]) == Some(FOLLOW)
            && kind(visit.stat) == FileType::Symlink
            && let Err(errno) = stat(visit.at, visit.name, true)
        {
            return Err(Error::on(visit.path, errno));
        }
        if self.args.has(ONE_SYSTEM) && *self.device.get_or_insert(visit.stat.st_dev) != visit.stat.st_dev {
            return Ok(Step::Skip);
        }
        let is_counted_once = (visit.stat.st_nlink > 1 || directory) && !self.args.has(LINKS);
        if is_counted_once && !self.seen.insert(id(visit.stat), ()) {
            return Ok(Step::Skip);
        }
        let size = self.size(visit.stat, directory);
        if directory {
            self.sums.push(size);
            return Ok(Step::On);
        }
        self.add(size);
        if visit.depth == 0 || self.args.has(ALL) && visit.depth <= self.depth {
            self.print(env, size, visit.path)?;
        }
        Ok(Step::On)
    }

    fn size(&self, stat: &rbox_core::sys::fs::Stat, directory: bool) -> u64 {
        match self.args.has(BYTES) || self.args.has(APPARENT) {
            true if directory && !self.args.has(BYTES) => 0,
            true => stat.st_size as u64,
            false => stat.st_blocks as u64 * 512,
        }
    }

    fn add(&mut self, size: u64) {
        if let Some(sum) = self.sums.last_mut() {
            *sum += size;
        }
    }

    fn print(&self, env: &mut Env, bytes: u64, path: &[u8]) -> Result<()> {
        let size = match self.unit {
            None => human(bytes),
            Some(unit) => Decimal::new(bytes.div_ceil(unit)).as_bytes().to_vec(),
        };
        env.stdout.write(&[size.as_slice(), b"\t", path, b"\n"].concat())
    }
}
