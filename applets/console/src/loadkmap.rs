//! `loadkmap`: load a binary keyboard map, as dumpkmap writes it, from standard input.

use crate::keymap::{KEYS, MAGIC, TABLES, open_console};
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::keyboard::set_key;

options!("< KEYMAP\n\nLoad a binary keyboard map from standard input.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let console = open_console()?;
    let map = env.take_stdin().read_to_end()?;
    let tables = parse(&map)?;
    for (table, keys) in tables {
        for (index, key) in keys.chunks_exact(2).enumerate() {
            let value = u16::from_ne_bytes([key[0], key[1]]);
            // A key that this kernel does not have is left as it is, as BusyBox does.
            let _ = set_key(console.as_fd(), table, index as u8, value);
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// The tables of a map with their numbers, two bytes a key.
fn parse(map: &[u8]) -> Result<Vec<(u8, &[u8])>> {
    let Some(rest) = map.strip_prefix(MAGIC) else { return Err(Error::new("not a valid binary keymap")) };
    let Some((flags, mut rest)) = rest.split_at_checked(TABLES) else { return Err(Error::new("short read")) };
    let mut tables = Vec::new();
    for (number, _) in flags.iter().enumerate().filter(|(_, flag)| **flag == 1) {
        let Some((keys, after)) = rest.split_at_checked(KEYS * 2) else { return Err(Error::new("short read")) };
        tables.push((number as u8, keys));
        rest = after;
    }
    Ok(tables)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let _ = parse(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_have_a_magic_flags_and_tables() {
        let mut map = b"bkeymap".to_vec();
        map.resize(7 + 256, 0);
        map[7 + 4] = 1;
        map.resize(7 + 256 + 256, 9);
        let tables = parse(&map).expect("a whole map");
        assert_eq!((tables.len(), tables[0].0, tables[0].1.len()), (1, 4, 256));
        assert!(parse(&map[..300]).is_err() && parse(b"").is_err() && parse(b"bkeymap").is_err());
    }
}
