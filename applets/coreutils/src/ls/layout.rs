//! The looks of a listing: names, columns, long lines.

use rbox_core::escape::{control_name, octal};
use rbox_core::mode::symbolic;
use rbox_core::number::{Decimal, human};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Stat, link_count, major, minor};
use rbox_core::term;
use rbox_core::time::{self, Moment, Zone};
use rbox_core::users::NameCache;

use super::{
    BLOCKS, CLASSIFY, CONTEXT, FULL_TIME, File, Form, HUMAN, INODE, KILO, Lister, NO_GROUP, NO_USER, NUMERIC, Quoting,
    SLASH, TIME_STYLE, order,
};

/// What long lines need over the whole listing.
pub struct Layout {
    users: NameCache,
    groups: NameCache,
    zone: Zone,
    now: i64,
    /// A fixed format of times; else recent ones show the hour, others the year.
    time_format: Option<Vec<u8>>,
}

impl Layout {
    pub fn new(env: &Env, args: &Args<'_>) -> Result<Self> {
        let time_format = match (args.value(TIME_STYLE), args.has(FULL_TIME)) {
            (Some(b"full-iso"), _) | (None, true) => Some(b"%Y-%m-%d %H:%M:%S.%N %z".to_vec()),
            (Some(b"long-iso"), _) => Some(b"%Y-%m-%d %H:%M".to_vec()),
            (Some(b"iso"), _) => Some(b"%m-%d %H:%M".to_vec()),
            (Some(b"locale"), _) | (None, false) => None,
            (Some([b'+', format @ ..]), _) => Some(format.to_vec()),
            (Some(word), _) => return Err(Error::parts(&[b"invalid argument '", word, b"' for --time-style"])),
        };
        let zone = Zone::load(env.vars.get("TZ"));
        Ok(Self {
            users: NameCache::default(),
            groups: NameCache::default(),
            zone,
            now: Moment::now().seconds,
            time_format,
        })
    }
}

/// Columns of numbers and names, as wide as their widest.
#[derive(Default)]
struct Widths {
    inode: usize,
    blocks: usize,
    links: usize,
    user: usize,
    group: usize,
    size: usize,
}

impl Lister<'_> {
    /// Prints `files`, all of one directory or all operands. With -l or -s a directory's sum of blocks goes first.
    pub fn print(&mut self, env: &mut Env, files: &[File], directory: bool) -> Result<()> {
        let mut text = Vec::new();
        if directory && (self.form == Form::Long || self.args.has(BLOCKS)) {
            let total: u64 = files.iter().filter_map(|file| file.stat.as_deref()).map(blocks).sum();
            let total = if self.args.has(HUMAN) { human(total * 1024) } else { digits(total) };
            text.extend_from_slice(&[b"total ", total.as_slice(), b"\n"].concat());
        }
        let widths = self.widths(files);
        match self.form {
            Form::Long | Form::Single => {
                for file in files {
                    self.push_line(&mut text, file, &widths);
                    text.push(b'\n');
                    // A listing of any length takes bounded memory.
                    if text.len() > 32 * 1024 {
                        env.stdout.write(&text)?;
                        text.clear();
                    }
                }
            }
            Form::Commas => self.push_commas(&mut text, files, &widths),
            Form::Columns | Form::Across => self.push_columns(&mut text, files, &widths),
        }
        env.stdout.write(&text)
    }

    fn widths(&mut self, files: &[File]) -> Widths {
        let mut widths = Widths::default();
        for stat in files.iter().filter_map(|file| file.stat.as_ref()) {
            let widen = |width: &mut usize, text: &[u8]| *width = (*width).max(text.len());
            if self.args.has(INODE) {
                widen(&mut widths.inode, &digits(stat.st_ino));
            }
            if self.args.has(BLOCKS) {
                widen(&mut widths.blocks, &self.block_text(stat));
            }
            if self.form == Form::Long {
                widen(&mut widths.links, &digits(link_count(stat)));
                widen(&mut widths.size, &self.size_text(stat));
                widths.user = widths.user.max(self.owner_text(stat, false).len());
                widths.group = widths.group.max(self.owner_text(stat, true).len());
            }
        }
        widths
    }

    fn block_text(&self, stat: &Stat) -> Vec<u8> {
        // -k asks for what is the default.
        if self.args.has(HUMAN) && !self.args.has(KILO) {
            human(stat.st_blocks as u64 * 512)
        } else {
            digits(blocks(stat))
        }
    }

    /// A device has its numbers where others have a size.
    fn size_text(&self, stat: &Stat) -> Vec<u8> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::CharacterDevice | FileType::BlockDevice => {
                let (mut text, minor) = (digits(major(stat.st_rdev).into()), digits(minor(stat.st_rdev).into()));
                text.push(b',');
                text.resize(text.len() + 4usize.saturating_sub(minor.len()), b' ');
                text.extend_from_slice(&minor);
                text
            }
            _ if self.args.has(HUMAN) => human(stat.st_size as u64),
            _ => digits(stat.st_size as u64),
        }
    }

    fn owner_text(&mut self, stat: &Stat, group: bool) -> Vec<u8> {
        let id = if group { stat.st_gid } else { stat.st_uid };
        if self.args.has(NUMERIC) {
            return digits(id.into());
        }
        if group { self.layout.groups.group(id).to_vec() } else { self.layout.users.user(id).to_vec() }
    }

    fn push_line(&mut self, text: &mut Vec<u8>, file: &File, widths: &Widths) {
        self.push_prefix(text, file, widths);
        if self.form == Form::Long
            && let Some(stat) = &file.stat
        {
            self.push_attributes(text, file, stat, widths);
        }
        self.push_decorated(text, file);
        if self.form == Form::Long
            && let Some((target, _)) = &file.target
        {
            text.extend_from_slice(b" -> ");
            push_name(text, target, self.quoting);
        }
    }

    fn push_prefix(&self, text: &mut Vec<u8>, file: &File, widths: &Widths) {
        let Some(stat) = &file.stat else { return };
        if self.args.has(INODE) {
            push_right(text, &digits(stat.st_ino), widths.inode.max(7));
            text.push(b' ');
        }
        if self.args.has(BLOCKS) {
            push_right(text, &self.block_text(stat), widths.blocks.max(6));
            text.push(b' ');
        }
        if self.args.has(CONTEXT) {
            text.extend_from_slice(b"? ");
        }
    }

    fn push_attributes(&mut self, text: &mut Vec<u8>, file: &File, stat: &Stat, widths: &Widths) {
        text.extend_from_slice(&symbolic(stat.st_mode));
        text.push(b' ');
        push_right(text, &digits(link_count(stat)), widths.links.max(4));
        text.push(b' ');
        if !self.args.has(NO_USER) {
            push_left(text, &self.owner_text(stat, false), widths.user.max(8));
            text.push(b' ');
        }
        if !self.args.has(NO_GROUP) {
            push_left(text, &self.owner_text(stat, true), widths.group.max(8));
            text.push(b' ');
        }
        push_right(text, &self.size_text(stat), widths.size.max(9));
        text.push(b' ');
        let (seconds, nanos) = order::time(self.args, file);
        let recent = (self.layout.now - 180 * 86_400..=self.layout.now + 900).contains(&seconds);
        let format = match &self.layout.time_format {
            Some(format) => format.as_slice(),
            None if recent => b"%b %e %H:%M",
            None => b"%b %e  %Y",
        };
        text.extend_from_slice(&time::format(format, Moment { seconds, nanos: nanos as u32 }, &self.layout.zone));
        text.push(b' ');
    }

    /// The name, in color and with its type indicator.
    fn push_decorated(&self, text: &mut Vec<u8>, file: &File) {
        let mode = file.stat.as_ref().map_or(0, |stat| stat.st_mode);
        if self.color {
            text.extend_from_slice(color(file, mode));
        }
        push_name(text, &file.name, self.quoting);
        if self.color {
            text.extend_from_slice(b"\x1b[m");
        }
        if let Some(mark) = self.mark(file.kind, mode) {
            text.push(mark);
        }
    }

    fn mark(&self, kind: FileType, mode: u32) -> Option<u8> {
        match kind {
            FileType::Directory if self.args.has(SLASH) || self.args.has(CLASSIFY) => Some(b'/'),
            _ if !self.args.has(CLASSIFY) => None,
            FileType::Symlink => Some(b'@'),
            FileType::Fifo => Some(b'|'),
            FileType::Socket => Some(b'='),
            FileType::RegularFile if mode & 0o111 != 0 => Some(b'*'),
            _ => None,
        }
    }

    fn push_commas(&mut self, text: &mut Vec<u8>, files: &[File], widths: &Widths) {
        let mut column = 0;
        for (index, file) in files.iter().enumerate() {
            let cell = self.cell(file, widths);
            let wide = term::width(&cell) + 2;
            if column > 0 && self.width > 0 && column + wide > self.width {
                text.push(b'\n');
                column = 0;
            } else if column > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(&cell);
            text.extend_from_slice(if index + 1 < files.len() { b"," } else { b"\n" });
            column += wide;
        }
    }

    fn cell(&mut self, file: &File, widths: &Widths) -> Vec<u8> {
        let mut cell = Vec::new();
        self.push_line(&mut cell, file, widths);
        cell
    }

    /// Columns as wide as the widest name and two blanks, filled downwards, or across with -x.
    fn push_columns(&mut self, text: &mut Vec<u8>, files: &[File], widths: &Widths) {
        let cells: Vec<Vec<u8>> = files.iter().map(|file| self.cell(file, widths)).collect();
        // Color takes no columns: it is written out for the width once without.
        let plain = |cell: &Vec<u8>| if self.color { term::width(&without_color(cell)) } else { term::width(cell) };
        let wide: Vec<usize> = cells.iter().map(plain).collect();
        let column = wide.iter().max().copied().unwrap_or(0) + 2;
        let columns = (self.width / column).max(1);
        let rows = cells.len().div_ceil(columns);
        for row in 0..rows {
            let places =
                (0..columns).map(|at| if self.form == Form::Across { row * columns + at } else { at * rows + row });
            let mut gap = 0;
            for place in places.take_while(|&place| place < cells.len()) {
                text.resize(text.len() + gap, b' ');
                text.extend_from_slice(&cells[place]);
                gap = column - wide[place];
            }
            text.push(b'\n');
        }
    }
}

fn without_color(cell: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(cell.len());
    let mut inside = false;
    for &byte in cell {
        inside |= byte == 0x1b;
        if !inside {
            plain.push(byte);
        }
        inside &= byte != b'm';
    }
    plain
}

/// BusyBox's colors: bold for what is no plain file, green for programs, red for links that lead nowhere.
fn color(file: &File, mode: u32) -> &'static [u8] {
    match file.kind {
        FileType::Directory => b"\x1b[1;34m",
        FileType::Symlink if matches!(file.target, Some((_, None))) => b"\x1b[1;31m",
        FileType::Symlink => b"\x1b[1;36m",
        FileType::CharacterDevice | FileType::BlockDevice => b"\x1b[1;33m",
        FileType::Fifo => b"\x1b[33m",
        FileType::Socket => b"\x1b[1;35m",
        FileType::RegularFile if mode & 0o111 != 0 => b"\x1b[1;32m",
        _ => b"\x1b[m",
    }
}

/// Blocks of 1024 bytes that a file takes; st_blocks counts 512.
fn blocks(stat: &Stat) -> u64 {
    (stat.st_blocks as u64).div_ceil(2)
}

fn digits(number: u64) -> Vec<u8> {
    Decimal::new(number).as_bytes().to_vec()
}

fn push_right(text: &mut Vec<u8>, word: &[u8], width: usize) {
    text.resize(text.len() + width.saturating_sub(word.len()), b' ');
    text.extend_from_slice(word);
}

fn push_left(text: &mut Vec<u8>, word: &[u8], width: usize) {
    text.extend_from_slice(word);
    text.resize(text.len() + width.saturating_sub(term::width(word)), b' ');
}

/// Appends `name` with bytes that cannot be printed shown as `quoting` says. UTF-8 is printable.
pub fn push_name(text: &mut Vec<u8>, name: &[u8], quoting: Quoting) {
    if quoting == Quoting::Literal {
        return text.extend_from_slice(name);
    }
    if quoting == Quoting::Quote {
        text.push(b'"');
    }
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            match character {
                _ if character.is_control() => bytes.iter().for_each(|&byte| push_odd(text, byte, quoting)),
                '\\' if quoting != Quoting::Question => text.extend_from_slice(b"\\\\"),
                '"' if quoting == Quoting::Quote => text.extend_from_slice(b"\\\""),
                ' ' if quoting == Quoting::Escape => text.extend_from_slice(b"\\ "),
                _ => text.extend_from_slice(bytes),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_odd(text, byte, quoting));
    }
    if quoting == Quoting::Quote {
        text.push(b'"');
    }
}

fn push_odd(text: &mut Vec<u8>, byte: u8, quoting: Quoting) {
    if quoting == Quoting::Question {
        return text.push(b'?');
    }
    match control_name(byte) {
        Some(name) => text.extend_from_slice(&[b'\\', name]),
        None => text.extend_from_slice(&octal(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_are_shown_and_text_is_left_alone() {
        let show = |name: &[u8], quoting| {
            let mut text = Vec::new();
            push_name(&mut text, name, quoting);
            String::from_utf8_lossy(&text).into_owned()
        };
        assert_eq!(show("é\n\u{1b}".as_bytes(), Quoting::Question), "é??");
        assert_eq!(show(b"a b\xff\n", Quoting::Escape), "a\\ b\\377\\n");
        assert_eq!(show(b"a\"b", Quoting::Quote), "\"a\\\"b\"");
    }
}
