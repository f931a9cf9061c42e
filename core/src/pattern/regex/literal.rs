//! The bytes that every match contains, to look for before anything else.

use memchr::memmem::Finder;

use super::ast::{Node, Set};
use crate::pattern::unit::RAW;

/// What is known of a part's matches.
#[derive(Default)]
struct Known {
    /// The only match there is.
    exact: Option<Vec<u8>>,
    /// Bytes that every match contains.
    inside: Vec<u8>,
    /// The match also depends on what is around it.
    has_assert: bool,
}

/// A search for a literal.
pub struct Literal {
    needle: Needle,
    /// Where the literal is found, there is a match, and nothing else is one.
    pub is_whole: bool,
}

enum Needle {
    Exact(Box<Finder<'static>>),
    /// Letters of either case; the index is that of the rarest byte.
    Folded(Vec<u8>, usize),
}

impl Literal {
    /// The literal in every match of the expression, if there is one.
    pub fn in_node(node: &Node, sets: &[Set], fold_case: bool) -> Option<Literal> {
        let known = examine(node, sets);
        let is_whole = known.exact.is_some() && !known.has_assert;
        let bytes = known.exact.unwrap_or(known.inside);
        // A single letter is in most lines: to look for it first would be in vain.
        let is_common = matches!(*bytes, [b'a'..=b'z' | b' ']) && !is_whole;
        if bytes.is_empty() || is_common {
            return None;
        }
        let needle = if fold_case {
            let rare = (0..bytes.len()).max_by_key(|&at| rarity(bytes[at])).unwrap_or(0);
            Needle::Folded(bytes, rare)
        } else {
            Needle::Exact(Box::new(Finder::new(&bytes).into_owned()))
        };
        Some(Literal { needle, is_whole })
    }

    pub fn len(&self) -> usize {
        match &self.needle {
            Needle::Exact(finder) => finder.needle().len(),
            Needle::Folded(bytes, _) => bytes.len(),
        }
    }

    pub fn find(&self, text: &[u8]) -> Option<usize> {
        match &self.needle {
            Needle::Exact(finder) => finder.find(text),
            Needle::Folded(bytes, rare) => find_folded(text, bytes, *rare),
        }
    }
}

fn find_folded(text: &[u8], needle: &[u8], rare: usize) -> Option<usize> {
    let (lower, upper) = (needle[rare].to_ascii_lowercase(), needle[rare].to_ascii_uppercase());
    let last = text.len().checked_sub(needle.len())?;
    let mut at = 0;
    while at <= last {
        at += memchr::memchr2(lower, upper, &text[at + rare..last + rare + 1])?;
        if text[at..at + needle.len()].eq_ignore_ascii_case(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// How seldom a byte is in text: letters in their order in English, then all else but the space.
fn rarity(byte: u8) -> usize {
    const COMMON: &[u8] = b" etaoinsrhldcumfpgwybvkxjqz";
    let lower = byte.to_ascii_lowercase();
    COMMON.iter().position(|&common| common == lower).unwrap_or(if byte < 0x80 { 16 } else { 5 })
}

fn longer(a: Vec<u8>, b: Vec<u8>) -> Vec<u8> {
    if b.len() > a.len() { b } else { a }
}

fn examine(node: &Node, sets: &[Set]) -> Known {
    match node {
        Node::Empty => Known { exact: Some(Vec::new()), ..Known::default() },
        Node::Assert(_) => Known { exact: Some(Vec::new()), has_assert: true, ..Known::default() },
        Node::Unit(unit) => Known { exact: Some(encode(*unit)), ..Known::default() },
        Node::Set(set) => {
            let set = &sets[*set as usize];
            // The two cases of one letter, as case folding makes them.
            let is_pair = set.fold_case
                && set.is_ascii_only()
                && !set.negated
                && set.ascii.count_ones() == 2
                && set.ascii >> 97 & 0x3FF_FFFF == set.ascii >> 65 & 0x3FF_FFFF
                && (127 - set.ascii.leading_zeros() as u8).is_ascii_lowercase();
            let exact = is_pair.then(|| vec![127 - set.ascii.leading_zeros() as u8]);
            Known { exact, ..Known::default() }
        }
        Node::Group(_, inner) => examine(inner, sets),
        Node::Cat(parts) => examine_cat(parts, sets),
        Node::Repeat(inner, 1.., _) => {
            let known = examine(inner, sets);
            Known { exact: None, inside: longer(known.inside, known.exact.unwrap_or_default()), has_assert: false }
        }
        Node::Alt(_) | Node::Repeat(..) | Node::Backref(_) => Known::default(),
    }
}

fn examine_cat(parts: &[Node], sets: &[Set]) -> Known {
    let mut all = Known::default();
    let mut run = Vec::new();
    let mut is_exact = true;
    for part in parts {
        let known = examine(part, sets);
        all.has_assert |= known.has_assert;
        match known.exact {
            Some(bytes) => run.extend_from_slice(&bytes),
            None => {
                is_exact = false;
                all.inside = longer(std::mem::take(&mut all.inside), std::mem::take(&mut run));
                all.inside = longer(std::mem::take(&mut all.inside), known.inside);
            }
        }
    }
    if is_exact {
        all.exact = Some(run);
    } else {
        all.inside = longer(all.inside, run);
    }
    all
}

fn encode(unit: u32) -> Vec<u8> {
    match char::from_u32(unit) {
        Some(c) => c.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
        None => vec![(unit - RAW) as u8],
    }
}

/// Joins expressions that are literals to a tree in which common beginnings are shared.
pub fn share_prefixes(mut words: Vec<Vec<Node>>) -> Node {
    words.sort_by(|a, b| a.iter().map(order).cmp(b.iter().map(order)));
    words.dedup();
    share(&words, 0, 0)
}

fn order(node: &Node) -> (u8, u32) {
    match node {
        Node::Unit(unit) => (0, *unit),
        Node::Set(set) => (1, *set),
        _ => (2, 0),
    }
}

/// The alternatives of sorted words, without the first `skip` characters, which all of them share.
fn share(words: &[Vec<Node>], skip: usize, depth: u32) -> Node {
    // Deep nesting would cost the stack of whoever walks the tree.
    if words.len() == 1 || depth > 100 {
        let tails = words.iter().map(|word| Node::Cat(word[skip..].to_vec()));
        return if words.len() == 1 { Node::Cat(words[0][skip..].to_vec()) } else { Node::Alt(tails.collect()) };
    }
    let mut branches = Vec::new();
    let mut rest = words;
    while let Some(first) = rest.first() {
        if first.len() == skip {
            branches.push(Node::Empty);
            rest = &rest[1..];
            continue;
        }
        let count = rest.iter().take_while(|word| word[skip] == first[skip]).count();
        let (group, others) = rest.split_at(count);
        rest = others;
        let last = &group[count - 1];
        let common = first[skip..].iter().zip(&last[skip..]).take_while(|(a, b)| a == b).count();
        let mut parts = first[skip..skip + common].to_vec();
        if count > 1 || first.len() > skip + common {
            parts.push(share(group, skip + common, depth + 1));
        }
        branches.push(Node::Cat(parts));
    }
    if branches.len() == 1 { branches.swap_remove(0) } else { Node::Alt(branches) }
}
