//! `logger`: write messages to the system log (POSIX XCU logger, with BusyBox's options).

use rbox_core::bytes;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::syslog::{FACILITIES, SEVERITIES, send_line};
use rbox_core::users::User;

options! {
    "[-s] [-t TAG] [-p PRIORITY] [MESSAGE]...

Write MESSAGE, or each line of standard input, to the system log.

  -s           Write to standard error too
  -t TAG       Set the tag (user name)
  -p PRIORITY  Set the priority, FACILITY.SEVERITY or a number (user.notice)";
    STDERR = "-s",
    TAG = "-t",
    PRIORITY = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// `user.notice`.
const DEFAULT: u16 = 1 << 3 | 5;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let priority = args.value(PRIORITY).map_or(Ok(DEFAULT), parse_priority)?;
    let user = User::by_id(process::getuid().as_raw()).map_or_else(|| b"logger".to_vec(), |user| user.name);
    let tag = args.value(TAG).unwrap_or(&user);
    if !args.operands().is_empty() {
        let message = args.operands().join(&b' ');
        put(env, args.has(STDERR), priority, tag, &message)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let mut input = env.take_stdin();
    while let Some(line) = input.line()? {
        if !line.is_empty() {
            put(env, args.has(STDERR), priority, tag, line)?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn put(env: &mut Env, copy: bool, priority: u16, tag: &[u8], message: &[u8]) -> Result<()> {
    if copy {
        env.stderr.write(&[tag, b": ", message, b"\n"].concat())?;
    }
    // As syslog(3): without a listener the message is lost.
    send_line(priority, tag, message);
    Ok(())
}

/// `FACILITY.SEVERITY`, `SEVERITY`, or the number.
fn parse_priority(word: &[u8]) -> Result<u16> {
    if let Some(number) = parse_decimal(word) {
        return u16::try_from(number).ok().filter(|number| *number < 192).ok_or_else(|| unknown("priority", word));
    }
    let (facility, severity) = bytes::split_once(word, b'.').unwrap_or((b"user", word));
    let facility = FACILITIES.number_of(facility).ok_or_else(|| unknown("facility", facility))?;
    let severity = SEVERITIES.number_of(severity).ok_or_else(|| unknown("priority", word))?;
    Ok((facility << 3 | severity) as u16)
}

fn unknown(what: &str, word: &[u8]) -> Error {
    Error::parts(&[b"unknown ", what.as_bytes(), b" name: ", word])
}

#[cfg(test)]
mod tests {
    use super::parse_priority;

    #[test]
    fn priorities_are_names_or_numbers() {
        assert_eq!(parse_priority(b"local0.err").ok(), Some(131));
        assert_eq!(parse_priority(b"info").ok(), Some(14));
        assert_eq!(parse_priority(b"13").ok(), Some(13));
        assert!(parse_priority(b"nobody.err").is_err() && parse_priority(b"user.loud").is_err());
    }
}
