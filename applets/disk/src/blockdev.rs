//! `blockdev`: ask block devices for numbers, and set them (linux/fs.h).

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Number, Order, get, tell};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};
use rbox_core::text;

options! {
    "OPTION... DEVICE...

Print or set parameters of block devices, in the order of the options.

      --setro      Set read-only
      --setrw      Set read-write
      --getro      Print 1 if read-only, else 0
      --getss      Print the logical sector size in bytes
      --getpbsz    Print the physical sector size in bytes
      --getiomin   Print the minimum I/O size in bytes
      --getioopt   Print the optimal I/O size in bytes
      --getbsz     Print the kernel's block size in bytes
      --setbsz=BYTES  Set it while the device is open
      --getsz, --getsize  Print the size in sectors of 512 bytes
      --getsize64  Print the size in bytes
      --getra      Print the readahead in sectors of 512 bytes
      --setra=SECTORS  Set it
      --flushbufs  Flush buffers
      --rereadpt   Reread the partition table
  -q               Print no error messages
  -v               Prefix numbers with the device";
    SET_READ_ONLY = "--setro",
    SET_WRITABLE = "--setrw",
    READ_ONLY = "--getro",
    SECTOR = "--getss",
    PHYSICAL = "--getpbsz",
    LEAST = "--getiomin",
    BEST = "--getioopt",
    BLOCK = "--getbsz",
    SET_BLOCK = "--setbsz",
    SECTORS = "--getsz",
    SIZE = "--getsize64",
    AHEAD = "--getra",
    SET_AHEAD = "--setra",
    FLUSH = "--flushbufs",
    PARTITIONS = "--rereadpt",
    QUIET = "-q",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    if args.found().iter().all(|(option, _)| matches!(*option, QUIET | VERBOSE)) {
        return Err(Error::usage());
    }
    let mut status = ExitStatus::SUCCESS;
    for path in operands {
        if let Err(error) = work(env, args, path) {
            if error.is_output() || error.is_usage() {
                return Err(error);
            }
            status.worsen(if args.has(QUIET) { ExitStatus::FAILURE } else { env.warn(error) });
        }
    }
    Ok(status)
}

fn work(env: &mut Env, args: &Args<'_>, path: &[u8]) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::open(path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))?;
    let failed = |errno| Error::on(path, errno);
    for (option, value) in args.found() {
        let number = |most: u64| parse_in_range(value.unwrap_or_default(), 0, most).map(|number| number as u32);
        let wanted = match *option {
            READ_ONLY => Ok(Number::ReadOnly),
            SECTOR => Ok(Number::SectorSize),
            PHYSICAL => Ok(Number::PhysicalSize),
            LEAST => Ok(Number::LeastTransfer),
            BEST => Ok(Number::BestTransfer),
            BLOCK => Ok(Number::BlockSize),
            AHEAD => Ok(Number::ReadAhead),
            SECTORS | SIZE => Ok(Number::Size),
            SET_READ_ONLY => Err(Order::SetReadOnly(true)),
            SET_WRITABLE => Err(Order::SetReadOnly(false)),
            SET_BLOCK => Err(Order::SetBlockSize(number(1 << 20)?)),
            SET_AHEAD => Err(Order::SetReadAhead(number(u32::MAX.into())?)),
            FLUSH => Err(Order::Flush),
            PARTITIONS => Err(Order::ReadPartitions),
            _ => continue,
        };
        match wanted {
            Ok(what) => {
                let answer = get(file.as_fd(), what).map_err(failed)?;
                let answer = if *option == SECTORS { answer / 512 } else { answer };
                let lead = if args.has(VERBOSE) { text!(path, ": ") } else { Vec::new() };
                env.stdout.write(&text!(lead, answer, "\n"))?;
            }
            Err(order) => tell(file.as_fd(), order).map_err(failed)?,
        }
    }
    Ok(())
}
