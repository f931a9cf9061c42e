//! The changes between two files: equal ends, lines that only one file has, the search, and the offsets of changes.

use core::ops::Range;

use rbox_core::bytes::{common_prefix, common_suffix, find_byte_back};

use super::lines::{Classes, Lines};
use super::myers::Search;

/// Lines of the first file that are replaced by lines of the second, counted from 0. One range may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// In the first file.
    pub old: Range<usize>,
    /// In the second.
    pub new: Range<usize>,
    /// All its lines are among those whose changes do not matter (`-B`, `-I`).
    pub ignored: bool,
}

/// The changes that make `files[1]` of `files[0]`. They may be among the `horizon` equal lines around those that differ.
pub fn changes(files: [&Lines<'_>; 2], horizon: usize, minimal: bool) -> Vec<Change> {
    let (first, ends) = middle(files, horizon);
    let counts = [ends[0] - first, ends[1] - first];
    let mut changed = counts.map(|count| vec![false; count + 1]);
    let mut classes = Classes::for_lines(counts[0] + counts[1]);
    let of_file = |second: bool, classes: &mut Classes| -> Vec<u32> {
        (first..ends[usize::from(second)]).map(|index| classes.of(files, second, index)).collect()
    };
    let all = [of_file(false, &mut classes), of_file(true, &mut classes)];
    search(&all, classes.len(), minimal, &mut changed);
    let [old, new] = &mut changed;
    slide(&all[0], old, new);
    slide(&all[1], new, old);
    list(first, old, new)
}

/// The index of the first line that is not equal in both, and in each file that of the first of the equal lines at the
/// end.
fn middle(files: [&Lines<'_>; 2], horizon: usize) -> (usize, [usize; 2]) {
    let [one, two] = files.map(|lines| lines.bytes);
    let prefix = common_prefix(one, two);
    let first = files[0].index_at(find_byte_back(b'\n', &one[..prefix]).map_or(0, |at| at + 1));
    let suffix = common_suffix(one, two);
    let mut equal = 0;
    let most = files[0].len().min(files[1].len()) - first;
    let mut left = suffix;
    while equal < most {
        let (a, b) = (files[0].get(files[0].len() - 1 - equal), files[1].get(files[1].len() - 1 - equal));
        if a.len() != b.len() || a.len() > left {
            break;
        }
        left -= a.len();
        equal += 1;
    }
    let equal = equal.saturating_sub(horizon);
    (first.saturating_sub(horizon), files.map(|lines| lines.len() - equal))
}

/// Marks the lines that differ. A line that the other file lacks differs; the search is among the others.
fn search(all: &[Vec<u32>; 2], classes: usize, minimal: bool, changed: &mut [Vec<bool>; 2]) {
    let mut found = vec![0u8; classes];
    for (file, bit) in all.iter().zip([1, 2]) {
        for &class in file {
            found[class as usize] |= bit;
        }
    }
    let mut kept = [Vec::new(), Vec::new()];
    for ((file, kept), changed) in all.iter().zip(&mut kept).zip(&mut *changed) {
        for (index, &class) in file.iter().enumerate() {
            if minimal || found[class as usize] == 3 {
                kept.push(index as u32);
            } else {
                changed[index] = true;
            }
        }
    }
    let sequences = [0, 1].map(|at| kept[at].iter().map(|&index| all[at][index as usize]).collect::<Vec<u32>>());
    let mut flags = [vec![false; kept[0].len()], vec![false; kept[1].len()]];
    let [one, two] = &mut flags;
    Search::new(&sequences[0], &sequences[1]).run(minimal, [one, two]);
    for ((kept, flags), changed) in kept.iter().zip(&flags).zip(changed) {
        for (&index, _) in kept.iter().zip(flags).filter(|(_, is_changed)| **is_changed) {
            changed[index as usize] = true;
        }
    }
}

/// A group of changed lines, and the line of the other file that is opposite the one after it.
struct Group {
    start: usize,
    end: usize,
    other: usize,
}

/// Moves groups of changed lines where the same lines follow or precede: as far down as they go, so that what is common
/// comes first; groups that meet become one; a group that can be opposite one of the other file is.
fn slide(lines: &[u32], changed: &mut [bool], others: &[bool]) {
    let mut group = Group { start: 0, end: 0, other: 0 };
    loop {
        while group.end < lines.len() && !changed[group.end] {
            group.other = after(others, group.other) + 1;
            group.end += 1;
        }
        if group.end >= lines.len() {
            return;
        }
        group.start = group.end;
        group.end = after(changed, group.end);
        group.other = after(others, group.other);
        let mut opposite;
        loop {
            let length = group.end - group.start;
            while group.start > 0 && lines[group.start - 1] == lines[group.end - 1] {
                group.up(changed, others);
            }
            opposite = (group.other > 0 && others[group.other - 1]).then_some(group.end);
            while group.end < lines.len() && lines[group.start] == lines[group.end] {
                group.down(changed, others);
                if others[group.other - 1] {
                    opposite = Some(group.end);
                }
            }
            if group.end - group.start == length {
                break;
            }
        }
        while opposite.is_some_and(|end| end < group.end) {
            group.up(changed, others);
        }
    }
}

/// The first line from `at` on that is not changed. What follows the last line never is.
fn after(changed: &[bool], at: usize) -> usize {
    at + changed[at..].iter().take_while(|&&is_changed| is_changed).count()
}

impl Group {
    fn up(&mut self, changed: &mut [bool], others: &[bool]) {
        (self.start, self.end) = (self.start - 1, self.end - 1);
        (changed[self.start], changed[self.end]) = (true, false);
        while self.start > 0 && changed[self.start - 1] {
            self.start -= 1;
        }
        self.other -= 1;
        while others[self.other] {
            self.other -= 1;
        }
    }

    fn down(&mut self, changed: &mut [bool], others: &[bool]) {
        (changed[self.start], changed[self.end]) = (false, true);
        self.start += 1;
        self.end = after(changed, self.end);
        self.other = after(others, self.other + 1);
    }
}

/// The changes by the marks of both files, whose line 0 is line `first`.
fn list(first: usize, old: &[bool], new: &[bool]) -> Vec<Change> {
    let (mut changes, mut x, mut y) = (Vec::new(), 0, 0);
    while x < old.len() && y < new.len() {
        let (to_x, to_y) = (after(old, x), after(new, y));
        if (x, y) != (to_x, to_y) {
            let (old, new) = (first + x..first + to_x, first + y..first + to_y);
            changes.push(Change { old, new, ignored: false });
        }
        (x, y) = (to_x + 1, to_y + 1);
    }
    changes
}

/// Two files, separated by the first 0xff: the changes must make one of the other.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (one, two) = rbox_core::bytes::split_once(data, 0xff).unwrap_or((data, b""));
    let (one, two) = (Lines::of(one), Lines::of(two));
    for (horizon, minimal) in [(0, false), (3, false), (0, true)] {
        let (mut made, mut at) = (Vec::new(), 0);
        for change in changes([&one, &two], horizon, minimal) {
            (at..change.old.start).for_each(|index| made.extend_from_slice(one.get(index)));
            change.new.for_each(|index| made.extend_from_slice(two.get(index)));
            at = change.old.end;
        }
        (at..one.len()).for_each(|index| made.extend_from_slice(one.get(index)));
        assert_eq!(made, two.bytes);
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::Random;

    use super::*;

    fn between(one: &str, two: &str) -> Vec<(Range<usize>, Range<usize>)> {
        let found = changes([&Lines::of(one.as_bytes()), &Lines::of(two.as_bytes())], 0, false);
        found.into_iter().map(|change| (change.old, change.new)).collect()
    }

    #[test]
    fn finds_added_removed_and_replaced_lines() {
        assert_eq!(between("a\nb\nc\n", "a\nX\nc\n"), [(1..2, 1..2)]);
        assert_eq!(between("a\n", ""), [(0..1, 0..0)]);
        assert_eq!(between("", "a\nb"), [(0..0, 0..2)]);
        assert_eq!(between("a\nb", "a\nb\n"), [(1..2, 1..2)]);
        assert_eq!(between("a\nb", "a\nbc"), [(1..2, 1..2)]);
        assert_eq!(between("xa\n", "a\n"), [(0..1, 0..1)]);
        assert_eq!(between("a\n", "a\n"), []);
    }

    #[test]
    fn a_change_is_as_far_down_as_it_goes() {
        assert_eq!(between("{\n}\n{\n}\n", "{\n}\n{\n}\n{\n}\n"), [(4..4, 4..6)]);
    }

    #[test]
    fn changes_make_the_second_file_of_the_first() {
        let mut random = Random::new(7);
        for _ in 0..3000 {
            let files = [(); 2].map(|()| {
                let lines = random.below(30);
                (0..lines).flat_map(|_| [b'a' + random.below(4) as u8, b'\n']).collect::<Vec<u8>>()
            });
            let [one, two] = [Lines::of(&files[0]), Lines::of(&files[1])];
            let (mut made, mut at) = (Vec::new(), 0);
            for change in changes([&one, &two], random.below(4), false) {
                (at..change.old.start).for_each(|index| made.extend_from_slice(one.get(index)));
                change.new.for_each(|index| made.extend_from_slice(two.get(index)));
                at = change.old.end;
            }
            (at..one.len()).for_each(|index| made.extend_from_slice(one.get(index)));
            assert_eq!(made, files[1]);
        }
    }
}
