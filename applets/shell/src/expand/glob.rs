//! Pathname expansion (XCU 2.6.6).

use super::pattern;
use crate::shell::Options;
use rbox_core::fs::list_at;
use rbox_core::sys::fs;

/// Adds the files that the pattern matches, sorted; the word itself when there are none. False when that is an error.
pub fn expand(wanted: &[u8], word: Vec<u8>, options: &Options, all: &mut Vec<Vec<u8>>) -> bool {
    if !pattern::is_active(wanted) {
        all.push(word);
        return true;
    }
    let mut found = Vec::new();
    walk(Vec::new(), wanted, options.dotglob, &mut found);
    if found.is_empty() && !options.nullglob {
        all.push(word);
        return !options.failglob;
    }
    found.sort_unstable();
    all.append(&mut found);
    true
}

/// Follows the pattern below `folder`, a path that ends in a slash or is empty.
fn walk(mut folder: Vec<u8>, wanted: &[u8], dots: bool, found: &mut Vec<Vec<u8>>) {
    let slashes = wanted.iter().take_while(|&&byte| byte == b'/').count();
    folder.extend_from_slice(&wanted[..slashes]);
    let wanted = &wanted[slashes..];
    let (name, rest) = wanted.split_at(component(wanted));
    // XCU 2.14.3: a slash is no part of what is matched, and a backslash before one quotes nothing.
    let name = match name.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 {
        1 if !rest.is_empty() => &name[..name.len() - 1],
        _ => name,
    };
    if !pattern::is_active(name) {
        folder.extend_from_slice(&pattern::unescape(name));
        if !rest.is_empty() {
            walk(folder, rest, dots, found);
        } else if fs::lstat(&folder[..]).is_ok() {
            found.push(folder);
        }
        return;
    }
    for entry in names(&folder) {
        // XCU 2.14.3: a leading period is matched only by a period.
        let own = dots && entry != b"." && entry != b"..";
        let hidden = entry.first() == Some(&b'.') && !own && !(name.starts_with(b".") || name.starts_with(b"\\."));
        if hidden || !pattern::matches(name, &entry) {
            continue;
        }
        let path = [&folder[..], &entry].concat();
        if rest.is_empty() {
            found.push(path);
        } else if is_folder(&path) {
            walk(path, rest, dots, found);
        }
    }
}

fn component(wanted: &[u8]) -> usize {
    wanted.iter().position(|&byte| byte == b'/').unwrap_or(wanted.len())
}

fn is_folder(path: &[u8]) -> bool {
    fs::stat(path).is_ok_and(|stat| fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::Directory)
}

/// The names in a folder, `.` and `..` among them.
pub fn names(folder: &[u8]) -> Vec<Vec<u8>> {
    let path = if folder.is_empty() { b"." } else { folder };
    let dots = [b".".to_vec(), b"..".to_vec()];
    dots.into_iter().chain(list_at(path).unwrap_or_default().into_iter().map(|entry| entry.name)).collect()
}
