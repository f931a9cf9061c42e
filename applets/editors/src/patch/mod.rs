//! `patch`: apply the output of diff to files (POSIX XCU patch), with GNU's and git's extensions.
//!
//! Messages about hunks that fail are BusyBox's. Scripts for ed are refused: they are programs. A name from a patch never
//! leads out of the current directory: not by its first `/`, not by `..`, not by a symbolic link.

mod apply;
mod names;
mod parse;
mod tree;

use rbox_core::io::{Input, Output};
use rbox_core::number::{PLAIN, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::fs::Stat;
use rbox_core::sys::{Errno, process};
use rbox_core::{push, text};

use apply::{Fit, Manner};
use names::{Header, leads_out, rank, strip};
use parse::{Format, Hunk, Kind, Patch, Reader};
use tree::Place;

options! {
    "[-RNEbcflnstu] [-p N] [-i FILE] [-d DIRECTORY] [-F N] [-o FILE] [-r FILE] [-B PREFIX] [-V STYLE] [-z SUFFIX] [FILE [PATCH]]

Apply the output of diff from standard input, or from PATCH, to the files that it names, or to FILE.
Hunks that do not fit are printed, and written to FILE.rej.
The status is 0 if all hunks were applied, 1 if some were not, 2 if there is an error.

  -p, --strip=N                  Strip N leading components from names (default: all but the last)
  -i, --input=FILE               Read the patch from FILE
  -d, --directory=DIRECTORY      Change to DIRECTORY first
  -R, --reverse                  Undo the patch
  -N, --forward                  Skip hunks that are already applied
  -E, --remove-empty-files       Remove files that become empty
  -F, --fuzz=N                   Disregard up to N lines of context (2)
  -l, --ignore-whitespace        Ignore the amount of white space
  -b, --backup                   Keep the old file as FILE.orig
  -z, --suffix=SUFFIX            Keep it as FILE and SUFFIX
  -B, --prefix=PREFIX            Keep it as PREFIX and FILE
  -V, --version-control=STYLE    Name it by STYLE: simple, numbered (FILE.~1~) or existing
  -o, --output=FILE              Write what results to FILE (- is standard output)
  -r, --reject-file=FILE         Write hunks that do not fit to FILE (- for none)
      --merge                    Write both versions into the file where a hunk does not fit
      --dry-run                  Change nothing
  -f, --force                    Apply reversed patches, too, without a check
  -t, --batch                    Undo patches that are reversed
  -s, --quiet, --silent          Print only errors
  -c, --context                  Read copied context only
  -n, --normal                   Read the default format of diff only
  -u, --unified                  Read the unified format only
  -e, --ed                       Refused: scripts for ed are programs
      --binary                   Keep carriage returns at the end of lines";
    STRIP = "-p",
    INPUT = "-i",
    DIRECTORY = "-d",
    REVERSE = "-R",
    FORWARD = "-N",
    REMOVE_EMPTY = "-E",
    FUZZ = "-F",
    LOOSE = "-l",
    BACKUP = "-b",
    SUFFIX = "-z",
    PREFIX = "-B",
    VERSIONS = "-V",
    OUTPUT = "-o",
    REJECT = "-r",
    MERGE = "--merge",
    DRY_RUN = "--dry-run",
    FORCE = "-f",
    BATCH = "-t",
    QUIET = "-s",
    CONTEXT = "-c",
    NORMAL = "-n",
    UNIFIED = "-u",
    ED = "-e",
    BINARY = "--binary",
}

/// The applet. POSIX XCU patch: 1 means that hunks were rejected, more than 1 an error.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2);

/// What options say.
struct Patcher<'a> {
    args: &'a Args<'a>,
    strip: Option<usize>,
    manner: Manner,
    reverse: bool,
    /// What `-o` gets.
    output: Option<Vec<u8>>,
    status: ExitStatus,
}

/// The file that a patch is for.
struct Target {
    /// Where the old contents are, and where the new ones go.
    from: Place,
    to: Place,
    stat: Option<Stat>,
    content: Vec<u8>,
}

/// What hunks made of a file.
#[derive(Default)]
struct Made<'a> {
    lines: Vec<&'a [u8]>,
    rejected: Vec<(usize, &'a Hunk)>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 2)?;
    if args.has(ED) {
        return Err(Error::new("ed scripts are not supported"));
    }
    if let Some(directory) = args.value(DIRECTORY) {
        process::chdir(directory).map_err(|errno| Error::cannot("change directory to", directory, errno))?;
    }
    let count = |option| args.value(option).map(|word| parse_count(word, PLAIN)).transpose();
    let only = args.last_of(&[CONTEXT, NORMAL, UNIFIED]).map(|option| match option {
        CONTEXT => Format::Context,
        NORMAL => Format::Normal,
        _ => Format::Unified,
    });
    let mut patcher = Patcher {
        args,
        strip: count(STRIP)?.map(|count| count as usize),
        manner: Manner { fuzz: count(FUZZ)?.map_or(2, |fuzz| fuzz as usize), loose: args.has(LOOSE) },
        reverse: args.has(REVERSE),
        output: args.has(OUTPUT).then(Vec::new),
        status: ExitStatus::SUCCESS,
    };
    let input = match args.value(INPUT).or(operands.get(1).copied()) {
        Some(path) if path != b"-" => Input::open(path)?.read_to_end()?,
        _ => env.stdin.read_to_end()?,
    };
    let mut reader = Reader::new(&input, only, args.has(BINARY));
    let mut found = false;
    while let Some(patch) = reader.next()? {
        found = true;
        patcher.patch(env, patch, operands.first().copied())?;
    }
    if !found && !input.is_empty() {
        return Err(Error::new("only garbage was found in the patch input"));
    }
    // GNU: a patch of nothing gives the file as it is.
    if let (false, Some(output), Some(path)) = (found, &mut patcher.output, operands.first()) {
        *output = Place::of_operand(path)?.read()?;
    }
    if let (Some(output), Some(path)) = (&patcher.output, args.value(OUTPUT)) {
        match path {
            b"-" => env.stdout.write(output)?,
            _ if args.has(DRY_RUN) => {}
            _ => write_operand(path, output)?,
        }
    }
    Ok(patcher.status)
}

impl Patcher<'_> {
    fn say(&self, env: &mut Env, line: &[u8]) -> Result<()> {
        // With -o - the result alone is on standard output.
        if self.args.has(QUIET) || self.args.value(OUTPUT) == Some(b"-") { Ok(()) } else { env.stdout.write(line) }
    }

    fn fail(&mut self, env: &mut Env, error: Error) {
        env.report(&error);
        self.status.worsen(ExitStatus(1));
    }

    fn patch(&mut self, env: &mut Env, mut patch: Patch, operand: Option<&[u8]>) -> Result<()> {
        if self.reverse {
            patch.header.reverse();
            patch.hunks.iter_mut().for_each(Hunk::reverse);
        }
        let target = match self.target(env, &patch, operand) {
            Ok(target) => target,
            Err(error) => {
                self.fail(env, error);
                return Ok(());
            }
        };
        let lines: Vec<&[u8]> = target.content.split_inclusive(|&byte| byte == b'\n').collect();
        let removes = self.removes(&patch.header);
        let verb: &[u8] = match &target.stat {
            None => b"creating ",
            Some(_) if patch.header.is_deleted => b"removing ",
            Some(_) => b"patching file ",
        };
        self.say(env, &[verb, &target.to.path, b"\n"].concat())?;
        if self.args.has(BATCH) && !self.args.has(FORCE) && self.is_reversed(&lines, &patch.hunks) {
            self.say(env, b"Reversed (or previously applied) patch detected!  Assuming -R.\n")?;
            patch.hunks.iter_mut().for_each(Hunk::reverse);
            patch.header.reverse();
        }
        let makes_anew = patch.header.is_new || patch.header.old.as_ref().is_some_and(|name| name.is_absent);
        if makes_anew && !lines.is_empty() && !self.args.has(FORCE) {
            self.fail(env, Error::parts(&[b"can't create '", &target.to.path, b"': it exists"]));
            return Ok(());
        }
        let made = self.apply(env, &lines, &patch.hunks)?;
        let content = apply::join(&made.lines);
        if made.rejected.is_empty() && removes && !content.is_empty() {
            self.fail(env, Error::parts(&[b"not removing ", &target.to.path, b": its contents differ from the patch"]));
        } else if !made.rejected.is_empty() {
            self.status.worsen(ExitStatus::FAILURE);
        }
        self.finish(env, &target, &patch, &made, &content, removes && content.is_empty())
    }

    /// Whether the file is to be removed when it has become empty.
    fn removes(&self, header: &Header) -> bool {
        header.is_deleted || header.new.as_ref().is_some_and(|name| name.is_absent)
    }

    fn is_reversed(&self, lines: &[&[u8]], hunks: &[Hunk]) -> bool {
        let manner = Manner { fuzz: 0, ..self.manner };
        hunks.first().is_some_and(|first| {
            apply::find(lines, first, guess(first, 0), 0, manner).is_none() && self.fits_reversed(lines, first)
        })
    }

    fn fits_reversed(&self, lines: &[&[u8]], hunk: &Hunk) -> bool {
        let mut reversed = hunk.clone();
        reversed.reverse();
        let manner = Manner { fuzz: 0, ..self.manner };
        // Without any line to find, it would fit everywhere.
        reversed.count(&[Kind::Context, Kind::Remove]) > 0
            && apply::find(lines, &reversed, guess(&reversed, 0), 0, manner).is_some()
    }

    /// Finds the file that the patch is for.
    fn target(&self, env: &mut Env, patch: &Patch, operand: Option<&[u8]>) -> Result<Target> {
        let header = &patch.header;
        if header.is_binary {
            return Err(Error::new("git binary diffs are not supported"));
        }
        let creates = header.is_new
            || header.old.as_ref().is_some_and(|name| name.is_absent)
            || patch.hunks.first().is_some_and(|hunk| hunk.old_start == 0);
        let (from, to) = match (operand, &header.git) {
            (Some(path), _) => (Place::of_operand(path)?, Place::of_operand(path)?),
            (None, Some(names)) if header.renames || header.copies => {
                let [from, to] = [0, 1].map(|at| strip(&names[at], self.strip));
                if let Some(name) = [from, to].into_iter().find(|name| leads_out(name)) {
                    return Err(dangerous(name));
                }
                (Place::below(from)?, Place::below(to)?)
            }
            _ => {
                let name = self.choose(env, header, creates, patch.line)?;
                (Place::below(&name)?, Place::below(&name)?)
            }
        };
        let (stat, content) = match from.stat() {
            Ok(stat) => (Some(stat), from.read()?),
            Err(_) if creates => (None, Vec::new()),
            Err(errno) => return Err(Error::cannot("open", &from.path, errno)),
        };
        if (header.renames || header.copies) && to.stat().is_ok() {
            return Err(Error::parts(&[
                b"can't ",
                if header.copies { b"copy" } else { b"rename" },
                b" to '",
                &to.path,
                b"': it exists",
            ]));
        }
        Ok(Target { from, to, stat, content })
    }

    /// The name of an existing file among those of the header, or the one that is to be created.
    fn choose(&self, env: &mut Env, header: &Header, creates: bool, line: usize) -> Result<Vec<u8>> {
        let (mut names, mut refused) = (Vec::new(), None);
        for candidate in header.candidates() {
            let name = strip(candidate, self.strip);
            if leads_out(name) {
                refused = Some(name);
            } else if !names.contains(&name) {
                names.push(name);
            }
        }
        if let Some(name) = refused {
            if names.is_empty() {
                return Err(dangerous(name));
            }
            env.report(&dangerous(name));
        }
        let exists = |name: &&&[u8]| Place::below(name).is_ok_and(|place| place.stat().is_ok());
        if let Some(name) = names.iter().filter(exists).min_by_key(|name| rank(name)) {
            return Ok(name.to_vec());
        }
        match names.last() {
            Some(name) if creates => Ok(names.iter().min_by_key(|name| rank(name)).unwrap_or(name).to_vec()),
            Some(name) => Err(Error::cannot("open", name, rbox_core::sys::Errno::NOENT)),
            None => Err(Error::new(text!("can't find the file to patch at input line ", line))),
        }
    }

    /// Applies all hunks that fit.
    fn apply<'a>(&self, env: &mut Env, file: &[&'a [u8]], hunks: &'a [Hunk]) -> Result<Made<'a>> {
        let (mut made, mut at, mut offset) = (Made::default(), 0, 0i64);
        for (index, hunk) in hunks.iter().enumerate() {
            let guess = guess(hunk, offset);
            let fit = apply::find(file, hunk, guess, at, self.manner);
            // What is applied already would fit a second time if some context were disregarded.
            let is_exact = fit.is_some_and(|fit| fit.fuzz == 0);
            let is_reversed = !is_exact && !self.args.has(FORCE) && self.fits_reversed(file, hunk);
            match fit.filter(|_| !is_reversed) {
                Some(fit) => {
                    let is_only_added = hunk.count(&[Kind::Context, Kind::Remove]) == 0;
                    let moved = if is_only_added { offset } else { fit.at as i64 - self::guess(hunk, 0) as i64 };
                    let (lines, from, to) = apply::replace(file, hunk, fit);
                    made.lines.extend_from_slice(&file[at..from]);
                    let line = made.lines.len() + 1 - fit.skipped[0].min(made.lines.len());
                    self.report_fit(env, index, fit, line, moved)?;
                    made.lines.extend_from_slice(&lines);
                    (at, offset) = (to, moved);
                }
                None if self.args.has(FORWARD) && is_reversed => {}
                None if self.args.has(MERGE) => {
                    let from = guess.clamp(at, file.len());
                    made.lines.extend_from_slice(&file[at..from]);
                    at = conflict(file, hunk, from, &mut made.lines);
                    self.say(env, &text!("Hunk #", index + 1, " NOT MERGED at ", from + 1, "-", at, ".\n"))?;
                    made.rejected.push((0, hunk));
                }
                None => {
                    if is_reversed {
                        report(env, &text!("Possibly reversed hunk ", index + 1, " at ", file.len() + 1, "\n"))?;
                    }
                    let numbers = text!("Hunk ", index + 1, " FAILED ", hunk.old_start, "/", hunk.new_start, ".\n");
                    report(env, &[numbers, body(hunk)].concat())?;
                    made.rejected.push((index, hunk));
                }
            }
        }
        made.lines.extend_from_slice(&file[at..]);
        Ok(made)
    }

    fn report_fit(&self, env: &mut Env, index: usize, fit: Fit, line: usize, moved: i64) -> Result<()> {
        if fit.fuzz == 0 && moved == 0 {
            return Ok(());
        }
        let mut message = text!("Hunk #", index + 1, " succeeded at ", line);
        if fit.fuzz > 0 {
            push!(message, " with fuzz ", fit.fuzz);
        }
        if moved != 0 {
            push!(message, " (offset ", moved, if moved == 1 { " line)" } else { " lines)" });
        }
        message.extend_from_slice(b".\n");
        self.say(env, &message)
    }

    /// Writes what results: the file, its backup and the hunks that were rejected.
    fn finish(
        &mut self,
        env: &mut Env,
        target: &Target,
        patch: &Patch,
        made: &Made<'_>,
        content: &[u8],
        removes: bool,
    ) -> Result<()> {
        if let Some(output) = &mut self.output {
            return rbox_core::bytes::append(output, content);
        }
        if self.args.has(DRY_RUN) {
            return Ok(());
        }
        let header = &patch.header;
        let result = (|| {
            if !self.args.has(MERGE) && !made.rejected.is_empty() {
                self.write_rejects(target, patch, &made.rejected)?;
            }
            if made.rejected.len() == patch.hunks.len() && !patch.hunks.is_empty() && !self.args.has(MERGE) {
                return Ok(());
            }
            if [BACKUP, SUFFIX, PREFIX, VERSIONS].into_iter().any(|option| self.args.has(option)) {
                self.back_up(target)?;
            }
            if removes || self.args.has(REMOVE_EMPTY) && content.is_empty() {
                return if target.stat.is_some() { target.to.remove() } else { Ok(()) };
            }
            target.to.write(content, target.stat.as_ref(), header.new_mode)?;
            if header.renames { target.from.remove() } else { Ok(()) }
        })();
        if let Err(error) = result {
            env.report(&error);
            self.status.worsen(ExitStatus(2));
        }
        Ok(())
    }

    fn back_up(&self, target: &Target) -> Result<()> {
        let path = &target.to.path;
        let (directory, name) = tree::split(path);
        let prefix = self.args.value(PREFIX).unwrap_or_default();
        let mut suffix = match (self.args.value(SUFFIX), prefix) {
            (Some(suffix), _) => suffix.to_vec(),
            (None, b"") => b".orig".to_vec(),
            (None, _) => Vec::new(),
        };
        let numbered = |number: u32| text!(".~", number, "~");
        let exists = |number: u32| {
            self.backup_place(target, &[path, &numbered(number)[..]].concat()).is_ok_and(|place| place.stat().is_ok())
        };
        let numbers = match self.args.value(VERSIONS) {
            None | Some(b"simple" | b"never") => false,
            Some(b"numbered" | b"t") => true,
            Some(b"existing" | b"nil") => exists(1),
            Some(other) => return Err(Error::parts(&[b"unknown version control style '", other, b"'"])),
        };
        let backup = if numbers {
            suffix = numbered((1..).find(|&number| !exists(number)).unwrap_or(1));
            [directory, name, &suffix].concat()
        } else if prefix.contains(&b'/') {
            [prefix, path, &suffix].concat()
        } else {
            [directory, prefix, name, &suffix].concat()
        };
        self.backup_place(target, &backup)?.write(&target.content, target.stat.as_ref(), None)
    }

    /// Names of backups and rejects may lead where the file's own name may.
    fn backup_place(&self, target: &Target, path: &[u8]) -> Result<Place> {
        if leads_out(&target.to.path) { Place::of_operand(path) } else { Place::below(path) }
    }

    /// Writes the rejected hunks in the unified format, which patch(1) reads again.
    fn write_rejects(&self, target: &Target, patch: &Patch, rejected: &[(usize, &Hunk)]) -> Result<()> {
        let name = |name: &Option<names::Name>| match name {
            Some(name) => name.name.clone(),
            None => target.to.path.clone(),
        };
        let mut content = text!("--- ", name(&patch.header.old), "\n+++ ", name(&patch.header.new), "\n");
        for (_, hunk) in rejected {
            let old = hunk.count(&[Kind::Context, Kind::Remove]);
            let new = hunk.count(&[Kind::Context, Kind::Add]);
            push!(content, "@@ -", hunk.old_start, ",", old, " +", hunk.new_start, ",", new, " @@\n", body(hunk));
        }
        match self.args.value(REJECT) {
            Some(b"-") => Ok(()),
            Some(path) => write_operand(path, &content),
            None => self.backup_place(target, &[&target.to.path, &b".rej"[..]].concat())?.write(&content, None, None),
        }
    }
}

/// Writes to a file that the user named, which may be a device or a link.
fn write_operand(path: &[u8], content: &[u8]) -> Result<()> {
    let mut output = Output::create(path)?;
    output.write(content)?;
    output.flush().map_err(|error| Error::on(path, error.errno().unwrap_or(Errno::IO)))
}

/// The line, counted from 0, where a hunk should fit. Without old lines its number is that of the line before.
fn guess(hunk: &Hunk, offset: i64) -> usize {
    let has_old = hunk.count(&[Kind::Context, Kind::Remove]) > 0;
    hunk.old_start.saturating_sub(usize::from(has_old)).saturating_add_signed(offset as isize)
}

fn dangerous(name: &[u8]) -> Error {
    Error::parts(&[b"ignoring potentially dangerous file name '", name, b"'"])
}

/// Standard error has BusyBox's messages about hunks, after what standard output holds.
fn report(env: &mut Env, message: &[u8]) -> Result<()> {
    env.stdout.flush()?;
    env.stderr.write(message)
}

/// The lines of a hunk as the unified format has them.
fn body(hunk: &Hunk) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, line) in &hunk.lines {
        out.push(match kind {
            Kind::Context => b' ',
            Kind::Remove => b'-',
            Kind::Add => b'+',
        });
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
    out
}

/// Both versions of the lines at `from`, between marks, without what is equal at their ends. The answer is the line after.
fn conflict<'a>(file: &[&'a [u8]], hunk: &'a Hunk, from: usize, lines: &mut Vec<&'a [u8]>) -> usize {
    let end = (from + hunk.count(&[Kind::Context, Kind::Remove])).min(file.len());
    let new = hunk.lines.iter().filter(|(kind, _)| *kind != Kind::Remove).map(|(_, line)| line.as_slice());
    let (mut theirs, mut ours): (Vec<&[u8]>, &[&[u8]]) = (new.collect(), &file[from..end]);
    let equal = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    lines.extend_from_slice(&ours[..equal]);
    (ours, theirs) = (&ours[equal..], theirs.split_off(equal));
    let equal = ours.iter().rev().zip(theirs.iter().rev()).take_while(|(a, b)| a == b).count();
    let (ours, after) = ours.split_at(ours.len() - equal);
    lines.push(b"<<<<<<<\n");
    lines.extend_from_slice(ours);
    lines.push(b"=======\n");
    lines.extend_from_slice(&theirs[..theirs.len() - equal]);
    lines.push(b">>>>>>>\n");
    lines.extend_from_slice(after);
    end
}

/// A patch and the file that it is for, separated by the first 0xff.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (input, content) = rbox_core::bytes::split_once(data, 0xff).unwrap_or((data, b""));
    let file: Vec<&[u8]> = content.split_inclusive(|&byte| byte == b'\n').collect();
    for loose in [false, true] {
        let mut reader = Reader::new(input, None, loose);
        while let Ok(Some(patch)) = reader.next() {
            for hunk in &patch.hunks {
                let manner = Manner { fuzz: 2, loose };
                if let Some(fit) = apply::find(&file, hunk, guess(hunk, 0), 0, manner) {
                    apply::replace(&file, hunk, fit);
                }
                conflict(&file, hunk, guess(hunk, 0).min(file.len()), &mut Vec::new());
            }
        }
    }
}
