//! `ts`: print each line after the time at which it was read (ts of moreutils).

use std::time::Instant;

use rbox_core::prelude::*;
use rbox_core::time::{self, Moment, Zone};

options! {
    "[-is] [FORMAT]

Copy standard input to standard output with the time, as FORMAT of strftime(3), before each line.

  -i  Print the time since the line before, or since the start
  -s  Print the time since the start

In FORMAT, %.S, %.s and %.T are %S, %s and %T with microseconds. The default is '%b %d %H:%M:%S', with -i or -s '%H:%M:%S'.";
    SINCE_LINE = "-i",
    SINCE_START = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mode = args.last_of(&[SINCE_LINE, SINCE_START]);
    let default: &[u8] = if mode.is_some() { b"%H:%M:%S" } else { b"%b %d %H:%M:%S" };
    let format = microseconds(args.operands_between(0, 1)?.first().copied().unwrap_or(default));
    let zone = if mode.is_some() { Zone::utc() } else { Zone::load(env.vars.get("TZ")) };
    // A clock that is set does not change how much time has passed.
    let mut since = Instant::now();
    let mut input = env.take_stdin();
    let mut begins = true;
    while let Some(chunk) = input.chunk(b'\n', &mut env.stdout)? {
        if begins {
            let moment = match mode {
                None => Moment::now(),
                Some(mode) => {
                    let now = Instant::now();
                    let passed = now - since;
                    if mode == SINCE_LINE {
                        since = now;
                    }
                    Moment { seconds: passed.as_secs() as i64, nanos: passed.subsec_nanos() }
                }
            };
            env.stdout.write(&time::format(&format, moment, &zone))?;
            env.stdout.push(b' ')?;
        }
        env.stdout.write(chunk.bytes)?;
        begins = chunk.ends;
        if begins {
            env.stdout.push(b'\n')?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// `%.S` and the like in the conversions of core.
fn microseconds(format: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < format.len() {
        let length = match &format[at..] {
            [b'%', b'.', letter @ (b'S' | b's' | b'T'), ..] => {
                out.extend_from_slice(&[b'%', *letter, b'.', b'%', b'6', b'N']);
                3
            }
            [b'%', _, ..] => {
                out.extend_from_slice(&format[at..at + 2]);
                2
            }
            _ => {
                out.push(format[at]);
                1
            }
        };
        at += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::testing::try_call;

    #[test]
    fn each_line_gets_a_time() {
        let ran = try_call(APPLET, &["ts", "-s", "%s|%%.S|"], b"a\n\nb");
        assert_eq!(ran.stdout, "0|%.S| a\n0|%.S| \n0|%.S| b");
        let ran = try_call(APPLET, &["ts", "-i", "%.T"], b"a\n");
        assert!(ran.stdout.starts_with("00:00:") && ran.stdout.len() == "00:00:00.000000 a\n".len());
    }
}
