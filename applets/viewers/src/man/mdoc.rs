//! The macros of mdoc(7), the language of BSD's manual pages.

use super::page::{BOLD, ITALIC, ROMAN, columns};
use super::roff::Roff;

/// The columns that mdoc leaves before text, and that a display adds.
const MARGIN: usize = 5;
const DISPLAY: usize = 6;

/// What is known of a page of mdoc.
#[derive(Default)]
pub struct Mdoc {
    /// `.Dd` was seen: the page is one of mdoc.
    date: Option<Vec<u8>>,
    title: Vec<u8>,
    system: Vec<u8>,
    /// The name of the page, which `.Nm` repeats.
    name: Vec<u8>,
    section: Vec<u8>,
    lists: Vec<List>,
    /// Indentation before displays that are open.
    displays: Vec<usize>,
    /// Names of authors begin a line each.
    in_synopsis: bool,
}

struct List {
    kind: Kind,
    /// Columns of a tag or of a mark, and where the list begins.
    width: usize,
    indent: usize,
    compact: bool,
    number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tag,
    Over,
    Mark,
    Number,
    Item,
    Column,
}

impl Mdoc {
    pub fn is_mdoc(&self) -> bool {
        self.date.is_some()
    }

    /// What is at the left, in the middle and at the right of the last line.
    pub fn footer(&self) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        (self.system.clone(), self.date.clone().unwrap_or_default(), self.title.clone())
    }

    fn margin(&self) -> usize {
        let lists = self.lists.last().map(|list| list.indent + if list.kind == Kind::Column { 0 } else { list.width });
        self.displays.last().copied().max(lists).unwrap_or(MARGIN)
    }
}

/// Formats the line of a macro.
pub fn call(roff: &mut Roff, name: &[u8], words: Vec<Vec<u8>>) {
    let text = || words.join(&b' ');
    match name {
        b"Dd" => {
            let date = text();
            let date = date.strip_prefix(b"$Mdocdate: ").and_then(|date| date.strip_suffix(b" $")).unwrap_or(&date);
            roff.mdoc.date = Some(date.to_vec());
            roff.page.set_indent(0);
        }
        b"Dt" => {
            let word = |at: usize| words.get(at).cloned().unwrap_or_default();
            roff.mdoc.title = [&word(0)[..], b"(", &word(1), b")"].concat();
            let title = roff.mdoc.title.clone();
            roff.header(&title, b"");
            roff.page.set_indent(MARGIN);
        }
        b"Os" => roff.mdoc.system = text(),
        b"Sh" | b"Ss" => {
            roff.mdoc.lists.clear();
            roff.mdoc.displays.clear();
            roff.page.fill = true;
            roff.page.set_indent(if name == b"Sh" { 0 } else { 3 });
            roff.page.space();
            roff.mdoc.section = text();
            roff.mdoc.in_synopsis = roff.mdoc.section == b"SYNOPSIS";
            let heading = [&[BOLD], &text()[..], &[ROMAN]].concat();
            roff.page.add(&heading);
            roff.page.end_heading();
            roff.page.set_indent(MARGIN);
        }
        b"Pp" | b"Lp" => roff.page.space(),
        b"Bl" => begin_list(roff, &words),
        b"It" => item(roff, words),
        b"El" => {
            if let Some(list) = roff.mdoc.lists.pop() {
                roff.page.set_indent(list.indent);
            }
        }
        b"Bd" => {
            if !words.iter().any(|word| word == b"-compact") {
                roff.page.space();
            }
            let indent = roff.mdoc.margin() + offset(&words);
            roff.mdoc.displays.push(indent);
            roff.page.set_indent(indent);
            roff.page.fill = !words.iter().any(|word| matches!(&word[..], b"-literal" | b"-unfilled"));
        }
        b"Ed" => {
            roff.mdoc.displays.pop();
            let margin = roff.mdoc.margin();
            roff.page.set_indent(margin);
            roff.page.fill = true;
        }
        b"Dl" | b"D1" => {
            let margin = roff.mdoc.margin();
            roff.page.set_indent(margin + DISPLAY);
            let shown = inline(&mut roff.mdoc, words);
            roff.page.add(&shown);
            roff.page.set_indent(margin);
        }
        b"Nd" => {
            let shown = rbox_core::text!("— ", &inline(&mut roff.mdoc, words));
            roff.text(&shown);
        }
        b"Bk" | b"Ek" | b"Tg" | b"Sm" | b"Rs" | b"Re" => {}
        b"Ex" => {
            let name = words.get(1).unwrap_or(&roff.mdoc.name);
            let rest = " utility exits 0 on success, and >0 if an error occurs.";
            let shown = rbox_core::text!("The ", &[BOLD], name, &[ROMAN], rest);
            roff.page.add(&shown);
        }
        // A command line begins with the name.
        b"Nm" if roff.mdoc.in_synopsis => {
            roff.page.break_line();
            let shown = inline(&mut roff.mdoc, [vec![b"Nm".to_vec()], words].concat());
            roff.page.add(&shown);
        }
        b"br" | b"sp" => roff.page.break_line(),
        _ if name.first() == Some(&b'%') => {
            let shown = inline(&mut roff.mdoc, words);
            roff.page.add(&[&shown[..], b","].concat());
        }
        _ => {
            let shown = inline(&mut roff.mdoc, [vec![name.to_vec()], words].concat());
            roff.text(&shown);
        }
    }
}

fn begin_list(roff: &mut Roff, words: &[Vec<u8>]) {
    let has = |option: &[u8]| words.iter().any(|word| word == option);
    let kind = match () {
        () if has(b"-bullet") || has(b"-dash") || has(b"-hyphen") => Kind::Mark,
        () if has(b"-enum") => Kind::Number,
        () if has(b"-item") => Kind::Item,
        () if has(b"-column") => Kind::Column,
        () if has(b"-ohang") || has(b"-inset") || has(b"-diag") => Kind::Over,
        () => Kind::Tag,
    };
    let width = words.iter().position(|word| word == b"-width").and_then(|at| words.get(at + 1));
    let width = match (kind, width) {
        (Kind::Over | Kind::Item, _) => 0,
        (_, Some(width)) => measure(width) + usize::from(!width[0].is_ascii_digit()) * 2,
        (Kind::Tag, None) => 10,
        (Kind::Column, None) => 0,
        _ => 4,
    };
    let indent = roff.mdoc.margin() + offset(words);
    let compact = has(b"-compact");
    roff.mdoc.lists.push(List { kind, width: width.min(40), indent, compact, number: 0 });
    roff.page.set_indent(indent);
}

fn item(roff: &mut Roff, words: Vec<Vec<u8>>) {
    let Some(list) = roff.mdoc.lists.last_mut() else { return };
    list.number += 1;
    let List { kind, width, indent, compact, number } = *list;
    roff.page.set_indent(indent);
    if !compact {
        roff.page.space();
    }
    match kind {
        Kind::Mark => roff.page.add("•".as_bytes()),
        Kind::Number => roff.page.add(&rbox_core::text!(number, ".")),
        Kind::Item => return,
        Kind::Column => {
            let cells: Vec<Vec<Vec<u8>>> = words.split(|word| word == b"Ta").map(|cell| cell.to_vec()).collect();
            let mut line = Vec::new();
            for cell in cells {
                let shown = inline(&mut roff.mdoc, cell);
                let blanks = 20usize.saturating_sub(columns(&shown)).max(2);
                line.extend_from_slice(&shown);
                line.resize(line.len() + blanks, super::page::BLANK);
            }
            return roff.page.add(&line);
        }
        Kind::Tag | Kind::Over => {
            let shown = inline(&mut roff.mdoc, words);
            roff.page.add(&shown);
        }
    }
    roff.page.end_tag(indent + width);
}

fn offset(words: &[Vec<u8>]) -> usize {
    words.iter().position(|word| word == b"-offset").and_then(|at| words.get(at + 1)).map_or(0, |width| measure(width))
}

/// Columns of a width: a number, a name of mdoc, or a text as wide.
fn measure(width: &[u8]) -> usize {
    let digits = width.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match width {
        b"indent" | b"indent-two" | b"Ds" => DISPLAY,
        b"left" => 0,
        _ if digits > 0 => rbox_core::number::parse_decimal(&width[..digits]).unwrap_or(0).min(40) as usize,
        _ => columns(width).min(40),
    }
}

/// Text that is being put together from words and macros.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    /// The following word is added without a blank.
    close: bool,
}

impl Line {
    fn add(&mut self, word: &[u8], font: u8) {
        let is_closing = matches!(word, b"." | b"," | b":" | b";" | b")" | b"]" | b"?" | b"!");
        if !self.text.is_empty() && !self.close && !is_closing {
            self.text.push(b' ');
        }
        self.close = matches!(word, b"(" | b"[");
        match font {
            _ if is_closing || self.close => self.text.extend_from_slice(word),
            ROMAN => self.text.extend_from_slice(word),
            _ => self.text.extend_from_slice(&[&[font], word, &[ROMAN]].concat()),
        }
    }

    fn open(&mut self, mark: &[u8]) {
        self.add(mark, ROMAN);
        self.close = true;
    }

    fn shut(&mut self, mark: &[u8]) {
        self.text.extend_from_slice(mark);
        self.close = false;
    }
}

/// The marks around the arguments of a macro, or of one that opens or closes such a part.
fn marks(name: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match name {
        b"Op" | b"Bq" | b"Oo" | b"Oc" | b"Bo" | b"Bc" => ("[", "]"),
        b"Dq" | b"Do" | b"Dc" => ("“", "”"),
        b"Sq" | b"So" | b"Sc" | b"Ql" => ("‘", "’"),
        b"Qq" | b"Qo" | b"Qc" => ("\"", "\""),
        b"Pq" | b"Po" | b"Pc" => ("(", ")"),
        b"Aq" | b"Ao" | b"Ac" => ("<", ">"),
        b"Brq" | b"Bro" | b"Brc" => ("{", "}"),
        _ => return None,
    })
}

/// The font of the arguments of a macro, and what it prints without any.
fn font_of(name: &[u8]) -> Option<(u8, &'static str)> {
    Some(match name {
        b"Ar" => (ITALIC, "file ..."),
        b"Em" | b"Pa" | b"Va" | b"Fa" | b"Ft" | b"Vt" | b"Ad" => (ITALIC, ""),
        b"Cm" | b"Ic" | b"Sy" | b"Cd" | b"Fd" | b"Ms" => (BOLD, ""),
        b"Li" | b"Ev" | b"Dv" | b"Er" | b"No" | b"Tn" | b"Sx" | b"An" | b"Mt" | b"Lb" => (ROMAN, ""),
        _ => return None,
    })
}

fn is_macro(word: &[u8]) -> bool {
    let others =
        [&b"Fl"[..], b"Nm", b"Xr", b"Ns", b"Ap", b"Pf", b"Fn", b"Fo", b"Fc", b"In", b"Lk", b"Xo", b"Xc", b"St"];
    let systems = [&b"Ux"[..], b"Bx", b"Fx", b"Nx", b"Ox", b"Dx", b"At"];
    marks(word).is_some() || font_of(word).is_some() || others.contains(&word) || systems.contains(&word)
}

/// The text of words of which some are macros.
fn inline(mdoc: &mut Mdoc, words: Vec<Vec<u8>>) -> Vec<u8> {
    let mut line = Line::default();
    let mut rest = &words[..];
    inline_into(mdoc, &mut line, &mut rest, 0);
    line.text
}

fn inline_into(mdoc: &mut Mdoc, line: &mut Line, rest: &mut &[Vec<u8>], depth: usize) {
    while let Some((word, after)) = rest.split_first() {
        *rest = after;
        if !is_macro(word) || depth > 50 {
            line.add(word, ROMAN);
            continue;
        }
        if let Some((open, shut)) = marks(word) {
            match word[word.len() - 1] {
                b'o' => line.open(open.as_bytes()),
                b'c' => line.shut(shut.as_bytes()),
                _ => {
                    // What is after the enclosed words stays outside.
                    let closing = rest.iter().rev().take_while(|word| is_closing(word)).count();
                    let (mut inner, outer) = rest.split_at(rest.len() - closing);
                    line.open(open.as_bytes());
                    inline_into(mdoc, line, &mut inner, depth + 1);
                    line.shut(shut.as_bytes());
                    *rest = outer;
                }
            }
            continue;
        }
        let count = rest.iter().take_while(|word| !is_macro(word)).count();
        let (arguments, after) = rest.split_at(count);
        *rest = after;
        call_inline(mdoc, line, word, arguments);
    }
}

fn is_closing(word: &[u8]) -> bool {
    matches!(word, b"." | b"," | b":" | b";" | b")" | b"?" | b"!")
}

fn call_inline(mdoc: &mut Mdoc, line: &mut Line, name: &[u8], arguments: &[Vec<u8>]) {
    if let Some((font, default)) = font_of(name) {
        if arguments.iter().all(|word| is_closing(word)) && !default.is_empty() {
            line.add(default.as_bytes(), font);
        }
        return arguments.iter().for_each(|word| line.add(word, font));
    }
    let (first, others) = match arguments.split_first() {
        Some((first, others)) => (&first[..], others),
        None => (&b""[..], arguments),
    };
    match name {
        b"Fl" => {
            if arguments.iter().all(|word| is_closing(word)) {
                line.add(b"-", BOLD);
            }
            for word in arguments {
                match is_closing(word) || word == b"|" {
                    true => line.add(word, ROMAN),
                    false => line.add(&[b"-", &word[..]].concat(), BOLD),
                }
            }
        }
        b"Nm" => {
            let is_name = !first.is_empty() && !is_closing(first);
            if is_name && mdoc.name.is_empty() {
                mdoc.name = first.to_vec();
            }
            let shown = if is_name { first.to_vec() } else { mdoc.name.clone() };
            line.add(&shown, BOLD);
            arguments[usize::from(is_name)..].iter().for_each(|word| line.add(word, ROMAN));
        }
        b"Xr" => {
            let (section, after) = match others.split_first().filter(|(word, _)| !is_closing(word)) {
                Some((section, after)) => ([b"(", &section[..], b")"].concat(), after),
                None => (Vec::new(), others),
            };
            line.add(&[&[BOLD], first, &[ROMAN], &section].concat(), ROMAN);
            after.iter().for_each(|word| line.add(word, ROMAN));
        }
        b"Ns" | b"Ap" | b"Pf" => {
            match name {
                b"Ns" => {}
                b"Ap" => line.shut(b"'"),
                _ => line.add(first, ROMAN),
            }
            line.close = true;
            let words = if name == b"Pf" { others } else { arguments };
            words.iter().for_each(|word| line.add(word, ROMAN));
        }
        b"Fn" | b"Fo" => {
            line.add(&[&[BOLD], first, &[ROMAN], b"("].concat(), ROMAN);
            line.close = true;
            let closing = others.iter().rev().take_while(|word| is_closing(word)).count();
            let (parameters, after) = others.split_at(others.len() - closing);
            for (at, word) in parameters.iter().enumerate() {
                let comma: &[u8] = if at + 1 < parameters.len() { b"," } else { b"" };
                line.add(&[&[ITALIC], &word[..], &[ROMAN], comma].concat(), ROMAN);
            }
            if name == b"Fn" {
                line.shut(b")");
            }
            after.iter().for_each(|word| line.add(word, ROMAN));
        }
        b"Fc" => line.shut(b")"),
        b"In" => line.add(&[&[BOLD], &b"#include <"[..], first, b">", &[ROMAN]].concat(), ROMAN),
        b"Xo" | b"Xc" => arguments.iter().for_each(|word| line.add(word, ROMAN)),
        _ => {
            let system: &[u8] = match name {
                b"Ux" => b"UNIX",
                b"Bx" => b"BSD",
                b"Fx" => b"FreeBSD",
                b"Nx" => b"NetBSD",
                b"Ox" => b"OpenBSD",
                b"Dx" => b"DragonFly",
                b"At" => b"AT&T UNIX",
                _ => b"",
            };
            if !system.is_empty() {
                line.add(system, ROMAN);
            }
            arguments.iter().for_each(|word| line.add(word, ROMAN));
        }
    }
}
