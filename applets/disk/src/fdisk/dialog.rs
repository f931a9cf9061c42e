//! The dialog: prompts, numbers, and the commands of the main menu.

use super::{Disk, Label, kinds};
use rbox_core::block::dos::Entry;
use rbox_core::block::gpt::guid_text;
use rbox_core::block::{Dos, Gpt, get};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text::Right;
use rbox_core::{push, text};

const MENU: &str = "Command Action
a	toggle a bootable flag
b	print the bsd disklabel
c	toggle the dos compatibility flag
d	delete a partition
g	create a new empty GPT
l	list known partition types
m	print this menu
n	add a new partition
o	create a new empty DOS partition table
p	print the partition table
q	quit without saving changes
t	change a partition's system id
u	change display/entry units
v	verify the partition table
w	write table to disk and exit
x	extra functionality (experts only)
";

/// What ends a dialog without an error: nothing more is typed.
fn end() -> Error {
    Error::silent(ExitStatus::SUCCESS)
}

/// Prompts and reads a line, without blanks around it. The end of the input ends the applet.
pub fn ask(env: &mut Env, prompt: &[u8]) -> Result<Vec<u8>> {
    env.stdout.write(prompt)?;
    env.stdout.flush()?;
    match env.stdin.line()? {
        Some(line) => Ok(line.trim_ascii().to_vec()),
        None => {
            env.stdout.write(b"\n")?;
            Err(end())
        }
    }
}

/// Asks for a number of a range until there is one; an empty line takes the default.
pub fn ask_number(env: &mut Env, what: &str, low: u64, high: u64, usual: u64) -> Result<u64> {
    loop {
        let line = ask(env, &text!(what, " (", low, "-", high, ", default ", usual, "): "))?;
        match parse_decimal(&line) {
            _ if line.is_empty() => return Ok(usual),
            Some(number) if (low..=high).contains(&number) => return Ok(number),
            _ => env.stdout.write(b"Value is out of range\n")?,
        }
    }
}

/// The sectors of `N`, or of `N` with a suffix, which is a size; true if it has one.
fn span(word: &[u8], sector: u64) -> Option<(u64, bool)> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = parse_decimal(&word[..digits])?;
    let rest = &word[digits..];
    let rest = rest.strip_suffix(b"iB").or_else(|| rest.strip_suffix(b"B")).unwrap_or(rest);
    let shift = match rest.to_ascii_uppercase().as_slice() {
        b"" => return Some((number, false)),
        b"K" => 10,
        b"M" => 20,
        b"G" => 30,
        b"T" => 40,
        b"P" => 50,
        _ => return None,
    };
    Some((number.checked_mul(1 << shift)?.div_ceil(sector), true))
}

impl Disk {
    /// Asks for a first sector, or, with the first one, for a last one: a number, `+SIZE` from the first one on, `-SIZE` from
    /// the end.
    pub fn ask_sector(&self, env: &mut Env, first: Option<u64>, low: u64, high: u64, usual: u64) -> Result<u64> {
        let (unit, is_last) = (self.unit(), first.is_some());
        let shift = u64::from(self.in_cylinders);
        let shown = |sector: u64| sector / unit + shift;
        let name = if self.in_cylinders { "cylinder" } else { "sector" };
        let mut prompt = match first {
            None => text!("First ", name),
            Some(_) => text!("Last ", name, " or +size{,K,M,G,T}"),
        };
        push!(prompt, " (", shown(low), "-", shown(high), ", default ", shown(usual), "): ");
        loop {
            let line = ask(env, &prompt)?;
            if line.is_empty() {
                env.stdout.write(&text!("Using default value ", shown(usual), "\n"))?;
                return Ok(usual);
            }
            let value = match line[0] {
                b'+' => span(&line[1..], self.sector).and_then(|(number, is_size)| {
                    let count = if is_size { number } else { number.checked_mul(unit)? };
                    // `+N` without a suffix is added to the first sector, as every fdisk does.
                    let before = u64::from(is_last && (is_size || self.in_cylinders));
                    first.unwrap_or(low).checked_add(count)?.checked_sub(before)
                }),
                b'-' => span(&line[1..], self.sector).and_then(|(number, is_size)| {
                    high.checked_sub(if is_size { number } else { number.checked_mul(unit)? })
                }),
                _ if is_last => parse_decimal(&line)
                    .and_then(|number| number.checked_mul(unit))
                    .map(|sector| sector.saturating_sub(shift)),
                _ => parse_decimal(&line).and_then(|number| number.checked_sub(shift)?.checked_mul(unit)),
            };
            match value {
                Some(sector) if (low..=high).contains(&sector) => return Ok(sector),
                // A cylinder of which only a part is free.
                Some(sector) if shown(sector) == shown(low) => return Ok(low),
                Some(sector) if self.in_cylinders && shown(sector) == shown(high) => return Ok(high),
                _ => env.stdout.write(b"Value is out of range\n")?,
            }
        }
    }

    /// Asks which of the partitions is meant; the only one is not asked for. `None` if there is none.
    pub fn ask_partition(&self, env: &mut Env) -> Result<Option<usize>> {
        let (count, used) = match &self.label {
            Label::Dos(table) => (table.count(), indexes(table.count(), |index| table.entry(index).is_used())),
            Label::Gpt(table) => (table.count(), indexes(table.count(), |index| table.entry(index).is_used())),
        };
        match used[..] {
            [] => {
                env.stdout.write(b"No partition is defined yet!\n")?;
                Ok(None)
            }
            [only] => {
                env.stdout.write(&text!("Selected partition ", only + 1, "\n"))?;
                Ok(Some(only))
            }
            [.., last] => loop {
                let number = ask_number(env, "Partition number", 1, count as u64, last as u64 + 1)? as usize;
                if used.contains(&(number - 1)) {
                    return Ok(Some(number - 1));
                }
                env.stdout.write(&text!("Partition ", number, " is not defined\n"))?;
            },
        }
    }

    /// Executes commands until `q`, `w` or the end of the input.
    pub fn talk(&mut self, env: &mut Env) -> Outcome {
        loop {
            let line = ask(env, b"\nCommand (m for help): ")?;
            let Some(&command) = line.first() else { continue };
            match command {
                b'q' => return Ok(ExitStatus::SUCCESS),
                b'w' => {
                    self.save(env)?;
                    return Ok(ExitStatus::SUCCESS);
                }
                b'x' => {
                    if self.talk_to_expert(env)? {
                        return Ok(ExitStatus::SUCCESS);
                    }
                }
                _ => match self.execute(env, &line) {
                    Err(error) if !error.is_output() && !error.message().is_empty() => env.report(&error),
                    result => result?,
                },
            }
        }
    }

    fn execute(&mut self, env: &mut Env, line: &[u8]) -> Result<()> {
        let is_gpt = matches!(self.label, Label::Gpt(_));
        match line[0] {
            b'm' => env.stdout.write(MENU.as_bytes()),
            b'a' if is_gpt => self.toggle_gpt_boot(env),
            b'a' => self.toggle_dos_boot(env),
            b'b' => self.print_bsd(env),
            b'c' => {
                self.by_tracks = !self.by_tracks;
                let state: &[u8] = if self.by_tracks { b"set" } else { b"not set" };
                env.stdout.write(&text!("DOS Compatibility flag is ", state, "\n"))
            }
            b'd' if is_gpt => self.delete_gpt(env),
            b'd' => self.delete_dos(env),
            b'g' => {
                let table = Gpt::new(self.sector, self.total)?;
                let line = text!("Created a new GPT disklabel (GUID: ", guid_text(&table.guid), ").\n");
                (self.label, self.changed) = (Label::Gpt(table), true);
                env.stdout.write(&line)
            }
            b'l' if is_gpt => env.stdout.write(&kinds::gpt_list()),
            b'l' => env.stdout.write(&kinds::dos_list()),
            b'n' if is_gpt => self.add_gpt(env),
            b'n' => self.add_dos(env),
            b'o' => self.new_dos(env),
            b'p' => self.print(env),
            b't' if is_gpt => self.change_gpt_type(env),
            b't' => self.change_dos_type(env),
            b'u' => {
                self.in_cylinders = !self.in_cylinders;
                let unit = if self.in_cylinders { "cylinders" } else { "sectors" };
                env.stdout.write(&text!("Changing display/entry units to ", unit, "\n"))
            }
            b'v' => self.verify(env),
            _ => env.stdout.write(&text!(line, ": unknown command\n", MENU)),
        }
    }

    /// An empty table with a random signature.
    pub fn new_dos(&mut self, env: &mut Env) -> Result<()> {
        let id = rbox_core::random::Random::open(None)?.below(u64::from(u32::MAX))? as u32 + 1;
        let primary = [Entry::default(); 4];
        self.label = Label::Dos(Dos { id, primary, logical: Vec::new(), damage: None, chain_changed: false });
        self.changed = true;
        env.stdout.write(
            b"Building a new DOS disklabel. Changes will remain in memory only,
until you decide to write them. After that the previous content
won't be recoverable.\n\n",
        )
    }

    /// The command `w`.
    pub fn save(&mut self, env: &mut Env) -> Result<()> {
        let is_damaged = match &self.label {
            Label::Gpt(table) => table.copies != (true, true),
            Label::Dos(table) => {
                if table.damage.is_some() && table.chain_changed {
                    env.report(&self.image.error("the damaged chain of logical partitions is written anew"));
                }
                false
            }
        };
        if self.changed || !self.is_there || is_damaged {
            return self.write(env);
        }
        env.stdout.write(b"The partition table has not been changed; nothing is written.\n")
    }

    /// Reports what overlaps, and what is not on the disk.
    pub fn verify(&self, env: &mut Env) -> Result<()> {
        let (mut ranges, mut inner, mut first) = (Vec::new(), Vec::new(), 0);
        let mut bounds = (1, self.total.saturating_sub(1));
        match &self.label {
            Label::Dos(table) => {
                for index in indexes(table.count(), |index| table.entry(index).is_used()) {
                    let entry = table.entry(index);
                    let part = (entry.start, entry.last(), index);
                    if index < 4 { ranges.push(part) } else { inner.push(part) }
                }
                if let Some(extended) = table.extended() {
                    first = table.primary[extended].start;
                }
            }
            Label::Gpt(table) => {
                bounds = (table.first, table.last);
                for index in indexes(table.count(), |index| table.entry(index).is_used()) {
                    ranges.push((table.entry(index).first(), table.entry(index).last(), index));
                }
            }
        }
        let extended = ranges.iter().find(|range| range.0 == first && first > 0).map(|range| (range.0, range.1));
        let (mut errors, mut lines) = (0u32, Vec::new());
        for (ranges, bounds) in [(&mut ranges, bounds), (&mut inner, extended.unwrap_or(bounds))] {
            ranges.sort_unstable();
            // The partition that reaches furthest so far.
            let mut reach: Option<(u64, usize)> = None;
            for &(start, last, index) in ranges.iter() {
                let (low, high) = bounds;
                if start < low || last > high || last < start {
                    push!(
                        lines,
                        "Partition ",
                        index + 1,
                        ": sectors ",
                        start,
                        "-",
                        last,
                        " are not in ",
                        low,
                        "-",
                        high
                    );
                    lines.push(b'\n');
                    errors += 1;
                }
                if let Some((end, other)) = reach.filter(|(end, _)| start <= *end) {
                    push!(lines, "Partition ", index + 1, ": overlaps partition ", other + 1, ", which ends at ", end);
                    lines.push(b'\n');
                    errors += 1;
                }
                reach = reach.max(Some((last, index)));
            }
        }
        if errors == 0 {
            lines.extend_from_slice(b"No errors detected.\n");
        }
        let taken: u64 =
            ranges.iter().map(|range| range.1.saturating_sub(range.0).saturating_add(1)).fold(0, u64::saturating_add);
        let left = (bounds.1 + 1 - bounds.0).saturating_sub(taken);
        push!(lines, "Remaining ", left, " unallocated ", self.sector, "-byte sectors.\n");
        env.stdout.write(&lines)
    }

    /// The slices of a BSD partition: a label in its second sector (disklabel(5) of FreeBSD).
    fn print_bsd(&self, env: &mut Env) -> Result<()> {
        const MAGIC: u64 = 0x8256_4557;
        let bsd = match &self.label {
            Label::Dos(table) => table.primary.iter().find(|entry| matches!(entry.kind, 0xa5 | 0xa6 | 0xa9)),
            Label::Gpt(_) => None,
        };
        let Some(entry) = bsd else {
            return env.stdout.write(&text!("There is no *BSD partition on ", self.image.path(), "\n"));
        };
        let label = (entry.start + 1).checked_mul(self.sector).and_then(|offset| self.image.part(offset, 512));
        let Some(label) = label.filter(|label| get(label, 0, 4) == MAGIC && get(label, 132, 4) == MAGIC) else {
            return env.stdout.write(&text!("Partition ", entry.start, ": no BSD disklabel\n"));
        };
        let mut lines = text!("#       start       size fstype\n");
        for (slice, name) in label[148..].chunks_exact(16).zip(b'a'..=b'p').take(get(&label, 138, 2) as usize) {
            if get(slice, 0, 4) > 0 {
                push!(lines, &[name], ": ", Right(get(slice, 4, 4), 10, b' '), " ", Right(get(slice, 0, 4), 10, b' '));
                push!(lines, " ", slice[12], "\n");
            }
        }
        env.stdout.write(&lines)
    }
}

/// The indexes below `count` that have a property.
pub fn indexes(count: usize, has: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..count).filter(|&index| has(index)).collect()
}

/// The gap between used ranges, which are sorted, that a sector is in: its first and last sector. `None` if it is used.
pub fn gap(used: &[(u64, u64)], sector: u64, low: u64, high: u64) -> Option<(u64, u64)> {
    let (mut first, mut last) = (low, high);
    for &(start, end) in used {
        if start > sector {
            last = last.min(start - 1);
        } else if end < sector {
            first = first.max(end + 1);
        } else {
            return None;
        }
    }
    (first <= sector && sector <= last).then_some((first, last))
}

/// All gaps between used ranges.
pub fn gaps(used: &[(u64, u64)], low: u64, high: u64) -> Vec<(u64, u64)> {
    let starts = used.iter().map(|range| range.1.saturating_add(1)).chain([low]);
    let mut found: Vec<(u64, u64)> = starts.filter_map(|start| gap(used, start.max(low), low, high)).collect();
    found.sort_unstable();
    found.dedup();
    found
}
