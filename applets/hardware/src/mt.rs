//! `mt`: control magnetic tapes (st(4), linux/mtio.h).

use rbox_core::names;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::device::{tape_operation, tape_position};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};
use rbox_core::text;

options! {
    "[-f DEVICE] OPERATION [COUNT]

Control a magnetic tape: bsf bsfm bsr bss datacompression eof eom erase fsf fsfm fsr fss load lock
mkpart nop offline ras1 ras2 ras3 reset retension rewind rewoffline seek setblk setdensity
setdrvbuffer setpart tell unload unlock weof wset

  -f DEVICE  Use DEVICE ($TAPE or /dev/tape)";
    DEVICE = "-f",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// MTRESET and the others; `tell` is a request of its own.
const OPERATIONS: names::Names = names! {
    "reset" = 0, "fsf" = 1, "bsf" = 2, "fsr" = 3, "bsr" = 4, "weof" = 5, "eof" = 5, "rewind" = 6, "offline" = 7,
    "rewoffline" = 7, "nop" = 8, "retension" = 9, "bsfm" = 10, "fsfm" = 11, "eom" = 12, "erase" = 13, "ras1" = 14,
    "ras2" = 15, "ras3" = 16, "setblk" = 20, "setdensity" = 21, "seek" = 22, "tell" = 23, "setdrvbuffer" = 24,
    "fss" = 25, "bss" = 26, "wset" = 27, "lock" = 28, "unlock" = 29, "load" = 30, "unload" = 31,
    "datacompression" = 32, "setpart" = 33, "mkpart" = 34,
};
const TELL: u64 = 23;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 2)?;
    let operation = OPERATIONS.number_of(words[0]);
    let operation = operation.ok_or_else(|| Error::parts(&[b"unknown operation '", words[0], b"'"]))?;
    let count = match words.get(1) {
        Some(word) => parse_c(word).and_then(|count| i32::try_from(count).ok()).ok_or_else(|| invalid(word))?,
        None => 1,
    };
    let path = args.value(DEVICE).or(env.vars.get("TAPE")).unwrap_or(b"/dev/tape").to_vec();
    // Marks and erasure need a tape that may be written.
    let flags = if matches!(operation, 5 | 13 | 27) { OFlags::WRONLY } else { OFlags::RDONLY };
    let tape = fs::open(&path[..], flags | OFlags::CLOEXEC, Mode::empty());
    let tape = tape.map_err(|errno| Error::cannot("open", &path, errno))?;
    if operation == TELL {
        let position = tape_position(tape.as_fd()).map_err(|errno| Error::on(&path, errno))?;
        env.stdout.write(&text!("At block ", position, "\n"))?;
    } else {
        tape_operation(tape.as_fd(), operation as i16, count).map_err(|errno| Error::on(&path, errno))?;
    }
    Ok(ExitStatus::SUCCESS)
}
