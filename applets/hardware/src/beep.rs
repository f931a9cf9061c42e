//! `beep`: let the console's speaker sound.

use rbox_core::daemon::pause;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::device::sound;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options! {
    "[-f FREQ] [-l LENGTH] [-d DELAY] [-r COUNT] [-n]...

Let the console's speaker sound; -n begins another tone.

  -f FREQ    Frequency in Hz (4000)
  -l LENGTH  Length in milliseconds (30)
  -d DELAY   Wait DELAY milliseconds after each tone (0)
  -r COUNT   Repeat COUNT times (1)
  -n         Begin a new tone";
    FREQUENCY = "-f",
    LENGTH = "-l",
    DELAY = "-d",
    REPEAT = "-r",
    NEW = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

struct Tone {
    hertz: u32,
    length: u16,
    delay: u64,
    count: u64,
}

const FIRST: Tone = Tone { hertz: 4000, length: 30, delay: 0, count: 1 };

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut tones = vec![FIRST];
    for (option, value) in args.found() {
        let number = |most: u64| parse_in_range(value.unwrap_or_default(), 0, most);
        if *option == NEW {
            tones.push(FIRST);
        }
        let Some(tone) = tones.last_mut() else { continue };
        match *option {
            FREQUENCY => tone.hertz = parse_in_range(value.unwrap_or_default(), 20, 20_000)? as u32,
            LENGTH => tone.length = number(u16::MAX.into())? as u16,
            DELAY => tone.delay = number(u32::MAX.into())?,
            REPEAT => tone.count = number(u32::MAX.into())?,
            _ => {}
        }
    }
    let open = |path| fs::open(path, OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let console = open("/dev/tty0").or_else(|_| open("/dev/console"));
    let console = console.map_err(|errno| Error::cannot("open", b"/dev/console", errno))?;
    for tone in tones {
        for _ in 0..tone.count {
            sound(console.as_fd(), tone.hertz, tone.length).map_err(|errno| Error::on("KDMKTONE", errno))?;
            pause(u64::from(tone.length) + tone.delay);
        }
    }
    Ok(ExitStatus::SUCCESS)
}
