//! `klogd`: hand the kernel's messages to the system log.

use rbox_core::bytes;
use rbox_core::daemon::{detach, keep_only, pause};
use rbox_core::number::{parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::signal::{Disposition, pending, set};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM};
use rbox_core::sys::{Errno, klog, sandbox};
use rbox_core::syslog::send_line;

options! {
    "[-c LEVEL] [-n]

Forward kernel messages to syslogd.

  -c LEVEL  Print messages more urgent than LEVEL, 1-8, on the console
  -n        Run in the foreground";
    LEVEL = "-c",
    FOREGROUND = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Severity `info`, for a line without a level.
const INFO: u16 = 6;

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let level = args.value(LEVEL).map(|word| parse_in_range(word, 1, 8)).transpose()?;
    if !args.has(FOREGROUND) {
        detach()?;
    }
    for signal in [SIGINT, SIGTERM] {
        set(signal, Disposition::Note).map_err(Error::from)?;
    }
    set(SIGHUP, Disposition::Ignore).map_err(Error::from)?;
    if let Some(level) = level {
        klog::control(klog::CONSOLE_LEVEL, level as i32).map_err(|errno| Error::on("klogctl", errno))?;
    }
    keep_only(sandbox::KLOGD, &[])?;
    say(b"klogd started");
    let result = forward();
    // klogd ends either way, and who ended it learns nothing from a failure here.
    let _ = klog::control(klog::CONSOLE_ON, 0);
    say(b"klogd exiting");
    result
}

fn say(text: &[u8]) {
    // Facility kern (0), severity notice.
    send_line(5, b"kernel", text);
}

fn forward() -> Outcome {
    let (mut buffer, mut waiting) = (vec![0; 16 << 10], Vec::new());
    while pending() == 0 {
        let count = match klog::read(klog::READ, &mut buffer) {
            Ok(count) => count,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(Error::on("klogctl", errno)),
        };
        if count == 0 {
            // A kernel that answers at once with nothing must not keep the processor busy.
            pause(1000);
        }
        waiting.extend_from_slice(&buffer[..count]);
        while let Some(end) = bytes::find_byte(b'\n', &waiting) {
            let line: Vec<u8> = waiting.drain(..=end).collect();
            let (priority, text) = take_level(&line[..end]);
            if !text.is_empty() {
                // syslogd may be starting still: its first messages are worth a short wait.
                for _ in 0..10 {
                    if send_line(priority, b"kernel", text) || pending() != 0 {
                        break;
                    }
                    pause(200);
                }
            }
        }
    }
    Ok(ExitStatus(1))
}

/// The priority in `<N>` at the start, and the text after it.
fn take_level(line: &[u8]) -> (u16, &[u8]) {
    let level = line.strip_prefix(b"<").and_then(|rest| bytes::split_once(rest, b'>'));
    match level.and_then(|(digits, text)| Some((parse_decimal(digits).filter(|&number| number < 192)?, text))) {
        Some((number, text)) => (number as u16, text),
        None => (INFO, line),
    }
}

#[cfg(test)]
mod tests {
    use super::take_level;

    #[test]
    fn levels_are_read() {
        assert_eq!(take_level(b"<4>[1] a"), (4, &b"[1] a"[..]));
        assert_eq!(take_level(b"<999>a"), (6, &b"<999>a"[..]));
        assert_eq!(take_level(b"a"), (6, &b"a"[..]));
    }
}
