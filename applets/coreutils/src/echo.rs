//! `echo`: print words (POSIX XCU echo), with BusyBox's options.

use rbox_core::escape::Style;
use rbox_core::prelude::*;
use rbox_core::printf;

options! {
    "[-neE] [STRING]...

Print the STRINGs, separated by blanks, and a newline. -n omits the newline, -e
interprets escapes such as \\n, \\t, \\0NNN, -E (default) does not."
}

/// The applet. Every word may be one to print, so none is an option for certain.
pub const APPLET: Applet = Applet::new(USAGE, run).data().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    env.stdout.write(&printf::echo(args.operands(), Style::Echo))?;
    Ok(ExitStatus::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::APPLET;
    use rbox_core::testing::try_call;

    #[test]
    fn prints_its_words_whatever_they_are() {
        assert_eq!(try_call(APPLET, &["echo", "--help", "-n"], b"").stdout, "--help -n\n");
        assert_eq!(try_call(APPLET, &["echo", "-ne", "a\\tb"], b"").stdout, "a\tb");
    }
}
