//! The counters of the whole machine: /proc/stat, /proc/meminfo, and the tables of interrupts (proc(5)).

use super::read_path;
use crate::error::Result;
use crate::number::parse_decimal;
use crate::sys::system::uname;
use crate::time::{self, Moment, Zone};
use crate::{bytes, text};

/// Ticks that CPUs spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice; what an old kernel lacks is 0.
    pub times: [u64; 10],
}

/// Indexes of [`Cpu::times`].
#[allow(missing_docs, reason = "proc(5) has them")]
mod index {
    pub const USER: usize = 0;
    pub const NICE: usize = 1;
    pub const SYSTEM: usize = 2;
    pub const IDLE: usize = 3;
    pub const IOWAIT: usize = 4;
    pub const IRQ: usize = 5;
    pub const SOFTIRQ: usize = 6;
    pub const STEAL: usize = 7;
    pub const GUEST: usize = 8;
}

pub use index::{GUEST, IDLE, IOWAIT, IRQ, NICE, SOFTIRQ, STEAL, SYSTEM, USER};

impl Cpu {
    /// All ticks; those of guests are among user's and nice's.
    pub fn total(&self) -> u64 {
        self.times[..GUEST].iter().fold(0, |sum, time| sum.wrapping_add(*time))
    }

    /// What was spent since `before`. A counter that went back, as iowait may, has spent nothing.
    pub fn since(&self, before: &Self) -> Self {
        Self { times: core::array::from_fn(|index| self.times[index].saturating_sub(before.times[index])) }
    }
}

/// /proc/stat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The sum of all CPUs.
    pub all: Cpu,
    /// Each CPU that is on, with its number.
    pub cpus: Vec<(u64, Cpu)>,
    /// All interrupts since the start, and each one by its number.
    pub interrupts: Vec<u64>,
    /// Changes of context since the start.
    pub switches: u64,
    /// Processes and threads made since the start.
    pub forks: u64,
}

impl Counters {
    /// Reads the text of /proc/stat. Lines that are not known are left out.
    pub fn parse(text: &[u8]) -> Self {
        let mut counters = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            let mut words = bytes::words(line);
            let Some(name) = words.next() else { continue };
            let mut numbers = words.map_while(parse_decimal);
            match name {
                b"intr" => counters.interrupts = numbers.collect(),
                b"ctxt" => counters.switches = numbers.next().unwrap_or(0),
                b"processes" => counters.forks = numbers.next().unwrap_or(0),
                _ => {
                    let Some(number) = name.strip_prefix(b"cpu") else { continue };
                    let cpu = Cpu { times: core::array::from_fn(|_| numbers.next().unwrap_or(0)) };
                    match parse_decimal(number) {
                        Some(number) => counters.cpus.push((number, cpu)),
                        None if number.is_empty() => counters.all = cpu,
                        None => {}
                    }
                }
            }
        }
        counters
    }
}

/// The kilobytes of a line of /proc/meminfo, such as `MemTotal:`; 0 when there is none.
pub fn kilobytes(text: &[u8], name: &str) -> u64 {
    let line = text.split(|&byte| byte == b'\n').find(|line| line.starts_with(name.as_bytes()));
    line.and_then(|line| parse_decimal(bytes::words(line).nth(1)?)).unwrap_or(0)
}

/// One line of /proc/interrupts or /proc/softirqs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// `0`, `NMI`, `TIMER`.
    pub name: Vec<u8>,
    /// How often it came, on each CPU that is on.
    pub counts: Vec<u64>,
    /// What the rest of the line says: controller and devices.
    pub description: Vec<u8>,
}

/// The table of /proc/interrupts or /proc/softirqs: the numbers of the CPUs, and a line for each source.
pub fn sources(text: &[u8]) -> (Vec<u64>, Vec<Source>) {
    let mut lines = text.split(|&byte| byte == b'\n');
    let number = |word: &'_ [u8]| parse_decimal(word.strip_prefix(b"CPU")?);
    let cpus: Vec<u64> = bytes::words(lines.next().unwrap_or_default()).filter_map(number).collect();
    let source = |line: &'_ [u8]| {
        let (name, rest) = bytes::split_once(line, b':')?;
        let words: Vec<&[u8]> = bytes::words(rest).collect();
        let counts: Vec<u64> = words.iter().take(cpus.len()).map_while(|word| parse_decimal(word)).collect();
        let description = words[counts.len()..].join(&b' ');
        Some(Source { name: name.trim_ascii().to_vec(), counts, description })
    };
    let found = lines.filter_map(source).collect();
    (cpus, found)
}

/// The line before the reports of iostat(1) and mpstat(1): the kernel, the host, the date, the processor, the number of CPUs.
pub fn banner(zone: &Zone) -> Result<Vec<u8>> {
    let (names, cpus) = (uname(), Counters::parse(&read_path(b"/proc/stat")?).cpus.len());
    Ok(text!(
        names.sysname().to_bytes(),
        " ",
        names.release().to_bytes(),
        " (",
        names.nodename().to_bytes(),
        ") \t",
        time::format(b"%m/%d/%y", Moment::now(), zone),
        " \t_",
        names.machine().to_bytes(),
        "_\t(",
        cpus,
        " CPU)\n"
    ))
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let counters = Counters::parse(data);
    counters.all.since(&Cpu::default()).total();
    kilobytes(data, "MemTotal:");
    let (cpus, found) = sources(data);
    assert!(found.iter().all(|source| source.counts.len() <= cpus.len()));
    super::Process::parse(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_a_line_each() {
        let text = b"cpu  10 1 5 80 2 1 1 0 0 0\ncpu0 4 0 2 40\ncpu3 6 1 3 40 2 1 1 0 0 0\nintr 99 7 0 5\nctxt 1234\nbtime 1\nprocesses 55\n";
        let counters = Counters::parse(text);
        assert_eq!((counters.all.total(), counters.all.times[IDLE]), (100, 80));
        assert_eq!(
            counters.cpus.iter().map(|(number, cpu)| (*number, cpu.total())).collect::<Vec<_>>(),
            [(0, 46), (3, 54)]
        );
        assert_eq!((counters.interrupts, counters.switches, counters.forks), (vec![99, 7, 0, 5], 1234, 55));
        assert_eq!(Counters::parse(b"cpu x\ncpuz 1\n\n"), Counters::default());
    }

    #[test]
    fn a_counter_that_goes_back_has_spent_nothing() {
        let (mut before, mut now) = (Cpu::default(), Cpu::default());
        (before.times[IOWAIT], now.times[IOWAIT], now.times[USER]) = (5, 3, 7);
        assert_eq!(now.since(&before).total(), 7);
    }

    #[test]
    fn tables_of_interrupts_are_read() {
        let (cpus, found) =
            sources(b"           CPU0       CPU2\n  0:  37  0  IO-APIC 2-edge timer\nNMI: 1 2 Non-maskable\nERR: 5\n");
        assert_eq!(cpus, [0, 2]);
        assert_eq!(
            (found[0].name.as_slice(), found[0].description.as_slice()),
            (&b"0"[..], &b"IO-APIC 2-edge timer"[..])
        );
        assert_eq!((found[1].counts.as_slice(), found[2].counts.as_slice()), (&[1, 2][..], &[5][..]));
        assert_eq!(kilobytes(b"MemTotal:   24 kB\nMemFree: 7 kB\n", "MemFree:"), 7);
    }
}
