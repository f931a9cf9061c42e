//! `shuf`: put lines, words or numbers into a random order (GNU coreutils).
//!
//! The same `--random-source` gives the same order as GNU's.

use std::collections::BTreeMap;

use rbox_core::bytes::{append, find_byte, find_bytes, split_once};
use rbox_core::files::kind;
use rbox_core::io::{Input, Output};
use rbox_core::number::{PLAIN, parse_count, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::random::Random;
use rbox_core::sys::alloc::try_reserve;
use rbox_core::sys::fs::{FileType, fstat};

options! {
    "[-rz] [-n N] [-o FILE] [FILE | -e [WORD]... | -i LOW-HIGH]

Print the lines of FILE, or of standard input, in a random order.

  -e, --echo                Shuffle the WORDs
  -i, --input-range=LO-HI   Shuffle the numbers from LO to HI
  -n, --head-count=N        Print at most N lines
  -o, --output=FILE         Write to FILE, which may be the input
  -r, --repeat              Choose each line anew, N times or without end
  -z, --zero-terminated     Lines end in NUL
      --random-source=FILE  Take the random bytes of FILE";
    ECHO = "-e",
    RANGE = "-i",
    COUNT = "-n",
    OUTPUT = "-o",
    REPEAT = "-r",
    ZERO = "-z",
    SOURCE = "--random-source",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// A longer input, or one of unknown length, is not kept if only some of its lines are asked for.
const KEPT: u64 = 8 << 20;

/// What is shuffled.
enum Items<'a> {
    Words(&'a [&'a [u8]]),
    Numbers(u64),
    /// All lines; the numbers are where each starts.
    Lines(Vec<u8>),
    /// Some lines, chosen already.
    Chosen(Vec<Vec<u8>>),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let mut count = u64::MAX;
    for word in args.values(COUNT) {
        count = count.min(parse_count(word, PLAIN)?);
    }
    let mut random = Random::open(args.value(SOURCE))?;
    if args.has(RANGE) && args.has(ECHO) {
        return Err(Error::misused("cannot combine -e and -i options"));
    }
    let (mut total, mut starts) = (None, None);
    let items = if args.has(ECHO) {
        Items::Words(args.operands())
    } else if let Some(range) = args.value(RANGE) {
        args.operands_between(0, 0)?;
        let (low, size) = parse_range(range)?;
        total = Some(size);
        Items::Numbers(low)
    } else {
        let operand = args.operands_between(0, 1)?.first().copied().unwrap_or(b"-");
        let mut input = env.open(operand)?;
        let is_short = input
            .fd()
            .and_then(|file| fstat(file).ok())
            .is_none_or(|stat| kind(&stat) == FileType::RegularFile && stat.st_size as u64 <= KEPT);
        if count == 0 {
            Items::Chosen(Vec::new())
        } else if args.has(REPEAT) || count == u64::MAX || is_short {
            let text = read_lines(&mut input, end)?;
            let all = starts_of_lines(&text, end)?;
            (total, starts) = (Some(all.len() as u64), Some(all));
            Items::Lines(text)
        } else {
            Items::Chosen(choose(&mut input, end, count, &mut random)?)
        }
    };
    let total = total.unwrap_or(match &items {
        Items::Words(words) => words.len() as u64,
        Items::Chosen(lines) => lines.len() as u64,
        Items::Numbers(_) | Items::Lines(_) => 0,
    });
    // Not before the input has been read: it may be the same file.
    let mut file = args.value(OUTPUT).map(Output::create).transpose()?;
    let output = file.as_mut().unwrap_or(&mut env.stdout);
    if args.has(REPEAT) {
        if total == 0 && count > 0 {
            return Err(Error::new("no lines to repeat"));
        }
        for _ in 0..count {
            let at = random.below(total)?;
            print(output, &items, starts.as_ref().map_or(at, |starts| starts[at as usize]), end)?;
        }
    } else {
        let mut deck = Deck::new(total, count, starts)?;
        let count = total.min(count);
        let mut batch = [0; 64];
        for first in (0..count).step_by(batch.len()) {
            let batch = &mut batch[..(count - first).min(64) as usize];
            for (slot, drawn) in batch.iter_mut().zip(first..) {
                *slot = deck.draw(drawn, &mut random)?;
            }
            if let Items::Lines(text) = &items {
                // Each line is a miss of the cache; looked at together, they are waited for together.
                core::hint::black_box(batch.iter().fold(0, |sum, &at| sum ^ text[at as usize]));
            }
            for &mut at in batch {
                print(output, &items, at, end)?;
            }
        }
    }
    output.flush()?;
    Ok(ExitStatus::SUCCESS)
}

/// The first number of a range and how many there are.
fn parse_range(word: &[u8]) -> Result<(u64, u64)> {
    let parsed = split_once(word, b'-').and_then(|(low, high)| {
        let (low, high) = (parse_decimal(low)?, parse_decimal(high)?);
        // As in GNU, a range may be empty by one.
        Some((low, high.checked_add(1)?.checked_sub(low)?))
    });
    parsed.ok_or_else(|| Error::parts(&[b"bad range '", word, b"'"]))
}

fn read_lines(input: &mut Input, end: u8) -> Result<Vec<u8>> {
    let mut text = input.read_to_end()?;
    if text.last().is_some_and(|&last| last != end) {
        append(&mut text, &[end])?;
    }
    Ok(text)
}

fn starts_of_lines(text: &[u8], end: u8) -> Result<Vec<u64>> {
    let mut starts = Vec::new();
    try_reserve(&mut starts, find_bytes(end, text).count()).map_err(|_| Error::out_of_memory())?;
    let mut start = 0;
    for at in find_bytes(end, text) {
        starts.push(start);
        start = at as u64 + 1;
    }
    Ok(starts)
}

/// `count` lines of a long input, each as likely as the next (Vitter's algorithm R).
fn choose(input: &mut Input, end: u8, count: u64, random: &mut Random) -> Result<Vec<Vec<u8>>> {
    let (mut chosen, mut seen): (Vec<Vec<u8>>, u64) = (Vec::new(), 0);
    let mut state = random.below(u64::MAX)?;
    while let Some(line) = input.record(end)? {
        let line = line.strip_suffix(&[end]).unwrap_or(line);
        seen += 1;
        let slot = if seen <= count { seen - 1 } else { mix(&mut state, seen) };
        if slot < chosen.len() as u64 {
            chosen[slot as usize].clear();
            append(&mut chosen[slot as usize], line)?;
        } else if slot < count {
            try_reserve(&mut chosen, 1).map_err(|_| Error::out_of_memory())?;
            let mut copy = Vec::new();
            append(&mut copy, line)?;
            chosen.push(copy);
        }
    }
    Ok(chosen)
}

/// A number below `limit`, as likely as the next up to one in 2^64 parts of it: Steele's SplitMix64, for a draw a line.
fn mix(state: &mut u64, limit: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut number = *state;
    number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((u128::from(number ^ number >> 31) * u128::from(limit)) >> 64) as u64
}

fn print(output: &mut Output, items: &Items<'_>, at: u64, end: u8) -> Result<()> {
    match items {
        Items::Numbers(low) => output.write_number(low + at)?,
        Items::Words(words) => output.write(words[at as usize])?,
        Items::Chosen(lines) => output.write(&lines[at as usize])?,
        Items::Lines(text) => {
            let line = &text[at as usize..];
            return output.write(&line[..=find_byte(end, line).unwrap_or(line.len() - 1)]);
        }
    }
    output.push(end)
}

/// Numbers, those from 0 on or others, to be drawn at random (Fisher and Yates).
enum Deck {
    /// In the order in which they are left.
    All(Vec<u64>, u64),
    /// Those that are not where they began, where few of many are drawn.
    Moved(BTreeMap<u64, u64>, u64),
}

impl Deck {
    fn new(total: u64, count: u64, numbers: Option<Vec<u64>>) -> Result<Self> {
        if let Some(numbers) = numbers {
            return Ok(Self::All(numbers, total));
        }
        if count < total / 16 {
            return Ok(Self::Moved(BTreeMap::new(), total));
        }
        let mut all = Vec::new();
        let size = usize::try_from(total).map_err(|_| Error::out_of_memory())?;
        try_reserve(&mut all, size).map_err(|_| Error::out_of_memory())?;
        all.extend(0..total);
        Ok(Self::All(all, total))
    }

    /// The next one, after `drawn` others.
    fn draw(&mut self, drawn: u64, random: &mut Random) -> Result<u64> {
        let (Self::All(_, total) | Self::Moved(_, total)) = self;
        let other = drawn + random.below(*total - drawn)?;
        Ok(match self {
            Self::All(all, _) => {
                all.swap(drawn as usize, other as usize);
                all[drawn as usize]
            }
            Self::Moved(moved, _) => {
                let own = moved.remove(&drawn).unwrap_or(drawn);
                if other == drawn { own } else { moved.insert(other, own).unwrap_or(other) }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::{APPLET, Deck, Random};

    fn sorted(words: &[&str], stdin: &[u8]) -> Vec<String> {
        let ran = try_call(APPLET, words, stdin);
        let mut lines: Vec<String> = ran.stdout.lines().map(str::to_string).collect();
        lines.sort();
        lines
    }

    #[test]
    fn nothing_is_lost_or_doubled() {
        assert_eq!(sorted(&["shuf"], b"b\na\nc"), ["a", "b", "c"]);
        assert_eq!(sorted(&["shuf", "-e", "x", "y\ny"], b""), ["x", "y", "y"]);
        assert_eq!(sorted(&["shuf", "-i", "8-11"], b""), ["10", "11", "8", "9"]);
    }

    #[test]
    fn few_of_many_are_drawn_without_memory() {
        let mut random = Random::open(None).expect("the kernel");
        let mut deck = Deck::new(1 << 60, 1000, None).expect("a deck");
        let mut drawn: Vec<u64> = (0..1000).map(|at| deck.draw(at, &mut random).expect("a number")).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 1000);
    }

    #[test]
    fn counts_and_ranges_are_checked() {
        assert_eq!(try_call(APPLET, &["shuf", "-n", "2", "-r", "-e", "a"], b"").stdout, "a\na\n");
        assert_eq!(try_call(APPLET, &["shuf", "-r"], b"").stderr, "shuf: no lines to repeat\n");
        for range in ["3-1", "5", "-3", "1-x", "0-18446744073709551615"] {
            let ran = try_call(APPLET, &["shuf", "-i", range], b"");
            assert_eq!((ran.status, ran.stderr), (1, format!("shuf: bad range '{range}'\n")));
        }
    }
}
