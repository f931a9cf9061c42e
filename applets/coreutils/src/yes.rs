//! `yes`: print a line again and again (GNU and BusyBox; in no standard).

use rbox_core::io::CHUNK;
use rbox_core::prelude::*;

options! {
    "[STRING]...

Print a line of the STRINGs (y) repeatedly."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut line = if args.operands().is_empty() { b"y".to_vec() } else { args.operands().join(&b' ') };
    line.push(b'\n');
    // Many lines with one call of the system.
    let lines = line.repeat((CHUNK / line.len()).max(1));
    loop {
        env.stdout.write(&lines)?;
        env.stdout.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn has_a_usage_text() {
        assert_eq!(try_call(APPLET, &["yes", "--help"], b"").status, 0);
    }
}
