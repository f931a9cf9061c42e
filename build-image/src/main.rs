//! Builds the kernel, the root tree and the disk image of a small system around rbox, and runs it in QEMU.
//!
//! Everything is written by this program itself, as an ordinary user: no loop device, no mount, no fakeroot.

// This is a host's program with a process of its own; the rule is about applets.
#![allow(clippy::disallowed_methods)]

mod archive;
mod boot_test;
mod cache;
mod console;
mod deb;
mod disk;
mod ext4;
mod grub;
mod kernel;
mod keymap;
mod licenses;
mod manifest;
mod mbr;
mod oci;
mod output;
mod qemu;
mod rootfs;
mod stage;
mod tools;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

/// Builds a bootable system around rbox and runs it.
#[derive(Parser)]
#[command(version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the kernel, or take it from the cache
    Kernel {
        #[command(flatten)]
        kernel: kernel::Options,
        /// Also copy the bzImage here
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List the root tree: type, mode, owner, size, path
    Rootfs {
        #[command(flatten)]
        rootfs: rootfs::Options,
        /// Write the list here instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write the disk image: partition table, GRUB, ext4 root with the kernel
    Disk {
        #[command(flatten)]
        disk: disk::Options,
        #[command(flatten)]
        rootfs: rootfs::Options,
        #[command(flatten)]
        kernel: ReadyKernel,
    },
    /// Write the root tree as a cpio archive for the kernel's initramfs
    Initramfs {
        #[command(flatten)]
        archive: archive::Options,
        #[command(flatten)]
        rootfs: rootfs::Options,
    },
    /// Write the root tree as a tar archive
    Tar {
        #[command(flatten)]
        archive: archive::Options,
        #[command(flatten)]
        rootfs: rootfs::Options,
    },
    /// Write a package for Debian
    Deb(deb::Options),
    /// Write the root tree as a container image
    Oci {
        #[command(flatten)]
        oci: oci::Options,
        #[command(flatten)]
        rootfs: rootfs::Options,
    },
    /// Run the image in QEMU with the console on this terminal
    Run(qemu::Options),
    /// Boot the image, drive its console and check what it does
    Test(boot_test::Options),
    /// Write the licence texts of what is in the binary, and a list of its parts
    Licenses(licenses::Options),
    /// Say which programs are missing for which stage
    Tools {
        /// Only the names of the missing Debian packages, for a script
        #[arg(long)]
        packages: bool,
    },
}

/// A kernel that is there, or the options to build one.
#[derive(Args, Clone, Debug)]
#[group(id = "ready-kernel")]
struct ReadyKernel {
    /// A bzImage that is ready, instead of building one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "fragment", "jobs", "rebuild"])]
    kernel: Option<PathBuf>,
    #[command(flatten)]
    build: kernel::Options,
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("build-image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Kernel { kernel, output } => {
            let built = kernel::build(&kernel)?;
            if let Some(output) = output {
                std::fs::copy(&built.image, &output).with_context(|| output.display().to_string())?;
            }
            eprintln!("kernel     its configuration: {}", built.config.display());
            if let Some(modules) = built.modules {
                eprintln!("kernel     its modules, for --overlay: {}", modules.display());
            }
        }
        Task::Rootfs { rootfs, output } => list(&rootfs, output)?,
        Task::Disk { disk, rootfs, kernel } => build_disk(&disk, &rootfs, kernel)?,
        Task::Initramfs { archive, rootfs } => {
            let tree = rootfs::build(&rootfs)?;
            let target = archive::build(&archive, archive::Format::Cpio, &tree)?;
            eprintln!("run it:    build-image run --kernel BZIMAGE --initramfs {}", target.display());
        }
        Task::Tar { archive, rootfs } => {
            let tree = rootfs::build(&rootfs)?;
            archive::build(&archive, archive::Format::Tar, &tree)?;
        }
        Task::Deb(options) => {
            deb::build(&options)?;
        }
        Task::Oci { oci, rootfs } => {
            let target = oci::build(&oci, &rootfs::build(&rootfs)?)?;
            eprintln!("run it:    podman load -i {} && podman run -it {}", target.display(), oci.tag);
        }
        Task::Run(options) => qemu::run(&options)?,
        Task::Test(options) => boot_test::run(&options)?,
        Task::Licenses(options) => licenses::write(&options)?,
        Task::Tools { packages } => show_missing(packages)?,
    }
    Ok(())
}

fn list(rootfs: &rootfs::Options, output: Option<PathBuf>) -> Result<()> {
    let tree = rootfs::build(rootfs)?;
    let mut text = Vec::new();
    tree.list(&mut text)?;
    match output {
        Some(path) => std::fs::write(&path, text).with_context(|| path.display().to_string()),
        None => std::io::stdout().write_all(&text).context("standard output"),
    }
}

fn build_disk(disk: &disk::Options, rootfs: &rootfs::Options, kernel: ReadyKernel) -> Result<()> {
    // Missing tools are reported before anything is built.
    let mut needs: Vec<&[tools::Need]> = Vec::new();
    if kernel.kernel.is_none() {
        needs.extend([tools::KERNEL, tools::UNPACK]);
    }
    if !disk.no_grub {
        needs.push(tools::GRUB);
    }
    tools::require(&needs)?;
    let image = match kernel.kernel {
        Some(image) => image,
        None => kernel::build(&kernel.build)?.image,
    };
    let tree = rootfs::build(rootfs)?;
    disk::build(disk, tree, &image)?;
    eprintln!(
        "run it:    build-image run --image {}   (log in as root{})",
        disk.output.display(),
        if rootfs.root_password.is_empty() { ", no password" } else { "" }
    );
    Ok(())
}

fn show_missing(only_packages: bool) -> Result<()> {
    let stages: [(&str, &[&[tools::Need]]); 4] = [
        ("kernel", &[tools::KERNEL, tools::UNPACK]),
        ("disk", &[tools::GRUB]),
        ("run", &[tools::QEMU]),
        ("test", &[tools::QEMU, tools::E2FSCK]),
    ];
    let mut output = std::io::stdout().lock();
    let mut packages = Vec::new();
    for (stage, needs) in stages {
        for (what, package) in tools::missing(needs) {
            if only_packages {
                packages.push(package);
            } else {
                writeln!(output, "{stage}: {what} (Debian package {package})")?;
            }
        }
    }
    if let Err(error) = kernel::debian_source() {
        if only_packages {
            packages.push("linux-source");
        } else {
            writeln!(output, "kernel: {error}")?;
        }
    }
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        writeln!(output, "{package}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
