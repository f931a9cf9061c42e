//! `lpq`: ask about a printer's queue, or change it (RFC 1179).

use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::term::{Shown, clean};
use rbox_core::text;
use rbox_core::users::User;

use crate::printer::{agree, connect};

options! {
    "[-fs] [-P QUEUE[@HOST[:PORT]]] [-U USER] [-d JOB]...

Print the state of a printer's queue.

  -P QUEUE  Queue and its server (default: $PRINTER, or lp@localhost)
  -U USER   Ask as USER
  -d JOB    Remove a job from the queue
  -f        Print waiting jobs
  -s        Short form";
    QUEUE = "-P",
    USER = "-U",
    REMOVE = "-d",
    FORCE = "-f",
    SHORT = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let own_name = || User::by_id(process::geteuid().as_raw()).map_or_else(|| b"nobody".to_vec(), |user| user.name);
    let user = args.value(USER).map_or_else(own_name, <[u8]>::to_vec);
    let jobs: Vec<&[u8]> = args.values(REMOVE).collect();
    if [&user[..]].iter().chain(&jobs).any(|word| word.iter().any(|byte| byte.is_ascii_control() || *byte == b' ')) {
        return Err(Error::new("a word has a blank or a control character"));
    }
    let (queue, mut talk) = connect(env, args.value(QUEUE))?;
    if !jobs.is_empty() {
        talk.send(&text!("\x05", &queue, " ", &user, " ", jobs.join(&b' '), "\n"))?;
        agree(&mut talk, "to remove it")?;
        return Ok(ExitStatus::SUCCESS);
    }
    if args.has(FORCE) {
        talk.send(&text!("\x01", &queue, "\n"))?;
        agree(&mut talk, "to print")?;
        return Ok(ExitStatus::SUCCESS);
    }
    talk.send(&text!(if args.has(SHORT) { "\x03" } else { "\x04" }, &queue, "\n"))?;
    if talk.fill()?.first() == Some(&1) {
        agree(&mut talk, "to tell")?;
    }
    loop {
        let content = talk.fill()?;
        if content.is_empty() {
            return Ok(ExitStatus::SUCCESS);
        }
        let count = content.len();
        env.stdout.write(&clean(content, b"\t\n", Shown::Caret))?;
        talk.consume(count);
    }
}
