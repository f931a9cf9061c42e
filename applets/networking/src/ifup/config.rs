//! /etc/network/interfaces: interfaces(5).

use rbox_core::bytes::{self, join_path};
use rbox_core::files::list_at;
use rbox_core::io;
use rbox_core::pattern::glob;
use rbox_core::prelude::*;
use rbox_core::sys::{Errno, fs};
use rbox_core::text;

/// One way to configure an interface: `iface NAME FAMILY METHOD`.
#[derive(Clone, Debug, Default)]
pub struct Stanza {
    pub name: Vec<u8>,
    pub family: Vec<u8>,
    pub method: Vec<u8>,
    /// Names and values, in their order.
    pub options: Vec<(Vec<u8>, Vec<u8>)>,
}

/// `mapping PATTERN...`: a script that chooses which stanzas are an interface's.
#[derive(Debug, Default)]
pub struct Mapping {
    pub patterns: Vec<Vec<u8>>,
    pub script: Vec<u8>,
    /// Its input, a line each.
    pub lines: Vec<Vec<u8>>,
}

/// What all files together say.
#[derive(Debug, Default)]
pub struct Config {
    pub stanzas: Vec<Stanza>,
    pub mappings: Vec<Mapping>,
    /// Interfaces by the class that they are in: `auto`, `hotplug` of `allow-hotplug`.
    pub classes: Vec<(Vec<u8>, Vec<u8>)>,
    /// Those that `ifdown -a` leaves alone.
    pub kept: Vec<Vec<u8>>,
}

/// What the lines that begin with no keyword belong to.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Stanza,
    Mapping,
}

/// More files than that within one another are a loop.
const DEPTH: usize = 16;

impl Config {
    /// Reads a file and those that it names.
    pub fn read(path: &[u8]) -> Result<Self> {
        let mut config = Self::default();
        config.read_file(path, 0)?;
        Ok(config)
    }

    fn read_file(&mut self, path: &[u8], depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err(Error::parts(&[path, b": too many files within one another"]));
        }
        let content = io::read_file(path)?;
        let mut sources = Vec::new();
        // A file that is named comes where it is named.
        let mut rest = &content[..];
        let mut line_number = 0;
        let mut open = Open::Nothing;
        while let Some(line) = next_line(&mut rest, &mut line_number) {
            let number = line_number;
            let done = self.take_line(&line, &mut open, &mut sources);
            done.map_err(|error| error.context(text!(path, ":", number)))?;
            for (is_directory, pattern) in core::mem::take(&mut sources) {
                self.read_sources(path, is_directory, &pattern, depth)?;
            }
        }
        Ok(())
    }

    fn read_sources(&mut self, path: &[u8], is_directory: bool, pattern: &[u8], depth: usize) -> Result<()> {
        let directory = &path[..path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1)];
        let pattern = if pattern.starts_with(b"/") { pattern.to_vec() } else { [directory, pattern].concat() };
        let mut found = expand(&pattern)?;
        if is_directory {
            // interfaces(5): names of alphabetic characters, digits, underscores and hyphens.
            let is_plain = |name: &[u8]| name.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            for directory in core::mem::take(&mut found) {
                found.extend(names_in(&directory, is_plain)?);
            }
        }
        for file in found {
            // One that is named must be there; what a pattern finds may be a directory.
            if file == pattern || fs::stat(&file[..]).is_ok_and(|stat| is_file(stat.st_mode)) {
                self.read_file(&file, depth + 1)?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], open: &mut Open, sources: &mut Vec<(bool, Vec<u8>)>) -> Result<()> {
        let (keyword, rest) = split_word(line);
        let words = || bytes::words(rest).map(<[u8]>::to_vec);
        match keyword {
            b"" => {}
            b"iface" => {
                let stanza = self.new_stanza(rest)?;
                self.stanzas.push(stanza);
                *open = Open::Stanza;
            }
            b"mapping" => {
                self.mappings.push(Mapping { patterns: words().collect(), ..Mapping::default() });
                *open = Open::Mapping;
            }
            b"source" | b"source-directory" if !rest.is_empty() => {
                sources.extend(words().map(|pattern| (keyword.len() > 6, pattern)));
                *open = Open::Nothing;
            }
            b"no-auto-down" => {
                self.kept.extend(words());
                *open = Open::Nothing;
            }
            keyword if keyword == b"auto" || keyword.starts_with(b"allow-") => {
                let class = keyword.strip_prefix(b"allow-").unwrap_or(keyword);
                for name in words() {
                    let entry = (class.to_vec(), name);
                    if !self.classes.contains(&entry) {
                        self.classes.push(entry);
                    }
                }
                *open = Open::Nothing;
            }
            keyword => self.take_option(*open, keyword, rest)?,
        }
        Ok(())
    }

    fn take_option(&mut self, open: Open, keyword: &[u8], rest: &[u8]) -> Result<()> {
        match open {
            Open::Stanza => {
                let Some(stanza) = self.stanzas.last_mut() else { return Ok(()) };
                if rest.is_empty() {
                    return Err(Error::parts(&[b"option '", keyword, b"' has no value"]));
                }
                // A value of its own replaces one that was inherited; hooks are added.
                if !is_hook(keyword) {
                    stanza.options.retain(|(name, _)| name != keyword);
                }
                stanza.options.push((keyword.to_vec(), rest.to_vec()));
            }
            Open::Mapping => {
                let Some(mapping) = self.mappings.last_mut() else { return Ok(()) };
                match keyword {
                    b"script" => mapping.script = rest.to_vec(),
                    b"map" => mapping.lines.push(rest.to_vec()),
                    keyword => return Err(Error::parts(&[b"misplaced option '", keyword, b"'"])),
                }
            }
            Open::Nothing => return Err(Error::parts(&[b"misplaced option '", keyword, b"'"])),
        }
        Ok(())
    }

    /// `NAME [FAMILY METHOD] [inherits NAME]`: options and, where they are left out, family and method of another one.
    fn new_stanza(&self, rest: &[u8]) -> Result<Stanza> {
        let words: Vec<&[u8]> = bytes::words(rest).collect();
        let (name, family, method, base) = match words[..] {
            [name, b"inherits", base] => (name, &b""[..], &b""[..], Some(base)),
            [name, family, method] => (name, family, method, None),
            [name, family, method, b"inherits", base] => (name, family, method, Some(base)),
            _ => return Err(Error::parts(&[b"iface '", rest, b"' is not NAME FAMILY METHOD"])),
        };
        let mut stanza =
            Stanza { name: name.to_vec(), family: family.to_vec(), method: method.to_vec(), options: Vec::new() };
        if let Some(base) = base {
            let is_it = |other: &&Stanza| other.name == base && (family.is_empty() || other.family == family);
            let named = |other: &&Stanza| other.name == base;
            let found = self.stanzas.iter().find(is_it).or_else(|| self.stanzas.iter().find(named));
            let found = found.ok_or_else(|| Error::parts(&[b"cannot inherit from '", base, b"'"]))?;
            if family.is_empty() {
                (stanza.family, stanza.method) = (found.family.clone(), found.method.clone());
            }
            stanza.options = found.options.clone();
        }
        if !matches!(&stanza.family[..], b"inet" | b"inet6") {
            return Err(Error::parts(&[b"unknown address type \"", &stanza.family, b"\""]));
        }
        Ok(stanza)
    }
}

/// The files that a pattern matches, which may be one in its last component, in their order.
fn expand(pattern: &[u8]) -> Result<Vec<Vec<u8>>> {
    let (directory, last) = pattern.split_at(pattern.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1));
    if !glob::has_magic(last, glob::Flags::default()) {
        return Ok(vec![pattern.to_vec()]);
    }
    names_in(directory, |name| !name.starts_with(b".") && glob::matches(last, name, glob::Flags::default()))
}

/// The paths of those names in a directory, sorted; none of one that is not there.
fn names_in(directory: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>> {
    let directory = if directory.is_empty() { b"." } else { directory };
    let entries = match list_at(directory) {
        Err(Errno::NOENT) => Vec::new(),
        entries => entries.map_err(|errno| Error::on(directory, errno))?,
    };
    let mut names: Vec<Vec<u8>> = entries.into_iter().map(|entry| entry.name).filter(|name| is_wanted(name)).collect();
    names.sort();
    Ok(names.iter().map(|name| join_path(directory, name)).collect())
}

fn is_file(mode: u32) -> bool {
    fs::FileType::from_raw_mode(mode) == fs::FileType::RegularFile
}

/// True for options that are commands, of which there may be several.
pub fn is_hook(name: &[u8]) -> bool {
    matches!(name, b"pre-up" | b"up" | b"post-up" | b"pre-down" | b"down" | b"post-down")
}

/// The next line, joined with those that follow a backslash at its end, without blanks around it; comments are empty.
fn next_line(rest: &mut &[u8], number: &mut u64) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    if rest.is_empty() {
        return None;
    }
    loop {
        let end = rest.iter().position(|&byte| byte == b'\n');
        let (first, after) = end.map_or((*rest, &b""[..]), |end| (&rest[..end], &rest[end + 1..]));
        *rest = after;
        *number += 1;
        match first.strip_suffix(b"\\") {
            Some(part) if !rest.is_empty() => line.extend_from_slice(part),
            _ => {
                line.extend_from_slice(first);
                break;
            }
        }
    }
    let trimmed = line.trim_ascii();
    Some(if trimmed.starts_with(b"#") { Vec::new() } else { trimmed.to_vec() })
}

/// The first word, and what follows it.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let at = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    (&line[..at], line[at..].trim_ascii())
}

/// What the fuzz target feeds: one file that names no others.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (mut config, mut open, mut sources) = (Config::default(), Open::Nothing, Vec::new());
    let (mut rest, mut number) = (data, 0);
    while let Some(line) = next_line(&mut rest, &mut number) {
        if config.take_line(&line, &mut open, &mut sources).is_err() || config.stanzas.len() > 1000 {
            break;
        }
    }
    for stanza in &config.stanzas {
        // Only a panic counts.
        let _ = super::method::commands(stanza, &stanza.name, true);
        let _ = super::method::commands(stanza, &stanza.name, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> core::result::Result<Config, String> {
        let (mut config, mut open, mut sources) = (Config::default(), Open::Nothing, Vec::new());
        let (mut rest, mut number) = (content.as_bytes(), 0);
        while let Some(line) = next_line(&mut rest, &mut number) {
            config
                .take_line(&line, &mut open, &mut sources)
                .map_err(|error| String::from_utf8_lossy(error.message()).into_owned())?;
        }
        Ok(config)
    }

    #[test]
    fn stanzas_and_their_options() {
        let config = parse(
            "auto lo eth0\nallow-hotplug eth1\n# x\niface eth0 inet static\n address 1.2.3.4 \\\n  5\n up a\n up b\n\
             iface e1 inherits eth0\n address 9\nno-auto-down eth0\nmapping eth* x\n script /s\n map a b\n map c",
        )
        .expect("a right file");
        assert_eq!(config.classes.len(), 3);
        assert_eq!(config.classes[2], (b"hotplug".to_vec(), b"eth1".to_vec()));
        assert_eq!(config.stanzas[0].options[0], (b"address".to_vec(), b"1.2.3.4   5".to_vec()));
        let heir = &config.stanzas[1];
        assert_eq!((&heir.method[..], heir.options.len()), (&b"static"[..], 3));
        assert_eq!(heir.options[2], (b"address".to_vec(), b"9".to_vec()));
        assert_eq!(config.mappings[0].lines, [b"a b".to_vec(), b"c".to_vec()]);
        assert_eq!(config.kept, [b"eth0".to_vec()]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (content, message) in [
            ("address 1", "misplaced option 'address'"),
            ("auto x\n address 1", "misplaced option 'address'"),
            ("iface x", "iface 'x' is not NAME FAMILY METHOD"),
            ("iface x ipx static", "unknown address type \"ipx\""),
            ("iface x inet static inherits y", "cannot inherit from 'y'"),
            ("iface x inet static\n address", "option 'address' has no value"),
            ("mapping x\n foo y", "misplaced option 'foo'"),
        ] {
            assert_eq!(parse(content).err().as_deref(), Some(message), "{content}");
        }
    }
}
