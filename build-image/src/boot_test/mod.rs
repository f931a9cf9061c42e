//! Stage `test`: boots the image the ways it can be booted and drives it over the serial console.

mod checks;
mod hardware;
mod network;
mod stress;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::console::Machine;
use crate::mbr::{self, SECTOR};
use crate::qemu::{self, Accel};
use crate::{archive, disk, kernel, rootfs, tools};

/// The options of the test.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "test-options")]
pub struct Options {
    /// The disk image; the test works on a copy
    #[arg(long, value_name = "FILE", default_value = "target/rbox.img")]
    image: PathBuf,
    /// The kernel for direct boots [default: the one of the cache]
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// The archive for the initramfs boot; without it that boot is left out
    #[arg(long, value_name = "FILE")]
    initramfs: Option<PathBuf>,
    /// An initramfs that mounts the image's root and hands over to it; without it that boot is left out
    #[arg(long, value_name = "FILE")]
    example: Option<PathBuf>,
    /// Instead of the image: a kernel with modules, built or of the cache, and its emulated devices
    #[arg(long)]
    hardware: bool,
    /// Two machines on one wire: the image's servers and its clients
    #[arg(long, conflicts_with = "hardware")]
    network: bool,
    /// Devices that come and go in bursts, and power cuts
    #[arg(long, conflicts_with_all = ["hardware", "network"])]
    stress: bool,
    /// Devices of --stress
    #[arg(long, value_name = "N", default_value_t = 200)]
    devices: usize,
    /// Power cuts of --stress
    #[arg(long, value_name = "N", default_value_t = 50)]
    cuts: usize,
    /// Run only this boot or check; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Name every boot and check, and run none
    #[arg(long)]
    list: bool,
    /// Seconds that one wait may last
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    patience: u64,
    /// Directory for what the consoles printed
    #[arg(long, value_name = "DIR", default_value = "target/boot-test")]
    log: PathBuf,
    /// Processor's virtualisation
    #[arg(long, value_name = "KIND", default_value = "auto")]
    accel: Accel,
}

/// A check on a booted system: its name and what it does.
type Check = (&'static str, fn(&mut Machine) -> Result<()>);

/// Boots besides the one through GRUB.
const BOOTS: &[&str] = &["direct", "init-sh", "initramfs", "example"];

/// One run of the test: its options and its results.
struct Run<'a> {
    options: &'a Options,
    /// For sockets and the copy of the disk.
    directory: PathBuf,
    passed: usize,
    failed: Vec<String>,
}

/// The names of all boots and checks.
fn names() -> impl Iterator<Item = &'static str> {
    let of_one = checks::ALL.iter().chain(hardware::ALL).map(|(name, _)| *name);
    let of_two = network::ALL.iter().map(|(name, _)| *name);
    of_one.chain(of_two).chain(checks::ENDINGS.iter().chain(BOOTS).chain(stress::ALL).copied())
}

/// Runs the boots and checks that were asked for.
pub fn run(options: &Options) -> Result<()> {
    if options.list {
        names().for_each(|name| println!("{name}"));
        return Ok(());
    }
    for name in &options.only {
        ensure!(names().any(|known| known == name), "{name}: no such boot or check, see --list");
    }
    tools::require(&[tools::QEMU, tools::E2FSCK])?;
    fs::create_dir_all(&options.log).with_context(|| options.log.display().to_string())?;
    let directory = std::env::temp_dir().join(format!("rbox-boot.{}", std::process::id()));
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    let mut run = Run { options, directory: directory.clone(), passed: 0, failed: Vec::new() };
    let result = run.all();
    fs::remove_dir_all(&directory).with_context(|| directory.display().to_string())?;
    result?;
    if !run.failed.is_empty() {
        bail!("{} boot checks passed, {} failed: {}", run.passed, run.failed.len(), run.failed.join(", "));
    }
    eprintln!("test       {} boot checks passed; consoles are in {}", run.passed, options.log.display());
    Ok(())
}

impl Run<'_> {
    fn wanted(&self, name: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|only| only == name)
    }

    fn all(&mut self) -> Result<()> {
        if self.options.hardware {
            return self.hardware_boot();
        }
        if self.options.network {
            return self.network_boot();
        }
        if self.options.stress {
            return self.stress_boots();
        }
        let by_grub = checks::ALL.iter().map(|(name, _)| *name).chain(checks::ENDINGS.iter().copied());
        if by_grub.into_iter().any(|name| self.wanted(name)) {
            self.grub_boot()?;
        }
        if self.wanted("direct") {
            self.direct_boot()?;
        }
        if self.wanted("init-sh") {
            self.shell_boot()?;
        }
        if self.wanted("initramfs") && self.options.initramfs.is_some() {
            self.initramfs_boot()?;
        }
        if let Some(example) = self.options.example.as_ref().filter(|_| self.wanted("example")) {
            self.example_boot(example)?;
        }
        Ok(())
    }

    /// Runs one check and prints its result.
    fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let begun = Instant::now();
        let result = work();
        let seconds = begun.elapsed().as_secs_f64();
        match &result {
            Ok(()) => {
                self.passed += 1;
                eprintln!("test       ok      {name} ({seconds:.1} s)");
            }
            Err(error) => {
                self.failed.push(name.to_owned());
                eprintln!("test       FAILED  {name} ({seconds:.1} s): {error:#}");
            }
        }
        result.is_ok()
    }

    fn machine_options(&self, image: &Path) -> qemu::Options {
        qemu::Options {
            image: image.to_owned(),
            kernel: None,
            initramfs: None,
            append: None,
            signature: format!("{:08x}", disk::SIGNATURE),
            graphic: false,
            snapshot: false,
            memory: 256 << 20,
            cpus: 1,
            accel: self.options.accel,
        }
    }

    fn start(&self, options: &qemu::Options) -> Result<Machine> {
        Machine::start(qemu::machine(options)?, self.options.patience, &self.directory)
    }

    fn kernel(&self) -> Result<PathBuf> {
        match &self.options.kernel {
            Some(kernel) => Ok(kernel.clone()),
            None => Ok(kernel::build(&kernel::Options::default())?.image),
        }
    }

    fn keep_log(&self, name: &str, machine: &Machine) -> Result<()> {
        let path = self.options.log.join(format!("{name}.log"));
        fs::write(&path, machine.transcript()).with_context(|| path.display().to_string())
    }

    /// The whole way: firmware, GRUB, kernel, init, login; then every check, reboot and power-off.
    fn grub_boot(&mut self) -> Result<()> {
        let image = self.directory.join("disk.img");
        fs::copy(&self.options.image, &image).with_context(|| self.options.image.display().to_string())?;
        let mut machine = self.start(&self.machine_options(&image))?;
        if self.check("login", || checks::login(&mut machine)) {
            for (name, work) in checks::ALL.iter().skip(1) {
                if self.wanted(name) && !self.check(name, || work(&mut machine)) {
                    interrupt(&mut machine)?;
                }
            }
            self.endings(&mut machine, &image);
        }
        self.keep_log("grub", &machine)
    }

    fn endings(&mut self, machine: &mut Machine, image: &Path) {
        if self.wanted("reboot") && !self.check("reboot", || checks::restarts_clean(machine, |m| m.send("reboot\n"))) {
            return;
        }
        let keys = |m: &mut Machine| m.press(&["ctrl-alt-delete"]);
        if self.wanted("ctrl-alt-del") && !self.check("ctrl-alt-del", || checks::restarts_clean(machine, keys)) {
            return;
        }
        let directory = self.directory.clone();
        if self.wanted("poweroff") && self.check("poweroff", || checks::powers_off(machine)) && self.wanted("clean") {
            self.check("clean", || file_system_is_clean(image, &directory));
        }
    }

    fn direct_boot(&mut self) -> Result<()> {
        let mut options = self.machine_options(&self.options.image);
        options.snapshot = true;
        options.kernel = Some(self.kernel()?);
        let mut machine = self.start(&options)?;
        self.check("direct", || {
            checks::login(&mut machine)?;
            checks::powers_off(&mut machine)
        });
        self.keep_log("direct", &machine)
    }

    /// `init=/bin/sh`: the shell as the first process, on a root without start-up.
    fn shell_boot(&mut self) -> Result<()> {
        let mut options = self.machine_options(&self.options.image);
        options.snapshot = true;
        options.kernel = Some(self.kernel()?);
        options.append = Some("init=/bin/sh".to_owned());
        let mut machine = self.start(&options)?;
        self.check("init-sh", || checks::shell_is_init(&mut machine));
        self.keep_log("init-sh", &machine)
    }

    /// The kernel with modules, the root tree with them as initramfs, and devices on old buses.
    fn hardware_boot(&mut self) -> Result<()> {
        let kernel = kernel::build(&kernel::Options { modules: true, ..kernel::Options::default() })?;
        let tree = rootfs::build(&rootfs::Options::with_overlay(kernel.modules))?;
        let archive = self.directory.join("hardware.cpio");
        let output = archive::Options { output: Some(archive.clone()), epoch: 0 };
        archive::build(&output, archive::Format::Cpio, &tree)?;
        let mut options = self.machine_options(&self.options.image);
        (options.kernel, options.initramfs, options.memory) = (Some(kernel.image), Some(archive), 512 << 20);
        // VESA's mode of 800 by 600 pixels of 32 bits; the kernel counts where it is.
        options.append = Some("vga=0x315 profile=2".to_owned());
        let mut command = qemu::machine(&options)?;
        command.args(["-chardev", "null,id=none", "-device", "isa-serial,chardev=none,index=1"]);
        for (name, size, kind) in [("disk", 64 << 20, "ide"), ("floppy", 1440 << 10, "floppy")] {
            let path = self.directory.join(name);
            File::create(&path)?.set_len(size)?;
            command.arg("-drive").arg(format!("if={kind},format=raw,file={}", path.display()));
        }
        let mut machine = Machine::start(command, self.options.patience, &self.directory)?;
        for (index, (name, work)) in hardware::ALL.iter().enumerate() {
            if (index == 0 || self.wanted(name)) && !self.check(name, || work(&mut machine)) {
                interrupt(&mut machine)?;
            }
        }
        self.keep_log("hardware", &machine)
    }

    /// Two machines, whose second interfaces are joined.
    fn network_boot(&mut self) -> Result<()> {
        let wire = self.directory.join("wire");
        let mut options = self.machine_options(&self.options.image);
        (options.kernel, options.snapshot) = (Some(self.kernel()?), true);
        let start = |end: &str, address: &str| -> Result<Machine> {
            let mut command = qemu::machine(&options)?;
            command
                .arg("-netdev")
                .arg(format!("stream,id=wire,server={end},addr.type=unix,addr.path={}", wire.display()));
            command.arg("-device").arg(format!("virtio-net-pci,netdev=wire,mac={address}"));
            Machine::start(command, self.options.patience, &self.directory)
        };
        let mut server = start("on", "52:54:00:77:00:01")?;
        while !wire.exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let mut client = start("off", "52:54:00:77:00:02")?;
        for (index, (name, work)) in network::ALL.iter().enumerate() {
            let needed = index < network::NEEDED;
            if (needed || self.wanted(name)) && !self.check(name, || work(&mut server, &mut client)) {
                if needed {
                    break;
                }
                interrupt(&mut client)?;
            }
        }
        self.keep_log("server", &server)?;
        self.keep_log("client", &client)
    }

    fn initramfs_boot(&mut self) -> Result<()> {
        let mut options = self.machine_options(&self.options.image);
        options.kernel = Some(self.kernel()?);
        options.initramfs.clone_from(&self.options.initramfs);
        let mut machine = self.start(&options)?;
        self.check("initramfs", || {
            checks::login(&mut machine)?;
            checks::powers_off(&mut machine)
        });
        self.keep_log("initramfs", &machine)
    }

    /// An initramfs that finds the disk's root, mounts it and hands over.
    fn example_boot(&mut self, example: &Path) -> Result<()> {
        let mut options = self.machine_options(&self.options.image);
        (options.kernel, options.initramfs) = (Some(self.kernel()?), Some(example.to_owned()));
        options.append = Some(format!("rdinit=/init root=PARTUUID={}-01 rw", options.signature));
        options.snapshot = true;
        let mut command = qemu::machine(&options)?;
        command.arg("-drive").arg(qemu::drive(&options));
        let mut machine = Machine::start(command, self.options.patience, &self.directory)?;
        self.check("example", || {
            checks::login(&mut machine)?;
            machine.output_of("mount | grep -q ' on / type ext4 ' && [ ! -e /newroot ] && [ ! -e /init ]")?;
            checks::powers_off(&mut machine)
        });
        self.keep_log("example", &machine)
    }
}

/// Ends what a failed check may have left running.
fn interrupt(machine: &mut Machine) -> Result<()> {
    machine.send("\x03\n")?;
    // If the shell does not answer, the next check fails and says so.
    let _ = machine.prepare_shell();
    Ok(())
}

/// Checks the partition by e2fsck, and that the journal need not be replayed.
fn file_system_is_clean(image: &Path, directory: &Path) -> Result<()> {
    let partition = directory.join("partition");
    copy_partition(image, &partition)?;
    let mut feature = [0; 4];
    let mut file = File::open(&partition)?;
    file.seek(SeekFrom::Start(1024 + 96))?;
    file.read_exact(&mut feature)?;
    // The incompatible feature `recover` is set while the filesystem is mounted for writing.
    ensure!(u32::from_le_bytes(feature) & 0x4 == 0, "the journal waits to be replayed");
    is_consistent(&partition)
}

/// Checks a filesystem by e2fsck, which changes nothing.
fn is_consistent(partition: &Path) -> Result<()> {
    let tool = tools::find("e2fsck").context("e2fsck went away")?;
    let output = Command::new(tool).arg("-fn").arg(partition).output()?;
    ensure!(output.status.success(), "e2fsck: {}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Copies the root filesystem out of the disk.
fn copy_partition(image: &Path, partition: &Path) -> Result<()> {
    let mut disk = File::open(image)?;
    disk.seek(SeekFrom::Start(u64::from(mbr::FIRST) * SECTOR))?;
    std::io::copy(&mut disk, &mut File::create(partition)?)?;
    Ok(())
}
