//! Builtins that direct what runs next: `break`, `return`, `exit`, `eval`, `.`, `command`, `shift`, `trap`.

use super::{Done, number, options};
use crate::exec::trap::{SIGNALS, signal_number};
use crate::shell::{Fail, Shell};
use crate::syntax::input::{Input, Reader};
use rbox_core::escape;
use rbox_core::sys::{self, AsRawFd, fd, fs};
use std::rc::Rc;

fn levels(shell: &mut Shell, words: &[&[u8]]) -> Result<u32, Fail> {
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
    let levels = levels(shell, words)?.min(shell.loops);
    shell.status = 0;
    if levels == 0 { Ok(0) } else { Err(Fail::Break(levels)) }
}

/// `continue [N]`
pub fn continue_loop(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let levels = levels(shell, words)?.min(shell.loops);
    shell.status = 0;
    if levels == 0 { Ok(0) } else { Err(Fail::Continue(levels)) }
}

fn given_status(shell: &mut Shell, words: &[&[u8]]) -> Result<(), Fail> {
    if let Some(word) = words.first() {
        shell.status = number(shell, word)? as u8;
    }
    Ok(())
}

/// `return [N]`
pub fn return_(shell: &mut Shell, words: &[&[u8]]) -> Done {
    given_status(shell, words)?;
    Err(if shell.calls + shell.sources == 0 { Fail::Exit } else { Fail::Return })
}

/// `exit [N]`
pub fn exit(shell: &mut Shell, words: &[&[u8]]) -> Done {
    given_status(shell, words)?;
    Err(Fail::Exit)
}

/// `eval WORD...`
pub fn eval(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = words.strip_prefix(&[&b"--"[..]]).unwrap_or(words);
    let text = words.join(&b' ');
    if text.is_empty() {
        return Ok(0);
    }
    if !shell.stack_has_room() {
        return Err(shell.error(&[b"maximum eval recursion depth exceeded"]));
    }
    shell.status = 0;
    shell.run_text(&text)?;
    Ok(shell.status)
}

/// `. FILE [ARG...]`
pub fn dot(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = words.strip_prefix(&[&b"--"[..]]).unwrap_or(words);
    let Some((name, arguments)) = words.split_first() else {
        return Err(shell.error(&[b"filename argument required"]));
    };
    let path = find_source(shell, name);
    let opened = match fs::open(&path[..], fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
        Ok(opened) => opened,
        Err(errno) => {
            return Err(shell.error(&[b"can't open '", name, b"': ", sys::error_text(errno).as_bytes()]));
        }
    };
    let opened = fd::fcntl_dupfd_cloexec(&opened, 10).unwrap_or(opened);
    shell.builtin = "";
    let outer = Rc::clone(&shell.positional);
    if !arguments.is_empty() {
        shell.positional = Rc::new(arguments.iter().map(|word| word.to_vec()).collect());
    }
    shell.sources += 1;
    shell.status = 0;
    let mut input = Input::reader(Reader::Script(opened.as_raw_fd()));
    let result = if shell.stack_has_room() {
        shell.run_input(&mut input, false)
    } else {
        Err(shell.error(&[b"maximum recursion depth exceeded"]))
    };
    shell.sources -= 1;
    if !arguments.is_empty() {
        shell.positional = outer;
    }
    match result {
        Ok(()) | Err(Fail::Return) => Ok(shell.status),
        Err(other) => Err(other),
    }
}

fn find_source(shell: &mut Shell, name: &[u8]) -> Vec<u8> {
    if name.contains(&b'/') {
        return name.to_vec();
    }
    let path = shell.get(b"PATH").unwrap_or_default().to_vec();
    for folder in path.split(|&byte| byte == b':') {
        let file = rbox_core::bytes::join_path(folder, name);
        if fs::stat(&file[..]).is_ok_and(|s| fs::FileType::from_raw_mode(s.st_mode) == fs::FileType::RegularFile) {
            return file;
        }
    }
    name.to_vec()
}

/// `command [-pvV] WORD...`
pub fn command(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (letters, words) = options(shell, words, b"pvV")?;
    if letters.contains(&b'V') {
        return super::inform::type_(shell, words);
    }
    if letters.contains(&b'v') {
        let mut status = 0;
        for word in words {
            match super::inform::describe(shell, word) {
                Some(text) => shell.print(&[&text[..], b"\n"].concat()),
                None => status = 127,
            }
        }
        return Ok(status);
    }
    let Some(name) = words.first() else { return Ok(0) };
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
    shell.builtin = "";
    if let Some(builtin) = super::find(name) {
        if builtin.name == "exec" {
            let status = if words.len() > 1 { shell.replace_by(&words[1..]) } else { return Ok(0) };
            shell.status = status;
            return Err(Fail::Exit);
        }
        // XCU command: a special builtin's errors do not end the shell here.
        return match shell.call_builtin(builtin, &words) {
            Ok(()) | Err(Fail::Error) => Ok(shell.status),
            Err(other) => Err(other),
        };
    }
    shell.run_program(&words, &[])?;
    Ok(shell.status)
}

/// `shift [N]`
pub fn shift(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let count = match words.first() {
        Some(word) => number(shell, word)? as usize,
        None => 1,
    };
    if count > shell.positional.len() {
        return Ok(1);
    }
    let rest = shell.positional[count..].to_vec();
    shell.positional = Rc::new(rest);
    Ok(0)
}

/// `trap [-lp] [ACTION] [SIGNAL...]`
pub fn trap(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = words.strip_prefix(&[&b"--"[..]]).or(words.strip_prefix(&[&b"-p"[..]])).unwrap_or(words);
    let Some((first, rest)) = words.split_first() else {
        for (number, name) in SIGNALS.iter().enumerate() {
            if let Some(action) = shell.traps[number].clone() {
                let action = escape::single_quoted(&action);
                shell.print(&[b"trap -- ", &action[..], b" ", name.as_bytes(), b"\n"].concat());
            }
        }
        return Ok(0);
    };
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
