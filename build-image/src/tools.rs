//! The external programs that the stages call, and their Debian packages.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A need of a stage: a program in PATH, or one file out of several.
pub enum Need {
    Program { name: &'static str, package: &'static str },
    File { paths: &'static [&'static str], package: &'static str },
}

const fn program(name: &'static str, package: &'static str) -> Need {
    Need::Program { name, package }
}

/// The kernel's build: Documentation/process/changes.rst of the kernel, for our fragment.
pub const KERNEL: &[Need] = &[
    program("make", "make"),
    program("gcc", "gcc"),
    program("ld", "binutils"),
    program("flex", "flex"),
    program("bison", "bison"),
    program("bc", "bc"),
    program("perl", "perl"),
    program("zstd", "zstd"),
    program("gzip", "gzip"),
    // objtool reads ELF files by libelf.
    Need::File {
        paths: &["/usr/include/gelf.h", "/usr/include/libelf/gelf.h", "/usr/local/include/gelf.h"],
        package: "libelf-dev",
    },
];

/// Unpacking a kernel tarball.
pub const UNPACK: &[Need] = &[program("tar", "tar"), program("xz", "xz-utils")];

/// GRUB's boot sector, its modules and the program that links them.
pub const GRUB: &[Need] =
    &[program("grub-mkimage", "grub-common"), Need::File { paths: crate::grub::BOOT_IMAGES, package: "grub-pc-bin" }];

/// Running the image.
pub const QEMU: &[Need] = &[program("qemu-system-x86_64", "qemu-system-x86")];

/// The boot test checks the filesystem with it.
pub const E2FSCK: &[Need] = &[program("e2fsck", "e2fsprogs")];

/// The first directory of PATH, or of the administrator's usual ones, that holds `name`.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// The needs that are not met, as (what, package).
pub fn missing(needs: &[&[Need]]) -> Vec<(String, &'static str)> {
    let mut lacking = Vec::new();
    for need in needs.iter().copied().flatten() {
        match need {
            Need::Program { name, package } if find(name).is_none() => {
                lacking.push(((*name).to_owned(), *package));
            }
            Need::File { paths, package } if !paths.iter().any(|path| Path::new(path).exists()) => {
                lacking.push((paths[0].to_owned(), *package));
            }
            _ => {}
        }
    }
    lacking
}

/// Fails with the list of everything that is missing, and the command that installs it.
pub fn require(needs: &[&[Need]]) -> Result<()> {
    let lacking = missing(needs);
    if lacking.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = lacking.iter().map(|(_, package)| *package).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut text = String::from("missing tools:\n");
    for (what, package) in &lacking {
        text.push_str(&format!("  {what} (Debian package {package})\n"));
    }
    text.push_str(&format!("install them with: apt-get install --no-install-recommends {}", packages.join(" ")));
    bail!(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_missing_tool_and_its_package() {
        const NEEDS: &[Need] = &[
            program("sh", "dash"),
            program("no-such-tool-1", "package-1"),
            Need::File { paths: &["/no/such/file"], package: "package-2" },
        ];
        let text = require(&[NEEDS]).unwrap_err().to_string();
        assert!(text.contains("no-such-tool-1 (Debian package package-1)"));
        assert!(text.contains("/no/such/file (Debian package package-2)"));
        assert!(text.ends_with("--no-install-recommends package-1 package-2"));
        assert!(!text.contains("dash"));
    }
}
