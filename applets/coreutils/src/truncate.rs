//! `truncate`: set the size of files (GNU coreutils).

use rbox_core::number::{SIZE_SUFFIXES, invalid, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags, fstat, ftruncate, open, stat};

options! {
    "[-c] -s [+-<>/%]SIZE | -r FILE FILE...

Set the size of each FILE; create missing FILEs.

  -c, --no-create       Do not create FILEs
  -s, --size=SIZE       Size in bytes; + extend, - shrink, < at most, > at least, / % round down, up
  -r, --reference=FILE  Use the size of FILE";
    NO_CREATE = "-c",
    SIZE = "-s",
    REFERENCE = "-r",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let base = match args.value(REFERENCE) {
        Some(file) => Some(stat(file).map_err(|errno| Error::on(file, errno))?.st_size as u64),
        None => None,
    };
    let (sign, count, word) = match (args.value(SIZE), base) {
        (Some(word), _) => {
            let sign = word.first().copied().filter(|sign| b"+-<>/%".contains(sign));
            let count = parse_count(&word[usize::from(sign.is_some())..], SIZE_SUFFIXES).map_err(|_| invalid(word))?;
            (sign, count, word)
        }
        (None, Some(_)) => (Some(b'+'), 0, &b""[..]),
        (None, None) => return Err(Error::usage()),
    };
    if matches!(sign, Some(b'/' | b'%')) && count == 0 {
        return Err(Error::new("division by zero"));
    }
    args.operands_between(1, usize::MAX)?;
    let create = if args.has(NO_CREATE) { OFlags::empty() } else { OFlags::CREATE };
    env.for_each_operand(args.operands(), &mut |_, path| {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | create;
        let file = match open(path, flags, Mode::from_raw_mode(0o666)) {
            Err(rbox_core::sys::Errno::NOENT) if args.has(NO_CREATE) => return Ok(()),
            opened => opened.map_err(|errno| Error::on(path, errno))?,
        };
        let now = match base {
            Some(size) => size,
            None => fstat(&file).map_err(|errno| Error::on(path, errno))?.st_size as u64,
        };
        let size = size(sign, now, count).filter(|size| *size <= i64::MAX as u64).ok_or_else(|| invalid(word))?;
        ftruncate(&file, size).map_err(|errno| Error::on(path, errno))
    })
}

/// The size that is asked for, where `now` is what the file has. `None` when it passes 64 bits.
fn size(sign: Option<u8>, now: u64, count: u64) -> Option<u64> {
    match sign {
        Some(b'+') => now.checked_add(count),
        Some(b'-') => Some(now.saturating_sub(count)),
        Some(b'<') => Some(now.min(count)),
        Some(b'>') => Some(now.max(count)),
        Some(b'/') => Some(now - now % count),
        Some(_) => now.checked_next_multiple_of(count),
        None => Some(count),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_relative_to_what_is_there() {
        let sizes = b"+-<>/%".map(|sign| size(Some(sign), 10, 4));
        assert_eq!(sizes, [Some(14), Some(6), Some(4), Some(10), Some(8), Some(12)]);
        assert_eq!((size(Some(b'-'), 3, 4), size(Some(b'+'), 1, u64::MAX), size(None, 9, 2)), (Some(0), None, Some(2)));
    }
}
