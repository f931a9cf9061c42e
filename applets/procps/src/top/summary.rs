//! The lines above the processes: memory, CPUs, load.

use rbox_core::number::ratio;
use rbox_core::prelude::*;
use rbox_core::processes::machine::{Counters, Cpu, IDLE, IOWAIT, IRQ, NICE, SOFTIRQ, STEAL, SYSTEM, USER, kilobytes};
use rbox_core::processes::read_path;
use rbox_core::text::Right;
use rbox_core::{push, text};

/// What the machine says of itself.
pub struct Summary {
    pub counters: Counters,
    memory: Vec<u8>,
    load: Vec<u8>,
}

impl Summary {
    pub fn read() -> Result<Self> {
        Ok(Self {
            counters: Counters::parse(&read_path(b"/proc/stat")?),
            memory: read_path(b"/proc/meminfo")?,
            load: read_path(b"/proc/loadavg")?,
        })
    }

    /// Kilobytes of a line of /proc/meminfo.
    pub fn kilobytes(&self, name: &str) -> u64 {
        kilobytes(&self.memory, name)
    }

    /// The lines above the display of CPU time.
    pub fn lines(&self, old: &Self, each_cpu: bool) -> Vec<Vec<u8>> {
        let get = |name: &str| self.kilobytes(name);
        let (total, free) = (get("MemTotal:"), get("MemFree:"));
        let mut lines = vec![text!(
            "Mem: ",
            total.saturating_sub(free),
            "K used, ",
            free,
            "K free, ",
            get("Shmem:"),
            "K shrd, ",
            get("Buffers:"),
            "K buff, ",
            get("Cached:"),
            "K cached"
        )];
        if each_cpu {
            for (number, cpu) in &self.counters.cpus {
                let before = old.counters.cpus.iter().find(|(other, _)| other == number).map(|(_, cpu)| *cpu);
                lines.push(cpu_line(&text!("CPU", *number, ":"), &cpu.since(&before.unwrap_or_default())));
            }
        } else {
            lines.push(cpu_line(b"CPU:", &self.counters.all.since(&old.counters.all)));
        }
        lines.push(text!("Load average: ", self.load.trim_ascii_end()));
        lines
    }

    /// The lines above the display of memory.
    pub fn memory_lines(&self) -> Vec<Vec<u8>> {
        // Words and the names of /proc/meminfo, in turn: text has no pointers to relocate.
        let line = |words: &str| {
            let (mut line, mut words) = (Vec::new(), words.split(','));
            while let (Some(word), Some(name)) = (words.next(), words.next()) {
                push!(line, if line.is_empty() { "" } else { " " }, word, ":", self.kilobytes(name));
            }
            line
        };
        vec![
            line("Mem total,MemTotal:,anon,AnonPages:,map,Mapped:,free,MemFree:"),
            line(" slab,Slab:,buf,Buffers:,cache,Cached:,dirty,Dirty:,write,Writeback:"),
            line("Swap total,SwapTotal:,free,SwapFree:"),
        ]
    }
}

fn cpu_line(label: &[u8], spent: &Cpu) -> Vec<u8> {
    let mut line = label.to_vec();
    let kinds = [
        (USER, "usr"),
        (SYSTEM, "sys"),
        (NICE, "nic"),
        (IDLE, "idle"),
        (IOWAIT, "io"),
        (IRQ, "irq"),
        (SOFTIRQ, "sirq"),
        (STEAL, "st"),
    ];
    for (index, name) in kinds {
        // BusyBox has no column for what the host took; it is shown where it took anything.
        if index != STEAL || spent.times[STEAL] > 0 {
            let share = ratio(spent.times[index], 100, spent.total());
            push!(line, " ", Right(share, 3, b' '), "% ", name);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(stat: &[u8]) -> Summary {
        Summary {
            counters: Counters::parse(stat),
            memory: b"MemTotal: 100 kB\nMemFree: 30 kB\nCached: 7 kB\n".to_vec(),
            load: b"0.10 0.20 0.30 1/2 3\n".to_vec(),
        }
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let (old, now) = (summary(b"cpu 0 0 0 0\n"), summary(b"cpu 50 0 25 100 25\ncpu1 1 0 0 1\n"));
        let lines: Vec<String> =
            now.lines(&old, false).iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        assert_eq!(lines[0], "Mem: 70K used, 30K free, 0K shrd, 0K buff, 7K cached");
        assert_eq!(lines[1], "CPU:  25% usr  13% sys   0% nic  50% idle  13% io   0% irq   0% sirq");
        assert_eq!(lines[2], "Load average: 0.10 0.20 0.30 1/2 3");
        assert!(now.lines(&old, true)[1].starts_with(b"CPU1:  50% usr"));
    }
}
