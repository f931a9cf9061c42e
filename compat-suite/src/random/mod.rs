//! Generated programs: the same seeds in BusyBox and in rbox, and what differs.
//!
//! A hundred scripts run in one shell, each in a subshell and a folder of its own, so that the cost is that of a fork and not of
//! a program. Standard output, the status, and whether there was a message are compared. Scripts of a hundred that differ are
//! run again one by one.

mod sh;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many scripts share a process.
const BATCH: u64 = 100;
/// How long a batch may take: a script that hangs is a difference.
const LIMIT: Duration = Duration::from_secs(5);

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
    let mut differing = 0;
    let mut at = seed;
    while at < seed + count {
        let seeds: Vec<u64> = (at..(at + BATCH).min(seed + count)).collect();
        at += BATCH;
        let (ours, theirs) = (run(&shells[0], &scratch, &seeds)?, run(&shells[1], &scratch, &seeds)?);
        // Alone a script is not disturbed by the others: only then it counts.
        for one in seeds.into_iter().filter(|seed| part(&ours, *seed) != part(&theirs, *seed)) {
            let (ours, theirs) = (run(&shells[0], &scratch, &[one])?, run(&shells[1], &scratch, &[one])?);
            if ours != theirs {
                differing += 1;
                println!("== seed {one}\n{}--- rbox\n{ours}--- BusyBox\n{theirs}", sh::script(one));
            }
        }
    }
    // What is left is in the temporary folder.
    let _ = fs::remove_dir_all(&scratch);
    let seconds = started.elapsed().as_secs_f64();
    println!("{count} random scripts from seed {seed}: {differing} differ, {seconds:.1} s");
    Ok(differing == 0)
}

fn link(scratch: &Path, name: &str, program: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let folder = scratch.join(name);
    fs::create_dir_all(&folder).map_err(failed)?;
    let path = folder.join("sh");
    std::os::unix::fs::symlink(fs::canonicalize(program).map_err(failed)?, &path).map_err(failed)?;
    Ok(path)
}

/// What a batch printed for the script of one seed: the text up to and with the line of its status.
fn part(whole: &str, seed: u64) -> Option<&str> {
    let start = whole.find(&format!("={seed} "))?;
    let end = start + whole[start..].find("\n@")?;
    let before = whole[..start].rfind("\n@\n").map_or(0, |at| at + 3);
    Some(&whole[before..end])
}

/// What a shell prints for the scripts of those seeds.
fn run(shell: &Path, scratch: &Path, seeds: &[u64]) -> Result<String, String> {
    let folder = scratch.join("work");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut whole = String::new();
    for seed in seeds {
        let place = folder.join(seed.to_string());
        fs::create_dir(&place).map_err(failed)?;
        for name in ["a.c", "ab", "b c", ".h"] {
            fs::write(place.join(name), "").map_err(failed)?;
        }
        let script = sh::script(*seed).replace('\'', "'\\''");
        whole.push_str(&format!(
            "(cd {seed}; eval '{script}') 2>m; echo \"={seed} $?\"; test ! -s m || echo message; echo @\n"
        ));
    }
    fs::write(folder.join("all"), whole).map_err(failed)?;
    let mut child = Command::new(shell)
        .arg("all")
        .current_dir(&folder)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("HOME", "/home/u"), ("LC_ALL", "C")])
        .stdin(Stdio::null())
        .stdout(fs::File::create(folder.join("out")).map_err(failed)?)
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let started = Instant::now();
    while child.try_wait().map_err(failed)?.is_none() {
        if started.elapsed() > LIMIT {
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            return Ok(format!("still running after {} s\n", LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let out = fs::read(folder.join("out")).map_err(failed)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_script_each_time() {
        assert_eq!(sh::script(7), sh::script(7));
        assert_ne!(sh::script(7), sh::script(8));
    }
}
