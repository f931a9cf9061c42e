//! `svc`: send commands to runsv by their characters (daemontools' svc(8)).

use rbox_core::bytes;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{Errno, fd, fs};

options! {
    "[-udopchaitkx] DIRECTORY...

Control services supervised by runsv.

  -u  Start; restart it when it exits
  -d  Stop by TERM and CONT; do not restart it
  -o  Start once; do not restart it
  -p  Send STOP
  -c  Send CONT
  -h  Send HUP
  -a  Send ALRM
  -i  Send INT
  -t  Send TERM
  -k  Send KILL
  -x  Exit runsv when the service is down";
    UP = "-u",
    DOWN = "-d",
    ONCE = "-o",
    PAUSE = "-p",
    CONTINUE = "-c",
    HANGUP = "-h",
    ALARM = "-a",
    INTERRUPT = "-i",
    TERMINATE = "-t",
    KILL = "-k",
    EXIT = "-x",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// What each option writes to `supervise/control`.
const CHARACTERS: [(Opt, u8); 11] = [
    (UP, b'u'),
    (DOWN, b'd'),
    (ONCE, b'o'),
    (PAUSE, b'p'),
    (CONTINUE, b'c'),
    (HANGUP, b'h'),
    (ALARM, b'a'),
    (INTERRUPT, b'i'),
    (TERMINATE, b't'),
    (KILL, b'k'),
    (EXIT, b'x'),
];

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.operands().is_empty() {
        return Err(Error::usage());
    }
    let character = |option| CHARACTERS.iter().find(|(other, _)| *other == option).map(|(_, character)| *character);
    let characters: Vec<u8> = args.found().iter().filter_map(|(option, _)| character(*option)).collect();
    env.for_each_operand(args.operands(), &mut |_, directory| {
        let control = bytes::join_path(directory, b"supervise/control");
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match fs::open(&control[..], flags, Mode::empty()).and_then(|file| fd::write(&file, &characters)) {
            Ok(_) => Ok(()),
            Err(Errno::NXIO) => Err(Error::parts(&[directory, b": runsv not running"])),
            Err(errno) => Err(Error::on(control, errno)),
        }
    })
}
