//! Stage `rootfs`: the manifest of the root tree, from `filesystem/`, a table, the rbox binary and the user's overlays.

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::keymap;
use crate::manifest::{Kind, Manifest, Node};
use crate::stage::{Stage, human_size};

/// Modes, owners, empty directories and device nodes that a checkout cannot hold.
const TABLE: &str = include_str!("../filesystem.table");

/// The path of the binary in the image; each applet is a symbolic link to it.
const BINARY: &str = "bin/rbox";

/// The options of the tree.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "rootfs-options")]
pub struct Options {
    /// The static rbox binary
    #[arg(long, value_name = "FILE", default_value = "target/rbox")]
    pub rbox: PathBuf,
    /// The program that wget starts for https; empty for none
    #[arg(long, value_name = "FILE", default_value = "target/ssl_client")]
    pub ssl_client: PathBuf,
    /// The directory with the image's plain files
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../filesystem"))]
    pub filesystem: PathBuf,
    /// Directory whose files are added, owned by root; may be given several times
    #[arg(long, value_name = "DIR")]
    pub overlay: Vec<PathBuf>,
    /// Name of the machine
    #[arg(long, value_name = "NAME", default_value = "rbox")]
    pub hostname: String,
    /// Keymap of the screen's consoles: a file of usr/share/keymaps without its ending; empty for the kernel's own (US)
    #[arg(long, value_name = "NAME", default_value = "")]
    pub keymap: String,
    /// Hash of root's password, as crypt(5) has it; empty for none
    #[arg(long, value_name = "HASH", default_value = "")]
    pub root_password: String,
}

impl Options {
    /// The usual tree with these directories over it.
    pub fn with_overlay(overlay: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            rbox: "target/rbox".into(),
            ssl_client: "target/ssl_client".into(),
            filesystem: concat!(env!("CARGO_MANIFEST_DIR"), "/../filesystem").into(),
            overlay: overlay.into_iter().collect(),
            hostname: "rbox".into(),
            keymap: String::new(),
            root_password: String::new(),
        }
    }
}

/// Builds the manifest.
pub fn build(options: &Options) -> Result<Manifest> {
    let stage = Stage::begin("rootfs");
    let mut tree = Manifest::new();
    add_directory(&mut tree, &options.filesystem, &[])?;
    compile_keymaps(&mut tree)?;
    tree.apply_table(TABLE)?;
    let applets = add_rbox(&mut tree, &options.rbox)?;
    if !options.ssl_client.as_os_str().is_empty() {
        let show = || format!("{}: `make rbox` builds it", options.ssl_client.display());
        let bytes = fs::read(&options.ssl_client).with_context(show)?;
        tree.put(b"usr/bin/ssl_client", Node::new(Kind::File(bytes), 0o755))?;
    }
    configure(&mut tree, options)?;
    for overlay in &options.overlay {
        add_directory(&mut tree, overlay, &[])?;
    }
    let bytes: u64 = tree.iter().map(|(_, node)| node.size()).sum();
    stage.end(&format!("{} paths, {applets} of them applets, {}", tree.len(), human_size(bytes)));
    Ok(tree)
}

/// Adds a directory of the host below `prefix`: root's, 0755 or 0644 by the executable bit, so that the umask has no effect.
fn add_directory(tree: &mut Manifest, directory: &Path, prefix: &[u8]) -> Result<()> {
    let show = || directory.display().to_string();
    for entry in fs::read_dir(directory).with_context(show)? {
        let entry = entry.with_context(show)?;
        let path = entry.path();
        let mut inside = prefix.to_vec();
        if !prefix.is_empty() {
            inside.push(b'/');
        }
        inside.extend(entry.file_name().as_bytes());
        let meta = entry.metadata().with_context(|| path.display().to_string())?;
        if meta.is_dir() {
            if !matches!(tree.get(&inside), Some(node) if node.kind == Kind::Directory) {
                tree.put(&inside, Node::new(Kind::Directory, 0o755))?;
            }
            add_directory(tree, &path, &inside)?;
        } else if meta.is_symlink() {
            let target = fs::read_link(&path)?.into_os_string().into_vec();
            tree.put(&inside, Node::new(Kind::Symlink(target), 0o777))?;
        } else if meta.is_file() {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let executable = meta.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o755 } else { 0o644 };
            // A file that the table made private stays private when an overlay replaces it.
            let mode = match tree.get(&inside) {
                Some(old) if matches!(old.kind, Kind::File(_)) => old.mode,
                _ => mode,
            };
            tree.put(&inside, Node::new(Kind::File(bytes), mode))?;
        } else {
            bail!("{}: neither file, directory nor symbolic link", path.display());
        }
    }
    Ok(())
}

/// Replaces every readable keymap by its binary form.
fn compile_keymaps(tree: &mut Manifest) -> Result<()> {
    let mut compiled = Vec::new();
    for (path, node) in tree.iter() {
        if let (Some(stem), Kind::File(source)) = (keymap_stem(path), &node.kind) {
            let name = String::from_utf8_lossy(path).into_owned();
            let source = std::str::from_utf8(source).with_context(|| name.clone())?;
            compiled.push((path.to_vec(), stem, keymap::compile(source).context(name)?));
        }
    }
    for (path, stem, bytes) in compiled {
        tree.remove(&path);
        let binary = [&stem, b".bmap".as_slice()].concat();
        tree.put(&binary, Node::new(Kind::File(bytes), 0o644))?;
    }
    Ok(())
}

fn keymap_stem(path: &[u8]) -> Option<Vec<u8>> {
    path.strip_suffix(b".map").filter(|stem| stem.starts_with(b"usr/share/keymaps/")).map(<[u8]>::to_vec)
}

/// Adds the binary and one symbolic link for each line of its `--list-full`; returns their number.
fn add_rbox(tree: &mut Manifest, binary: &Path) -> Result<usize> {
    let show = || binary.display().to_string();
    let bytes = fs::read(binary).with_context(|| format!("{}: `make rbox` builds it", binary.display()))?;
    ensure!(bytes.starts_with(b"\x7fELF"), "{}: not a program", binary.display());
    // A name without a slash would be searched for in PATH.
    let program = fs::canonicalize(binary).with_context(show)?;
    let output = Command::new(program).arg("--list-full").output().with_context(show)?;
    ensure!(
        output.status.success(),
        "{} --list-full: {}",
        binary.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    tree.put(BINARY.as_bytes(), Node::new(Kind::File(bytes), 0o755))?;
    let target = [b"/", BINARY.as_bytes()].concat();
    let mut count = 0;
    for line in output.stdout.split(|byte| *byte == b'\n') {
        if line.is_empty() || line == BINARY.as_bytes() {
            continue;
        }
        tree.put(line, Node::new(Kind::Symlink(target.clone()), 0o777))?;
        count += 1;
    }
    ensure!(count > 0, "{} --list-full: no applets", binary.display());
    Ok(count)
}

/// Writes the user's choices into the tree.
fn configure(tree: &mut Manifest, options: &Options) -> Result<()> {
    let name = &options.hostname;
    // RFC 1123 2.1: letters, digits, hyphens; dots between labels.
    ensure!(
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
        "{name}: bad host name"
    );
    let file = |text: String| Node::new(Kind::File(text.into_bytes()), 0o644);
    tree.put(b"etc/hostname", file(format!("{name}\n")))?;
    edit(tree, "etc/hosts", |line| match line.split_once('\t') {
        Some(("127.0.1.1", _)) => format!("127.0.1.1\t{name}"),
        _ => line.to_owned(),
    })?;
    let hash = &options.root_password;
    // crypt(5): with a string that is no hash nobody could log in. `!` and `*` mean that (shadow(5)).
    let is_hash = hash.starts_with('$') && hash.matches('$').count() >= 3 && !hash.contains([':', '\n']);
    ensure!(
        is_hash || ["", "!", "*"].contains(&hash.as_str()),
        "--root-password takes a hash, as mkpasswd prints it, not the password"
    );
    edit(tree, "etc/shadow", |line| match line.strip_prefix("root:") {
        Some(rest) => match rest.split_once(':') {
            Some((_, rest)) => format!("root:{hash}:{rest}"),
            None => line.to_owned(),
        },
        None => line.to_owned(),
    })?;
    let map = &options.keymap;
    if !map.is_empty() {
        let path = format!("usr/share/keymaps/{map}.bmap");
        ensure!(tree.get(path.as_bytes()).is_some(), "{map}: no such keymap in usr/share/keymaps");
        tree.put(b"etc/keymap", file(format!("{map}\n")))?;
    }
    Ok(())
}

/// Passes each line of a text file of the tree through `change`.
fn edit(tree: &mut Manifest, path: &str, change: impl Fn(&str) -> String) -> Result<()> {
    let node = tree.get_mut(path.as_bytes()).with_context(|| format!("/{path}: not in the tree"))?;
    if let Kind::File(bytes) = &mut node.kind {
        let text = std::str::from_utf8(bytes).with_context(|| format!("/{path}"))?;
        *bytes = text.lines().map(|line| change(line) + "\n").collect::<String>().into_bytes();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            rbox: PathBuf::new(),
            ssl_client: PathBuf::new(),
            filesystem: concat!(env!("CARGO_MANIFEST_DIR"), "/../filesystem").into(),
            overlay: Vec::new(),
            hostname: "box1".into(),
            keymap: "be-latin1".into(),
            root_password: "$6$salt$hash".into(),
        }
    }

    fn tree() -> Manifest {
        let mut tree = Manifest::new();
        add_directory(&mut tree, &options().filesystem, &[]).unwrap();
        compile_keymaps(&mut tree).unwrap();
        tree.apply_table(TABLE).unwrap();
        tree
    }

    fn text(tree: &Manifest, path: &str) -> String {
        match &tree.get(path.as_bytes()).unwrap().kind {
            Kind::File(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            _ => panic!("{path}: not a file"),
        }
    }

    #[test]
    fn the_choices_reach_the_files() {
        let mut tree = tree();
        configure(&mut tree, &options()).unwrap();
        assert_eq!(text(&tree, "etc/hostname"), "box1\n");
        assert!(text(&tree, "etc/hosts").contains("\n127.0.1.1\tbox1\n"));
        assert!(text(&tree, "etc/shadow").starts_with("root:$6$salt$hash:20000:"));
        assert_eq!(text(&tree, "etc/keymap"), "be-latin1\n");
    }

    #[test]
    fn keymaps_are_compiled_and_their_source_stays_out() {
        let tree = tree();
        assert!(tree.get(b"usr/share/keymaps/be-latin1.map").is_none());
        for name in ["us", "uk", "de", "fr", "be-latin1", "es", "it", "dvorak"] {
            let map = &tree.get(format!("usr/share/keymaps/{name}.bmap").as_bytes()).unwrap().kind;
            assert!(matches!(map, Kind::File(bytes) if bytes.starts_with(b"bkeymap")), "{name}");
        }
    }

    #[test]
    fn bad_choices_are_refused() {
        for change in [
            |o: &mut Options| o.hostname = "a b".into(),
            |o: &mut Options| o.hostname = String::new(),
            |o: &mut Options| o.keymap = "nowhere".into(),
            |o: &mut Options| o.root_password = "$6$a:b$c".into(),
            |o: &mut Options| o.root_password = "hello".into(),
        ] {
            let mut options = options();
            change(&mut options);
            assert!(configure(&mut tree(), &options).is_err());
        }
    }

    #[test]
    fn scripts_are_executable_and_secrets_are_private() {
        let tree = tree();
        let mode = |path: &str| tree.get(path.as_bytes()).unwrap().mode;
        for script in [
            "etc/init.d/startup",
            "etc/init.d/shutdown",
            "etc/init.d/klogd/run",
            "usr/share/udhcpc/default.script",
            "usr/share/udhcpc/default6.script",
        ] {
            assert_eq!(mode(script), 0o755, "{script}");
        }
        assert_eq!(mode("etc/shadow"), 0o600);
        assert_eq!(mode("tmp"), 0o1777);
    }
}
