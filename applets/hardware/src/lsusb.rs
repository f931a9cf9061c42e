//! `lsusb`: list USB devices (/sys/bus/usb).

use rbox_core::number::parse_radix;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::{Hex, Right};

use crate::sysfs;

options!("\n\nList USB devices.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    for device in sysfs::devices(b"/sys/bus/usb/devices")? {
        // Interfaces of devices are listed there, too.
        if device.get(b"DEVTYPE") != Some(b"usb_device") {
            continue;
        }
        let (Some(bus), Some(number), Some(product)) =
            (device.get(b"BUSNUM"), device.get(b"DEVNUM"), device.get(b"PRODUCT"))
        else {
            continue;
        };
        // VENDOR/PRODUCT/RELEASE, hexadecimal without leading zeros.
        let mut ids = product.split(|&byte| byte == b'/').map(|digits| parse_radix(digits, 16).unwrap_or(0));
        let (vendor, product) = (ids.next().unwrap_or(0), ids.next().unwrap_or(0));
        let id = |id| Right(Hex(id), 4, b'0');
        env.stdout.write(&text!("Bus ", bus, " Device ", number, ": ID ", id(vendor), ":", id(product), "\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}
