//! `mapfile` and `readarray`: the lines of a file as an array.

use crate::builtins::operands::{number, take_value};
use crate::builtins::read;
use crate::state::array::Array;
use crate::state::builtin::Done;
use crate::state::{Fail, Shell};
use crate::syntax::symbols::is_name;
use rbox_core::text;

/// What the options ask for.
struct Wanted<'a> {
    trim: bool,
    delimiter: u8,
    /// The limit in lines; 0 is all.
    most: u32,
    origin: Option<u32>,
    skip: u32,
    fd: i32,
    /// The command to call after each `quantum` lines.
    callback: Option<&'a [u8]>,
    quantum: u32,
}

/// `mapfile [-t] [-C COMMAND] [-c COUNT] [-d DELIM] [-n COUNT] [-O ORIGIN] [-s COUNT] [-u FD] [NAME]`
pub fn mapfile(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (wanted, words) = read_options(shell, words)?;
    let text = words.first().copied().unwrap_or(b"MAPFILE");
    if !is_name(text) {
        return Err(shell.error(&[text, b": bad variable name"]));
    }
    let name = shell.intern(text);
    let name = shell.resolve(name);
    shell.writable(name)?;
    if wanted.origin.is_none() {
        shell.put_array(name, Box::new(Array::default()));
    }
    shell.make_array(name, false)?;
    let mut index = i64::from(wanted.origin.unwrap_or(0));
    let (mut skip, mut taken) = (wanted.skip, 0);
    while let Some((mut line, ended)) = read::read_until(wanted.fd, wanted.delimiter) {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        // A NUL byte cannot be in a value.
        if ended && !wanted.trim && wanted.delimiter != 0 {
            line.push(wanted.delimiter);
        }
        taken += 1;
        if let Some(callback) = wanted.callback.filter(|_| taken % wanted.quantum == 0) {
            let line = crate::syntax::quote::single(&line);
            shell.run_text(&text!(callback, " ", index, " ", &line))?;
        }
        if let Some(array) = &mut shell.slot(name).array {
            array.put(&index.to_be_bytes(), line);
        }
        index += 1;
        if taken == wanted.most {
            break;
        }
    }
    if let Some(array) = shell.slot(name).array.take() {
        // Its first element is the variable's value.
        shell.put_array(name, array);
    }
    Ok(0)
}

fn read_options<'a, 'b>(shell: &mut Shell, words: &'a [&'b [u8]]) -> Result<(Wanted<'b>, &'a [&'b [u8]]), Fail> {
    let mut wanted =
        Wanted { trim: false, delimiter: b'\n', most: 0, origin: None, skip: 0, fd: 0, callback: None, quantum: 5000 };
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        let [b'-', flags @ ..] = word else { break };
        words = rest;
        if flags == b"-" {
            break;
        }
        let mut flags = flags;
        while let [flag, glued @ ..] = flags {
            flags = glued;
            if *flag == b't' {
                wanted.trim = true;
                continue;
            }
            if !b"CcdnOsu".contains(flag) {
                return Err(shell.error(&[b"illegal option -", &[*flag]]));
            }
            let value = take_value(shell, *flag, &mut flags, &mut words)?;
            match flag {
                b'C' => wanted.callback = Some(value),
                b'c' => wanted.quantum = number(shell, value)?.max(1),
                b'd' => wanted.delimiter = value.first().copied().unwrap_or(0),
                b'n' => wanted.most = number(shell, value)?,
                b'O' => wanted.origin = Some(number(shell, value)?),
                b's' => wanted.skip = number(shell, value)?,
                _ => wanted.fd = number(shell, value)? as i32,
            }
        }
    }
    Ok((wanted, words))
}
