//! `uevent`: run a program for each event of the kernel, or print them.

use rbox_core::bytes::split_once;
use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;

use crate::events::Events;

options!(
    "[PROG ARGS]

Run PROG for each event that the kernel reports about a device, with the event's variables in its
environment. Without PROG, print the variables. As a daemon for device nodes: uevent mdev & mdev -s"
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut events = Events::listen()?;
    loop {
        let words: Vec<Vec<u8>> = match events.next() {
            Ok(Some(words)) => words.iter().map(|word| word.to_vec()).collect(),
            Ok(None) | Err(Errno::INTR) => continue,
            Err(Errno::NOBUFS) => {
                env.report(&Error::new("events were lost"));
                continue;
            }
            Err(errno) => return Err(Error::on("can't receive kernel events", errno)),
        };
        if args.operands().is_empty() {
            env.stdout.write(&[words.join(&b'\n'), b"\n\n".to_vec()].concat())?;
            env.stdout.flush()?;
            continue;
        }
        let before = env.vars.clone();
        for (name, value) in words.iter().filter_map(|word| split_once(word, b'=')) {
            env.vars.set(name, Some(value));
        }
        // The program's status is its own; the next event has to be seen either way.
        call::run(env, args.operands())?;
        env.vars = before;
    }
}
