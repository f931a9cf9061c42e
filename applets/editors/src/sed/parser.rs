//! Reads a script: POSIX XCU sed, with GNU's one-line forms, commands, addresses and escapes.
//!
//! Messages are BusyBox's where it has one.

use rbox_core::number::parse_decimal;
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::pattern::template::{Case, Template, Which};
use rbox_core::pattern::{self};
use rbox_core::prelude::*;

use super::program::{Action, Address, Command, End, LAST_USED, Program, RegexId, Sink, Substitute, Translation};

/// How a script is read.
#[derive(Clone, Copy)]
pub struct Syntax {
    pub extended: bool,
    pub utf8: bool,
    /// `--posix`: GNU's commands, addresses, flags and changes of case are errors or themselves.
    pub posix: bool,
    /// `--sandbox`: no commands, and no files but the operands.
    pub sandbox: bool,
}

/// A jump whose label may follow.
struct Jump {
    command: usize,
    label: Vec<u8>,
}

struct Parser<'a> {
    script: &'a [u8],
    at: usize,
    syntax: Syntax,
    program: Program,
    /// The commands `{` that are open.
    blocks: Vec<usize>,
    labels: Vec<(Vec<u8>, usize)>,
    jumps: Vec<Jump>,
}

/// Compiles a script.
pub fn parse(script: &[u8], syntax: Syntax) -> Result<Program> {
    let mut parser = Parser {
        script,
        at: 0,
        syntax,
        program: Program::default(),
        blocks: Vec::new(),
        labels: Vec::new(),
        jumps: Vec::new(),
    };
    while parser.command()? {}
    if !parser.blocks.is_empty() {
        return Err(Error::new("unterminated {"));
    }
    parser.link()?;
    Ok(parser.program)
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.script.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&is_skipped) {
            self.at += 1;
        }
    }

    fn skip_blanks(&mut self) {
        self.skip(|byte| byte != b'\n' && byte.is_ascii_whitespace());
    }

    /// Takes the byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// The number at the position, if there is one.
    fn number(&mut self) -> Result<Option<u64>> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        let digits = &self.script[start..self.at];
        if digits.is_empty() {
            return Ok(None);
        }
        parse_decimal(digits).map(Some).ok_or_else(|| rbox_core::number::invalid(digits))
    }

    /// The offsets of all labels are known at the end.
    fn link(&mut self) -> Result<()> {
        for jump in std::mem::take(&mut self.jumps) {
            let target = if jump.label.is_empty() {
                self.program.commands.len()
            } else {
                let known = self.labels.iter().find(|(label, _)| *label == jump.label);
                let missing = || Error::parts(&[b"can't find label for jump to '", &jump.label, b"'"]);
                known.map(|(_, at)| *at).ok_or_else(missing)?
            };
            match &mut self.program.commands[jump.command].action {
                Action::Branch(to) | Action::BranchIfReplaced(to) | Action::BranchUnlessReplaced(to) => *to = target,
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads one command; false at the end of the script.
    fn command(&mut self) -> Result<bool> {
        self.skip(|byte| byte == b';' || byte.is_ascii_whitespace());
        if self.peek().is_none() {
            return Ok(false);
        }
        let (first, end) = self.addresses()?;
        self.skip_blanks();
        let negated = self.take(b'!');
        self.skip(|byte| byte == b' ' || byte == b'\t');
        if negated && self.peek() == Some(b'!') {
            return Err(Error::new("multiple '!'s"));
        }
        let name = self.next().ok_or_else(|| Error::new("missing command"))?;
        let has_address = first.is_some();
        let at = self.program.commands.len();
        let action = match name {
            b'#' | b':' | b'}' if has_address || negated => {
                return Err(Error::parts(&[b"'", &[name], b"' takes no address"]));
            }
            b'#' => {
                self.skip(|byte| byte != b'\n');
                return Ok(true);
            }
            b':' => return self.label_here().map(|()| true),
            b'}' => {
                let open = self.blocks.pop().ok_or_else(|| Error::new("unexpected '}'"))?;
                if let Action::Block(after) = &mut self.program.commands[open].action {
                    *after = at;
                }
                return self.command_end().map(|()| true);
            }
            b'q' | b'Q' if end.is_some() => return Err(Error::new("command only uses one address")),
            _ => match self.action(name)? {
                Some(action) => action,
                None => return Ok(true),
            },
        };
        self.program.commands.push(Command { first, end, negated, action });
        Ok(true)
    }

    fn unsupported(name: u8) -> Error {
        Error::parts(&[b"unsupported command ", &[name]])
    }

    /// What the command does; `None` for one that does nothing.
    fn action(&mut self, name: u8) -> Result<Option<Action>> {
        if self.syntax.posix && b"eFzRWQTv".contains(&name) {
            return Err(Self::unsupported(name));
        }
        if self.syntax.sandbox && b"erRwW".contains(&name) {
            return Err(Error::new("e/r/w commands disabled in sandbox mode"));
        }
        let action = match name {
            b'{' => {
                self.blocks.push(self.program.commands.len());
                return Ok(Some(Action::Block(0)));
            }
            b'a' => return self.text(name).map(|text| Some(Action::Append(text))),
            b'i' => return self.text(name).map(|text| Some(Action::Insert(text))),
            b'c' => return self.text(name).map(|text| Some(Action::Change(text))),
            b'b' | b't' | b'T' => {
                let label = self.label();
                self.jumps.push(Jump { command: self.program.commands.len(), label });
                match name {
                    b'b' => Action::Branch(0),
                    b't' => Action::BranchIfReplaced(0),
                    _ => Action::BranchUnlessReplaced(0),
                }
            }
            b'e' => {
                let command = self.rest_of_line();
                return Ok(Some(Action::Execute((!command.is_empty()).then_some(command))));
            }
            b'r' => return self.file_name().map(|name| Some(Action::Read(name))),
            b'R' => {
                let name = self.file_name()?;
                return Ok(Some(Action::ReadLine(index_of(&mut self.program.readers, name))));
            }
            b'w' => return self.sink().map(|sink| Some(Action::Write(sink))),
            b'W' => return self.sink().map(|sink| Some(Action::WriteLine(sink))),
            b'v' => {
                self.version()?;
                return Ok(None);
            }
            b's' => Action::Substitute(self.substitute()?),
            b'y' => Action::Translate(self.translation()?),
            b'l' => {
                self.skip_blanks();
                Action::List(self.number()?.map(|length| usize::try_from(length).unwrap_or(usize::MAX)))
            }
            b'q' => Action::Quit(self.exit_code()?),
            b'Q' => Action::QuitSilently(self.exit_code()?),
            b'=' => Action::LineNumber,
            b'd' => Action::Delete,
            b'D' => Action::DeleteLine,
            b'F' => Action::FileName,
            b'g' => Action::Get,
            b'G' => Action::GetAppend,
            b'h' => Action::Hold,
            b'H' => Action::HoldAppend,
            b'x' => Action::Exchange,
            b'n' => Action::Next,
            b'N' => Action::NextAppend,
            b'p' => Action::Print,
            b'P' => Action::PrintLine,
            b'z' => Action::Zap,
            b'\n' | b';' => return Err(Error::new("missing command")),
            _ => return Err(Self::unsupported(name)),
        };
        self.command_end()?;
        Ok(Some(action))
    }

    /// A command ends at a semicolon, a newline, a comment or the end of its block.
    fn command_end(&mut self) -> Result<()> {
        self.skip_blanks();
        match self.peek() {
            None | Some(b'\n' | b';' | b'}' | b'#') => Ok(()),
            Some(_) => Err(Error::new("extra characters after command")),
        }
    }

    fn exit_code(&mut self) -> Result<u8> {
        self.skip_blanks();
        Ok(self.number()?.unwrap_or(0) as u8)
    }

    fn label(&mut self) -> Vec<u8> {
        self.skip_blanks();
        let start = self.at;
        self.skip(|byte| !byte.is_ascii_whitespace() && byte != b';' && byte != b'}');
        self.script[start..self.at].to_vec()
    }

    fn label_here(&mut self) -> Result<()> {
        let label = self.label();
        if label.is_empty() {
            return Err(Error::new("\":\" lacks a label"));
        }
        if self.labels.iter().any(|(known, _)| *known == label) {
            return Err(Error::parts(&[b"duplicate label '", &label, b"'"]));
        }
        self.labels.push((label, self.program.commands.len()));
        self.command_end()
    }

    fn rest_of_line(&mut self) -> Vec<u8> {
        self.skip_blanks();
        let start = self.at;
        self.skip(|byte| byte != b'\n');
        self.script[start..self.at].to_vec()
    }

    fn file_name(&mut self) -> Result<Vec<u8>> {
        let name = self.rest_of_line();
        if name.is_empty() { Err(Error::new("empty filename")) } else { Ok(name) }
    }

    /// The output that a name means; commands with the same name share it.
    fn sink(&mut self) -> Result<Sink> {
        let name = self.file_name()?;
        Ok(if name == b"/dev/stdout" { 0 } else { index_of(&mut self.program.writers, name) + 1 })
    }

    /// `v VERSION`: rbox has what GNU sed 4.9 has.
    fn version(&mut self) -> Result<()> {
        let wanted = self.label();
        let mut numbers = wanted.split(|&byte| byte == b'.').map(parse_decimal);
        let major = numbers.next().flatten().unwrap_or(0);
        let minor = numbers.next().flatten().unwrap_or(0);
        if (major, minor) > (4, 9) {
            return Err(Error::new("expected newer version of sed"));
        }
        self.command_end()
    }

    fn addresses(&mut self) -> Result<(Option<Address>, Option<End>)> {
        let Some(first) = self.address()? else { return Ok((None, None)) };
        self.skip_blanks();
        let mut end = None;
        if self.take(b',') {
            self.skip_blanks();
            end = Some(self.range_end()?);
        }
        if let Address::Zero = first
            && !matches!(end, Some(End::At(Address::Regex(_))))
        {
            return Err(Error::new("invalid usage of line address 0"));
        }
        Ok((Some(first), end))
    }

    fn range_end(&mut self) -> Result<End> {
        if !self.syntax.posix && matches!(self.peek(), Some(b'+' | b'~')) {
            let is_plus = self.next() == Some(b'+');
            let number = self.number()?.ok_or_else(|| Error::new("no address after comma"))?;
            return Ok(if is_plus { End::Plus(number) } else { End::Multiple(number) });
        }
        match self.address()? {
            Some(Address::Zero) => Ok(End::At(Address::Line(0))),
            Some(address) => Ok(End::At(address)),
            None => Err(Error::new("no address after comma")),
        }
    }

    fn address(&mut self) -> Result<Option<Address>> {
        let delimiter = match self.peek() {
            Some(b'$') => {
                self.at += 1;
                return Ok(Some(Address::Last));
            }
            Some(b'/') => b'/',
            Some(b'\\') => {
                self.at += 1;
                self.peek().unwrap_or(b'\n')
            }
            _ => return self.line_address(),
        };
        self.at += 1;
        let pattern = self.pattern(delimiter)?;
        let mut flags = Flags::NONE;
        while !self.syntax.posix && matches!(self.peek(), Some(b'I' | b'M')) {
            flags = flags | if self.next() == Some(b'I') { Flags::FOLD_CASE } else { Flags::NEWLINE };
        }
        Ok(Some(Address::Regex(self.regex(pattern, flags)?)))
    }

    fn line_address(&mut self) -> Result<Option<Address>> {
        let Some(first) = self.number()? else { return Ok(None) };
        if !self.syntax.posix && self.take(b'~') {
            let step = self.number()?.unwrap_or(0);
            return Ok(Some(if step == 0 { Address::Line(first) } else { Address::Step(first, step) }));
        }
        Ok(Some(if first == 0 && !self.syntax.posix { Address::Zero } else { Address::Line(first) }))
    }

    fn regex(&mut self, pattern: Vec<u8>, mut flags: Flags) -> Result<RegexId> {
        if pattern.is_empty() {
            return Ok(LAST_USED);
        }
        for (has, flag) in [(self.syntax.extended, Flags::EXTENDED), (self.syntax.utf8, Flags::UTF8)] {
            if has {
                flags = flags | flag;
            }
        }
        let source = (pattern, flags);
        if let Some(known) = self.program.sources.iter().position(|known| *known == source) {
            return Ok(RegexId(known as u32));
        }
        self.program.regexes.push(Regex::new(&source.0, flags).map_err(|error| error.about(&source.0))?);
        self.program.sources.push(source);
        Ok(RegexId(self.program.sources.len() as u32 - 1))
    }

    /// The part of the script up to the delimiter, as `part` copies or translates it: `Some(length)` for what it has
    /// taken of the script from the position on, which begins with a backslash or a bracket.
    fn until(&mut self, delimiter: u8, mut take: impl FnMut(&[u8], &mut Vec<u8>) -> usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            match self.peek() {
                Some(byte) if byte == delimiter => {
                    self.at += 1;
                    return Ok(out);
                }
                None | Some(b'\n') => return Err(Error::parts(&[b"unmatched '", &[delimiter], b"'"])),
                Some(_) => self.at += take(&self.script[self.at..], &mut out),
            }
        }
    }

    /// A regular expression up to the delimiter, with its escapes replaced by the characters that they mean.
    fn pattern(&mut self, delimiter: u8) -> Result<Vec<u8>> {
        if matches!(delimiter, b'\n' | b'\\') {
            return Err(Error::parts(&[b"bad delimiter '", &[delimiter], b"'"]));
        }
        let extended = self.syntax.extended;
        self.until(delimiter, |rest, out| match *rest {
            [b'[', ..] => bracket(rest, delimiter, out),
            [b'\\', byte, ..] if byte == delimiter => {
                // POSIX XCU sed: the delimiter after a backslash is the literal character.
                push_literal(byte, extended, out);
                2
            }
            [b'\\', b'\n' | b'n', ..] => {
                out.push(b'\n');
                2
            }
            [b'\\', _, ..] => match escape(&rest[1..]) {
                Some((byte, length)) => {
                    push_literal(byte, extended, out);
                    1 + length
                }
                None => {
                    out.extend_from_slice(&rest[..2]);
                    2
                }
            },
            _ => {
                out.push(rest[0]);
                1
            }
        })
    }

    fn substitute(&mut self) -> Result<Box<Substitute>> {
        let delimiter = self.next().unwrap_or(b'\n');
        let pattern = self.pattern(delimiter)?;
        let template = self.template(delimiter)?;
        let mut substitute = Substitute {
            regex: LAST_USED,
            template,
            which: Which { first: 1, all: false },
            print: false,
            execute: false,
            print_first: false,
            write: None,
        };
        let flags = self.substitute_flags(&mut substitute)?;
        substitute.regex = self.regex(pattern, flags)?;
        let highest = substitute.template.highest_group();
        if let Some(regex) = self.program.regexes.get(substitute.regex.0 as usize)
            && highest > regex.groups()
        {
            return Err(invalid_reference(highest));
        }
        Ok(Box::new(substitute))
    }

    fn substitute_flags(&mut self, substitute: &mut Substitute) -> Result<Flags> {
        let mut flags = Flags::NONE;
        while let Some(byte) = self.peek() {
            match byte {
                b'g' => substitute.which.all = true,
                b'p' => {
                    substitute.print = true;
                    substitute.print_first = !substitute.execute;
                }
                b'i' | b'I' if !self.syntax.posix => flags = flags | Flags::FOLD_CASE,
                b'm' | b'M' if !self.syntax.posix => flags = flags | Flags::NEWLINE,
                b'e' if self.syntax.sandbox => {
                    return Err(Error::new("e/r/w commands disabled in sandbox mode"));
                }
                b'e' if !self.syntax.posix => substitute.execute = true,
                b'0'..=b'9' => {
                    substitute.which.first = self.number()?.unwrap_or(0);
                    if substitute.which.first == 0 {
                        return Err(Error::new("number option to 's' command may not be zero"));
                    }
                    continue;
                }
                b'w' if self.syntax.sandbox => {
                    return Err(Error::new("e/r/w commands disabled in sandbox mode"));
                }
                b'w' => {
                    self.at += 1;
                    substitute.write = Some(self.sink()?);
                    break;
                }
                b'\n' | b';' | b'}' | b'#' | b' ' | b'\t' | b'\r' => break,
                _ => return Err(Error::new("bad option in substitution expression")),
            }
            self.at += 1;
        }
        Ok(flags)
    }

    fn template(&mut self, delimiter: u8) -> Result<Template> {
        let mut template = Template::default();
        let posix = self.syntax.posix;
        self.until(delimiter, |rest, _| match *rest {
            [b'&', ..] => {
                template.push_group(0);
                1
            }
            [b'\\', byte, ..] if byte == delimiter || byte == b'\n' => {
                template.push_literal(&[byte]);
                2
            }
            [b'\\', b'n', ..] => {
                template.push_literal(b"\n");
                2
            }
            [b'\\', digit @ b'0'..=b'9', ..] => {
                template.push_group(digit - b'0');
                2
            }
            [b'\\', byte, ..] => match (Case::of(byte), escape(&rest[1..])) {
                (Some(case), _) if !posix => {
                    template.push_case(case);
                    2
                }
                (_, Some((byte, length))) => {
                    template.push_literal(&[byte]);
                    1 + length
                }
                _ => {
                    template.push_literal(&[byte]);
                    2
                }
            },
            _ => {
                template.push_literal(&rest[..1]);
                1
            }
        })?;
        Ok(template)
    }

    /// The two strings of `y`.
    fn translation(&mut self) -> Result<Box<Translation>> {
        let delimiter = self.next().unwrap_or(b'\n');
        if matches!(delimiter, b'\n' | b'\\') {
            return Err(Error::parts(&[b"bad delimiter '", &[delimiter], b"'"]));
        }
        let utf8 = self.syntax.utf8;
        let mut strings = [Vec::new(), Vec::new()];
        for characters in &mut strings {
            self.until(delimiter, |rest, _| {
                let (character, length) = translated(rest, delimiter, utf8);
                characters.push(character);
                length
            })?;
        }
        let [from, to] = strings;
        if from.len() != to.len() {
            return Err(Error::new("strings for 'y' command are different lengths"));
        }
        let mut table = Translation { bytes: std::array::from_fn(|byte| byte as u8), wide: Vec::new() };
        // The first of equal characters counts.
        for (from, to) in from.into_iter().zip(to).rev() {
            match (&*from, &*to) {
                (&[from], &[to]) => table.bytes[usize::from(from)] = to,
                _ => table.wide.insert(0, (from, to)),
            }
        }
        Ok(Box::new(table))
    }

    /// The text of `a`, `i` and `c`, with its newline.
    fn text(&mut self, name: u8) -> Result<Vec<u8>> {
        self.skip_blanks();
        let missing = || Error::parts(&[b"expected \\ after '", &[name], b"'"]);
        if self.take(b'\\') {
            // POSIX: the text begins on the next line. GNU: a backslash keeps blanks before a text on this one.
            let after = self.at;
            self.skip_blanks();
            match self.peek() {
                // GNU: no text at all, which still ends a last line without a newline (`$a\`).
                None if !self.syntax.posix => return Ok(Vec::new()),
                Some(b'\n') => self.at += 1,
                _ => self.at = after,
            }
        } else if self.syntax.posix {
            return Err(missing());
        }
        if matches!(self.peek(), None | Some(b'\n')) && self.script.get(self.at.wrapping_sub(1)) != Some(&b'\n') {
            return Err(missing());
        }
        let mut text = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                b'\n' => break,
                b'\\' if self.take(b'n') => text.push(b'\n'),
                b'\\' => match escape(&self.script[self.at..]) {
                    Some((byte, length)) => {
                        text.push(byte);
                        self.at += length;
                    }
                    None => text.extend(self.next()),
                },
                _ => text.push(byte),
            }
        }
        text.push(b'\n');
        Ok(text)
    }
}

/// The error for `\N` without such a group.
pub fn invalid_reference(number: usize) -> Error {
    Error::new(rbox_core::text!("invalid reference \\", number, " on 's' command's RHS"))
}

fn index_of(names: &mut Vec<Vec<u8>>, name: Vec<u8>) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

/// The byte that an escape of GNU means, and the length of what follows the backslash.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let byte = match *rest {
        [b'a', ..] => 7,
        [b'f', ..] => 12,
        [b'r', ..] => b'\r',
        [b't', ..] => b'\t',
        [b'v', ..] => 11,
        [b'c', byte, ..] => return Some((byte.to_ascii_uppercase() ^ 0x40, 2)),
        [b'd', ..] => return numeric(rest, 10, 3),
        [b'o', ..] => return numeric(rest, 8, 3),
        [b'x', ..] => return numeric(rest, 16, 2),
        _ => return None,
    };
    Some((byte, 1))
}

fn numeric(rest: &[u8], radix: u32, most: usize) -> Option<(u8, usize)> {
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let count = rest[1..].iter().take(most).take_while(is_digit).count();
    let value = rbox_core::number::parse_radix(&rest[1..=count], radix)?;
    Some((value as u8, 1 + count))
}

/// Adds a character that is no operator.
fn push_literal(byte: u8, extended: bool, out: &mut Vec<u8>) {
    let is_special = b".[]*^$\\".contains(&byte) || extended && b"+?(){}|".contains(&byte);
    if is_special {
        out.push(b'\\');
    }
    out.push(byte);
}

/// Copies a bracket expression, in which `\n` and GNU's escapes are characters; its length in the script.
///
/// One that does not end is an ordinary character for now: the compiler will complain.
fn bracket(rest: &[u8], delimiter: u8, out: &mut Vec<u8>) -> usize {
    let before = out.len();
    let mut at = 1;
    out.push(b'[');
    let prefix = rest[1..].iter().take_while(|&&byte| byte == b'^').take(1).count();
    at += prefix + usize::from(rest.get(1 + prefix) == Some(&b']'));
    out.extend_from_slice(&rest[1..at]);
    loop {
        let length = match rest.get(at..).unwrap_or_default() {
            [] | [b'\n', ..] => {
                out.truncate(before + 1);
                return 1;
            }
            [b']', ..] => {
                out.push(b']');
                return at + 1;
            }
            [b'[', kind @ (b':' | b'.' | b'='), inner @ ..] => {
                let length = inner.windows(2).position(|pair| pair == [*kind, b']']).map_or(1, |end| end + 4);
                out.extend_from_slice(&rest[at..at + length]);
                length
            }
            [b'\\', b'n', ..] => {
                out.push(b'\n');
                2
            }
            [b'\\', byte, ..] if *byte == delimiter && *byte != b']' => {
                out.push(delimiter);
                2
            }
            [b'\\', inner @ ..] => match escape(inner) {
                Some((byte, length)) if !matches!(byte, b']' | b'^' | b'-' | b'[') => {
                    out.push(byte);
                    1 + length
                }
                _ => {
                    out.push(b'\\');
                    1
                }
            },
            [byte, ..] => {
                out.push(*byte);
                1
            }
        };
        at += length;
    }
}

/// The next character of a string of `y`, and its length in the script.
fn translated(rest: &[u8], delimiter: u8, utf8: bool) -> (Vec<u8>, usize) {
    match *rest {
        [b'\\', byte, ..] if byte == delimiter || byte == b'\\' => (vec![byte], 2),
        [b'\\', b'n', ..] => (b"\n".to_vec(), 2),
        [b'\\', ..] => match escape(&rest[1..]) {
            Some((byte, length)) => (vec![byte], 1 + length),
            None => (b"\\".to_vec(), 1),
        },
        _ => {
            let length = if utf8 { pattern::width(rest) } else { 1 };
            (rest[..length].to_vec(), length)
        }
    }
}
