//! `hdparm`: show and change how ATA disks work (linux/hdreg.h, ATA/ATAPI Command Set).

mod identity;
mod timing;

use rbox_core::bytes::base_name;
use rbox_core::error::Question;
use rbox_core::io::{Output, read_file};
use rbox_core::names;
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::ata::{self, Command, Setting};
use rbox_core::sys::block_device::{self, Number, Order};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fs};
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

options! {
    "[OPTION]... DEVICE...

Show or change how disks work; without options: -acdgkmru. A setting without N is shown.

  -a[N]    Sectors that the kernel reads ahead
  -A[N]    Whether the drive reads ahead (0 or 1)
  -b[N]    Bus (0 off, 1 on, 2 tristate)
  -B N     Power management (1-254, 255 off)
  -c[N]    32-bit transfers (0 none, 1 without, 3 with synchronisation)
  -C       Show whether the drive is active or in standby
  -d[N]    DMA (0 or 1)
  -D N     Whether the drive replaces bad sectors (0 or 1)
  -f       Write what waits, and forget what was read
  -g       Geometry
  -h       Show this text
  -i       Identity as the kernel read it
  -I       Identity and abilities as the drive says them now
  -k[N]    Whether the driver keeps settings over a reset (0 or 1)
  -K N     Whether the drive keeps features over a reset (0 or 1)
  -L N     Door lock (0 or 1)
  -m[N]    Sectors moved by one interrupt
  -n[N]    Whether write errors are ignored (0 or 1)
  -p N     PIO mode
  -P N     Sectors that the drive prefetches
  -Q[N]    Depth of the queue
  -r[N]    Whether the device cannot be written (0 or 1)
  -S N     Time until standby: 0 never, to 240 in 5 s, 241-251 in 30 min
  -t       Measure reads from the disk
  -T       Measure reads from the cache
  -u[N]    Whether other interrupts are let through (0 or 1)
  -v       The same as without options
  -V       Show the version
  -w       Reset the drive
  -W[N]    Whether the drive caches writes (0 or 1)
  -x N     Make the interface tristate
  -X N     Transfer mode: 8 + PIO mode, 16 + SDMA, 32 + MDMA, 64 + UDMA; or pio4, udma5
  -y       Put the drive in standby
  -Y       Let the drive sleep
  -z       Read the partition table again
  -Z       No power saving of Seagate's own";
    READ_AHEAD = "-a",
    LOOK_AHEAD = "-A",
    BUS = "-b",
    POWER = "-B",
    WIDE = "-c",
    CHECK_POWER = "-C",
    DMA = "-d",
    DEFECTS = "-D",
    FLUSH = "-f",
    GEOMETRY = "-g",
    HELP = "-h",
    KNOWN_IDENTITY = "-i",
    IDENTITY = "-I",
    KEEP_SETTINGS = "-k",
    KEEP_FEATURES = "-K",
    LOCK = "-L",
    MULTIPLE = "-m",
    IGNORE_ERRORS = "-n",
    PIO = "-p",
    PREFETCH = "-P",
    QUEUE = "-Q",
    READ_ONLY = "-r",
    STANDBY_TIME = "-S",
    TIME_DISK = "-t",
    TIME_CACHE = "-T",
    UNMASK = "-u",
    DEFAULTS = "-v",
    VERSION = "-V",
    RESET = "-w",
    WRITE_CACHE = "-W",
    TRISTATE = "-x",
    TRANSFER = "-X",
    STANDBY = "-y",
    SLEEP = "-Y",
    PARTITIONS = "-z",
    SEAGATE = "-Z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The kinds of transfer modes, and the value of their mode 0.
const TRANSFER_MODES: names::Names = names! { "pio" = 8, "sdma" = 16, "mdma" = 32, "udma" = 64 };
/// The command SET FEATURES; its feature says what.
const SET_FEATURES: u8 = 0xef;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(HELP) {
        return Err(Error::asked(Question::Help));
    }
    if args.has(VERSION) {
        return Err(Error::asked(Question::Version));
    }
    let mut tasks: Vec<(Opt, Option<&[u8]>)> =
        args.found().iter().filter(|(option, _)| *option != DEFAULTS).copied().collect();
    let mut devices = Vec::new();
    for (index, word) in args.operands().iter().enumerate() {
        // `-a 256`: the value of an option that can be without one.
        match args.options_before(index).checked_sub(1).and_then(|at| tasks.get_mut(at)) {
            Some((option, value @ None)) if takes_value(*option) && parse_decimal(word).is_some() => {
                *value = Some(word)
            }
            _ => devices.push(*word),
        }
    }
    if devices.is_empty() {
        return Err(Error::usage());
    }
    let numbered =
        |(option, value): (Opt, Option<&[u8]>)| Ok((option, value.map(|word| number(word, option)).transpose()?));
    let mut tasks = tasks.into_iter().map(numbered).collect::<Result<Vec<_>>>()?;
    let by_default = tasks.is_empty();
    if by_default || args.has(DEFAULTS) {
        tasks.extend(
            [MULTIPLE, WIDE, UNMASK, DMA, KEEP_SETTINGS, READ_ONLY, READ_AHEAD, GEOMETRY].map(|option| (option, None)),
        );
    }
    let mut status = ExitStatus::SUCCESS;
    for name in devices {
        env.stdout.write(&text!("\n", name, ":\n"))?;
        let file = fs::open(name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
        let disk = match file {
            Ok(file) => Disk { name, file },
            Err(errno) => {
                status.worsen(env.warn(Error::cannot("open", name, errno)));
                continue;
            }
        };
        for &(option, number) in &tasks {
            let mut report = Vec::new();
            let result = disk.perform(option, number, &mut report);
            env.stdout.write(&report)?;
            match result {
                Err(error) if !(by_default && matches!(error.errno(), Some(Errno::NOTTY | Errno::INVAL))) => {
                    env.stdout.flush()?;
                    status.worsen(env.warn(error));
                }
                _ => {}
            }
        }
    }
    Ok(status)
}

/// Options whose value may be a word of its own, or missing.
fn takes_value(option: Opt) -> bool {
    [
        READ_AHEAD,
        LOOK_AHEAD,
        BUS,
        WIDE,
        DMA,
        KEEP_SETTINGS,
        MULTIPLE,
        IGNORE_ERRORS,
        QUEUE,
        READ_ONLY,
        UNMASK,
        WRITE_CACHE,
    ]
    .contains(&option)
}

struct Disk<'a> {
    name: &'a [u8],
    file: OwnedFd,
}

impl Disk<'_> {
    fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The error for what failed.
    fn failed(&self, what: impl AsRef<[u8]>, errno: Errno) -> Error {
        Error::on(text!(self.name, ": ", what.as_ref()), errno)
    }

    /// Performs what an option asks for, with the lines that it prints.
    fn perform(&self, option: Opt, number: Option<u32>, report: &mut Vec<u8>) -> Result<()> {
        let flag = || number.unwrap_or(0) != 0;
        let pick = |on: u8, off: u8| if flag() { on } else { off };
        match option {
            MULTIPLE => self.setting(Setting::MultipleCount, "multcount", number, report),
            WIDE => self.setting(Setting::Wide, "IO_support", number, report),
            UNMASK => self.setting(Setting::UnmaskInterrupts, "unmaskirq", number, report),
            DMA => self.setting(Setting::Dma, "using_dma", number, report),
            KEEP_SETTINGS => self.setting(Setting::KeepSettings, "keepsettings", number, report),
            IGNORE_ERRORS => self.setting(Setting::IgnoreWriteErrors, "nowerr", number, report),
            BUS => self.setting(Setting::Bus, "busstate", number, report),
            PIO => self.setting(Setting::PioMode, "PIO mode", number, report),
            TRISTATE => self.setting(Setting::Tristate, "tristate", number, report),
            RESET => self.setting(Setting::Reset, "reset", Some(0), report),
            READ_ONLY | READ_AHEAD => self.kernel_setting(option, number, report),
            QUEUE => self.queue(number, report),
            GEOMETRY => self.geometry(report),
            FLUSH => self.order(Order::Flush, "flush"),
            PARTITIONS => self.order(Order::ReadPartitions, "partition table"),
            KNOWN_IDENTITY => {
                let words = ata::identity(self.fd()).map_err(|errno| self.failed("identity", errno))?;
                identity::push_short(&words, report);
                Ok(())
            }
            IDENTITY => {
                let words = self.identity()?;
                identity::push_long(&words, report);
                Ok(())
            }
            TIME_DISK => timing::disk(self.fd(), report).map_err(|errno| self.failed("timing", errno)),
            TIME_CACHE => timing::cache(self.fd(), report).map_err(|errno| self.failed("timing", errno)),
            CHECK_POWER => self.power(report),
            STANDBY => self.command("standby", 0xe0, 0, 0, report),
            SLEEP => self.command("sleep", 0xe6, 0, 0, report),
            SEAGATE => self.command("power saving of Seagate's: off", 0xfb, 0, 0, report),
            STANDBY_TIME => {
                let period = number.unwrap_or(0) as u8;
                push!(*report, " setting standby to ", period, standby_time(period), "\n");
                self.command("", 0xe3, 0, period, report)
            }
            LOCK => self.command("drive doorlock", pick(0xde, 0xdf), 0, 0, report),
            WRITE_CACHE if number.is_none() => {
                let on = identity::word(&self.identity()?, 85) & 0x20 != 0;
                push!(*report, " write-caching = ", Right(u8::from(on), 2, b' '), on_off(on.into()), "\n");
                Ok(())
            }
            LOOK_AHEAD if number.is_none() => {
                let on = identity::word(&self.identity()?, 85) & 0x40 != 0;
                push!(*report, " look-ahead    = ", Right(u8::from(on), 2, b' '), on_off(on.into()), "\n");
                Ok(())
            }
            WRITE_CACHE => {
                // What is in the cache is written before it goes.
                if !flag() {
                    self.command("", 0xe7, 0, 0, report)?;
                }
                self.feature("drive write-caching", pick(0x02, 0x82), 0, flag(), report)
            }
            LOOK_AHEAD => self.feature("drive read-lookahead", pick(0xaa, 0x55), 0, flag(), report),
            DEFECTS => self.feature("drive defect management", pick(0x04, 0x84), 0, flag(), report),
            KEEP_FEATURES => self.feature("drive keep features", pick(0x66, 0xcc), 0, flag(), report),
            PREFETCH => self.command("drive prefetch", SET_FEATURES, 0xab, number.unwrap_or(0) as u8, report),
            POWER => {
                let level = number.unwrap_or(0) as u8;
                let feature = if level == 255 { 0x85 } else { 0x05 };
                self.command("Advanced Power Management level", SET_FEATURES, feature, level, report)
            }
            _ => self.command("transfer mode", SET_FEATURES, 0x03, number.unwrap_or(0) as u8, report),
        }
    }

    /// Sets a setting of the driver where there is a value, and shows it where it can be asked for.
    fn setting(&self, setting: Setting, name: &str, value: Option<u32>, report: &mut Vec<u8>) -> Result<()> {
        if let Some(value) = value {
            push!(*report, " setting ", name, " to ", value, "\n");
            ata::set(self.fd(), setting, value).map_err(|errno| self.failed(name, errno))?;
        }
        if matches!(setting, Setting::PioMode | Setting::Reset | Setting::Tristate) {
            return Ok(());
        }
        let value = ata::get(self.fd(), setting).map_err(|errno| self.failed(name, errno))?;
        let meaning = match (setting, value) {
            (Setting::Wide, 0) => " (default)",
            (Setting::Wide, 1) => " (32-bit)",
            (Setting::Wide, 2) => " (16-bit)",
            (Setting::Wide, 3) => " (32-bit w/sync)",
            (Setting::Bus, 2) => " (tristate)",
            _ => on_off(value),
        };
        push!(*report, " ", Left(name, 13), " = ", Right(value, 2, b' '), meaning, "\n");
        Ok(())
    }

    /// -a and -r, which the kernel keeps for every block device.
    fn kernel_setting(&self, option: Opt, value: Option<u32>, report: &mut Vec<u8>) -> Result<()> {
        let read_only = option == READ_ONLY;
        let (name, what) = if read_only { ("readonly", Number::ReadOnly) } else { ("readahead", Number::ReadAhead) };
        if let Some(value) = value {
            push!(*report, " setting ", name, " to ", value, "\n");
            self.order(if read_only { Order::SetReadOnly(value != 0) } else { Order::SetReadAhead(value) }, name)?;
        }
        let value = block_device::get(self.fd(), what).map_err(|errno| self.failed(name, errno))?;
        push!(*report, " ", Left(name, 13), " = ", Right(value, 2, b' '), on_off(value), "\n");
        Ok(())
    }

    fn order(&self, order: Order, what: &str) -> Result<()> {
        block_device::tell(self.fd(), order).map_err(|errno| self.failed(what, errno))
    }

    /// The depth of the queue is a file of /sys.
    fn queue(&self, value: Option<u32>, report: &mut Vec<u8>) -> Result<()> {
        let path = text!("/sys/block/", base_name(self.name), "/device/queue_depth");
        if let Some(value) = value {
            push!(*report, " setting queue_depth to ", value, "\n");
            let mut file = Output::open(&path, false).map_err(|errno| Error::on(&path, errno))?;
            file.write(&text!(value, "\n"))?;
            file.flush()?;
        }
        let depth = read_file(&path)?;
        push!(*report, " queue_depth   = ", depth.trim_ascii(), "\n");
        Ok(())
    }

    fn geometry(&self, report: &mut Vec<u8>) -> Result<()> {
        let failed = |errno| self.failed("geometry", errno);
        let (cylinders, heads, sectors, start) = ata::geometry(self.fd()).map_err(failed)?;
        let size = block_device::get(self.fd(), Number::Size).map_err(failed)? / 512;
        push!(*report, " geometry      = ", cylinders, "/", heads, "/", sectors, ", sectors = ", size);
        push!(*report, ", start = ", start, "\n");
        Ok(())
    }

    fn identity(&self) -> Result<[u8; 512]> {
        // IDENTIFY DEVICE; IDENTIFY PACKET DEVICE is for drives of optical discs.
        ata::read_command(self.fd(), 0xec)
            .or_else(|_| ata::read_command(self.fd(), 0xa1))
            .map_err(|errno| self.failed("identity", errno))
    }

    fn power(&self, report: &mut Vec<u8>) -> Result<()> {
        // CHECK POWER MODE.
        let answer = ata::command(self.fd(), Command { command: 0xe5, ..Command::default() });
        let state = match answer.map_err(|errno| self.failed("power", errno))? {
            0 => "standby",
            0x40 | 0x41 => "NVcache",
            0x80..=0x83 => "idle",
            0xff => "active/idle",
            _ => "unknown",
        };
        push!(*report, " drive state is:  ", state, "\n");
        Ok(())
    }

    /// Sends a command without data, and says so.
    fn command(&self, what: impl AsRef<[u8]>, command: u8, feature: u8, count: u8, report: &mut Vec<u8>) -> Result<()> {
        let what = what.as_ref();
        match (what, count) {
            (b"", _) => {}
            (what, 0) => push!(*report, " issuing command: ", what, "\n"),
            (what, count) => push!(*report, " setting ", what, " to ", count, "\n"),
        }
        let sent = ata::command(self.fd(), Command { command, feature, count });
        sent.map(|_| ()).map_err(|errno| self.failed(if what.is_empty() { b"command" } else { what }, errno))
    }

    /// Switches a feature on or off.
    fn feature(&self, what: &str, feature: u8, count: u8, on: bool, report: &mut Vec<u8>) -> Result<()> {
        push!(*report, " setting ", what, " to ", u8::from(on), on_off(on.into()), "\n");
        let sent = ata::command(self.fd(), Command { command: SET_FEATURES, feature, count });
        sent.map(|_| ()).map_err(|errno| self.failed(what, errno))
    }
}

fn on_off(value: u64) -> &'static str {
    if value == 0 { " (off)" } else { " (on)" }
}

/// The value of an option: a number that fits what it sets; of -X also a mode's name.
fn number(word: &[u8], option: Opt) -> Result<u32> {
    let most = match option {
        LOOK_AHEAD | DMA | DEFECTS | KEEP_SETTINGS | KEEP_FEATURES | LOCK | IGNORE_ERRORS | READ_ONLY | UNMASK
        | WRITE_CACHE => 1,
        BUS => 2,
        WIDE => 3,
        READ_AHEAD => u32::MAX.into(),
        QUEUE => 1024,
        _ => 255,
    };
    if option == TRANSFER {
        let digits = word.iter().position(u8::is_ascii_digit).unwrap_or(word.len());
        if let Some(base) = TRANSFER_MODES.number_of(&word[..digits]) {
            let mode = parse_decimal(&word[digits..]).filter(|mode| *mode < 8).ok_or_else(|| invalid(word))?;
            return Ok((base + mode) as u32);
        }
    }
    parse_in_range(word, 0, most).map(|value| value as u32)
}

/// What a standby time means (ATA/ATAPI-8 ACS, STANDBY TIMER PERIOD).
fn standby_time(value: u8) -> Vec<u8> {
    let (count, unit) = match value {
        0 => return b" (off)".to_vec(),
        1..=240 => (u32::from(value) * 5, " seconds"),
        241..=251 => (u32::from(value - 240) * 30, " minutes"),
        252 => (21, " minutes"),
        253 => return b" (vendor-specific)".to_vec(),
        254 => return b" (reserved)".to_vec(),
        255 => (1275, " seconds"),
    };
    text!(" (", count, unit, ")")
}
