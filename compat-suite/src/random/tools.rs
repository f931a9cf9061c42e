//! Random programs of sed, awk, bc and dc, and random files for diff and patch: rbox beside GNU's tools, mawk and BusyBox.
//!
//! A program is a few lines of shell that run the tool. One shell runs fifty of them for each system, in a directory with the same
//! files; standard output and status are compared, not messages, whose wording is each system's own. A program that differs runs
//! alone, and loses each part without which it still differs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{Batch, awk, bc, dc, diff, empty, in_batches, sed};

/// How long a batch may take, in seconds.
const LIMIT: &str = "60";
/// How many programs share a shell.
const BATCH: u64 = 50;

/// A language of random programs.
pub struct Language {
    /// The systems that run its programs: rbox first.
    pub systems: &'static [System],
    /// The program of a seed.
    pub program: fn(u64) -> Program,
    /// Who must agree with rbox.
    pub votes: Votes,
}

/// Whose results rbox must have.
#[derive(PartialEq, Eq)]
pub enum Votes {
    /// Those of all others.
    All,
    /// Those of most others, and of one at least.
    Most,
    /// Those of most others that succeed, if one does: the others lack something that the program uses.
    MostThatSucceed,
}

/// A system: its name, and the program under the name of each tool. `rbox` and `busybox` are those under test.
pub type System = (&'static str, &'static [(&'static str, &'static str)]);

/// A program as lines of shell: its parts are between `before` and `after`, with `between` after each but the last.
pub struct Program {
    /// What comes before the parts.
    pub before: String,
    /// What can be left out to make it smaller.
    pub parts: Vec<String>,
    /// What separates the parts.
    pub between: &'static str,
    /// What comes after the parts.
    pub after: String,
}

impl Program {
    fn text(&self) -> String {
        format!("{}{}{}", self.before, self.parts.join(self.between), self.after)
    }
}

/// Runs `count` programs from `seed` on; false when some differ.
pub fn compare(name: &str, seed: u64, count: u64, rbox: &Path, busybox: &Path) -> Result<bool, String> {
    let language = match name {
        "sed" => &sed::LANGUAGE,
        "awk" => &awk::LANGUAGE,
        "diff" => &diff::LANGUAGE,
        "bc" => &bc::LANGUAGE,
        "dc" => &dc::LANGUAGE,
        _ => return Err(format!("{name}: only sh, sed, awk, diff, bc and dc can be generated")),
    };
    let scratch = std::env::temp_dir().join(format!("compat-random.{}", std::process::id()));
    let links = language.systems.iter().map(|system| link(&scratch, system, rbox, busybox));
    let links = links.collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let tally = Tally::default();
    let results = in_batches(seed, count, BATCH, |worker, seeds| {
        let bench = Bench { language, links: &links, directory: scratch.join(format!("work{worker}")), tally: &tally };
        bench.compare_each(seeds)
    });
    // The result of the comparison does not depend on it; what cannot be removed stays in the temporary directory.
    let _ = fs::remove_dir_all(&scratch);
    results?;
    let [differing, split, late] = [&tally.differing, &tally.split, &tally.late].map(|n| n.load(Ordering::Relaxed));
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{count} random {name} programs from seed {seed}: {differing} differ; in {split} the others disagree with each other; {late} runs took too long, {seconds:.1} s"
    );
    Ok(differing == 0)
}

/// How many programs differ, in how many the other systems disagree with each other, and how many runs were killed after `LIMIT`.
#[derive(Default)]
struct Tally {
    differing: AtomicU64,
    split: AtomicU64,
    late: AtomicU64,
}

/// A directory of links through which the programs find the tools of a system.
fn link(scratch: &Path, (name, tools): &System, rbox: &Path, busybox: &Path) -> Result<PathBuf, String> {
    let directory = scratch.join(name);
    for (tool, program) in *tools {
        let program = match *program {
            "rbox" => rbox,
            "busybox" => busybox,
            other => Path::new(other),
        };
        let made = fs::create_dir_all(&directory).and_then(|()| fs::canonicalize(program));
        let made = made.and_then(|target| std::os::unix::fs::symlink(target, directory.join(tool)));
        made.map_err(|error| format!("{}: {error}", program.display()))?;
    }
    Ok(directory)
}

/// Where one worker runs its programs.
struct Bench<'a> {
    language: &'static Language,
    links: &'a [PathBuf],
    directory: PathBuf,
    tally: &'a Tally,
}

impl Bench<'_> {
    /// Runs the programs together, and those that differ then alone. What differs there too is printed.
    fn compare_each(&self, seeds: &[u64]) -> Result<(), String> {
        let programs: Vec<Program> = seeds.iter().map(|&seed| (self.language.program)(seed)).collect();
        let texts: Vec<String> = programs.iter().map(Program::text).collect();
        let outputs = self.links.iter().map(|links| self.run(links, &texts)).collect::<Result<Vec<_>, _>>()?;
        for (at, mut program) in programs.into_iter().enumerate() {
            let results: Vec<&str> = outputs.iter().map(|output| part(output, at).unwrap_or_default()).collect();
            let complete = results.iter().all(|result| !result.is_empty());
            self.tally
                .split
                .fetch_add(results[1..].iter().any(|result| *result != results[1]) as u64, Ordering::Relaxed);
            if complete && self.agree(&results) {
                continue;
            }
            if self.differs(&program)? {
                self.tally.differing.fetch_add(1, Ordering::Relaxed);
                self.reduce(&mut program)?;
                self.print(seeds[at], &program)?;
            }
        }
        Ok(())
    }

    /// Whether what rbox prints, the first, is right by the votes of the others.
    fn agree(&self, results: &[&str]) -> bool {
        let (ours, others) = (results[0], &results[1..]);
        let succeeds = |result: &str| result.ends_with("@0") || result.ends_with("status 0\n");
        let any = self.language.votes == Votes::MostThatSucceed && others.iter().any(|result| succeeds(result));
        let counts =
            |result: &str| others.iter().filter(|other| **other == result && (!any || succeeds(other))).count();
        let most = others.iter().map(|other| counts(other)).max().unwrap_or_default();
        match self.language.votes {
            Votes::All => others.iter().all(|other| *other == ours),
            // What the first of the others refuses too has status 1 or 2.
            _ => counts(ours) == most || results[..2].iter().all(|result| refuses(result)),
        }
    }

    fn alone(&self, program: &Program) -> Result<Vec<String>, String> {
        let text = [program.text()];
        let outputs = self.links.iter().map(|links| self.run(links, &text));
        outputs.map(|output| Ok(output?.replace("@@0@", "status "))).collect()
    }

    fn differs(&self, program: &Program) -> Result<bool, String> {
        let results = self.alone(program)?;
        Ok(!self.agree(&results.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// Removes each part without which the program still differs.
    fn reduce(&self, program: &mut Program) -> Result<(), String> {
        for at in (0..program.parts.len()).rev() {
            let part = program.parts.remove(at);
            if !self.differs(program)? {
                program.parts.insert(at, part);
            }
        }
        Ok(())
    }

    fn print(&self, seed: u64, program: &Program) -> Result<(), String> {
        let mut report = format!("== seed {seed}\n{}\n", program.text());
        for ((name, _), result) in self.language.systems.iter().zip(self.alone(program)?) {
            report.push_str(&format!("--- {name}\n{result}"));
        }
        print!("{report}");
        Ok(())
    }

    /// What a system prints for the programs, one after the other.
    fn run(&self, links: &Path, programs: &[String]) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.directory.display());
        empty(&self.directory).map_err(failed)?;
        for (name, contents) in FILES {
            fs::write(self.directory.join(name), contents).map_err(failed)?;
        }
        let mut whole = String::new();
        for (at, program) in programs.iter().enumerate() {
            whole.push_str(&format!("{program}\necho @@{at}@$?\n"));
        }
        let variables = &[("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("VALUE", "1 of 2")];
        let batch = Batch { shell: Path::new("/bin/sh"), links, limit: LIMIT, variables };
        batch.run(&self.directory, &whole, &self.tally.late).map_err(failed)
    }
}

/// The files that a program finds: empty lines, numbers, a last line without its newline, characters of several bytes, a long line.
const FILES: &[(&str, &str)] = &[
    ("a", "one two three\nfoo bar\n\nhello world\n  indented line\n12 abc 34\nfoo foo foo\na.b*c[d]\nend.\n"),
    ("b", "x=1;y=2\n\n\nbaz/foo\\bar\n\ttab\tbed\nthe end"),
    ("n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n"),
    ("u", "é ü ßß\nnaïve café\n日本 語\nÀÉ àé\n"),
    (
        "l",
        "aaaaaaaaaabbbbbbbbbb cccccccccc\tdddddddddd\\eeeeeeeeee ffffffffffgggggggggg hhhhhhhhhh iiiiiiiiii jjjj\nxyz\n",
    ),
    ("c", "ann:12:3.5:north\nbob:7:-2:south\ncy::10:north\n:5:1A:\ndee:1e2:+4: east\n"),
    ("w", "  Ann  12 3.5 north\nbob 7 -2 south\n\ncy 10 north\n 5 1A\ndee 1e2 +4 east\n"),
    ("z", ""),
];

/// Whether the status of a result is that of an error.
fn refuses(result: &str) -> bool {
    let status = result.trim_end().trim_end_matches(|character: char| character.is_ascii_digit()).len();
    matches!(result[status..].trim_end(), "1" | "2")
}

/// What a batch printed for one of its programs: the text up to and with its status.
fn part(whole: &str, at: usize) -> Option<&str> {
    let mark = format!("@@{at}@");
    let end = whole.find(&mark)?;
    let end = end + whole[end..].find('\n')?;
    let before = at.checked_sub(1).and_then(|before| Some(whole.find(&format!("@@{before}@"))? + 2));
    let start = before.map_or(0, |before| before + whole[before..end].find('\n').unwrap_or_default());
    Some(&whole[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_batch_is_told_apart() {
        let whole = "a\n@@0@0\nb@@1@1\n@@2@0\n";
        assert_eq!([0, 1, 2].map(|at| part(whole, at)), [Some("a\n@@0@0"), Some("\nb@@1@1"), Some("\n@@2@0")]);
        assert_eq!(part(whole, 3), None);
    }

    #[test]
    fn a_seed_gives_the_same_program_each_time() {
        for language in [&sed::LANGUAGE, &awk::LANGUAGE, &diff::LANGUAGE, &bc::LANGUAGE, &dc::LANGUAGE] {
            assert_eq!((language.program)(7).text(), (language.program)(7).text());
            assert_ne!((language.program)(7).text(), (language.program)(8).text());
        }
    }
}
