//! Pathname expansion (XCU 2.6.6).

use super::pattern::{self, Flags};
use crate::state::options::Options;
use crate::syntax::copied::Copied;
use rbox_core::files::list_at;
use rbox_core::sys::fs;

/// Adds the files that the pattern matches, sorted; the word itself when there are none. False when that is an error.
pub fn expand(wanted: &[u8], word: Vec<u8>, how: (&Options, bool, &[u8]), all: &mut Vec<Vec<u8>>) -> bool {
    let (options, utf8, ignored) = how;
    let characters = if utf8 { Flags::UTF8 } else { Flags::NONE };
    let groups = if options.extglob { characters | Flags::EXTENDED } else { characters };
    if !pattern::is_active(wanted, groups) {
        all.push(word);
        return true;
    }
    let flags = if options.nocaseglob { groups | Flags::FOLD_CASE } else { groups };
    let mut found = Vec::new();
    Walk { flags, dots: options.dotglob, deep: options.globstar }.walk(Vec::new(), wanted, &mut found);
    if options.bash {
        found.retain(|path| !is_ignored(path, ignored, flags));
    }
    if found.is_empty() && !options.nullglob {
        all.push(word);
        return !options.failglob;
    }
    found.sort_unstable();
    all.append(&mut found);
    true
}

/// What bash leaves out: `.` and `..`, and what GLOBIGNORE matches, patterns with colons between them.
fn is_ignored(path: &[u8], ignored: &[u8], flags: Flags) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let mut patterns = ignored.split(|&byte| byte == b':').filter(|one| !one.is_empty());
    matches!(name, b"." | b"..") || patterns.any(|one| pattern::matches(one, path, flags))
}

/// How the directories are gone through.
#[derive(Clone, Copy)]
struct Walk {
    flags: Flags,
    /// `*` finds names with a leading period.
    dots: bool,
    /// `**` finds any number of directories.
    deep: bool,
}

impl Walk {
    /// Follows the pattern below `directory`, a path that ends in a slash or is empty.
    fn walk(self, mut directory: Vec<u8>, wanted: &[u8], found: &mut Vec<Vec<u8>>) {
        let slashes = wanted.iter().take_while(|&&byte| byte == b'/').count();
        directory.extend_from_slice(&wanted[..slashes]);
        let wanted = &wanted[slashes..];
        let (name, rest) = wanted.split_at(component(wanted));
        // XCU 2.14.3: a slash separates patterns, and a backslash before one quotes nothing.
        let name = match name.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 {
            1 if !rest.is_empty() => &name[..name.len() - 1],
            _ => name,
        };
        if self.deep && name == b"**" {
            return self.walk_all(directory, rest, found);
        }
        if !pattern::is_active(name, self.flags) {
            directory.extend_from_slice(&pattern::unescape(name));
            if !rest.is_empty() {
                self.walk(directory, rest, found);
            } else if fs::lstat(&directory[..]).is_ok() {
                found.push(directory);
            }
            return;
        }
        for entry in names(&directory) {
            if self.is_hidden(name, &entry) || !pattern::matches(name, &entry, self.flags) {
                continue;
            }
            let path = [&directory[..], &entry].concat();
            if rest.is_empty() {
                found.push(path);
            } else if is_directory(&path) {
                self.walk(path, rest, found);
            }
        }
    }

    /// XCU 2.14.3: a leading period is matched only by a period.
    fn is_hidden(self, name: &[u8], entry: &[u8]) -> bool {
        let own = self.dots && entry != b"." && entry != b"..";
        entry.first() == Some(&b'.') && !own && !(name.starts_with(b".") || name.starts_with(b"\\."))
    }

    /// `**`: the directory itself and all that is below it; of links to directories nothing.
    fn walk_all(self, directory: Vec<u8>, rest: &[u8], found: &mut Vec<Vec<u8>>) {
        if !rest.is_empty() {
            let below = &rest[rest.iter().take_while(|&&byte| byte == b'/').count()..];
            if below.is_empty() && !directory.is_empty() {
                found.push(directory.copied());
            } else if !below.is_empty() {
                self.walk(directory.copied(), below, found);
            }
        } else if !directory.is_empty() {
            found.push(directory.copied());
        }
        for entry in names(&directory) {
            if self.is_hidden(b"*", &entry) {
                continue;
            }
            let mut path = [&directory[..], &entry].concat();
            let is_directory = fs::lstat(&path[..])
                .is_ok_and(|stat| fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::Directory);
            if rest.is_empty() {
                found.push(path.copied());
            }
            if is_directory {
                path.push(b'/');
                self.walk_below(path, rest, found);
            }
        }
    }

    /// As `walk_all`, without the directory itself where it was found by its name.
    fn walk_below(self, directory: Vec<u8>, rest: &[u8], found: &mut Vec<Vec<u8>>) {
        let before = found.len();
        self.walk_all(directory, rest, found);
        if rest.is_empty() {
            found.remove(before);
        }
    }
}

fn component(wanted: &[u8]) -> usize {
    wanted.iter().position(|&byte| byte == b'/').unwrap_or(wanted.len())
}

fn is_directory(path: &[u8]) -> bool {
    fs::stat(path).is_ok_and(|stat| fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::Directory)
}

/// The names in a directory, with `.` and `..`; none when it cannot be read.
pub fn names(directory: &[u8]) -> Vec<Vec<u8>> {
    let Ok(entries) = list_at(if directory.is_empty() { b"." } else { directory }) else { return Vec::new() };
    let dots = [b".".copied(), b"..".copied()];
    dots.into_iter().chain(entries.into_iter().map(|entry| entry.name)).collect()
}
