//! `dmesg`: print or control the kernel's log (syslog(2)).

use rbox_core::bytes;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::klog;
use rbox_core::term::{Shown, clean};

options! {
    "[-cr] [-n LEVEL] [-s SIZE]

Print the kernel log.

  -c        Clear the log after printing
  -n LEVEL  Set the console log level, 1-8; print nothing
  -s SIZE   Read at most SIZE bytes
  -r        Print the level of each message";
    CLEAR = "-c",
    LEVEL = "-n",
    SIZE = "-s",
    RAW = "-r",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// Bytes of the largest log that is read.
const MOST: u64 = 16 << 20;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let failed = |errno| Error::on("klogctl", errno);
    if let Some(word) = args.value(LEVEL) {
        let level = parse_in_range(word, 1, 8)?;
        klog::control(klog::CONSOLE_LEVEL, level as i32).map_err(failed)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let size = match args.value(SIZE) {
        Some(word) => parse_in_range(word, 2, MOST)?,
        None => (klog::control(klog::SIZE_BUFFER, 0).unwrap_or(16 << 10) as u64).min(MOST),
    };
    let mut buffer = vec![0; size as usize];
    let action = if args.has(CLEAR) { klog::READ_CLEAR } else { klog::READ_ALL };
    let count = klog::read(action, &mut buffer).map_err(failed)?;
    let log = &buffer[..count];
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        // A driver logs what devices call themselves.
        match args.has(RAW) {
            true => env.stdout.write(line)?,
            false => env.stdout.write(&clean(without_level(line), b"\t\n", Shown::Caret))?,
        }
    }
    if !log.is_empty() && !log.ends_with(b"\n") {
        env.stdout.push(b'\n')?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// A line without its `<N>`.
fn without_level(line: &[u8]) -> &[u8] {
    match line.strip_prefix(b"<").and_then(|rest| bytes::split_once(rest, b'>')) {
        Some((level, text)) if level.iter().all(u8::is_ascii_digit) => text,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::without_level;

    #[test]
    fn levels_are_taken_off() {
        assert_eq!(without_level(b"<6>[ 0.0] Linux\n"), b"[ 0.0] Linux\n");
        assert_eq!(without_level(b"<a>b"), b"<a>b");
    }
}
