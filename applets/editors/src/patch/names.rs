//! The names in the headers of patches: which file one is for, and which names lead out of the tree.

use rbox_core::bytes::{base_name, split_once};
use rbox_core::number::parse_radix;
use rbox_core::time::{Moment, Zone, parse};

/// A name and what its time tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    pub name: Vec<u8>,
    /// `/dev/null`, or from 1970: the file does not exist.
    pub is_absent: bool,
}

/// What precedes the hunks of one file.
#[derive(Clone, Debug, Default)]
pub struct Header {
    pub old: Option<Name>,
    pub new: Option<Name>,
    /// The name of a line `Index:`.
    pub index: Option<Vec<u8>>,
    /// The two names of `diff --git`.
    pub git: Option<[Vec<u8>; 2]>,
    pub old_mode: Option<u32>,
    pub new_mode: Option<u32>,
    pub is_new: bool,
    pub is_deleted: bool,
    pub renames: bool,
    pub copies: bool,
    pub is_binary: bool,
}

impl Header {
    /// The header that begins with the two names of `diff --git`.
    pub fn of_git(names: &[u8]) -> Self {
        let names = names.trim_ascii();
        let pair = if names.starts_with(b"\"") {
            let (first, rest) = unquote(names);
            Some([first, unquote(rest.trim_ascii()).0])
        } else {
            // A name may have blanks: both are the same but for their prefix.
            let middles = (0..names.len()).filter(|&at| names[at] == b' ');
            let same = |at: &usize| after_slash(&names[..*at]) == after_slash(&names[at + 1..]);
            let middle = middles.clone().find(same).or_else(|| middles.clone().next());
            middle.map(|at| [names[..at].to_vec(), unquote(&names[at + 1..]).0])
        };
        Self { git: pair, ..Self::default() }
    }

    /// Takes an extended header line of git. False if it is none.
    pub fn take_git(&mut self, line: &[u8]) -> bool {
        let mode = |word: &[u8]| parse_radix(word, 8).and_then(|mode| u32::try_from(mode).ok());
        let rest = |prefix: &str| line.strip_prefix(prefix.as_bytes());
        if let Some(word) = rest("old mode ") {
            self.old_mode = mode(word);
        } else if let Some(word) = rest("new mode ") {
            self.new_mode = mode(word);
        } else if let Some(word) = rest("new file mode ") {
            (self.new_mode, self.is_new) = (mode(word), true);
        } else if let Some(word) = rest("deleted file mode ") {
            (self.old_mode, self.is_deleted) = (mode(word), true);
        } else if let Some(name) = rest("rename from ").or_else(|| rest("copy from ")) {
            (self.renames, self.copies) = (line.starts_with(b"rename"), line.starts_with(b"copy"));
            self.git.get_or_insert_default()[0] = [b"a/", unquote(name).0.as_slice()].concat();
        } else if let Some(name) = rest("rename to ").or_else(|| rest("copy to ")) {
            self.git.get_or_insert_default()[1] = [b"b/", unquote(name).0.as_slice()].concat();
        } else if line.starts_with(b"GIT binary patch") || line.starts_with(b"Binary files ") {
            self.is_binary = true;
        } else {
            return false;
        }
        true
    }

    /// Whether it does something without any hunk.
    pub fn is_whole(&self) -> bool {
        self.renames || self.copies || self.is_new || self.is_deleted || self.is_binary || self.new_mode.is_some()
    }

    /// Swaps what is old and what is new.
    pub fn reverse(&mut self) {
        core::mem::swap(&mut self.old, &mut self.new);
        core::mem::swap(&mut self.old_mode, &mut self.new_mode);
        core::mem::swap(&mut self.is_new, &mut self.is_deleted);
        if let Some(names) = &mut self.git {
            names.swap(0, 1);
        }
    }

    /// The names that may be meant, in their order: of the old file, of the new one, of `Index:`.
    pub fn candidates(&self) -> Vec<&[u8]> {
        let headers = [&self.old, &self.new].into_iter().flatten().filter(|name| name.name != b"/dev/null");
        let mut names: Vec<&[u8]> = headers.map(|name| name.name.as_slice()).collect();
        names.extend(self.index.as_deref());
        if names.is_empty() {
            names.extend(self.git.iter().flatten().map(Vec::as_slice));
        }
        names
    }
}

fn after_slash(name: &[u8]) -> &[u8] {
    split_once(name, b'/').map_or(name, |(_, rest)| rest)
}

/// The name of a header line after its mark. A tab ends it, and a time follows; a blank is a part of it.
pub fn name_after(line: &[u8]) -> Name {
    let (name, time) = if line.starts_with(b"\"") {
        unquote(line)
    } else {
        let (name, time) = split_once(line, b'\t').unwrap_or((line, b""));
        (name.trim_ascii().to_vec(), time)
    };
    let is_absent = name == b"/dev/null" || is_epoch(time);
    Name { name, is_absent }
}

/// Whether a time is the start of 1970, in the zone it names; in any zone if it names none.
fn is_epoch(time: &[u8]) -> bool {
    let time = time.trim_ascii();
    if !time.starts_with(b"1970-01-01 ") && !time.starts_with(b"1969-12-31 ") && !time.ends_with(b" 1970") {
        return false;
    }
    parse(time, Moment::default(), &Zone::utc()).is_some_and(|moment| moment.seconds == 0)
}

/// A name that may be in double quotes, with C's escapes, as git writes it; and what follows.
fn unquote(word: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(mut rest) = word.strip_prefix(b"\"") else { return (word.to_vec(), b"") };
    let mut name = Vec::new();
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, rest) {
            (b'"', _) => break,
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                name.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                name.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                });
                rest = after;
            }
            _ => name.push(*byte),
        }
    }
    (name, rest)
}

/// The name without its first `count` components; without all directories if there is no count (POSIX XCU patch, `-p`).
/// A name with fewer components keeps its last one, as in BusyBox.
pub fn strip(name: &[u8], count: Option<usize>) -> &[u8] {
    let Some(count) = count else { return base_name(name) };
    let mut rest = name;
    for _ in 0..count {
        let Some((_, after)) = split_once(rest, b'/') else { break };
        let after = &after[after.iter().take_while(|&&byte| byte == b'/').count()..];
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    rest
}

/// Whether a name leads out of the current directory, whatever the links in it are.
pub fn leads_out(name: &[u8]) -> bool {
    name.is_empty() || name.starts_with(b"/") || name.split(|&byte| byte == b'/').any(|part| part == b"..")
}

/// The rank of a name among those of files that exist: the fewest components, then the shortest last one, then the
/// shortest (POSIX XCU patch, "Filename Determination", as GNU's has it).
pub fn rank(name: &[u8]) -> (usize, usize, usize) {
    (name.split(|&byte| byte == b'/').count(), base_name(name).len(), name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_components() {
        assert_eq!(strip(b"a/b/c", Some(1)), b"b/c");
        assert_eq!(strip(b"/a//b/c", Some(2)), b"b/c");
        assert_eq!(strip(b"a/b/c", None), b"c");
        assert_eq!(strip(b"c", Some(3)), b"c");
    }

    #[test]
    fn names_that_lead_out() {
        for name in [&b"/etc/passwd"[..], b"..", b"a/../../b", b"a/..", b""] {
            assert!(leads_out(name), "{name:?}");
        }
        assert!(!leads_out(b"a/..b/c..") && !leads_out(b"./a"));
    }

    #[test]
    fn a_time_of_1970_means_that_there_is_no_file() {
        assert!(name_after(b"f\t1970-01-01 00:00:00.000000000 +0000").is_absent);
        assert!(name_after(b"f\t1969-12-31 19:00:00.000000000 -0500").is_absent);
        assert!(name_after(b"f\tThu Jan  1 00:00:00 1970").is_absent);
        assert!(!name_after(b"f\t1970-01-01 00:00:01.000000000 +0000").is_absent);
        assert!(!name_after(b"f").is_absent);
        assert!(name_after(b"\"f\"\t1970-01-01 00:00:00.000000000 +0000").is_absent);
        assert!(!name_after(b"\"f\"\t2026-01-01 00:00:00.000000000 +0000").is_absent);
    }

    #[test]
    fn git_names_may_have_blanks_and_quotes() {
        assert_eq!(Header::of_git(b"a/x y b/x y").git, Some([b"a/x y".to_vec(), b"b/x y".to_vec()]));
        assert_eq!(Header::of_git(br#""a/\303\244" "b/\t""#).git, Some(["a/ä".into(), b"b/\t".to_vec()]));
    }
}
