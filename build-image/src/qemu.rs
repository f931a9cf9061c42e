//! Stage `run`: the image in QEMU; hardware virtualisation only where it is real.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{disk, tools};

/// The options of the machine.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "machine-options")]
pub struct Options {
    /// The disk image
    #[arg(long, value_name = "FILE", default_value = "target/rbox.img")]
    pub image: PathBuf,
    /// Start this bzImage directly instead of the disk's GRUB
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// Run from this initramfs, without a disk; needs --kernel
    #[arg(long, value_name = "FILE", requires = "kernel")]
    pub initramfs: Option<PathBuf>,
    /// More of the kernel's command line; needs --kernel
    #[arg(long, value_name = "TEXT", requires = "kernel", allow_hyphen_values = true)]
    pub append: Option<String>,
    /// Disk signature that the root is found by; needs --kernel
    #[arg(long, value_name = "HEX", default_value = "52424f58")]
    pub signature: String,
    /// A window with screen and keyboard beside the serial console
    #[arg(long)]
    pub graphic: bool,
    /// Throw away what the system writes to its disk
    #[arg(long)]
    pub snapshot: bool,
    /// Memory, with M or G
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = disk::parse_size)]
    pub memory: u64,
    /// Number of processors
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub cpus: u8,
    /// Processor's virtualisation: auto, kvm or tcg
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub accel: Accel,
}

/// How QEMU runs the guest's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Accel {
    /// KVM where the processor has it, else TCG
    Auto,
    /// Hardware virtualisation
    Kvm,
    /// Emulation
    Tcg,
}

/// Replaces this process by QEMU with the console on this terminal.
pub fn run(options: &Options) -> Result<()> {
    let mut command = machine(options)?;
    command.args(["-serial", "mon:stdio"]);
    if options.graphic {
        command.args(["-display", "gtk"]);
    } else {
        command.args(["-display", "none"]);
    }
    eprintln!("run        console on this terminal; Ctrl-A X ends QEMU, `poweroff` ends the system");
    // exec returns only if QEMU cannot start.
    Err(command.exec()).context("qemu-system-x86_64")
}

/// QEMU's command line without display and serial line.
pub fn machine(options: &Options) -> Result<Command> {
    tools::require(&[tools::QEMU])?;
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-nodefaults", "-no-user-config", "-vga", "std"]);
    match accelerator(options.accel) {
        Accel::Kvm => command.args(["-accel", "kvm", "-cpu", "host"]),
        _ => command.args(["-accel", "tcg", "-cpu", "max"]),
    };
    command.args(["-m", &format!("{}", (options.memory >> 20).max(1))]);
    command.args(["-smp", &options.cpus.to_string()]);
    command.args(["-nic", "user,model=virtio-net-pci"]);
    command.args(["-device", "virtio-rng-pci"]);
    if let Some(initramfs) = &options.initramfs {
        check(initramfs)?;
        command.arg("-initrd").arg(initramfs);
    } else {
        check(&options.image)?;
        command.arg("-drive").arg(drive(options));
    }
    if let Some(kernel) = &options.kernel {
        check(kernel)?;
        let signature = u32::from_str_radix(&options.signature, 16).context("--signature")?;
        let extra = options.append.as_deref().unwrap_or_default();
        let rest = format!("console=tty0 console=ttyS0,115200 {extra}");
        let line = match options.initramfs {
            Some(_) => format!("rdinit=/sbin/init {rest}"),
            None => disk::command_line(signature, &rest),
        };
        command.arg("-kernel").arg(kernel);
        command.args(["-append", line.trim_end()]);
    }
    Ok(command)
}

fn check(path: &Path) -> Result<()> {
    ensure!(path.exists(), "{}: no such file", path.display());
    Ok(())
}

/// The drive's description; QEMU wants a comma in a file name doubled.
pub fn drive(options: &Options) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut text = b"if=virtio,format=raw,file=".to_vec();
    for byte in options.image.as_os_str().as_bytes() {
        text.extend(std::iter::repeat_n(*byte, if *byte == b',' { 2 } else { 1 }));
    }
    if options.snapshot {
        text.extend(b",snapshot=on");
    }
    OsString::from_vec(text)
}

/// Decides between KVM and TCG. A /dev/kvm that opens is not enough, because some are emulations that cannot run a kernel.
fn accelerator(wish: Accel) -> Accel {
    if wish != Accel::Auto {
        return wish;
    }
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if !has_virtualisation(&processor) {
        eprintln!("run        emulation (TCG): this processor shows neither vmx nor svm");
        return Accel::Tcg;
    }
    match File::options().read(true).write(true).open("/dev/kvm") {
        Ok(_) => Accel::Kvm,
        Err(error) => {
            eprintln!("run        emulation (TCG): /dev/kvm: {error}");
            Accel::Tcg
        }
    }
}

fn has_virtualisation(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .flat_map(str::split_whitespace)
        .any(|flag| flag == "vmx" || flag == "svm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtualisation_is_a_flag_of_the_processor() {
        assert!(has_virtualisation("flags\t\t: fpu vmx sse"));
        assert!(has_virtualisation("model : x\nflags : fpu svm"));
        assert!(!has_virtualisation("flags : fpu sse\nmodel name : vmx"));
    }
}
