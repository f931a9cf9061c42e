//! `nproc`: how many processors there are (GNU coreutils).

use rbox_core::number::{PLAIN, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::thread::{CpuSet, sched_getaffinity};

options! {
    "[--all] [--ignore=N]

Print the number of processors available to this process.

      --all       Print the number of installed processors
      --ignore=N  Subtract N, down to 1";
    ALL = "--all",
    IGNORE = "--ignore",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let ignored = args.value(IGNORE).map_or(Ok(0), |word| parse_count(word, PLAIN))?;
    let count = match args.has(ALL) {
        // sysfs(5): every processor has a directory of its own, in use or not.
        true => {
            let entries = rbox_core::files::list_at(b"/sys/devices/system/cpu").unwrap_or_default();
            entries.iter().filter(|entry| is_processor(&entry.name)).count() as u64
        }
        false => sched_getaffinity(None).map_or(1, |set: CpuSet| u64::from(set.count())),
    };
    env.stdout.write_number(count.saturating_sub(ignored).max(1))?;
    env.stdout.push(b'\n')?;
    Ok(ExitStatus::SUCCESS)
}

fn is_processor(name: &[u8]) -> bool {
    name.strip_prefix(b"cpu").is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn one_always_remains() {
        assert_eq!(try_call(APPLET, &["nproc", "--ignore=100000"], b"").stdout, "1\n");
        assert_eq!(try_call(APPLET, &["nproc", "--ignore=x"], b"").stderr, "nproc: invalid number 'x'\n");
    }
}
