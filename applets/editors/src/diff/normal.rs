//! The formats without context (POSIX XCU diff): the default one, scripts for ed, and those of RCS.

use core::ops::Range;

use rbox_core::prelude::*;
use rbox_core::{push, text};

use super::compare::Change;
use super::style::{CYAN, Format, GREEN, RED, Side, Style, bare};

/// Prints the changes in the format of `style`.
pub fn print(env: &mut Env, style: &Style<'_>, sides: [&Side<'_>; 2], changes: &[Change]) -> Result<()> {
    let mut shown = changes.iter().filter(|change| !change.ignored);
    match style.format {
        Format::Ed => shown.rev().try_for_each(|change| ed(env, sides, change)),
        Format::ForwardEd => shown.try_for_each(|change| forward_ed(env, sides, change)),
        Format::Rcs => shown.try_for_each(|change| rcs(env, sides, change)),
        _ => shown.try_for_each(|change| normal(env, style, sides, change)),
    }
}

/// `FIRST,LAST`, or the line before where there are none.
fn push_range(out: &mut Vec<u8>, range: &Range<usize>, separator: u8) {
    if range.is_empty() {
        push!(*out, range.start);
        return;
    }
    push!(*out, range.start + 1);
    if range.len() > 1 {
        push!(*out, &[separator], range.end);
    }
}

fn kind(change: &Change) -> u8 {
    match (change.old.is_empty(), change.new.is_empty()) {
        (true, _) => b'a',
        (_, true) => b'd',
        _ => b'c',
    }
}

fn normal(env: &mut Env, style: &Style<'_>, sides: [&Side<'_>; 2], change: &Change) -> Result<()> {
    let mut header = Vec::new();
    push_range(&mut header, &change.old, b',');
    header.push(kind(change));
    push_range(&mut header, &change.new, b',');
    style.colored(env, CYAN, &header)?;
    for at in change.old.clone() {
        style.line(env, RED, b"< ", sides[0].lines.get(at))?;
    }
    if kind(change) == b'c' {
        env.stdout.write(b"---\n")?;
    }
    for at in change.new.clone() {
        style.line(env, GREEN, b"> ", sides[1].lines.get(at))?;
    }
    Ok(())
}

/// A command of ed. A line that is a period alone would end the lines that are added: it goes in as two, of which one is
/// removed.
fn ed(env: &mut Env, sides: [&Side<'_>; 2], change: &Change) -> Result<()> {
    let mut out = Vec::new();
    push_range(&mut out, &change.old, b',');
    out.push(kind(change));
    out.push(b'\n');
    let mut is_open = !change.new.is_empty();
    for at in change.new.clone() {
        let line = bare(sides[1].lines.get(at)).0;
        if !is_open {
            out.extend_from_slice(b"a\n");
            is_open = true;
        }
        if line == b"." {
            out.extend_from_slice(b"..\n.\ns/.//\n");
            is_open = false;
        } else {
            push!(out, line, "\n");
        }
    }
    if is_open {
        out.extend_from_slice(b".\n");
    }
    env.stdout.write(&out)
}

/// The same in the order of the file, which no editor takes.
fn forward_ed(env: &mut Env, sides: [&Side<'_>; 2], change: &Change) -> Result<()> {
    let mut out = vec![kind(change)];
    push_range(&mut out, &change.old, b' ');
    out.push(b'\n');
    for at in change.new.clone() {
        push!(out, bare(sides[1].lines.get(at)).0, "\n");
    }
    if !change.new.is_empty() {
        out.extend_from_slice(b".\n");
    }
    env.stdout.write(&out)
}

fn rcs(env: &mut Env, sides: [&Side<'_>; 2], change: &Change) -> Result<()> {
    if !change.old.is_empty() {
        env.stdout.write(&text!("d", change.old.start + 1, " ", change.old.len(), "\n"))?;
    }
    if !change.new.is_empty() {
        env.stdout.write(&text!("a", change.old.end, " ", change.new.len(), "\n"))?;
        for at in change.new.clone() {
            env.stdout.write(sides[1].lines.get(at))?;
        }
    }
    Ok(())
}
