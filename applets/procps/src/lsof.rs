//! `lsof`: list open files (BusyBox's form: PID, program, file).

use rbox_core::files::list_at;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::processes;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::readlink;
use rbox_core::term::{Shown, clean};
use rbox_core::text;

options! {
    "[-p PID] [FILE]...

List the open files of all processes: PID, program and file, separated by tabs. Only root sees those of others.

  -p PID  Only of the process PID

With FILEs, only those whose path one of them is; the status is 1 if there is none.";
    PID = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let pids = match args.value(PID) {
        Some(word) => {
            let pid = parse_in_range(word, 1, i32::MAX as u64)? as i32;
            processes::Process::read(pid).ok_or_else(|| Error::on(word, Errno::SRCH))?;
            vec![pid]
        }
        None => processes::all()?,
    };
    let wanted = args.operands();
    let mut found = wanted.is_empty();
    for pid in pids {
        let directory = text!("/proc/", pid as u32, "/");
        // A thread of the kernel has no program, a process of another user shows none, and any may have ended.
        let Ok(program) = readlink(text!(&directory, "exe")) else { continue };
        let Ok(mut entries) = list_at(&text!(&directory, "fd")) else { continue };
        entries.sort_unstable_by_key(|entry| rbox_core::number::parse_decimal(&entry.name));
        for entry in entries {
            let Ok(file) = readlink(text!(&directory, "fd/", &entry.name)) else { continue };
            if wanted.is_empty() || wanted.contains(&file.as_slice()) {
                found = true;
                let shown = |name: &[u8]| clean(name, b"", Shown::As(b'?'));
                env.stdout.write(&text!(pid as u32, "\t", shown(&program), "\t", shown(&file), "\n"))?;
            }
        }
    }
    Ok(ExitStatus::from_ok(found))
}
