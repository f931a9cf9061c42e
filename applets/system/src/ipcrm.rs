//! `ipcrm`: remove objects of System V interprocess communication (POSIX XCU ipcrm).

use rbox_core::number::parse_c;
use rbox_core::prelude::*;
use rbox_core::sys::ipc::{Kind, find, remove};
use rbox_core::text;

options! {
    "[OPTION]... | {shm|msg|sem} ID...

Remove shared memory segments, message queues and semaphore arrays.

  -m, --shmem-id=ID        Remove a segment by ID
  -M, --shmem-key=KEY      Remove a segment by key
  -q, --queue-id=ID        Remove a queue by ID
  -Q, --queue-key=KEY      Remove a queue by key
  -s, --semaphore-id=ID    Remove an array by ID
  -S, --semaphore-key=KEY  Remove an array by key";
    MEMORY = "-m",
    MEMORY_KEY = "-M",
    QUEUE = "-q",
    QUEUE_KEY = "-Q",
    SEMAPHORES = "-s",
    SEMAPHORES_KEY = "-S",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut status = ExitStatus::SUCCESS;
    for (option, value) in args.found() {
        let word = value.unwrap_or_default();
        let done = match *option {
            MEMORY => by_id(Kind::SharedMemory, word),
            QUEUE => by_id(Kind::Queue, word),
            SEMAPHORES => by_id(Kind::Semaphores, word),
            MEMORY_KEY => by_key(Kind::SharedMemory, word),
            QUEUE_KEY => by_key(Kind::Queue, word),
            _ => by_key(Kind::Semaphores, word),
        };
        if let Err(error) = done {
            status.worsen(env.warn(error));
        }
    }
    let operands = args.operands();
    let Some((kind, ids)) = operands.split_first() else {
        return if args.found().is_empty() { Err(Error::usage()) } else { Ok(status) };
    };
    let kind = match *kind {
        b"shm" => Kind::SharedMemory,
        b"msg" => Kind::Queue,
        b"sem" => Kind::Semaphores,
        _ => return Err(Error::usage_because(&[b"unknown argument: ", kind])),
    };
    if ids.is_empty() {
        return Err(Error::misused("not enough arguments"));
    }
    env.for_each_operand(ids, &mut |_, id| by_id(kind, id))
}

fn by_id(kind: Kind, word: &[u8]) -> Result<()> {
    let id = parse_c(word).and_then(|id| i32::try_from(id).ok());
    let id = id.ok_or_else(|| Error::new(text!("invalid id: ", word)))?;
    remove(kind, id).map_err(|errno| Error::on(text!("id (", word, ")"), errno))
}

fn by_key(kind: Kind, word: &[u8]) -> Result<()> {
    let wrong = |_| Error::new(text!("invalid key: ", word));
    // A key is 32 bits, written with a sign or without. 0 is IPC_PRIVATE, which is no key of an object.
    let key = parse_c(word).filter(|key| *key != 0 && u32::try_from(*key).is_ok()).ok_or(()).map_err(wrong)?;
    let failed = |errno| Error::on(text!("key (", word, ")"), errno);
    remove(kind, find(kind, key as i32).map_err(failed)?).map_err(failed)
}
