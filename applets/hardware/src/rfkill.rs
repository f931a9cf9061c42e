//! `rfkill`: list radio transmitters, and switch them off and on (linux/rfkill.h).

use rbox_core::io::{self, Output};
use rbox_core::names;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fs};
use rbox_core::text;

options!(
    "{list [INDEX|TYPE] | block INDEX|TYPE | unblock INDEX|TYPE | event}

List radio transmitters, switch them off (block) or on, or print changes. TYPE is all, wlan (wifi),
bluetooth, uwb (ultrawideband), wimax, wwan, gps, fm or nfc."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

const TYPES: names::Names = names! {
    "all" = 0, "wlan" = 1, "wifi" = 1, "bluetooth" = 2, "uwb" = 3, "ultrawideband" = 3, "wimax" = 4, "wwan" = 5,
    "gps" = 6, "fm" = 7, "nfc" = 8,
};
/// RFKILL_OP_CHANGE and RFKILL_OP_CHANGE_ALL.
const CHANGE: u8 = 2;
const CHANGE_ALL: u8 = 3;

/// struct rfkill_event.
#[derive(Clone, Copy)]
struct Event {
    index: u32,
    kind: u8,
    operation: u8,
    soft: u8,
    hard: u8,
}

/// Which transmitters are meant.
enum Wanted {
    Index(u32),
    Kind(u8),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 2)?;
    let wanted = words.get(1).map(|word| Wanted::of(word)).transpose()?;
    match (words[0], wanted) {
        (b"list", wanted) => list(env, wanted.unwrap_or(Wanted::Kind(0))),
        (b"event", None) => print_events(env),
        (action @ (b"block" | b"unblock"), Some(wanted)) => {
            let soft = u8::from(action == b"block");
            let event = match wanted {
                Wanted::Index(index) => Event { index, kind: 0, operation: CHANGE, soft, hard: 0 },
                Wanted::Kind(kind) => Event { index: 0, kind, operation: CHANGE_ALL, soft, hard: 0 },
            };
            let mut device = Output::from_fd(open(OFlags::RDWR)?);
            device.write(&event.bytes())?;
            device.flush()?;
            Ok(ExitStatus::SUCCESS)
        }
        _ => Err(Error::usage()),
    }
}

fn open(flags: OFlags) -> Result<OwnedFd> {
    let path = b"/dev/rfkill";
    fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))
}

impl Wanted {
    fn of(word: &[u8]) -> Result<Self> {
        if let Some(index) = parse_decimal(word) {
            return u32::try_from(index).map(Self::Index).map_err(|_| rbox_core::number::invalid(word));
        }
        let kind = TYPES.number_of(word).ok_or_else(|| Error::parts(&[b"unknown type '", word, b"'"]))?;
        Ok(Self::Kind(kind as u8))
    }

    fn has(&self, event: &Event) -> bool {
        match self {
            Self::Index(index) => event.index == *index,
            Self::Kind(kind) => *kind == 0 || event.kind == *kind,
        }
    }
}

impl Event {
    fn bytes(&self) -> [u8; 8] {
        let [a, b, c, d] = self.index.to_ne_bytes();
        [a, b, c, d, self.kind, self.operation, self.soft, self.hard]
    }

    fn of([a, b, c, d, kind, operation, soft, hard]: [u8; 8]) -> Self {
        Self { index: u32::from_ne_bytes([a, b, c, d]), kind, operation, soft, hard }
    }
}

/// The next event; `None` when there is none yet.
fn read(device: &OwnedFd) -> Result<Option<Event>> {
    let mut bytes = [0; 8];
    loop {
        match io::read(device.as_fd(), &mut bytes) {
            Ok(8) => return Ok(Some(Event::of(bytes))),
            Ok(_) | Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on("/dev/rfkill", errno)),
        }
    }
}

/// The device first tells of what is there.
fn list(env: &mut Env, wanted: Wanted) -> Outcome {
    let device = open(OFlags::RDONLY | OFlags::NONBLOCK)?;
    while let Some(event) = read(&device)? {
        if !wanted.has(&event) {
            continue;
        }
        let name = text!("/sys/class/rfkill/rfkill", u64::from(event.index), "/name");
        let name = io::read_file(&name).unwrap_or_default();
        let kind = TYPES.name_of(event.kind.into()).unwrap_or("unknown");
        let state = |blocked: u8| if blocked == 0 { "no" } else { "yes" };
        let head = text!(u64::from(event.index), ": ", name.trim_ascii(), ": ", kind);
        let states = text!("\n\tSoft blocked: ", state(event.soft), "\n\tHard blocked: ", state(event.hard), "\n");
        env.stdout.write(&[head, states].concat())?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn print_events(env: &mut Env) -> Outcome {
    let device = open(OFlags::RDONLY)?;
    while let Some(event) = read(&device)? {
        let [kind, operation, soft, hard] = [event.kind, event.operation, event.soft, event.hard].map(u64::from);
        let head = text!("idx ", u64::from(event.index), " type ", kind, " op ", operation);
        env.stdout.write(&text!(head, " soft ", soft, " hard ", hard, "\n"))?;
        env.stdout.flush()?;
    }
    Ok(ExitStatus::SUCCESS)
}
