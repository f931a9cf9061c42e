//! `inotifyd`: run a program when files change (inotify(7)).

use core::mem::MaybeUninit;

use rbox_core::bytes::split_once;
use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rbox_core::sys::signal::{Disposition, pending, set};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM};

options!(
    "PROG FILE[:MASK]...

Run PROG EVENTS FILE [NAME] for each event of the files; with - as PROG, print these words.
A file is watched for the events whose characters MASK has (all).

a accessed, c modified, e metadata changed, w closed after writing, 0 closed after reading,
r opened, D deleted, M moved, u filesystem unmounted, o too many events, x can be watched
no more; in a directory: y moved in, m moved out, n created, d deleted"
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().options_first();

/// The characters of the events, from IN_ACCESS on.
const NAMES: &[u8; 16] = b"acew0rmyndDM\0uox";
/// Events that only tell of something and cannot be asked for.
const TOLD: u32 = 0xf000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let [program, files @ ..] = args.operands_between(2, usize::MAX)? else { return Err(Error::usage()) };
    let watcher = inotify::init(CreateFlags::CLOEXEC).map_err(|errno| Error::on("inotify_init", errno))?;
    let mut watched = Vec::new();
    for file in files {
        let (path, mask) = split_once(file, b':').map_or((*file, None), |(path, mask)| (path, Some(mask)));
        let mask = mask.map_or(Ok(0xfff), mask_of)?;
        let flags = WatchFlags::from_bits_retain(mask & !TOLD);
        let number = inotify::add_watch(&watcher, path, flags).map_err(|errno| Error::cannot("watch", path, errno))?;
        watched.push((number, path, mask));
    }
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        set(signal, Disposition::Note).map_err(Error::from)?;
    }
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = Reader::new(&watcher, &mut buffer);
    while !watched.is_empty() {
        let event = match events.next() {
            Ok(event) => event,
            Err(Errno::INTR) if pending() != 0 => break,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(Error::on("inotify", errno)),
        };
        let kinds = event.events().bits();
        let lost = kinds & ReadFlags::QUEUE_OVERFLOW.bits() != 0;
        let of_event = |(number, ..): &&(i32, &[u8], u32)| lost || *number == event.wd();
        let Some(&(number, path, mask)) = watched.iter().find(of_event) else { continue };
        if kinds & ReadFlags::IGNORED.bits() != 0 {
            watched.retain(|(other, ..)| *other != number);
        }
        let names: Vec<u8> =
            (0..16).filter(|bit| (kinds & (mask | TOLD)) >> bit & 1 != 0).map(|bit| NAMES[bit]).collect();
        if names.is_empty() {
            continue;
        }
        let name = event.file_name().map(|name| name.to_bytes().to_vec());
        let mut words: Vec<&[u8]> = vec![program, &names, path];
        words.extend(name.as_deref());
        if *program == b"-" {
            env.stdout.write(&words[1..].join(&b'\t'))?;
            env.stdout.write(b"\n")?;
            env.stdout.flush()?;
        } else {
            // The program's status is its own.
            call::run(env, &words)?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// The set of events that characters name.
fn mask_of(names: &[u8]) -> Result<u32> {
    names.iter().try_fold(0, |mask, name| {
        let bit = NAMES.iter().position(|known| known == name);
        Ok(mask | 1 << bit.ok_or_else(|| Error::parts(&[b"unknown event '", &[*name], b"'"]))?)
    })
}
