//! The lines of a formatted page: words filled to a width, with indentation, tags and fonts.
//!
//! Text has fonts as marks among its bytes: [`ROMAN`], [`BOLD`] and [`ITALIC`] begin one, [`BLANK`] is a blank that does not
//! part words. Control characters of a source never come here, so the marks mean nothing else.

use rbox_core::term::{character, width};
use rbox_core::unicode::character_width;

pub const ROMAN: u8 = 1;
pub const BOLD: u8 = 2;
pub const ITALIC: u8 = 3;
pub const BLANK: u8 = 4;

/// Deeper indentation leaves a line no room.
const MOST_INDENT: usize = 60;

pub struct Page {
    /// Columns of a line.
    width: usize,
    /// Fonts are shown by escape sequences (ECMA-48, SGR).
    shows_fonts: bool,
    out: Vec<u8>,
    /// The columns before a line.
    indent: usize,
    /// Words are filled into lines; otherwise each line of the source is one.
    pub fill: bool,
    /// Lines are centred, so many more of them.
    pub centred: usize,
    /// The line that is being filled, and what is before it: a tag with its own indentation.
    line: Vec<u8>,
    columns: usize,
    tag: Option<(usize, Vec<u8>)>,
    /// The font at the end of the line.
    font: u8,
    /// The last word ended a sentence: two blanks follow.
    ended: bool,
    /// The next word follows without a blank.
    pub joined: bool,
    /// An empty line was printed, or nothing was: more of them are not.
    empty: bool,
}

impl Page {
    pub fn new(width: usize, shows_fonts: bool) -> Page {
        Page {
            width,
            shows_fonts,
            out: Vec::new(),
            indent: 0,
            fill: true,
            centred: 0,
            line: Vec::new(),
            columns: 0,
            tag: None,
            font: ROMAN,
            ended: false,
            joined: false,
            empty: true,
        }
    }

    /// Ends the line and gives what was formatted.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.break_line();
        self.out
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn indent(&self) -> usize {
        self.indent
    }

    /// Ends the line; the following ones begin after that many columns.
    pub fn set_indent(&mut self, columns: usize) {
        self.break_line();
        self.indent = columns.min(MOST_INDENT);
    }

    /// Adds a line of the source.
    pub fn add(&mut self, text: &[u8]) {
        if !self.fill || self.centred > 0 {
            let joined = core::mem::take(&mut self.joined);
            if !joined {
                self.break_line();
            }
            self.line.extend_from_slice(text);
            self.columns += columns(text);
            if self.line.is_empty() {
                self.space();
            }
            if self.centred > 0 {
                self.centred -= 1;
                let blanks = self.width.saturating_sub(self.columns) / 2;
                self.tag = Some((0, vec![b' '; blanks.saturating_sub(self.indent)]));
                self.break_line();
            }
            return;
        }
        let mut words = text.split(|&byte| byte == b' ' || byte == b'\t').filter(|word| !word.is_empty()).peekable();
        if text.first() == Some(&b' ') {
            // As in troff a line that begins with a blank begins a line.
            self.break_line();
            let blanks = text.iter().take_while(|&&byte| byte == b' ').count();
            self.tag = Some((self.indent, vec![b' '; blanks]));
        }
        while let Some(word) = words.next() {
            let is_last = words.peek().is_none();
            self.add_word(word);
            self.ended = is_last && ends_sentence(word);
        }
    }

    fn add_word(&mut self, word: &[u8]) {
        let length = columns(word);
        let blanks = match (self.columns, core::mem::take(&mut self.joined)) {
            (0, _) | (_, true) => 0,
            _ => 1 + usize::from(self.ended),
        };
        let room = self.width.saturating_sub(self.indent).max(10);
        if self.columns > 0 && self.columns + blanks + length > room {
            self.break_line();
        } else {
            self.line.resize(self.line.len() + blanks, b' ');
            self.columns += blanks;
        }
        self.line.extend_from_slice(word);
        self.columns += length;
    }

    /// What has been added becomes a tag: text goes on beside it from column `indent` on, if it is that short.
    pub fn end_tag(&mut self, indent: usize) {
        let fits = self.indent + self.columns < indent && self.tag.is_none();
        if fits {
            let tag = core::mem::take(&mut self.line);
            self.tag = Some((self.indent, tag));
            self.columns = 0;
        } else {
            self.break_line();
        }
        self.indent = indent.min(MOST_INDENT);
        self.ended = false;
    }

    /// Ends the line, if one is begun.
    pub fn break_line(&mut self) {
        if self.line.is_empty() && self.tag.as_ref().is_none_or(|(_, tag)| tag.is_empty()) {
            self.tag = None;
            return;
        }
        let mut line = Vec::new();
        if let Some((indent, tag)) = self.tag.take() {
            line.resize(indent, b' ');
            line.extend_from_slice(&tag);
            let blanks = self.indent.saturating_sub(indent + columns(&tag));
            line.resize(line.len() + blanks, b' ');
        } else {
            line.resize(self.indent, b' ');
        }
        line.append(&mut self.line);
        self.columns = 0;
        self.ended = false;
        self.show(&line);
        self.empty = false;
    }

    /// Ends the line and adds an empty one, unless there is one.
    pub fn space(&mut self) {
        self.break_line();
        if !self.empty {
            self.out.push(b'\n');
            self.empty = true;
        }
    }

    /// Ends the line; no empty line follows.
    pub fn end_heading(&mut self) {
        self.break_line();
        self.empty = true;
    }

    /// Adds a line as it is, from the first column on.
    pub fn add_line(&mut self, line: &[u8]) {
        self.break_line();
        self.show(line);
        self.empty = false;
    }

    /// Prints a line; a font ends with it.
    fn show(&mut self, line: &[u8]) {
        let end = line.len() - line.iter().rev().take_while(|&&byte| byte == b' ').count();
        let mut shown = ROMAN;
        for &byte in &line[..end] {
            match byte {
                ROMAN | BOLD | ITALIC => self.font = byte,
                _ => {
                    // Blanks are not underlined.
                    let font = if byte == b' ' || byte == BLANK { ROMAN } else { self.font };
                    if self.shows_fonts && font != shown {
                        self.out.extend_from_slice(match font {
                            BOLD => b"\x1b[0;1m",
                            ITALIC => b"\x1b[0;4m",
                            _ => b"\x1b[0m",
                        });
                        shown = font;
                    }
                    self.out.push(if byte == BLANK { b' ' } else { byte });
                }
            }
        }
        for &byte in &line[end..] {
            if matches!(byte, ROMAN | BOLD | ITALIC) {
                self.font = byte;
            }
        }
        if shown != ROMAN {
            self.out.extend_from_slice(b"\x1b[0m");
        }
        self.out.push(b'\n');
    }
}

/// Columns of a text with marks.
pub fn columns(text: &[u8]) -> usize {
    if !text.iter().any(|&byte| byte <= BLANK) {
        return width(text);
    }
    let (mut at, mut columns) = (0, 0);
    while at < text.len() {
        let (found, length) = character(&text[at..]);
        columns += match found {
            Some('\u{1}'..='\u{3}') => 0,
            found => found.map_or(1, character_width),
        };
        at += length;
    }
    columns
}

fn ends_sentence(word: &[u8]) -> bool {
    let mut bytes = word.iter().rev().filter(|byte| **byte > BLANK);
    bytes.find(|byte| !b")]'\"".contains(byte)).is_some_and(|byte| b".?!".contains(byte))
}
