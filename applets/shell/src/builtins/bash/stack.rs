//! The stack of directories: `pushd`, `popd`, `dirs`.

use crate::builtins::directory;
use crate::state::builtin::Done;
use crate::state::directory::working;
use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use rbox_core::push;
use rbox_core::text::Right;

impl Shell {
    /// Goes to the first directory of a stack and puts the others aside.
    fn enter_stack(&mut self, mut all: Vec<Vec<u8>>) -> Result<(), Fail> {
        let first = all.remove(0);
        if first != working(self) {
            let builtin = self.location.builtin;
            directory::cd(self, &[b"--", &first])?;
            self.location.builtin = builtin;
        }
        self.computed.directories = all;
        Ok(())
    }

    /// The index that `+N` or `-N` counts, from either end.
    fn stack_index(&mut self, word: &[u8]) -> Result<Option<usize>, Fail> {
        let [prefix @ (b'+' | b'-'), digits @ ..] = word else { return Ok(None) };
        let Some(number) = rbox_core::number::parse_decimal(digits) else { return Ok(None) };
        let count = self.computed.directories.len() + 1;
        match usize::try_from(number) {
            Ok(number) if number < count => Ok(Some(if *prefix == b'+' { number } else { count - 1 - number })),
            _ if count == 1 => Err(self.plain_error(b"directory stack empty")),
            _ => Err(self.error(&[word, b": directory stack index out of range"])),
        }
    }
}

/// `pushd [-n] [+N | -N | DIRECTORY]`
pub fn pushd(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (stays, words) = split_stays(words);
    let mut all = shell.directory_stack();
    match words.first() {
        None if all.len() < 2 => return Err(shell.plain_error(b"no other directory")),
        None => all.swap(0, 1),
        Some(word) => match shell.stack_index(word)? {
            Some(index) => all.rotate_left(index),
            None if stays => all.insert(1, word.copied()),
            None => {
                let builtin = shell.location.builtin;
                directory::cd(shell, &[b"--", word])?;
                shell.location.builtin = builtin;
                all.insert(0, working(shell));
            }
        },
    }
    if stays {
        shell.computed.directories = all.split_off(1);
    } else {
        shell.enter_stack(all)?;
    }
    dirs(shell, &[])
}

/// `popd [-n] [+N | -N]`
pub fn popd(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (stays, words) = split_stays(words);
    let mut all = shell.directory_stack();
    if all.len() < 2 {
        return Err(shell.plain_error(b"directory stack empty"));
    }
    let index = match words.first() {
        None => usize::from(stays),
        Some(word) => match shell.stack_index(word)? {
            Some(index) => index,
            None => return Err(shell.error(&[word, b": invalid argument"])),
        },
    };
    all.remove(index);
    if index == 0 && !stays {
        shell.enter_stack(all)?;
    } else {
        shell.computed.directories = all.split_off(usize::from(index > 0));
    }
    dirs(shell, &[])
}

/// `-n`: the stack changes, the current directory does not.
fn split_stays<'a, 'b>(words: &'a [&'b [u8]]) -> (bool, &'a [&'b [u8]]) {
    match words {
        [b"-n", rest @ ..] => (true, rest),
        [b"--", rest @ ..] => (false, rest),
        words => (false, words),
    }
}

/// `dirs [-clpv] [+N] [-N]`
pub fn dirs(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (mut flags, mut only) = (Vec::new(), None);
    for word in words {
        match shell.stack_index(word)? {
            Some(index) => only = Some(index),
            None => match word {
                [b'-', rest @ ..] if rest.iter().all(|flag| b"clpv".contains(flag)) => flags.extend(rest),
                _ => return Err(shell.error(&[word, b": invalid option"])),
            },
        }
    }
    if flags.contains(&b'c') {
        shell.computed.directories.clear();
        return Ok(0);
    }
    let home = shell.get(b"HOME").unwrap_or_default().copied();
    let lines = flags.contains(&b'p') || flags.contains(&b'v');
    let mut text = Vec::new();
    for (number, directory) in shell.directory_stack().iter().enumerate() {
        if only.is_some_and(|only| only != number) {
            continue;
        }
        if flags.contains(&b'v') {
            push!(text, Right(number, 2, b' '), "  ");
        }
        match directory.strip_prefix(&home[..]) {
            Some(rest) if !flags.contains(&b'l') && home.len() > 1 && (rest.is_empty() || rest[0] == b'/') => {
                text.extend_from_slice(&[b"~", rest].concat());
            }
            _ => text.extend_from_slice(directory),
        }
        text.push(if lines { b'\n' } else { b' ' });
    }
    text.pop();
    text.push(b'\n');
    shell.print(&text);
    Ok(0)
}
