//! Which files are meant: operands, lists of names, patterns that exclude.

use rbox_core::bytes::{base_name, find_byte};
use rbox_core::io::Input;
use rbox_core::pattern::glob::{self, Flags};
use rbox_core::prelude::*;

use super::{
    ADD_FILE, ANCHORED, DIRECTORY, EXCLUDE, EXCLUDE_BACKUPS, EXCLUDE_FROM, EXCLUDE_VCS, FILES_FROM, IGNORE_CASE,
    MATCH_SLASH, NO_ANCHORED, NO_IGNORE_CASE, NO_MATCH_SLASH, NO_NULL, NO_WILDCARDS, NOT_VERBATIM, NULL, OCCURRENCE,
    VERBATIM, WILDCARDS, joined, number,
};

/// A name, and the directory that it is in: of the last `-C` before it.
pub struct Name {
    pub name: Vec<u8>,
    pub directory: Vec<u8>,
}

/// All names, and the directory of the last `-C`.
pub struct Names {
    pub names: Vec<Name>,
    pub directory: Vec<u8>,
    /// There were operands or lists, even if the lists were empty.
    pub any: bool,
}

impl Names {
    /// The operands and what `-T` lists, in the order of the command line.
    pub fn of(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let mut all = Self { names: Vec::new(), directory: b".".to_vec(), any: false };
        let (mut seen, mut ends_with, mut verbatim) = (0, b'\n', false);
        for at in 0..=args.operands().len() {
            let before = args.options_before(at);
            for &(option, value) in &args.found()[seen..before] {
                match (option, value) {
                    (DIRECTORY, Some(directory)) => all.directory = joined(&all.directory, directory),
                    (NULL, _) => ends_with = 0,
                    (NO_NULL, _) => ends_with = b'\n',
                    (VERBATIM, _) => verbatim = true,
                    (NOT_VERBATIM, _) => verbatim = false,
                    (FILES_FROM, Some(list)) => all.read(env, list, ends_with, verbatim || ends_with == 0)?,
                    (ADD_FILE, Some(name)) => all.push(name),
                    _ => {}
                }
            }
            seen = before;
            if let Some(operand) = args.operands().get(at) {
                all.push(operand);
            }
        }
        Ok(all)
    }

    fn push(&mut self, name: &[u8]) {
        self.any = true;
        self.names.push(Name { name: name.to_vec(), directory: self.directory.clone() });
    }

    fn read(&mut self, env: &mut Env, list: &[u8], ends_with: u8, verbatim: bool) -> Result<()> {
        self.any = true;
        let mut input = if list == b"-" { env.take_stdin() } else { Input::open(list)? };
        while let Some(line) = input.record(ends_with)? {
            let line = line.strip_suffix(&[ends_with]).unwrap_or(line);
            match line {
                b"" => {}
                [b'-', b'C', directory @ ..] if !verbatim => {
                    self.directory = joined(&self.directory, directory.trim_ascii_start());
                }
                line => self.push(line),
            }
        }
        Ok(())
    }
}

/// How a pattern matches.
#[derive(Clone, Copy)]
pub struct Matching {
    wildcards: bool,
    anchored: bool,
    flags: Flags,
}

impl Matching {
    /// What holds for the patterns of `--exclude`.
    const EXCLUDING: Self = Self { wildcards: true, anchored: false, flags: Flags::NONE };

    /// What holds for operands, where an archive is read.
    pub fn of_operands(args: &Args<'_>) -> Self {
        let mut matching = Self { wildcards: false, anchored: true, ..Self::EXCLUDING };
        args.found().iter().for_each(|(option, _)| matching.change(*option));
        matching
    }

    /// Applies an option that holds for the patterns after it.
    fn change(&mut self, option: Opt) {
        let without = |flags: Flags, flag: Flags| match flag {
            Flags::PATHNAME if flags.has(Flags::FOLD_CASE) => Flags::FOLD_CASE,
            Flags::FOLD_CASE if flags.has(Flags::PATHNAME) => Flags::PATHNAME,
            _ => Flags::NONE,
        };
        match option {
            WILDCARDS => self.wildcards = true,
            NO_WILDCARDS => self.wildcards = false,
            ANCHORED => self.anchored = true,
            NO_ANCHORED => self.anchored = false,
            NO_MATCH_SLASH => self.flags = self.flags | Flags::PATHNAME,
            MATCH_SLASH => self.flags = without(self.flags, Flags::PATHNAME),
            IGNORE_CASE => self.flags = self.flags | Flags::FOLD_CASE,
            NO_IGNORE_CASE => self.flags = without(self.flags, Flags::FOLD_CASE),
            _ => {}
        }
    }

    /// Whether a pattern matches a name, or a directory that the name is below.
    fn matches(self, pattern: &[u8], name: &[u8]) -> bool {
        let starts =
            (0..name.len()).filter(|&at| at == 0 || !self.anchored && name[at - 1] == b'/' && name[at] != b'/');
        for start in starts {
            let rest = &name[start..];
            if (1..=rest.len()).any(|end| (end == rest.len() || rest[end] == b'/') && self.is(pattern, &rest[..end])) {
                return true;
            }
        }
        false
    }

    fn is(self, pattern: &[u8], text: &[u8]) -> bool {
        match self.wildcards {
            true => glob::matches(pattern, text, self.flags),
            false if self.flags.has(Flags::FOLD_CASE) => pattern.eq_ignore_ascii_case(text),
            false => pattern == text,
        }
    }
}

/// What version control systems keep in a tree (GNU tar's manual, "Excluding Some Files").
const VCS: &str = "CVS RCS SCCS .git .gitignore .gitmodules .gitattributes .cvsignore .svn .arch-ids {arch} =RELEASE-ID \
    =meta-update =update .bzr .bzrignore .bzrtags .hg .hgignore .hgtags _darcs";

/// The patterns of files that are left out.
pub struct Excluded {
    patterns: Vec<(Vec<u8>, Matching)>,
}

impl Excluded {
    /// Those of `--exclude`, `-X` and `--exclude-vcs`.
    pub fn of(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let mut patterns = Vec::new();
        let mut matching = Matching::EXCLUDING;
        for &(option, value) in args.found() {
            matching.change(option);
            match (option, value) {
                (EXCLUDE, Some(pattern)) => patterns.push((pattern.to_vec(), matching)),
                (EXCLUDE_FROM, Some(list)) => {
                    let mut input = if list == b"-" { env.take_stdin() } else { Input::open(list)? };
                    while let Some(line) = input.line()? {
                        if !line.is_empty() {
                            patterns.push((line.to_vec(), matching));
                        }
                    }
                }
                (EXCLUDE_VCS | EXCLUDE_BACKUPS, _) => {
                    let words = if option == EXCLUDE_VCS { VCS } else { ".#* *~ #*#" };
                    patterns.extend(
                        words.split_ascii_whitespace().map(|word| (word.as_bytes().to_vec(), Matching::EXCLUDING)),
                    );
                }
                _ => {}
            }
        }
        Ok(Self { patterns })
    }

    /// Whether a file is left out. A pattern with a slash at the end matches nothing, as in GNU tar.
    pub fn has(&self, name: &[u8]) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let name = without_slash(name);
        self.patterns.iter().any(|(pattern, matching)| matching.matches(pattern, name))
    }
}

/// A name without slashes at its end.
pub fn without_slash(name: &[u8]) -> &[u8] {
    &name[..name.iter().rposition(|&byte| byte != b'/').map_or(name.len().min(1), |at| at + 1)]
}

/// The members of an archive that are wanted.
pub struct Wanted {
    names: Vec<Name>,
    /// How often each has been met.
    found: Vec<u64>,
    /// The one that is meant of members of the same name.
    occurrence: Option<u64>,
    /// Their positions, sorted by name.
    by_name: Vec<usize>,
    matching: Matching,
    /// The directory for all, if all are wanted.
    all: Option<Vec<u8>>,
    excluded: Excluded,
}

impl Wanted {
    /// What the command line asks for.
    pub fn of(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let names = Names::of(env, args)?;
        let excluded = Excluded::of(env, args)?;
        let matching = Matching::of_operands(args);
        let mut by_name: Vec<usize> = (0..names.names.len()).collect();
        by_name.sort_by_key(|&at| without_slash(&names.names[at].name));
        let found = vec![0; names.names.len()];
        let occurrence = match args.has(OCCURRENCE) {
            true if !names.any => return Err(Error::new("--occurrence is meaningless without names")),
            true => Some(number(args, OCCURRENCE)?.unwrap_or(1).max(1)),
            false => None,
        };
        let all = if names.any { None } else { Some(names.directory) };
        Ok(Self { names: names.names, found, occurrence, by_name, matching, all, excluded })
    }

    /// The directory that a member goes to. `None` if it is not wanted.
    pub fn directory_of(&mut self, member: &[u8]) -> Option<&[u8]> {
        let member = without_slash(member);
        if self.excluded.has(member) {
            return None;
        }
        if let Some(directory) = &self.all {
            return Some(directory);
        }
        let at = match self.matching.wildcards || !self.matching.anchored {
            true => (0..self.names.len()).rev().find(|&at| {
                let pattern = without_slash(&self.names[at].name);
                self.matching.matches(pattern, member)
            }),
            false => (1..=member.len())
                .filter(|&end| end == member.len() || member[end] == b'/')
                .find_map(|end| self.named(&member[..end])),
        }?;
        // What is below a directory belongs to its last occurrence.
        if self.occurrence.is_none() || self.matching.wildcards || without_slash(&self.names[at].name) == member {
            self.found[at] += 1;
        }
        let is_meant = self.occurrence.is_none_or(|occurrence| occurrence == self.found[at]);
        is_meant.then_some(&self.names[at].directory[..])
    }

    fn named(&self, member: &[u8]) -> Option<usize> {
        let found = self.by_name.binary_search_by(|&at| without_slash(&self.names[at].name).cmp(member));
        found.ok().map(|at| self.by_name[at])
    }

    /// Whether members were named, and not all are wanted.
    pub fn is_named(&self) -> bool {
        self.all.is_none()
    }

    /// The names that no member had.
    pub fn missing(&self) -> impl Iterator<Item = &[u8]> {
        let least = self.occurrence.unwrap_or(1);
        self.names.iter().zip(&self.found).filter(move |(_, found)| **found < least).map(|(name, _)| &name.name[..])
    }
}

/// A name without its first `count` components; `None` if nothing is left.
pub fn stripped(name: &[u8], count: u64) -> Option<&[u8]> {
    let mut rest = name;
    for _ in 0..count {
        let at = find_byte(b'/', rest)?;
        rest = &rest[at..];
        rest = &rest[rest.iter().position(|&byte| byte != b'/').unwrap_or(rest.len())..];
    }
    if count > 0 && (rest.is_empty() || base_name(rest).is_empty()) { None } else { Some(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_dropped_from_the_start() {
        assert_eq!(stripped(b"a/b/c", 0), Some(&b"a/b/c"[..]));
        assert_eq!(stripped(b"a//b/c", 1), Some(&b"b/c"[..]));
        assert_eq!(stripped(b"/a/b", 1), Some(&b"a/b"[..]));
        assert_eq!((stripped(b"a/", 1), stripped(b"a", 1), stripped(b"a/b", 2)), (None, None, None));
    }

    #[test]
    fn patterns_match_names_and_what_is_below() {
        let excluding = Matching::EXCLUDING;
        assert!(
            excluding.matches(b"*.o", b"a/b.o")
                && excluding.matches(b"b", b"a/b/c")
                && excluding.matches(b"a*c", b"a/b/c")
        );
        assert!(!excluding.matches(b"b", b"a/bc") && !excluding.matches(b"a/b/", b"a/b"));
        let anchored = Matching { anchored: true, ..excluding };
        assert!(anchored.matches(b"a", b"a/b") && !anchored.matches(b"b", b"a/b"));
        let literal = Matching { wildcards: false, ..excluding };
        assert!(literal.matches(b"*", b"a/*") && !literal.matches(b"*", b"a"));
    }
}
