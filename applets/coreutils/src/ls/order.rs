//! The order of a listing.

use core::cmp::Ordering;

use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;

use super::{
    ACCESS_TIME, AS_FOUND, BY_EXTENSION, BY_SIZE, BY_TIME, BY_VERSION, CHANGE_TIME, DIRECTORIES_FIRST, File, LONG,
    REVERSE, UNSORTED,
};

/// Sorts `files` as the options say; names decide between equals.
pub fn sort(args: &Args<'_>, files: &mut [File]) {
    let by = match args.last_of(&[BY_SIZE, BY_EXTENSION, BY_VERSION, BY_TIME, AS_FOUND, UNSORTED]) {
        // -c and -u alone sort by their time, unless -l shows it.
        None if args.last_of(&[CHANGE_TIME, ACCESS_TIME]).is_some() && !args.has(LONG) => Some(BY_TIME),
        by => by,
    };
    // One call for all orders: each one more would be a sort of its own in the program.
    let compare = |a: &File, b: &File| match by {
        Some(BY_SIZE) => size(b).cmp(&size(a)),
        Some(BY_TIME) => time(args, b).cmp(&time(args, a)),
        Some(BY_EXTENSION) => extension(&a.name).cmp(extension(&b.name)),
        Some(BY_VERSION) => compare_versions(&a.name, &b.name),
        _ => Ordering::Equal,
    };
    if !matches!(by, Some(AS_FOUND | UNSORTED)) {
        files.sort_by(|a, b| compare(a, b).then_with(|| a.name.cmp(&b.name)));
        if args.has(REVERSE) {
            files.reverse();
        }
    }
    if args.has(DIRECTORIES_FIRST) {
        files.sort_by_key(|file| file.kind != FileType::Directory);
    }
}

fn size(file: &File) -> i64 {
    file.stat.as_ref().map_or(0, |stat| stat.st_size)
}

/// The time that is shown and sorted by: seconds and nanoseconds.
pub fn time(args: &Args<'_>, file: &File) -> (i64, i64) {
    let Some(stat) = &file.stat else { return (0, 0) };
    match args.last_of(&[CHANGE_TIME, ACCESS_TIME]) {
        Some(CHANGE_TIME) => (stat.st_ctime, stat.st_ctime_nsec as i64),
        Some(_) => (stat.st_atime, stat.st_atime_nsec as i64),
        None => (stat.st_mtime, stat.st_mtime_nsec as i64),
    }
}

fn extension(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(at) if at > 0 => &name[at..],
        _ => b"",
    }
}

/// As strverscmp(3): runs of digits compare by their value, all else by bytes.
fn compare_versions(a: &[u8], b: &[u8]) -> Ordering {
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i].is_ascii_digit() && b[j].is_ascii_digit() {
            let run = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (x, y) = (&a[i..i + run(&a[i..])], &b[j..j + run(&b[j..])]);
            let trim = |digits: &'_ [u8]| digits.iter().take_while(|&&digit| digit == b'0').count();
            let (u, v) = (&x[trim(x)..], &y[trim(y)..]);
            let order = u.len().cmp(&v.len()).then_with(|| u.cmp(v)).then_with(|| y.len().cmp(&x.len()));
            if order != Ordering::Equal {
                return order;
            }
            (i, j) = (i + x.len(), j + y.len());
        } else if a[i] != b[j] {
            return a[i].cmp(&b[j]);
        } else {
            (i, j) = (i + 1, j + 1);
        }
    }
    (a.len() - i).cmp(&(b.len() - j))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_the_value_of_their_digits() {
        let mut names = ["a10", "a9", "a", "a09", "b1"];
        names.sort_by(|a, b| compare_versions(a.as_bytes(), b.as_bytes()));
        assert_eq!(names, ["a", "a09", "a9", "a10", "b1"]);
    }
}
