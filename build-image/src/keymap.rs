//! Compiles a readable keymap into the binary form that `loadkmap` reads.
//!
//! Source: `[control] [alt] keycode N = PLAIN [SHIFT [ALTGR [SHIFT+ALTGR]]]`. A symbol is the character itself or a name of
//! keymaps(5). A line with `control` or `alt` sets that one column, with any number of modifiers.
//! Result: `bkeymap`, 256 flags (one a table, numbered by the sum of its modifiers: shift 1, altgr 2, control 4, alt 8),
//! then 128 little-endian words for each table that is flagged; a word is a keysym of <linux/keyboard.h>.

use anyhow::{Context, Result, bail, ensure};

const KEYS: usize = 128;
const SHIFT: usize = 1;
const ALTGR: usize = 2;
const CONTROL: usize = 4;
const ALT: usize = 8;

/// The tables that are written: plain, shift, altgr, shift-altgr, control, control-shift, alt, shift-alt, control-alt.
const TABLES: [usize; 9] = [0, 1, 2, 3, 4, 5, 8, 9, 12];

/// K_HOLE: the key does nothing.
const HOLE: u16 = 0x0200;
/// KT_META: escape, then the character.
const META: u16 = 0x0800;
/// KT_LETTER: a character that Caps Lock shifts.
const LETTER: u16 = 0x0b00;

/// Names of symbols and their keysyms (<linux/keyboard.h>).
const NAMES: &[(&str, u16)] = &[
    ("nul", 0x0000),
    ("Escape", 0x001b),
    ("Tab", 0x0009),
    ("space", 0x0020),
    ("Delete", 0x007f),
    ("Meta_Tab", 0x0809),
    ("Find", 0x0114),
    ("Insert", 0x0115),
    ("Remove", 0x0116),
    ("Select", 0x0117),
    ("Prior", 0x0118),
    ("Next", 0x0119),
    ("Pause", 0x011d),
    ("VoidSymbol", HOLE),
    ("Return", 0x0201),
    ("Show_Registers", 0x0202),
    ("Show_Memory", 0x0203),
    ("Show_State", 0x0204),
    ("Break", 0x0205),
    ("Last_Console", 0x0206),
    ("Caps_Lock", 0x0207),
    ("Num_Lock", 0x0208),
    ("Scroll_Lock", 0x0209),
    ("Scroll_Forward", 0x020a),
    ("Scroll_Backward", 0x020b),
    ("Boot", 0x020c),
    ("Compose", 0x020e),
    ("Decr_Console", 0x0210),
    ("Incr_Console", 0x0211),
    ("Bare_Num_Lock", 0x0213),
    ("KP_Add", 0x030a),
    ("KP_Subtract", 0x030b),
    ("KP_Multiply", 0x030c),
    ("KP_Divide", 0x030d),
    ("KP_Enter", 0x030e),
    ("KP_Comma", 0x030f),
    ("KP_Period", 0x0310),
    ("dead_grave", 0x0400),
    ("dead_acute", 0x0401),
    ("dead_circumflex", 0x0402),
    ("dead_tilde", 0x0403),
    ("dead_diaeresis", 0x0404),
    ("dead_cedilla", 0x0405),
    ("Down", 0x0600),
    ("Left", 0x0601),
    ("Right", 0x0602),
    ("Up", 0x0603),
    ("Shift", 0x0700),
    ("AltGr", 0x0701),
    ("Control", 0x0702),
    ("Alt", 0x0703),
];

/// Compiles a keymap's source.
pub fn compile(source: &str) -> Result<Vec<u8>> {
    let mut tables = vec![[HOLE; KEYS]; 16];
    let mut given = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        compile_line(line, &mut tables, &mut given).with_context(|| format!("keymap, line {}: {line}", number + 1))?;
    }
    let mut bytes = b"bkeymap".to_vec();
    bytes.extend((0..256).map(|table| u8::from(TABLES.contains(&table))));
    for table in TABLES {
        bytes.extend(tables[table].iter().flat_map(|word| word.to_le_bytes()));
    }
    Ok(bytes)
}

fn compile_line(line: &str, tables: &mut [[u16; KEYS]], given: &mut Vec<(usize, usize)>) -> Result<()> {
    let (left, right) = line.split_once(" = ").context("no ` = `")?;
    let mut words: Vec<&str> = left.split_whitespace().collect();
    let key: usize = words.pop().unwrap_or_default().parse()?;
    ensure!((1..KEYS).contains(&key), "no such keycode");
    ensure!(words.pop() == Some("keycode"), "`keycode` expected");
    let mut modifiers = 0;
    for word in words {
        modifiers |= match word {
            "shift" => SHIFT,
            "altgr" => ALTGR,
            "control" => CONTROL,
            "alt" => ALT,
            _ => bail!("{word}: unknown modifier"),
        };
    }
    let symbols = right.split_whitespace().map(keysym).collect::<Result<Vec<u16>>>()?;
    ensure!(!given.contains(&(modifiers, key)), "given twice");
    given.push((modifiers, key));
    if modifiers != 0 {
        ensure!(TABLES.contains(&modifiers), "no table for these modifiers");
        ensure!(symbols.len() == 1, "one symbol expected");
        tables[modifiers][key] = symbols[0];
        return Ok(());
    }
    ensure!((1..=4).contains(&symbols.len()), "one to four symbols");
    spread(&symbols, key, tables, given);
    Ok(())
}

/// Fills a key's columns from its plain line; columns that have lines of their own are left alone.
fn spread(symbols: &[u16], key: usize, tables: &mut [[u16; KEYS]], given: &[(usize, usize)]) {
    let plain = symbols[0];
    let is_text = !(0x0100..0xc000).contains(&plain);
    // What is not text (Shift, Return, F1) is the same in every table: a modifier that is let go while another is held
    // must be found there, or it stays pressed for ever.
    let other = if is_text { HOLE } else { plain };
    let upper = upper_case(plain);
    let shifted = symbols.get(1).copied().or(upper).unwrap_or(plain);
    let letter = upper == Some(shifted);
    let case = |symbol| if letter { LETTER | symbol } else { symbol };
    let ascii = (0x01..0x80).contains(&plain);
    let control = match plain {
        // Letters, and the control characters that have keys of their own.
        0x61..=0x7a => plain & 0x1f,
        0x00..=0x1f | 0x7f => plain,
        _ => other,
    };
    let meta = |symbol: u16| {
        if ascii && symbol < 0x80 { META | symbol } else { other }
    };
    let columns = [
        (0, case(plain)),
        (SHIFT, case(shifted)),
        (ALTGR, symbols.get(2).copied().unwrap_or(other)),
        (SHIFT | ALTGR, symbols.get(3).copied().unwrap_or(other)),
        (CONTROL, control),
        (CONTROL | SHIFT, control),
        (ALT, meta(plain)),
        (ALT | SHIFT, meta(shifted)),
        (CONTROL | ALT, meta(control)),
    ];
    for (modifiers, symbol) in columns {
        if modifiers == 0 || !given.contains(&(modifiers, key)) {
            tables[modifiers][key] = symbol;
        }
    }
}

/// The capital of a Latin-1 letter that has one in Latin-1.
fn upper_case(symbol: u16) -> Option<u16> {
    match symbol {
        0x61..=0x7a | 0xe0..=0xf6 | 0xf8..=0xfe => Some(symbol - 0x20),
        _ => None,
    }
}

/// The keysym of a symbol: a character, a name, F1 to F12, KP_0 to KP_9, Console_1 to Console_63, Control_x.
fn keysym(symbol: &str) -> Result<u16> {
    let mut chars = symbol.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        let code = u16::try_from(u32::from(only)).ok().filter(|c| *c < 0xf000);
        let code = code.context("no such keysym")?;
        // The kernel tells code points from typed keysyms by this mask.
        return Ok(if code < 0x100 { code } else { code ^ 0xf000 });
    }
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == symbol) {
        return Ok(*code);
    }
    let numbered = |prefix: &str| symbol.strip_prefix(prefix)?.parse::<u16>().ok();
    if let Some(n @ 0..=9) = numbered("KP_") {
        return Ok(0x0300 + n);
    }
    if let Some(n @ 1..=20) = numbered("F") {
        return Ok(0x0100 + n - 1);
    }
    if let Some(n @ 1..=63) = numbered("Console_") {
        return Ok(0x0500 + n - 1);
    }
    if let Some([byte @ 0x40..=0x7f]) = symbol.strip_prefix("Control_").map(str::as_bytes) {
        return Ok(u16::from(byte & 0x1f));
    }
    bail!("{symbol}: unknown symbol")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BELGIAN: &str = include_str!("../../filesystem/usr/share/keymaps/be-latin1.map");

    fn word(map: &[u8], table: usize, key: usize) -> u16 {
        let index = TABLES.iter().position(|t| *t == table).unwrap();
        let at = 7 + 256 + (index * KEYS + key) * 2;
        u16::from_le_bytes([map[at], map[at + 1]])
    }

    #[test]
    fn writes_magic_flags_and_tables() {
        let map = compile("keycode 30 = q\nkeycode 2 = & 1 |\nkeycode 59 = F1\nalt keycode 59 = Console_1\n").unwrap();
        assert_eq!(map.len(), 7 + 256 + 9 * 256);
        assert_eq!(&map[..7], b"bkeymap");
        assert_eq!(&map[7..20], &[1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
        assert_eq!(word(&map, 0, 30), 0x0b71);
        assert_eq!(word(&map, SHIFT, 30), 0x0b51);
        assert_eq!(word(&map, CONTROL, 30), 0x0011);
        assert_eq!(word(&map, ALT, 30), 0x0871);
        assert_eq!(word(&map, 0, 2), 0x0026);
        assert_eq!(word(&map, SHIFT, 2), 0x0031);
        assert_eq!(word(&map, ALTGR, 2), 0x007c);
        assert_eq!(word(&map, SHIFT, 59), 0x0100);
        assert_eq!(word(&map, ALT, 59), 0x0500);
        assert_eq!(word(&map, 0, 3), 0x0200);
    }

    #[test]
    fn a_bad_line_is_refused() {
        for line in [
            "keycode 300 = a",
            "keycode 30 a",
            "keycode 30 = nonsense",
            "keycode 30 = a b c d e",
            "hyper keycode 30 = a",
            "keycode 30 = a\nkeycode 30 = b",
        ] {
            assert!(compile(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_belgian_map_types_azerty() {
        let map = compile(BELGIAN).unwrap();
        assert_eq!(word(&map, 0, 16), 0x0b61);
        assert_eq!(word(&map, 0, 3), 0x00e9);
        assert_eq!(word(&map, SHIFT, 3), 0x0032);
        assert_eq!(word(&map, ALTGR, 3), 0x0040);
        assert_eq!(word(&map, ALTGR, 18), 0xd0ac);
        assert_eq!(word(&map, 0, 50), 0x002c);
        assert_eq!(word(&map, CONTROL | ALT, 111), 0x020c);
    }
}
