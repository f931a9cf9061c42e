//! The usage text is the option table: what the user reads is what the parser reads.
//!
//! A line of the text that begins with blanks and a dash declares one option; its names end at two spaces:
//!
//! ```text
//!   -n, --lines=N          a value is needed
//!   -i[SUF], --in-place[=SUF]  a value may be attached
//!   -r, -R, --recursive    several names for one option
//!       --color[=WHEN]     no short name
//!   -NUM                   a number for a name: -5, also in a cluster: -a5
//! ```
//!
//! Parsing follows POSIX XBD 12.2 with GNU's long options, their unambiguous abbreviations and permuted operands.

use crate::error::{Error, Question, Result};

/// One option: its index among the option lines of the usage text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opt(pub u8);

impl Opt {
    /// Finds `name` (as `-n`, `--lines` or `-NUM`) in `usage`. A name that is not there stops the build.
    pub const fn find(usage: &str, name: &str) -> Self {
        let (text, name) = (usage.as_bytes(), name.as_bytes());
        let mut at = 0;
        let mut index = 0;
        while at < text.len() {
            if let Some(mut word) = option_line(text, at) {
                while let Some((start, end)) = option_name(text, word) {
                    if same(text, start, end, name) {
                        return Self(index);
                    }
                    word = next_name(text, end);
                }
                index += 1;
            }
            at = next_line(text, at);
        }
        panic!("the usage text has no such option");
    }
}

/// The number of option lines in `usage`.
pub const fn count(usage: &str) -> usize {
    let text = usage.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        if option_line(text, at).is_some() {
            count += 1;
        }
        at = next_line(text, at);
    }
    count
}

/// The number of option lines in `usage` whose description begins with `Ignored`; each of them must be one of `ignored`.
pub const fn count_ignored(usage: &str, ignored: &[&str]) -> usize {
    let text = usage.as_bytes();
    let (mut at, mut index, mut count) = (0, 0, 0);
    while at < text.len() {
        if let Some(dash) = option_line(text, at) {
            let mut gap = dash;
            while gap + 1 < text.len() && text[gap] != b'\n' && (text[gap] != b' ' || text[gap + 1] != b' ') {
                gap += 1;
            }
            while gap < text.len() && text[gap] == b' ' {
                gap += 1;
            }
            if gap + 7 <= text.len() && same(text, gap, gap + 7, b"Ignored") {
                count += 1;
                let mut name = 0;
                while Opt::find(usage, ignored[name]).0 != index {
                    name += 1;
                }
            }
            index += 1;
        }
        at = next_line(text, at);
    }
    count
}

/// Declares an applet's usage text and its options as constants, and checks at build time that both agree.
///
/// ```
/// rbox_core::options! {
///     "[-n N] [FILE]...\n\nPrint the first lines.\n\n  -n, --lines=N  Print N lines";
///     LINES = "-n",
/// }
/// assert_eq!(LINES.0, 0);
/// ```
///
/// An option that is accepted and changes nothing is declared as `ignored`, and its description begins with
/// `Ignored`; neither is possible without the other.
///
/// ```
/// rbox_core::options! {
///     "[-nv]\n\nPrint the name.\n\n  -n  Print no newline\n  -v  Ignored; accepted for compatibility";
///     NO_NEWLINE = "-n",
///     "-v" => ignored,
/// }
/// assert_eq!(NO_NEWLINE.0, 0);
/// ```
#[macro_export]
macro_rules! options {
    ($usage:expr; $($name:ident = $option:literal,)* $($ignored:literal => ignored),* $(,)?) => {
        const USAGE: &str = $usage;
        $(const $name: $crate::options::Opt = $crate::options::Opt::find(USAGE, $option);)*
        const _: () = {
            let ignored: &[&str] = &[$($ignored),*];
            assert!(
                $crate::options::count(USAGE) == <[&str]>::len(&[$($option),*]) + ignored.len(),
                "the usage text declares an option that the applet does not name"
            );
            assert!(
                $crate::options::count_ignored(USAGE, ignored) == ignored.len(),
                "an option is ignored and its line does not say so, or the reverse"
            );
        };
        const _: () = assert!($crate::options::count(USAGE) <= 128, "a set of options has 128 bits");
    };
    ($usage:expr) => {
        const USAGE: &str = $usage;
        const _: () = assert!($crate::options::count(USAGE) == 0, "the usage text declares an option that the applet does not name");
    };
}

/// The blanks that begin a line which continues an option's description.
pub const CONTINUED: usize = 6;

/// Whether the line at `at` continues the description of an option above it.
pub const fn continues(text: &[u8], at: usize) -> bool {
    let mut blanks = 0;
    while blanks < CONTINUED && at + blanks < text.len() && text[at + blanks] == b' ' {
        blanks += 1;
    }
    blanks == CONTINUED
}

/// Where the first dash of an option line that starts at `at` is.
pub const fn option_line(text: &[u8], at: usize) -> Option<usize> {
    let mut dash = at;
    while dash < text.len() && (text[dash] == b' ' || text[dash] == b'\t') {
        dash += 1;
    }
    if dash > at && dash + 1 < text.len() && matches!(text[dash], b'-' | b'+') && text[dash + 1] != b' ' {
        Some(dash)
    } else {
        None
    }
}

const fn next_line(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] != b'\n' {
        at += 1;
    }
    at + 1
}

/// The bounds of the option name that starts at `at`; `None` when there is none.
const fn option_name(text: &[u8], at: usize) -> Option<(usize, usize)> {
    if at + 1 >= text.len() || !matches!(text[at], b'-' | b'+') {
        return None;
    }
    let mut end = at + 1;
    if text[end] != b'-' && !is_number_name(text, at) {
        return Some((at, end + 1));
    }
    while end < text.len() && !matches!(text[end], b'=' | b'[' | b' ' | b',' | b'\n' | b'\t') {
        end += 1;
    }
    Some((at, end))
}

/// `-NUM` and `+NUM` stand for a number.
const fn is_number_name(text: &[u8], at: usize) -> bool {
    at + 3 < text.len() && text[at + 1] == b'N' && text[at + 2] == b'U' && text[at + 3] == b'M'
}

/// Where the next name of the same option starts: after `, `.
const fn next_name(text: &[u8], mut at: usize) -> usize {
    while at + 1 < text.len() && text[at] != b'\n' {
        if text[at] == b' ' && text[at + 1] == b' ' {
            break;
        }
        if text[at] == b',' && text[at + 1] == b' ' && at + 2 < text.len() && matches!(text[at + 2], b'-' | b'+') {
            return at + 2;
        }
        at += 1;
    }
    text.len()
}

const fn same(text: &[u8], start: usize, end: usize, name: &[u8]) -> bool {
    if end - start != name.len() {
        return false;
    }
    let mut index = 0;
    while index < name.len() {
        if text[start + index] != name[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// No value.
    Nothing,
    /// A value is needed.
    Value,
    /// A value may be attached: `-iSUF`, `--in-place=SUF`.
    Attached,
}

/// An option line of a usage text, taken apart: what the parser, the man page and the completion read.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Its index among the option lines.
    pub option: Opt,
    /// Its names with their dashes.
    pub names: Vec<&'a [u8]>,
    /// Whether it takes a value.
    pub takes: Takes,
    /// The text after the names.
    pub help: &'a [u8],
}

/// The option lines of `usage`, in order. It may be packed ([`usage`](crate::usage)), and then the descriptions are.
pub fn lines<'a>(usage: &'a (impl AsRef<[u8]> + ?Sized)) -> impl Iterator<Item = Line<'a>> {
    let text = usage.as_ref();
    let (mut at, mut index) = (0, 0);
    core::iter::from_fn(move || {
        while at < text.len() {
            let dash = option_line(text, at);
            let end = next_line(text, at) - 1;
            at = end + 1;
            if let Some(dash) = dash {
                index += 1;
                return Some(take_apart(text, dash, end, Opt(index - 1)));
            }
        }
        None
    })
}

fn take_apart(text: &[u8], dash: usize, end: usize, option: Opt) -> Line<'_> {
    let (mut names, mut takes, mut word) = (Vec::new(), Takes::Nothing, dash);
    let text = &text[..end];
    while let Some((start, stop)) = option_name(text, word) {
        names.push(&text[start..stop]);
        match &text[stop..] {
            [b'[', ..] => takes = Takes::Attached,
            [b'=', ..] => takes = Takes::Value,
            [b' ', next, ..] if *next != b' ' => takes = Takes::Value,
            _ => {}
        }
        word = next_name(text, stop);
    }
    let help = text[dash..].windows(2).position(|pair| pair == b"  ").map_or(&b""[..], |gap| &text[dash + gap..]);
    Line { option, names, takes, help: help.trim_ascii() }
}

/// The option with that letter.
fn find_short(usage: &[u8], letter: u8) -> Option<Line<'_>> {
    lines(usage).find(|line| line.names.iter().any(|name| **name == [b'-', letter]))
}

/// The decimal digits that `word` begins with.
fn digits_of(word: &[u8]) -> &[u8] {
    &word[..word.iter().take_while(|byte| byte.is_ascii_digit()).count()]
}

/// What follows a leading `--`, for applets that read their words themselves.
pub fn after_dashes<'a, 'b>(words: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    match words {
        [b"--", rest @ ..] => rest,
        _ => words,
    }
}

/// The words with dashes before the options of tar's and ar's form, `xzf ARCHIVE`, whose values come after all of them in their
/// order.
pub fn with_dashes(usage: &str, words: &[&[u8]]) -> Result<Vec<Vec<u8>>> {
    let (name, mut rest) = words.split_first().ok_or_else(Error::usage)?;
    let mut all = vec![name.to_vec()];
    if let Some((keys, after)) = rest.split_first()
        && !keys.starts_with(b"-")
    {
        rest = after;
        for &key in *keys {
            let option = [b'-', key];
            let takes = lines(usage).find(|line| line.names.contains(&&option[..])).map(|line| line.takes);
            all.push(option.to_vec());
            if takes == Some(Takes::Value) {
                let needs = || Error::usage_because(&[b"option requires an argument -- '", &[key], b"'"]);
                let (value, after) = rest.split_first().ok_or_else(needs)?;
                all.push(value.to_vec());
                rest = after;
            }
        }
    }
    all.extend(rest.iter().map(|word| word.to_vec()));
    Ok(all)
}

/// How options and operands may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// Options may follow operands, unless POSIXLY_CORRECT is set.
    Permuted,
    /// The first operand ends the options, as for `env`, `nice`, `xargs`, `sh`.
    OptionsFirst,
    /// The first operand ends the options, and may be a negative number, as for `seq`.
    Numbers,
    /// The applet reads its words itself; `--help` and `--version` are taken only when they are the only word.
    Raw,
    /// Every word is data: not even `--help` is taken.
    Data,
}

/// The words of a command line, parsed.
#[derive(Debug)]
pub struct Args<'a> {
    words: &'a [&'a [u8]],
    given: u128,
    found: Vec<(Opt, Option<&'a [u8]>)>,
    operands: Vec<&'a [u8]>,
    /// For each operand that an option may follow: how many options were given before it.
    before: Vec<usize>,
}

impl<'a> Args<'a> {
    /// Parses options and operands by `usage`. `words[0]` is the applet's name.
    ///
    /// The error is the one the user sees: `invalid option -- 'x'`, `unrecognized option '--foo'`.
    pub fn parse(usage: &(impl AsRef<[u8]> + ?Sized), grammar: Grammar, words: &'a [&'a [u8]]) -> Result<Self> {
        let usage = usage.as_ref();
        let mut args = Self { words, given: 0, found: Vec::new(), operands: Vec::new(), before: Vec::new() };
        let mut rest = words.get(1..).unwrap_or_default();
        if matches!(grammar, Grammar::Raw | Grammar::Data) {
            args.operands = rest.to_vec();
            return Ok(args);
        }
        while let Some((&word, after)) = rest.split_first() {
            rest = after;
            match word {
                b"--" => break,
                [b'-', b'0'..=b'9' | b'.', ..] if grammar == Grammar::Numbers => {
                    args.operands.push(word);
                    break;
                }
                [b'-', b'-', long @ ..] => args.take_long(usage, long, &mut rest)?,
                [b'-' | b'+', digit, ..] if digit.is_ascii_digit() && args.take_number(usage, word) => {}
                [b'-', _, ..] => args.take_short(usage, word, &mut rest)?,
                _ => {
                    args.operands.push(word);
                    args.before.push(args.found.len());
                    if matches!(grammar, Grammar::OptionsFirst | Grammar::Numbers) {
                        break;
                    }
                }
            }
        }
        args.operands.extend_from_slice(rest);
        Ok(args)
    }

    fn take_long(&mut self, usage: &[u8], long: &'a [u8], rest: &mut &'a [&'a [u8]]) -> Result<()> {
        let (name, attached) = match crate::bytes::split_once(long, b'=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let (mut matched, mut ambiguous) = (None, false);
        for line in lines(usage) {
            for candidate in line.names.iter().filter_map(|candidate| candidate.strip_prefix(b"--")) {
                if candidate == name {
                    (matched, ambiguous) = (Some((line.option, line.takes)), false);
                    return self.finish_long(name, matched, attached, rest, ambiguous);
                }
                if candidate.starts_with(name) {
                    ambiguous |= matched.is_some_and(|(option, _)| option != line.option);
                    matched = Some((line.option, line.takes));
                }
            }
        }
        if attached.is_none()
            && let Some(question) = Question::of(&[b"--", name].concat())
        {
            return Err(Error::asked(question));
        }
        self.finish_long(name, matched, attached, rest, ambiguous)
    }

    fn finish_long(
        &mut self,
        name: &[u8],
        matched: Option<(Opt, Takes)>,
        attached: Option<&'a [u8]>,
        rest: &mut &'a [&'a [u8]],
        ambiguous: bool,
    ) -> Result<()> {
        if ambiguous {
            return Err(Error::usage_because(&[b"option '--", name, b"' is ambiguous"]));
        }
        let Some((option, takes)) = matched else {
            return Err(Error::usage_because(&[b"unrecognized option '--", name, b"'"]));
        };
        let value = match (takes, attached) {
            (Takes::Nothing, Some(_)) => {
                return Err(Error::usage_because(&[b"option '--", name, b"' doesn't allow an argument"]));
            }
            (Takes::Value, None) => match rest.split_first() {
                Some((value, after)) => {
                    *rest = after;
                    Some(*value)
                }
                None => return Err(Error::usage_because(&[b"option '--", name, b"' requires an argument"])),
            },
            _ => attached,
        };
        self.add(option, value);
        Ok(())
    }

    /// Takes a word like `-5` or `+3` where the usage text has `-NUM` or `+NUM`. The value keeps no sign. Options without
    /// a value may follow the digits of `-5`, as in `-9c`; else all of the word is the value.
    fn take_number(&mut self, usage: &[u8], word: &'a [u8]) -> bool {
        let name = if word[0] == b'-' { &b"-NUM"[..] } else { b"+NUM" };
        let Some(line) = lines(usage).find(|line| line.names.contains(&name)) else { return false };
        let digits = digits_of(&word[1..]);
        let is_plain = |letter: &u8| find_short(usage, *letter).is_some_and(|line| line.takes == Takes::Nothing);
        let length = if !word[1 + digits.len()..].iter().all(is_plain) { word.len() } else { 1 + digits.len() };
        self.add(line.option, Some(&word[1..length]));
        for &letter in &word[length..] {
            if let Some(line) = find_short(usage, letter) {
                self.add(line.option, None);
            }
        }
        true
    }

    fn take_short(&mut self, usage: &[u8], word: &'a [u8], rest: &mut &'a [&'a [u8]]) -> Result<()> {
        let mut at = 1;
        while let Some(&letter) = word.get(at) {
            let digits = digits_of(&word[at..]);
            let attached = &word[at + 1..];
            at += 1;
            let Some(line) = find_short(usage, letter) else {
                if let Some(line) = lines(usage).find(|line| line.names.contains(&&b"-NUM"[..]) && !digits.is_empty()) {
                    self.add(line.option, Some(digits));
                    at += digits.len() - 1;
                    continue;
                }
                return Err(Error::usage_because(&[b"invalid option -- '", &[letter], b"'"]));
            };
            match line.takes {
                Takes::Nothing => self.add(line.option, None),
                Takes::Attached => {
                    self.add(line.option, if attached.is_empty() { None } else { Some(attached) });
                    return Ok(());
                }
                Takes::Value if !attached.is_empty() => {
                    self.add(line.option, Some(attached));
                    return Ok(());
                }
                Takes::Value => {
                    let Some((value, after)) = rest.split_first() else {
                        return Err(Error::usage_because(&[b"option requires an argument -- '", &[letter], b"'"]));
                    };
                    *rest = after;
                    self.add(line.option, Some(value));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, option: Opt, value: Option<&'a [u8]>) {
        self.given |= 1 << option.0;
        self.found.push((option, value));
    }

    /// True when the option was given.
    pub fn has(&self, option: Opt) -> bool {
        self.given & (1 << option.0) != 0
    }

    /// How often the option was given.
    pub fn times(&self, option: Opt) -> usize {
        self.found.iter().filter(|(found, _)| *found == option).count()
    }

    /// The value of the option, the last one when it was given more than once.
    pub fn value(&self, option: Opt) -> Option<&'a [u8]> {
        self.found.iter().rev().find(|(found, _)| *found == option)?.1
    }

    /// The values of the option, in their order.
    pub fn values(&self, option: Opt) -> impl Iterator<Item = &'a [u8]> {
        self.found.iter().filter(move |(found, _)| *found == option).filter_map(|(_, value)| *value)
    }

    /// Which of `options` was given last: for options that override each other.
    pub fn last_of(&self, options: &[Opt]) -> Option<Opt> {
        self.found.iter().rev().map(|(found, _)| *found).find(|found| options.contains(found))
    }

    /// Every option given, with its value, in order.
    pub fn found(&self) -> &[(Opt, Option<&'a [u8]>)] {
        &self.found
    }

    /// The operands.
    pub fn operands(&self) -> &[&'a [u8]] {
        &self.operands
    }

    /// How many of `found` were given before that operand, for options that hold for what follows them.
    pub fn options_before(&self, operand: usize) -> usize {
        self.before.get(operand).copied().unwrap_or(self.found.len())
    }

    /// The operands, or `only` where there are none.
    pub fn operands_or(&self, only: &'a [u8]) -> Vec<&'a [u8]> {
        if self.operands.is_empty() { vec![only] } else { self.operands.clone() }
    }

    /// The whole command line; the first word is the name as it was called.
    pub fn words(&self) -> &'a [&'a [u8]] {
        self.words
    }

    /// The operands, when there are at least `least` and at most `most`; else the usage error.
    pub fn operands_between(&self, least: usize, most: usize) -> Result<&[&'a [u8]]> {
        if (least..=most).contains(&self.operands.len()) { Ok(&self.operands) } else { Err(Error::usage()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[-ab] [FILE]...\n\n  -a, --all       All\n  -n, --lines=N   Lines\n  -i[SUF], --in-place[=SUF]  Edit\n  \
        -r, -R          Recurse\n      --along     Long\n  -NUM            Number\n  -w N  Width";

    fn parse<'a>(words: &'a [&'a [u8]]) -> Args<'a> {
        Args::parse(TEXT, Grammar::Permuted, words).expect("the words are right")
    }

    #[test]
    fn names_are_found_at_build_time() {
        assert_eq!(Opt::find(TEXT, "--in-place"), Opt(2));
        assert_eq!(Opt::find(TEXT, "-R"), Opt(3));
        assert_eq!(Opt::find(TEXT, "-NUM"), Opt(5));
        assert_eq!(count(TEXT), 7);
    }

    #[test]
    fn ignored_options_are_counted() {
        const IGNORED: &str = "[-ab]\n\n  -a, --all  Ignored: all\n  -b  Not Ignored\n  -c, -d   Ignored; accepted";
        assert_eq!((count_ignored(IGNORED, &["-d", "-a"]), count_ignored(TEXT, &[])), (2, 0));
    }

    #[test]
    fn clusters_values_and_permuted_operands() {
        let words: [&[u8]; 6] = [b"x", b"-an5", b"one", b"-w", b"7", b"-i.bak"];
        let args = parse(&words);
        assert!(args.has(Opt(0)));
        assert_eq!(args.value(Opt(1)), Some(&b"5"[..]));
        assert_eq!(args.value(Opt(6)), Some(&b"7"[..]));
        assert_eq!(args.value(Opt(2)), Some(&b".bak"[..]));
        assert_eq!(args.operands(), [b"one"]);
    }

    #[test]
    fn long_names_may_be_cut_while_they_are_unambiguous() {
        let words: [&[u8]; 3] = [b"x", b"--li=3", b"--alo"];
        let args = parse(&words);
        assert_eq!(args.value(Opt(1)), Some(&b"3"[..]));
        assert!(args.has(Opt(4)));
        let words: [&[u8]; 2] = [b"x", b"--al"];
        let error = Args::parse(TEXT, Grammar::Permuted, &words).expect_err("--all or --along");
        assert_eq!(error.message(), b"option '--al' is ambiguous");
    }

    #[test]
    fn two_dashes_end_the_options_and_a_number_may_be_one() {
        let words: [&[u8]; 4] = [b"x", b"-12", b"--", b"-a"];
        let args = parse(&words);
        assert_eq!(args.value(Opt(5)), Some(&b"12"[..]));
        assert_eq!(args.operands(), [b"-a"]);
        // With options around the digits, and a value that has other characters.
        for (word, value, all) in [(&b"-9a"[..], &b"9"[..], true), (b"-a19", b"19", true), (b"-9k", b"9k", false)] {
            let words: [&[u8]; 2] = [b"x", word];
            let args = parse(&words);
            assert_eq!((args.value(Opt(5)), args.has(Opt(0))), (Some(value), all));
        }
    }

    #[test]
    fn options_come_before_operands_in_their_order() {
        let words: [&[u8]; 6] = [b"x", b"-a", b"one", b"-n3", b"two", b"three"];
        let args = parse(&words);
        assert_eq!([0, 1, 2, 3].map(|operand| args.options_before(operand)), [1, 2, 2, 2]);
    }

    #[test]
    fn keys_without_dashes_take_their_values_in_their_order() {
        let words: [&[u8]; 5] = [b"x", b"anw", b"3", b"7", b"file"];
        let with = with_dashes(TEXT, &words).expect("all values are there");
        let with: Vec<&[u8]> = with.iter().map(Vec::as_slice).collect();
        assert_eq!(with, [&b"x"[..], b"-a", b"-n", b"3", b"-w", b"7", b"file"]);
        let error = with_dashes(TEXT, &words[..3]).expect_err("-w has no value");
        assert_eq!(error.message(), b"option requires an argument -- 'w'");
    }

    #[test]
    fn wrong_options_are_named() {
        for (word, message) in [
            (&b"-z"[..], &b"invalid option -- 'z'"[..]),
            (b"--zoo", b"unrecognized option '--zoo'"),
            (b"-n", b"option requires an argument -- 'n'"),
            (b"--lines", b"option '--lines' requires an argument"),
            (b"--all=1", b"option '--all' doesn't allow an argument"),
        ] {
            let words = [&b"x"[..], word];
            let error = Args::parse(TEXT, Grammar::Permuted, &words).expect_err("the word is wrong");
            assert_eq!(error.message(), message);
        }
    }
}
