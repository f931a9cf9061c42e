//! Stages `initramfs` and `tar`: the same tree as an archive; compressed with gzip when the name ends in `.gz` or `.tgz`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cache;
use crate::manifest::{Kind, Manifest, Node};
use crate::output::Output;
use crate::stage::{Stage, human_size};

/// The options of an archive.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "archive-options")]
pub struct Options {
    /// The archive to write; a name that ends in .gz or .tgz is compressed [default: target/rbox.cpio.gz or target/rbox.tar.gz]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Time stamp of everything in the archive, in seconds since 1970
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS", default_value_t = 1_767_225_600)]
    pub epoch: u32,
}

/// The format of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// newc, as the kernel takes it (Documentation/driver-api/early-userspace/buffer-format.rst).
    Cpio,
    /// ustar, POSIX.1 pax.
    Tar,
}

/// Writes the archive and returns its path.
pub fn build(options: &Options, format: Format, tree: &Manifest) -> Result<PathBuf> {
    let (name, usual) = match format {
        Format::Cpio => ("initramfs", "target/rbox.cpio.gz"),
        Format::Tar => ("tar", "target/rbox.tar.gz"),
    };
    let stage = Stage::begin(name);
    let target = options.output.clone().unwrap_or_else(|| usual.into());
    let output = Output::create(&target)?;
    let packed = target.extension().is_some_and(|ending| ending == "gz" || ending == "tgz");
    let writer = BufWriter::new(&output.file);
    if packed {
        // No name and no time in the header: the same tree gives the same bytes.
        let mut encoder = GzEncoder::new(writer, Compression::best());
        write(&mut encoder, format, tree, options.epoch)?;
        encoder.finish()?.flush()?;
    } else {
        let mut writer = writer;
        write(&mut writer, format, tree, options.epoch)?;
        writer.flush()?;
    }
    let size = output.file.metadata()?.len();
    output.finish()?;
    stage.end(&format!(
        "{} ({})\n{:<10} sha256 {}",
        target.display(),
        human_size(size),
        "",
        cache::sha256_file(&target)?
    ));
    Ok(target)
}

fn write(output: &mut dyn Write, format: Format, tree: &Manifest, epoch: u32) -> Result<()> {
    match format {
        Format::Cpio => write_cpio(output, tree, epoch),
        Format::Tar => write_tar(output, tree, epoch),
    }
}

/// The contents that follow a cpio header: a link's target counts as contents.
fn contents(node: &Node) -> &[u8] {
    match &node.kind {
        Kind::File(bytes) | Kind::Symlink(bytes) => bytes,
        _ => b"",
    }
}

fn device(node: &Node) -> (u32, u32) {
    match node.kind {
        Kind::Character(major, minor) | Kind::Block(major, minor) => (major, minor),
        _ => (0, 0),
    }
}

fn write_cpio(output: &mut dyn Write, tree: &Manifest, epoch: u32) -> Result<()> {
    let mut number = 0;
    for (path, node) in tree.iter().filter(|(path, _)| !path.is_empty()) {
        number += 1;
        write_cpio_entry(output, path, node, number, epoch)?;
    }
    let trailer = Node::new(Kind::Fifo, 0);
    write_cpio_header(output, b"TRAILER!!!", &trailer, 0, 0, 0)
}

fn write_cpio_entry(output: &mut dyn Write, path: &[u8], node: &Node, number: u32, epoch: u32) -> Result<()> {
    let mode = node.type_bits() | node.mode;
    write_cpio_header(output, path, node, mode, number, epoch)?;
    let bytes = contents(node);
    output.write_all(bytes)?;
    output.write_all(&[0; 4][..bytes.len().next_multiple_of(4) - bytes.len()])?;
    Ok(())
}

fn write_cpio_header(
    output: &mut dyn Write,
    path: &[u8],
    node: &Node,
    mode: u32,
    number: u32,
    epoch: u32,
) -> Result<()> {
    let links = if node.kind == Kind::Directory { 2 } else { 1 };
    let size = u32::try_from(node.size()).context("a file past 4 GiB")?;
    let (major, minor) = device(node);
    let fields = [number, mode, node.uid, node.gid, links, epoch, size, 0, 0, major, minor, path.len() as u32 + 1, 0];
    let mut header = b"070701".to_vec();
    for field in fields {
        write!(header, "{field:08X}")?;
    }
    header.extend(path);
    header.push(0);
    header.resize(header.len().next_multiple_of(4), 0);
    output.write_all(&header)?;
    Ok(())
}

fn write_tar(output: &mut dyn Write, tree: &Manifest, epoch: u32) -> Result<()> {
    for (path, node) in tree.iter() {
        output.write_all(&tar_header(path, node, epoch)?)?;
        if let Kind::File(bytes) = &node.kind {
            output.write_all(bytes)?;
            output.write_all(&[0; 512][..bytes.len().next_multiple_of(512) - bytes.len()])?;
        }
    }
    output.write_all(&[0; 1024])?;
    Ok(())
}

fn tar_header(path: &[u8], node: &Node, epoch: u32) -> Result<[u8; 512]> {
    let mut raw = [0; 512];
    let show = || String::from_utf8_lossy(path).into_owned();
    let mut name = b"./".to_vec();
    name.extend(path);
    if node.kind == Kind::Directory && !path.is_empty() {
        name.push(b'/');
    }
    let (prefix, name) = split_name(&name).with_context(|| format!("{}: name too long", show()))?;
    raw[..name.len()].copy_from_slice(name);
    raw[345..345 + prefix.len()].copy_from_slice(prefix);
    let (kind, size) = match &node.kind {
        Kind::File(bytes) => (b'0', bytes.len()),
        Kind::Symlink(target) => {
            ensure!(target.len() <= 100, "{}: target too long", show());
            raw[157..157 + target.len()].copy_from_slice(target);
            (b'2', 0)
        }
        Kind::Character(..) => (b'3', 0),
        Kind::Block(..) => (b'4', 0),
        Kind::Directory => (b'5', 0),
        Kind::Fifo => (b'6', 0),
    };
    let (major, minor) = device(node);
    let octal = [
        (100, 7, u64::from(node.mode)),
        (108, 7, u64::from(node.uid)),
        (116, 7, u64::from(node.gid)),
        (124, 11, size as u64),
        (136, 11, u64::from(epoch)),
        (329, 7, u64::from(major)),
        (337, 7, u64::from(minor)),
    ];
    for (at, width, value) in octal {
        let digits = format!("{value:0width$o}");
        ensure!(digits.len() == width, "{}: a number is too large", show());
        raw[at..at + width].copy_from_slice(digits.as_bytes());
    }
    raw[156] = kind;
    raw[257..265].copy_from_slice(b"ustar\x0000");
    if node.uid == 0 {
        raw[265..269].copy_from_slice(b"root");
    }
    if node.gid == 0 {
        raw[297..301].copy_from_slice(b"root");
    }
    // The sum is taken with spaces in its own field.
    raw[148..156].fill(b' ');
    let sum: u32 = raw.iter().map(|byte| u32::from(*byte)).sum();
    raw[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    Ok(raw)
}

/// Cuts a long name at a slash into ustar's prefix (155 bytes) and name (100 bytes).
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    (1..name.len().min(156))
        .rev()
        .find(|at| name[*at] == b'/' && (1..=100).contains(&(name.len() - at - 1)))
        .map(|at| (&name[..at], &name[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn tree() -> Manifest {
        let mut tree = Manifest::new();
        tree.put(b"a/file", Node::new(Kind::File(b"hello".to_vec()), 0o4755)).unwrap();
        tree.put(b"a/link", Node::new(Kind::Symlink(b"file".to_vec()), 0o777)).unwrap();
        tree.apply_table("c /dev/null 0666 0 5 1 3\n").unwrap();
        let long = format!("{}/{}/f", "d".repeat(90), "e".repeat(90));
        tree.put(long.as_bytes(), Node::new(Kind::File(Vec::new()), 0o644)).unwrap();
        tree
    }

    fn pack(format: Format) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, format, &tree(), 1_700_000_000).unwrap();
        bytes
    }

    #[test]
    fn a_cpio_entry_has_the_bytes_of_newc() {
        let bytes = pack(Format::Cpio);
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(&bytes[6..22], b"00000001000041ED");
        assert_eq!(&bytes[110..112], b"a\0");
        assert!(bytes.len().is_multiple_of(4));
        let at = bytes.windows(10).position(|w| w == b"TRAILER!!!").unwrap();
        assert_eq!((at + 11).next_multiple_of(4), bytes.len());
    }

    #[test]
    fn tar_reads_its_archive() {
        let mut child = match Command::new("tar")
            .arg("tvf")
            .arg("-")
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        {
            Ok(child) => child,
            Err(_) => return,
        };
        child.stdin.take().unwrap().write_all(&pack(Format::Tar)).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert!(text.contains("-rwsr-xr-x root/root         5 2023-11-14 22:13 ./a/file\n"), "{text}");
        assert!(text.contains("./a/link -> file\n"), "{text}");
        assert!(text.contains("1,3 2023-11-14 22:13 ./dev/null\n"), "{text}");
        assert!(text.contains(&format!("./{}/{}/f\n", "d".repeat(90), "e".repeat(90))));
    }
}
