//! `devmem`: read or write memory by its physical address (mem(4)).

use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::device::physical_memory;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};
use rbox_core::text;
use rbox_core::text::{Hex, Right};

options!(
    "ADDRESS [WIDTH [VALUE]]

Print what is in memory at a physical ADDRESS, or write VALUE there. WIDTH is 8, 16, 32 (default)
or 64 bits, or b, h, w or l for these."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 3)?;
    let number = |word: &[u8]| parse_c(word).map(|number| number as u64).ok_or_else(|| invalid(word));
    let address = number(words[0])?;
    let size = match words.get(1).copied().unwrap_or(b"32") {
        b"8" | b"b" => 1,
        b"16" | b"h" => 2,
        b"32" | b"w" => 4,
        b"64" | b"l" => 8,
        word => return Err(Error::parts(&[b"invalid width '", word, b"'"])),
    };
    let value = words.get(2).map(|word| number(word)).transpose()?;
    let flags = if value.is_some() { OFlags::RDWR } else { OFlags::RDONLY };
    let memory = fs::open(b"/dev/mem", flags | OFlags::SYNC | OFlags::CLOEXEC, Mode::empty());
    let memory = memory.map_err(|errno| Error::cannot("open", b"/dev/mem", errno))?;
    let read = physical_memory(memory.as_fd(), address, size, value).map_err(|errno| Error::on(words[0], errno))?;
    if value.is_none() {
        let digits = text!(Right(Hex(read), 2 * size, b'0')).to_ascii_uppercase();
        env.stdout.write(&text!("0x", digits, "\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}
