//! `ipcs`: list the objects of System V interprocess communication (POSIX XSI ipcs), as /proc/sysvipc has them.

use rbox_core::bytes;
use rbox_core::io::{Input, read_file};
use rbox_core::number::{octal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text;
use rbox_core::text::{Hex, Left, Right};
use rbox_core::time::{Moment, Zone, format};
use rbox_core::users::NameCache;

options! {
    "[-aqms] [-cltpu] | {-q|-m|-s} -i ID

List message queues, shared memory segments and semaphore arrays.

  -a, --all         List all three (default)
  -q, --queues      List message queues
  -m, --shmems      List shared memory segments
  -s, --semaphores  List semaphore arrays
  -i, --id=ID       Print details of ID
  -c, --creator     Print creator and owner
  -l, --limits      Print limits
  -t, --time        Print times
  -p, --pid         Print PIDs
  -u, --summary     Print a summary";
    ALL = "-a",
    QUEUES = "-q",
    MEMORY = "-m",
    SEMAPHORES = "-s",
    ID = "-i",
    CREATOR = "-c",
    LIMITS = "-l",
    TIME = "-t",
    PID = "-p",
    SUMMARY = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// A kind of object: its file in /proc/sysvipc, and the name of its numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Queue,
    Memory,
    Semaphores,
}

/// The rows of a kind's file. A column is found by its heading, which differs between kernels.
struct Rows {
    heading: Vec<Vec<u8>>,
    rows: Vec<Vec<Vec<u8>>>,
}

impl Rows {
    fn read(kind: Kind) -> Result<Self> {
        let path: &[u8] = match kind {
            Kind::Queue => b"/proc/sysvipc/msg",
            Kind::Memory => b"/proc/sysvipc/shm",
            Kind::Semaphores => b"/proc/sysvipc/sem",
        };
        let text = Input::open(path)?.read_to_end()?;
        let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let mut next = || lines.next().map(|line| bytes::words(line).map(<[u8]>::to_vec).collect());
        let heading = next().unwrap_or_default();
        Ok(Self { heading, rows: core::iter::from_fn(next).collect() })
    }

    fn text<'a>(&self, row: &'a [Vec<u8>], name: &str) -> &'a [u8] {
        let column = self.heading.iter().position(|heading| heading == name.as_bytes());
        column.and_then(|at| row.get(at)).map_or(b"0", Vec::as_slice)
    }

    fn number(&self, row: &[Vec<u8>], name: &str) -> u64 {
        parse_decimal(self.text(row, name)).unwrap_or(0)
    }

    fn sum(&self, name: &str) -> u64 {
        self.rows.iter().fold(0, |sum, row| sum.saturating_add(self.number(row, name)))
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let chosen = [(QUEUES, Kind::Queue), (MEMORY, Kind::Memory), (SEMAPHORES, Kind::Semaphores)];
    let some = !args.has(ALL) && chosen.iter().any(|(option, _)| args.has(*option));
    let kinds = chosen.into_iter().filter(|(option, _)| !some || args.has(*option)).map(|(_, kind)| kind);
    let kinds: Vec<Kind> = kinds.collect();
    let zone = Zone::load(env.vars.get("TZ"));
    let mut names = NameCache::default();
    if let Some(id) = args.value(ID) {
        let [kind] = kinds[..] else {
            return Err(Error::new("when using an ID, a single resource must be specified"));
        };
        let all = Rows::read(kind)?;
        let row = all.rows.iter().find(|row| row.get(1).is_some_and(|known| known == id));
        let row = row.ok_or_else(|| Error::new(text!("id ", id, " not found")))?;
        env.stdout.write(&details(kind, &all, row, &zone))?;
        return Ok(ExitStatus::SUCCESS);
    }
    for kind in kinds {
        let all = Rows::read(kind)?;
        let text = match args.last_of(&[LIMITS, SUMMARY, CREATOR, TIME, PID]) {
            Some(LIMITS) => limits(kind),
            Some(SUMMARY) => summary(kind, &all),
            Some(option) => table(option, kind, &all, &mut names, &zone),
            None => list(kind, &all, &mut names),
        };
        env.stdout.write(&text!("\n", text))?;
    }
    env.stdout.write(b"\n")?;
    Ok(ExitStatus::SUCCESS)
}

/// The kind's line of three.
fn line_of(kind: Kind, lines: &'static str) -> &'static str {
    lines.split('\n').nth(kind as usize).unwrap_or_default()
}

fn title(kind: Kind, queue: &str, memory: &str, semaphores: &str) -> Vec<u8> {
    let words = match kind {
        Kind::Queue => queue,
        Kind::Memory => memory,
        Kind::Semaphores => semaphores,
    };
    text!("------ ", words, " --------\n")
}

/// The number, the owner's name and the permissions of a row.
fn id<'a>(all: &Rows, row: &'a [Vec<u8>], names: &mut NameCache) -> (&'a [u8], Vec<u8>, Vec<u8>) {
    let owner = names.user(all.number(row, "uid") as u32).to_vec();
    let mode = rbox_core::number::parse_radix(all.text(row, "perms"), 8).unwrap_or(0);
    (row.get(1).map_or(b"", Vec::as_slice), owner, octal(mode & 0o777))
}

fn list(kind: Kind, all: &Rows, names: &mut NameCache) -> Vec<u8> {
    let mut text = title(kind, "Message Queues", "Shared Memory Segments", "Semaphore Arrays");
    let line = |text: &mut Vec<u8>, words: &[&[u8]]| {
        for (at, word) in words.iter().enumerate() {
            let last = kind == Kind::Semaphores && at == 4;
            let wide = kind == Kind::Queue && at >= 4 || kind == Kind::Memory && at == 6;
            let width = if wide { 12 } else { 10 };
            push!(*text, Left(*word, width));
            if !last && at + 1 < words.len() {
                text.push(b' ');
            }
        }
        text.push(b'\n');
    };
    let heading = line_of(
        kind,
        "key msqid owner perms used-bytes messages\nkey shmid owner perms bytes nattch status\nkey semid owner perms nsems",
    );
    let heading: Vec<&[u8]> = bytes::words(heading.as_bytes()).collect();
    line(&mut text, &heading);
    for row in &all.rows {
        let key = rbox_core::number::parse_c(all.text(row, "key")).unwrap_or(0) as u32;
        let key = text!("0x", Right(Hex(key.into()), 8, b'0'));
        let (number, owner, mode) = id(all, row, names);
        let common: [&[u8]; 4] = [&key, number, &owner, &mode];
        match kind {
            Kind::Queue => line(&mut text, &[&common[..], &[all.text(row, "cbytes"), all.text(row, "qnum")]].concat()),
            Kind::Memory => {
                let bits = rbox_core::number::parse_radix(all.text(row, "perms"), 8).unwrap_or(0);
                // SHM_DEST and SHM_LOCKED of shmctl(2).
                let state = text!(
                    Left(if bits & 0o1000 != 0 { "dest" } else { " " }, 6),
                    " ",
                    Left(if bits & 0o2000 != 0 { "locked" } else { " " }, 6)
                );
                let more: [&[u8]; 3] = [all.text(row, "size"), all.text(row, "nattch"), &state];
                line(&mut text, &[&common[..], &more].concat());
            }
            Kind::Semaphores => line(&mut text, &[&common[..], &[all.text(row, "nsems")]].concat()),
        }
    }
    text
}

fn table(option: rbox_core::options::Opt, kind: Kind, all: &Rows, names: &mut NameCache, zone: &Zone) -> Vec<u8> {
    let ident = line_of(kind, "msqid\nshmid\nsemid");
    // Headings, and after the stroke the columns of /proc/sysvipc.
    let words = match option {
        CREATOR => "perms cuid cgid uid gid|perms cuid cgid uid gid",
        TIME => line_of(
            kind,
            "owner send recv change|uid stime rtime ctime\nowner attached detached changed|uid atime dtime ctime\nowner last-op last-changed|uid otime ctime",
        ),
        // A semaphore's processes belong to each semaphore.
        _ if kind == Kind::Semaphores => return Vec::new(),
        _ => line_of(kind, "owner lspid lrpid|uid lspid lrpid\nowner cpid lpid|uid cpid lpid"),
    };
    let (heading, columns) = words.split_once('|').unwrap_or_default();
    let mut text = match option {
        CREATOR => title(
            kind,
            "Message Queues Creators/Owners",
            "Shared Memory Segment Creators/Owners",
            "Semaphore Arrays Creators/Owners",
        ),
        TIME => title(
            kind,
            "Message Queues Send/Recv/Change Times",
            "Shared Memory Attach/Detach/Change Times",
            "Semaphore Operation/Change Times",
        ),
        _ => title(kind, "Message Queues PIDs", "Shared Memory Creator/Last-op PIDs", ""),
    };
    let wide = if kind == Kind::Semaphores { 26 } else { 20 };
    let width = |at: usize| if option == TIME && at > 0 { wide } else { 10 };
    let first = if option == TIME && kind != Kind::Memory { 8 } else { 10 };
    push!(text, Left(ident, first));
    for (at, word) in heading.split(' ').enumerate() {
        push!(text, " ", Left(word, width(at)));
    }
    for row in &all.rows {
        let (number, owner, mode) = id(all, row, names);
        push!(text, "\n", Left(number, first));
        for (at, column) in columns.split(' ').enumerate() {
            let value = all.number(row, column);
            let word = match column {
                "perms" => mode.clone(),
                "uid" if at == 0 => owner.clone(),
                "cuid" | "uid" => names.user(value as u32).to_vec(),
                "cgid" | "gid" => names.group(value as u32).to_vec(),
                "atime" | "dtime" | "ctime" | "stime" | "rtime" | "otime" => time(value, b"%b %e %H:%M:%S", zone),
                _ => text!(value),
            };
            push!(text, " ", Left(word, width(at)));
        }
    }
    text.push(b'\n');
    text
}

fn time(seconds: u64, form: &[u8], zone: &Zone) -> Vec<u8> {
    if seconds == 0 {
        return b"Not set".to_vec();
    }
    format(form, Moment { seconds: seconds as i64, nanos: 0 }, zone)
}

/// A number of /proc/sys/kernel; the files hold one or more of them.
fn setting(name: &str, at: usize) -> u64 {
    let text = read_file(&text!("/proc/sys/kernel/", name));
    text.ok().and_then(|text| bytes::words(&text).nth(at).and_then(parse_decimal)).unwrap_or(0)
}

fn limits(kind: Kind) -> Vec<u8> {
    let mut text = title(kind, "Messages Limits", "Shared Memory Limits", "Semaphore Limits");
    match kind {
        Kind::Queue => push!(
            text,
            "max queues system wide = ",
            setting("msgmni", 0),
            "\nmax size of message (bytes) = ",
            setting("msgmax", 0),
            "\ndefault max size of queue (bytes) = ",
            setting("msgmnb", 0),
            "\n"
        ),
        Kind::Memory => push!(
            text,
            "max number of segments = ",
            setting("shmmni", 0),
            "\nmax seg size (kbytes) = ",
            setting("shmmax", 0) / 1024,
            "\nmax total shared memory (kbytes) = ",
            setting("shmall", 0).min(u64::MAX / 4) * 4,
            "\nmin seg size (bytes) = 1\n"
        ),
        Kind::Semaphores => push!(
            text,
            "max number of arrays = ",
            setting("sem", 3),
            "\nmax semaphores per array = ",
            setting("sem", 0),
            "\nmax semaphores system wide = ",
            setting("sem", 1),
            "\nmax ops per semop call = ",
            setting("sem", 2),
            "\nsemaphore max value = 32767\n"
        ),
    }
    text
}

fn summary(kind: Kind, all: &Rows) -> Vec<u8> {
    let mut text = title(kind, "Messages Status", "Shared Memory Status", "Semaphore Status");
    let count = all.rows.len();
    let pages = |sum: u64| sum.div_ceil(4096);
    match kind {
        Kind::Queue => push!(
            text,
            "allocated queues = ",
            count,
            "\nused headers = ",
            all.sum("qnum"),
            "\nused space = ",
            all.sum("cbytes"),
            " bytes\n"
        ),
        Kind::Memory => push!(
            text,
            "segments allocated ",
            count,
            "\npages allocated ",
            all.rows.iter().map(|row| pages(all.number(row, "size"))).sum::<u64>(),
            "\npages resident  ",
            pages(all.sum("rss")),
            "\npages swapped   ",
            pages(all.sum("swap")),
            "\nSwap performance: 0 attempts\t 0 successes\n"
        ),
        Kind::Semaphores => push!(text, "used arrays = ", count, "\nallocated semaphores = ", all.sum("nsems"), "\n"),
    }
    text
}

/// All columns of one row, a line each.
fn details(kind: Kind, all: &Rows, row: &[Vec<u8>], zone: &Zone) -> Vec<u8> {
    let what = line_of(kind, "Message Queue msqid\nShared memory Segment shmid\nSemaphore Array semid");
    let mut text = text!("\n", what, "=", row.get(1).map_or(&b""[..], Vec::as_slice), "\n");
    for (name, value) in all.heading.iter().zip(row).filter(|(name, _)| !name.ends_with(b"id") || name.len() < 5) {
        if name.ends_with(b"time") {
            let seconds = parse_decimal(value).unwrap_or(0);
            push!(text, name, "=", time(seconds, b"%a %b %e %H:%M:%S %Y", zone), "\n");
        } else {
            push!(text, name, "=", value, "\n");
        }
    }
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_headings() {
        let words = |line: &[u8]| bytes::words(line).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let all = Rows { heading: words(b"key shmid perms size uid"), rows: vec![words(b"-2 6 3644 1000 0")] };
        let text = list(Kind::Memory, &all, &mut NameCache::default());
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(
            text.contains("0xfffffffe 6          root       644        1000       0          dest   locked"),
            "{text}"
        );
        assert_eq!(all.sum("size"), 1000);
    }
}
