//! Builtins that direct what runs next: `break`, `return`, `exit`, `eval`, `.`, `command`, `shift`, `trap`.

use super::operands::{number, options};
use crate::builtins::describe;
use crate::state::builtin::Done;
use crate::state::traps::{ERR, PSEUDO, TRAPS, signal_name, signal_number};
use crate::state::{Fail, Frame, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::input::Input;
use rbox_core::escape;
use rbox_core::signals;
use rbox_core::sys::{self, fs};
use std::rc::Rc;

/// The number that a word is for bash: it may be negative and have blanks around.
fn signed(word: &[u8]) -> Option<i64> {
    crate::syntax::expression::small_number(word.trim_ascii())
}

/// bash's error of a second operand of `break`, `exit`, `return` and `shift`.
fn refuse_second(shell: &mut Shell, words: &[&[u8]]) -> Result<(), Fail> {
    if words.len() > 1 { Err(shell.fatal(&[b"too many arguments"])) } else { Ok(()) }
}

fn bash_levels(shell: &mut Shell, words: &[&[u8]]) -> Result<u32, Fail> {
    let words = rbox_core::options::after_dashes(words);
    let Some(word) = words.first().filter(|_| shell.flow.loops > 0) else { return Ok(1) };
    let Some(levels) = signed(word) else {
        let fail = shell.fatal(&[word, b": numeric argument required"]);
        shell.status = 128;
        return Err(fail);
    };
    refuse_second(shell, words)?;
    if levels <= 0 {
        shell.error(&[word, b": loop count out of range"]);
        return Err(Fail::Break(shell.flow.loops));
    }
    Ok(u32::try_from(levels).unwrap_or(u32::MAX))
}

fn levels(shell: &mut Shell, words: &[&[u8]]) -> Result<u32, Fail> {
    if shell.options.bash {
        return bash_levels(shell, words);
    }
    match words.first() {
        None => Ok(1),
        Some(word) => match number(shell, word)? {
            0 => Err(shell.error(&[b"Illegal number: ", word])),
            levels => Ok(levels),
        },
    }
}

/// `break [N]`
pub fn break_loop(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let levels = levels(shell, words)?.min(shell.flow.loops);
    shell.status = 0;
    if levels == 0 { Ok(0) } else { Err(Fail::Break(levels)) }
}

/// `continue [N]`
pub fn continue_loop(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let levels = levels(shell, words)?.min(shell.flow.loops);
    shell.status = 0;
    if levels == 0 { Ok(0) } else { Err(Fail::Continue(levels)) }
}

/// The status of `exit` and `return`: the operand's, or that of the last command. When they end the action of a trap
/// the last command is the one before the action (XCU exit, return).
fn given_status(shell: &mut Shell, words: &[&[u8]], ends_trap: bool) -> Result<(), Fail> {
    let words = rbox_core::options::after_dashes(words);
    if let Some(word) = words.first().filter(|_| shell.options.bash) {
        let status = signed(word);
        shell.status = status.unwrap_or(2) as u8;
        if status.is_none() {
            shell.report(&[word, b": numeric argument required"]);
        } else {
            refuse_second(shell, words)?;
        }
    } else if let Some(word) = words.first() {
        shell.status = number(shell, word)? as u8;
    } else if ends_trap && let Some((status, _)) = shell.traps.running {
        shell.status = status;
    }
    Ok(())
}

/// `return [N]`
pub fn return_(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if shell.options.bash && shell.flow.calls + shell.flow.sources == 0 {
        shell.plain_report(b"not in a function or a file that is sourced");
        return Ok(2);
    }
    let ends_trap = shell.traps.running.is_some_and(|(_, depth)| depth == shell.flow.calls + shell.flow.sources);
    given_status(shell, words, ends_trap)?;
    Err(if shell.flow.calls + shell.flow.sources == 0 { Fail::Exit } else { Fail::Return })
}

/// `exit [N]`
pub fn exit(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if !shell.flow.subshell && shell.keeps_running() {
        return Ok(0);
    }
    given_status(shell, words, true)?;
    Err(Fail::Exit)
}

/// bash's `logout [N]`: `exit` of a login shell.
pub fn logout(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if !shell.options.login {
        return Err(shell.plain_error(b"not login shell: use `exit'"));
    }
    exit(shell, words)
}

/// `eval WORD...`
pub fn eval(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let text = words.join(&b' ');
    if text.is_empty() {
        return Ok(0);
    }
    if !shell.stack_has_space() {
        return Err(shell.plain_error(b"maximum eval recursion depth exceeded"));
    }
    let outer = std::mem::replace(&mut shell.location.context, b"eval".copied());
    let result = shell.run_text(&text);
    shell.location.context = outer;
    result?;
    Ok(shell.status)
}

/// `. FILE [ARG...]`
pub fn dot(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let Some((name, arguments)) = words.split_first() else {
        return Err(shell.plain_error(b"filename argument required"));
    };
    let Some(path) = find_source(shell, name) else {
        return Err(shell.error(&[name, b": not found"]));
    };
    let opened = match fs::open(&path[..], fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
        Ok(opened) => opened,
        Err(errno) => {
            return Err(shell.error(&[b"can't open '", name, b"': ", sys::error_text(errno).as_bytes()]));
        }
    };
    let reader = shell.script(opened)?;
    shell.location.builtin = "";
    let outer = Rc::clone(&shell.parameters.positional);
    if !arguments.is_empty() {
        shell.parameters.positional = Rc::new(arguments.iter().map(|word| word.copied()).collect());
    }
    shell.flow.sources += 1;
    let mut input = Input::reader(reader);
    let frames = shell.flow.frames.len();
    if shell.options.bash {
        let frame = Frame { name: b"source".copied(), source: Rc::from(&path[..]), line: shell.location.line };
        shell.flow.frames.push(frame);
    }
    let context = std::mem::replace(&mut shell.location.context, path);
    let result = if shell.stack_has_space() {
        shell.run_input(&mut input, false)
    } else {
        Err(shell.plain_error(b"maximum recursion depth exceeded"))
    };
    shell.close_script(&input);
    shell.flow.sources -= 1;
    shell.flow.frames.truncate(frames);
    shell.location.context = context;
    if !arguments.is_empty() {
        shell.parameters.positional = outer;
    }
    match result {
        Ok(()) | Err(Fail::Return) => {
            if shell.options.bash {
                shell.end_function_traps([None, None])?;
            }
            Ok(shell.status)
        }
        Err(other) => Err(other),
    }
}

/// The file that `.` reads: without a slash it is looked for in PATH alone (XCU dot).
fn find_source(shell: &mut Shell, name: &[u8]) -> Option<Vec<u8>> {
    if name.contains(&b'/') {
        return Some(name.copied());
    }
    let path = shell.get(b"PATH").unwrap_or_default().copied();
    for directory in path.split(|&byte| byte == b':') {
        let file = rbox_core::bytes::join_path(directory, name);
        if fs::stat(&file[..]).is_ok_and(|s| fs::FileType::from_raw_mode(s.st_mode) == fs::FileType::RegularFile) {
            return Some(file);
        }
    }
    // bash looks here too.
    shell.options.bash.then(|| name.copied())
}

/// `command [-pvV] WORD...`
pub fn command(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, b"pvV")?;
    if flags.contains(&b'V') || flags.contains(&b'v') {
        let describe = match (shell.options.bash, flags.contains(&b'V')) {
            (_, true) => describe::type_,
            (true, false) => describe::describe_any,
            (false, false) => describe::describe_all,
        };
        // XCU command: one name; bash takes more.
        let words = if shell.options.bash { words } else { &words[..words.len().min(1)] };
        return if flags.contains(&b'p') {
            with_default_path(shell, |shell| describe(shell, words))
        } else {
            describe(shell, words)
        };
    }
    let Some(name) = words.first() else { return Ok(0) };
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.copied()).collect();
    shell.location.builtin = "";
    let symbol = shell.intern(name);
    if let Some(builtin) = shell.builtin_of(symbol) {
        if builtin.name == "exec" {
            let words = if words.get(1).is_some_and(|word| word == b"--") { &words[2..] } else { &words[1..] };
            if words.is_empty() {
                return Ok(0);
            }
            shell.status = shell.replace_by(words);
            return Err(Fail::Exit);
        }
        // XCU command: a special builtin's errors do not end the shell here.
        return match shell.call_builtin(builtin, &words) {
            Ok(()) | Err(Fail::Error) => Ok(shell.status),
            Err(other) => Err(other),
        };
    }
    if flags.contains(&b'p') {
        return with_default_path(shell, |shell| {
            shell.run_program(&words, &[])?;
            Ok(shell.status)
        });
    }
    shell.run_program(&words, &[])?;
    Ok(shell.status)
}

/// Calls with the PATH that finds all standard utilities (XCU command, -p).
fn with_default_path(shell: &mut Shell, call: impl FnOnce(&mut Shell) -> Done) -> Done {
    let path = shell.intern(b"PATH");
    shell.locals.push(Vec::new());
    shell.save(path);
    let slot = shell.slot(path);
    slot.value = rbox_core::env::DEFAULT_PATH.copied();
    slot.set = true;
    shell.changed(path);
    let result = call(shell);
    shell.restore_scope();
    result
}

/// `shift [N]`
pub fn shift(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let count = match words.first() {
        Some(word) if shell.options.bash => {
            refuse_second(shell, words)?;
            let Some(count) = signed(word) else {
                return Err(shell.error(&[word, b": numeric argument required"]));
            };
            let Ok(count) = usize::try_from(count) else {
                return Err(shell.error(&[word, b": shift count out of range"]));
            };
            count
        }
        Some(word) => number(shell, word)? as usize,
        None => 1,
    };
    if count > shell.parameters.positional.len() {
        return Ok(1);
    }
    let rest = shell.parameters.positional[count..].to_vec();
    shell.parameters.positional = Rc::new(rest);
    if !shell.options.bash {
        // As in BusyBox and dash, `getopts` starts again with other parameters.
        (shell.parameters.option_index, shell.parameters.option_offset) = (1, 0);
    }
    Ok(0)
}

/// `trap [-p] [ACTION] [SIGNAL...]`
pub fn trap(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = if words.first() == Some(&&b"-"[..]) {
        (Vec::new(), words)
    } else {
        options(shell, words, if shell.options.bash { b"lp" } else { b"p" })?
    };
    if flags.contains(&b'l') {
        return super::job::list_signals(shell, &[]);
    }
    if !flags.is_empty() {
        return list_traps(shell, words);
    }
    let Some((first, rest)) = words.split_first() else {
        for number in (0..signals::END).chain(ERR..TRAPS) {
            show_trap(shell, number, false);
        }
        return Ok(0);
    };
    shell.traps.outer = None;
    // An unsigned number first means that all operands are signals to reset.
    let numeric = rbox_core::number::parse_decimal(first).is_some();
    let (action, signals) = if numeric || rest.is_empty() { (None, words) } else { (Some(*first), rest) };
    let action = action.filter(|action| *action != b"-");
    let mut status = 0;
    for word in signals {
        match signal_number(word) {
            Some(number) => shell.set_trap(number, action),
            None => {
                shell.report(&[word, b": invalid signal specification"]);
                status = 1;
            }
        }
    }
    Ok(status)
}

/// `trap -p [SIGNAL...]`: those that have no action too.
fn list_traps(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if words.is_empty() && shell.options.bash {
        return trap(shell, &[]);
    }
    if words.is_empty() {
        // SIGKILL and SIGSTOP cannot have any.
        for number in (0..signals::END).filter(|number| !matches!(number, 9 | 19)) {
            show_trap(shell, number, true);
        }
    }
    let mut status = 0;
    for word in words {
        match signal_number(word) {
            Some(number) => show_trap(shell, number, !shell.options.bash),
            None => {
                shell.report(&[word, b": invalid signal specification"]);
                status = 1;
            }
        }
    }
    Ok(status)
}

/// Prints a trap in a form that the shell can read back; `all`: also one that is not set.
fn show_trap(shell: &mut Shell, number: usize, all: bool) {
    let traps = shell.traps.outer.as_ref().unwrap_or(&shell.traps.actions);
    let action = match traps.get(number).and_then(Option::as_ref) {
        Some(action) => escape::single_quoted(action),
        None if all => b"-".copied(),
        None => return,
    };
    let name = PSEUDO.name_of(number as u64).or_else(|| signal_name(number)).unwrap_or_default().as_bytes();
    // bash writes the names of signals in full.
    let full: &[u8] = if shell.options.bash && (1..signals::END).contains(&number) { b"SIG" } else { b"" };
    shell.print(&[b"trap -- ", &action[..], b" ", full, name, b"\n"].concat());
}
