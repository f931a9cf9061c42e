//! `nologin`: the shell of an account without login.

use rbox_core::daemon::pause;
use rbox_core::io::Input;
use rbox_core::prelude::*;

/// A login shell is called with arguments, `-c` among them: they change nothing.
const USAGE: &str = "\n\nPrint /etc/nologin.txt, or that the account is not available, and fail.";

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// Milliseconds that the text stays on a terminal which is cleared then.
const DELAY: u64 = 5000;

fn run(env: &mut Env, _: &Args<'_>) -> Outcome {
    let text = Input::open(b"/etc/nologin.txt").and_then(|mut file| file.read_to_end());
    env.stdout.write(&text.unwrap_or_else(|_| b"This account is not available\n".to_vec()))?;
    env.stdout.flush()?;
    pause(DELAY);
    Ok(ExitStatus::FAILURE)
}
