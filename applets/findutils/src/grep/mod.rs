//! `grep`, `egrep`, `fgrep`: print the lines that match (POSIX XCU grep), with the options of BusyBox and GNU.
//!
//! Binary files are printed like any other, as BusyBox does, unless `-I` or `--binary-files` asks for something else.
//! Directories among the operands are passed over without a word unless `-r` is given.

mod matcher;
mod search;

use rbox_core::bytes::base_name;
use rbox_core::files::{self, Follow, Phase, Step, Visit};
use rbox_core::io::Input;
use rbox_core::number;
use rbox_core::pattern::glob;
use rbox_core::pattern::perl::Options;
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags, open, openat};

use matcher::Matcher;
use search::{Binary, Context, Form, Report, Search};

options! {
    "[-EFGPivwxclLqsonbHhrRzaI] [-m N] [-A N] [-B N] [-C N] [--include=GLOB]... {PATTERN | -e PATTERN... | -f FILE...} [FILE]...

Print the lines of each FILE, or of standard input, that match PATTERN.

  -E, --extended-regexp         PATTERN is an extended regular expression
  -F, --fixed-strings           PATTERN is a string
  -G, --basic-regexp            PATTERN is a basic regular expression (default)
  -P, --perl-regexp             PATTERN is a regular expression of Perl
  -e, --regexp=PATTERN          Match PATTERN; repeatable
  -f, --file=FILE               Read patterns from FILE, one per line
  -i, -y, --ignore-case         Ignore case
  -v, --invert-match            Select nonmatching lines
  -w, --word-regexp             Match whole words only
  -x, --line-regexp             Match whole lines only
  -c, --count                   Print the number of selected lines
  -l, --files-with-matches      Print only names of files with selected lines
  -L, --files-without-match     Print only names of files without selected lines
  -o, --only-matching           Print only the matching parts of lines
  -q, --quiet, --silent         Print nothing; exit at the first match
  -s, --no-messages             Do not report unreadable files
  -m, --max-count=N             Stop after N selected lines per file
  -n, --line-number             Print line numbers
  -b, --byte-offset             Print byte offsets
  -H, --with-filename           Print file names (default for several files)
  -h, --no-filename             Print no file names
      --label=NAME              Name of standard input
  -A, --after-context=N         Print N following lines
  -B, --before-context=N        Print N preceding lines
  -C, --context=N               Print N preceding and N following lines
  -NUM                          Same as -C NUM
  -r, --recursive               Search directories; follow links only among operands
  -R, --dereference-recursive   Search directories; follow all links
      --include=GLOB            Search only files that match GLOB
      --exclude=GLOB            Skip files that match GLOB
      --exclude-dir=GLOB        Skip directories that match GLOB
  -z, --null-data               Lines end with NUL, not newline
  -Z, --null                    Print NUL after file names
  -a, --text                    Treat all files as text (default)
  -I                            Skip binary files
      --binary-files=TYPE       Treat binary files as text, without-match or binary (only report a match)
      --line-buffered           Flush output after each line
      --color, --colour[=WHEN]  Highlight matches: always, never, auto";
    EXTENDED = "-E",
    FIXED = "-F",
    BASIC = "-G",
    PERL = "-P",
    REGEXP = "-e",
    FILE = "-f",
    IGNORE_CASE = "-i",
    INVERT = "-v",
    WORD = "-w",
    LINE = "-x",
    COUNT = "-c",
    WITH_MATCHES = "-l",
    WITHOUT_MATCH = "-L",
    ONLY_MATCHING = "-o",
    QUIET = "-q",
    NO_MESSAGES = "-s",
    MAX_COUNT = "-m",
    LINE_NUMBER = "-n",
    BYTE_OFFSET = "-b",
    WITH_NAME = "-H",
    NO_NAME = "-h",
    LABEL = "--label",
    AFTER = "-A",
    BEFORE = "-B",
    CONTEXT = "-C",
    NUMBER = "-NUM",
    RECURSIVE = "-r",
    DEREFERENCE = "-R",
    INCLUDE = "--include",
    EXCLUDE = "--exclude",
    EXCLUDE_DIR = "--exclude-dir",
    NUL_DATA = "-z",
    NUL = "-Z",
    TEXT = "-a",
    WITHOUT_BINARY = "-I",
    BINARY_FILES = "--binary-files",
    LINE_BUFFERED = "--line-buffered",
    COLOR = "--color",
}

/// The applet. POSIX XCU grep: 1 means that no line was selected, more than 1 an error.
pub const APPLET: Applet = Applet::new(USAGE, run).inline().failure(2);

/// Which files are searched.
struct Chosen<'a> {
    include: Vec<&'a [u8]>,
    exclude: Vec<&'a [u8]>,
    exclude_dir: Vec<&'a [u8]>,
}

impl Chosen<'_> {
    fn is_left_out(&self, name: &[u8], is_directory: bool) -> bool {
        let is_one_of = |globs: &[&[u8]]| globs.iter().any(|glob| glob::matches(glob, name, glob::Flags::NONE));
        if is_directory {
            return is_one_of(&self.exclude_dir);
        }
        is_one_of(&self.exclude) || (!self.include.is_empty() && !is_one_of(&self.include))
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut operands = args.operands();
    let mut patterns = patterns(args)?;
    if !args.has(REGEXP) && !args.has(FILE) {
        let (first, rest) = operands.split_first().ok_or_else(Error::usage)?;
        push_lines(&mut patterns, first);
        operands = rest;
    }
    let matcher = matcher(env, args, &patterns)?;
    let recursive = args.has(RECURSIVE) || args.has(DEREFERENCE);
    let mut search = search(env, args, matcher)?;
    // `grep -r` without operands names files as they are seen from the current directory.
    let strip = if operands.is_empty() { b"./".len() } else { 0 };
    let only: &[u8] = if recursive { b"." } else { b"-" };
    if operands.is_empty() {
        operands = core::slice::from_ref(&only);
    }
    let is_directory =
        |operand: &[u8]| rbox_core::sys::fs::stat(operand).is_ok_and(|stat| files::kind(&stat) == FileType::Directory);
    let with_name = operands.len() > 1 || (recursive && is_directory(operands[0]));
    search.form.with_name = match args.last_of(&[WITH_NAME, NO_NAME]) {
        Some(last) => last == WITH_NAME,
        None => with_name,
    };
    if args.has(LINE_BUFFERED) {
        env.stdout.set_line_buffered();
    }
    let chosen = Chosen {
        include: args.values(INCLUDE).collect(),
        exclude: args.values(EXCLUDE).collect(),
        exclude_dir: args.values(EXCLUDE_DIR).collect(),
    };
    for operand in operands {
        let result = if *operand == b"-" {
            let mut input = env.take_stdin();
            let name = args.value(LABEL).unwrap_or(b"(standard input)");
            let result = search.input(env, &mut input, name);
            env.stdin = input;
            result
        } else if recursive {
            search_tree(env, args, &chosen, &mut search, operand, strip)
        } else if chosen.is_left_out(base_name(operand), false) {
            Ok(())
        } else {
            search_file(env, &mut search, operand)
        };
        if let Err(error) = result {
            search.fail(env, error)?;
        }
        if search.is_done() {
            break;
        }
    }
    Ok(search.status())
}

/// The patterns of `-e` and `-f`: every line is one.
fn patterns(args: &Args<'_>) -> Result<Vec<Vec<u8>>> {
    let mut patterns = Vec::new();
    for (option, value) in args.found() {
        let Some(value) = value else { continue };
        if *option == REGEXP {
            push_lines(&mut patterns, value);
        } else if *option == FILE {
            let content = Input::operand(value)?.read_to_end()?;
            if !content.is_empty() {
                push_lines(&mut patterns, content.strip_suffix(b"\n").unwrap_or(&content));
            }
        }
    }
    Ok(patterns)
}

fn push_lines(patterns: &mut Vec<Vec<u8>>, text: &[u8]) {
    patterns.extend(text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec));
}

fn flags(env: &Env, args: &Args<'_>) -> Flags {
    let syntax = match (args.last_of(&[EXTENDED, FIXED, BASIC]), base_name(&env.name)) {
        (Some(EXTENDED), _) | (None, b"egrep") => Flags::EXTENDED,
        (Some(FIXED), _) | (None, b"fgrep") => Flags::FIXED,
        _ => Flags::NONE,
    };
    let mut flags = syntax | if args.has(NUL_DATA) { Flags::NUL_LINES } else { Flags::LINES };
    if env.is_utf8() {
        flags = flags | Flags::UTF8;
    }
    for (option, flag) in [(IGNORE_CASE, Flags::FOLD_CASE), (WORD, Flags::WHOLE_WORD), (LINE, Flags::WHOLE_LINE)] {
        if args.has(option) {
            flags = flags | flag;
        }
    }
    flags
}

/// Compiles the patterns.
fn matcher(env: &Env, args: &Args<'_>, patterns: &[Vec<u8>]) -> Result<Matcher> {
    if args.last_of(&[EXTENDED, FIXED, BASIC, PERL]) == Some(PERL) {
        let [pattern] = patterns else { return Err(Error::new("the -P option only supports a single pattern")) };
        let options = Options { fold_case: args.has(IGNORE_CASE), utf8: env.is_utf8() };
        return Matcher::perl(pattern, options, args.has(WORD), args.has(LINE));
    }
    let flags = flags(env, args);
    Regex::any_of(patterns, flags).map(|regex| Matcher::Posix(Box::new(regex))).map_err(|error| {
        let pattern = patterns.iter().find(|pattern| Regex::new(pattern, flags).is_err());
        error.about(pattern.map_or(&b""[..], Vec::as_slice))
    })
}

fn search(env: &Env, args: &Args<'_>, matcher: Matcher) -> Result<Search> {
    let count =
        |option| args.values(option).try_fold(None, |_, word| number::parse_count(word, number::PLAIN).map(Some));
    let around = match args.last_of(&[CONTEXT, NUMBER]) {
        Some(option) => count(option)?.unwrap_or(0),
        None => 0,
    };
    let report = match args.last_of(&[WITH_MATCHES, WITHOUT_MATCH]) {
        _ if args.has(QUIET) => Report::Nothing,
        Some(WITH_MATCHES) => Report::Names(true),
        Some(_) => Report::Names(false),
        None if args.has(COUNT) => Report::Count,
        None if args.has(ONLY_MATCHING) => Report::Matches,
        None => Report::Lines,
    };
    let color = match args.value(COLOR) {
        Some(b"always") => true,
        Some(b"never") => false,
        Some(b"auto") => env.stdout.is_terminal(),
        None => args.has(COLOR) && env.stdout.is_terminal(),
        Some(other) => return Err(Error::parts(&[b"invalid argument '", other, b"' for --color"])),
    };
    let form = Form {
        with_name: false,
        number: args.has(LINE_NUMBER),
        offset: args.has(BYTE_OFFSET),
        nul_after_name: args.has(NUL),
        color,
    };
    let context = Context { before: count(BEFORE)?.unwrap_or(around), after: count(AFTER)?.unwrap_or(around) };
    let mut search = Search::new(matcher, report, form, context, if args.has(NUL_DATA) { 0 } else { b'\n' });
    search.invert = args.has(INVERT);
    search.max = count(MAX_COUNT)?;
    search.binary = binary(args)?;
    search.silent = args.has(NO_MESSAGES);
    Ok(search)
}

fn binary(args: &Args<'_>) -> Result<Binary> {
    let kind = match args.last_of(&[TEXT, WITHOUT_BINARY, BINARY_FILES]) {
        Some(WITHOUT_BINARY) => b"without-match",
        Some(BINARY_FILES) => args.value(BINARY_FILES).unwrap_or_default(),
        _ => b"text",
    };
    match kind {
        b"text" => Ok(Binary::Text),
        b"binary" => Ok(Binary::OnlySay),
        b"without-match" => Ok(Binary::WithoutMatch),
        other => Err(Error::parts(&[b"unknown type of binary files '", other, b"'"])),
    }
}

fn search_file(env: &mut Env, search: &mut Search, path: &[u8]) -> Result<()> {
    let file = match open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => file,
        Err(errno) => return Err(Error::on(path, errno)),
    };
    // BusyBox passes over directories, which have no line that matches.
    if rbox_core::sys::fs::fstat(&file).is_ok_and(|stat| files::kind(&stat) == FileType::Directory) {
        return search.directory(env, path);
    }
    search.input(env, &mut Input::from_fd(file, path), path)
}

/// Searches the tree at `operand`; `strip` bytes of the paths are not shown.
fn search_tree(
    env: &mut Env,
    args: &Args<'_>,
    chosen: &Chosen<'_>,
    search: &mut Search,
    operand: &[u8],
    strip: usize,
) -> Result<()> {
    let follow = if args.has(DEREFERENCE) { Follow::Always } else { Follow::Operands };
    let shared = std::cell::RefCell::new((env, search));
    files::walk(
        operand,
        follow,
        &mut |visit| {
            let (env, search) = &mut *shared.borrow_mut();
            visit_file(env, search, chosen, visit, strip)
        },
        &mut |error| {
            let (env, search) = &mut *shared.borrow_mut();
            search.fail(env, error)
        },
    )
}

fn visit_file(
    env: &mut Env,
    search: &mut Search,
    chosen: &Chosen<'_>,
    visit: &Visit<'_>,
    strip: usize,
) -> Result<Step> {
    if search.is_done() {
        return Ok(Step::Skip);
    }
    let is_operand = visit.depth == 0;
    if visit.phase != Phase::File {
        let is_left_out = !is_operand && chosen.is_left_out(visit.name, true);
        return Ok(if is_left_out { Step::Skip } else { Step::On });
    }
    // Devices and pipes could wait for ever; only operands are worth that.
    if (files::kind(visit.stat) != FileType::RegularFile && !is_operand)
        || chosen.is_left_out(base_name(visit.name), false)
    {
        return Ok(Step::On);
    }
    let file = match openat(visit.at, visit.name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => file,
        Err(errno) => return Err(Error::on(visit.path, errno)),
    };
    let path = visit.path.get(strip..).unwrap_or(visit.path);
    search.input(env, &mut Input::from_fd(file, path), path)?;
    Ok(Step::On)
}

#[cfg(test)]
mod tests;
