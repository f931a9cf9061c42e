//! The operands of `dd`, read (POSIX XCU dd, with GNU's).

use rbox_core::bytes::split_once;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{SIZE_SUFFIXES, invalid, parse_count};
use rbox_core::options::after_dashes;
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;

/// The bits of `conv=`.
pub mod conv {
    pub const ASCII: u64 = 1;
    pub const EBCDIC: u64 = 2;
    pub const IBM: u64 = 4;
    pub const BLOCK: u64 = 8;
    pub const UNBLOCK: u64 = 0x10;
    pub const LCASE: u64 = 0x20;
    pub const UCASE: u64 = 0x40;
    pub const SWAB: u64 = 0x80;
    pub const SPARSE: u64 = 0x100;
    pub const SYNC: u64 = 0x200;
    pub const EXCL: u64 = 0x400;
    pub const NOCREAT: u64 = 0x800;
    pub const NOTRUNC: u64 = 0x1000;
    pub const NOERROR: u64 = 0x2000;
    pub const FDATASYNC: u64 = 0x4000;
    pub const FSYNC: u64 = 0x8000;
    /// POSIX: with any of these, `bs=` does not make an output block of each input block.
    pub const REBLOCKS: u64 = 0xff;
}

const CONVERSIONS: Names = names! {
    "ascii" = conv::ASCII, "ebcdic" = conv::EBCDIC, "ibm" = conv::IBM, "block" = conv::BLOCK, "unblock" = conv::UNBLOCK,
    "lcase" = conv::LCASE, "ucase" = conv::UCASE, "swab" = conv::SWAB, "sparse" = conv::SPARSE, "sync" = conv::SYNC,
    "excl" = conv::EXCL, "nocreat" = conv::NOCREAT, "notrunc" = conv::NOTRUNC, "noerror" = conv::NOERROR,
    "fdatasync" = conv::FDATASYNC, "fsync" = conv::FSYNC,
};

/// The bits of `iflag=` and `oflag=`: those of open(2), and above them those that are dd's own.
pub mod flag {
    pub const FULLBLOCK: u64 = 1 << 32;
    pub const COUNT_BYTES: u64 = 1 << 33;
    pub const SKIP_BYTES: u64 = 1 << 34;
    pub const SEEK_BYTES: u64 = 1 << 35;
    pub const NOCACHE: u64 = 1 << 36;
}

const FLAGS: Names = names! {
    "append" = OFlags::APPEND.bits(), "direct" = OFlags::DIRECT.bits(), "directory" = OFlags::DIRECTORY.bits(),
    "dsync" = OFlags::DSYNC.bits(), "sync" = OFlags::SYNC.bits(), "nonblock" = OFlags::NONBLOCK.bits(),
    "noatime" = OFlags::NOATIME.bits(), "nofollow" = OFlags::NOFOLLOW.bits(), "noctty" = OFlags::NOCTTY.bits(),
    "nocache" = flag::NOCACHE, "fullblock" = flag::FULLBLOCK, "count_bytes" = flag::COUNT_BYTES,
    "skip_bytes" = flag::SKIP_BYTES, "seek_bytes" = flag::SEEK_BYTES,
};

/// What is printed of the statistics.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing.
    None,
    /// The records.
    Records,
    /// The records, and the bytes with their rate.
    All,
    /// The same, and every second where the copy is.
    Progress,
}

/// A number of blocks or of bytes.
#[derive(Clone, Copy, Default)]
pub struct Amount {
    pub value: u64,
    pub is_bytes: bool,
}

impl Amount {
    /// The number of bytes, which must fit an offset.
    pub fn bytes(self, block: usize) -> Result<u64> {
        let bytes = if self.is_bytes { Some(self.value) } else { self.value.checked_mul(block as u64) };
        bytes.filter(|&bytes| i64::try_from(bytes).is_ok()).ok_or_else(|| Error::new("offset is too large"))
    }
}

/// What is to be done.
pub struct Plan<'a> {
    /// The files; `None` is standard input or output.
    pub input: Option<&'a [u8]>,
    pub output: Option<&'a [u8]>,
    /// The sizes of blocks and records, in bytes.
    pub ibs: usize,
    pub obs: usize,
    pub cbs: usize,
    /// Each input block becomes an output block, however long it is.
    pub block_by_block: bool,
    pub count: Option<Amount>,
    pub skip: Amount,
    pub seek: Amount,
    pub conv: u64,
    pub iflag: u64,
    pub oflag: u64,
    pub status: Status,
}

impl<'a> Plan<'a> {
    /// Reads all operands.
    pub fn read(env: &mut Env, args: &Args<'a>) -> Result<Self> {
        let mut plan = Self {
            input: None,
            output: None,
            ibs: 512,
            obs: 512,
            cbs: 0,
            block_by_block: false,
            count: None,
            skip: Amount::default(),
            seek: Amount::default(),
            conv: 0,
            iflag: 0,
            oflag: 0,
            status: Status::All,
        };
        let mut both = None;
        for word in after_dashes(args.words().get(1..).unwrap_or_default()) {
            let unknown = || Error::usage_because(&[b"unrecognized operand '", word, b"'"]);
            let (name, value) = split_once(word, b'=').ok_or_else(unknown)?;
            match name {
                b"if" => plan.input = Some(value),
                b"of" => plan.output = Some(value),
                b"bs" => both = Some(size(env, value)?),
                b"ibs" => plan.ibs = size(env, value)?,
                b"obs" => plan.obs = size(env, value)?,
                b"cbs" => plan.cbs = size(env, value)?,
                b"count" => plan.count = Some(amount(env, value)?),
                b"skip" | b"iseek" => plan.skip = amount(env, value)?,
                b"seek" | b"oseek" => plan.seek = amount(env, value)?,
                b"conv" => plan.conv |= bits(CONVERSIONS, u64::MAX, name, value)?,
                b"iflag" => plan.iflag |= bits(FLAGS, !flag::SEEK_BYTES, name, value)?,
                b"oflag" => {
                    let inputs = flag::FULLBLOCK | flag::COUNT_BYTES | flag::SKIP_BYTES;
                    plan.oflag |= bits(FLAGS, !inputs, name, value)?;
                }
                b"status" => {
                    plan.status = match value {
                        b"none" => Status::None,
                        b"noxfer" => Status::Records,
                        b"progress" => Status::Progress,
                        _ => return Err(unfit(name, value)),
                    }
                }
                _ => return Err(unknown()),
            }
        }
        if let Some(size) = both {
            (plan.ibs, plan.obs, plan.block_by_block) = (size, size, plan.conv & conv::REBLOCKS == 0);
        }
        plan.check()
    }

    /// What fits together.
    fn check(mut self) -> Result<Self> {
        // POSIX: with a record length ascii unblocks, ebcdic and ibm block.
        if self.cbs > 0 && self.conv & conv::ASCII != 0 {
            self.conv |= conv::UNBLOCK;
        }
        if self.cbs > 0 && self.conv & (conv::EBCDIC | conv::IBM) != 0 {
            self.conv |= conv::BLOCK;
        }
        let exclusive = [
            conv::ASCII | conv::EBCDIC | conv::IBM,
            conv::BLOCK | conv::UNBLOCK,
            conv::LCASE | conv::UCASE,
            conv::EXCL | conv::NOCREAT,
        ];
        for set in exclusive {
            if (self.conv & set).count_ones() > 1 {
                let mut names = CONVERSIONS.of_flags(self.conv & set);
                let mut next = || names.next().unwrap_or_default().as_bytes();
                return Err(Error::parts(&[b"cannot combine ", next(), b" and ", next()]));
            }
        }
        if self.cbs == 0 && self.conv & (conv::BLOCK | conv::UNBLOCK) != 0 {
            return Err(Error::new("block and unblock need cbs"));
        }
        let is_bytes = |amount: &mut Amount, flags: u64, flag| amount.is_bytes |= flags & flag != 0;
        is_bytes(&mut self.skip, self.iflag, flag::SKIP_BYTES);
        is_bytes(&mut self.seek, self.oflag, flag::SEEK_BYTES);
        if let Some(count) = &mut self.count {
            is_bytes(count, self.iflag, flag::COUNT_BYTES);
        }
        Ok(self)
    }
}

fn unfit(name: &[u8], word: &[u8]) -> Error {
    Error::parts(&[b"invalid argument '", word, b"' to '", name, b"'"])
}

/// The bits of a list of names; each must be among those that are allowed.
fn bits(table: Names, allowed: u64, name: &[u8], list: &[u8]) -> Result<u64> {
    let mut bits = 0;
    for word in list.split(|&byte| byte == b',') {
        bits |= table.number_of(word).filter(|bit| bit & !allowed == 0).ok_or_else(|| unfit(name, word))?;
    }
    Ok(bits)
}

/// A size of blocks, at least 1.
fn size(env: &mut Env, word: &[u8]) -> Result<usize> {
    let value = amount(env, word)?.value;
    usize::try_from(value).ok().filter(|size| (1..=isize::MAX as usize / 2).contains(size)).ok_or_else(|| invalid(word))
}

/// Numbers with suffixes, multiplied: `2x512`, `3xM`. As in GNU, one with a `B` counts bytes.
fn amount(env: &mut Env, word: &[u8]) -> Result<Amount> {
    let mut value = 1u64;
    for (at, factor) in word.split(|&byte| byte == b'x').enumerate() {
        let number = match factor {
            [digits @ .., b'B'] if digits.last().is_some_and(u8::is_ascii_digit) => parse_count(digits, SIZE_SUFFIXES),
            [b'A'..=b'Z' | b'a'..=b'z', ..] if at > 0 => parse_count(&[b"1", factor].concat(), SIZE_SUFFIXES),
            _ => parse_count(factor, SIZE_SUFFIXES),
        };
        value = number.ok().and_then(|number| value.checked_mul(number)).ok_or_else(|| invalid(word))?;
    }
    if word.starts_with(b"0x") {
        // It looks like a hexadecimal number, which dd does not have.
        env.report(&Error::new("warning: '0x' is a zero multiplier; use '00x' if that is intended"));
    }
    Ok(Amount { value, is_bytes: word.contains(&b'B') })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::env;

    use super::amount;

    #[test]
    fn numbers_have_suffixes_and_factors() {
        let read =
            |word: &str| amount(&mut env(b"dd"), word.as_bytes()).ok().map(|amount| (amount.value, amount.is_bytes));
        assert_eq!(
            (read("2x512"), read("2xM"), read("1kx2")),
            (Some((1024, false)), Some((2 << 20, false)), Some((2048, false)))
        );
        assert_eq!((read("5B"), read("1kB"), read("2KiB")), (Some((5, true)), Some((1000, true)), Some((2048, true))));
        for word in ["", "x", "1x", "x1", "1Z", "-1", "M", "9E", "16Ex16E", "1BB"] {
            assert!(word == "9E" || read(word).is_none(), "{word}");
        }
    }
}
