//! Random expressions and texts: the bounds of matches and groups must be those of a reference that tries all, and where
//! regexec() of glibc or musl departs from it, the difference is counted under its name.
//!
//! `cargo test --release -p rbox-core --test regex_against_libc -- --ignored --nocapture`; SEED chooses where to begin, COUNT how
//! many pairs. It compiles a program with `cc` and, if it is there, `musl-gcc`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rbox_core::pattern::regex::{Exec, Flags, Regex};

/// Reads lines `E` or `B`, the expression and the text, separated by tabs; prints all bounds of each.
const PROGRAM: &str = r#"
#include <regex.h>
#include <stdio.h>
#include <string.h>
int main(void) {
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *pattern = strchr(line, '\t') + 1, *text = strchr(pattern, '\t');
        *text++ = 0;
        regex_t regex;
        regmatch_t m[10];
        if (regcomp(&regex, pattern, *line == 'E' ? REG_EXTENDED : 0)) { puts("error"); fflush(stdout); continue; }
        if (regexec(&regex, text, 10, m, 0)) puts("none");
        else {
            for (size_t i = 0; i <= regex.re_nsub && i < 10; i++) printf("(%d,%d)", (int)m[i].rm_so, (int)m[i].rm_eo);
            puts("");
        }
        regfree(&regex);
        fflush(stdout);
    }
    return 0;
}
"#;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }
}

/// An expression, independent of the parser under test.
#[derive(Clone)]
enum Node {
    Byte(u8),
    /// A set and how it is written.
    Set(&'static [u8], &'static str),
    Begin,
    End,
    Group(usize, Box<Node>),
    Cat(Vec<Node>),
    Alt(Vec<Node>),
    Repeat(Box<Node>, usize, usize, &'static str),
    Backref(usize),
}

fn generate(random: &mut Random, depth: u32, groups: &mut usize, closed: &mut Vec<usize>, backrefs: bool) -> Node {
    let mut parts = Vec::new();
    for _ in 0..1 + random.below(3) {
        let atom = match random.below(16) {
            0..=6 => Node::Byte(b"abc"[random.below(3) as usize]),
            7 => Node::Set(b"abc ", "."),
            8 => [Node::Set(b"ab", "[ab]"), Node::Set(b"bc ", "[^a]"), Node::Set(b"abc", "[[:alpha:]]")]
                [random.below(3) as usize]
                .clone(),
            9 if parts.is_empty() => Node::Begin,
            10 if random.below(3) == 0 => Node::End,
            11 if backrefs && !closed.is_empty() => Node::Backref(closed[random.below(closed.len() as u64) as usize]),
            _ if depth > 0 && *groups < 9 => {
                *groups += 1;
                let number = *groups;
                let inner = generate(random, depth - 1, groups, closed, backrefs);
                closed.push(number);
                Node::Group(number, Box::new(inner))
            }
            _ => Node::Byte(b'a'),
        };
        let repeats = !matches!(atom, Node::Begin | Node::End);
        let (min, max, text) = [
            (1, 1, ""),
            (1, 1, ""),
            (1, 1, ""),
            (0, usize::MAX, "*"),
            (1, usize::MAX, "+"),
            (0, 1, "?"),
            (2, 2, "{2}"),
            (1, 2, "{1,2}"),
            (0, 2, "{0,2}"),
        ][random.below(9) as usize];
        parts.push(if repeats && !text.is_empty() { Node::Repeat(Box::new(atom), min, max, text) } else { atom });
    }
    let first = if parts.len() == 1 { parts.swap_remove(0) } else { Node::Cat(parts) };
    if depth > 0 && random.below(3) == 0 {
        // A reference to a group of another alternative is never set.
        let before = closed.clone();
        let second = generate(random, depth - 1, groups, &mut before.clone(), backrefs);
        return Node::Alt(vec![first, second]);
    }
    first
}

fn write(node: &Node, extended: bool, out: &mut String) {
    let operator = |text: &str| {
        let escaped = !extended && !text.is_empty() && text != "*";
        if escaped { format!("\\{}", text.replace('}', "\\}")) } else { text.to_string() }
    };
    match node {
        Node::Byte(byte) => out.push(char::from(*byte)),
        Node::Set(_, text) => out.push_str(text),
        Node::Begin => out.push('^'),
        Node::End => out.push('$'),
        Node::Group(_, inner) => {
            out.push_str(&operator("("));
            write(inner, extended, out);
            out.push_str(&operator(")"));
        }
        Node::Cat(parts) => parts.iter().for_each(|part| write(part, extended, out)),
        Node::Alt(parts) => {
            write(&parts[0], extended, out);
            out.push_str(&operator("|"));
            write(&parts[1], extended, out);
        }
        Node::Repeat(inner, _, _, text) => {
            write(inner, extended, out);
            out.push_str(&operator(text));
        }
        Node::Backref(number) => out.push_str(&format!("\\{number}")),
    }
}

type Bounds = [Option<(usize, usize)>; 10];

/// One way to match: its end, its groups, and its rank: the lengths of all parts from left to right and from the outside
/// inwards. POSIX XBD 9.1 asks for the highest.
#[derive(Clone)]
struct Way {
    end: usize,
    groups: Bounds,
    rank: Vec<i32>,
}

/// All ways from `at`; `None` if they are too many.
fn ways(node: &Node, text: &[u8], at: usize, groups: &Bounds, budget: &Cell<u32>) -> Option<Vec<Way>> {
    budget.set(budget.get().checked_sub(1)?);
    let step = |is_read: bool, length: usize| {
        let way = Way { end: at + length, groups: *groups, rank: vec![length as i32] };
        Some(if is_read { vec![way] } else { Vec::new() })
    };
    match node {
        Node::Byte(byte) => step(text.get(at) == Some(byte), 1),
        Node::Set(set, _) => step(text.get(at).is_some_and(|byte| set.contains(byte)), 1),
        Node::Begin => step(at == 0, 0),
        Node::End => step(at == text.len(), 0),
        Node::Backref(number) => match groups[*number] {
            Some((from, to)) => step(text[at..].starts_with(&text[from..to]), to - from),
            None => Some(Vec::new()),
        },
        Node::Group(number, inner) => {
            let mut all = ways(inner, text, at, groups, budget)?;
            all.iter_mut().for_each(|way| way.groups[*number] = Some((at, way.end)));
            Some(all)
        }
        Node::Cat(parts) => {
            let mut all = vec![Way { end: at, groups: *groups, rank: Vec::new() }];
            for part in parts {
                all = extend(part, text, &all, budget)?;
            }
            Some(with_length(all, at))
        }
        Node::Alt(parts) => {
            let mut all = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                for mut way in ways(part, text, at, groups, budget)? {
                    way.rank.insert(0, -(index as i32));
                    all.push(way);
                }
            }
            Some(with_length(all, at))
        }
        Node::Repeat(inner, min, max, _) => {
            let mut current = vec![Way { end: at, groups: *groups, rank: Vec::new() }];
            let mut all = Vec::new();
            for turn in 0..=*max {
                if turn >= *min {
                    // 1 begins a turn, 0 ends the repetition: a turn that reads nothing is better than none.
                    all.extend(current.iter().map(|way| Way { rank: [&way.rank[..], &[0]].concat(), ..way.clone() }));
                }
                if turn == *max || turn > *min + text.len() || current.is_empty() {
                    break;
                }
                let mut next = Vec::new();
                for way in &current {
                    let mut fresh = way.clone();
                    fresh.rank.push(1);
                    forget(inner, &mut fresh.groups);
                    for longer in extend(inner, text, &[fresh], budget)? {
                        // The empty string only where it is needed, or alone.
                        if longer.end > way.end || turn < *min || turn == 0 {
                            next.push(longer);
                        }
                    }
                }
                current = next;
            }
            Some(with_length(all, at))
        }
    }
}

fn forget(node: &Node, groups: &mut Bounds) {
    match node {
        Node::Group(number, inner) => {
            groups[*number] = None;
            forget(inner, groups);
        }
        Node::Repeat(inner, ..) => forget(inner, groups),
        Node::Cat(parts) | Node::Alt(parts) => parts.iter().for_each(|part| forget(part, groups)),
        _ => {}
    }
}

fn extend(node: &Node, text: &[u8], all: &[Way], budget: &Cell<u32>) -> Option<Vec<Way>> {
    let mut longer = Vec::new();
    for way in all {
        for next in ways(node, text, way.end, &way.groups, budget)? {
            longer.push(Way { rank: [&way.rank[..], &next.rank].concat(), ..next });
        }
    }
    (longer.len() < 300).then_some(longer)
}

fn with_length(mut all: Vec<Way>, at: usize) -> Vec<Way> {
    all.iter_mut().for_each(|way| way.rank.insert(0, (way.end - at) as i32));
    all
}

fn reference(node: &Node, text: &[u8], groups: usize) -> Option<String> {
    let budget = Cell::new(3000);
    for start in 0..=text.len() {
        let all = ways(node, text, start, &[None; 10], &budget)?;
        if let Some(best) = all.into_iter().max_by(|a, b| a.end.cmp(&b.end).then(a.rank.cmp(&b.rank))) {
            let mut bounds = best.groups;
            bounds[0] = Some((start, best.end));
            return Some(shown(&bounds[..=groups]));
        }
    }
    Some("none".to_string())
}

fn shown(bounds: &[Option<(usize, usize)>]) -> String {
    let each = bounds.iter().map(|span| span.map_or("(-1,-1)".to_string(), |(from, to)| format!("({from},{to})")));
    each.collect()
}

fn ours(pattern: &str, text: &str, extended: bool) -> String {
    let flags = if extended { Flags::EXTENDED } else { Flags::NONE };
    let Ok(regex) = Regex::new(pattern.as_bytes(), flags) else { return "error".to_string() };
    let mut spans = vec![None; regex.groups() + 1];
    if regex.captures_at(text.as_bytes(), 0, Exec::default(), &mut spans) { shown(&spans) } else { "none".to_string() }
}

/// A libc's program and its streams.
struct Libc {
    program: PathBuf,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    names: BTreeMap<&'static str, (u64, String)>,
}

impl Libc {
    fn build(compiler: &str, directory: &Path) -> Option<Libc> {
        let (source, program) = (directory.join("r.c"), directory.join(compiler));
        std::fs::write(&source, PROGRAM).expect("a scratch directory");
        let built = Command::new(compiler).arg("-o").arg(&program).arg(&source).status().ok()?;
        assert!(built.success(), "{compiler}");
        let (child, to, from) = start(&program);
        Some(Libc { program, child, to, from, names: BTreeMap::new() })
    }

    /// The answer to one line; a program that crashes is started anew.
    fn ask(&mut self, line: &str) -> String {
        let mut answer = String::new();
        let asked = writeln!(self.to, "{line}").and_then(|()| self.from.read_line(&mut answer));
        if asked.is_ok_and(|length| length > 0) {
            return answer.trim_end().to_string();
        }
        self.child.wait().expect("the program has ended");
        (self.child, self.to, self.from) = start(&self.program);
        "crash".to_string()
    }
}

fn start(program: &Path) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let to = child.stdin.take().expect("a pipe");
    let from = BufReader::new(child.stdout.take().expect("a pipe"));
    (child, to, from)
}

fn has_backref(pattern: &str) -> bool {
    (1..=9).any(|number| pattern.contains(&format!("\\{number}")))
}

/// The name of a libc's departure from `right`, which the reference confirms.
fn name(pattern: &str, right: &str, theirs: &str) -> &'static str {
    let spans = |text: &str| text.split(')').map(str::to_string).collect::<Vec<_>>();
    let (a, b) = (spans(right), spans(theirs));
    match theirs {
        "error" => return "refuses the expression",
        "crash" => return "crashes",
        _ => {}
    }
    if a[0] != b[0] {
        let has_anchor = pattern.contains('^') || pattern.contains('$');
        return match (theirs, has_backref(pattern)) {
            ("none", true) => "misses a match of a back-reference",
            ("none", false) if has_anchor => "misses a match of an anchor inside",
            ("none", false) => "misses a match",
            (_, true) => "other bounds with a back-reference",
            (_, false) if right == "none" => "finds what is no match",
            _ => "not the longest match",
        };
    }
    let is_kept = a.iter().zip(&b).all(|(right, theirs)| right == theirs || right == "(-1,-1");
    if is_kept { "keeps a group of an earlier turn" } else { "not the longest groups from the left" }
}

#[test]
#[ignore = "asks other programs for minutes"]
fn differences_from_libc_have_names() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let (seed, count) = (number("SEED", 1u64), number("COUNT", 1_000_000u64));
    let directory = std::env::temp_dir().join(format!("regex-against-libc.{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a scratch directory");
    let mut libcs: Vec<(&str, Libc)> = ["cc", "musl-gcc"]
        .into_iter()
        .filter_map(|compiler| Some((compiler, Libc::build(compiler, &directory)?)))
        .collect();
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut undecided, mut wrong, mut first_of_longest, mut asked) = (0u64, 0u64, 0u64, 0u64);
    while asked < count {
        let mut groups = 0;
        let backrefs = random.below(4) == 0;
        let node = generate(&mut random, 2, &mut groups, &mut Vec::new(), backrefs);
        let extended = random.below(2) == 0;
        let mut pattern = String::new();
        write(&node, extended, &mut pattern);
        // POSIX leaves an anchor inside a basic expression open.
        if !extended && (pattern[1..].contains('^') || pattern[..pattern.len() - 1].contains('$')) {
            continue;
        }
        for _ in 0..4 {
            let text: String =
                (0..random.below(7)).map(|_| ["a", "b", "c", "a", "b", " "][random.below(6) as usize]).collect();
            asked += 1;
            let mine = ours(&pattern, &text, extended);
            let right = reference(&node, text.as_bytes(), groups);
            undecided += u64::from(right.is_none());
            if let Some(right) = right.filter(|right| *right != mine) {
                // With back-references the first of the longest matches is taken: captures.rs.
                let bounds = |text: &str| text.split(')').next().map(str::to_string);
                if has_backref(&pattern) && bounds(&right) == bounds(&mine) {
                    first_of_longest += 1;
                } else {
                    wrong += 1;
                    println!("{pattern}\t{text}\tours {mine} reference {right}");
                }
            }
            for (_, libc) in &mut libcs {
                let theirs = libc.ask(&format!("{}\t{pattern}\t{text}", if extended { 'E' } else { 'B' }));
                if theirs != mine {
                    let entry = libc.names.entry(name(&pattern, &mine, &theirs)).or_default();
                    entry.0 += 1;
                    if entry.1.len() < 400 {
                        entry.1.push_str(&format!("\n    {pattern}\t{text}\tours {mine} theirs {theirs}"));
                    }
                }
            }
        }
    }
    println!("{asked} pairs from seed {seed}: {wrong} differ from the reference, {undecided} too large for it");
    println!("{first_of_longest} with back-references have other groups: the first of the longest matches");
    for (compiler, mut libc) in libcs {
        println!("{compiler}:");
        libc.names.iter().for_each(|(name, (count, samples))| println!("  {count} {name}{samples}"));
        drop(libc.to);
        libc.child.wait().expect("the program ends");
    }
    // What cannot be removed stays in the temporary directory.
    let _ = std::fs::remove_dir_all(&directory);
    assert_eq!(wrong, 0);
}
