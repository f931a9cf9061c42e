//! `diff`: compare files line by line (POSIX XCU diff), with GNU's formats and options.
//!
//! Files are compared in memory as a whole: each takes its size, and 17 bytes for each line of it.

mod columns;
mod compare;
mod context;
mod lines;
mod myers;
mod normal;
mod style;
mod tree;

#[cfg(fuzzing)]
pub use compare::fuzz;
use rbox_core::bytes::find_byte;
use rbox_core::io::Input;
use rbox_core::number::{PLAIN, parse_count};
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::time::{Moment, Zone};

use lines::{Lines, Rules};
use style::{Format, Side, Style};
use tree::Trees;

options! {
    "[-abBcdeEfilnNpPqrsTtuwyZ] [-C N | -U N | -W N] [-F RE] [-I RE] [-L LABEL] [-S FILE] [-x GLOB] [-X FILE] FILE1 FILE2

Compare FILE1 with FILE2, or all files of two directories, line by line.
The status is 0 if there are no differences, 1 if there are some, 2 if there is an error.

      --normal                   Print differences as commands and lines (default)
  -u                             Print unified differences with 3 lines of context
  -U N                           Print unified differences with N lines of context
      --unified[=N]              Same as -U N, or -u
  -c                             Print copied context of 3 lines
  -C N                           Print copied context of N lines
      --context[=N]              Same as -C N, or -c
  -NUM                           Print NUM lines of context
  -e, --ed                       Print a script for ed
  -f, --forward-ed               Print commands of ed in forward order, which ed does not take
  -n, --rcs                      Print the format of RCS
  -y, --side-by-side             Print both files side by side
  -W, --width=N                  Print at most N columns side by side (130)
      --left-column              Print common lines only on the left
      --suppress-common-lines    Print no common lines
  -q, --brief                    Print only whether files differ
  -s, --report-identical-files   Print which files are the same
  -p, --show-c-function          Print the C function of each hunk
  -F, --show-function-line=RE    Print the last line that matches RE before each hunk
  -L, --label=LABEL              Print LABEL instead of name and time; repeatable
  -t, --expand-tabs              Print blanks instead of tabs
  -T, --initial-tab              Print a tab before lines, so that their tabs are aligned
      --tabsize=N                Tab stops are N columns apart (8)
      --color, --colour[=WHEN]   Color the output: always, never, auto
  -r, --recursive                Compare subdirectories
  -N, --new-file                 Treat absent files as empty
  -P, --unidirectional-new-file  Treat absent first files as empty
      --no-dereference           Compare symbolic links, not what they lead to
  -x, --exclude=GLOB             Skip files that match GLOB
  -X, --exclude-from=FILE        Skip files that match a line of FILE
  -S, --starting-file=FILE       Start with FILE in directories
  -i, --ignore-case              Ignore case
  -E, --ignore-tab-expansion     Ignore whether tabs are expanded
  -Z, --ignore-trailing-space    Ignore white space at the end of lines
  -b, --ignore-space-change      Ignore the amount of white space
  -w, --ignore-all-space         Ignore all white space
  -B, --ignore-blank-lines       Ignore changes of blank lines only
  -I, --ignore-matching-lines=RE  Ignore changes of lines that match RE only
  -a, --text                     Treat all files as text
      --strip-trailing-cr        Remove carriage returns at the end of lines
  -d, --minimal                  Find the fewest changes, however long it takes
  -H, --speed-large-files        Ignored; large files are compared fast anyway";
    NORMAL = "--normal",
    UNIFIED = "-u",
    UNIFIED_LINES = "-U",
    UNIFIED_LONG = "--unified",
    COPIED = "-c",
    COPIED_LINES = "-C",
    COPIED_LONG = "--context",
    NUMBER = "-NUM",
    ED = "-e",
    FORWARD_ED = "-f",
    RCS = "-n",
    SIDE_BY_SIDE = "-y",
    WIDTH = "-W",
    LEFT_COLUMN = "--left-column",
    SUPPRESS_COMMON = "--suppress-common-lines",
    BRIEF = "-q",
    REPORT_SAME = "-s",
    C_FUNCTION = "-p",
    FUNCTION = "-F",
    LABEL = "-L",
    EXPAND = "-t",
    INITIAL_TAB = "-T",
    TAB_SIZE = "--tabsize",
    COLOR = "--color",
    RECURSIVE = "-r",
    NEW_FILE = "-N",
    NEW_FIRST = "-P",
    NO_DEREFERENCE = "--no-dereference",
    EXCLUDE = "-x",
    EXCLUDE_FROM = "-X",
    START = "-S",
    IGNORE_CASE = "-i",
    IGNORE_TABS = "-E",
    IGNORE_TRAILING = "-Z",
    IGNORE_AMOUNT = "-b",
    IGNORE_ALL = "-w",
    IGNORE_BLANK = "-B",
    IGNORE_MATCHING = "-I",
    TEXT = "-a",
    STRIP_CR = "--strip-trailing-cr",
    MINIMAL = "-d",
    "-H" => ignored,
}

/// The applet. POSIX XCU diff: 1 means that the files differ, more than 1 an error.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2);

/// What has been read of a file.
#[derive(Default)]
struct Contents {
    name: Vec<u8>,
    bytes: Vec<u8>,
    modified: Moment,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let &[one, two] = args.operands_between(2, 2)? else { return Err(Error::usage()) };
    let mut exclude: Vec<Vec<u8>> = args.values(EXCLUDE).map(<[u8]>::to_vec).collect();
    for file in args.values(EXCLUDE_FROM) {
        let mut input = Input::operand(file)?;
        while let Some(line) = input.line()? {
            exclude.push(line.to_vec());
        }
    }
    let absent = args.has(NEW_FILE);
    let mut trees = Trees {
        style: style(env, args)?,
        recursive: args.has(RECURSIVE),
        absent: [absent || args.has(NEW_FIRST), absent],
        follow: !args.has(NO_DEREFERENCE),
        exclude,
        start: args.value(START),
        command: command(args),
        status: ExitStatus::SUCCESS,
        above: Vec::new(),
    };
    trees.operands(env, [one, two])?;
    Ok(trees.status)
}

/// `diff` and the options, as they were given.
fn command(args: &Args<'_>) -> Vec<u8> {
    let is_operand = |word: &[u8]| args.operands().iter().any(|operand| core::ptr::eq(*operand, word));
    let mut command = b"diff".to_vec();
    for word in args.words().iter().skip(1).filter(|word| !is_operand(word)) {
        command.push(b' ');
        command.extend_from_slice(word);
    }
    command
}

fn format(args: &Args<'_>) -> Result<Format> {
    let mut chosen = None;
    for (option, _) in args.found() {
        let format = match *option {
            NORMAL => Format::Normal,
            UNIFIED | UNIFIED_LINES | UNIFIED_LONG => Format::Unified,
            COPIED | COPIED_LINES | COPIED_LONG => Format::Context,
            ED => Format::Ed,
            FORWARD_ED => Format::ForwardEd,
            RCS => Format::Rcs,
            SIDE_BY_SIDE => Format::SideBySide,
            _ => continue,
        };
        if chosen.is_some_and(|chosen| chosen != format) {
            return Err(Error::misused("conflicting output style options"));
        }
        chosen = Some(format);
    }
    let shows_functions = args.has(C_FUNCTION) || args.has(FUNCTION);
    Ok(chosen.unwrap_or(if shows_functions && args.has(C_FUNCTION) { Format::Context } else { Format::Normal }))
}

fn style<'a>(env: &Env, args: &Args<'a>) -> Result<Style<'a>> {
    let count = |option| args.values(option).try_fold(None, |_, word| parse_count(word, PLAIN).map(Some));
    let mut context = None;
    for option in [UNIFIED_LINES, UNIFIED_LONG, COPIED_LINES, COPIED_LONG, NUMBER] {
        context = context.max(count(option)?);
    }
    let size = |option, default: usize| -> Result<usize> {
        match count(option)? {
            None => Ok(default),
            Some(size @ 1..=1_000_000) => Ok(size as usize),
            Some(_) => Err(rbox_core::number::invalid(args.value(option).unwrap_or_default())),
        }
    };
    let color = match (args.has(COLOR), args.value(COLOR).unwrap_or(b"auto")) {
        (false, _) | (_, b"never") => false,
        (_, b"always") => true,
        (_, b"auto") => env.stdout.is_terminal(),
        (_, other) => return Err(Error::parts(&[b"invalid argument '", other, b"' for --color"])),
    };
    let functions: Vec<&[u8]> = match args.has(C_FUNCTION) {
        true => args.values(FUNCTION).chain([&b"^[[:alpha:]$_]"[..]]).collect(),
        false => args.values(FUNCTION).collect(),
    };
    Ok(Style {
        format: format(args)?,
        context: context.map_or(3, |lines| usize::try_from(lines).unwrap_or(usize::MAX).min(usize::MAX / 4)),
        rules: Rules {
            fold_case: args.has(IGNORE_CASE),
            tabs: args.has(IGNORE_TABS),
            trailing: args.has(IGNORE_TRAILING),
            amount: args.has(IGNORE_AMOUNT),
            all: args.has(IGNORE_ALL),
        },
        strip_cr: args.has(STRIP_CR),
        ignore_blank: args.has(IGNORE_BLANK),
        ignore_matching: regex(env, &args.values(IGNORE_MATCHING).collect::<Vec<_>>())?,
        function: regex(env, &functions)?,
        minimal: args.has(MINIMAL),
        text: args.has(TEXT),
        brief: args.has(BRIEF),
        report_same: args.has(REPORT_SAME),
        expand: args.has(EXPAND),
        initial_tab: args.has(INITIAL_TAB),
        tab: size(TAB_SIZE, 8)?,
        width: size(WIDTH, 130)?,
        left_column: args.has(LEFT_COLUMN),
        suppress_common: args.has(SUPPRESS_COMMON),
        color,
        labels: args.values(LABEL).collect(),
        zone: Zone::load(env.vars.get("TZ")),
    })
}

/// What lines match that match any of the expressions.
fn regex(env: &Env, patterns: &[&[u8]]) -> Result<Option<Regex>> {
    let flags = if env.is_utf8() { Flags::LINES | Flags::UTF8 } else { Flags::LINES };
    for pattern in patterns {
        Regex::new(pattern, flags).map_err(|error| error.about(pattern))?;
    }
    match patterns {
        [] => Ok(None),
        [first, ..] => Regex::any_of(patterns, flags).map(Some).map_err(|error| error.about(first)),
    }
}

/// Prints the differences of two files that are not equal byte by byte; `command` goes before them. False if none of
/// them matters.
fn differences(env: &mut Env, style: &Style<'_>, mut files: [Contents; 2], command: &[u8]) -> Result<bool> {
    let is_binary = |contents: &Contents| find_byte(0, &contents.bytes[..contents.bytes.len().min(1 << 15)]).is_some();
    let rules_matter =
        !style.rules.are_none() || style.ignore_blank || style.ignore_matching.is_some() || style.strip_cr;
    if !style.text && files.iter().any(is_binary) || style.brief && !rules_matter {
        return report_difference(env, style, &files);
    }
    if style.strip_cr {
        for contents in &mut files {
            contents.bytes = strip_returns(&contents.bytes);
        }
    }
    let mut incomplete = Vec::new();
    if matches!(style.format, Format::Ed | Format::ForwardEd) {
        // ed knows no line without a newline.
        for contents in files.iter_mut().filter(|contents| contents.bytes.last().is_some_and(|&last| last != b'\n')) {
            contents.bytes.push(b'\n');
            incomplete.push(contents.name.clone());
        }
    }
    let forms = [0, 1].map(|at| style.rules.apply(if style.rules.are_none() { b"" } else { &files[at].bytes }));
    let [one, two] = [0, 1].map(|at| {
        let Contents { name, bytes, modified } = &files[at];
        Side { name, modified: *modified, lines: Lines::of(bytes) }
    });
    if one.lines.len().max(two.lines.len()) >= 1 << 29 {
        return Err(Error::parts(&[&files[0].name, b": too many lines"]));
    }
    let keys = forms.each_ref().map(|form| Lines::of(form));
    let keys = if style.rules.are_none() { [&one.lines, &two.lines] } else { [&keys[0], &keys[1]] };
    // GNU's diff moves changes within the context, and users compare with its output.
    let has_context = matches!(style.format, Format::Unified | Format::Context);
    let horizon = if has_context { style.context } else { 0 };
    let mut changes = compare::changes(keys, horizon, style.minimal);
    style.ignore(&mut changes, keys, [&one, &two]);
    let differs = changes.iter().any(|change| !change.ignored);
    if differs && style.brief {
        return report_difference(env, style, &files);
    }
    if differs {
        env.stdout.write(command)?;
    }
    let sides = [&one, &two];
    match style.format {
        Format::SideBySide => columns::print(env, style, sides, &changes)?,
        _ if !differs => {}
        Format::Unified | Format::Context => context::print(env, style, sides, &changes)?,
        _ => normal::print(env, style, sides, &changes)?,
    }
    for name in &incomplete {
        env.report(&Error::parts(&[name, b": No newline at end of file"]));
    }
    if incomplete.is_empty() { Ok(differs) } else { Err(Error::silent(ExitStatus(2))) }
}

fn report_difference(env: &mut Env, style: &Style<'_>, files: &[Contents; 2]) -> Result<bool> {
    let lead: &[u8] = if style.brief { b"Files " } else { b"Binary files " };
    env.stdout.write(&[lead, &files[0].name, b" and ", &files[1].name, b" differ\n"].concat())?;
    Ok(true)
}

/// The contents without the carriage returns before newlines.
fn strip_returns(bytes: &[u8]) -> Vec<u8> {
    let mut stripped = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(bare) => stripped.extend_from_slice(&[bare, b"\n"].concat()),
            None => stripped.extend_from_slice(line),
        }
    }
    stripped
}
