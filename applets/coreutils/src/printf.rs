//! `printf`: print words in a format (POSIX XCU printf).

use rbox_core::prelude::*;
use rbox_core::printf;

options! {
    "FORMAT [ARGUMENT]...

Print the ARGUMENTs by FORMAT, which is reused as needed: %s %b %q %c %d %i %o %u %x %X
%a %e %f %g %%, with flags, width and precision; escapes as in C."
}

/// The applet. A word that starts with a dash may be a number.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands();
    let words = options::after_dashes(words);
    let Some((format, words)) = words.split_first() else { return Err(Error::usage()) };
    let mut out = Vec::new();
    let status = printf::print(format, words, &mut out, None, &mut |out, parts| {
        // What came before the message goes out before it; a failure to write it is met again when the rest is written.
        let _ = env.stdout.write(out);
        out.clear();
        env.report(&Error::parts(parts));
    });
    env.stdout.write(&out)?;
    Ok(ExitStatus(status))
}

#[cfg(test)]
mod tests {
    use super::APPLET;
    use rbox_core::testing::try_call;

    #[test]
    fn prints_and_tells_of_words_that_are_no_numbers() {
        let ran = try_call(APPLET, &["printf", "--", "-%d|", "1", "x"], b"");
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str(), ran.status),
            ("-1|-0|", "printf: invalid number 'x'\n", 1)
        );
        assert_eq!(try_call(APPLET, &["printf"], b"").status, 1);
    }
}
