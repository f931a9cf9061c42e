//! `tree`: list directories and what is below them as a tree (tree(1) of Steve Baker, version 2).
//!
//! Control characters and bytes that are part of no character are printed as octal escapes in every locale.

mod entry;

use rbox_core::bytes::join_path;
use rbox_core::files::{FileId, FileIds, MOST_OPEN, identity, list, open_directory, open_parent, stat};
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::pattern::glob;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType};
use rbox_core::sys::{AsFd, OwnedFd};
use rbox_core::text::Right;
use rbox_core::{push, text};

use entry::{Attributes, Entry};

options! {
    "[-adfgilprstuxDFJU] [-L N] [-P GLOB] [-I GLOB] [--charset=NAME] [DIRECTORY]...

List each DIRECTORY, or the current one, and all below it as a tree.

  -a                 List names that begin with a dot too
  -d                 List only directories
  -l                 Follow symbolic links to directories
  -f                 Print whole paths
  -x                 Stay on one file system
  -L N               Descend at most N levels
  -P GLOB            List only files that match GLOB; alternatives are separated by |
  -I GLOB            Skip files that match GLOB
      --ignore-case  Ignore case in GLOB
      --filelimit=N  Do not descend into directories of more than N entries
      --noreport     Do not count directories and files at the end
  -i                 Print no lines of the tree
  -p                 Print modes
  -u                 Print owners
  -g                 Print groups
  -s                 Print sizes in bytes
  -h                 Print sizes in units
  -D                 Print times of modification
      --inodes       Print inodes
      --device       Print devices
  -F                 Append / to directories, * to programs, = to sockets, | to FIFOs
  -q                 Print ? for control characters
  -N                 Print names as they are
  -t                 Sort by time of modification
  -U                 Do not sort
  -r                 Reverse the order
      --dirsfirst    List directories first
  -J                 Print JSON
      --charset=NAME Draw lines in UTF-8 or, for another NAME, in ASCII";
    ALL = "-a",
    DIRECTORIES = "-d",
    FOLLOW = "-l",
    PATHS = "-f",
    ONE_SYSTEM = "-x",
    LEVELS = "-L",
    PATTERN = "-P",
    SKIP = "-I",
    IGNORE_CASE = "--ignore-case",
    FILE_LIMIT = "--filelimit",
    NO_REPORT = "--noreport",
    NO_LINES = "-i",
    MODE = "-p",
    OWNER = "-u",
    GROUP = "-g",
    SIZE = "-s",
    HUMAN = "-h",
    DATE = "-D",
    INODES = "--inodes",
    DEVICE = "--device",
    CLASSIFY = "-F",
    QUESTION = "-q",
    RAW = "-N",
    BY_TIME = "-t",
    UNSORTED = "-U",
    REVERSE = "-r",
    DIRECTORIES_FIRST = "--dirsfirst",
    JSON = "-J",
    CHARSET = "--charset",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// A directory that is being listed.
struct Level {
    /// It, open; those far above are closed, so that no depth of a tree takes all descriptors.
    directory: Option<OwnedFd>,
    id: FileId,
    entries: std::vec::IntoIter<Entry>,
    /// An entry of it has been printed.
    begun: bool,
    path_length: usize,
    prefix_length: usize,
}

/// A directory that is not empty.
type Opened = (OwnedFd, FileId, Vec<Entry>);

struct Tree<'a> {
    args: &'a Args<'a>,
    attributes: Attributes,
    /// Levels to descend, and entries of a directory to descend into.
    deepest: usize,
    file_limit: usize,
    globs: glob::Flags,
    /// Lines are drawn in UTF-8.
    utf8: bool,
    /// The device of the operand.
    device: u64,
    /// The directories that were listed, with -l.
    listed: FileIds,
    directories: u64,
    files: u64,
    out: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let number = |option| match args.value(option) {
        None => Ok(usize::MAX),
        Some(word) => match parse_decimal(word) {
            Some(number) if number > 0 => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
            _ => Err(invalid(word)),
        },
    };
    let is_utf8 = |name: &[u8]| name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"utf8");
    let mut tree = Tree {
        args,
        attributes: Attributes::new(env),
        deepest: number(LEVELS)?,
        file_limit: number(FILE_LIMIT)?,
        globs: if args.has(IGNORE_CASE) { glob::Flags::FOLD_CASE } else { glob::Flags::NONE },
        utf8: args.value(CHARSET).map_or_else(|| env.is_utf8(), is_utf8),
        device: 0,
        listed: FileIds::default(),
        directories: 0,
        files: 0,
        out: Vec::new(),
    };
    let mut status = ExitStatus::SUCCESS;
    for (at, operand) in args.operands_or(b".").iter().enumerate() {
        tree.push_json(if at == 0 { "[\n" } else { ",\n" });
        if !tree.list(env, operand)? {
            status = ExitStatus(2);
        }
    }
    tree.report();
    env.stdout.write(&tree.out)?;
    Ok(status)
}

impl Tree<'_> {
    /// Lists an operand and what is below it. False if there is no such file.
    fn list(&mut self, env: &mut Env, operand: &[u8]) -> Result<bool> {
        let found = stat(fs::CWD, operand, true);
        let exists = found.is_ok();
        let root = Entry::of_operand(operand, found.ok());
        self.device = root.device();
        self.files += u64::from(exists && !root.is_directory());
        let (mut path, mut prefix, mut levels) = (operand.to_vec(), Vec::new(), Vec::<Level>::new());
        self.print(&root, operand, 1);
        levels.extend(self.descend(&levels, &root, operand, 0, true));
        self.directories += levels.len() as u64;
        while let Some(level) = levels.last_mut() {
            path.truncate(level.path_length);
            prefix.truncate(level.prefix_length);
            let Some(entry) = level.entries.next() else {
                self.leave(&mut levels);
                continue;
            };
            if core::mem::replace(&mut level.begun, true) {
                self.push_json(",\n");
            }
            let is_last = level.entries.as_slice().is_empty();
            path = join_path(&path, &entry.name);
            self.push_branch(&prefix, is_last);
            self.print(&entry, &path, levels.len() + 1);
            match entry.is_directory() {
                true => self.directories += 1,
                false => self.files += 1,
            }
            let is_entered = entry.is_entered(self.args.has(FOLLOW)) && levels.len() < self.deepest;
            self.push_bar(&mut prefix, is_last);
            let below = self.descend(&levels, &entry, &path, prefix.len(), is_entered);
            levels.extend(below);
            // A link may have led down, and `..` does not lead back.
            if let Some(far) = levels.len().checked_sub(MOST_OPEN + 1).filter(|_| !self.args.has(FOLLOW)) {
                levels[far].directory = None;
            }
            env.stdout.write(&core::mem::take(&mut self.out))?;
        }
        Ok(exists)
    }

    /// Ends the line of an entry. The answer is the level of what is below it, if it `is_entered` and not empty.
    fn descend(
        &mut self,
        levels: &[Level],
        entry: &Entry,
        path: &[u8],
        prefix_length: usize,
        is_entered: bool,
    ) -> Option<Level> {
        let opened = if is_entered { self.open(levels, entry) } else { Ok(None) };
        match opened {
            Ok(Some((directory, id, entries))) => {
                self.push_json(",\"contents\":[");
                self.out.push(b'\n');
                let (entries, path_length) = (entries.into_iter(), path.len());
                return Some(Level {
                    directory: Some(directory),
                    id,
                    entries,
                    begun: false,
                    path_length,
                    prefix_length,
                });
            }
            Ok(None) => {}
            Err(message) if self.args.has(JSON) => {
                push!(self.out, ",\"contents\":[{\"error\": \"", &message, "\"}]");
            }
            Err(message) => push!(self.out, "  [", &message, "]"),
        }
        self.push_json("}");
        self.end_line();
        None
    }

    /// Opens a directory and lists it. The error is what is printed beside its name.
    fn open(&mut self, levels: &[Level], entry: &Entry) -> core::result::Result<Option<Opened>, Vec<u8>> {
        let failed = |_| b"error opening dir".to_vec();
        let at =
            levels.last().and_then(|level| level.directory.as_ref()).map_or(fs::CWD, |directory| directory.as_fd());
        if self.args.has(ONE_SYSTEM) && entry.device() != self.device {
            return Ok(None);
        }
        let follow = levels.is_empty() || self.args.has(FOLLOW);
        let directory = open_directory(at, &entry.name, follow).map_err(failed)?;
        let id = identity(&directory).map_err(failed)?;
        // Links could lead to a directory again and again, not only from below it.
        if self.args.has(FOLLOW) && !self.listed.insert(id, ()) {
            return Err(b"recursive, not followed".to_vec());
        }
        let found = list(directory.as_fd()).map_err(failed)?;
        let names = found.into_iter().map(|found| found.name).filter(|name| self.args.has(ALL) || name[0] != b'.');
        let mut entries: Vec<Entry> = names
            .filter_map(|name| Entry::look_at(directory.as_fd(), name))
            .filter(|entry| self.is_wanted(entry))
            .collect();
        if entries.len() > self.file_limit {
            return Err(text!(entries.len(), " entries exceeds filelimit, not opening dir"));
        }
        entry::sort(&mut entries, self.args);
        Ok(if entries.is_empty() { None } else { Some((directory, id, entries)) })
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        let args = self.args;
        let matches = |option| {
            args.values(option).flat_map(|globs| globs.split(|&byte| byte == b'|')).any(|pattern| {
                let pattern = pattern.strip_suffix(b"/").filter(|_| entry.is_directory()).unwrap_or(pattern);
                glob::matches(pattern, &entry.name, self.globs)
            })
        };
        let is_chosen_by_name = !args.has(PATTERN) || entry.is_entered(args.has(FOLLOW)) || matches(PATTERN);
        is_chosen_by_name && !matches(SKIP) && (entry.is_directory() || !args.has(DIRECTORIES))
    }

    /// Ends the innermost directory, and opens the one above it again if it was closed.
    fn leave(&mut self, levels: &mut Vec<Level>) {
        let Some(level) = levels.pop() else { return };
        if self.args.has(JSON) {
            push!(self.out, "\n", Right("", 2 * levels.len() + 2, b' '), "]}");
            self.end_line();
        }
        if let Some(above) = levels.last_mut().filter(|above| above.directory.is_none()) {
            above.directory = level.directory.and_then(|below| open_parent(&below, above.id).ok());
            if above.directory.is_none() {
                // Moved away while it was listed: the rest cannot be reached.
                above.entries = Vec::new().into_iter();
            }
        }
    }

    fn report(&mut self) {
        let (directories, files) = (self.directories, self.files);
        if self.args.has(JSON) {
            if !self.args.has(NO_REPORT) {
                push!(self.out, "\n,\n  {\"type\":\"report\",\"directories\":", directories);
                if !self.args.has(DIRECTORIES) {
                    push!(self.out, ",\"files\":", files);
                }
                self.out.extend_from_slice(b"}");
            }
            self.out.extend_from_slice(b"\n]\n");
        } else if !self.args.has(NO_REPORT) {
            push!(self.out, "\n", directories, if directories == 1 { " directory" } else { " directories" });
            if !self.args.has(DIRECTORIES) {
                push!(self.out, ", ", files, if files == 1 { " file" } else { " files" });
            }
            self.out.push(b'\n');
        }
    }

    fn push_json(&mut self, text: &str) {
        if self.args.has(JSON) {
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    /// In JSON what comes after a line decides how it ends.
    fn end_line(&mut self) {
        if !self.args.has(JSON) {
            self.out.push(b'\n');
        }
    }

    fn push_branch(&mut self, prefix: &[u8], is_last: bool) {
        if self.args.has(JSON) || self.args.has(NO_LINES) {
            return;
        }
        push!(
            self.out,
            prefix,
            match (self.utf8, is_last) {
                (true, false) => "├── ",
                (true, true) => "└── ",
                (false, false) => "|-- ",
                (false, true) => "`-- ",
            }
        );
    }

    /// Adds what is before the entries of a directory to the prefix.
    fn push_bar(&self, prefix: &mut Vec<u8>, is_last: bool) {
        push!(
            *prefix,
            match (is_last, self.utf8) {
                (true, _) => "    ",
                (false, true) => "│   ",
                (false, false) => "|   ",
            }
        );
    }

    /// Prints an entry without the end of its line.
    fn print(&mut self, entry: &Entry, path: &[u8], depth: usize) {
        let args = self.args;
        let name = if args.has(PATHS) || depth == 1 { path } else { &entry.name };
        if args.has(JSON) {
            push!(self.out, Right("", 2 * depth, b' '));
            return entry::push_json(&mut self.out, entry, name, args, &mut self.attributes);
        }
        let start = self.out.len();
        self.attributes.push(&mut self.out, entry, args);
        if self.out.len() > start {
            self.out.splice(start..start, *b"[");
            self.out.extend_from_slice(b"]  ");
        }
        entry::push_name(&mut self.out, name, args);
        let kind = if let Some((target, kind)) = &entry.target {
            self.out.extend_from_slice(b" -> ");
            entry::push_name(&mut self.out, target, args);
            *kind
        } else {
            entry.kind()
        };
        if args.has(CLASSIFY) {
            self.out.extend_from_slice(match kind {
                Some(FileType::Directory) => b"/",
                Some(FileType::Socket) => b"=",
                Some(FileType::Fifo) => b"|",
                Some(FileType::RegularFile) if entry.is_program() => b"*",
                _ => b"",
            });
        }
    }
}
