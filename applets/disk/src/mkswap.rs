//! `mkswap`: make swap space of a device or file (mkswap(8)).

use rbox_core::block::{self, Image};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::param;
use rbox_core::{push, text};

options! {
    "[-L LABEL] [-U UUID] DEVICE [KBYTES]

Set up DEVICE, or a file, as swap space.

  -L, --label=LABEL  Set the label, at most 16 bytes
  -U, --uuid=UUID    Set the UUID (random)";
    LABEL = "-L",
    UUID = "-U",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Where the header lies: the first kilobyte is left to boot loaders.
const HEADER: usize = 1024;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let path = operands[0];
    let image = Image::open(path)?;
    let page = param::page_size();
    let mut size = image.size();
    if let Some(word) = operands.get(1) {
        let wanted = parse_decimal(word).and_then(|count| count.checked_mul(1024));
        size = wanted.ok_or_else(|| rbox_core::number::invalid(word))?.min(size);
    }
    let pages = size / page as u64;
    if pages < 10 {
        let least = 10 * page / 1024;
        return Err(Error::new(text!(path, ": swap area needs to be at least ", least, " KiB")));
    }
    let uuid = match args.value(UUID) {
        Some(word) => block::parse_uuid(word)?,
        None => block::random_uuid()?,
    };
    let label = args.value(LABEL).unwrap_or_default();
    if label.len() > 16 {
        return Err(Error::new("label is too long, at most 16 bytes"));
    }
    let content = header(page, pages, &uuid, label);
    image.write(0, &content)?;
    image.sync()?;
    let mut line = text!("Setting up swapspace version 1, size = ", (pages - 1) * page as u64, " bytes\n");
    if !label.is_empty() {
        push!(line, "LABEL=", label, ", ");
    }
    push!(line, "UUID=", block::uuid_text(&uuid), "\n");
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}

/// The first page: what a boot loader has there is cleared, then version, last page, UUID and label, and at its end the
/// signature (linux/swap.h, union swap_header).
fn header(page: usize, pages: u64, uuid: &[u8; 16], label: &[u8]) -> Vec<u8> {
    let mut content = vec![0; page];
    let last = u32::try_from(pages - 1).unwrap_or(u32::MAX);
    content[HEADER..HEADER + 4].copy_from_slice(&1u32.to_ne_bytes());
    content[HEADER + 4..HEADER + 8].copy_from_slice(&last.to_ne_bytes());
    content[HEADER + 12..HEADER + 28].copy_from_slice(uuid);
    content[HEADER + 28..HEADER + 28 + label.len()].copy_from_slice(label);
    content[page - 10..].copy_from_slice(b"SWAPSPACE2");
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_places() {
        let page = header(4096, 256, &[7; 16], b"lab");
        assert_eq!((page.len(), &page[4086..]), (4096, &b"SWAPSPACE2"[..]));
        assert_eq!(
            (&page[1024..1032], &page[1036..1056]),
            (
                &b"\x01\0\0\0\xff\0\0\0"[..],
                &b"\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07lab\0"[..]
            )
        );
    }
}
