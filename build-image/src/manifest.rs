//! The image's tree in memory: type, owner, mode and contents of each path.
//!
//! There is no staging directory, so owners, set-user-ID bits and device nodes need no privilege, and the umask of the build has no
//! effect. The tree is sorted by path, so a directory comes before its entries.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result, bail, ensure};

/// The type of a path, with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    /// A regular file and its contents.
    File(Vec<u8>),
    /// A symbolic link and its target.
    Symlink(Vec<u8>),
    /// A character device: major, minor.
    Character(u32, u32),
    /// A block device: major, minor.
    Block(u32, u32),
    Fifo,
}

/// One path of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky: 0 to 0o7777.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Node {
    /// A node that belongs to root.
    pub fn new(kind: Kind, mode: u32) -> Self {
        Self { kind, mode, uid: 0, gid: 0 }
    }

    /// The file type bits of st_mode.
    pub fn type_bits(&self) -> u32 {
        match self.kind {
            Kind::Fifo => 0o010_000,
            Kind::Character(..) => 0o020_000,
            Kind::Directory => 0o040_000,
            Kind::Block(..) => 0o060_000,
            Kind::File(_) => 0o100_000,
            Kind::Symlink(_) => 0o120_000,
        }
    }

    /// The length of the contents or of the link's target, in bytes; 0 for other types.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(bytes) | Kind::Symlink(bytes) => bytes.len() as u64,
            _ => 0,
        }
    }
}

/// The whole tree. Paths have no slash at either end; the root is the empty path.
#[derive(Clone, Debug)]
pub struct Manifest {
    nodes: BTreeMap<Vec<u8>, Node>,
}

impl Manifest {
    /// A tree of nothing but a root directory.
    pub fn new() -> Self {
        let root = Node::new(Kind::Directory, 0o755);
        Self { nodes: BTreeMap::from([(Vec::new(), root)]) }
    }

    /// Sets the node at a path, in place of an earlier one. Creates missing parent directories with mode 0755, owned by root. Fails for
    /// a path that `clean` refuses, or below a file.
    pub fn put(&mut self, path: &[u8], node: Node) -> Result<()> {
        let path = clean(path)?;
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = self.nodes.entry(path[..at].to_vec()).or_insert_with(|| Node::new(Kind::Directory, 0o755));
            ensure!(
                above.kind == Kind::Directory,
                "{}: not a directory, but {} lies in it",
                show(&path[..at]),
                show(&path)
            );
        }
        if let Some(old) = self.nodes.get(&path) {
            let directory = Kind::Directory;
            ensure!(
                (old.kind == directory) == (node.kind == directory) || !self.has_children(&path),
                "{}: a directory that is not empty cannot be replaced",
                show(&path)
            );
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    fn has_children(&self, path: &[u8]) -> bool {
        let mut prefix = path.to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        self.nodes.range(prefix.clone()..).any(|(below, _)| below.len() > prefix.len() && below.starts_with(&prefix))
    }

    /// The node at a path.
    pub fn get(&self, path: &[u8]) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// The node at a path, to be changed.
    pub fn get_mut(&mut self, path: &[u8]) -> Option<&mut Node> {
        self.nodes.get_mut(path)
    }

    /// Removes a path.
    pub fn remove(&mut self, path: &[u8]) {
        self.nodes.remove(path);
    }

    /// Every path and its node, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_slice(), node))
    }

    /// The number of paths, with the root.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Applies a table of lines `TYPE PATH MODE UID GID [TARGET | MAJOR MINOR]`. Fails with the line that is wrong.
    ///
    /// Types are d, f, l, c, b and p. An `f` line sets mode and owner of a file that the tree already has.
    pub fn apply_table(&mut self, table: &str) -> Result<()> {
        for (number, line) in table.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.apply_line(line).with_context(|| format!("table, line {}: {line}", number + 1))?;
        }
        Ok(())
    }

    fn apply_line(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        ensure!(words.len() >= 5, "too few fields");
        let mode = u32::from_str_radix(words[2], 8).context("bad mode")?;
        ensure!(mode <= 0o7777, "bad mode");
        let (uid, gid) = (words[3].parse()?, words[4].parse()?);
        let device = || -> Result<(u32, u32)> {
            ensure!(words.len() == 7, "a device has a major and a minor number");
            let (major, minor) = (words[5].parse()?, words[6].parse()?);
            ensure!(major < 256 && minor < 256, "device number past 255");
            Ok((major, minor))
        };
        let plain = words.len() == 5;
        let kind = match words[0] {
            "d" if plain => Kind::Directory,
            "p" if plain => Kind::Fifo,
            "l" if words.len() == 6 => Kind::Symlink(words[5].as_bytes().to_vec()),
            "c" => device().map(|(major, minor)| Kind::Character(major, minor))?,
            "b" => device().map(|(major, minor)| Kind::Block(major, minor))?,
            "f" if plain => match self.nodes.get(&clean(words[1].as_bytes())?) {
                Some(node) if matches!(node.kind, Kind::File(_)) => node.kind.clone(),
                _ => bail!("no such file in the tree"),
            },
            _ => bail!("bad type or number of fields"),
        };
        let node = Node { kind, mode, uid, gid };
        self.put(words[1].as_bytes(), node)
    }

    /// Prints one line for each path: type and mode, owner, size or device, path, target.
    pub fn list(&self, output: &mut dyn Write) -> std::io::Result<()> {
        for (path, node) in self.iter() {
            let (kind, size) = match &node.kind {
                Kind::Directory => ('d', String::new()),
                Kind::File(bytes) => ('-', bytes.len().to_string()),
                Kind::Symlink(_) => ('l', String::new()),
                Kind::Character(major, minor) => ('c', format!("{major},{minor}")),
                Kind::Block(major, minor) => ('b', format!("{major},{minor}")),
                Kind::Fifo => ('p', String::new()),
            };
            let owner = format!("{}:{}", node.uid, node.gid);
            write!(output, "{kind}{:04o} {owner:<7} {size:>9} /", node.mode)?;
            output.write_all(path)?;
            if let Kind::Symlink(target) = &node.kind {
                output.write_all(b" -> ")?;
                output.write_all(target)?;
            }
            output.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// A path without slashes at its ends. Fails for components `.` and `..` and empty ones.
fn clean(path: &[u8]) -> Result<Vec<u8>> {
    let mut parts = Vec::new();
    for part in path.split(|byte| *byte == b'/').filter(|p| !p.is_empty()) {
        ensure!(part != b"." && part != b".." && part.len() <= 255 && !part.contains(&0), "{}: bad path", show(path));
        parts.push(part);
    }
    Ok(parts.join(&b'/'))
}

/// A path for a message.
fn show(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_makes_directories_devices_and_links() {
        let mut tree = Manifest::new();
        tree.put(b"etc/shadow", Node::new(Kind::File(b"x".to_vec()), 0o644)).unwrap();
        tree.apply_table(
            "# comment\n\nd /tmp 1777 0 0\nc /dev/null 0666 0 5 1 3\nl /var/run 0777 0 0 ../run\nf /etc/shadow 0600 0 0\n",
        )
        .unwrap();
        assert_eq!(tree.get(b"tmp").unwrap().mode, 0o1777);
        let null = tree.get(b"dev/null").unwrap();
        assert_eq!((&null.kind, null.gid), (&Kind::Character(1, 3), 5));
        assert_eq!(tree.get(b"var/run").unwrap().kind, Kind::Symlink(b"../run".to_vec()));
        let shadow = tree.get(b"etc/shadow").unwrap();
        assert_eq!((&shadow.kind, shadow.mode), (&Kind::File(b"x".to_vec()), 0o600));
        assert_eq!(tree.get(b"dev").unwrap().kind, Kind::Directory);
    }

    #[test]
    fn a_bad_table_line_is_refused_with_its_number() {
        for line in [
            "d /x 999 0 0",
            "d /x 0755 0",
            "f /none 0644 0 0",
            "c /dev/x 0600 0 0 1",
            "c /dev/x 0600 0 0 1 256",
            "q /x 0755 0 0",
            "d /../x 0755 0 0",
            "l /x 0777 0 0",
        ] {
            let text = Manifest::new().apply_table(&format!("\n{line}")).unwrap_err().to_string();
            assert_eq!(text, format!("table, line 2: {line}"));
        }
    }

    #[test]
    fn a_file_cannot_hold_a_file() {
        let mut tree = Manifest::new();
        tree.put(b"a", Node::new(Kind::File(Vec::new()), 0o644)).unwrap();
        assert!(tree.put(b"a/b", Node::new(Kind::Fifo, 0o644)).is_err());
        tree.put(b"d/e", Node::new(Kind::Fifo, 0o644)).unwrap();
        assert!(tree.put(b"d", Node::new(Kind::Fifo, 0o644)).is_err());
    }

    #[test]
    fn lists_a_directory_before_its_contents() {
        let mut tree = Manifest::new();
        tree.put(b"/b/c", Node::new(Kind::File(b"12".to_vec()), 0o4755)).unwrap();
        tree.put(b"l", Node::new(Kind::Symlink(b"b/c".to_vec()), 0o777)).unwrap();
        let mut text = Vec::new();
        tree.list(&mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "d0755 0:0               /\nd0755 0:0               /b\n-4755 0:0             2 /b/c\nl0777 0:0               /l -> b/c\n"
        );
    }
}
