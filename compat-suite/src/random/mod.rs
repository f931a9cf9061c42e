//! Generated programs: runs the same seeds in rbox and in other programs, and reports what differs.
//!
//! `tools.rs` compares sed, awk, diff and patch, bc and dc with GNU's and BusyBox's. This file compares the shell with BusyBox's: one
//! shell runs a hundred scripts, each in a subshell and a directory of its own, so that a script costs a fork and not the start of a
//! program. Standard output, status and messages are compared. If a batch differs, its scripts run again one by one. Unequal
//! results that do not count as a difference are counted by their reason.

mod awk;
mod bc;
mod dc;
mod diff;
mod sed;
mod sh;
mod tools;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How many scripts share a process.
const BATCH: u64 = 100;
/// How long a batch may take, in seconds: a script that hangs is a difference.
const LIMIT: &str = "20";
/// How many more times a script runs that differs and in which two commands run at the same time.
const TRIES: usize = 3;
/// How many batches run at once.
const WORKERS: usize = 2;

/// Random numbers from a seed: the same on every machine.
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One of the texts.
    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Runs `count` programs from `seed` on; false when some differ.
pub fn compare(language: &str, seed: u64, count: u64, rbox: &Path, busybox: &Path) -> Result<bool, String> {
    if language != "sh" {
        return tools::compare(language, seed, count, rbox, busybox);
    }
    let scratch = std::env::temp_dir().join(format!("compat-random.{}", std::process::id()));
    let shells = [link(&scratch, "rbox", rbox)?, link(&scratch, "busybox", busybox)?];
    let started = Instant::now();
    let tally = Tally::default();
    let results = in_batches(seed, count, BATCH, |worker, seeds| {
        let bench = Bench { shells: &shells, directory: scratch.join(format!("work{worker}")), tally: &tally };
        bench.compare_each(seeds)
    });
    // The result of the comparison does not depend on it; what cannot be removed stays in the temporary directory.
    let _ = fs::remove_dir_all(&scratch);
    results?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{count} random scripts from seed {seed}: {tally}, {seconds:.1} s");
    Ok(tally.scripts[Reason::Differs as usize].load(Ordering::Relaxed) == 0)
}

/// Calls `work` with the number of a worker and up to `batch` seeds, until all have had their turn; several at once.
fn in_batches(
    seed: u64,
    count: u64,
    batch: u64,
    work: impl Fn(usize, &[u64]) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let (next, work) = (&AtomicU64::new(seed), &work);
    let worker = |worker: usize| -> Result<(), String> {
        loop {
            let at = next.fetch_add(batch, Ordering::Relaxed);
            if at >= seed + count {
                return Ok(());
            }
            let seeds: Vec<u64> = (at..(at + batch).min(seed + count)).collect();
            work(worker, &seeds)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|number| scope.spawn(move || worker(number))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })
}

/// Why a script was not equal at once.
#[derive(Clone, Copy)]
enum Reason {
    Differs,
    /// Equal but for the numbers of lines in messages from backquotes.
    Lines,
    /// Equal once it ran alone.
    Together,
    /// Equal once it ran again: commands that run at the same time had spoken in another order.
    Order,
}

/// How many scripts were not equal at once, by the reason, and how many runs were killed after `LIMIT`.
#[derive(Default)]
struct Tally {
    scripts: [AtomicU64; 4],
    late: AtomicU64,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [differing, lines, together, order] = self.scripts.each_ref().map(|count| count.load(Ordering::Relaxed));
        write!(out, "{differing} differ; {lines} {}, ", Reason::Lines)?;
        write!(out, "{together} {}, {order} {}; ", Reason::Together, Reason::Order)?;
        write!(out, "{} runs took too long", self.late.load(Ordering::Relaxed))
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Reason::Differs => "differs",
            Reason::Lines => "in numbers of lines within backquotes",
            Reason::Together => "only among others",
            Reason::Order => "in the order of pipelines",
        })
    }
}

/// A directory of links through which the shells find what must be their own.
fn link(scratch: &Path, name: &str, program: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let directory = scratch.join(name);
    fs::create_dir_all(&directory).map_err(failed)?;
    for name in ["sh", "cat", "tr"] {
        std::os::unix::fs::symlink(fs::canonicalize(program).map_err(failed)?, directory.join(name)).map_err(failed)?;
    }
    Ok(directory)
}

/// Where one worker runs its scripts.
struct Bench<'a> {
    shells: &'a [PathBuf; 2],
    directory: PathBuf,
    tally: &'a Tally,
}

impl Bench<'_> {
    /// Runs the scripts together, and those that differ then alone. What differs there too is printed.
    fn compare_each(&self, seeds: &[u64]) -> Result<(), String> {
        let together = self.both(seeds)?;
        for &seed in seeds {
            match together.each_ref().map(|output| part(output, seed)) {
                [Some(ours), Some(theirs)] if ours == theirs => {}
                [Some(ours), Some(theirs)] => self.judge_alone(seed, [ours.into(), theirs.into()])?,
                // The shell was killed before it came to this script.
                _ => self.judge_alone(seed, Default::default())?,
            }
        }
        Ok(())
    }

    /// Alone a script is not disturbed by the others, and which of two commands of a pipeline speaks first is luck. But what
    /// was not the same in another order once, or has no such commands, is a difference.
    fn judge_alone(&self, seed: u64, together: [String; 2]) -> Result<(), String> {
        let script = sh::script(seed);
        let comparable = |text: &str| if speaks_in_backquotes(&script) { unnumbered(text) } else { text.to_string() };
        let same = |[ours, theirs]: &[String; 2]| comparable(ours) == comparable(theirs);
        let at_once = runs_at_once(&script);
        let is_luck = |[ours, theirs]: &[String; 2]| at_once && sorted(comparable(ours)) == sorted(comparable(theirs));
        let mut outputs = self.both(&[seed])?;
        let mut lost = Some(together).filter(|together| !same(together) && !is_luck(together));
        let mut reason = Reason::Together;
        for _ in 0..TRIES {
            if at_once && !same(&outputs) {
                let before = std::mem::replace(&mut outputs, self.both(&[seed])?);
                lost = lost.or(Some(before).filter(|before| !is_luck(before)));
                reason = Reason::Order;
            }
        }
        let outputs = lost.unwrap_or(outputs);
        let [ours, theirs] = &outputs;
        if !same(&outputs) {
            reason = Reason::Differs;
            println!("== seed {seed}\n{script}--- rbox\n{ours}--- BusyBox\n{theirs}");
        } else {
            reason = if ours == theirs { reason } else { Reason::Lines };
            println!("seed {seed}: not equal {reason}");
        }
        self.tally.scripts[reason as usize].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn both(&self, seeds: &[u64]) -> Result<[String; 2], String> {
        Ok([self.run(&self.shells[0], seeds)?, self.run(&self.shells[1], seeds)?])
    }

    /// What a shell prints for the scripts of those seeds.
    fn run(&self, links: &Path, seeds: &[u64]) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.directory.display());
        empty(&self.directory).map_err(failed)?;
        let mut whole = String::new();
        for seed in seeds {
            fill(&self.directory.join(seed.to_string())).map_err(failed)?;
            let script = sh::script(*seed).replace('\'', "'\\''");
            whole.push_str(&format!("(cd {seed}; eval '{script}') 2>m; echo \"={seed} $?\"; cat m; echo @\n"));
        }
        let shell = links.join("sh");
        let batch = Batch { shell: &shell, links, limit: LIMIT, variables: &[("LC_ALL", "C")] };
        batch.run(&self.directory, &whole, &self.tally.late).map_err(failed)
    }
}

/// Makes a directory, or makes it anew.
fn empty(directory: &Path) -> std::io::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)
}

/// How a shell runs many programs.
struct Batch<'a> {
    shell: &'a Path,
    /// The first directory of PATH.
    links: &'a Path,
    /// How long it may take, in seconds.
    limit: &'a str,
    /// Variables beside PATH and HOME.
    variables: &'a [(&'a str, &'a str)],
}

impl Batch<'_> {
    /// What the script prints in that directory. One that takes too long is killed with all that it started, and counted in `late`.
    fn run(&self, directory: &Path, script: &str, late: &AtomicU64) -> std::io::Result<String> {
        fs::write(directory.join("all"), script)?;
        let output = Command::new("/usr/bin/timeout")
            .args(["-s", "KILL", self.limit])
            .arg(self.shell)
            .arg("all")
            .current_dir(directory)
            .env_clear()
            .env("HOME", "/home/u")
            .envs(self.variables.iter().copied())
            .env("PATH", format!("{}:/usr/bin:/bin", self.links.display()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()?;
        // 128 and SIGKILL, timeout(1).
        if output.status.code() == Some(137) || output.status.code().is_none() {
            late.fetch_add(1, Ordering::Relaxed);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The files that a script finds.
fn fill(directory: &Path) -> std::io::Result<()> {
    fs::create_dir(directory)?;
    fs::create_dir(directory.join("d"))?;
    for name in ["a.c", "ab", "b c", ".h", "d/e", "d/f g"] {
        fs::write(directory.join(name), "")?;
    }
    fs::write(directory.join("lib"), "echo lib $#; x=lib; return 3\necho no\n")
}

/// What a batch printed for the script of one seed: the text up to and with its messages.
fn part(whole: &str, seed: u64) -> Option<&str> {
    let start = whole.find(&format!("={seed} "))?;
    let end = start + whole[start..].find("\n@")?;
    let before = whole[..start].rfind("\n@\n").map_or(0, |at| at + 3);
    Some(&whole[before..end])
}

/// Whether commands run at the same time in the script: which of them speaks first is luck.
fn runs_at_once(script: &str) -> bool {
    script.contains(" | ") || script.contains(" & wait")
}

/// Whether commands in backquotes, or ones that `eval` and `.` read from a value, may print a message. The other commands that
/// the grammar has in backquotes print none.
fn speaks_in_backquotes(script: &str) -> bool {
    script.contains(" y=`") || script.contains("`a`") && (script.contains("eval \"") || script.contains(">l"))
}

/// The text without the numbers of lines: BusyBox counts the lines within backquotes from that of the command that ran before.
fn unnumbered(text: &str) -> String {
    let mut parts = text.split(": line ");
    let mut cleaned = parts.next().unwrap_or_default().to_string();
    for part in parts {
        cleaned.push_str(": line ");
        cleaned.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    cleaned
}

/// The bytes of a text, whatever their order.
fn sorted(text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.sort_unstable();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_lines_are_left_out() {
        assert_eq!(unnumbered("a: line 12: x\n"), "a: line : x\n");
    }

    #[test]
    fn only_some_backquotes_speak() {
        assert!(speaks_in_backquotes("x=$( :) y=`nope`\n") && speaks_in_backquotes("x='`a`'; eval \"echo $x\"\n"));
        assert!(!speaks_in_backquotes("echo `echo $x`; eval \"echo $x\"\n"));
    }

    #[test]
    fn only_what_runs_at_once_is_asked_again() {
        assert!(runs_at_once("a | b\n") && runs_at_once("a & wait $!\n"));
        assert!(!runs_at_once("a || b && c 2>&1; case a in a|b) :; esac\n"));
    }

    #[test]
    fn a_seed_gives_the_same_script_each_time() {
        assert_eq!(sh::script(7), sh::script(7));
        assert_ne!(sh::script(7), sh::script(8));
    }
}
