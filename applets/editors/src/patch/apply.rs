//! Where a hunk fits, and what it makes of the lines of a file.

use super::parse::{Hunk, Kind};

/// How lines are compared.
#[derive(Clone, Copy)]
pub struct Manner {
    /// `-F`: how many lines of context may be disregarded at either end.
    pub fuzz: usize,
    /// `-l`: any amount of white space is like any other.
    pub loose: bool,
}

/// Where a hunk fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The first line, counted from 0, that the hunk's first line is opposite.
    pub at: usize,
    /// The lines of context that were disregarded.
    pub fuzz: usize,
    /// Of these, at the start and at the end of the hunk.
    pub skipped: [usize; 2],
}

/// Finds where the old lines of `hunk` are in `file`, from line `least` on, next to line `guess`.
pub fn find(file: &[&[u8]], hunk: &Hunk, guess: usize, least: usize, manner: Manner) -> Option<Fit> {
    let old: Vec<&[u8]> =
        hunk.lines.iter().filter(|(kind, _)| *kind != Kind::Add).map(|(_, line)| line.as_slice()).collect();
    let is_context = |(kind, _): &&(Kind, Vec<u8>)| *kind == Kind::Context;
    let before = hunk.lines.iter().take_while(is_context).count();
    // Where nothing changes, all is before the changes.
    let after = hunk.lines.iter().rev().take_while(is_context).count().min(old.len() - before);
    let most = before.max(after);
    if old.is_empty() {
        return Some(Fit { at: guess.clamp(least, file.len()), fuzz: 0, skipped: [0, 0] });
    }
    for fuzz in 0..=manner.fuzz.min(most) {
        // Less context before or after means that the file begins or ends there.
        let skipped = [(fuzz + before).checked_sub(most), (fuzz + after).checked_sub(most)];
        let [first, last] = skipped.map(Option::unwrap_or_default);
        let wanted = &old[first..old.len() - last];
        let fits = |at: usize| {
            let at = at + first;
            let found = file.get(at..at + wanted.len());
            found.is_some_and(|found| found.iter().zip(wanted).all(|(a, b)| equal(a, b, manner.loose)))
        };
        let end = (file.len() + last + 1).saturating_sub(old.len());
        let is_anchored = [skipped[0].is_none() && hunk.old_start <= 1, skipped[1].is_none()];
        let at = match is_anchored {
            [true, _] => (least == 0 && fits(0)).then_some(0),
            [_, true] => end.checked_sub(1).filter(|&at| at >= least && fits(at)),
            _ => nearest(guess, least.saturating_sub(first), end).find(|&at| fits(at)),
        };
        if let Some(at) = at {
            return Some(Fit { at, fuzz, skipped: [first, last] });
        }
    }
    None
}

/// The lines from `least` to before `end`, those next to `guess` first, the later one of two.
fn nearest(guess: usize, least: usize, end: usize) -> impl Iterator<Item = usize> {
    let guess = guess.clamp(least, end.max(least));
    let far = (guess - least).max(end.saturating_sub(guess));
    (0..=far).flat_map(move |distance| {
        let ahead = Some(guess + distance).filter(|&at| at < end);
        let back = guess.checked_sub(distance).filter(|&at| distance > 0 && at >= least && at < end);
        [ahead, back].into_iter().flatten()
    })
}

fn equal(one: &[u8], two: &[u8], loose: bool) -> bool {
    one == two || loose && words(one).eq(words(two))
}

/// The words of a line, and an empty one for white space before the first.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let start = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')).then_some(&b""[..]);
    start.into_iter().chain(rbox_core::bytes::words(line))
}

/// The lines that `hunk` makes of `file[from..to]`, without the context that was disregarded and without that at its end,
/// which the next hunk may have, too; and `from` and `to`. Context is the file's own.
pub fn replace<'a>(file: &[&'a [u8]], hunk: &'a Hunk, fit: Fit) -> (Vec<&'a [u8]>, usize, usize) {
    let first = fit.skipped[0];
    let last = hunk.lines.iter().rposition(|(kind, _)| *kind != Kind::Context).map_or(0, |last| last + 1);
    let from = fit.at + first;
    let (mut made, mut at) = (Vec::new(), from);
    for (kind, line) in &hunk.lines[first..last.max(first)] {
        match kind {
            Kind::Add => made.push(line.as_slice()),
            Kind::Context | Kind::Remove => {
                made.extend(file.get(at).filter(|_| *kind == Kind::Context));
                at += 1;
            }
        }
    }
    (made, from, at)
}

/// The lines as one; a line without a newline gets one where another line follows it.
pub fn join(lines: &[&[u8]]) -> Vec<u8> {
    let mut content = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        if content.last().is_some_and(|&last| last != b'\n') {
            content.push(b'\n');
        }
        content.extend_from_slice(line);
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunk(start: usize, lines: &[(Kind, &str)]) -> Hunk {
        let lines = lines.iter().map(|(kind, line)| (*kind, line.as_bytes().to_vec())).collect();
        Hunk { old_start: start, new_start: start, lines }
    }

    const MANNER: Manner = Manner { fuzz: 2, loose: false };

    #[test]
    fn a_hunk_is_found_next_to_its_line() {
        let file: [&[u8]; 7] = [b"x\n", b"a\n", b"x\n", b"x\n", b"a\n", b"x\n", b"a\n"];
        let wanted = hunk(4, &[(Kind::Remove, "a\n")]);
        assert_eq!(find(&file, &wanted, 3, 0, MANNER).map(|fit| fit.at), Some(4));
        assert_eq!(find(&file, &wanted, 3, 5, MANNER).map(|fit| fit.at), Some(6));
        assert_eq!(find(&file[..1], &wanted, 3, 0, MANNER), None);
    }

    #[test]
    fn a_hunk_of_context_alone_fits_or_not() {
        let wanted = hunk(1, &[(Kind::Context, "b\n")]);
        assert_eq!(find(&[b"a\n"], &wanted, 0, 0, Manner { fuzz: 0, loose: false }), None);
        assert!(find(&[b"a\n"], &wanted, 0, 0, MANNER).is_some());
    }
}
