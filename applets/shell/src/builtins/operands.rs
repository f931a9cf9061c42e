//! Options and operands of builtins.

use crate::state::{Fail, Shell};

/// Takes options of one character off the front; `--` ends them. An unknown character is an error.
pub fn options<'a, 'b>(
    shell: &mut Shell,
    words: &'a [&'b [u8]],
    known: &[u8],
) -> Result<(Vec<u8>, &'a [&'b [u8]]), Fail> {
    let mut flags = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if word.len() < 2 || word[0] != b'-' {
            break;
        }
        rest = after;
        if *word == b"--" {
            break;
        }
        for &flag in &word[1..] {
            if !known.contains(&flag) {
                let fail = shell.error(&[b"illegal option -", &[flag]]);
                // The status of bash's usage errors too.
                shell.status = 2;
                return Err(fail);
            }
            flags.push(flag);
        }
    }
    Ok((flags, rest))
}

/// Takes the value of an option: what follows `flag` in its word, which is `rest`, or else the next word.
pub fn take_value<'b>(
    shell: &mut Shell,
    flag: u8,
    rest: &mut &'b [u8],
    words: &mut &[&'b [u8]],
) -> Result<&'b [u8], Fail> {
    let value = std::mem::take(rest);
    if !value.is_empty() {
        return Ok(value);
    }
    let Some((first, after)) = words.split_first() else {
        return Err(shell.error(&[b"option requires an argument -", &[flag]]));
    };
    *words = after;
    Ok(first)
}

/// A number that is not negative, or an error.
pub fn number(shell: &mut Shell, word: &[u8]) -> Result<u32, Fail> {
    match rbox_core::number::parse_decimal(word).and_then(|number| u32::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => Err(shell.error(&[b"Illegal number: ", word])),
    }
}
