//! How fast a disk and the kernel's cache are read.

use rbox_core::io;
use rbox_core::number::hundredths;
use rbox_core::push;
use rbox_core::sys::block_device::{Order, tell};
use rbox_core::sys::fs::{SeekFrom, seek};
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::sys::{BorrowedFd, Errno};

const BLOCK: usize = 2 << 20;

fn microseconds() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
}

/// Reads from the start of the disk for three seconds, nothing of it from the cache.
pub fn disk(file: BorrowedFd<'_>, report: &mut Vec<u8>) -> Result<(), Errno> {
    tell(file, Order::Flush)?;
    seek(file, SeekFrom::Start(0))?;
    let mut buffer = vec![0; BLOCK];
    let (begin, mut bytes) = (microseconds(), 0);
    while microseconds() - begin < 3_000_000 {
        match io::read(file, &mut buffer)? {
            0 => break,
            count => bytes += count as u64,
        }
    }
    push_line(" Timing buffered disk reads: ", bytes, microseconds() - begin, report);
    tell(file, Order::Flush)
}

/// Reads the first blocks again and again for two seconds.
pub fn cache(file: BorrowedFd<'_>, report: &mut Vec<u8>) -> Result<(), Errno> {
    let mut buffer = vec![0; BLOCK];
    let mut bytes = 0;
    let mut begin = None;
    loop {
        seek(file, SeekFrom::Start(0))?;
        let count = io::read(file, &mut buffer)? as u64;
        // The first time it comes from the disk.
        match begin {
            None => begin = Some(microseconds()),
            Some(begin) => {
                bytes += count;
                let elapsed = microseconds() - begin;
                if elapsed >= 2_000_000 || count == 0 {
                    push_line(" Timing cached reads:   ", bytes, elapsed, report);
                    return Ok(());
                }
            }
        }
    }
}

fn push_line(what: &str, bytes: u64, microseconds: u64, report: &mut Vec<u8>) {
    let per_second = (u128::from(bytes) * 100_000_000 / u128::from(microseconds.max(1))) >> 20;
    push!(*report, what, bytes >> 20, " MB in ", hundredths(microseconds / 10_000), " seconds = ");
    push!(*report, hundredths(per_second as u64), " MB/sec\n");
}
