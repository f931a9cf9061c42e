//! Generated programs: the same seeds in BusyBox and in rbox, and what differs.
//!
//! A hundred scripts run in one shell, each in a subshell and a folder of its own, so that the cost is that of a fork and not of
//! a program. Standard output, the status and the messages are compared. Scripts of a hundred that differ are run again one
//! by one.

mod sh;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How many scripts share a process.
const BATCH: u64 = 100;
/// How long a batch may take, in seconds: a script that hangs is a difference.
const LIMIT: &str = "20";
/// How often more a script that differs is asked.
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

/// Runs `count` scripts from `seed` on in both shells; false when some differ.
pub fn compare(language: &str, seed: u64, count: u64, rbox: &Path, busybox: &Path) -> Result<bool, String> {
    if language != "sh" {
        return Err(format!("{language}: only sh can be generated"));
    }
    let scratch = std::env::temp_dir().join(format!("compat-random.{}", std::process::id()));
    let shells = [link(&scratch, "rbox", rbox)?, link(&scratch, "busybox", busybox)?];
    let started = Instant::now();
    let (differing, next) = (AtomicU64::new(0), AtomicU64::new(seed));
    let work = |worker: usize| -> Result<(), String> {
        let bench = Bench { shells: &shells, folder: scratch.join(format!("work{worker}")) };
        loop {
            let at = next.fetch_add(BATCH, Ordering::Relaxed);
            if at >= seed + count {
                return Ok(());
            }
            let seeds: Vec<u64> = (at..(at + BATCH).min(seed + count)).collect();
            differing.fetch_add(bench.differing(&seeds)?, Ordering::Relaxed);
        }
    };
    let results = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no worker panics")).collect::<Result<Vec<()>, String>>()
    });
    // What is left is in the temporary folder.
    let _ = fs::remove_dir_all(&scratch);
    results?;
    let (differing, seconds) = (differing.into_inner(), started.elapsed().as_secs_f64());
    println!("{count} random scripts from seed {seed}: {differing} differ, {seconds:.1} s");
    Ok(differing == 0)
}

/// A folder of links through which the shells find what must be their own.
fn link(scratch: &Path, name: &str, program: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let folder = scratch.join(name);
    fs::create_dir_all(&folder).map_err(failed)?;
    for name in ["sh", "cat", "tr"] {
        std::os::unix::fs::symlink(fs::canonicalize(program).map_err(failed)?, folder.join(name)).map_err(failed)?;
    }
    Ok(folder)
}

/// Where one worker runs its scripts.
struct Bench<'a> {
    shells: &'a [PathBuf; 2],
    folder: PathBuf,
}

impl Bench<'_> {
    /// How many of the scripts differ; they are printed.
    fn differing(&self, seeds: &[u64]) -> Result<u64, String> {
        let mut differing = 0;
        let [ours, theirs] = self.both(seeds)?;
        for &seed in seeds {
            let script = sh::script(seed);
            let same = |ours: Option<&str>, theirs: Option<&str>| match (ours, theirs) {
                (Some(ours), Some(theirs)) => comparable(ours, &script) == comparable(theirs, &script),
                _ => false,
            };
            if same(part(&ours, seed), part(&theirs, seed)) {
                continue;
            }
            // Alone a script is not disturbed by the others, and which of two commands of a pipeline speaks first is luck.
            let mut outputs = self.both(&[seed])?;
            for _ in 0..TRIES {
                if !same(Some(&outputs[0]), Some(&outputs[1])) {
                    outputs = self.both(&[seed])?;
                }
            }
            let [ours, theirs] = outputs;
            if !same(Some(&ours), Some(&theirs)) {
                differing += 1;
                println!("== seed {seed}\n{script}--- rbox\n{ours}--- BusyBox\n{theirs}");
            }
        }
        Ok(differing)
    }

    fn both(&self, seeds: &[u64]) -> Result<[String; 2], String> {
        Ok([self.run(&self.shells[0], seeds)?, self.run(&self.shells[1], seeds)?])
    }

    /// What a shell prints for the scripts of those seeds.
    fn run(&self, links: &Path, seeds: &[u64]) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.folder.display());
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(failed)?;
        }
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut whole = String::new();
        for seed in seeds {
            fill(&self.folder.join(seed.to_string())).map_err(failed)?;
            let script = sh::script(*seed).replace('\'', "'\\''");
            whole.push_str(&format!("(cd {seed}; eval '{script}') 2>m; echo \"={seed} $?\"; cat m; echo @\n"));
        }
        fs::write(self.folder.join("all"), whole).map_err(failed)?;
        // A batch that takes too long is killed with all that it started.
        let output = Command::new("/usr/bin/timeout")
            .args(["-s", "KILL", LIMIT])
            .arg(links.join("sh"))
            .arg("all")
            .current_dir(&self.folder)
            .env_clear()
            .envs([("HOME", "/home/u"), ("LC_ALL", "C")])
            .env("PATH", format!("{}:/usr/bin:/bin", links.display()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(failed)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The files that a script finds.
fn fill(place: &Path) -> std::io::Result<()> {
    fs::create_dir(place)?;
    fs::create_dir(place.join("d"))?;
    for name in ["a.c", "ab", "b c", ".h", "d/e", "d/f g"] {
        fs::write(place.join(name), "")?;
    }
    fs::write(place.join("lib"), "echo lib $#; x=lib; return 3\necho no\n")
}

/// What a batch printed for the script of one seed: the text up to and with its messages.
fn part(whole: &str, seed: u64) -> Option<&str> {
    let start = whole.find(&format!("={seed} "))?;
    let end = start + whole[start..].find("\n@")?;
    let before = whole[..start].rfind("\n@\n").map_or(0, |at| at + 3);
    Some(&whole[before..end])
}

/// The text without the numbers of lines, if there are backquotes in the script: BusyBox counts the lines within from that of
/// the command that ran before.
fn comparable(text: &str, script: &str) -> String {
    let mut kept = text.to_string();
    if script.contains('`') {
        let mut pieces = text.split(": line ");
        kept = pieces.next().unwrap_or_default().to_string();
        for piece in pieces {
            kept.push_str(": line ");
            kept.push_str(piece.trim_start_matches(|digit: char| digit.is_ascii_digit()));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_backquotes_do_not_count() {
        assert_eq!(comparable("a: line 12: x\n", "`x`"), "a: line : x\n");
        assert_eq!(comparable("a: line 12: x\n", "x"), "a: line 12: x\n");
    }

    #[test]
    fn a_seed_gives_the_same_script_each_time() {
        assert_eq!(sh::script(7), sh::script(7));
        assert_ne!(sh::script(7), sh::script(8));
    }
}
