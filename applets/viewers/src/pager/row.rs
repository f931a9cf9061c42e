//! One row of the screen: characters of a line as they are shown, in as many columns as there are.

use rbox_core::push;
use rbox_core::term::{character, display_width};
use rbox_core::text::Hex;
use rbox_core::unicode::character_width;

/// What is done with control sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Raw {
    /// They are shown.
    #[default]
    Shown,
    /// Those that set colours are obeyed.
    Colours,
    /// All are obeyed.
    All,
}

/// How a row is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    pub columns: usize,
    /// The columns that are not shown, left of the screen; the row then has the whole line.
    pub left: usize,
    pub chop: bool,
    pub tab: usize,
    pub raw: Raw,
}

const BOLD: u8 = 1;
const UNDERLINED: u8 = 2;
const REVERSED: u8 = 4;

/// A row while it is made.
struct Pen<'a> {
    look: &'a Look,
    text: Vec<u8>,
    column: usize,
    /// The colours that the line has set.
    colours: Vec<u8>,
    /// The attributes that the terminal has.
    now: u8,
}

impl Pen<'_> {
    /// Adds a character. False when it does not fit.
    fn put(&mut self, shown: &[u8], width: usize, attributes: u8) -> bool {
        let (from, to) = (self.column, self.column + width);
        if to > self.look.left + self.look.columns {
            return false;
        }
        self.column = to;
        if to <= self.look.left && (width > 0 || from < self.look.left) {
            return true;
        }
        if attributes != self.now {
            push!(self.text, "\x1b[m", &self.colours);
            for (attribute, sequence) in [(BOLD, "\x1b[1m"), (UNDERLINED, "\x1b[4m"), (REVERSED, "\x1b[7m")] {
                if attributes & attribute != 0 {
                    push!(self.text, sequence);
                }
            }
            self.now = attributes;
        }
        match from < self.look.left {
            // Of a wide character or a tab only a part is on the screen.
            true => self.text.resize(self.text.len() + to - self.look.left, b' '),
            false => self.text.extend_from_slice(shown),
        }
        true
    }

    fn colour(&mut self, sequence: &[u8]) {
        set_colours(&mut self.colours, sequence);
        self.text.extend_from_slice(sequence);
        if self.now != 0 {
            // What the sequence has switched off is set again by the next character.
            self.now = u8::MAX;
        }
    }
}

/// Adds a sequence to those that are in force.
fn set_colours(colours: &mut Vec<u8>, sequence: &[u8]) {
    match sequence {
        b"\x1b[m" | b"\x1b[0m" => colours.clear(),
        // A line that sets colours without end is not worth more.
        _ if colours.len() < 256 => colours.extend_from_slice(sequence),
        _ => {}
    }
}

/// The length of a sequence that sets colours, with which a text begins (ECMA-48, SGR).
fn colour_length(text: &[u8]) -> Option<usize> {
    let parameters = text.strip_prefix(b"\x1b[")?;
    let length = parameters.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
    (parameters.get(length) == Some(&b'm')).then_some(length + 3)
}

/// The colours that a text leaves in force.
fn colours_after(text: &[u8]) -> Vec<u8> {
    let mut colours = Vec::new();
    for at in rbox_core::bytes::find_bytes(27, text) {
        if let Some(length) = colour_length(&text[at..]) {
            set_colours(&mut colours, &text[at..at + length]);
        }
    }
    colours
}

/// Shows a line, without its newline, from the offset `from` on; `found` are the parts that a search has found. Returns
/// the row and where the next one begins.
pub(crate) fn show(line: &[u8], from: usize, look: &Look, found: &[(usize, usize)]) -> (Vec<u8>, usize) {
    let colours = if look.raw == Raw::Colours { colours_after(&line[..from]) } else { Vec::new() };
    let mut pen = Pen { look, text: colours.clone(), column: 0, colours, now: 0 };
    let (mut at, mut marked) = (from, found.iter());
    let mut next = marked.next();
    while at < line.len() {
        while next.is_some_and(|&(_, end)| end <= at) {
            next = marked.next();
        }
        let reversed = if next.is_some_and(|&(start, end)| start <= at && at < end) { REVERSED } else { 0 };
        let rest = &line[at..];
        if let Some(length) = colour_length(rest).filter(|_| look.raw == Raw::Colours) {
            pen.colour(&rest[..length]);
            at += length;
            continue;
        }
        if look.raw == Raw::All && rest[0] != b'\t' {
            let (length, width) = display_width(rest);
            if !pen.put(&rest[..length], width, 0) {
                break;
            }
            at += length;
            continue;
        }
        let (length, fits) = put_character(&mut pen, rest, reversed);
        if !fits {
            break;
        }
        at += length;
    }
    if pen.now != 0 || !pen.colours.is_empty() || look.raw == Raw::Colours && pen.text.contains(&27) {
        push!(pen.text, "\x1b[m");
    }
    // A screen narrower than a character would never come to its end.
    let stuck = at == from && from < line.len();
    let next = if look.chop {
        line.len()
    } else if stuck {
        from + character(&line[from..]).1
    } else {
        at
    };
    (pen.text, next)
}

/// Where the row after the one at `from` begins: what `show` returns, without the row.
pub(crate) fn next_row(line: &[u8], from: usize, look: &Look) -> usize {
    match line.get(from..from + look.columns + 1) {
        _ if look.chop => line.len(),
        // A full row of printable ASCII, which nothing after it changes.
        Some(row) if row.iter().all(|byte| (b' '..=b'~').contains(byte)) => from + look.columns,
        _ => show(line, from, look, &[]).1,
    }
}

/// Shows a character, or two that were printed one over the other (`x\bx` bold, `_\bx` underlined).
fn put_character(pen: &mut Pen<'_>, rest: &[u8], reversed: u8) -> (usize, bool) {
    let (found, length) = character(rest);
    if let [8, after @ ..] = &rest[length..]
        && let (Some(first), (Some(second), second_length)) = (found, character(after))
        && second > ' '
    {
        let over = match (first, second) {
            ('_', _) => Some((second, UNDERLINED)),
            (_, '_') => Some((first, UNDERLINED)),
            _ => (first == second).then_some((second, BOLD)),
        };
        if let Some((one, attribute)) = over {
            let shown = one.encode_utf8(&mut [0; 4]).len();
            let shown = if one == second { &after[..shown] } else { &rest[..shown] };
            return (length + 1 + second_length, pen.put(shown, character_width(one), attribute | reversed));
        }
    }
    let mut shown = Vec::new();
    match found {
        Some('\t') => {
            shown.resize(pen.look.tab - pen.column % pen.look.tab, b' ');
            // The rest of a tab goes to no other row.
            shown.truncate((pen.look.left + pen.look.columns - pen.column).max(1));
        }
        Some(one) if one < ' ' || one == '\x7f' => shown.extend_from_slice(&[b'^', rest[0] ^ 64]),
        Some('\u{80}'..='\u{9f}') | None => push!(shown, "<", Hex(rest[length - 1].into()), ">"),
        Some(one) => return (length, pen.put(&rest[..length], character_width(one), reversed)),
    }
    let reversed = if rest[0] == b'\t' { reversed } else { REVERSED };
    (length, pen.put(&shown, shown.len(), reversed))
}

/// A line as it is searched: without what prints one character over another and, where colours are obeyed, without
/// those. With the offset in the line of each byte.
pub(crate) fn plain(line: &[u8], raw: Raw) -> (Vec<u8>, Vec<u32>) {
    let (mut text, mut offsets, mut at) = (Vec::with_capacity(line.len()), Vec::with_capacity(line.len()), 0);
    while at < line.len() {
        if let Some(length) = colour_length(&line[at..]).filter(|_| raw == Raw::Colours) {
            at += length;
            continue;
        }
        let length = character(&line[at..]).1;
        // `_\bx` and `x\b_` and `x\bx`: the character that is shown.
        let over = line.get(at + length) == Some(&8) && at + length + 1 < line.len();
        let second = if over { at + length + 1 } else { at };
        let second_length = character(&line[second..]).1;
        let (start, size) = if line[second] == b'_' && over { (at, length) } else { (second, second_length) };
        text.extend_from_slice(&line[start..start + size]);
        offsets.resize(text.len(), at as u32);
        at = second + second_length;
    }
    offsets.push(line.len() as u32);
    (text, offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { columns: 8, left: 0, chop: false, tab: 8, raw: Raw::Shown };

    fn shown(line: &str, look: &Look) -> (String, usize) {
        let (text, next) = show(line.as_bytes(), 0, look, &[]);
        (String::from_utf8(text).expect("UTF-8"), next)
    }

    #[test]
    fn a_row_ends_where_the_next_character_does_not_fit() {
        assert_eq!(shown("abcdefghij", &LOOK), ("abcdefgh".to_string(), 8));
        assert_eq!(shown("abcdefg漢", &LOOK), ("abcdefg".to_string(), 7));
        assert_eq!((next_row(b"abcdefghij", 0, &LOOK), next_row(b"abcdefghij", 8, &LOOK)), (8, 10));
        assert_eq!(next_row(b"abcdefgh\x08hj", 0, &LOOK), 10);
        assert_eq!(shown("ab\tcd", &LOOK), ("ab      ".to_string(), 3));
        assert_eq!(shown("漢", &Look { columns: 1, ..LOOK }), (String::new(), 3));
    }

    #[test]
    fn controls_are_shown_and_printed_over_characters_are_attributes() {
        assert_eq!(shown("a\x01b", &LOOK).0, "a\x1b[m\x1b[7m^A\x1b[mb");
        assert_eq!(shown("x\x08xy_\x08z", &LOOK).0, "\x1b[m\x1b[1mx\x1b[my\x1b[m\x1b[4mz\x1b[m");
        assert_eq!(show(b"\xff", 0, &LOOK, &[]).0, b"\x1b[m\x1b[7m<ff>\x1b[m");
    }

    #[test]
    fn colours_go_on_in_the_next_row() {
        let look = Look { columns: 2, raw: Raw::Colours, ..LOOK };
        let line = b"\x1b[31mabcd";
        assert_eq!(show(line, 0, &look, &[]), (b"\x1b[31mab\x1b[m".to_vec(), 7));
        assert_eq!(show(line, 7, &look, &[]).0, b"\x1b[31mcd\x1b[m");
    }

    #[test]
    fn columns_on_the_left_can_be_skipped() {
        let look = Look { columns: 3, left: 2, chop: true, ..LOOK };
        assert_eq!(shown("abcdefgh", &look), ("cde".to_string(), 8));
        assert_eq!(shown("a漢bcdef", &look).0, " bc");
    }

    #[test]
    fn what_is_printed_over_is_searched_as_it_is_shown() {
        assert_eq!(plain(b"N\x08NA_\x08b", Raw::Shown), (b"NAb".to_vec(), vec![0, 3, 4, 7]));
        assert_eq!(plain(b"\x1b[1ma", Raw::Colours).0, b"a");
    }
}
