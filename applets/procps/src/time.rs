//! `time`: run a command and print what it used (POSIX XCU time), with the conversions of GNU's.

use std::time::{Duration, Instant};

use rbox_core::call;
use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::param;
use rbox_core::sys::process::{self, Change};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::text::Right;

options! {
    "[-apv] [-f FORMAT] [-o FILE] COMMAND [ARGUMENT]...

Run COMMAND and print the time and the resources that it used on standard error.

  -p, --portability    Print real, user and sys in seconds, as POSIX asks
  -v, --verbose        Print all that is known
  -f, --format=FORMAT  Print FORMAT: %e %U %S seconds (elapsed, user, system), %E elapsed, %P processor use, %C command,
                       %x status, %M largest resident set in kB, %R %F page faults (minor, major), %c %w context switches
                       (forced, by waiting), %I %O file system inputs and outputs, %W swaps, %s %r messages sent and
                       received, %k signals, %Z page size, %X %D %p %t %K average sizes of memory in kB
  -o, --output=FILE    Print to FILE
  -a, --append         Append to FILE
  -q, --quiet          Do not print how COMMAND failed";
    PORTABLE = "-p",
    VERBOSE = "-v",
    FORMAT = "-f",
    OUTPUT = "-o",
    APPEND = "-a",
    QUIET = "-q",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().program().failure(125);

const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;

const DEFAULT: &str = "real\t%E\nuser\t%u\nsys\t%T";
const POSIX: &str = "real %e\nuser %U\nsys %S";
const LONG: &str = "\tCommand being timed: \"%C\"
\tUser time (seconds): %U
\tSystem time (seconds): %S
\tPercent of CPU this job got: %P
\tElapsed (wall clock) time (h:mm:ss or m:ss): %E
\tAverage shared text size (kbytes): %X
\tAverage unshared data size (kbytes): %D
\tAverage stack size (kbytes): %p
\tAverage total size (kbytes): %K
\tMaximum resident set size (kbytes): %M
\tAverage resident set size (kbytes): %t
\tMajor (requiring I/O) page faults: %F
\tMinor (reclaiming a frame) page faults: %R
\tVoluntary context switches: %w
\tInvoluntary context switches: %c
\tSwaps: %W
\tFile system inputs: %I
\tFile system outputs: %O
\tSocket messages sent: %s
\tSocket messages received: %r
\tSignals delivered: %k
\tPage size (bytes): %Z
\tExit status: %x";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let command = args.operands();
    if command.is_empty() {
        return Err(Error::usage());
    }
    let create = |path| Output::open(path, args.has(APPEND)).map_err(|errno| Error::cannot("create", path, errno));
    let mut file = args.value(OUTPUT).map(create).transpose()?;
    let started = Instant::now();
    let pid = process::fork_run(|| call::replace(env, command).0).map_err(|errno| Error::on("can't fork", errno))?;
    // The terminal sends these to the command too, and its end is waited for.
    for number in [SIGINT, SIGQUIT] {
        signal::set(number, Disposition::Ignore)?;
    }
    let change = process::wait_for(pid)?;
    let format = match (args.last_of(&[PORTABLE, VERBOSE, FORMAT]), args.value(FORMAT)) {
        (Some(FORMAT), Some(format)) => format,
        (Some(VERBOSE), _) => LONG.as_bytes(),
        (Some(PORTABLE), _) => POSIX.as_bytes(),
        _ => env.vars.get("TIME").unwrap_or(DEFAULT.as_bytes()),
    };
    let mut out = Vec::new();
    match change {
        _ if args.has(QUIET) => {}
        Change::Exited(0) | Change::Continued => {}
        Change::Exited(status) => push!(out, "Command exited with non-zero status ", status, "\n"),
        Change::Signaled(number) => push!(out, "Command terminated by signal ", number as u32, "\n"),
        Change::Stopped(number) => push!(out, "Command stopped by signal ", number as u32, "\n"),
    }
    Summary { command, change, elapsed: started.elapsed() }.push(&mut out, format);
    let output = file.as_mut().unwrap_or(&mut env.stderr);
    output.write(&out)?;
    output.flush()?;
    Ok(ExitStatus(change.status()))
}

/// What is known of a command that has ended.
struct Summary<'a> {
    command: &'a [&'a [u8]],
    change: Change,
    elapsed: Duration,
}

impl Summary<'_> {
    /// Adds the text of `format` and a newline.
    fn push(&self, out: &mut Vec<u8>, format: &[u8]) {
        let usage = process::usage_of_children();
        // The types of the fields differ from processor to processor.
        let user = Duration::new(usage.ru_utime.tv_sec as u64, usage.ru_utime.tv_usec as u32 * 1000);
        let system = Duration::new(usage.ru_stime.tv_sec as u64, usage.ru_stime.tv_usec as u32 * 1000);
        let ticks = ((user + system).as_millis() / 10) as i64;
        // The kernel counts what is held for a while: kilobytes times ticks of a hundredth of a second.
        let average = |sum: i64| sum.checked_div(ticks).unwrap_or(0);
        let mut at = 0;
        while at < format.len() {
            let byte = format[at];
            let next = format.get(at + 1).copied();
            at += if matches!(byte, b'%' | b'\\') && next.is_some() { 2 } else { 1 };
            match (byte, next) {
                (b'\\', Some(b't')) => out.push(b'\t'),
                (b'\\', Some(b'n')) => out.push(b'\n'),
                (b'\\', Some(b'\\')) => out.push(b'\\'),
                (b'\\', Some(other)) => out.extend_from_slice(&[b'?', b'\\', other]),
                (b'%', Some(conversion)) => match conversion {
                    b'%' => out.push(b'%'),
                    b'e' => push_seconds(out, self.elapsed),
                    b'U' => push_seconds(out, user),
                    b'S' => push_seconds(out, system),
                    b'E' => push_clock(out, self.elapsed),
                    b'u' => push_clock(out, user),
                    b'T' => push_clock(out, system),
                    b'P' => match self.elapsed.as_micros() {
                        0 => out.extend_from_slice(b"?%"),
                        elapsed => push!(*out, ((user + system).as_micros() * 100 / elapsed) as u64, "%"),
                    },
                    b'C' => out.extend(self.command.join(&b' ')),
                    b'x' => push!(*out, self.change.status()),
                    b'M' => push!(*out, usage.ru_maxrss as i64),
                    b'R' => push!(*out, usage.ru_minflt as i64),
                    b'F' => push!(*out, usage.ru_majflt as i64),
                    b'c' => push!(*out, usage.ru_nivcsw as i64),
                    b'w' => push!(*out, usage.ru_nvcsw as i64),
                    b'I' => push!(*out, usage.ru_inblock as i64),
                    b'O' => push!(*out, usage.ru_oublock as i64),
                    b'W' => push!(*out, usage.ru_nswap as i64),
                    b's' => push!(*out, usage.ru_msgsnd as i64),
                    b'r' => push!(*out, usage.ru_msgrcv as i64),
                    b'k' => push!(*out, usage.ru_nsignals as i64),
                    b'Z' => push!(*out, param::page_size()),
                    b'X' => push!(*out, average(usage.ru_ixrss as i64)),
                    b'D' => push!(*out, average(usage.ru_idrss as i64)),
                    b'p' => push!(*out, average(usage.ru_isrss as i64)),
                    b't' => push!(*out, 0i64),
                    b'K' => push!(*out, average((usage.ru_ixrss + usage.ru_idrss + usage.ru_isrss) as i64)),
                    other => out.extend_from_slice(&[b'?', other]),
                },
                _ => out.push(byte),
            }
        }
        out.push(b'\n');
    }
}

/// Adds seconds and their hundredths.
fn push_seconds(out: &mut Vec<u8>, time: Duration) {
    push!(*out, time.as_secs(), ".", Right(u64::from(time.subsec_millis() / 10), 2, b'0'));
}

/// Adds minutes and seconds, or hours, minutes and seconds, in BusyBox's form.
fn push_clock(out: &mut Vec<u8>, time: Duration) {
    let (seconds, hundredths) = (time.as_secs(), u64::from(time.subsec_millis() / 10));
    match seconds / 3600 {
        0 => {
            push!(*out, seconds / 60, "m ", seconds % 60, ".", Right(hundredths, 2, b'0'), "s");
        }
        hours => {
            push!(*out, hours, "h ", seconds / 60 % 60, "m ", Right(seconds % 60, 2, b'0'), "s");
        }
    }
}
