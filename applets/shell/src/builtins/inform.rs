//! Builtins that report on the shell: `hash`, `help`, `times`.

use crate::state::Shell;
use crate::state::builtin::Done;
use rbox_core::push;
use rbox_core::text::Right;

/// `hash [-r] [NAME...]`
pub fn hash(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = super::operands::options(shell, words, b"r")?;
    if flags.contains(&b'r') {
        shell.variables.iter_mut().for_each(|slot| slot.path = None);
        return Ok(0);
    }
    if words.is_empty() {
        for name in shell.names(|slot| slot.path.is_some()) {
            if let Some(path) = shell.slot(name).path.clone() {
                shell.print(&[&path[..], b"\n"].concat());
            }
        }
    }
    let mut status = 0;
    for word in words {
        let name = shell.intern(word);
        let known = crate::state::builtin::find(word).is_some() || shell.slot(name).function.is_some();
        if !known && shell.find_program(word).is_none() {
            shell.report(&[word, b": not found"]);
            status = 1;
        }
    }
    Ok(status)
}

/// `help`
pub fn help(shell: &mut Shell, _: &[&[u8]]) -> Done {
    let mut text = String::from("Built-in commands:\n------------------\n");
    let mut column = 0;
    for name in crate::state::builtin::names(shell.options.bash) {
        if column + name.len() + 1 > 60 {
            text.push('\n');
            column = 0;
        }
        text.push(if column == 0 { '\t' } else { ' ' });
        text.push_str(name);
        column += name.len() + 1;
    }
    text.push_str("\n\n");
    shell.print(text.as_bytes());
    Ok(0)
}

/// `times`: user and system time of the shell and of its children.
pub fn times(shell: &mut Shell, _: &[&[u8]]) -> Done {
    let ticks = rbox_core::sys::job::times();
    let mut text = Vec::new();
    for (number, ticks) in ticks.into_iter().enumerate() {
        let thousandths = Right(ticks % 100 * 10, 3, b'0');
        let end = if number % 2 == 0 { " " } else { "\n" };
        push!(text, ticks / 6000, "m", ticks / 100 % 60, ".", thousandths, "s", end);
    }
    shell.print(&text);
    Ok(0)
}
