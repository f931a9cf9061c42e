//! `tee`: copy standard input to standard output and to files (POSIX XCU tee).

use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::sys::signal::{self, Disposition};

options! {
    "[-ai] [FILE]...

Copy standard input to standard output and to each FILE.

  -a, --append             Append to the FILEs
  -i, --ignore-interrupts  Ignore SIGINT";
    APPEND = "-a",
    IGNORE = "-i",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const SIGINT: i32 = 2;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut status = ExitStatus::SUCCESS;
    if args.has(IGNORE) {
        signal::set(SIGINT, Disposition::Ignore)?;
    }
    let mut outputs = Vec::new();
    for &path in args.operands() {
        match Output::open(path, args.has(APPEND)) {
            Ok(output) => outputs.push((path, output)),
            Err(errno) => status.worsen(env.warn(Error::on(path, errno))),
        }
    }
    let mut stdout_error = None;
    loop {
        let content = match env.stdin.fill() {
            Ok(content) => content,
            Err(error) => {
                status.worsen(env.warn(error));
                break;
            }
        };
        if content.is_empty() || (outputs.is_empty() && stdout_error.is_some()) {
            break;
        }
        // XCU tee: what comes is passed on at once, and one output that fails does not stop the others.
        if stdout_error.is_none() {
            stdout_error = env.stdout.write(content).and_then(|()| env.stdout.flush()).err();
        }
        let mut failed = Vec::new();
        outputs.retain_mut(|(path, output)| match output.write(content).and_then(|()| output.flush()) {
            Ok(()) => true,
            Err(error) => {
                failed.extend(error.errno().map(|errno| Error::on(*path, errno)));
                false
            }
        });
        let length = content.len();
        env.stdin.consume(length);
        for error in failed {
            status.worsen(env.warn(error));
        }
    }
    match stdout_error {
        Some(error) => Err(error),
        None => Ok(status),
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn copies_to_standard_output_whatever_becomes_of_the_files() {
        let ran = try_call(APPLET, &["tee", "/proc/nonexistent/x"], b"ab\n");
        assert_eq!((ran.status, ran.stdout.as_str()), (1, "ab\n"));
        assert_eq!(ran.stderr, "tee: /proc/nonexistent/x: No such file or directory\n");
    }
}
