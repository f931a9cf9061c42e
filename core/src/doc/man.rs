//! The manual pages, in man(7) macros: one for each applet, from its usage text, and one for rbox.

use crate::applet::VERSION_LINE;
use crate::bytes::{base_name, join_path};
use crate::call;
use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome, Result};
use crate::front::USAGE;
use crate::io::{Input, Output};
use crate::options;
use crate::sys::fs::{self, Mode};
use crate::sys::pipe::{PipeFlags, pipe_with};
use crate::sys::{AsFd, Errno, fd, process};
use crate::time::{self, Moment, Zone};
use crate::usage::unpack;
use crate::{push, text};

/// `rbox --man NAME` and `rbox --man --all DIRECTORY`.
pub fn print(env: &mut Env, words: &[&[u8]]) -> Outcome {
    match *words {
        [b"--all", directory] => write_all(env, directory)?,
        [name] if name != b"--all" => {
            let page = page_of(env, name)?;
            env.stdout.write(&page)?;
        }
        _ => return Err(Error::new("usage: --man NAME | --man --all DIRECTORY")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// All pages, as DIRECTORY/man1/cat.1 and DIRECTORY/man8/mount.8: DIRECTORY is part of MANPATH.
fn write_all(env: &mut Env, directory: &[u8]) -> Result<()> {
    for section in [1u8, 8] {
        let path = join_path(directory, &text!("man", section));
        match fs::mkdir(&path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::cannot("create directory", &path, errno)),
        }
    }
    let names = env.registry.names().chain([&b"rbox"[..]]);
    for name in names.collect::<Vec<_>>() {
        let page = page_of(env, name)?;
        let section = section(env, name);
        let mut file = Output::create(&join_path(directory, &text!("man", section, "/", name, ".", section)))?;
        file.write(&page)?;
        file.flush()?;
    }
    Ok(())
}

/// What is installed in a directory for administrators is in section 8.
pub fn section(env: &Env, name: &[u8]) -> u8 {
    let is_for_administrators = |path: &str| path.contains("/sbin/") && base_name(path.as_bytes()) == name;
    if env.registry.paths().split('\n').any(is_for_administrators) { 8 } else { 1 }
}

/// The page of an applet or of rbox, in man(7) macros. The error says that there is no such applet.
pub fn page_of(env: &mut Env, name: &[u8]) -> Result<Vec<u8>> {
    let usage = match env.registry.find(name) {
        Some(id) => unpack(env.registry.usage(id)),
        None if name == b"rbox" => USAGE.to_string(),
        None => return Err(Error::parts(&[name, b": applet not found"]).with_status(127)),
    };
    let mut page = page(name, &usage, section(env, name), &date(env));
    if matches!(name, b"sh" | b"ash" | b"bash") {
        let list = built_in_commands(env, name)?;
        push!(page, ".SH BUILT\\-IN COMMANDS\n");
        for line in list.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"\t")) {
            escape(&mut page, line.trim_ascii());
            page.push(b'\n');
        }
    }
    if name == b"rbox" {
        push!(page, ".SH APPLETS\n");
        for name in env.registry.names() {
            escape(&mut page, name);
            page.push(b'\n');
        }
    }
    Ok(page)
}

/// What the shell of that name prints for `help`.
fn built_in_commands(env: &Env, name: &[u8]) -> Result<Vec<u8>> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let child = process::fork_run(|| {
        if fd::redirect(writer.as_fd(), 1).is_err() {
            return 1;
        }
        let words = [name, b"-c", b"help"];
        call::here(env, Input::from_bytes(Vec::new()), Output::standard(1), &words).map_or(127, |(status, _)| status.0)
    })?;
    drop(writer);
    let list = Input::from_fd(reader, name).read_to_end();
    process::wait_for(child)?;
    list
}

/// The day that the page is of: reproducible-builds.org's SOURCE_DATE_EPOCH, or that of the program file.
fn date(env: &Env) -> Vec<u8> {
    let given = env.vars.get("SOURCE_DATE_EPOCH").and_then(crate::number::parse_decimal);
    let built = || fs::stat("/proc/self/exe").map_or(0, |stat| stat.st_mtime);
    let seconds = given.map_or_else(built, |seconds| seconds as i64);
    time::format(b"%Y-%m-%d", Moment { seconds, nanos: 0 }, &Zone::load(Some(b"UTC0")))
}

/// The page of the applet `name` with that usage text.
pub fn page(name: &[u8], usage: &str, section: u8, date: &[u8]) -> Vec<u8> {
    let (synopsis, rest) = usage.split_once("\n\n").unwrap_or((usage, ""));
    let rest = rest.trim_matches('\n');
    let summary = summary(rest);
    let mut page =
        text!(".TH ", name.to_ascii_uppercase(), " ", section, " ", date, " \"", version(), "\"\n.SH NAME\n");
    escape(&mut page, name);
    push!(page, " \\- ");
    escape(&mut page, summary.trim_end_matches('.').as_bytes());
    push!(page, "\n.SH SYNOPSIS\n");
    let mut lines = synopsis.lines().map(str::trim);
    push!(page, ".B ");
    escape(&mut page, name);
    page.push(b'\n');
    escape(&mut page, lines.next().unwrap_or_default().as_bytes());
    page.push(b'\n');
    for line in lines {
        // Another form of the command line.
        let other = line.strip_prefix("or: ");
        push!(page, if other.is_some() { ".br\n" } else { "" });
        escape(&mut page, other.unwrap_or(line).as_bytes());
        page.push(b'\n');
    }
    describe(&mut page, rest, &summary);
    push_options(&mut page, rest);
    page
}

fn version() -> &'static str {
    VERSION_LINE.split_once(" multi-call").map_or(VERSION_LINE, |(version, _)| version)
}

/// The first sentence of the description, in one line.
fn summary(description: &str) -> String {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let line = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let end = line.find(". ").map_or(line.len(), |dot| dot + 1);
    line[..end].to_string()
}

/// What is no option line, unless it only repeats the name's line.
fn describe(page: &mut Vec<u8>, description: &str, summary: &str) {
    let mut text = Vec::new();
    let mut after_option = false;
    for line in description.lines() {
        after_option = is_option(line) || after_option && continues(line);
        if !after_option {
            push!(text, line, "\n");
        }
    }
    if text.trim_ascii() != summary.as_bytes() {
        push!(*page, ".SH DESCRIPTION\n.nf\n");
        for line in text.trim_ascii_end().split(|&byte| byte == b'\n') {
            escape(page, line);
            page.push(b'\n');
        }
        push!(*page, ".fi\n");
    }
}

/// Each option with its argument, and the lines that explain it.
fn push_options(page: &mut Vec<u8>, description: &str) {
    if options::count(description) > 0 {
        push!(*page, ".SH OPTIONS\n");
    }
    let mut after_option = false;
    for line in description.lines() {
        let is_first = is_option(line);
        after_option = is_first || after_option && continues(line);
        let line = line.trim();
        if is_first {
            let (names, help) = line.split_once("  ").unwrap_or((line, ""));
            push!(*page, ".TP\n.B ");
            escape(page, names.as_bytes());
            page.push(b'\n');
            escape(page, help.trim_start().as_bytes());
            page.push(b'\n');
        } else if after_option {
            escape(page, line.as_bytes());
            page.push(b'\n');
        }
    }
}

fn is_option(line: &str) -> bool {
    options::count(line) > 0
}

/// Whether `line`, below an option's, continues its description.
fn continues(line: &str) -> bool {
    options::continues(line.as_bytes(), 0)
}

/// roff takes a dash for a hyphen, a backslash for an escape and a leading dot or quote for a request.
fn escape(page: &mut Vec<u8>, text: &[u8]) {
    if page.ends_with(b"\n") && matches!(text.first(), Some(b'.' | b'\'')) {
        page.extend_from_slice(b"\\&");
    }
    for &byte in text {
        match byte {
            b'\\' => page.extend_from_slice(b"\\e"),
            b'-' => page.extend_from_slice(b"\\-"),
            _ => page.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(usage: &str) -> String {
        String::from_utf8(page(b"head", usage, 1, b"2024-02-03")).expect("the text is ASCII")
    }

    #[test]
    fn a_page_has_name_synopsis_and_options() {
        let page = text_of(
            "[-n N] [FILE]...\n\nPrint the first lines.\n\n  -n, --lines=N  Print N lines\n      at most\n  -f FILE  Read it",
        );
        assert!(page.starts_with(".TH HEAD 1 2024-02-03 \"rbox v"), "{page}");
        assert!(
            page.contains(".SH NAME\nhead \\- Print the first lines\n.SH SYNOPSIS\n.B head\n[\\-n N] [FILE]...\n"),
            "{page}"
        );
        assert!(
            page.contains(".TP\n.B \\-n, \\-\\-lines=N\nPrint N lines\nat most\n.TP\n.B \\-f FILE\nRead it\n"),
            "{page}"
        );
        assert!(!page.contains("DESCRIPTION"), "{page}");
    }

    #[test]
    fn the_name_has_one_sentence_and_the_synopsis_all_its_lines() {
        let page = text_of("[-a]\n       [-b]\n   or: head FILE\n\nPrint what\nis first. Or not.\n\nMore.");
        assert!(page.contains("head \\- Print what is first\n"), "{page}");
        assert!(
            page.contains(
                "[\\-a]\n[\\-b]\n.br\nhead FILE\n.SH DESCRIPTION\n.nf\nPrint what\nis first. Or not.\n\nMore.\n.fi\n"
            ),
            "{page}"
        );
    }
}
