//! `history` and `fc` (XCU fc): the lines that were entered, shown, edited or run again.

use crate::state::builtin::Done;
use crate::state::stream::write_error;
use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use rbox_core::number::{Decimal, parse_decimal, push_padded};
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::process;

/// `history`, in bash mode `history [N]`, `-c`, `-d N`, `-s WORD...`, `-p WORD...`, `-anrw [FILE]`
pub fn history(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if shell.options.bash {
        return bash_history(shell, words);
    }
    let mut text = Vec::new();
    let history = &shell.terminal.editor.history;
    for (number, line) in history.lines().iter().enumerate() {
        push_padded(&mut text, (history.first() + number) as u64, 4);
        text.extend_from_slice(&[b" ", &line[..], b"\n"].concat());
    }
    shell.print(&text);
    Ok(0)
}

fn bash_history(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = super::operands::options(shell, words, b"acdnprsw")?;
    let history = &mut shell.terminal.editor.history;
    match flags.first() {
        None => {
            let count = match words.first() {
                Some(word) => super::operands::number(shell, word)? as usize,
                None => usize::MAX,
            };
            let (history, mut text) = (&shell.terminal.editor.history, Vec::new());
            let all = history.lines();
            for (number, line) in all.iter().enumerate().skip(all.len().saturating_sub(count)) {
                push_padded(&mut text, (history.first() + number) as u64, 5);
                text.extend_from_slice(&[b"  ", &line[..], b"\n"].concat());
            }
            shell.print(&text);
        }
        Some(b'c') => history.clear(),
        Some(b's') => {
            // It replaces the line that asks for it.
            if shell.options.history {
                history.pop();
            }
            history.add(&words.join(&b' '));
        }
        Some(b'p') => {
            for word in words {
                let Some(line) = crate::expand::history::expanded(shell, word) else { return Ok(1) };
                shell.print(&[&line[..], b"\n"].concat());
            }
        }
        Some(b'd') => {
            let word = words.first().copied().unwrap_or_default();
            let at = crate::syntax::expression::small_number(word).map(|number| match number {
                ..0 => history.lines().len() as i64 + number,
                _ => number - history.first() as i64,
            });
            let removed = at.and_then(|at| usize::try_from(at).ok()).is_some_and(|at| history.remove(at));
            if !removed {
                shell.report(&[word, b": history position out of range"]);
                return Ok(1);
            }
        }
        Some(flag) => return history_file(shell, *flag, words),
    }
    Ok(0)
}

/// `history -a`, `-w`: to a file; `-r`, `-n`: from it.
fn history_file(shell: &mut Shell, flag: u8, words: &[&[u8]]) -> Done {
    let file = match words.first() {
        Some(file) => file.copied(),
        None => shell.get(b"HISTFILE").unwrap_or_default().copied(),
    };
    if matches!(flag, b'r' | b'n') {
        return match rbox_core::io::read_file(&file) {
            Ok(text) => {
                text.split(|&byte| byte == b'\n').for_each(|line| shell.terminal.editor.history.add(line));
                Ok(0)
            }
            Err(error) => Err(shell.plain_error(error.message())),
        };
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let flags = flags | if flag == b'a' { OFlags::APPEND } else { OFlags::TRUNC };
    let text: Vec<u8> =
        shell.terminal.editor.history.lines().iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
    let opened = fs::open(&file[..], flags, Mode::RUSR | Mode::WUSR);
    use rbox_core::sys::AsRawFd;
    match opened.and_then(|opened| crate::state::stream::write_all(opened.as_raw_fd(), &text)) {
        Ok(()) => Ok(0),
        Err(errno) => Err(shell.error(&[&file, b": ", rbox_core::sys::error_text(errno).as_bytes()])),
    }
}

/// What the options of `fc` ask for.
#[derive(Default)]
struct Wanted {
    list: bool,
    plain: bool,
    reverse: bool,
    again: bool,
    editor: Option<Vec<u8>>,
}

/// `fc [-r] [-e EDITOR] [FIRST [LAST]]`, `fc -l [-nr] [FIRST [LAST]]`, `fc -s [OLD=NEW] [FIRST]`
pub fn fc(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (wanted, mut words) = read_options(shell, words)?;
    if !wanted.list {
        // XCU fc: what it runs is remembered, not fc itself.
        shell.terminal.editor.history.pop();
    }
    let mut change = None;
    if wanted.again
        && let Some(at) = words.first().and_then(|word| word.iter().position(|&byte| byte == b'='))
    {
        change = Some((&words[0][..at], &words[0][at + 1..]));
        words = &words[1..];
    }
    let count = shell.terminal.editor.history.lines().len();
    // The line that holds `fc -l` is the newest one.
    let newest = if wanted.list { count.saturating_sub(1) } else { count };
    if newest == 0 {
        return Err(shell.plain_error(b"history is empty"));
    }
    let default = if wanted.list { newest.saturating_sub(16) } else { newest - 1 };
    let first = match words.first() {
        Some(word) => index_of(shell, word, newest)?,
        None => default,
    };
    let last = match words.get(1) {
        Some(word) => index_of(shell, word, newest)?,
        None if wanted.list => newest - 1,
        None => first,
    };
    if words.len() > if wanted.again { 1 } else { 2 } {
        return Err(shell.plain_error(b"too many operands"));
    }
    let mut indices: Vec<usize> = (first.min(last)..=first.max(last)).collect();
    if wanted.reverse != (first > last) {
        indices.reverse();
    }
    if wanted.list {
        list(shell, &indices, wanted.plain);
        return Ok(0);
    }
    let lines = indices.iter().map(|&at| shell.terminal.editor.history.lines()[at].copied()).collect::<Vec<_>>();
    if wanted.again {
        return run_again(shell, lines[0].copied(), change);
    }
    edit(shell, &lines, wanted.editor)
}

fn read_options<'a, 'b>(shell: &mut Shell, words: &'a [&'b [u8]]) -> Result<(Wanted, &'a [&'b [u8]]), Fail> {
    let mut wanted = Wanted::default();
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        // A negative number is an operand.
        if word.len() < 2 || word[0] != b'-' || word[1].is_ascii_digit() {
            break;
        }
        words = rest;
        if *word == b"--" {
            break;
        }
        for (at, flag) in word.iter().enumerate().skip(1) {
            match flag {
                b'l' => wanted.list = true,
                b'n' => wanted.plain = true,
                b'r' => wanted.reverse = true,
                b's' => wanted.again = true,
                b'e' => {
                    let mut value = &word[at + 1..];
                    if value.is_empty() {
                        let Some((next, rest)) = words.split_first() else {
                            return Err(shell.plain_error(b"option requires an argument -e"));
                        };
                        (value, words) = (next, rest);
                    }
                    // `-e -` was -s before POSIX.
                    wanted.again |= value == b"-";
                    wanted.editor = Some(value.copied());
                    break;
                }
                flag => return Err(shell.error(&[b"illegal option -", &[*flag]])),
            }
        }
    }
    Ok((wanted, words))
}

/// The index of an operand: a number of the list, a number back from its end, or the beginning of a line.
fn index_of(shell: &mut Shell, word: &[u8], newest: usize) -> Result<usize, Fail> {
    let history = &shell.terminal.editor.history;
    let first = history.first();
    if let Some(back) = word.strip_prefix(b"-").and_then(parse_decimal) {
        return Ok(newest.saturating_sub((back as usize).max(1)));
    }
    if let Some(number) = parse_decimal(word) {
        // XCU fc: out of range means the end of the list on that side.
        return Ok((number as usize).clamp(first, first + newest - 1) - first);
    }
    match history.lines()[..newest].iter().rposition(|line| line.starts_with(word)) {
        Some(at) => Ok(at),
        None => Err(shell.plain_error(b"history specification out of range")),
    }
}

fn list(shell: &mut Shell, indices: &[usize], plain: bool) {
    let mut text = Vec::new();
    let history = &shell.terminal.editor.history;
    for &at in indices {
        if !plain {
            text.extend_from_slice(Decimal::new((history.first() + at) as u64).as_bytes());
        }
        text.extend_from_slice(&[b"\t", &history.lines()[at][..], b"\n"].concat());
    }
    shell.print(&text);
}

/// Shows a line, remembers it and runs it.
fn run_again(shell: &mut Shell, mut line: Vec<u8>, change: Option<(&[u8], &[u8])>) -> Done {
    if let Some((old, new)) = change {
        let Some(at) = rbox_core::bytes::find(&line, old) else {
            return Err(shell.plain_error(b"substitution failed"));
        };
        line.splice(at..at + old.len(), new.iter().copied());
    }
    write_error(&[&line[..], b"\n"].concat());
    shell.terminal.editor.history.add(&line);
    run(shell, &line)
}

fn run(shell: &mut Shell, text: &[u8]) -> Done {
    if !shell.stack_has_space() {
        return Err(shell.plain_error(b"maximum recursion depth exceeded"));
    }
    shell.location.builtin = "";
    shell.run_text(text)?;
    Ok(shell.status)
}

/// Has lines edited in a file and runs what comes of them.
fn edit(shell: &mut Shell, lines: &[Vec<u8>], editor: Option<Vec<u8>>) -> Done {
    let editor = editor.or_else(|| shell.get(b"FCEDIT").map(<[u8]>::copied)).unwrap_or_else(|| b"ed".copied());
    let directory = shell.get(b"TMPDIR").filter(|directory| !directory.is_empty()).unwrap_or(b"/tmp").copied();
    let pid = process::getpid().as_raw_nonzero().get().unsigned_abs();
    let path = [&directory[..], b"/sh-fc.", Decimal::new(pid.into()).as_bytes()].concat();
    // O_EXCL: the file is new and this user's; no one else can have created it.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let opened = fs::open(&path[..], flags, Mode::RUSR | Mode::WUSR);
    let text = [lines.join(&b'\n'), b"\n".copied()].concat();
    let written = opened.and_then(|file| rbox_core::sys::fd::write(&file, &text));
    if let Err(errno) = written {
        let reason = rbox_core::sys::error_text(errno);
        return Err(shell.error(&[b"can't create '", &path, b"': ", reason.as_bytes()]));
    }
    // The editor's words may be several; the path is one.
    let command = [&editor[..], b" ", &rbox_core::escape::single_quoted(&path)].concat();
    let edited = shell.run_text(&command);
    let content = rbox_core::io::read_file(&path);
    // The editor may have removed or renamed it.
    let _ = fs::unlink(&path[..]);
    edited?;
    if shell.status != 0 {
        return Ok(shell.status);
    }
    let Ok(content) = content else { return Ok(1) };
    write_error(&content);
    for line in content.split(|&byte| byte == b'\n') {
        shell.terminal.editor.history.add(line);
    }
    run(shell, &content)
}
