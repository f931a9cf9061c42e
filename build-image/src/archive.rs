//! Stages `initramfs` and `tar`: the same tree as an archive; compressed with gzip when the name ends in `.gz` or `.tgz`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use rbox_core::archive::{Entry, cpio, tar};
use rbox_core::time::Moment;

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

/// Writes the tree in a format, without compression.
pub fn write(output: &mut dyn Write, format: Format, tree: &Manifest, epoch: u32) -> Result<()> {
    match format {
        Format::Cpio => write_cpio(output, tree, epoch),
        Format::Tar => write_tar(output, tree, epoch),
    }
}

/// What both formats say about a file of the tree.
fn entry(name: Vec<u8>, node: &Node, epoch: u32) -> Entry {
    let (mut size, mut target, mut device) = (0, Vec::new(), (0, 0));
    match &node.kind {
        Kind::File(bytes) => size = bytes.len() as u64,
        Kind::Symlink(to) => target.clone_from(to),
        Kind::Character(major, minor) | Kind::Block(major, minor) => device = (*major, *minor),
        Kind::Directory | Kind::Fifo => {}
    }
    let root = |id: u32| if id == 0 { b"root".to_vec() } else { Vec::new() };
    Entry {
        name,
        mode: node.type_bits() | node.mode,
        uid: node.uid,
        gid: node.gid,
        user: root(node.uid),
        group: root(node.gid),
        size,
        modified: Moment { seconds: epoch.into(), nanos: 0 },
        target,
        device,
        ..Entry::default()
    }
}

fn write_cpio(output: &mut dyn Write, tree: &Manifest, epoch: u32) -> Result<()> {
    let mut header = Vec::new();
    for (inode, (path, node)) in (1..).zip(tree.iter().filter(|(path, _)| !path.is_empty())) {
        let count = if node.kind == Kind::Directory { 2 } else { 1 };
        let links = cpio::Links { inode, count, ..cpio::Links::default() };
        header.clear();
        cpio::push_header(&mut header, &entry(path.to_vec(), node, epoch), &links, cpio::Format::Newc).map_err(say)?;
        output.write_all(&header)?;
        write_data(output, node, |size| cpio::filling(size, 4) as usize)?;
    }
    header.clear();
    cpio::push_trailer(&mut header, cpio::Format::Newc).map_err(say)?;
    output.write_all(&header)?;
    Ok(())
}

fn write_tar(output: &mut dyn Write, tree: &Manifest, epoch: u32) -> Result<()> {
    let writer = tar::Writer::new(tar::Format::Ustar);
    let mut header = Vec::new();
    for (path, node) in tree.iter() {
        let mut name = b"./".to_vec();
        name.extend(path);
        if node.kind == Kind::Directory && !path.is_empty() {
            name.push(b'/');
        }
        header.clear();
        let show = || String::from_utf8_lossy(path).into_owned();
        writer.push_header(&mut header, &entry(name, node, epoch)).map_err(say).with_context(show)?;
        output.write_all(&header)?;
        write_data(output, node, tar::padding)?;
    }
    output.write_all(&[0; 1024])?;
    Ok(())
}

/// Writes a file's data and the zeros that fill them up.
fn write_data(output: &mut dyn Write, node: &Node, padding: impl Fn(u64) -> usize) -> Result<()> {
    if let Kind::File(bytes) = &node.kind {
        output.write_all(bytes)?;
        output.write_all(&[0; 512][..padding(bytes.len() as u64)])?;
    }
    Ok(())
}

/// Compresses without a name and a time: the same contents give the same bytes.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The message of an error of core.
pub fn say(error: rbox_core::error::Error) -> anyhow::Error {
    anyhow!(String::from_utf8_lossy(error.message()).into_owned())
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
