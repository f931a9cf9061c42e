//! Stage `disk`: one file with partition table, GRUB and an ext4 root; the same inputs give the same bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cache;
use crate::ext4;
use crate::grub;
use crate::manifest::{Kind, Manifest, Node};
use crate::mbr::{self, SECTOR};
use crate::output::Output;
use crate::stage::{Stage, human_size};

/// The usual disk signature: RBOX in ASCII.
pub const SIGNATURE: u32 = 0x5242_4f58;

/// The options of the disk.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "disk-options")]
pub struct Options {
    /// The disk image to write
    #[arg(long, short, value_name = "FILE", default_value = "target/rbox.img")]
    pub output: PathBuf,
    /// Size of the disk, with K, M or G
    #[arg(long, value_name = "SIZE", default_value = "100M", value_parser = parse_size)]
    pub size: u64,
    /// Label of the filesystem
    #[arg(long, value_name = "NAME", default_value = "rbox")]
    pub label: String,
    /// Kernel command line after root=
    #[arg(long, value_name = "TEXT", default_value = "quiet console=tty0 console=ttyS0,115200")]
    pub command_line: String,
    /// Disk signature, eight hexadecimal digits; the kernel finds its root by it
    #[arg(long, value_name = "HEX", default_value = "52424f58", value_parser = parse_signature)]
    pub signature: u32,
    /// Time stamp of everything in the image, in seconds since 1970
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS", default_value_t = 1_767_225_600)]
    pub epoch: u32,
    /// Leave GRUB out: the image then starts only with a kernel from outside (`run --kernel`)
    #[arg(long)]
    pub no_grub: bool,
}

/// A size in bytes with an optional binary suffix.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "a number with K, M or G is expected".to_owned())
}

fn parse_signature(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 16) {
        Ok(0) | Err(_) => Err("hexadecimal digits, not all zero, are expected".to_owned()),
        Ok(signature) => Ok(signature),
    }
}

/// The kernel's command line: where the root is, then what the user wants.
pub fn command_line(signature: u32, rest: &str) -> String {
    format!("root=PARTUUID={signature:08x}-01 rootwait {rest}").trim_end().to_owned()
}

/// Writes the disk; returns its sha256.
pub fn build(options: &Options, mut tree: Manifest, kernel: &Path) -> Result<String> {
    let stage = Stage::begin("disk");
    let image = std::fs::read(kernel).with_context(|| kernel.display().to_string())?;
    // The x86 boot protocol: "HdrS" at 0x202 of a bzImage.
    ensure!(image.get(0x202..0x206) == Some(b"HdrS"), "{}: not a bzImage", kernel.display());
    let file = |bytes| Node::new(Kind::File(bytes), 0o644);
    tree.put(b"boot/bzImage", file(image))?;
    let line = command_line(options.signature, &options.command_line);
    if !options.no_grub {
        let configuration = grub::configuration("rbox", &line);
        tree.put(b"boot/grub/grub.cfg", file(configuration.into_bytes()))?;
    }
    let start = u64::from(mbr::FIRST) * SECTOR;
    let blocks = options.size.saturating_sub(start) / 4096;
    let sectors = u32::try_from(blocks * 8).context("the disk is past 2 TiB")?;
    ensure!(sectors > 0, "--size is too small for a partition");
    let output = Output::create(&options.output)?;
    output.file.set_len(start + blocks * 4096)?;
    let params = ext4::Params { label: &options.label, uuid: uuid(options), time: options.epoch };
    let used = ext4::write(&output.file, start, blocks * 4096, &tree, &params)?;
    if options.no_grub {
        let mut sector = [0; 512];
        mbr::write(&mut sector, options.signature, sectors);
        std::os::unix::fs::FileExt::write_all_at(&output.file, &sector, 0)?;
    } else {
        grub::install(&output.file, options.signature, sectors)?;
    }
    output.finish()?;
    let digest = cache::sha256_file(&options.output)?;
    stage.end(&format!(
        "{} ({}, {} in use)\n{:<10} sha256 {digest}",
        options.output.display(),
        human_size(options.size),
        human_size(used),
        ""
    ));
    Ok(digest)
}

/// An identifier of the filesystem that depends on nothing but the choices (RFC 9562, version 8).
fn uuid(options: &Options) -> [u8; 16] {
    let text = format!("rbox {} {:08x}", options.label, options.signature);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&cache::digest(text.as_bytes())[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_binary_suffixes() {
        assert_eq!(parse_size("100M"), Ok(104_857_600));
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size("1g"), Ok(1 << 30));
        for bad in ["", "M", "1T", "-1M", "99999999999G"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_root_is_named_by_the_signature() {
        assert_eq!(command_line(0x0042_4f58, "quiet"), "root=PARTUUID=00424f58-01 rootwait quiet");
        assert_eq!(parse_signature("52424f58"), Ok(0x5242_4f58));
        assert!(parse_signature("0").is_err());
    }

    /// Builds a small disk in a directory of its own; returns the sha256.
    fn small_disk(name: &str, no_grub: bool, epoch: u32) -> String {
        let directory = std::env::temp_dir().join(format!("rbox-disk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let kernel = directory.join("bzImage");
        let mut bytes = vec![0; 4096];
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        std::fs::write(&kernel, bytes).unwrap();
        let options = Options {
            output: directory.join("disk.img"),
            size: 16 << 20,
            label: "test".into(),
            command_line: "quiet".into(),
            signature: SIGNATURE,
            epoch,
            no_grub,
        };
        let mut tree = Manifest::new();
        tree.apply_table("d /tmp 1777 0 0\nc /dev/null 0666 0 0 1 3\n").unwrap();
        let digest = build(&options, tree, &kernel).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        digest
    }

    #[test]
    fn two_builds_give_the_same_bytes() {
        let without_grub = !crate::tools::missing(&[crate::tools::GRUB]).is_empty();
        let first = small_disk("first", without_grub, 1_700_000_000);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        assert_eq!(first, small_disk("second", without_grub, 1_700_000_000));
        assert_ne!(first, small_disk("third", without_grub, 1_700_000_001));
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        let file = std::env::temp_dir().join(format!("rbox-no-kernel-{}", std::process::id()));
        std::fs::write(&file, "text").unwrap();
        let options = Options {
            output: file.with_extension("img"),
            size: 16 << 20,
            label: "test".into(),
            command_line: String::new(),
            signature: SIGNATURE,
            epoch: 0,
            no_grub: true,
        };
        let result = build(&options, Manifest::new(), &file);
        std::fs::remove_file(&file).unwrap();
        assert!(result.unwrap_err().to_string().ends_with("not a bzImage"));
        assert!(!options.output.exists());
    }
}
