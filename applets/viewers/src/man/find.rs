//! Where pages are, and what is in them.

use rbox_core::bytes::{base_name, find, join_path};
use rbox_core::codec::decoded;
use rbox_core::files::list_at;
use rbox_core::io::Input;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::prelude::*;

/// The sections in the order in which they are searched.
const SECTIONS: &[u8] = b"1823567490ln";
/// The suffixes of compressed pages.
const COMPRESSED: Names = names! { ".gz" = 0, ".bz2" = 0, ".xz" = 0, ".lzma" = 0, ".zst" = 0, ".Z" = 0 };

/// The directories of pages: MANPATH, or those of the system.
pub fn directories(env: &Env) -> Vec<Vec<u8>> {
    let path = env.vars.get("MANPATH").filter(|path| !path.is_empty());
    let path = path.unwrap_or(b"/usr/local/share/man:/usr/local/man:/usr/share/man:/usr/man");
    path.split(|&byte| byte == b':').filter(|directory| !directory.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Whether a word is a section, such as 3 or 3pm.
pub fn is_section(word: &[u8]) -> bool {
    matches!(word, [b'0'..=b'9' | b'l' | b'n', rest @ ..] if rest.len() < 5 && rest.iter().all(u8::is_ascii_alphanumeric))
        && (word[0].is_ascii_digit() || word.len() == 1)
}

/// The name of a page without the suffix of its compression.
fn uncompressed(path: &[u8]) -> &[u8] {
    COMPRESSED.iter().find_map(|(suffix, _)| path.strip_suffix(suffix.as_bytes())).unwrap_or(path)
}

/// `ls` and `1` of `/usr/share/man/man1/ls.1.gz`.
pub fn name_and_section(path: &[u8]) -> (&[u8], &[u8]) {
    let name = uncompressed(base_name(path));
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (name, b""),
    }
}

/// The pages in all directories, section by section; only those of one name, if it is given.
pub fn pages(directories: &[Vec<u8>], section: Option<&[u8]>, name: Option<&[u8]>) -> Vec<Vec<u8>> {
    let is_wanted = |page: &[u8]| {
        let (found, of_section) = name_and_section(page);
        name.is_none_or(|name| found == name) && section.is_none_or(|section| of_section.starts_with(section))
    };
    let mut found = Vec::new();
    for &digit in SECTIONS {
        if section.is_some_and(|section| section.first() != Some(&digit)) {
            continue;
        }
        for directory in directories {
            let directory = join_path(directory, &[b"man", &[digit][..]].concat());
            // Not every directory has every section.
            let names = list_at(&directory).unwrap_or_default().into_iter().map(|entry| entry.name);
            let mut names: Vec<_> = names.filter(|page| is_wanted(page)).collect();
            names.sort();
            found.extend(names.into_iter().map(|page| join_path(&directory, &page)));
        }
    }
    found
}

/// The source of a page.
pub fn read(path: &[u8]) -> Result<Vec<u8>> {
    let input = Input::open(path)?;
    let mut source = if uncompressed(path).len() < path.len() { decoded(input)? } else { input };
    source.read_to_end()
}

/// The page that another one includes by `.so man1/name.1`.
pub fn included(name: &[u8]) -> Option<Vec<u8>> {
    let name = name.split(|byte| byte.is_ascii_whitespace()).next().filter(|name| !name.is_empty())?;
    if name.split(|&byte| byte == b'/').any(|part| part == b"..") {
        return None;
    }
    let base = join_path(b"/usr/share/man", name);
    let paths = core::iter::once(base.clone())
        .chain(COMPRESSED.iter().map(|(suffix, _)| [&base[..], suffix.as_bytes()].concat()));
    paths.map(|path| read(&path)).find_map(Result::ok)
}

/// What a page says of itself: the text after the dash in its section NAME.
pub fn summary(source: &[u8]) -> Vec<u8> {
    let lines = source.split(|&byte| byte == b'\n');
    let mut is_name = false;
    let mut text = Vec::new();
    for line in lines {
        if line.starts_with(b".SH") || line.starts_with(b".Sh") {
            if is_name {
                break;
            }
            is_name = find(&line.to_ascii_uppercase(), b"NAME").is_some();
        } else if let Some(summary) = line.strip_prefix(b".Nd ").filter(|_| is_name) {
            return summary.to_vec();
        } else if is_name && !line.starts_with(b".") {
            text.extend_from_slice(line);
            text.push(b' ');
        }
    }
    let dash = find(&text, b"\\-").map(|at| at + 2).or_else(|| find(&text, b" - ").map(|at| at + 3)).unwrap_or(0);
    let mut shown = Vec::new();
    let mut rest = text[dash..].trim_ascii();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            // Fonts, and escaped characters.
            (b'\\', [b'f', _, after @ ..]) => rest = after,
            (b'\\', [b'&', after @ ..]) => rest = after,
            (b'\\', [other, after @ ..]) => {
                shown.push(*other);
                rest = after;
            }
            _ => shown.push(byte),
        }
    }
    shown
}
