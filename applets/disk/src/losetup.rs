//! `losetup`: block devices that show files (loop(4)).

use rbox_core::block;
use rbox_core::files::{canonical, list_at};
use rbox_core::io::Input;
use rbox_core::number::{SIZE_SUFFIXES, parse_count, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::loop_device::{self, View};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fs};
use rbox_core::text;

options! {
    "[-rP] [-o OFFSET] [--show] {-f | DEVICE} FILE | losetup -a | losetup -f | losetup -d DEVICE... | losetup -D | losetup -c DEVICE | losetup -j FILE | losetup DEVICE

Associate loop devices with files, or list the associations.

  -a, --all              List all devices in use
  -f, --find             Use, or print, the first unused device
  -d, --detach           Detach DEVICEs
  -D, --detach-all       Detach all devices
  -c, --set-capacity     Update the size after FILE was resized
  -j, --associated=FILE  List the devices of FILE
  -o, --offset=OFFSET    Start at byte OFFSET of FILE
      --sizelimit=SIZE   Limit the device to SIZE bytes
  -r, --read-only        Set up a read-only device
  -P, --partscan         Scan for partitions
      --show             Print the name of the device";
    ALL = "-a",
    FIND = "-f",
    DETACH = "-d",
    DETACH_ALL = "-D",
    CAPACITY = "-c",
    ASSOCIATED = "-j",
    OFFSET = "-o",
    LIMIT = "--sizelimit",
    READ_ONLY = "-r",
    PARTITIONS = "-P",
    SHOW = "--show",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands();
    let file = args.value(ASSOCIATED).map(|path| canonical(path, false).unwrap_or_else(|_| path.to_vec()));
    match args.last_of(&[ALL, DETACH, DETACH_ALL, CAPACITY, ASSOCIATED]) {
        Some(ALL | ASSOCIATED) => {
            args.operands_between(0, 0)?;
            for number in numbers() {
                let path = text!("/dev/loop", number);
                if let Ok(shown) = Shown::of(&path)
                    && file.as_ref().is_none_or(|file| *file == shown.name)
                {
                    env.stdout.write(&shown.line(&path))?;
                }
            }
            Ok(ExitStatus::SUCCESS)
        }
        Some(DETACH_ALL) => {
            args.operands_between(0, 0)?;
            let paths: Vec<Vec<u8>> = numbers().into_iter().map(|number| text!("/dev/loop", number)).collect();
            let used: Vec<&[u8]> = paths.iter().filter(|path| Shown::of(path).is_ok()).map(Vec::as_slice).collect();
            env.for_each_operand(&used, &mut |_, path| detach(path))
        }
        Some(DETACH) => env.for_each_operand(args.operands_between(1, usize::MAX)?, &mut |_, path| detach(path)),
        Some(_) => {
            let path = args.operands_between(1, 1)?[0];
            loop_device::set_capacity(&open(path)?).map_err(|errno| Error::on(path, errno))?;
            Ok(ExitStatus::SUCCESS)
        }
        None => match (args.has(FIND), operands) {
            (true, []) => {
                let number = loop_device::free_number().map_err(|errno| Error::on("/dev/loop-control", errno))?;
                env.stdout.write(&text!("/dev/loop", number, "\n"))?;
                Ok(ExitStatus::SUCCESS)
            }
            (true, [file]) => attach(env, args, None, file),
            (false, [device]) => {
                let shown = Shown::of(device).map_err(|errno| Error::on(device, errno))?;
                env.stdout.write(&shown.line(device))?;
                Ok(ExitStatus::SUCCESS)
            }
            (false, [device, file]) => attach(env, args, Some(device), file),
            (false, []) if args.found().is_empty() => Err(Error::usage()),
            _ => Err(Error::usage()),
        },
    }
}

/// The numbers of the loop devices that there are, in their order.
fn numbers() -> Vec<u64> {
    let entries = list_at(b"/sys/block").unwrap_or_default();
    let number = |name: &[u8]| parse_decimal(name.strip_prefix(b"loop")?);
    let mut numbers: Vec<u64> = entries.iter().filter_map(|entry| number(&entry.name)).collect();
    numbers.sort_unstable();
    numbers
}

/// What a loop device shows.
struct Shown {
    view: View,
    name: Vec<u8>,
}

impl Shown {
    fn of(path: &[u8]) -> core::result::Result<Self, Errno> {
        let device = fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        let (view, mut name) = loop_device::status(&device)?;
        // The device's own record of the name is cut off.
        let base = rbox_core::bytes::base_name(path);
        if let Ok(whole) =
            Input::open(&text!("/sys/block/", base, "/loop/backing_file")).and_then(|mut file| file.read_to_end())
        {
            name = whole.trim_ascii_end().to_vec();
        }
        Ok(Self { view, name })
    }

    fn line(&self, path: &[u8]) -> Vec<u8> {
        text!(path, ": ", self.view.offset, " ", &self.name, "\n")
    }
}

fn open(path: &[u8]) -> Result<OwnedFd> {
    let file = fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    file.map_err(|errno| Error::on(path, errno))
}

fn detach(path: &[u8]) -> Result<()> {
    loop_device::clear(&open(path)?).map_err(|errno| Error::on(path, errno))
}

fn attach(env: &mut Env, args: &Args<'_>, device: Option<&[u8]>, path: &[u8]) -> Outcome {
    let count = |option| args.value(option).map_or(Ok(0), |word| parse_count(word, SIZE_SUFFIXES));
    let mut view = View {
        offset: count(OFFSET)?,
        size_limit: count(LIMIT)?,
        read_only: args.has(READ_ONLY),
        kept: true,
        partitions: args.has(PARTITIONS),
    };
    let open = |access: OFlags| fs::open(path, access | OFlags::CLOEXEC, Mode::empty());
    let file = match open(if view.read_only { OFlags::RDONLY } else { OFlags::RDWR }) {
        Err(Errno::ROFS | Errno::ACCESS) => {
            view.read_only = true;
            open(OFlags::RDONLY)
        }
        file => file,
    };
    let file = file.map_err(|errno| Error::on(path, errno))?;
    let name = canonical(path, false).unwrap_or_else(|_| path.to_vec());
    let used = match device {
        Some(device) => {
            let attached = loop_device::attach_to(device, file.as_fd(), &name, view);
            attached.map_err(|errno| Error::on(device, errno))?;
            device.to_vec()
        }
        None => block::attach_loop_device(file.as_fd(), &name, view).map_err(|errno| Error::on(path, errno))?.0,
    };
    if args.has(SHOW) {
        env.stdout.write(&text!(&used, "\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}
