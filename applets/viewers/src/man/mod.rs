//! `man`: show manual pages, in the languages man(7) and mdoc(7).
//!
//! A name for which no page is installed and that is an applet's has the page that is made of its usage text. Pages that
//! are compressed are decompressed (`core::codec`).

mod find;
mod mdoc;
mod page;
mod roff;
mod table;

use rbox_core::call;
use rbox_core::doc;
use rbox_core::prelude::*;
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::{AsFd, fd, process};
use rbox_core::term;

use page::Page;
use roff::Roff;

options! {
    "[-afkw] [-s SECTION] [SECTION] NAME...

Show the manual pages of NAME; a NAME with a slash is a file.

  -a, --all               Show the pages of all sections
  -f, --whatis            Print one line for each page of that NAME
  -k, --apropos           Print one line for each page whose name or description contains NAME
  -s, --sections=SECTION  Search only that section
  -w, --where, --path     Print where the pages are; without NAME, the directories of pages";
    ALL = "-a",
    WHATIS = "-f",
    APROPOS = "-k",
    SECTION = "-s",
    WHERE = "-w",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Columns that a page has at most, where MANWIDTH does not say otherwise.
const MOST_WIDTH: usize = 200;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let directories = find::directories(env);
    let mut operands = args.operands();
    let mut section = args.value(SECTION).map(<[u8]>::to_vec);
    if let [first, _, ..] = operands
        && find::is_section(first)
        && section.is_none()
    {
        section = Some(first.to_vec());
        operands = &operands[1..];
    }
    if operands.is_empty() {
        if !args.has(WHERE) {
            return Err(Error::usage());
        }
        env.stdout.write(&[&directories.join(&b':')[..], b"\n"].concat())?;
        return Ok(ExitStatus::SUCCESS);
    }
    let section = section.as_deref();
    let mut status = ExitStatus::SUCCESS;
    for name in operands {
        let found = match args.last_of(&[WHATIS, APROPOS]) {
            Some(how) => print_summaries(env, &directories, section, name, how == APROPOS)?,
            None => show(env, args, &directories, section, name)?,
        };
        if !found {
            let reason: &[u8] = if args.has(APROPOS) { b"nothing appropriate" } else { b"no manual entry" };
            env.report(&Error::parts(&[name, b": ", reason]));
            status = ExitStatus::FAILURE;
        }
    }
    Ok(status)
}

/// Shows the pages of a name, or prints where they are. False if there is none.
fn show(env: &mut Env, args: &Args<'_>, directories: &[Vec<u8>], section: Option<&[u8]>, name: &[u8]) -> Result<bool> {
    let mut paths =
        if name.contains(&b'/') { vec![name.to_vec()] } else { find::pages(directories, section, Some(name)) };
    if !args.has(ALL) {
        paths.truncate(1);
    }
    let is_applet = env.registry.find(name).is_some() || name == b"rbox";
    if paths.is_empty() && is_applet && section.is_none_or(|section| section == [b'0' + doc::man::section(env, name)]) {
        if args.has(WHERE) {
            env.stdout.write(&[name, b" (built in)\n"].concat())?;
            return Ok(true);
        }
        let source = doc::man::page_of(env, name)?;
        present(env, &source)?;
        return Ok(true);
    }
    for path in &paths {
        if args.has(WHERE) {
            env.stdout.write(&[path, &b"\n"[..]].concat())?;
        } else {
            let source = find::read(path)?;
            present(env, &source)?;
        }
    }
    Ok(!paths.is_empty())
}

/// Prints the line of each page that fits the name.
fn print_summaries(
    env: &mut Env,
    directories: &[Vec<u8>],
    section: Option<&[u8]>,
    name: &[u8],
    anywhere: bool,
) -> Result<bool> {
    let mut found = false;
    let mut print = |env: &mut Env, page: &[u8], section: &[u8], summary: &[u8]| {
        let line = [page, b" (", section, b") - ", summary, b"\n"].concat();
        let wanted = name.to_ascii_lowercase();
        let fits = match anywhere {
            true => rbox_core::bytes::find(&line.to_ascii_lowercase(), &wanted).is_some(),
            false => page == name,
        };
        found |= fits;
        if fits { env.stdout.write(&line) } else { Ok(()) }
    };
    let mut shown = Vec::new();
    for path in find::pages(directories, section, if anywhere { None } else { Some(name) }) {
        let (page, of_section) = find::name_and_section(&path);
        shown.push(page.to_vec());
        // A page that cannot be read has no summary.
        if let Ok(source) = find::read(&path) {
            print(env, page, of_section, &find::summary(&source))?;
        }
    }
    let names: Vec<Vec<u8>> = env.registry.names().map(<[u8]>::to_vec).collect();
    for applet in names.iter().filter(|applet| (anywhere || *applet == name) && !shown.contains(applet)) {
        let of_section = [b'0' + doc::man::section(env, applet)];
        if section.is_none_or(|section| section == of_section) {
            let source = doc::man::page_of(env, applet)?;
            print(env, applet, &of_section, &find::summary(&source))?;
        }
    }
    Ok(found)
}

/// Formats a page and shows it: in a pager where standard output is a terminal.
fn present(env: &mut Env, source: &[u8]) -> Result<()> {
    let is_terminal = env.stdout.is_terminal();
    let width = env.vars.get("MANWIDTH").and_then(rbox_core::number::parse_decimal);
    let columns = if is_terminal { term::columns(env).min(MOST_WIDTH) } else { 80 };
    let width = width.map_or(columns, |width| width.clamp(30, 10_000) as usize) - 2;
    let formatted = Roff::new(Page::new(width, is_terminal), find::included).format(source);
    if !is_terminal {
        return env.stdout.write(&formatted);
    }
    let pager = [env.vars.get("MANPAGER"), env.vars.get("PAGER")];
    let pager = pager.into_iter().flatten().find(|pager| !pager.is_empty()).unwrap_or(b"less -R").to_vec();
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    env.stdout.flush()?;
    let child = process::fork_run(|| {
        if fd::redirect(reader.as_fd(), 0).is_err() {
            return 1;
        }
        call::replace(env, &[b"sh", b"-c", &pager]).0
    })?;
    drop(reader);
    let mut output = rbox_core::io::Output::from_fd(writer);
    // A pager that is left before the end wants no more.
    let _ = output.write(&formatted).and_then(|()| output.flush());
    drop(output);
    process::wait_for(child)?;
    Ok(())
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    Roff::new(Page::new(70, true), |_| None).format(data);
}

#[cfg(test)]
mod tests;
