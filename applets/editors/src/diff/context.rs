//! The formats with lines of context: unified and copied (POSIX XCU diff, `-u` and `-c`).

use core::ops::Range;

use rbox_core::prelude::*;
use rbox_core::{push, text};

use super::compare::Change;
use super::style::{BOLD, CYAN, Format, GREEN, RED, Side, Style};

/// Changes that are shown together, and the lines around them.
struct Hunk<'a> {
    changes: &'a [Change],
    old: Range<usize>,
    new: Range<usize>,
}

/// Prints the changes, after the header of both files.
pub fn print(env: &mut Env, style: &Style<'_>, sides: [&Side<'_>; 2], changes: &[Change]) -> Result<()> {
    let is_unified = style.format == Format::Unified;
    let marks: [&[u8]; 2] = if is_unified { [b"---", b"+++"] } else { [b"***", b"---"] };
    let (mut rest, mut known, mut is_first) = (changes, (0, None), true);
    while !rest.is_empty() {
        let count = hunk_length(rest, style.context);
        let (together, after) = rest.split_at(count);
        rest = after;
        if together.iter().all(|change| change.ignored) {
            continue;
        }
        if core::mem::take(&mut is_first) {
            for index in [0, 1] {
                style.colored(env, BOLD, &style.header(marks[index], sides[index], index))?;
            }
        }
        let hunk = around(together, style.context, sides);
        let function = style.function_before(&sides[0].lines, hunk.old.start, &mut known);
        match is_unified {
            true => unified(env, style, sides, &hunk, &function)?,
            false => copied(env, style, sides, &hunk, &function)?,
        }
    }
    Ok(())
}

/// How many changes are so near to each other that they are shown together. One that does not matter must be in the
/// context of another one.
fn hunk_length(changes: &[Change], context: usize) -> usize {
    let is_near = |pair: &[Change]| {
        let most = if pair[1].ignored { context } else { 2 * context + 1 };
        pair[1].old.start - pair[0].old.end < most
    };
    1 + changes.windows(2).take_while(|pair| is_near(pair)).count()
}

fn around<'a>(changes: &'a [Change], context: usize, sides: [&Side<'_>; 2]) -> Hunk<'a> {
    let (first, last) = (&changes[0], &changes[changes.len() - 1]);
    let before = context.min(first.old.start);
    let after = context.min(sides[0].lines.len() - last.old.end);
    let around = |first: &Range<usize>, last: &Range<usize>| first.start - before..last.end + after;
    Hunk { changes, old: around(&first.old, &last.old), new: around(&first.new, &last.new) }
}

fn unified(env: &mut Env, style: &Style<'_>, sides: [&Side<'_>; 2], hunk: &Hunk<'_>, function: &[u8]) -> Result<()> {
    let mut header = b"@@ -".to_vec();
    push_unified_range(&mut header, &hunk.old);
    header.extend_from_slice(b" +");
    push_unified_range(&mut header, &hunk.new);
    header.extend_from_slice(b" @@");
    style.part(env, CYAN, &header)?;
    env.stdout.write(function)?;
    env.stdout.write(b"\n")?;
    let mut at = hunk.old.start;
    for change in hunk.changes {
        for index in at..change.old.start {
            style.line(env, b"", b" ", sides[0].lines.get(index))?;
        }
        for index in change.old.clone() {
            style.line(env, RED, b"-", sides[0].lines.get(index))?;
        }
        for index in change.new.clone() {
            style.line(env, GREEN, b"+", sides[1].lines.get(index))?;
        }
        at = change.old.end;
    }
    for index in at..hunk.old.end {
        style.line(env, b"", b" ", sides[0].lines.get(index))?;
    }
    Ok(())
}

/// `START,COUNT`: without a count of 1; where there are no lines, START is the line before.
fn push_unified_range(out: &mut Vec<u8>, range: &Range<usize>) {
    push!(*out, range.start + usize::from(!range.is_empty()));
    if range.len() != 1 {
        push!(*out, ",", range.len());
    }
}

fn copied(env: &mut Env, style: &Style<'_>, sides: [&Side<'_>; 2], hunk: &Hunk<'_>, function: &[u8]) -> Result<()> {
    env.stdout.write(b"***************")?;
    env.stdout.write(function)?;
    env.stdout.write(b"\n")?;
    let lines_of = |range: &Range<usize>| match range.len() {
        0 | 1 => text!(range.end),
        _ => text!(range.start + 1, ",", range.end),
    };
    style.colored(env, CYAN, &text!("*** ", lines_of(&hunk.old), " ****"))?;
    copied_side(env, style, sides[0], hunk, false)?;
    style.colored(env, CYAN, &text!("--- ", lines_of(&hunk.new), " ----"))?;
    copied_side(env, style, sides[1], hunk, true)
}

/// The lines of one file, if any of them changes.
fn copied_side(env: &mut Env, style: &Style<'_>, side: &Side<'_>, hunk: &Hunk<'_>, is_new: bool) -> Result<()> {
    let pick = |change: &Change| if is_new { change.new.clone() } else { change.old.clone() };
    if hunk.changes.iter().all(|change| pick(change).is_empty()) {
        return Ok(());
    }
    let color = if is_new { GREEN } else { RED };
    let whole = if is_new { &hunk.new } else { &hunk.old };
    let mut at = whole.start;
    for change in hunk.changes {
        let range = pick(change);
        for index in at..range.start {
            style.line(env, b"", b"  ", side.lines.get(index))?;
        }
        let mark = match (change.old.is_empty(), change.new.is_empty()) {
            (true, _) => b"+ ",
            (_, true) => b"- ",
            _ => b"! ",
        };
        for index in range.clone() {
            style.line(env, color, mark, side.lines.get(index))?;
        }
        at = range.end;
    }
    for index in at..whole.end {
        style.line(env, b"", b"  ", side.lines.get(index))?;
    }
    Ok(())
}
