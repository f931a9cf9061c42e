//! `lspci`: list PCI devices (/sys/bus/pci).

use rbox_core::prelude::*;
use rbox_core::{push, text};

use crate::sysfs;

options! {
    "[-mk]

List PCI devices: slot, class, vendor:device.

  -m  Print in quotes, with the subsystem
  -k  Print drivers too";
    MACHINE = "-m",
    DRIVER = "-k",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    for device in sysfs::devices(b"/sys/bus/pci/devices")? {
        let (Some(slot), Some(class), Some(id)) =
            (device.get(b"PCI_SLOT_NAME"), device.get(b"PCI_CLASS"), device.get(b"PCI_ID"))
        else {
            continue;
        };
        // The domain is left out where it is the usual one.
        let slot = slot.strip_prefix(b"0000:").unwrap_or(slot);
        // Six digits, without leading zeros; the last two are the programming interface.
        let class = text!("00000", class);
        let class = class[class.len() - 6..class.len() - 2].to_ascii_lowercase();
        let [id, subsystem] = [id, device.get(b"PCI_SUBSYS_ID").unwrap_or(b":")].map(<[u8]>::to_ascii_lowercase);
        let quoted =
            |id: &[u8]| text!("\"", id.split(|&byte| byte == b':').collect::<Vec<_>>().join(&b"\" \""[..]), "\"");
        let mut line = match args.has(MACHINE) {
            true => text!(slot, " \"Class ", &class, "\" ", quoted(&id), " ", quoted(&subsystem)),
            false => text!(slot, " Class ", &class, ": ", &id),
        };
        if args.has(DRIVER)
            && let Some(driver) = device.get(b"DRIVER")
        {
            match args.has(MACHINE) {
                true => push!(line, " \"", driver, "\""),
                false => push!(line, " ", driver),
            }
        }
        line.push(b'\n');
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}
