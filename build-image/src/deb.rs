//! Stage `deb`: the package for Debian and its kin (deb(5)): rbox beside the system's own programs, not in their place.
//!
//! /usr/bin/rbox, links for all applets in /usr/lib/rbox/bin, manual pages under the names rbox-NAME, completions, and
//! alternatives of low priority for the names that Debian leaves to several packages.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rbox_core::archive::{Entry, ar};
use rbox_core::hash::{Algorithm, hex, of};
use rbox_core::time::Moment;

use crate::archive::{self, Format, gzip};
use crate::cache;
use crate::manifest::{Kind, Manifest, Node};
use crate::output::Output;
use crate::stage::{Stage, human_size};

/// The options of the package.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "deb-options")]
pub struct Options {
    /// The static rbox binary
    #[arg(long, value_name = "FILE", default_value = "target/rbox")]
    pub rbox: PathBuf,
    /// The program that wget starts for https
    #[arg(long, value_name = "FILE", default_value = "target/ssl_client")]
    pub ssl_client: PathBuf,
    /// The licence texts, as `licenses` writes them
    #[arg(long, value_name = "FILE", default_value = "target/rbox.licenses.txt")]
    pub licenses: PathBuf,
    /// The package to write [default: target/rbox_VERSION_ARCHITECTURE.deb]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Debian's name of the processor
    #[arg(long, value_name = "NAME", default_value = "amd64")]
    pub architecture: String,
    /// Time stamp of everything in the package, in seconds since 1970
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS", default_value_t = 1_767_225_600)]
    pub epoch: u32,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-1");
/// Where the links of all applets are.
const LINKS: &str = "usr/lib/rbox/bin";
/// Names in /usr/bin that Debian leaves to several packages (update-alternatives(1)), and whose link is named otherwise.
const ALTERNATIVES: [(&str, &str); 5] =
    [("awk", "awk"), ("editor", "vi"), ("nc", "nc"), ("pager", "less"), ("vi", "vi")];
const PRIORITY: u32 = 1;

/// Writes the package and returns its path.
pub fn build(options: &Options) -> Result<PathBuf> {
    let stage = Stage::begin("deb");
    let tree = tree(options)?;
    let control = control(options, &tree)?;
    let usual = || PathBuf::from(format!("target/rbox_{VERSION}_{}.deb", options.architecture));
    let target = options.output.clone().unwrap_or_else(usual);
    let mut package = b"!<arch>\n".to_vec();
    push_member(&mut package, "debian-binary", b"2.0\n", options.epoch)?;
    push_member(&mut package, "control.tar.gz", &packed(&control, options.epoch)?, options.epoch)?;
    push_member(&mut package, "data.tar.gz", &packed(&tree, options.epoch)?, options.epoch)?;
    let mut output = Output::create(&target)?;
    output.file.write_all(&package).with_context(|| target.display().to_string())?;
    output.finish()?;
    let (size, sum) = (human_size(package.len() as u64), cache::sha256_file(&target)?);
    stage.end(&format!("{} ({size})\n{:<10} sha256 {sum}", target.display(), ""));
    Ok(target)
}

fn file(bytes: Vec<u8>, mode: u32) -> Node {
    Node::new(Kind::File(bytes), mode)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{}: `make rbox` builds it", path.display()))
}

fn packed(tree: &Manifest, epoch: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    archive::write(&mut bytes, Format::Tar, tree, epoch)?;
    gzip(&bytes)
}

fn push_member(package: &mut Vec<u8>, name: &str, data: &[u8], epoch: u32) -> Result<()> {
    let entry = Entry {
        name: name.into(),
        mode: 0o100_644,
        size: data.len() as u64,
        modified: Moment { seconds: epoch.into(), nanos: 0 },
        ..Entry::default()
    };
    ar::push_header(package, &entry, &mut 0).map_err(archive::say)?;
    package.extend(data);
    package.resize(package.len().next_multiple_of(2), b'\n');
    Ok(())
}

/// What the package installs.
fn tree(options: &Options) -> Result<Manifest> {
    let mut tree = Manifest::new();
    tree.put(b"usr/bin/rbox", file(read(&options.rbox)?, 0o755))?;
    tree.put(b"usr/bin/ssl_client", file(read(&options.ssl_client)?, 0o755))?;
    let program = fs::canonicalize(&options.rbox).with_context(|| options.rbox.display().to_string())?;
    let says = |words: &[&str]| -> Result<Vec<u8>> {
        let output = Command::new(&program).args(words).output().with_context(|| program.display().to_string())?;
        ensure!(output.status.success(), "rbox {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    };
    for name in String::from_utf8(says(&["--list"])?)?.lines() {
        let link = format!("{LINKS}/{name}");
        tree.put(link.as_bytes(), Node::new(Kind::Symlink(b"../../../bin/rbox".to_vec()), 0o777))?;
    }
    for (shell, path) in [
        ("bash", "usr/share/bash-completion/completions/rbox"),
        ("zsh", "usr/share/zsh/vendor-completions/_rbox"),
        ("fish", "usr/share/fish/vendor_completions.d/rbox.fish"),
    ] {
        tree.put(path.as_bytes(), file(says(&["--completion", shell])?, 0o644))?;
    }
    let pages = std::env::temp_dir().join(format!("rbox-pages.{}", std::process::id()));
    fs::create_dir_all(&pages).with_context(|| pages.display().to_string())?;
    let added = says(&["--man", "--all", &pages.to_string_lossy()]).and_then(|_| add_pages(&mut tree, &pages));
    fs::remove_dir_all(&pages).with_context(|| pages.display().to_string())?;
    added?;
    let licences = read(&options.licenses)?;
    tree.put(b"usr/share/doc/rbox/copyright", file(licences, 0o644))?;
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    tree.put(b"usr/share/doc/rbox/changelog.gz", file(gzip(&read(&project.join("CHANGELOG.md"))?)?, 0o644))?;
    tree.put(b"usr/share/doc/rbox/README.md.gz", file(gzip(&read(&project.join("README.md"))?)?, 0o644))?;
    Ok(tree)
}

/// The pages of applets as rbox-NAME, so that they hide no other page.
fn add_pages(tree: &mut Manifest, directory: &Path) -> Result<()> {
    for section in ["man1", "man8"] {
        for entry in fs::read_dir(directory.join(section))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = if name == "rbox.1" { name } else { format!("rbox-{name}") };
            let path = format!("usr/share/man/{section}/{name}.gz");
            tree.put(path.as_bytes(), file(gzip(&fs::read(entry.path())?)?, 0o644))?;
        }
    }
    Ok(())
}

/// The control files (deb-control(5), Debian Policy 6).
fn control(options: &Options, tree: &Manifest) -> Result<Manifest> {
    let kib = tree.iter().map(|(_, node)| node.size().div_ceil(1024).max(1)).sum::<u64>();
    let text = format!(
        "Package: rbox\nVersion: {VERSION}\nArchitecture: {}\nMaintainer: The rbox project <rbox@localhost>\n\
         Installed-Size: {kib}\nSection: utils\nPriority: optional\nSuggests: ca-certificates\n\
         Description: the tools of a small Linux system in one program\n \
         rbox has the commands of BusyBox, written in Rust: shell, editors, archivers,\n \
         network clients and servers, init, and the tools of GNU, util-linux and procps\n \
         in one static binary. Links for all its commands are in /{LINKS}.\n",
        options.architecture
    );
    let mut sums = Vec::new();
    for (path, node) in tree.iter() {
        if let Kind::File(bytes) = &node.kind {
            sums.extend(hex(&of(Algorithm::Md5, &[bytes])));
            sums.extend([b"  ", path, b"\n"].concat());
        }
    }
    let mut install = String::from("#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n");
    let mut remove = String::from("#!/bin/sh\nset -e\nif [ \"$1\" != upgrade ]; then\n");
    for (name, link) in ALTERNATIVES {
        ensure!(tree.get(format!("{LINKS}/{link}").as_bytes()).is_some(), "this rbox has no {link}");
        install += &format!(
            "    update-alternatives --install /usr/bin/{name} {name} /{LINKS}/{link} {PRIORITY} \\\n        \
             --slave /usr/share/man/man1/{name}.1.gz {name}.1.gz /usr/share/man/man1/rbox-{link}.1.gz\n"
        );
        remove += &format!("    update-alternatives --remove {name} /{LINKS}/{link}\n");
    }
    let mut control = Manifest::new();
    control.put(b"control", file(text.into_bytes(), 0o644))?;
    control.put(b"md5sums", file(sums, 0o644))?;
    control.put(b"postinst", file((install + "fi\n").into_bytes(), 0o755))?;
    control.put(b"prerm", file((remove + "fi\n").into_bytes(), 0o755))?;
    Ok(control)
}
