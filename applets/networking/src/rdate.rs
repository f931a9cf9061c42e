//! `rdate`: the time of a host (RFC 868).

use core::net::SocketAddr;

use rbox_core::io::read;
use rbox_core::net::{dns, sockets};
use rbox_core::prelude::*;
use rbox_core::sys::net::SocketType;
use rbox_core::sys::time::{ClockId, Timespec, clock_gettime, clock_settime};
use rbox_core::sys::{AsFd, Errno};
use rbox_core::time::{Moment, Zone, format};
use rbox_core::tty::wait_readable;

options! {
    "[-s|-p] HOST

Set the clock to the time of HOST, and print it.

  -s  Only set the clock
  -p  Only print the time";
    SET = "-s",
    PRINT = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// RFC 868.
const PORT: u16 = 37;
/// Milliseconds to wait for the host.
const PATIENCE: u64 = 10_000;
/// Seconds from 1900 to 1970.
const EPOCH: i64 = 2_208_988_800;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let host = args.operands_between(1, 1)?[0];
    let last = args.last_of(&[SET, PRINT]);
    let seconds = ask(host)?;
    if last != Some(PRINT) {
        if clock_gettime(ClockId::Realtime).tv_sec == seconds {
            env.warn(Error::new("current time matches remote time"));
        } else {
            let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
            clock_settime(ClockId::Realtime, time).map_err(|errno| Error::on("can't set time of day", errno))?;
        }
    }
    if last != Some(SET) {
        let zone = Zone::load(env.vars.get("TZ"));
        let mut line = format(b"%a %b %e %H:%M:%S %Y", Moment { seconds, nanos: 0 }, &zone);
        line.push(b'\n');
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Seconds since 1970, by the host.
fn ask(host: &[u8]) -> Result<i64> {
    let failed = |errno| Error::on(host, errno);
    let to = SocketAddr::new(dns::resolve(host, None)?, PORT);
    let socket = sockets::connect(&to, SocketType::STREAM, None, Some(PATIENCE)).map_err(failed)?;
    let mut reply = [0; 4];
    let mut length = 0;
    while length < reply.len() {
        if !wait_readable(socket.as_fd(), Some(PATIENCE)) {
            return Err(failed(Errno::TIMEDOUT));
        }
        match read(socket.as_fd(), &mut reply[length..]).map_err(failed)? {
            0 => return Err(Error::parts(&[host, b" did not send the complete time"])),
            count => length += count,
        }
    }
    Ok(seconds(u32::from_be_bytes(reply)))
}

/// 32 bits are used up in 2036: what would be before 1968 is of the next time around.
fn seconds(number: u32) -> i64 {
    let era = if number < 1 << 31 { 1 << 32 } else { 0 };
    i64::from(number) + era - EPOCH
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn seconds_count_from_1900() {
        assert_eq!(seconds(2_208_988_800), 0);
        assert_eq!(seconds(u32::MAX), 2_085_978_495);
        assert_eq!(seconds(0), 2_085_978_496);
    }
}
