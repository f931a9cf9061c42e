//! `lsscsi`: list SCSI devices (/sys/bus/scsi).

use rbox_core::names;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Left;

use crate::sysfs;

options!("\n\nList SCSI devices: address, type, vendor, model, revision.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Peripheral device types (SPC-5, table 76).
const TYPES: names::Names = names! {
    "disk" = 0, "tape" = 1, "printer" = 2, "process" = 3, "worm" = 4, "cd/dvd" = 5, "scanner" = 6, "optical" = 7,
    "mediumx" = 8, "comms" = 9, "storage" = 12, "enclosu" = 13, "sim disk" = 14, "optical rd" = 15, "bridge" = 16,
    "osd" = 17, "adi" = 18, "wlun" = 30, "no dev" = 31,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    for device in sysfs::devices(b"/sys/bus/scsi/devices")? {
        // Hosts and targets have no type.
        let Some(kind) = parse_decimal(&device.attribute("type")) else { continue };
        let kind = TYPES.name_of(kind).unwrap_or("unknown");
        let [vendor, model, revision] = ["vendor", "model", "rev"].map(|name| device.attribute(name));
        let line = text!(
            "[",
            &device.name,
            "]\t",
            Left(kind.as_bytes(), 8),
            Left(&vendor[..], 9),
            Left(&model[..], 17),
            revision,
            "\n"
        );
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}
