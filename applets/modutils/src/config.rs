//! What the administrator wants of modules: modprobe.d(5), and the kernel's command line.

use rbox_core::bytes::{join_path, split_once, words};
use rbox_core::files::list_at;

use crate::database::{matches, read, underscored};

/// A line of a configuration, its words after the first.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Alias(Vec<u8>, Vec<u8>),
    Blacklist(Vec<u8>),
    Options(Vec<u8>, Vec<u8>),
    /// A command for the shell instead of loading.
    Install(Vec<u8>, Vec<u8>),
    /// A command for the shell instead of removing.
    Remove(Vec<u8>, Vec<u8>),
    /// Modules before, and modules after.
    SoftDependency(Vec<u8>, [Vec<Vec<u8>>; 2]),
}

#[derive(Default)]
pub struct Config {
    lines: Vec<Line>,
}

/// Where configurations are, the most important first: a file hides those of its name in later directories.
const DIRECTORIES: &[u8] =
    b"/etc/modprobe.d /run/modprobe.d /usr/local/lib/modprobe.d /usr/lib/modprobe.d /lib/modprobe.d";

impl Config {
    /// Reads the configuration of the system, or only that at `given`, a file or a directory; the soft dependencies of
    /// the modules themselves, from `softdep`; the options of the kernel's command line.
    pub fn of(given: Option<&[u8]>, softdep: &[u8]) -> Self {
        let mut config = Self::default();
        match given {
            Some(path) if list_at(path).is_err() => config.parse(&read(path)),
            Some(path) => config.read_directories(core::iter::once(path)),
            None => config.read_directories(words(DIRECTORIES)),
        }
        config.parse(&read(softdep));
        config.parse_command_line(&read(b"/proc/cmdline"));
        config
    }

    fn read_directories<'a>(&mut self, directories: impl Iterator<Item = &'a [u8]>) {
        let mut files: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for directory in directories {
            for entry in list_at(directory).unwrap_or_default() {
                if entry.name.ends_with(b".conf") && !files.iter().any(|(name, _)| *name == entry.name) {
                    let path = join_path(directory, &entry.name);
                    files.push((entry.name, path));
                }
            }
        }
        files.sort();
        files.iter().for_each(|(_, path)| self.parse(&read(path)));
    }

    fn parse(&mut self, content: &[u8]) {
        // A backslash at the end of a line joins it with the next.
        let joined: Vec<u8> = content.split(|&byte| byte == b'\n').fold(Vec::new(), |mut joined, line| {
            match line.strip_suffix(b"\\") {
                Some(line) => joined.extend_from_slice(line),
                None => joined.extend_from_slice(&[line, b"\n"].concat()),
            }
            joined
        });
        self.lines.extend(joined.split(|&byte| byte == b'\n').filter_map(Line::parse));
    }

    /// `MODULE.PARAMETER=VALUE` and `modprobe.blacklist=MODULE,...` (kernel-command-line(7)).
    fn parse_command_line(&mut self, content: &[u8]) {
        for word in words(content) {
            if let Some(names) = word.strip_prefix(b"modprobe.blacklist=") {
                self.lines.extend(names.split(|&byte| byte == b',').map(|name| Line::Blacklist(underscored(name))));
            } else if let Some((module, option)) = split_once(word, b'.')
                && !module.contains(&b'=')
                && !module.is_empty()
            {
                self.lines.push(Line::Options(underscored(module), option.to_vec()));
            }
        }
    }

    /// The modules that an alias of the administrator's means.
    pub fn aliases<'a>(&'a self, alias: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter_map(move |line| match line {
            Line::Alias(pattern, name) if matches(pattern, alias) => Some(&name[..]),
            _ => None,
        })
    }

    pub fn is_blacklisted(&self, name: &[u8]) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Blacklist(other) if other == name))
    }

    /// The options of a module, with blanks between.
    pub fn options(&self, name: &[u8]) -> Vec<u8> {
        let of_module = |line: &'_ Line| match line {
            Line::Options(other, options) if other == name => Some(options.clone()),
            _ => None,
        };
        self.lines.iter().filter_map(of_module).collect::<Vec<_>>().join(&b' ')
    }

    /// The command that is run instead of loading the module, or of removing it.
    pub fn command(&self, name: &[u8], removes: bool) -> Option<&[u8]> {
        self.lines.iter().find_map(|line| match line {
            Line::Install(other, command) if other == name && !removes => Some(&command[..]),
            Line::Remove(other, command) if other == name && removes => Some(&command[..]),
            _ => None,
        })
    }

    /// The modules that are to be loaded before and after it, where there are such.
    pub fn soft_dependencies(&self, name: &[u8]) -> [Vec<Vec<u8>>; 2] {
        let mut both = [Vec::new(), Vec::new()];
        for line in &self.lines {
            if let Line::SoftDependency(other, [before, after]) = line
                && other == name
            {
                both[0].extend_from_slice(before);
                both[1].extend_from_slice(after);
            }
        }
        both
    }
}

impl Line {
    /// `None` for comments, and for lines of a newer program.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = words(line);
        let (kind, name) = (fields.next()?, fields.next()?);
        let name = underscored(name);
        let rest = fields.collect::<Vec<_>>();
        let joined = || rest.join(&b' ');
        Some(match kind {
            b"alias" => Self::Alias(name, underscored(rest.first()?)),
            b"blacklist" => Self::Blacklist(name),
            b"options" => Self::Options(name, joined()),
            b"install" => Self::Install(name, joined()),
            b"remove" => Self::Remove(name, joined()),
            b"softdep" => {
                let (mut both, mut at) = ([Vec::new(), Vec::new()], 0);
                for word in rest {
                    match word {
                        b"pre:" => at = 0,
                        b"post:" => at = 1,
                        name => both[at].push(underscored(name)),
                    }
                }
                Self::SoftDependency(name, both)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let mut config = Config::default();
        config.parse(
            b"# options x no\nalias a-* real-one\nblacklist bad\noptions real_one p=1 \\\n q=2\noptions real-one r\n\
              install net echo \"$X\"  y\nremove net :\nsoftdep one pre: a-b c post: d\nstrange x\nalias\n",
        );
        config.parse_command_line(b"quiet real_one.s=3 modprobe.blacklist=x-y,z root=/dev/a.b net.ifnames=0");
        assert_eq!(config.aliases(b"a_b").collect::<Vec<_>>(), [b"real_one"]);
        assert!(config.is_blacklisted(b"bad") && config.is_blacklisted(b"x_y") && !config.is_blacklisted(b"real_one"));
        assert_eq!(config.options(b"real_one"), b"p=1 q=2 r s=3");
        assert_eq!(
            (config.command(b"net", false), config.command(b"net", true)),
            (Some(&b"echo \"$X\" y"[..]), Some(&b":"[..]))
        );
        assert_eq!(config.soft_dependencies(b"one"), [vec![b"a_b".to_vec(), b"c".to_vec()], vec![b"d".to_vec()]]);
    }
}
