//! Tables of mounts: fstab(5) and /proc/mounts.

use crate::error::{Error, Result};
use crate::io::Input;
use crate::number::parse_decimal;

/// A line of a table of mounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted: a device, a name, `UUID=...`.
    pub source: Vec<u8>,
    /// Where.
    pub target: Vec<u8>,
    /// The filesystem's type.
    pub kind: Vec<u8>,
    /// Options between commas.
    pub options: Vec<u8>,
    /// When fsck(8) checks it: after those with a smaller number, never with 0.
    pub pass: u64,
}

impl Mount {
    /// Reads one line; `None` for comments, empty lines and lines without a directory. A line may end before its type, which
    /// is then empty, and its options.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).map(unescape);
        let source = fields.next().filter(|source| !source.starts_with(b"#"))?;
        let (target, kind) = (fields.next()?, fields.next().unwrap_or_default());
        let options = fields.next().unwrap_or_else(|| b"defaults".to_vec());
        let pass = fields.nth(1).and_then(|digits| parse_decimal(&digits)).unwrap_or(0);
        Some(Self { source, target, kind, options, pass })
    }

    /// True when `option` is one of the options.
    pub fn has_option(&self, option: &[u8]) -> bool {
        self.options.split(|&byte| byte == b',').any(|other| other == option)
    }
}

/// All lines of the table at `path`.
pub fn read(path: &[u8]) -> Result<Vec<Mount>> {
    let mut input = Input::open(path).map_err(|error| match error.errno() {
        Some(errno) => Error::on([b"can't read '", path, b"'"].concat(), errno),
        None => error,
    })?;
    let mut mounts = Vec::new();
    while let Some(line) = input.line()? {
        mounts.extend(Mount::parse(line));
    }
    Ok(mounts)
}

/// The absolute path of `path` without links, dots and double slashes; `path` itself when it leads nowhere.
pub fn real_path(path: &[u8]) -> Vec<u8> {
    crate::files::canonical(path, false).unwrap_or_else(|_| path.to_vec())
}

/// fstab(5): a backslash and three octal digits stand for a byte, as `\040` for a space.
pub fn unescape(field: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::with_capacity(field.len()), field);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                text.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => text.push(byte),
        }
    }
    text
}

/// True when `kind` is in the list `wanted`, as `ext4,vfat`; in a list that starts with `no`, when it is in none of it.
pub fn is_wanted_kind(kind: &[u8], wanted: Option<&[u8]>) -> bool {
    let Some(wanted) = wanted else { return true };
    let (list, expected) = match wanted.strip_prefix(b"no") {
        Some(list) => (list, false),
        None => (wanted, true),
    };
    list.split(|&byte| byte == b',').any(|word| word.strip_prefix(b"no").filter(|_| !expected).unwrap_or(word) == kind)
        == expected
}

/// True when the mount has all options of `list`, and none of those that are there as `noOPTION`: `-O` of mount(8).
pub fn has_options(mount: &Mount, list: &[u8]) -> bool {
    list.split(|&byte| byte == b',').all(|word| match word.strip_prefix(b"no") {
        Some(word) => !mount.has_option(word),
        None => mount.has_option(word),
    })
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for mount in data.split(|&byte| byte == b'\n').filter_map(Mount::parse) {
        mount.has_option(b"noauto");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_and_unescaped() {
        let mount = Mount::parse(b"/dev/sda1\t/mnt/a\\040b  ext4 ro,noatime 0 1").expect("a whole line");
        assert_eq!((mount.target.as_slice(), mount.kind.as_slice()), (&b"/mnt/a b"[..], &b"ext4"[..]));
        assert!(mount.has_option(b"ro") && !mount.has_option(b"atime"));
        assert_eq!(Mount::parse(b"# a b c"), None);
        assert_eq!(Mount::parse(b"a"), None);
        assert_eq!(Mount::parse(b"a b").map(|mount| (mount.kind, mount.options)), Some((vec![], b"defaults".to_vec())));
    }

    #[test]
    fn a_backslash_without_three_digits_stands_for_itself() {
        assert_eq!(unescape(b"a\\04"), b"a\\04");
        assert_eq!(unescape(b"\\777"), b"\\777");
        assert_eq!(unescape(b"\\134"), b"\\");
    }

    #[test]
    fn any_table_is_read_without_a_panic() {
        let mut random = crate::testing::Random::new(11);
        for _ in 0..20_000 {
            let line = random.spoil(b"/dev/sda1 /mnt/a\\040b ext4 ro,noatime 0 1");
            if let Some(mount) = Mount::parse(&line) {
                has_options(&mount, &random.bytes(20));
            }
        }
    }

    #[test]
    fn kinds_are_wanted_or_not() {
        assert!(is_wanted_kind(b"ext4", Some(b"vfat,ext4")) && !is_wanted_kind(b"ext4", Some(b"vfat")));
        assert!(
            !is_wanted_kind(b"proc", Some(b"noproc,nosysfs")) && !is_wanted_kind(b"sysfs", Some(b"noproc,nosysfs"))
        );
        assert!(is_wanted_kind(b"ext4", Some(b"noproc")));
    }
}
