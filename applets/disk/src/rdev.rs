//! `rdev`: print the device of the root filesystem.

use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, stat};
use rbox_core::{files, text};

options!("\n\nPrint the device node of the root filesystem.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let device = stat("/").map_err(|errno| Error::on("/", errno))?.st_dev;
    for entry in files::list_at(b"/dev").map_err(|errno| Error::on("/dev", errno))? {
        let path = [b"/dev/", &entry.name[..]].concat();
        let is_it =
            |stat: &rbox_core::sys::fs::Stat| files::kind(stat) == FileType::BlockDevice && stat.st_rdev == device;
        if stat(&path[..]).is_ok_and(|stat| is_it(&stat)) {
            env.stdout.write(&text!(path, " /\n"))?;
            return Ok(ExitStatus::SUCCESS);
        }
    }
    Err(Error::new("/dev has no node of the device of /"))
}
