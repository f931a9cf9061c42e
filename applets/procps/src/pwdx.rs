//! `pwdx`: print the current directories of processes (as in procps).

use rbox_core::bytes;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::readlink;
use rbox_core::text;

options!("PID...\n\nPrint the current directory of each process.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |env, word| {
        // The name of its directory in /proc is as good.
        let pid = parse_decimal(bytes::base_name(word)).filter(|pid| (1..=i32::MAX as u64).contains(pid));
        let pid = pid.ok_or_else(|| Error::parts(&[b"invalid process id: ", word]))?;
        let directory = readlink(text!("/proc/", pid, "/cwd")).map_err(|errno| {
            use rbox_core::sys::Errno;
            Error::on(word, if errno == Errno::NOENT { Errno::SRCH } else { errno })
        })?;
        env.stdout.write(&text!(pid, ": ", directory, "\n"))
    })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(try_call(APPLET, &["pwdx", "abc"], b"").stderr, "pwdx: invalid process id: abc\n");
        let ran = try_call(APPLET, &["pwdx", "2147483647"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "pwdx: 2147483647: No such process\n"));
    }
}
