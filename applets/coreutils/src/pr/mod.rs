//! `pr`: print files in pages and columns (POSIX XCU pr), with GNU's options.

mod page;
mod source;

use rbox_core::number::parse_decimal;
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::time::{Moment, Zone};

use page::{Layout, Pages};
use source::Source;

options! {
    "[OPTION]... [FILE]...

Print each FILE, or standard input, in pages with headers, or in columns.

  -NUM, --columns=NUM                     Print NUM columns, filled downwards
  +NUM, --pages=FIRST[:LAST]              Begin with page FIRST, end with page LAST
  -a, --across                            Fill columns across
  -c, --show-control-chars                Show control characters as ^G and octal
  -d, --double-space                      Double the space between lines
  -D, --date-format=FORMAT                Print the date by FORMAT in headers
  -e[CHAR[N]], --expand-tabs[=CHAR[N]]    Expand CHAR (tab) to every Nth column (8)
  -F, -f, --form-feed                     End pages with a form feed, not with empty lines
  -h, --header=HEADER                     Print HEADER, not the name of the file
  -i[CHAR[N]], --output-tabs[=CHAR[N]]    Print CHAR (tab) for blanks up to every Nth column (8)
  -J, --join-lines                        Print columns in full width
  -l, --length=N                          Lines of a page (66); up to 10 without headers
  -m, --merge                             Print all files side by side, one in each column
  -n[CHAR[N]], --number-lines[=CHAR[N]]   Number lines by N digits (5), and CHAR (tab)
  -N, --first-line-number=N               Number the first printed line N
  -o, --indent=N                          Indent lines by N columns
  -r, --no-file-warnings                  Do not report files that cannot be opened
  -s[CHAR], --separator[=CHAR]            Separate columns by CHAR (tab) alone
  -S[STRING], --sep-string[=STRING]       Separate columns by STRING
  -t, --omit-header                       Print no headers
  -T, --omit-pagination                   As -t, and drop form feeds
  -v, --show-nonprinting                  Show control characters in octal
  -w, --width=N                           Width of pages with several columns (72)
  -W, --page-width=N                      Width of all pages; longer lines are cut";
    COLUMNS = "-NUM",
    PAGES = "+NUM",
    ACROSS = "-a",
    CONTROL = "-c",
    DOUBLE = "-d",
    DATE = "-D",
    EXPAND = "-e",
    FEED = "-f",
    HEADER = "-h",
    COMPRESS = "-i",
    JOIN = "-J",
    LENGTH = "-l",
    MERGE = "-m",
    NUMBER = "-n",
    FIRST_NUMBER = "-N",
    INDENT = "-o",
    NO_WARNINGS = "-r",
    SEPARATOR = "-s",
    STRING = "-S",
    NO_HEADER = "-t",
    NO_PAGES = "-T",
    OCTAL = "-v",
    WIDTH = "-w",
    PAGE_WIDTH = "-W",
}

/// The applet. Its words are parsed once digits stand alone in them: `-3t` is `-3 -t`.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// The largest size that an option takes: a page is made in memory.
const MOST: u64 = 1 << 20;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = apart(args.operands());
    let words: Vec<&[u8]> = core::iter::once(&b"pr"[..]).chain(words.iter().map(Vec::as_slice)).collect();
    let args = Args::parse(USAGE, Grammar::Permuted, &words)?;
    let layout = layout(env, &args)?;
    let (first, last) = match args.value(PAGES) {
        None => (1, u64::MAX),
        Some(word) => {
            let (first, last) = rbox_core::bytes::split_once(word, b':').unwrap_or((word, b""));
            let number = |word| parse_decimal(word).filter(|page| *page > 0);
            let last = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            let range = number(first).zip(last).filter(|(first, last)| first <= last);
            range.ok_or_else(|| Error::parts(&[b"invalid page range '", word, b"'"]))?
        }
    };
    let start = match args.value(FIRST_NUMBER) {
        None => None,
        Some(word) => Some(rbox_core::number::parse_c(word).ok_or_else(|| rbox_core::number::invalid(word))?),
    };
    let zone = Zone::load(env.vars.get("TZ"));
    let date_format = args.value(DATE).unwrap_or(b"%Y-%m-%d %H:%M");
    let header = args.value(HEADER);
    let mut status = ExitStatus::SUCCESS;
    let mut sources = Vec::new();
    for name in args.operands_or(b"-") {
        match env.open(name) {
            Ok(input) => sources.push(Source::new(name, input)),
            Err(error) if args.has(NO_WARNINGS) => status.worsen(error.status(1)),
            Err(error) => status.worsen(env.warn(error)),
        }
        if !layout.merges {
            let Some(mut source) = sources.pop() else { continue };
            let text = header.unwrap_or(if name == b"-" { b"" } else { name });
            let date = rbox_core::time::format(date_format, source.modified(), &zone);
            let sources = core::slice::from_mut(&mut source);
            Pages { layout: &layout, first, last, start, date, text }.print(env, sources)?;
        }
    }
    if layout.merges && !sources.is_empty() {
        let date = rbox_core::time::format(date_format, Moment::now(), &zone);
        let layout = Layout { columns: sources.len(), ..layout };
        Pages { layout: &layout, first, last, start, date, text: header.unwrap_or_default() }
            .print(env, &mut sources)?;
    }
    Ok(status)
}

/// Takes digits that are options out of words with others. What follows an option that takes a value is its value.
fn apart(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut apart, mut is_value, mut is_operand) = (Vec::new(), false, false);
    for &word in words {
        is_operand |= word == b"--" && !is_value;
        if is_value || is_operand || !word.starts_with(b"-") || word.starts_with(b"--") || word == b"-" {
            apart.push(word.to_vec());
            is_value = false;
            continue;
        }
        let mut at = 1;
        while at < word.len() {
            let digits = word[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = match word[at] {
                _ if digits > 0 => at + digits,
                b'D' | b'h' | b'l' | b'N' | b'o' | b'w' | b'W' => {
                    is_value = at + 1 == word.len();
                    word.len()
                }
                b'e' | b'i' | b'n' | b's' | b'S' => word.len(),
                _ => at + 1,
            };
            apart.push([b"-", &word[at..end]].concat());
            at = end;
        }
    }
    apart
}

fn layout(env: &Env, args: &Args<'_>) -> Result<Layout> {
    let number = |option, otherwise: u64, least: u64| match args.value(option) {
        None => Ok(otherwise as usize),
        Some(word) => parse_decimal(word)
            .filter(|number| (least..=MOST).contains(number))
            .map(|number| number as usize)
            .ok_or_else(|| rbox_core::number::invalid(word)),
    };
    let columns = number(COLUMNS, 1, 1)?;
    let merges = args.has(MERGE);
    if merges && args.has(COLUMNS) {
        return Err(Error::new("cannot specify number of columns when printing in parallel"));
    }
    if merges && args.has(ACROSS) {
        return Err(Error::new("cannot specify both printing across and printing in parallel"));
    }
    let length = number(LENGTH, 66, 1)?;
    let has_header = !args.has(NO_HEADER) && !args.has(NO_PAGES) && length > 10;
    let body = if has_header { length - 10 } else { length };
    let is_several = merges || columns > 1;
    let joins = args.has(JOIN);
    // -s without -w gives columns neither a place nor a width.
    let is_wide = args.has(WIDTH) || args.has(PAGE_WIDTH);
    let separator = args.last_of(&[SEPARATOR, STRING]);
    let is_free = is_several && (joins || separator == Some(SEPARATOR) && !is_wide);
    let separator = match separator {
        None if joins => b"\t",
        None => b" ",
        Some(SEPARATOR) if is_wide => args.value(SEPARATOR).unwrap_or_default(),
        Some(SEPARATOR) => args.value(SEPARATOR).unwrap_or(b"\t"),
        Some(option) => args.value(option).unwrap_or_default(),
    };
    let tab = |option, is_default: bool| match args.has(option) {
        true => character_and_number(args.value(option), b'\t', 8).map(Some),
        false => Ok(is_default.then_some((b'\t', 8))),
    };
    let numbers = match args.has(NUMBER) {
        true => Some(character_and_number(args.value(NUMBER), b'\t', 5)?),
        false => None,
    };
    let width = number(if args.has(PAGE_WIDTH) { PAGE_WIDTH } else { WIDTH }, 72, 1)?;
    Ok(Layout {
        columns,
        merges,
        across: args.has(ACROSS),
        rows: if args.has(DOUBLE) { (body / 2).max(1) } else { body },
        body,
        has_header,
        has_pages: !args.has(NO_PAGES),
        feeds: args.has(FEED),
        doubles: args.has(DOUBLE),
        margin: number(INDENT, 0, 0)?,
        width,
        separator: separator.to_vec(),
        pads: is_several && !is_free,
        cuts: !joins && (is_several && !is_free || args.has(PAGE_WIDTH)),
        numbers,
        expand: tab(EXPAND, is_several)?,
        compress: tab(COMPRESS, is_several)?,
        shows_octal: args.has(OCTAL),
        shows_control: args.has(CONTROL),
        utf8: env.is_utf8(),
    })
}

/// The value of -e, -i and -n: a character that is no digit, then a number.
fn character_and_number(word: Option<&[u8]>, character: u8, number: usize) -> Result<(u8, usize)> {
    let (character, digits) = match word {
        None => return Ok((character, number)),
        Some([first, digits @ ..]) if !first.is_ascii_digit() => (*first, digits),
        Some(digits) => (character, digits),
    };
    if digits.is_empty() {
        return Ok((character, number));
    }
    let number = parse_decimal(digits).filter(|number| (1..=1000).contains(number));
    number.map(|number| (character, number as usize)).ok_or_else(|| rbox_core::number::invalid(digits))
}
